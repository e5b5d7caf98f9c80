//! A process that ended in the middle: the next one ends its runs and leases, and reads back what may have been sent.

use std::sync::Arc;

use identitymesh_runner::{ImportKind, SyncScope, sync};
use identitymesh_store::audit::ChangeKind;
use identitymesh_store::{ItemState, RunState};
use identitymesh_testkit::failing::{Control, Failure};

use crate::place::{Place, Target, name, over_failing};

const PEOPLE: usize = 5;
/// How long a lease lasts that nobody ends, in seconds.
const LEASE_SECONDS: i64 = 900;

/// A place where exports are queued, over a store that can be made to fail.
async fn queued(target: Target) -> (Place, Arc<Control>) {
    let place = Place::new(target, PEOPLE).await;
    place.import(ImportKind::Full).await.unwrap();
    sync(&place.mesh, SyncScope::Pending(name("hr"))).await.unwrap();
    over_failing(place)
}

fn exports_told(place: &Place) -> usize {
    let changes = place.mesh.store.read().unwrap().changes(0, 1_000).unwrap();
    changes.iter().filter(|change| change.kind == ChangeKind::Export).count()
}

#[tokio::test]
async fn what_was_sent_before_the_process_died_is_read_back_and_told_once() {
    for target in [Target::Tree, Target::Flat] {
        let (place, failing) = queued(target).await;
        failing.fail_at_settle(Failure::DiesBefore);
        place.export().await.unwrap_err();
        assert_eq!(place.accounts.objects().len(), PEOPLE, "all was applied before the answer was lost");

        let place = place.reopen();
        assert_eq!(place.newest_run().state, RunState::Interrupted);
        assert_eq!(exports_told(&place), 0);
        let run = place.export().await.unwrap();
        assert_eq!((run.state, run.count("already_so"), run.count("create")), (RunState::Succeeded, 5, 0));
        assert_eq!((place.accounts.objects().len(), exports_told(&place)), (PEOPLE, PEOPLE));
        assert_eq!(place.queue(), []);
        place.good_cycle().await;
        assert_eq!((place.accounts.objects().len(), exports_told(&place)), (PEOPLE, PEOPLE));
    }
}

#[tokio::test]
async fn what_was_never_sent_is_sent_by_the_next_process() {
    let (place, failing) = queued(Target::Tree).await;
    // Connecting fails, and with the store gone as well the leased items cannot even be given back.
    place.accounts.clear_faults();
    place.accounts.inject(identitymesh_connector_fake::Fault::FailCall {
        nth: 1,
        class: identitymesh_connector::Class::Bug,
    });
    failing.fail_at_settle(Failure::DiesBefore);
    place.export().await.unwrap_err();
    assert_eq!(place.accounts.objects().len(), 0);
    place.accounts.clear_faults();
    let place = place.reopen();
    let run = place.export().await.unwrap();
    assert_eq!((run.state, run.count("create")), (RunState::Succeeded, 5));
    assert_eq!(exports_told(&place), PEOPLE);
}

#[tokio::test]
async fn a_lease_that_nobody_ends_ends_by_itself() {
    let (place, failing) = queued(Target::Tree).await;
    failing.fail_at_settle(Failure::Once);
    place.export().await.unwrap_err();
    place.failed_and_nobody_left(RunState::Failed, "STO-015", PEOPLE as u64);
    assert!(place.queue().iter().all(|item| item.state == ItemState::Leased));
    assert!(place.export().await.unwrap().counters.is_empty(), "nobody else sends what is leased");

    place.pass_seconds(LEASE_SECONDS);
    let run = place.export().await.unwrap();
    assert_eq!((run.count("already_so"), exports_told(&place)), (5, PEOPLE));
}

#[tokio::test]
async fn an_import_that_died_is_done_again_from_its_last_page() {
    const MANY: usize = 4_500;
    let place = Place::new(Target::Flat, MANY).await;
    place.import(ImportKind::Full).await.unwrap();
    let mark = place.watermark();
    let (place, failing) = over_failing(place);
    place.hr.set(name("person"), "p00001", name("sn"), Some("Renamed".into()));
    place.hr.remove(name("person"), "p00002");
    failing.fail_at_stage(Failure::DiesBefore);
    place.import(ImportKind::Full).await.unwrap_err();

    let place = place.reopen();
    assert_eq!(place.newest_run().state, RunState::Interrupted);
    assert_eq!((place.watermark(), place.known_people()), (mark, MANY as u64));
    let run = place.import(ImportKind::Full).await.unwrap();
    assert_eq!((run.count("changed"), run.count("deleted")), (1, 1));
}

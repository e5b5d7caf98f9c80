//! Sources that break off, come back empty or halved, or repeat themselves.

use std::sync::Arc;

use identitymesh_connector_fake::Fault;
use identitymesh_model::rules::Limit;
use identitymesh_runner::{ImportKind, Observer, RunReport, Stage, apply_configuration};
use identitymesh_store::RunState;
use tokio_util::sync::CancellationToken;

use crate::place::{Place, Target, id, name, person};

const PEOPLE: usize = 5_000;

/// Five thousand people who were imported whole.
async fn imported() -> Place {
    let place = Place::new(Target::Flat, PEOPLE).await;
    let run = place.import(ImportKind::Full).await.unwrap();
    assert_eq!((run.state, run.count("added")), (RunState::Succeeded, PEOPLE as u64));
    place
}

fn rename(place: &Place, number: usize) {
    assert!(place.hr.set(name("person"), &id(number), name("sn"), Some("Renamed".into())));
}

fn deletes_nobody(place: &Place, run: &RunReport, people: u64) {
    assert_eq!(run.count("deleted"), 0, "{run:?}");
    assert_eq!(place.known_people(), people);
}

#[tokio::test]
async fn a_connection_that_ends_within_a_page_keeps_what_was_read_and_deletes_nobody() {
    let place = imported().await;
    let mark = place.watermark();
    (0..300).for_each(|number| assert!(place.hr.remove(name("person"), &id(PEOPLE - 1 - number))));
    rename(&place, 0);
    rename(&place, 3_000);
    place.hr.inject(Fault::ClosePage(2));
    place.import(ImportKind::Full).await.unwrap_err();
    place.failed_and_nobody_left(RunState::Failed, "FAK-001", PEOPLE as u64);
    assert_eq!(place.newest_run().counters["changed"], 1, "the first page is kept");
    assert_eq!(place.watermark(), mark);

    place.hr.clear_faults();
    let run = place.import(ImportKind::Full).await.unwrap();
    assert_eq!((run.state, run.count("changed"), run.count("deleted")), (RunState::Succeeded, 1, 300));
    assert_ne!(place.watermark(), mark);
}

#[tokio::test]
async fn a_delta_that_breaks_off_resumes_behind_its_last_page() {
    let place = imported().await;
    (0..2_500).for_each(|number| rename(&place, number));
    place.hr.inject(Fault::ClosePage(2));
    place.import(ImportKind::Delta).await.unwrap_err();
    place.failed_and_nobody_left(RunState::Failed, "the connection ended", PEOPLE as u64);

    place.hr.clear_faults();
    let run = place.import(ImportKind::Delta).await.unwrap();
    assert_eq!((run.step, run.count("read"), run.count("changed")), ("delta-import", 500, 500));
    let run = place.import(ImportKind::Delta).await.unwrap();
    assert_eq!(run.count("read"), 0);
}

#[tokio::test]
async fn zero_rows_where_there_were_five_thousand() {
    let place = imported().await;
    place.hr.inject(Fault::ZeroRows);
    let run = place.import(ImportKind::Full).await.unwrap();
    assert_eq!(run.count("deletes_unseen"), PEOPLE as u64);
    let message = run.message.as_deref().unwrap();
    assert!(message.contains("deletes unseen") && message.contains("nothing was delivered"), "{message}");
    assert_eq!((run.state, run.count("findings")), (RunState::SucceededWithFindings, 1));
    let findings = place.mesh.store.read().unwrap().findings(run.run, 0, 10).unwrap();
    let found = &findings[0].finding;
    assert_eq!(
        (findings.len(), found.code.as_str(), found.subject.as_deref()),
        (1, "IMP-002", Some("person"))
    );
    deletes_nobody(&place, &run, PEOPLE as u64);

    place.hr.clear_faults();
    let run = place.import(ImportKind::Full).await.unwrap();
    assert_eq!((run.state, run.count("findings")), (RunState::Succeeded, 0), "a certified import clears it");
}

#[tokio::test]
async fn half_the_rows_are_held_until_somebody_allows_them() {
    let place = imported().await;
    (0..PEOPLE).step_by(2).for_each(|number| assert!(place.hr.remove(name("person"), &id(number))));
    let run = place.import(ImportKind::Full).await.unwrap();
    assert_eq!((run.state, run.count("deletes_held")), (RunState::Held, 2_500));
    let message = run.message.as_deref().unwrap();
    for wanted in ["2500 of 5000", "limit of 500", "import_delete"] {
        assert!(message.contains(wanted), "{wanted}: {message}");
    }
    deletes_nobody(&place, &run, PEOPLE as u64);

    let mut configuration = place.configuration();
    let hr = configuration.connectors.iter_mut().find(|known| known.connector.name == name("hr")).unwrap();
    hr.connector.limits.import_delete = Some(Limit { percent: Some(60), count: None });
    apply_configuration(&place.mesh, configuration, Default::default()).await.unwrap();
    let run = place.import(ImportKind::Full).await.unwrap();
    assert_eq!((run.state, run.count("deleted"), place.known_people()), (RunState::Succeeded, 2_500, 2_500));
}

#[tokio::test]
async fn all_keys_changed_by_one_character_are_held() {
    let place = imported().await;
    place.hr.clear();
    for number in 0..PEOPLE {
        let mut object = person(number);
        let key = format!("P{}", &id(number)[1..]);
        object.set(name("id"), key.as_str());
        place.hr.put(name("person"), &key, object);
    }
    let run = place.import(ImportKind::Full).await.unwrap();
    assert_eq!((run.state, run.count("deletes_held")), (RunState::Held, PEOPLE as u64));
    assert_eq!(run.count("deleted"), 0);
    assert_eq!(
        place.known_people(),
        2 * PEOPLE as u64,
        "nobody is gone, and the others are there beside them"
    );
}

#[tokio::test]
async fn duplicate_keys_and_repeated_pages_prove_no_absence() {
    for fault in [Fault::DuplicateEvery(100), Fault::RepeatPage(1)] {
        let place = imported().await;
        (0..100).for_each(|number| assert!(place.hr.remove(name("person"), &id(PEOPLE - 1 - number))));
        place.hr.inject(fault.clone());
        let run = place.import(ImportKind::Full).await.unwrap();
        assert_eq!(run.count("deletes_unseen"), 100, "{fault:?}: {run:?}");
        deletes_nobody(&place, &run, PEOPLE as u64);
        place.hr.clear_faults();
        assert_eq!(place.import(ImportKind::Full).await.unwrap().count("deleted"), 100);
    }
}

#[tokio::test]
async fn a_page_that_is_lost_between_others_proves_no_absence() {
    const IN_THE_LAST_PAGE: u64 = 200;
    let people = 2 * 2_000 + IN_THE_LAST_PAGE;
    let place = Place::new(Target::Flat, usize::try_from(people).unwrap()).await;
    place.import(ImportKind::Full).await.unwrap();
    // Few enough that the guard alone would let them go.
    place.hr.inject(Fault::LosePage(3));
    let run = place.import(ImportKind::Full).await.unwrap();
    assert_eq!(run.count("deletes_unseen"), IN_THE_LAST_PAGE, "{run:?}");
    assert_eq!((run.count("deleted"), place.known_people()), (0, people));
}

/// Stops the run when so many objects were read.
struct StopAt(u64, CancellationToken);

impl Observer for StopAt {
    fn progressed(&self, stage: Stage, done: u64, _total: Option<u64>) {
        if stage == Stage::Import && done >= self.0 {
            self.1.cancel();
        }
    }
}

#[tokio::test]
async fn cancelled_between_pages_it_keeps_its_pages_and_goes_on_later() {
    let mut place = imported().await;
    let mark = place.watermark();
    place.hr.remove(name("person"), &id(PEOPLE - 1));
    (0..PEOPLE - 1).for_each(|number| rename(&place, number));
    place.observe(Arc::new(StopAt(2_000, place.mesh.cancel.clone())));
    let error = place.import(ImportKind::Full).await.unwrap_err();
    assert!(error.is_cancelled());
    place.failed_and_nobody_left(RunState::Cancelled, "everything before that is kept", PEOPLE as u64);
    assert_eq!(place.watermark(), mark);

    place.go_on();
    let run = place.import(ImportKind::Full).await.unwrap();
    assert_eq!((run.state, run.count("deleted")), (RunState::Succeeded, 1));
    let all = run.count("changed") + run.count("unchanged");
    assert_eq!(all, PEOPLE as u64 - 1);
}

#[tokio::test]
async fn a_read_that_hangs_ends_when_it_is_cancelled() {
    let place = imported().await;
    place.hr.inject(Fault::HangPage(2));
    let cancel = place.mesh.cancel.clone();
    let (imported, ()) = tokio::join!(place.import(ImportKind::Full), async move {
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        cancel.cancel();
    });
    assert!(imported.unwrap_err().is_cancelled());
    place.failed_and_nobody_left(RunState::Cancelled, "cancelled", PEOPLE as u64);
}

//! A full disk in the middle of a run, and a write that is lost while later ones are on their way.

use identitymesh_runner::{ImportKind, SyncScope, sync};
use identitymesh_store::RunState;

use crate::place::{Place, Target, name, person};

const PEOPLE: usize = 3_000;
/// Room for the tables and some people, but not for all.
const SMALL_BYTES: u64 = 3 << 20;

#[tokio::test]
async fn a_full_disk_says_so_and_the_run_goes_on_when_there_is_space() {
    let place = Place::bare(Target::Flat).reopen_with(Some(SMALL_BYTES), |store| store);
    place.hire(0..PEOPLE);
    place.configure().await.unwrap();
    // People have notes, so that not all of them find room.
    for number in 0..PEOPLE {
        let mut object = person(number);
        object.set(name("mail"), "x".repeat(2_000).as_str());
        place.hr.put(name("person"), &crate::place::id(number), object);
    }
    let error = place.import(ImportKind::Full).await.unwrap_err();
    assert!(error.is_transient(), "{error:?}");
    place.failed_and_nobody_left(RunState::Failed, "STO-005: staging a page: no space is left", 0);
    assert_eq!(place.watermark(), None);

    let place = place.reopen();
    let run = place.import(ImportKind::Full).await.unwrap();
    assert_eq!((run.state, run.count("added")), (RunState::Succeeded, PEOPLE as u64));
    assert_eq!(place.known_people(), PEOPLE as u64);
}

#[tokio::test]
async fn a_disk_that_fills_up_in_a_sync_loses_no_object() {
    let place = Place::new(Target::Flat, PEOPLE).await;
    place.import(ImportKind::Full).await.unwrap();
    let pages = std::fs::metadata(place.path()).unwrap().len();
    let place = place.reopen_with(Some(pages.max(1 << 20)), |store| store);
    let scope = SyncScope::Pending(name("hr"));
    let said = sync(&place.mesh, scope).await.unwrap_err();
    assert!(said.is_transient(), "{said:?}");

    let place = place.reopen();
    let run = sync(&place.mesh, scope).await.unwrap();
    assert!(run.count("mesh_created") > 0, "{run:?}");
    assert_eq!((place.people().len(), place.queue().len()), (PEOPLE, PEOPLE));
}

/// Parts are handed to the store before earlier ones are answered. When one is lost, a later one must not move the
/// watermark past it.
#[tokio::test]
async fn a_lost_part_of_a_delta_takes_later_ones_with_it() {
    const MANY: usize = 45_000;
    const PART: u64 = 20_000;
    let place = Place::new(Target::Flat, 10).await;
    place.import(ImportKind::Full).await.unwrap();
    let mark = place.watermark();
    place.hire(10..MANY);
    // The second of three parts holds somebody whom the database refuses.
    let sql = rusqlite::Connection::open(place.path()).unwrap();
    sql.execute_batch(
        "CREATE TRIGGER refused BEFORE INSERT ON space_object WHEN new.external_id = 'p25000' \
         BEGIN SELECT raise(ABORT, 'not this one'); END",
    )
    .unwrap();
    let place = place.reopen();
    let error = place.import(ImportKind::Delta).await.unwrap_err();
    let told = format!("{error:?}");
    assert!(told.contains("p25000"), "the first error counts: {told}");
    assert!(place.known_people() < MANY as u64);
    assert_ne!(place.watermark(), mark, "the part before the lost one is kept with its watermark");

    sql.execute_batch("DROP TRIGGER refused").unwrap();
    let place = place.reopen();
    let run = place.import(ImportKind::Delta).await.unwrap();
    assert_eq!((run.state, place.known_people()), (RunState::Succeeded, MANY as u64));
    assert_eq!(run.count("read"), MANY as u64 - 10 - PART, "it goes on behind the part that was kept");
}

/// The same for a sync: the place in the order of touched objects must not move past objects that were never planned.
#[tokio::test]
async fn a_lost_part_of_a_sync_is_planned_by_the_next() {
    const MANY: usize = 12_000;
    let place = Place::new(Target::Flat, MANY).await;
    place.import(ImportKind::Full).await.unwrap();
    let sql = rusqlite::Connection::open(place.path()).unwrap();
    sql.execute_batch(
        "CREATE TRIGGER refused BEFORE INSERT ON mesh_object WHEN new.anchor = 'p06000' \
         BEGIN SELECT raise(ABORT, 'not this one'); END",
    )
    .unwrap();
    let place = place.reopen();
    let scope = SyncScope::Pending(name("hr"));
    let told = format!("{:?}", sync(&place.mesh, scope).await.unwrap_err());
    assert!(told.contains("STO-010"), "{told}");
    assert!(place.people().len() < MANY);

    sql.execute_batch("DROP TRIGGER refused").unwrap();
    let place = place.reopen();
    sync(&place.mesh, scope).await.unwrap();
    assert_eq!((place.people().len(), place.queue().len()), (MANY, MANY));
}

//! What a full import did not see, over the limit: shown, approved, rejected, and forgotten when it is there again.

use identitymesh_connector_fake::Fault;
use identitymesh_model::{HoldId, RunId};
use identitymesh_runner::{ImportKind, RunReport};
use identitymesh_store::{Cause, Decided, HoldClass, HoldDecision, HoldFilter, HoldRow, HoldState, RunState};

use crate::place::{Place, Target, id, name, person};

const PEOPLE: usize = 1_000;

async fn settled() -> Place {
    let place = Place::new(Target::Flat, PEOPLE).await;
    place.good_cycle().await;
    place
}

fn lose(place: &Place, numbers: impl Iterator<Item = usize>) {
    numbers.for_each(|number| assert!(place.hr.remove(name("person"), &id(number))));
}

async fn imported(place: &Place) -> RunReport {
    place.import(ImportKind::Full).await.unwrap()
}

fn holds(place: &Place) -> Vec<HoldRow> {
    place.mesh.store.read().unwrap().hold_list(&HoldFilter::default(), None, 100).unwrap()
}

fn decide(place: &Place, hold: i64, approve: bool, subjects: Vec<i64>) -> Decided {
    let cause = Cause { run: RunId(0), actor: "ada".to_owned(), at: place.mesh.clock.now() };
    let (hold, reason) = (HoldId(hold), "a department was sold".to_owned());
    place.mesh.store.decide(HoldDecision { cause, hold, approve, subjects, reason }).wait().unwrap()
}

#[tokio::test]
async fn exactly_the_approved_objects_count_as_gone() {
    let place = settled().await;
    lose(&place, 0..300);
    let run = imported(&place).await;
    assert_eq!((run.state, run.count("deletes_held"), run.count("deleted")), (RunState::Held, 300, 0));
    let hold = holds(&place).remove(0);
    assert_eq!(
        (hold.class, hold.waiting, hold.allowed, hold.population),
        (HoldClass::ImportDelete, 300, 100, 1_000)
    );
    // Again: no second hold.
    assert_eq!((imported(&place).await.state, holds(&place).len()), (RunState::Held, 1));

    let items = place.mesh.store.read().unwrap().hold_items(hold.id, None, 1_000).unwrap();
    let some = items.iter().take(40).map(|item| item.subject).collect();
    assert_eq!(decide(&place, 1, true, some), Decided { decided: 40, changed: 0, left: 260 });
    assert_eq!(place.known_people(), 960);
    let run = imported(&place).await;
    assert_eq!((run.state, run.count("deleted"), place.known_people()), (RunState::Held, 0, 960));
    place.good_cycle().await;
    let gone = place.people().iter().filter(|row| row.state != identitymesh_model::MeshState::Active).count();
    assert_eq!(gone, 40, "their mesh objects are leaving, nobody else's");
}

#[tokio::test]
async fn what_is_rejected_is_not_asked_again_until_it_is_there_again() {
    let place = settled().await;
    lose(&place, 0..300);
    imported(&place).await;
    assert_eq!(decide(&place, 1, false, vec![]).decided, 300);
    // A few more are within the limit, the rejected ones stay.
    lose(&place, 300..310);
    let run = imported(&place).await;
    assert_eq!(
        (run.state, run.count("deleted"), run.count("deletes_rejected")),
        (RunState::Succeeded, 10, 300)
    );
    assert_eq!((place.known_people(), holds(&place).len()), (990, 1));

    // They come back and go again: that is another question.
    (0..300).for_each(|number| place.hr.put(name("person"), &id(number), person(number)));
    imported(&place).await;
    lose(&place, 0..300);
    let run = imported(&place).await;
    assert_eq!((run.state, holds(&place).len(), place.known_people()), (RunState::Held, 2, 990));
}

#[tokio::test]
async fn a_whole_read_after_half_a_read_withdraws_the_hold() {
    let place = settled().await;
    lose(&place, (0..PEOPLE).step_by(2));
    assert_eq!(imported(&place).await.state, RunState::Held);
    (0..PEOPLE).step_by(2).for_each(|number| place.hr.put(name("person"), &id(number), person(number)));
    lose(&place, 0..4);
    let run = imported(&place).await;
    assert_eq!((run.state, run.count("deleted"), place.known_people()), (RunState::Succeeded, 4, 996));
    assert_eq!(holds(&place)[0].state, HoldState::Withdrawn);
}

#[tokio::test]
async fn shuffled_keys_delete_nobody_in_the_whole_cycle() {
    let place = settled().await;
    // Everybody gets the number of somebody else: all rows are there, none of them is whose it was.
    for number in 0..PEOPLE {
        let mut object = person((number * 7 + 1) % PEOPLE);
        object.set(name("id"), id(number).as_str());
        place.hr.put(name("person"), &id(number), object);
    }
    let report = place.good_cycle().await;
    assert!(
        report.runs.iter().all(|run| run.count("deleted") + run.count("delete") + run.count("disable") == 0)
    );
    assert_eq!((place.known_people(), place.people().len()), (PEOPLE as u64, PEOPLE));
    assert_eq!(place.accounts.objects().len(), PEOPLE);

    // And with keys that nobody had before, everybody looks new and nobody is taken as gone.
    place.hr.clear();
    for number in 0..PEOPLE {
        let mut object = person(number);
        object.set(name("id"), format!("q{number}").as_str());
        place.hr.put(name("person"), &format!("q{number}"), object);
    }
    let report = place.good_cycle().await;
    assert!(report.runs.iter().any(|run| run.state == RunState::Held));
    assert!(
        report.runs.iter().all(|run| run.count("deleted") + run.count("delete") + run.count("disable") == 0)
    );
    assert_eq!(place.accounts.objects().len(), 2 * PEOPLE);
}

#[tokio::test]
async fn what_a_delta_reports_as_gone_is_limited_and_nothing_of_it_is_lost() {
    let place = settled().await;
    let delta = async || place.import(ImportKind::Delta).await.unwrap();
    lose(&place, 0..300);
    let run = delta().await;
    assert_eq!((run.state, run.step, run.count("deletes_held")), (RunState::Held, "delta-import", 300));
    assert_eq!((run.count("deleted"), place.known_people()), (0, 1_000));
    assert!(place.hr_is_caught_up(), "the hold keeps what the delta told");

    // What is told later counts with what waits.
    lose(&place, 300..305);
    let run = delta().await;
    assert_eq!((run.state, holds(&place).len(), place.known_people()), (RunState::Held, 2, 1_000));
    // Some are there again before anybody decides.
    (0..100).for_each(|number| place.hr.put(name("person"), &id(number), person(number)));
    assert_eq!(delta().await.state, RunState::Held);
    let hold = holds(&place).pop().unwrap();
    assert_eq!((hold.waiting, hold.withdrawn), (200, 100));
    assert_eq!(decide(&place, 1, true, vec![]), Decided { decided: 200, changed: 0, left: 0 });
    assert_eq!(place.known_people(), 800);
    // What is left is within the limit again.
    let run = delta().await;
    assert_eq!((run.state, run.count("deleted"), place.known_people()), (RunState::Succeeded, 5, 795));
    assert!(place.people().iter().all(|row| row.state == identitymesh_model::MeshState::Active));
    place.good_cycle().await;
    let gone = place.people().iter().filter(|row| row.state != identitymesh_model::MeshState::Active).count();
    assert_eq!(gone, 205);
}

#[tokio::test]
async fn a_few_that_a_delta_reports_as_gone_are_gone_and_one_that_is_there_again_is_not() {
    let place = settled().await;
    lose(&place, 0..50);
    (40..50).for_each(|number| place.hr.put(name("person"), &id(number), person(number)));
    let run = place.import(ImportKind::Delta).await.unwrap();
    assert_eq!((run.state, run.count("deleted"), place.known_people()), (RunState::Succeeded, 40, 960));
    assert_eq!(holds(&place), []);
}

#[tokio::test]
async fn what_half_a_read_missed_goes_with_no_delta_that_shows_some_of_it() {
    let place = settled().await;
    place.hr.inject(Fault::HalfRows);
    let full = imported(&place).await;
    assert_eq!((full.state, full.count("deletes_held")), (RunState::Held, 500));
    place.hr.clear_faults();
    // Nearly everybody changes, so that few of the missing are left.
    for number in 0..PEOPLE - 60 {
        let mut object = person(number);
        object.set(name("sn"), format!("Other{number}").as_str());
        place.hr.put(name("person"), &id(number), object);
    }
    let delta = place.import(ImportKind::Delta).await.unwrap();
    let hold = holds(&place).remove(0);
    assert!(hold.inferred && hold.waiting < 100, "as few as could go unasked: {hold:?}");
    assert_eq!((delta.count("deleted"), place.known_people()), (0, PEOPLE as u64), "{delta:?}");
    // A whole read shows them.
    assert_eq!(imported(&place).await.state, RunState::Succeeded);
    assert_eq!(holds(&place)[0].state, HoldState::Withdrawn);
}

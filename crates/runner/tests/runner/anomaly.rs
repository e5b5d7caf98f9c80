//! Every single call fails once: of the store and of both systems, in a small life of a mesh from its first
//! configuration to joiners, movers and leavers. Whatever fails, starting again brings the mesh to where an undisturbed
//! one is: the same identities, the same accounts, the same history, and nothing left to do.

use std::collections::BTreeSet;
use std::sync::Arc;

use identitymesh_connector::Class;
use identitymesh_connector_fake::Fault;
use identitymesh_model::{Object, Value};
use identitymesh_runner::{ImportKind, import};
use identitymesh_store::audit::{CHAIN_START, ChangeKind, ChangeRow, chain};
use identitymesh_store::{ChangeRecord, SpaceFilter};
use identitymesh_testkit::failing::{Control, Failure};

use crate::place::{Place, Target, id, name, over_failing};

/// Long enough for every lease and every wait to end.
pub(crate) const LATER_SECONDS: i64 = 2 * 3_600;
/// Starts until a disturbed mesh has to be where an undisturbed one is.
const STARTS_MAX: usize = 8;

/// What happens in the world, and then a mesh has to follow.
#[derive(Clone, Copy, Debug)]
enum Day {
    First,
    Second,
    /// After the leaver's account was to be deleted.
    Eighth,
}

/// The changes of one mesh object with what was before, how often an account was made for it, and how often one was
/// removed. A reference may well reach the target with a later update when the other account came late.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Told {
    anchor: String,
    changes: Vec<(&'static str, String)>,
    made: usize,
    removed: usize,
    /// Attributes by the rows of exports, but for references.
    written: BTreeSet<String>,
}

/// Everything that must not depend on what failed in between.
#[derive(Debug, PartialEq)]
pub(crate) struct End {
    /// Anchor, state, document.
    people: Vec<(String, String, String)>,
    /// External id in HR, or the account's owner; linked, gone, unconfirmed.
    spaces: Vec<(String, bool, bool, bool)>,
    accounts: Vec<(String, Object)>,
    history: Vec<Told>,
    queued: usize,
    todos: u64,
    /// Whether the watermark stands at the newest change of HR.
    is_caught_up: bool,
}

pub(crate) fn end(place: &Place) -> End {
    let rows = place.people();
    // Public ids differ from life to life; who is meant does not.
    let told = |text: &str| {
        let named =
            rows.iter().fold(text.to_owned(), |text, row| text.replace(&row.uid.to_string(), &row.anchor));
        without_times(&named)
    };
    let mut reader = place.mesh.store.read().unwrap();
    let mut history = Vec::new();
    for row in &rows {
        let changes = reader.history(row.id, None, 1_000).unwrap();
        let (exports, changes): (Vec<_>, Vec<_>) =
            changes.into_iter().rev().partition(|change| change.kind == ChangeKind::Export);
        let made = exports.iter().filter(|change| change.before == "{\"op\":\"create\"}").count();
        let removed = exports.iter().filter(|change| change.after.is_none()).count();
        let written = exports.iter().filter(|change| change.after.is_some()).flat_map(attributes).collect();
        let changes = changes.into_iter().map(|change| (change.kind.as_str(), told(&change.before)));
        let (anchor, changes) = (row.anchor.to_string(), changes.collect());
        history.push(Told { anchor, changes, made, removed, written });
    }
    let spaces = reader.space_list(&SpaceFilter::default(), None, 1_000).unwrap().items.into_iter();
    let spaces = spaces.map(|row| {
        let owner = row.mesh.and_then(|mesh| rows.iter().find(|known| known.id == mesh));
        let owner = owner.map_or_else(|| row.external_id.to_string(), |owner| owner.anchor.to_string());
        (format!("{} {owner}", row.object_type), row.mesh.is_some(), row.deleted, row.unconfirmed)
    });
    let mut spaces: Vec<_> = spaces.collect();
    let todos = reader.totals().unwrap().todos;
    drop(reader);
    let accounts = place.accounts.objects().into_iter();
    let key = |object: &Object| {
        ["id", "uid"].into_iter().find_map(|key| object.single(name(key))).unwrap().to_string()
    };
    let mut accounts: Vec<_> = accounts.map(|object| (key(&object.attributes), object.attributes)).collect();
    let person = |row: &identitymesh_store::MeshRow| {
        let state = format!("{:?}", row.state);
        let word = state.split(' ').next().unwrap_or_default().to_owned();
        (row.anchor.to_string(), word, told(&row.doc))
    };
    let mut people: Vec<_> = rows.iter().map(person).collect();
    people.sort();
    spaces.sort();
    history.sort();
    accounts.sort_by(|left, right| left.0.cmp(&right.0));
    let is_caught_up = place.hr_is_caught_up();
    End { people, spaces, accounts, history, queued: place.queue().len(), todos, is_caught_up }
}

/// What a row of an export says was written, besides what it made.
fn attributes(change: &ChangeRecord) -> Vec<String> {
    let before: serde_json::Value = serde_json::from_str(&change.before).unwrap();
    let names = before["a"].as_object().into_iter().flat_map(|names| names.keys());
    names.filter(|name| *name != "manager").cloned().collect()
}

/// The text with every moment of the year in which tests play taken out.
fn without_times(text: &str) -> String {
    let mut parts = text.split("2026-");
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        out.push_str("then");
        out.push_str(part.split_once('Z').map_or(part, |(_, rest)| rest));
    }
    out
}

fn pass(place: &Place, day: Day) {
    match day {
        Day::First => {
            place.hire(0..4);
            for number in 1..4 {
                place.hr.set(
                    name("person"),
                    &id(number),
                    name("manager"),
                    Some(Value::reference(id(0)).into()),
                );
            }
        }
        Day::Second => {
            place.hire(4..5);
            place.hr.set(name("person"), &id(1), name("mail"), Some("married@corp.example".into()));
            place.hr.set(name("person"), &id(2), name("manager"), Some(Value::reference(id(4)).into()));
            place.hr.remove(name("person"), &id(3));
        }
        Day::Eighth => place.pass_seconds(8 * 86_400),
    }
}

async fn start(place: &Place) -> bool {
    let configured = place.configure().await.is_ok();
    configured && place.cycle().await.is_ok_and(|report| report.failed.is_empty())
}

/// How much a life asked of HR and of its target.
#[derive(Clone, Copy, Debug)]
struct Asked {
    hr: u64,
    target: u64,
    /// Operations that the target was sent.
    items: u64,
}

/// A life with one disturbance. On each day it starts until it was well twice, with time between.
async fn live(place: Place, failing: &Control) -> Place {
    let place = live_counted(place, failing).await.0;
    assert!(audit_is_whole(&place), "the audit is no whole chain");
    place
}

/// The same, with how much was asked.
async fn live_counted(mut place: Place, failing: &Control) -> (Place, Asked) {
    for day in [Day::First, Day::Second, Day::Eighth] {
        pass(&place, day);
        let mut well = 0;
        for _ in 0..STARTS_MAX {
            let is_well = start(&place).await;
            if failing.is_dead() && place.is_over_failing {
                place = place.reopen();
            }
            well = if is_well { well + 1 } else { 0 };
            place.pass_seconds(LATER_SECONDS);
            if well == 2 {
                break;
            }
        }
        assert_eq!(well, 2, "{day:?} does not come to its end");
    }
    let place = place.reopen();
    let asked = Asked { hr: place.hr.calls(), target: place.accounts.calls(), items: place.accounts.items() };
    place.hr.clear_faults();
    place.accounts.clear_faults();
    // A delta does not show again what it had shown before its account was known to be ours; a full import does.
    import(&place.mesh, name("accounts"), ImportKind::Full).await.unwrap();
    (place, asked)
}

fn beginning(target: Target) -> (Place, Arc<Control>) {
    over_failing(Place::bare(target))
}

/// The end of an undisturbed life, and how many calls of the store and how much else it took.
async fn undisturbed(target: Target) -> (End, u64, Asked) {
    let (place, failing) = beginning(target);
    failing.fail(u64::MAX, Failure::Once);
    let (place, asked) = live_counted(place, &failing).await;
    let calls = failing.calls();
    eprintln!("{target:?}: {calls} calls of the store, {asked:?}");
    let end = end(&place);
    // One entry is left on the to-do list: the leaver's time of grace ends later.
    assert_eq!((end.people.len(), end.accounts.len(), end.queued, end.todos), (5, 4, 0, 1), "{end:#?}");
    assert!(end.is_caught_up && end.spaces.iter().all(|space| !space.3), "{end:#?}");
    (end, calls, asked)
}

async fn every_store_call(target: Target, failure: Failure) {
    let (expected, calls, _) = undisturbed(target).await;
    assert!(calls > 100, "{calls} calls are no life");
    for nth in 1..=calls {
        let (place, failing) = beginning(target);
        failing.fail(nth, failure);
        let place = live(place, &failing).await;
        assert!(failing.calls() >= nth.min(calls) || failing.is_dead());
        assert_eq!(end(&place), expected, "store call {nth}, {target:?} {failure:?}");
    }
}

/// Whether every row is in its place, is what its hash says, and follows from the one before.
pub(crate) fn audit_is_whole(place: &Place) -> bool {
    let changes = place.mesh.store.read().unwrap().changes(0, 10_000).unwrap();
    let mut last = CHAIN_START;
    changes.iter().zip(1..).all(|(change, seq)| {
        let leaf = ChangeRow::from(change).leaf();
        last = chain(&last, &leaf);
        (change.seq, change.leaf, change.chain) == (seq, leaf, last)
    })
}

#[tokio::test]
async fn the_store_fails_at_every_call() {
    every_store_call(Target::Flat, Failure::Once).await;
}

#[tokio::test]
async fn the_process_dies_before_every_store_call() {
    every_store_call(Target::Flat, Failure::DiesBefore).await;
}

#[tokio::test]
async fn the_process_dies_after_every_store_call() {
    every_store_call(Target::Flat, Failure::DiesAfter).await;
}

#[tokio::test]
async fn the_process_dies_after_every_store_call_over_a_tree() {
    every_store_call(Target::Tree, Failure::DiesAfter).await;
}

async fn every_connector_call(target: Target, class: Class) {
    let (expected, _, asked) = undisturbed(target).await;
    assert!(asked.hr > 10 && asked.target > 10, "{asked:?} is no life");
    for (at_target, calls) in [(false, asked.hr), (true, asked.target)] {
        for nth in 1..=calls {
            let (place, failing) = beginning(target);
            let system = if at_target { &place.accounts } else { &place.hr };
            system.inject(Fault::FailCall { nth, class });
            let place = live(place, &failing).await;
            assert_eq!(end(&place), expected, "call {nth} of the target: {at_target}, {target:?} {class:?}");
        }
    }
}

#[tokio::test]
async fn a_system_is_away_at_every_call() {
    for target in [Target::Flat, Target::Tree] {
        every_connector_call(target, Class::Transient).await;
    }
}

#[tokio::test]
async fn a_system_denies_every_call_once() {
    for target in [Target::Flat, Target::Tree] {
        every_connector_call(target, Class::Denied).await;
    }
}

#[tokio::test]
async fn every_answer_of_the_target_is_lost_once() {
    for target in [Target::Flat, Target::Tree] {
        let (expected, _, asked) = undisturbed(target).await;
        assert!(asked.items > 5, "{asked:?} is no life");
        for nth in 1..=asked.items {
            let (place, failing) = beginning(target);
            place.accounts.inject(Fault::LoseAnswerOf(nth));
            let place = live(place, &failing).await;
            assert_eq!(end(&place), expected, "answer {nth} of {target:?}");
        }
    }
}

//! A preview is what then happens, over random populations, and it writes nothing.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use identitymesh_engine::Outcome;
use identitymesh_model::plan::{Plan, PlanNames, write_plan};
use identitymesh_model::{ConnectorId, MeshId, RuleId, SpaceId};
use identitymesh_runner::{Foreseen, ImportKind, Observer, PartSink, Question, SyncScope, preview, sync};
use identitymesh_store::{HoldFilter, HoldRow, MeshFilter};
use proptest::prelude::*;

use crate::place::{Place, Target, id, name};

/// Texts of parts as they are made; new objects have no name yet.
#[derive(Clone, Default)]
struct Parts {
    texts: Arc<Mutex<Vec<String>>>,
    known: Arc<HashMap<String, String>>,
}

impl PlanNames for Parts {
    fn connector(&self, id: ConnectorId) -> String {
        id.to_string()
    }
    fn rule(&self, id: RuleId) -> String {
        id.to_string()
    }
    fn space(&self, id: SpaceId) -> String {
        id.to_string()
    }
    fn mesh(&self, uid: &str) -> String {
        self.known.get(uid).cloned().unwrap_or_else(|| "new".to_owned())
    }
}

impl PartSink for Parts {
    fn part(&mut self, plan: &Plan) {
        let mut text = String::new();
        write_plan(plan, self, &mut text);
        self.texts.lock().unwrap().push(text);
    }
}

impl Observer for Parts {
    fn planned(&self, outcome: &Outcome) {
        self.clone().part(&outcome.plan);
    }
}

fn parts(place: &Place) -> Parts {
    let rows = place.mesh.store.read().unwrap().mesh_list(&MeshFilter::default(), None, 20_000).unwrap();
    let known = rows.items.into_iter().map(|row| (row.uid.to_string(), row.anchor.to_string())).collect();
    Parts { texts: Arc::default(), known: Arc::new(known) }
}

#[derive(Clone, Debug)]
enum Event {
    Hire(usize),
    Leave(usize),
    Return(usize),
    Rename(usize, u8),
    Mail(usize, Option<u8>),
    Manager(usize, usize),
    Remove(usize),
}

const PEOPLE: usize = 60;

fn event() -> impl Strategy<Value = Event> {
    let who = 0..PEOPLE + 8;
    prop_oneof![
        (PEOPLE..PEOPLE + 8).prop_map(Event::Hire),
        who.clone().prop_map(Event::Leave),
        who.clone().prop_map(Event::Return),
        (who.clone(), any::<u8>()).prop_map(|(who, word)| Event::Rename(who, word)),
        (who.clone(), proptest::option::of(any::<u8>())).prop_map(|(who, word)| Event::Mail(who, word)),
        (who.clone(), 0..PEOPLE + 8).prop_map(|(who, manager)| Event::Manager(who, manager)),
        who.prop_map(Event::Remove),
    ]
}

/// Whoever is not there is not changed.
fn happen(place: &Place, event: &Event) {
    let set = |who: &usize, attribute: &str, value| {
        place.hr.set(name("person"), &id(*who), name(attribute), value);
    };
    match event {
        Event::Hire(who) => place.hire(*who..*who + 1),
        Event::Leave(who) => set(who, "active", Some(false.into())),
        Event::Return(who) => set(who, "active", Some(true.into())),
        Event::Rename(who, word) => set(who, "sn", Some(format!("Name {word}").as_str().into())),
        Event::Mail(who, word) => set(who, "mail", word.map(|word| format!("m{word}@x").as_str().into())),
        Event::Manager(who, manager) => {
            let value = identitymesh_model::Value::reference(id(*manager));
            set(who, "manager", Some(value.into()));
        }
        Event::Remove(who) => drop(place.hr.remove(name("person"), &id(*who))),
    }
}

fn question() -> Question {
    Question::Syncs(vec![SyncScope::Pending(name("hr"))])
}

fn open_holds(place: &Place) -> Vec<HoldRow> {
    place
        .mesh
        .store
        .read()
        .unwrap()
        .hold_list(&HoldFilter { connector: None, open: true }, None, 100)
        .unwrap()
}

/// What holds of a hold whatever its number, run and time.
fn held(holds: &[HoldRow]) -> Vec<(String, u64, u64, u64, u64)> {
    let of = |hold: &HoldRow| {
        (hold.class.as_str().to_owned(), hold.waiting, hold.size, hold.population, hold.allowed)
    };
    let mut held: Vec<_> = holds.iter().map(of).collect();
    held.sort();
    held
}

async fn previewed_is_what_happens(target: Target, rounds: Vec<Vec<Event>>) {
    let mut place = Place::new(target, PEOPLE).await;
    place.good_cycle().await;
    for events in rounds {
        events.iter().for_each(|event| happen(&place, event));
        place.import(ImportKind::Full).await.unwrap();
        let before = place.bytes();
        let foreseen: Foreseen<Parts> = {
            let (sandbox, _folder) = place.sandbox();
            preview(&sandbox, question(), parts(&place)).await.unwrap()
        };
        assert!(place.bytes() == before, "a preview writes nothing");

        let watched = parts(&place);
        place.observe(Arc::new(watched.clone()));
        let run = sync(&place.mesh, SyncScope::Pending(name("hr"))).await.unwrap();
        place.go_on();
        assert_eq!(*foreseen.sink.texts.lock().unwrap(), *watched.texts.lock().unwrap());
        assert_eq!(foreseen.counts, run.counters);
        let grouped: u64 =
            foreseen.groups.iter().filter(|group| group.connector.is_some()).map(|group| group.count).sum();
        let queued: u64 =
            run.counters.iter().filter(|(name, _)| name.starts_with("queued_")).map(|(_, count)| count).sum();
        assert_eq!(grouped, queued);

        let run = place.export().await.unwrap();
        assert_eq!(held(&foreseen.holds), held(&open_holds(&place)));
        for flow in &foreseen.flows {
            assert_eq!(run.count(flow.operation.as_str()), flow.sent, "{flow:?} {run:?}");
        }
        let sent: u64 = foreseen.flows.iter().map(|flow| flow.sent).sum();
        let operations = identitymesh_model::plan::Operation::ALL;
        assert_eq!(operations.iter().map(|known| run.count(known.as_str())).sum::<u64>(), sent);
        place.good_cycle().await;
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, ..ProptestConfig::default() })]
    #[test]
    fn what_is_previewed_is_what_happens(
        in_a_tree in any::<bool>(),
        rounds in proptest::collection::vec(proptest::collection::vec(event(), 0..50), 1..3),
    ) {
        let target = if in_a_tree { Target::Tree } else { Target::Flat };
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        runtime.block_on(previewed_is_what_happens(target, rounds));
    }
}

#[tokio::test]
async fn single_objects_are_previewed_without_the_rest() {
    let place = Place::new(Target::Flat, PEOPLE).await;
    place.good_cycle().await;
    for number in 0..10 {
        happen(&place, &Event::Rename(number, 7));
    }
    place.import(ImportKind::Full).await.unwrap();
    let chosen: Vec<MeshId> = {
        let mut reader = place.mesh.store.read().unwrap();
        [3, 4, 30].iter().map(|number| reader.mesh_find(&id(*number), 2).unwrap()[0]).collect()
    };
    let (sandbox, _folder) = place.sandbox();
    let foreseen = preview(&sandbox, Question::Objects(chosen), ()).await.unwrap();
    assert_eq!((foreseen.counts["mesh_updated"], foreseen.counts["queued_update"]), (2, 2));
    let group = foreseen.groups.iter().find(|group| group.connector.is_some()).unwrap();
    assert_eq!((group.count, group.what, group.attributes.as_slice()), (2, "update", &[name("sn")][..]));
    assert_eq!(group.examples, [id(3), id(4)]);
    assert!(foreseen.holds.is_empty() && foreseen.flows[0].sent == 2);
}

#[tokio::test]
async fn a_preview_says_what_would_be_held_and_why() {
    let place = Place::new(Target::Flat, PEOPLE).await;
    place.good_cycle().await;
    for number in 0..20 {
        happen(&place, &Event::Leave(number));
        happen(&place, &Event::Rename(number + 30, 1));
    }
    place.import(ImportKind::Full).await.unwrap();
    let (sandbox, _folder) = place.sandbox();
    let foreseen = preview(&sandbox, question(), ()).await.unwrap();
    let flows: Vec<_> =
        foreseen.flows.iter().map(|flow| (flow.operation.as_str(), flow.sent, flow.held)).collect();
    assert_eq!(flows, [("update", 20, 0), ("disable", 0, 20)]);
    let hold = &foreseen.holds[0];
    assert_eq!((hold.waiting, hold.size, hold.population, hold.allowed), (20, 20, 60, 10));
    assert!(!hold.common.is_empty());
    assert!(open_holds(&place).is_empty(), "nothing is held yet");
}

/// Enough people that every thread gets a part of them.
const MANY: usize = 1_600;

#[tokio::test]
async fn a_preview_is_the_same_on_any_number_of_threads() {
    let place = Place::new(Target::Flat, MANY).await;
    place.import(ImportKind::Full).await.unwrap();
    let all_new = previewed_on_threads(&place, question()).await;
    assert_eq!(all_new.0["mesh_created"], MANY as u64);
    place.good_cycle().await;
    for number in (0..MANY).step_by(3) {
        happen(&place, &Event::Rename(number, 7));
        happen(&place, &Event::Manager(number + 1, number));
    }
    place.import(ImportKind::Full).await.unwrap();
    let everybody = Question::Syncs(vec![SyncScope::Everything]);
    let some_changed = previewed_on_threads(&place, everybody).await;
    assert!(some_changed.0["queued_update"] > 500, "{:?}", some_changed.0);
}

/// Counts and parts of a preview, which do not depend on threads.
async fn previewed_on_threads(
    place: &Place,
    question: Question,
) -> (std::collections::BTreeMap<String, u64>, Vec<String>) {
    let mut found = Vec::new();
    for threads in [1, 2, 4] {
        let (mut sandbox, _folder) = place.sandbox();
        sandbox.copy.threads = threads;
        let foreseen = preview(&sandbox, question.clone(), parts(place)).await.unwrap();
        let texts = foreseen.sink.texts.lock().unwrap().clone();
        found.push((foreseen.counts, texts));
    }
    assert!(found.iter().all(|other| *other == found[0]), "threads changed what was planned");
    found.swap_remove(0)
}

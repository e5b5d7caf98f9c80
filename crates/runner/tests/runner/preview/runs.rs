//! Previews of runs under the rules in force.

use identitymesh_model::MeshId;
use identitymesh_runner::{Foreseen, ImportKind, Question, SyncScope, preview};
use proptest::prelude::*;

use super::check::{Parts, open_holds, then};
use super::people::{Event, PEOPLE, event, happen};
use crate::place::{Place, Target, id, name};

fn question() -> Question {
    Question::Syncs(vec![SyncScope::Pending(name("hr"))])
}

async fn previewed_is_what_happens(target: Target, rounds: Vec<Vec<Event>>) {
    let place = Place::new(target, PEOPLE).await;
    place.good_cycle().await;
    for events in rounds {
        events.iter().for_each(|event| happen(&place, event));
        place.import(ImportKind::Full).await.unwrap();
        let before = place.bytes();
        let foreseen: Foreseen<Parts> = {
            let (sandbox, _folder) = place.sandbox();
            preview(&sandbox, question(), Parts::of(&place.mesh)).await.unwrap()
        };
        assert!(place.bytes() == before, "a preview writes nothing");
        then(&place.mesh, SyncScope::Pending(name("hr")), name("accounts"), &foreseen).await;
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
    assert!(open_holds(&place.mesh).is_empty(), "nothing is held yet");
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
        let foreseen = preview(&sandbox, question.clone(), Parts::of(&place.mesh)).await.unwrap();
        let texts = foreseen.sink.texts();
        found.push((foreseen.counts, texts));
    }
    assert!(found.iter().all(|other| *other == found[0]), "threads changed what was planned");
    found.swap_remove(0)
}

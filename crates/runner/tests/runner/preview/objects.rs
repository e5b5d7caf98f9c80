//! Previews of single objects: what a sync then makes of them when nobody else changed.

use identitymesh_model::MeshId;
use identitymesh_runner::{ImportKind, Question, SyncScope, preview, sync};
use proptest::prelude::*;

use super::check::exported;
use super::people::{Event, PEOPLE, happen};
use crate::place::{Place, Target, id, name};

/// What happens to somebody and wakes nobody else.
fn event() -> impl Strategy<Value = Event> {
    let who = 0..PEOPLE;
    prop_oneof![
        who.clone().prop_map(Event::Leave),
        (who.clone(), any::<u8>()).prop_map(|(who, word)| Event::Rename(who, word)),
        (who, prop::option::of(any::<u8>())).prop_map(|(who, word)| Event::Mail(who, word)),
    ]
}

const fn of(event: &Event) -> usize {
    match event {
        Event::Hire(who)
        | Event::Leave(who)
        | Event::Return(who)
        | Event::Rename(who, _)
        | Event::Mail(who, _)
        | Event::Manager(who, _)
        | Event::Remove(who) => *who,
    }
}

async fn previewed_objects_are_what_happens(events: Vec<Event>) {
    let place = Place::new(Target::Flat, PEOPLE).await;
    place.good_cycle().await;
    events.iter().for_each(|event| happen(&place, event));
    place.import(ImportKind::Full).await.unwrap();
    let mut numbers: Vec<usize> = events.iter().map(of).collect();
    numbers.sort_unstable();
    numbers.dedup();
    let chosen: Vec<MeshId> = {
        let mut reader = place.mesh.store.read().unwrap();
        numbers.iter().map(|number| reader.mesh_find(&id(*number), 2).unwrap()[0]).collect()
    };
    let before = place.bytes();
    let foreseen = {
        let (sandbox, _folder) = place.sandbox();
        preview(&sandbox, Question::Objects(chosen), ()).await.unwrap()
    };
    assert!(place.bytes() == before, "a preview writes nothing");
    let run = sync(&place.mesh, SyncScope::Pending(name("hr"))).await.unwrap();
    assert_eq!(foreseen.counts, run.counters);
    exported(&place.mesh, name("accounts"), &foreseen).await;
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn what_is_previewed_of_single_objects_is_what_happens(events in prop::collection::vec(event(), 1..40)) {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        runtime.block_on(previewed_objects_are_what_happens(events));
    }
}

//! What happens to people in the HR system.

use proptest::prelude::*;

use crate::place::{Place, id, name};

#[derive(Clone, Debug)]
pub(super) enum Event {
    Hire(usize),
    Leave(usize),
    Return(usize),
    Rename(usize, u8),
    Mail(usize, Option<u8>),
    Manager(usize, usize),
    Remove(usize),
}

pub(super) const PEOPLE: usize = 60;

pub(super) fn event() -> impl Strategy<Value = Event> {
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
pub(super) fn happen(place: &Place, event: &Event) {
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

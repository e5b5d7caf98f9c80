//! Histories: what happens in a company, one event after the other.

use identitymesh_model::{ConnectorId, Object, Span, Value, Values};
use identitymesh_scenario::{ReadFault, World};
use proptest::prelude::*;

use super::company::{self, Company, Person, name, tags, team};

/// Systems in the order in which they are run.
pub(crate) const SYSTEMS: [&str; 3] = ["hr", "phones", "ad"];
/// Rounds of everything after which a world has to be at rest.
const ROUNDS_MAX: usize = 12;

/// One event.
#[derive(Clone, Debug)]
pub(crate) enum Event {
    /// HR writes a person.
    Write(u8, Person),
    /// HR takes a person out.
    Remove(u8),
    /// HR writes a team.
    Team(u8, Vec<u8>),
    /// HR takes a team out.
    Dissolve(u8),
    /// Somebody writes an entry of the phone book.
    Phone(u8, Option<u8>, Vec<u8>),
    /// Somebody changes the mail of an account.
    Mail(u8, Option<u8>),
    /// Somebody adds an account to a group, or takes it out.
    Member(u8, u8, bool),
    /// Somebody deletes an account.
    Delete(u8),
    /// A system is read.
    Import(usize),
    /// What was read is synchronized.
    Sync(usize),
    /// What is queued is sent.
    Export(usize),
    /// A day passes.
    Day,
}

/// What goes wrong with the next run.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Mishap {
    /// The import breaks at a page.
    Broken { page: usize },
    /// The sync is stopped after some parts.
    Stopped { parts: usize },
    /// The export is stopped after some items.
    Cut { items: usize },
    /// The export is killed after some items.
    Killed { items: usize },
}

/// A company and what happens in it.
#[derive(Clone, Debug)]
pub(crate) struct History {
    pub company: Company,
    pub events: Vec<Event>,
}

fn event() -> impl Strategy<Value = Event> {
    let members = || proptest::collection::vec(0_u8..6, 0..4);
    prop_oneof![
        6 => (0_u8..6, company::person()).prop_map(|(number, person)| Event::Write(number, person)),
        2 => (0_u8..6).prop_map(Event::Remove),
        3 => (0_u8..2, members()).prop_map(|(code, members)| Event::Team(code, members)),
        1 => (0_u8..2).prop_map(Event::Dissolve),
        2 => (0_u8..6, proptest::option::of(0_u8..3), proptest::collection::vec(0_u8..4, 0..3))
            .prop_map(|(number, phone, tags)| Event::Phone(number, phone, tags)),
        2 => (0_u8..6, proptest::option::of(0_u8..3)).prop_map(|(number, mail)| Event::Mail(number, mail)),
        2 => (0_u8..2, 0_u8..6, proptest::bool::ANY).prop_map(|(code, number, add)| Event::Member(code, number, add)),
        1 => (0_u8..6).prop_map(Event::Delete),
        4 => (0_usize..3).prop_map(Event::Import),
        4 => (0_usize..3).prop_map(Event::Sync),
        4 => (1_usize..3).prop_map(Event::Export),
        2 => Just(Event::Day),
    ]
}

/// Any history.
pub(crate) fn any() -> impl Strategy<Value = History> {
    (company::any(), proptest::collection::vec(event(), 1..40))
        .prop_map(|(company, events)| History { company, events })
}

/// People, teams and entries that only arrive, and two orders in which they do.
pub(crate) fn arrivals() -> impl Strategy<Value = (Company, Vec<Event>, Vec<Event>)> {
    let people = proptest::collection::vec(company::person(), 6);
    let members = proptest::collection::vec(0_u8..6, 0..5);
    let entries = proptest::collection::vec(
        (proptest::option::of(0_u8..3), proptest::collection::vec(0_u8..4, 0..3)),
        6,
    );
    let events = (people, members, entries).prop_map(|(people, members, entries)| {
        let people = people.into_iter().zip(0_u8..).map(|(person, number)| Event::Write(number, person));
        let entries =
            entries.into_iter().zip(0_u8..).map(|((phone, tags), number)| Event::Phone(number, phone, tags));
        let mut events: Vec<Event> = people.chain(entries).collect();
        events.push(Event::Team(0, members));
        // Runs in between, so that the same things arrive in other parts of other runs.
        events.extend([Event::Import(0), Event::Sync(0), Event::Import(1), Event::Sync(1), Event::Import(0)]);
        events
    });
    let two =
        events.prop_flat_map(|events| (Just(events.clone()).prop_shuffle(), Just(events).prop_shuffle()));
    (company::any(), two).prop_map(|(company, (one, other))| (company, one, other))
}

/// A history and mishaps that happen to some of its runs.
pub(crate) fn disturbed() -> impl Strategy<Value = (History, Vec<Option<Mishap>>, usize)> {
    let mishap = prop_oneof![
        (1_usize..5).prop_map(|page| Mishap::Broken { page }),
        (0_usize..5).prop_map(|parts| Mishap::Stopped { parts }),
        (0_usize..4).prop_map(|items| Mishap::Cut { items }),
        (0_usize..4).prop_map(|items| Mishap::Killed { items }),
    ];
    let mishaps = proptest::collection::vec(proptest::option::of(mishap), 40);
    (any(), mishaps, 1_usize..4)
}

/// A company in which a history is played.
pub(crate) struct Play {
    pub world: World,
}

impl Play {
    pub(crate) fn new(company: &Company) -> Self {
        Self { world: company.world() }
    }

    pub(crate) fn id(&self, system: &str) -> ConnectorId {
        self.world.connector(name(system)).expect("the company has this system")
    }

    pub(crate) fn play(&mut self, events: &[Event]) {
        events.iter().for_each(|event| self.event(event));
    }

    pub(crate) fn event(&mut self, event: &Event) {
        match event {
            Event::Write(number, person) => {
                self.put("hr", "person", &number.to_string(), person.row(*number))
            }
            Event::Remove(number) => self.remove("hr", "person", &number.to_string()),
            Event::Team(code, members) => self.put("hr", "team", &format!("G{code}"), team(*code, members)),
            Event::Dissolve(code) => self.remove("hr", "team", &format!("G{code}")),
            Event::Phone(number, phone, of) => {
                let id = number.to_string();
                let mut row = self.get("phones", "entry", &id).unwrap_or_default();
                row.set(name("number"), Values::from(id.as_str()));
                row.put(name("phone"), phone.map(|phone| Values::from(format!("20{phone}").as_str())));
                row.put(name("tags"), tags(of));
                self.put("phones", "entry", &id, row);
            }
            Event::Mail(number, mail) => self.change_account(*number, |account| {
                account
                    .put(name("mail"), mail.map(|mail| Values::from(format!("x{mail}@{number}").as_str())));
            }),
            Event::Member(code, number, add) => self.change_member(*code, *number, *add),
            Event::Delete(number) => {
                if let Some((id, _)) = self.find("user", &dn(*number)) {
                    self.remove("ad", "user", &id);
                }
            }
            Event::Import(system) => self.import(SYSTEMS[*system]),
            Event::Sync(system) => self.sync(SYSTEMS[*system]),
            Event::Export(system) => self.export(SYSTEMS[*system]),
            Event::Day => self.day(),
        }
    }

    pub(crate) fn day(&mut self) {
        let day: Span = "1d".parse().expect("a constant");
        self.world.now = self.world.now.saturating_add_seconds(day.as_seconds());
    }

    pub(crate) fn import(&mut self, system: &str) {
        let id = self.id(system);
        self.world.import_from_system(id);
    }

    pub(crate) fn sync(&mut self, system: &str) {
        let id = self.id(system);
        self.world.sync(&[id], |_, _, _| {}).expect("nobody stops it");
    }

    pub(crate) fn export(&mut self, system: &str) {
        let id = self.id(system);
        self.world.export(id, false);
    }

    /// Plays an event with a mishap, and then whatever has to be done again because of it.
    pub(crate) fn disturbed(&mut self, event: &Event, mishap: Option<Mishap>) {
        match (event, mishap) {
            (Event::Import(system), Some(Mishap::Broken { page })) => {
                let id = self.id(SYSTEMS[*system]);
                let known = self.world.systems.entry(id).or_default();
                (known.page, known.read_fault) = (Some(1), Some(ReadFault::Breaks { page }));
                self.world.import_from_system(id);
                self.world.import_from_system(id);
            }
            (Event::Sync(system), Some(Mishap::Stopped { parts })) => {
                let id = self.id(SYSTEMS[*system]);
                self.world.stop_after = Some(parts);
                // Stopped or through, the next run takes up what is left.
                let _ = self.world.sync(&[id], |_, _, _| {});
                self.world.stop_after = None;
                self.sync(SYSTEMS[*system]);
            }
            (Event::Export(system), Some(Mishap::Cut { items } | Mishap::Killed { items })) => {
                let id = self.id(SYSTEMS[*system]);
                self.world.stop_after = Some(items);
                self.world.export(id, matches!(mishap, Some(Mishap::Killed { .. })));
                self.world.stop_after = None;
                self.world.export(id, false);
            }
            _ => self.event(event),
        }
    }

    /// Runs everything until nothing moves any more; `false` when that never happens.
    pub(crate) fn settle(&mut self) -> bool {
        for _ in 0..ROUNDS_MAX {
            let before = (self.world.state.mesh.clone(), self.contents());
            for system in SYSTEMS {
                self.import(system);
                self.sync(system);
            }
            let mut sent = 0;
            for system in ["phones", "ad"] {
                let id = self.id(system);
                sent += self.world.export(id, false).len();
            }
            if sent == 0 && before == (self.world.state.mesh.clone(), self.contents()) {
                return true;
            }
        }
        false
    }

    /// The mesh and all systems as text, without anything that only the order of events gives: ids, runs, versions.
    pub(crate) fn told(&self) -> Vec<String> {
        let mut lines = self.contents();
        lines.extend(
            identitymesh_scenario::tell_mesh(&self.world, None).into_iter().map(|line| without_order(&line)),
        );
        lines.sort_unstable();
        lines
    }

    fn contents(&self) -> Vec<String> {
        let mut lines = Vec::new();
        for system in SYSTEMS {
            let known = self.world.systems.get(&self.id(system));
            for (object_type, _, object) in known.into_iter().flat_map(|known| known.iter()) {
                lines.push(format!("{system} {object_type} {object:?}"));
            }
        }
        lines.sort_unstable();
        lines
    }

    fn get(&self, system: &str, object_type: &str, id: &str) -> Option<Object> {
        self.world.systems.get(&self.id(system))?.get(name(object_type), id).cloned()
    }

    pub(crate) fn put(&mut self, system: &str, object_type: &str, id: &str, object: Object) {
        let system = self.id(system);
        self.world.systems.entry(system).or_default().put(name(object_type), id, object);
    }

    pub(crate) fn remove(&mut self, system: &str, object_type: &str, id: &str) {
        let system = self.id(system);
        self.world.systems.entry(system).or_default().remove(name(object_type), id);
    }

    /// The object of the directory at an address, with its id.
    pub(crate) fn find(&self, object_type: &str, at: &str) -> Option<(String, Object)> {
        let known = self.world.systems.get(&self.id("ad"))?;
        let all = known.all(name(object_type)).into_iter();
        let mut all = all.map(|(id, object)| (id.to_string(), object));
        all.find(|(_, object)| object.single(name("dn")).and_then(Value::as_text) == Some(at))
    }

    fn change_account(&mut self, number: u8, change: impl FnOnce(&mut Object)) {
        if let Some((id, mut account)) = self.find("user", &dn(number)) {
            change(&mut account);
            self.put("ad", "user", &id, account);
        }
    }

    fn change_member(&mut self, code: u8, number: u8, add: bool) {
        let Some((id, mut group)) = self.find("group", &format!("cn=G{code},OU=Groups,DC=corp")) else {
            return;
        };
        let mut members = group.remove(name("member")).map_or_else(Vec::new, Values::into_vec);
        let member = Value::reference(dn(number));
        members.retain(|known| *known != member);
        if add && self.find("user", &dn(number)).is_some() {
            members.push(member);
        }
        group.put(name("member"), Values::set(members));
        self.put("ad", "group", &id, group);
    }
}

/// The address of a person's account.
fn dn(number: u8) -> String {
    format!("cn={number},OU=People,DC=corp")
}

/// A mesh object's line without what only the order of events gives: the running numbers by which systems call the
/// objects that they made, and the order of links and members.
fn without_order(line: &str) -> String {
    let mut out = String::new();
    let mut rest = line;
    while let Some((before, after)) = rest.split_once("made-") {
        out.push_str(before);
        out.push_str("made");
        rest = after.trim_start_matches(|letter: char| letter.is_ascii_digit());
    }
    out.push_str(rest);
    let mut parts = out.split('[');
    let mut sorted = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (list, after) = part.split_once(']').unwrap_or((part, ""));
        let mut list: Vec<&str> = list.split(", ").collect();
        list.sort_unstable();
        sorted.push_str(&format!("[{}]{after}", list.join(", ")));
    }
    sorted
}

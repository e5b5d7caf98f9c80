//! What people do outside the mesh, and what they have done: the truth that the end of a life is measured against.
//!
//! Nothing here asks the product. An event changes a system and this record in the same breath.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use identitymesh_connector::ImportedObject;
use identitymesh_model::{Object, Text, Value, Values};

use crate::die::Die;
use crate::systems::{Systems, name};

/// Most people who were ever hired.
const PEOPLE_MAX: usize = 40;
/// How many are hired at once, or leave when a department closes: more than the guard allows without asking.
const MASS_COUNT: usize = 12;

/// A person as HR would tell it.
#[derive(Clone, Debug)]
pub(crate) struct Person {
    /// HR has a row.
    pub(crate) is_known: bool,
    pub(crate) active: bool,
    pub(crate) sn: u8,
    pub(crate) mail: Option<u16>,
    pub(crate) phone: Option<u16>,
    pub(crate) department: u8,
    pub(crate) manager: Option<usize>,
    /// Known and active without a break since the first day.
    pub(crate) is_steady: bool,
    /// Somebody changed the phone elsewhere than in HR.
    pub(crate) has_foreign_phone: bool,
    /// Somebody removed the account, and it was not seen since.
    pub(crate) is_removed: bool,
}

impl Person {
    /// Whether there has to be an account in the end.
    pub(crate) const fn is_staff(&self) -> bool {
        self.is_known && self.active
    }
}

/// Everybody, and every team with its members.
#[derive(Clone, Debug, Default)]
pub(crate) struct Outside {
    pub(crate) people: BTreeMap<usize, Person>,
    pub(crate) teams: BTreeMap<usize, BTreeSet<usize>>,
    values: u16,
    /// What was seen to hold a value in the directory: external id and attribute.
    filled: BTreeSet<(Text, &'static str)>,
    /// The mail that an administrator gave an account once more before the product can have seen that its own stayed: it
    /// cannot tell that from a target which does not keep what is written to it, and lets the value be.
    contested: BTreeMap<Text, u16>,
    /// Accounts whose mail an administrator changed since the product was last seen to be done with everything.
    mailed: BTreeSet<Text>,
    /// What an administrator was the first to fill.
    theirs: BTreeSet<(Text, &'static str)>,
    seen: BTreeSet<Text>,
    /// Objects that came to be in a disturbed step; the product may not know yet that it made them.
    fresh: BTreeSet<Text>,
    /// Those of them that an administrator changed before the product saw them: it cannot tell that they are its own.
    disowned: BTreeSet<Text>,
}

/// Attributes of the directory that the product may leave empty and administrators change.
const FILLED_BY_BOTH: [&str; 2] = ["mail", "member"];

/// What happens.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Event {
    Hire,
    HireTogether,
    Leave(usize),
    LeaveTogether,
    Return(usize),
    Suspend(usize),
    Resume(usize),
    Marry(usize),
    Mail(usize),
    Phone(usize),
    Transfer(usize),
    Manager(usize, usize),
    Team(usize),
    Dissolve(usize),
    DirectoryMail(usize),
    DirectoryPhone(usize),
    DirectoryMembers(usize, usize),
    DirectoryRemove(usize),
    DeskPhone(usize),
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self:?}")
    }
}

pub(crate) fn id(number: usize) -> String {
    format!("p{number:03}")
}

pub(crate) fn code(number: usize) -> String {
    format!("team{number}")
}

pub(crate) fn mail(number: u16) -> String {
    format!("m{number}@corp.example")
}

pub(crate) fn phone(number: u16) -> String {
    format!("+1 555 {number:04}")
}

pub(crate) fn department(number: u8) -> String {
    format!("d{number}")
}

pub(crate) fn surname(number: u8) -> String {
    format!("Smith{number}")
}

impl Outside {
    /// An event that can happen now.
    pub(crate) fn draw(&self, die: &mut Die) -> Event {
        if self.people.len() < 6 || (die.one_in(5) && self.people.len() < PEOPLE_MAX) {
            return Event::Hire;
        }
        let known: Vec<usize> = self.people.keys().copied().collect();
        let (one, other) = (die.pick(&known), die.pick(&known));
        match die.below(20) {
            0 | 1 => Event::Leave(one),
            2 => Event::Suspend(one),
            3 | 4 => Event::Resume(one),
            5 | 6 => Event::Return(one),
            7 => Event::Marry(one),
            8 => Event::Mail(one),
            9 => Event::Phone(one),
            10 => Event::Transfer(one),
            11 => Event::Manager(one, other),
            12 | 13 => Event::Team(die.below(4)),
            14 if die.one_in(3) => Event::Dissolve(die.below(4)),
            15 => Event::DirectoryMail(one),
            16 => Event::DirectoryPhone(one),
            17 => Event::DirectoryMembers(die.below(4), one),
            18 if die.one_in(2) => Event::DirectoryRemove(one),
            19 => Event::DeskPhone(one),
            _ if die.one_in(4) => Event::LeaveTogether,
            _ => Event::Hire,
        }
    }

    /// Makes it happen. One that means nothing now, such as the leave of somebody who has left, changes nothing.
    pub(crate) fn happen(&mut self, event: Event, systems: &Systems, die: &mut Die) {
        match event {
            Event::Hire => self.hire(systems, die),
            Event::HireTogether => {
                let room = PEOPLE_MAX.saturating_sub(self.people.len());
                (0..room.min(MASS_COUNT)).for_each(|_| self.hire(systems, die));
            }
            Event::Leave(who) => self.leave(who, systems),
            Event::LeaveTogether => {
                let staff = self.people.iter().filter(|(_, person)| person.is_staff());
                let staff: Vec<usize> = staff.map(|(who, _)| *who).take(MASS_COUNT).collect();
                staff.into_iter().for_each(|who| self.leave(who, systems));
            }
            Event::Return(who) => self.change(who, systems, |person, _| {
                (person.is_known, person.active) = (true, true);
            }),
            Event::Suspend(who) => self.change(who, systems, |person, _| {
                (person.active, person.is_steady) = (false, false);
            }),
            Event::Resume(who) => self.change(who, systems, |person, _| person.active = true),
            Event::Marry(who) => {
                let sn = u8::try_from(die.below(4)).unwrap_or(0);
                self.change(who, systems, |person, _| person.sn = sn);
            }
            Event::Mail(who) => {
                let keeps = !die.one_in(4);
                self.change(who, systems, |person, value| person.mail = keeps.then_some(value));
            }
            Event::Phone(who) => {
                let keeps = !die.one_in(4);
                self.change(who, systems, |person, value| person.phone = keeps.then_some(value));
            }
            Event::Transfer(who) => {
                self.change(who, systems, |person, _| person.department = (person.department + 1) % 3);
            }
            Event::Manager(who, manager) => {
                self.change(who, systems, |person, _| {
                    person.manager = (manager != who).then_some(manager);
                });
            }
            Event::Team(team) => self.gather(team, systems, die),
            Event::Dissolve(team) if self.teams.len() > 1 => {
                self.teams.remove(&team);
                systems.hr.remove(name("team"), &code(team));
            }
            Event::Dissolve(_) => {}
            Event::DirectoryMail(who) => {
                let value = self.value();
                if let Some(account) = set_in_directory(systems, who, "mail", &mail(value)) {
                    self.fill(&account, "mail");
                    let account = Text::from(account);
                    if !self.mailed.insert(account.clone()) {
                        self.contested.insert(account, value);
                    }
                }
            }
            Event::DirectoryPhone(who) => {
                let value = self.value();
                if let Some(account) = set_in_directory(systems, who, "phone", &phone(value)) {
                    self.touch(&account);
                    self.has_foreign_phone(who);
                }
            }
            Event::DirectoryMembers(team, who) => {
                if let Some(group) = toggle_member(systems, team, who) {
                    self.fill(&group, "member");
                }
            }
            // One account always stays: a directory that lists nobody any more is not believed either.
            Event::DirectoryRemove(who) => {
                let objects = systems.directory.objects();
                let accounts = objects.iter().filter(|object| object.object_type == name("account"));
                if let Some(account) = account(systems, who).filter(|_| accounts.count() > 1) {
                    systems.directory.remove(name("account"), &account);
                    self.people.entry(who).and_modify(|person| person.is_removed = true);
                }
            }
            Event::DeskPhone(who) => {
                let value = self.value();
                let phone = Values::from(phone(value).as_str());
                if systems.desk.set(name("contact"), &id(who), name("phone"), Some(phone)) {
                    self.touch(&id(who));
                    self.has_foreign_phone(who);
                }
            }
        }
    }

    /// Takes down what the targets hold after a step.
    pub(crate) fn look(&mut self, systems: &Systems, is_disturbed: bool) {
        let (directory, desk) = (systems.directory.objects(), systems.desk.objects());
        // Whoever was seen with an account again can be watched again.
        for (who, person) in self.people.iter_mut().filter(|(_, person)| person.is_removed) {
            person.is_removed = account(systems, *who).is_none();
        }
        for object in directory.iter().chain(&desk) {
            if self.seen.insert(object.external_id.clone()) && is_disturbed {
                self.fresh.insert(object.external_id.clone());
            }
            for attribute in FILLED_BY_BOTH {
                if object.attributes.get(name(attribute)).is_some() {
                    self.filled.insert((object.external_id.clone(), attribute));
                }
            }
        }
    }

    /// Whether an administrator was the first to fill the attribute, as far as the product can know. While HR has nothing
    /// for it the product lets it be.
    pub(crate) fn is_theirs(&self, object: &ImportedObject, attribute: &'static str) -> bool {
        self.is_disowned(object) || self.theirs.contains(&(object.external_id.clone(), attribute))
    }

    /// The product has read all systems and written to all of them without being disturbed.
    pub(crate) fn are_known(&mut self) {
        self.fresh.clear();
        self.mailed.clear();
    }

    /// Whether a mail may stay that an administrator wrote, though HR has another.
    pub(crate) fn is_contested(&self, object: &ImportedObject, value: &str) -> bool {
        self.contested.get(&object.external_id).is_some_and(|number| mail(*number) == value)
    }

    /// Whether the product may not know yet that it made the object.
    pub(crate) fn is_fresh(&self, object: &ImportedObject) -> bool {
        self.fresh.contains(&object.external_id)
    }

    /// The person with this anchor, if it is one, was told or decided to be something else than active in between.
    pub(crate) fn is_not_steady(&mut self, anchor: &str) {
        let person = self.people.iter_mut().find(|(who, _)| id(**who) == anchor);
        if let Some((_, person)) = person {
            person.is_steady = false;
        }
    }

    /// Whether a person or team with this anchor is to have objects in targets now.
    pub(crate) fn is_wanted(&self, anchor: &str) -> bool {
        self.people.iter().any(|(who, person)| person.is_staff() && id(*who) == anchor)
            || self.teams.keys().any(|team| code(*team) == anchor)
    }

    /// Whether the product may leave the object where it is, because it cannot know that it made it.
    pub(crate) fn is_disowned(&self, object: &ImportedObject) -> bool {
        self.disowned.contains(&object.external_id)
    }

    fn touch(&mut self, external_id: &str) {
        self.disowned.extend(self.fresh.get(external_id).cloned());
    }

    fn fill(&mut self, external_id: &str, attribute: &'static str) {
        self.touch(external_id);
        let key = (Text::new(external_id), attribute);
        if !self.filled.contains(&key) {
            self.theirs.insert(key);
        }
    }

    fn value(&mut self) -> u16 {
        self.values = self.values.wrapping_add(1);
        self.values
    }

    fn hire(&mut self, systems: &Systems, die: &mut Die) {
        let who = self.people.len();
        let person = Person {
            is_known: true,
            active: true,
            sn: u8::try_from(die.below(4)).unwrap_or(0),
            mail: Some(self.value()),
            phone: Some(self.value()),
            department: u8::try_from(die.below(3)).unwrap_or(0),
            manager: (who > 0 && die.one_in(2)).then(|| die.below(who)),
            is_steady: true,
            has_foreign_phone: false,
            is_removed: false,
        };
        self.people.insert(who, person);
        self.tell(who, systems);
    }

    /// Somebody always stays: an HR system that lists nobody any more is not believed, and rightly so.
    fn leave(&mut self, who: usize, systems: &Systems) {
        if self.people.values().filter(|person| person.is_known).count() < 2 {
            return;
        }
        if let Some(person) = self.people.get_mut(&who) {
            (person.is_known, person.is_steady) = (false, false);
            systems.hr.remove(name("person"), &id(who));
        }
    }

    /// Changes a person whom HR knows, or whom it knows afterwards.
    fn change(&mut self, who: usize, systems: &Systems, change: impl FnOnce(&mut Person, u16)) {
        let value = self.value();
        let Some(person) = self.people.get_mut(&who) else { return };
        change(person, value);
        if person.is_known {
            self.tell(who, systems);
        } else {
            person.is_steady = false;
        }
    }

    fn has_foreign_phone(&mut self, who: usize) {
        self.people.entry(who).and_modify(|person| person.has_foreign_phone = true);
    }

    fn gather(&mut self, team: usize, systems: &Systems, die: &mut Die) {
        let people: Vec<usize> = self.people.keys().copied().collect();
        if people.is_empty() {
            return;
        }
        let members = self.teams.entry(team).or_default();
        for _ in 0..=die.below(4) {
            let who = die.pick(&people);
            if !members.remove(&who) {
                members.insert(who);
            }
        }
        let references = members.iter().map(|who| Value::reference(id(*who))).collect();
        let mut row = Object::new();
        row.set(name("code"), code(team).as_str());
        row.put(name("member"), Values::set(references));
        systems.hr.put(name("team"), &code(team), row);
    }

    /// HR's row becomes what is known of the person.
    fn tell(&self, who: usize, systems: &Systems) {
        let Some(person) = self.people.get(&who) else { return };
        let mut row = Object::new();
        row.set(name("id"), id(who).as_str());
        row.set(name("sn"), surname(person.sn).as_str());
        row.put(name("mail"), person.mail.map(|number| Values::from(mail(number).as_str())));
        row.put(name("phone"), person.phone.map(|number| Values::from(phone(number).as_str())));
        row.set(name("department"), department(person.department).as_str());
        row.set(name("active"), person.active);
        row.put(name("manager"), person.manager.map(|who| Values::One(Value::reference(id(who)))));
        systems.hr.put(name("person"), &id(who), row);
    }
}

/// The external id of somebody's account.
pub(crate) fn account(systems: &Systems, who: usize) -> Option<String> {
    let wanted = Value::text(id(who));
    let mut objects = systems.directory.objects().into_iter();
    objects
        .find(|object| {
            object.object_type == name("account") && object.attributes.single(name("uid")) == Some(&wanted)
        })
        .map(|object| object.external_id.to_string())
}

/// Changes somebody's account and says which it is.
fn set_in_directory(systems: &Systems, who: usize, attribute: &str, value: &str) -> Option<String> {
    let account = account(systems, who)?;
    systems.directory.set(name("account"), &account, name(attribute), Some(Values::from(value)));
    Some(account)
}

/// An administrator puts somebody into a group or takes them out; says which group it is.
fn toggle_member(systems: &Systems, team: usize, who: usize) -> Option<Text> {
    let objects = systems.directory.objects();
    let of = |kind: &str, attribute: &str, value: String| {
        let wanted = Value::text(value);
        objects.iter().find(move |object| {
            object.object_type == name(kind) && object.attributes.single(name(attribute)) == Some(&wanted)
        })
    };
    let (group, account) = (of("group", "cn", code(team))?, of("account", "uid", id(who))?);
    let dn = Value::reference(account.attributes.single(name("dn"))?.to_string());
    let mut members = group.attributes.get(name("member")).cloned().map(Values::into_vec).unwrap_or_default();
    if let Some(at) = members.iter().position(|member| *member == dn) {
        members.remove(at);
    } else {
        members.push(dn);
    }
    systems.directory.set(name("group"), &group.external_id, name("member"), Values::set(members));
    Some(group.external_id.clone())
}

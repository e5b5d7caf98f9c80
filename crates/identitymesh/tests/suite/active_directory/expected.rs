//! What the directories should hold, computed from the inputs without any of the product's code.

use std::collections::{BTreeMap, BTreeSet};

use super::company::{Company, Person};
use super::directories::{Content, Entry};

fn entry<'a>(values: impl IntoIterator<Item = (&'a str, Option<String>)>) -> Entry {
    let values = values.into_iter().filter_map(|(name, value)| Some((name.to_owned(), [value?].into())));
    values.collect()
}

fn full_name(person: &Person) -> String {
    format!("{} {}", person.given, person.surname)
}

impl Company {
    pub(super) fn dn_in_domain(&self, at: usize, base: &str) -> String {
        let person = &self.people[at];
        let name = format!("{} {}", full_name(person), Self::id(at)).replace(',', "\\,");
        match person.is_active {
            true => format!("CN={name},OU={},OU=Staff,{base}", person.department),
            false => format!("CN={name},OU=Leavers,{base}"),
        }
    }

    /// What the domain should hold of people and teams.
    pub(super) fn in_domain(&self, base: &str) -> Content {
        let people = self.people.iter().enumerate().map(|(at, person)| {
            let id = Self::id(at);
            let entry = entry([
                ("sAMAccountName", Some(format!("p{id}"))),
                ("userPrincipalName", Some(format!("p{id}@mesh.test"))),
                ("employeeID", Some(id.to_string())),
                ("givenName", Some(person.given.clone())),
                ("sn", Some(person.surname.clone())),
                ("displayName", Some(full_name(person))),
                ("department", Some(person.department.clone())),
                ("title", Some(person.title.clone())),
                ("userAccountControl", Some(if person.is_active { "512" } else { "514" }.to_owned())),
                ("manager", person.manager.map(|manager| self.dn_in_domain(manager, base))),
                ("telephoneNumber", person.domain_number.now().map(str::to_owned)),
                ("physicalDeliveryOfficeName", person.office.clone()),
            ]);
            (self.dn_in_domain(at, base), entry)
        });
        let teams = self.teams.iter().enumerate().map(|(at, members)| {
            let name = format!("team-{at:03}");
            let members: BTreeSet<String> =
                members.iter().map(|member| self.dn_in_domain(*member, base)).collect();
            let dn = format!("CN={name},{},{base}", self.teams_place);
            (dn, with_members(entry([("sAMAccountName", Some(name))]), members))
        });
        people.chain(teams).collect()
    }

    fn dn_in_book(&self, at: usize, base: &str) -> Option<String> {
        self.people[at].is_active.then(|| format!("uid=p{},ou=people,{base}", Self::id(at)))
    }

    /// What the phone book should hold, given the security identifier that the domain gave each account.
    pub(super) fn in_book(&self, base: &str, sids: &BTreeMap<String, String>) -> Content {
        let people = self.active().map(|(at, person)| {
            let account = format!("p{}", Self::id(at));
            let entry = entry([
                ("cn", Some(full_name(person))),
                ("sn", Some(person.surname.clone())),
                ("givenName", Some(person.given.clone())),
                ("title", Some(person.title.clone())),
                ("employeeNumber", Some(Self::id(at).to_string())),
                ("description", Some(sids[&account].clone())),
                ("physicalDeliveryOfficeName", person.office.clone()),
                ("telephoneNumber", person.book_number.now().map(str::to_owned)),
                ("manager", person.manager.and_then(|manager| self.dn_in_book(manager, base))),
                ("uid", Some(account)),
            ]);
            (format!("uid=p{},ou=people,{base}", Self::id(at)), entry)
        });
        let teams = self.teams.iter().enumerate().map(|(at, members)| {
            let name = format!("team-{at:03}");
            let mut members: BTreeSet<String> =
                members.iter().filter_map(|member| self.dn_in_book(*member, base)).collect();
            // A group of this class must have a member.
            if members.is_empty() {
                members.insert("cn=no-members".to_owned());
            }
            (format!("cn={name},ou=teams,{base}"), with_members(entry([("cn", Some(name))]), members))
        });
        people.chain(teams).collect()
    }
}

fn with_members(mut entry: Entry, members: BTreeSet<String>) -> Entry {
    if !members.is_empty() {
        entry.insert("member".to_owned(), members);
    }
    entry
}

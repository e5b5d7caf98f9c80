//! What the systems have to hold in the end, computed from what happened outside and from nothing else.

use std::collections::BTreeMap;

use identitymesh_connector::ImportedObject;
use identitymesh_model::{Name, Value};

use crate::laws::Verdict;
use crate::outside::{Outside, Person, code, department, id, mail, phone, surname};
use crate::said::Said;
use crate::systems::{Systems, name};

/// The parts of an object that are compared, as text; an absent part is not in it.
type Parts = BTreeMap<&'static str, String>;

/// Every account, group and contact is there that has to be and no other, with the right content.
///
/// About whom people decided, those decisions say what there is; they are left out, and so are references to them.
pub(crate) fn check(outside: &Outside, said: &Said, systems: &Systems) -> Verdict {
    let directory = systems.directory.objects();
    let owners = Owners { by_address: owners(&directory), said };
    let wants = |object: &ImportedObject, key: &str| {
        let key = text(object, key);
        staff(outside).any(|(who, _)| Some(id(who)) == key)
    };
    let is_left = |object: &&ImportedObject, key: &str| outside.is_disowned(object) && !wants(object, key);
    let of = |kind: &'static str| directory.iter().filter(move |object| object.object_type == name(kind));
    let accounts = of("account").filter(|object| !is_left(object, "uid"));
    let accounts = accounts.map(|object| account(object, &owners, outside)).collect();
    let expected = staff(outside).map(|(who, person)| expected(outside, said, who, person)).collect();
    same("accounts", said, expected, accounts)?;
    let groups = of("group").map(|object| group(object, &owners, outside)).collect();
    let expected = outside.teams.keys().map(|team| expected_group(outside, said, *team)).collect();
    same("groups", said, expected, groups)?;
    let desk = systems.desk.objects();
    let contact = |object: &ImportedObject| {
        (text(object, "id").unwrap_or_default(), parts([("sn", text(object, "sn"))]))
    };
    let expected_contact =
        |(who, person): (usize, &Person)| (id(who), parts([("sn", Some(surname(person.sn)))]));
    let contacts = desk.iter().filter(|object| !is_left(object, "id")).map(contact).collect();
    same("contacts", said, staff(outside).map(expected_contact).collect(), contacts)?;
    phones(outside, said, &directory, &desk)
}

fn same(
    what: &str,
    said: &Said,
    mut wanted: BTreeMap<String, Parts>,
    mut found: BTreeMap<String, Parts>,
) -> Verdict {
    wanted.retain(|key, _| !said.is_by_hand(key));
    found.retain(|key, _| !said.is_by_hand(key));
    for (key, parts) in &wanted {
        match found.get(key) {
            None => return Err(format!("{what}: {key} is missing; it should be {parts:?}")),
            Some(found) if found != parts => {
                return Err(format!("{what}: {key} is {found:?} and should be {parts:?}"));
            }
            Some(_) => {}
        }
    }
    match found.keys().find(|key| !wanted.contains_key(*key)) {
        Some(key) => Err(format!("{what}: {key} should not be there")),
        None => Ok(()),
    }
}

/// A telephone number is changed in three places and then the same in all of them; where only HR ever changed it, it
/// is HR's.
fn phones(outside: &Outside, said: &Said, directory: &[ImportedObject], desk: &[ImportedObject]) -> Verdict {
    let find = |objects: &[ImportedObject], key: &str, who: usize| {
        let object = objects.iter().find(|object| text(object, key) == Some(id(who)));
        object.and_then(|object| text(object, "phone"))
    };
    for (who, person) in staff(outside).filter(|(who, _)| !said.is_by_hand(&id(*who))) {
        let (there, here) = (find(directory, "uid", who), find(desk, "id", who));
        let from_hr = person.phone.map(phone);
        if there != here || (!person.has_foreign_phone && there != from_hr) {
            return Err(format!(
                "phones: {} has {there:?} in the directory and {here:?} at the desk; HR says {from_hr:?}",
                id(who)
            ));
        }
    }
    Ok(())
}

fn staff(outside: &Outside) -> impl Iterator<Item = (usize, &Person)> {
    outside.people.iter().filter(|(_, person)| person.is_staff()).map(|(who, person)| (*who, person))
}

fn is_staff(outside: &Outside, who: usize) -> bool {
    outside.people.get(&who).is_some_and(Person::is_staff)
}

fn expected(outside: &Outside, said: &Said, who: usize, person: &Person) -> (String, Parts) {
    let is_told = |who: &usize| is_staff(outside, *who) && !said.is_by_hand(&id(*who));
    let manager = person.manager.filter(is_told);
    let parts = parts([
        ("dn", Some(format!("uid={},ou={},ou=people,dc=x", id(who), department(person.department)))),
        ("sn", Some(surname(person.sn))),
        ("mail", person.mail.map(mail)),
        ("state", Some("on".to_owned())),
        ("manager", manager.map(id)),
    ]);
    (id(who), parts)
}

fn expected_group(outside: &Outside, said: &Said, team: usize) -> (String, Parts) {
    let members = outside.teams.get(&team).into_iter().flatten();
    let members = members.filter(|who| is_staff(outside, **who)).map(|who| id(*who));
    let mut members: Vec<String> = members.filter(|member| !said.is_by_hand(member)).collect();
    members.sort();
    let members = (!members.is_empty()).then(|| members.join(" "));
    (code(team), parts([("dn", Some(format!("cn={},ou=groups,dc=x", code(team)))), ("member", members)]))
}

fn account(object: &ImportedObject, owners: &Owners<'_>, outside: &Outside) -> (String, Parts) {
    let uid = text(object, "uid").unwrap_or_default();
    let wanted =
        staff(outside).find(|(who, _)| id(*who) == uid).and_then(|(_, person)| person.mail).map(mail);
    let found = text(object, "mail").filter(|_| wanted.is_some() || !outside.is_theirs(object, "mail"));
    let found = found.map(|found| match &wanted {
        Some(wanted) if outside.is_contested(object, &found) => wanted.clone(),
        _ => found,
    });
    let parts = parts([
        ("dn", text(object, "dn")),
        ("sn", text(object, "sn")),
        ("mail", found),
        ("state", text(object, "state")),
        ("manager", owners.people(object, "manager")),
    ]);
    (uid, parts)
}

fn group(object: &ImportedObject, owners: &Owners<'_>, outside: &Outside) -> (String, Parts) {
    let cn = text(object, "cn").unwrap_or_default();
    let wants_members = outside
        .teams
        .iter()
        .any(|(team, members)| code(*team) == cn && members.iter().any(|who| is_staff(outside, *who)));
    let members = owners.people(object, "member");
    let members = members.filter(|_| wants_members || !outside.is_theirs(object, "member"));
    (cn, parts([("dn", text(object, "dn")), ("member", members)]))
}

/// Whose account stands at an address.
fn owners(directory: &[ImportedObject]) -> BTreeMap<String, String> {
    directory.iter().filter_map(|object| Some((text(object, "dn")?, text(object, "uid")?))).collect()
}

/// Whose accounts stand where.
struct Owners<'a> {
    by_address: BTreeMap<String, String>,
    said: &'a Said,
}

impl Owners<'_> {
    /// The people whom references name, in order; an address at which nobody stands is shown as it is.
    fn people(&self, object: &ImportedObject, attribute: &str) -> Option<String> {
        let values = object.attributes.get(name(attribute))?.as_slice();
        let mut people: Vec<String> =
            values.iter().filter_map(|value| self.named(&value.to_string())).collect();
        people.sort();
        (!people.is_empty()).then(|| people.join(" "))
    }

    fn named(&self, address: &str) -> Option<String> {
        let named = address.strip_prefix("uid=").and_then(|rest| rest.split(',').next());
        let owner = self.by_address.get(address).map(String::as_str);
        let is_by_hand = owner.or(named).is_some_and(|who| self.said.is_by_hand(who));
        (!is_by_hand).then(|| owner.unwrap_or(address).to_owned())
    }
}

fn text(object: &ImportedObject, attribute: &str) -> Option<String> {
    let attribute: Name = name(attribute);
    object.attributes.single(attribute).map(Value::to_string)
}

fn parts<const N: usize>(of: [(&'static str, Option<String>); N]) -> Parts {
    of.into_iter().filter_map(|(key, value)| Some((key, value?))).collect()
}

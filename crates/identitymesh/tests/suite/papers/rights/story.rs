//! What an account with a page's rights has to be able to do, and what not, whichever the directory.

use std::collections::BTreeMap;

use identitymesh_testkit::real::{AgeKey, Attributes, Entries};

use super::mesh::{Mesh, Target};

const PEOPLE: [[&str; 4]; 3] =
    [["ana", "Diaz", "Clerk", "East"], ["ben", "Lee", "Clerk", "East"], ["kai", "Ito", "Clerk", "West"]];
const GIVEN: &str = "Given-by-hand-4711";

/// Settings of directories whose schema allows several values of everything.
pub(super) const SINGLE: &str = "
[connector.settings.types.user]
attributes = { cn = \"string\", uid = \"string\", sn = \"string\", title = \"string\", telephoneNumber = \"string\" }

[connector.settings.types.group]
attributes = { cn = \"string\", description = \"string\" }
";

/// A directory as its administrator and its people use it.
pub(super) trait Directory {
    fn search(&self, filter: &str, attributes: &[&str]) -> Entries;
    fn modify(&self, ldif: &str);
    /// Whether somebody signs in.
    fn binds(&self, account: &str, dn: &str, password: &str) -> bool;
}

/// Titles by name of the entry.
fn titles(directory: &impl Directory, target: &Target<'_>) -> BTreeMap<String, String> {
    let found = directory.search(&format!("({}=*)", target.account), &["title"]);
    let title = |entry: &Attributes| {
        entry.get("title").map_or_else(String::new, |values| String::from_utf8(values[0].clone()).unwrap())
    };
    let suffix = format!(",{}", target.people).to_ascii_lowercase();
    found
        .iter()
        .filter_map(|(dn, entry)| {
            Some((dn.to_ascii_lowercase().strip_suffix(&suffix)?.to_owned(), title(entry)))
        })
        .filter(|(_, title)| !title.is_empty())
        .collect()
}

fn is(directory: &impl Directory, target: &Target<'_>, expected: &[(&str, &str)]) {
    let expected = expected.iter().map(|(dn, title)| ((*dn).to_owned(), (*title).to_owned()));
    assert_eq!(titles(directory, target), expected.collect());
}

/// Descriptions of everything that is no person.
fn texts(directory: &impl Directory) -> Vec<String> {
    let found = directory.search("(description=thing *)", &["description"]);
    found.values().map(|entry| String::from_utf8(entry["description"][0].clone()).unwrap()).collect()
}

/// Creates, changes, moves, follows changes, sets passwords and deletes, all of it as the account of the target.
pub(super) fn everything_works(directory: &impl Directory, target: &Target<'_>) {
    let Some(key) = AgeKey::make() else { return };
    let mesh = Mesh::over(target, &key);
    let told = mesh.place.json(&["connector", "test", "target"]);
    assert_eq!(
        told["warnings"],
        serde_json::json!([]),
        "with these rights there is nothing to warn of: {told}"
    );
    let things = |text: &str| -> Vec<[String; 3]> {
        // The last is nothing that the directory is to have: a file that becomes empty would prove nothing.
        let kinds = target.things.iter().map(|(kind, ..)| *kind).chain(["none"]);
        kinds.map(|kind| [format!("a-{kind}"), kind.to_owned(), text.to_owned()]).collect()
    };
    let write = |people: &[[&str; 4]], things: &[[String; 3]]| {
        let things: Vec<[&str; 3]> = things.iter().map(|row| row.each_ref().map(String::as_str)).collect();
        mesh.write(people, &things);
    };
    let dn = |account: &str, unit: &str| format!("cn={account},ou={unit},{}", target.people);

    write(&PEOPLE, &things("thing one"));
    mesh.cycle();
    is(
        directory,
        target,
        &[("cn=ana,ou=east", "Clerk"), ("cn=ben,ou=east", "Clerk"), ("cn=kai,ou=west", "Clerk")],
    );
    assert_eq!(texts(directory), vec!["thing one"; target.things.len()]);
    let delivered = mesh.delivered(&key);
    assert_eq!(delivered.len(), PEOPLE.len());
    for (account, password) in &delivered {
        let unit = if account == "kai" { "West" } else { "East" };
        assert!(directory.binds(account, &dn(account, unit), password), "{account} signs in");
    }

    let mut people = PEOPLE;
    people[0][2] = "Chief";
    people[1][3] = "West";
    write(&people, &things("thing two"));
    mesh.cycle();
    is(
        directory,
        target,
        &[("cn=ana,ou=east", "Chief"), ("cn=ben,ou=west", "Clerk"), ("cn=kai,ou=west", "Clerk")],
    );
    assert_eq!(texts(directory), vec!["thing two"; target.things.len()]);

    // What administrators do is read by what changed.
    mesh.delta();
    directory.modify(&format!(
        "dn: {}\nchangetype: modify\nreplace: telephoneNumber\ntelephoneNumber: +49 30 1\n",
        dn("ana", "East")
    ));
    directory.modify(&format!("dn: {}\nchangetype: delete\n", dn("kai", "West")));
    let counters = mesh.delta();
    assert_eq!(counters["deleted"], 1, "{counters}");
    assert_eq!(counters["changed"], 1, "{counters}");
    mesh.cycle();
    assert_eq!(mesh.phone("ana"), "+49 30 1");

    mesh.reset("ana", GIVEN);
    assert!(directory.binds("ana", &dn("ana", "East"), GIVEN));

    let none = things("thing two").split_off(target.things.len());
    write(&[people[0]], &none);
    mesh.cycle();
    is(directory, target, &[("cn=ana,ou=east", "Chief")]);
    assert_eq!(texts(directory), [""; 0]);
}

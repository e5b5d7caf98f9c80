//! The directory refuses a few of many: they are put aside with its own words, and all others are there.

use identitymesh_testkit::real::Message;

use super::directory::Family;
use super::mesh::{Mesh, REFUSED, Way, people};

/// One in a hundred of them is refused.
const PEOPLE: usize = 200;
const BAD: [&str; 2] = ["p007", "p123"];

fn one_in_a_hundred(family: Family, words: &str) {
    let Some(mesh) = Mesh::start(family, Way::In, 0, "") else { return };
    let mut everybody = people(PEOPLE);
    let mut written = everybody.clone();
    for bad in BAD {
        REFUSED.clone_into(&mut written.get_mut(bad).unwrap()[1]);
    }
    mesh.write(&written);
    let output = mesh.place.run(&["run", "cycle", "--strict"]);
    assert_eq!(output.status.code(), Some(3), "{}", String::from_utf8_lossy(&output.stderr));
    let exports = mesh.busy("export");
    let [export] = &exports[..] else { panic!("{exports:?}") };
    assert_eq!(export["state"], "succeeded_with_findings", "{export}");
    assert_eq!(export["counters"]["refused"], BAD.len(), "{export}");
    let there = mesh.directory().people();
    assert_eq!(there.len(), PEOPLE - BAD.len());
    assert!(BAD.iter().all(|bad| !there.contains_key(*bad)));
    let dead = mesh.place.json(&["exports", "list", "--dead"]);
    let dead = dead["items"].as_array().unwrap();
    assert_eq!(dead.len(), BAD.len());
    for item in dead {
        assert!(item.to_string().contains(words), "{item}");
        assert!(BAD.iter().any(|bad| item.to_string().contains(bad)), "{item}");
    }
    // The findings name the attribute and repeat what the directory said, not a password or the whole entry.
    let shown = mesh.place.json(&["runs", "show", &export["id"].to_string()]);
    let findings = shown["findings"].as_array().unwrap();
    assert_eq!(findings.len(), BAD.len(), "{shown}");
    for finding in findings {
        assert!(finding.to_string().contains(words), "{finding}");
    }

    // What is put aside is not sent again by itself, and is not new to the next cycle.
    mesh.relay.take_requests();
    mesh.place.good(&["run", "cycle", "--strict"]);
    let is_write = |request: &&Message| request.operation.is_write();
    assert_eq!(mesh.relay.take_requests().iter().filter(is_write).count(), 0);

    // One of the two is mended at the source, and nobody else is touched.
    written.insert(BAD[0].to_owned(), everybody[BAD[0]].clone());
    everybody.remove(BAD[1]);
    mesh.write(&written);
    mesh.place.good(&["run", "cycle", "--strict"]);
    let added: Vec<Message> =
        mesh.relay.take_requests().into_iter().filter(|one| one.operation.is_write()).collect();
    assert_eq!(added.len(), 1, "{added:?}");
    assert_eq!(mesh.directory().people(), everybody);
    mesh.nobody_was_taken_as_gone();
}

#[test]
fn a_controller_that_refuses_one_in_a_hundred_has_the_others() {
    one_in_a_hundred(
        Family::Samba,
        "invalidAttributeSyntax (21): 0000200B: objectclass_attrs: attribute 'mail'",
    );
}

#[test]
fn a_server_that_refuses_one_in_a_hundred_has_the_others() {
    one_in_a_hundred(Family::Slapd, "invalidAttributeSyntax (21): mail: value #0 invalid per syntax");
}

#[test]
fn a_389_server_that_refuses_one_in_a_hundred_has_the_others() {
    one_in_a_hundred(Family::Ds389, "invalidAttributeSyntax (21): mail: value #0 invalid per syntax");
}

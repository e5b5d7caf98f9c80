//! The server is killed in the middle of the work and comes back.

use std::sync::Arc;

use identitymesh_testkit::real::{Action, Message};

use super::directory::Family;
use super::mesh::{Mesh, Way, blind_repeats, ends_page, nth, people};

const PEOPLE: usize = 60;
/// The controls that end an answer of DirSync and of a synchronization (RFC 4533).
const CHANGES: [&str; 2] = ["1.2.840.113556.1.4.841", "1.3.6.1.4.1.4203.1.9.1.3"];

/// The end of an answer that holds changes; 389 Directory Server's are ordinary entries of its changelog.
fn ends_changes(message: &Message) -> bool {
    let is_of_changes = message.name.eq_ignore_ascii_case("cn=changelog")
        || CHANGES.iter().any(|control| message.has(control));
    !message.is_request && message.is_last && is_of_changes
}

/// Kills the server when the `count`th of these messages passes, which is the last that anybody hears of it.
fn kill_at(mesh: &Mesh, count: usize, wanted: impl Fn(&Message) -> bool + Send + 'static) {
    let directory = Arc::clone(&mesh.directory);
    mesh.relay.decide(nth(count, wanted, move || {
        directory.lock().unwrap().kill();
        Action::Cut
    }));
}

fn import(family: Family) {
    let Some(mesh) = Mesh::start(family, Way::Out, PEOPLE, "page_size = 10") else { return };
    mesh.place.good(&["run", "cycle", "--strict"]);
    let mut expected: Vec<(String, String)> =
        people(PEOPLE).into_iter().map(|(account, [_, title, _])| (account, title)).collect();
    assert_eq!(mesh.copied().into_iter().collect::<Vec<_>>(), expected);

    mesh.directory().set_title(59, "Late");
    "Late".clone_into(&mut expected[59].1);
    kill_at(&mesh, 3, ends_page);
    let said = mesh.place.bad(&["run", "full-import", "--connector", "directory"]);
    assert!(said.contains("LDP-012"), "{said}");
    assert_eq!(mesh.last("full-import")["state"], "failed");
    // Nobody answers: the cycle says so and touches nothing.
    mesh.relay.calm();
    let output = mesh.cycle();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.code() == Some(1) && said.contains("the connection was lost"), "{said}");
    assert_eq!(mesh.copied().len(), PEOPLE);

    mesh.directory().restart();
    mesh.place.good(&["run", "cycle", "--strict"]);
    assert_eq!(mesh.copied().into_iter().collect::<Vec<_>>(), expected);
    // The same while only changes are read: they have come, and their end has not.
    for (at, (_, title)) in expected.iter_mut().enumerate().take(20).skip(10) {
        "Newer".clone_into(title);
        mesh.directory().set_title(at, title);
    }
    kill_at(&mesh, 1, ends_changes);
    mesh.place.bad(&["run", "delta-import", "--connector", "directory"]);
    assert_eq!(mesh.last("delta-import")["state"], "failed");
    mesh.relay.calm();
    mesh.directory().restart();
    mesh.place.good(&["run", "cycle", "--strict"]);
    assert_eq!(mesh.last("delta-import")["message"], serde_json::Value::Null);
    assert_eq!(mesh.copied().into_iter().collect::<Vec<_>>(), expected);

    // A full read is as good as ever, and nothing of it is news.
    mesh.place.good(&["run", "full-import", "--connector", "directory", "--strict"]);
    assert_eq!(mesh.last("full-import")["counters"]["unchanged"], PEOPLE, "{}", mesh.last("full-import"));
    mesh.nobody_was_taken_as_gone();
}

fn export(family: Family) {
    let Some(mesh) = Mesh::start(family, Way::In, 0, "") else { return };
    let mut people = people(PEOPLE);
    let is_answered_write = |message: &Message| !message.is_request && message.operation.is_write();
    // Everybody is new, then everybody has another title and half of them another unit.
    for chapter in ["new", "changed"] {
        mesh.write(&people);
        kill_at(&mesh, 20, is_answered_write);
        let output = mesh.cycle();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(1), "{chapter}: {said}");
        assert!(said.contains("directory"), "{chapter}: {said}");
        let run = mesh.last("export");
        let message = run["message"].as_str().unwrap_or_default();
        assert!(message.contains("to be sent again later"), "{chapter}: {run}");
        // What was never sent was no attempt: it can be killed as often as it likes.
        let items = mesh.place.json(&["exports", "list", "--limit", "200"]);
        let attempts = items["items"].as_array().unwrap().iter().filter(|item| item["attempts"] == 0).count();
        assert_eq!(Some(attempts as u64), run["counters"]["not_sent"].as_u64(), "{chapter}: {items}");

        mesh.directory().restart();
        mesh.relay.calm();
        mesh.place.good(&["exports", "retry"]);
        mesh.place.good(&["run", "cycle"]);
        assert_eq!(blind_repeats(&mesh.relay.take_requests()), [""; 0], "{chapter}");
        mesh.settle();
        assert_eq!(mesh.directory().people(), people, "{chapter}");
        for (at, person) in people.values_mut().enumerate() {
            person[1] = format!("Changed {at}");
            person[2] = format!("Unit {}", at % 4 / 2);
        }
    }
    mesh.nobody_was_taken_as_gone();
}

#[test]
fn a_controller_killed_during_an_import_loses_and_doubles_nothing() {
    import(Family::Samba);
}

#[test]
fn a_server_killed_during_an_import_loses_and_doubles_nothing() {
    import(Family::Slapd);
}

#[test]
fn a_controller_killed_during_an_export_loses_and_doubles_nothing() {
    export(Family::Samba);
}

#[test]
fn a_server_killed_during_an_export_loses_and_doubles_nothing() {
    export(Family::Slapd);
}

#[test]
fn a_389_server_killed_during_an_import_loses_and_doubles_nothing() {
    import(Family::Ds389);
}

#[test]
fn a_389_server_killed_during_an_export_loses_and_doubles_nothing() {
    export(Family::Ds389);
}

//! The connection ends, or says nothing, between a change and its answer.
//!
//! Two cases look the same from outside: the directory has done it, or has never heard of it. Which of them it is, only
//! looking says; so what is sent a second time is sent after a look, and what was done is never sent again.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use identitymesh_testkit::real::{Action, Message, Operation};

use super::directory::Family;
use super::mesh::{Mesh, Way, blind_repeats, nth, people};

const PEOPLE: usize = 20;

/// What goes wrong with the seventh change of its kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Harm {
    /// Done, and the connection ends before the answer.
    Answer,
    /// The connection ends before the directory hears of it.
    Request,
    /// Done, and the answer never comes on a connection that stays.
    Silence,
}

/// A cycle in which one change of this kind is harmed; then what was sent, and that all is well in the end.
fn harmed(mesh: &Mesh, kind: Operation, harm: Harm) {
    let is_hit = move |message: &Message| {
        let is_its = if harm == Harm::Request { message.is_request } else { message.is_success() };
        message.operation == kind && is_its && !message.name.to_ascii_lowercase().starts_with("ou=")
    };
    let action = if harm == Harm::Silence { Action::Lose } else { Action::Cut };
    mesh.relay.take_requests();
    let hit = Arc::new(Mutex::new(None));
    let noted = Arc::clone(&hit);
    let mut decide = nth(7, is_hit, move || action.clone());
    mesh.relay.decide(move |message| {
        let action = decide(message);
        if action != Action::Pass {
            *noted.lock().unwrap() = Some(message.clone());
        }
        action
    });
    mesh.place.good(&["run", "cycle"]);
    mesh.relay.calm();
    mesh.place.good(&["exports", "retry"]);
    mesh.place.good(&["run", "cycle"]);
    let requests = mesh.relay.take_requests();
    let hit = hit.lock().unwrap().take().unwrap_or_else(|| panic!("{kind:?} was never seen"));
    let is_it = |one: &Message| one.connection == hit.connection && one.id == hit.id;
    let at = requests.iter().position(is_it).unwrap();
    let again = requests[at + 1..].iter().filter(|one| one.operation == kind && one.name == hit.name).count();
    // What was done is not sent again; what the directory never heard of is.
    assert_eq!(again > 0, harm == Harm::Request, "{kind:?} {harm:?} of {}", hit.name);
    assert_eq!(blind_repeats(&requests), [""; 0], "{kind:?} {harm:?}");
    mesh.settle();
}

fn every_kind_of_change(family: Family) {
    let Some(mesh) = Mesh::start(family, Way::In, 0, "") else { return };
    let mut everybody = people(PEOPLE);
    mesh.write(&everybody);
    harmed(&mesh, Operation::Add, Harm::Answer);
    assert_eq!(mesh.directory().people(), everybody);

    // Waiting for a deadline says nothing about a family, and takes its time.
    let harms: &[Harm] = match family {
        Family::Slapd => &[Harm::Answer, Harm::Request, Harm::Silence],
        _ => &[Harm::Answer, Harm::Request],
    };
    for (at, harm) in harms.iter().copied().enumerate() {
        everybody.values_mut().for_each(|person| person[1] = format!("Title {at}"));
        mesh.write(&everybody);
        // Only where an answer never comes has the deadline to be short: a busy machine would miss it elsewhere too.
        let patience = if harm == Harm::Silence { "request_timeout_s = 3" } else { "" };
        mesh.configure(Way::In, patience);
        mesh.place.good(&["apply", "rules"]);
        harmed(&mesh, Operation::Modify, harm);
        assert_eq!(mesh.directory().people(), everybody, "{harm:?}");
    }
    mesh.configure(Way::In, "");
    mesh.place.good(&["apply", "rules"]);
    for (at, harm) in [Harm::Answer, Harm::Request].into_iter().enumerate() {
        everybody.values_mut().for_each(|person| person[2] = format!("Moved {at}"));
        mesh.write(&everybody);
        harmed(&mesh, Operation::Rename, harm);
        assert_eq!(mesh.directory().people(), everybody, "{harm:?}");
    }
    let leavers: Vec<String> = everybody.keys().take(9).cloned().collect();
    let mut left = everybody.clone();
    left.retain(|account, _| !leavers.contains(account));
    mesh.write(&left);
    harmed(&mesh, Operation::Delete, Harm::Answer);
    assert_eq!(mesh.directory().people(), left);
    mesh.write(&everybody);
    harmed(&mesh, Operation::Add, Harm::Request);
    assert_eq!(mesh.directory().people(), everybody);
}

#[test]
fn a_change_at_a_controller_whose_answer_is_lost_is_looked_for_and_never_repeated_blindly() {
    every_kind_of_change(Family::Samba);
}

#[test]
fn a_change_whose_answer_is_lost_is_looked_for_and_never_repeated_blindly() {
    every_kind_of_change(Family::Slapd);
}

#[test]
fn a_change_at_a_389_server_whose_answer_is_lost_is_looked_for_and_never_repeated_blindly() {
    every_kind_of_change(Family::Ds389);
}

#[test]
fn an_answer_that_comes_late_is_not_taken_for_another() {
    let Some(mesh) = Mesh::start(Family::Slapd, Way::In, 0, "request_timeout_s = 1") else { return };
    let everybody = people(PEOPLE);
    mesh.write(&everybody);
    // The third answer comes after the deadline, and everything behind it on that connection too.
    let is_answer = |message: &Message| !message.is_request && message.operation == Operation::Add;
    mesh.relay.decide(nth(3, is_answer, || {
        std::thread::sleep(Duration::from_millis(1_500));
        Action::Pass
    }));
    mesh.place.good(&["run", "cycle"]);
    mesh.relay.calm();
    mesh.place.good(&["exports", "retry"]);
    mesh.place.good(&["run", "cycle"]);
    let requests = mesh.relay.take_requests();
    assert_eq!(blind_repeats(&requests), [""; 0]);
    mesh.settle();
    assert_eq!(mesh.directory().people(), everybody);
}

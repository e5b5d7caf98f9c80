//! Pages that repeat what was there before, or leave something out.
//!
//! Somebody has really left meanwhile, so that there is something to be taken as gone: not before a read is whole.

use identitymesh_testkit::real::{Action, Message, Operation};

use super::directory::Family;
use super::mesh::{Mesh, Way, asks_page, ends_page, people};

const PEOPLE: usize = 45;

/// Hands out the second page once more when the third is asked for; the fourth question gets the third.
fn repeat_a_page(mesh: &Mesh) {
    let (mut asked, mut page) = (0, Vec::new());
    mesh.relay.decide(move |message| {
        asked += usize::from(asks_page(message));
        if asks_page(message) && asked == 3 {
            return Action::Answer(page.clone());
        }
        if asked == 2 && !message.is_request && message.operation == Operation::Search {
            page.push(message.body.clone());
        }
        Action::Pass
    });
}

/// A page comes without its entries.
fn lose_a_page(mesh: &Mesh) {
    let mut pages = 0;
    mesh.relay.decide(move |message| {
        pages += usize::from(ends_page(message));
        let is_entry = !message.is_request && message.operation == Operation::Search && !message.is_last;
        if pages == 2 && is_entry && is_person(message) { Action::Lose } else { Action::Pass }
    });
}

fn is_person(message: &Message) -> bool {
    message.name.to_ascii_lowercase().contains("=p0")
}

/// One entry of the second page is lost.
fn lose_an_entry(mesh: &Mesh) {
    let (mut pages, mut is_done) = (0, false);
    mesh.relay.decide(move |message| {
        pages += usize::from(ends_page(message));
        let is_entry = !message.is_request && message.operation == Operation::Search && !message.is_last;
        if pages == 1 && is_entry && is_person(message) && !is_done {
            is_done = true;
            return Action::Lose;
        }
        Action::Pass
    });
}

fn spoiled(mesh: &Mesh, spoil: impl FnOnce(&Mesh), why: &str) {
    spoil(mesh);
    mesh.place.good(&["run", "full-import", "--connector", "directory"]);
    let run = mesh.last("full-import");
    let message = run["message"].as_str().unwrap_or_default();
    assert!(message.contains(why), "{run}");
    assert!(run["counters"]["deletes_unseen"].as_u64() >= Some(1), "{run}");
    mesh.relay.calm();
    mesh.place.good(&["run", "sync", "--connector", "directory"]);
    mesh.place.good(&["run", "export", "--connector", "other"]);
    assert_eq!(mesh.copied().len(), PEOPLE, "nobody is gone");
    mesh.nobody_was_taken_as_gone();
}

fn pages(family: Family) {
    let Some(mesh) = Mesh::start(family, Way::Out, PEOPLE, "page_size = 10") else { return };
    mesh.place.good(&["run", "cycle", "--strict"]);
    mesh.directory().delete(33);
    spoiled(&mesh, repeat_a_page, "came twice");
    spoiled(&mesh, lose_an_entry, "still there");
    spoiled(&mesh, lose_a_page, "still there");
    // A whole read says who is gone.
    mesh.place.good(&["run", "full-import", "--connector", "directory"]);
    assert_eq!(mesh.last("full-import")["counters"]["deleted"], 1, "{}", mesh.last("full-import"));
    mesh.place.good(&["run", "cycle"]);
    let mut expected = people(PEOPLE);
    expected.remove("p033");
    assert_eq!(mesh.copied().into_keys().collect::<Vec<_>>(), expected.into_keys().collect::<Vec<_>>());
}

#[test]
fn a_controller_that_repeats_or_loses_entries_makes_nobody_gone() {
    pages(Family::Samba);
}

#[test]
fn a_server_that_repeats_or_loses_entries_makes_nobody_gone() {
    pages(Family::Slapd);
}

#[test]
fn a_389_server_that_repeats_or_loses_entries_makes_nobody_gone() {
    pages(Family::Ds389);
}

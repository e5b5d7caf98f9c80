//! Previews of runs: what a run would read, plan, send and hold, with nothing written anywhere.

use std::fs;

use serde_json::Value as Json;

use crate::process::Place;

const PEOPLE: usize = 40;
const HEADER: &str = "employee_id,given_name,surname,department,title,mail,manager_id,status\n";

/// The file with the first few marked as leavers, and the last few not in it at all.
fn file(left: usize, missing: usize) -> String {
    let row = |number: usize| {
        let status = if number < left { "left" } else { "active" };
        format!("{number:03},Given{number},Sur{number},Care,Clerk,p{number}@corp.example,,{status}\n")
    };
    (0..PEOPLE - missing).map(row).fold(HEADER.to_owned(), |file, row| file + &row)
}

fn hr(place: &Place, left: usize, missing: usize) {
    fs::write(place.path().join("mesh/connectors/hr.csv"), file(left, missing)).unwrap();
}

fn mesh() -> Place {
    let place = Place::new();
    place.good(&["init", "mesh"]);
    hr(&place, 0, 0);
    place.good(&["apply", "mesh"]);
    place.good(&["run", "cycle", "--strict"]);
    place
}

/// Everything that a preview must leave as it is: the store, its log, the source and the target.
fn bytes(place: &Place) -> [Vec<u8>; 4] {
    ["data/mesh.db", "data/mesh.db-wal", "mesh/connectors/hr.csv", "mesh/directory.ldif"]
        .map(|file| fs::read(place.path().join(file)).unwrap_or_default())
}

/// The preview of a run, which writes nothing.
fn preview(place: &Place, arguments: &[&str]) -> Json {
    let before = bytes(place);
    let seen = place.json(&[&["preview", "--run"], arguments].concat());
    assert!(bytes(place) == before, "preview --run {arguments:?} writes nothing");
    seen
}

fn counters(runs: &Json, step: &str) -> Json {
    let runs = runs["runs"].as_array().unwrap();
    runs.iter().find(|run| run["step"] == step).unwrap()["counters"].clone()
}

#[test]
fn an_import_is_previewed_to_what_would_be_sent_and_held() {
    let place = mesh();
    hr(&place, 15, 0);
    let seen = preview(&place, &["full-import", "--connector", "hr"]);
    assert_eq!((&seen["flows"][0]["sent"], &seen["flows"][0]["held"]), (&0.into(), &15.into()), "{seen}");
    assert_eq!(preview(&place, &["cycle"])["counts"], seen["counts"]);
    let text = place.good(&["preview", "--run", "delta-import", "--connector", "hr"]);
    assert!(text.contains("import of hr: ") && text.contains("15 held"), "{text}");

    let imported = place.json(&["run", "full-import", "--connector", "hr"]);
    assert_eq!(seen["imports"][0]["counters"], counters(&imported, "full-import"));
    let sync = preview(&place, &["sync", "--connector", "hr"]);
    assert_eq!((&sync["counts"], &sync["imports"]), (&seen["counts"], &serde_json::json!([])));
    assert_eq!(preview(&place, &["full-sync"])["counts"], seen["counts"]);
    let synced = place.json(&["run", "sync", "--connector", "hr"]);
    assert_eq!(seen["counts"], counters(&synced, "sync"));

    let export = preview(&place, &["export", "--connector", "directory"]);
    assert_eq!((&export["flows"], &export["counts"]), (&seen["flows"], &serde_json::json!({})));
    let queue = export["queue"].as_array().unwrap();
    assert!(queue.len() == 15 && queue.iter().all(|item| item["state"] == "held"), "{export}");
    let text = place.good(&["preview", "--run", "export", "--connector", "directory"]);
    assert!(text.contains("disable 003 in directory: ") && text.contains("; held; "), "{text}");
    place.good(&["run", "export", "--connector", "directory"]);
    assert_eq!(place.json(&["exports", "list", "--held"])["items"].as_array().unwrap().len(), 15);
}

#[test]
fn whom_an_import_would_miss_is_told_before_it() {
    let place = mesh();
    hr(&place, 0, 30);
    let seen = preview(&place, &["full-import", "--connector", "hr"]);
    assert_eq!(
        (&seen["imports"][0]["state"], &seen["holds"][0]["waiting"]),
        (&"held".into(), &30.into()),
        "{seen}"
    );
    assert_eq!(place.json(&["holds", "list"])["items"], serde_json::json!([]));
    let imported = place.json(&["run", "full-import", "--connector", "hr"]);
    assert_eq!(seen["imports"][0]["counters"], counters(&imported, "full-import"));
    assert_eq!(place.json(&["holds", "list"])["items"][0]["waiting"], 30);
}

#[test]
fn a_run_that_cannot_be_previewed_or_kept_says_so() {
    let place = mesh();
    assert!(place.bad(&["preview", "--run", "follow", "--connector", "hr"]).contains("delta-import"));
    assert!(place.bad(&["preview", "--run", "export"]).contains("--connector"));
    assert!(place.bad(&["preview", "--run", "cycle", "--save"]).contains("full-sync"));
    assert_eq!(place.run(&["preview", "--run", "cycle", "--object", "001"]).status.code(), Some(2));
}

//! The past on the command line: objects as they were, what changed them, and how long a value held.

use serde_json::Value as Json;

use crate::process::{Place, moment};

const HEADER: &str = "employee_id,given_name,surname,department,title,mail,manager_id,status\n";
const BOB: &str = "2,Bob,Ray,Care,Clerk,bob@corp.example,,active";

fn deliver(place: &Place, rows: &[&str]) {
    let file = rows.iter().fold(HEADER.to_owned(), |file, row| file + row + "\n");
    std::fs::write(place.path().join("mesh/connectors/hr.csv"), file).unwrap();
    place.good(&["run", "cycle"]);
}

fn lines(text: &str) -> Vec<Json> {
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn a_person_and_the_whole_mesh_are_shown_as_they_were() {
    let place = Place::new();
    place.good(&["init", "mesh"]);
    place.good(&["apply", "mesh"]);
    let start = moment();
    deliver(&place, &["1,Ada,Byron,Care,Clerk,ada@corp.example,,active", BOB]);
    let first = moment();
    deliver(&place, &["1,Ada,Lovelace,Care,Clerk,ada@corp.example,,active", BOB]);

    let now = place.json(&["mesh", "show", "1"]);
    assert_eq!(now["attributes"]["sn"], "Lovelace", "{now}");
    let was = place.json(&["mesh", "show", "1", "--at", &first]);
    assert_eq!((&was["attributes"]["sn"], &was["version"]), (&"Byron".into(), &1.into()), "{was}");
    assert_eq!(was["links"].as_array().unwrap().len(), now["links"].as_array().unwrap().len());
    assert!(place.bad(&["mesh", "show", "1", "--at", &start]).contains("was not in the mesh"));
    assert!(place.good(&["mesh", "show", "1", "--at", &first]).contains("Byron"));

    let whole = lines(&place.good(&["mesh", "list", "--at", &first]));
    let surnames: Vec<&str> = whole.iter().map(|line| line["attributes"]["sn"].as_str().unwrap()).collect();
    assert_eq!(surnames, ["Byron", "Ray"]);
    assert_eq!(place.good(&["mesh", "list", "--at", &start]), "");

    let row = place.json(&["space", "show", "hr", "1", "--at", &first]);
    assert_eq!(row[0]["attributes"]["surname"], "Byron", "{row}");
    let changes = place.json(&["space", "history", "hr", "1"]);
    assert_eq!(
        (&changes[0]["kind"], &changes[0]["before"]["a"]["surname"]),
        (&"import".into(), &"Byron".into())
    );

    let values = place.json(&["mesh", "history", "1", "--attribute", "sn"]);
    assert_eq!((&values[0]["value"], &values[0]["until"]), (&"Lovelace".into(), &Json::Null));
    assert_eq!((&values[1]["value"], &values[1]["until"]), (&"Byron".into(), &values[0]["from"]));
    assert_eq!(values[0]["stage"], "sync");
    let history = place.json(&["mesh", "history", "1"]);
    let kinds: Vec<&str> =
        history.as_array().unwrap().iter().map(|row| row["kind"].as_str().unwrap()).collect();
    assert!(["link", "create", "update", "export"].iter().all(|kind| kinds.contains(kind)), "{kinds:?}");
    let text = place.good(&["mesh", "history", "1"]);
    assert!(text.contains("Byron") && text.contains("link"), "{text}");
}

#[test]
fn reasons_are_told_for_values_links_exports_and_deletions() {
    let place = Place::new();
    place.good(&["init", "mesh"]);
    place.good(&["apply", "mesh"]);
    deliver(&place, &["1,Ada,Byron,Care,Clerk,ada@corp.example,,active", BOB]);
    deliver(&place, &["1,Ada,Lovelace,Care,Clerk,ada@corp.example,,active", BOB]);
    let history = place.json(&["mesh", "history", "1"]);
    let create = history.as_array().unwrap().iter().find(|row| row["kind"] == "create").unwrap();
    let run = create["run"].to_string();
    let then = place.json(&["why", "value", "1", "sn", "--run", &run]);
    assert_eq!(then["agreement"]["result"], "same", "{then}");
    assert_eq!(then["contributions"][0]["value"], "Byron", "{then}");
    assert!(place.good(&["why", "value", "1", "sn", "--run", &run]).contains("byte for byte"));
    let now = place.json(&["why", "value", "1", "sn"]);
    assert_eq!(now["contributions"][0]["value"], "Lovelace");
    let update = history.as_array().unwrap().iter().find(|row| row["kind"] == "update").unwrap();
    assert_eq!(now["contributions"][0]["since_run"], update["run"], "since the run that gave this value");
    let given = place.json(&["why", "value", "1", "givenName"]);
    assert_eq!(given["contributions"][0]["since_run"], create["run"], "{given}");

    let link = place.json(&["why", "link", "hr", "1"]);
    assert_eq!(link[0]["linked"], true, "{link}");
    let export = place.json(&["why", "export", "1", "--connector", "directory"]);
    assert_eq!(export["targets"][0]["why"], "the target holds what it should", "{export}");
    let deletion = place.good(&["why", "deletion", "1"]);
    assert!(deletion.contains("held by hr/1"), "{deletion}");

    deliver(&place, &[BOB]);
    let deletion = place.good(&["why", "deletion", "1"]);
    assert!(deletion.contains("leaving since") && deletion.contains("out of the scope"), "{deletion}");
    let export = place.json(&["why", "export", "1", "--connector", "directory"]);
    assert!(export["targets"][0]["why"].as_str().unwrap().contains("leaving"), "{export}");
}

#[test]
fn whom_a_reference_waits_for_is_told() {
    let place = Place::new();
    place.good(&["init", "mesh"]);
    place.good(&["apply", "mesh"]);
    const ADA: &str = "1,Ada,Lovelace,Care,Clerk,ada@corp.example,2,active";
    deliver(&place, &[ADA, &BOB.replace("active", "left")]);
    let export = &place.json(&["why", "export", "1", "--connector", "directory"])["targets"][0];
    assert_eq!(export["waits_for"], serde_json::json!(["user 2"]), "{export}");
    assert!(place.good(&["why", "export", "1"]).contains("waits for user 2"));
    deliver(&place, &[ADA, BOB]);
    let export = &place.json(&["why", "export", "1", "--connector", "directory"])["targets"][0];
    assert_eq!(
        (&export["waits_for_count"], &export["why"]),
        (&0.into(), &"the target holds what it should".into())
    );
}

#[test]
fn a_run_is_undone_after_a_preview() {
    let place = Place::new();
    place.good(&["init", "mesh"]);
    place.good(&["apply", "mesh"]);
    deliver(&place, &["1,Ada,Byron,Care,Clerk,ada@corp.example,,active", BOB]);
    let directory = || std::fs::read_to_string(place.path().join("mesh/directory.ldif")).unwrap();
    let before = directory();
    deliver(&place, &["1,Ada,Lovelace,Care,Clerk,ada@corp.example,,active", BOB]);
    assert_ne!(directory(), before);
    let history = place.json(&["mesh", "history", "1"]);
    let sent = |row: &&Json| row["kind"] == "export" && row["where"] == "directory";
    let run = history.as_array().unwrap().iter().find(sent).unwrap()["run"].to_string();
    let store = std::fs::read(place.data().join("mesh.db")).unwrap();
    let plan = place.json(&["undo", "run", &run]);
    assert_eq!(std::fs::read(place.data().join("mesh.db")).unwrap(), store, "a preview writes nothing");
    assert_eq!(plan["entries"].as_array().unwrap().len(), 1, "{plan}");
    assert_eq!((&plan["flows"][0]["sent"], &plan["holds"]), (&1.into(), &Json::Array(Vec::new())), "{plan}");
    let told = place.good(&["undo", "run", &run, "--preview"]);
    assert!(told.contains("Lovelace → Byron"), "{told}");
    assert!(told.contains("next export to directory: update 1 user sent"), "{told}");
    assert_eq!(place.run(&["undo", "run", &run, "--apply"]).status.code(), Some(2), "it needs a reason");
    let wrong = ["undo", "run", &run, "--apply", "--reason", "x", "--hash", "00"];
    assert!(place.bad(&wrong).contains("nothing was done"));
    let hash = plan["hash"].as_str().unwrap();
    place.good(&["undo", "run", &run, "--apply", "--reason", "a mistake", "--hash", hash]);
    place.good(&["run", "export", "--connector", "directory"]);
    let sent = place.json(&["space", "list", "--unconfirmed"]);
    assert_eq!(sent["items"].as_array().unwrap().len(), 1, "what was sent was not read back yet: {sent}");
    let entries = |text: &str| {
        let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
        lines.sort_unstable();
        lines
    };
    assert_eq!(entries(&directory()), entries(&before));
    place.good(&["run", "cycle"]);
    assert_eq!(entries(&directory()), entries(&before), "it stays undone");
    assert!(place.good(&["why", "export", "1", "--connector", "directory"]).contains("somebody rejected it"));
}

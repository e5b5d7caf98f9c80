//! Why somebody is not deleted yet, and why somebody was.

use serde_json::Value as Json;

use crate::process::Place;

const HEADER: &str = "employee_id,given_name,surname,department,title,mail,manager_id,status\n";
const ADA: &str = "1,Ada,Byron,Care,Clerk,ada@corp.example,,active\n";
const BOB: &str = "2,Bob,Ray,Care,Clerk,bob@corp.example,,active\n";

fn deliver(place: &Place, rows: &[&str]) {
    std::fs::write(place.path().join("mesh/connectors/hr.csv"), HEADER.to_owned() + &rows.concat()).unwrap();
    place.good(&["run", "cycle"]);
}

/// The newest run that wrote somebody's entry in the directory.
fn last_export(place: &Place, object: &str) -> String {
    let history = place.json(&["mesh", "history", object]);
    let sent = |row: &&Json| row["kind"] == "export" && row["where"] == "directory";
    history.as_array().unwrap().iter().find(sent).unwrap()["run"].to_string()
}

/// The rules say: disable now, move after a week, delete after ninety days. Ninety days cannot pass in a test, so then
/// the rule is made shorter, and everything that is due is done.
#[test]
fn a_deletion_waits_in_its_chain_and_is_explained_when_it_was_carried_out() {
    let place = Place::new();
    place.good(&["init", "mesh"]);
    place.good(&["apply", "mesh"]);
    deliver(&place, &[ADA, BOB]);
    let created = last_export(&place, "1");
    deliver(&place, &[BOB]);

    let waits = place.good(&["why", "deletion", "1"]);
    let steps: Vec<&str> = waits.lines().filter(|line| line.contains(": due ")).collect();
    let [disable, moved, delete] = steps[..] else { panic!("three steps: {waits}") };
    assert!(disable.contains("disable: due") && disable.ends_with("planned"), "{waits}");
    assert!(moved.contains("move: due") && moved.ends_with("not yet"), "{waits}");
    assert!(delete.contains("delete: due") && delete.ends_with("not yet"), "{waits}");
    let disabled = last_export(&place, "1");
    let told = place.bad(&["why", "deletion", "1", "--run", &disabled]);
    assert!(told.contains("nothing of 1 was deleted then"), "{told}");
    let export = place.json(&["why", "export", "1", "--connector", "directory", "--run", &disabled]);
    assert_eq!(export[0]["agreement"]["result"], "same", "{export}");
    assert!(export[0]["why"].to_string().contains("its rules want: disable"), "{export}");

    let rules = place.path().join("mesh/connectors/directory.toml");
    let text = std::fs::read_to_string(&rules).unwrap();
    assert!(text.contains("\"90d\"") && text.contains("\"7d\""));
    std::fs::write(&rules, text.replace("\"90d\"", "\"0s\"").replace("\"7d\"", "\"0s\"")).unwrap();
    place.good(&["apply", "mesh"]);
    place.good(&["run", "cycle"]);
    let directory = std::fs::read_to_string(place.path().join("mesh/directory.ldif")).unwrap();
    assert!(!directory.contains("Byron") && directory.contains("Ray"), "{directory}");

    let run = last_export(&place, "1");
    let then = place.json(&["why", "deletion", "1", "--run", &run]);
    assert_eq!(then[0]["agreement"]["result"], "same", "{then}");
    let told = place.good(&["why", "deletion", "1", "--run", &run]);
    for words in
        ["was deleted in directory", "byte for byte", "out of the scope of staff since", "delete: due"]
    {
        assert!(told.contains(words), "{words}: {told}");
    }

    // What was made and linked long before is still explained, by the rules of that time.
    let first = place.json(&["why", "export", "1", "--run", &created]);
    assert_eq!(first[0]["agreement"]["result"], "same", "{first}");
    let link = place.json(&["why", "link", "hr", "1", "--at", then[0]["at"].as_str().unwrap()]);
    assert_eq!(link[0]["agreement"]["result"], "same", "{link}");
    assert_ne!(link[0]["configuration"], then[0]["configuration"]);

    // So is what was not done then: nobody wanted it out of the directory, and its deletion was not due.
    let made = first[0]["at"].as_str().unwrap();
    let not = place.json(&["why", "deletion", "1", "--not", "--at", made]);
    assert_eq!((&not[0]["state"], &not[0]["configuration"]), (&"active".into(), &1.into()), "{not}");
    assert!(not[0]["why"].to_string().contains("held by hr/1"), "{not}");
    let not = place.good(&["why", "deletion", "1", "--not", "--run", &disabled]);
    assert!(not.contains("delete: due") && not.contains("not yet"), "{not}");
    let not = place.good(&["why", "export", "1", "--connector", "directory", "--not", "--run", &disabled]);
    assert!(not.contains("it is leaving, so it is in no scope"), "{not}");
    let not = place.good(&["why", "link", "hr", "1", "--not", "--at", made]);
    assert!(not.contains("it was linked to user 1"), "{not}");
    assert_eq!(
        place.run(&["why", "link", "hr", "1", "--not"]).status.code(),
        Some(2),
        "--not needs a moment"
    );
}

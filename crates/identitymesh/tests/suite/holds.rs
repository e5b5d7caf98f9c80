//! The mass-change guard on the command line: a department leaves, and somebody decides.

use serde_json::Value as Json;

use crate::process::Place;

const PEOPLE: usize = 40;
const HEADER: &str = "employee_id,given_name,surname,department,title,mail,manager_id,status\n";

/// The file with so many people of the sales department out of it.
fn file(left: usize) -> String {
    let row = |number: usize| {
        let department = if number < 20 { "Sales" } else { "Care" };
        let status = if number < left { "left" } else { "active" };
        format!("{number:03},Given{number},Sur{number},{department},Clerk,p{number}@corp.example,,{status}\n")
    };
    (0..PEOPLE).map(row).fold(HEADER.to_owned(), |file, row| file + &row)
}

fn mesh() -> Place {
    let place = Place::new();
    place.good(&["init", "mesh"]);
    std::fs::write(place.path().join("mesh/connectors/hr.csv"), file(0)).unwrap();
    place.good(&["apply", "mesh"]);
    place.good(&["run", "cycle", "--strict"]);
    place
}

fn leave(place: &Place, left: usize) -> Json {
    std::fs::write(place.path().join("mesh/connectors/hr.csv"), file(left)).unwrap();
    place.json(&["run", "cycle"])
}

fn active(place: &Place) -> usize {
    let directory = std::fs::read_to_string(place.path().join("mesh/directory.ldif")).unwrap();
    directory.matches("employeeType: active").count()
}

#[test]
fn a_hold_is_shown_approved_in_part_and_rejected() {
    let place = mesh();
    let runs = leave(&place, 15);
    assert_eq!(active(&place), PEOPLE, "nobody is disabled");
    let held = runs["runs"].as_array().unwrap().iter().find(|run| run["state"] == "held").unwrap();
    assert!(held["message"].as_str().unwrap().contains("identitymesh holds show 1"), "{held}");
    assert_eq!(place.run(&["run", "cycle", "--strict"]).status.code(), Some(3));

    let list = place.json(&["holds", "list"]);
    let hold = &list["items"][0];
    assert_eq!(
        (&hold["connector"], &hold["class"], &hold["waiting"]),
        (&"directory".into(), &"disable".into(), &15.into())
    );
    assert_eq!((&hold["allowed"], list["items"].as_array().unwrap().len()), (&10.into(), 1));
    let shown = place.json(&["holds", "show", "1"]);
    assert_eq!(shown["objects"].as_array().unwrap().len(), 15);
    assert_eq!(shown["objects"][0]["state"], "open");
    let text = place.good(&["holds", "show", "1"]);
    assert!(text.contains("15 waiting") && text.contains("all 15"), "{text}");
    assert_eq!(place.json(&["exports", "list", "--held"])["items"].as_array().unwrap().len(), 15);
    assert!(place.good(&["exports", "list"]).contains("held in hold 1"));

    // Without a reason, for somebody else, or for other content: nothing is decided.
    assert_eq!(place.run(&["holds", "approve", "1"]).status.code(), Some(2));
    assert!(place.bad(&["holds", "approve", "9", "--reason", "x"]).contains("no hold 9"));
    assert!(
        place
            .bad(&["holds", "approve", "1", "--reason", "x", "--objects", "039"])
            .contains("does not cover 039")
    );
    assert!(
        place
            .bad(&["holds", "approve", "1", "--reason", "x", "--hash", "00"])
            .contains("nothing was decided")
    );
    assert_eq!(place.json(&["holds", "show", "1"])["waiting"], 15);

    let hash = shown["hash"].as_str().unwrap();
    let done = place.json(&[
        "holds",
        "approve",
        "1",
        "--reason",
        "they left",
        "--objects",
        "000,001",
        "--hash",
        hash,
    ]);
    assert_eq!((&done["result"]["decided"], &done["result"]["left"]), (&2.into(), &13.into()));
    place.good(&["run", "cycle"]);
    assert_eq!(active(&place), PEOPLE - 2);
    let unconfirmed = |place: &Place| {
        let list = place.json(&["space", "list", "--connector", "directory", "--unconfirmed"]);
        list["items"].as_array().unwrap().len()
    };
    assert_eq!(unconfirmed(&place), 0, "the cycle has read what it wrote");
    let said = place.good(&["holds", "reject", "1", "--reason", "the file was wrong"]);
    assert!(said.contains("13 changes of hold 1 rejected"), "{said}");
    place.good(&["run", "cycle", "--strict"]);
    assert_eq!(active(&place), PEOPLE - 2);
    assert_eq!(place.good(&["holds", "list"]).trim(), "nothing is held");
    let all = place.json(&["holds", "list", "--all"]);
    assert_eq!(all["items"][0]["decisions"][1]["reason"], "the file was wrong");
    assert!(place.bad(&["holds", "approve", "1", "--reason", "x"]).contains("STO-018"));
    assert!(place.good(&["exports", "list"]).contains("rejected in hold 1"));
    let history = place.json(&["mesh", "history", "000"]);
    let kinds: Vec<&str> =
        history.as_array().unwrap().iter().filter_map(|row| row["kind"].as_str()).collect();
    assert!(kinds.contains(&"approve"), "{kinds:?}");
    place.good(&["audit", "verify"]);
}

#[test]
fn an_object_is_called_by_its_name_and_not_by_the_number_of_another() {
    let place = mesh();
    leave(&place, 15);
    let object = |state: &str| {
        let shown = place.json(&["holds", "show", "1"]);
        let found = shown["objects"].as_array().unwrap().iter().find(|object| object["state"] == state);
        found.map(|object| (object["object"].clone(), object["id"].to_string())).unwrap()
    };
    let (name, number) = object("open");
    let decide = ["holds", "reject", "1", "--reason", "x", "--objects"];
    let said = place.bad(&[&decide[..], &[&number]].concat());
    assert!(said.contains(&format!("does not cover {number}")), "{said}");
    place.good(&[&decide[..], &[&format!("#{number}")]].concat());
    assert_eq!(object("rejected"), (name, number));
}

#[test]
fn a_hold_names_the_file_that_was_read_and_the_rule_that_changed() {
    let place = mesh();
    let in_common = |hold: &Json| {
        let said = hold["common"].as_array().unwrap().iter();
        said.map(|sentence| sentence.as_str().unwrap().to_owned()).collect::<Vec<_>>().join("; ")
    };
    let runs = leave(&place, 15);
    let read = runs["runs"].as_array().unwrap().iter().find(|run| run["step"] == "full-import").unwrap();
    let shown = place.good(&["runs", "show", &read["run"].to_string()]);
    let file_path = place.path().join("mesh/connectors/hr.csv").display().to_string();
    assert!(shown.contains(&format!("read from {file_path}")), "{shown}");
    let held = in_common(&place.json(&["holds", "show", "1"]));
    assert!(held.contains(&format!("all 15 after reading {file_path}")), "{held}");
    assert!(!held.contains("the first under"), "no rule changed: {held}");

    // Everybody is there again, and then a rule has it that the Sales department is not.
    leave(&place, 0);
    let rules = place.path().join("mesh/connectors/hr.toml");
    let old = std::fs::read_to_string(&rules).unwrap();
    let status = "transform = \"status == 'active'\"";
    assert!(old.contains(status));
    let name = "name = \"who is active\"\n";
    std::fs::write(&rules, old.replace(status, &format!("{name}{status}"))).unwrap();
    place.good(&["apply", "mesh"]);
    place.good(&["run", "cycle", "--strict"]);
    let status = format!("{name}transform = \"status == 'active' && department != 'Sales'\"");
    std::fs::write(&rules, old.replace("transform = \"status == 'active'\"", &status)).unwrap();
    place.good(&["apply", "mesh"]);
    place.good(&["run", "cycle"]);
    let held = in_common(&place.json(&["holds", "show", "2"]));
    assert!(held.contains("the first under configuration 3, which changed hr:who is active)"), "{held}");

    // An import that misses too many says which file it read.
    std::fs::write(&rules, &old).unwrap();
    place.good(&["apply", "mesh"]);
    place.good(&["run", "cycle"]);
    let short: String = file(0).lines().take(1 + PEOPLE - 15).map(|line| format!("{line}\n")).collect();
    std::fs::write(place.path().join("mesh/connectors/hr.csv"), short).unwrap();
    place.good(&["run", "full-import", "--connector", "hr"]);
    let missing = place.json(&["holds", "list"]);
    let missing = missing["items"].as_array().unwrap().iter().find(|hold| hold["class"] == "import_delete");
    let said = in_common(missing.unwrap());
    assert!(
        said.contains("(full-import of hr") && said.contains(&format!("all 15 after reading {file_path}")),
        "{said}"
    );
}

#[test]
fn a_preview_tells_the_hold_before_it_is_there_and_a_kept_plan_is_carried_out() {
    let place = mesh();
    std::fs::write(place.path().join("mesh/connectors/hr.csv"), file(15)).unwrap();
    place.good(&["run", "full-import", "--connector", "hr"]);
    let before = std::fs::read(place.data().join("mesh.db")).unwrap();
    let preview = place.json(&["preview", "--save"]);
    assert_eq!(std::fs::read(place.data().join("mesh.db")).unwrap(), before, "a preview writes nothing");
    assert_eq!(
        (&preview["holds"][0]["class"], &preview["holds"][0]["waiting"]),
        (&"disable".into(), &15.into())
    );
    assert_eq!(
        (&preview["flows"][0]["sent"], &preview["flows"][0]["held"]),
        (&0.into(), &15.into()),
        "{preview}"
    );
    let text = place.good(&["preview"]);
    for wanted in ["directory: disable 15", "more than the limit of 10", "15 held", "in common: all 15"] {
        assert!(text.contains(wanted), "{wanted}: {text}");
    }
    assert_eq!(place.json(&["holds", "list"])["items"], serde_json::json!([]));
    let one = place.json(&["preview", "--object", "003"]);
    assert_eq!(
        (&one["counts"]["queued_disable"], &one["holds"]),
        (&1.into(), &serde_json::json!([])),
        "{one}"
    );
    let some = place.json(&["preview", "--contains", "p1"]);
    // Numbers 1 and 10 to 14 of those who leave.
    assert_eq!(some["counts"]["queued_disable"], 6, "{some}");

    // Under rules that are not in force yet.
    let rules = place.path().join("mesh/connectors/hr.toml");
    let old = std::fs::read_to_string(&rules).unwrap();
    std::fs::write(&rules, old.replace("[connector.limits]", "[connector.limits]\n# another look\n"))
        .unwrap();
    let under = place.json(&["preview", "--config", "mesh"]);
    assert_eq!(under["counts"]["queued_disable"], 15, "{under}");

    let hash = preview["hash"].as_str().unwrap();
    assert_eq!(place.json(&["plans", "list"])["items"][0]["hash"], hash);
    assert!(place.good(&["plans", "show", &hash[..8]]).contains("disable 15"));
    assert_eq!(place.run(&["plans", "apply", hash]).status.code(), Some(2), "a plan needs a reason");
    let done = place.json(&["plans", "apply", hash, "--reason", "they left"]);
    assert_eq!(
        (&done["run"]["step"], &done["run"]["counters"]["applied"]),
        (&"apply-plan".into(), &15.into()),
        "{done}"
    );
    assert!(place.good(&["mesh", "history", "003"]).contains(&format!("plan {hash}: they left")));
    place.good(&["audit", "verify"]);
    assert_eq!(active(&place), PEOPLE);
    place.good(&["run", "export", "--connector", "directory"]);
    assert_eq!(
        place.json(&["holds", "list"])["items"][0]["waiting"],
        15,
        "the guard stands behind a plan too"
    );
    assert!(place.bad(&["plans", "apply", "ffff", "--reason", "x"]).contains("RUN-013"));
}

//! Files as they come on bad days, through the whole product: what is wrong is said with its line, what is right is
//! taken, and nobody leaves.

use serde_json::Value as Json;

use crate::process::Place;

const PEOPLE: usize = 40;
const HEADER: &str = "employee_id,given_name,surname,department,title,mail,manager_id,status\n";

fn row(number: usize) -> String {
    format!("{number:03},Given{number},Sur{number},Sales,Clerk,p{number}@corp.example,,active\n")
}

fn file() -> String {
    (0..PEOPLE).map(row).fold(HEADER.to_owned(), |file, row| file + &row)
}

fn write(place: &Place, content: impl AsRef<[u8]>) {
    std::fs::write(place.path().join("mesh/connectors/hr.csv"), content).unwrap();
}

/// A mesh of forty people, all with an entry in the directory.
fn mesh() -> Place {
    let place = Place::new();
    place.good(&["init", "mesh"]);
    write(&place, file());
    place.good(&["apply", "mesh"]);
    place.good(&["run", "cycle", "--strict"]);
    everybody_is_there(&place);
    place
}

fn everybody_is_there(place: &Place) {
    let people = place.json(&["mesh", "list"]);
    let active = people["items"].as_array().unwrap().iter().filter(|item| item["state"] == "active").count();
    assert_eq!(active, PEOPLE, "{people}");
    let directory = std::fs::read_to_string(place.path().join("mesh/directory.ldif")).unwrap();
    assert_eq!(directory.matches("employeeType: active").count(), PEOPLE, "{directory}");
}

/// Runs a cycle on the file as it is now; the import's run with its findings.
fn import(place: &Place) -> Json {
    let runs = place.json(&["run", "cycle"]);
    everybody_is_there(place);
    place.json(&["runs", "show", &runs["runs"][0]["run"].to_string()])
}

fn finding<'r>(run: &'r Json, code: &str) -> &'r Json {
    let findings = run["findings"].as_array().unwrap();
    findings.iter().find(|finding| finding["code"] == code).unwrap_or_else(|| panic!("{code}: {run}"))
}

fn says(run: &Json, words: &str) {
    let message = run["message"].as_str().unwrap_or_default();
    assert!(message.contains(words), "{words}: {run}");
}

fn title(place: &Place, number: usize) -> Json {
    place.json(&["mesh", "show", &format!("{number:03}")])["attributes"]["title"].clone()
}

#[test]
fn a_file_that_was_half_written_takes_nobody_away() {
    let place = mesh();
    let file = file();
    let cut = file.find("031,").unwrap() + 20;
    write(&place, &file[..cut]);
    let run = import(&place);
    assert!(finding(&run, "FIL-009")["message"].as_str().unwrap().contains("the file ends there"), "{run}");
    says(&run, "deletes unseen");
}

#[test]
fn half_the_rows_are_held_with_the_way_to_allow_it() {
    let place = mesh();
    write(&place, (0..PEOPLE / 2).map(row).fold(HEADER.to_owned(), |file, row| file + &row));
    let run = import(&place);
    assert_eq!(run["state"], "held");
    says(&run, "import_delete");
    assert_eq!(place.run(&["run", "full-import", "--connector", "hr", "--strict"]).status.code(), Some(3));
}

#[test]
fn a_file_without_rows_takes_nobody_away() {
    let place = mesh();
    write(&place, HEADER);
    let run = import(&place);
    says(&run, "deletes unseen");
    assert_eq!(run["state"], "succeeded_with_findings");
    assert_eq!(finding(&run, "IMP-002")["subject"], "person", "{run}");
    let strict = |wanted: i32| {
        let status = place.run(&["run", "full-import", "--connector", "hr", "--strict"]).status;
        assert_eq!(status.code(), Some(wanted));
    };
    let coverage = || {
        let listed = place.json(&["connector", "list"]);
        let hr = listed.as_array().unwrap().iter().find(|known| known["name"] == "hr").unwrap();
        hr["coverage"][0].clone()
    };
    let doctor = || String::from_utf8(place.run(&["doctor"]).stdout).unwrap();
    let first = coverage();
    strict(3);
    let unseen = &coverage()["unseen"];
    assert_eq!((&unseen["missing"], &unseen["since_run"]), (&PEOPLE.into(), &run["id"]), "{first}");
    assert!(unseen["why"].as_str().unwrap().contains("nothing was delivered"), "{unseen}");
    let told = format!("since run {}", run["id"]);
    assert!(place.good(&["connector", "list"]).contains(&format!("deletes unseen: person {told}")));
    assert!(doctor().contains("deletes of hr person") && doctor().contains(&told), "{}", doctor());
    write(&place, file());
    strict(0);
    assert!(coverage()["unseen"].is_null() && !doctor().contains("deletes of hr person"));
    write(&place, "");
    place.run(&["run", "cycle"]);
    everybody_is_there(&place);
}

#[test]
fn keys_that_changed_hands_take_nobody_away() {
    let place = mesh();
    // Everybody's row under the key of somebody else.
    let moved = |number: usize| {
        row(number).replacen(&format!("{number:03}"), &format!("{:03}", (number * 7 + 1) % PEOPLE), 1)
    };
    write(&place, (0..PEOPLE).map(moved).fold(HEADER.to_owned(), |file, row| file + &row));
    let runs = place.json(&["run", "cycle"]);
    for run in runs["runs"].as_array().unwrap() {
        for count in ["deleted", "delete", "disable"] {
            assert!(run["counters"].get(count).is_none(), "{run}");
        }
    }
    everybody_is_there(&place);
}

#[test]
fn all_keys_changed_by_one_character_are_held() {
    let place = mesh();
    let renumbered: String = (0..PEOPLE).map(|number| format!("1{}", row(number))).collect();
    write(&place, HEADER.to_owned() + &renumbered);
    let run = place.json(&["run", "full-import", "--connector", "hr"]);
    assert_eq!(run["runs"][0]["state"], "held", "{run}");
    everybody_is_there(&place);
}

#[test]
fn another_encoding_is_said_and_no_letter_is_guessed() {
    let place = mesh();
    let file =
        file().replace("Sur7,", "M\u{fc}ller,").chars().map(|letter| letter as u8).collect::<Vec<u8>>();
    write(&place, file);
    let run = import(&place);
    let finding = finding(&run, "FIL-006");
    assert!(finding["message"].as_str().unwrap().contains("surname"), "{finding}");
    assert_eq!(finding["subject"], "007 (line 9)");
    assert_eq!(place.json(&["mesh", "show", "007"])["attributes"]["sn"], "Sur7");

    let utf16: Vec<u8> = self::file().encode_utf16().flat_map(u16::to_le_bytes).collect();
    write(&place, utf16);
    let said = place.bad(&["run", "cycle"]);
    assert!(said.contains("FIL-003") && said.contains("encoding"), "{said}");
    everybody_is_there(&place);
}

#[test]
fn duplicate_and_missing_keys_are_findings_with_their_lines() {
    let place = mesh();
    let twice = row(3).replace("Clerk", "Impostor");
    let nameless = row(4).replacen("004", "", 1).replace("Clerk", "Nobody");
    let file = file() + &twice + &nameless;
    write(&place, file.replace("005,Given5,Sur5,Sales,Clerk", "005,Given5,Sur5,Sales,Chief"));
    let run = import(&place);
    assert_eq!(finding(&run, "FIL-008")["subject"], "003 (line 42)");
    assert_eq!(finding(&run, "FIL-007")["subject"], "line 43");
    assert_eq!((title(&place, 3), title(&place, 5)), ("Clerk".into(), "Chief".into()));
}

#[test]
fn a_vanished_column_that_flows_is_refused_before_anything_changes() {
    let place = mesh();
    let narrow: String =
        (0..PEOPLE).map(|number| format!("{number:03},Given{number},Sur{number},Sales,,active\n")).collect();
    write(&place, "employee_id,given_name,surname,department,manager_id,status\n".to_owned() + &narrow);
    let said = place.bad(&["run", "cycle"]);
    assert!(said.contains("RUN-012") && said.contains("hr has no mail, title of person"), "{said}");
    everybody_is_there(&place);
    assert_eq!(
        (title(&place, 1), place.json(&["runs", "list"])[0]["state"].clone()),
        ("Clerk".into(), "failed".into())
    );
}

#[test]
fn ten_megabytes_in_a_field_leave_it_as_it_was() {
    let place = mesh();
    let huge = "x".repeat(10 << 20);
    write(&place, file().replace("006,Given6,Sur6,Sales,Clerk", &format!("006,Given6,Married,Sales,{huge}")));
    let run = import(&place);
    let finding = finding(&run, "FIL-010");
    assert_eq!(finding["subject"], "006 (line 8)");
    assert!(finding["message"].as_str().unwrap().starts_with("title: "), "{finding}");
    assert_eq!(title(&place, 6), "Clerk");
    assert_eq!(place.json(&["mesh", "show", "006"])["attributes"]["sn"], "Married", "the rest is taken");
}

#[test]
fn a_transform_on_the_wrong_type_is_a_finding_on_its_object() {
    let place = mesh();
    let path = place.path().join("mesh/connectors/hr.toml");
    let rules = std::fs::read_to_string(&path).unwrap();
    let rules = rules.replace(
        "source = \"title\"\ntarget = \"title\"\n",
        "target = \"title\"\ntransform = \"ToText(ToInteger(title))\"\n",
    );
    std::fs::write(&path, rules).unwrap();
    place.good(&["apply", "mesh"]);
    write(&place, file().replace("008,Given8,Sur8,Sales,Clerk", "008,Given8,Sur8,Sales,42"));
    let runs = place.json(&["run", "cycle"]);
    everybody_is_there(&place);
    let synced =
        runs["runs"].as_array().unwrap().iter().find(|run| run["counters"]["findings"].is_u64()).unwrap();
    let shown = place.json(&["runs", "show", &synced["run"].to_string()]);
    let finding = finding(&shown, "FLO-001");
    let told = finding.to_string();
    assert!(told.contains("ToInteger") && told.contains("Clerk"), "{told}");
    assert_eq!(title(&place, 8), "42");
}

/// The HR system delivers another format from now on.
fn deliver(place: &Place, kind: &str, file: &str, settings: &str, content: &str) {
    let path = place.path().join("mesh/connectors/hr.toml");
    let rules = std::fs::read_to_string(&path).unwrap();
    let rules = rules
        .replace("type = \"csv\"", &format!("type = \"{kind}\""))
        .replace("\"hr.csv\"", &format!("{file:?}"));
    let rules = rules.replace("key = \"employee_id\"", &format!("key = \"employee_id\"\n{settings}"));
    std::fs::write(&path, rules).unwrap();
    std::fs::write(place.path().join("mesh/connectors").join(file), content).unwrap();
    place.good(&["apply", "mesh"]);
}

const ATTRIBUTES: &str = "attributes = { employee_id = \"string\", given_name = \"string\", surname = \"string\", \
     department = \"string\", title = \"string\", mail = \"string\", manager_id = \"string\", status = \"string\" }";

#[test]
fn ldif_with_bad_base64_costs_its_entry_alone() {
    let place = mesh();
    let entry = |number: usize| {
        format!(
            "dn: cn={number}\nemployee_id: {number:03}\ngiven_name: Given{number}\nsurname: Sur{number}\n\
             department: Sales\ntitle: Boss\nmail: p{number}@corp.example\nstatus: active\n\n"
        )
    };
    let entries: String = (0..PEOPLE).map(entry).collect();
    let broken = entries.replace("surname: Sur9\n", "surname:: %%%not base64%%%\n");
    deliver(&place, "ldif", "hr.ldif", ATTRIBUTES, &broken);
    let run = import(&place);
    let finding = finding(&run, "FIL-012");
    assert!(finding.to_string().contains("base64") && finding.to_string().contains("line"), "{finding}");
    assert_eq!((title(&place, 9), title(&place, 10)), ("Clerk".into(), "Boss".into()));
}

#[test]
fn a_broken_json_line_costs_its_line_alone() {
    let place = mesh();
    let line = |number: usize| {
        format!(
            "{{\"employee_id\":\"{number:03}\",\"given_name\":\"Given{number}\",\"surname\":\"Sur{number}\",\
             \"department\":\"Sales\",\"title\":\"Boss\",\"mail\":\"p{number}@corp.example\",\"status\":\"active\"}}\n"
        )
    };
    let lines: String = (0..PEOPLE).map(line).collect();
    deliver(&place, "json", "hr.jsonl", ATTRIBUTES, &lines.replace("\"Sur9\",", "\"Sur9"));
    let run = import(&place);
    assert_eq!(finding(&run, "FIL-013")["subject"], "line 10");
    says(&run, "deletes unseen");
    assert_eq!((title(&place, 9), title(&place, 10)), ("Clerk".into(), "Boss".into()));
}

//! Bad input: a clear message, nothing lost, nobody deleted.

use identitymesh_testkit::bytes::files_containing;

use crate::process::Place;

fn mesh_with_people() -> Place {
    let place = Place::new();
    place.good(&["init", "mesh"]);
    place.good(&["apply", "mesh"]);
    place.good(&["run", "cycle"]);
    place
}

fn write_hr(place: &Place, text: &str) {
    std::fs::write(place.path().join("mesh/connectors/hr.csv"), text).unwrap();
}

fn nobody_left(place: &Place) {
    let people = place.json(&["mesh", "list"]);
    let active = people["items"].as_array().unwrap().iter().filter(|item| item["state"] == "active").count();
    assert_eq!(active, 5, "{people}");
}

#[test]
fn an_empty_file_deletes_nobody_and_says_so() {
    let place = mesh_with_people();
    write_hr(&place, "employee_id,given_name,surname,department,title,mail,manager_id,status\n");
    let runs = place.json(&["run", "cycle"]);
    assert!(runs["runs"][0]["message"].as_str().unwrap().contains("deletes unseen"), "{runs}");
    assert_eq!(runs["runs"][0]["counters"]["deletes_unseen"], 5);
    assert_eq!(runs["runs"][0]["state"], "succeeded_with_findings");
    nobody_left(&place);
}

#[test]
fn a_broken_quote_is_a_finding_and_the_rest_goes_on() {
    let place = mesh_with_people();
    write_hr(
        &place,
        "employee_id,given_name,surname,department,title,mail,manager_id,status\n\
         100001,Marta,Keller,Operations,Director,marta.keller@corp.example,,active\n\
         100002,\"Jonas,O'Neill,Operations,Planner,jonas.oneill@corp.example,100001,active\n",
    );
    let runs = place.json(&["run", "cycle"]);
    assert_eq!(runs["runs"][0]["state"], "succeeded_with_findings", "{runs}");
    let shown = place.json(&["mesh", "show", "100001"]);
    assert_eq!(shown["attributes"]["title"], "Director");
    nobody_left(&place);
}

#[test]
fn a_vanished_column_fails_the_import_before_anything_changes() {
    let place = mesh_with_people();
    write_hr(&place, "given_name,surname\nMarta,Keller\n");
    let said = place.bad(&["run", "cycle"]);
    assert!(said.contains("employee_id"), "{said}");
    nobody_left(&place);
    assert_eq!(place.json(&["runs", "list"])[0]["state"], "failed");
}

#[test]
fn rules_with_mistakes_are_refused_as_a_whole() {
    let place = Place::new();
    place.good(&["init", "mesh"]);
    let path = place.path().join("mesh/connectors/hr.toml");
    let text = std::fs::read_to_string(&path).unwrap();
    let text = text
        .replace("ToLower(Trim(mail))", "ToLowr(Trim(mail))")
        .replace("source = \"surname\"", "source = \"surnam\"")
        .replace("target = \"department\"", "target = \"departmnt\"");
    std::fs::write(&path, text).unwrap();
    let said = place.bad(&["apply", "mesh"]);
    for wanted in ["ToLowr", "surnam", "departmnt", "connectors/hr.toml"] {
        assert!(said.contains(wanted), "{wanted}: {said}");
    }
    assert!(place.bad(&["run", "cycle"]).contains("RUN-001"));
}

#[test]
fn computed_attributes_in_a_circle_are_refused() {
    let place = Place::new();
    place.good(&["init", "mesh"]);
    let path = place.path().join("mesh/mesh.toml");
    let mut text = std::fs::read_to_string(&path).unwrap();
    text.push_str(
        "\n[[computed]]\nmesh_type = \"user\"\ntarget = \"title\"\nvalue = \"department\"\nconfidence = 1\n",
    );
    text.push_str(
        "\n[[computed]]\nmesh_type = \"user\"\ntarget = \"department\"\nvalue = \"title\"\nconfidence = 1\n",
    );
    std::fs::write(&path, text).unwrap();
    let said = place.bad(&["apply", "mesh"]);
    assert!(said.contains("ENG-004"), "{said}");
}

#[test]
fn two_processes_on_one_data_directory_are_refused_by_name() {
    let place = Place::new();
    let mut holder = place
        .command(&["--data", "held", "demo", "--once", "--people", "20000"])
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::null())
        .spawn()
        .unwrap();
    // The demo writes its sources after it has taken the data directory, and is busy for long after that.
    let source = place.path().join("held/source/hr.csv");
    while !source.exists() {
        assert!(holder.try_wait().unwrap().is_none(), "the demo ended before it wrote anything");
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    let said = place.bad(&["--data", "held", "secrets", "remove", "nobody/has-this"]);
    let pid = holder.id().to_string();
    holder.kill().unwrap();
    holder.wait().unwrap();
    assert!(said.contains("STO-002") && said.contains(&pid), "{said}");
}

#[test]
fn a_planted_secret_is_in_no_byte_that_is_written() {
    const SECRET: &str = "planted-5ecret-value";
    let place = mesh_with_people();
    let mut child = place
        .command(&["--verbose", "secrets", "set", "ldap/svc"])
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    std::io::Write::write_all(&mut child.stdin.take().unwrap(), format!("{SECRET}\n").as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    for told in [&output.stdout, &output.stderr] {
        assert!(!String::from_utf8_lossy(told).contains(SECRET));
    }
    assert_eq!(place.json(&["secrets", "list"])[0]["name"], "ldap/svc");
    let leaks = files_containing(place.path(), SECRET.as_bytes()).unwrap();
    assert!(leaks.is_empty(), "{leaks:?}");
    place.good(&["secrets", "remove", "ldap/svc"]);
    assert_eq!(place.json(&["secrets", "list"]).as_array().unwrap().len(), 0);
}

/// A connector whose settings accept any certificate, where nobody answers.
const TRUSTING: &str = r#"
[connector]
name = "book"
type = "ldap"

[connector.settings]
servers = ["ldaps://127.0.0.1:1"]
base = "dc=corp,dc=example"
trust_server_certificate = true
"#;

#[test]
fn a_connector_that_accepts_any_certificate_is_warned_of_wherever_it_appears() {
    let place = Place::new();
    place.good(&["init", "mesh"]);
    std::fs::write(place.path().join("mesh/connectors/book.toml"), TRUSTING).unwrap();
    let is_warned =
        |said: &str| said.contains("book: any certificate is accepted (trust_server_certificate)");
    for arguments in [&["plan", "mesh"][..], &["apply", "mesh"], &["connector", "list"]] {
        let said = place.good(arguments);
        assert!(is_warned(&said), "{arguments:?}: {said}");
    }
    let listed = place.json(&["connector", "list"]);
    let warnings: Vec<usize> =
        listed.as_array().unwrap().iter().map(|one| one["warnings"].as_array().unwrap().len()).collect();
    assert_eq!(warnings, [1, 0, 0], "{listed}");
    let said = place.run(&["--json", "run", "cycle"]).stderr;
    assert!(is_warned(&String::from_utf8(said).unwrap()));
}

//! Broken directories, and what is said about them.

use super::*;

fn directory(files: &[(&str, &str)]) -> tempfile::TempDir {
    let directory = tempfile::tempdir().unwrap();
    for (name, text) in files {
        let path = directory.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    directory
}

fn problems(files: &[(&str, &str)]) -> Vec<String> {
    let directory = directory(files);
    read_directory(directory.path()).unwrap_err().iter().map(ToString::to_string).collect()
}

const MESH: &str = "[[type]]\nname = \"user\"\n[type.attributes]\nmail = \"string\"\n";

#[test]
fn a_directory_reads_into_a_configuration() {
    let hr = "[connector]\nname = \"hr\"\ntype = \"csv\"\n[connector.settings]\npath = \"hr.csv\"\n";
    let directory = directory(&[("mesh.toml", MESH), ("connectors/hr.toml", hr), ("schedules.toml", "")]);
    let loaded = read_directory(directory.path()).unwrap();
    assert_eq!(loaded.configuration.connectors.len(), 1);
    assert!(loaded.bases[&Name::literal("hr")].ends_with("connectors"));
    assert_eq!(loaded.notes.len(), 1);
}

#[test]
fn every_problem_of_every_file_is_reported_with_its_place() {
    let hr = "[connector]\nname = \"other\"\ntype = \"csv\"\n[[flow]]\nobject_type = \"person\"\ntarget = \"mail\"\nconfidence = 50\ntransfrom = \"x\"\n";
    let said = problems(&[
        ("mesh.toml", "[[type]]\nname = \"user\"\n[type.attributes]\nmail = \"strnig\"\n"),
        ("connectors/hr.toml", hr),
        ("connectors/ad.toml", "[connector\n"),
        ("rules.toml", ""),
    ]);
    assert_eq!(said.len(), 5, "{said:#?}");
    assert!(said[0].contains("mesh.toml"), "{said:#?}");
    assert!(said[1].starts_with("CFG-003: connectors/ad.toml:1"), "{said:#?}");
    assert!(said[2].starts_with("CFG-004: connectors/hr.toml:8: flow[0].transfrom"), "{said:#?}");
    assert!(said[3].contains("connectors/other.toml"), "{said:#?}");
    assert!(said[4].starts_with("CFG-006: rules.toml"), "{said:#?}");
}

#[test]
fn a_directory_without_a_mesh_says_so() {
    let said = problems(&[]);
    assert_eq!(said.len(), 1);
    assert!(said[0].starts_with("CFG-001: mesh.toml"), "{said:#?}");
}

#[test]
fn what_is_not_carried_out_yet_is_said() {
    let mesh =
        "[[type]]\nname = \"user\"\n[type.attributes]\nsalary = { type = \"integer\", sensitive = true }\n";
    let hr = "[connector]\nname = \"hr\"\ntype = \"csv\"\n[connector.limits]\n\
              import_delete = { percent = 5 }\ndisable = { percent = 5 }\ncreate = { count = 7 }\n";
    let files =
        [("mesh.toml", mesh), ("connectors/hr.toml", hr), ("schedules.toml", ""), ("identitymesh.toml", "")];
    let mut notes = read_directory(directory(&files).path()).unwrap().notes;
    notes.sort();
    assert_eq!(notes.len(), 3, "limits are carried out: {notes:?}");
    assert!(notes[0].starts_with("identitymesh.toml"), "{notes:?}");
    assert!(notes[1].contains("salary of user"), "{notes:?}");
    assert!(notes[2].starts_with("schedules.toml"), "{notes:?}");
}

//! A disk that is full, for the whole process: nothing is lost, and with space it goes on.
//!
//! The limit on the size of files (`ulimit -f`) makes every write beyond it fail as on a full disk, without a mount.

use crate::process::Place;

const PEOPLE: usize = 3_000;

fn people() -> String {
    let header = "employee_id,given_name,surname,department,title,mail,manager_id,status\n".to_owned();
    let padding = "x".repeat(300);
    (0..PEOPLE).fold(header, |file, number| {
        file + &format!(
            "{number:05},Given{number},Sur{number},Sales,{padding},p{number}@corp.example,,active\n"
        )
    })
}

/// Runs the binary under a limit of so many KiB for each file that it writes.
fn limited(place: &Place, kib: u32, arguments: &str) -> std::process::Output {
    let program = env!("CARGO_BIN_EXE_identitymesh");
    // The signal that comes with the limit is ignored, so that writes fail as they do on a full disk.
    let script = format!("trap '' XFSZ; ulimit -f {kib}; exec '{program}' {arguments}");
    let command = place.command(&[]);
    let environment: Vec<_> =
        command.get_envs().map(|(key, value)| (key.to_owned(), value.map(ToOwned::to_owned))).collect();
    let mut shell = std::process::Command::new("bash");
    shell.arg("-c").arg(script).current_dir(place.path()).stdin(std::process::Stdio::null());
    for (key, value) in environment {
        match value {
            Some(value) => drop(shell.env(key, value)),
            None => drop(shell.env_remove(key)),
        }
    }
    shell.output().unwrap()
}

#[test]
fn a_run_without_space_says_so_loses_nothing_and_goes_on_when_there_is_some() {
    let place = Place::new();
    place.good(&["init", "mesh"]);
    place.good(&["apply", "mesh"]);
    place.good(&["run", "cycle"]);
    std::fs::write(place.path().join("mesh/connectors/hr.csv"), {
        let five = std::fs::read_to_string(place.path().join("mesh/connectors/hr.csv")).unwrap();
        five + people().split_once('\n').unwrap().1
    })
    .unwrap();
    let output = limited(&place, 1_200, "run cycle");
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("STO-015") || said.contains("STO-005"), "{said}");
    assert!(said.contains("space") || said.contains("volume"), "it says what to look at: {said}");

    let people = |place: &Place| {
        let answer = place.json(&["mesh", "list", "--limit", "10000"]);
        answer["items"].as_array().unwrap().iter().filter(|item| item["state"] == "active").count()
    };
    assert!(people(&place) >= 5, "nobody left");
    place.good(&["run", "cycle", "--strict"]);
    assert_eq!(people(&place), PEOPLE + 5);
    let directory = std::fs::read_to_string(place.path().join("mesh/directory.ldif")).unwrap();
    assert_eq!(directory.matches("employeeType: active").count(), PEOPLE + 5);
    assert!(place.good(&["audit", "verify"]).contains("the audit is whole"));
}

/// The target's file does not fit: the export fails, the old file stays whole, and the next run writes it.
#[test]
fn a_target_without_space_keeps_its_old_content() {
    let place = Place::new();
    place.good(&["init", "mesh"]);
    place.good(&["apply", "mesh"]);
    place.good(&["run", "cycle"]);
    let directory = || std::fs::read_to_string(place.path().join("mesh/directory.ldif")).unwrap();
    let before = directory();
    let five = std::fs::read_to_string(place.path().join("mesh/connectors/hr.csv")).unwrap();
    std::fs::write(place.path().join("mesh/connectors/hr.csv"), five + people().split_once('\n').unwrap().1)
        .unwrap();
    place.good(&["run", "full-import", "--connector", "hr"]);
    place.good(&["run", "sync", "--connector", "hr"]);
    // The store has its room already; only the new file of some megabytes is too large.
    let output = limited(&place, 900, "run export --connector directory");
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert_eq!(directory(), before, "the old file is whole");

    place.good(&["run", "cycle"]);
    place.good(&["exports", "retry"]);
    place.good(&["run", "cycle"]);
    assert_eq!(directory().matches("employeeType: active").count(), PEOPLE + 5);
}

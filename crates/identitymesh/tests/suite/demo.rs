//! The demo: what it says it wrote is what an independent reader finds, and no kill changes the end.

use std::collections::BTreeSet;
use std::time::Duration;

use identitymesh_sample::{Company, Options, Status};
use identitymesh_testkit::bytes::files_containing;
use identitymesh_testkit::real::{Slapd, SlapdOptions};
use serde_json::Value as Json;

use crate::process::Place;

const PEOPLE: &str = "120";
const PASSWORD: &str = "pl4nted-Pa55word";

fn demo(place: &Place) -> Json {
    place.json(&["demo", "--once", "--people", PEOPLE])
}

fn day_two() -> Company {
    let options = Options { people: 120, seed: 1, ..Options::default() };
    Company::generate(&options).unwrap().after_a_day(2).0
}

fn sent(act: &Json) -> u64 {
    let targets = act["exports"].as_object().unwrap().values();
    targets.flat_map(|counts| counts.as_object().unwrap().values()).map(|count| count.as_u64().unwrap()).sum()
}

/// The accounts as an independent reader sees them.
fn accounts(place: &Place) -> Vec<(String, String, i64)> {
    let database = rusqlite::Connection::open(place.data().join("target/accounts.db")).unwrap();
    let mut statement =
        database.prepare("SELECT employee_id, login, enabled FROM account ORDER BY employee_id").unwrap();
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?))).unwrap();
    rows.map(Result::unwrap).collect()
}

fn ldif(place: &Place) -> String {
    std::fs::read_to_string(place.data().join("target/directory.ldif")).unwrap()
}

#[test]
fn the_targets_hold_what_the_sources_say() {
    let place = Place::new();
    let answer = demo(&place);
    let company = day_two();
    let expected: BTreeSet<String> = company
        .people()
        .iter()
        .filter(|person| matches!(person.status(), Status::Active | Status::Leave))
        .map(|person| person.employee_id().to_string())
        .collect();
    let enabled: BTreeSet<String> =
        accounts(&place).into_iter().filter(|(_, _, enabled)| *enabled == 1).map(|(id, _, _)| id).collect();
    assert_eq!(enabled, expected);
    let logins: BTreeSet<String> = accounts(&place).into_iter().map(|(_, login, _)| login).collect();
    assert_eq!(logins.len(), accounts(&place).len(), "logins are unique");
    let groups = ldif(&place).matches("objectClass: groupOfNames").count();
    assert_eq!(groups, company.teams().len());
    assert!(sent(&answer["first"]) > 0 && sent(&answer["day"]) > 0);
    assert_eq!(sent(&answer["again"]), 0);
    assert_eq!(answer["again"]["findings"], 0);
    assert!(answer["why"]["contributions"].as_array().is_some_and(|list| list.len() > 1));
    assert!(place.good(&["audit", "verify"]).contains("the audit is whole"));
}

#[test]
fn started_again_it_only_tells_what_it_did() {
    let place = Place::new();
    let first = demo(&place);
    let (accounts_before, ldif_before) = (accounts(&place), ldif(&place));
    assert_eq!(demo(&place), first);
    assert_eq!((accounts(&place), ldif(&place)), (accounts_before, ldif_before));
    let refused = place.bad(&["demo", "--once", "--people", "50"]);
    assert!(refused.contains("--people 120"), "{refused}");
}

#[test]
fn killed_anywhere_it_ends_the_same() {
    let undisturbed = Place::new();
    demo(&undisturbed);
    for kills in [[40, 90, 30], [150, 20, 260], [70, 70, 70], [300, 110, 15]] {
        let place = Place::new();
        for milliseconds in kills {
            let mut child = place
                .command(&["--json", "demo", "--once", "--people", PEOPLE])
                .stdout(std::process::Stdio::null())
                .stderr(std::process::Stdio::null())
                .spawn()
                .unwrap();
            std::thread::sleep(Duration::from_millis(milliseconds));
            child.kill().unwrap();
            child.wait().unwrap();
        }
        let answer = demo(&place);
        assert_eq!(sent(&answer["again"]), 0, "{kills:?}");
        assert_eq!(ldif(&place), ldif(&undisturbed), "{kills:?}");
        assert_eq!(accounts(&place), accounts(&undisturbed), "{kills:?}");
        assert!(place.good(&["audit", "verify"]).contains("the audit is whole"));
    }
}

/// The demo over a real directory: its arguments, and the password beside them.
fn over(place: &Place, slapd: &Slapd) -> std::process::Command {
    let ca = slapd.ca_file.to_string_lossy().into_owned();
    let mut command = place.command(&["--json", "demo", "--once", "--people", PEOPLE]);
    command.args(["--ldap", &slapd.url, "--ldap-bind", &slapd.bind_dn, "--ldap-base", &slapd.suffix]);
    command.args(["--ldap-ca", &ca]).env("IDENTITYMESH_DEMO_LDAP_PASSWORD", PASSWORD);
    command
}

fn slapd() -> Option<Slapd> {
    Slapd::start(SlapdOptions { password: PASSWORD.into(), ..SlapdOptions::default() })
}

fn play_over(place: &Place, slapd: &Slapd) -> Json {
    let output = over(place, slapd).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn a_real_directory_is_filled_and_the_password_is_nowhere() {
    let Some(slapd) = slapd() else { return };
    let place = Place::new();
    let first = play_over(&place, &slapd);
    let entries = slapd.search(&slapd.suffix, "(objectClass=inetOrgPerson)", &["employeeNumber"]).unwrap();
    let found: BTreeSet<String> = entries
        .values()
        .map(|attributes| String::from_utf8(attributes["employeeNumber"][0].clone()).unwrap())
        .collect();
    let expected: BTreeSet<String> = accounts(&place).into_iter().map(|(id, _, _)| id).collect();
    assert_eq!(found, expected, "every account is an entry too");
    assert_eq!(sent(&first["again"]), 0);
    assert_eq!(play_over(&place, &slapd), first);
    let leaks = files_containing(&place.data(), PASSWORD.as_bytes()).unwrap();
    assert!(leaks.is_empty(), "{leaks:?}");
}

#[test]
fn killed_anywhere_a_real_directory_ends_the_same() {
    let (Some(calm), Some(shaken)) = (slapd(), slapd()) else { return };
    let everything = |slapd: &Slapd| slapd.search(&slapd.suffix, "(objectClass=*)", &["*"]).unwrap();
    play_over(&Place::new(), &calm);
    let place = Place::new();
    for milliseconds in [120, 250, 400, 180, 320, 600, 220] {
        let mut child = over(&place, &shaken)
            .stdout(std::process::Stdio::null())
            .stderr(std::process::Stdio::null())
            .spawn()
            .unwrap();
        std::thread::sleep(Duration::from_millis(milliseconds));
        child.kill().unwrap();
        child.wait().unwrap();
    }
    let answer = play_over(&place, &shaken);
    assert_eq!(sent(&answer["again"]), 0);
    assert_eq!(everything(&shaken), everything(&calm));
    assert!(place.good(&["audit", "verify"]).contains("the audit is whole"));
}

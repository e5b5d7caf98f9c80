//! A real OpenLDAP, started and read back by the test kit itself; other systems beside it.

use std::fs;

use identitymesh_testkit::real::{SessionLog, Slapd, SlapdOptions};
use identitymesh_testkit::temp;

const PEOPLE: &str = "dn: ou=people,dc=mesh,dc=test\nobjectClass: organizationalUnit\nou: people\n\n\
    dn: cn=reader,dc=mesh,dc=test\nobjectClass: organizationalRole\nobjectClass: simpleSecurityObject\n\
    cn: reader\nuserPassword: reader-secret\n\n\
    dn: uid=ana,ou=people,dc=mesh,dc=test\nobjectClass: inetOrgPerson\nuid: ana\ncn: Ana\nsn:: TsO6w7Fleg==\n";

const READER: (&str, &str) = ("cn=reader,dc=mesh,dc=test", "reader-secret");
const ALL: &str = "(objectClass=*)";

fn with_people(size_limit: Option<u32>) -> SlapdOptions {
    SlapdOptions { initial_ldif: PEOPLE.to_owned(), size_limit, ..SlapdOptions::default() }
}

#[test]
fn a_new_directory_holds_its_suffix_and_nothing_else() {
    let Some(slapd) = Slapd::start(SlapdOptions::default()) else { return };
    let entries = slapd.search(&slapd.suffix, ALL, &[]).unwrap();
    assert_eq!(entries.keys().collect::<Vec<_>>(), ["dc=mesh,dc=test"]);
}

#[test]
fn entries_are_read_back_with_every_byte() {
    let Some(slapd) = Slapd::start(with_people(None)) else { return };
    let entries = slapd.search(&slapd.suffix, "(uid=ana)", &["sn", "entryUUID"]).unwrap();
    let ana = &entries["uid=ana,ou=people,dc=mesh,dc=test"];
    assert_eq!(ana["sn"], ["Núñez".as_bytes()]);
    assert_eq!(ana["entryUUID"][0].len(), 36);
}

#[test]
fn a_killed_server_comes_back_with_its_data_and_at_its_address() {
    let Some(mut slapd) = Slapd::start(with_people(None)) else { return };
    let url = slapd.url.clone();
    let before = slapd.search(&slapd.suffix, ALL, &["*", "+"]).unwrap();
    slapd.stop();
    assert!(slapd.search(&slapd.suffix, ALL, &[]).is_err());
    slapd.restart().unwrap();
    assert_eq!(slapd.url, url);
    assert_eq!(slapd.search(&slapd.suffix, ALL, &["*", "+"]).unwrap(), before);
}

#[test]
fn both_kinds_of_tls_work_with_the_servers_own_authority_only() {
    let Some(mut slapd) = Slapd::start(SlapdOptions::default()) else { return };
    assert_eq!(slapd.search_over_ldaps().unwrap().len(), 1);
    assert_eq!(slapd.search_over_start_tls().unwrap().len(), 1);

    let Some(other) = Slapd::start(SlapdOptions::default()) else { return };
    slapd.ca_file.clone_from(&other.ca_file);
    assert!(slapd.search_over_ldaps().is_err());
    assert!(slapd.search_over_start_tls().is_err());
}

#[test]
fn a_server_without_tls_refuses_it() {
    let Some(slapd) = Slapd::start(SlapdOptions { tls: false, ..SlapdOptions::default() }) else { return };
    assert_eq!(slapd.search(&slapd.suffix, ALL, &[]).unwrap().len(), 1);
    assert!(slapd.search_over_ldaps().is_err());
    assert!(slapd.search_over_start_tls().is_err());
}

#[test]
fn the_size_limit_binds_everyone_but_the_administrator() {
    let Some(slapd) = Slapd::start(with_people(Some(3))) else { return };
    assert_eq!(slapd.search(&slapd.suffix, ALL, &[]).unwrap().len(), 4);
    assert_eq!(slapd.search_as(READER, &slapd.suffix, "(|(ou=*)(cn=*))").unwrap().len(), 3);
    let error = slapd.search_as(READER, &slapd.suffix, ALL).unwrap_err().to_string();
    assert!(error.contains("Size limit exceeded"), "{error}");
}

#[test]
fn a_wrong_password_and_a_missing_base_are_errors() {
    let Some(slapd) = Slapd::start(with_people(None)) else { return };
    let error = slapd.search_as((READER.0, "wrong"), &slapd.suffix, ALL).unwrap_err().to_string();
    assert!(error.contains("Invalid credentials"), "{error}");
    let error = slapd.search("ou=none,dc=mesh,dc=test", ALL, &[]).unwrap_err().to_string();
    assert!(error.contains("No such object"), "{error}");
}

#[test]
fn a_frozen_server_answers_when_it_is_thawed() {
    let Some(mut slapd) = Slapd::start(SlapdOptions::default()) else { return };
    slapd.freeze().unwrap();
    let waiting = std::thread::scope(|scope| {
        let search = scope.spawn(|| slapd.search(&slapd.suffix, ALL, &[]));
        std::thread::sleep(std::time::Duration::from_millis(300));
        let is_waiting = !search.is_finished();
        slapd.thaw().unwrap();
        (is_waiting, search.join().unwrap().unwrap().len())
    });
    assert_eq!(waiting, (true, 1));
    slapd.stop();
    assert!(slapd.freeze().is_err());
}

#[test]
fn servers_stand_side_by_side_and_end_with_their_tests() {
    let other_suffix = SlapdOptions { suffix: "o=Other Company".to_owned(), ..SlapdOptions::default() };
    let (Some(one), Some(two)) = (Slapd::start(SlapdOptions::default()), Slapd::start(other_suffix)) else {
        return;
    };
    assert_ne!(one.url, two.url);
    assert_eq!(two.search("o=Other Company", ALL, &["o"]).unwrap().len(), 1);
    let (address, folder) = (one.url.clone(), one.ca_file.parent().unwrap().to_owned());
    drop(one);
    let address = address.trim_start_matches("ldap://");
    assert!(std::net::TcpStream::connect(address).is_err());
    assert!(!folder.exists());
}

#[test]
fn a_planted_value_is_found_in_the_files_of_the_directory() {
    let Some(slapd) = Slapd::start(with_people(None)) else { return };
    let folder = slapd.ca_file.parent().unwrap();
    let found = identitymesh_testkit::bytes::files_containing(folder, b"reader-secret").unwrap();
    assert!(found.contains(&folder.join("data/data.mdb")), "{found:?}");
}

#[test]
fn entries_that_the_server_cannot_hold_are_refused_with_its_words() {
    let initial_ldif =
        "dn: cn=x,dc=mesh,dc=test\nobjectClass: organizationalRole\ncn: x\nnoSuchName: 1\n".to_owned();
    let start = || Slapd::start(SlapdOptions { initial_ldif, ..SlapdOptions::default() });
    match std::panic::catch_unwind(start) {
        Ok(started) => assert!(started.is_none(), "the server took an unknown attribute"),
        Err(panic) => {
            let message = panic.downcast_ref::<String>().unwrap();
            assert!(message.contains("noSuchName"), "{message}");
        }
    }
}

#[test]
fn a_directory_is_private_and_vanishes() {
    let directory = temp::directory();
    let path = directory.path().to_owned();
    fs::write(path.join("a"), "b").unwrap();
    drop(directory);
    assert!(!path.exists());
}

fn cookies(slapd: &Slapd) -> Vec<String> {
    let found = slapd.search(&slapd.suffix, "(objectClass=dcObject)", &["contextCSN"]).unwrap();
    let values = found[&slapd.suffix].get("contextCSN").cloned().unwrap_or_default();
    values.into_iter().map(|value| String::from_utf8(value).unwrap()).collect()
}

#[test]
fn a_server_that_tells_changes_marks_them_and_remembers_deletions_over_a_restart() {
    let options = SlapdOptions { sync: Some(SessionLog::AccessLog), member_of: true, ..with_people(None) };
    let Some(mut slapd) = Slapd::start(options) else { return };
    let before = cookies(&slapd);
    let ana = "uid=ana,ou=people,dc=mesh,dc=test";
    slapd
        .modify(&format!(
            "dn: cn=all,{0}\nchangetype: add\nobjectClass: groupOfNames\ncn: all\nmember: {ana}\n\n\
             dn: cn=reader,{0}\nchangetype: delete\n",
            slapd.suffix
        ))
        .unwrap();
    let after = cookies(&slapd);
    assert_eq!((before.len(), after.len()), (1, 1));
    assert!(after[0] > before[0], "{before:?} {after:?}");
    slapd.restart().unwrap();
    assert_eq!(cookies(&slapd), after);
    let deletions = slapd.search("cn=accesslog", "(objectClass=auditDelete)", &["reqDN"]).unwrap();
    assert_eq!(deletions.len(), 1);
    let member = slapd.search(ana, "(objectClass=*)", &["memberOf"]).unwrap();
    assert_eq!(member[ana]["memberOf"], ["cn=all,dc=mesh,dc=test".as_bytes()]);
    assert!(slapd.modify("dn: cn=none,dc=mesh,dc=test\nchangetype: delete\n").is_err());
}

#[test]
fn a_plain_server_marks_nothing() {
    let Some(slapd) = Slapd::start(SlapdOptions::default()) else { return };
    assert!(cookies(&slapd).is_empty());
}

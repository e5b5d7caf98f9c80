//! A real 389 Directory Server, started and read back by the test kit itself.

use identitymesh_testkit::real::{Ds389, Ds389Options};

const PEOPLE: &str = "dn: ou=people,dc=mesh,dc=test\nobjectClass: organizationalUnit\nou: people\n\n\
    dn: uid=ana,ou=people,dc=mesh,dc=test\nobjectClass: inetOrgPerson\nuid: ana\ncn: Ana\nsn:: TsO6w7Fleg==\n\n";

#[test]
fn a_server_holds_its_entries_records_changes_and_comes_back_after_a_kill() {
    let options = Ds389Options { initial_ldif: PEOPLE.to_owned(), ..Ds389Options::default() };
    let Some(mut server) = Ds389::start(options) else { return };
    let ana = "uid=ana,ou=people,dc=mesh,dc=test";
    let found = server.search(ana, "(objectClass=*)", &["sn", "nsUniqueId"]).unwrap();
    assert_eq!(found[ana]["sn"], ["Núñez".as_bytes()]);
    assert_eq!(found[ana]["nsUniqueId"][0].len(), 35);
    assert_eq!(server.search_over_ldaps(&server.suffix, "(uid=ana)").unwrap().len(), 1);

    server.modify(&format!("dn: {ana}\nchangetype: modify\nreplace: sn\nsn: Other\n")).unwrap();
    let url = server.url.clone();
    server.kill();
    assert!(server.search(ana, "(objectClass=*)", &[]).is_err());
    server.restart().unwrap();
    assert_eq!(server.url, url);
    let log = server.search("cn=changelog", "(changeNumber=*)", &["targetDN", "targetUniqueId"]).unwrap();
    let (_, record) = log.iter().next().unwrap();
    assert_eq!(record["targetDN"], [ana.as_bytes()]);
    assert_eq!(record["targetUniqueId"], found[ana]["nsUniqueId"]);

    let error = server.search_as((ana, "wrong"), &server.suffix, "(uid=ana)").unwrap_err().to_string();
    assert!(error.contains("nvalid credentials"), "{error}");
    let refused =
        server.modify(&format!("dn: {ana}\nchangetype: modify\nreplace: noSuchName\nnoSuchName: 1\n"));
    assert!(refused.is_err());
}

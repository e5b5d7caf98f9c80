//! Reading everything.

use identitymesh_connector::{Class, ImportMode, ImportRequest, Watermark};
use identitymesh_model::{AttributeType, Value, Values};
use serde_json::json;

use crate::support::{connect, context, import, name, people, person, references, session, set, start};

#[tokio::test(flavor = "multi_thread")]
async fn every_entry_comes_once_over_many_pages_with_certificates() {
    let Some(slapd) = start(&people(250)) else { return };
    let mut session = connect(&slapd, &context(), json!({"page_size": 40})).await.unwrap();
    let imported = import(session.as_mut(), &["user", "group", "orgUnit"]).await.unwrap();
    assert_eq!((imported.pages, imported.findings.len()), (7 + 1 + 1, 0));
    let certified: Vec<_> =
        imported.certificates.iter().map(|one| (one.object_type.as_str(), one.objects)).collect();
    assert_eq!(certified, [("user", 250), ("group", 0), ("orgUnit", 2)]);
    assert!(imported.certificates.iter().all(|one| one.is_complete()));
    let independent = slapd.search("dc=mesh,dc=test", "(objectClass=inetOrgPerson)", &["entryUUID"]).unwrap();
    for (dn, attributes) in independent {
        let object = imported.object(&dn);
        let uuid = std::str::from_utf8(&attributes["entryUUID"][0]).unwrap();
        assert_eq!(object.single(name("entryUUID")), Some(&Value::text(uuid)));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn values_have_the_types_of_the_servers_schema() {
    let group = "dn: cn=all,ou=groups,dc=mesh,dc=test\nobjectClass: groupOfNames\ncn: all\n\
        member: uid=ana,ou=people,dc=mesh,dc=test\nmember: cn=no-members\n\n";
    let ana = person("ana").replace("\n\n", "\njpegPhoto:: /9j/AA==\ndescription: x\ndescription: a\n\n");
    let Some(slapd) = start(&format!("{ana}{group}")) else { return };
    let settings = json!({"types": {"user": {"attributes": {"cn": "string", "createTimestamp": "datetime"}}, "group": {}}});
    let mut session = connect(&slapd, &context(), settings).await.unwrap();
    let schema = session.schema().await.unwrap();
    let user = schema.object_type(name("user")).unwrap();
    let kind = |attribute| user.attribute(name(attribute)).unwrap().kind.to_string();
    assert_eq!(user.address, Some(name("dn")));
    assert_eq!(kind("dn"), "string");
    assert_eq!((kind("cn").as_str(), kind("sn").as_str()), ("string", "string[]"));
    assert_eq!((kind("manager").as_str(), kind("jpegPhoto").as_str()), ("reference[]", "binary[]"));
    assert_eq!((kind("employeeNumber").as_str(), kind("createTimestamp").as_str()), ("string", "datetime"));
    assert!(user.attribute(name("entryUUID")).unwrap().read_only);
    assert!(user.attribute(name("userPassword")).is_none());
    assert!(user.attribute(name("mail")).unwrap().ignore_case);
    assert_ne!(
        user.attribute(name("cn")).unwrap().kind,
        AttributeType { multi: true, ..AttributeType::STRING }
    );

    let imported = import(session.as_mut(), &["user", "group"]).await.unwrap();
    let ana = imported.object("uid=ana,ou=people,dc=mesh,dc=test");
    assert_eq!(ana.get(name("cn")), Some(&Values::from("Person ana")));
    assert_eq!(ana.get(name("description")), Some(&set(&["a", "x"])));
    assert_eq!(
        ana.get(name("jpegPhoto")).unwrap().as_slice(),
        [Value::Binary(vec![0xff, 0xd8, 0xff, 0x00].into())]
    );
    assert!(matches!(ana.single(name("createTimestamp")), Some(Value::DateTime(_))));
    let group = imported.object("cn=all,ou=groups,dc=mesh,dc=test");
    assert_eq!(group.get(name("member")), Some(&references(&["uid=ana,ou=people,dc=mesh,dc=test"])));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_value_that_does_not_fit_is_a_finding_and_the_rest_stays() {
    let Some(slapd) = start(&person("ana").replace("sn: ana", "sn: ana\nsn: anna\nemployeeNumber: E7"))
    else {
        return;
    };
    let settings = json!({"types": {"user": {"attributes": {"sn": "string", "employeeNumber": "integer"}}}});
    let mut session = connect(&slapd, &context(), settings).await.unwrap();
    let imported = import(session.as_mut(), &["user"]).await.unwrap();
    let mut messages: Vec<&str> = imported.findings.iter().map(|finding| finding.message.as_str()).collect();
    messages.sort_unstable();
    assert_eq!(
        messages,
        [
            "employeeNumber: \"E7\" is no 64-bit integer",
            "sn: 2 values where the schema has one; declare it with []"
        ]
    );
    assert!(imported.findings.iter().all(|one| one.code == "LDP-021" && one.external_id.is_some()));
    assert_eq!(imported.objects[0].attributes.get(name("uid")), Some(&set(&["ana"])));
    assert!(imported.certificates[0].is_complete());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_nearest_statement_about_a_container_decides() {
    let inner = "dn: ou=old,ou=people,dc=mesh,dc=test\nobjectClass: organizationalUnit\nou: old\n\n";
    let old = person("bob").replace("ou=people", "ou=old,ou=people");
    let Some(slapd) = start(&format!("{}{inner}{old}", person("ana"))) else { return };
    let settings =
        json!({"include": ["ou=People,dc=mesh,dc=test"], "exclude": ["ou=old,ou=people,dc=mesh,dc=test"]});
    let mut session = connect(&slapd, &context(), settings).await.unwrap();
    let imported = import(session.as_mut(), &["user", "orgUnit"]).await.unwrap();
    let counts: Vec<u64> = imported.certificates.iter().map(|one| one.objects).collect();
    assert_eq!(counts, [1, 1]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_limit_of_the_server_is_a_gap_and_an_unknown_base_an_error() {
    let options = identitymesh_testkit::real::SlapdOptions {
        initial_ldif: format!("{}{}", crate::support::TREE, people(30)),
        size_limit: Some(10),
        ..Default::default()
    };
    let Some(slapd) = identitymesh_testkit::real::Slapd::start(options) else { return };
    let reader = json!({"bind_dn": "cn=reader,dc=mesh,dc=test", "bind_password": "reader-secret"});
    let mut session = connect(&slapd, &context(), reader).await.unwrap();
    let imported = import(session.as_mut(), &["user"]).await.unwrap();
    assert_eq!(imported.objects.len(), 10);
    assert!(!imported.certificates[0].is_complete());
    assert!(imported.certificates[0].gaps[0].contains("sizeLimitExceeded"), "{:?}", imported.certificates);

    let nowhere = json!({"types": {"user": {"base": "ou=none,dc=mesh,dc=test"}}});
    let mut session = connect(&slapd, &context(), nowhere).await.unwrap();
    let error = import(session.as_mut(), &["user"]).await.err().unwrap();
    assert_eq!((error.code, error.class), ("LDP-011", Class::Configuration));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_read_is_refused_at_the_start() {
    let Some(slapd) = start("") else { return };
    let mut session = session(&slapd).await;
    let error = import(session.as_mut(), &["printer"]).await.err().unwrap();
    assert_eq!(error.code, "LDP-016");
    let since = Watermark { version: 1, body: String::new() };
    let request =
        ImportRequest { mode: ImportMode::Delta { since }, object_types: vec![], page_size_max: 10 };
    let error = session.importer().unwrap().begin(request).await.unwrap_err();
    assert_eq!((error.code, error.class), ("CON-010", Class::Conflict));
    assert_eq!(session.importer().unwrap().next_page().await.unwrap_err().class, Class::Bug);
    let settings = json!({"types": {"user": {"object_class": ["inetOrgPerson", "noSuchClass"]}}});
    let mut session = connect(&slapd, &context(), settings).await.unwrap();
    let error = session.schema().await.unwrap_err();
    assert_eq!((error.code, error.class), ("LDP-015", Class::Configuration));
    assert!(error.message.contains("noSuchClass"));
}

//! Change files, written and read.

use crate::export::{codes, create, delete, identity, replace, update};
use crate::support::{Place, entries, name, object, set};
use identitymesh_connector::{AttributeChange, Change, ChangeKind, OperationKind, Patch};
use identitymesh_connector_file::FileKind;
use identitymesh_model::{Value, Values};
use serde_json::json;

fn operations() -> Vec<OperationKind> {
    let teams = ChangeKind::AddRemove { add: vec!["c".into()], remove: vec!["a".into(), "b".into()] };
    vec![
        create(object([("dn", "uid=1,dc=test".into()), ("uid", "1".into()), ("cn", set(["a", "b"]))])),
        update(
            "uid=2,dc=test",
            vec![
                replace("sn", Some("x"), Some("y, z")),
                replace("mail", Some("m"), None),
                AttributeChange { name: name("cn"), kind: teams },
            ],
        ),
        delete("uid=3,dc=test"),
        create(object([("uid", "no key".into())])),
    ]
}

fn settings() -> serde_json::Value {
    json!({ "export": "changes", "changes_folder": "out", "key": "dn", "attributes": { "cn": "string[]", "sn": "string", "mail": "string", "uid": "string" } })
}

#[tokio::test]
async fn each_batch_is_a_file_of_its_own() {
    for (kind, file, expected) in [
        (
            FileKind::csv(),
            "people.csv",
            "operation,object_type,external_id,action,attribute,value\n\
             create,user,\"uid=1,dc=test\",set,cn,a\ncreate,user,\"uid=1,dc=test\",set,cn,b\n\
             create,user,\"uid=1,dc=test\",set,dn,\"uid=1,dc=test\"\ncreate,user,\"uid=1,dc=test\",set,uid,1\n\
             update,user,\"uid=2,dc=test\",set,sn,\"y, z\"\nupdate,user,\"uid=2,dc=test\",clear,mail,\n\
             update,user,\"uid=2,dc=test\",remove,cn,a\nupdate,user,\"uid=2,dc=test\",remove,cn,b\n\
             update,user,\"uid=2,dc=test\",add,cn,c\ndelete,user,\"uid=3,dc=test\",,,\n",
        ),
        (
            FileKind::json(),
            "people.jsonl",
            concat!(
                r#"{"external_id":"uid=1,dc=test","object_type":"user","operation":"create","set":{"cn":["a","b"],"dn":"uid=1,dc=test","uid":"1"}}"#,
                "\n",
                r#"{"add":{"cn":["c"]},"external_id":"uid=2,dc=test","object_type":"user","operation":"update","remove":{"cn":["a","b"]},"set":{"mail":null,"sn":"y, z"}}"#,
                "\n",
                r#"{"external_id":"uid=3,dc=test","object_type":"user","operation":"delete"}"#,
                "\n"
            ),
        ),
        (
            FileKind::ldif(),
            "people.ldif",
            "version: 1\n\ndn: uid=1,dc=test\nchangetype: add\ncn: a\ncn: b\nuid: 1\n\n\
             dn: uid=2,dc=test\nchangetype: modify\nreplace: sn\nsn: y, z\n-\nreplace: mail\n-\n\
             delete: cn\ncn: a\ncn: b\n-\nadd: cn\ncn: c\n-\n\ndn: uid=3,dc=test\nchangetype: delete\n",
        ),
    ] {
        let place = Place::new(kind, file, settings());
        std::fs::create_dir(place.path("out")).unwrap();
        for batch in 1..=2 {
            assert_eq!(
                codes(&place.export(operations()).await),
                ["applied", "applied", "applied", "FIL-007"]
            );
            let files = entries(&place.path("out"));
            assert_eq!(files.len(), batch);
            let text = std::fs::read_to_string(place.path("out").join(&files[batch - 1])).unwrap();
            assert_eq!(text, expected, "{file}");
        }
        let mut session = place.open().await;
        assert_eq!(session.exporter().unwrap().read_back(name("user"), &identity("x")).await.unwrap(), None);
    }
}

#[tokio::test]
async fn ldif_changes_that_were_written_read_back() {
    let mut place = Place::new(FileKind::ldif(), "people.ldif", settings());
    std::fs::create_dir(place.path("out")).unwrap();
    place.export(operations()).await;
    place.set("path", json!("out/changes-000000001.ldif")).set("content", json!("changes"));
    let imported = place.import().await;
    assert_eq!(
        (imported.findings.len(), imported.certificates.len()),
        (0, 0),
        "a change file proves no absence"
    );
    let [Change::Upsert(made), Change::Patch(patch), Change::Delete { external_id, .. }] =
        imported.changes.as_slice()
    else {
        panic!("{:?}", imported.changes)
    };
    assert_eq!((made.external_id.as_str(), external_id.as_str()), ("uid=1,dc=test", "uid=3,dc=test"));
    let expected = Patch {
        object_type: name("user"),
        external_id: "uid=2,dc=test".into(),
        set: vec![(name("sn"), Some("y, z".into())), (name("mail"), None)],
        add: vec![(name("cn"), vec!["c".into()])],
        remove: vec![(name("cn"), vec![Value::text("a"), Value::text("b")])],
    };
    assert_eq!(patch, &expected);
}

#[tokio::test]
async fn change_records_that_cannot_be_used_are_findings() {
    let place = Place::new(
        FileKind::ldif(),
        "people.ldif",
        json!({ "key": "uid", "content": "changes", "attributes": { "sn": "string" } }),
    );
    place.write(
        "dn: cn=x,dc=test\nchangetype: delete\n\ndn: uid=1,dc=test\nchangetype: modrdn\nnewrdn: uid=2\n\n\
         dn: uid=3,dc=test\nchangetype: modrdn\nnewrdn: uid=3\nnewsuperior: ou=new,dc=test\n\n\
         dn: uid=4,dc=test\nchangetype: modify\nincrement: sn\nsn: 1\n\ndn: uid=5,dc=test\nsn: x\n\n\
         dn: uid=6,dc=test\nchangetype: modify\ndelete: sn\nsn: a\n-\nadd: sn\nsn: b\n-\n\n\
         dn: uid=7,dc=test\nchangetype: modify\nreplace: sn\nmail: b\n-\n",
    );
    let imported = place.import().await;
    assert_eq!(imported.codes(), ["FIL-023"; 5]);
    let [Change::Patch(moved), Change::Patch(set)] = imported.changes.as_slice() else {
        panic!("{:?}", imported.changes)
    };
    assert_eq!(moved.set, [(name("dn"), Some(Values::from("uid=3,ou=new,dc=test")))]);
    assert_eq!((set.external_id.as_str(), &set.set), ("6", &vec![(name("sn"), Some("b".into()))]));
    let mut content = place;
    content.set("content", json!("entries"));
    assert_eq!(content.import().await.codes()[0], "FIL-023");
}

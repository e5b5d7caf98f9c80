//! LDIF as a target: addresses, containers, renames.

use crate::export::{codes, delete, replace};
use crate::support::{Place, name, object, set};
use identitymesh_connector::{AttributeChange, Identity, OperationKind, Outcome};
use identitymesh_connector_file::FileKind;
use identitymesh_model::{Object, Value, Values};
use serde_json::json;

fn place(key: &str) -> Place {
    let settings = json!({
        "export": "full", "key": key,
        "attributes": { "cn": "string[]", "manager": "reference", "photo": "binary" },
        "types": { "user": { "object_class": "inetOrgPerson" } },
    });
    Place::new(FileKind::ldif(), "people.ldif", settings)
}

fn person(uid: &str, container: &str) -> Object {
    object([
        ("dn", format!("uid={uid},{container}").as_str().into()),
        ("objectClass", set(["inetOrgPerson", "top"])),
        ("uid", uid.into()),
        ("sn", "Lee".into()),
    ])
}

fn create(attributes: Object) -> OperationKind {
    OperationKind::Create { attributes, create_container: true, password: None }
}

fn move_to(key: &str, address: &str, changes: Vec<AttributeChange>) -> OperationKind {
    OperationKind::Update {
        identity: Identity { external_id: key.into(), address: None },
        new_address: Some(address.into()),
        create_container: true,
        changes,
    }
}

#[tokio::test]
async fn containers_are_made_and_stand_before_what_they_hold() {
    let place = place("uid");
    let mut ann = person("ann", "ou=Sales,ou=people,dc=mesh,dc=test");
    ann.set(name("manager"), Values::One(Value::reference("uid=ben,ou=people,dc=mesh,dc=test")));
    ann.set(name("photo"), Values::One(Value::Binary([0, 1, 255].into())));
    ann.set(name("cn"), set([" leading", "ends ", "ünï", "x".repeat(200).as_str(), ":colon", "two\nlines"]));
    let outcomes =
        place.export(vec![create(ann.clone()), create(person("ben", "ou=people,dc=mesh,dc=test"))]).await;
    assert_eq!(codes(&outcomes), ["applied", "applied"]);
    let imported = place.import().await;
    assert_eq!((imported.object("ann"), imported.findings.len()), (&ann, 0));
    let text = place.text();
    let dns: Vec<&str> = text.lines().filter(|line| line.starts_with("dn: ")).collect();
    assert_eq!(
        dns,
        [
            "dn: ou=people,dc=mesh,dc=test",
            "dn: ou=Sales,ou=people,dc=mesh,dc=test",
            "dn: uid=ann,ou=Sales,ou=people,dc=mesh,dc=test",
            "dn: uid=ben,ou=people,dc=mesh,dc=test",
        ]
    );
    assert!(text.lines().all(|line| line.len() <= 76), "{text}");
}

#[tokio::test]
async fn a_rename_takes_the_naming_attribute_along_and_a_move_makes_containers() {
    let place = place("dn");
    place.export(vec![create(person("ann", "ou=people,dc=test"))]).await;
    let change = vec![replace("sn", Some("Lee"), Some("Ray"))];
    let outcomes =
        place.export(vec![move_to("uid=ann,ou=people,dc=test", "uid=ann2,ou=New,dc=test", change)]).await;
    let [Outcome::Applied(written)] = outcomes.as_slice() else { panic!("{outcomes:?}") };
    assert_eq!(written.external_id.as_deref(), Some("uid=ann2,ou=New,dc=test"));
    let mut expected = person("ann2", "ou=New,dc=test");
    expected.set(name("sn"), "Ray");
    let imported = place.import().await;
    assert_eq!(imported.object("uid=ann2,ou=New,dc=test"), &expected);
    assert_eq!(imported.changes.len(), 1);
    assert!(place.text().contains("dn: ou=New,dc=test\n"));
}

#[tokio::test]
async fn what_is_below_moves_along() {
    let place = place("uid");
    let below = "uid=ann,dc=test";
    let made = vec![
        create(person("ann", "dc=test")),
        create(person("dev\\, ice", below)),
        create(person("other", "dc=test")),
    ];
    assert_eq!(codes(&place.export(made).await), ["FIL-021", "FIL-021", "FIL-021"].map(|_| "applied"));
    let outcomes = place
        .export(vec![
            move_to("ann", "uid=ann,uid=dev\\, ice,uid=ann,dc=test", vec![]),
            move_to("ann", "uid=other,dc=test", vec![]),
            delete("ann"),
            move_to("ann", "uid=ann,o=New,dc=test", vec![]),
        ])
        .await;
    // The second would take the naming attribute, and so the key, of another object.
    assert_eq!(codes(&outcomes), ["FIL-022", "FIL-018", "FIL-022", "applied"]);
    let imported = place.import().await;
    let moved = imported.objects().into_iter().find(|object| object.external_id.starts_with("dev")).unwrap();
    assert_eq!(moved.attributes.single(name("dn")), Some(&"uid=dev\\, ice,uid=ann,o=New,dc=test".into()));
    assert_eq!(imported.changes.len(), 3);
}

#[tokio::test]
async fn an_address_is_taken_once_and_found_in_any_spelling() {
    let place = place("uid");
    place.export(vec![create(person("ann", "dc=test"))]).await;
    let mut twin = person("twin", "dc=test");
    twin.set(name("dn"), "UID=Ann, DC=test");
    assert_eq!(codes(&place.export(vec![create(twin)]).await), ["FIL-022"]);
    let mut session = place.open().await;
    let identity = Identity { external_id: "gone".into(), address: Some("UID=ANN,dc=TEST".into()) };
    let found = session.exporter().unwrap().read_back(name("user"), &identity).await.unwrap();
    assert_eq!(found.unwrap().external_id, "ann");
}

#[tokio::test]
async fn entries_of_other_types_and_other_attributes_stay() {
    let place = place("uid");
    place.write(
        "dn: dc=test\nobjectClass: domain\ndc: test\n\ndn: uid=ann,dc=test\nobjectClass: inetOrgPerson\nuid: ann\nsn: Lee\n",
    );
    let outcomes = place.export(vec![create(person("ben", "dc=test"))]).await;
    assert_eq!(codes(&outcomes), ["applied"]);
    assert!(
        place.text().starts_with("version: 1\n\ndn: dc=test\nobjectClass: domain\ndc: test\n\n"),
        "{}",
        place.text()
    );
    assert_eq!(place.import().await.changes.len(), 2);
}

//! Full exports: the file is the target's content.

use crate::support::{Place, entries, export, name, object, set};
use identitymesh_connector::{AttributeChange, ChangeKind, Class, Identity, OperationKind, Outcome};
use identitymesh_connector_file::FileKind;
use identitymesh_model::{Object, Value, Values};
use serde_json::json;

pub(crate) fn create(attributes: Object) -> OperationKind {
    OperationKind::Create { attributes, create_container: false, password: None }
}

pub(crate) fn identity(key: &str) -> Identity {
    Identity { external_id: key.into(), address: None }
}

pub(crate) fn replace(word: &str, old: Option<&str>, new: Option<&str>) -> AttributeChange {
    AttributeChange {
        name: name(word),
        kind: ChangeKind::Replace { old: old.map(Values::from), new: new.map(Values::from) },
    }
}

pub(crate) fn update(key: &str, changes: Vec<AttributeChange>) -> OperationKind {
    OperationKind::Update { identity: identity(key), new_address: None, create_container: false, changes }
}

pub(crate) fn delete(key: &str) -> OperationKind {
    OperationKind::Delete { identity: identity(key) }
}

pub(crate) fn code(outcome: &Outcome) -> &'static str {
    match outcome {
        Outcome::Applied(_) => "applied",
        Outcome::AlreadySo(_) => "already",
        Outcome::Refused { code, .. } | Outcome::Conflict { code, .. } => code,
        other => panic!("{other:?}"),
    }
}

pub(crate) fn codes(outcomes: &[Outcome]) -> Vec<&'static str> {
    outcomes.iter().map(code).collect()
}

fn person(key: &str, sn: &str) -> Object {
    object([("id", key.into()), ("sn", sn.into())])
}

fn places() -> [Place; 3] {
    let full = json!({ "export": "full", "key": "id", "attributes": { "teams": "string[]" } });
    let lines = Place::new(FileKind::json(), "people.jsonl", full.clone());
    let array = Place::new(FileKind::json(), "people.json", full.clone());
    [Place::csv(full), lines, array]
}

#[tokio::test]
async fn each_format_starts_empty_and_imports_what_was_exported() {
    for place in places() {
        let before = place.import().await;
        assert_eq!((before.changes.len(), before.certificate().is_complete()), (0, true));
        let mut ann = person("1", "Ann, \"A\"\nLee");
        ann.set(name("teams"), set(["a", "b"]));
        let outcomes = place.export(vec![create(person("2", "Ben")), create(ann.clone())]).await;
        assert_eq!(codes(&outcomes), ["applied", "applied"]);
        let Outcome::Applied(written) = &outcomes[0] else { panic!() };
        assert_eq!(written.external_id.as_deref(), Some("2"));
        let imported = place.import().await;
        assert_eq!(imported.keys(), ["1", "2"], "in the order of their keys");
        assert_eq!((imported.object("1"), imported.object("2")), (&ann, &person("2", "Ben")));
        assert!(imported.findings.is_empty() && imported.certificate().is_complete());
        let text = place.text();
        let outcomes =
            place.export(vec![create(ann), update("2", vec![replace("sn", Some("x"), Some("Ben"))])]).await;
        assert_eq!(codes(&outcomes), ["already", "already"]);
        assert_eq!(place.text(), text);
    }
}

#[tokio::test]
async fn operations_compare_before_they_set() {
    for place in places() {
        let first = place.export(vec![create(person("1", "Ann")), create(person("2", "Ben"))]).await;
        assert_eq!(codes(&first), ["applied", "applied"]);
        let outcomes = place
            .export(vec![
                create(person("1", "Other")),
                update("1", vec![replace("sn", Some("Wrong"), Some("New"))]),
                update("9", vec![replace("sn", None, Some("x"))]),
                delete("9"),
                update(
                    "2",
                    vec![replace("sn", Some("Ben"), None), replace("mail", None, Some("b@mesh.test"))],
                ),
                delete("1"),
                delete("1"),
            ])
            .await;
        assert_eq!(
            codes(&outcomes),
            ["FIL-018", "FIL-020", "FIL-019", "already", "applied", "applied", "already"]
        );
        let imported = place.import().await;
        assert_eq!(imported.keys(), ["2"]);
        assert_eq!(imported.object("2"), &object([("id", "2".into()), ("mail", "b@mesh.test".into())]));
    }
}

#[tokio::test]
async fn values_in_and_out_of_sets() {
    for place in places() {
        let mut ann = person("1", "Ann");
        ann.set(name("teams"), set(["a", "b"]));
        place.export(vec![create(ann)]).await;
        let change = |add: &[&str], remove: &[&str]| {
            let values = |texts: &[&str]| texts.iter().map(Value::text).collect();
            let kind = ChangeKind::AddRemove { add: values(add), remove: values(remove) };
            update("1", vec![AttributeChange { name: name("teams"), kind }])
        };
        let outcomes = place.export(vec![change(&["c", "a"], &["b", "x"]), change(&["a"], &["b"])]).await;
        assert_eq!(codes(&outcomes), ["applied", "already"]);
        assert_eq!(place.import().await.object("1").get(name("teams")), Some(&set(["a", "c"])));
        assert_eq!(codes(&place.export(vec![change(&[], &["a", "c"])]).await), ["applied"]);
        assert_eq!(place.import().await.object("1").get(name("teams")), None);
    }
}

#[tokio::test]
async fn what_the_format_cannot_hold_is_refused_and_nothing_else() {
    let mut place = Place::csv(json!({
        "export": "full", "encoding": "iso-8859-1", "date_format": "%d.%m.%Y",
        "attributes": { "teams": "string[]", "hired": "datetime" },
    }));
    let with = |key: &str, word: &str, values: Values| {
        let mut object = person(key, "x");
        object.set(name(word), values);
        create(object)
    };
    let noon = Value::DateTime("2026-03-02T12:00:00Z".parse().unwrap());
    let outcomes = place
        .export(vec![
            create(person("1", "Jörg")),
            with("2", "teams", set(["a|b"])),
            with("3", "sn", "Ω".into()),
            with("4", "sn", "".into()),
            with("5", "hired", noon.into()),
            with("6", "sn", set(["a", "b"])),
            with("7", "size", Value::Integer(1).into()),
            create(object([("sn", "nobody".into())])),
        ])
        .await;
    let refused = ["applied", "FIL-021", "FIL-021", "FIL-021", "FIL-021", "FIL-021", "FIL-011", "FIL-007"];
    assert_eq!(codes(&outcomes), refused);
    assert_eq!(place.import().await.keys(), ["1"]);
    place.set("encoding", json!("utf-8")).set("empty_is_absent", json!(false));
    std::fs::remove_file(place.main()).unwrap();
    let outcomes = place.export(vec![with("3", "sn", "Ω".into()), with("4", "sn", "".into())]).await;
    assert_eq!(codes(&outcomes), ["applied", "applied"]);
    assert_eq!(place.import().await.object("4"), &person("4", ""));
}

#[tokio::test]
async fn what_the_schema_does_not_cover_survives() {
    let [mut csv, mut lines, _] = places();
    csv.write("id,sn,note\n1,Ann,\"keep, me\"\n2,Ben,\n");
    lines.write(
        "{\"id\":\"1\",\"sn\":\"Ann\",\"deep\":[{\"a\":[1.50,null]}]}\n{\"id\":\"2\",\"sn\":\"Ben\"}\n",
    );
    for place in [&mut csv, &mut lines] {
        let mut schema = place.open().await.schema().await.unwrap();
        schema.object_types[0].attributes.retain(|attribute| attribute.name != name("note"));
        place.schema = Some(schema);
        let outcomes = place.export(vec![update("1", vec![replace("sn", Some("Ann"), Some("Lee"))])]).await;
        assert_eq!(codes(&outcomes), ["applied"]);
    }
    assert!(csv.text().contains("keep, me") && csv.text().contains("Lee"), "{}", csv.text());
    assert!(
        lines.text().contains("[{\"a\":[1.5,null]}]") && lines.text().contains("Lee"),
        "{}",
        lines.text()
    );
}

#[tokio::test]
async fn a_faulty_file_is_not_written_again() {
    for (place, content) in places().into_iter().zip([
        "id,sn\n1,Ann\n2,\"Ben\n",
        "{\"id\":\"1\"}\n{\"id\":\n",
        "[{\"id\":\"1\"},{\"id\":\"2\"}",
    ]) {
        place.write(content);
        let mut session = place.open().await;
        let error = export(session.as_mut(), vec![create(person("3", "Cyd"))]).await.unwrap_err();
        assert_eq!((error.code, error.class), ("FIL-016", Class::Data));
        assert_eq!(place.text(), content);
    }
    let twice = Place::csv(json!({ "export": "full" }));
    twice.write("id\n1\n1\n");
    let mut session = twice.open().await;
    assert_eq!(export(session.as_mut(), vec![delete("1")]).await.unwrap_err().code, "FIL-016");
}

#[tokio::test]
async fn changes_by_others_between_batches_are_seen() {
    let place = Place::csv(json!({ "export": "full" }));
    let mut session = place.open().await;
    export(session.as_mut(), vec![create(person("1", "Ann"))]).await.unwrap();
    place.write("id,sn\n1,Somebody\n5,Else\n");
    let outcomes =
        export(session.as_mut(), vec![update("1", vec![replace("sn", Some("Ann"), Some("Lee"))])]).await;
    assert_eq!(codes(&outcomes.unwrap()), ["FIL-020"]);
    let exporter = session.exporter().unwrap();
    let found = exporter.read_back(name("user"), &identity("5")).await.unwrap().unwrap();
    assert_eq!((found.external_id.as_str(), &found.attributes), ("5", &person("5", "Else")));
    assert_eq!(exporter.read_back(name("user"), &identity("6")).await.unwrap(), None);
}

#[tokio::test]
async fn exports_have_to_be_allowed() {
    let place = Place::csv(json!({}));
    place.write("id\n1\n");
    assert!(place.open().await.exporter().is_none());
}

#[tokio::test]
async fn a_folder_that_cannot_be_written_keeps_the_old_file() {
    let place = Place::csv(json!({ "export": "full" }));
    place.write("id,sn\n1,Ann\n");
    let mut session = place.open().await;
    // A folder in the place of the temporary file stops the write for every account, the administrator's too.
    std::fs::create_dir_all(place.path(".people.csv.part/x")).unwrap();
    let error = export(session.as_mut(), vec![delete("1")]).await.unwrap_err();
    assert_eq!(error.code, "FIL-017");
    assert!(std::error::Error::source(&error).is_some() && error.advice.is_some());
    assert_eq!(place.text(), "id,sn\n1,Ann\n");
    std::fs::remove_dir_all(place.path(".people.csv.part")).unwrap();
    assert_eq!(codes(&export(session.as_mut(), vec![delete("1")]).await.unwrap()), ["applied"]);
    assert_eq!(
        (place.text().as_str(), entries(place.main().parent().unwrap())),
        ("id,sn\n", vec!["people.csv".to_owned()])
    );
}

#[tokio::test]
async fn a_missing_folder_is_a_setting_to_correct() {
    let place = Place::csv(json!({ "export": "full", "path": "nowhere/people.csv" }));
    let mut session = place.open().await;
    let error = export(session.as_mut(), vec![create(person("1", "x"))]).await.unwrap_err();
    assert_eq!((error.code, error.class), ("FIL-001", Class::Configuration));
}

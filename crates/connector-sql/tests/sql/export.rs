//! Exports to tables as people really have them.

use identitymesh_connector::{
    AttributeChange, ChangeKind, Identity, Operation, OperationKind, Outcome, Session, Written,
};
use identitymesh_model::{ItemId, Name, Object, Text, Values};
use serde_json::json;

use crate::import::Bench;
use crate::subject::name;

pub(crate) async fn send(session: &mut Box<dyn Session>, kind: OperationKind) -> Outcome {
    let operation = Operation { item: ItemId(1), object_type: name("person"), kind };
    session.exporter().unwrap().export(vec![operation]).await.unwrap().remove(0).1
}

pub(crate) fn create(attributes: &[(&'static str, Values)]) -> OperationKind {
    let attributes: Object = attributes.iter().map(|(key, values)| (name(key), values.clone())).collect();
    OperationKind::Create { attributes, create_container: false, password: None }
}

fn replace(external_id: &str, key: &'static str, old: Option<Values>, new: Option<Values>) -> OperationKind {
    OperationKind::Update {
        identity: Identity { external_id: Text::new(external_id), address: None },
        new_address: None,
        create_container: false,
        changes: vec![AttributeChange { name: name(key), kind: ChangeKind::Replace { old, new } }],
    }
}

fn refusal(outcome: Outcome) -> (&'static str, Vec<Name>) {
    match outcome {
        Outcome::Refused { code, attributes, .. } => (code, attributes),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn the_new_number_of_a_row_is_its_external_id() {
    let script = "CREATE TABLE p (id INTEGER PRIMARY KEY, sn TEXT); INSERT INTO p VALUES (41, 'x');";
    let bench = Bench::new(script, json!({ "table": "p", "key": "id" }));
    let mut session = bench.open().await.unwrap();
    let outcome = send(&mut session, create(&[("sn", "Becker".into())])).await;
    assert_eq!(
        outcome,
        Outcome::Applied(Written { external_id: Some(Text::new("42")), ..Written::default() })
    );
    let identity = Identity { external_id: Text::new("42"), address: None };
    let held = session.exporter().unwrap().read_back(name("person"), &identity).await.unwrap().unwrap();
    assert_eq!(held.attributes.single(name("sn")), Some(&"Becker".into()));
}

#[tokio::test]
async fn refusals_name_the_column_in_the_databases_words() {
    let script = "CREATE TABLE p (id TEXT PRIMARY KEY, mail TEXT UNIQUE, sn TEXT NOT NULL, cost DECIMAL(9,2),
        age INTEGER); INSERT INTO p VALUES ('a', 'a@x', 'x', 1, 1);";
    let bench = Bench::new(script, json!({ "table": "p", "key": "id" }));
    let mut session = bench.open().await.unwrap();
    let b = |more: &[(&'static str, Values)]| {
        let mut all = vec![("id", Values::from("b"))];
        all.extend(more.iter().cloned());
        create(&all)
    };
    for (kind, code, attribute) in [
        (b(&[("mail", "a@x".into()), ("sn", "x".into())]), "SQL-020", "mail"),
        (b(&[("mail", "b@x".into())]), "SQL-020", "sn"),
        (b(&[("sn", "x".into()), ("age", "old".into())]), "SQL-021", "age"),
        (b(&[("sn", "x".into()), ("cost", "007".into())]), "SQL-021", "cost"),
        (b(&[("sn", "x".into()), ("nope", "x".into())]), "SQL-026", "nope"),
        (replace("a", "id", Some("a".into()), Some("z".into())), "SQL-022", "id"),
        (replace("a", "sn", Some("x".into()), None), "SQL-020", "sn"),
    ] {
        assert_eq!(refusal(send(&mut session, kind).await), (code, vec![name(attribute)]));
    }
    assert_eq!(bench.sql().query_row("SELECT count(*) FROM p", [], |row| row.get::<_, i64>(0)).unwrap(), 1);
}

#[tokio::test]
async fn named_statements_get_their_parameters_bound() {
    let script = "CREATE TABLE p (id TEXT PRIMARY KEY, sn TEXT, by TEXT); CREATE TABLE bin (id TEXT);";
    let person = json!({
        "query": "SELECT id, sn FROM p", "key": "id",
        "insert_statement": "INSERT INTO p (id, sn, by) VALUES (lower(:id), :sn, 'mesh') RETURNING id",
        "update_statement": "UPDATE p SET sn = :sn WHERE id = :external_id",
        "delete_statement": "INSERT INTO bin VALUES (:external_id)",
    });
    let bench = Bench::new(script, person);
    let mut session = bench.open().await.unwrap();
    let outcome =
        send(&mut session, create(&[("id", "A".into()), ("sn", "x'); DROP TABLE p; --".into())])).await;
    assert_eq!(
        outcome,
        Outcome::Applied(Written { external_id: Some(Text::new("a")), ..Written::default() })
    );
    let stale = send(&mut session, replace("a", "sn", Some("other".into()), Some("y".into()))).await;
    assert!(matches!(stale, Outcome::Conflict { code: "SQL-024", .. }));
    let sound = replace("a", "sn", Some("x'); DROP TABLE p; --".into()), Some("y".into()));
    assert!(matches!(send(&mut session, sound).await, Outcome::Applied(_)));
    let identity = Identity { external_id: Text::new("a"), address: None };
    assert!(matches!(send(&mut session, OperationKind::Delete { identity }).await, Outcome::Applied(_)));
    let row = "SELECT sn || by || (SELECT id FROM bin) FROM p";
    assert_eq!(bench.sql().query_row(row, [], |row| row.get::<_, String>(0)).unwrap(), "ymesha");
}

#[tokio::test]
async fn a_constraint_checked_at_the_end_refuses_only_its_own_item() {
    let script =
        "CREATE TABLE p (id TEXT PRIMARY KEY, boss TEXT REFERENCES p (id) DEFERRABLE INITIALLY DEFERRED);";
    let bench = Bench::new(script, json!({ "table": "p", "key": "id" }));
    let mut session = bench.open().await.unwrap();
    let kinds = [create(&[("id", "a".into())]), create(&[("id", "b".into()), ("boss", "nobody".into())])];
    let operations = (1..).zip(kinds);
    let operations = operations
        .map(|(item, kind)| Operation { item: ItemId(item), object_type: name("person"), kind })
        .collect();
    let answers = session.exporter().unwrap().export(operations).await.unwrap();
    assert!(matches!(answers[0].1, Outcome::Applied(_)));
    assert!(matches!(answers[1].1, Outcome::Refused { code: "SQL-020", .. }));
}

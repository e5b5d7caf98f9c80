//! Databases as the conformance suite sees them: filled, changed and read with plain SQL.

use std::collections::BTreeMap;

use async_trait::async_trait;
use identitymesh_connector::conformance::{Form, Stop, Subject};
use identitymesh_connector::{ConnectorKind, ImportedObject};
use identitymesh_connector_sql::SqliteKind;
use identitymesh_model::{Name, Object, Text, Value, Values};
use rusqlite::{Connection, params};
use serde_json::json;

pub(crate) fn name(text: &'static str) -> Name {
    Name::literal(text)
}

/// How the subject finds what changed.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Delta {
    /// By a column that triggers keep, with a mark on deleted rows.
    Mark,
    /// By a table that triggers fill.
    Log,
}

const TABLES: &str = "
    CREATE TABLE people (
        id TEXT PRIMARY KEY, sn TEXT, mail TEXT UNIQUE, enabled BOOLEAN NOT NULL DEFAULT 1,
        hired DATETIME, photo BLOB, manager TEXT);
    CREATE TABLE memberships (person TEXT, grp TEXT, PRIMARY KEY (person, grp));
";
const MARKS: &str = "
    ALTER TABLE people ADD COLUMN gone INTEGER NOT NULL DEFAULT 0;
    ALTER TABLE people ADD COLUMN changed INTEGER;
    CREATE TRIGGER made AFTER INSERT ON people BEGIN
        UPDATE people SET changed = (SELECT coalesce(max(changed), 0) + 1 FROM people) WHERE id = new.id; END;
    CREATE TRIGGER kept AFTER UPDATE OF sn, mail, enabled, hired, photo, manager, gone ON people BEGIN
        UPDATE people SET changed = (SELECT max(changed) + 1 FROM people) WHERE id = new.id; END;
    CREATE VIEW everybody AS SELECT id, sn, mail, enabled, hired, photo, manager FROM people WHERE gone = 0;
";
const LOG: &str = "
    CREATE TABLE log (seq INTEGER PRIMARY KEY, person TEXT, op TEXT);
    CREATE TRIGGER made AFTER INSERT ON people BEGIN INSERT INTO log (person, op) VALUES (new.id, 'I'); END;
    CREATE TRIGGER kept AFTER UPDATE ON people BEGIN INSERT INTO log (person, op) VALUES (new.id, 'U'); END;
    CREATE TRIGGER lost AFTER DELETE ON people BEGIN INSERT INTO log (person, op) VALUES (old.id, 'D'); END;
    CREATE VIEW everybody AS SELECT * FROM people;
";

pub(crate) struct Database {
    kind: SqliteKind,
    folder: tempfile::TempDir,
    delta: Delta,
}

impl Database {
    pub(crate) fn new(delta: Delta) -> Self {
        let database = Self { kind: SqliteKind::new(), folder: tempfile::tempdir().unwrap(), delta };
        let extra = if delta == Delta::Mark { MARKS } else { LOG };
        database.sql().execute_batch(&format!("PRAGMA journal_mode = WAL; {TABLES} {extra}")).unwrap();
        database
    }

    pub(crate) fn sql(&self) -> Connection {
        Connection::open(self.folder.path().join("hr.db")).unwrap()
    }
}

fn bound(values: Option<&Values>) -> rusqlite::types::Value {
    use rusqlite::types::Value as Sql;
    match values.and_then(Values::single) {
        None => Sql::Null,
        Some(Value::Boolean(truth)) => Sql::Integer(i64::from(*truth)),
        Some(Value::Integer(number)) => Sql::Integer(*number),
        Some(Value::Binary(bytes)) => Sql::Blob(bytes.to_vec()),
        Some(other) => Sql::Text(other.to_string()),
    }
}

#[async_trait]
impl Subject for Database {
    fn kind(&self) -> &dyn ConnectorKind {
        &self.kind
    }

    fn base(&self) -> std::path::PathBuf {
        self.folder.path().to_owned()
    }

    fn written(&self) -> BTreeMap<String, serde_json::Value> {
        let mut person = json!({
            "table": "people", "key": "id", "attributes": { "manager": "reference" },
            "related": [{ "attribute": "groups", "table": "memberships", "key": "person", "value": "grp", "reference": true }],
        });
        if self.delta == Delta::Mark {
            person["watermark_column"] = json!("changed");
            person["deleted_column"] = json!({ "column": "gone", "value": 1 });
        } else {
            person["change_table"] = json!({ "table": "log", "sequence_column": "seq", "key": "person", "operation_column": "op" });
        }
        BTreeMap::from([
            ("path".to_owned(), json!("hr.db")),
            ("types".to_owned(), json!({ "person": person })),
        ])
    }

    fn form(&self) -> Form {
        let groups = ["staff", "O'Hara; --", "x|y"].map(Value::reference);
        Form {
            object_type: name("person"),
            text: name("sn"),
            other: name("mail"),
            multi: Some((name("groups"), groups)),
        }
    }

    fn sample(&self, number: u32) -> Object {
        let mut object = Object::new();
        object.set(name("id"), format!("p{number:03}").as_str());
        object.set(name("sn"), "Andersen");
        object.set(name("mail"), format!("p{number}@x.example").as_str());
        object.set(name("enabled"), number.is_multiple_of(2));
        object.set(name("hired"), Value::DateTime("2026-03-02T08:00:00Z".parse().unwrap()));
        object.set(name("photo"), Value::Binary(vec![0, 1, 0xff].into()));
        object.set(name("manager"), Value::reference("p000"));
        object.put(name("groups"), Values::set(vec![Value::reference("staff")]));
        object
    }

    fn refused(&self) -> Option<Object> {
        let mut object = self.sample(7);
        object.set(name("mail"), "p0@x.example");
        Some(object)
    }

    async fn reset(&self) -> Result<(), Stop> {
        Ok(self.sql().execute_batch("DELETE FROM memberships; DELETE FROM people;")?)
    }

    async fn insert(&self, attributes: &Object) -> Result<Text, Stop> {
        let sql = self.sql();
        let columns = ["id", "sn", "mail", "enabled", "hired", "photo", "manager"].map(Name::literal);
        let values = columns.map(|column| bound(attributes.get(column)));
        let text =
            "INSERT INTO people (id, sn, mail, enabled, hired, photo, manager) VALUES (?, ?, ?, ?, ?, ?, ?)";
        sql.execute(text, rusqlite::params_from_iter(values))?;
        let id = attributes.single(name("id")).map(ToString::to_string).unwrap_or_default();
        for group in attributes.get(name("groups")).map(Values::as_slice).unwrap_or_default() {
            sql.execute("INSERT INTO memberships VALUES (?, ?)", params![id, group.to_string()])?;
        }
        Ok(Text::new(id))
    }

    async fn edit(&self, external_id: &str, attribute: Name, values: Option<Values>) -> Result<(), Stop> {
        let text = format!("UPDATE people SET {attribute} = ? WHERE id = ?");
        self.sql().execute(&text, params![bound(values.as_ref()), external_id])?;
        Ok(())
    }

    async fn erase(&self, external_id: &str) -> Result<(), Stop> {
        let sql = self.sql();
        match self.delta {
            Delta::Mark => sql.execute("UPDATE people SET gone = 1 WHERE id = ?", [external_id])?,
            Delta::Log => {
                sql.execute("DELETE FROM memberships WHERE person = ?", [external_id])?;
                sql.execute("DELETE FROM people WHERE id = ?", [external_id])?
            }
        };
        Ok(())
    }

    async fn inspect(&self) -> Result<Vec<ImportedObject>, Stop> {
        let sql = self.sql();
        let mark = self.delta == Delta::Mark;
        let live = if mark { " WHERE gone = 0" } else { "" };
        let mut statement = sql.prepare(&format!("SELECT * FROM people{live}"))?;
        let mut rows = statement.query([])?;
        let mut objects = Vec::new();
        while let Some(row) = rows.next()? {
            let id: String = row.get("id")?;
            let mut object = Object::new();
            for column in ["id", "sn", "mail"] {
                object.put(
                    Name::literal(column),
                    row.get::<_, Option<String>>(column)?.map(|text| Value::text(text).into()),
                );
            }
            object.set(name("enabled"), row.get::<_, bool>("enabled")?);
            let hired =
                row.get::<_, Option<String>>("hired")?.map(|text| Value::DateTime(text.parse().unwrap()));
            object.put(name("hired"), hired.map(Values::One));
            let photo = row.get::<_, Option<Vec<u8>>>("photo")?.map(|bytes| Value::Binary(bytes.into()));
            object.put(name("photo"), photo.map(Values::One));
            let manager = row.get::<_, Option<String>>("manager")?.map(Value::reference);
            object.put(name("manager"), manager.map(Values::One));
            if mark {
                object.set(name("gone"), row.get::<_, i64>("gone")?);
                object.set(name("changed"), row.get::<_, i64>("changed")?);
            }
            let mut groups = sql.prepare("SELECT grp FROM memberships WHERE person = ?")?;
            let groups =
                groups.query_map([&id], |row| row.get::<_, String>(0))?.collect::<Result<Vec<_>, _>>()?;
            object.put(name("groups"), Values::set(groups.into_iter().map(Value::reference).collect()));
            objects.push(ImportedObject::whole(name("person"), Text::new(id), object));
        }
        Ok(objects)
    }
}

//! A full import says what is gone only of objects that it really did not see.

use std::collections::BTreeMap;
use std::sync::Arc;

use identitymesh_connector::Registry;
use identitymesh_connector_fake::{FakeKind, FakeSystem, Fault};
use identitymesh_model::rules::Configuration;
use identitymesh_model::{
    AttributeSchema, AttributeType, CountingIds, ManualClock, Name, Object, ObjectSchema, Schema, Timestamp,
};
use identitymesh_runner::{ImportKind, Mesh, RunReport, SecretResolver, Silent, apply_configuration, import};
use identitymesh_store_sqlite::{OpenOptions, SqliteStore};
use tokio_util::sync::CancellationToken;

struct NoSecrets;

impl SecretResolver for NoSecrets {
    fn resolve(&self, text: &str) -> Result<String, Box<dyn std::error::Error + Send + Sync>> {
        Ok(text.to_owned())
    }
}

/// An HR system of forty people, imported once.
struct Hr {
    system: FakeSystem,
    mesh: Mesh,
    _folder: tempfile::TempDir,
}

const RULES: &str = r#"
[[mesh.type]]
name = "user"
attributes = { number = "string" }

[[connectors]]
connector = { name = "hr", type = "fake", settings = { system = "hr" } }
create = [{ object_type = "person", mesh_type = "user", anchor = "number" }]
flow = [{ object_type = "person", source = "number", target = "number", confidence = 90 }]
"#;

impl Hr {
    async fn new() -> Self {
        let attributes =
            ["number", "photo"].map(|word| AttributeSchema::new(name(word), AttributeType::STRING));
        let person =
            ObjectSchema { object_type: name("person"), address: None, attributes: attributes.into() };
        let system = FakeSystem::new(Schema { object_types: vec![person] });
        (0..40).for_each(|number| put(&system, number, "small"));
        let folder = tempfile::tempdir().unwrap();
        let ids = Arc::new(CountingIds::default());
        let options = OpenOptions::exclusive(Arc::clone(&ids) as _, Timestamp::EPOCH);
        let mesh = Mesh::open(
            Arc::new(SqliteStore::open(&folder.path().join("store.db"), options).unwrap()),
            Arc::new(ManualClock::new(Timestamp::EPOCH)),
            ids,
            Registry::new().with(FakeKind::new().with_system("hr", system.clone())),
            Arc::new(NoSecrets),
            "test".to_owned(),
            CancellationToken::new(),
            Arc::new(Silent),
        )
        .unwrap();
        let rules: Configuration = toml::from_str(RULES).unwrap();
        apply_configuration(&mesh, rules, BTreeMap::new()).await.unwrap();
        let hr = Self { system, mesh, _folder: folder };
        assert_eq!(hr.import().await.count("added"), 40);
        hr
    }

    async fn import(&self) -> RunReport {
        import(&self.mesh, name("hr"), ImportKind::Full).await.unwrap()
    }
}

fn name(text: &str) -> Name {
    Name::new(text).unwrap()
}

fn put(system: &FakeSystem, number: u32, photo: &str) {
    let number = number.to_string();
    let mut row = Object::new();
    row.set(name("number"), number.as_str());
    row.set(name("photo"), photo);
    system.put(name("person"), &number, row);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_object_beyond_a_bound_is_there_all_the_same() {
    let hr = Hr::new().await;
    put(&hr.system, 7, &"x".repeat(10 << 20));
    hr.system.remove(name("person"), "8");
    let report = hr.import().await;
    assert_eq!((report.count("findings"), report.count("deleted")), (1, 1), "{report:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn ids_that_come_twice_prove_no_absence() {
    let hr = Hr::new().await;
    hr.system.remove(name("person"), "8");
    hr.system.inject(Fault::DuplicateEvery(5));
    let report = hr.import().await;
    assert_eq!((report.count("deleted"), report.count("deletes_unseen")), (0, 1), "{report:?}");
    assert!(report.message.as_deref().unwrap_or_default().contains("came more than once"), "{report:?}");
    hr.system.clear_faults();
    assert_eq!(hr.import().await.count("deleted"), 1);
}

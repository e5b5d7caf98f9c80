//! A mesh for one measurement: a data directory of its own, a made-up source, and a target.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use identitymesh_config::read_directory;
use identitymesh_connector::Registry;
use identitymesh_connector_fake::{ATTRIBUTE_COUNT_MAX, FakeKind, FakeSystem};
use identitymesh_model::{AttributeSchema, AttributeType, Name, ObjectSchema, Schema, ValueType};
use identitymesh_runner::{Silent, apply_configuration};
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

use crate::open::{Opened, STORE_FILE, open_with_key, registry};

/// The rules of every measured mesh: twenty flows, eight of them with a transform.
const FILES: [(&str, &str); 2] = [
    ("mesh.toml", include_str!("rules/mesh.toml")),
    ("connectors/people.toml", include_str!("rules/people.toml")),
];
/// The source's population is the same for the same number.
const SEED: u64 = 1;

/// A mesh to measure.
pub(super) struct Laboratory {
    pub(super) opened: Opened,
    pub(super) people: FakeSystem,
    folder: TempDir,
}

impl Laboratory {
    /// A mesh over `objects` people whose target takes everything at once, with its rules in force; and that target.
    pub(super) async fn with_sink(
        objects: u64,
        below: Option<&Path>,
        cancel: CancellationToken,
    ) -> anyhow::Result<(Self, FakeSystem)> {
        let people = FakeSystem::generated(objects, ATTRIBUTE_COUNT_MAX, SEED);
        let directory = FakeSystem::sink(target_schema());
        let kind =
            FakeKind::new().with_system("people", people.clone()).with_system("directory", directory.clone());
        let laboratory = Self::new(people, below, Registry::new().with(kind), cancel)?;
        let target = ("connectors/directory.toml", include_str!("rules/directory.toml").to_owned());
        laboratory.put_in_force(vec![target]).await?;
        Ok((laboratory, directory))
    }

    /// A mesh over `objects` people to which the same people of another system come by likeness, with its rules in force.
    pub(super) async fn with_look_alikes(
        objects: u64,
        below: Option<&Path>,
        cancel: CancellationToken,
    ) -> anyhow::Result<Self> {
        let people = FakeSystem::generated(objects, ATTRIBUTE_COUNT_MAX, SEED);
        let contacts = FakeSystem::generated(objects, ATTRIBUTE_COUNT_MAX, SEED);
        let kind = FakeKind::new().with_system("people", people.clone()).with_system("contacts", contacts);
        let laboratory = Self::new(people, below, Registry::new().with(kind), cancel)?;
        let contacts = ("connectors/contacts.toml", include_str!("rules/contacts.toml").to_owned());
        laboratory.put_in_force(vec![contacts]).await?;
        Ok(laboratory)
    }

    /// A mesh over `objects` people without rules yet, which has the program's own connectors.
    pub(super) fn with_connectors(
        objects: u64,
        below: Option<&Path>,
        cancel: CancellationToken,
    ) -> anyhow::Result<Self> {
        let people = FakeSystem::generated(objects, ATTRIBUTE_COUNT_MAX, SEED);
        let kind = FakeKind::new().with_system("people", people.clone());
        Self::new(people, below, registry().with(kind), cancel)
    }

    fn new(
        people: FakeSystem,
        below: Option<&Path>,
        registry: Registry,
        cancel: CancellationToken,
    ) -> anyhow::Result<Self> {
        let folder = match below {
            Some(below) => tempfile::Builder::new().prefix("identitymesh-bench-").tempdir_in(below)?,
            None => tempfile::Builder::new().prefix("identitymesh-bench-").tempdir()?,
        };
        let (data, key) = (folder.path().join("data"), folder.path().join("key/protector.key"));
        let opened = open_with_key(&data, &key, true, registry, Arc::new(Silent), cancel)?;
        Ok(Self { opened, people, folder })
    }

    /// Puts the rules of the mesh and of its people in force, and those in `files`, which are paths and texts.
    pub(super) async fn put_in_force(&self, files: Vec<(&str, String)>) -> anyhow::Result<()> {
        let rules = self.folder.path().join("rules");
        let common = FILES.map(|(file, text)| (file, text.to_owned()));
        for (file, text) in common.into_iter().chain(files) {
            let path = rules.join(file);
            std::fs::create_dir_all(path.parent().unwrap_or(&rules))?;
            std::fs::write(path, text)?;
        }
        let loaded = read_directory(&rules).map_err(|problems| {
            let lines: Vec<String> = problems.iter().map(ToString::to_string).collect();
            anyhow::anyhow!("the benchmark's own rules do not read: {}", lines.join("; "))
        })?;
        apply_configuration(&self.opened.mesh, loaded.configuration, loaded.bases).await?;
        Ok(())
    }

    /// The store's file.
    pub(super) fn store_path(&self) -> PathBuf {
        self.opened.data.join(STORE_FILE)
    }

    /// A path for a yardstick's file.
    pub(super) fn scratch(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Bytes of the store, its log included.
    pub(super) fn store_bytes(&self) -> u64 {
        let path = self.store_path();
        let size = |path: &Path| std::fs::metadata(path).map_or(0, |file| file.len());
        size(&path) + size(&path.with_extension("db-wal"))
    }
}

/// What the target says that it takes.
fn target_schema() -> Schema {
    let names = [
        "cn",
        "sn",
        "givenName",
        "mail",
        "employeeNumber",
        "department",
        "title",
        "mobile",
        "c",
        "l",
        "uid",
        "telephoneNumber",
        "description",
        "postalAddress",
        "preferredLanguage",
    ];
    let kind = AttributeType { value: ValueType::String, multi: false };
    let attributes = names.into_iter().map(|name| AttributeSchema::new(Name::literal(name), kind)).collect();
    Schema {
        object_types: vec![ObjectSchema { object_type: Name::literal("account"), address: None, attributes }],
    }
}

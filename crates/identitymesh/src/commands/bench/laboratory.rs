//! A mesh for one measurement: a data directory of its own, a made-up source, and a target.

use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use identitymesh_config::read_directory;
use identitymesh_connector::Registry;
use identitymesh_connector_fake::{ATTRIBUTE_COUNT_MAX, FakeKind, FakeSystem};
use identitymesh_model::{AttributeSchema, AttributeType, Name, ObjectSchema, Schema, ValueType, hex};
use identitymesh_runner::{Silent, apply_configuration};
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

use crate::open::{Opened, STORE_FILE, open_with_key, registry};

/// The rules of every measured mesh: twenty flows, eight of them with a transform.
const FILES: [(&str, &str); 2] = [
    ("mesh.toml", include_str!("rules/mesh.toml")),
    ("connectors/people.toml", include_str!("rules/people.toml")),
];
/// Bytes of a file that are hashed at once.
const HASHED_BYTES: usize = 1 << 20;
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
        let (laboratory, directory) = Self::over(people, below, cancel)?;
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

    /// The same with `groups` groups of `members` of them each, in source and target.
    pub(super) async fn with_groups(
        objects: u64,
        groups: u64,
        members: u64,
        below: Option<&Path>,
        cancel: CancellationToken,
    ) -> anyhow::Result<(Self, FakeSystem)> {
        let people = FakeSystem::generated_with_groups(objects, groups, members, SEED);
        let (laboratory, directory) = Self::over(people, below, cancel)?;
        let with_groups = |file, rules: &str, groups: &str| (file, format!("{rules}\n{groups}"));
        laboratory
            .put_in_force(vec![
                with_groups(FILES[0].0, FILES[0].1, include_str!("rules/groups-mesh.toml")),
                with_groups(FILES[1].0, FILES[1].1, include_str!("rules/groups-people.toml")),
                with_groups(
                    "connectors/directory.toml",
                    include_str!("rules/directory.toml"),
                    include_str!("rules/groups-directory.toml"),
                ),
            ])
            .await?;
        Ok((laboratory, directory))
    }

    /// A mesh without rules yet over a population and a target that takes everything at once.
    fn over(
        people: FakeSystem,
        below: Option<&Path>,
        cancel: CancellationToken,
    ) -> anyhow::Result<(Self, FakeSystem)> {
        let directory = FakeSystem::sink(target_schema());
        let kind =
            FakeKind::new().with_system("people", people.clone()).with_system("directory", directory.clone());
        Ok((Self::new(people, below, Registry::new().with(kind), cancel)?, directory))
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

    /// Puts the rules of the mesh and of its people in force, and those in `files`, which are paths and texts and stand in
    /// for others of the same path.
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

    /// The hash of everything that the store has on the disk: its log, then its file.
    pub(super) fn store_sha256(&self) -> anyhow::Result<String> {
        let path = self.store_path();
        let mut hash = aws_lc_rs::digest::Context::new(&aws_lc_rs::digest::SHA256);
        let mut buffer = vec![0; HASHED_BYTES];
        for path in [path.with_extension("db-wal"), path] {
            if !path.exists() {
                continue;
            }
            let mut file = std::fs::File::open(path)?;
            loop {
                let count = file.read(&mut buffer)?;
                if count == 0 {
                    break;
                }
                hash.update(&buffer[..count]);
            }
        }
        Ok(hex(hash.finish().as_ref()))
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
    let member = AttributeType { value: ValueType::Reference, multi: true };
    let of_group = vec![
        AttributeSchema::new(Name::literal("cn"), kind),
        AttributeSchema::new(Name::literal("member"), member),
    ];
    let of = |name, attributes| ObjectSchema { object_type: Name::literal(name), address: None, attributes };
    Schema { object_types: vec![of("account", attributes), of("group", of_group)] }
}

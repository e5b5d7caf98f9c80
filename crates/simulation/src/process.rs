//! One process over the store: it is started, works, and dies.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};

use identitymesh_connector::Registry;
use identitymesh_connector_fake::FakeKind;
use identitymesh_model::rules::{Configuration, ConnectorConfig, MeshConfig};
use identitymesh_model::{Clock as _, CountingIds, ManualClock};
use identitymesh_runner::{Mesh, RunError, SecretResolver, Silent, apply_configuration};
use identitymesh_store::Store;
use identitymesh_store_sqlite::{OpenMode, OpenOptions, SqliteStore};
use identitymesh_testkit::failing::{self, Control};
use tokio_util::sync::CancellationToken;

use crate::systems::{Systems, Which};

/// When every life begins.
const START: &str = "2026-03-02T08:00:00Z";

/// What outlives processes: the folder, the clock, the source of ids.
pub(crate) struct Ground {
    pub(crate) systems: Systems,
    pub(crate) clock: Arc<ManualClock>,
    ids: Arc<CountingIds>,
    folder: tempfile::TempDir,
    /// From how many members on a group is looked at member by member, where that is not left to the product.
    large_set: Option<usize>,
}

/// A running process.
pub(crate) struct Process {
    pub(crate) mesh: Mesh,
    /// The store without its faults, for who looks from outside.
    pub(crate) store: Arc<dyn Store>,
    pub(crate) control: Arc<Control>,
}

struct NoSecrets;

impl SecretResolver for NoSecrets {
    fn resolve(&self, text: &str) -> Result<String, Box<dyn std::error::Error + Send + Sync>> {
        Ok(text.to_owned())
    }
}

impl Ground {
    /// A folder with a new store in it. In every other life all groups count as large ones.
    ///
    /// # Errors
    /// When one of them cannot be made.
    pub(crate) fn new(seed: u64) -> Result<Self, String> {
        let mut ground = Self::bare().map_err(|error| error.to_string())?;
        ground.large_set = seed.is_multiple_of(2).then_some(1);
        std::fs::write(ground.path(), new_store()?).map_err(|error| error.to_string())?;
        Ok(ground)
    }

    fn bare() -> std::io::Result<Self> {
        // Memory where there is some: a life commits hundreds of times, and no disk is tested here.
        let folder = tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir())?;
        let start = START.parse().expect("a constant time");
        let clock = Arc::new(ManualClock::new(start));
        Ok(Self { systems: Systems::new(), clock, ids: Arc::default(), folder, large_set: None })
    }

    fn open(&self) -> Result<SqliteStore, String> {
        let (ids, at) = (self.ids.clone(), self.clock.now());
        // No power cut is played, so nothing has to wait for the disk.
        let options = OpenOptions { mode: OpenMode::Scratch, ..OpenOptions::exclusive(ids, at) };
        SqliteStore::open(&self.path(), options).map_err(|error| error.to_string())
    }

    /// A new process, which ends the runs of the one before it as the binary does.
    ///
    /// # Errors
    /// When the store cannot be opened, or what is in it cannot be used.
    pub(crate) fn start(&self) -> Result<Process, String> {
        let at = self.clock.now();
        let store: Arc<dyn Store> = Arc::new(self.open()?);
        store.interrupt_runs(at).wait().map_err(|error| error.to_string())?;
        let control = Arc::<Control>::default();
        let around = failing::over(Arc::clone(&store), Arc::clone(&control));
        let system =
            |kind: FakeKind, which: Which| kind.with_system(which.word(), self.systems.get(which).clone());
        let flat = system(system(FakeKind::new(), Which::Hr), Which::Desk);
        let tree = system(FakeKind::new().called("fake-tree"), Which::Directory);
        let registry = Registry::new().with(flat).with(tree);
        let (clock, ids) = (self.clock.clone(), self.ids.clone());
        let (cancel, actor) = (CancellationToken::new(), "simulation".to_owned());
        let mesh =
            Mesh::open(around, clock, ids, registry, Arc::new(NoSecrets), actor, cancel, Arc::new(Silent));
        let mut mesh = mesh.map_err(|error| error.to_string())?;
        mesh.large_set = self.large_set.unwrap_or(mesh.large_set);
        Ok(Process { mesh, store, control })
    }

    pub(crate) fn pass_seconds(&self, seconds: i64) {
        self.clock.set(self.clock.now().saturating_add_seconds(seconds));
    }

    /// What is in the store's file, once no process has it open.
    pub(crate) fn store_bytes(&self) -> Vec<u8> {
        std::fs::read(self.path()).unwrap_or_default()
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("mesh.db")
    }
}

/// The file of a new store. All lives begin with the same one, so its tables are made once.
fn new_store() -> Result<&'static [u8], String> {
    static MADE: OnceLock<Result<Vec<u8>, String>> = OnceLock::new();
    let make = || {
        let ground = Ground::bare().map_err(|error| error.to_string())?;
        ground.open()?.close().map_err(|error| error.to_string())?;
        std::fs::read(ground.path()).map_err(|error| error.to_string())
    };
    MADE.get_or_init(make).as_deref().map_err(Clone::clone)
}

/// Puts the rules of all lives in force.
pub(crate) async fn configure(mesh: &Mesh) -> Result<(), RunError> {
    let connector =
        |text: &str| -> ConnectorConfig { toml::from_str(text).expect("this crate's rules are TOML") };
    let connectors = vec![
        connector(include_str!("rules/desk.toml")),
        connector(include_str!("rules/directory.toml")),
        connector(include_str!("rules/hr.toml")),
    ];
    let rules: MeshConfig =
        toml::from_str(include_str!("rules/mesh.toml")).expect("this crate's rules are TOML");
    apply_configuration(mesh, Configuration { mesh: rules, connectors }, BTreeMap::new()).await.map(drop)
}

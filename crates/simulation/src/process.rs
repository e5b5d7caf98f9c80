//! One process over the store: it is started, works, and dies.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};

use identitymesh_connector::Registry;
use identitymesh_connector_fake::FakeKind;
use identitymesh_model::rules::{Configuration, ConnectorConfig, MeshConfig, SourceLeave};
use identitymesh_model::{Clock as _, ConnectorId, CountingIds, ManualClock};
use identitymesh_runner::{
    Mesh, PlanDirectory, RunError, Sandbox, SecretResolver, Silent, apply_configuration,
};
use identitymesh_store::{ReadOnly, Store};
use identitymesh_store_sqlite::{OpenMode, OpenOptions, SqliteStore};
use identitymesh_testkit::failing::{self, Control};
use tokio_util::sync::CancellationToken;

use crate::extent::Extent;
use crate::systems::{Systems, Which};

/// When every life begins.
const START: &str = "2026-03-02T08:00:00Z";
/// How long a row may be away in lives in which HR's rows may go without harm to the person.
const NOTHING_GRACE: &str = "5d";
/// Where a preview's ids begin: far from all others.
const PREVIEW_IDS: u64 = 1 << 40;

/// What outlives processes: the folder, the clock, the source of ids.
pub(crate) struct Ground {
    pub(crate) systems: Systems,
    pub(crate) clock: Arc<ManualClock>,
    /// Which connector is which system, once there are rules.
    pub(crate) connectors: BTreeMap<ConnectorId, Which>,
    /// What the loss of a row of HR means for the person.
    pub(crate) loss: SourceLeave,
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
    real: Arc<SqliteStore>,
    pub(crate) control: Arc<Control>,
}

struct NoSecrets;

impl SecretResolver for NoSecrets {
    fn resolve(&self, text: &str) -> Result<String, Box<dyn std::error::Error + Send + Sync>> {
        Ok(text.to_owned())
    }
}

impl Ground {
    /// A folder with a new store in it. In every other life all groups count as large ones; in every third full one the
    /// loss of a row of HR means nothing for the person.
    ///
    /// # Errors
    /// When one of them cannot be made.
    pub(crate) fn new(seed: u64, extent: Extent) -> Result<Self, String> {
        let mut ground = Self::bare().map_err(|error| error.to_string())?;
        ground.large_set = seed.is_multiple_of(2).then_some(1);
        if extent != Extent::Plain && seed.is_multiple_of(3) {
            ground.loss = SourceLeave::Nothing;
        }
        std::fs::write(ground.path(), new_store()?).map_err(|error| error.to_string())?;
        Ok(ground)
    }

    fn bare() -> std::io::Result<Self> {
        // Memory where there is some: a life commits hundreds of times, and no disk is tested here.
        let folder = tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir())?;
        let start = START.parse().expect("a constant time");
        let clock = Arc::new(ManualClock::new(start));
        let (connectors, loss) = (BTreeMap::new(), SourceLeave::DeleteWhenAuthoritativeGone);
        let (systems, ids) = (Systems::new(), Arc::default());
        Ok(Self { systems, clock, connectors, loss, ids, folder, large_set: None })
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
        let real = Arc::new(self.open()?);
        let store: Arc<dyn Store> = Arc::<SqliteStore>::clone(&real);
        store.interrupt_runs(at).wait().map_err(|error| error.to_string())?;
        let control = Arc::<Control>::default();
        let mesh =
            self.mesh_over(failing::over(Arc::clone(&store), Arc::clone(&control)), self.ids.clone())?;
        Ok(Process { mesh, store, real, control })
    }

    fn mesh_over(&self, store: Arc<dyn Store>, ids: Arc<CountingIds>) -> Result<Mesh, String> {
        let system =
            |kind: FakeKind, which: Which| kind.with_system(which.word(), self.systems.get(which).clone());
        let flat = system(system(FakeKind::new(), Which::Hr), Which::Desk);
        let tree = system(FakeKind::new().called("fake-tree"), Which::Directory);
        let registry = Registry::new().with(flat).with(tree);
        let clock = self.clock.clone();
        let (cancel, actor) = (CancellationToken::new(), "simulation".to_owned());
        let mesh =
            Mesh::open(store, clock, ids, registry, Arc::new(NoSecrets), actor, cancel, Arc::new(Silent));
        let mut mesh = mesh.map_err(|error| error.to_string())?;
        mesh.large_set = self.large_set.unwrap_or(mesh.large_set);
        Ok(mesh)
    }

    /// A copy of the store to try things out in, in a folder that goes with it.
    ///
    /// # Errors
    /// When it cannot be made.
    pub(crate) fn sandbox(&self, process: &Process) -> Result<(Sandbox, tempfile::TempDir), String> {
        let folder = tempfile::tempdir_in(self.folder.path()).map_err(|error| error.to_string())?;
        let ids = Arc::new(CountingIds::starting_at(PREVIEW_IDS));
        let copy = process.real.scratch(folder.path(), ids.clone()).map_err(|error| error.to_string())?;
        let copy = self.mesh_over(Arc::new(copy), ids)?;
        Ok((Sandbox { copy, real: ReadOnly::new(Arc::clone(&process.store)) }, folder))
    }

    /// Where plans are kept.
    pub(crate) fn plans(&self) -> PlanDirectory {
        PlanDirectory::below(self.folder.path())
    }

    /// Which system a connector is for.
    pub(crate) fn which(&self, connector: ConnectorId) -> Option<Which> {
        self.connectors.get(&connector).copied()
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

/// Puts the rules of a life in force; says which connector is which system.
pub(crate) async fn configure(
    mesh: &Mesh,
    loss: SourceLeave,
) -> Result<BTreeMap<ConnectorId, Which>, RunError> {
    let connector =
        |text: &str| -> ConnectorConfig { toml::from_str(text).expect("this crate's rules are TOML") };
    let mut hr = connector(include_str!("rules/hr.toml"));
    for leave in hr.leave.iter_mut().filter(|_| loss == SourceLeave::Nothing) {
        if leave.object_type.folded() == "person" {
            leave.authoritative.clear();
            (leave.mesh_object, leave.grace) =
                (loss, NOTHING_GRACE.parse().expect("a constant span of time"));
        }
    }
    let connectors =
        vec![connector(include_str!("rules/desk.toml")), connector(include_str!("rules/directory.toml")), hr];
    let rules: MeshConfig =
        toml::from_str(include_str!("rules/mesh.toml")).expect("this crate's rules are TOML");
    apply_configuration(mesh, Configuration { mesh: rules, connectors }, BTreeMap::new()).await?;
    let in_force = mesh.in_force()?;
    Which::ALL.into_iter().map(|which| Ok((in_force.id(which.name())?, which))).collect()
}

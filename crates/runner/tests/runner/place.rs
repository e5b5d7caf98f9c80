//! A mesh with an HR system and a target, both in memory, over a store in a folder of its own.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use identitymesh_connector::Registry;
use identitymesh_connector_fake::{FakeKind, FakeSystem};
use identitymesh_model::rules::{Configuration, ConnectorConfig, MeshConfig};
use identitymesh_model::{
    AttributeSchema, Clock as _, CountingIds, ManualClock, Name, Object, ObjectSchema, Schema, Timestamp,
};
use identitymesh_runner::{
    CycleReport, ImportKind, Mesh, Observer, RunError, RunReport, Sandbox, SecretResolver, Silent,
    apply_configuration, cycle, export, import,
};
use identitymesh_store::{
    FindingRow, ItemFilter, ItemRow, MeshFilter, MeshRow, ReadOnly, RunRow, RunState, Store,
};
use identitymesh_store_sqlite::{OpenOptions, SqliteStore};
use identitymesh_testkit::failing::{self, Control};
use tokio_util::sync::CancellationToken;

pub(crate) const START: &str = "2026-03-02T08:00:00Z";

/// How the target knows its objects.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Target {
    /// By the value of `id`.
    Flat,
    /// By a number of its own; objects stand in a tree.
    Tree,
}

pub(crate) struct Place {
    pub(crate) hr: FakeSystem,
    pub(crate) accounts: FakeSystem,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) mesh: Mesh,
    /// Whether another store stands around the real one.
    pub(crate) is_over_failing: bool,
    target: Target,
    ids: Arc<CountingIds>,
    folder: tempfile::TempDir,
}

pub(crate) struct NoSecrets;

impl SecretResolver for NoSecrets {
    fn resolve(&self, text: &str) -> Result<String, Box<dyn std::error::Error + Send + Sync>> {
        Ok(text.to_owned())
    }
}

pub(crate) fn name(text: &str) -> Name {
    Name::new(text).unwrap()
}

fn object_schema(object_type: &str, address: Option<&str>, attributes: &[(&str, &str)]) -> Schema {
    let attributes =
        attributes.iter().map(|(word, kind)| AttributeSchema::new(name(word), kind.parse().unwrap()));
    let address = address.map(name);
    Schema {
        object_types: vec![ObjectSchema {
            object_type: name(object_type),
            address,
            attributes: attributes.collect(),
        }],
    }
}

/// Memory where there is some, so that thousands of commits do not wait for a disk.
fn folder() -> tempfile::TempDir {
    tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap()
}

/// A person's record.
pub(crate) fn person(number: usize) -> Object {
    let mut object = Object::new();
    object.set(name("id"), id(number).as_str());
    object.set(name("sn"), format!("Surname {number}").as_str());
    object.set(name("mail"), format!("p{number}@corp.example").as_str());
    object.set(name("active"), true);
    object
}

pub(crate) fn id(number: usize) -> String {
    format!("p{number:05}")
}

impl Place {
    pub(crate) async fn new(target: Target, people: usize) -> Self {
        let place = Self::bare(target);
        place.hire(0..people);
        place.configure().await.unwrap();
        place
    }

    /// A store with nothing in it, and empty systems.
    pub(crate) fn bare(target: Target) -> Self {
        let hr = [
            ("id", "string"),
            ("sn", "string"),
            ("mail", "string"),
            ("active", "boolean"),
            ("manager", "reference"),
        ];
        let hr = FakeSystem::new(object_schema("person", None, &hr)).keyed_by(name("id"));
        let accounts = match target {
            Target::Flat => {
                let attributes = [
                    ("id", "string"),
                    ("sn", "string"),
                    ("mail", "string"),
                    ("state", "string"),
                    ("manager", "reference"),
                ];
                FakeSystem::new(object_schema("account", None, &attributes)).keyed_by(name("id"))
            }
            Target::Tree => {
                let attributes = [
                    ("dn", "string"),
                    ("uid", "string"),
                    ("sn", "string"),
                    ("mail", "string"),
                    ("state", "string"),
                    ("manager", "reference"),
                ];
                FakeSystem::new(object_schema("account", Some("dn"), &attributes))
            }
        };
        let folder = folder();
        let (clock, ids) =
            (Arc::new(ManualClock::new(START.parse().unwrap())), Arc::new(CountingIds::default()));
        let store = open(folder.path().join("mesh.db"), &ids, clock.now(), None);
        let mesh = mesh_over(Arc::new(store), &clock, &ids, &hr, &accounts);
        Self { hr, accounts, clock, mesh, is_over_failing: false, target, ids, folder }
    }

    /// Puts people into the HR system.
    pub(crate) fn hire(&self, numbers: std::ops::Range<usize>) {
        numbers.for_each(|number| self.hr.put(name("person"), &id(number), person(number)));
    }

    pub(crate) fn configuration(&self) -> Configuration {
        let mesh: MeshConfig = toml::from_str(include_str!("rules/mesh.toml")).unwrap();
        let target = match self.target {
            Target::Flat => include_str!("rules/accounts.toml"),
            Target::Tree => include_str!("rules/directory.toml"),
        };
        let connectors: Vec<ConnectorConfig> =
            vec![toml::from_str(target).unwrap(), toml::from_str(include_str!("rules/hr.toml")).unwrap()];
        Configuration { mesh, connectors }
    }

    pub(crate) async fn configure(&self) -> Result<(), RunError> {
        apply_configuration(&self.mesh, self.configuration(), BTreeMap::new()).await.map(drop)
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.folder.path().join("mesh.db")
    }

    /// Another process takes the store over, as the binary does it.
    pub(crate) fn reopen(self) -> Self {
        self.reopen_with(None, |store| store)
    }

    /// The same, with a bound on the file and another store around the real one.
    pub(crate) fn reopen_with(
        self,
        size_bytes_max: Option<u64>,
        around: impl FnOnce(Arc<dyn Store>) -> Arc<dyn Store>,
    ) -> Self {
        let Self { hr, accounts, clock, mesh, target, ids, folder, .. } = self;
        // With the last handle the store closes and its lock is released.
        drop(mesh);
        let store = open(folder.path().join("mesh.db"), &ids, clock.now(), size_bytes_max);
        store.interrupt_runs(clock.now()).wait().unwrap();
        let mesh = mesh_over(around(Arc::new(store)), &clock, &ids, &hr, &accounts);
        Self { hr, accounts, clock, mesh, is_over_failing: false, target, ids, folder }
    }

    pub(crate) fn observe(&mut self, observer: Arc<dyn Observer>) {
        self.mesh.observer = observer;
    }

    /// Nobody asks to stop any more.
    pub(crate) fn go_on(&mut self) {
        self.mesh.cancel = CancellationToken::new();
        self.mesh.observer = Arc::new(Silent);
    }

    pub(crate) fn pass_seconds(&self, seconds: i64) {
        self.clock.set(self.clock.now().saturating_add_seconds(seconds));
    }

    pub(crate) async fn cycle(&self) -> Result<CycleReport, RunError> {
        cycle(&self.mesh, &[name("hr")], ImportKind::Full).await
    }

    /// A cycle without any failure.
    pub(crate) async fn good_cycle(&self) -> CycleReport {
        let report = self.cycle().await.unwrap();
        assert_eq!(report.failed, [], "every target can be written");
        report
    }

    pub(crate) async fn import(&self, kind: ImportKind) -> Result<RunReport, RunError> {
        import(&self.mesh, name("hr"), kind).await
    }

    pub(crate) async fn export(&self) -> Result<RunReport, RunError> {
        export(&self.mesh, name("accounts")).await
    }

    pub(crate) fn newest_run(&self) -> RunRow {
        self.mesh.store.read().unwrap().run_list(None, 1).unwrap().remove(0)
    }

    pub(crate) fn findings(&self, run: &RunReport) -> Vec<FindingRow> {
        self.mesh.store.read().unwrap().findings(run.run, 0, 1_000).unwrap()
    }

    pub(crate) fn watermark(&self) -> Option<String> {
        let connector = self.mesh.in_force().unwrap().id(name("hr")).unwrap();
        self.mesh.store.read().unwrap().watermark(connector).unwrap()
    }

    /// Whether the watermark stands behind the newest change of the HR system.
    pub(crate) fn hr_is_caught_up(&self) -> bool {
        let newest = self.hr.newest_change().to_string();
        let mark = self.watermark().unwrap_or_default();
        serde_json::from_str::<identitymesh_connector::Watermark>(&mark).is_ok_and(|mark| mark.body == newest)
    }

    /// People in the HR system's management space that are not marked as gone.
    pub(crate) fn known_people(&self) -> u64 {
        let connector = self.mesh.in_force().unwrap().id(name("hr")).unwrap();
        self.mesh.store.read().unwrap().population(connector, name("person")).unwrap()
    }

    pub(crate) fn people(&self) -> Vec<MeshRow> {
        self.mesh.store.read().unwrap().mesh_list(&MeshFilter::default(), None, 20_000).unwrap().items
    }

    /// One attribute of the person with this number, as the mesh holds it.
    pub(crate) fn held(&self, number: usize, attribute: &str) -> Option<String> {
        let row = self.people().into_iter().find(|row| row.anchor == id(number)).unwrap();
        let doc: serde_json::Value = serde_json::from_str(&row.doc).unwrap();
        doc[attribute].as_str().map(str::to_owned)
    }

    pub(crate) fn queue(&self) -> Vec<ItemRow> {
        self.mesh.store.read().unwrap().item_list(&ItemFilter::default(), None, 20_000).unwrap().items
    }

    /// A copy to try things out in, in a folder that goes with it.
    pub(crate) fn sandbox(&self) -> (Sandbox, tempfile::TempDir) {
        let folder = folder();
        let ids = Arc::new(CountingIds::starting_at(1 << 40));
        let options = OpenOptions::read_only(ids.clone(), self.clock.now());
        let real = SqliteStore::open(&self.path(), options).unwrap();
        let copy = real.scratch(folder.path(), ids.clone()).unwrap();
        let copy = mesh_over(Arc::new(copy), &self.clock, &ids, &self.hr, &self.accounts);
        (Sandbox { copy, real: ReadOnly::new(Arc::new(real)) }, folder)
    }

    /// The bytes of the store: file and log.
    pub(crate) fn bytes(&self) -> Vec<Vec<u8>> {
        let log = self.folder.path().join("mesh.db-wal");
        [self.path(), log].iter().map(|path| std::fs::read(path).unwrap_or_default()).collect()
    }

    /// The newest run failed, in these words among others, and everybody is still there.
    pub(crate) fn failed_and_nobody_left(&self, state: RunState, words: &str, people: u64) {
        let run = self.newest_run();
        assert_eq!(run.state, state, "{run:?}");
        assert!(run.message.as_deref().unwrap_or_default().contains(words), "{words}: {:?}", run.message);
        assert_eq!(self.known_people(), people);
    }
}

/// The place over a store that fails on demand, and what makes it fail.
pub(crate) fn over_failing(place: Place) -> (Place, Arc<Control>) {
    let control = Arc::<Control>::default();
    let inside = Arc::clone(&control);
    let mut place = place.reopen_with(None, |inner| failing::over(inner, inside));
    place.is_over_failing = true;
    (place, control)
}

fn open(path: PathBuf, ids: &Arc<CountingIds>, at: Timestamp, size_bytes_max: Option<u64>) -> SqliteStore {
    let options = OpenOptions { size_bytes_max, ..OpenOptions::exclusive(ids.clone(), at) };
    SqliteStore::open(&path, options).unwrap()
}

fn mesh_over(
    store: Arc<dyn Store>,
    clock: &Arc<ManualClock>,
    ids: &Arc<CountingIds>,
    hr: &FakeSystem,
    accounts: &FakeSystem,
) -> Mesh {
    let kind = FakeKind::new().with_system("hr", hr.clone()).with_system("accounts", accounts.clone());
    let (actor, cancel) = ("test".to_owned(), CancellationToken::new());
    let (secrets, silent) = (Arc::new(NoSecrets), Arc::new(Silent));
    Mesh::open(store, clock.clone(), ids.clone(), Registry::new().with(kind), secrets, actor, cancel, silent)
        .unwrap()
}

//! A directory that feeds another one with people and groups, both trees in memory.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use identitymesh_connector::Registry;
use identitymesh_connector_fake::{FakeKind, FakeSystem};
use identitymesh_model::rules::Configuration;
use identitymesh_model::{
    AttributeSchema, Clock as _, CountingIds, ManualClock, Object, ObjectSchema, Schema, Value, Values,
};
use identitymesh_runner::{
    ImportKind, Mesh, RunReport, Sandbox, Silent, SyncScope, apply_configuration, export, import, sync,
};
use identitymesh_store::{ReadOnly, Store};
use identitymesh_store_sqlite::{OpenOptions, SqliteStore};
use identitymesh_testkit::failing::{Control, over};
use rusqlite::Connection;
use tokio_util::sync::CancellationToken;

use crate::place::{NoSecrets, START, name};

/// What differs from the plain rules.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rules {
    Plain,
    /// The last members stay when a group loses all.
    KeepLast,
    /// Members are only given to a group that has none.
    IfEmpty,
    /// Members are computed.
    Transform,
    /// Two rules add up.
    Merge,
    /// The number of members is told beside them.
    Counted,
}

/// How sets of references are looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Looks {
    /// As far as members are in question.
    ByMember,
    /// As a whole, with the same taken down.
    AtAll,
    /// As a whole, with nothing taken down.
    Untraced,
}

pub(crate) struct Fed {
    pub(crate) dir: FakeSystem,
    pub(crate) out: FakeSystem,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) mesh: Mesh,
    folder: tempfile::TempDir,
}

/// How the directories know their objects.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shape {
    /// By their place in a tree, to which references lead.
    Trees,
    /// The same, and references go with the object that they mean, of which no delta tells.
    KeptTrees,
    /// By a key.
    Flat,
}

fn schema(shape: Shape, types: &[(&str, &[(&str, &str)])]) -> Schema {
    let object_type = |(object_type, attributes): &(&str, &[(&str, &str)])| ObjectSchema {
        object_type: name(object_type),
        address: (shape != Shape::Flat).then(|| name("dn")),
        attributes: attributes
            .iter()
            .map(|(word, kind)| AttributeSchema {
                mended: shape == Shape::KeptTrees && *word == "member",
                ..AttributeSchema::new(name(word), kind.parse().unwrap())
            })
            .collect(),
    };
    Schema { object_types: types.iter().map(object_type).collect() }
}

fn systems(shape: Shape) -> (FakeSystem, FakeSystem) {
    let person = [("dn", "string"), ("id", "string"), ("ou", "string")];
    let group = [
        ("dn", "string"),
        ("id", "string"),
        ("title", "string"),
        ("active", "boolean"),
        ("member", "reference[]"),
        ("extra", "reference[]"),
    ];
    let account = [("dn", "string"), ("cn", "string")];
    let team = [("dn", "string"), ("cn", "string"), ("title", "string"), ("member", "reference[]")];
    let dir = FakeSystem::new(schema(shape, &[("person", &person), ("group", &group)]));
    let out = FakeSystem::new(schema(shape, &[("account", &account), ("team", &team)]));
    match shape {
        Shape::Trees | Shape::KeptTrees => (dir, out),
        Shape::Flat => (dir.keyed_by(name("id")), out.keyed_by(name("cn"))),
    }
}

/// The rules of both directories.
pub(crate) fn configuration(shape: Shape, rules: Rules) -> Configuration {
    let mut mesh = include_str!("../rules/groups/mesh.toml").to_owned();
    let mut dir = include_str!("../rules/groups/dir.toml").to_owned();
    let mut out = include_str!("../rules/groups/out.toml").to_owned();
    let flow = "source = \"member\"\ntarget = \"members\"\n";
    assert!(dir.contains(flow) && out.contains("source = \"members\"\n"));
    if shape == Shape::Flat {
        let is_place = |line: &str| line.starts_with("container") || line.starts_with("rdn");
        out = out.lines().filter(|line| !is_place(line)).map(|line| format!("{line}\n")).collect();
    }
    match rules {
        Rules::Plain => {}
        Rules::KeepLast => dir = dir.replace(flow, &format!("{flow}keep_last = true\n")),
        Rules::IfEmpty => out.push_str("mode = \"if_empty\"\n"),
        Rules::Transform => {
            dir = dir.replace(
                flow,
                "transform = \"all('member').filter(m, Contains(m, 'ou=a'))\"\ntarget = \"members\"\n",
            );
        }
        Rules::Merge => {
            mesh = mesh.replace("\"reference[]\"", "{ type = \"reference[]\", merge = true }");
            dir.push_str(
                "\n[[flow]]\nobject_type = \"group\"\nsource = \"extra\"\ntarget = \"members\"\nconfidence = 90\n",
            );
        }
        Rules::Counted => {
            out = out.replace("source = \"title\"", "value = \"title + ToText(Count(all('members')))\"")
        }
    }
    let connectors = vec![toml::from_str(&out).unwrap(), toml::from_str(&dir).unwrap()];
    Configuration { mesh: toml::from_str(&mesh).unwrap(), connectors }
}

pub(crate) fn person_dn(number: usize, ou: &str) -> String {
    format!("cn=p{number},ou={ou},dc=s")
}

pub(crate) fn group_dn(number: usize) -> String {
    format!("cn=g{number},ou=groups,dc=s")
}

pub(crate) fn set(keys: impl IntoIterator<Item = String>) -> Option<Values> {
    Values::set(keys.into_iter().map(Value::reference).collect())
}

impl Fed {
    /// Two empty directories.
    pub(crate) async fn new(looks: Looks, rules: Rules) -> Self {
        let large_set = if looks == Looks::Untraced { usize::MAX } else { 1 };
        Self::over(large_set, Shape::Trees, rules, |path, ids, clock| {
            let store = SqliteStore::open(&path, OpenOptions::exclusive(ids.clone(), clock.now())).unwrap();
            let control = Arc::<Control>::default();
            if looks == Looks::AtAll {
                control.show_all();
            }
            over(Arc::new(store), control)
        })
        .await
    }

    pub(crate) async fn over(
        large_set: usize,
        shape: Shape,
        rules: Rules,
        store: impl FnOnce(PathBuf, &Arc<CountingIds>, &ManualClock) -> Arc<dyn Store>,
    ) -> Self {
        let (dir, out) = systems(shape);
        let folder = tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap();
        let (clock, ids) =
            (Arc::new(ManualClock::new(START.parse().unwrap())), Arc::new(CountingIds::default()));
        let store = store(folder.path().join("mesh.db"), &ids, &clock);
        let mut mesh = mesh_over(store, &clock, &ids, &dir, &out);
        mesh.large_set = large_set;
        apply_configuration(&mesh, configuration(shape, rules), BTreeMap::new()).await.unwrap();
        Self { dir, out, clock, mesh, folder }
    }

    /// Another process takes over.
    pub(crate) fn reopen(self, around: impl FnOnce(Arc<dyn Store>) -> Arc<dyn Store>) -> Self {
        let Self { dir, out, clock, mesh, folder } = self;
        let large_set = mesh.large_set;
        // With the last handle the store closes and its lock is released.
        drop(mesh);
        let ids = Arc::new(CountingIds::starting_at(1 << 32));
        let options = OpenOptions::exclusive(ids.clone(), clock.now());
        let store = SqliteStore::open(&folder.path().join("mesh.db"), options).unwrap();
        store.interrupt_runs(clock.now()).wait().unwrap();
        let mut mesh = mesh_over(around(Arc::new(store)), &clock, &ids, &dir, &out);
        mesh.large_set = large_set;
        Self { dir, out, clock, mesh, folder }
    }

    pub(crate) fn put_person(&self, number: usize, ou: &str) {
        let mut object = Object::new();
        object.set(name("dn"), person_dn(number, ou).as_str());
        object.set(name("id"), format!("p{number}").as_str());
        object.set(name("ou"), ou);
        self.dir.put(name("person"), &format!("p{number}"), object);
    }

    pub(crate) fn put_group(&self, number: usize, members: impl IntoIterator<Item = String>) {
        let mut object = Object::new();
        object.set(name("dn"), group_dn(number).as_str());
        object.set(name("id"), format!("g{number}").as_str());
        object.set(name("title"), format!("Group {number}").as_str());
        object.set(name("active"), true);
        object.put(name("member"), set(members));
        self.dir.put(name("group"), &format!("g{number}"), object);
    }

    pub(crate) fn members(&self, number: usize) -> Vec<String> {
        let group = self.dir.object(name("group"), &format!("g{number}"));
        let values = group.and_then(|group| group.get(name("member")).cloned());
        values.iter().flat_map(Values::as_slice).filter_map(Value::as_text).map(str::to_owned).collect()
    }

    pub(crate) fn set_members(&self, number: usize, members: impl IntoIterator<Item = String>) {
        self.dir.set(name("group"), &format!("g{number}"), name("member"), set(members));
    }

    pub(crate) async fn import(&self, connector: &str, kind: ImportKind) -> RunReport {
        import(&self.mesh, name(connector), kind).await.unwrap()
    }

    pub(crate) async fn sync(&self, connector: &str) -> RunReport {
        sync(&self.mesh, SyncScope::Pending(name(connector))).await.unwrap()
    }

    pub(crate) async fn export(&self) -> RunReport {
        export(&self.mesh, name("out")).await.unwrap()
    }

    /// Imports the changes of the first directory and carries them into the second.
    pub(crate) async fn round(&self) {
        self.import("dir", ImportKind::Delta).await;
        self.sync("dir").await;
        self.export().await;
        self.import("out", ImportKind::Delta).await;
        self.sync("out").await;
    }

    /// A copy to try things out in, in a folder that goes with it.
    pub(crate) fn sandbox(&self) -> (Sandbox, tempfile::TempDir) {
        let folder = tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap();
        let ids = Arc::new(CountingIds::starting_at(1 << 40));
        let options = OpenOptions::read_only(ids.clone(), self.clock.now());
        let real = SqliteStore::open(&self.path(), options).unwrap();
        let copy = real.scratch(folder.path(), ids.clone()).unwrap();
        let mut copy = mesh_over(Arc::new(copy), &self.clock, &ids, &self.dir, &self.out);
        copy.large_set = self.mesh.large_set;
        (Sandbox { copy, real: ReadOnly::new(Arc::new(real)) }, folder)
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("mesh.db")
    }

    /// The bytes of the store: file and log.
    pub(crate) fn bytes(&self) -> Vec<Vec<u8>> {
        let log = self.folder.path().join("mesh.db-wal");
        [self.path(), log].iter().map(|path| std::fs::read(path).unwrap_or_default()).collect()
    }

    pub(crate) fn database(&self) -> Connection {
        Connection::open(self.path()).unwrap()
    }

    /// Rows as text, in order.
    pub(crate) fn rows(&self, sql: &str) -> Vec<String> {
        let database = self.database();
        let mut statement = database.prepare(sql).unwrap();
        let rows = statement.query_map([], |row| row.get::<_, String>(0)).unwrap();
        rows.collect::<Result<_, _>>().unwrap()
    }
}

fn mesh_over(
    store: Arc<dyn Store>,
    clock: &Arc<ManualClock>,
    ids: &Arc<CountingIds>,
    dir: &FakeSystem,
    out: &FakeSystem,
) -> Mesh {
    let kind = FakeKind::new().with_system("dir", dir.clone()).with_system("out", out.clone());
    let (actor, cancel) = ("test".to_owned(), CancellationToken::new());
    let (secrets, silent) = (Arc::new(NoSecrets), Arc::new(Silent));
    Mesh::open(store, clock.clone(), ids.clone(), Registry::new().with(kind), secrets, actor, cancel, silent)
        .unwrap()
}

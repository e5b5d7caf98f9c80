//! Small batches for clauses: each helper fills in what a clause does not talk about.

use identitymesh_model::plan::{
    Before, IndexKey, ItemAction, ItemPlan, KeyChange, LinkChange, MeshChange, ObjectPlan, Operation, Plan,
    Reason, Turn, Wake,
};
use identitymesh_model::{
    ConnectorId, ContentHash, CountingIds, IdSource, LinkMode, MeshId, MeshState, Name, Object, Origin,
    Provenance, RuleId, RunId, SpaceId, Text, Timestamp, Uid, Value, Values, canonical,
};

use crate::audit::{ChangeKind, ChangeRow};
use crate::{
    Cause, ConfigurationWrite, Counters, ExportedState, ExportedText, Lease, LeaseRequest, ReferenceForm,
    RunStart, Settle, SettleBatch, Settled, SpaceBody, StageBatch, StageInsert, StageUpdate, Store,
    SyncBatch, Todo,
};

pub(super) const RULE: RuleId = RuleId(77);
pub(super) const OTHER_RULE: RuleId = RuleId(78);

/// Seconds after the beginning of the suite's time.
pub(super) fn at(seconds: i64) -> Timestamp {
    "2026-03-02T08:00:00Z".parse::<Timestamp>().unwrap().saturating_add_seconds(seconds)
}

pub(super) fn name(text: &str) -> Name {
    Name::new(text).unwrap()
}

pub(super) fn user() -> Name {
    name("user")
}

pub(super) fn uid(number: u64) -> Uid {
    CountingIds::starting_at(number).next_uid(at(0))
}

pub(super) fn key(index: i64, text: &str) -> IndexKey {
    IndexKey { index, key: Text::from(text) }
}

/// A configured store with two connectors, two indexes and a run.
pub(super) struct Scene<'s> {
    pub(super) store: &'s dyn Store,
    pub(super) source: ConnectorId,
    pub(super) target: ConnectorId,
    pub(super) index: i64,
    pub(super) addresses: i64,
    pub(super) run: RunId,
}

pub(super) fn configuration(names: &[&str], keys: &[&str]) -> ConfigurationWrite {
    ConfigurationWrite {
        actor: "cli".into(),
        at: at(0),
        body: "{}".into(),
        connectors: names.iter().map(|text| name(text)).collect(),
        keys: keys.iter().map(|key| (*key).to_owned()).collect(),
        look_again: true,
        expected: None,
    }
}

impl<'s> Scene<'s> {
    pub(super) fn new(store: &'s dyn Store) -> Self {
        let write = configuration(&["hr", "ad"], &["join employee_id", "addresses ad"]);
        let made = store.configure(write).wait().unwrap();
        let start = RunStart { connector: None, step: "sync".into(), actor: "cli".into(), at: at(0) };
        let run = store.begin_run(start).wait().unwrap();
        Self {
            store,
            source: made.connectors[0],
            target: made.connectors[1],
            index: made.numbers[0],
            addresses: made.numbers[1],
            run,
        }
    }

    pub(super) fn cause(&self, seconds: i64) -> Cause {
        Cause { run: self.run, actor: "cli".into(), at: at(seconds) }
    }

    pub(super) fn page(&self, connector: ConnectorId) -> StageBatch {
        StageBatch {
            cause: self.cause(1),
            connector,
            inserts: Vec::new(),
            updates: Vec::new(),
            referred: Vec::new(),
            deletes: Vec::new(),
            watermark: None,
            covered: Vec::new(),
            settled: None,
            findings: Vec::new(),
            counters: Counters::new(),
        }
    }

    pub(super) fn stage(&self, connector: ConnectorId, inserts: Vec<StageInsert>) -> Vec<SpaceId> {
        self.store.stage(StageBatch { inserts, ..self.page(connector) }).wait().unwrap().inserted
    }

    /// New users with these external ids.
    pub(super) fn users(&self, connector: ConnectorId, ids: &[&str]) -> Vec<SpaceId> {
        self.stage(connector, ids.iter().map(|id| insert(id)).collect())
    }

    pub(super) fn update(&self, connector: ConnectorId, update: StageUpdate) {
        let page = StageBatch { updates: vec![update], ..self.page(connector) };
        let _ = self.store.stage(page).wait().unwrap();
    }

    pub(super) fn batch(&self, objects: Vec<ObjectPlan>) -> SyncBatch {
        let cause = self.cause(2);
        let rows = objects.iter().filter_map(|object| row_of(object, &cause)).collect();
        SyncBatch {
            cause,
            plan: Plan { objects, spaces: Vec::new(), wakes: Vec::new() },
            rows,
            approvals: Vec::new(),
            cursor: None,
            done: Vec::new(),
            traces: Vec::new(),
            findings: Vec::new(),
            counters: Counters::new(),
        }
    }

    /// Carries objects out; says how many entries the to-do list gained.
    pub(super) fn apply(&self, objects: Vec<ObjectPlan>) -> u64 {
        self.store.apply(self.batch(objects)).wait().unwrap().woken
    }

    pub(super) fn wake(&self, wakes: Vec<Wake>) -> u64 {
        let mut batch = self.batch(Vec::new());
        batch.plan.wakes = wakes;
        self.store.apply(batch).wait().unwrap().woken
    }

    /// A new mesh object linked to a management-space object.
    pub(super) fn linked(&self, number: u64, anchor: &str, space: SpaceId) -> MeshId {
        let mut plan = create(number, anchor, person(anchor));
        plan.links.push(link(space));
        self.apply(vec![plan]);
        mesh(number)
    }

    pub(super) fn todos(&self, seconds: i64) -> Vec<Todo> {
        self.store.read().unwrap().todos(at(seconds), None, 1_000).unwrap()
    }

    pub(super) fn lease_request(&self, seconds: i64) -> LeaseRequest {
        LeaseRequest {
            cause: self.cause(seconds),
            connector: self.target,
            turn: Turn::Usual,
            after: None,
            upto: None,
            limit: 100,
            until: at(seconds + 60),
        }
    }

    pub(super) fn lease(&self, seconds: i64) -> Lease {
        self.store.lease(self.lease_request(seconds)).wait().unwrap()
    }

    pub(super) fn settle_batch(&self, settled: Vec<Settled>) -> SettleBatch {
        SettleBatch {
            cause: self.cause(5),
            connector: self.target,
            settled,
            findings: Vec::new(),
            counters: Counters::new(),
        }
    }

    /// Settles the leased item of a mesh object; says how many entries the to-do list gained.
    pub(super) fn settle(&self, lease: &Lease, number: u64, what: Settle) -> u64 {
        let item = lease.items.iter().find(|item| item.mesh == mesh(number)).unwrap().id;
        let settled = Settled { item, mesh: mesh(number), what };
        self.store.settle(self.settle_batch(vec![settled])).wait().unwrap().woken
    }

    pub(super) fn export_row(&self, number: u64) -> ChangeRow {
        ChangeRow::new(
            mesh(number),
            uid(number),
            self.run,
            at(5),
            "cli",
            ChangeKind::Export,
            Some(self.target),
            "{}".into(),
            Some(ContentHash::of("{}")),
        )
    }

    /// A create item for the target in the queue of a new mesh object.
    pub(super) fn queued(&self, number: u64) -> MeshId {
        let mut plan = create(number, &format!("q{number}"), person("Queued"));
        plan.items.push(item(self.target));
        self.apply(vec![plan]);
        mesh(number)
    }
}

/// The audit row of an object whose mesh object changes.
fn row_of(object: &ObjectPlan, cause: &Cause) -> Option<ChangeRow> {
    let (kind, before) = match object.change.as_ref()? {
        MeshChange::Create { .. } => (ChangeKind::Create, String::new()),
        MeshChange::Update { before, .. } => (ChangeKind::Update, before.to_text()),
        MeshChange::Purge { before, .. } => (ChangeKind::Purge, before.to_text()),
    };
    let after = object.content_hash();
    Some(ChangeRow::new(object.id, object.uid, cause.run, cause.at, &cause.actor, kind, None, before, after))
}

pub(super) fn person(display_name: &str) -> Object {
    let mut doc = Object::new();
    doc.set(name("displayName"), display_name);
    doc.set(name("mail"), format!("{display_name}@example.org").as_str());
    doc
}

pub(super) fn body(doc: &Object) -> SpaceBody {
    let text = canonical::object_to_string(doc);
    SpaceBody { hash: ContentHash::of(&text), doc: text, references: Vec::new(), names: Vec::new() }
}

/// Content with a set of references, as staging hands it over: the hash is of the whole, the text has no set.
pub(super) fn body_with_members(doc: &Object, attribute: &str, members: &[&str]) -> (SpaceBody, Object) {
    let mut whole = doc.clone();
    let values = members.iter().map(Value::reference).collect();
    whole.put(name(attribute), Values::set(values));
    let mut stored = body(doc);
    stored.hash = ContentHash::of(&canonical::object_to_string(&whole));
    stored.references =
        members.iter().map(|member| (name(attribute), Text::from(*member), ReferenceForm::Set)).collect();
    (stored, whole)
}

pub(super) fn insert(external_id: &str) -> StageInsert {
    StageInsert {
        object_type: user(),
        external_id: Text::from(external_id),
        body: body(&person(external_id)),
    }
}

pub(super) fn update(id: SpaceId, body: SpaceBody) -> StageUpdate {
    StageUpdate { id, body, exported: None, touch: true, shown: true, row: None }
}

pub(super) const fn mesh(number: u64) -> MeshId {
    MeshId(number.cast_signed())
}

fn empty_plan(number: u64, anchor: &str) -> ObjectPlan {
    ObjectPlan {
        id: mesh(number),
        uid: uid(number),
        mesh_type: user(),
        anchor: Text::from(anchor),
        change: None,
        links: Vec::new(),
        keys: Vec::new(),
        edges: Vec::new(),
        items: Vec::new(),
        cancelled: Vec::new(),
        leaving: Vec::new(),
        names: Vec::new(),
        reason: Reason { text: "because a clause says so".into(), rule: RULE },
    }
}

/// A plan that leaves the mesh object itself as it is.
pub(super) fn keep(number: u64) -> ObjectPlan {
    empty_plan(number, "kept")
}

pub(super) fn provenance(doc: &Object) -> Provenance {
    let origin = Origin { space: Some(SpaceId(1)), rule: RULE, run: RunId(1) };
    Provenance(vec![std::iter::once(origin).collect(); doc.len()])
}

pub(super) fn create(number: u64, anchor: &str, doc: Object) -> ObjectPlan {
    let provenance = provenance(&doc);
    ObjectPlan { change: Some(MeshChange::Create { doc, provenance }), ..empty_plan(number, anchor) }
}

pub(super) fn change(number: u64, version: i64, anchor: &str, doc: Object) -> ObjectPlan {
    let provenance = provenance(&doc);
    let before = Before { attributes: vec![(name("mail"), None)], rules: vec![vec![]], ..Before::default() };
    let change = MeshChange::Update { version, doc, provenance, state: MeshState::Active, before };
    ObjectPlan { change: Some(change), ..empty_plan(number, anchor) }
}

pub(super) fn purge(number: u64, version: i64, anchor: &str) -> ObjectPlan {
    let change = MeshChange::Purge { version, before: Before::default() };
    ObjectPlan { change: Some(change), ..empty_plan(number, anchor) }
}

pub(super) fn link(space: SpaceId) -> LinkChange {
    LinkChange::Add { space, rule: RULE, mode: LinkMode::Joined, matched: "E-1".into(), score: None }
}

pub(super) const fn unlink(space: SpaceId, purge: bool) -> LinkChange {
    LinkChange::Remove { space, purge }
}

pub(super) const fn add_key(key: IndexKey, add: bool) -> KeyChange {
    KeyChange { key, add }
}

pub(super) fn item(connector: ConnectorId) -> ItemPlan {
    item_of(connector, ItemAction::Create { attributes: person("exported"), create_container: false })
}

pub(super) fn item_of(connector: ConnectorId, action: ItemAction) -> ItemPlan {
    let operation = match action {
        ItemAction::Create { .. } => Operation::Create,
        ItemAction::Update { .. } => Operation::Update,
        ItemAction::Delete { .. } => Operation::Delete,
    };
    let reason = Reason { text: "in the scope of staff".into(), rule: RULE };
    ItemPlan { connector, rule: RULE, object_type: user(), operation, action, reason }
}

/// A target's object after an export of `display_name`.
pub(super) fn exported(external_id: &str, display_name: &str) -> ExportedState {
    ExportedState {
        object_type: user(),
        external_id: Text::from(external_id),
        body: body(&person(display_name)),
        exported: ExportedText { names: vec![name("displayName"), name("mail")], drift: None },
        waits_for: Vec::new(),
        is_news: false,
    }
}

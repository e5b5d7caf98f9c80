//! Exports: the queue, to a simulated system, with the answers that a real one gives.

use std::collections::BTreeSet;

use identitymesh_engine::export::{
    Found, KnownAddresses, addressed, after_create, after_update, found, pending,
};
use identitymesh_engine::stage::{Exported as Remembered, fingerprint, staged};
use identitymesh_model::plan::{ItemAction, Operation};
use identitymesh_model::{ConnectorId, ItemId, Link, LinkMode, Name, Object, SpaceRecord, Text, Uid};

use super::state::{Item, Space, Todo};
use super::system::{Answer, Said};
use super::{World, WorldNames};

/// How often an item is sent before it is put aside.
const ATTEMPTS_MAX: u32 = 3;
/// The first wait before an item is sent again; each further one is twice as long.
const RETRY_SECONDS: i64 = 30;

/// What became of one item.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exported {
    /// The mesh object, in words.
    pub whose: String,
    /// What was to be done.
    pub operation: Operation,
    /// What became of it, in words.
    pub what: String,
}

impl World {
    /// Sends what is due, each item once; items that refer to objects which this export creates come after those.
    pub fn export(&mut self, connector: ConnectorId) -> Vec<Exported> {
        let mut told = Vec::new();
        let due = self.state.items.iter().filter(|(_, item)| {
            item.connector == connector
                && item.dead.is_none()
                && item.not_before.is_none_or(|at| at <= self.now)
        });
        let mut due: Vec<ItemId> = due.map(|(id, _)| *id).collect();
        while !due.is_empty() {
            let coming: BTreeSet<Uid> = due
                .iter()
                .filter_map(|id| self.state.items.get(id))
                .filter(|item| matches!(item.action, ItemAction::Create { .. }))
                .map(|item| item.uid)
                .collect();
            let (mut wave, mut later): (Vec<ItemId>, Vec<ItemId>) = due
                .into_iter()
                .partition(|id| self.state.items.get(id).is_some_and(|item| !self.waits(item, &coming)));
            if wave.is_empty() {
                // They refer to each other in a circle: the first goes without its references.
                wave.push(later.remove(0));
            }
            for id in wave {
                told.extend(self.send(id));
            }
            due = later;
        }
        told
    }

    fn waits(&self, item: &Item, coming: &BTreeSet<Uid>) -> bool {
        let known = self.known(item);
        pending(&item.action)
            .iter()
            .any(|uid| !known.contains_key(uid) && coming.contains(uid) && *uid != item.uid)
    }

    fn known(&self, item: &Item) -> KnownAddresses {
        let address = self.address(item.connector, item.object_type);
        let of = |uid: Uid| Some((uid, self.state.address_of(item.connector, address, uid)?));
        pending(&item.action).into_iter().filter_map(of).collect()
    }

    fn send(&mut self, id: ItemId) -> Option<Exported> {
        let item = self.state.items.get(&id)?.clone();
        let (action, waits) = addressed(&item.action, &self.known(&item));
        let whose = WorldNames(self).mesh_called(item.mesh);
        let anchor = self.state.mesh.get(&item.mesh).map(|record| record.anchor.to_string())?;
        let what = self.deliver(id, &item, &action, waits, &anchor);
        Some(Exported { whose, operation: item.operation, what })
    }

    fn deliver(
        &mut self,
        id: ItemId,
        item: &Item,
        action: &ItemAction,
        waits: Vec<Uid>,
        anchor: &str,
    ) -> String {
        if item.in_flight {
            match self.ask(item, action) {
                Asked::Applied(external_id) => {
                    self.applied(id, item, action, external_id, waits);
                    return "it had been done".to_owned();
                }
                Asked::NotApplied => {}
                Asked::Otherwise => return self.conflict(id, item),
            }
        }
        let script = self.systems.get_mut(&item.connector).and_then(|system| system.scripted(anchor));
        match script {
            Some(Answer::Busy) => self.again(id),
            Some(Answer::Refuses(words)) => {
                let item = self.state.items.get_mut(&id).expect("it is being sent");
                item.dead = Some(words.clone());
                (item.attempts, item.in_flight) = (item.attempts + 1, false);
                format!("refused: {words}")
            }
            answer => match (self.carry_out(item, action), answer) {
                (Said::Conflict, _) => self.conflict(id, item),
                (Said::Taken, _) => self.taken(id, item, action, waits),
                (_, Some(Answer::Silent)) => {
                    let item = self.state.items.get_mut(&id).expect("it is being sent");
                    (item.attempts, item.in_flight) = (item.attempts + 1, true);
                    "no answer, and nobody to ask".to_owned()
                }
                (Said::Done(external_id), Some(Answer::Lost)) => {
                    self.applied(id, item, action, external_id, waits);
                    "the answer was lost; asked, and it was done".to_owned()
                }
                (Said::Done(external_id), _) => {
                    let as_what = format!("done as {external_id}");
                    self.applied(id, item, action, external_id, waits);
                    if item.operation == Operation::Create { as_what } else { "done".to_owned() }
                }
                (Said::AlreadySo, _) => {
                    self.applied(id, item, action, Text::default(), waits);
                    "it was so already".to_owned()
                }
            },
        }
    }

    fn carry_out(&mut self, item: &Item, action: &ItemAction) -> Said {
        let address = self.address(item.connector, item.object_type);
        let id = self.space_of(action).map(|record| record.external_id.clone()).unwrap_or_default();
        let system = self.systems.entry(item.connector).or_default();
        system.carry_out(item.object_type, &id, address, action)
    }

    fn space_of(&self, action: &ItemAction) -> Option<&SpaceRecord> {
        match action {
            ItemAction::Create { .. } => None,
            ItemAction::Update { space, .. } | ItemAction::Delete { space } => {
                self.state.spaces.get(space).map(|space| &space.record)
            }
        }
    }

    /// What the target holds where this item's object is or should be.
    fn ask(&self, item: &Item, action: &ItemAction) -> Asked {
        let address = self.address(item.connector, item.object_type);
        let Some(system) = self.systems.get(&item.connector) else { return Asked::NotApplied };
        let now: Option<(Text, Object)> = match (action, self.space_of(action)) {
            (ItemAction::Create { attributes, .. }, _) => {
                let at = address.and_then(|name| Some((name, attributes.single(name)?.as_text()?)));
                let key = system.keys.get(&item.object_type).and_then(|name| attributes.single(*name));
                match (at, key) {
                    (Some((name, at)), _) => system.at_address(item.object_type, name, at),
                    (None, Some(key)) => {
                        let id = Text::from(key.to_string());
                        system.get(item.object_type, &id).map(|object| (id, object.clone()))
                    }
                    (None, None) => None,
                }
            }
            (_, Some(record)) => system
                .get(record.object_type, &record.external_id)
                .map(|object| (record.external_id.clone(), object.clone())),
            (_, None) => None,
        };
        match found(action, now.as_ref().map(|(_, object)| (object, &[][..])), address) {
            Found::AsWanted => Asked::Applied(now.map(|(id, _)| id).unwrap_or_default()),
            Found::AsBefore => Asked::NotApplied,
            Found::Otherwise => Asked::Otherwise,
        }
    }

    /// Somebody else's object stands where ours should: ours already if it is as wanted, refused if not.
    fn taken(&mut self, id: ItemId, item: &Item, action: &ItemAction, waits: Vec<Uid>) -> String {
        if let Asked::Applied(external_id) = self.ask(item, action) {
            self.applied(id, item, action, external_id, waits);
            return "it was so already".to_owned();
        }
        let words = "another object is there already".to_owned();
        self.state.items.get_mut(&id).expect("it is being sent").dead = Some(words.clone());
        format!("refused: {words}")
    }

    fn again(&mut self, id: ItemId) -> String {
        let item = self.state.items.get_mut(&id).expect("it is being sent");
        item.attempts += 1;
        if item.attempts >= ATTEMPTS_MAX {
            item.dead = Some("busy".to_owned());
            return format!("put aside after {} attempts: busy", item.attempts);
        }
        let seconds = RETRY_SECONDS << (item.attempts - 1);
        item.not_before = Some(self.now.saturating_add_seconds(seconds));
        format!("busy, again in {seconds}s")
    }

    /// Nothing was done; what is there is news for the next sync.
    fn conflict(&mut self, id: ItemId, item: &Item) -> String {
        let record = self.space_of(&item.action).cloned();
        self.state.items.remove(&id);
        self.state.wake(Todo::Mesh(item.mesh), None);
        if let Some(record) = record {
            let now = self
                .systems
                .get(&item.connector)
                .and_then(|system| system.get(record.object_type, &record.external_id))
                .cloned();
            if let Some(now) = now {
                let (connector, object_type) = (record.connector, record.object_type);
                self.stage(connector, object_type, &record.external_id, &now, &mut Vec::new());
                let space = self.state.spaces.get_mut(&record.id).expect("it was found above");
                space.touched = true;
            }
        }
        "somebody else changed it in between; nothing was done".to_owned()
    }

    fn applied(&mut self, id: ItemId, item: &Item, action: &ItemAction, external_id: Text, waits: Vec<Uid>) {
        self.state.items.remove(&id);
        let address = self.address(item.connector, item.object_type);
        match action {
            ItemAction::Create { attributes, .. } => {
                let (doc, exported) = after_create(attributes, address);
                self.created(item, external_id, doc, exported);
            }
            ItemAction::Update { space, address: new, changes, .. } => {
                let Some(known) = self.state.spaces.get(space) else { return };
                let (doc, exported) = after_update(&known.record, new.as_ref(), changes, address);
                let names = self.names(item.connector, item.object_type, &doc);
                let known = self.state.spaces.get_mut(space).expect("it was found above");
                write_expected(known, doc, exported, names);
            }
            ItemAction::Delete { space } => {
                self.state.spaces.remove(space);
                self.state.wake(Todo::Mesh(item.mesh), None);
            }
        }
        for member in waits {
            self.state.wait_for_address(item.connector, item.mesh, member);
        }
    }

    fn created(&mut self, item: &Item, external_id: Text, doc: Object, exported: Remembered) {
        let names = self.names(item.connector, item.object_type, &doc);
        let id = self.state.space(item.connector, item.object_type, &external_id);
        let id = id.unwrap_or_else(|| self.state.next_space());
        let known = self.state.spaces.entry(id).or_insert_with(|| Space {
            record: SpaceRecord {
                id,
                connector: item.connector,
                object_type: item.object_type,
                external_id,
                doc: Object::new(),
                deleted: false,
                unconfirmed: true,
                exported: [].into(),
                drift: Vec::new(),
                link: None,
            },
            touched: false,
            names: Vec::new(),
            note: None,
            waits: Vec::new(),
        });
        write_expected(known, doc, exported, names);
        let before = known.record.link;
        (known.note, known.waits, known.record.deleted) = (None, Vec::new(), false);
        let link = Link { mesh: item.mesh, rule: item.rule, mode: LinkMode::Projected, score: None };
        known.record.link = Some(link);
        if let Some(robbed) = before.filter(|before| before.mesh != item.mesh) {
            self.state.wake(Todo::Mesh(robbed.mesh), None);
        }
        self.state.wake_waiters(item.connector, item.uid);
    }

    fn names(
        &self,
        connector: ConnectorId,
        object_type: Name,
        doc: &Object,
    ) -> Vec<identitymesh_model::plan::IndexKey> {
        staged(&self.rules, connector, object_type, doc, fingerprint(doc)).names
    }
}

enum Asked {
    Applied(Text),
    NotApplied,
    Otherwise,
}

fn write_expected(
    known: &mut Space,
    doc: Object,
    exported: Remembered,
    names: Vec<identitymesh_model::plan::IndexKey>,
) {
    (known.record.doc, known.names, known.record.unconfirmed) = (doc, names, true);
    (known.record.exported, known.record.drift) = (exported.names.into(), exported.drift);
}

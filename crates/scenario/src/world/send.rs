//! One item on its way to a simulated system, the system's answer, and what is known afterwards.

use identitymesh_engine::export::{Found, after_create, after_update, found};
use identitymesh_engine::retry;
use identitymesh_engine::stage::{Exported as Remembered, Told, fingerprint, staged};
use identitymesh_model::plan::{IndexKey, ItemAction, Operation};
use identitymesh_model::{
    ConnectorId, ItemId, Link, LinkMode, Name, Object, SpaceId, SpaceRecord, Text, Uid,
};

use super::World;
use super::state::{Item, Space, Todo};
use super::system::{Answer, Said};

enum Asked {
    Applied(Text),
    NotApplied,
    /// An import showed what this create made, and it is not there any more.
    Gone,
    Otherwise,
}

impl World {
    pub(super) fn deliver(
        &mut self,
        id: ItemId,
        item: &Item,
        action: &ItemAction,
        waits: Vec<Uid>,
    ) -> String {
        if item.unsettled {
            match self.ask(item, action) {
                Asked::Applied(external_id) => {
                    self.applied(id, item, action, (external_id, LinkMode::Projected), waits);
                    return "it had been done".to_owned();
                }
                Asked::NotApplied => {}
                Asked::Gone => {
                    self.conflict(id, item);
                    return "made before and removed since; nothing was done".to_owned();
                }
                Asked::Otherwise => return self.conflict(id, item),
            }
        }
        let anchor = self.state.mesh.get(&item.mesh).map(|record| record.anchor.to_string());
        let system = self.systems.get_mut(&item.connector);
        let script = system.and_then(|system| system.scripted(&anchor.unwrap_or_default()));
        match script {
            Some(Answer::Busy) => self.again(id, "busy", false),
            Some(Answer::Unheard) => {
                let may_try = retry::may_try(item.attempts);
                self.again(id, "the answer was lost; asked, and it was not done", may_try)
            }
            Some(Answer::Refuses(words)) => {
                self.refuse(id, words.clone());
                format!("refused: {words}")
            }
            answer => {
                let said = self.carry_out(item, action);
                self.understand(id, item, action, waits, said, answer)
            }
        }
    }

    fn understand(
        &mut self,
        id: ItemId,
        item: &Item,
        action: &ItemAction,
        waits: Vec<Uid>,
        said: Said,
        answer: Option<Answer>,
    ) -> String {
        match (said, answer) {
            (Said::Conflict, _) => self.conflict(id, item),
            (Said::Taken, _) => self.taken(id, item, action, waits),
            (Said::Refused(words), _) => {
                self.refuse(id, words.to_owned());
                format!("refused: {words}")
            }
            (_, Some(Answer::Silent)) => self.again(id, "no answer, and nobody to ask", true),
            (Said::Done(external_id), Some(Answer::Lost)) => {
                self.applied(id, item, action, (external_id, LinkMode::Projected), waits);
                "the answer was lost; asked, and it was done".to_owned()
            }
            (Said::Done(external_id), _) => {
                let as_what = format!("done as {external_id}");
                self.applied(id, item, action, (external_id, LinkMode::Projected), waits);
                if item.operation == Operation::Create { as_what } else { "done".to_owned() }
            }
            (Said::AlreadySo, _) => {
                self.applied(id, item, action, (Text::default(), LinkMode::Projected), waits);
                "it was so already".to_owned()
            }
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
                self.state.space(*space).map(|space| &space.record)
            }
        }
    }

    /// What the target holds where this item's object is or should be.
    fn ask(&self, item: &Item, action: &ItemAction) -> Asked {
        let address = self.address(item.connector, item.object_type);
        let Some(system) = self.systems.get(&item.connector) else { return Asked::NotApplied };
        let now: Option<(Text, Object)> = match (action, self.space_of(action)) {
            (ItemAction::Create { attributes, .. }, _) => match self.known_space(item) {
                Some(record) => {
                    let object = system.get(record.object_type, &record.external_id);
                    let Some(object) = object else { return Asked::Gone };
                    Some((record.external_id.clone(), object.clone()))
                }
                None => system.standing_for(item.object_type, address, attributes),
            },
            (_, Some(record)) => system
                .get(record.object_type, &record.external_id)
                .map(|object| (record.external_id.clone(), object.clone())),
            (_, None) => None,
        };
        match found(action, now.as_ref().map(|(_, object)| (object, &[][..])), address, &[]) {
            Found::AsWanted => Asked::Applied(now.map(|(id, _)| id).unwrap_or_default()),
            // What was begun is made again, which is what it comes to.
            Found::AsBefore | Found::Begun => Asked::NotApplied,
            Found::Otherwise => match now {
                Some((id, _)) if self.is_known(item, &id) => Asked::Applied(id),
                _ => Asked::Otherwise,
            },
        }
    }

    /// The object that an import showed since a create was sent.
    fn known_space(&self, item: &Item) -> Option<&SpaceRecord> {
        let is_its = |record: &&SpaceRecord| {
            (record.connector, record.object_type, record.deleted)
                == (item.connector, item.object_type, false)
        };
        self.state.linked(item.mesh).map(|space| &space.record).find(is_its)
    }

    /// Whether an import showed the object as made by this very create.
    fn is_known(&self, item: &Item, external_id: &Text) -> bool {
        let is_ours = |link: Link| link.mode == LinkMode::Projected && link.rule == item.rule;
        item.operation == Operation::Create
            && self
                .known_space(item)
                .is_some_and(|record| record.external_id == *external_id && record.link.is_some_and(is_ours))
    }

    /// Somebody else's object stands where ours should: ours already if it is as wanted, refused if not.
    fn taken(&mut self, id: ItemId, item: &Item, action: &ItemAction, waits: Vec<Uid>) -> String {
        if let Asked::Applied(external_id) = self.ask(item, action) {
            let mode = if item.attempts > 0 { LinkMode::Projected } else { LinkMode::Adopted };
            if self.belongs_to_another(item, &external_id, mode) {
                self.state.remove_item(id);
                self.state.wake(Todo::Mesh(item.mesh), None);
                return format!("{external_id} is there as wanted, and belongs to somebody else");
            }
            self.applied(id, item, action, (external_id, mode), waits);
            return "it was so already".to_owned();
        }
        let words = "another object is there already".to_owned();
        self.refuse(id, words.clone());
        format!("refused: {words}")
    }

    /// What an earlier attempt of ours most likely made is taken back from whoever an import found for it.
    fn belongs_to_another(&self, item: &Item, external_id: &Text, mode: LinkMode) -> bool {
        let known = self.state.find(item.connector, item.object_type, external_id);
        let link = known.and_then(|id| self.state.space(id)).and_then(|space| space.record.link);
        let by_import = |mode| matches!(mode, LinkMode::Joined | LinkMode::Created);
        link.is_some_and(|link| {
            link.mesh != item.mesh && !(mode == LinkMode::Projected && by_import(link.mode))
        })
    }

    fn refuse(&mut self, id: ItemId, words: String) {
        let item = self.state.items.get_mut(&id).expect("it is being sent");
        (item.dead, item.in_flight) = (Some(words), false);
    }

    fn again(&mut self, id: ItemId, why: &str, is_unknown: bool) -> String {
        let now = self.now;
        let item = self.state.items.get_mut(&id).expect("it is being sent");
        item.in_flight = is_unknown;
        item.not_before = retry::again(now, item.attempts, is_unknown, None);
        match item.not_before {
            Some(at) => format!("{why}; again in {}s", (at.as_micros() - now.as_micros()) / 1_000_000),
            None => {
                item.dead = Some(why.to_owned());
                format!("put aside after {} attempts: {why}", item.attempts)
            }
        }
    }

    /// Nothing was done; what is there is news for the next sync.
    fn conflict(&mut self, id: ItemId, item: &Item) -> String {
        let record = self.space_of(&item.action).cloned();
        self.state.remove_item(id);
        self.state.wake(Todo::Mesh(item.mesh), None);
        if let Some(record) = record {
            let system = self.systems.get(&item.connector);
            let now = system.and_then(|system| system.get(record.object_type, &record.external_id)).cloned();
            if let Some(now) = now {
                let commit = self.state.next_commit();
                self.update(record.id, &now, commit, &Told::new(), &mut Vec::new());
                self.state.edit(record.id, |space| space.touched = commit);
            }
        }
        "somebody else changed it in between; nothing was done".to_owned()
    }

    fn applied(
        &mut self,
        id: ItemId,
        item: &Item,
        action: &ItemAction,
        (external_id, mode): (Text, LinkMode),
        waits: Vec<Uid>,
    ) {
        self.state.remove_item(id);
        let address = self.address(item.connector, item.object_type);
        match action {
            ItemAction::Create { attributes, .. } => {
                let (doc, exported) = after_create(attributes, address);
                self.created(item, (external_id, mode), doc, exported);
            }
            ItemAction::Update { space, address: new, changes, .. } => {
                let Some(known) = self.state.space(*space) else { return };
                let (doc, exported) = after_update(&known.record, new.as_ref(), changes, address);
                self.updated(item, *space, doc, exported);
            }
            ItemAction::Delete { space } => {
                self.state.remove(*space);
                // References that led to it lead nowhere now, here and in the target.
                self.state.wake_holders(item.uid);
                self.state.wake(Todo::Mesh(item.mesh), None);
            }
        }
        for member in waits {
            self.state.wait_for_address(item.connector, item.mesh, member);
        }
    }

    fn updated(&mut self, item: &Item, space: SpaceId, doc: Object, exported: Remembered) {
        let names = self.names(item.connector, item.object_type, &doc);
        let is_renamed = self.state.edit(space, |known| {
            let is_new = names.iter().any(|name| !known.names.contains(name));
            write_expected(known, doc, exported, names);
            is_new
        });
        if is_renamed == Some(true) {
            // Under a new address, whoever refers to the object has to refer to it there.
            self.state.wake_holders(item.uid);
        }
    }

    fn created(
        &mut self,
        item: &Item,
        (external_id, mode): (Text, LinkMode),
        doc: Object,
        exported: Remembered,
    ) {
        let names = self.names(item.connector, item.object_type, &doc);
        let known = self.state.find(item.connector, item.object_type, &external_id);
        let id = known.unwrap_or_else(|| {
            let space = self.expected(item, external_id);
            let id = space.record.id;
            self.state.add(space);
            id
        });
        let link = Link { mesh: item.mesh, rule: item.rule, mode, score: None };
        let before = self.state.edit(id, |known| {
            write_expected(known, doc, exported, names);
            (known.note, known.waits, known.record.deleted) = (None, Vec::new(), false);
            let before = known.record.link;
            if before.is_none_or(|before| before.mesh != link.mesh) {
                known.record.link = Some(link);
            }
            before
        });
        if let Some(robbed) = before.flatten().filter(|before| before.mesh != item.mesh) {
            self.state.wake(Todo::Mesh(robbed.mesh), None);
        }
        self.state.wake_waiters(item.connector, item.uid);
    }

    /// A management-space object for what was just made; untouched, because what we wrote is no news to a sync.
    fn expected(&mut self, item: &Item, external_id: Text) -> Space {
        let record = SpaceRecord {
            id: self.state.next_space(),
            connector: item.connector,
            object_type: item.object_type,
            external_id,
            doc: Object::new(),
            deleted: false,
            unconfirmed: true,
            exported: [].into(),
            drift: Vec::new(),
            link: None,
        };
        Space { record, touched: 0, names: Vec::new(), note: None, waits: Vec::new() }
    }

    fn names(&self, connector: ConnectorId, object_type: Name, doc: &Object) -> Vec<IndexKey> {
        staged(&self.rules, connector, object_type, doc, fingerprint(doc)).names
    }
}

fn write_expected(known: &mut Space, doc: Object, exported: Remembered, names: Vec<IndexKey>) {
    (known.record.doc, known.names, known.record.unconfirmed) = (doc, names, true);
    (known.record.exported, known.record.drift) = (exported.names.into(), exported.drift);
}

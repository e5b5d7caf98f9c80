//! Carrying out a part of a plan, table by table.

use identitymesh_model::joins::Member;
use identitymesh_model::plan::{ItemPlan, LeavePlan, LinkChange, MeshChange, ObjectPlan, Plan};
use identitymesh_model::{FormerLink, LeaveRecord, Link, MeshId, MeshRecord, MeshState, Timestamp};

use super::state::{Item, Space, Todo};
use super::{State, World};

impl World {
    /// Carries out a part of a plan.
    ///
    /// # Panics
    /// When the plan does not fit the state: the engine made a mistake.
    pub(super) fn apply(&mut self, plan: &Plan) {
        let wakes = self.resolve_wakes(plan);
        for object in &plan.objects {
            self.state.change_mesh(object);
        }
        self.state.change_links(&plan.objects, self.now);
        let objects = &plan.objects;
        for object in objects {
            self.state.change_keys(object);
            self.state.change_items(object);
            self.state.change_leaving(object);
        }
        for space in &plan.spaces {
            if space.purge {
                self.state.remove(space.space);
            } else {
                let note = |known: &mut Space| {
                    (known.note, known.waits) = (space.note.clone(), space.waits.clone());
                };
                self.state.edit(space.space, note);
            }
        }
        self.carry_out_wakes(&plan.wakes, wakes);
        self.state.check_edges();
    }
}

impl State {
    fn change_mesh(&mut self, object: &ObjectPlan) {
        match &object.change {
            Some(MeshChange::Create { doc, provenance }) => {
                self.last_mesh = self.last_mesh.max(object.id.0);
                let record = MeshRecord {
                    id: object.id,
                    uid: object.uid,
                    mesh_type: object.mesh_type,
                    anchor: object.anchor.clone(),
                    version: 1,
                    doc: doc.clone(),
                    provenance: provenance.clone(),
                    state: MeshState::Active,
                };
                self.index.add_mesh(object.uid, object.id);
                let before = self.mesh.insert(object.id, record);
                assert!(before.is_none(), "mesh object {} was to be new and is there already", object.anchor);
            }
            Some(MeshChange::Update { version, doc, provenance, state, .. }) => {
                let record = self.mesh.get_mut(&object.id).expect("an updated mesh object exists");
                assert_eq!(record.version, *version, "the plan for {} is of another version", object.anchor);
                assert_eq!(doc.len(), provenance.0.len(), "every attribute of {} has origins", object.anchor);
                record.version += 1;
                (record.doc, record.provenance, record.state) = (doc.clone(), provenance.clone(), *state);
                record.anchor = object.anchor.clone();
            }
            Some(MeshChange::Purge { version, .. }) => {
                let record = self.mesh.remove(&object.id).expect("a purged mesh object exists");
                assert_eq!(record.version, *version, "the plan for {} is of another version", object.anchor);
                self.index.remove_mesh(object.uid);
                self.hold_names(object.id, &[]);
                self.leaving.retain(|(mesh, _), _| *mesh != object.id);
                self.todo.remove(&Todo::Mesh(object.id));
            }
            None => assert!(self.mesh.contains_key(&object.id), "{} exists", object.anchor),
        }
    }

    /// Links end before links begin, so that an object may change hands within one plan.
    fn change_links(&mut self, objects: &[ObjectPlan], now: Timestamp) {
        let mut purged = Vec::new();
        for (object, link) in links(objects) {
            if let LinkChange::Remove { space, purge } = link {
                let before = self.edit(*space, |known| (Member::of(&known.record), known.record.link.take()));
                let (member, before) = before.expect("an unlinked object exists");
                let link = before.filter(|link| link.mesh == object.id).expect("a link that ends was there");
                self.ended.insert(member, FormerLink { link, ended: now });
                purged.extend(purge.then_some(*space));
            }
        }
        for (object, link) in links(objects) {
            if let LinkChange::Add { space, rule, mode, score, .. } = link {
                let link = Link { mesh: object.id, rule: *rule, mode: *mode, score: *score };
                let connector = self.edit(*space, |known| {
                    assert_eq!(known.record.link, None, "an object has one mesh object");
                    known.record.link = Some(link);
                    (known.note, known.waits) = (None, Vec::new());
                    known.record.connector
                });
                self.wake_waiters(connector.expect("a linked object exists"), object.uid);
            }
        }
        purged.into_iter().for_each(|space| self.remove(space));
    }

    fn change_keys(&mut self, object: &ObjectPlan) {
        for change in &object.keys {
            let row = (change.key.clone(), object.id);
            if change.add {
                self.join_index.insert(row)
            } else {
                self.join_index.remove(&row)
            };
        }
        for edge in &object.edges {
            let row = (object.id, edge.attribute, edge.member);
            let back = self.holders.entry(edge.member).or_default();
            if edge.add {
                back.insert((object.id, edge.attribute));
                self.edges.insert(row);
            } else {
                back.remove(&(object.id, edge.attribute));
                self.edges.remove(&row);
            }
            if back.is_empty() {
                self.holders.remove(&edge.member);
            }
        }
        if !matches!(object.change, Some(MeshChange::Purge { .. })) {
            self.hold_names(object.id, &object.names);
        }
    }

    fn change_items(&mut self, object: &ObjectPlan) {
        for connector in &object.cancelled {
            self.clear_item(object.id, *connector);
        }
        for item in &object.items {
            if self.clear_item(object.id, item.connector) {
                self.insert_item(object, item);
            }
        }
    }

    /// Makes room for a newer plan; `false` when the live item is on its way, and the object is looked at again.
    fn clear_item(&mut self, mesh: MeshId, connector: identitymesh_model::ConnectorId) -> bool {
        let Some(id) = self.live(mesh, connector) else { return true };
        let is_in_flight = self.items[&id].in_flight;
        if is_in_flight {
            self.wake(Todo::Mesh(mesh), None);
            return false;
        }
        self.remove_item(id);
        true
    }

    fn insert_item(&mut self, object: &ObjectPlan, item: &ItemPlan) {
        self.add_item(Item {
            mesh: object.id,
            uid: object.uid,
            connector: item.connector,
            rule: item.rule,
            object_type: item.object_type,
            operation: item.operation,
            action: item.action.clone(),
            attempts: 0,
            not_before: None,
            in_flight: false,
            unsettled: false,
            dead: None,
        });
    }

    fn change_leaving(&mut self, object: &ObjectPlan) {
        for leave in &object.leaving {
            match *leave {
                LeavePlan::Set { connector, rule, since, steps } => {
                    let record = LeaveRecord { connector, rule, since, steps };
                    self.leaving.insert((object.id, connector), record);
                }
                LeavePlan::Clear { connector } => {
                    self.leaving.remove(&(object.id, connector));
                }
            }
        }
    }

    /// Puts something on the to-do list; what is there keeps the earlier time.
    pub(super) fn wake(&mut self, todo: Todo, at: Option<Timestamp>) {
        let due = self.todo.entry(todo).or_insert(at);
        *due = (*due).min(at);
    }
}

fn links(objects: &[ObjectPlan]) -> impl Iterator<Item = (&ObjectPlan, &LinkChange)> {
    objects.iter().flat_map(|object| object.links.iter().map(move |link| (object, link)))
}

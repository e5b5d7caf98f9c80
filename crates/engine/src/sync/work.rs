//! The mesh objects that a part of a plan is about, while it is being made.

use std::collections::HashMap;

use identitymesh_model::plan::{LinkChange, Reason};
use identitymesh_model::{
    ConnectorId, ContentHash, MeshId, MeshRecord, MeshState, MeshView, Name, Object, Provenance, RuleId,
    SpaceId, SpaceRecord, Text, Uid,
};

use super::resolve::Resolved;

/// One mesh object at work.
pub(super) struct Work {
    /// As it was, with the links that the plan adds and without those it removes.
    pub(super) view: MeshView,
    /// It does not exist yet.
    pub(super) is_new: bool,
    /// Something about it may change.
    pub(super) is_dirty: bool,
    /// A rule wants it left alone.
    pub(super) has_failed: bool,
    pub(super) links: Vec<LinkChange>,
    /// Sources that it lost: connector and object type.
    pub(super) lost: Vec<(ConnectorId, Name)>,
    /// Sources that it gained.
    pub(super) gained: Vec<ConnectorId>,
    /// Its state after the plan.
    pub(super) state: MeshState,
    /// Its anchor after the plan.
    pub(super) anchor: Text,
    /// Its attributes after the plan, once they are known.
    pub(super) resolved: Option<Resolved>,
    pub(super) reason: Reason,
    /// The circumstances under which its sets were resolved, where it is traced and its members can be looked at one
    /// by one.
    pub(super) shape: Option<ContentHash>,
}

impl Work {
    pub(super) fn of(view: MeshView) -> Self {
        Self {
            state: view.record.state,
            anchor: view.record.anchor.clone(),
            view,
            is_new: false,
            is_dirty: false,
            has_failed: false,
            links: Vec::new(),
            lost: Vec::new(),
            gained: Vec::new(),
            resolved: None,
            reason: Reason { text: "looked at again".to_owned(), rule: RuleId(0) },
            shape: None,
        }
    }

    /// One that begins.
    pub(super) fn begin(id: MeshId, uid: Uid, mesh_type: Name, anchor: Text, reason: Reason) -> Self {
        let record = MeshRecord {
            id,
            uid,
            mesh_type,
            anchor,
            version: 0,
            doc: Object::new(),
            provenance: Provenance::default(),
            state: MeshState::Active,
        };
        let view =
            MeshView { record, linked: Vec::new(), items: Vec::new(), leaving: Vec::new(), trace: None };
        Self { is_new: true, is_dirty: true, reason, ..Self::of(view) }
    }

    /// Notes that something changed and why; the first reason is the one that is told.
    pub(super) fn touch(&mut self, text: impl FnOnce() -> String, rule: RuleId) {
        if !self.is_dirty || self.reason.text == "looked at again" {
            self.reason = Reason { text: text(), rule };
        }
        self.is_dirty = true;
        self.resolved = None;
    }

    pub(super) fn link(&mut self, space: SpaceRecord, change: LinkChange) {
        let at = self.view.linked.partition_point(|linked| linked.id < space.id);
        self.view.linked.insert(at, space);
        self.links.push(change);
    }

    /// Takes a link out; `None` when there was none.
    pub(super) fn unlink(&mut self, space: SpaceId, purge: bool) -> Option<SpaceRecord> {
        let at = self.view.linked.iter().position(|linked| linked.id == space)?;
        self.links.push(LinkChange::Remove { space, purge });
        Some(self.view.linked.remove(at))
    }
}

/// All mesh objects at work, in the order in which they came up.
#[derive(Default)]
pub(super) struct Works {
    pub(super) list: Vec<Work>,
    by_id: HashMap<MeshId, usize>,
}

impl Works {
    pub(super) fn add(&mut self, work: Work) -> usize {
        let at = self.list.len();
        self.by_id.insert(work.view.record.id, at);
        self.list.push(work);
        at
    }

    pub(super) fn position(&self, id: MeshId) -> Option<usize> {
        self.by_id.get(&id).copied()
    }

    pub(super) fn get_mut(&mut self, id: MeshId) -> Option<&mut Work> {
        let at = self.position(id)?;
        self.list.get_mut(at)
    }
}

//! Links that end, and objects that have none (sync semantics, section 3).
//!
//! A link ends when its object is gone or leaves the connector's scope. A link that a person made outlives the scope,
//! never the object.

use identitymesh_model::plan::{Note, NoteKind, SpacePlan, Wake};
use identitymesh_model::{Finding, LinkMode, MeshId, RuleId, SpaceRecord};

use super::neighbours::Neighbours;
use super::part::Part;
use crate::rules::ObjectTypeRules;

impl<N: Neighbours> Part<'_, '_, N> {
    /// Ends links of objects that are gone or out of scope, and returns the objects that look for a mesh object.
    pub(super) fn sort_out(&mut self, spaces: Vec<SpaceRecord>) -> Vec<SpaceRecord> {
        let mut unlinked = Vec::new();
        for space in spaces {
            let object_type = self.rules.object_type(space.connector, space.object_type);
            let in_scope = object_type.is_some_and(|object_type| self.is_in_scope(&space, object_type));
            let is_manual = space.link.is_some_and(|link| link.mode == LinkMode::Manual);
            match space.link {
                Some(link) if space.deleted || !(in_scope || is_manual) => self.unlink(&space, link.mesh),
                Some(link) => {
                    let name = self.connector_name(space.connector);
                    if let Some(work) = self.works.get_mut(link.mesh) {
                        work.touch(|| format!("changed in {name}"), link.rule);
                    }
                }
                None if space.deleted => {
                    self.spaces.push(SpacePlan {
                        space: space.id,
                        note: None,
                        waits: Vec::new(),
                        purge: true,
                    });
                }
                None if in_scope => unlinked.push(space),
                None => self.note_out_of_scope(&space),
            }
        }
        unlinked
    }

    pub(super) fn is_in_scope(&mut self, space: &SpaceRecord, object_type: &ObjectTypeRules) -> bool {
        let Some(scope) = &object_type.scope else { return true };
        let seen = identitymesh_expr::Scope::at(self.context.now).with_source(&space.doc);
        self.evaluator.test(scope, &seen).unwrap_or_else(|error| {
            let message = format!("the scope failed, so the object stays as it is: {error}");
            self.findings.push(Finding::new("JOI-006", message).about(
                space.connector,
                space.id,
                &space.external_id,
            ));
            space.link.is_some()
        })
    }

    pub(super) fn unlink(&mut self, space: &SpaceRecord, mesh: MeshId) {
        let name = self.connector_name(space.connector);
        let Some(work) = self.works.get_mut(mesh) else { return };
        if work.unlink(space.id, space.deleted).is_none() {
            return;
        }
        work.touch(|| format!("lost {name}/{}", space.external_id), RuleId(0));
        work.lost.push((space.connector, space.object_type));
        if self.rules.references {
            self.wakes.push(Wake::Referrers { space: space.id });
            let object_type = self.rules.object_type(space.connector, space.object_type);
            if object_type.is_some_and(|object_type| object_type.is_target) {
                // What waits to be sent may refer to it where it was.
                self.wakes.push(Wake::Holders { id: mesh });
            }
        }
        if !space.deleted {
            self.parted.push(space.clone());
            self.note_out_of_scope(space);
        }
    }

    fn note_out_of_scope(&mut self, space: &SpaceRecord) {
        let note = Note::new(NoteKind::OutOfScope, "the connector's scope leaves it out");
        self.spaces.push(SpacePlan { space: space.id, note: Some(note), waits: Vec::new(), purge: false });
    }
}

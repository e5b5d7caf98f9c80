//! Carrying out what a person decided about joins: links change hands, mesh objects begin, come back and end.
//!
//! Only that happens here. What follows (attributes, references, exports, who is woken) comes from the stages that every
//! part of a plan goes through.

use std::collections::HashMap;

use identitymesh_model::joins::{Bond, JoinDecision, MeshSeed};
use identitymesh_model::plan::Reason;
use identitymesh_model::{LinkMode, MeshId, MeshState, RuleId, Ruling, SpaceId, SpaceRecord, Uid};

use super::join::Match;
use super::neighbours::Neighbours;
use super::part::Part;
use super::work::Work;

/// A decision with the rows that it is about.
#[derive(Debug)]
pub struct Orders {
    /// What was decided.
    pub decision: JoinDecision,
    /// The objects that it names, in the order of [`JoinDecision::members`]; `None` for one that is not there.
    pub spaces: Vec<Option<SpaceRecord>>,
    /// The mesh objects that it names and that are there.
    pub meshes: Vec<(Uid, MeshId)>,
}

impl<N: Neighbours> Part<'_, '_, N> {
    /// Carries out a decision; says which objects look for a mesh object now.
    pub(super) fn obey(&mut self, orders: Orders) -> Result<Vec<SpaceRecord>, N::Error> {
        let Orders { decision, spaces, meshes } = orders;
        let mut ids: HashMap<Uid, MeshId> = meshes.into_iter().collect();
        let linked = spaces.iter().flatten().filter_map(|space| space.link).map(|link| link.mesh);
        let known = ids.values().copied().chain(linked).collect();
        self.load_missing(known)?;
        for seed in &decision.born {
            let id = self.bring(seed, ids.get(&seed.uid).copied())?;
            ids.insert(seed.uid, id);
        }
        self.rule(&decision, &spaces, &ids);
        let mut looking = Vec::new();
        for (member, space) in decision.members().into_iter().zip(spaces) {
            let Some(space) = space else { continue };
            match decision.moves.iter().find(|change| change.member == *member) {
                Some(change) => looking.extend(self.hand_over(space, change.to, &ids)),
                None if space.link.is_none() && !space.deleted => looking.push(space),
                None => {}
            }
        }
        for seed in &decision.gone {
            let since = self.context.now;
            if let Some(work) = ids.get(&seed.uid).and_then(|id| self.works.get_mut(*id)) {
                work.touch(|| "ended by hand".to_owned(), RuleId::BY_HAND);
                work.state = MeshState::Deleted { since };
            }
        }
        Ok(looking)
    }

    /// A mesh object that begins by hand; one that is still there comes back.
    fn bring(&mut self, seed: &MeshSeed, known: Option<MeshId>) -> Result<MeshId, N::Error> {
        if let Some(work) = known.and_then(|id| self.works.get_mut(id)) {
            work.touch(|| "brought back by hand".to_owned(), RuleId::BY_HAND);
            work.state = MeshState::Active;
            return Ok(work.view.record.id);
        }
        let id = self.neighbours.new_mesh_id()?;
        let reason = Reason { text: "made by hand".to_owned(), rule: RuleId::BY_HAND };
        let work = Work::begin(id, seed.uid, seed.mesh_type, seed.anchor.clone(), reason);
        self.works.add(work);
        Ok(id)
    }

    /// What is said for good holds from this part of the plan on.
    fn rule(&mut self, decision: &JoinDecision, spaces: &[Option<SpaceRecord>], ids: &HashMap<Uid, MeshId>) {
        for (member, space) in decision.members().into_iter().zip(spaces) {
            let Some(space) = space else { continue };
            let said = decision.rulings.iter().filter(|change| change.member == *member);
            let changes: Vec<(MeshId, Option<bool>)> =
                said.filter_map(|change| Some((*ids.get(&change.mesh)?, change.after))).collect();
            self.overruled.insert(space.id, changes);
        }
    }

    /// What was said before, and what a decision in hand changes about it.
    pub(super) fn overrule(&self, space: SpaceId, mut rulings: Vec<Ruling>) -> Vec<Ruling> {
        for (mesh, after) in self.overruled.get(&space).into_iter().flatten() {
            rulings.retain(|ruling| ruling.mesh != *mesh);
            rulings.extend(after.map(|belongs| Ruling { mesh: *mesh, belongs }));
        }
        rulings
    }

    /// Moves an object from its mesh object to another. Without one, or when that is not there any more, it looks for
    /// one by the rules.
    fn hand_over(
        &mut self,
        mut space: SpaceRecord,
        to: Option<Bond>,
        ids: &HashMap<Uid, MeshId>,
    ) -> Option<SpaceRecord> {
        if let Some(link) = space.link.take() {
            let name = self.connector_name(space.connector);
            if let Some(work) = self.works.get_mut(link.mesh)
                && work.unlink(space.id, false).is_some()
            {
                work.touch(|| format!("lost {name}/{} by hand", space.external_id), RuleId::BY_HAND);
                work.lost.push((space.connector, space.object_type));
            }
        }
        let there = to.and_then(|bond| Some((bond, *ids.get(&bond.mesh)?)));
        let Some((bond, mesh)) = there.filter(|(_, mesh)| self.works.position(*mesh).is_some()) else {
            if self.rules.references {
                self.wake_referrers(&space);
            }
            return (!space.deleted).then_some(space);
        };
        let matched = match bond.mode {
            LinkMode::Manual => "linked by hand",
            LinkMode::Joined | LinkMode::Created | LinkMode::Projected => "moved by hand",
        };
        let Bond { rule, mode, score, .. } = bond;
        self.link(space, Match { mesh, rule, mode, matched: matched.to_owned(), score });
        None
    }
}

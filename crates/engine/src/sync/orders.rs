//! Carrying out what a person decided about joins: links change hands, mesh objects begin, come back and end.
//!
//! Only that happens here. What follows (attributes, references, exports, who is woken) comes from the stages that every
//! part of a plan goes through.

use std::collections::HashMap;

use identitymesh_model::joins::{Bond, JoinDecision, Member, MeshSeed, Move};
use identitymesh_model::plan::{IndexKey, Note, Reason, SpacePlan};
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
    /// What the rules said of single objects, where a decision carries out what they said.
    pub carried: HashMap<SpaceId, Carried>,
}

/// What the rules said of an object.
#[derive(Clone, Debug, PartialEq)]
pub enum Carried {
    /// By which values it is linked.
    Matched(String),
    /// Why it has no mesh object, and what it waits for.
    Left(Note, Vec<IndexKey>),
}

impl<N: Neighbours> Part<'_, '_, N> {
    /// Carries out a decision; says which objects look for a mesh object now.
    pub(super) fn obey(&mut self, orders: Orders) -> Result<Vec<SpaceRecord>, N::Error> {
        let Orders { decision, spaces, meshes, mut carried } = orders;
        let how = decision.kind.how();
        let mut ids: HashMap<Uid, MeshId> = meshes.into_iter().collect();
        let linked = spaces.iter().flatten().filter_map(|space| space.link).map(|link| link.mesh);
        let known = ids.values().copied().chain(linked).collect();
        self.load_missing(known)?;
        for seed in &decision.born {
            let id = self.bring(seed, ids.get(&seed.uid).copied(), how)?;
            ids.insert(seed.uid, id);
        }
        self.rule(&decision, &spaces, &ids);
        let moves: HashMap<&Member, &Move> =
            decision.moves.iter().map(|change| (&change.member, change)).collect();
        let mut looking = Vec::new();
        for (member, space) in decision.members().into_iter().zip(spaces) {
            let Some(space) = space else { continue };
            match moves.get(member) {
                Some(change) => {
                    let said = carried.remove(&space.id);
                    looking.extend(self.hand_over(space, change.to, said, &ids, how));
                }
                None if space.link.is_none() && !space.deleted => looking.push(space),
                None => {}
            }
        }
        for seed in &decision.gone {
            let since = self.context.now;
            if let Some(work) = ids.get(&seed.uid).and_then(|id| self.works.get_mut(*id)) {
                work.touch(|| format!("ended {how}"), RuleId::BY_HAND);
                work.state = MeshState::Deleted { since };
            }
        }
        Ok(looking)
    }

    /// A mesh object that begins by hand; one that is still there comes back.
    fn bring(
        &mut self,
        seed: &MeshSeed,
        known: Option<MeshId>,
        how: &'static str,
    ) -> Result<MeshId, N::Error> {
        if let Some(work) = known.and_then(|id| self.works.get_mut(id)) {
            work.touch(|| format!("brought back {how}"), RuleId::BY_HAND);
            work.state = MeshState::Active;
            return Ok(work.view.record.id);
        }
        let id = self.neighbours.new_mesh_id()?;
        let reason = Reason { text: format!("made {how}"), rule: RuleId::BY_HAND };
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
    /// one by the rules, unless they were asked.
    fn hand_over(
        &mut self,
        mut space: SpaceRecord,
        to: Option<Bond>,
        said: Option<Carried>,
        ids: &HashMap<Uid, MeshId>,
        how: &'static str,
    ) -> Option<SpaceRecord> {
        let there = to.and_then(|bond| Some((bond, *ids.get(&bond.mesh)?)));
        if let Some(link) = space.link.take() {
            let name = self.connector_name(space.connector);
            let stays = there.is_some_and(|(_, mesh)| mesh == link.mesh);
            if let Some(work) = self.works.get_mut(link.mesh)
                && work.unlink(space.id, false).is_some()
                && !stays
            {
                work.touch(|| format!("lost {name}/{} {how}", space.external_id), RuleId::BY_HAND);
                work.lost.push((space.connector, space.object_type));
                if !space.deleted {
                    self.parted.push(space.clone());
                }
            }
        }
        let Some((bond, mesh)) = there.filter(|(_, mesh)| self.works.position(*mesh).is_some()) else {
            if self.rules.references {
                self.wake_referrers(&space);
            }
            if let Some(Carried::Left(note, waits)) = said {
                self.spaces.push(SpacePlan { space: space.id, note: Some(note), waits, purge: false });
                return None;
            }
            return (!space.deleted).then_some(space);
        };
        let matched = match (said, bond.mode) {
            (Some(Carried::Matched(matched)), _) => matched,
            (_, LinkMode::Manual) => format!("linked {how}"),
            (_, _) => format!("moved {how}"),
        };
        let Bond { rule, mode, score, .. } = bond;
        self.link(space, Match { mesh, rule, mode, matched, score });
        None
    }
}

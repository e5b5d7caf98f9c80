//! What people decide about joins, carried out as a store does: the plan, what is said for good, and the decision itself.

use std::collections::HashMap;

use identitymesh_engine::joins::{self, Around, Asked, Fate, Reconsidered, Refusal};
use identitymesh_engine::{Asking, Carried, Orders, Outcome, PlanContext, Planner};
use identitymesh_model::joins::{DecisionKind, JoinDecision, Member};
use identitymesh_model::{
    ConnectorId, CountingIds, IdSource as _, LinkMode, MeshId, MeshState, MeshView, Ruling, RunId, SpaceId,
    SpaceRecord, Uid,
};

use super::neighbours::View;
use super::sync::{IDS_PER_PART, Moment, Stopped};
use super::{State, World};

impl State {
    /// What people said for good about an object and mesh objects that are there.
    pub(super) fn rulings(&self, space: &SpaceRecord) -> Vec<Ruling> {
        let said = self.rulings.get(&Member::of(space)).into_iter().flatten();
        let found = said.filter_map(|(uid, belongs)| {
            Some(Ruling { mesh: self.mesh_by_uid(*uid)?.id, belongs: *belongs })
        });
        found.collect()
    }

    fn said_of(&self, member: &Member) -> Vec<(Uid, bool)> {
        let said = self.rulings.get(member).into_iter().flatten();
        said.map(|(uid, belongs)| (*uid, *belongs)).collect()
    }

    fn said_on(&self, mesh: Uid) -> Vec<(Member, bool)> {
        let said = self.rulings.iter().filter_map(|(member, said)| Some((member.clone(), *said.get(&mesh)?)));
        said.collect()
    }

    fn around(&self, id: SpaceId) -> Option<Around> {
        let space = self.space(id)?.record.clone();
        let mesh = space.link.and_then(|link| self.view(link.mesh));
        let rulings = self.said_of(&Member::of(&space));
        Some(Around { space, mesh, rulings })
    }

    fn space_of(&self, member: &Member) -> Option<SpaceId> {
        self.find(member.connector, member.object_type, &member.external_id)
    }
}

/// What somebody wants decided.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ask {
    /// The object belongs to the mesh object.
    Link(SpaceId, MeshId),
    /// The object does not belong to its mesh object.
    Unlink(SpaceId),
    /// No rule may link the two.
    Never(SpaceId, MeshId),
    /// The objects become a mesh object of their own, with this anchor.
    Split(MeshId, Vec<SpaceId>, String),
    /// The second goes into the first.
    Merge(MeshId, MeshId),
    /// Links that rules made, of all connectors or one, are what the rules in force make of them.
    Reevaluate(Option<ConnectorId>),
    /// The decision with this number, counted from 1, is taken back.
    Revert(usize),
}

/// A decision with what carries it out.
struct Decided {
    decision: JoinDecision,
    reverts: Option<usize>,
    carried: HashMap<SpaceId, Carried>,
}

impl World {
    /// Decides, carries it out, and works off what that wakes.
    ///
    /// # Errors
    /// When the decision is refused.
    pub fn decide(
        &mut self,
        ask: &Ask,
        mut told: impl FnMut(&Self, &Outcome, Moment),
    ) -> Result<(), Refusal> {
        let Decided { decision, reverts, carried } = self.decision(ask)?;
        self.run += 1;
        let outcome = self.plan_decision(&decision, &carried);
        let again = self.plan_decision(&decision, &carried);
        assert_eq!(outcome.plan, again.plan, "planning twice gives the same plan");
        self.part += 1;
        told(self, &outcome, Moment::Before);
        self.apply(&outcome.plan);
        for ruling in &decision.rulings {
            let said = self.state.rulings.entry(ruling.member.clone()).or_default();
            match ruling.after {
                Some(belongs) => said.insert(ruling.mesh, belongs),
                None => said.remove(&ruling.mesh),
            };
        }
        if decision.kind == DecisionKind::Reevaluate {
            self.state.ended.retain(|member, _| decision.moves.iter().all(|known| known.member != *member));
        }
        self.state.rulings.retain(|_, said| !said.is_empty());
        self.state.decisions.push((decision, reverts));
        told(self, &outcome, Moment::After);
        let worked = self.work_off(&mut told);
        assert_ne!(worked, Err(Stopped), "nobody stops a decision");
        Ok(())
    }

    fn decision(&self, ask: &Ask) -> Result<Decided, Refusal> {
        let missing = || Refusal("one of the two is not there".to_owned());
        let around = |id: &SpaceId| self.state.around(*id).ok_or_else(missing);
        let view = |id: &MeshId| self.state.view(*id).ok_or_else(missing);
        let decision = match ask {
            Ask::Link(space, mesh) => joins::link(&around(space)?, &view(mesh)?)?,
            Ask::Never(space, mesh) => joins::never(&around(space)?, &view(mesh)?)?,
            Ask::Unlink(space) => {
                let around = around(space)?;
                let mesh: MeshView = around.mesh.clone().ok_or_else(missing)?;
                joins::never(&around, &mesh)?
            }
            Ask::Split(mesh, spaces, anchor) => {
                let members = spaces.iter().map(around).collect::<Result<Vec<_>, _>>()?;
                let uid = CountingIds::starting_at(self.part * IDS_PER_PART + IDS_PER_PART / 2);
                joins::split(&view(mesh)?, &members, uid.next_uid(self.now), anchor.as_str().into())?
            }
            Ask::Merge(survivor, other) => {
                let (survivor, other) = (view(survivor)?, view(other)?);
                let linked: Vec<_> =
                    other.linked.iter().map(|space| self.state.said_of(&Member::of(space))).collect();
                let on = |view: &MeshView| self.state.said_on(view.record.uid);
                joins::merge(&self.rules, &survivor, &other, &linked, &on(&other), &on(&survivor))?
            }
            Ask::Revert(number) => {
                let (before, _) = self.state.decisions.get(number.wrapping_sub(1)).ok_or_else(missing)?;
                let members = before.members();
                let now: Vec<_> = members
                    .into_iter()
                    .map(|member| self.state.space_of(member).and_then(|id| self.state.around(id)))
                    .collect();
                let is_ended = |uid: &Uid| {
                    let known = self.state.mesh_by_uid(*uid);
                    known.is_none_or(|record| matches!(record.state, MeshState::Deleted { .. }))
                };
                let ended: Vec<Uid> = before.losing.iter().map(|seed| seed.uid).filter(is_ended).collect();
                let decision = joins::revert(&self.rules, before, &now, &ended)?;
                return Ok(Decided { decision, reverts: Some(*number), carried: HashMap::new() });
            }
            Ask::Reevaluate(connector) => return self.reevaluation(*connector),
        };
        Ok(Decided { decision, reverts: None, carried: HashMap::new() })
    }

    /// Asks for the links that rules made, one by one and then together, as the runner does.
    fn reevaluation(&self, connector: Option<ConnectorId>) -> Result<Decided, Refusal> {
        let is_asked = |space: &SpaceRecord| {
            !space.deleted
                && connector.is_none_or(|only| only == space.connector)
                && space.link.is_some_and(|link| matches!(link.mode, LinkMode::Joined | LinkMode::Created))
        };
        let all: Vec<SpaceRecord> =
            self.state.spaces().map(|known| known.record.clone()).filter(is_asked).collect();
        let mut asked: HashMap<SpaceId, SpaceRecord> = HashMap::new();
        let mut fates = Vec::new();
        for Reconsidered { space, fate } in self.reconsider(all.clone(), Asking::Alone) {
            match fate {
                Fate::Stays => {}
                Fate::StaysBy(_) => fates.push((space, fate)),
                _ => {
                    let whose = |known: &&SpaceRecord| known.id == space;
                    let mesh = all.iter().find(whose).and_then(|space| space.link).map(|link| link.mesh);
                    let linked = all.iter().filter(|known| known.link.map(|link| link.mesh) == mesh);
                    asked.extend(linked.map(|known| (known.id, known.clone())));
                }
            }
        }
        fates.retain(|(space, _)| !asked.contains_key(space));
        let together = self.reconsider(asked.into_values().collect(), Asking::Together);
        fates.extend(together.into_iter().map(|known| (known.space, known.fate)));
        fates.sort_unstable_by_key(|(space, _)| *space);
        let asked = fates.into_iter().filter_map(|(id, fate)| {
            let space = all.iter().find(|known| known.id == id)?.clone();
            Some(Asked { mesh: self.state.view(space.link?.mesh)?, space, fate })
        });
        let views = self.state.mesh.keys().filter_map(|id| Some((*id, self.state.view(*id)?))).collect();
        let ids = CountingIds::starting_at(self.part * IDS_PER_PART + IDS_PER_PART / 2);
        let made = joins::reevaluate(asked.collect(), &views, || ids.next_uid(self.now));
        if let Some((_, why)) = made.waiting.first() {
            return Err(Refusal(why.clone()));
        }
        if made.decision.moves.is_empty() {
            return Err(Refusal("every link stays as it is".to_owned()));
        }
        Ok(Decided { decision: made.decision, reverts: None, carried: made.carried })
    }

    fn reconsider(&self, spaces: Vec<SpaceRecord>, asking: Asking) -> Vec<Reconsidered> {
        let ids = CountingIds::starting_at(self.part * IDS_PER_PART);
        let context = PlanContext { now: self.now, run: RunId(self.run), ids: &ids, reindex: false };
        let mut view = View::new(&self.state);
        match Planner::new(&self.rules).reconsider(spaces, asking, &context, &mut view) {
            Ok((fates, _)) => fates,
            Err(never) => match never {},
        }
    }

    fn plan_decision(&self, decision: &JoinDecision, carried: &HashMap<SpaceId, Carried>) -> Outcome {
        let record = |member: &Member| Some(self.state.space(self.state.space_of(member)?)?.record.clone());
        let uids = decision.mesh_objects();
        let orders = Orders {
            spaces: decision.members().into_iter().map(record).collect(),
            meshes: uids.iter().filter_map(|uid| Some((*uid, self.state.mesh_by_uid(*uid)?.id))).collect(),
            decision: decision.clone(),
            carried: carried.clone(),
        };
        let ids = CountingIds::starting_at(self.part * IDS_PER_PART);
        let context = PlanContext { now: self.now, run: RunId(self.run), ids: &ids, reindex: false };
        let mut view = View::new(&self.state);
        match Planner::new(&self.rules).carry_out(orders, &context, &mut view) {
            Ok(outcome) => outcome,
            Err(never) => match never {},
        }
    }
}

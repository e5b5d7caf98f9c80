//! What people decide about joins, carried out as a store does: the plan, what is said for good, and the decision itself.

use identitymesh_engine::joins::{self, Around, Refusal};
use identitymesh_engine::{Orders, Outcome, PlanContext, Planner};
use identitymesh_model::joins::{JoinDecision, Member};
use identitymesh_model::{
    CountingIds, IdSource as _, MeshId, MeshView, Ruling, RunId, SpaceId, SpaceRecord, Uid,
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
    /// The decision with this number, counted from 1, is taken back.
    Revert(usize),
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
        let (decision, reverts) = self.decision(ask)?;
        self.run += 1;
        let outcome = self.plan_decision(&decision);
        assert_eq!(outcome.plan, self.plan_decision(&decision).plan, "planning twice gives the same plan");
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
        self.state.rulings.retain(|_, said| !said.is_empty());
        self.state.decisions.push((decision, reverts));
        told(self, &outcome, Moment::After);
        let worked = self.work_off(&mut told);
        assert_ne!(worked, Err(Stopped), "nobody stops a decision");
        Ok(())
    }

    fn decision(&self, ask: &Ask) -> Result<(JoinDecision, Option<usize>), Refusal> {
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
                return Ok((joins::revert(&self.rules, before, &now)?, Some(*number)));
            }
        };
        Ok((decision, None))
    }

    fn plan_decision(&self, decision: &JoinDecision) -> Outcome {
        let record = |member: &Member| Some(self.state.space(self.state.space_of(member)?)?.record.clone());
        let uids = decision.mesh_objects();
        let orders = Orders {
            spaces: decision.members().into_iter().map(record).collect(),
            meshes: uids.iter().filter_map(|uid| Some((*uid, self.state.mesh_by_uid(*uid)?.id))).collect(),
            decision: decision.clone(),
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

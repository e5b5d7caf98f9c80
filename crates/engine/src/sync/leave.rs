//! Leaving: what a rule's policy wants of a target's object that no rule holds any more (sync semantics, section 7).
//!
//! Steps add up: everything that is due by now has to be so. A deletion that a source objects to is not due, however
//! long it is, and is looked at again when the source's object changes, and every day.

use identitymesh_model::plan::{ItemAction, ItemChange, LeavePlan, Operation, Wake};
use identitymesh_model::rules::{LeaveAction, LeaveStep};
use identitymesh_model::{
    ConnectorId, LeaveRecord, LinkMode, MeshState, SpaceRecord, Text, Timestamp, Value, Values, dn,
};

use super::active::{Objection, objection};
use super::neighbours::Neighbours;
use super::project::{Planned, Projected, Projector, next_boundary};
use super::work::Work;
use crate::rules::Projection;

/// A target's object that its rule has to let go.
pub(super) struct Leaver<'a> {
    pub(super) work: &'a Work,
    pub(super) connector: ConnectorId,
    pub(super) space: &'a SpaceRecord,
    /// How far it is on its way out.
    pub(super) leave: Option<&'a LeaveRecord>,
}

impl<N: Neighbours> Projector<'_, N> {
    /// What a leave policy wants of an object that no rule holds any more.
    pub(super) fn left(
        &mut self,
        leaver: &Leaver<'_>,
        projections: &[Projection],
        projected: &mut Projected,
    ) -> Result<Option<Planned>, N::Error> {
        let Leaver { work, connector, space, leave } = *leaver;
        let Some(rule) = leaver.rule(projections) else { return Ok(None) };
        let since = leave.map_or_else(|| left_at(work).unwrap_or(self.now), |leave| leave.since);
        let done = leave.map_or(0, |leave| leave.steps);
        let is_due = |step: &&LeaveStep| since.saturating_add_seconds(step.after.as_seconds()) <= self.now;
        let due = rule.leave.iter().take_while(is_due).count();
        let mut steps = u16::try_from(due).unwrap_or(u16::MAX).max(done);
        projected.witnesses.extend(witnesses(rule, work, space));
        let reached = &rule.leave[..usize::from(steps).min(rule.leave.len())];
        if deletes(reached) && owns(rule, space) && self.is_objected_to(leaver, rule) {
            steps = u16::try_from(reached.len() - 1).unwrap_or(u16::MAX);
        }
        if leave.is_none_or(|leave| (leave.since, leave.steps, leave.rule) != (since, steps, rule.rule)) {
            projected.leaving.push(LeavePlan::Set { connector, rule: rule.rule, since, steps });
        }
        let taken = &rule.leave[..usize::from(steps).min(rule.leave.len())];
        match rule.leave.get(taken.len()) {
            Some(next) => {
                let due = since.saturating_add_seconds(next.after.as_seconds());
                let at = Some(if due <= self.now { next_boundary(self.now) } else { due });
                projected.wakes.push(Wake::Mesh { id: work.view.record.id, at });
            }
            None if matches!(work.state, MeshState::Deleted { .. })
                && !(deletes(taken) && owns(rule, space)) =>
            {
                projected.released.push(space.id);
            }
            None => {}
        }
        Ok(self.leave_item(leaver, rule, taken))
    }

    /// Whether a source objects to the deletion. That nobody can be sure is a finding; that the person is active is
    /// what the rule is there for.
    fn is_objected_to(&mut self, leaver: &Leaver<'_>, rule: &Projection) -> bool {
        for source in &rule.unless_active {
            let coverage = self.coverages.get(&(source.connector, source.object_type));
            let asked = (&mut *self.evaluator, self.now);
            let found = objection(self.rules, source, &leaver.work.view.linked, coverage, asked);
            if let Some(Objection::Unsure(why)) = &found {
                let message =
                    format!("the leave policy says delete, and it waits, because nobody can be sure: {why}");
                self.finding("PRJ-007", &message, leaver.work, leaver.connector);
            }
            if found.is_some() {
                return true;
            }
        }
        false
    }

    fn leave_item(&mut self, leaver: &Leaver<'_>, rule: &Projection, taken: &[LeaveStep]) -> Option<Planned> {
        let Leaver { work, connector, space, .. } = *leaver;
        let text = format!("left the scope of {}: {}", rule.name, work.reason.text);
        let plan = |operation, action| {
            Some(Planned {
                rule: rule.rule,
                object_type: rule.object_type,
                operation,
                action,
                text: text.clone(),
            })
        };
        if deletes(taken) {
            if owns(rule, space) {
                return plan(Operation::Delete, ItemAction::Delete { space: space.id });
            }
            let message = "the leave policy says delete, but this product did not create the object and the rule does not own existing ones; it stays";
            self.finding("PRJ-005", message, work, connector);
        }
        let mut changes = Vec::new();
        let mut operation = Operation::Move;
        if let Some(disable) =
            rule.disable.as_ref().filter(|_| taken.iter().any(|step| step.action == LeaveAction::Disable))
        {
            let wanted = Some(Values::One(disable.disabled.clone()));
            let old = space.doc.get(disable.attribute).cloned();
            if old != wanted {
                changes.push(ItemChange::between(disable.attribute, old.as_ref(), wanted, false));
                operation = Operation::Disable;
            }
        }
        let address =
            taken.iter().rev().find_map(|step| step.to.as_deref()).and_then(|to| moved(rule, space, to));
        if changes.is_empty() && address.is_none() {
            return None;
        }
        let create_container =
            rule.place.as_ref().is_some_and(|place| place.create_container) && address.is_some();
        plan(operation, ItemAction::Update { space: space.id, address, create_container, changes })
    }
}

impl Leaver<'_> {
    /// The rule whose policy decides: the one that it is leaving by, that which made the object, or the first for its
    /// type.
    fn rule<'p>(&self, projections: &'p [Projection]) -> Option<&'p Projection> {
        let made_by = self.space.link.filter(|link| link.mode.is_by_export()).map(|link| link.rule);
        let known = self.leave.map(|leave| leave.rule).or(made_by);
        projections
            .iter()
            .find(|rule| Some(rule.rule) == known)
            .or_else(|| projections.iter().find(|rule| rule.object_type == self.space.object_type))
    }
}

/// The objects by which sources can object to the deletion; a mesh object that is deleted keeps them until it is done.
fn witnesses<'a>(
    rule: &'a Projection,
    work: &'a Work,
    space: &SpaceRecord,
) -> impl Iterator<Item = identitymesh_model::SpaceId> + 'a {
    let sources = if owns(rule, space) { rule.unless_active.as_slice() } else { &[] };
    let linked = work.view.linked.iter();
    linked.filter(|space| sources.iter().any(|source| source.is_about(space))).map(|space| space.id)
}

/// Nothing follows a deletion.
fn deletes(steps: &[LeaveStep]) -> bool {
    steps.last().is_some_and(|step| step.action == LeaveAction::Delete)
}

/// Whether the leave policy may delete the object.
pub(super) fn owns(rule: &Projection, space: &SpaceRecord) -> bool {
    rule.owns_existing || space.link.is_some_and(|link| link.mode == LinkMode::Projected)
}

/// When a mesh object that is leaving left.
const fn left_at(work: &Work) -> Option<Timestamp> {
    match work.state {
        MeshState::Active => None,
        MeshState::Leaving { since } | MeshState::Deleted { since } => Some(since),
    }
}

fn moved(rule: &Projection, space: &SpaceRecord, to: &str) -> Option<Text> {
    let place = rule.place.as_ref()?;
    let current = space.doc.single(place.address).and_then(Value::as_text)?;
    let wanted = format!("{},{to}", dn::split_first(current).0);
    (dn::normalise(&wanted) != dn::normalise(current)).then(|| Text::from(wanted))
}

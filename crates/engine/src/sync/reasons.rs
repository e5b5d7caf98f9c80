//! Why a mesh object is in a target or not, and why it is not deleted: what the rules say, told without deciding.

use identitymesh_expr::{Evaluator, Scope};
use identitymesh_model::rules::{LeaveAction, SourceLeave};
use identitymesh_model::{
    ConnectorId, Coverage, LeaveRecord, MeshState, MeshView, Name, Object, SpaceRecord, Text, Timestamp,
};

use super::active;
use super::leave::owns;
use super::lifecycle::grace_seconds;
use crate::rules::{Projection, RuleSet};

/// A projection rule, and whether a mesh object is in its scope.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InScope {
    /// The target.
    pub connector: ConnectorId,
    /// The target is run, and what the rule has to know of its schema is known.
    pub ready: bool,
    /// The rule's name.
    pub rule: String,
    /// The scope as it is written; `None` for everybody.
    pub scope: Option<String>,
    /// Whether it holds, or why it could not be evaluated, which counts as no.
    pub holds: Result<bool, String>,
    /// Whether the rule makes objects.
    pub creates: bool,
    /// Whether the rule changes objects that are there.
    pub updates: bool,
}

/// All projection rules for objects of a type, by target, in order of precedence: the first that holds applies.
#[must_use]
pub fn scopes(rules: &RuleSet, mesh_type: Name, doc: &Object, now: Timestamp) -> Vec<InScope> {
    let mut evaluator = Evaluator::new();
    let scope = Scope::at(now).with_mesh(doc);
    let mut out = Vec::new();
    for (connector, rule) in projections(rules, mesh_type) {
        let holds = match &rule.scope {
            None => Ok(true),
            Some(program) => evaluator.test(program, &scope).map_err(|error| error.to_string()),
        };
        let known = rules.connector(connector);
        let ready =
            known.is_some_and(|known| known.enabled && known.is_ready(std::iter::once(rule.object_type)));
        out.push(InScope {
            connector,
            ready,
            rule: rule.name.clone(),
            scope: rule.scope.as_ref().map(|program| program.text().to_owned()),
            holds,
            creates: rule.create,
            updates: rule.update,
        });
    }
    out
}

fn projections(rules: &RuleSet, mesh_type: Name) -> impl Iterator<Item = (ConnectorId, &Projection)> {
    let targets = rules.mesh_type(mesh_type).into_iter().flat_map(|known| &known.targets);
    targets.flat_map(|(connector, list)| list.iter().map(|rule| (*connector, rule)))
}

/// A management-space object that a mesh object is linked to, and what its loss would mean.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Holder {
    /// Whose object it is.
    pub connector: ConnectorId,
    /// Its external id.
    pub external_id: Text,
    /// It counts as a source: it is there, and not an object that a target holds for us.
    pub is_source: bool,
    /// What its loss means; `None` where no leave rule speaks of it.
    pub leave: Option<SourceLeave>,
    /// The connectors that have to hold nothing any more, where that is the policy.
    pub authoritative: Vec<Name>,
}

/// Everything that a mesh object is linked to.
#[must_use]
pub fn holders(rules: &RuleSet, view: &MeshView) -> Vec<Holder> {
    let holder = |space: &SpaceRecord| {
        let known = rules.object_type(space.connector, space.object_type);
        let leave = known.and_then(|known| known.leave.as_ref());
        Holder {
            connector: space.connector,
            external_id: space.external_id.clone(),
            is_source: !space.deleted && known.is_some_and(|known| !known.is_target && known.is_inbound()),
            leave: leave.map(|leave| leave.mesh_object),
            authoritative: leave.map(|leave| leave.authoritative.clone()).unwrap_or_default(),
        }
    };
    view.linked.iter().map(holder).collect()
}

/// When the grace period of a mesh object that is leaving ends.
#[must_use]
pub fn grace_end(rules: &RuleSet, view: &MeshView) -> Option<Timestamp> {
    match view.record.state {
        MeshState::Leaving { since } => {
            Some(since.saturating_add_seconds(grace_seconds(rules, view.record.mesh_type)))
        }
        _ => None,
    }
}

/// A target's object of a mesh object, and what the rule that it belongs to does with it out of scope.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TargetLeave {
    /// The target.
    pub connector: ConnectorId,
    /// The object's external id.
    pub external_id: Text,
    /// The rule's name.
    pub rule: String,
    /// Since when it is out of scope; `None` while it is in.
    pub since: Option<Timestamp>,
    /// The steps: what is done, after how many seconds, and whether that was planned.
    pub steps: Vec<(LeaveAction, i64, bool)>,
    /// Whether this product may delete it.
    pub owned: bool,
    /// What a source has against its deletion, where the policy has one.
    pub objection: Option<String>,
}

/// The objects of a mesh object in targets, and their leave policies. `coverage` answers as
/// [`Neighbours::coverage`](crate::Neighbours::coverage) does.
///
/// # Errors
/// When `coverage` fails.
pub fn leaving<E>(
    rules: &RuleSet,
    view: &MeshView,
    now: Timestamp,
    mut coverage: impl FnMut(ConnectorId, Name) -> Result<Coverage, E>,
) -> Result<Vec<TargetLeave>, E> {
    let mut out = Vec::new();
    for space in view.linked.iter().filter(|space| !space.deleted) {
        let leave = view.leaving.iter().find(|leave| leave.connector == space.connector);
        let Some(rule) = leave_rule(rules, view, space, leave) else { continue };
        let taken = leave.map_or(0, |leave| usize::from(leave.steps));
        let steps = rule.leave.iter().enumerate();
        let mut objection = None;
        for source in rule.unless_active.iter().filter(|_| leave.is_some()) {
            let known = coverage(source.connector, source.object_type)?;
            let asked = (&mut Evaluator::new(), now);
            objection = objection.or(active::objection(rules, source, &view.linked, Some(&known), asked));
        }
        out.push(TargetLeave {
            connector: space.connector,
            external_id: space.external_id.clone(),
            rule: rule.name.clone(),
            since: leave.map(|leave| leave.since),
            steps: steps.map(|(at, step)| (step.action, step.after.as_seconds(), at < taken)).collect(),
            owned: owns(rule, space),
            objection: objection.map(|objection| objection.to_string()),
        });
    }
    Ok(out)
}

/// The rule that an object leaves by, or would.
fn leave_rule<'r>(
    rules: &'r RuleSet,
    view: &MeshView,
    space: &SpaceRecord,
    leave: Option<&LeaveRecord>,
) -> Option<&'r Projection> {
    let mut list = projections(rules, view.record.mesh_type)
        .filter(|(connector, rule)| *connector == space.connector && rule.object_type == space.object_type);
    let made_by = leave.map(|leave| leave.rule).or_else(|| space.link.map(|link| link.rule));
    let (_, first) = list.next()?;
    if Some(first.rule) == made_by {
        return Some(first);
    }
    Some(list.find(|(_, rule)| Some(rule.rule) == made_by).map_or(first, |(_, rule)| rule))
}

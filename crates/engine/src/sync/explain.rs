//! Why a mesh object's values are as they are: every contribution, the losers too.
//!
//! The same rules are evaluated on the same linked objects as in a sync, without stopping at the first that wins. What
//! is said to win is what the object's provenance says did.

use identitymesh_expr::{Evaluator, Scope};
use identitymesh_model::{ConnectorId, MeshView, Name, Origin, RunId, SpaceRecord, Text, Timestamp, Values};

use crate::rules::{Computed, Flow, Gave, RuleSet};

/// One rule's contribution to one attribute.
#[derive(Clone, Debug, PartialEq)]
pub struct Contribution {
    /// The mesh attribute.
    pub attribute: Name,
    /// What the rule gives, `None` when nothing. References are shown as the source holds them.
    pub values: Option<Values>,
    /// Whether the attribute has its value from this rule and object.
    pub wins: bool,
    /// The connector and external id of the source object; `None` for a computed attribute.
    pub space: Option<(ConnectorId, Text)>,
    /// The rule's name.
    pub rule: String,
    /// 0 to 100.
    pub confidence: u8,
    /// Among equal confidences the lowest wins.
    pub priority: i32,
    /// Since which run it has won with this value; of a set, since which run it has won.
    pub since: Option<RunId>,
    /// Why it wins or does not, one sentence in lower case.
    pub verdict: String,
}

/// All contributions to the attributes of a mesh object, by attribute, the strongest first.
#[must_use]
pub fn explain(rules: &RuleSet, view: &MeshView, now: Timestamp) -> Vec<Contribution> {
    let mut evaluator = Evaluator::new();
    let mut told: Vec<(Name, u8, i32, Contribution)> = Vec::new();
    for space in view.linked.iter().filter(|space| !space.deleted) {
        let Some(object_type) = rules.object_type(space.connector, space.object_type) else { continue };
        let flows = object_type.flows.iter();
        for flow in flows.filter(|flow| flow.mesh_type.is_none_or(|name| name == view.record.mesh_type)) {
            let contribution = from_flow(rules, view, space, flow, now, &mut evaluator);
            told.push((flow.target, flow.precedence.doubt, flow.precedence.priority, contribution));
        }
    }
    for rule in rules.mesh_type(view.record.mesh_type).into_iter().flat_map(|mesh_type| &mesh_type.computed) {
        let contribution = from_computed(rules, view, rule, now, &mut evaluator);
        told.push((rule.target, rule.precedence().doubt, rule.priority, contribution));
    }
    told.sort_by_key(|(name, doubt, priority, contribution)| (*name, !contribution.wins, *doubt, *priority));
    told.into_iter().map(|(_, _, _, contribution)| contribution).collect()
}

fn from_flow(
    rules: &RuleSet,
    view: &MeshView,
    space: &SpaceRecord,
    flow: &Flow,
    now: Timestamp,
    evaluator: &mut Evaluator,
) -> Contribution {
    let scope = Scope::at(now).with_source(&space.doc);
    let applies = flow.when.as_ref().is_none_or(|when| evaluator.test(when, &scope).unwrap_or(false));
    let given = flow.input.0.give(evaluator, &scope, &space.doc, flow.missing);
    let origin = origin_of(view, flow.target, Some(space), flow.rule.0);
    let (values, verdict) = match (applies, given) {
        (false, _) => (None, "its condition does not hold".to_owned()),
        (true, Ok(None)) => (None, "it gives nothing".to_owned()),
        (true, Ok(Some(values))) => {
            let is_ours = super::resolve::is_only_ours(flow, space);
            let verdict = if origin.is_none() && is_ours {
                "we exported this value ourselves, so it is no news".to_owned()
            } else {
                verdict(origin.is_some(), view, flow.target)
            };
            (Some(values), verdict)
        }
        (true, Err(gave)) => (None, failed(gave)),
    };
    Contribution {
        attribute: flow.target,
        values,
        wins: origin.is_some(),
        space: Some((space.connector, space.external_id.clone())),
        rule: rules.rule_name(flow.rule),
        confidence: flow.precedence.confidence(),
        priority: flow.precedence.priority,
        since: origin.map(|origin| origin.run),
        verdict,
    }
}

fn from_computed(
    rules: &RuleSet,
    view: &MeshView,
    rule: &Computed,
    now: Timestamp,
    evaluator: &mut Evaluator,
) -> Contribution {
    let scope = Scope::at(now).with_mesh(&view.record.doc);
    let applies = rule.when.as_ref().is_none_or(|when| evaluator.test(when, &scope).unwrap_or(false));
    let origin = origin_of(view, rule.target, None, rule.rule.0);
    let (values, verdict) =
        match (applies, rule.value.give(evaluator, &scope, &view.record.doc, rule.missing)) {
            (false, _) => (None, "its condition does not hold".to_owned()),
            (true, Ok(None)) => (None, "it gives nothing".to_owned()),
            (true, Ok(Some(values))) => (Some(values), verdict(origin.is_some(), view, rule.target)),
            (true, Err(gave)) => (None, failed(gave)),
        };
    Contribution {
        attribute: rule.target,
        values,
        wins: origin.is_some(),
        space: None,
        rule: rules.rule_name(rule.rule),
        confidence: rule.confidence,
        priority: rule.priority,
        since: origin.map(|origin| origin.run),
        verdict,
    }
}

fn origin_of(view: &MeshView, target: Name, space: Option<&SpaceRecord>, rule: i64) -> Option<Origin> {
    let at = view.record.doc.iter().position(|(name, _)| name == target)?;
    let origins = view.record.provenance.0.get(at)?;
    origins
        .iter()
        .find(|origin| origin.rule.0 == rule && origin.space == space.map(|space| space.id))
        .copied()
}

fn verdict(wins: bool, view: &MeshView, target: Name) -> String {
    match (wins, view.record.doc.get(target)) {
        (true, _) => "it has the highest confidence".to_owned(),
        (false, Some(_)) => "another contribution is stronger".to_owned(),
        (false, None) => "the attribute has no value yet; the next sync decides".to_owned(),
    }
}

fn failed(gave: Gave) -> String {
    match gave {
        Gave::Failed(error) => format!("it failed: {error}"),
        Gave::Missing(name) | Gave::MissingFatal(name) => format!("{name} is absent"),
    }
}

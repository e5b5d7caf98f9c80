//! Attribute flow: from linked objects and rules to the attributes of a mesh object (sync semantics, section 4).
//!
//! Contributions are looked at in order of precedence, so the first that yields a value wins and the rest need not be
//! evaluated. Nothing here depends on when or in which order objects arrived.

use std::collections::HashMap;

use identitymesh_expr::{Evaluator, Scope};
use identitymesh_model::rules::{MergePolicy, MeshAttribute};
use identitymesh_model::{
    AttributeType, ConnectorId, Finding, MeshRecord, MeshView, Name, Object, Origin, Origins, Provenance,
    RunId, SpaceRecord, Text, Timestamp, Uid, Value, ValueType, Values,
};

use smallvec::SmallVec;

use crate::rules::{Computed, Flow, Gave, MeshTypeRules, Precedence, Referring, RuleSet};

/// The attributes of a mesh object as rules and linked objects make them.
#[derive(Debug, Default)]
pub(super) struct Resolved {
    pub(super) doc: Object,
    pub(super) provenance: Provenance,
}

/// Where references of source objects lead: by connector and kind, from the key to the public id of the mesh object.
pub(super) type References = HashMap<(ConnectorId, Referring), HashMap<Text, Uid>>;

/// What resolving one mesh object needs.
pub(super) struct Resolver<'a> {
    pub(super) rules: &'a RuleSet,
    pub(super) now: Timestamp,
    pub(super) run: RunId,
    pub(super) evaluator: &'a mut Evaluator,
    pub(super) references: &'a References,
    pub(super) findings: &'a mut Vec<Finding>,
}

#[derive(Default)]
struct Slot {
    precedence: Option<Precedence>,
    values: Gained,
    origins: Origins,
}

/// Values on their way to an attribute.
pub(super) type Gained = SmallVec<[Value; 1]>;

/// A rule that wants the whole object left alone; the finding says why.
pub(super) struct ObjectFailed;

impl Resolver<'_> {
    /// The attributes of the mesh object seen in `view`.
    pub(super) fn resolve(
        &mut self,
        view: &MeshView,
        mesh_type: &MeshTypeRules,
    ) -> Result<Resolved, ObjectFailed> {
        self.resolve_some(view, mesh_type, |_| true)
    }

    /// Of these attributes only what join rules read.
    pub(super) fn resolve_keys(
        &mut self,
        view: &MeshView,
        mesh_type: &MeshTypeRules,
    ) -> Result<Resolved, ObjectFailed> {
        let is_key = |name: Name| mesh_type.key_attributes().any(|key| key == name);
        if mesh_type.computed.iter().any(|rule| is_key(rule.target)) {
            return self.resolve(view, mesh_type);
        }
        self.resolve_some(view, mesh_type, is_key)
    }

    fn resolve_some(
        &mut self,
        view: &MeshView,
        mesh_type: &MeshTypeRules,
        wanted: impl Fn(Name) -> bool,
    ) -> Result<Resolved, ObjectFailed> {
        let mut slots: Vec<Slot> = Vec::new();
        slots.resize_with(mesh_type.schema.attributes.len(), Slot::default);
        self.flow(view, mesh_type, &mut slots, &wanted)?;
        self.keep_last(view, mesh_type, &mut slots);
        if mesh_type.computed.iter().any(|rule| wanted(rule.target)) {
            self.compute(view, mesh_type, &mut slots)?;
        }
        let mut doc = Object::with_capacity(slots.len());
        let mut origins = Vec::with_capacity(slots.len());
        for ((name, attribute), slot) in mesh_type.schema.attributes.iter().zip(slots) {
            let Some((values, from)) = slot.into_values(*attribute) else { continue };
            doc.set(*name, values);
            origins.push(from);
        }
        Ok(Resolved { doc, provenance: Provenance(origins) })
    }

    fn flow(
        &mut self,
        view: &MeshView,
        mesh_type: &MeshTypeRules,
        slots: &mut [Slot],
        wanted: impl Fn(Name) -> bool,
    ) -> Result<(), ObjectFailed> {
        let mut pairs: Vec<(&Flow, &SpaceRecord)> = Vec::with_capacity(32);
        let rules = self.rules;
        let mut sources = 0;
        for space in view.linked.iter().filter(|space| !space.deleted) {
            let Some(object_type) = rules.object_type(space.connector, space.object_type) else { continue };
            sources += usize::from(!object_type.flows.is_empty());
            pairs.extend(
                object_type
                    .flows
                    .iter()
                    .filter(|flow| flow.mesh_type.is_none_or(|name| name == view.record.mesh_type))
                    .filter(|flow| wanted(flow.target))
                    .map(|flow| (flow, space)),
            );
        }
        if sources > 1 {
            pairs.sort_by_key(|(flow, space)| (flow.precedence, space.id));
        }
        for (flow, space) in pairs {
            let Some(at) = mesh_type.schema.attributes.iter().position(|(name, _)| *name == flow.target)
            else {
                continue;
            };
            let attribute = mesh_type.schema.attributes[at].1;
            if !slots[at].wants(flow.precedence, attribute) {
                continue;
            }
            if let Some(values) = self.contribution(flow, space, attribute, view)? {
                let origin = Origin { space: Some(space.id), rule: flow.rule, run: self.run };
                let origin = since(&view.record, flow.target, attribute, &values, origin);
                slots[at].take(flow.precedence, attribute, values, origin);
            }
        }
        Ok(())
    }

    /// What one rule contributes from one object, of the attribute's type.
    pub(super) fn contribution(
        &mut self,
        flow: &Flow,
        space: &SpaceRecord,
        attribute: MeshAttribute,
        view: &MeshView,
    ) -> Result<Option<Gained>, ObjectFailed> {
        if is_only_ours(flow, space) {
            return Ok(None);
        }
        let Some(mut values) = self.raw(flow, space)? else { return Ok(None) };
        if attribute.merges()
            && let Some(ours) = self.ours(flow, space)
        {
            let mut theirs = values.into_vec();
            theirs.retain(|value| !ours.as_slice().contains(value));
            let Some(rest) = Values::set(theirs) else { return Ok(None) };
            values = rest;
        }
        let values = if attribute.kind.value == ValueType::Reference {
            self.follow(flow, space, values)
        } else {
            gained(values)
        };
        let values = if flow.empty_is_absent {
            values.into_iter().filter(|value| value.as_text() != Some("")).collect()
        } else {
            values
        };
        match conform(values, attribute.kind) {
            Ok(values) if values.is_empty() => Ok(None),
            Ok(values) => Ok(Some(values)),
            Err(problem) => {
                let rule = self.rules.rule_name(flow.rule);
                let message = format!("the rule {rule} gave {problem}, so it contributes nothing");
                self.finding("FLO-002", message, space, view, flow.target);
                Ok(None)
            }
        }
    }

    /// What the rule reads or computes, before references are followed and types are checked.
    pub(super) fn raw(&mut self, flow: &Flow, space: &SpaceRecord) -> Result<Option<Values>, ObjectFailed> {
        let scope = Scope::at(self.now).with_source(&space.doc);
        if let Some(when) = &flow.when {
            match self.evaluator.test(when, &scope) {
                Ok(true) => {}
                Ok(false) => return Ok(None),
                Err(error) => {
                    let rule = self.rules.rule_name(flow.rule);
                    self.space_finding(
                        "FLO-001",
                        format!("the condition of {rule} failed: {error}"),
                        space,
                        flow.target,
                    );
                    return Ok(None);
                }
            }
        }
        match flow.input.0.give(self.evaluator, &scope, &space.doc, flow.missing) {
            Ok(values) => Ok(values),
            Err(gave) => {
                let rule = self.rules.rule_name(flow.rule);
                let (code, message) = match &gave {
                    Gave::Failed(error) => ("FLO-001", format!("the transform of {rule} failed: {error}")),
                    Gave::Missing(name) => {
                        ("FLO-004", format!("{rule} contributes nothing because {name} is absent"))
                    }
                    Gave::MissingFatal(name) => (
                        "FLO-005",
                        format!("the object is left as it is because {rule} needs {name}, which is absent"),
                    ),
                };
                self.space_finding(code, message, space, flow.target);
                if matches!(gave, Gave::MissingFatal(_)) { Err(ObjectFailed) } else { Ok(None) }
            }
        }
    }

    /// What the rule would give for what we wrote ourselves, where somebody else has added to that.
    fn ours(&mut self, flow: &Flow, space: &SpaceRecord) -> Option<Values> {
        let reads = flow.input.0.reads();
        if !space.drift.iter().any(|(name, _)| reads.contains(name)) {
            return None;
        }
        let mut written = Object::new();
        for name in reads {
            written.put(*name, space.snapshot(*name)?.cloned());
        }
        let scope = Scope::at(self.now).with_source(&written);
        flow.input.0.give(self.evaluator, &scope, &written, flow.missing).ok().flatten()
    }

    fn follow(&self, flow: &Flow, space: &SpaceRecord, values: Values) -> Gained {
        let connector = space.connector;
        let referring = self.rules.referring(connector, space.object_type, flow.refers_by);
        let Some(known) = self.references.get(&(connector, referring)) else { return Gained::new() };
        let keys = values.as_slice().iter().filter_map(Value::as_text);
        let mut found: SmallVec<[Uid; 1]> = keys.filter_map(|key| known.get(key)).copied().collect();
        // Public ids sort as their texts do.
        found.sort_unstable();
        found.dedup();
        found.into_iter().map(|uid| Value::reference(uid.to_string())).collect()
    }

    fn keep_last(&self, view: &MeshView, mesh_type: &MeshTypeRules, slots: &mut [Slot]) {
        for ((name, values), origins) in view.record.doc.iter().zip(&view.record.provenance.0) {
            let Some(at) = mesh_type.schema.attributes.iter().position(|(known, _)| *known == name) else {
                continue;
            };
            if slots[at].values.is_empty()
                && origins.iter().any(|origin| self.rules.keep_last.contains(&origin.rule))
            {
                slots[at].values = values.as_slice().iter().cloned().collect();
                slots[at].origins.clone_from(origins);
            }
        }
    }

    fn compute(
        &mut self,
        view: &MeshView,
        mesh_type: &MeshTypeRules,
        slots: &mut [Slot],
    ) -> Result<(), ObjectFailed> {
        if mesh_type.computed.is_empty() {
            return Ok(());
        }
        let mut doc: Object = mesh_type
            .schema
            .attributes
            .iter()
            .zip(slots.iter())
            .filter_map(|((name, attribute), slot)| Some((*name, slot.as_values(*attribute)?)))
            .collect();
        for rule in &mesh_type.computed {
            let attributes = &mesh_type.schema.attributes;
            let Some(at) = attributes.iter().position(|(name, _)| *name == rule.target) else { continue };
            let attribute = attributes[at].1;
            let precedence = rule.precedence();
            if !slots[at].wants(precedence, attribute) {
                continue;
            }
            if let Some(values) = self.computed(rule, &doc, attribute, view)? {
                let origin = Origin { space: None, rule: rule.rule, run: self.run };
                let origin = since(&view.record, rule.target, attribute, &values, origin);
                slots[at].take(precedence, attribute, values, origin);
                doc.put(rule.target, slots[at].as_values(attribute));
            }
        }
        Ok(())
    }

    fn computed(
        &mut self,
        rule: &Computed,
        doc: &Object,
        attribute: MeshAttribute,
        view: &MeshView,
    ) -> Result<Option<Gained>, ObjectFailed> {
        let scope = Scope::at(self.now).with_mesh(doc);
        let applies = match &rule.when {
            Some(when) => self.evaluator.test(when, &scope).map_err(|error| Gave::Failed(error.to_string())),
            None => Ok(true),
        };
        let given = match applies {
            Ok(false) => return Ok(None),
            Ok(true) => rule.value.give(self.evaluator, &scope, doc, rule.missing),
            Err(gave) => Err(gave),
        };
        let (code, text) = match given
            .map(|values| conform(values.map_or_else(Gained::new, gained), attribute.kind))
        {
            Ok(Ok(values)) => return Ok(Some(values).filter(|values| !values.is_empty())),
            Ok(Err(problem)) => ("FLO-002", format!("gave {problem}, so it contributes nothing")),
            Err(Gave::Failed(error)) => ("FLO-001", format!("failed: {error}")),
            Err(Gave::Missing(name)) => ("FLO-004", format!("contributes nothing because {name} is absent")),
            Err(Gave::MissingFatal(name)) => {
                ("FLO-005", format!("needs {name}, which is absent, so the object is left as it is"))
            }
        };
        let mut finding = Finding::new(code, format!("the rule {} {text}", self.rules.rule_name(rule.rule)));
        finding.mesh = Some(view.record.id);
        finding.subject = Some(view.record.anchor.to_string());
        self.findings.push(finding.on(rule.target));
        if code == "FLO-005" { Err(ObjectFailed) } else { Ok(None) }
    }

    fn finding(
        &mut self,
        code: &'static str,
        message: String,
        space: &SpaceRecord,
        view: &MeshView,
        on: Name,
    ) {
        let mut finding =
            Finding::new(code, message).about(space.connector, space.id, &space.external_id).on(on);
        finding.mesh = Some(view.record.id);
        self.findings.push(finding);
    }

    fn space_finding(&mut self, code: &'static str, message: String, space: &SpaceRecord, on: Name) {
        self.findings
            .push(Finding::new(code, message).about(space.connector, space.id, &space.external_id).on(on));
    }
}

impl Slot {
    /// Whether a contribution of this precedence can matter.
    fn wants(&self, precedence: Precedence, attribute: MeshAttribute) -> bool {
        self.precedence.is_none_or(|best| precedence < best) || self.joins(precedence, attribute)
    }

    /// Whether a contribution of this precedence stands beside what is there, rather than in its place.
    fn joins(&self, precedence: Precedence, attribute: MeshAttribute) -> bool {
        match (attribute.merge, self.precedence) {
            (MergePolicy::Union { min_confidence }, Some(best)) if attribute.kind.multi => {
                best.confidence() >= min_confidence && precedence.confidence() >= min_confidence
            }
            _ => false,
        }
    }

    fn take(&mut self, precedence: Precedence, attribute: MeshAttribute, values: Gained, origin: Origin) {
        if self.joins(precedence, attribute) {
            self.values.extend(values);
            self.origins.push(origin);
            return;
        }
        *self = Self { precedence: Some(precedence), values, origins: std::iter::once(origin).collect() };
    }

    fn as_values(&self, attribute: MeshAttribute) -> Option<Values> {
        if !attribute.kind.multi {
            return self.values.first().cloned().map(Values::One);
        }
        let values = self.values.to_vec();
        if attribute.ignore_case { Values::set_ignore_case(values) } else { Values::set(values) }
    }

    fn into_values(mut self, attribute: MeshAttribute) -> Option<(Values, Origins)> {
        let values = match attribute.kind.multi {
            false => self.values.pop().map(Values::One),
            true if attribute.ignore_case => Values::set_ignore_case(self.values.into_vec()),
            true => Values::set(self.values.into_vec()),
        }?;
        self.origins.sort_unstable();
        Some((values, self.origins))
    }
}

/// Where values come from. A value that came from there before keeps the run since which it has; a set may change
/// meanwhile, and keeps the run since which it comes from there.
fn since(
    record: &MeshRecord,
    target: Name,
    attribute: MeshAttribute,
    values: &[Value],
    origin: Origin,
) -> Origin {
    let before = record.doc.iter().zip(&record.provenance.0).find(|((name, _), _)| *name == target);
    let Some(((_, held), origins)) = before else { return origin };
    if !attribute.kind.multi && held.as_slice() != values {
        return origin;
    }
    let same = origins.iter().find(|old| (old.space, old.rule) == (origin.space, origin.rule));
    same.copied().unwrap_or(origin)
}

fn gained(values: Values) -> Gained {
    match values {
        Values::One(value) => std::iter::once(value).collect(),
        Values::Set(values) => values.into(),
    }
}

/// Whether everything that the rule reads is what we exported to the object ourselves: then it is no news.
pub(super) fn is_only_ours(flow: &Flow, space: &SpaceRecord) -> bool {
    let reads = flow.input.0.reads();
    !space.exported.is_empty()
        && !reads.is_empty()
        && reads.iter().all(|name| space.snapshot(*name) == Some(space.doc.get(*name)))
}

/// The values as the attribute's type wants them, or what is wrong with them.
pub(super) fn conform(values: Gained, kind: AttributeType) -> Result<Gained, String> {
    if !kind.multi && values.len() > 1 {
        return Err(format!("{} values for an attribute that holds one", values.len()));
    }
    match values.iter().find(|value| !is_of(value, kind.value)) {
        Some(value) => Err(format!("{} where {} belongs", in_words(value), kind.value)),
        None => Ok(values),
    }
}

const fn is_of(value: &Value, kind: ValueType) -> bool {
    matches!(
        (value, kind),
        (Value::Text(_), ValueType::String)
            | (Value::Integer(_), ValueType::Integer)
            | (Value::Boolean(_), ValueType::Boolean)
            | (Value::DateTime(_), ValueType::DateTime)
            | (Value::Binary(_), ValueType::Binary)
            | (Value::Reference(_), ValueType::Reference | ValueType::String)
    )
}

fn in_words(value: &Value) -> String {
    match value {
        Value::Text(text) => format!("the text {:?}", text.chars().take(40).collect::<String>()),
        Value::Integer(number) => format!("the integer {number}"),
        Value::Boolean(truth) => format!("the boolean {truth}"),
        Value::DateTime(at) => format!("the date {at}"),
        Value::Binary(bytes) => format!("{} bytes", bytes.len()),
        Value::Reference(_) => "a reference".to_owned(),
    }
}

//! Large sets of references, member by member.
//!
//! What becomes of one member of a plain set of references depends on that member alone, as long as the circumstances
//! stay: who contributes the set, where it is projected to, under which conditions. So a mesh object with a large set
//! is looked at as a whole once, and the *shape* of that look is remembered; from then on its views are narrow: they
//! show the members in question and a few others, and everything else goes its usual way. Where the shape has changed,
//! where a set would begin or end, or where a rule reads a set in any other way, the object is looked at as a whole.

use std::collections::{HashMap, HashSet};
use std::fmt::Write as _;

use identitymesh_expr::{Program, Scope};
use identitymesh_model::plan::{EdgeChange, MeshChange, ObjectPlan};
use identitymesh_model::{
    ContentHash, MeshId, MeshState, Name, Object, SpaceRecord, Text, Trace, Uid, Value, ValueType, Values,
};

use super::neighbours::Neighbours;
use super::part::Part;
use super::planner::SetTrace;
use super::project::is_left_alone;
use super::resolve::is_only_ours;
use super::work::Work;
use crate::rules::{
    Expression, ExpressionValue, Join, MeshTypeRules, ObjectTypeRules, Projection, ProjectionValue,
    TargetAttribute,
};

/// Counts changes of what a shape means; a shape of another meaning is never met again.
const SHAPE_FORMAT: u32 = 1;

impl<N: Neighbours> Part<'_, '_, N> {
    /// Whether the set of `work`, which has just been resolved, may stay narrow; remembers its shape.
    pub(super) fn stays_narrow(&mut self, at: usize) -> bool {
        if self.works.list[at].view.trace.is_none() {
            return true;
        }
        let shape = self.shape(at);
        let work = &mut self.works.list[at];
        work.shape = shape;
        let Some(trace) = &work.view.trace else { return true };
        let Some(shown) = &trace.shown else { return true };
        shape.is_some() && shape == trace.shape && leads_to(work, shown)
    }

    /// Shows mesh objects with all members, keeping the links that the plan gave them.
    pub(super) fn widen(&mut self, places: &[usize]) -> Result<(), N::Error> {
        let ids: Vec<MeshId> = places.iter().map(|at| self.works.list[*at].view.record.id).collect();
        let whole = self.neighbours.whole_views(&ids)?;
        for (at, view) in places.iter().zip(whole) {
            let Some(view) = view else { continue };
            let work = &mut self.works.list[*at];
            work.view.trace = work.view.trace.take().map(|trace| Trace { shown: None, ..trace });
            let mut docs: HashMap<_, Object> =
                view.linked.into_iter().map(|space| (space.id, space.doc)).collect();
            for space in &mut work.view.linked {
                if let Some(doc) = docs.remove(&space.id) {
                    space.doc = doc;
                }
            }
            work.view.record = view.record;
            work.resolved = None;
        }
        Ok(())
    }

    /// The circumstances under which the sets of a mesh object were resolved and will be projected; `None` where its
    /// members cannot be looked at one by one.
    fn shape(&mut self, at: usize) -> Option<ContentHash> {
        let rules = self.rules;
        let work = &self.works.list[at];
        let mesh_type = rules.mesh_type(work.view.record.mesh_type)?;
        let resolved = &work.resolved.as_ref()?.doc;
        let is_steady = work.state == MeshState::Active && work.view.record.state == MeshState::Active;
        if !is_steady || work.has_failed || work.is_new {
            return None;
        }
        let sets = set_names(mesh_type, resolved);
        if sets != set_names(mesh_type, &work.view.record.doc) || !reads_no_sets(mesh_type) {
            return None;
        }
        let mut shape = format!("{SHAPE_FORMAT};{sets:?}");
        for space in &work.view.linked {
            let object_type = rules.object_type(space.connector, space.object_type)?;
            let is_narrow = space.drift.is_empty() && !space.deleted;
            if !is_narrow || !reads_members_alone(object_type, mesh_type) {
                return None;
            }
            write!(shape, ";{}", space.id).ok()?;
        }
        self.sources(at, mesh_type, &sets, &mut shape)?;
        self.targets(at, mesh_type, &mut shape)?;
        Some(ContentHash::of(&shape))
    }

    /// Each set has to come from one rule and one object.
    fn sources(
        &mut self,
        at: usize,
        mesh_type: &MeshTypeRules,
        sets: &[Name],
        shape: &mut String,
    ) -> Option<()> {
        let rules = self.rules;
        let view = &self.works.list[at].view;
        let mut given: Vec<Name> = Vec::new();
        for space in &view.linked {
            let object_type = rules.object_type(space.connector, space.object_type)?;
            let scope = Scope::at(self.context.now).with_source(&space.doc);
            let own = |name: Option<Name>| name.is_none_or(|name| name == view.record.mesh_type);
            for flow in object_type.flows.iter().filter(|flow| own(flow.mesh_type)) {
                if !is_set(mesh_type, flow.target) {
                    continue;
                }
                let holds = match &flow.when {
                    Some(when) => self.evaluator.test(when, &scope).unwrap_or(false),
                    None => true,
                };
                let gives = holds && !is_only_ours(flow, space) && has_edges(flow.input.0.reads(), space);
                write!(shape, ";{}:{}:{gives}", space.id, flow.rule).ok()?;
                if given.contains(&flow.target) {
                    return None;
                }
                given.push(flow.target);
            }
        }
        sets.iter().all(|name| given.contains(name)).then_some(())
    }

    /// Each target has to hold its object, and each set there has to have members.
    fn targets(&mut self, at: usize, mesh_type: &MeshTypeRules, shape: &mut String) -> Option<()> {
        let rules = self.rules;
        let work = &self.works.list[at];
        let resolved = &work.resolved.as_ref()?.doc;
        let scope = Scope::at(self.context.now).with_mesh(resolved);
        for (connector, projections) in &mesh_type.targets {
            let types = projections.iter().map(|rule| rule.object_type);
            if !rules.connector(*connector).is_some_and(|known| known.enabled && known.is_ready(types)) {
                write!(shape, ";{connector}:off").ok()?;
                continue;
            }
            if work.view.items.iter().any(|item| item.connector == *connector && is_left_alone(item)) {
                return None;
            }
            let mut holds = |when: Option<&Program>| {
                when.is_none_or(|when| self.evaluator.test(when, &scope).unwrap_or(false))
            };
            let Some(rule) = projections.iter().find(|rule| holds(rule.scope.as_ref())) else {
                write!(shape, ";{connector}:out").ok()?;
                continue;
            };
            let is_held = |space: &&SpaceRecord| {
                space.connector == *connector
                    && projections.iter().any(|rule| rule.object_type == space.object_type)
            };
            let mut held = work.view.linked.iter().filter(is_held);
            let (space, further) = (held.next(), held.next());
            write!(shape, ";{connector}:{}:{}", rule.rule, further.is_some()).ok()?;
            let Some(space) = space else {
                if rule.create {
                    return None;
                }
                continue;
            };
            for (target, source) in references(rule) {
                let is_plain =
                    !target.shares && target.refers_by.is_none() && target.kind.is_none_or(|kind| kind.multi);
                if is_set(mesh_type, source) && !is_plain {
                    return None;
                }
                let has_members = matches!(space.doc.get(target.target), Some(Values::Set(_)));
                let is_wanted = holds(target.when.as_ref());
                if is_wanted && is_set(mesh_type, source) && resolved.get(source).is_some() && !has_members {
                    return None;
                }
                write!(shape, ":{}:{is_wanted}:{has_members}", target.target).ok()?;
            }
        }
        Some(())
    }
}

/// Puts back the members that a narrow view left out, so that the plan has the whole object.
pub(super) fn complete<N: Neighbours>(object: &mut ObjectPlan, neighbours: &mut N) -> Result<(), N::Error> {
    let Some(MeshChange::Update { doc, .. }) = &mut object.change else { return Ok(()) };
    for (name, members) in neighbours.members(object.id)? {
        if matches!(doc.get(name), Some(Values::Set(_))) {
            doc.put(name, Values::set(changed(members, name, &object.edges)));
        }
    }
    Ok(())
}

/// What is to be remembered of `work`: something of every object that is traced, and of one that is `large`.
pub(super) fn traced(work: &Work, mesh_type: &MeshTypeRules, large: usize) -> Option<SetTrace> {
    let mesh = work.view.record.id;
    match &work.view.trace {
        Some(trace) => Some(SetTrace { mesh, shape: work.shape, upto: trace.upto }),
        None if work.state == MeshState::Active => {
            let resolved = work.resolved.as_ref()?;
            let sets = resolved.doc.iter().filter(|(name, _)| is_set(mesh_type, *name));
            let members: usize = sets.map(|(_, values)| values.as_slice().len()).sum();
            (members >= large).then_some(SetTrace { mesh, shape: None, upto: 0 })
        }
        None => None,
    }
}

/// Whether references lead to members alone of whom the view shows everything. One may lead elsewhere by what this part
/// of the plan or one on its way links.
fn leads_to(work: &Work, shown: &[Uid]) -> bool {
    let Some(resolved) = &work.resolved else { return false };
    let sets = resolved.doc.iter().filter_map(|(_, values)| match values {
        Values::Set(members) => Some(members),
        Values::One(_) => None,
    });
    let mut members = sets.flatten().filter_map(|value| match value {
        Value::Reference(uid) => Some(uid.parse::<Uid>().ok()),
        _ => None,
    });
    members.all(|uid| uid.is_some_and(|uid| shown.binary_search(&uid).is_ok()))
}

fn is_set(mesh_type: &MeshTypeRules, name: Name) -> bool {
    mesh_type
        .attribute(name)
        .is_some_and(|known| known.kind.multi && known.kind.value == ValueType::Reference)
}

fn set_names(mesh_type: &MeshTypeRules, doc: &Object) -> Vec<Name> {
    doc.iter().map(|(name, _)| name).filter(|name| is_set(mesh_type, *name)).collect()
}

fn has_edges(reads: &[Name], space: &SpaceRecord) -> bool {
    reads.iter().any(|name| space.doc.get(*name).is_some())
}

fn references(rule: &Projection) -> impl Iterator<Item = (&TargetAttribute, Name)> {
    rule.attributes.iter().filter_map(|attribute| match attribute.value {
        ProjectionValue::References(source) => Some((attribute, source)),
        ProjectionValue::Expression(_) => None,
    })
}

/// Whether rules that read such mesh objects read sets of references only to project them.
fn reads_no_sets(mesh_type: &MeshTypeRules) -> bool {
    let rules = || mesh_type.targets.iter().flat_map(|(_, rules)| rules);
    let programs = mesh_type.computed.iter().filter_map(|rule| rule.when.as_ref());
    let programs = programs.chain(rules().filter_map(|rule| rule.scope.as_ref()));
    let programs =
        programs.chain(rules().filter_map(|rule| rule.place.as_ref()).map(|place| &place.container));
    let programs = programs
        .chain(rules().flat_map(|rule| &rule.attributes).filter_map(|attribute| attribute.when.as_ref()));
    let expressions = mesh_type.computed.iter().map(|rule| &rule.value);
    let expressions = expressions.chain(rules().flat_map(|rule| &rule.attributes).filter_map(|attribute| {
        match &attribute.value {
            ProjectionValue::Expression(ExpressionValue(expression)) => Some(expression),
            ProjectionValue::References(_) => None,
        }
    }));
    let names = programs.flat_map(Program::reads).chain(expressions.flat_map(Expression::reads)).copied();
    let names = names.chain(mesh_type.computed.iter().map(|rule| rule.target));
    let indexed = mesh_type.join_indexes.iter().flat_map(|index| &index.parts);
    let names = names.chain(indexed.filter_map(|part| part.attribute));
    let mut names = names.chain(mesh_type.compared.iter().copied());
    names.all(|name| !is_set(mesh_type, name))
}

/// Whether rules that read such objects read sets of references only as they are, into sets of references. Of an
/// attribute that the schema does not know nobody can say.
fn reads_members_alone(object_type: &ObjectTypeRules, mesh_type: &MeshTypeRules) -> bool {
    let may_be_set = |name: &Name| {
        let schema = object_type.schema.as_ref();
        schema
            .and_then(|schema| schema.attribute(*name))
            .is_none_or(|known| known.kind.multi && known.kind.value == ValueType::Reference)
    };
    let programs = object_type.scope.iter();
    let programs = programs.chain(object_type.creates.iter().filter_map(|create| create.when.as_ref()));
    let mut programs = programs.chain(object_type.flows.iter().filter_map(|flow| flow.when.as_ref()));
    let mut joined = object_type.joins.iter().flat_map(Join::reads);
    let mut expressions = object_type.creates.iter().map(|create| &create.anchor);
    let reads_plainly = object_type.flows.iter().all(|flow| {
        let is_plain = matches!(flow.input.0, Expression::Plain(_))
            && !flow.keep_last
            && !flow.empty_is_absent
            && flow.refers_by.is_none()
            && is_set(mesh_type, flow.target)
            && !mesh_type.attribute(flow.target).is_some_and(|known| known.merges());
        is_plain || !flow.input.0.reads().iter().any(may_be_set)
    });
    reads_plainly
        && !joined.any(|name| may_be_set(&name))
        && !programs.any(|program| program.reads().iter().any(may_be_set))
        && !expressions.any(|expression| expression.reads().iter().any(may_be_set))
}

/// The members of a set once the changes of its edges are made.
fn changed(members: Values, name: Name, edges: &[EdgeChange]) -> Vec<Value> {
    let of = |add: bool| edges.iter().filter(move |edge| edge.attribute == name && edge.add == add);
    let gone: HashSet<Text> = of(false).map(|edge| Text::from(edge.member.to_string())).collect();
    let mut values = members.into_vec();
    values.retain(|value| !value.as_text().is_some_and(|uid| gone.contains(uid)));
    values.extend(of(true).map(|edge| Value::reference(edge.member.to_string())));
    values
}

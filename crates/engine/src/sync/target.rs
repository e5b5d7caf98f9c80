//! One mesh object in one target: what the target should hold, against what it does.
//!
//! The wanted state is computed in full and compared attribute by attribute with the management-space object; only
//! differences become an item. What a rule does not speak of is left alone.

use std::cell::RefCell;
use std::collections::{HashMap, HashSet};

use identitymesh_expr::{Evaluator, Scope, Uniqueness};
use identitymesh_model::plan::{IndexKey, ItemAction, ItemChange, Operation};
use identitymesh_model::rules::{DisableBy, DriftPolicy, MatchKind, ProjectionMode};
use identitymesh_model::{
    AttributeType, ConnectorId, Finding, MeshId, Name, Object, SpaceRecord, Text, Timestamp, Uid, Value,
    ValueType, Values, dn,
};

use super::neighbours::Neighbours;
use crate::key::{address_key, match_key};
use crate::rules::{ExpressionValue, Gave, Place, Projection, ProjectionValue, TargetAttribute};

/// What a target calls mesh objects, by public id; for each attribute by which it refers to them, or for addresses.
pub(super) type Addresses = HashMap<Option<Name>, HashMap<Text, Called>>;

/// What a target calls a mesh object.
pub(super) enum Called {
    /// This.
    By(Text),
    /// The target holds it, and nothing in the attribute by which it would be referred to.
    Nothing,
    /// The target does not hold it.
    Nowhere,
}

/// Names that this part of the plan has given out.
pub(super) type Claims = HashMap<IndexKey, MeshId>;

/// Where names that nobody else has come from.
pub(super) struct Names<'a, N: Neighbours> {
    pub(super) neighbours: &'a mut N,
    pub(super) claims: &'a mut Claims,
}

impl<N: Neighbours> Names<'_, N> {
    /// The same for somebody else, for a while.
    pub(super) const fn again(&mut self) -> Names<'_, N> {
        Names { neighbours: &mut *self.neighbours, claims: &mut *self.claims }
    }
}

/// One mesh object and one target.
pub(super) struct Target<'a, N: Neighbours> {
    pub(super) connector: ConnectorId,
    pub(super) hierarchical: bool,
    pub(super) rule: &'a Projection,
    pub(super) mesh: MeshId,
    pub(super) anchor: &'a Text,
    /// The attributes that the mesh object will have.
    pub(super) doc: &'a Object,
    pub(super) addresses: &'a Addresses,
    pub(super) now: Timestamp,
    pub(super) evaluator: &'a mut Evaluator,
    /// `None` where no rule asks for names.
    pub(super) names: Option<Names<'a, N>>,
    pub(super) findings: &'a mut Vec<Finding>,
    /// Mesh objects that references wait for although nothing is sent.
    pub(super) waits: Vec<Uid>,
}

/// What a target attribute should hold.
enum Wanted {
    /// This, or nothing.
    Values(Option<Values>),
    /// Nobody can say: it is left as it is.
    Unknown,
}

impl<N: Neighbours> Target<'_, N> {
    /// A new object, `None` when it cannot be made yet. Names that a waiting item has already been given stay.
    pub(super) fn create(&mut self, waiting: Option<&Object>) -> Result<Option<ItemAction>, N::Error> {
        let mut attributes = Object::with_capacity(self.rule.attributes.len() + 1);
        let rule = self.rule;
        for attribute in &rule.attributes {
            let kept = waiting
                .and_then(|waiting| waiting.get(attribute.target))
                .filter(|_| attribute.unique.is_some());
            let wanted = match kept {
                Some(kept) => Wanted::Values(Some(kept.clone())),
                None => self.wanted(attribute)?,
            };
            match wanted {
                Wanted::Values(Some(values)) => {
                    if let (Some(index), Some(value)) = (attribute.unique, values.single()) {
                        self.claim_key(index, value);
                    }
                    attributes.set(attribute.target, values);
                }
                Wanted::Values(None) => {}
                Wanted::Unknown if attribute.unique.is_some() => return Ok(None),
                Wanted::Unknown => {}
            }
        }
        if let Some(disable) = &rule.disable
            && let Some(enabled) = &disable.enabled
            && attributes.get(disable.attribute).is_none()
        {
            attributes.set(disable.attribute, enabled.clone());
        }
        let mut create_container = false;
        if let Some(place) = &rule.place {
            let Some(address) = self.address(place, attributes.single(place.rdn)) else { return Ok(None) };
            create_container = place.create_container;
            attributes.set(place.address, Value::Text(address));
        }
        Ok(Some(ItemAction::Create { attributes, create_container }))
    }

    fn claim_key(&mut self, index: i64, value: &Value) {
        if let (Some(key), Some(names)) = (match_key(MatchKind::IgnoreCase, value), &mut self.names) {
            names.claims.insert(IndexKey { index, key }, self.mesh);
        }
    }

    /// What differs, `None` when nothing does.
    pub(super) fn update(
        &mut self,
        space: &SpaceRecord,
    ) -> Result<Option<(Operation, ItemAction)>, N::Error> {
        let rule = self.rule;
        let mut changes = Vec::new();
        for attribute in &rule.attributes {
            if !is_ever_updated(attribute, space) {
                continue;
            }
            if let Wanted::Values(wanted) = self.wanted(attribute)? {
                changes.extend(self.change(attribute, wanted, space));
            }
        }
        let enables = rule.disable.as_ref().and_then(|disable| enabling(disable, space));
        let enables = enables.filter(|enables| changes.iter().all(|change| change.name != enables.name));
        let operation = enables.as_ref().map(|_| Operation::Enable);
        changes.extend(enables);
        let address = self.new_address(space, &mut changes);
        if changes.is_empty() && address.is_none() {
            return Ok(None);
        }
        changes.sort_by_key(|change| change.name);
        let plain = if address.is_some() { Operation::Move } else { Operation::Update };
        let operation = operation.unwrap_or(plain);
        let create_container =
            rule.place.as_ref().is_some_and(|place| place.create_container) && address.is_some();
        Ok(Some((operation, ItemAction::Update { space: space.id, address, create_container, changes })))
    }

    /// The address that the object should have, when it has another one. A rename sets the naming attribute itself,
    /// so that is no change of its own.
    fn new_address(&mut self, space: &SpaceRecord, changes: &mut Vec<ItemChange>) -> Option<Text> {
        let place = self.rule.place.as_ref()?;
        let current = space.doc.single(place.address).and_then(Value::as_text)?;
        let changed = changes.iter().find(|change| change.name == place.rdn);
        let naming = match changed {
            Some(change) => match change.wanted() {
                [naming] => Some(naming.clone()),
                _ => None,
            },
            None => space.doc.single(place.rdn).cloned().or_else(|| naming_value(current)),
        };
        changes.retain(|change| change.name != place.rdn);
        let wanted = self.address(place, naming.as_ref())?;
        (dn::normalise(&wanted) != dn::normalise(current)).then_some(wanted)
    }

    /// `rdn=value,container`, or a finding that says what is missing.
    fn address(&mut self, place: &Place, naming: Option<&Value>) -> Option<Text> {
        let scope = Scope::at(self.now).with_mesh(self.doc);
        let container = match self.evaluator.evaluate(&place.container, &scope) {
            Ok(Some(values)) => values.single().map(ToString::to_string),
            Ok(None) => None,
            Err(error) => {
                self.finding("PRJ-001", format!("the container could not be computed: {error}"), None);
                return None;
            }
        };
        let Some(container) = container else {
            self.finding(
                "PRJ-002",
                "the container is absent, so the object has no place yet".to_owned(),
                None,
            );
            return None;
        };
        let Some(naming) = naming.map(ToString::to_string).filter(|text| !text.trim().is_empty()) else {
            self.finding(
                "PRJ-003",
                "the naming attribute is absent, so the object has no name yet".to_owned(),
                Some(place.rdn),
            );
            return None;
        };
        Some(Text::from(format!("{}={},{container}", place.rdn, dn::escape(&naming))))
    }

    fn change(
        &mut self,
        attribute: &TargetAttribute,
        wanted: Option<Values>,
        space: &SpaceRecord,
    ) -> Option<ItemChange> {
        let current = space.doc.get(attribute.target);
        if self.same(attribute, wanted.as_ref(), current) {
            return None;
        }
        if self.only_waits(attribute, wanted.as_ref(), current) {
            self.waits.extend(pending(wanted.as_ref()));
            return None;
        }
        if wanted.is_none() && (attribute.keep_when_absent || !was_written(space, attribute.target)) {
            return None;
        }
        let drifted = space.drift.iter().find(|(name, _)| *name == attribute.target);
        if let Some((_, written)) = drifted
            && space.is_undone(attribute.target)
            && self.same(attribute, wanted.as_ref(), written.as_ref())
        {
            let message = "the target does not keep what is written to it, so it is left as it is".to_owned();
            self.finding("PRJ-006", message, Some(attribute.target));
            return None;
        }
        let lets_be = drifted.is_some() && attribute.drift != DriftPolicy::Reassert;
        if !lets_be && !attribute.shares {
            return Some(ItemChange::between(attribute.target, current, wanted, false));
        }
        let written = space.snapshot(attribute.target).flatten();
        if !is_set(current) && !is_set(wanted.as_ref()) {
            if lets_be && self.same(attribute, wanted.as_ref(), written) {
                self.report(attribute);
                return None;
            }
            return Some(ItemChange::between(attribute.target, current, wanted, false));
        }
        let wanted = match lets_be {
            true => self.beside(attribute, written, current, wanted.as_ref()),
            false => wanted,
        };
        if self.same(attribute, wanted.as_ref(), current) {
            self.report(attribute);
            return None;
        }
        Some(ItemChange::between(attribute.target, current, wanted, true))
    }

    /// A wanted set as it stands beside what others did to the one that we wrote: less what they took out, and with
    /// what they put in.
    fn beside(
        &self,
        attribute: &TargetAttribute,
        written: Option<&Values>,
        current: Option<&Values>,
        wanted: Option<&Values>,
    ) -> Option<Values> {
        let spelled = |values: Option<&Values>| -> HashSet<Value> {
            let values = values.map_or(&[][..], Values::as_slice).iter();
            values.map(|value| self.spelled(attribute, value)).collect()
        };
        let (written, now) = (spelled(written), spelled(current));
        let wanted = wanted.map_or(&[][..], Values::as_slice).iter();
        let current = current.map_or(&[][..], Values::as_slice).iter();
        let stays = wanted.filter(|value| {
            let value = self.spelled(attribute, value);
            now.contains(&value) || !written.contains(&value)
        });
        let mut values: Vec<Value> = stays.cloned().collect();
        let known: HashSet<Value> = values.iter().map(|value| self.spelled(attribute, value)).collect();
        values.extend(
            current
                .filter(|value| {
                    let value = self.spelled(attribute, value);
                    !written.contains(&value) && !known.contains(&value)
                })
                .cloned(),
        );
        Values::set(values)
    }

    fn report(&mut self, attribute: &TargetAttribute) {
        if attribute.drift == DriftPolicy::Report {
            let message =
                "somebody else changed the value in the target; it is reported and left so".to_owned();
            self.finding("PRJ-006", message, Some(attribute.target));
        }
    }

    /// A value in the one spelling in which the target compares it.
    fn spelled(&self, attribute: &TargetAttribute, value: &Value) -> Value {
        match value {
            Value::Reference(key) => Value::Reference(self.reference_key(attribute, key)),
            Value::Text(text) if attribute.ignore_case => Value::Text(text.to_lowercase()),
            other => other.clone(),
        }
    }

    fn same(&self, attribute: &TargetAttribute, left: Option<&Values>, right: Option<&Values>) -> bool {
        match (left, right) {
            (None, None) => true,
            (Some(left), Some(right)) => {
                left.as_slice() == right.as_slice()
                    || (attribute.ignore_case && left.eq_ignore_case(right))
                    || (matches!(attribute.value, ProjectionValue::References(_))
                        && self.keys(attribute, left) == self.keys(attribute, right))
            }
            _ => false,
        }
    }

    /// Whether all that is missing are references to objects that the target does not hold yet: they wait, and nothing
    /// is sent for them alone.
    fn only_waits(
        &self,
        attribute: &TargetAttribute,
        wanted: Option<&Values>,
        current: Option<&Values>,
    ) -> bool {
        let wanted = wanted.map_or(&[][..], Values::as_slice);
        let known: Vec<Value> =
            wanted.iter().filter(|value| ItemAction::pending_uid(value).is_none()).cloned().collect();
        let waits = known.len() < wanted.len();
        waits && self.same(attribute, Values::set(known).as_ref(), current)
    }

    fn keys(&self, attribute: &TargetAttribute, values: &Values) -> Vec<Text> {
        let texts = values.as_slice().iter().filter_map(Value::as_text);
        let mut keys: Vec<Text> = texts.map(|text| self.reference_key(attribute, text)).collect();
        keys.sort_unstable();
        keys
    }

    fn reference_key(&self, attribute: &TargetAttribute, reference: &str) -> Text {
        address_key(self.hierarchical && attribute.refers_by.is_none(), reference)
    }

    fn wanted(&mut self, attribute: &TargetAttribute) -> Result<Wanted, N::Error> {
        let scope = Scope::at(self.now).with_mesh(self.doc);
        if let Some(when) = &attribute.when {
            match self.evaluator.test(when, &scope) {
                Ok(true) => {}
                Ok(false) => return Ok(Wanted::Unknown),
                Err(error) => {
                    self.finding("PRJ-001", format!("the condition failed: {error}"), Some(attribute.target));
                    return Ok(Wanted::Unknown);
                }
            }
        }
        let given = match &attribute.value {
            ProjectionValue::References(source) => {
                return Ok(Wanted::Values(self.references(attribute, *source)));
            }
            ProjectionValue::Expression(ExpressionValue(expression)) => match attribute.unique {
                None => expression.give(self.evaluator, &scope, self.doc, attribute.missing),
                Some(index) => {
                    let names = self.names.as_mut().expect("a type with unique names is planned with them");
                    let claim = Claim {
                        index,
                        mesh: self.mesh,
                        neighbours: RefCell::new(&mut *names.neighbours),
                        claims: RefCell::new(&mut *names.claims),
                        error: RefCell::new(None),
                    };
                    let scope = Scope { names: Some(&claim), ..scope };
                    let given = expression.give(self.evaluator, &scope, self.doc, attribute.missing);
                    if let Some(error) = claim.error.into_inner() {
                        return Err(error);
                    }
                    given
                }
            },
        };
        let problem = match given {
            Ok(None) => return Ok(Wanted::Values(None)),
            Ok(Some(values)) => match fit(values, attribute.kind) {
                Ok(values) => return Ok(Wanted::Values(values)),
                Err(problem) => format!("the rule gave {problem}, so the attribute is left as it is"),
            },
            Err(Gave::Failed(error)) => format!("the value could not be computed: {error}"),
            Err(Gave::Missing(name) | Gave::MissingFatal(name)) => {
                format!("{name} is absent, so the attribute is left as it is")
            }
        };
        self.finding("PRJ-001", problem, Some(attribute.target));
        Ok(Wanted::Unknown)
    }

    fn references(&self, attribute: &TargetAttribute, source: Name) -> Option<Values> {
        let uids = self.doc.get(source)?.as_slice().iter().filter_map(Value::as_text);
        let called = self.addresses.get(&attribute.refers_by);
        let values: Vec<Value> = uids
            .filter_map(|uid| match called.and_then(|called| called.get(uid)) {
                Some(Called::By(address)) => Some(Value::reference(address)),
                Some(Called::Nothing) => None,
                Some(Called::Nowhere) | None => Some(ItemAction::pending_reference(uid, attribute.refers_by)),
            })
            .collect();
        let is_multi =
            attribute.kind.map_or(matches!(self.doc.get(source), Some(Values::Set(_))), |kind| kind.multi);
        if is_multi { Values::set(values) } else { values.into_iter().next().map(Values::One) }
    }

    fn finding(&mut self, code: &'static str, message: String, attribute: Option<Name>) {
        let mut finding = Finding::new(code, message);
        finding.connector = Some(self.connector);
        finding.mesh = Some(self.mesh);
        finding.subject = Some(self.anchor.to_string());
        finding.attribute = attribute;
        self.findings.push(finding);
    }
}

fn is_ever_updated(attribute: &TargetAttribute, space: &SpaceRecord) -> bool {
    match attribute.mode {
        ProjectionMode::Always => true,
        ProjectionMode::CreateOnly => false,
        ProjectionMode::IfEmpty => space.doc.get(attribute.target).is_none(),
    }
}

const fn is_set(values: Option<&Values>) -> bool {
    matches!(values, Some(Values::Set(_)))
}

/// What enables an object that we disabled: told by what we wrote last and not by how we came to plan it, so that it
/// is not forgotten when it is planned again before it is sent.
fn enabling(disable: &DisableBy, space: &SpaceRecord) -> Option<ItemChange> {
    let disabled = Values::One(disable.disabled.clone());
    let wanted = disable.enabled.clone().map(Values::One);
    let current = space.doc.get(disable.attribute);
    let is_ours = space.snapshot(disable.attribute) == Some(Some(&disabled));
    (is_ours && current != wanted.as_ref())
        .then(|| ItemChange::between(disable.attribute, current, wanted, false))
}

/// Whether what stands there is ours to say: we wrote a value, or took it out.
fn was_written(space: &SpaceRecord, name: Name) -> bool {
    space.snapshot(name).is_some() || space.is_undone(name)
}

/// The mesh objects that references among the values wait for.
pub(super) fn pending(values: Option<&Values>) -> impl Iterator<Item = Uid> + '_ {
    let values = values.map_or(&[][..], Values::as_slice);
    values.iter().filter_map(ItemAction::pending_uid).filter_map(|uid| uid.parse().ok())
}

fn naming_value(address: &str) -> Option<Value> {
    dn::attribute_and_value(dn::split_first(address).0).map(|(_, value)| Value::text(value))
}

/// The values in the form and type that the target's schema wants; what is text in the mesh may be a number there.
fn fit(values: Values, kind: Option<AttributeType>) -> Result<Option<Values>, String> {
    let Some(kind) = kind else { return Ok(Some(values)) };
    let list = values.into_vec();
    if !kind.multi && list.len() > 1 {
        return Err(format!("{} values for an attribute that holds one", list.len()));
    }
    let list: Vec<Value> =
        list.into_iter().map(|value| fit_one(value, kind.value)).collect::<Result<_, _>>()?;
    Ok(if kind.multi { Values::set(list) } else { list.into_iter().next().map(Values::One) })
}

fn fit_one(value: Value, kind: ValueType) -> Result<Value, String> {
    let wrong = |value: &Value| format!("{value:?} where {kind} belongs");
    Ok(match (kind, value) {
        (ValueType::String, Value::Binary(bytes)) => return Err(wrong(&Value::Binary(bytes))),
        (ValueType::String, value @ Value::Text(_)) => value,
        (ValueType::String, value) => Value::text(value.to_string()),
        (ValueType::Integer, Value::Text(text)) => {
            Value::Integer(text.trim().parse().map_err(|_| wrong(&Value::Text(text)))?)
        }
        (ValueType::Integer, Value::Boolean(truth)) => Value::Integer(i64::from(truth)),
        (ValueType::Boolean, Value::Text(text)) => match text.trim().to_ascii_lowercase().as_str() {
            "true" | "1" | "yes" => Value::Boolean(true),
            "false" | "0" | "no" => Value::Boolean(false),
            _ => return Err(wrong(&Value::Text(text))),
        },
        (ValueType::Boolean, Value::Integer(number @ (0 | 1))) => Value::Boolean(number == 1),
        (ValueType::DateTime, Value::Text(text)) => {
            Value::DateTime(text.trim().parse().map_err(|_| wrong(&Value::Text(text)))?)
        }
        (ValueType::Reference, Value::Text(text)) => Value::Reference(text),
        (ValueType::Integer, value @ Value::Integer(_))
        | (ValueType::Boolean, value @ Value::Boolean(_))
        | (ValueType::DateTime, value @ Value::DateTime(_))
        | (ValueType::Binary, value @ Value::Binary(_))
        | (ValueType::Reference, value @ Value::Reference(_)) => value,
        (_, value) => return Err(wrong(&value)),
    })
}

/// Names for `Unique`: free when neither the target, nor a waiting item, nor this part of the plan has them.
struct Claim<'a, N: Neighbours> {
    index: i64,
    mesh: MeshId,
    neighbours: RefCell<&'a mut N>,
    claims: RefCell<&'a mut Claims>,
    error: RefCell<Option<N::Error>>,
}

impl<N: Neighbours> Uniqueness for Claim<'_, N> {
    fn claim(&self, candidate: &str) -> Result<bool, String> {
        let Some(key) = match_key(MatchKind::IgnoreCase, &Value::text(candidate)) else { return Ok(false) };
        let key = IndexKey { index: self.index, key };
        if self.claims.borrow().get(&key).is_some_and(|holder| *holder != self.mesh) {
            return Ok(false);
        }
        match self.neighbours.borrow_mut().is_taken(&key, self.mesh) {
            Ok(true) => Ok(false),
            Ok(false) => {
                self.claims.borrow_mut().insert(key, self.mesh);
                Ok(true)
            }
            Err(error) => {
                *self.error.borrow_mut() = Some(error);
                Err("the names in use could not be read".to_owned())
            }
        }
    }
}

//! One mesh object in one target: what the target should hold, against what it does.
//!
//! The wanted state is computed in full and compared attribute by attribute with the management-space object; only
//! differences become an item. What a rule does not speak of is left alone.

use std::collections::HashMap;

use identitymesh_expr::{Evaluator, Scope};
use identitymesh_model::plan::{IndexKey, ItemAction, ItemChange, Operation};
use identitymesh_model::rules::{DisableBy, MatchKind, ProjectionMode};
use identitymesh_model::{
    ConnectorId, Finding, MeshId, Name, Object, SpaceRecord, Text, Timestamp, Uid, Value, Values, dn,
};

use super::fit::fit;
use super::names::{Claim, Names};
use super::neighbours::Neighbours;
use crate::key::match_key;
use crate::rules::{ExpressionValue, Gave, Place, Projection, ProjectionValue, TargetAttribute};

/// What a target calls mesh objects, by public id; for each attribute by which it refers to them, or for addresses.
pub(super) type Addresses = HashMap<Option<Name>, HashMap<Uid, Called>>;

/// What a target calls a mesh object.
pub(super) enum Called {
    /// This.
    By(Text),
    /// The target holds it, and nothing in the attribute by which it would be referred to.
    Nothing,
    /// The target does not hold it.
    Nowhere,
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
                    let claim = Claim::new(index, self.mesh, names);
                    let scope = Scope { names: Some(&claim), ..scope };
                    let given = expression.give(self.evaluator, &scope, self.doc, attribute.missing);
                    claim.end()?;
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
            .filter_map(|uid| match called.and_then(|called| called.get(&uid.parse().ok()?)) {
                Some(Called::By(address)) => Some(Value::reference(address)),
                Some(Called::Nothing) => None,
                Some(Called::Nowhere) | None => Some(ItemAction::pending_reference(uid, attribute.refers_by)),
            })
            .collect();
        let is_multi =
            attribute.kind.map_or(matches!(self.doc.get(source), Some(Values::Set(_))), |kind| kind.multi);
        if is_multi { Values::set(values) } else { values.into_iter().next().map(Values::One) }
    }

    pub(super) fn finding(&mut self, code: &'static str, message: String, attribute: Option<Name>) {
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

/// The mesh objects that references among the values wait for.
pub(super) fn pending(values: Option<&Values>) -> impl Iterator<Item = Uid> + '_ {
    let values = values.map_or(&[][..], Values::as_slice);
    values.iter().filter_map(ItemAction::pending_uid).filter_map(|uid| uid.parse().ok())
}

fn naming_value(address: &str) -> Option<Value> {
    dn::attribute_and_value(dn::split_first(address).0).map(|(_, value)| Value::text(value))
}

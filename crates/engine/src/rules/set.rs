//! The compiled rules, laid out for the order in which a sync asks for them.

use std::collections::{HashMap, HashSet};

use identitymesh_expr::Program;
use identitymesh_model::rules::{Limits, MeshAttribute, MeshType, Missing, PasswordRule, SourceLeaveRule};
use identitymesh_model::{ConnectorId, Name, ObjectSchema, RuleId};

use super::Expression;
use super::join::{Join, JoinIndex};
use super::referring::Referring;
use super::target::Projection;

/// A target's object type, and the attributes that have to be unique there with their indexes.
pub(super) type PendingUnique = (ConnectorId, Name, Vec<(Name, i64)>);

/// All rules of a mesh.
#[derive(Debug, Default)]
pub struct RuleSet {
    pub(crate) types: HashMap<Name, MeshTypeRules>,
    pub(crate) connectors: HashMap<ConnectorId, ConnectorRules>,
    pub(crate) rule_names: HashMap<RuleId, String>,
    /// Connectors with rules that follow references, so that a new link may resolve some.
    pub(crate) references: bool,
    /// Flow rules whose last value stays when nothing is contributed any more.
    pub(crate) keep_last: HashSet<RuleId>,
    /// While compiling: target object types with the attributes that have to be unique there.
    pub(super) pending_unique: Vec<PendingUnique>,
}

impl RuleSet {
    /// One connector's rules.
    #[must_use]
    pub fn connector(&self, id: ConnectorId) -> Option<&ConnectorRules> {
        self.connectors.get(&id)
    }

    /// All connectors, in the order of their names.
    #[must_use]
    pub fn connectors(&self) -> Vec<&ConnectorRules> {
        let mut all: Vec<&ConnectorRules> = self.connectors.values().collect();
        all.sort_unstable_by_key(|connector| connector.name);
        all
    }

    /// The connector called `name`.
    #[must_use]
    pub fn connector_named(&self, name: Name) -> Option<&ConnectorRules> {
        self.connectors.values().find(|connector| connector.name == name)
    }

    /// One mesh type's rules.
    #[must_use]
    pub fn mesh_type(&self, name: Name) -> Option<&MeshTypeRules> {
        self.types.get(&name)
    }

    /// Whether a rule is in force.
    #[must_use]
    pub fn has_rule(&self, id: RuleId) -> bool {
        self.rule_names.contains_key(&id)
    }

    /// How a rule is called; its number when it is not in force any more.
    #[must_use]
    pub fn rule_name(&self, id: RuleId) -> String {
        match self.rule_names.get(&id) {
            Some(name) => name.clone(),
            None if id == RuleId::BY_HAND => "a person".to_owned(),
            None => format!("former rule {id}"),
        }
    }

    /// What passwords of a projection rule look like, where it has any.
    #[must_use]
    pub fn password(&self, rule: RuleId) -> Option<&PasswordRule> {
        let mut projections =
            self.types.values().flat_map(|known| &known.targets).flat_map(|(_, rules)| rules);
        projections.find(|known| known.rule == rule)?.password.as_ref()
    }

    /// The first projection rule with passwords for objects of a mesh type in a target's object type.
    #[must_use]
    pub fn password_rule_for(
        &self,
        mesh_type: Name,
        target: ConnectorId,
        object_type: Name,
    ) -> Option<(RuleId, &PasswordRule)> {
        let (_, rules) = self.types.get(&mesh_type)?.targets.iter().find(|(known, _)| *known == target)?;
        let mut fitting = rules.iter().filter(|known| known.object_type == object_type);
        fitting.find_map(|known| Some((known.rule, known.password.as_ref()?)))
    }

    /// Where the references of such an object lead that refer by this attribute, or else by address.
    #[must_use]
    pub fn referring(&self, connector: ConnectorId, object_type: Name, by: Option<Name>) -> Referring {
        let known = self.connector(connector);
        let has_address = || self.object_type(connector, object_type).and_then(ObjectTypeRules::address);
        match (known, by) {
            (Some(known), Some(by)) => Referring { index: known.referred_index(by), is_tree: false },
            (Some(known), None) if has_address().is_some() => {
                Referring { index: Some(known.address_index), is_tree: known.hierarchical }
            }
            _ => Referring { index: None, is_tree: false },
        }
    }

    /// Where the references in an attribute of such an object lead.
    #[must_use]
    pub fn referring_in(&self, connector: ConnectorId, object_type: Name, attribute: Name) -> Referring {
        let known = self.object_type(connector, object_type).and_then(|known| known.schema.as_ref());
        let by = known.and_then(|schema| schema.attribute(attribute)).and_then(|known| known.refers_by);
        self.referring(connector, object_type, by)
    }

    pub(super) fn add_projection(
        &mut self,
        mesh_type: Name,
        target: ConnectorId,
        priority: i32,
        rule: Projection,
    ) {
        let Some(mesh_type) = self.types.get_mut(&mesh_type) else { return };
        if !mesh_type.targets.iter().any(|(known, _)| *known == target) {
            mesh_type.targets.push((target, Vec::new()));
        }
        let list = mesh_type.targets.iter_mut().find(|(known, _)| *known == target);
        let (_, list) = list.expect("it was added above if it was not there");
        let at = list.partition_point(|known| (known.priority, known.rule) <= (priority, rule.rule));
        list.insert(at, rule);
    }

    /// Marks what projections and flows have to know of each other, once all connectors are known.
    pub(super) fn settle_targets(&mut self) {
        for (connector, object_type, unique) in std::mem::take(&mut self.pending_unique) {
            let connector = self.connectors.get_mut(&connector);
            if let Some(target) = connector.and_then(|known| known.object_types.get_mut(&object_type)) {
                target.is_target = true;
                target.unique.extend(unique);
                target.unique.sort_unstable();
                target.unique.dedup();
            }
        }
        for (name, mesh_type) in &mut self.types {
            let schema = &mesh_type.schema;
            for (connector, rule) in mesh_type.targets.iter_mut().flat_map(|(id, rules)| {
                let id = *id;
                rules.iter_mut().map(move |rule| (id, rule))
            }) {
                let object_type = self.connectors.get(&connector);
                let object_type = object_type.and_then(|known| known.object_types.get(&rule.object_type));
                let flows = object_type.map_or(&[][..], |known| known.flows.as_slice());
                for attribute in &mut rule.attributes {
                    attribute.shares = flows.iter().any(|flow| {
                        flow.mesh_type.is_none_or(|only| only == *name)
                            && flow.input.0.reads().contains(&attribute.target)
                            && schema.attribute(flow.target).is_some_and(MeshAttribute::merges)
                    });
                }
            }
        }
    }

    /// Attributes of a target's object type, or of all its types, that have to be unique, with their indexes.
    pub(crate) fn unique_in(
        &self,
        connector: ConnectorId,
        only: Option<Name>,
    ) -> impl Iterator<Item = (Name, i64)> + '_ {
        let types = self.connectors.get(&connector).into_iter().flat_map(|known| &known.object_types);
        let types = types.filter(move |(name, _)| only.is_none_or(|only| only == **name));
        types.flat_map(|(_, object_type)| object_type.unique.iter().copied())
    }

    pub(crate) fn object_type(&self, connector: ConnectorId, object_type: Name) -> Option<&ObjectTypeRules> {
        self.connectors.get(&connector)?.object_types.get(&object_type)
    }
}

/// What belongs to one mesh type.
#[derive(Debug)]
pub struct MeshTypeRules {
    /// The type as registered.
    pub schema: MeshType,
    /// The index of anchors.
    pub(crate) anchor_index: i64,
    /// Indexes by which join rules find objects of this type.
    pub(crate) join_indexes: Vec<JoinIndex>,
    /// Attributes by which fuzzy joins tell one candidate from another.
    pub(crate) compared: Vec<Name>,
    /// Of the indexes, those of blocks.
    pub(crate) blocks: Vec<i64>,
    /// Computed attributes in the order in which they can be evaluated.
    pub(crate) computed: Vec<Computed>,
    /// Targets and their projection rules, by connector name; a target's rules in order of precedence.
    pub(crate) targets: Vec<(ConnectorId, Vec<Projection>)>,
    /// Connectors named as authoritative by a leave rule; empty when none is.
    pub(crate) authoritative: Vec<ConnectorId>,
}

impl MeshTypeRules {
    pub(crate) fn attribute(&self, name: Name) -> Option<&MeshAttribute> {
        self.schema.attribute(name)
    }

    /// The attributes that join rules read.
    pub(crate) fn key_attributes(&self) -> impl Iterator<Item = Name> + '_ {
        let parts = self.join_indexes.iter().flat_map(|index| &index.parts);
        parts.filter_map(|part| part.attribute).chain(self.compared.iter().copied())
    }

    /// Whether any of its projections gives out names that nobody else may have.
    pub(crate) fn asks_for_names(&self) -> bool {
        let projections = self.targets.iter().flat_map(|(_, projections)| projections);
        projections.flat_map(|rule| &rule.attributes).any(|attribute| attribute.unique.is_some())
    }
}

/// A computed attribute.
#[derive(Debug)]
pub(crate) struct Computed {
    pub(crate) rule: RuleId,
    pub(crate) target: Name,
    pub(crate) value: Expression,
    pub(crate) when: Option<Program>,
    pub(crate) confidence: u8,
    pub(crate) priority: i32,
    pub(crate) missing: Missing,
}

impl Computed {
    pub(crate) fn precedence(&self) -> Precedence {
        Precedence {
            doubt: 100_u8.saturating_sub(self.confidence),
            priority: self.priority,
            connector_priority: 0,
            rule: self.rule,
        }
    }
}

/// One connector.
#[derive(Debug)]
pub struct ConnectorRules {
    /// Its id in the store.
    pub id: ConnectorId,
    /// Its name.
    pub name: Name,
    /// Limits of the mass-change guard.
    pub limits: Limits,
    /// Whether it is run.
    pub enabled: bool,
    pub(crate) hierarchical: bool,
    pub(crate) address_index: i64,
    /// Attributes by which references refer to objects, with their indexes.
    pub(crate) referred: Vec<(Name, i64)>,
    pub(crate) object_types: HashMap<Name, ObjectTypeRules>,
}

impl ConnectorRules {
    /// Whether its objects live in a tree, so that references compare as distinguished names.
    #[must_use]
    pub const fn hierarchical(&self) -> bool {
        self.hierarchical
    }

    /// The index of what objects hold in an attribute by which references refer to them.
    fn referred_index(&self, attribute: Name) -> Option<i64> {
        self.referred.iter().find(|(known, _)| *known == attribute).map(|(_, index)| *index)
    }

    /// The indexes of what objects hold in attributes by which references refer to them.
    #[must_use]
    pub fn referred_indexes(&self) -> Vec<i64> {
        self.referred.iter().map(|(_, index)| *index).collect()
    }

    /// Whether these types can be written to: a tree has to have said which attribute holds addresses.
    pub(crate) fn is_ready(&self, mut object_types: impl Iterator<Item = Name>) -> bool {
        !self.hierarchical
            || object_types.all(|name| self.object_type(name).is_some_and(|known| known.schema.is_some()))
    }

    /// The rules of one object type.
    #[must_use]
    pub fn object_type(&self, name: Name) -> Option<&ObjectTypeRules> {
        self.object_types.get(&name)
    }

    /// The object types that rules speak of, in order.
    #[must_use]
    pub fn object_types(&self) -> Vec<Name> {
        let mut names: Vec<Name> = self.object_types.keys().copied().collect();
        names.sort_unstable();
        names
    }
}

/// One object type of one connector.
#[derive(Debug)]
pub struct ObjectTypeRules {
    /// The type's schema, where it is known.
    pub schema: Option<ObjectSchema>,
    pub(crate) scope: Option<Program>,
    pub(crate) joins: Vec<Join>,
    pub(crate) creates: Vec<Create>,
    /// In order of precedence.
    pub(crate) flows: Vec<Flow>,
    pub(crate) leave: Option<SourceLeaveRule>,
    /// A projection rule makes objects of this type, so they are a target's and no source.
    pub(crate) is_target: bool,
    /// Attributes whose values must be unique, with their indexes.
    pub(crate) unique: Vec<(Name, i64)>,
}

impl ObjectTypeRules {
    /// The attribute that holds an object's address; references hold external ids when there is none.
    #[must_use]
    pub fn address(&self) -> Option<Name> {
        self.schema.as_ref().and_then(|schema| schema.address)
    }

    /// The attribute by which the references refer that a flow reads as they are.
    pub(super) fn refers_by(&self, input: &FlowInput) -> Option<Name> {
        let Expression::Plain(name) = &input.0 else { return None };
        self.schema.as_ref()?.attribute(*name)?.refers_by
    }

    /// The attributes of such an object that rules read on the way into the mesh, in order.
    #[must_use]
    pub fn reads(&self) -> Vec<Name> {
        let programs = self.scope.iter();
        let programs = programs.chain(self.creates.iter().filter_map(|create| create.when.as_ref()));
        let programs = programs.chain(self.flows.iter().filter_map(|flow| flow.when.as_ref()));
        let expressions = self.creates.iter().map(|create| &create.anchor);
        let expressions = expressions.chain(self.flows.iter().map(|flow| &flow.input.0));
        let names = programs.flat_map(Program::reads).chain(expressions.flat_map(Expression::reads));
        let mut names: Vec<Name> = names.copied().collect();
        names.extend(self.joins.iter().filter(|join| join.enabled).flat_map(Join::reads));
        names.sort_unstable();
        names.dedup();
        names
    }

    /// Whether a change of such an object can matter to the mesh at all.
    #[must_use]
    pub fn is_inbound(&self) -> bool {
        !self.joins.is_empty() || !self.creates.is_empty() || !self.flows.is_empty()
    }
}

/// A create rule.
#[derive(Debug)]
pub struct Create {
    pub(crate) rule: RuleId,
    pub(crate) mesh_type: Name,
    pub(crate) anchor: Expression,
    pub(crate) when: Option<Program>,
}

/// An inbound flow rule.
#[derive(Debug)]
pub struct Flow {
    pub(crate) rule: RuleId,
    pub(crate) mesh_type: Option<Name>,
    pub(crate) input: FlowInput,
    /// The attribute of other objects that the references hold which the flow reads.
    pub(crate) refers_by: Option<Name>,
    pub(crate) target: Name,
    pub(crate) when: Option<Program>,
    pub(crate) precedence: Precedence,
    pub(crate) missing: Missing,
    pub(crate) keep_last: bool,
    pub(crate) empty_is_absent: bool,
}

/// What a flow rule reads.
#[derive(Debug)]
pub struct FlowInput(pub(crate) Expression);

/// The order among contributions: the smallest wins. No clock takes part in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Precedence {
    /// 100 less the confidence, so that the highest confidence comes first.
    pub(crate) doubt: u8,
    pub(crate) priority: i32,
    pub(crate) connector_priority: i32,
    pub(crate) rule: RuleId,
}

impl Precedence {
    pub(crate) const fn confidence(self) -> u8 {
        100 - self.doubt
    }
}

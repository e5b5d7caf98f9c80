//! From configuration to compiled rules, with every problem reported at once.

use std::collections::{BTreeMap, HashMap};

use identitymesh_expr::{Attribute, Attributes, Environment, Expected, Kinds, Needs, Program};
use identitymesh_model::rules::{
    ComputedRule, Configuration, ConnectorConfig, FlowRule, JoinRule, MeshType, SourceLeave,
};
use identitymesh_model::{AttributeType, ConnectorId, Name, RuleId, Schema, ValueType};

use super::keys::{ConnectorKeys, address_index, anchor_index, join_index, rule_keys};
use super::set::{
    Comparison, Computed, ConnectorRules, Create, Flow, FlowInput, Join, JoinIndex, MeshTypeRules,
    ObjectTypeRules, Precedence, RuleSet,
};
use super::target_compile::compile_projections;
use super::{Expression, RuleProblem};

/// The word that stands for the anchor in a join rule.
const ANCHOR: &str = "anchor";

/// What compiling needs beside the configuration.
#[derive(Debug, Default)]
pub struct CompileInput {
    /// The connectors' ids in the store, by name.
    pub connectors: BTreeMap<Name, ConnectorId>,
    /// The numbers of [`super::number_keys`].
    pub numbers: BTreeMap<String, i64>,
    /// The connectors' schemas, where they are known.
    pub schemas: BTreeMap<Name, Schema>,
    /// Connectors whose objects live in a tree.
    pub hierarchical: Vec<Name>,
}

/// Collects problems while the parts are compiled.
pub(super) struct Compiler<'a> {
    pub(super) configuration: &'a Configuration,
    pub(super) input: &'a CompileInput,
    pub(super) problems: Vec<RuleProblem>,
}

/// Compiles all rules.
///
/// # Errors
/// Every problem found, in the order of the configuration.
pub fn compile(configuration: &Configuration, input: &CompileInput) -> Result<RuleSet, Vec<RuleProblem>> {
    let mut compiler = Compiler { configuration, input, problems: Vec::new() };
    let rules = compiler.run();
    if compiler.problems.is_empty() { Ok(rules) } else { Err(compiler.problems) }
}

impl Compiler<'_> {
    pub(super) fn problem(&mut self, code: &'static str, path: &str, message: impl Into<String>) {
        self.problems.push(RuleProblem::new(code, path, message));
    }

    pub(super) fn keep<T>(&mut self, result: Result<T, RuleProblem>) -> Option<T> {
        result.map_err(|problem| self.problems.push(problem)).ok()
    }

    /// The number of a key; a missing one is a mistake of the caller and shows as number 0 in its tests.
    pub(super) fn number(&self, key: &str) -> i64 {
        self.input.numbers.get(key).copied().unwrap_or(0)
    }

    fn run(&mut self) -> RuleSet {
        let keys = rule_keys(self.configuration);
        let mut rules = RuleSet {
            rule_names: keys
                .all
                .iter()
                .map(|key| {
                    (RuleId(self.number(key)), key.split_once(':').map_or("", |(_, name)| name).to_owned())
                })
                .collect(),
            ..RuleSet::default()
        };
        for mesh_type in &self.configuration.mesh.types {
            let compiled = self.mesh_type(mesh_type, &keys.computed);
            if rules.types.insert(mesh_type.name, compiled).is_some() {
                self.problem(
                    "ENG-002",
                    "mesh.toml",
                    format!("the type {} is registered twice", mesh_type.name),
                );
            }
        }
        for (config, keys) in self.configuration.connectors.iter().zip(&keys.connectors) {
            let Some(id) = self.input.connectors.get(&config.connector.name).copied() else {
                self.problem(
                    "ENG-003",
                    config.connector.name.as_str(),
                    "the connector has no id in the store",
                );
                continue;
            };
            let connector = self.connector(config, id, keys);
            rules.keep_last.extend(
                connector
                    .object_types
                    .values()
                    .flat_map(|known| &known.flows)
                    .filter(|flow| flow.keep_last)
                    .map(|flow| flow.rule),
            );
            rules.references |= connector.object_types.values().any(|object_type| {
                object_type.flows.iter().any(|flow| self.flows_into_reference(flow.target))
            });
            compile_projections(self, config, id, &keys.projection, &mut rules);
            if rules.connectors.insert(id, connector).is_some() {
                self.problem("ENG-002", config.connector.name.as_str(), "two connectors have this name");
            }
        }
        rules.settle_targets();
        rules
    }

    fn flows_into_reference(&self, target: Name) -> bool {
        self.configuration.mesh.types.iter().any(|mesh_type| {
            mesh_type.attribute(target).is_some_and(|attribute| attribute.kind.value == ValueType::Reference)
        })
    }

    // ----- mesh types -----

    fn mesh_type(&mut self, mesh_type: &MeshType, computed_keys: &[String]) -> MeshTypeRules {
        let mut computed = Vec::new();
        let rules = self.configuration.mesh.computed.iter().zip(computed_keys);
        for (rule, key) in rules.filter(|(rule, _)| rule.mesh_type == mesh_type.name) {
            if let Some(compiled) = self.computed(mesh_type, rule, key) {
                computed.push(compiled);
            }
        }
        MeshTypeRules {
            schema: mesh_type.clone(),
            anchor_index: self.number(&anchor_index(mesh_type.name)),
            join_indexes: self.join_indexes(mesh_type),
            computed: self.in_dependency_order(computed),
            targets: Vec::new(),
            authoritative: self.authoritative(mesh_type.name),
        }
    }

    fn join_indexes(&self, mesh_type: &MeshType) -> Vec<JoinIndex> {
        let mut indexes: Vec<JoinIndex> = Vec::new();
        for pair in self.configuration.connectors.iter().flat_map(|c| &c.join).flat_map(|join| &join.pairs) {
            let is_anchor = pair.mesh.folded() == ANCHOR && mesh_type.attribute(pair.mesh).is_none();
            if !is_anchor && mesh_type.attribute(pair.mesh).is_none() {
                continue;
            }
            let number = self.number(&join_index(pair.mesh, pair.kind));
            if indexes.iter().all(|index| index.number != number) {
                let attribute = (!is_anchor).then_some(pair.mesh);
                indexes.push(JoinIndex { number, attribute, kind: pair.kind });
            }
        }
        indexes
    }

    fn authoritative(&self, mesh_type: Name) -> Vec<ConnectorId> {
        let mut ids: Vec<ConnectorId> = self
            .configuration
            .connectors
            .iter()
            .filter(|connector| connector.create.iter().any(|create| create.mesh_type == mesh_type))
            .flat_map(|connector| connector.leave.iter())
            .filter(|leave| leave.enabled && leave.mesh_object == SourceLeave::DeleteWhenAuthoritativeGone)
            .flat_map(|leave| &leave.authoritative)
            .filter_map(|name| self.input.connectors.get(name).copied())
            .collect();
        ids.sort_unstable();
        ids.dedup();
        ids
    }

    fn computed(&mut self, mesh_type: &MeshType, rule: &ComputedRule, key: &str) -> Option<Computed> {
        let path = format!("mesh.toml: computed {}.{}", rule.mesh_type, rule.target);
        if mesh_type.attribute(rule.target).is_none() {
            self.unknown_target(&path, mesh_type, rule.target);
            return None;
        }
        self.check_confidence(&path, rule.confidence);
        let environment = Environment::of_mesh(mesh_attributes(mesh_type));
        let value = Expression::compile(&rule.value, &environment, &path);
        let value = self.keep(value)?;
        Some(Computed {
            rule: RuleId(self.number(key)),
            target: rule.target,
            value,
            when: self.condition(rule.when.as_deref(), &environment, &path),
            confidence: rule.confidence,
            priority: rule.priority,
            missing: rule.missing,
        })
    }

    /// Orders computed attributes so that each comes after those it reads; a cycle is a problem.
    fn in_dependency_order(&mut self, mut rules: Vec<Computed>) -> Vec<Computed> {
        let mut ordered: Vec<Computed> = Vec::with_capacity(rules.len());
        while !rules.is_empty() {
            let waits = |rule: &Computed| {
                let reads = rule.value.reads().iter().chain(rule.when.iter().flat_map(Program::reads));
                reads
                    .into_iter()
                    .any(|read| rules.iter().any(|other| other.target == *read && other.rule != rule.rule))
                    || rule.value.reads().contains(&rule.target)
            };
            let Some(next) = rules.iter().position(|rule| !waits(rule)) else {
                let names: Vec<String> = rules.iter().map(|rule| rule.target.to_string()).collect();
                self.problem(
                    "ENG-004",
                    "mesh.toml: computed",
                    format!(
                        "these computed attributes depend on each other in a circle: {}",
                        names.join(", ")
                    ),
                );
                break;
            };
            ordered.push(rules.remove(next));
        }
        ordered
    }

    // ----- connectors -----

    fn connector(
        &mut self,
        config: &ConnectorConfig,
        id: ConnectorId,
        keys: &ConnectorKeys,
    ) -> ConnectorRules {
        let head = &config.connector;
        let schema = self.input.schemas.get(&head.name);
        let mut object_types: HashMap<Name, ObjectTypeRules> = HashMap::new();
        for object_type in object_types_of(config) {
            let object_schema = schema.and_then(|schema| schema.object_type(object_type)).cloned();
            if let (Some(schema), None) = (schema, &object_schema) {
                let known: Vec<&str> =
                    schema.object_types.iter().map(|known| known.object_type.as_str()).collect();
                let message = format!(
                    "the connected system has no object type {object_type}; it has {}",
                    known.join(", ")
                );
                self.problem("ENG-005", &format!("connectors/{}.toml", head.name), message);
            }
            object_types.insert(object_type, self.object_type(config, object_type, object_schema, keys));
        }
        ConnectorRules {
            id,
            name: head.name,
            limits: head.limits.clone(),
            enabled: head.enabled,
            hierarchical: self.input.hierarchical.contains(&head.name),
            address_index: self.number(&address_index(head.name)),
            object_types,
        }
    }

    fn object_type(
        &mut self,
        config: &ConnectorConfig,
        object_type: Name,
        schema: Option<identitymesh_model::ObjectSchema>,
        keys: &ConnectorKeys,
    ) -> ObjectTypeRules {
        let environment = Environment::of_source(source_attributes(schema.as_ref()));
        let file = format!("connectors/{}.toml", config.connector.name);
        let scopes: Vec<&str> = config
            .scope
            .iter()
            .filter(|scope| scope.object_type == object_type)
            .map(|scope| scope.when.as_str())
            .collect();
        if scopes.len() > 1 {
            self.problem(
                "ENG-002",
                &file,
                format!("{object_type} has more than one scope; join them with &&"),
            );
        }
        let leaves: Vec<_> =
            config.leave.iter().filter(|leave| leave.object_type == object_type && leave.enabled).collect();
        if leaves.len() > 1 {
            self.problem("ENG-002", &file, format!("{object_type} has more than one leave rule"));
        }
        let mut rules = ObjectTypeRules {
            scope: self.condition(
                scopes.first().copied(),
                &environment,
                &format!("{file}: scope of {object_type}"),
            ),
            schema,
            joins: Vec::new(),
            creates: Vec::new(),
            flows: Vec::new(),
            leave: leaves.first().map(|leave| (*leave).clone()),
            is_target: false,
            unique: Vec::new(),
        };
        for (at, rule) in config.join.iter().enumerate().filter(|(_, rule)| rule.object_type == object_type) {
            let join = self.join(rule, &environment, &format!("{file}: join {}", at + 1), &keys.join[at]);
            rules.joins.extend(join);
        }
        for (at, rule) in config.create.iter().enumerate().filter(|(_, rule)| rule.object_type == object_type)
        {
            let path = format!("{file}: create {}", at + 1);
            self.check_mesh_type(&path, rule.mesh_type);
            let anchor = self.keep(Expression::compile(&rule.anchor, &environment, &path));
            let when = self.condition(rule.when.as_deref(), &environment, &path);
            let rule_id = RuleId(self.number(&keys.create[at]));
            rules.creates.extend(anchor.map(|anchor| Create {
                rule: rule_id,
                mesh_type: rule.mesh_type,
                anchor,
                when,
            }));
        }
        for (at, rule) in config.flow.iter().enumerate().filter(|(_, rule)| rule.object_type == object_type) {
            let path = format!("{file}: flow {} ({})", at + 1, rule.target);
            let flow = self.flow(config, rule, &environment, &path, &keys.flow[at]);
            rules.flows.extend(flow);
        }
        rules.flows.sort_by_key(|flow| flow.precedence);
        rules
    }

    fn join(&mut self, rule: &JoinRule, environment: &Environment, path: &str, key: &str) -> Option<Join> {
        if rule.pairs.is_empty() {
            self.problem("ENG-006", path, "a join rule needs at least one pair in `match`");
            return None;
        }
        if let Some(mesh_type) = rule.mesh_type {
            self.check_mesh_type(path, mesh_type);
        }
        let mut comparisons = Vec::new();
        for pair in &rule.pairs {
            let is_known = pair.mesh.folded() == ANCHOR
                || self
                    .configuration
                    .mesh
                    .types
                    .iter()
                    .any(|mesh_type| mesh_type.attribute(pair.mesh).is_some());
            if !is_known {
                self.problem("ENG-007", path, format!("no mesh type has an attribute {}", pair.mesh));
            }
            let source = self.keep(Expression::compile(&pair.source, environment, path))?;
            comparisons.push(Comparison {
                label: format!("{} = {}", pair.source, pair.mesh),
                source,
                indexes: vec![self.number(&join_index(pair.mesh, pair.kind))],
                kind: pair.kind,
            });
        }
        Some(Join {
            rule: RuleId(self.number(key)),
            mesh_type: rule.mesh_type,
            when: self.condition(rule.when.as_deref(), environment, path),
            comparisons,
            allow_many: rule.allow_many,
        })
    }

    fn flow(
        &mut self,
        config: &ConnectorConfig,
        rule: &FlowRule,
        environment: &Environment,
        path: &str,
        key: &str,
    ) -> Option<Flow> {
        self.check_confidence(path, rule.confidence);
        self.check_flow_target(path, rule);
        let text = match (&rule.transform, &rule.source) {
            (Some(transform), _) => transform.clone(),
            (None, Some(source)) => plain_text(*source),
            (None, None) => {
                self.problem("ENG-008", path, "a flow needs a `source` or a `transform`");
                return None;
            }
        };
        let input = match (&rule.transform, rule.source) {
            (None, Some(source))
                if environment.source.as_ref().is_some_and(|known| known.kinds(source).is_some()) =>
            {
                Expression::Plain(source)
            }
            _ => self.keep(Expression::compile(&text, environment, path))?,
        };
        let rule_id = RuleId(self.number(key));
        Some(Flow {
            rule: rule_id,
            mesh_type: rule.mesh_type,
            input: FlowInput(input),
            target: rule.target,
            when: self.condition(rule.when.as_deref(), environment, path),
            precedence: Precedence {
                doubt: 100_u8.saturating_sub(rule.confidence),
                priority: rule.priority,
                connector_priority: config.connector.priority,
                rule: rule_id,
            },
            missing: rule.missing,
            keep_last: rule.keep_last,
            empty_is_absent: rule.empty_is_absent,
        })
    }

    fn check_flow_target(&mut self, path: &str, rule: &FlowRule) {
        if let Some(name) = rule.mesh_type {
            match self.configuration.mesh.mesh_type(name) {
                Some(mesh_type) if mesh_type.attribute(rule.target).is_none() => {
                    self.unknown_target(path, mesh_type, rule.target);
                }
                Some(_) => {}
                None => self.check_mesh_type(path, name),
            }
        } else if !self.configuration.mesh.types.iter().any(|known| known.attribute(rule.target).is_some()) {
            self.problem("ENG-007", path, format!("no mesh type has an attribute {}", rule.target));
        }
    }

    // ----- shared checks -----

    pub(super) fn condition(
        &mut self,
        text: Option<&str>,
        environment: &Environment,
        path: &str,
    ) -> Option<Program> {
        let environment = Environment { expected: Expected::Condition, ..environment.clone() };
        let compiled = Program::compile(text?, &environment)
            .map_err(|error| RuleProblem::new("ENG-001", path, error.to_string()));
        self.keep(compiled)
    }

    fn check_confidence(&mut self, path: &str, confidence: u8) {
        if confidence > 100 {
            self.problem("ENG-009", path, format!("a confidence of {confidence} is not between 0 and 100"));
        }
    }

    pub(super) fn check_mesh_type(&mut self, path: &str, name: Name) {
        if self.configuration.mesh.mesh_type(name).is_none() {
            let known: Vec<&str> =
                self.configuration.mesh.types.iter().map(|known| known.name.as_str()).collect();
            let message = format!("mesh.toml registers no type {name}; it has {}", known.join(", "));
            self.problem("ENG-005", path, message);
        }
    }

    pub(super) fn unknown_target(&mut self, path: &str, mesh_type: &MeshType, target: Name) {
        let known: Vec<&str> = mesh_type.attributes.iter().map(|(name, _)| name.as_str()).collect();
        let message =
            format!("the type {} has no attribute {target}; it has {}", mesh_type.name, known.join(", "));
        self.problem("ENG-007", path, message);
    }
}

/// A name as an expression: bare where it is an identifier, else through `attr`.
pub(super) fn plain_text(name: Name) -> String {
    let text = name.as_str();
    let mut characters = text.chars();
    let starts = characters.next().is_some_and(|first| first.is_ascii_alphabetic() || first == '_');
    if starts && characters.all(|rest| rest.is_ascii_alphanumeric() || rest == '_') {
        text.to_owned()
    } else {
        format!("attr({text:?})")
    }
}

fn object_types_of(config: &ConnectorConfig) -> Vec<Name> {
    let mut names: Vec<Name> = config.scope.iter().map(|rule| rule.object_type).collect();
    names.extend(config.join.iter().map(|rule| rule.object_type));
    names.extend(config.create.iter().map(|rule| rule.object_type));
    names.extend(config.flow.iter().map(|rule| rule.object_type));
    names.extend(config.leave.iter().map(|rule| rule.object_type));
    names.extend(config.projection.iter().map(|rule| rule.object_type));
    names.sort_unstable();
    names.dedup();
    names
}

const fn kinds(kind: AttributeType) -> Kinds {
    match kind.value {
        ValueType::String | ValueType::Reference => Kinds::TEXT,
        ValueType::Integer => Kinds::INTEGER,
        ValueType::Boolean => Kinds::BOOLEAN,
        ValueType::DateTime => Kinds::DATE,
        ValueType::Binary => Kinds::BINARY,
    }
}

fn source_attributes(schema: Option<&identitymesh_model::ObjectSchema>) -> Attributes {
    match schema {
        Some(schema) => Attributes::known(schema.attributes.iter().map(|attribute| Attribute {
            name: attribute.name,
            kind: kinds(attribute.kind),
            multi: attribute.kind.multi,
        })),
        None => Attributes::Any,
    }
}

/// What expressions over a mesh type can read: its attributes, and the anchor.
pub(super) fn mesh_attributes(mesh_type: &MeshType) -> Attributes {
    Attributes::known(mesh_type.attributes.iter().map(|(name, attribute)| Attribute {
        name: *name,
        kind: kinds(attribute.kind),
        multi: attribute.kind.multi,
    }))
}

/// What a projection's values may call beyond plain functions.
pub(super) const CREATE_ONLY_NEEDS: Needs = Needs::UNIQUE.union(Needs::RANDOM).union(Needs::NOW);

//! Compiling connectors: their object types with scope, join, create, flow and leave rules.

use std::collections::HashMap;

use identitymesh_expr::{Environment, Program};
use identitymesh_model::rules::{ConnectorConfig, CreateRule, SourceLeaveRule};
use identitymesh_model::{ConnectorId, Name, ObjectSchema, RuleId, Schema};

use super::compiler::Compiler;
use super::environment::source_attributes;
use crate::rules::Expression;
use crate::rules::keys::{ConnectorKeys, address_index, referred_index};
use crate::rules::set::{ConnectorRules, Create, Flow, ObjectTypeRules};

impl Compiler<'_> {
    pub(super) fn connector(
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
            referred: schema
                .into_iter()
                .flat_map(Schema::referred_by)
                .map(|attribute| (attribute, self.number(&referred_index(head.name, attribute))))
                .collect(),
            object_types,
        }
    }

    fn object_type(
        &mut self,
        config: &ConnectorConfig,
        object_type: Name,
        schema: Option<ObjectSchema>,
        keys: &ConnectorKeys,
    ) -> ObjectTypeRules {
        let environment = Environment::of_source(source_attributes(schema.as_ref()));
        let file = format!("connectors/{}.toml", config.connector.name);
        let mut rules = ObjectTypeRules {
            scope: self.scope(config, object_type, &environment, &file),
            schema,
            joins: Vec::new(),
            creates: Vec::new(),
            flows: Vec::new(),
            leave: self.leave(config, object_type, &file),
            is_target: false,
            unique: Vec::new(),
        };
        for (at, rule) in config.join.iter().enumerate().filter(|(_, rule)| rule.object_type == object_type) {
            let path = format!("{file}: join {}", at + 1);
            rules.joins.extend(self.join(rule, &environment, &path, &keys.join[at]));
        }
        for (at, rule) in config.create.iter().enumerate().filter(|(_, rule)| rule.object_type == object_type)
        {
            let path = format!("{file}: create {}", at + 1);
            rules.creates.extend(self.create(rule, &environment, &path, &keys.create[at]));
        }
        for (at, rule) in config.flow.iter().enumerate().filter(|(_, rule)| rule.object_type == object_type) {
            let path = format!("{file}: flow {} ({})", at + 1, rule.target);
            let flow = self.flow(config, rule, &environment, &path, &keys.flow[at]);
            rules.flows.extend(flow.map(|flow| Flow { refers_by: rules.refers_by(&flow.input), ..flow }));
        }
        rules.flows.sort_by_key(|flow| flow.precedence);
        rules
    }

    fn scope(
        &mut self,
        config: &ConnectorConfig,
        object_type: Name,
        environment: &Environment,
        file: &str,
    ) -> Option<Program> {
        let mut scopes = config.scope.iter().filter(|scope| scope.object_type == object_type);
        let first = scopes.next().map(|scope| scope.when.as_str());
        if scopes.next().is_some() {
            let message = format!("{object_type} has more than one scope; join them with &&");
            self.problem("ENG-002", file, message);
        }
        self.condition(first, environment, &format!("{file}: scope of {object_type}"))
    }

    fn leave(&mut self, config: &ConnectorConfig, object_type: Name, file: &str) -> Option<SourceLeaveRule> {
        let mut rules = config.leave.iter().filter(|leave| leave.object_type == object_type && leave.enabled);
        let first = rules.next().cloned();
        if rules.next().is_some() {
            self.problem("ENG-002", file, format!("{object_type} has more than one leave rule"));
        }
        first
    }

    fn create(
        &mut self,
        rule: &CreateRule,
        environment: &Environment,
        path: &str,
        key: &str,
    ) -> Option<Create> {
        self.check_mesh_type(path, rule.mesh_type);
        let anchor = self.keep(Expression::compile(&rule.anchor, environment, path));
        let when = self.condition(rule.when.as_deref(), environment, path);
        Some(Create { rule: RuleId(self.number(key)), mesh_type: rule.mesh_type, anchor: anchor?, when })
    }
}

/// The object types that a connector's rules speak of.
pub(super) fn object_types_of(config: &ConnectorConfig) -> Vec<Name> {
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

//! The whole configuration, part by part.

use std::collections::{BTreeMap, HashMap};

use identitymesh_model::rules::{Configuration, ConnectorConfig};
use identitymesh_model::{ConnectorId, Name, RuleId, Schema, ValueType};

use super::projection::compile_projections;
use crate::rules::RuleProblem;
use crate::rules::changed::name_of;
use crate::rules::keys::{ConnectorKeys, RuleKeys, rule_keys};
use crate::rules::set::RuleSet;

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
        let mut rules = RuleSet { rule_names: self.rule_names(&keys), ..RuleSet::default() };
        for mesh_type in &self.configuration.mesh.types {
            let compiled = self.mesh_type(mesh_type, &keys.computed);
            if rules.types.insert(mesh_type.name, compiled).is_some() {
                let message = format!("the type {} is registered twice", mesh_type.name);
                self.problem("ENG-002", "mesh.toml", message);
            }
        }
        for (config, keys) in self.configuration.connectors.iter().zip(&keys.connectors) {
            self.add_connector(config, keys, &mut rules);
        }
        rules.settle_targets();
        rules
    }

    fn rule_names(&self, keys: &RuleKeys) -> HashMap<RuleId, String> {
        keys.all.iter().map(|key| (RuleId(self.number(key)), name_of(key).to_owned())).collect()
    }

    fn add_connector(&mut self, config: &ConnectorConfig, keys: &ConnectorKeys, rules: &mut RuleSet) {
        let name = config.connector.name;
        let Some(id) = self.input.connectors.get(&name).copied() else {
            self.problem("ENG-003", name.as_str(), "the connector has no id in the store");
            return;
        };
        let connector = self.connector(config, id, keys);
        let flows = connector.object_types.values().flat_map(|known| &known.flows);
        rules.keep_last.extend(flows.clone().filter(|flow| flow.keep_last).map(|flow| flow.rule));
        rules.references |= flows.into_iter().any(|flow| self.flows_into_reference(flow.target));
        compile_projections(self, config, id, &keys.projection, rules);
        if rules.connectors.insert(id, connector).is_some() {
            self.problem("ENG-002", name.as_str(), "two connectors have this name");
        }
    }

    fn flows_into_reference(&self, target: Name) -> bool {
        self.configuration.mesh.types.iter().any(|mesh_type| {
            mesh_type.attribute(target).is_some_and(|attribute| attribute.kind.value == ValueType::Reference)
        })
    }
}

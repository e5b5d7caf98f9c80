//! Compiling mesh types: indexes that join rules need, computed attributes in the order of their dependencies.

use identitymesh_expr::{Environment, Program};
use identitymesh_model::rules::{ComputedRule, FuzzyBlock, JoinRule, MeshType, SourceLeave};
use identitymesh_model::{ConnectorId, Name, RuleId};

use super::compiler::Compiler;
use super::environment::mesh_attributes;
use super::inbound::ANCHOR;
use crate::key::KeyKind;
use crate::rules::Expression;
use crate::rules::join::{IndexPart, JoinIndex};
use crate::rules::keys::{anchor_index, block_index, join_index, prefix_length};
use crate::rules::set::{Computed, MeshTypeRules};

impl Compiler<'_> {
    pub(super) fn mesh_type(&mut self, mesh_type: &MeshType, computed_keys: &[String]) -> MeshTypeRules {
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
            compared: self.compared(mesh_type),
            blocks: self.blocks(mesh_type).into_iter().map(|index| index.number).collect(),
            computed: self.in_dependency_order(computed),
            targets: Vec::new(),
            authoritative: self.authoritative(mesh_type.name),
        }
    }

    /// The indexes that rules in force need; a rule that is only measured needs none.
    fn join_indexes(&self, mesh_type: &MeshType) -> Vec<JoinIndex> {
        let mut indexes: Vec<JoinIndex> = Vec::new();
        let mut add = |index: JoinIndex| {
            if indexes.iter().all(|known| known.number != index.number) {
                indexes.push(index);
            }
        };
        for rule in self.rules_in_force() {
            for pair in &rule.pairs {
                let is_anchor = pair.mesh.folded() == ANCHOR && mesh_type.attribute(pair.mesh).is_none();
                if is_anchor || mesh_type.attribute(pair.mesh).is_some() {
                    let attribute = (!is_anchor).then_some(pair.mesh);
                    let part = IndexPart { attribute, kind: KeyKind::Match(pair.kind) };
                    add(JoinIndex {
                        number: self.number(&join_index(pair.mesh, pair.kind)),
                        parts: vec![part],
                    });
                }
            }
        }
        self.blocks(mesh_type).into_iter().for_each(add);
        indexes
    }

    fn rules_in_force(&self) -> impl Iterator<Item = &JoinRule> {
        self.configuration.connectors.iter().flat_map(|known| &known.join).filter(|join| join.enabled)
    }

    /// The indexes of the blocks in which fuzzy joins look for objects of this type.
    fn blocks(&self, mesh_type: &MeshType) -> Vec<JoinIndex> {
        let blocks = self.rules_in_force().flat_map(|join| &join.fuzzy).flat_map(|fuzzy| &fuzzy.block);
        let blocks =
            blocks.filter(|block| block.parts.iter().all(|part| mesh_type.attribute(part.mesh).is_some()));
        let index = |block: &FuzzyBlock| JoinIndex {
            number: self.number(&block_index(block)),
            parts: block
                .parts
                .iter()
                .map(|part| IndexPart {
                    attribute: Some(part.mesh),
                    kind: KeyKind::Block(part.key, prefix_length(part)),
                })
                .collect(),
        };
        blocks.map(index).collect()
    }

    /// The attributes of this type that fuzzy joins in force compare.
    fn compared(&self, mesh_type: &MeshType) -> Vec<Name> {
        let compared = self.rules_in_force().flat_map(|join| &join.fuzzy).flat_map(|fuzzy| &fuzzy.compare);
        let mut names: Vec<Name> = compared.map(|compare| compare.mesh).collect();
        names.retain(|name| mesh_type.attribute(*name).is_some());
        names.sort_unstable();
        names.dedup();
        names
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
}

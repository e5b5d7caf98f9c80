//! Compiling join and flow rules.

use identitymesh_expr::Environment;
use identitymesh_model::RuleId;
use identitymesh_model::rules::{ConnectorConfig, FlowRule, JoinRule};

use super::compiler::Compiler;
use super::environment::plain_text;
use crate::rules::Expression;
use crate::rules::keys::join_index;
use crate::rules::set::{Comparison, Flow, FlowInput, Join, Precedence};

/// The word that stands for the anchor in a join rule.
pub(super) const ANCHOR: &str = "anchor";

impl Compiler<'_> {
    pub(super) fn join(
        &mut self,
        rule: &JoinRule,
        environment: &Environment,
        path: &str,
        key: &str,
    ) -> Option<Join> {
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

    pub(super) fn flow(
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
            refers_by: None,
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
}

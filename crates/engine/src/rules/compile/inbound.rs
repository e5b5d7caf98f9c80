//! Compiling flow rules.

use identitymesh_expr::Environment;
use identitymesh_model::RuleId;
use identitymesh_model::rules::{ConnectorConfig, FlowRule};

use super::compiler::Compiler;
use super::environment::plain_text;
use crate::rules::Expression;
use crate::rules::set::{Flow, FlowInput, Precedence};

/// The word that stands for the anchor in a join rule.
pub(super) const ANCHOR: &str = "anchor";

impl Compiler<'_> {
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

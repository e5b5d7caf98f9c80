//! Compiling the leave policy of a projection rule.

use identitymesh_expr::Environment;
use identitymesh_model::Span;
use identitymesh_model::rules::{ActiveIn, LeaveAction, LeaveStep};

use super::connector::object_types_of;
use super::environment::source_attributes;
use super::projection::Part;
use crate::rules::target::ActiveSource;

impl Part<'_, '_> {
    pub(super) fn check_leave(&mut self) {
        let mut last = Span::ZERO;
        for (at, step) in self.rule.leave.iter().enumerate() {
            if let Some(problem) = self.problem_of(step, at, last) {
                self.compiler.problem("ENG-012", self.path, format!("leave step {}: {problem}", at + 1));
            }
            last = step.after;
        }
    }

    fn problem_of(&self, step: &LeaveStep, at: usize, last: Span) -> Option<&'static str> {
        match step.action {
            LeaveAction::Disable if self.rule.disable.is_none() => {
                Some("`disable` needs a [projection.disable] table that says how this target shows it")
            }
            LeaveAction::Move if step.to.is_none() => Some("`move` needs a container in `to`"),
            LeaveAction::Move if self.rule.container.is_none() => Some("`move` needs a target with a tree"),
            LeaveAction::Delete if at + 1 < self.rule.leave.len() => Some("nothing can follow `delete`"),
            LeaveAction::Keep | LeaveAction::Disable | LeaveAction::Move
                if !step.unless_active.is_empty() =>
            {
                Some("`unless_active` is for `delete` alone; the steps before it can be taken back")
            }
            _ if step.after < last => Some("steps have to be in the order of their `after`"),
            _ => None,
        }
    }

    /// The sources that a deletion waits for.
    pub(super) fn unless_active(&mut self) -> Vec<ActiveSource> {
        let mut sources = Vec::new();
        for (at, step) in self.rule.leave.iter().enumerate() {
            for active in &step.unless_active {
                let path = format!("{}: leave step {}: unless_active", self.path, at + 1);
                sources.extend(self.active(active, &path));
            }
        }
        sources
    }

    fn active(&mut self, active: &ActiveIn, path: &str) -> Option<ActiveSource> {
        let (name, object_type) = (active.connector, active.object_type);
        let connectors = &self.compiler.configuration.connectors;
        let Some(config) = connectors.iter().find(|config| config.connector.name == name) else {
            let known: Vec<&str> = connectors.iter().map(|config| config.connector.name.as_str()).collect();
            let message = format!("there is no connector {name}; the configuration has {}", known.join(", "));
            self.compiler.problem("ENG-012", path, message);
            return None;
        };
        let types = object_types_of(config);
        let problem = if config.projection.iter().any(|rule| rule.object_type == object_type) {
            format!(
                "{object_type} objects of {name} are written by projections, so they say nothing about anybody"
            )
        } else if !types.contains(&object_type) {
            let known: Vec<&str> = types.iter().map(|known| known.as_str()).collect();
            let known = known.join(", ");
            format!(
                "no rule of {name} speaks of {object_type} objects, so none are imported; its rules speak of {known}"
            )
        } else {
            return self.active_source(active, path);
        };
        self.compiler.problem("ENG-012", path, problem);
        None
    }

    fn active_source(&mut self, active: &ActiveIn, path: &str) -> Option<ActiveSource> {
        let schema = self.compiler.input.schemas.get(&active.connector);
        let schema = schema.and_then(|schema| schema.object_type(active.object_type));
        let environment = Environment::of_source(source_attributes(schema));
        let when = match &active.when {
            None => None,
            Some(text) => Some(self.compiler.condition(Some(text), &environment, path)?),
        };
        let connector = self.compiler.input.connectors.get(&active.connector).copied()?;
        Some(ActiveSource { connector, object_type: active.object_type, when })
    }
}

//! Checks that several kinds of rules share.

use identitymesh_expr::{Environment, Expected, Program};
use identitymesh_model::Name;
use identitymesh_model::rules::MeshType;

use super::compiler::Compiler;
use crate::rules::RuleProblem;

impl Compiler<'_> {
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

    pub(super) fn check_confidence(&mut self, path: &str, confidence: u8) {
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

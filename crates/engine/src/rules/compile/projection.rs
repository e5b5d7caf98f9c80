//! Compiling projection rules.

use identitymesh_expr::{Environment, Expected, Needs, Program};
use identitymesh_model::rules::{
    ConnectorConfig, MeshType, ProjectionAttribute, ProjectionMode, ProjectionRule,
};
use identitymesh_model::{ConnectorId, Name, ObjectSchema, RuleId, ValueType};

use super::compiler::Compiler;
use super::environment::{CREATE_ONLY_NEEDS, mesh_attributes, plain_text};
use crate::rules::keys::unique_index;
use crate::rules::set::RuleSet;
use crate::rules::target::{Place, Projection, ProjectionValue, TargetAttribute};
use crate::rules::{Expression, RuleProblem};

/// Compiles one connector's projection rules into the mesh types that they project.
pub(super) fn compile_projections(
    compiler: &mut Compiler<'_>,
    config: &ConnectorConfig,
    id: ConnectorId,
    keys: &[String],
    rules: &mut RuleSet,
) {
    for (rule, key) in config.projection.iter().zip(keys) {
        let number = RuleId(compiler.number(key));
        let path = format!("connectors/{}.toml: projection {}", config.connector.name, name_of(key));
        let Some(mesh_type) = compiler.configuration.mesh.mesh_type(rule.mesh_type) else {
            compiler.check_mesh_type(&path, rule.mesh_type);
            continue;
        };
        let projection =
            Part { compiler, config, rule, mesh_type, path: &path }.compile(number, name_of(key));
        let Some(projection) = projection else { continue };
        let unique =
            projection.attributes.iter().filter_map(|attribute| Some((attribute.target, attribute.unique?)));
        let unique: Vec<(Name, i64)> = unique.collect();
        rules.add_projection(rule.mesh_type, id, rule.priority, projection);
        rules.pending_unique.push((id, rule.object_type, unique));
    }
}

fn name_of(key: &str) -> &str {
    key.splitn(3, ':').nth(2).unwrap_or(key)
}

/// One projection rule at work.
pub(super) struct Part<'a, 'b> {
    pub(super) compiler: &'a mut Compiler<'b>,
    config: &'a ConnectorConfig,
    pub(super) rule: &'a ProjectionRule,
    mesh_type: &'a MeshType,
    pub(super) path: &'a str,
}

impl Part<'_, '_> {
    fn environment(&self) -> Environment {
        Environment::of_mesh(mesh_attributes(self.mesh_type))
    }

    fn schema(&self) -> Option<ObjectSchema> {
        let schema = self.compiler.input.schemas.get(&self.config.connector.name)?;
        schema.object_type(self.rule.object_type).cloned()
    }

    fn compile(mut self, rule: RuleId, name: &str) -> Option<Projection> {
        let environment = self.environment();
        let scope = self.compiler.condition(self.rule.scope.as_deref(), &environment, self.path);
        let schema = self.schema();
        let place = self.place(schema.as_ref());
        self.check_leave();
        let unless_active = self.unless_active();
        let password = self.compiler.password_rule(self.rule, schema.as_ref(), self.path);
        let mut attributes = Vec::with_capacity(self.rule.attributes.len());
        for attribute in &self.rule.attributes {
            attributes.extend(self.attribute(attribute, schema.as_ref()));
        }
        for (at, attribute) in attributes.iter().enumerate() {
            if attributes[..at].iter().any(|other| other.target == attribute.target && other.when.is_none()) {
                let message = format!("{} is set twice", attribute.target);
                self.compiler.problem("ENG-010", self.path, message);
            }
        }
        let reads_time = scope.iter().any(reads_time)
            || place.iter().any(|place| reads_time(&place.container))
            || attributes.iter().any(|attribute| {
                attribute.when.iter().any(reads_time)
                    || (attribute.mode != ProjectionMode::CreateOnly && attribute.value.reads_time())
            });
        Some(Projection {
            rule,
            name: name.to_owned(),
            priority: self.rule.priority,
            object_type: self.rule.object_type,
            scope,
            place,
            create: self.rule.create,
            update: self.rule.update,
            owns_existing: self.rule.owns_existing,
            leave: self.rule.leave.clone(),
            unless_active,
            disable: self.rule.disable.clone(),
            password,
            attributes,
            reads_time,
        })
    }

    fn place(&mut self, schema: Option<&ObjectSchema>) -> Option<Place> {
        let is_tree = self.compiler.input.hierarchical.contains(&self.config.connector.name);
        let (container, rdn) = match (&self.rule.container, self.rule.rdn, is_tree) {
            (None, None, false) => return None,
            (Some(_), _, false) | (_, Some(_), false) => {
                let message =
                    "this connector's objects do not live in a tree, so `container` and `rdn` mean nothing";
                self.compiler.problem("ENG-011", self.path, message);
                return None;
            }
            (Some(container), Some(rdn), true) => (container, rdn),
            (_, _, true) => {
                let message =
                    "this connector's objects live in a tree, so a projection needs `container` and `rdn`";
                self.compiler.problem("ENG-011", self.path, message);
                return None;
            }
        };
        if self.rule.attributes.iter().all(|attribute| attribute.target != rdn) {
            let message = format!("no attribute rule gives {rdn}, which `rdn` names");
            self.compiler.problem("ENG-011", self.path, message);
        }
        let environment = Environment { expected: Expected::Text, ..self.environment() };
        let container = Program::compile(container, &environment)
            .map_err(|error| RuleProblem::new("ENG-001", self.path, error.to_string()));
        let address = schema.and_then(|schema| schema.address).unwrap_or_else(|| Name::literal("dn"));
        let container = self.compiler.keep(container)?;
        Some(Place { container, rdn, address, create_container: self.rule.create_container })
    }

    fn attribute(
        &mut self,
        attribute: &ProjectionAttribute,
        schema: Option<&ObjectSchema>,
    ) -> Option<TargetAttribute> {
        let path = format!("{}: attribute {}", self.path, attribute.target);
        let known = schema.map(|schema| schema.attribute(attribute.target));
        match known {
            Some(None) => {
                let message =
                    format!("the target's {} has no attribute {}", self.rule.object_type, attribute.target);
                self.compiler.problem("ENG-007", &path, message);
            }
            Some(Some(known)) if known.read_only => {
                self.compiler.problem("ENG-013", &path, "the target sets this attribute itself");
            }
            _ => {}
        }
        let known = known.flatten();
        let value = self.value(attribute, &path)?;
        let unique = value.needs().contains(Needs::UNIQUE).then(|| {
            self.compiler.number(&unique_index(
                self.config.connector.name,
                self.rule.object_type,
                attribute.target,
            ))
        });
        let environment = self.environment();
        Some(TargetAttribute {
            target: known.map_or(attribute.target, |known| known.name),
            value,
            when: self.compiler.condition(attribute.when.as_deref(), &environment, &path),
            mode: attribute.mode,
            drift: attribute.drift,
            missing: attribute.missing,
            keep_when_absent: attribute.keep_when_absent,
            unique,
            ignore_case: known.is_some_and(|known| known.ignore_case),
            shares: false,
            kind: known.map(|known| known.kind),
            refers_by: known.and_then(|known| known.refers_by),
        })
    }

    fn value(&mut self, attribute: &ProjectionAttribute, path: &str) -> Option<ProjectionValue> {
        let text = match (attribute.source, &attribute.value) {
            (Some(source), None) => match self.mesh_type.attribute(source) {
                Some(known) if known.kind.value == ValueType::Reference => {
                    return Some(ProjectionValue::References(source));
                }
                Some(_) => return Some(ProjectionValue::plain(source)),
                None => {
                    self.compiler.unknown_target(path, self.mesh_type, source);
                    return None;
                }
            },
            (None, Some(text)) => text.clone(),
            (None, None) if self.mesh_type.attribute(attribute.target).is_some() => {
                plain_text(attribute.target)
            }
            (None, None) | (Some(_), Some(_)) => {
                let message = "an attribute needs either a `source` or a `value`";
                self.compiler.problem("ENG-008", path, message);
                return None;
            }
        };
        let allowed =
            if attribute.mode == ProjectionMode::CreateOnly { CREATE_ONLY_NEEDS } else { Needs::empty() };
        let environment = Environment { allowed, ..self.environment() };
        let expression = Expression::compile(&text, &environment, path);
        self.compiler.keep(expression).map(ProjectionValue::expression)
    }
}

fn reads_time(program: &Program) -> bool {
    program.needs().intersects(Needs::NOW.union(Needs::TODAY))
}

//! Projection rules, compiled.

use identitymesh_expr::{Needs, Program};
use identitymesh_model::rules::{DisableBy, DriftPolicy, LeaveStep, Missing, PasswordRule, ProjectionMode};
use identitymesh_model::{AttributeType, ConnectorId, Name, RuleId, SpaceRecord};

use super::Expression;

/// A projection rule.
#[derive(Debug)]
pub struct Projection {
    pub(crate) rule: RuleId,
    pub(crate) name: String,
    pub(crate) priority: i32,
    pub(crate) object_type: Name,
    pub(crate) scope: Option<Program>,
    pub(crate) place: Option<Place>,
    pub(crate) create: bool,
    pub(crate) update: bool,
    pub(crate) owns_existing: bool,
    pub(crate) leave: Vec<LeaveStep>,
    /// Sources that a deletion by the leave policy waits for.
    pub(crate) unless_active: Vec<ActiveSource>,
    pub(crate) disable: Option<DisableBy>,
    pub(crate) password: Option<PasswordRule>,
    pub(crate) attributes: Vec<TargetAttribute>,
    /// Whether `Today` or `Now` is read anywhere in it.
    pub(crate) reads_time: bool,
}

/// A source that can say of somebody that they are active.
#[derive(Debug)]
pub(crate) struct ActiveSource {
    pub(crate) connector: ConnectorId,
    pub(crate) object_type: Name,
    /// Which of its objects say so; all of them when there is none.
    pub(crate) when: Option<Program>,
}

impl ActiveSource {
    pub(crate) fn is_about(&self, space: &SpaceRecord) -> bool {
        (space.connector, space.object_type) == (self.connector, self.object_type)
    }
}

/// Where in a tree the object goes.
#[derive(Debug)]
pub(crate) struct Place {
    pub(crate) container: Program,
    pub(crate) rdn: Name,
    pub(crate) address: Name,
    pub(crate) create_container: bool,
}

/// One attribute of a projection rule.
#[derive(Debug)]
pub struct TargetAttribute {
    pub(crate) target: Name,
    pub(crate) value: ProjectionValue,
    pub(crate) when: Option<Program>,
    pub(crate) mode: ProjectionMode,
    pub(crate) drift: DriftPolicy,
    pub(crate) missing: Missing,
    pub(crate) keep_when_absent: bool,
    /// The index of the attribute's values, when they have to be unique.
    pub(crate) unique: Option<i64>,
    /// The target's schema: values that differ only in case are the same.
    pub(crate) ignore_case: bool,
    /// Others fill the attribute too: what they put there flows into a mesh attribute that merges.
    pub(crate) shares: bool,
    /// The type in the target, where its schema is known.
    pub(crate) kind: Option<AttributeType>,
    /// The attribute of other objects that references hold; without it they hold addresses or external ids.
    pub(crate) refers_by: Option<Name>,
}

/// What a projected attribute is made from.
#[derive(Debug)]
pub enum ProjectionValue {
    /// A mesh attribute that refers to mesh objects: becomes the target's own addresses of them.
    References(Name),
    /// Anything else.
    Expression(ExpressionValue),
}

impl ProjectionValue {
    pub(super) const fn plain(source: Name) -> Self {
        Self::Expression(ExpressionValue(Expression::Plain(source)))
    }

    pub(super) const fn expression(expression: Expression) -> Self {
        Self::Expression(ExpressionValue(expression))
    }

    pub(crate) fn needs(&self) -> Needs {
        match self {
            Self::References(_) => Needs::empty(),
            Self::Expression(ExpressionValue(expression)) => expression.needs(),
        }
    }

    pub(super) fn reads_time(&self) -> bool {
        self.needs().intersects(Needs::NOW.union(Needs::TODAY))
    }
}

/// An expression over the mesh object.
#[derive(Debug)]
pub struct ExpressionValue(pub(crate) Expression);

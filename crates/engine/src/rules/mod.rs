//! Rules made executable: every expression compiled, every name resolved, every number known.
//!
//! Compiling checks all rules and reports every problem at once, so that a configuration is either wholly in force or
//! not at all. What is compiled here never fails later for a reason that could have been seen in the rules.

mod changed;
mod compile;
mod expression;
mod join;
mod keys;
mod problem;
mod referring;
mod set;
mod target;

pub use changed::changed_rules;
pub use compile::{CompileInput, compile};
pub use join::{Comparison, IndexPart, Join, JoinIndex};
pub use keys::{number_keys, rule_keys};
pub use problem::RuleProblem;
pub use referring::Referring;
pub use set::{ConnectorRules, Create, Flow, FlowInput, MeshTypeRules, ObjectTypeRules, RuleSet};
pub use target::{Projection, ProjectionValue, TargetAttribute};

pub(crate) use expression::{Expression, Gave};
pub(crate) use join::{Fuzzy, JoinBy};
pub(crate) use set::{Computed, Precedence};
pub(crate) use target::{ActiveSource, ExpressionValue, Place};

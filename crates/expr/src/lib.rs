//! The transform language: expressions over the attributes of one object.
//!
//! An expression is compiled once, when its rule is saved, against an [`Environment`] that says which attributes
//! exist, and evaluated for every object by an [`Evaluator`] against a [`Scope`]. The grammar is that of CEL; what a
//! function does with an absent value, and what an expression may cost, is this product's own (sync semantics,
//! section 10). Ring 0: the present moment, unique names and random bytes come in through the scope.

pub mod bounds;
mod compile;
mod data;
mod environment;
mod errors;
mod evaluate;
mod library;
mod program;
mod scope;
mod tree;

pub use environment::{Attribute, Attributes, Environment, Expected, Kinds, Namespace, Needs};
pub use errors::{CompileError, EvalError, Fault, Position, Problem, ProblemKind};
pub use evaluate::{Evaluator, Trace, TraceStep};
pub use library::{Example, FunctionDoc, Occurs, Parameter, library};
pub use program::Program;
pub use scope::{RandomSource, Scope, Uniqueness, missing_input};

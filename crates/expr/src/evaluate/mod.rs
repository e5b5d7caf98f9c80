//! Evaluation: one walk over the tree for one object.
//!
//! Every step is counted, and bytes handed to functions count as steps, so an evaluation ends in bounded time
//! whatever the values are. Values are borrowed from the object wherever they pass unchanged. Only what a result
//! needs is evaluated: branches not taken, operands after a decided `&&` or `||` are not.

mod machine;
mod operators;
mod trace;

pub use machine::Evaluator;
pub use trace::{Trace, TraceStep};

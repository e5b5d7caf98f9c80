//! From text to a [`Node`] tree: shape, syntax, names, arguments, kinds.
//!
//! The library parses; here every name is resolved and every kind is checked as far as the environment knows it.
//! All problems are collected. The tree is this product's own, for the reasons in the decision record on the
//! transform evaluator.

mod calls;
mod lower;
mod operators;
mod program;
mod suggest;

pub(crate) use program::compile;

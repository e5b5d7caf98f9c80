//! `joins`: conflicts with their candidates, what people decide about them, and how good a rule is.

mod decide;
mod list;
mod measure;
mod named;
mod reevaluate;
mod run;
mod show;

pub(super) use run::run;

//! Every intermediate value of one evaluation, for the editor of a rule.
//!
//! The same walk as any evaluation, with a note taken at each part that is not a constant, in the order in which
//! they were evaluated. Notes are bounded, because loops make many; what comes after the bound is evaluated without.

use identitymesh_model::Values;

use super::Evaluator;
use super::machine::Machine;
use crate::bounds::{TRACE_BYTES_MAX, TRACE_STEPS_MAX};
use crate::data::Data;
use crate::errors::{EvalError, Position};
use crate::program::Program;
use crate::scope::Scope;
use crate::tree::{Node, Step};

/// How an evaluation went.
#[derive(Debug)]
pub struct Trace {
    /// Intermediate values, innermost first; at most [`TRACE_STEPS_MAX`], and [`TRACE_BYTES_MAX`] bytes.
    pub steps: Vec<TraceStep>,
    /// What [`Evaluator::evaluate`] gives.
    pub outcome: Result<Option<Values>, EvalError>,
}

/// One intermediate value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TraceStep {
    /// Where in the expression: a name, a function's opening bracket, an operator.
    pub at: Position,
    /// The attribute, function or operator.
    pub what: &'static str,
    /// What it gave, `None` when absent. Tables and lists in lists are no values, and are left out.
    pub value: Option<Values>,
}

impl Evaluator {
    /// Evaluates the program as [`Self::evaluate`] does, and notes every intermediate value.
    pub fn trace(&mut self, program: &Program, scope: &Scope<'_>) -> Trace {
        let mut machine = Machine::new(scope, &mut self.patterns);
        machine.notes = Some(Notes { text: program.text(), bytes: 0, steps: Vec::new() });
        let data = machine.run(program);
        let steps = machine.notes.map(|notes| notes.steps).unwrap_or_default();
        Trace { steps, outcome: data.and_then(|data| super::machine::finish(program, data)) }
    }
}

#[derive(Debug)]
pub(super) struct Notes<'a> {
    text: &'a str,
    bytes: usize,
    steps: Vec<TraceStep>,
}

impl Notes<'_> {
    pub(super) fn take(&mut self, node: &Node, data: &Data<'_>) {
        let what = match &node.step {
            Step::Constant(_) => return,
            Step::Read { name, .. } => name.as_str(),
            step => step.label(),
        };
        // Weighed only while there is room, so that a long loop is not slowed by a full trace.
        if self.steps.len() >= TRACE_STEPS_MAX || self.bytes > TRACE_BYTES_MAX {
            return;
        }
        self.bytes += data.weight();
        if self.bytes <= TRACE_BYTES_MAX
            && let Ok(value) = data.clone().into_values()
        {
            self.steps.push(TraceStep { at: Position::of(self.text, node.at as usize), what, value });
        }
    }
}

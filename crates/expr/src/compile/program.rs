//! The order of compiling: shape, syntax, names and kinds, result.

use std::collections::BTreeSet;

use cel::Env;
use cel::common::ast::{IdedExpr, SourceInfo};

use super::lower::Lowering;
use crate::bounds::{self, Crossed};
use crate::environment::{Environment, Expected, Kinds, Namespace};
use crate::errors::{CompileError, Position, Problem, ProblemKind};
use crate::program::Compiled;
use crate::tree::Node;

pub(crate) fn compile(text: &str, environment: &Environment) -> Result<Compiled, CompileError> {
    check_shape(text).map_err(|problem| CompileError { problems: vec![problem] })?;
    let (tree, source) = parse(text)?;
    let mut lowering = Lowering::new(text, environment, &source);
    let root = lowering.node(&tree);
    check_result(&mut lowering, &root, environment.expected);
    if !lowering.problems.is_empty() {
        let mut problems = lowering.problems;
        problems.sort_by_key(|problem| problem.at);
        return Err(CompileError { problems });
    }
    let reads = Namespace::ALL.map(|namespace| {
        let side = lowering.reads.iter().filter(|(side, _)| *side == namespace);
        side.map(|(_, name)| *name).collect::<BTreeSet<_>>().into_iter().collect()
    });
    Ok(Compiled {
        text: text.to_owned(),
        root,
        bare: environment.bare,
        reads,
        plain_reads: lowering.plain_reads.into_iter().collect(),
        needs: lowering.needs,
        expected: environment.expected,
    })
}

fn check_shape(text: &str) -> Result<(), Problem> {
    let place = |at: usize| Position::of(text, at);
    match bounds::crossed(text) {
        None => Ok(()),
        Some(Crossed::Length { bytes }) => {
            Err(Problem { at: Position { line: 1, column: 1 }, kind: ProblemKind::TooLong { bytes } })
        }
        Some(Crossed::Nesting { at }) => {
            let kind = ProblemKind::TooComplex { what: "levels of brackets", limit: bounds::NESTING_MAX };
            Err(Problem { at: place(at), kind })
        }
        Some(Crossed::Operators { at }) => {
            let kind = ProblemKind::TooComplex { what: "operators", limit: bounds::OPERATORS_MAX };
            Err(Problem { at: place(at), kind })
        }
    }
}

/// Parses without macros: `has` and the loops are calls that the lowering knows.
fn parse(text: &str) -> Result<(IdedExpr, SourceInfo), CompileError> {
    let clamp = |number: isize| u32::try_from(number).unwrap_or(1).max(1);
    Env::default().parser().parse_with_source_info(text).map_err(|errors| {
        let mut problems: Vec<Problem> = errors
            .errors
            .into_iter()
            .map(|error| Problem {
                at: Position { line: clamp(error.pos.0), column: clamp(error.pos.1) },
                kind: syntax(error.msg),
            })
            .collect();
        problems.dedup();
        CompileError { problems }
    })
}

/// The parser bounds its own recursion too, which a chain of `? :` reaches.
fn syntax(message: String) -> ProblemKind {
    if message.contains("Recursion limit") {
        return ProblemKind::TooComplex { what: "levels of nesting", limit: bounds::NESTING_MAX };
    }
    let detail = message.strip_prefix("Syntax error: ").unwrap_or(&message).to_owned();
    ProblemKind::Syntax { detail }
}

fn check_result(lowering: &mut Lowering<'_>, root: &Node, expected: Expected) {
    match expected {
        Expected::Condition => lowering.expect_condition(root, "a condition"),
        Expected::Value => lowering.expect(root, Kinds::ANY, || "the result".to_owned()),
        Expected::Text => lowering.expect(root, Kinds::TEXT | Kinds::INTEGER, || "the result".to_owned()),
    }
}

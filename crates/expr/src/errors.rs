//! What can be wrong with an expression: before it is saved, and while it runs.
//!
//! A [`CompileError`] carries every problem found, each with its place, so that an editor can mark them all at once.
//! An [`EvalError`] is one [`Fault`] at one place, and becomes a finding on the object. Each has a code with a page
//! in the documentation; no message repeats an attribute's value unless the value is what is wrong.

use std::fmt;

use crate::bounds;
use crate::environment::{Kinds, Namespace, Needs};

/// A place in an expression, counted from one in characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    /// Line.
    pub line: u32,
    /// Character within the line.
    pub column: u32,
}

impl Position {
    /// The place that is `offset` bytes into `text`.
    pub(crate) fn of(text: &str, offset: usize) -> Self {
        let offset = (0..=offset.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
        let before = &text[..offset];
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().map_or(0, |last| last.chars().count()) + 1;
        let clamp = |number| u32::try_from(number).unwrap_or(u32::MAX);
        Self { line: clamp(line), column: clamp(column) }
    }
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}, column {}", self.line, self.column)
    }
}

/// An expression that cannot be saved, with everything that is wrong with it; never empty.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}", self.problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))]
pub struct CompileError {
    /// In the order of their places.
    pub problems: Vec<Problem>,
}

/// One thing that is wrong, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Where.
    pub at: Position,
    /// What.
    pub kind: ProblemKind,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (at {})", self.kind, self.at)
    }
}

/// What is wrong with the text of an expression.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProblemKind {
    /// The text crosses [`bounds::EXPRESSION_BYTES_MAX`].
    #[error(
        "EXP-001: the expression has {bytes} bytes, {} are allowed; move part of it into a computed attribute",
        bounds::EXPRESSION_BYTES_MAX
    )]
    TooLong {
        /// Its length.
        bytes: usize,
    },
    /// Brackets nest deeper than [`bounds::NESTING_MAX`], or there are more than [`bounds::OPERATORS_MAX`] operators.
    #[error(
        "EXP-002: the expression is too complex: more than {limit} {what}; move part of it into a computed attribute"
    )]
    TooComplex {
        /// What there is too much of.
        what: &'static str,
        /// How much is allowed.
        limit: usize,
    },
    /// The text is not an expression.
    #[error("EXP-003: not an expression: {detail}")]
    Syntax {
        /// What the parser says.
        detail: String,
    },
    /// No function has that name.
    #[error("EXP-004: there is no function {name:?}{hint}")]
    UnknownFunction {
        /// As written.
        name: String,
        /// What to write instead, as a clause.
        hint: String,
    },
    /// The side is known not to have that attribute.
    #[error("EXP-005: {} has no attribute {name:?}{hint}", namespace.word())]
    UnknownAttribute {
        /// Where it was looked for.
        namespace: Namespace,
        /// As written.
        name: String,
        /// What to write instead, as a clause.
        hint: String,
    },
    /// Too few or too many arguments.
    #[error("EXP-006: {function} takes {expected}, not {found}: {signature}")]
    ArgumentCount {
        /// The function.
        function: &'static str,
        /// How many it takes.
        expected: String,
        /// How many were given.
        found: usize,
        /// How it is called.
        signature: &'static str,
    },
    /// Something can never have the kind that its place asks for.
    #[error("EXP-007: {place} must be {expected}, but is {found}{hint}")]
    WrongKind {
        /// The argument, operand or result.
        place: String,
        /// What fits.
        expected: String,
        /// What it is.
        found: Kinds,
        /// How to convert, as a clause.
        hint: String,
    },
    /// The function may not be called in this kind of rule.
    #[error(
        "EXP-008: {function} cannot be used here: its result would differ from one evaluation to the next, so it is allowed only where a plan records the result (create-only attributes)"
    )]
    NotAllowed {
        /// The function.
        function: &'static str,
        /// What it needs.
        needs: Needs,
    },
    /// The side does not exist in this kind of rule.
    #[error("EXP-009: {:?} does not exist in this rule, only {available}", namespace.word())]
    NoNamespace {
        /// The side.
        namespace: Namespace,
        /// The sides that exist.
        available: String,
    },
    /// A regular expression or date pattern is not one, or is too large.
    #[error("EXP-010: {function} is given a pattern that cannot be used: {detail}")]
    Pattern {
        /// The function.
        function: &'static str,
        /// Why.
        detail: String,
    },
    /// The argument must be written out, so that it is known what the expression reads.
    #[error("EXP-011: {function} takes the name of an attribute in quotes, such as {function}(\"mail\")")]
    NotLiteral {
        /// The function.
        function: &'static str,
    },
    /// Something of the grammar that this product does not use.
    #[error("EXP-012: {what} cannot be used in a transform; {instead}")]
    Unsupported {
        /// What.
        what: String,
        /// What to write instead.
        instead: String,
    },
}

/// An expression that went wrong on one object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EvalError {
    /// Where in the expression.
    pub at: Position,
    /// The function or operator that met it.
    pub inside: &'static str,
    /// What happened.
    pub fault: Fault,
}

impl fmt::Display for EvalError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (in {} at {})", self.fault, self.inside, self.at)
    }
}

impl std::error::Error for EvalError {}

/// What can happen while an expression runs.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// A value has a kind that its place cannot take.
    #[error("EXP-020: {place} must be {expected}, but is {found}{hint}")]
    Kind {
        /// The argument or operand.
        place: String,
        /// What fits.
        expected: Kinds,
        /// What it is.
        found: Kinds,
        /// How to convert, as a clause.
        hint: &'static str,
    },
    /// A value of the right kind does not mean what the function needs.
    #[error("EXP-021: {detail}")]
    Value {
        /// What is wrong with it.
        detail: String,
    },
    /// A result crosses its bound.
    #[error("EXP-022: the result is larger than the {limit} {unit} allowed")]
    TooLarge {
        /// The bound.
        limit: usize,
        /// What it counts.
        unit: &'static str,
    },
    /// The evaluation took more than [`bounds::STEPS_MAX`] steps.
    #[error(
        "EXP-023: the expression takes more than {} steps; loop over smaller lists, or not inside one another",
        bounds::STEPS_MAX
    )]
    Cost,
    /// An integer left the 64-bit range, or was divided by zero.
    #[error("EXP-024: {detail}")]
    Arithmetic {
        /// What happened.
        detail: &'static str,
    },
    /// No free name was found.
    #[error(
        "EXP-025: no free name after {attempts} attempts, the last was {last:?}; give more candidates or a greater length"
    )]
    NoneFree {
        /// How many names were asked for.
        attempts: usize,
        /// The last of them.
        last: String,
    },
    /// What the run around the expression provides is missing or failed.
    #[error("EXP-026: {what} is not available: {detail}")]
    Unavailable {
        /// Which facility.
        what: &'static str,
        /// What it said.
        detail: String,
    },
    /// The result is not what the rule needs.
    #[error("EXP-027: the result must be {expected}, but is {found}")]
    Result {
        /// What the rule needs.
        expected: String,
        /// What it is.
        found: Kinds,
    },
}

impl Fault {
    pub(crate) fn value(detail: impl Into<String>) -> Self {
        Self::Value { detail: detail.into() }
    }

    pub(crate) const fn text_too_large() -> Self {
        Self::TooLarge { limit: bounds::TEXT_BYTES_MAX, unit: "bytes of text" }
    }

    pub(crate) const fn list_too_large() -> Self {
        Self::TooLarge { limit: bounds::LIST_COUNT_MAX, unit: "values in a list" }
    }
}

//! A compiled expression: what the evaluator walks.
//!
//! Names are resolved to attributes and functions, tables and lists of literals are built, and literal patterns are
//! compiled, so that nothing of that happens per object. A node knows its place in the text for error messages.

use identitymesh_model::Name;

use crate::data::Data;
use crate::environment::{Kinds, Namespace};
use crate::library::{FunctionDoc, Prepared};

#[derive(Debug)]
pub(crate) struct Node {
    pub(crate) step: Step,
    /// Bytes from the start of the text.
    pub(crate) at: u32,
    /// What it can give when it is not absent.
    pub(crate) kinds: Kinds,
}

#[derive(Debug)]
pub(crate) enum Step {
    Constant(Data<'static>),
    Read {
        namespace: Namespace,
        name: Name,
        as_list: bool,
    },
    /// The variable of an enclosing loop, counted from the outermost.
    Local(usize),
    Has(Box<Node>),
    Not(Box<Node>),
    And(Vec<Node>),
    Or(Vec<Node>),
    If(Box<[Node; 3]>),
    Equal {
        pair: Box<[Node; 2]>,
        negated: bool,
    },
    Compare {
        pair: Box<[Node; 2]>,
        operator: Compare,
    },
    /// All operands of a chain, from the left.
    Add(Vec<Node>),
    Arithmetic {
        pair: Box<[Node; 2]>,
        operator: Arithmetic,
    },
    In(Box<[Node; 2]>),
    Index(Box<[Node; 2]>),
    List(Vec<Node>),
    Map(Vec<(Node, Node)>),
    Loop(Box<Loop>),
    Coalesce {
        candidates: Vec<Node>,
        skip_empty: bool,
    },
    /// The value, pairs of case and result, and perhaps a default.
    Switch {
        value: Box<Node>,
        cases: Vec<(Node, Node)>,
        default: Option<Box<Node>>,
    },
    Call {
        function: &'static FunctionDoc,
        arguments: Vec<Node>,
        prepared: Option<Prepared>,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Compare {
    Less,
    LessEqual,
    Greater,
    GreaterEqual,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Arithmetic {
    Subtract,
    Multiply,
    Divide,
    Remainder,
}

#[derive(Debug)]
pub(crate) struct Loop {
    pub(crate) kind: LoopKind,
    pub(crate) list: Node,
    /// Which items a `map` with a condition takes.
    pub(crate) guard: Option<Node>,
    pub(crate) body: Node,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LoopKind {
    All,
    Exists,
    ExistsOne,
    Map,
    Filter,
}

impl Step {
    /// What an error message calls it.
    pub(crate) fn label(&self) -> &'static str {
        match self {
            Self::Constant(_) => "a constant",
            Self::Read { .. } => "an attribute",
            Self::Local(_) => "a loop variable",
            Self::Has(_) => "has",
            Self::Not(_) => "!",
            Self::And(_) => "&&",
            Self::Or(_) => "||",
            Self::If(_) => "Iif",
            Self::Equal { negated: false, .. } => "==",
            Self::Equal { negated: true, .. } => "!=",
            Self::Compare { operator, .. } => match operator {
                Compare::Less => "<",
                Compare::LessEqual => "<=",
                Compare::Greater => ">",
                Compare::GreaterEqual => ">=",
            },
            Self::Add(_) => "+",
            Self::Arithmetic { operator, .. } => match operator {
                Arithmetic::Subtract => "-",
                Arithmetic::Multiply => "*",
                Arithmetic::Divide => "/",
                Arithmetic::Remainder => "%",
            },
            Self::In(_) => "in",
            Self::Index(_) => "[ ]",
            Self::List(_) => "a list",
            Self::Map(_) => "a table",
            Self::Loop(each) => match each.kind {
                LoopKind::All => "all",
                LoopKind::Exists => "exists",
                LoopKind::ExistsOne => "exists_one",
                LoopKind::Map => "map",
                LoopKind::Filter => "filter",
            },
            Self::Coalesce { skip_empty: false, .. } => "Coalesce",
            Self::Coalesce { skip_empty: true, .. } => "IfEmpty",
            Self::Switch { .. } => "Switch",
            Self::Call { function, .. } => function.name,
        }
    }
}

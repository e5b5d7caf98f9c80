//! How a function is described, and the table of all of them.
//!
//! Names are exact, spelled as administrators know them. A parameter for text also takes an integer, which is
//! written in decimal; a parameter for a list also takes a single value. Otherwise nothing is converted silently.

use std::collections::HashMap;
use std::sync::LazyLock;

use regex::Regex;

use super::{
    bits, convert, dates, directory, encode, letters, lists, logic, names, password, phone, regexes, text,
};
use crate::data::Data;
use crate::environment::{Kinds, Needs};
use crate::errors::Fault;
use crate::library::Call;

/// One function, as the compiler checks it and an administrator reads it.
#[derive(Debug, Clone, Copy)]
pub struct FunctionDoc {
    /// Its name, exact.
    pub name: &'static str,
    /// The family it is listed under.
    pub family: &'static str,
    /// How it is called, such as `Mid(text, position[, count])`; what stands in square brackets may be left out.
    pub signature: &'static str,
    /// What it takes, in order.
    pub parameters: &'static [Parameter],
    /// What it gives, when not absent.
    pub result: Kinds,
    /// What it does, in one line.
    pub help: &'static str,
    /// A call and what it gives, checked by a test.
    pub example: Example,
    /// What it asks of the run around it.
    pub needs: Needs,
    /// Whether it is called with absent arguments too; otherwise an absent required argument gives absent.
    pub takes_absent: bool,
    pub(crate) run: Run,
}

/// One parameter.
#[derive(Debug, Clone, Copy)]
pub struct Parameter {
    /// What it is called.
    pub name: &'static str,
    /// What it takes.
    pub kinds: Kinds,
    /// How often it occurs.
    pub occurs: Occurs,
}

/// How often a parameter occurs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Occurs {
    /// Once.
    Once,
    /// Once or not at all; only at the end.
    Optional,
    /// Any number of times; only at the end.
    Repeated,
}

/// A call and what it gives.
#[derive(Debug, Clone, Copy)]
pub struct Example {
    /// The call.
    pub expression: &'static str,
    /// What it gives: text in quotes, a list in brackets, `absent`.
    pub result: &'static str,
}

/// A function's body, or the form that the compiler makes of a call to it.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Run {
    Body(Body),
    /// The same, with its second argument a regular expression, compiled beforehand when written out.
    Pattern(Body),
    /// The same, with its second argument a date pattern, translated beforehand when written out.
    DatePattern(Body),
    Form(Form),
}

pub(crate) type Body = for<'c, 'a> fn(&mut Call<'c, 'a>) -> Result<Data<'a>, Fault>;

/// Calls that evaluate only the arguments they need, or read attributes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    Has,
    Attribute,
    AllValues,
    Coalesce,
    IfEmpty,
    If,
    Switch,
}

/// An argument that was made ready when the expression was compiled.
#[derive(Debug, Clone)]
pub(crate) enum Prepared {
    Regex(Regex),
    DatePattern(String),
}

pub(super) const T: Kinds = Kinds::TEXT;
pub(super) const I: Kinds = Kinds::INTEGER;
pub(super) const B: Kinds = Kinds::BOOLEAN;
pub(super) const D: Kinds = Kinds::DATE;
pub(super) const L: Kinds = Kinds::LIST;

pub(super) const fn once(name: &'static str, kinds: Kinds) -> Parameter {
    Parameter { name, kinds, occurs: Occurs::Once }
}

pub(super) const fn optional(name: &'static str, kinds: Kinds) -> Parameter {
    Parameter { name, kinds, occurs: Occurs::Optional }
}

pub(super) const fn repeated(name: &'static str, kinds: Kinds) -> Parameter {
    Parameter { name, kinds, occurs: Occurs::Repeated }
}

impl FunctionDoc {
    pub(super) const fn new(
        family: &'static str,
        name: &'static str,
        signature: &'static str,
        parameters: &'static [Parameter],
        result: Kinds,
        run: Run,
    ) -> Self {
        Self {
            name,
            family,
            signature,
            parameters,
            result,
            run,
            help: "",
            example: Example { expression: "", result: "" },
            needs: Needs::empty(),
            takes_absent: false,
        }
    }

    pub(super) const fn help(mut self, help: &'static str) -> Self {
        self.help = help;
        self
    }

    pub(super) const fn example(mut self, expression: &'static str, result: &'static str) -> Self {
        self.example = Example { expression, result };
        self
    }

    pub(super) const fn needing(mut self, needs: Needs) -> Self {
        self.needs = needs;
        self
    }

    pub(super) const fn taking_absent(mut self) -> Self {
        self.takes_absent = true;
        self
    }

    /// The parameter that takes the argument at `index`, `None` when there is one argument too many.
    #[must_use]
    pub fn parameter(&self, index: usize) -> Option<&'static Parameter> {
        let last = self.parameters.last().filter(|last| last.occurs == Occurs::Repeated);
        self.parameters.get(index).or(last)
    }

    /// Fewest arguments.
    #[must_use]
    pub fn argument_count_min(&self) -> usize {
        self.parameters.iter().filter(|parameter| parameter.occurs == Occurs::Once).count()
    }
}

/// The kinds that a parameter takes, with the conversions that are silent.
pub(crate) fn accepted(parameter: Kinds) -> Kinds {
    let mut kinds = parameter;
    if parameter.contains(Kinds::TEXT) {
        kinds |= Kinds::INTEGER;
    }
    if parameter == Kinds::LIST {
        kinds |= Kinds::SCALAR;
    }
    kinds
}

/// Standard CEL functions, as functions or methods, and what they are called here.
pub(crate) const ALIASES: [(&str, &str); 8] = [
    ("size", "Length"),
    ("contains", "Contains"),
    ("startsWith", "StartsWith"),
    ("endsWith", "EndsWith"),
    ("matches", "RegexMatch"),
    ("string", "ToText"),
    ("int", "ToInteger"),
    ("bool", "ToBoolean"),
];

static TABLE: LazyLock<Vec<FunctionDoc>> = LazyLock::new(|| {
    [
        logic::FUNCTIONS,
        text::FUNCTIONS,
        letters::FUNCTIONS,
        regexes::FUNCTIONS,
        lists::FUNCTIONS,
        dates::FUNCTIONS,
        convert::FUNCTIONS,
        encode::FUNCTIONS,
        directory::FUNCTIONS,
        phone::FUNCTIONS,
        bits::FUNCTIONS,
        names::FUNCTIONS,
        password::FUNCTIONS,
    ]
    .concat()
});

static BY_NAME: LazyLock<HashMap<&'static str, &'static FunctionDoc>> =
    LazyLock::new(|| library().iter().map(|function| (function.name, function)).collect());

/// Every function, by family.
pub fn library() -> &'static [FunctionDoc] {
    &TABLE
}

/// The function of that exact name.
pub(crate) fn find(name: &str) -> Option<&'static FunctionDoc> {
    BY_NAME.get(name).copied()
}

//! The walk itself.
//!
//! Absent is carried through: a function given nothing gives nothing, a condition that is absent is false, a list
//! leaves it out. The stack of arguments is one vector for the whole walk.

use std::sync::Arc;

use identitymesh_model::Values;

use super::operators;
use super::trace::Notes;
use crate::bounds::{LIST_COUNT_MAX, PATTERN_STEP_FACTOR, STEP_BYTES, STEPS_MAX};
use crate::data::Data;
use crate::environment::{Expected, Kinds};
use crate::errors::{EvalError, Fault, Position};
use crate::library::{self, Call, FunctionDoc, Occurs, PatternCache, Prepared, Run};
use crate::program::Program;
use crate::scope::Scope;
use crate::tree::{Loop, LoopKind, Node, Step};

/// Evaluates programs; one for each thread, used again for every object.
///
/// It keeps patterns that expressions make at run time compiled, and nothing else: no evaluation can change the
/// result of another.
#[derive(Debug, Default)]
pub struct Evaluator {
    pub(super) patterns: PatternCache,
}

impl Evaluator {
    /// A fresh evaluator.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// What the program gives for the scope, `None` when that is absent.
    ///
    /// # Errors
    /// [`EvalError`] with the place in the expression and what happened there; a finding on the object.
    pub fn evaluate(&mut self, program: &Program, scope: &Scope<'_>) -> Result<Option<Values>, EvalError> {
        let root = program.root();
        // A plain attribute is the most frequent transform of all: handed on as it is, form and all.
        if let (Step::Read { namespace, name, as_list: false }, Expected::Value) =
            (&root.step, program.expected())
        {
            return Ok(scope.read_values(*namespace, *name));
        }
        let data = Machine::new(scope, &mut self.patterns).run(program)?;
        finish(program, data)
    }

    /// Whether the program, a condition, holds for the scope; absent is false.
    ///
    /// # Errors
    /// As [`Self::evaluate`], and when the result is neither true nor false.
    pub fn test(&mut self, program: &Program, scope: &Scope<'_>) -> Result<bool, EvalError> {
        let data = Machine::new(scope, &mut self.patterns).run(program)?;
        let root = program.root();
        operators::truth(&data, "the condition")
            .map_err(|fault| failed(program, Failure { at: root.at, inside: root.step.label(), fault }))
    }
}

/// The result in the form that the program's rule needs.
pub(super) fn finish(program: &Program, data: Data<'_>) -> Result<Option<Values>, EvalError> {
    let root = program.root();
    let fits = match program.expected() {
        Expected::Value => None,
        Expected::Condition => Some(Kinds::BOOLEAN),
        Expected::Text => Some(Kinds::TEXT | Kinds::INTEGER),
    };
    let wrong = |fault| failed(program, Failure { at: root.at, inside: root.step.label(), fault });
    match (data, fits) {
        (Data::Absent, _) => Ok(None),
        (data, Some(kinds)) if !kinds.contains(data.kind()) => {
            Err(wrong(Fault::Result { expected: kinds.to_string(), found: data.kind() }))
        }
        (Data::Integer(number), _) if program.expected() == Expected::Text => {
            Ok(Some(number.to_string().as_str().into()))
        }
        (data, _) => data.into_values().map_err(wrong),
    }
}

fn failed(program: &Program, failure: Failure) -> EvalError {
    let at = Position::of(program.text(), failure.at as usize);
    EvalError { at, inside: failure.inside, fault: failure.fault }
}

#[derive(Debug)]
struct Failure {
    at: u32,
    inside: &'static str,
    fault: Fault,
}

/// Boxed, so that the way without errors moves few bytes.
type Outcome<T> = Result<T, Box<Failure>>;

pub(super) struct Machine<'m, 'a> {
    scope: &'a Scope<'a>,
    patterns: &'m mut PatternCache,
    steps: u64,
    locals: Vec<Data<'a>>,
    stack: Vec<Data<'a>>,
    /// Where intermediate values are noted, when somebody wants to see them.
    pub(super) notes: Option<Notes<'a>>,
}

fn at(node: &Node) -> impl FnOnce(Fault) -> Box<Failure> + '_ {
    move |fault| Box::new(Failure { at: node.at, inside: node.step.label(), fault })
}

impl<'m, 'a> Machine<'m, 'a> {
    pub(super) fn new(scope: &'a Scope<'a>, patterns: &'m mut PatternCache) -> Self {
        Self { scope, patterns, steps: 0, locals: Vec::new(), stack: Vec::new(), notes: None }
    }

    pub(super) fn run(&mut self, program: &'a Program) -> Result<Data<'a>, EvalError> {
        self.node(program.root()).map_err(|failure| failed(program, *failure))
    }

    fn spend(&mut self, steps: u64) -> Result<(), Fault> {
        self.steps = self.steps.saturating_add(steps);
        if self.steps > STEPS_MAX { Err(Fault::Cost) } else { Ok(()) }
    }

    fn node(&mut self, node: &'a Node) -> Outcome<Data<'a>> {
        let data = self.step(node)?;
        if let Some(notes) = &mut self.notes {
            notes.take(node, &data);
        }
        Ok(data)
    }

    fn step(&mut self, node: &'a Node) -> Outcome<Data<'a>> {
        self.spend(1).map_err(at(node))?;
        match &node.step {
            Step::Constant(data) => Ok(data.borrowed()),
            Step::Read { namespace, name, as_list } => {
                let values = self.scope.read(*namespace, *name);
                self.spend(values.len() as u64).map_err(at(node))?;
                Ok(match (values, as_list) {
                    (values, true) => Data::list_of(values),
                    ([], false) => Data::Absent,
                    (values, false) => Data::from_values(values),
                })
            }
            Step::Local(index) => {
                let data = self.locals[*index].clone();
                self.spend(data.copied() / STEP_BYTES as u64).map_err(at(node))?;
                Ok(data)
            }
            Step::Has(value) => {
                let value = self.node(value)?;
                Ok(Data::Boolean(!operators::is_nothing(&value)))
            }
            Step::Not(operand) => Ok(Data::Boolean(!self.truth(operand, "the operand of !")?)),
            Step::And(operands) => {
                for operand in operands {
                    if !self.truth(operand, "an operand of &&")? {
                        return Ok(Data::Boolean(false));
                    }
                }
                Ok(Data::Boolean(true))
            }
            Step::Or(operands) => {
                for operand in operands {
                    if self.truth(operand, "an operand of ||")? {
                        return Ok(Data::Boolean(true));
                    }
                }
                Ok(Data::Boolean(false))
            }
            Step::If(parts) => {
                let [condition, then, otherwise] = &**parts;
                if self.truth(condition, "the condition")? { self.node(then) } else { self.node(otherwise) }
            }
            Step::Coalesce { candidates, skip_empty } => self.coalesce(candidates, *skip_empty),
            Step::Switch { value, cases, default } => self.switch(value, cases, default.as_deref()),
            Step::Loop(each) => self.each(node, each),
            Step::Call { function, arguments, prepared } => {
                self.call(node, function, arguments, prepared.as_ref())
            }
            _ => self.operator(node),
        }
    }

    fn operator(&mut self, node: &'a Node) -> Outcome<Data<'a>> {
        match &node.step {
            Step::Equal { pair, negated } => {
                let (a, b) = self.pair(node, pair)?;
                Ok(Data::Boolean(a.same_as(&b) != *negated))
            }
            Step::Compare { pair, operator } => {
                let (a, b) = self.pair(node, pair)?;
                operators::compare(&a, &b, *operator).map_err(at(node))
            }
            Step::Arithmetic { pair, operator } => {
                let (a, b) = self.pair(node, pair)?;
                operators::arithmetic(&a, &b, *operator).map_err(at(node))
            }
            Step::In(pair) => {
                let (item, list) = self.pair(node, pair)?;
                Ok(Data::Boolean(operators::is_in(&item, &list)))
            }
            Step::Index(pair) => {
                let (value, key) = self.pair(node, pair)?;
                let found = operators::index(&value, &key).map_err(at(node))?;
                self.spend(found.copied() / STEP_BYTES as u64).map_err(at(node))?;
                Ok(found)
            }
            Step::Add(operands) => {
                let operands = self.all(operands)?;
                self.spend(cost(&operands)).map_err(at(node))?;
                operators::sum(operands).map_err(at(node))
            }
            Step::List(items) => Ok(Data::list(self.all(items)?)),
            Step::Map(pairs) => {
                let mut entries = Vec::with_capacity(pairs.len());
                for (key, value) in pairs {
                    entries.push((self.node(key)?, self.node(value)?));
                }
                entries.sort_by(|(a, _), (b, _)| a.cmp(b));
                entries.dedup_by(|(a, _), (b, _)| a == b);
                Ok(Data::Map(Arc::new(entries)))
            }
            _ => unreachable!("the other steps are taken by the caller"),
        }
    }

    fn all(&mut self, nodes: &'a [Node]) -> Outcome<Vec<Data<'a>>> {
        nodes.iter().map(|node| self.node(node)).collect()
    }

    fn pair(&mut self, node: &'a Node, pair: &'a [Node; 2]) -> Outcome<(Data<'a>, Data<'a>)> {
        let (a, b) = (self.node(&pair[0])?, self.node(&pair[1])?);
        self.spend(cost([&a, &b])).map_err(at(node))?;
        Ok((a, b))
    }

    fn truth(&mut self, node: &'a Node, place: &'static str) -> Outcome<bool> {
        let data = self.node(node)?;
        operators::truth(&data, place).map_err(at(node))
    }

    fn coalesce(&mut self, candidates: &'a [Node], skip_empty: bool) -> Outcome<Data<'a>> {
        for candidate in candidates {
            let data = self.node(candidate)?;
            let blank = skip_empty && data.as_text().is_some_and(|text| text.trim().is_empty());
            if !blank && !operators::is_nothing(&data) {
                return Ok(data);
            }
        }
        Ok(Data::Absent)
    }

    fn switch(
        &mut self,
        value: &'a Node,
        cases: &'a [(Node, Node)],
        default: Option<&'a Node>,
    ) -> Outcome<Data<'a>> {
        let value = self.node(value)?;
        for (case, result) in cases {
            let tried = self.node(case)?;
            self.spend(cost([&value, &tried])).map_err(at(case))?;
            if tried.same_as(&value) {
                return self.node(result);
            }
        }
        default.map_or(Ok(Data::Absent), |default| self.node(default))
    }

    fn each(&mut self, node: &'a Node, each: &'a Loop) -> Outcome<Data<'a>> {
        let items = match self.node(&each.list)? {
            Data::List(items) => items,
            Data::Absent => Arc::default(),
            Data::Map(_) => {
                let (expected, found) = (Kinds::LIST, Kinds::MAP);
                let place = "what is walked".to_owned();
                return Err(at(node)(Fault::Kind { place, expected, found, hint: "" }));
            }
            single => Arc::new(vec![single]),
        };
        let (mut made, mut holds) = (Vec::new(), 0_usize);
        for item in items.iter() {
            self.locals.push(item.clone());
            let outcome = self.turn(each, item);
            self.locals.pop();
            match (each.kind, outcome?) {
                (LoopKind::All, Turn::Fails) => return Ok(Data::Boolean(false)),
                (LoopKind::Exists, Turn::Holds) => return Ok(Data::Boolean(true)),
                (LoopKind::ExistsOne, Turn::Holds) => holds += 1,
                (_, Turn::Gives(data)) => made.push(data),
                _ => {}
            }
            if made.len() > LIST_COUNT_MAX {
                return Err(at(node)(Fault::list_too_large()));
            }
        }
        Ok(match each.kind {
            LoopKind::All => Data::Boolean(true),
            LoopKind::Exists => Data::Boolean(false),
            LoopKind::ExistsOne => Data::Boolean(holds == 1),
            LoopKind::Map | LoopKind::Filter => Data::list(made),
        })
    }

    fn turn(&mut self, each: &'a Loop, item: &Data<'a>) -> Outcome<Turn<'a>> {
        if each.kind == LoopKind::Map {
            if let Some(guard) = &each.guard
                && !self.truth(guard, "the condition of map")?
            {
                return Ok(Turn::Fails);
            }
            return self.node(&each.body).map(Turn::Gives);
        }
        Ok(match (self.truth(&each.body, "the condition")?, each.kind) {
            (true, LoopKind::Filter) => Turn::Gives(item.clone()),
            (true, _) => Turn::Holds,
            (false, _) => Turn::Fails,
        })
    }

    fn call(
        &mut self,
        node: &'a Node,
        function: &'static FunctionDoc,
        arguments: &'a [Node],
        prepared: Option<&'a Prepared>,
    ) -> Outcome<Data<'a>> {
        let base = self.stack.len();
        for argument in arguments {
            let data = self.node(argument)?;
            self.stack.push(data);
        }
        let outcome = self.call_with(base, function, prepared);
        self.stack.truncate(base);
        outcome.map_err(at(node))
    }

    /// Calls the function with what lies on the stack from `base` on.
    fn call_with(
        &mut self,
        base: usize,
        function: &'static FunctionDoc,
        prepared: Option<&'a Prepared>,
    ) -> Result<Data<'a>, Fault> {
        let (body, factor) = match function.run {
            Run::Body(body) | Run::DatePattern(body) => (body, 1),
            Run::Pattern(body) => (body, PATTERN_STEP_FACTOR),
            Run::Form(_) => unreachable!("forms are compiled to their own steps"),
        };
        if !check_arguments(function, &self.stack[base..])? {
            return Ok(Data::Absent);
        }
        let steps = cost(&self.stack[base..]).saturating_mul(factor);
        self.spend(steps)?;
        let arguments = &mut self.stack[base..];
        let mut call = Call { arguments, scope: self.scope, prepared, patterns: self.patterns };
        let result = body(&mut call).and_then(library::bounded)?;
        self.spend(cost([&result]))?;
        Ok(result)
    }
}

enum Turn<'a> {
    Holds,
    Fails,
    Gives(Data<'a>),
}

/// Steps that handing these values on costs.
fn cost<'d, 'a: 'd>(values: impl IntoIterator<Item = &'d Data<'a>>) -> u64 {
    let bytes: usize = values.into_iter().map(Data::weight).sum();
    (bytes / STEP_BYTES) as u64
}

/// Whether the function is to be called at all: not when a required argument is absent, unless it copes with that.
fn check_arguments(function: &'static FunctionDoc, arguments: &[Data<'_>]) -> Result<bool, Fault> {
    let mut complete = true;
    for (index, argument) in arguments.iter().enumerate() {
        let Some(parameter) = function.parameter(index) else { continue };
        let kind = argument.kind();
        if kind.is_empty() {
            complete &= function.takes_absent || parameter.occurs != Occurs::Once;
        } else if !library::accepted(parameter.kinds).contains(kind) {
            return Err(Fault::Kind {
                place: format!("the {} of {}", parameter.name, function.name),
                expected: parameter.kinds,
                found: kind,
                hint: parameter.kinds.conversion_from(kind),
            });
        }
    }
    Ok(complete)
}

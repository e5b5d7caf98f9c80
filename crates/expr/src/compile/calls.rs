//! Calls of functions: names, number and kinds of arguments, and the forms that are no plain calls.
//!
//! Patterns that are written out are compiled here, so that a broken one is found when the rule is saved.

use cel::common::ast::{CallExpr, Expr, IdedExpr, LiteralValue};

use super::lower::Lowering;
use super::suggest;
use crate::data::Data;
use crate::environment::{Kinds, Needs};
use crate::errors::ProblemKind;
use crate::library::{self, ALIASES, Form, FunctionDoc, Occurs, Prepared, Run};
use crate::tree::{Node, Step};

impl Lowering<'_> {
    pub(super) fn call(&mut self, at: u32, call: &CallExpr) -> (Step, Kinds) {
        if call.target.is_none()
            && let Some(lowered) = self.operator(at, call)
        {
            return lowered;
        }
        if let Some(target) = &call.target
            && let Some(lowered) = self.each(at, call, target)
        {
            return lowered;
        }
        let name = call.func_name.as_str();
        let alias = ALIASES.iter().find(|(standard, _)| *standard == name).map(|(_, ours)| *ours);
        let Some(function) = library::find(alias.unwrap_or(name)) else {
            let hint = suggest::hint(name, library::library().iter().map(|function| function.name));
            return self.problem(at, ProblemKind::UnknownFunction { name: name.to_owned(), hint });
        };
        if call.target.is_some() && alias.is_none() {
            let hint = format!("; it is called as {}", function.signature);
            let name = format!("….{name}");
            return self.problem(at, ProblemKind::UnknownFunction { name, hint });
        }
        let arguments: Vec<&IdedExpr> =
            call.target.iter().map(|target| &**target).chain(&call.args).collect();
        if let Some(kind) = wrong_count(function, arguments.len()) {
            return self.problem(at, kind);
        }
        let forbidden = function.needs - self.environment.allowed - Needs::TODAY;
        if !forbidden.is_empty() {
            return self.problem(at, ProblemKind::NotAllowed { function: function.name, needs: forbidden });
        }
        self.needs |= function.needs;
        match function.run {
            Run::Form(form) => self.form(at, form, function, &arguments),
            _ => self.plain_call(at, function, &arguments),
        }
    }

    fn plain_call(
        &mut self,
        at: u32,
        function: &'static FunctionDoc,
        arguments: &[&IdedExpr],
    ) -> (Step, Kinds) {
        let copes = matches!(function.name, "Count");
        let lower = |this: &mut Self, tree| if copes { this.coping(tree) } else { this.node(tree) };
        let nodes: Vec<Node> = arguments.iter().map(|tree| lower(self, tree)).collect();
        for (index, node) in nodes.iter().enumerate() {
            self.check_argument(function, index, node);
        }
        let prepared = match (&function.run, nodes.get(1).map(|node| &node.step)) {
            (Run::Pattern(_), Some(Step::Constant(Data::Text(text)))) => {
                Some(library::compile_pattern(text).map(Prepared::Regex))
            }
            (Run::DatePattern(_), Some(Step::Constant(Data::Text(text)))) => {
                Some(library::prepare_date(text).map(Prepared::DatePattern))
            }
            _ => None,
        };
        match prepared.transpose() {
            Ok(prepared) => (Step::Call { function, arguments: nodes, prepared }, function.result),
            Err(detail) => self.problem(at, ProblemKind::Pattern { function: function.name, detail }),
        }
    }

    fn check_argument(&mut self, function: &'static FunctionDoc, index: usize, node: &Node) {
        let Some(parameter) = function.parameter(index) else { return };
        let place = || format!("the {} of {}", parameter.name, function.name);
        let hint = parameter.kinds.conversion_from(node.kinds);
        self.expect_hinted(node, library::accepted(parameter.kinds), place, hint);
    }

    fn form(
        &mut self,
        at: u32,
        form: Form,
        function: &'static FunctionDoc,
        trees: &[&IdedExpr],
    ) -> (Step, Kinds) {
        match (form, trees) {
            (Form::Has, [value]) => {
                let value = self.coping(value);
                self.check_argument(function, 0, &value);
                (Step::Has(Box::new(value)), Kinds::BOOLEAN)
            }
            (Form::Attribute, [name]) => match literal(name) {
                Some(name) => self.read(at, self.environment.bare, name, false),
                None => self.problem(at, ProblemKind::NotLiteral { function: function.name }),
            },
            (Form::AllValues, [attribute]) => self.all_values(at, function, attribute),
            (Form::If, [condition, then, otherwise]) => self.choice(condition, then, otherwise),
            (Form::Switch, _) => self.switch(function, trees),
            (Form::Coalesce | Form::IfEmpty, _) => {
                let candidates: Vec<Node> = trees.iter().map(|tree| self.coping(tree)).collect();
                for (index, node) in candidates.iter().enumerate() {
                    self.check_argument(function, index, node);
                }
                let kinds = candidates.iter().fold(Kinds::empty(), |kinds, node| kinds | node.kinds);
                (Step::Coalesce { candidates, skip_empty: form == Form::IfEmpty }, kinds)
            }
            // The number of arguments is checked against the table before.
            (Form::Has | Form::Attribute | Form::AllValues | Form::If, _) => {
                unreachable!("the table gives {} a fixed number of arguments", function.name)
            }
        }
    }

    /// `all("name")`, and `all(mesh.name)` for the other side.
    fn all_values(&mut self, at: u32, function: &'static FunctionDoc, tree: &IdedExpr) -> (Step, Kinds) {
        if let Some(name) = literal(tree) {
            return self.read(at, self.environment.bare, name, true);
        }
        let before = self.problems.len();
        match self.coping(tree).step {
            Step::Read { namespace, name, .. } => {
                (Step::Read { namespace, name, as_list: true }, Kinds::LIST)
            }
            // What is wrong inside has been said already.
            _ if self.problems.len() > before => (Step::Constant(Data::Absent), Kinds::empty()),
            _ => self.problem(at, ProblemKind::NotLiteral { function: function.name }),
        }
    }

    fn switch(&mut self, function: &'static FunctionDoc, trees: &[&IdedExpr]) -> (Step, Kinds) {
        let nodes: Vec<Node> = trees.iter().map(|tree| self.node(tree)).collect();
        for (index, node) in nodes.iter().enumerate() {
            self.check_argument(function, index, node);
        }
        let mut nodes = nodes.into_iter();
        let value = Box::new(nodes.next().expect("the table asks for a value"));
        let (mut cases, mut default, mut kinds) = (Vec::new(), None, Kinds::empty());
        while let Some(first) = nodes.next() {
            match nodes.next() {
                Some(result) => {
                    kinds |= result.kinds;
                    cases.push((first, result));
                }
                None => {
                    kinds |= first.kinds;
                    default = Some(Box::new(first));
                }
            }
        }
        (Step::Switch { value, cases, default }, kinds)
    }
}

fn literal(tree: &IdedExpr) -> Option<&str> {
    match &tree.expr {
        Expr::Literal(LiteralValue::String(text)) => Some(text.inner()),
        _ => None,
    }
}

fn wrong_count(function: &'static FunctionDoc, found: usize) -> Option<ProblemKind> {
    let min = function.argument_count_min();
    let max = function.parameters.len();
    let repeats = function.parameters.last().is_some_and(|last| last.occurs == Occurs::Repeated);
    if found >= min && (repeats || found <= max) {
        return None;
    }
    let expected = match (repeats, min, max) {
        (true, 1, _) => "at least 1 argument".to_owned(),
        (true, _, _) => format!("at least {min} arguments"),
        (false, 0, 0) => "no argument".to_owned(),
        (false, 1, 1) => "1 argument".to_owned(),
        (false, min, max) if min == max => format!("{min} arguments"),
        (false, min, max) => format!("{min} or {max} arguments"),
    };
    Some(ProblemKind::ArgumentCount {
        function: function.name,
        expected,
        found,
        signature: function.signature,
    })
}

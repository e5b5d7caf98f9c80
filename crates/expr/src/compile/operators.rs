//! Operators, loops, and the checks of kinds.
//!
//! Chains of the same operator become one node. Where both sides of a comparison are known and can never be of one
//! kind, the expression is refused: such a comparison is always false and always a mistake.

use cel::common::ast::{CallExpr, Expr, IdedExpr, LiteralValue, operators};

use super::lower::Lowering;
use crate::data::Data;
use crate::environment::Kinds;
use crate::errors::ProblemKind;
use crate::tree::{Arithmetic, Compare, Loop, LoopKind, Node, Step};

const ORDERED: Kinds = Kinds::TEXT.union(Kinds::INTEGER).union(Kinds::DATE).union(Kinds::BOOLEAN);

impl Lowering<'_> {
    /// The operator that `call` is, if it is one.
    pub(super) fn operator(&mut self, at: u32, call: &CallExpr) -> Option<(Step, Kinds)> {
        let boolean = |step| Some((step, Kinds::BOOLEAN));
        let arguments = call.args.as_slice();
        match (call.func_name.as_str(), arguments) {
            (operators::LOGICAL_AND, _) => boolean(Step::And(self.conditions(call, "an operand of &&"))),
            (operators::LOGICAL_OR, _) => boolean(Step::Or(self.conditions(call, "an operand of ||"))),
            (operators::LOGICAL_NOT, [operand]) => {
                let operand = self.condition(operand, "the operand of !");
                boolean(Step::Not(Box::new(operand)))
            }
            (operators::CONDITIONAL, [condition, then, otherwise]) => {
                Some(self.choice(condition, then, otherwise))
            }
            (operators::EQUALS, [a, b]) => boolean(self.equality(at, a, b, false)),
            (operators::NOT_EQUALS, [a, b]) => boolean(self.equality(at, a, b, true)),
            (operators::LESS, [a, b]) => boolean(self.comparison(at, a, b, Compare::Less)),
            (operators::LESS_EQUALS, [a, b]) => boolean(self.comparison(at, a, b, Compare::LessEqual)),
            (operators::GREATER, [a, b]) => boolean(self.comparison(at, a, b, Compare::Greater)),
            (operators::GREATER_EQUALS, [a, b]) => boolean(self.comparison(at, a, b, Compare::GreaterEqual)),
            (operators::ADD, _) => Some(self.sum(call)),
            (operators::SUBSTRACT, [a, b]) => Some(self.arithmetic(a, b, Arithmetic::Subtract)),
            (operators::MULTIPLY, [a, b]) => Some(self.arithmetic(a, b, Arithmetic::Multiply)),
            (operators::DIVIDE, [a, b]) => Some(self.arithmetic(a, b, Arithmetic::Divide)),
            (operators::MODULO, [a, b]) => Some(self.arithmetic(a, b, Arithmetic::Remainder)),
            (operators::NEGATE, [operand]) => {
                let operand = self.node(operand);
                self.expect(&operand, Kinds::INTEGER, || "the operand of -".to_owned());
                let zero = Node { step: Step::Constant(Data::Integer(0)), at, kinds: Kinds::INTEGER };
                let pair = Box::new([zero, operand]);
                Some((Step::Arithmetic { pair, operator: Arithmetic::Subtract }, Kinds::INTEGER))
            }
            (operators::IN, [item, list]) => {
                let pair = [self.node(item), self.node(list)];
                let kinds = Kinds::LIST | Kinds::MAP | Kinds::SCALAR;
                self.expect(&pair[1], kinds, || "the right side of in".to_owned());
                boolean(Step::In(Box::new(pair)))
            }
            (operators::INDEX, [value, key]) => Some(self.index(at, value, key)),
            _ => None,
        }
    }

    fn index(&mut self, at: u32, value: &IdedExpr, key: &IdedExpr) -> (Step, Kinds) {
        if let Some(namespace) = self.side(value)
            && let Expr::Literal(LiteralValue::String(name)) = &key.expr
        {
            return self.read(at, namespace, name.inner(), false);
        }
        let pair = [self.node(value), self.node(key)];
        self.expect(&pair[0], Kinds::LIST | Kinds::MAP, || "what is indexed".to_owned());
        (Step::Index(Box::new(pair)), Kinds::ANY)
    }

    /// The operands of a chain of one operator, however the parser has nested them.
    fn conditions(&mut self, call: &CallExpr, place: &str) -> Vec<Node> {
        let mut operands = Vec::new();
        flatten(call, &mut operands);
        operands.into_iter().map(|operand| self.condition(operand, place)).collect()
    }

    pub(super) fn condition(&mut self, tree: &IdedExpr, place: &str) -> Node {
        let node = self.node(tree);
        self.expect_condition(&node, place);
        node
    }

    pub(super) fn choice(
        &mut self,
        condition: &IdedExpr,
        then: &IdedExpr,
        otherwise: &IdedExpr,
    ) -> (Step, Kinds) {
        let condition = self.condition(condition, "the condition");
        let (then, otherwise) = (self.node(then), self.node(otherwise));
        let kinds = then.kinds | otherwise.kinds;
        (Step::If(Box::new([condition, then, otherwise])), kinds)
    }

    fn equality(&mut self, at: u32, a: &IdedExpr, b: &IdedExpr, negated: bool) -> Step {
        let null = |tree: &IdedExpr| matches!(tree.expr, Expr::Literal(LiteralValue::Null));
        // Asking whether something is null is coping with its absence.
        let pair =
            if null(a) || null(b) { [self.coping(a), self.coping(b)] } else { [self.node(a), self.node(b)] };
        self.expect_comparable(at, &pair, Kinds::all());
        Step::Equal { pair: Box::new(pair), negated }
    }

    fn comparison(&mut self, at: u32, a: &IdedExpr, b: &IdedExpr, operator: Compare) -> Step {
        let pair = [self.node(a), self.node(b)];
        self.expect_comparable(at, &pair, ORDERED);
        Step::Compare { pair: Box::new(pair), operator }
    }

    fn expect_comparable(&mut self, at: u32, pair: &[Node; 2], among: Kinds) {
        let [left, right] = [pair[0].kinds, pair[1].kinds];
        if left.is_empty() || right.is_empty() || !(left & right & among).is_empty() {
            return;
        }
        let hint = left.conversion_from(right);
        let expected = if (left & among).is_empty() { among } else { left };
        let kind = ProblemKind::WrongKind {
            place: "the right side of the comparison".to_owned(),
            expected: expected.to_string(),
            found: right,
            hint: hint.to_owned(),
        };
        self.problem(at, kind);
    }

    fn sum(&mut self, call: &CallExpr) -> (Step, Kinds) {
        let mut operands = Vec::new();
        flatten(call, &mut operands);
        let nodes: Vec<Node> = operands.into_iter().map(|operand| self.node(operand)).collect();
        let summable = Kinds::TEXT | Kinds::INTEGER | Kinds::LIST;
        for node in &nodes {
            self.expect(node, summable, || "an operand of +".to_owned());
        }
        let any = |kind| nodes.iter().any(|node| node.kinds.contains(kind));
        let mut kinds = Kinds::empty();
        kinds.set(Kinds::TEXT, any(Kinds::TEXT));
        kinds.set(Kinds::LIST, any(Kinds::LIST));
        kinds.set(Kinds::INTEGER, nodes.iter().all(|node| node.kinds.contains(Kinds::INTEGER)));
        (Step::Add(nodes), kinds)
    }

    fn arithmetic(&mut self, a: &IdedExpr, b: &IdedExpr, operator: Arithmetic) -> (Step, Kinds) {
        let pair = [self.node(a), self.node(b)];
        for node in &pair {
            self.expect(node, Kinds::INTEGER, || "an operand of arithmetic".to_owned());
        }
        (Step::Arithmetic { pair: Box::new(pair), operator }, Kinds::INTEGER)
    }

    /// `list.map(x, …)` and its kin, `None` when the call is none of them.
    pub(super) fn each(&mut self, at: u32, call: &CallExpr, target: &IdedExpr) -> Option<(Step, Kinds)> {
        let (kind, kinds) = match call.func_name.as_str() {
            "all" => (LoopKind::All, Kinds::BOOLEAN),
            "exists" => (LoopKind::Exists, Kinds::BOOLEAN),
            "exists_one" | "existsOne" => (LoopKind::ExistsOne, Kinds::BOOLEAN),
            "map" => (LoopKind::Map, Kinds::LIST),
            "filter" => (LoopKind::Filter, Kinds::LIST),
            _ => return None,
        };
        let (variable, guard, body) = match call.args.as_slice() {
            [variable, body] => (variable, None, body),
            [variable, guard, body] if kind == LoopKind::Map => (variable, Some(guard), body),
            _ => return None,
        };
        let Expr::Ident(variable) = &variable.expr else {
            let detail = format!("{} takes the name of a variable first, such as x", call.func_name);
            return Some(self.problem(at, ProblemKind::Syntax { detail }));
        };
        let list = self.coping(target);
        self.expect(&list, Kinds::ANY, || format!("what {} walks", call.func_name));
        self.locals.push(variable.clone());
        let guard = guard.map(|guard| self.condition(guard, "the condition of map"));
        let body =
            if kind == LoopKind::Map { self.node(body) } else { self.condition(body, "the condition") };
        self.locals.pop();
        Some((Step::Loop(Box::new(Loop { kind, list, guard, body })), kinds))
    }

    pub(super) fn expect_condition(&mut self, node: &Node, place: &str) {
        let hint = "; compare it, or use ToBoolean or has";
        self.expect_hinted(node, Kinds::BOOLEAN, || place.to_owned(), hint);
    }

    pub(super) fn expect(&mut self, node: &Node, kinds: Kinds, place: impl FnOnce() -> String) {
        self.expect_hinted(node, kinds, place, kinds.conversion_from(node.kinds));
    }

    /// Notes a problem when the node can never be of one of `kinds`; one of unknown kind may.
    pub(super) fn expect_hinted(
        &mut self,
        node: &Node,
        kinds: Kinds,
        place: impl FnOnce() -> String,
        hint: &str,
    ) {
        if !node.kinds.is_empty() && (node.kinds & kinds).is_empty() {
            let (expected, hint) = (kinds.to_string(), hint.to_owned());
            self.problem(
                node.at,
                ProblemKind::WrongKind { place: place(), expected, found: node.kinds, hint },
            );
        }
    }
}

fn flatten<'t>(call: &'t CallExpr, operands: &mut Vec<&'t IdedExpr>) {
    for argument in &call.args {
        match &argument.expr {
            Expr::Call(inner) if inner.func_name == call.func_name && inner.target.is_none() => {
                flatten(inner, operands);
            }
            _ => operands.push(argument),
        }
    }
}

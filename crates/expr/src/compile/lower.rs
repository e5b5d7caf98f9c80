//! One node of the library's tree becomes one of ours; identifiers become attributes, loop variables or sides.
//!
//! A loop variable hides an attribute of the same name, an attribute hides a side of the same name unless a dot
//! follows. A problem never stops the walk: the node in error becomes an absent constant of no known kind, so that
//! nothing is reported twice.

use std::collections::BTreeSet;

use cel::common::ast::{EntryExpr, Expr, IdedExpr, LiteralValue, SelectExpr, SourceInfo};
use identitymesh_model::Name;

use super::suggest;
use crate::data::Data;
use crate::environment::{Attributes, Environment, Kinds, Namespace, Needs};
use crate::errors::{Position, Problem, ProblemKind};
use crate::library;
use crate::tree::{Node, Step};

pub(super) struct Lowering<'e> {
    text: &'e str,
    pub(super) environment: &'e Environment,
    source: &'e SourceInfo,
    pub(super) locals: Vec<String>,
    pub(super) problems: Vec<Problem>,
    pub(super) reads: BTreeSet<(Namespace, Name)>,
    pub(super) plain_reads: BTreeSet<(Namespace, Name)>,
    /// How many enclosing forms cope with absence.
    coping: usize,
    pub(super) needs: Needs,
}

impl<'e> Lowering<'e> {
    pub(super) fn new(text: &'e str, environment: &'e Environment, source: &'e SourceInfo) -> Self {
        Self {
            text,
            environment,
            source,
            locals: Vec::new(),
            problems: Vec::new(),
            reads: BTreeSet::new(),
            plain_reads: BTreeSet::new(),
            coping: 0,
            needs: Needs::empty(),
        }
    }

    pub(super) fn node(&mut self, tree: &IdedExpr) -> Node {
        let at = self.offset(tree);
        let (step, kinds) = match &tree.expr {
            Expr::Literal(literal) => self.literal(at, literal),
            Expr::Ident(name) => self.identifier(at, name),
            Expr::Select(select) => self.select(at, select),
            Expr::Call(call) => self.call(at, call),
            Expr::List(list) => {
                let items: Vec<Node> = list.elements.iter().map(|item| self.node(item)).collect();
                (fold_list(items), Kinds::LIST)
            }
            Expr::Map(map) => self.table(at, map.entries.iter().map(|entry| &entry.expr)),
            Expr::Struct(_) => {
                self.unsupported(at, "a message such as Type{…}", "write a table as {'key': 'value'}")
            }
            Expr::Comprehension(_) | Expr::Unspecified => {
                self.problem(at, ProblemKind::Syntax { detail: "something is missing here".to_owned() })
            }
        };
        Node { step, at, kinds }
    }

    /// Lowers where an absent value is coped with, so that reads inside are not plain.
    pub(super) fn coping(&mut self, tree: &IdedExpr) -> Node {
        self.coping += 1;
        let node = self.node(tree);
        self.coping -= 1;
        node
    }

    fn offset(&self, tree: &IdedExpr) -> u32 {
        self.source.offset_for(tree.id).map_or(0, |(start, _)| start)
    }

    /// Notes a problem; what it gives stands in for the node.
    pub(super) fn problem(&mut self, at: u32, kind: ProblemKind) -> (Step, Kinds) {
        self.problems.push(Problem { at: Position::of(self.text, at as usize), kind });
        (Step::Constant(Data::Absent), Kinds::empty())
    }

    pub(super) fn unsupported(&mut self, at: u32, what: &str, instead: &str) -> (Step, Kinds) {
        self.problem(at, ProblemKind::Unsupported { what: what.to_owned(), instead: instead.to_owned() })
    }

    fn literal(&mut self, at: u32, literal: &LiteralValue) -> (Step, Kinds) {
        let data = match literal {
            LiteralValue::Boolean(truth) => Data::Boolean(*truth.inner()),
            LiteralValue::Int(number) => Data::Integer(*number.inner()),
            LiteralValue::String(text) => Data::text(text.inner().to_owned()),
            LiteralValue::Bytes(bytes) => Data::Binary(bytes.inner().to_vec().into()),
            LiteralValue::Null => Data::Absent,
            LiteralValue::Double(_) => {
                return self.unsupported(at, "a number with a fraction", "values are integers or text");
            }
            LiteralValue::UInt(_) => {
                return self.unsupported(at, "an unsigned number", "write it without the u");
            }
        };
        let kinds = data.kind();
        (Step::Constant(data), kinds)
    }

    fn identifier(&mut self, at: u32, name: &str) -> (Step, Kinds) {
        if let Some(index) = self.locals.iter().rposition(|local| local == name) {
            return (Step::Local(index), Kinds::ANY);
        }
        if name.starts_with('.') {
            return self.unsupported(at, "a name that starts with a dot", "write the name alone");
        }
        if library::find(name).is_some() {
            let hint = format!("; {name} is a function, call it as {name}(…)");
            let namespace = self.environment.bare;
            return self
                .problem(at, ProblemKind::UnknownAttribute { namespace, name: name.to_owned(), hint });
        }
        self.read(at, self.environment.bare, name, false)
    }

    /// Reads an attribute, `as_list` for all values whatever their number.
    pub(super) fn read(
        &mut self,
        at: u32,
        namespace: Namespace,
        written: &str,
        as_list: bool,
    ) -> (Step, Kinds) {
        let Some(attributes) = self.environment.attributes(namespace) else {
            return self.no_namespace(at, namespace);
        };
        let found = Name::new(written).ok().and_then(|name| Some((name, attributes.kinds(name)?)));
        let Some((name, kinds)) = found else {
            let hint = match attributes {
                Attributes::Any => String::new(),
                Attributes::Known(known) => suggest::hint(written, known.keys().map(|name| name.as_str())),
            };
            let name = written.to_owned();
            return self.problem(at, ProblemKind::UnknownAttribute { namespace, name, hint });
        };
        self.reads.insert((namespace, name));
        if self.coping == 0 && !as_list {
            self.plain_reads.insert((namespace, name));
        }
        (Step::Read { namespace, name, as_list }, if as_list { Kinds::LIST } else { kinds })
    }

    fn no_namespace(&mut self, at: u32, namespace: Namespace) -> (Step, Kinds) {
        let exists = |side: &Namespace| self.environment.attributes(*side).is_some();
        let words: Vec<&str> = Namespace::ALL.into_iter().filter(exists).map(Namespace::word).collect();
        self.problem(at, ProblemKind::NoNamespace { namespace, available: words.join(" and ") })
    }

    /// The side that `tree` names, when a dot follows it.
    pub(super) fn side(&self, tree: &IdedExpr) -> Option<Namespace> {
        let Expr::Ident(word) = &tree.expr else { return None };
        if self.locals.contains(word) {
            return None;
        }
        Namespace::ALL.into_iter().find(|side| side.word() == word)
    }

    fn select(&mut self, at: u32, select: &SelectExpr) -> (Step, Kinds) {
        if let Some(namespace) = self.side(&select.operand) {
            return self.read(self.offset(&select.operand), namespace, &select.field, false);
        }
        let operand = self.node(&select.operand);
        let hint = "; only source, mesh, connector and tables have members";
        self.expect_hinted(&operand, Kinds::MAP, || format!("what has the member {:?}", select.field), hint);
        let key = Node { step: Step::Constant(Data::text(select.field.clone())), at, kinds: Kinds::TEXT };
        (Step::Index(Box::new([operand, key])), Kinds::ANY)
    }

    fn table<'t>(&mut self, at: u32, entries: impl Iterator<Item = &'t EntryExpr>) -> (Step, Kinds) {
        let mut pairs = Vec::new();
        for entry in entries {
            if let EntryExpr::MapEntry(entry) = entry {
                pairs.push((self.node(&entry.key), self.node(&entry.value)));
            }
        }
        let constant = |(key, value): &(Node, Node)| match (&key.step, &value.step) {
            (Step::Constant(key), Step::Constant(value)) => Some((key.clone(), value.clone())),
            _ => None,
        };
        let Some(mut folded) = pairs.iter().map(constant).collect::<Option<Vec<_>>>() else {
            return (Step::Map(pairs), Kinds::MAP);
        };
        folded.sort_by(|(a, _), (b, _)| a.cmp(b));
        if let Some(twice) = folded.windows(2).find(|pair| pair[0].0 == pair[1].0) {
            let detail = format!("the table has the key {:?} twice", twice[0].0.as_text().unwrap_or("…"));
            return self.problem(at, ProblemKind::Syntax { detail });
        }
        (Step::Constant(Data::Map(folded.into())), Kinds::MAP)
    }
}

/// A list of constants is made once.
fn fold_list(items: Vec<Node>) -> Step {
    let constant = |node: &Node| match &node.step {
        Step::Constant(data) => Some(data.clone()),
        _ => None,
    };
    match items.iter().map(constant).collect::<Option<Vec<_>>>() {
        Some(constants) => Step::Constant(Data::list(constants)),
        None => Step::List(items),
    }
}

//! An expression of a rule, compiled: most are a plain attribute, which needs no evaluator.

use identitymesh_expr::{Environment, Evaluator, Needs, Program, Scope, missing_input};
use identitymesh_model::rules::Missing;
use identitymesh_model::{Name, Object, Values};

use super::problem::RuleProblem;

/// A plain attribute or a program.
#[derive(Clone, Debug)]
pub(crate) enum Expression {
    /// The attribute as it is.
    Plain(Name),
    /// Everything else.
    Program(Program),
}

/// Why an expression gave nothing that could be used.
#[derive(Debug)]
pub(crate) enum Gave {
    /// It failed, and here is why.
    Failed(String),
    /// An attribute that it reads is absent, and the rule wants that said.
    Missing(Name),
    /// An attribute that it reads is absent, and the rule wants the whole object left alone.
    MissingFatal(Name),
}

impl Expression {
    /// Compiles `text`; a text that is just one attribute's name becomes [`Expression::Plain`].
    pub(crate) fn compile(text: &str, environment: &Environment, path: &str) -> Result<Self, RuleProblem> {
        let program = Program::compile(text, environment)
            .map_err(|error| RuleProblem::new("ENG-001", path, error.to_string()))?;
        let plain = match program.reads() {
            [name] if text.trim() == name.as_str() => Some(*name),
            _ => None,
        };
        Ok(plain.map_or(Self::Program(program), Self::Plain))
    }

    /// What the program needs beyond the object.
    pub(crate) fn needs(&self) -> Needs {
        match self {
            Self::Plain(_) => Needs::empty(),
            Self::Program(program) => program.needs(),
        }
    }

    /// The attributes of the object at hand that it reads.
    pub(crate) fn reads(&self) -> &[Name] {
        match self {
            Self::Plain(name) => std::slice::from_ref(name),
            Self::Program(program) => program.reads(),
        }
    }

    /// Its text, for explanations.
    pub(crate) fn text(&self) -> &str {
        match self {
            Self::Plain(name) => name.as_str(),
            Self::Program(program) => program.text(),
        }
    }

    /// What it gives for `object`, which must be the object at hand of `scope`.
    pub(crate) fn give(
        &self,
        evaluator: &mut Evaluator,
        scope: &Scope<'_>,
        object: &Object,
        missing: Missing,
    ) -> Result<Option<Values>, Gave> {
        let program = match self {
            Self::Plain(name) => match (object.get(*name), missing) {
                (Some(values), _) => return Ok(Some(values.clone())),
                (None, Missing::Finding) => return Err(Gave::Missing(*name)),
                (None, Missing::FailObject) => return Err(Gave::MissingFatal(*name)),
                (None, Missing::Skip | Missing::Evaluate) => return Ok(None),
            },
            Self::Program(program) => program,
        };
        if missing != Missing::Evaluate
            && let Some(name) = missing_input(program, scope)
        {
            return match missing {
                Missing::Finding => Err(Gave::Missing(name)),
                Missing::FailObject => Err(Gave::MissingFatal(name)),
                Missing::Skip | Missing::Evaluate => Ok(None),
            };
        }
        evaluator.evaluate(program, scope).map_err(|error| Gave::Failed(error.to_string()))
    }
}

//! A compiled expression, shared between threads.
//!
//! Immutable; cloning it clones a pointer. What it reads and needs is known exactly, because names of attributes are
//! always written out: so a rule is evaluated again when, and only when, something that it reads has changed.

use std::fmt;
use std::sync::Arc;

use identitymesh_model::Name;

use crate::compile;
use crate::environment::{Environment, Expected, Kinds, Namespace, Needs};
use crate::errors::CompileError;
use crate::tree::Node;

/// A compiled expression.
#[derive(Clone)]
pub struct Program(Arc<Compiled>);

pub(crate) struct Compiled {
    pub(crate) text: String,
    pub(crate) root: Node,
    pub(crate) bare: Namespace,
    /// Distinct names by namespace, in the order of [`Namespace::ALL`].
    pub(crate) reads: [Vec<Name>; 3],
    pub(crate) plain_reads: Vec<(Namespace, Name)>,
    pub(crate) needs: Needs,
    pub(crate) expected: Expected,
}

impl Program {
    /// Compiles `text`, which sees what `environment` says.
    ///
    /// # Errors
    /// Every problem found, with its place: limits crossed, syntax, unknown names, argument counts, kinds that can
    /// never fit, functions not allowed here.
    pub fn compile(text: &str, environment: &Environment) -> Result<Self, CompileError> {
        compile::compile(text, environment).map(|compiled| Self(Arc::new(compiled)))
    }

    /// The text that it was compiled from.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.0.text
    }

    /// Attributes of the object at hand that it reads, each once, sorted: bare names, `attr("…")`, `all("…")`, and
    /// the same under the object's own namespace.
    #[must_use]
    pub fn reads(&self) -> &[Name] {
        self.reads_of(self.0.bare)
    }

    /// Attributes of one side that it reads, each once, sorted.
    #[must_use]
    pub fn reads_of(&self, namespace: Namespace) -> &[Name] {
        &self.0.reads[namespace as usize]
    }

    /// What it reads without coping with its absence; see [`crate::missing_input`].
    #[must_use]
    pub fn plain_reads(&self) -> &[(Namespace, Name)] {
        &self.0.plain_reads
    }

    /// What it asks of the run around it. `NOW` and `TODAY` mean that its result changes with time alone.
    #[must_use]
    pub fn needs(&self) -> Needs {
        self.0.needs
    }

    /// The kinds of value that it can give, as far as they are known; empty when it is always absent.
    #[must_use]
    pub fn gives(&self) -> Kinds {
        self.0.root.kinds
    }

    /// What its rule expects it to give.
    #[must_use]
    pub fn expected(&self) -> Expected {
        self.0.expected
    }

    pub(crate) fn root(&self) -> &Node {
        &self.0.root
    }
}

impl fmt::Debug for Program {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Program").field(&self.0.text).finish()
    }
}

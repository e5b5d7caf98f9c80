//! What one evaluation sees: the objects at hand and what the run around them provides.
//!
//! Everything that could make two evaluations differ is in here, so that a plan made twice from the same scope is
//! the same plan. The missing-input policy is the caller's to apply, with [`missing_input`] (sync semantics,
//! section 10).

use identitymesh_model::{Name, Object, Timestamp, Value, Values};
use jiff::tz::TimeZone;

use crate::environment::Namespace;
use crate::program::Program;

/// Knows which names are taken, and takes names.
pub trait Uniqueness {
    /// Takes `candidate` if it is free, and says whether it was. Looking and taking are one step, so that two
    /// newcomers planned at the same time never get the same name.
    ///
    /// # Errors
    /// A sentence why it cannot be known, when a store or target does not answer.
    fn claim(&self, candidate: &str) -> Result<bool, String>;
}

/// Gives random bytes fit for passwords.
pub trait RandomSource {
    /// Fills `bytes`.
    ///
    /// # Errors
    /// A sentence why there are none.
    fn fill(&self, bytes: &mut [u8]) -> Result<(), String>;
}

/// What one evaluation sees.
#[derive(Clone)]
pub struct Scope<'a> {
    /// The management-space object.
    pub source: Option<&'a Object>,
    /// The mesh object.
    pub mesh: Option<&'a Object>,
    /// Settings of the connector that expressions may read.
    pub connector: &'a [(Name, Value)],
    /// The present moment.
    pub now: Timestamp,
    /// The zone in which a day begins, and in which dates without one are read and written.
    pub zone: TimeZone,
    /// Taken names, where `Unique` is allowed.
    pub names: Option<&'a dyn Uniqueness>,
    /// Random bytes, where `RandomPassword` is allowed.
    pub random: Option<&'a dyn RandomSource>,
}

impl<'a> Scope<'a> {
    /// A scope in UTC with nothing but the present moment in it.
    #[must_use]
    pub const fn at(now: Timestamp) -> Self {
        Self { source: None, mesh: None, connector: &[], now, zone: TimeZone::UTC, names: None, random: None }
    }

    /// The same scope with this management-space object.
    #[must_use]
    pub fn with_source(mut self, object: &'a Object) -> Self {
        self.source = Some(object);
        self
    }

    /// The same scope with this mesh object.
    #[must_use]
    pub fn with_mesh(mut self, object: &'a Object) -> Self {
        self.mesh = Some(object);
        self
    }

    /// What the attribute holds, in its own form.
    pub(crate) fn read_values(&self, namespace: Namespace, name: Name) -> Option<Values> {
        match namespace {
            Namespace::Source => self.source.and_then(|object| object.get(name)).cloned(),
            Namespace::Mesh => self.mesh.and_then(|object| object.get(name)).cloned(),
            Namespace::Connector => self.read(namespace, name).first().cloned().map(Values::One),
        }
    }

    pub(crate) fn read(&self, namespace: Namespace, name: Name) -> &'a [Value] {
        let object = match namespace {
            Namespace::Source => self.source,
            Namespace::Mesh => self.mesh,
            Namespace::Connector => {
                let found = self.connector.iter().find(|(known, _)| *known == name);
                return found.map_or(&[], |(_, value)| std::slice::from_ref(value));
            }
        };
        object.and_then(|object| object.get(name)).map_or(&[], |values| values.as_slice())
    }
}

/// The first attribute that the program reads plainly and that is absent from the scope.
///
/// A read is plain unless the expression itself shows that it copes with absence: inside `has(…)`, `all(…)`,
/// `Coalesce(…)`, `IfEmpty(…)`, `Count(…)` or beside `== null` and `!= null`.
#[must_use]
pub fn missing_input(program: &Program, scope: &Scope<'_>) -> Option<Name> {
    let absent = |(namespace, name): &&(Namespace, Name)| scope.read(*namespace, *name).is_empty();
    program.plain_reads().iter().find(absent).map(|(_, name)| *name)
}

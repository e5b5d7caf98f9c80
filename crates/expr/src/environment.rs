//! Where an expression stands: which attributes it can read, what it may call, what it must give.
//!
//! Compilation checks an expression as far as this is known. An attribute set that is [`Attributes::Any`] accepts
//! every name, for connectors whose schema is not discovered yet; its values can be of any kind.

use std::collections::HashMap;
use std::fmt;

use identitymesh_model::Name;

bitflags::bitflags! {
    /// Kinds of value, as a set: what an attribute may hold, a parameter takes, a function gives.
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    pub struct Kinds: u8 {
        /// Text; a reference reads as the text of its key.
        const TEXT = 1;
        /// A 64-bit signed integer.
        const INTEGER = 2;
        /// True or false.
        const BOOLEAN = 4;
        /// A moment in UTC.
        const DATE = 8;
        /// Bytes.
        const BINARY = 16;
        /// Several values.
        const LIST = 32;
        /// A table written out in the expression.
        const MAP = 64;
    }

    /// What an expression asks of the run around it, beyond the objects at hand.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
    pub struct Needs: u8 {
        /// The present moment.
        const NOW = 1;
        /// The present day.
        const TODAY = 2;
        /// A name that nobody else has.
        const UNIQUE = 4;
        /// Random bytes.
        const RANDOM = 8;
    }
}

impl Kinds {
    /// One value of any kind.
    pub const SCALAR: Self =
        Self::TEXT.union(Self::INTEGER).union(Self::BOOLEAN).union(Self::DATE).union(Self::BINARY);
    /// What an attribute of unknown type can hold.
    pub const ANY: Self = Self::SCALAR.union(Self::LIST);

    /// How an expression makes one of `self` of what was found, as a clause for a message; empty when nobody can say.
    pub(crate) fn conversion_from(self, found: Self) -> &'static str {
        match (self, found) {
            (Self::DATE, Self::TEXT) => "; use ParseDate",
            (Self::TEXT, Self::DATE) => "; use FormatDate",
            (Self::INTEGER, Self::TEXT) => "; use ToInteger",
            (Self::BOOLEAN, Self::TEXT) => "; use ToBoolean",
            (wanted, Self::LIST) if !wanted.contains(Self::LIST) => "; use First, Join or .map(x, …)",
            (wanted, Self::BOOLEAN | Self::DATE | Self::BINARY) if wanted.contains(Self::TEXT) => {
                "; use ToText"
            }
            _ => "",
        }
    }
}

impl fmt::Display for Kinds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if *self == Self::ANY {
            return f.write_str("any value");
        }
        let names: Vec<&str> = [
            (Self::TEXT, "text"),
            (Self::INTEGER, "an integer"),
            (Self::BOOLEAN, "true or false"),
            (Self::DATE, "a date-time"),
            (Self::BINARY, "binary"),
            (Self::LIST, "a list"),
            (Self::MAP, "a table"),
        ]
        .into_iter()
        .filter_map(|(kind, name)| self.contains(kind).then_some(name))
        .collect();
        f.write_str(&if names.is_empty() { "nothing".to_owned() } else { names.join(" or ") })
    }
}

/// A side whose attributes an expression reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Namespace {
    /// The management-space object: `source.x`.
    Source,
    /// The mesh object: `mesh.x`.
    Mesh,
    /// Settings of the connector: `connector.x`.
    Connector,
}

impl Namespace {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Source, Self::Mesh, Self::Connector];

    /// The word that names it in an expression.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Source => "source",
            Self::Mesh => "mesh",
            Self::Connector => "connector",
        }
    }
}

/// One known attribute.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Attribute {
    /// Its name.
    pub name: Name,
    /// The kind of each of its values; exactly one of the scalar kinds, or [`Kinds::SCALAR`] when unknown.
    pub kind: Kinds,
    /// Whether it can hold several.
    pub multi: bool,
}

/// The attributes of one side.
#[derive(Debug, Clone)]
pub enum Attributes {
    /// Any name may exist, of any kind: the schema is not known.
    Any,
    /// Exactly these exist.
    Known(HashMap<Name, Attribute>),
}

impl Attributes {
    /// Exactly the given ones.
    pub fn known(attributes: impl IntoIterator<Item = Attribute>) -> Self {
        Self::Known(attributes.into_iter().map(|attribute| (attribute.name, attribute)).collect())
    }

    /// What reading `name` can give, `None` when there is no such attribute.
    #[must_use]
    pub fn kinds(&self, name: Name) -> Option<Kinds> {
        match self {
            Self::Any => Some(Kinds::ANY),
            Self::Known(known) => {
                let attribute = known.get(&name)?;
                Some(if attribute.multi { attribute.kind | Kinds::LIST } else { attribute.kind })
            }
        }
    }
}

/// What an expression must give.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expected {
    /// True or false; absent counts as false. For `when` and `scope`.
    Condition,
    /// A value or a list of values. For `value` and `transform`.
    Value,
    /// One text. For `container` and anchors.
    Text,
}

/// What an expression can see and must give.
#[derive(Debug, Clone)]
pub struct Environment {
    /// The side that a bare identifier means.
    pub bare: Namespace,
    /// Attributes of the management-space object, `None` where there is none.
    pub source: Option<Attributes>,
    /// Attributes of the mesh object, `None` where there is none.
    pub mesh: Option<Attributes>,
    /// Settings of the connector, `None` where there is no connector.
    pub connector: Option<Attributes>,
    /// Which of `Now`, `Unique`, `RandomPassword` may be called: only where a plan records their result. `Today`
    /// is always allowed, because the rule is evaluated again when the day changes.
    pub allowed: Needs,
    /// What the expression must give.
    pub expected: Expected,
}

impl Environment {
    /// A value from a management-space object alone: bare identifiers are its attributes.
    #[must_use]
    pub const fn of_source(attributes: Attributes) -> Self {
        Self {
            bare: Namespace::Source,
            source: Some(attributes),
            mesh: None,
            connector: None,
            allowed: Needs::empty(),
            expected: Expected::Value,
        }
    }

    /// A value from a mesh object alone: bare identifiers are its attributes.
    #[must_use]
    pub const fn of_mesh(attributes: Attributes) -> Self {
        Self {
            bare: Namespace::Mesh,
            source: None,
            mesh: Some(attributes),
            connector: None,
            allowed: Needs::empty(),
            expected: Expected::Value,
        }
    }

    /// The attributes of one side, `None` where that side does not exist.
    #[must_use]
    pub const fn attributes(&self, namespace: Namespace) -> Option<&Attributes> {
        match namespace {
            Namespace::Source => self.source.as_ref(),
            Namespace::Mesh => self.mesh.as_ref(),
            Namespace::Connector => self.connector.as_ref(),
        }
    }
}

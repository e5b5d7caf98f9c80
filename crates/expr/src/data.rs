//! A value while it is computed with.
//!
//! It borrows from the object or the program wherever it can, so that a chain of functions copies only what it
//! changes. References stay references when they merely pass through, and read as text to functions. A list never
//! holds an absent value.

use std::borrow::Cow;
use std::sync::Arc;

use identitymesh_model::{Timestamp, Value, Values};

use crate::environment::Kinds;
use crate::errors::Fault;

/// A computed value; the order is by kind, then by content.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Default)]
pub(crate) enum Data<'a> {
    #[default]
    Absent,
    Boolean(bool),
    Integer(i64),
    Date(Timestamp),
    Text(Cow<'a, str>),
    Reference(Cow<'a, str>),
    Binary(Cow<'a, [u8]>),
    List(Arc<Vec<Data<'a>>>),
    /// Sorted by key, keys distinct.
    Map(Arc<Vec<(Data<'a>, Data<'a>)>>),
}

impl<'a> Data<'a> {
    pub(crate) fn text(text: impl Into<Cow<'a, str>>) -> Self {
        Self::Text(text.into())
    }

    pub(crate) fn list(items: Vec<Self>) -> Self {
        Self::List(Arc::new(items.into_iter().filter(|item| *item != Data::Absent).collect()))
    }

    pub(crate) fn from_value(value: &'a Value) -> Self {
        match value {
            Value::Text(text) => Self::Text(Cow::Borrowed(text)),
            Value::Integer(number) => Self::Integer(*number),
            Value::Boolean(truth) => Self::Boolean(*truth),
            Value::DateTime(at) => Self::Date(*at),
            Value::Binary(bytes) => Self::Binary(Cow::Borrowed(bytes)),
            Value::Reference(key) => Self::Reference(Cow::Borrowed(key)),
        }
    }

    /// One value as itself, several as a list.
    pub(crate) fn from_values(values: &'a [Value]) -> Self {
        match values {
            [value] => Self::from_value(value),
            values => Self::list_of(values),
        }
    }

    pub(crate) fn list_of(values: &'a [Value]) -> Self {
        Self::List(Arc::new(values.iter().map(Self::from_value).collect()))
    }

    /// The same value, borrowing its content.
    pub(crate) fn borrowed(&'a self) -> Self {
        match self {
            Self::Text(text) => Self::Text(Cow::Borrowed(text)),
            Self::Reference(text) => Self::Reference(Cow::Borrowed(text)),
            Self::Binary(bytes) => Self::Binary(Cow::Borrowed(bytes)),
            other => other.clone(),
        }
    }

    /// The kind of this value; empty when it is absent.
    pub(crate) fn kind(&self) -> Kinds {
        match self {
            Self::Absent => Kinds::empty(),
            Self::Boolean(_) => Kinds::BOOLEAN,
            Self::Integer(_) => Kinds::INTEGER,
            Self::Date(_) => Kinds::DATE,
            Self::Text(_) | Self::Reference(_) => Kinds::TEXT,
            Self::Binary(_) => Kinds::BINARY,
            Self::List(_) => Kinds::LIST,
            Self::Map(_) => Kinds::MAP,
        }
    }

    pub(crate) fn as_text(&self) -> Option<&str> {
        match self {
            Self::Text(text) | Self::Reference(text) => Some(text),
            _ => None,
        }
    }

    /// Whether both are the same value; a reference equals the text of its key.
    pub(crate) fn same_as(&self, other: &Data<'_>) -> bool {
        match (self, other) {
            (Self::List(a), Data::List(b)) => {
                a.len() == b.len() && a.iter().zip(b.iter()).all(|(a, b)| a.same_as(b))
            }
            (a, b) => match (a.as_text(), b.as_text()) {
                (Some(a), Some(b)) => a == b,
                _ => a == b,
            },
        }
    }

    /// Bytes that the content takes, for the cost of handing it to a function; a value costs at least one.
    pub(crate) fn weight(&self) -> usize {
        match self {
            Self::Text(text) | Self::Reference(text) => text.len(),
            Self::Binary(bytes) => bytes.len(),
            Self::List(items) => items.iter().map(|item| 8 + item.weight()).sum(),
            // Tables are written out in the expression, and looked up by halving.
            Self::Map(_) | Self::Absent | Self::Boolean(_) | Self::Integer(_) | Self::Date(_) => 1,
        }
    }

    /// Bytes that cloning the value copies.
    pub(crate) fn copied(&self) -> u64 {
        match self {
            Self::Text(Cow::Owned(text)) | Self::Reference(Cow::Owned(text)) => text.len() as u64,
            Self::Binary(Cow::Owned(bytes)) => bytes.len() as u64,
            _ => 0,
        }
    }

    /// What an attribute then holds: absent and an empty list are nothing, a list is a set.
    pub(crate) fn into_values(self) -> Result<Option<Values>, Fault> {
        match self {
            Self::Absent => Ok(None),
            Self::List(items) => {
                let items = Arc::unwrap_or_clone(items);
                let values = items.into_iter().map(Self::into_value).collect::<Result<Vec<_>, _>>()?;
                Ok(Values::set(values))
            }
            single => single.into_value().map(|value| Some(Values::One(value))),
        }
    }

    fn into_value(self) -> Result<Value, Fault> {
        match self {
            Self::Boolean(truth) => Ok(Value::Boolean(truth)),
            Self::Integer(number) => Ok(Value::Integer(number)),
            Self::Date(at) => Ok(Value::DateTime(at)),
            Self::Text(text) => Ok(Value::text(text)),
            Self::Reference(key) => Ok(Value::reference(key)),
            Self::Binary(bytes) => Ok(Value::Binary(bytes.into())),
            Self::Absent | Self::List(_) | Self::Map(_) => {
                Err(Fault::Result { expected: "a value or a list of values".to_owned(), found: self.kind() })
            }
        }
    }
}

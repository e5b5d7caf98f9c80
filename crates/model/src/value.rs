//! Values of attributes, and sets of them.
//!
//! Six types (sync semantics, section 1). A multi-valued attribute is a set: sorted, without duplicates, so that
//! the order in which a system lists its values is never a difference. *Absent* has no value of its own: `null`, a
//! missing attribute and an empty set are all simply not there. The empty text is a value.

use std::fmt;

use compact_str::CompactString;

use crate::Timestamp;

/// Text with small values kept inline.
pub type Text = CompactString;

/// Most bytes in one value; larger ones are a finding on their object.
pub const VALUE_BYTES_MAX: usize = 1 << 20;
/// Most values in one attribute kept in a document; larger sets of references are edges.
pub const VALUE_COUNT_MAX: usize = 100_000;

/// One value.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Value {
    /// Unicode text.
    Text(Text),
    /// A 64-bit signed integer.
    Integer(i64),
    /// True or false.
    Boolean(bool),
    /// A moment in UTC.
    DateTime(Timestamp),
    /// Bytes.
    Binary(Box<[u8]>),
    /// The name of another object: in a management space the system's own key (a DN, an external id), in the mesh
    /// the other mesh object's public identifier.
    Reference(Text),
}

impl Value {
    /// Text.
    pub fn text(text: impl AsRef<str>) -> Self {
        Self::Text(Text::new(text))
    }

    /// A reference.
    pub fn reference(key: impl AsRef<str>) -> Self {
        Self::Reference(Text::new(key))
    }

    /// The text of a text or reference value.
    #[must_use]
    pub fn as_text(&self) -> Option<&str> {
        match self {
            Self::Text(text) | Self::Reference(text) => Some(text),
            _ => None,
        }
    }

    /// Bytes that the value's content takes, for bounds.
    #[must_use]
    pub fn size_bytes(&self) -> usize {
        match self {
            Self::Text(text) | Self::Reference(text) => text.len(),
            Self::Binary(bytes) => bytes.len(),
            Self::Integer(_) | Self::DateTime(_) => 8,
            Self::Boolean(_) => 1,
        }
    }

    /// Whether both are the same value where case makes no difference.
    #[must_use]
    pub fn eq_ignore_case(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Text(a), Self::Text(b)) | (Self::Reference(a), Self::Reference(b)) => {
                a == b || a.to_lowercase() == b.to_lowercase()
            }
            _ => self == other,
        }
    }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) | Self::Reference(text) => f.pad(text),
            Self::Integer(number) => fmt::Display::fmt(number, f),
            Self::Boolean(truth) => fmt::Display::fmt(truth, f),
            Self::DateTime(at) => fmt::Display::fmt(at, f),
            Self::Binary(bytes) => bytes.iter().try_for_each(|byte| write!(f, "{byte:02x}")),
        }
    }
}

impl fmt::Debug for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => write!(f, "{text:?}"),
            Self::Reference(text) => write!(f, "→{text:?}"),
            Self::Binary(_) => write!(f, "0x{self}"),
            _ => fmt::Display::fmt(self, f),
        }
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::text(text)
    }
}

impl From<i64> for Value {
    fn from(number: i64) -> Self {
        Self::Integer(number)
    }
}

impl From<bool> for Value {
    fn from(truth: bool) -> Self {
        Self::Boolean(truth)
    }
}

impl From<Timestamp> for Value {
    fn from(at: Timestamp) -> Self {
        Self::DateTime(at)
    }
}

/// What one attribute holds: one value, or a non-empty set of them.
///
/// `One` and a set of one are different on purpose: which of them an attribute has is its schema's to say.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Values {
    /// A single-valued attribute's value.
    One(Value),
    /// A multi-valued attribute's values, sorted, distinct, at least one.
    Set(Vec<Value>),
}

impl Values {
    /// A set from values in any order, `None` when there are none.
    #[must_use]
    pub fn set(mut values: Vec<Value>) -> Option<Self> {
        if !values.is_sorted_by(|a, b| a < b) {
            values.sort_unstable();
            values.dedup();
        }
        if values.is_empty() { None } else { Some(Self::Set(values)) }
    }

    /// A set in which texts that differ only in case count once; of those the first in sort order stays.
    #[must_use]
    pub fn set_ignore_case(values: Vec<Value>) -> Option<Self> {
        let Some(Self::Set(mut values)) = Self::set(values) else { return None };
        let mut seen = std::collections::HashSet::new();
        values.retain(|value| match value {
            Value::Text(text) | Value::Reference(text) => seen.insert(text.to_lowercase()),
            _ => true,
        });
        Some(Self::Set(values))
    }

    /// All values as a slice.
    #[must_use]
    pub fn as_slice(&self) -> &[Value] {
        match self {
            Self::One(value) => std::slice::from_ref(value),
            Self::Set(values) => values,
        }
    }

    /// The value when there is exactly one, whatever the form.
    #[must_use]
    pub fn single(&self) -> Option<&Value> {
        match self.as_slice() {
            [value] => Some(value),
            _ => None,
        }
    }

    /// The values, owned.
    #[must_use]
    pub fn into_vec(self) -> Vec<Value> {
        match self {
            Self::One(value) => vec![value],
            Self::Set(values) => values,
        }
    }

    /// Whether both hold the same values where neither case, nor the form for one value, makes a difference.
    #[must_use]
    pub fn eq_ignore_case(&self, other: &Self) -> bool {
        let (a, b) = (self.as_slice(), other.as_slice());
        if a.len() != b.len() {
            return false;
        }
        if let ([a], [b]) = (a, b) {
            return a.eq_ignore_case(b);
        }
        let fold = |values: &[Value]| -> Vec<Value> {
            let mut folded: Vec<Value> = values.iter().map(fold_case).collect();
            folded.sort_unstable();
            folded
        };
        fold(a) == fold(b)
    }
}

fn fold_case(value: &Value) -> Value {
    match value {
        Value::Text(text) => Value::Text(text.to_lowercase()),
        Value::Reference(text) => Value::Reference(text.to_lowercase()),
        other => other.clone(),
    }
}

impl fmt::Debug for Values {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::One(value) => fmt::Debug::fmt(value, f),
            Self::Set(values) => f.debug_list().entries(values).finish(),
        }
    }
}

impl<T: Into<Value>> From<T> for Values {
    fn from(value: T) -> Self {
        Self::One(value.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sets_are_sorted_distinct_and_never_empty() {
        let set = Values::set(vec!["b".into(), "a".into(), "b".into()]).unwrap();
        assert_eq!(set.as_slice(), ["a".into(), "b".into()]);
        assert_eq!(Values::set(vec![]), None);
    }

    #[test]
    fn values_that_differ_in_case_collapse_where_asked() {
        let set = Values::set_ignore_case(vec!["b@X".into(), "B@x".into(), "a".into()]).unwrap();
        assert_eq!(set.as_slice(), ["B@x".into(), "a".into()]);
        assert!(Values::from("Ä").eq_ignore_case(&Values::from("ä")));
        assert!(!Values::from("Ä").eq_ignore_case(&Values::from("a")));
        let (left, right) = (vec!["A".into(), "b".into()], vec!["B".into(), "a".into()]);
        assert!(Values::set(left).unwrap().eq_ignore_case(&Values::set(right).unwrap()));
    }

    #[test]
    fn the_empty_text_is_a_value() {
        assert_eq!(Values::set(vec!["".into()]).unwrap().as_slice().len(), 1);
        assert_eq!(Values::from("").single(), Some(&Value::text("")));
    }
}

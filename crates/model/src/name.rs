//! Names of attributes, object types and connectors.
//!
//! Administrators and directories write the same name in different cases, so names compare without case but keep
//! the spelling they were first given in this place. A [`Name`] is an interned symbol: copying it copies a
//! pointer, comparing two compares a number, and reading a document of twenty attributes allocates no key.
//!
//! The table only grows, therefore it is bounded by [`NAME_COUNT_MAX`]: attributes outside a connector's schema are
//! dropped before they are named, so only a schema of absurd size meets the bound, and it meets an error.

use std::cmp::Ordering;
use std::collections::HashMap;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::{PoisonError, RwLock};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Most bytes in one name.
pub const NAME_BYTES_MAX: usize = 256;
/// Most distinct spellings that one process will hold.
pub const NAME_COUNT_MAX: usize = 1 << 17;

/// A case-insensitive, interned name that remembers its spelling.
#[derive(Clone, Copy)]
pub struct Name(&'static Entry);

struct Entry {
    spelling: Box<str>,
    folded: Box<str>,
    fold_id: u32,
}

/// Why a text cannot be a name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// The text is empty or only blanks.
    #[error("MDL-001: a name is empty")]
    Empty,
    /// The text is longer than [`NAME_BYTES_MAX`] bytes.
    #[error("MDL-002: a name of {bytes} bytes is longer than the {NAME_BYTES_MAX} allowed")]
    TooLong {
        /// Its length.
        bytes: usize,
    },
    /// The text holds a control character.
    #[error("MDL-003: the name {name:?} holds a control character")]
    Control {
        /// The offending text.
        name: String,
    },
    /// The process already knows [`NAME_COUNT_MAX`] spellings.
    #[error(
        "MDL-004: more than {NAME_COUNT_MAX} different names; check the schema for generated attribute names"
    )]
    TooMany,
}

#[derive(Default)]
struct Table {
    by_spelling: HashMap<&'static str, &'static Entry>,
    fold_ids: HashMap<&'static str, u32>,
}

static TABLE: RwLock<Option<Table>> = RwLock::new(None);

impl Name {
    /// The name spelled `text`, surrounding blanks removed.
    ///
    /// # Errors
    /// [`NameError`] when the text is empty, too long, holds control characters, or the table is full.
    pub fn new(text: &str) -> Result<Self, NameError> {
        let text = text.trim();
        if let Some(table) = TABLE.read().unwrap_or_else(PoisonError::into_inner).as_ref()
            && let Some(entry) = table.by_spelling.get(text)
        {
            return Ok(Self(entry));
        }
        check(text)?;
        let mut guard = TABLE.write().unwrap_or_else(PoisonError::into_inner);
        intern(guard.get_or_insert_with(Table::default), text)
    }

    /// A name that the code itself spells out.
    ///
    /// # Panics
    /// When the literal is no valid name, which the first test that reaches it shows.
    #[must_use]
    pub fn literal(text: &'static str) -> Self {
        Self::new(text).expect("a name spelled out in the code is valid")
    }

    /// The spelling that this name was made with.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        &self.0.spelling
    }

    /// The form that comparisons use: lower case.
    #[must_use]
    pub fn folded(self) -> &'static str {
        &self.0.folded
    }
}

fn check(text: &str) -> Result<(), NameError> {
    if text.is_empty() {
        return Err(NameError::Empty);
    }
    if text.len() > NAME_BYTES_MAX {
        return Err(NameError::TooLong { bytes: text.len() });
    }
    if text.chars().any(char::is_control) {
        return Err(NameError::Control { name: text.to_owned() });
    }
    Ok(())
}

fn intern(table: &mut Table, text: &str) -> Result<Name, NameError> {
    if let Some(entry) = table.by_spelling.get(text) {
        return Ok(Name(entry));
    }
    if table.by_spelling.len() >= NAME_COUNT_MAX {
        return Err(NameError::TooMany);
    }
    let folded: Box<str> = text.to_lowercase().into();
    let known = table.fold_ids.get(&*folded).copied();
    let fold_id = known.unwrap_or(u32::try_from(table.fold_ids.len()).expect("bounded by NAME_COUNT_MAX"));
    let entry: &'static Entry = Box::leak(Box::new(Entry { spelling: text.into(), folded, fold_id }));
    if known.is_none() {
        table.fold_ids.insert(&entry.folded, fold_id);
    }
    table.by_spelling.insert(&entry.spelling, entry);
    Ok(Name(entry))
}

impl PartialEq for Name {
    fn eq(&self, other: &Self) -> bool {
        self.0.fold_id == other.0.fold_id
    }
}

impl Eq for Name {}

impl Hash for Name {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.fold_id.hash(state);
    }
}

impl PartialOrd for Name {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Name {
    fn cmp(&self, other: &Self) -> Ordering {
        if self == other { Ordering::Equal } else { self.0.folded.cmp(&other.0.folded) }
    }
}

impl fmt::Debug for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.as_str())
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl Serialize for Name {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for Name {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        Self::new(&text).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_compare_without_case_and_keep_their_spelling() {
        let (upper, lower) = (Name::new("EmployeeID").unwrap(), Name::new(" employeeId ").unwrap());
        assert_eq!(upper, lower);
        assert_eq!(upper.as_str(), "EmployeeID");
        assert_eq!(lower.as_str(), "employeeId");
        assert_eq!(upper.cmp(&lower), Ordering::Equal);
        assert!(Name::new("Ärger").unwrap() == Name::new("ärger").unwrap());
    }

    #[test]
    fn order_is_that_of_the_folded_spelling() {
        let mut names = ["mail", "Cn", "accountName", "cnX"].map(|text| Name::new(text).unwrap());
        names.sort_unstable();
        assert_eq!(names.map(Name::as_str), ["accountName", "Cn", "cnX", "mail"]);
    }

    #[test]
    fn unusable_names_are_refused() {
        assert_eq!(Name::new("  "), Err(NameError::Empty));
        assert_eq!(Name::new(&"x".repeat(257)), Err(NameError::TooLong { bytes: 257 }));
        assert!(Name::new(&"x".repeat(NAME_BYTES_MAX)).is_ok());
        assert!(matches!(Name::new("a\u{0}b"), Err(NameError::Control { .. })));
    }
}

//! A document: the attributes of one object.
//!
//! Attributes stand in the order of their folded names, each at most once, so that writing the same content always
//! gives the same bytes and two documents can be compared by walking both.

use std::fmt;

use crate::{Name, Value, Values};

/// Most attributes in one document.
pub const ATTRIBUTE_COUNT_MAX: usize = 2_000;

/// Attributes by name. Equality is exact: types, forms and case of values count.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Object(Vec<(Name, Values)>);

impl Object {
    /// An object without attributes.
    #[must_use]
    pub const fn new() -> Self {
        Self(Vec::new())
    }

    /// An object with room for `count` attributes.
    #[must_use]
    pub fn with_capacity(count: usize) -> Self {
        Self(Vec::with_capacity(count))
    }

    /// What the attribute holds, `None` when it is absent.
    #[must_use]
    pub fn get(&self, name: Name) -> Option<&Values> {
        // Documents are small: comparing interned numbers in a row beats a binary search over texts.
        self.0.iter().find(|(known, _)| *known == name).map(|(_, values)| values)
    }

    /// The attribute's only value, when it has exactly one.
    #[must_use]
    pub fn single(&self, name: Name) -> Option<&Value> {
        self.get(name).and_then(Values::single)
    }

    /// Puts `values` in place of whatever the attribute held, and hands that back.
    pub fn set(&mut self, name: Name, values: impl Into<Values>) -> Option<Values> {
        let values = values.into();
        if self.0.last().is_none_or(|(last, _)| *last < name) {
            self.0.push((name, values));
            return None;
        }
        match self.0.binary_search_by(|(known, _)| known.cmp(&name)) {
            Ok(at) => Some(std::mem::replace(&mut self.0[at].1, values)),
            Err(at) => {
                self.0.insert(at, (name, values));
                None
            }
        }
    }

    /// Sets the attribute, or removes it when there is no value.
    pub fn put(&mut self, name: Name, values: Option<Values>) -> Option<Values> {
        match values {
            Some(values) => self.set(name, values),
            None => self.remove(name),
        }
    }

    /// Takes the attribute out.
    pub fn remove(&mut self, name: Name) -> Option<Values> {
        let at = self.0.iter().position(|(known, _)| *known == name)?;
        Some(self.0.remove(at).1)
    }

    /// Keeps the attributes for which `keep` holds.
    pub fn retain(&mut self, mut keep: impl FnMut(Name, &Values) -> bool) {
        self.0.retain(|(name, values)| keep(*name, values));
    }

    /// The attributes in canonical order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (Name, &Values)> + Clone {
        self.0.iter().map(|(name, values)| (*name, values))
    }

    /// How many attributes there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is no attribute at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl FromIterator<(Name, Values)> for Object {
    fn from_iter<T: IntoIterator<Item = (Name, Values)>>(attributes: T) -> Self {
        let mut object = Self::new();
        for (name, values) in attributes {
            object.set(name, values);
        }
        object
    }
}

impl IntoIterator for Object {
    type Item = (Name, Values);
    type IntoIter = std::vec::IntoIter<(Name, Values)>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl fmt::Debug for Object {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attributes_stand_in_order_whatever_the_order_of_setting() {
        let mut object = Object::new();
        for text in ["sn", "Mail", "cn"] {
            assert_eq!(object.set(Name::literal(text), text), None);
        }
        assert_eq!(object.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>(), ["cn", "Mail", "sn"]);
        assert_eq!(object.set(Name::literal("mail"), "new"), Some("Mail".into()));
        assert_eq!(object.single(Name::literal("MAIL")), Some(&"new".into()));
        assert_eq!(object.put(Name::literal("mail"), None), Some("new".into()));
        assert_eq!(object.len(), 2);
    }
}

//! References of one kind in one connector: where they are looked up, and how.

use identitymesh_model::Text;

use crate::key::address_key;

/// What the values of some references are: addresses, what other objects hold in one attribute, or external ids.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Referring {
    /// The index in which they are looked up; `None` where they are external ids.
    pub index: Option<i64>,
    /// They are distinguished names, which have several spellings.
    pub(super) is_tree: bool,
}

impl Referring {
    /// A reference as it is looked up.
    #[must_use]
    pub fn key(&self, reference: &Text) -> Text {
        self.index.map_or_else(|| reference.clone(), |_| address_key(self.is_tree, reference))
    }
}

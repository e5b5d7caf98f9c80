//! Whom references mean. A system that keeps its references in step shows another address wherever it refers to an
//! object that somebody renamed or moved, and nothing has changed about those references.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use identitymesh_model::plan::IndexKey;
use identitymesh_model::{SpaceId, Text};

use crate::rules::Referring;

/// Under which names objects say they are found now that are not taken down yet, because their own references are in doubt.
pub type Told = HashMap<IndexKey, SpaceId>;

/// The management-space objects that references mean, as far as that was looked up.
#[derive(Clone, Debug, Default)]
pub struct Referents {
    found: HashMap<(Referring, Text), SpaceId>,
}

/// Whom a reference means: an object, or whoever has this address.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Referent {
    /// This one.
    Object(SpaceId),
    /// Nobody knows who that is.
    Address(Text),
}

impl Referents {
    /// Looks up whom references mean: by what objects in doubt `told` of themselves, which nobody has taken down yet, and
    /// with `find`, which gives for each key of an index the object that is found under it, or else the one that last was.
    ///
    /// # Errors
    /// Those of `find`.
    pub fn of<E>(
        references: impl IntoIterator<Item = (Referring, Text)>,
        told: &Told,
        mut find: impl FnMut(i64, &[Text]) -> Result<Vec<Option<SpaceId>>, E>,
    ) -> Result<Self, E> {
        let mut wanted: BTreeMap<Referring, BTreeSet<Text>> = BTreeMap::new();
        for (referring, reference) in references {
            wanted.entry(referring).or_default().insert(referring.key(&reference));
        }
        let mut referents = Self::default();
        for (referring, keys) in wanted {
            let Some(index) = referring.index else { continue };
            let keys: Vec<Text> = keys.into_iter().collect();
            let found = find(index, &keys)?;
            for (key, found) in keys.into_iter().zip(found) {
                let key = IndexKey { index, key };
                if let Some(space) = told.get(&key).copied().or(found) {
                    referents.found.insert((referring, key.key), space);
                }
            }
        }
        Ok(referents)
    }

    /// The object that a reference means, where that was looked up and is known.
    #[must_use]
    pub fn object(&self, referring: Referring, reference: &Text) -> Option<SpaceId> {
        self.found.get(&(referring, referring.key(reference))).copied()
    }

    /// Whom all of these mean.
    pub(super) fn of_all(&self, referring: Referring, references: Vec<&Text>) -> BTreeSet<Referent> {
        let each = references.into_iter().map(|reference| {
            let key = (referring, referring.key(reference));
            match self.found.get(&key) {
                Some(space) => Referent::Object(*space),
                None => Referent::Address(key.1),
            }
        });
        each.collect()
    }
}

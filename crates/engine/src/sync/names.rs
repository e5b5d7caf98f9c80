//! Names that nobody else has: in the target, in what waits for it, and in this part of the plan.

use std::cell::RefCell;
use std::collections::HashMap;

use identitymesh_expr::Uniqueness;
use identitymesh_model::plan::{IndexKey, ItemAction};
use identitymesh_model::rules::MatchKind;
use identitymesh_model::{ConnectorId, MeshId, Name, SpaceRecord, Value};

use super::neighbours::Neighbours;
use super::work::Work;
use crate::key::match_key;
use crate::rules::RuleSet;

/// Names that this part of the plan has given out.
pub(super) type Claims = HashMap<IndexKey, MeshId>;

/// Whose names are that belong to no mesh object.
const NOBODY: MeshId = MeshId(0);

/// The names of objects that leave a mesh object in this part of the plan. Until it is written, the state takes them for
/// names of those whom they leave, who must not get them once more.
pub(super) fn kept(rules: &RuleSet, parted: &[SpaceRecord], works: &[Work]) -> Claims {
    let mut claims = Claims::new();
    for space in parted {
        let is_its = |work: &&Work| work.view.linked.iter().any(|linked| linked.id == space.id);
        let holder = works.iter().find(is_its).map_or(NOBODY, |work| work.view.record.id);
        for (attribute, index) in rules.unique_in(space.connector, Some(space.object_type)) {
            let key = space.doc.single(attribute).and_then(|value| match_key(MatchKind::IgnoreCase, value));
            claims.extend(key.map(|key| (IndexKey { index, key }, holder)));
        }
    }
    claims
}

/// The names that an item gives to its object and that nobody else may have, with their attributes. `only` says of which
/// type the object is, where that is known.
#[must_use]
pub fn names_of(
    rules: &RuleSet,
    connector: ConnectorId,
    only: Option<Name>,
    action: &ItemAction,
) -> Vec<(Name, IndexKey)> {
    let ItemAction::Create { attributes, .. } = action else { return Vec::new() };
    let unique = rules.unique_in(connector, only);
    let named = unique.filter_map(|(attribute, index)| {
        let key = match_key(MatchKind::IgnoreCase, attributes.single(attribute)?)?;
        Some((attribute, IndexKey { index, key }))
    });
    named.collect()
}

/// Where names that nobody else has come from.
pub(super) struct Names<'a, N: Neighbours> {
    pub(super) neighbours: &'a mut N,
    pub(super) claims: &'a mut Claims,
}

impl<N: Neighbours> Names<'_, N> {
    /// The same for somebody else, for a while.
    pub(super) const fn again(&mut self) -> Names<'_, N> {
        Names { neighbours: &mut *self.neighbours, claims: &mut *self.claims }
    }
}

/// Names for `Unique`: free when neither the target, nor a waiting item, nor this part of the plan has them.
pub(super) struct Claim<'a, N: Neighbours> {
    index: i64,
    mesh: MeshId,
    neighbours: RefCell<&'a mut N>,
    claims: RefCell<&'a mut Claims>,
    error: RefCell<Option<N::Error>>,
}

impl<'a, N: Neighbours> Claim<'a, N> {
    /// Names under this index for `mesh`.
    pub(super) fn new(index: i64, mesh: MeshId, names: &'a mut Names<'_, N>) -> Self {
        let neighbours = RefCell::new(&mut *names.neighbours);
        Self { index, mesh, neighbours, claims: RefCell::new(&mut *names.claims), error: RefCell::new(None) }
    }

    /// # Errors
    /// What kept a question about a name from being answered.
    pub(super) fn end(self) -> Result<(), N::Error> {
        self.error.into_inner().map_or(Ok(()), Err)
    }
}

impl<N: Neighbours> Uniqueness for Claim<'_, N> {
    fn claim(&self, candidate: &str) -> Result<bool, String> {
        let Some(key) = match_key(MatchKind::IgnoreCase, &Value::text(candidate)) else { return Ok(false) };
        let key = IndexKey { index: self.index, key };
        if self.claims.borrow().get(&key).is_some_and(|holder| *holder != self.mesh) {
            return Ok(false);
        }
        match self.neighbours.borrow_mut().is_taken(&key, self.mesh) {
            Ok(true) => Ok(false),
            Ok(false) => {
                self.claims.borrow_mut().insert(key, self.mesh);
                Ok(true)
            }
            Err(error) => {
                *self.error.borrow_mut() = Some(error);
                Err("the names in use could not be read".to_owned())
            }
        }
    }
}

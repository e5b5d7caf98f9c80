//! Views of mesh objects with large sets of references that leave out who is not in question.

use std::collections::HashMap;

use identitymesh_model::{ConnectorId, MeshId, MeshView, Name, Text, Uid, Value, Values};
use identitymesh_store::{News, StoreError};

use super::neighbours::StoreNeighbours;

/// How often a view may grow before everything is shown.
const ROUNDS_MAX: usize = 4;

/// A reference of an object: its connector and type, and the system's own address of the other.
type Edge = (ConnectorId, Name, Text);

impl StoreNeighbours<'_> {
    /// A view of those in question and a few others. It is closed: it shows every reference under which somebody shown
    /// is found, and everybody who is found under a reference shown. So whoever is shown comes out as in a view of all.
    pub(super) fn narrow_view(&mut self, id: MeshId, news: News) -> Result<Option<MeshView>, StoreError> {
        let edges = news.edges.into_iter();
        let mut members =
            self.owners(edges.map(|(_, connector, object_type, key)| (connector, object_type, key)))?;
        members.extend(news.members);
        for _ in 0..ROUNDS_MAX {
            let view = self.reader(false)?.narrow_views(&[(id, members.clone())])?.pop().flatten();
            let shown = view.as_ref().and_then(|view| view.trace.as_ref()?.shown.as_deref());
            let (Some(seen), Some(shown)) = (&view, shown) else { return Ok(view) };
            let mut missing = self.owners(edges_of(seen))?;
            missing.retain(|owner| shown.binary_search(owner).is_err());
            if missing.is_empty() {
                return Ok(view);
            }
            members.extend(missing);
        }
        Ok(self.reader(false)?.views(&[id])?.pop().flatten())
    }

    /// Everybody who is found under one of the references.
    fn owners(&mut self, edges: impl Iterator<Item = Edge>) -> Result<Vec<Uid>, StoreError> {
        let rules = &self.in_force.rules;
        let mut asked: HashMap<(ConnectorId, Option<i64>), Vec<Text>> = HashMap::new();
        for (connector, object_type, key) in edges {
            let referring = rules.referring(connector, object_type, None);
            asked.entry((connector, referring.index)).or_default().push(referring.key(&key));
        }
        let mut owners = Vec::new();
        for ((connector, index), keys) in asked {
            owners.extend(self.reader(false)?.owners(connector, index, &keys)?);
        }
        Ok(owners)
    }
}

/// The members of all sets that the linked objects show.
fn edges_of(view: &MeshView) -> impl Iterator<Item = Edge> + '_ {
    view.linked.iter().flat_map(|space| {
        let sets = space.doc.iter().filter_map(|(_, values)| match values {
            Values::Set(members) => Some(members),
            Values::One(_) => None,
        });
        sets.flatten().filter_map(|value| match value {
            Value::Reference(key) => Some((space.connector, space.object_type, key.clone())),
            _ => None,
        })
    })
}

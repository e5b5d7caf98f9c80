//! Reading queued changes with the objects that they are about.

use std::collections::HashSet;

use identitymesh_engine::guard::Sought;
use identitymesh_engine::rules::ConnectorRules;
use identitymesh_model::plan::{ItemAction, Operation};
use identitymesh_model::{ItemId, Name, Object, SpaceId, SpaceRecord, Value, dn};
use identitymesh_store::{QueuedItem, Reader};

use crate::RunError;

/// Items read at once.
const ITEMS_READ: usize = 5_000;
/// Objects read at once while a container is counted.
const OBJECTS_READ: usize = 5_000;

/// The queued changes of one target that the guard has to judge.
pub(super) struct Changes<'a> {
    pub(super) reader: &'a mut dyn Reader,
    pub(super) rules: &'a ConnectorRules,
    /// The newest item that counts.
    pub(super) last: ItemId,
    /// Items that take up what somebody rejected: they take no part.
    pub(super) rejected: &'a HashSet<ItemId>,
}

/// One queued change with its object.
pub(super) struct Seen<'a> {
    pub(super) item: &'a QueuedItem,
    pub(super) space: Option<&'a SpaceRecord>,
    pub(super) container: Option<&'a str>,
    operation: Operation,
}

impl<'a> Seen<'a> {
    /// What a limit has to know.
    pub(super) fn sought(&self) -> Sought<'a> {
        let now = self.space.map(|space| &space.doc);
        Sought { operation: self.operation, action: &self.item.action, container: self.container, now }
    }

    /// The object as it is in the target, or as it will be made.
    pub(super) const fn doc(&self) -> Option<&'a Object> {
        match (&self.item.action, self.space) {
            (ItemAction::Create { attributes, .. }, _) => Some(attributes),
            (_, Some(space)) => Some(&space.doc),
            (_, None) => None,
        }
    }
}

impl Changes<'_> {
    /// Shows every change of one kind, free and held ones.
    pub(super) fn each(
        &mut self,
        object_type: Name,
        operation: Operation,
        mut look: impl FnMut(&Seen<'_>),
    ) -> Result<(), RunError> {
        let address = address(self.rules, object_type);
        let mut after = None;
        loop {
            let items = self.reader.queued(self.rules.id, object_type, operation, after, ITEMS_READ)?;
            let Some(newest) = items.last().map(|item| item.id) else { return Ok(()) };
            after = Some(newest);
            let counts = |item: &QueuedItem| item.id <= self.last && !self.rejected.contains(&item.id);
            let items: Vec<QueuedItem> = items.into_iter().filter(counts).collect();
            let ids: Vec<SpaceId> = items.iter().filter_map(|item| item.space).collect();
            let mut spaces = self.reader.spaces(&ids)?.into_iter();
            for item in &items {
                let space = item.space.and_then(|_| spaces.next()).flatten();
                let made = match &item.action {
                    ItemAction::Create { attributes, .. } => Some(attributes),
                    _ => None,
                };
                let container = container(made, space.as_ref(), address);
                let container = container.as_deref();
                look(&Seen { item, space: space.as_ref(), container, operation });
            }
        }
    }
}

/// The attribute that holds where objects of a type stand in the tree.
pub(super) fn address(rules: &ConnectorRules, object_type: Name) -> Option<Name> {
    rules.object_type(object_type).and_then(|known| known.address())
}

/// Where an object stands in a tree.
pub(super) fn container(
    made: Option<&Object>,
    space: Option<&SpaceRecord>,
    address: Option<Name>,
) -> Option<String> {
    let doc = made.or(space.map(|record| &record.doc));
    let written = address.and_then(|name| doc?.single(name)).and_then(Value::as_text);
    let text = written.or_else(|| space.map(|record| record.external_id.as_str()))?;
    let parent = dn::parent(text);
    parent.contains('=').then(|| parent.to_owned())
}

/// How many objects of a type are there that `is_wanted` says of where they stand.
pub(super) fn population_where(
    reader: &mut dyn Reader,
    rules: &ConnectorRules,
    object_type: Name,
    is_wanted: impl Fn(Option<&str>) -> bool,
) -> Result<u64, RunError> {
    let address = address(rules, object_type);
    let (mut after, mut found) = (SpaceId(0), 0);
    loop {
        let ids = reader.present(rules.id, object_type, after, OBJECTS_READ)?;
        let Some(last) = ids.last().copied() else { return Ok(found) };
        after = last;
        let spaces = reader.spaces(&ids)?;
        let of = |record: &SpaceRecord| is_wanted(container(None, Some(record), address).as_deref());
        found += spaces.iter().flatten().filter(|record| of(record)).count() as u64;
    }
}

//! Questions of the mass-change guard.

use identitymesh_model::plan::Operation;
use identitymesh_model::{ConnectorId, HoldId, ItemId, Name, SpaceId};
use identitymesh_store::{
    GuardReader, Hashed, HoldFilter, HoldItemRow, HoldRow, Queue, QueuedItem, StoreError,
};

use crate::reader::session::SqliteReader;

impl GuardReader for SqliteReader<'_> {
    fn queue(&mut self, connector: ConnectorId) -> Result<Queue, StoreError> {
        self.ask("counting the queue", |loader| loader.queue(connector))
    }

    fn queued(
        &mut self,
        connector: ConnectorId,
        object_type: Name,
        operation: Operation,
        after: Option<ItemId>,
        limit: usize,
    ) -> Result<Vec<QueuedItem>, StoreError> {
        self.ask("reading the queue", |loader| loader.queued(connector, object_type, operation, after, limit))
    }

    fn is_unseen(&mut self, connector: ConnectorId, object_type: Name) -> Result<bool, StoreError> {
        self.ask("looking for objects of a target", |loader| loader.is_unseen(connector, object_type))
    }

    fn space_hashes(&mut self, ids: &[SpaceId]) -> Result<Vec<Option<Hashed>>, StoreError> {
        self.ask("reading hashes", |loader| loader.space_hashes(ids))
    }

    fn hold_list(
        &mut self,
        filter: &HoldFilter,
        before: Option<HoldId>,
        limit: usize,
    ) -> Result<Vec<HoldRow>, StoreError> {
        self.ask("listing holds", |loader| loader.hold_list(filter, before, limit))
    }

    fn hold(&mut self, id: HoldId) -> Result<Option<HoldRow>, StoreError> {
        self.ask("reading a hold", |loader| loader.hold(id))
    }

    fn hold_items(
        &mut self,
        hold: HoldId,
        after: Option<i64>,
        limit: usize,
    ) -> Result<Vec<HoldItemRow>, StoreError> {
        self.ask("reading what a hold covers", |loader| loader.hold_items(hold, after, limit))
    }
}

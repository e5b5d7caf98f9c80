//! What the mass-change guard and whoever decides about its holds ask.

use identitymesh_model::plan::Operation;
use identitymesh_model::{ConnectorId, HoldId, ItemId, Name, SpaceId};

use super::Hashed;
use crate::{HoldFilter, HoldItemRow, HoldRow, Queue, QueuedItem, StoreError};

/// Queues as a whole, and holds.
pub trait GuardReader {
    /// A target's queue by kind, in the order of types and operations.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn queue(&mut self, connector: ConnectorId) -> Result<Queue, StoreError>;

    /// The free and held items of one kind after `after`, in order.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn queued(
        &mut self,
        connector: ConnectorId,
        object_type: Name,
        operation: Operation,
        after: Option<ItemId>,
        limit: usize,
    ) -> Result<Vec<QueuedItem>, StoreError>;

    /// Whether no import has shown an object of this type: what is there, if anything, we made.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn is_unseen(&mut self, connector: ConnectorId, object_type: Name) -> Result<bool, StoreError>;

    /// The content of management-space objects as hashes.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn space_hashes(&mut self, ids: &[SpaceId]) -> Result<Vec<Option<Hashed>>, StoreError>;

    /// Holds, newest first, before `before`.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn hold_list(
        &mut self,
        filter: &HoldFilter,
        before: Option<HoldId>,
        limit: usize,
    ) -> Result<Vec<HoldRow>, StoreError>;

    /// One hold.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn hold(&mut self, id: HoldId) -> Result<Option<HoldRow>, StoreError>;

    /// The changes of a hold in the order of subjects, after `after`.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn hold_items(
        &mut self,
        hold: HoldId,
        after: Option<i64>,
        limit: usize,
    ) -> Result<Vec<HoldItemRow>, StoreError>;
}

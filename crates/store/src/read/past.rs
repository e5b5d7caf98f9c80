//! What is asked about the past; objects as they were are walked back to in [`crate::past`].

use identitymesh_model::{ConnectorId, MeshId, RunId, SpaceId};

use crate::{ChangeRecord, LinkSpan, Moment, SpaceChange, SpaceIdentity, StoreError, StoredConfiguration};

/// What was, and what became of it.
pub trait PastReader {
    /// A management-space object's changes, newest first, before `before`.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn space_history(
        &mut self,
        space: SpaceId,
        before: Option<i64>,
        limit: usize,
    ) -> Result<Vec<SpaceChange>, StoreError>;

    /// The present moment in the history of management-space objects.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn moment(&mut self) -> Result<Moment, StoreError>;

    /// The management-space objects of which somebody decided after a change that they are gone.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn decided_gone(&mut self, after: i64) -> Result<Vec<SpaceId>, StoreError>;

    /// What management-space objects are or were, whatever became of them; `None` for one that never was.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn space_identities(&mut self, ids: &[SpaceId]) -> Result<Vec<Option<SpaceIdentity>>, StoreError>;

    /// All links that a mesh object has or had, by their objects and in time.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn link_history(&mut self, mesh: MeshId) -> Result<Vec<LinkSpan>, StoreError>;

    /// The changes of one run in the order of the chain, after `after`.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn run_changes(&mut self, run: RunId, after: i64, limit: usize) -> Result<Vec<ChangeRecord>, StoreError>;

    /// The rows that say of mesh objects that they went for good, in the order of the chain, after `after`.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn purges(&mut self, after: i64, limit: usize) -> Result<Vec<ChangeRecord>, StoreError>;

    /// Mesh objects that are gone for good and had this public id or anchor, newest first.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn mesh_find_gone(&mut self, called: &str, limit: usize) -> Result<Vec<MeshId>, StoreError>;

    /// The objects of a connector that are gone for good and had this external id last, newest first.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn space_find_gone(
        &mut self,
        connector: ConnectorId,
        external_id: &str,
    ) -> Result<Vec<SpaceId>, StoreError>;

    /// The configuration of one version, `None` when it is not kept any more.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn configuration_of(&mut self, version: i64) -> Result<Option<StoredConfiguration>, StoreError>;
}

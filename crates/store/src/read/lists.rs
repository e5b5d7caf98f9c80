//! What people ask: lists, counts and single things by the name that somebody gives them.

use identitymesh_model::{ConnectorId, ItemId, MeshId, RunId, SpaceId, Uid};

use crate::query::{
    ChangeRecord, CoverageRow, ItemFilter, ItemRow, MeshFilter, MeshRow, Page, SpaceFilter, SpaceRow, Totals,
};
use crate::{FindingRow, RunRow, SecretRow, StoreError, StoredConfiguration};

/// Lists, counts, and what has a name.
pub trait ListReader {
    /// The configuration in force.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn configuration(&mut self) -> Result<Option<StoredConfiguration>, StoreError>;

    /// The keys of all numbers ever given, with their numbers.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn numbers(&mut self) -> Result<Vec<(String, i64)>, StoreError>;

    /// Counts for an overview.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn totals(&mut self) -> Result<Totals, StoreError>;

    /// Mesh objects for a list.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn mesh_list(
        &mut self,
        filter: &MeshFilter,
        after: Option<MeshId>,
        limit: usize,
    ) -> Result<Page<MeshRow, MeshId>, StoreError>;

    /// Mesh objects that are called so: public id, anchor, or a join key, whatever its case.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn mesh_find(&mut self, called: &str, limit: usize) -> Result<Vec<MeshId>, StoreError>;

    /// The mesh object with this public id.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn mesh_by_uid(&mut self, uid: Uid) -> Result<Option<MeshId>, StoreError>;

    /// A mesh object's changes, newest first, before `before`.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn history(
        &mut self,
        mesh: MeshId,
        before: Option<i64>,
        limit: usize,
    ) -> Result<Vec<ChangeRecord>, StoreError>;

    /// All changes in the order of the chain, after `after`; for verification and export.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn changes(&mut self, after: i64, limit: usize) -> Result<Vec<ChangeRecord>, StoreError>;

    /// Management-space objects for a list.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn space_list(
        &mut self,
        filter: &SpaceFilter,
        after: Option<SpaceId>,
        limit: usize,
    ) -> Result<Page<SpaceRow, SpaceId>, StoreError>;

    /// The objects of a connector with this external id, one for each object type that has it.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn space_find(&mut self, connector: ConnectorId, external_id: &str) -> Result<Vec<SpaceId>, StoreError>;

    /// Queue items for a list.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn item_list(
        &mut self,
        filter: &ItemFilter,
        after: Option<ItemId>,
        limit: usize,
    ) -> Result<Page<ItemRow, ItemId>, StoreError>;

    /// Runs, newest first, before `before`.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn run_list(&mut self, before: Option<RunId>, limit: usize) -> Result<Vec<RunRow>, StoreError>;

    /// One run.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn run(&mut self, id: RunId) -> Result<Option<RunRow>, StoreError>;

    /// A run's findings in order, after `after`.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn findings(&mut self, run: RunId, after: i64, limit: usize) -> Result<Vec<FindingRow>, StoreError>;

    /// What the last reads that were to show everything proved, by connector and type.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn coverage_list(&mut self) -> Result<Vec<CoverageRow>, StoreError>;

    /// One secret's row, or all of them without their ciphertexts being of use to anybody.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn secrets(&mut self) -> Result<Vec<SecretRow>, StoreError>;

    /// A small named text that a front end keeps: which act of the demo was reached, for instance.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn note(&mut self, name: &str) -> Result<Option<String>, StoreError>;
}

//! Questions of people.

use identitymesh_model::{ConnectorId, ItemId, MeshId, RunId, SpaceId, Uid};
use identitymesh_store::{
    ChangeRecord, CoverageRow, FindingRow, ItemFilter, ItemRow, ListReader, MeshFilter, MeshRow, Page,
    RunRow, SecretRow, SpaceFilter, SpaceRow, StoreError, StoredConfiguration, Totals,
};

use crate::reader::session::SqliteReader;

impl ListReader for SqliteReader<'_> {
    fn configuration(&mut self) -> Result<Option<StoredConfiguration>, StoreError> {
        self.ask("reading the configuration", |loader| loader.configuration())
    }

    fn numbers(&mut self) -> Result<Vec<(String, i64)>, StoreError> {
        self.ask("reading numbers", |loader| loader.numbers())
    }

    fn totals(&mut self) -> Result<Totals, StoreError> {
        self.ask("counting", |loader| loader.totals())
    }

    fn mesh_list(
        &mut self,
        filter: &MeshFilter,
        after: Option<MeshId>,
        limit: usize,
    ) -> Result<Page<MeshRow, MeshId>, StoreError> {
        self.ask("listing mesh objects", |loader| loader.mesh_list(filter, after, limit))
    }

    fn mesh_find(&mut self, called: &str, limit: usize) -> Result<Vec<MeshId>, StoreError> {
        self.ask("finding mesh objects", |loader| loader.mesh_find(called, limit))
    }

    fn mesh_by_uid(&mut self, uid: Uid) -> Result<Option<MeshId>, StoreError> {
        self.ask("finding a mesh object", |loader| loader.mesh_by_uid(uid))
    }

    fn history(
        &mut self,
        mesh: MeshId,
        before: Option<i64>,
        limit: usize,
    ) -> Result<Vec<ChangeRecord>, StoreError> {
        self.ask("reading a history", |loader| loader.history(mesh, before, limit))
    }

    fn changes(&mut self, after: i64, limit: usize) -> Result<Vec<ChangeRecord>, StoreError> {
        self.ask("reading the audit", |loader| loader.changes(after, limit))
    }

    fn space_list(
        &mut self,
        filter: &SpaceFilter,
        after: Option<SpaceId>,
        limit: usize,
    ) -> Result<Page<SpaceRow, SpaceId>, StoreError> {
        self.ask("listing management-space objects", |loader| loader.space_list(filter, after, limit))
    }

    fn space_find(&mut self, connector: ConnectorId, external_id: &str) -> Result<Vec<SpaceId>, StoreError> {
        self.ask("finding a management-space object", |loader| loader.space_find(connector, external_id))
    }

    fn item_list(
        &mut self,
        filter: &ItemFilter,
        after: Option<ItemId>,
        limit: usize,
    ) -> Result<Page<ItemRow, ItemId>, StoreError> {
        self.ask("listing queue items", |loader| loader.item_list(filter, after, limit))
    }

    fn run_list(&mut self, before: Option<RunId>, limit: usize) -> Result<Vec<RunRow>, StoreError> {
        self.ask("listing runs", |loader| loader.run_list(before, limit))
    }

    fn run(&mut self, id: RunId) -> Result<Option<RunRow>, StoreError> {
        self.ask("reading a run", |loader| loader.run(id))
    }

    fn findings(&mut self, run: RunId, after: i64, limit: usize) -> Result<Vec<FindingRow>, StoreError> {
        self.ask("reading findings", |loader| loader.findings(run, after, limit))
    }

    fn coverage_list(&mut self) -> Result<Vec<CoverageRow>, StoreError> {
        self.ask("listing what imports proved", |loader| loader.coverage_list())
    }

    fn secrets(&mut self) -> Result<Vec<SecretRow>, StoreError> {
        self.ask("reading secrets", |loader| loader.secrets())
    }

    fn note(&mut self, name: &str) -> Result<Option<String>, StoreError> {
        self.ask("reading a note", |loader| loader.note(name))
    }
}

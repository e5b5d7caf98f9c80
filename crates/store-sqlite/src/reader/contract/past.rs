//! Questions about the past.

use identitymesh_model::{ConnectorId, MeshId, RunId, SpaceId};
use identitymesh_store::{
    ChangeRecord, LinkSpan, Moment, PastReader, SpaceChange, SpaceIdentity, StoreError, StoredConfiguration,
};

use crate::reader::session::SqliteReader;

impl PastReader for SqliteReader<'_> {
    fn space_history(
        &mut self,
        space: SpaceId,
        before: Option<i64>,
        limit: usize,
    ) -> Result<Vec<SpaceChange>, StoreError> {
        self.ask("reading the past of an object", |loader| loader.space_history(space, before, limit))
    }

    fn moment(&mut self) -> Result<Moment, StoreError> {
        self.ask("reading where history ends", |loader| loader.moment())
    }

    fn decided_gone(&mut self, after: i64) -> Result<Vec<SpaceId>, StoreError> {
        self.ask("reading what was decided to be gone", |loader| loader.decided_gone(after))
    }

    fn space_identities(&mut self, ids: &[SpaceId]) -> Result<Vec<Option<SpaceIdentity>>, StoreError> {
        self.ask("reading what objects were", |loader| loader.space_identities(ids))
    }

    fn link_history(&mut self, mesh: MeshId) -> Result<Vec<LinkSpan>, StoreError> {
        self.ask("reading past links", |loader| loader.link_history(mesh))
    }

    fn run_changes(&mut self, run: RunId, after: i64, limit: usize) -> Result<Vec<ChangeRecord>, StoreError> {
        self.ask("reading what a run changed", |loader| loader.run_changes(run, after, limit))
    }

    fn purges(&mut self, after: i64, limit: usize) -> Result<Vec<ChangeRecord>, StoreError> {
        self.ask("reading what is gone for good", |loader| loader.purges(after, limit))
    }

    fn mesh_find_gone(&mut self, called: &str, limit: usize) -> Result<Vec<MeshId>, StoreError> {
        self.ask("finding a mesh object that is gone", |loader| loader.mesh_find_gone(called, limit))
    }

    fn space_find_gone(
        &mut self,
        connector: ConnectorId,
        external_id: &str,
    ) -> Result<Vec<SpaceId>, StoreError> {
        self.ask("finding an object that is gone", |loader| loader.space_find_gone(connector, external_id))
    }

    fn configuration_of(&mut self, version: i64) -> Result<Option<StoredConfiguration>, StoreError> {
        self.ask("reading a configuration", |loader| loader.configuration_of(version))
    }
}

//! The contract's reading half, method by method: what is asked, and what it is called when it fails.

use identitymesh_model::plan::{IndexKey, Operation};
use identitymesh_model::{
    ConnectorId, HoldId, ItemId, MeshId, MeshView, Name, RunId, SpaceId, SpaceRecord, Text, Timestamp, Uid,
    Values,
};
use identitymesh_store::{
    ChangeRecord, Cursor, FindingRow, Hashed, HoldFilter, HoldItemRow, HoldRow, ItemFilter, ItemRow, Known,
    LinkSpan, MeshFilter, MeshRow, Page, PasswordDue, Queue, QueuedItem, Reader, Referred, RunRow, SecretRow,
    SpaceChange, SpaceFilter, SpaceIdentity, SpaceRow, StoreError, StoredConfiguration, Todo, Totals, Traced,
};

use super::session::SqliteReader;

impl Reader for SqliteReader<'_> {
    fn known(
        &mut self,
        connector: ConnectorId,
        object_type: Name,
        external_ids: &[&str],
    ) -> Result<Vec<Option<Known>>, StoreError> {
        self.ask("reading what is known of external ids", |loader| {
            loader.known(connector, object_type, external_ids)
        })
    }

    fn present(
        &mut self,
        connector: ConnectorId,
        object_type: Name,
        after: SpaceId,
        limit: usize,
    ) -> Result<Vec<SpaceId>, StoreError> {
        self.ask("reading the objects that are there", |loader| {
            loader.present(connector, object_type, after, limit)
        })
    }

    fn population(&mut self, connector: ConnectorId, object_type: Name) -> Result<u64, StoreError> {
        self.ask("counting a partition", |loader| loader.population(connector, object_type))
    }

    fn watermark(&mut self, connector: ConnectorId) -> Result<Option<String>, StoreError> {
        self.ask("reading a watermark", |loader| loader.watermark(connector))
    }

    fn cursor(&mut self, connector: ConnectorId) -> Result<Cursor, StoreError> {
        self.ask("reading a cursor", |loader| loader.cursor(connector))
    }

    fn pending(
        &mut self,
        connector: ConnectorId,
        after: Cursor,
        limit: usize,
        traced: Option<i64>,
    ) -> Result<Vec<(Cursor, SpaceRecord)>, StoreError> {
        self.ask("reading pending objects", |loader| loader.pending(connector, after, limit, traced))
    }

    fn traces(&mut self, ids: &[MeshId], rules: i64) -> Result<Vec<Option<Traced>>, StoreError> {
        self.ask("reading traces of large sets", |loader| loader.traces(ids, rules))
    }

    fn narrow_views(&mut self, asked: &[(MeshId, Vec<Uid>)]) -> Result<Vec<Option<MeshView>>, StoreError> {
        self.ask("reading mesh objects without all their members", |loader| loader.narrow_views(asked))
    }

    fn members(&mut self, id: MeshId) -> Result<Vec<(Name, Values)>, StoreError> {
        self.ask("reading the members of a mesh object", |loader| loader.members(id))
    }

    fn pending_count(&mut self, connector: ConnectorId, after: Cursor) -> Result<u64, StoreError> {
        self.ask("counting pending objects", |loader| loader.pending_count(connector, after))
    }

    fn spaces_after(
        &mut self,
        connector: ConnectorId,
        after: SpaceId,
        limit: usize,
    ) -> Result<Vec<SpaceRecord>, StoreError> {
        self.ask("reading a connector's objects", |loader| loader.spaces_after(connector, after, limit))
    }

    fn spaces(&mut self, ids: &[SpaceId]) -> Result<Vec<Option<SpaceRecord>>, StoreError> {
        self.ask("reading management-space objects", |loader| loader.spaces(ids))
    }

    fn mesh_after(&mut self, after: MeshId, limit: usize) -> Result<Vec<MeshId>, StoreError> {
        self.ask("reading ids of mesh objects", |loader| loader.mesh_after(after, limit))
    }

    fn views(&mut self, ids: &[MeshId]) -> Result<Vec<Option<MeshView>>, StoreError> {
        self.ask("reading mesh objects", |loader| loader.views(ids))
    }

    fn candidates(&mut self, keys: &[IndexKey]) -> Result<Vec<Vec<MeshId>>, StoreError> {
        self.ask("looking up join keys", |loader| loader.candidates(keys))
    }

    fn referred(
        &mut self,
        connector: ConnectorId,
        by_address: Option<i64>,
        references: &[Text],
    ) -> Result<Vec<Option<Referred>>, StoreError> {
        self.ask("resolving references", |loader| loader.referred(connector, by_address, references))
    }

    fn addresses(
        &mut self,
        connector: ConnectorId,
        address: Option<Name>,
        uids: &[Uid],
    ) -> Result<Vec<Option<Text>>, StoreError> {
        self.ask("looking up addresses", |loader| loader.addresses(connector, address, uids))
    }

    fn is_taken(&mut self, key: &IndexKey, except: MeshId) -> Result<bool, StoreError> {
        self.ask("looking up a name", |loader| loader.is_taken(key, except))
    }

    fn todos(&mut self, now: Timestamp, after: Option<Todo>, limit: usize) -> Result<Vec<Todo>, StoreError> {
        self.ask("reading the to-do list", |loader| loader.todos(now, after, limit))
    }

    fn passwords_due(
        &mut self,
        connector: Option<ConnectorId>,
        now: Option<Timestamp>,
        after: Option<SpaceId>,
        limit: usize,
    ) -> Result<Vec<PasswordDue>, StoreError> {
        self.ask("reading which passwords are owed", |loader| {
            loader.passwords_due(connector, now, after, limit)
        })
    }

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

    fn space_history(
        &mut self,
        space: SpaceId,
        before: Option<i64>,
        limit: usize,
    ) -> Result<Vec<SpaceChange>, StoreError> {
        self.ask("reading the past of an object", |loader| loader.space_history(space, before, limit))
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

    fn secrets(&mut self) -> Result<Vec<SecretRow>, StoreError> {
        self.ask("reading secrets", |loader| loader.secrets())
    }

    fn note(&mut self, name: &str) -> Result<Option<String>, StoreError> {
        self.ask("reading a note", |loader| loader.note(name))
    }
}

//! Questions of imports, syncs and exports.

use identitymesh_model::plan::IndexKey;
use identitymesh_model::{
    ConnectorId, Coverage, MeshCard, MeshId, MeshView, Name, Ruling, SpaceId, SpaceRecord, Text, Timestamp,
    Uid, Values,
};
use identitymesh_store::{
    Cursor, Known, Moment, PasswordDue, Reader, Referred, Referrer, StoreError, Todo, Traced,
};

use crate::reader::session::SqliteReader;

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

    fn settled(&mut self, connector: ConnectorId) -> Result<Option<Moment>, StoreError> {
        self.ask("reading since when references are in step", |loader| loader.settled(connector))
    }

    fn coverage(&mut self, connector: ConnectorId, object_type: Name) -> Result<Coverage, StoreError> {
        self.ask("reading whether imports were whole", |loader| loader.coverage(connector, object_type))
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

    fn unlinked_after(
        &mut self,
        connector: ConnectorId,
        after: SpaceId,
        limit: usize,
    ) -> Result<Vec<SpaceRecord>, StoreError> {
        self.ask("reading objects without a mesh object", |loader| {
            loader.unlinked_after(connector, after, limit)
        })
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

    fn traces(&mut self, ids: &[MeshId], rules: i64) -> Result<Vec<Option<Traced>>, StoreError> {
        self.ask("reading traces of large sets", |loader| loader.traces(ids, rules))
    }

    fn narrow_views(&mut self, asked: &[(MeshId, Vec<Uid>)]) -> Result<Vec<Option<MeshView>>, StoreError> {
        self.ask("reading mesh objects without all their members", |loader| loader.narrow_views(asked))
    }

    fn members(&mut self, id: MeshId) -> Result<Vec<(Name, Values)>, StoreError> {
        self.ask("reading the members of a mesh object", |loader| loader.members(id))
    }

    fn candidates(&mut self, keys: &[IndexKey]) -> Result<Vec<Vec<MeshId>>, StoreError> {
        self.ask("looking up join keys", |loader| loader.candidates(keys))
    }

    fn blocks(&mut self, keys: &[IndexKey], limit: usize) -> Result<Vec<Vec<MeshId>>, StoreError> {
        self.ask("looking up blocks", |loader| loader.blocks(keys, limit))
    }

    fn cards(&mut self, ids: &[MeshId]) -> Result<Vec<Option<MeshCard>>, StoreError> {
        self.ask("reading mesh objects to compare", |loader| loader.cards(ids))
    }

    fn rulings(&mut self, spaces: &[SpaceRecord]) -> Result<Vec<Vec<Ruling>>, StoreError> {
        self.ask("reading what was decided about objects", |loader| loader.rulings(spaces))
    }

    fn referred(
        &mut self,
        connector: ConnectorId,
        by_address: Option<i64>,
        references: &[Text],
    ) -> Result<Vec<Option<Referred>>, StoreError> {
        self.ask("resolving references", |loader| loader.referred(connector, by_address, references))
    }

    fn named(
        &mut self,
        connector: ConnectorId,
        index: i64,
        keys: &[Text],
    ) -> Result<Vec<Vec<SpaceId>>, StoreError> {
        self.ask("looking for everybody of a name", |loader| loader.named(connector, index, keys))
    }

    fn former_keys(&mut self, index: i64, ids: &[SpaceId]) -> Result<Vec<(SpaceId, Text)>, StoreError> {
        self.ask("looking for former names", |loader| loader.former_keys(index, ids))
    }

    fn bearers(
        &mut self,
        connector: ConnectorId,
        index: i64,
        keys: &[Text],
    ) -> Result<Vec<Option<SpaceId>>, StoreError> {
        self.ask("looking for whom references mean", |loader| loader.bearers(connector, index, keys))
    }

    fn referrers(
        &mut self,
        connector: ConnectorId,
        addresses: &[Text],
    ) -> Result<Vec<Vec<Referrer>>, StoreError> {
        self.ask("looking for who refers to addresses", |loader| loader.referrers(connector, addresses))
    }

    fn owners(
        &mut self,
        connector: ConnectorId,
        by_address: Option<i64>,
        references: &[Text],
    ) -> Result<Vec<Uid>, StoreError> {
        self.ask("looking for whom references lead to", |loader| {
            loader.owners(connector, by_address, references)
        })
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
}

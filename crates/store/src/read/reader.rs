//! What imports, syncs and exports ask.

use identitymesh_model::plan::IndexKey;
use identitymesh_model::{
    ConnectorId, Coverage, MeshCard, MeshId, MeshView, Name, Ruling, SpaceId, SpaceRecord, Text, Timestamp,
    Uid, Values,
};

use super::{
    Cursor, GuardReader, JoinReader, Known, ListReader, PastReader, Referred, Referrer, Todo, Traced,
};
use crate::{Moment, PasswordDue, StoreError};

/// A short, consistent read. All answers come in the order of the questions.
pub trait Reader: GuardReader + JoinReader + ListReader + PastReader {
    // ----- staging -----

    /// What is known of the objects with these external ids, which stand in byte order.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn known(
        &mut self,
        connector: ConnectorId,
        object_type: Name,
        external_ids: &[&str],
    ) -> Result<Vec<Option<Known>>, StoreError>;

    /// The ids of a partition's objects that are not marked as gone, after `after`, in order; for the anti-join
    /// that finds what was not seen.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn present(
        &mut self,
        connector: ConnectorId,
        object_type: Name,
        after: SpaceId,
        limit: usize,
    ) -> Result<Vec<SpaceId>, StoreError>;

    /// How many objects of a partition are not marked as gone.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn population(&mut self, connector: ConnectorId, object_type: Name) -> Result<u64, StoreError>;

    /// Where the next delta import starts, as JSON.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn watermark(&mut self, connector: ConnectorId) -> Result<Option<String>, StoreError>;

    /// When references of a connector's objects were last in step with the names of what they mean.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn settled(&mut self, connector: ConnectorId) -> Result<Option<Moment>, StoreError>;

    /// Whether what is known of a connector's objects of one type is what its system has: the last import of it ended
    /// well, and the last read that was to show everything was whole.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn coverage(&mut self, connector: ConnectorId, object_type: Name) -> Result<Coverage, StoreError>;

    // ----- sync -----

    /// How far syncs have come with a connector's touched objects.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn cursor(&mut self, connector: ConnectorId) -> Result<Cursor, StoreError>;

    /// Touched objects after `after` in the order of touching, with the place of each. Of objects whose mesh object
    /// was looked at as a whole under the configuration `traced`, sets of references are left out.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn pending(
        &mut self,
        connector: ConnectorId,
        after: Cursor,
        limit: usize,
        traced: Option<i64>,
    ) -> Result<Vec<(Cursor, SpaceRecord)>, StoreError>;

    /// How many touched objects there are after `after`.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn pending_count(&mut self, connector: ConnectorId, after: Cursor) -> Result<u64, StoreError>;

    /// A connector's objects by id, after `after`.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn spaces_after(
        &mut self,
        connector: ConnectorId,
        after: SpaceId,
        limit: usize,
    ) -> Result<Vec<SpaceRecord>, StoreError>;

    /// A connector's objects that belong to no mesh object, by id, after `after`. What this costs grows with those and
    /// hardly with the others.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn unlinked_after(
        &mut self,
        connector: ConnectorId,
        after: SpaceId,
        limit: usize,
    ) -> Result<Vec<SpaceRecord>, StoreError>;

    /// Single objects.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn spaces(&mut self, ids: &[SpaceId]) -> Result<Vec<Option<SpaceRecord>>, StoreError>;

    /// Ids of mesh objects after `after`, in order.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn mesh_after(&mut self, after: MeshId, limit: usize) -> Result<Vec<MeshId>, StoreError>;

    /// Mesh objects with everything that a plan for them has to know.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn views(&mut self, ids: &[MeshId]) -> Result<Vec<Option<MeshView>>, StoreError>;

    /// What is remembered of those mesh objects that have large sets of references, for a plan by the configuration
    /// `rules`.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn traces(&mut self, ids: &[MeshId], rules: i64) -> Result<Vec<Option<Traced>>, StoreError>;

    /// As [`Reader::views`], but of sets of references only what has to do with the members given for each object,
    /// with those whose address it waits for, and with a few others, so that a set that has any member shows some. Its
    /// trace names all of them; a view without one shows everything.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn narrow_views(&mut self, asked: &[(MeshId, Vec<Uid>)]) -> Result<Vec<Option<MeshView>>, StoreError>;

    /// The sets of references of a mesh object, in the order of names.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn members(&mut self, id: MeshId) -> Result<Vec<(Name, Values)>, StoreError>;

    /// The mesh objects that each key leads to.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn candidates(&mut self, keys: &[IndexKey]) -> Result<Vec<Vec<MeshId>>, StoreError>;

    /// The mesh objects that each key leads to, at most `limit` and one more, which says that there are too many.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn blocks(&mut self, keys: &[IndexKey], limit: usize) -> Result<Vec<Vec<MeshId>>, StoreError>;

    /// Mesh objects alone, without sets of references and what is around them.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn cards(&mut self, ids: &[MeshId]) -> Result<Vec<Option<MeshCard>>, StoreError>;

    /// What people decided about each of these objects and mesh objects that are there.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn rulings(&mut self, spaces: &[SpaceRecord]) -> Result<Vec<Vec<Ruling>>, StoreError>;

    /// The objects that references of one connector lead to. `by_address` is the index of addresses; without it
    /// references hold external ids.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn referred(
        &mut self,
        connector: ConnectorId,
        by_address: Option<i64>,
        references: &[Text],
    ) -> Result<Vec<Option<Referred>>, StoreError>;

    /// The management-space objects of a connector that are found under each key of an index, and where nobody is,
    /// the one that last was before it got another name: whom a reference in an old spelling means.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn bearers(
        &mut self,
        connector: ConnectorId,
        index: i64,
        keys: &[Text],
    ) -> Result<Vec<Option<SpaceId>>, StoreError>;

    /// All management-space objects of a connector that are found under each key of an index and not marked as gone.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn named(
        &mut self,
        connector: ConnectorId,
        index: i64,
        keys: &[Text],
    ) -> Result<Vec<Vec<SpaceId>>, StoreError>;

    /// Under which keys of an index these objects were found last before they got other names; only the last bearer of a
    /// key is remembered, and somebody else may have it by now.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn former_keys(&mut self, index: i64, ids: &[SpaceId]) -> Result<Vec<(SpaceId, Text)>, StoreError>;

    /// The objects of a connector that are not marked as gone and refer to each of these addresses or external ids, in
    /// whatever spelling. What this costs grows with them, and not with their other references.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn referrers(
        &mut self,
        connector: ConnectorId,
        addresses: &[Text],
    ) -> Result<Vec<Vec<Referrer>>, StoreError>;

    /// The mesh objects that have an object of this connector which is found under one of the references, also where
    /// several are, so that [`Reader::referred`] tells none.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn owners(
        &mut self,
        connector: ConnectorId,
        by_address: Option<i64>,
        references: &[Text],
    ) -> Result<Vec<Uid>, StoreError>;

    /// The addresses of mesh objects in one target: the value of `address` in their object there, without it the
    /// external id; `None` when the target does not hold them.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn addresses(
        &mut self,
        connector: ConnectorId,
        address: Option<Name>,
        uids: &[Uid],
    ) -> Result<Vec<Option<Text>>, StoreError>;

    /// Whether a name belongs to an object or queue item other than those of `except`.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn is_taken(&mut self, key: &IndexKey, except: MeshId) -> Result<bool, StoreError>;

    /// Entries of the to-do list that are due at `now`, after `after`, in order.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn todos(&mut self, now: Timestamp, after: Option<Todo>, limit: usize) -> Result<Vec<Todo>, StoreError>;

    // ----- passwords -----

    /// Passwords that are owed, of one target or of all, that are due at `now` where one is given, after `after` in the
    /// order of objects.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn passwords_due(
        &mut self,
        connector: Option<ConnectorId>,
        now: Option<Timestamp>,
        after: Option<SpaceId>,
        limit: usize,
    ) -> Result<Vec<PasswordDue>, StoreError>;
}

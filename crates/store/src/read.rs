//! What the runner and the engine ask a store.

use identitymesh_model::plan::{IndexKey, Operation};
use identitymesh_model::{
    ConnectorId, ContentHash, HoldId, ItemId, MeshId, MeshView, Name, RunId, SpaceId, SpaceRecord, Text,
    Timestamp, Trace, Uid, Values,
};

use crate::audit::ChangeRow;
use crate::query::{
    ChangeRecord, ItemFilter, ItemRow, MeshFilter, MeshRow, Page, SpaceFilter, SpaceRow, Totals,
};
use crate::{
    FindingRow, HoldFilter, HoldItemRow, HoldRow, LinkSpan, PasswordDue, Queue, QueuedItem, RunRow,
    SecretRow, SpaceChange, SpaceIdentity, StoreError, StoredConfiguration,
};

/// A place in the order in which a connector's objects were touched.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Cursor {
    /// The commit that touched the object.
    pub touched: i64,
    /// The object, among those of one commit.
    pub space: i64,
}

/// What staging has to know of an object to see whether it changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Known {
    /// Its id.
    pub id: SpaceId,
    /// The hash of its content.
    pub hash: ContentHash,
    /// It is marked as gone.
    pub deleted: bool,
    /// Something was exported to it at some time: staging has to compare it attribute by attribute.
    pub exported: bool,
    /// It was exported and no import has shown it since.
    pub unconfirmed: bool,
}

/// What a management-space object holds, in short.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hashed {
    /// The hash of its content.
    pub hash: ContentHash,
    /// The public id of its mesh object, when it has one.
    pub mesh: Option<Uid>,
}

/// The object that a reference leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Referred {
    /// The management-space object.
    pub space: SpaceId,
    /// Its mesh object, when it has one.
    pub mesh: Option<(MeshId, Uid)>,
}

/// An entry of the to-do list: something that a sync has to look at again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Todo {
    /// A management-space object without a mesh object.
    Space(SpaceId),
    /// A mesh object.
    Mesh(MeshId),
}

/// What is remembered of a mesh object with large sets of references.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Traced {
    /// The trace, as of a view of all members.
    pub trace: Trace,
    /// What happened since the sets were last looked at as a whole, where that is all that can have changed about
    /// them; `None` when they have to be looked at as a whole.
    pub news: Option<News>,
}

/// What happened to the sets of a mesh object.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct News {
    /// Edges of linked objects that came, went, or may lead elsewhere: the object with its connector and type, and
    /// the system's own address of the other.
    pub edges: Vec<(SpaceId, ConnectorId, Name, Text)>,
    /// Mesh objects whose place in the sets, or whose address in a target, may have changed.
    pub members: Vec<Uid>,
}

/// A short, consistent read. All answers come in the order of the questions.
pub trait Reader {
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
    /// and with a few others, so that a set that has any member shows some.
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

    // ----- the mass-change guard -----

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

    // ----- the past; see `past` for objects as they were -----

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

    // ----- people -----

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

/// The audit row of a stored change, to be hashed again.
impl From<&ChangeRecord> for ChangeRow {
    fn from(record: &ChangeRecord) -> Self {
        Self::new(
            record.mesh,
            record.uid,
            record.run,
            record.at,
            &record.actor,
            record.kind,
            record.connector,
            record.before.clone(),
            record.after,
        )
    }
}

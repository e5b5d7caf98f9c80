//! Its reading half: every question is a call that can fail, and what is asked for is counted.

use std::any::Any;

use identitymesh_model::joins::Member;
use identitymesh_model::plan::{IndexKey, Operation};
use identitymesh_model::{
    ConnectorId, Coverage, DecisionId, HoldId, ItemId, LinkMode, MeshCard, MeshId, MeshView, Name, Object,
    RuleId, Ruling, RunId, SpaceId, SpaceRecord, Text, Timestamp, Uid, Values,
};
use identitymesh_store::{
    ChangeRecord, CoverageRow, Cursor, FindingRow, GuardReader, Hashed, HoldFilter, HoldItemRow, HoldRow,
    ItemFilter, ItemRow, JoinDecisionRow, JoinReader, Known, LinkSpan, ListReader, MeshFilter, MeshRow,
    Moment, Page, PasswordDue, PastReader, Queue, QueuedItem, Reader, Referred, Referrer, RunRow, SecretRow,
    SpaceChange, SpaceFilter, SpaceIdentity, SpaceRow, StoreError, StoredConfiguration, Todo, Totals, Traced,
};

use super::Failing;

pub(super) struct FailingReader<'a> {
    pub(super) inner: Box<dyn Reader + 'a>,
    pub(super) store: &'a Failing,
}

/// How many things a part of a question names.
trait Things {
    fn count(&self) -> usize {
        1
    }
}

impl<T> Things for &[T] {
    fn count(&self) -> usize {
        self.len()
    }
}

impl<T> Things for Option<T> {}

macro_rules! one_thing {
    ($($kind:ty),+) => { $(impl Things for $kind {})+ };
}

one_thing!(
    ConnectorId,
    Cursor,
    HoldId,
    DecisionId,
    MeshId,
    Name,
    Operation,
    RunId,
    SpaceId,
    Timestamp,
    Uid,
    i64,
    usize,
    &str,
    &IndexKey,
    &HoldFilter,
    &ItemFilter,
    &MeshFilter,
    &SpaceFilter
);

fn values_in(answer: &dyn Any) -> usize {
    let of = |doc: &Object| doc.iter().map(|(_, values)| values.as_slice().len()).sum::<usize>();
    if let Some(views) = answer.downcast_ref::<Vec<Option<MeshView>>>() {
        let views = views.iter().flatten();
        views
            .map(|view| of(&view.record.doc) + view.linked.iter().map(|space| of(&space.doc)).sum::<usize>())
            .sum()
    } else if let Some(pending) = answer.downcast_ref::<Vec<(Cursor, SpaceRecord)>>() {
        pending.iter().map(|(_, space)| of(&space.doc)).sum()
    } else {
        0
    }
}

fn forget_news(answer: &mut dyn Any) {
    if let Some(traces) = answer.downcast_mut::<Vec<Option<Traced>>>() {
        traces.iter_mut().flatten().for_each(|traced| traced.news = None);
    }
}

/// Every question counts as a call of its own.
macro_rules! ask {
    ($contract:ident: $($name:ident($($argument:ident: $kind:ty),*) -> $answer:ty;)+) => {
        impl $contract for FailingReader<'_> {
            $(
                fn $name(&mut self, $($argument: $kind),*) -> Result<$answer, StoreError> {
                    self.store.read_fate()?;
                    let things = [1, $($argument.count()),*].into_iter().max().unwrap_or(1);
                    let mut answer: $answer = self.inner.$name($($argument),*)?;
                    let mut state = self.store.control.state();
                    if state.shows_all {
                        forget_news(&mut answer);
                    }
                    *state.asked.things.entry(stringify!($name)).or_default() += things;
                    state.asked.values += values_in(&answer);
                    Ok(answer)
                }
            )+
        }
    };
}

ask! {
    Reader:
    known(connector: ConnectorId, object_type: Name, external_ids: &[&str]) -> Vec<Option<Known>>;
    present(connector: ConnectorId, object_type: Name, after: SpaceId, limit: usize) -> Vec<SpaceId>;
    population(connector: ConnectorId, object_type: Name) -> u64;
    watermark(connector: ConnectorId) -> Option<String>;
    settled(connector: ConnectorId) -> Option<Moment>;
    coverage(connector: ConnectorId, object_type: Name) -> Coverage;
    cursor(connector: ConnectorId) -> Cursor;
    pending(connector: ConnectorId, after: Cursor, limit: usize, traced: Option<i64>) -> Vec<(Cursor, SpaceRecord)>;
    pending_count(connector: ConnectorId, after: Cursor) -> u64;
    spaces_after(connector: ConnectorId, after: SpaceId, limit: usize) -> Vec<SpaceRecord>;
    unlinked_after(connector: ConnectorId, after: SpaceId, limit: usize) -> Vec<SpaceRecord>;
    spaces(ids: &[SpaceId]) -> Vec<Option<SpaceRecord>>;
    mesh_after(after: MeshId, limit: usize) -> Vec<MeshId>;
    views(ids: &[MeshId]) -> Vec<Option<MeshView>>;
    traces(ids: &[MeshId], rules: i64) -> Vec<Option<Traced>>;
    narrow_views(asked: &[(MeshId, Vec<Uid>)]) -> Vec<Option<MeshView>>;
    members(id: MeshId) -> Vec<(Name, Values)>;
    candidates(keys: &[IndexKey]) -> Vec<Vec<MeshId>>;
    blocks(keys: &[IndexKey], limit: usize) -> Vec<Vec<MeshId>>;
    cards(ids: &[MeshId]) -> Vec<Option<MeshCard>>;
    rulings(spaces: &[SpaceRecord]) -> Vec<Vec<Ruling>>;
    referred(connector: ConnectorId, by_address: Option<i64>, references: &[Text]) -> Vec<Option<Referred>>;
    bearers(connector: ConnectorId, index: i64, keys: &[Text]) -> Vec<Option<SpaceId>>;
    named(connector: ConnectorId, index: i64, keys: &[Text]) -> Vec<Vec<SpaceId>>;
    former_keys(index: i64, ids: &[SpaceId]) -> Vec<(SpaceId, Text)>;
    referrers(connector: ConnectorId, addresses: &[Text]) -> Vec<Vec<Referrer>>;
    owners(connector: ConnectorId, by_address: Option<i64>, references: &[Text]) -> Vec<Uid>;
    addresses(connector: ConnectorId, address: Option<Name>, uids: &[Uid]) -> Vec<Option<Text>>;
    is_taken(key: &IndexKey, except: MeshId) -> bool;
    todos(now: Timestamp, after: Option<Todo>, limit: usize) -> Vec<Todo>;
    passwords_due(
        connector: Option<ConnectorId>,
        now: Option<Timestamp>,
        after: Option<SpaceId>,
        limit: usize
    ) -> Vec<PasswordDue>;
}

ask! {
    GuardReader:
    queue(connector: ConnectorId) -> Queue;
    queued(
        connector: ConnectorId,
        object_type: Name,
        operation: Operation,
        after: Option<ItemId>,
        limit: usize
    ) -> Vec<QueuedItem>;
    is_unseen(connector: ConnectorId, object_type: Name) -> bool;
    space_hashes(ids: &[SpaceId]) -> Vec<Option<Hashed>>;
    hold_list(filter: &HoldFilter, before: Option<HoldId>, limit: usize) -> Vec<HoldRow>;
    hold(id: HoldId) -> Option<HoldRow>;
    hold_items(hold: HoldId, after: Option<i64>, limit: usize) -> Vec<HoldItemRow>;
}

ask! {
    JoinReader:
    conflicts(connector: Option<ConnectorId>, after: Option<SpaceId>, limit: usize) -> Vec<SpaceRow>;
    rulings_of(members: &[Member]) -> Vec<Vec<(Uid, bool)>>;
    rulings_on(mesh: Uid) -> Vec<(Member, bool)>;
    links_by_rule() -> Vec<(RuleId, LinkMode, u64)>;
    decision_list(before: Option<DecisionId>, limit: usize) -> Vec<JoinDecisionRow>;
    decision(id: DecisionId) -> Option<JoinDecisionRow>;
}

ask! {
    ListReader:
    configuration() -> Option<StoredConfiguration>;
    numbers() -> Vec<(String, i64)>;
    totals() -> Totals;
    mesh_list(filter: &MeshFilter, after: Option<MeshId>, limit: usize) -> Page<MeshRow, MeshId>;
    mesh_find(called: &str, limit: usize) -> Vec<MeshId>;
    mesh_by_uid(uid: Uid) -> Option<MeshId>;
    history(mesh: MeshId, before: Option<i64>, limit: usize) -> Vec<ChangeRecord>;
    changes(after: i64, limit: usize) -> Vec<ChangeRecord>;
    space_list(filter: &SpaceFilter, after: Option<SpaceId>, limit: usize) -> Page<SpaceRow, SpaceId>;
    space_find(connector: ConnectorId, external_id: &str) -> Vec<SpaceId>;
    item_list(filter: &ItemFilter, after: Option<ItemId>, limit: usize) -> Page<ItemRow, ItemId>;
    run_list(before: Option<RunId>, limit: usize) -> Vec<RunRow>;
    run(id: RunId) -> Option<RunRow>;
    findings(run: RunId, after: i64, limit: usize) -> Vec<FindingRow>;
    coverage_list() -> Vec<CoverageRow>;
    secrets() -> Vec<SecretRow>;
    note(name: &str) -> Option<String>;
}

ask! {
    PastReader:
    space_history(space: SpaceId, before: Option<i64>, limit: usize) -> Vec<SpaceChange>;
    moment() -> Moment;
    decided_gone(after: i64) -> Vec<SpaceId>;
    space_identities(ids: &[SpaceId]) -> Vec<Option<SpaceIdentity>>;
    link_history(mesh: MeshId) -> Vec<LinkSpan>;
    run_changes(run: RunId, after: i64, limit: usize) -> Vec<ChangeRecord>;
    purges(after: i64, limit: usize) -> Vec<ChangeRecord>;
    mesh_find_gone(called: &str, limit: usize) -> Vec<MeshId>;
    space_find_gone(connector: ConnectorId, external_id: &str) -> Vec<SpaceId>;
    configuration_of(version: i64) -> Option<StoredConfiguration>;
}

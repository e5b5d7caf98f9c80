//! The state around the objects at hand, as the store has it once everything before is written.

use std::panic::resume_unwind;
use std::thread;

use identitymesh_engine::{Neighbours, Referred};
use identitymesh_model::plan::IndexKey;
use identitymesh_model::{
    ConnectorId, Coverage, FormerLink, MeshCard, MeshId, MeshView, Name, Ruling, SpaceRecord, Text, Trace,
    Uid, Values,
};
use identitymesh_store::past::former_links;
use identitymesh_store::{Reader, Store, StoreError};

use super::in_flight::InFlight;
use crate::force::InForce;

/// How many ids for new mesh objects are taken from the store at once.
const IDS_RESERVED: u64 = 10_000;
/// Fewest questions for which one more thread asks the store.
const QUESTIONS_MIN: usize = 250;

/// Ids for new mesh objects, taken from the store in rows.
#[derive(Default)]
pub(crate) struct MeshIds {
    next: i64,
    end: i64,
}

impl MeshIds {
    pub(crate) fn take(&mut self, store: &dyn Store) -> Result<MeshId, StoreError> {
        if self.next == self.end {
            self.next = store.reserve_mesh_ids(IDS_RESERVED)?.0;
            self.end = self.next + i64::try_from(IDS_RESERVED).expect("a small constant");
        }
        let id = MeshId(self.next);
        self.next += 1;
        Ok(id)
    }
}

/// Answers from a store, waiting for parts in flight where a question touches them.
pub(super) struct StoreNeighbours<'a> {
    pub(super) store: &'a dyn Store,
    pub(super) in_force: &'a InForce,
    pub(super) in_flight: &'a mut InFlight,
    pub(super) ids: &'a mut MeshIds,
    /// Whether views may leave members of traced mesh objects out.
    pub(super) narrows: bool,
    /// How many threads ask.
    pub(super) threads: usize,
    reader: Option<Box<dyn Reader + 'a>>,
}

impl<'a> StoreNeighbours<'a> {
    pub(super) fn new(
        store: &'a dyn Store,
        in_force: &'a InForce,
        in_flight: &'a mut InFlight,
        ids: &'a mut MeshIds,
    ) -> Self {
        Self { store, in_force, in_flight, ids, narrows: false, threads: 1, reader: None }
    }

    /// A reader that sees what has been written, after everything if `wait` says so.
    pub(super) fn reader(&mut self, wait: bool) -> Result<&mut (dyn Reader + 'a), StoreError> {
        if wait {
            self.reader = None;
            self.in_flight.drain()?;
        }
        if self.reader.is_none() {
            self.reader = Some(self.store.read()?);
        }
        Ok(self.reader.as_mut().expect("it was opened above").as_mut())
    }
}

impl StoreNeighbours<'_> {
    /// Asks many questions, on several threads where that pays. Each thread has a reader of its own, which may see
    /// what somebody else wrote a moment later; whoever writes it has it looked at again.
    fn ask<Q: Sync, A: Send>(
        &mut self,
        questions: &[Q],
        wait: bool,
        ask: impl Fn(&mut dyn Reader, &[Q]) -> Result<Vec<A>, StoreError> + Sync,
    ) -> Result<Vec<A>, StoreError> {
        let (store, threads) = (self.store, self.threads);
        let reader = self.reader(wait)?;
        let parts = (questions.len() / QUESTIONS_MIN).clamp(1, threads);
        let (own, others) = questions.split_at(questions.len().div_ceil(parts));
        if others.is_empty() {
            return ask(reader, own);
        }
        let ask = &ask;
        thread::scope(|scope| {
            let others: Vec<_> = others
                .chunks(own.len())
                .map(|part| scope.spawn(move || ask(store.read()?.as_mut(), part)))
                .collect();
            let mut answers = ask(reader, own)?;
            for other in others {
                answers.extend(other.join().unwrap_or_else(|panic| resume_unwind(panic))?);
            }
            Ok(answers)
        })
    }
}

impl Neighbours for StoreNeighbours<'_> {
    type Error = StoreError;

    fn new_mesh_id(&mut self) -> Result<MeshId, StoreError> {
        self.ids.take(self.store)
    }

    fn candidates(&mut self, keys: &[IndexKey]) -> Result<Vec<Vec<MeshId>>, StoreError> {
        let wait = self.in_flight.touches_keys(keys);
        self.ask(keys, wait, |reader, keys| reader.candidates(keys))
    }

    fn blocks(&mut self, keys: &[IndexKey], limit: usize) -> Result<Vec<Vec<MeshId>>, StoreError> {
        let wait = self.in_flight.touches_keys(keys);
        self.reader(wait)?.blocks(keys, limit)
    }

    fn cards(&mut self, ids: &[MeshId]) -> Result<Vec<Option<MeshCard>>, StoreError> {
        let wait = self.in_flight.touches_meshes(ids);
        self.reader(wait)?.cards(ids)
    }

    fn rulings(&mut self, spaces: &[SpaceRecord]) -> Result<Vec<Vec<Ruling>>, StoreError> {
        // A sync decides nothing, so nothing on its way can change them.
        self.reader(false)?.rulings(spaces)
    }

    fn former(&mut self, spaces: &[SpaceRecord]) -> Result<Vec<Option<FormerLink>>, StoreError> {
        // Few are asked about, and a link may end in any part on its way.
        former_links(self.reader(true)?, spaces, None)
    }

    fn views(&mut self, ids: &[MeshId]) -> Result<Vec<Option<MeshView>>, StoreError> {
        let wait = self.in_flight.touches_meshes(ids);
        let version = self.in_force.version;
        let mut traces = self.reader(wait)?.traces(ids, version)?;
        if !self.narrows {
            traces.iter_mut().flatten().for_each(|traced| traced.news = None);
        }
        if traces.iter().all(Option::is_none) {
            return self.ask(ids, false, |reader, ids| reader.views(ids));
        }
        let whole: Vec<usize> = (0..ids.len())
            .filter(|at| traces[*at].as_ref().is_none_or(|traced| traced.news.is_none()))
            .collect();
        let asked: Vec<MeshId> = whole.iter().map(|at| ids[*at]).collect();
        let mut views: Vec<Option<MeshView>> = ids.iter().map(|_| None).collect();
        for (at, view) in whole.into_iter().zip(self.reader(false)?.views(&asked)?) {
            views[at] = view;
        }
        for (at, traced) in traces.into_iter().enumerate() {
            let Some(traced) = traced else { continue };
            if let Some(news) = traced.news {
                views[at] = self.narrow_view(ids[at], news)?;
            }
            if let Some(view) = &mut views[at] {
                let shown = view.trace.take().and_then(|trace| trace.shown);
                view.trace = Some(Trace { shown, ..traced.trace });
            }
        }
        Ok(views)
    }

    fn whole_views(&mut self, ids: &[MeshId]) -> Result<Vec<Option<MeshView>>, StoreError> {
        self.reader(false)?.views(ids)
    }

    fn members(&mut self, id: MeshId) -> Result<Vec<(Name, Values)>, StoreError> {
        self.reader(false)?.members(id)
    }

    fn referred(
        &mut self,
        connector: ConnectorId,
        by_address: Option<i64>,
        references: &[Text],
    ) -> Result<Vec<Option<Referred>>, StoreError> {
        // A sync makes no management-space object and gives none another address, so what the store finds is right;
        // only whose it is may be on its way.
        let found = self.ask(references, false, |reader, references| {
            reader.referred(connector, by_address, references)
        })?;
        let in_flight = &*self.in_flight;
        let found = found.into_iter().map(|found| {
            found.map(|found| {
                let written = found.mesh.map(|(_, uid)| uid);
                Referred { space: found.space, mesh: in_flight.owner(found.space).unwrap_or(written) }
            })
        });
        Ok(found.collect())
    }

    fn addresses(
        &mut self,
        connector: ConnectorId,
        address: Option<Name>,
        uids: &[Uid],
    ) -> Result<Vec<Option<Text>>, StoreError> {
        let wait = self.in_flight.touches_links_of(uids);
        self.ask(uids, wait, |reader, uids| reader.addresses(connector, address, uids))
    }

    fn coverage(&mut self, connector: ConnectorId, object_type: Name) -> Result<Coverage, StoreError> {
        // Imports are not part of what is on its way.
        self.reader(false)?.coverage(connector, object_type)
    }

    fn is_taken(&mut self, key: &IndexKey, except: MeshId) -> Result<bool, StoreError> {
        let wait = self.in_flight.touches_name(key);
        self.reader(wait)?.is_taken(key, except)
    }
}

//! One read in pages, with the faults that were asked for.

use std::collections::BTreeMap;

use identitymesh_connector::{Certificate, Change, ImportRequest, ImportedObject, Page, Progress};
use identitymesh_model::Name;

use crate::faults::ReadFaults;
use crate::generated::Generator;
use crate::lies::{halved, shuffled};
use crate::session::watermark;
use crate::state::State;

/// A read that is under way.
pub(crate) struct Reading {
    /// Changes with the number that a watermark after them would have.
    source: std::iter::Peekable<Box<dyn Iterator<Item = (u64, Change)> + Send>>,
    full: bool,
    /// Where the next delta starts.
    end: u64,
    /// Delivered and expected objects by type, in a full read.
    counts: BTreeMap<Name, (u64, Option<u64>)>,
    page_size: usize,
    pages: u64,
    delivered: u64,
    repeat: Option<Page>,
    ended: bool,
    faults: ReadFaults,
}

/// What the next call gives.
pub(crate) enum Turn {
    Page(Page),
    End,
    Closed,
    Hang,
}

impl Reading {
    pub(crate) fn stored(
        state: &State,
        key: Option<Name>,
        request: &ImportRequest,
        faults: ReadFaults,
    ) -> Self {
        let end = state.sequence();
        let of_types = state.objects().filter(|object| request.object_types.contains(&object.object_type));
        let mut objects: Vec<ImportedObject> = of_types.collect();
        if faults.half_rows {
            objects = halved(objects);
        }
        if let Some(key) = key.filter(|_| faults.shuffled_keys) {
            objects = shuffled(objects, key);
        }
        let objects = objects.into_iter();
        let changes: Vec<(u64, Change)> = objects.map(|object| (end, Change::Upsert(object))).collect();
        let mut counts: BTreeMap<Name, (u64, Option<u64>)> =
            request.object_types.iter().map(|object_type| (*object_type, (0, Some(0)))).collect();
        for (_, change) in &changes {
            if let Some((_, Some(expected))) = counts.get_mut(&change.subject().0) {
                *expected += 1;
            }
        }
        Self::start(Box::new(changes.into_iter()), Some(counts), end, request, faults)
    }

    pub(crate) fn generated(generator: Generator, request: &ImportRequest, faults: ReadFaults) -> Self {
        let end = generator.epoch();
        let counts =
            request.object_types.iter().map(|name| (*name, (0, Some(generator.count(*name))))).collect();
        let source = generator.read(&request.object_types).map(move |change| (end, change));
        Self::start(Box::new(source), Some(counts), end, request, faults)
    }

    pub(crate) fn delta(
        changes: impl Iterator<Item = (u64, Change)> + Send + 'static,
        end: u64,
        request: &ImportRequest,
        faults: ReadFaults,
    ) -> Self {
        Self::start(Box::new(changes), None, end, request, faults)
    }

    fn start(
        source: Box<dyn Iterator<Item = (u64, Change)> + Send>,
        counts: Option<BTreeMap<Name, (u64, Option<u64>)>>,
        end: u64,
        request: &ImportRequest,
        faults: ReadFaults,
    ) -> Self {
        let full = counts.is_some();
        let mut counts = counts.unwrap_or_default();
        let source: Box<dyn Iterator<Item = (u64, Change)> + Send> = if faults.zero_rows {
            // The system itself believes that there is nothing: that is what makes this fault dangerous.
            counts.values_mut().for_each(|(_, expected)| *expected = None);
            Box::new(std::iter::empty())
        } else {
            source
        };
        Self {
            source: source.peekable(),
            full,
            end,
            counts,
            page_size: request.page_size_max.max(1),
            pages: 0,
            delivered: 0,
            repeat: None,
            ended: false,
            faults,
        }
    }

    pub(crate) fn turn(&mut self) -> Turn {
        if let Some(page) = self.repeat.take() {
            return Turn::Page(page);
        }
        if self.ended {
            return Turn::End;
        }
        self.pages += 1;
        if self.faults.hang_page == Some(self.pages) {
            return Turn::Hang;
        }
        if self.faults.close_page == Some(self.pages) {
            return Turn::Closed;
        }
        let page = self.page();
        if self.faults.lose_page == Some(self.pages) {
            return Turn::Page(Page { changes: Vec::new(), ..page });
        }
        if self.faults.repeat_page == Some(self.pages) {
            // What ends a read stands on the second copy only.
            self.repeat = Some(page.clone());
            return Turn::Page(Page { certificates: Vec::new(), watermark: None, ..page });
        }
        Turn::Page(page)
    }

    fn page(&mut self) -> Page {
        let mut changes = Vec::with_capacity(self.page_size.min(10_000));
        let mut resume = self.end;
        while changes.len() < self.page_size {
            let Some((sequence, change)) = self.source.next() else { break };
            resume = sequence;
            self.delivered += 1;
            let twice =
                self.faults.duplicate_every.is_some_and(|n| n > 0 && self.delivered.is_multiple_of(n));
            let copies = if twice { 2 } else { 1 };
            if let Some((delivered, expected)) = self.counts.get_mut(&change.subject().0) {
                *delivered += copies;
                // A system that repeats an entry counts it twice as well.
                *expected = expected.map(|expected| expected + copies - 1);
            }
            if twice {
                changes.push(change.clone());
            }
            changes.push(change);
        }
        self.ended = self.source.peek().is_none();
        let watermark = match (self.ended, self.full) {
            (true, _) => Some(watermark(self.end)),
            // Changes come in the order of their numbers, so what is resumed here has missed nothing.
            (false, false) => Some(watermark(resume)),
            (false, true) => None,
        };
        let certificates = if self.ended && self.full { self.certificates() } else { Vec::new() };
        let progress = Progress { done: self.delivered, total: None };
        Page { changes, watermark, certificates, progress, ..Page::default() }
    }

    fn certificates(&self) -> Vec<Certificate> {
        let certificate = |(object_type, (objects, expected)): (&Name, &(u64, Option<u64>))| Certificate {
            object_type: *object_type,
            objects: *objects,
            expected: *expected,
            gaps: Vec::new(),
        };
        self.counts.iter().map(certificate).collect()
    }
}

//! A full import: one paged search per object type, one after the other on one connection.
//!
//! While a page is converted the next is under way, and never more than one. A type is certified only when its last
//! page came without an error; a limit of the server, a reference to another server, an entry without an id or one
//! that came twice is a gap. Specification: sync semantics, section 2.

use std::collections::{HashSet, VecDeque};
use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;

use async_trait::async_trait;
use identitymesh_connector::{Certificate, Change, Class, ConnectorError, Page, Progress, Watermark};
use tokio::task::JoinHandle;

use crate::delta::{Around, Pages};
use crate::error;
use crate::ranges;
use crate::read;
use crate::result;
use crate::schema::{DOMAIN_SCOPE, PAGED_RESULTS, TypeMap};
use crate::scope::Scope;
use crate::settings::Config;
use crate::transport::{Bytes, Control, Failure, Found, PageRequest, Reach, Search, Transport};

/// Pages in a row that bring nothing new before the server is taken to run in circles.
pub(crate) const PAGES_WITHOUT_NEWS_MAX: u32 = 64;
/// Most reasons in one certificate.
const GAP_COUNT_MAX: usize = 20;

/// An import under way.
pub(crate) struct Reading {
    transport: Arc<dyn Transport>,
    config: Arc<Config>,
    pages_offered: bool,
    controls: Vec<Control>,
    page_size: i32,
    waiting: VecDeque<Arc<TypeMap>>,
    current: Option<Partition>,
    done: u64,
    /// Where a delta can start after this read; gone as soon as something was missed.
    mark: Option<Watermark>,
    /// Why this server may not show everything that there is.
    doubt: Option<String>,
}

struct Partition {
    map: Arc<TypeMap>,
    /// Hashes of the ids seen. Two ids with the same hash would only make a gap too many.
    seen: HashSet<u64>,
    hasher: RandomState,
    objects: u64,
    gaps: Vec<String>,
    pages_without_news: u32,
    next: Pending,
}

/// A page under way; dropping it stops waiting for it.
struct Pending(JoinHandle<Result<Found, Failure>>);

impl Drop for Pending {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Reading {
    /// Starts reading the first type. The mark, taken before, goes with the last page if everything was complete; a doubt
    /// says of every type why it is not.
    pub(crate) fn new(around: Around, mark: Option<Watermark>, doubt: Option<String>) -> Self {
        let mut reading = Self {
            pages_offered: around.directory.offers(PAGED_RESULTS),
            controls: around
                .directory
                .offers(DOMAIN_SCOPE)
                .then(|| Control::flag(DOMAIN_SCOPE))
                .into_iter()
                .collect(),
            page_size: i32::try_from(around.page_size).unwrap_or(i32::MAX),
            transport: around.transport,
            config: around.config,
            waiting: around.types.into(),
            current: None,
            done: 0,
            mark,
            doubt,
        };
        reading.begin_next_type();
        reading
    }

    fn begin_next_type(&mut self) {
        self.current = self.waiting.pop_front().map(|map| Partition {
            next: self.ask(&map, Bytes::new()),
            map,
            seen: HashSet::new(),
            hasher: RandomState::new(),
            objects: 0,
            gaps: self.doubt.clone().into_iter().collect(),
            pages_without_news: 0,
        });
    }

    fn ask(&self, map: &TypeMap, cookie: Bytes) -> Pending {
        let search = Search {
            base: map.config.base.clone(),
            reach: Reach::Subtree,
            filter: map.config.filter.clone(),
            attributes: Arc::clone(&map.wanted),
            page: self.pages_offered.then_some(PageRequest { size: self.page_size, cookie }),
            controls: self.controls.clone(),
        };
        let transport = Arc::clone(&self.transport);
        Pending(tokio::spawn(async move { transport.search(&search).await }))
    }
}

#[async_trait]
impl Pages for Reading {
    async fn next_page(&mut self) -> Result<Option<Page>, ConnectorError> {
        let Some(mut partition) = self.current.take() else { return Ok(None) };
        let what = format!("reading {}", partition.map.config.name);
        let answered = (&mut partition.next.0).await.map_err(|source| {
            ConnectorError::new(error::LOST, Class::Transient, format!("{what}: the page was given up"))
                .caused_by(source)
        })?;
        let mut found = answered.map_err(|failure| error::no_answer(&what, failure))?;
        let stopped = partition.judge(&what, &found)?;
        let has_more = !found.cookie.is_empty() && !stopped;
        if has_more {
            partition.next = self.ask(&partition.map, found.cookie.clone());
        }
        for entry in found.entries.iter_mut().filter(|entry| ranges::is_partial(entry)) {
            let name = entry.dn.clone();
            if !ranges::complete(self.transport.as_ref(), &name, entry).await? {
                partition.gap(format!("{name} went away or was renamed while it was read"));
            }
        }
        let mut page = partition.convert(&self.config.scope, &self.config.empty_member, &found)?;
        self.done += found.entries.len() as u64;
        page.progress = Progress { done: self.done, total: None };
        if has_more {
            self.current = Some(partition);
        } else {
            let certificate = partition.certificate();
            if !certificate.is_complete() {
                self.mark = None;
            }
            page.certificates.push(certificate);
            self.begin_next_type();
            if self.current.is_none() {
                page.watermark = self.mark.take();
            }
        }
        Ok(Some(page))
    }
}

/// A full import with a mark, which tells at its end how far it has told.
pub(crate) struct Everything {
    reading: Reading,
    around: Around,
}

impl Everything {
    /// As [`Reading::new`].
    pub(crate) fn new(around: Around, mark: Option<Watermark>, doubt: Option<String>) -> Self {
        Self { reading: Reading::new(around.clone(), mark, doubt), around }
    }
}

#[async_trait]
impl Pages for Everything {
    async fn next_page(&mut self) -> Result<Option<Page>, ConnectorError> {
        let Some(mut page) = self.reading.next_page().await? else { return Ok(None) };
        if let (Some(mark), Some(delta)) = (page.watermark.take(), self.around.directory.dialect.delta()) {
            page.watermark = Some(delta.all_told(&self.around, mark).await?);
        }
        Ok(Some(page))
    }
}

impl Partition {
    /// Whether the server stopped short of the end, or an error when nothing was read at all.
    fn judge(&mut self, what: &str, found: &Found) -> Result<bool, ConnectorError> {
        for reference in &found.references {
            self.gap(format!(
                "the part of the tree at {reference} was not read: the server refers to another"
            ));
        }
        match found.answer.code {
            result::SUCCESS => Ok(false),
            // Limits of the server: what was read is right, what was not read is not gone.
            3 | result::SIZE_LIMIT_EXCEEDED | 11 => {
                let said = result::in_words(&found.answer);
                self.gap(format!(
                    "the server stopped after {} entries: {said}",
                    self.objects + found.entries.len() as u64
                ));
                Ok(true)
            }
            _ => Err(error::search_refused(what, &self.map.config.base, &found.answer)),
        }
    }

    fn convert(&mut self, scope: &Scope, empty_member: &str, found: &Found) -> Result<Page, ConnectorError> {
        let mut page = Page::default();
        let mut has_news = false;
        for entry in &found.entries {
            if !scope.contains(&entry.dn) {
                has_news |= self.is_new(&entry.dn);
                continue;
            }
            self.objects += 1;
            let read = read::entry(&self.map, empty_member, entry);
            page.findings.extend(read.findings);
            let Some(object) = read.object else {
                has_news |= self.is_new(&entry.dn);
                self.gap(format!("{} could not be identified", entry.dn));
                continue;
            };
            if self.is_new(&object.external_id) {
                has_news = true;
            } else {
                self.gap(format!("{} came twice", entry.dn));
            }
            page.changes.push(Change::Upsert(object));
        }
        self.pages_without_news = if has_news { 0 } else { self.pages_without_news + 1 };
        if self.pages_without_news > PAGES_WITHOUT_NEWS_MAX {
            let message = format!("{PAGES_WITHOUT_NEWS_MAX} pages in a row brought nothing new");
            return Err(ConnectorError::new(error::REPEATS, Class::Data, message)
                .advice("the server repeats pages: lower page_size, or read from another server"));
        }
        Ok(page)
    }

    fn is_new(&mut self, id: &str) -> bool {
        self.seen.insert(self.hasher.hash_one(id))
    }

    fn gap(&mut self, reason: String) {
        if self.gaps.len() < GAP_COUNT_MAX {
            self.gaps.push(reason);
        }
    }

    fn certificate(self) -> Certificate {
        let Self { map, objects, gaps, .. } = self;
        Certificate { object_type: map.config.name, objects, expected: None, gaps }
    }
}

//! What changed since a cookie, told by the server (RFC 4533), as pages.
//!
//! One search for each type, and one for entries that have others below them: when such an entry was renamed, the server
//! says nothing of those below, although their names changed with it, so what lies below a container that changed is
//! read again. Both phases of a refresh are understood. In one the server names what is gone; in the other it names what
//! is there, and only when it said that this is all, the type is certified and the rest is gone. A mark is given where
//! every search has told everything up to it, and where none gives a new cookie the old one stays.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use identitymesh_connector::{Certificate, Change, Class, ConnectorError, ObjectFinding, Page, Progress};
use identitymesh_model::{Name, Text};

use serde::{Deserialize, Serialize};

use super::STYLE;
use super::codec::{self, EntryState, Info, Mode, State};
use super::feed::{Feed, Silence};
use super::witnesses::Witnesses;
use crate::below::Subtrees;
use crate::delta::{self, Around, Pages};
use crate::error;
use crate::presence::{self, Gone};
use crate::read;
use crate::result;
use crate::schema::TypeMap;
use crate::transport::{Answer, Control, Entry, Failure, Item, Reach, Search, Transport};

/// The name of the search for containers, which no type can have.
const CONTAINERS: &str = "";
/// Ids named as present in one page at most.
const PRESENT_COUNT_MAX: usize = 20_000;
/// Most reasons in one certificate.
const GAP_COUNT_MAX: usize = 20;
/// While nothing happens the connection is tried so often: one that silently went away would never say so.
const CONNECTION_TRIED_EVERY: Duration = Duration::from_secs(30);
const WHETHER_THERE: &str = "seeing whether the server is there";
/// The cookie is no longer of use (RFC 4533, section 2.5).
const REFRESH_REQUIRED: u32 = 4096;
/// OpenLDAP's answer to a cookie from its own future, as after a restored backup.
const UNWILLING: u32 = 53;

/// The cookies of all searches by their names.
pub(super) type Cookies = BTreeMap<String, String>;

/// What stands in a mark.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct At {
    pub(super) cookies: Cookies,
    /// Entries as they were there.
    #[serde(default)]
    pub(super) seen: Witnesses,
}

/// One search.
struct Source {
    /// `None` for the containers.
    map: Option<Arc<TypeMap>>,
    cookie: Option<String>,
    /// Objects delivered or named as present.
    named: u64,
    gaps: Vec<String>,
    is_refreshed: bool,
    is_over: bool,
}

/// A refresh under way, and what follows it when it was asked to stay.
pub(super) struct Refresh {
    around: Around,
    mode: Mode,
    feed: Feed,
    /// One for each search.
    connections: Vec<Arc<dyn Transport>>,
    sources: Vec<Source>,
    /// Entries as they were at the last mark.
    seen: Witnesses,
    waiting: VecDeque<Change>,
    present: Vec<(Name, Text)>,
    findings: Vec<ObjectFinding>,
    certificates: Vec<Certificate>,
    /// Containers that changed.
    changed_containers: Vec<String>,
    below: Option<Subtrees>,
    /// Something was told since the last mark.
    has_news: bool,
    is_over: bool,
    done: u64,
}

/// The searches: their names, types and requests.
pub(super) fn searches(around: &Around, mode: Mode, cookies: Option<&Cookies>) -> Vec<Search> {
    let named = around.types.iter().map(|map| (map.config.name.as_str(), Some(map)));
    let all = named.chain([(CONTAINERS, None)]);
    let search = |(name, map): (&str, Option<&Arc<TypeMap>>)| {
        let cookie = cookies.and_then(|cookies| cookies.get(name)).map(String::as_bytes);
        let base = map.map_or(&around.config.base, |map| &map.config.base);
        let filter = map.map_or("(hasSubordinates=TRUE)", |map| &map.config.filter);
        let attributes = map.map_or_else(|| Arc::from(["1.1".to_owned()]), |map| Arc::clone(&map.wanted));
        Search {
            base: base.clone(),
            reach: Reach::Subtree,
            filter: filter.to_owned(),
            attributes,
            page: None,
            controls: vec![codec::request(mode, cookie)],
        }
    };
    all.map(search).collect()
}

/// A connection for each search. A search that stays counts as one that is carried out, of which OpenLDAP allows a
/// connection only half as many as it has threads; those that end may wait for each other on one.
async fn connections(
    around: &Around,
    mode: Mode,
    count: usize,
) -> Result<Vec<Arc<dyn Transport>>, ConnectorError> {
    let mut connections = vec![Arc::clone(&around.transport)];
    while connections.len() < count {
        let next = match mode {
            Mode::RefreshOnly => Arc::clone(&around.transport),
            Mode::RefreshAndPersist => around.dial.dial().await?,
        };
        connections.push(next);
    }
    Ok(connections)
}

impl Refresh {
    /// Starts all searches.
    pub(super) async fn start(around: Around, mode: Mode, at: At) -> Result<Self, ConnectorError> {
        let At { cookies, seen } = at;
        let names = around.types.iter().map(|map| map.config.name.as_str()).chain([CONTAINERS]);
        if !names.into_iter().all(|name| cookies.get(name).is_some_and(|cookie| has_place(cookie))) {
            return Err(delta::refused("it has no place for every search"));
        }
        let wait = around.config.request_timeout;
        let silence = match mode {
            Mode::RefreshOnly => Silence::AtMost(wait),
            Mode::RefreshAndPersist => Silence::ForEver(wait),
        };
        let searches = searches(&around, mode, Some(&cookies));
        let connections = connections(&around, mode, searches.len()).await?;
        let feed = Feed::start(connections.iter().cloned().zip(searches).collect(), silence)
            .await
            .map_err(|failure| error::no_answer("asking for changes", failure))?;
        let source = |map: Option<&Arc<TypeMap>>| Source {
            cookie: cookies.get(map.map_or(CONTAINERS, |map| map.config.name.as_str())).cloned(),
            map: map.cloned(),
            named: 0,
            gaps: Vec::new(),
            is_refreshed: false,
            is_over: false,
        };
        let sources = around.types.iter().map(Some).chain([None]).map(source).collect();
        Ok(Self {
            around,
            mode,
            feed,
            connections,
            sources,
            seen,
            waiting: VecDeque::new(),
            present: Vec::new(),
            findings: Vec::new(),
            certificates: Vec::new(),
            changed_containers: Vec::new(),
            below: None,
            has_news: false,
            is_over: false,
            done: 0,
        })
    }

    fn is_page_full(&self) -> bool {
        self.waiting.len() >= self.around.page_size || self.present.len() >= PRESENT_COUNT_MAX
    }

    fn has_something(&self) -> bool {
        !self.waiting.is_empty()
            || !self.present.is_empty()
            || !self.findings.is_empty()
            || !self.certificates.is_empty()
            || (self.has_news && self.is_consistent())
    }

    /// Every search has told everything up to its cookie.
    fn is_consistent(&self) -> bool {
        let is_told = |source: &Source| match self.mode {
            Mode::RefreshOnly => source.is_over,
            Mode::RefreshAndPersist => source.is_refreshed,
        };
        self.sources.iter().all(is_told)
    }

    /// Takes what comes until there is enough for a page, or, while following, as much as is there.
    async fn gather(&mut self) -> Result<(), ConnectorError> {
        while !self.is_page_full() {
            if self.mode == Mode::RefreshOnly && self.is_consistent() {
                return Ok(());
            }
            let arrived = match self.feed.try_next() {
                Some(arrived) => Some(arrived),
                None if self.mode == Mode::RefreshAndPersist
                    && self.is_consistent()
                    && self.has_something() =>
                {
                    return Ok(());
                }
                None => self.wait().await?,
            };
            let Some((at, item)) = arrived else {
                let message = "asking for changes: the searches ended without an answer";
                return Err(ConnectorError::new(error::LOST, Class::Transient, message));
            };
            let item = item.map_err(|failure| error::no_answer("asking for changes", failure))?;
            self.item(at, item)?;
        }
        Ok(())
    }

    async fn wait(&mut self) -> Result<Option<(usize, Result<Item, Failure>)>, ConnectorError> {
        loop {
            match tokio::time::timeout(CONNECTION_TRIED_EVERY, self.feed.next()).await {
                Ok(arrived) => return Ok(arrived),
                Err(_quiet) => {
                    let root = Search::entry("", Arc::from(["1.1".to_owned()]));
                    for connection in &self.connections {
                        let tried = connection.search(&root).await;
                        tried.map_err(|failure| error::no_answer(WHETHER_THERE, failure))?;
                    }
                }
            }
        }
    }

    fn item(&mut self, at: usize, item: Item) -> Result<(), ConnectorError> {
        let malformed = |failure| error::no_answer("asking for changes", failure);
        match item {
            Item::Entry(entry, controls) => {
                let state = codec::entry_state(&controls).map_err(malformed)?;
                self.entry(at, &entry, state)
            }
            Item::References(addresses) => {
                for address in addresses {
                    let gap = format!(
                        "the part of the tree at {address} was not read: the server refers to another"
                    );
                    self.sources[at].gap(gap);
                }
                Ok(())
            }
            Item::Intermediate { oid, value } => {
                match codec::info(oid.as_deref(), value.as_deref()).map_err(malformed)? {
                    Some(info) => self.info(at, info),
                    None => Ok(()),
                }
            }
            Item::Done(answer) => self.ended(at, &answer),
        }
    }

    fn entry(&mut self, at: usize, entry: &Entry, state: EntryState) -> Result<(), ConnectorError> {
        self.sources[at].move_to(state.cookie)?;
        self.has_news = true;
        let id = Text::new(codec::uuid_text(&state.uuid));
        let Some(map) = self.sources[at].map.clone() else {
            if matches!(state.state, State::Add | State::Modify) {
                self.changed_containers.push(entry.dn.clone());
            }
            return Ok(());
        };
        let object_type = map.config.name;
        match state.state {
            State::Present => {
                self.sources[at].named += 1;
                self.present.push((object_type, id));
            }
            State::Delete => self.waiting.push_back(Change::Delete { object_type, external_id: id }),
            State::Add | State::Modify if !self.around.config.scope.contains(&entry.dn) => {
                // It may have been moved out; what nobody knows is not harmed.
                self.waiting.push_back(Change::Left { object_type, external_id: id });
            }
            State::Add | State::Modify => {
                let read = read::entry(&map, &self.around.config.empty_member, entry);
                self.findings.extend(read.findings);
                match read.object {
                    Some(object) => self.waiting.push_back(Change::Upsert(object)),
                    None => self.sources[at].gap(format!("{} could not be identified", entry.dn)),
                }
                self.sources[at].named += 1;
            }
        }
        Ok(())
    }

    fn info(&mut self, at: usize, info: Info) -> Result<(), ConnectorError> {
        match info {
            Info::NewCookie(cookie) => {
                self.has_news = true;
                self.sources[at].move_to(Some(cookie))
            }
            Info::RefreshDelete { cookie, is_last } => {
                self.sources[at].is_refreshed |= is_last;
                self.sources[at].move_to(cookie)
            }
            Info::RefreshPresent { cookie, is_last } => {
                self.certify(at);
                self.sources[at].is_refreshed |= is_last;
                self.sources[at].move_to(cookie)
            }
            // The cookie that comes with a set of ids is for within the refresh only.
            Info::IdSet { are_deleted, uuids, .. } => {
                self.has_news = true;
                let Some(map) = &self.sources[at].map else { return Ok(()) };
                let object_type = map.config.name;
                let ids = uuids.iter().map(|uuid| Text::new(codec::uuid_text(uuid)));
                if are_deleted {
                    self.waiting.extend(ids.map(|external_id| Change::Delete { object_type, external_id }));
                } else {
                    self.present.extend(ids.map(|id| (object_type, id)));
                    self.sources[at].named += uuids.len() as u64;
                }
                Ok(())
            }
        }
    }

    fn ended(&mut self, at: usize, answer: &Answer) -> Result<(), ConnectorError> {
        match answer.code {
            result::SUCCESS if self.mode == Mode::RefreshAndPersist => {
                let message = "the server stopped telling changes";
                Err(ConnectorError::new(error::LOST, Class::Transient, message))
            }
            result::SUCCESS => {
                let done = codec::done(&answer.controls)
                    .map_err(|failure| error::no_answer("asking for changes", failure))?;
                if !done.names_deletes {
                    self.certify(at);
                }
                self.sources[at].is_over = true;
                self.sources[at].move_to(done.cookie)
            }
            REFRESH_REQUIRED | UNWILLING | result::UNAVAILABLE_CRITICAL_EXTENSION => {
                Err(delta::refused(&format!("the server answered {}", result::in_words(answer))))
            }
            _ => {
                let base =
                    self.sources[at].map.as_ref().map_or(&self.around.config.base, |map| &map.config.base);
                Err(error::search_refused("asking for changes", base, answer))
            }
        }
    }

    /// Everything that is there of a type was named.
    fn certify(&mut self, at: usize) {
        let source = &mut self.sources[at];
        let Some(map) = &source.map else { return };
        self.certificates.push(Certificate {
            object_type: map.config.name,
            objects: source.named,
            expected: None,
            gaps: std::mem::take(&mut source.gaps),
        });
    }

    fn page(&mut self) -> Page {
        let count = self.waiting.len().min(self.around.page_size);
        let changes: Vec<Change> = self.waiting.drain(..count).collect();
        self.done += changes.len() as u64;
        Page {
            changes,
            present: std::mem::take(&mut self.present),
            findings: std::mem::take(&mut self.findings),
            progress: Progress { done: self.done, total: None },
            ..Page::default()
        }
    }

    /// The server says the same of an entry that is deleted and of one that left what is read. Where references go with the
    /// one and not with the other, it is asked which it still holds: over a connection of its own, because on the others
    /// it may be telling changes that nobody takes meanwhile.
    async fn tell_apart(&self, changes: &mut [Change]) -> Result<(), ConnectorError> {
        let (Some(map), true) = (self.around.types.first(), self.around.mends_references()) else {
            return Ok(());
        };
        let gone = changes.iter().filter(|change| matches!(change, Change::Delete { .. }));
        let ids: Vec<Text> = gone.map(|change| Text::new(change.subject().1)).collect();
        if ids.is_empty() {
            return Ok(());
        }
        let connection = self.around.dial.dial().await?;
        let held = presence::held(connection.as_ref(), &self.around.directory, map, &ids).await?;
        for change in changes {
            if let Change::Delete { object_type, external_id } = change
                && held.contains(external_id)
            {
                *change = Gone::Left.change(*object_type, std::mem::take(external_id));
            }
        }
        Ok(())
    }

    /// What stands at the end of a consistent state.
    async fn conclude(&mut self, page: &mut Page) -> Result<(), ConnectorError> {
        page.certificates = std::mem::take(&mut self.certificates);
        let name = |source: &Source| {
            source.map.as_ref().map_or_else(|| CONTAINERS.to_owned(), |map| map.config.name.to_string())
        };
        let cookies: Option<Cookies> =
            self.sources.iter().map(|source| Some((name(source), source.cookie.clone()?))).collect();
        self.has_news = false;
        let Some(cookies) = cookies else { return Ok(()) };
        // While changes are told on the connections, those that were seen before are good enough.
        if self.mode == Mode::RefreshOnly {
            self.seen = self.seen.renewed(self.around.transport.as_ref(), &self.around, &cookies).await?;
        }
        page.watermark = delta::mark(STYLE, &self.around, &At { cookies, seen: self.seen.clone() });
        Ok(())
    }
}

#[async_trait]
impl Pages for Refresh {
    async fn next_page(&mut self) -> Result<Option<Page>, ConnectorError> {
        while !self.is_over {
            match &mut self.below {
                None => self.gather().await?,
                Some(below) => match below.next_page().await? {
                    Some(page) => return Ok(Some(page)),
                    None => self.below = None,
                },
            }
            let mut page = self.page();
            self.tell_apart(&mut page.changes).await?;
            if !self.waiting.is_empty() || !self.is_consistent() {
                return Ok(Some(page));
            }
            if self.changed_containers.is_empty() {
                self.conclude(&mut page).await?;
                self.is_over = self.mode == Mode::RefreshOnly;
                return Ok(Some(page));
            }
            // The mark comes after what lies below them.
            let containers = std::mem::take(&mut self.changed_containers);
            self.below = Some(Subtrees::new(&self.around, containers).await?);
            let is_told = page == Page { progress: page.progress, ..Page::default() };
            if !is_told {
                return Ok(Some(page));
            }
        }
        Ok(None)
    }
}

impl Source {
    /// The server gives a new cookie; without one the old one stays.
    fn move_to(&mut self, cookie: Option<Vec<u8>>) -> Result<(), ConnectorError> {
        let Some(cookie) = cookie else { return Ok(()) };
        let cookie = String::from_utf8(cookie).map_err(|source| {
            ConnectorError::new(error::MALFORMED, Class::Data, "a cookie of the server is not text")
                .caused_by(source)
        })?;
        self.cookie = Some(cookie);
        Ok(())
    }

    fn gap(&mut self, reason: String) {
        if self.gaps.len() < GAP_COUNT_MAX {
            self.gaps.push(reason);
        }
    }
}

/// The cookie with which a search ended, for a mark before a full read.
pub(super) fn last_cookie(controls: &[Control]) -> Option<String> {
    let cookie = codec::done(controls).ok()?.cookie.and_then(|cookie| String::from_utf8(cookie).ok());
    cookie.filter(|cookie| has_place(cookie))
}

/// Whether a cookie says where it stands. The server takes one that does not for none at all: it then tells everything
/// that is there and nothing of what is gone.
fn has_place(cookie: &str) -> bool {
    cookie.split(',').any(|part| part.strip_prefix("csn=").is_some_and(|place| !place.is_empty()))
}

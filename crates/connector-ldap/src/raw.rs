//! The protocol without the product: the same requests with the same window, and nothing around them.
//!
//! A measurement's yardstick. Requests are encoded before the clock starts; then they are written, answers are counted,
//! and a new request goes out for each that came. Nothing is retried, looked up or remembered: the first answer that is
//! no success ends it. Over the same settings as the connector, so that encryption and the account are the same.

use std::collections::HashSet;
use std::sync::Arc;

use bytes::Bytes;
use identitymesh_connector::{Class, ConnectorError, Settings};

use crate::error;
use crate::result;
use crate::schema::{ASSERTION, POST_READ};
use crate::settings::{Config, Family};
use crate::transport::{
    Arrived, Found, Item, Modification, PageRequest, Reach, Search, Servers, Wire, Write, WriteRequest,
    encode_search, encode_write, page_of,
};

/// Entries of a page when entries are read back.
const PAGE_SIZE: i32 = 1_000;

/// An attribute with its values as they travel.
pub type RawAttribute = (String, Vec<Vec<u8>>);

/// An entry as it travels.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RawEntry {
    /// Its distinguished name.
    pub dn: String,
    /// Its attributes in the order of arrival.
    pub attributes: Vec<RawAttribute>,
}

impl RawEntry {
    /// The values of an attribute, none when it has none.
    #[must_use]
    pub fn values(&self, name: &str) -> &[Vec<u8>] {
        let found = self.attributes.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
        found.map_or(&[], |(_, values)| values)
    }
}

/// One write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RawWrite {
    /// Makes an entry, and asks for its `entryUUID` where the server hands back what was written.
    Add(RawEntry),
    /// Takes values out and puts values in, of the entry with this `entryUUID` where the server can check that.
    Modify {
        /// The entry's name.
        dn: String,
        /// Its id.
        id: String,
        /// Values that go.
        out: Vec<RawAttribute>,
        /// Values that come.
        into: Vec<RawAttribute>,
    },
    /// Removes an entry.
    Delete {
        /// The entry's name.
        dn: String,
    },
}

/// Requests that are ready to be sent.
#[derive(Debug)]
pub struct Prepared(Vec<Vec<u8>>);

/// One signed-in connection that sends requests in a window.
pub struct RawClient {
    wire: Wire,
    controls: HashSet<String>,
}

impl RawClient {
    /// Connects as a connector of type `ldap` with these settings does.
    ///
    /// # Errors
    /// When the settings cannot be used, or no server can be reached or lets the account in.
    pub async fn connect(settings: &Settings) -> Result<Self, ConnectorError> {
        let config = Config::read(settings, Family::Any).map_err(|problems| {
            let said: Vec<String> =
                problems.iter().map(|problem| format!("{} {}", problem.path, problem.message)).collect();
            ConnectorError::new(error::SETTINGS, Class::Configuration, said.join("; "))
        })?;
        let wire = Servers::new(Arc::new(config))?.wire().await?;
        let mut client = Self { wire, controls: HashSet::new() };
        let root = client.search(&Search::entry("", Arc::from(["supportedControl".to_owned()]))).await?;
        let offered = root.entries.iter().flat_map(|root| root.texts("supportedControl"));
        client.controls = offered.map(str::to_owned).collect();
        Ok(client)
    }

    /// Makes one entry; `false` when there is one of this name already.
    ///
    /// # Errors
    /// When the server refuses it otherwise, or does not answer.
    pub async fn make(&mut self, entry: RawEntry) -> Result<bool, ConnectorError> {
        let what = format!("making {}", entry.dn);
        let request = self.request(RawWrite::Add(entry));
        let id = self.wire.take_id();
        let bytes = encode_write(id, &request).map_err(|failure| error::no_answer(&what, failure))?;
        let arrived = self.wire.ask(id, &bytes).await.map_err(|failure| error::no_answer(&what, failure))?;
        let answer = Arrived::open(&arrived).and_then(|arrived| arrived.answer());
        let answer = answer.map_err(|failure| error::no_answer(&what, failure))?;
        match answer.code {
            result::SUCCESS => Ok(true),
            result::ENTRY_ALREADY_EXISTS => Ok(false),
            _ => Err(error::search_refused(&what, "its container", &answer)),
        }
    }

    /// All entries below `base` and `base` itself that match `filter`, with these attributes.
    ///
    /// # Errors
    /// When the server refuses the search or stops short.
    pub async fn entries(
        &mut self,
        base: &str,
        filter: &str,
        attributes: &[&str],
    ) -> Result<Vec<RawEntry>, ConnectorError> {
        let (mut entries, mut cookie) = (Vec::new(), Vec::new());
        loop {
            let search = Search {
                base: base.to_owned(),
                reach: Reach::Subtree,
                filter: filter.to_owned(),
                attributes: attributes.iter().map(|name| (*name).to_owned()).collect(),
                page: Some(PageRequest { size: PAGE_SIZE, cookie }),
                controls: Vec::new(),
            };
            let found = self.search(&search).await?;
            let read = found.entries.into_iter();
            entries.extend(read.map(|entry| RawEntry { dn: entry.dn, attributes: entry.attributes }));
            if found.cookie.is_empty() {
                return Ok(entries);
            }
            cookie = found.cookie;
        }
    }

    /// Encodes requests in the order in which they are to be sent, next on this connection.
    ///
    /// # Errors
    /// When an id is not what an id looks like.
    pub fn prepare(&mut self, writes: Vec<RawWrite>) -> Result<Prepared, ConnectorError> {
        let mut requests = Vec::with_capacity(writes.len());
        for write in writes {
            let (id, request) = (self.wire.take_id(), self.request(write));
            let bytes = encode_write(id, &request);
            requests.push(bytes.map_err(|failure| error::no_answer("preparing a write", failure))?);
        }
        Ok(Prepared(requests))
    }

    /// Sends requests, at most `window` of them without an answer at a time.
    ///
    /// # Errors
    /// When one is refused, or the connection is lost.
    pub async fn send(&mut self, prepared: Prepared, window: usize) -> Result<(), ConnectorError> {
        const WHAT: &str = "sending writes";
        let lost = |failure| error::no_answer(WHAT, failure);
        let mut requests = prepared.0.into_iter();
        let (mut flying, mut bytes) = (0, Vec::new());
        loop {
            bytes.clear();
            let free = requests.by_ref().take(window.max(1) - flying);
            flying += free.map(|request| bytes.extend_from_slice(&request)).count();
            if flying == 0 {
                return Ok(());
            }
            if !bytes.is_empty() {
                self.wire.send(&bytes).await.map_err(lost)?;
            }
            let mut arrived = Some(self.wire.next().await.map_err(lost)?);
            while let Some(message) = arrived {
                check(WHAT, &message)?;
                flying -= 1;
                arrived = if flying == 0 { None } else { self.wire.next_if_there().await.map_err(lost)? };
            }
        }
    }

    async fn search(&mut self, search: &Search) -> Result<Found, ConnectorError> {
        let what = format!("reading {:?}", search.base);
        let lost = |failure| error::no_answer(&what, failure);
        let id = self.wire.take_id();
        let bytes = encode_search(id, search).map_err(lost)?;
        let mut found = Found::default();
        let mut arrived = self.wire.ask(id, &bytes).await.map_err(lost)?;
        loop {
            match Arrived::open(&arrived).and_then(|arrived| arrived.item()).map_err(lost)? {
                Item::Entry(entry, _) => found.entries.push(entry),
                Item::References(_) | Item::Intermediate { .. } => {}
                Item::Done(answer) if answer.code == result::SUCCESS => {
                    found.cookie = page_of(&answer).map_err(lost)?;
                    return Ok(found);
                }
                Item::Done(answer) => return Err(error::search_refused(&what, &search.base, &answer)),
            }
            arrived = self.wire.next().await.map_err(lost)?;
        }
    }

    fn request(&self, write: RawWrite) -> WriteRequest {
        match write {
            RawWrite::Add(RawEntry { dn, attributes }) => {
                let post_read = self.controls.contains(POST_READ).then(|| "entryUUID".to_owned());
                let post_read = post_read.into_iter().collect();
                WriteRequest { post_read, ..Write::Add { dn, attributes }.into() }
            }
            RawWrite::Modify { dn, id, out, into } => {
                let out = out.into_iter().map(|(name, values)| Modification::Delete(name, values));
                let into = into.into_iter().map(|(name, values)| Modification::Add(name, values));
                let assertion = self.controls.contains(ASSERTION).then(|| format!("(entryUUID={id})"));
                WriteRequest { assertion, ..Write::Modify { dn, changes: out.chain(into).collect() }.into() }
            }
            RawWrite::Delete { dn } => Write::Delete { dn }.into(),
        }
    }
}

fn check(what: &str, message: &Bytes) -> Result<(), ConnectorError> {
    let answer = Arrived::open(message).and_then(|arrived| arrived.answer());
    let answer = answer.map_err(|failure| error::no_answer(what, failure))?;
    match answer.code {
        result::SUCCESS => Ok(()),
        _ => Err(error::search_refused(what, "an entry", &answer)),
    }
}

//! What crosses the seam: requests, answers, and how a call can fail without an answer.

use std::borrow::Cow;
use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;

/// One value as it travels.
pub(crate) type Bytes = Vec<u8>;

/// An attribute as it travels: its description with options, and its values in the order of arrival.
pub(crate) type Attribute = (String, Vec<Bytes>);

/// A control of a request or an answer (RFC 4511, section 4.1.11).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Control {
    pub(crate) oid: Cow<'static, str>,
    /// The server must refuse the request when it does not know the control.
    pub(crate) is_critical: bool,
    pub(crate) value: Option<Bytes>,
}

impl Control {
    /// A control without which the request makes no sense.
    pub(crate) fn critical(oid: &'static str, value: Bytes) -> Self {
        Self { oid: Cow::Borrowed(oid), is_critical: true, value: Some(value) }
    }

    /// A critical control that says everything by its name.
    pub(crate) fn flag(oid: &'static str) -> Self {
        Self { oid: Cow::Borrowed(oid), is_critical: true, value: None }
    }

    /// The value of the control with this name.
    pub(crate) fn value_of<'a>(controls: &'a [Self], oid: &str) -> Option<&'a [u8]> {
        controls.iter().find(|control| control.oid == oid).and_then(|control| control.value.as_deref())
    }
}

/// How far a search reaches from its base.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reach {
    /// The base alone.
    Base,
    /// What lies directly below the base.
    OneLevel,
    /// The base and everything below it.
    Subtree,
}

/// A page of a search (RFC 2696).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PageRequest {
    /// Most entries in the answer.
    pub(crate) size: i32,
    /// The cookie of the page before, empty for the first.
    pub(crate) cookie: Bytes,
}

/// A search request.
#[derive(Clone, Debug)]
pub(crate) struct Search {
    pub(crate) base: String,
    pub(crate) reach: Reach,
    /// RFC 4515 text.
    pub(crate) filter: String,
    /// Descriptions of the attributes wanted.
    pub(crate) attributes: Arc<[String]>,
    pub(crate) page: Option<PageRequest>,
    /// Controls besides that of the page.
    pub(crate) controls: Vec<Control>,
}

impl Search {
    /// A search for one entry by its name.
    pub(crate) fn entry(dn: &str, attributes: Arc<[String]>) -> Self {
        Self {
            base: dn.to_owned(),
            reach: Reach::Base,
            filter: "(objectClass=*)".to_owned(),
            attributes,
            page: None,
            controls: Vec::new(),
        }
    }
}

/// An entry as it travels.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) dn: String,
    pub(crate) attributes: Vec<Attribute>,
}

impl Entry {
    /// The values of an attribute; names differ in case between servers.
    pub(crate) fn values(&self, name: &str) -> &[Bytes] {
        let found = self.attributes.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
        found.map_or(&[], |(_, values)| values)
    }

    /// Values that are UTF-8.
    pub(crate) fn texts(&self, name: &str) -> impl Iterator<Item = &str> {
        self.values(name).iter().filter_map(|value| std::str::from_utf8(value).ok())
    }
}

/// The end of every request that was answered.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Answer {
    /// RFC 4511 result code.
    pub(crate) code: u32,
    /// The server's own words, possibly none.
    pub(crate) message: String,
    /// Other servers that it names.
    pub(crate) referrals: Vec<String>,
    /// The entry after the write (RFC 4527), where asked for and offered.
    pub(crate) entry: Option<Entry>,
    /// All controls of the answer.
    pub(crate) controls: Vec<Control>,
}

/// The answer to a search.
#[derive(Clone, Debug, Default)]
pub(crate) struct Found {
    pub(crate) entries: Vec<Entry>,
    /// Parts of the tree that live elsewhere and were not read.
    pub(crate) references: Vec<String>,
    pub(crate) answer: Answer,
    /// The cookie of the next page, empty after the last.
    pub(crate) cookie: Bytes,
}

/// What comes while a search is read piece by piece.
#[derive(Clone, Debug)]
pub(crate) enum Item {
    /// An entry with the controls that came with it.
    Entry(Entry, Vec<Control>),
    /// Parts of the tree that live elsewhere.
    References(Vec<String>),
    /// Something in between (RFC 4511, section 4.13), such as the sync information of RFC 4533.
    Intermediate { oid: Option<String>, value: Option<Bytes> },
    /// The end; nothing comes after it.
    Done(Answer),
}

/// One step of a modify request; the steps of a request succeed or fail together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Modification {
    /// Values in; refused when one is there.
    Add(String, Vec<Bytes>),
    /// Values out; refused when one is not there.
    Delete(String, Vec<Bytes>),
    /// These values in place of whatever there is; none removes the attribute.
    Replace(String, Vec<Bytes>),
}

/// What a write does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Write {
    Add { dn: String, attributes: Vec<Attribute> },
    Modify { dn: String, changes: Vec<Modification> },
    Rename { dn: String, new_rdn: String, delete_old: bool, new_parent: Option<String> },
    Delete { dn: String },
}

/// A write with its controls.
#[derive(Clone, Debug)]
pub(crate) struct WriteRequest {
    pub(crate) write: Write,
    /// A filter that the entry must match, or nothing is done (RFC 4528).
    pub(crate) assertion: Option<String>,
    /// Attributes to hand back as they are after the write (RFC 4527).
    pub(crate) post_read: Vec<String>,
    /// Further controls.
    pub(crate) controls: Vec<Control>,
}

impl From<Write> for WriteRequest {
    fn from(write: Write) -> Self {
        Self { write, assertion: None, post_read: Vec::new(), controls: Vec::new() }
    }
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    /// The connection was closed before the request left.
    #[error("the connection was closed before the request was sent")]
    NotSent,
    /// The connection ended while the answer was awaited.
    #[error("the connection was lost before the answer came")]
    Lost(#[source] Box<dyn Error + Send + Sync>),
    /// No answer within the deadline.
    #[error("no answer within {} seconds", .0.as_secs_f32())]
    TimedOut(Duration),
    /// The answer, or the request, has no meaning in LDAP.
    #[error("{0}")]
    Malformed(String),
}

/// A search under way. Dropping it tells the server to stop.
#[async_trait]
pub(crate) trait Items: Send {
    /// The next item, waited for at most so long. After [`Failure::TimedOut`] the search is still under way and can be
    /// waited for again; after [`Item::Done`] and every other failure it is over.
    async fn next(&mut self, wait: Duration) -> Result<Item, Failure>;
}

/// One signed-in connection.
#[async_trait]
pub(crate) trait Transport: Send + Sync {
    /// Runs a search to its end, or to the end of the page.
    async fn search(&self, search: &Search) -> Result<Found, Failure>;

    /// Starts a search whose items are taken one by one. What is not taken stays with the server, and while it waits
    /// so does everything else on this connection: take items promptly, or use another connection for look-ups.
    async fn stream(&self, search: &Search) -> Result<Box<dyn Items>, Failure>;

    /// Sends one write and waits for its answer.
    async fn write(&self, request: &WriteRequest) -> Result<Answer, Failure>;

    /// Runs an extended operation; only its end is of interest.
    async fn extended(&self, oid: &str, value: Option<&[u8]>) -> Result<Answer, Failure>;

    /// Whether requests can still be sent.
    fn is_open(&self) -> bool;

    /// Whether nobody on the way can read what is sent.
    fn is_encrypted(&self) -> bool;

    /// Which of the configured servers answers, as it is configured.
    fn server(&self) -> &str;
}

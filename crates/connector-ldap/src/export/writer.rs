//! What creating, changing and deleting have in common: sending, finding an object, wording an outcome.

use std::sync::Arc;

use identitymesh_connector::{Identity, ImportedObject, OperationKind, Outcome, Written};
use identitymesh_model::Name;

use super::batch::not_sent;
use crate::error;
use crate::filter;
use crate::ranges;
use crate::read::{self, Read};
use crate::result::{self, Verdict};
use crate::schema::{ASSERTION, Directory, POST_READ, TypeMap};
use crate::settings::Config;
use crate::transport::{Answer, Entry, Failure, Reach, Search, Transport, Write, WriteRequest};

/// Writes on one connection.
pub(crate) struct Writer {
    pub(super) transport: Arc<dyn Transport>,
    pub(super) config: Arc<Config>,
    pub(super) directory: Arc<Directory>,
}

impl Writer {
    /// A writer for one batch or one look.
    pub(crate) fn new(transport: Arc<dyn Transport>, config: Arc<Config>, directory: Arc<Directory>) -> Self {
        Self { transport, config, directory }
    }

    /// Does one operation.
    pub(super) async fn carry_out(&self, map: &TypeMap, kind: OperationKind) -> Outcome {
        let done = match kind {
            OperationKind::Create { attributes, create_container, password } => {
                self.create(map, &attributes, create_container, password.as_ref()).await
            }
            OperationKind::Update { identity, new_address, create_container, changes } => {
                self.update(map, &identity, new_address.as_deref(), create_container, &changes).await
            }
            OperationKind::Delete { identity } => self.delete(map, &identity).await,
        };
        done.unwrap_or_else(|outcome| outcome)
    }

    /// Sends a write; no answer is an outcome.
    pub(super) async fn send(&self, request: &WriteRequest) -> Result<Answer, Outcome> {
        self.transport.write(request).await.map_err(|failure| lost(&failure))
    }

    /// A write that is only done to the object with this id, where the server can check that, and only while
    /// `conditions` hold.
    pub(super) fn guarded(
        &self,
        map: &TypeMap,
        id: &str,
        conditions: &[String],
        write: Write,
    ) -> WriteRequest {
        let assertion = self.directory.offers(ASSERTION).then(|| {
            let mut parts = vec![map.filter_for(id)];
            parts.extend_from_slice(conditions);
            filter::all(&parts)
        });
        WriteRequest { write, assertion, post_read: Vec::new(), controls: Vec::new() }
    }

    /// What a write to the object with this id is addressed to: the id itself where names can say it, so that an entry
    /// which took the name over is never meant.
    pub(super) fn target(&self, map: &TypeMap, id: &str, dn: &str) -> String {
        if self.names_by_id(map) { format!("<GUID={id}>") } else { dn.to_owned() }
    }

    /// Whether an entry can be named by its external id.
    pub(super) fn names_by_id(&self, map: &TypeMap) -> bool {
        let facts = self.directory.dialect.facts();
        facts.names_by_id && map.external_id.eq_ignore_ascii_case(facts.external_id)
    }

    /// A write that hands the external id back, where the server can do that.
    pub(super) fn with_id_back(&self, map: &TypeMap, write: Write) -> WriteRequest {
        let post_read = self.directory.offers(POST_READ).then(|| map.external_id.clone());
        WriteRequest {
            write,
            assertion: None,
            post_read: post_read.into_iter().collect(),
            controls: Vec::new(),
        }
    }

    /// Whether the server itself sees to it that a write meets the entry with the id. Where it does not, the entry is
    /// looked for right before it is removed or renamed.
    pub(super) fn checks_ids(&self, map: &TypeMap) -> bool {
        self.names_by_id(map) || self.directory.offers(ASSERTION)
    }

    /// The entry of this name, if it is there.
    pub(super) async fn entry_at(&self, map: &TypeMap, dn: &str) -> Result<Option<Entry>, Outcome> {
        self.one(Search::entry(dn, Arc::clone(&map.wanted))).await
    }

    /// The entry with this external id, wherever it lies.
    pub(super) async fn entry_with_id(&self, map: &TypeMap, id: &str) -> Result<Option<Entry>, Outcome> {
        self.one(self.by_id(map, id, &[], Arc::clone(&map.wanted))).await
    }

    /// Whether the member that keeps a group from being empty is among those of the object with this id.
    pub(super) async fn holds_stand_in(&self, map: &TypeMap, id: &str, name: Name) -> Result<bool, Outcome> {
        let stand_in = filter::equals(&map.description(name), self.config.empty_member.as_bytes());
        let search = self.by_id(map, id, &[stand_in], [map.external_id.clone()].into());
        Ok(self.one(search).await?.is_some())
    }

    /// A search for the entry with this external id, if `conditions` hold for it.
    fn by_id(&self, map: &TypeMap, id: &str, conditions: &[String], attributes: Arc<[String]>) -> Search {
        Search {
            base: self.config.base.clone(),
            reach: Reach::Subtree,
            filter: filter::all(&[&[map.filter_for(id)], conditions].concat()),
            attributes,
            page: None,
            controls: Vec::new(),
        }
    }

    async fn one(&self, search: Search) -> Result<Option<Entry>, Outcome> {
        // Only a look failed here, but a write may have gone before it, so the answer is "unknown".
        let found = self
            .transport
            .search(&search)
            .await
            .map_err(|failure| unknown(format!("looking failed: {failure}")))?;
        match result::verdict(found.answer.code) {
            Verdict::Missing => return Ok(None),
            Verdict::Applied => {}
            _ => return Err(unknown(format!("looking failed: {}", result::in_words(&found.answer)))),
        }
        let mut entries = found.entries;
        match entries.len() {
            0 => Ok(None),
            1 => self.whole(entries.remove(0)).await,
            count => Err(conflict(format!("{count} entries match {}", search.filter))),
        }
    }

    /// The entry with all values of attributes that came in part.
    async fn whole(&self, mut entry: Entry) -> Result<Option<Entry>, Outcome> {
        if ranges::is_partial(&entry) {
            let name = entry.dn.clone();
            let is_there = ranges::complete(self.transport.as_ref(), &name, &mut entry)
                .await
                .map_err(|error| unknown(format!("looking failed: {error}")))?;
            return Ok(is_there.then_some(entry));
        }
        Ok(Some(entry))
    }

    /// The entry as an object.
    pub(super) fn read(&self, map: &TypeMap, entry: &Entry) -> Read {
        read::entry(map, &self.config.empty_member, entry)
    }

    /// The object as it is now, by its id or else by its address.
    pub(crate) async fn look(
        &self,
        map: &TypeMap,
        identity: &Identity,
    ) -> Result<Option<ImportedObject>, Outcome> {
        let mut entry = None;
        if !identity.external_id.is_empty() {
            entry = self.entry_with_id(map, &identity.external_id).await?;
        }
        if let (None, Some(address)) = (&entry, &identity.address) {
            entry = self.entry_at(map, address).await?;
        }
        Ok(entry.and_then(|entry| self.read(map, &entry).object))
    }

    /// What a negative answer means when nothing can be mended.
    pub(super) fn negative(&self, map: &TypeMap, what: &str, answer: &Answer) -> Outcome {
        let reason = format!("{what}: {}", result::in_words(answer));
        match result::verdict(answer.code) {
            Verdict::Applied => Outcome::Applied(Written::default()),
            Verdict::Transient => Outcome::Transient { code: error::BUSY, reason, retry_after_seconds: None },
            Verdict::Exists | Verdict::Differs => conflict(reason),
            Verdict::Missing | Verdict::Refused => self.refused(map, what, answer),
        }
    }

    /// A refusal for good, whatever the code says elsewhere.
    pub(super) fn refused(&self, map: &TypeMap, what: &str, answer: &Answer) -> Outcome {
        Outcome::Refused {
            code: error::REFUSED,
            reason: format!("{what}: {}", result::in_words(answer)),
            attributes: read::attributes_named(map, &answer.message),
        }
    }
}

/// What no answer means for a write.
pub(super) fn lost(failure: &Failure) -> Outcome {
    match failure {
        Failure::NotSent => not_sent(failure.to_string()),
        Failure::Lost(source) => unknown(format!("{failure}: {source}")),
        Failure::TimedOut(_) | Failure::Malformed(_) => unknown(failure.to_string()),
    }
}

/// Sent, and nobody knows.
pub(super) fn unknown(reason: String) -> Outcome {
    Outcome::Unknown { code: error::UNKNOWN, reason }
}

/// Somebody else is at work on the same entry, again and again.
pub(super) fn contended(reason: String) -> Outcome {
    Outcome::Transient { code: error::BUSY, reason, retry_after_seconds: None }
}

/// The target is not as expected.
pub(super) fn conflict(reason: String) -> Outcome {
    Outcome::Conflict { code: error::CONFLICT, reason }
}

/// The operation makes no sense for a directory.
pub(super) fn unsendable(reason: impl Into<String>) -> Outcome {
    Outcome::Refused { code: error::UNSENDABLE, reason: reason.into(), attributes: Vec::new() }
}

/// What is known of an object after a write.
pub(super) fn written(external_id: &str) -> Written {
    Written { external_id: Some(external_id.into()), ..Written::default() }
}

//! Changes by the DirSync control: the controller remembers in a cookie what the reader has seen.
//!
//! The cookie is good at every controller of the domain. It names what has changed since, deleted objects included,
//! and links value by value. It needs the right "Replicating Directory Changes" on the domain.

use std::collections::HashSet;

use async_trait::async_trait;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use identitymesh_connector::{ConnectorError, Watermark};
use serde::{Deserialize, Serialize};

use super::changed::{Changed, with_guids};
use super::controller::{Place, Told, place};
use super::delta::Source;
use super::values;
use crate::delta::{self, Around, refused};
use crate::error;
use crate::result::{self, INSUFFICIENT_ACCESS_RIGHTS};
use crate::transport::ber::{INTEGER, OCTETS, Reader, SEQUENCE, Writer};
use crate::transport::{Bytes, Control, Entry, Failure, Found, Reach, Search};

pub(super) const STYLE: &str = "dirsync";
const DIRSYNC: &str = "1.2.840.113556.1.4.841";
/// Links come value by value. The number is the 32-bit flag 0x80000000 with its sign.
const INCREMENTAL_VALUES: i64 = -0x8000_0000;
/// How much the controller puts into one answer.
const ANSWER_BYTES_MAX: i64 = 1_000_000;
/// Answers in a row without an entry and without an end before the controller is left.
const EMPTY_ANSWERS_MAX: usize = 10_000;

/// What stands in a mark.
#[derive(Serialize, Deserialize)]
struct At {
    cookie: String,
    /// Whose cookie it is, and at least how far that controller had been read, where that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    place: Option<Place>,
    /// How far that controller may have told of itself, where that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    told: Option<Place>,
}

/// The place in a mark.
pub(super) fn place_in(around: &Around, since: &Watermark) -> Option<Place> {
    delta::unmark::<At>(STYLE, around, since).ok()?.place
}

/// A mark with how far everything was told.
pub(super) fn all_told(around: &Around, mark: &Watermark, told: Option<Place>) -> Option<Watermark> {
    let at: At = delta::unmark(STYLE, around, mark).ok()?;
    delta::mark(STYLE, around, &At { told, ..at })
}

/// The place where changes begin from now on; nothing when this account may not have it.
pub(super) async fn mark(around: &Around) -> Result<Option<Watermark>, ConnectorError> {
    if !around.directory.offers(DIRSYNC) {
        return Ok(None);
    }
    // Nothing matches, so the controller goes through its changes without sending any.
    let filter = "(!(objectClass=*))".to_owned();
    let mut sync = DirSync { cookie: Bytes::new(), filter, has_more: true, told: Told::default() };
    for _ in 0..EMPTY_ANSWERS_MAX {
        let found = sync.ask(around).await?;
        if found.answer.code == INSUFFICIENT_ACCESS_RIGHTS {
            return Ok(None);
        }
        if found.answer.code != result::SUCCESS {
            return Err(error::search_refused("asking where changes begin", &base(around), &found.answer));
        }
        sync.take_cookie(&found)?;
        if !sync.has_more {
            let place = place(around).await.unwrap_or_default();
            return Ok(sync.marked(around, place, None));
        }
    }
    Ok(None)
}

/// Changes behind a cookie.
pub(super) struct DirSync {
    cookie: Bytes,
    filter: String,
    has_more: bool,
    told: Told,
}

impl DirSync {
    /// From a mark.
    pub(super) async fn resume(around: &Around, since: &Watermark) -> Result<Self, ConnectorError> {
        let at: At = delta::unmark(STYLE, around, since)?;
        let cookie = STANDARD.decode(at.cookie).ok().filter(|cookie| !cookie.is_empty());
        let cookie = cookie.ok_or_else(|| refused("it was not made by this connector"))?;
        let now = place(around).await.unwrap_or_default();
        let told = Told::as_marked(at.told, now.as_ref());
        Ok(Self { cookie, filter: super::classes_filter(around), has_more: true, told })
    }

    async fn ask(&self, around: &Around) -> Result<Found, ConnectorError> {
        let mut value = Writer::default();
        value.nested(SEQUENCE, |writer| {
            writer.integer(INTEGER, INCREMENTAL_VALUES);
            writer.integer(INTEGER, ANSWER_BYTES_MAX);
            writer.octets(OCTETS, &self.cookie);
        });
        let search = Search {
            base: base(around),
            reach: Reach::Subtree,
            filter: self.filter.clone(),
            attributes: super::changing_attributes(around),
            page: None,
            controls: vec![Control::critical(DIRSYNC, value.into_bytes())],
        };
        let what = "reading what changed";
        around.transport.search(&search).await.map_err(|failure| error::no_answer(what, failure))
    }

    fn marked(&self, around: &Around, place: Option<Place>, told: Option<Place>) -> Option<Watermark> {
        delta::mark(STYLE, around, &At { cookie: STANDARD.encode(&self.cookie), place, told })
    }

    /// Sees which of those that the controller calls new may have been told before.
    async fn doubt_news(&self, around: &Around, changed: &mut [Changed]) -> Result<(), ConnectorError> {
        let ids: Vec<&str> = changed.iter().filter(|one| one.is_new).map(|one| one.id.as_str()).collect();
        let wanted = ["objectGUID".to_owned(), "uSNCreated".to_owned()].into();
        let mut news = HashSet::new();
        for entry in with_guids(around, &base(around), &ids, &wanted).await? {
            let created = entry.texts("uSNCreated").next().and_then(|text| text.parse().ok());
            if self.told.is_before(created) {
                news.extend(entry.values("objectGUID").first().and_then(|bytes| values::guid_text(bytes)));
            }
        }
        changed.iter_mut().for_each(|one| one.is_new &= news.contains(&one.id));
        Ok(())
    }

    fn take_cookie(&mut self, found: &Found) -> Result<(), ConnectorError> {
        let value = Control::value_of(&found.answer.controls, DIRSYNC).unwrap_or_default();
        let (has_more, cookie) =
            answered(value).map_err(|failure| error::no_answer("reading what changed", failure))?;
        self.has_more = has_more;
        self.cookie = cookie;
        Ok(())
    }
}

fn answered(value: &[u8]) -> Result<(bool, Bytes), Failure> {
    const WHAT: &str = "a DirSync answer that cannot be read";
    let mut content = Reader::new(value).inside(SEQUENCE, WHAT)?;
    let has_more = content.integer(INTEGER, WHAT)? != 0;
    content.integer(INTEGER, WHAT)?;
    Ok((has_more, content.content(OCTETS, WHAT)?.to_vec()))
}

#[async_trait]
impl Source for DirSync {
    async fn next(&mut self, around: &Around) -> Result<Option<Vec<Changed>>, ConnectorError> {
        if !self.has_more {
            return Ok(None);
        }
        let found = self.ask(around).await?;
        if found.answer.code != result::SUCCESS {
            let said = result::in_words(&found.answer);
            if result::is_transient(found.answer.code) {
                return Err(error::search_refused("reading what changed", &base(around), &found.answer));
            }
            return Err(refused(&format!("the controller answered {said}")));
        }
        self.take_cookie(&found)?;
        let mut changed: Vec<Changed> = found.entries.iter().filter_map(changed).collect();
        self.doubt_news(around, &mut changed).await?;
        Ok(Some(changed))
    }

    async fn mark(&mut self, around: &Around) -> Result<Option<Watermark>, ConnectorError> {
        // Where the controller does not say, the cookie alone is good enough.
        let now = place(around).await.unwrap_or_default();
        self.told = Told::until(now.as_ref());
        Ok(self.marked(around, now.clone(), now))
    }
}

fn changed(entry: &Entry) -> Option<Changed> {
    let mut changed =
        Changed { id: values::guid_text(entry.values("objectGUID").first()?)?, ..Changed::default() };
    changed.is_deleted = entry.texts("isDeleted").any(|text| text == "TRUE");
    changed.is_new = !entry.values("objectClass").is_empty();
    let has = |name: &str| entry.attributes.iter().any(|(known, _)| known.eq_ignore_ascii_case(name));
    changed.is_renamed = has("name") || has("parentGUID");
    let mut links = Vec::new();
    for (description, names) in &entry.attributes {
        match description.split_once(';') {
            Some((attribute, "range=1-1")) => links.push((attribute.to_owned(), true, names.clone())),
            Some((attribute, "range=0-0")) => links.push((attribute.to_owned(), false, names.clone())),
            // These two come with every object.
            _ if ["objectguid", "instancetype"].contains(&description.to_ascii_lowercase().as_str()) => {}
            _ => return Some(changed),
        }
    }
    changed.links = Some(links);
    Some(changed)
}

/// The naming context that holds what is read; DirSync knows no smaller base.
pub(super) fn base(around: &Around) -> String {
    around.directory.context(&around.config.base).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(attributes: &[(&str, &[&str])]) -> Entry {
        let guid = ("objectGUID".to_owned(), vec![vec![7; 16]]);
        let more = attributes.iter().map(|(name, values)| {
            ((*name).to_owned(), values.iter().map(|value| value.as_bytes().to_vec()).collect())
        });
        Entry { dn: "CN=x".to_owned(), attributes: more.chain([guid]).collect() }
    }

    #[test]
    fn what_changed_is_seen_from_the_names_of_attributes() {
        let only_links = changed(&entry(&[
            ("instanceType", &["4"]),
            ("member;range=1-1", &["CN=a"]),
            ("member;range=0-0", &["CN=b"]),
        ]));
        let links = only_links.unwrap().links.unwrap();
        assert_eq!(
            links,
            [
                ("member".to_owned(), true, vec![b"CN=a".to_vec()]),
                ("member".to_owned(), false, vec![b"CN=b".to_vec()]),
            ]
        );
        let both = changed(&entry(&[("member;range=1-1", &["CN=a"]), ("mail", &[])])).unwrap();
        assert!(both.links.is_none() && !both.is_renamed && !both.is_new);
        let moved = changed(&entry(&[("parentGUID", &["x"])])).unwrap();
        assert!(moved.is_renamed && moved.links.is_none());
        let made = changed(&entry(&[("name", &["x"]), ("objectClass", &["top"])])).unwrap();
        assert!(made.is_new);
        assert!(changed(&entry(&[("isDeleted", &["TRUE"])])).unwrap().is_deleted);
        assert!(changed(&Entry::default()).is_none());
    }

    #[test]
    fn answers_that_cannot_be_read_are_errors() {
        assert!(answered(&[]).is_err());
        let (has_more, cookie) = answered(&[0x30, 9, 2, 1, 1, 2, 1, 0, 4, 1, 7]).unwrap();
        assert!(has_more && cookie == [7]);
    }
}

//! Changes by update sequence numbers, for accounts that may not use DirSync.
//!
//! Each controller counts for itself, so a number is bound to the controller's invocation id; another controller, or
//! one that was restored and counts again from an earlier place, is a reason to read everything. Deleted objects can
//! only be seen with the right to list their container: without it there is no way of reading changes that misses
//! nothing, and none is offered. Links do not come value by value here: a group whose members changed is read whole.

use async_trait::async_trait;
use identitymesh_connector::{Class, ConnectorError, Watermark};
use serde::{Deserialize, Serialize};

use super::changed::Changed;
use super::controller::{Place, Told, place};
use super::delta::Source;
use super::dirsync::base;
use super::values;
use crate::delta::{self, Around, refused};
use crate::error;
use crate::page;
use crate::result;
use crate::transport::{Control, Entry, PageRequest, Reach, Search};

pub(super) const STYLE: &str = "usn";
const SHOW_DELETED: &str = "1.2.840.113556.1.4.417";
/// The number by which metadata knows an object's own name.
const NAME_ATTRIBUTE: u32 = 0x9_0001;

/// What stands in a mark.
#[derive(Serialize, Deserialize)]
struct At {
    #[serde(flatten)]
    place: Place,
    /// How far the controller may have told of itself, where that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    told: Option<Place>,
}

/// A mark with how far everything was told.
pub(super) fn all_told(around: &Around, mark: &Watermark, told: Option<Place>) -> Option<Watermark> {
    let at: At = delta::unmark(STYLE, around, mark).ok()?;
    delta::mark(STYLE, around, &At { told, ..at })
}

/// The place where changes begin from now on; nothing when deleted objects cannot be seen.
pub(super) async fn mark(around: &Around) -> Result<Option<Watermark>, ConnectorError> {
    if !sees_deleted(around).await? {
        tracing::warn!("this account sees no deleted objects, so the directory is read in full each time");
        return Ok(None);
    }
    let place = place(around).await?;
    Ok(place.and_then(|place| delta::mark(STYLE, around, &At { place, told: None })))
}

/// Whether deleted objects are shown to this account. That their container is says nothing, so one of them must be
/// seen; in a domain in which nothing was ever deleted this cannot be known.
pub(super) async fn sees_deleted(around: &Around) -> Result<bool, ConnectorError> {
    let search = Search {
        base: format!("CN=Deleted Objects,{}", base(around)),
        reach: Reach::OneLevel,
        filter: "(isDeleted=TRUE)".to_owned(),
        attributes: ["isDeleted".to_owned()].into(),
        page: Some(PageRequest { size: 1, cookie: Vec::new() }),
        controls: vec![Control::flag(SHOW_DELETED)],
    };
    let what = "looking for deleted objects";
    let found = around.transport.search(&search).await.map_err(|failure| error::no_answer(what, failure))?;
    Ok(found.answer.code == result::SUCCESS && !found.entries.is_empty())
}

/// The place in a mark.
pub(super) fn place_in(around: &Around, since: &Watermark) -> Option<Place> {
    Some(delta::unmark::<At>(STYLE, around, since).ok()?.place)
}

/// Changes behind a number.
pub(super) struct Usn {
    since: i64,
    told: Told,
    until: Place,
    is_read: bool,
}

impl Usn {
    /// From a mark, if this is the controller that it is from.
    pub(super) async fn resume(around: &Around, since: &Watermark) -> Result<Self, ConnectorError> {
        let At { place: since, told } = delta::unmark(STYLE, around, since)?;
        let Some(now) = place(around).await? else {
            return Err(refused("the controller does not say where its changes are"));
        };
        if now.controller != since.controller {
            return Err(refused(
                "another domain controller answers now, which counts its changes differently",
            ));
        }
        if now.usn < since.usn {
            return Err(refused("the domain controller was restored to an earlier state"));
        }
        let told = Told::as_marked(told, Some(&now));
        Ok(Self { since: since.usn, told, until: now, is_read: false })
    }

    async fn changed(&self, around: &Around) -> Result<Vec<Changed>, ConnectorError> {
        let since = format!("(uSNChanged>={})", self.since + 1);
        let attributes = ["objectGUID", "isDeleted", "uSNCreated", "replPropertyMetaData"].map(str::to_owned);
        let search = Search {
            base: base(around),
            reach: Reach::Subtree,
            filter: format!("(&{since}{})", super::classes_filter(around)),
            attributes: attributes.into(),
            page: None,
            controls: vec![Control::flag(SHOW_DELETED)],
        };
        let entries = page::all_changed(around.transport.as_ref(), search).await?;
        entries.iter().map(|entry| self.read(entry)).collect()
    }

    fn read(&self, entry: &Entry) -> Result<Changed, ConnectorError> {
        let id = entry.values("objectGUID").first().and_then(|bytes| values::guid_text(bytes)).ok_or_else(
            || {
                let message = format!("{} has no objectGUID, so nobody knows what changed", entry.dn);
                ConnectorError::new(error::SEARCH, Class::Data, message)
            },
        )?;
        let number = |name: &str| entry.texts(name).next().and_then(|text| text.parse::<i64>().ok());
        let named =
            entry.values("replPropertyMetaData").first().and_then(|bytes| local_usn(bytes, NAME_ATTRIBUTE));
        Ok(Changed {
            id,
            is_deleted: entry.texts("isDeleted").any(|text| text == "TRUE"),
            is_new: self.told.is_before(number("uSNCreated")),
            // Without metadata the name may have changed or not, so it is supposed to have.
            is_renamed: named.is_none_or(|usn| usn > self.since),
            links: None,
        })
    }
}

#[async_trait]
impl Source for Usn {
    async fn next(&mut self, around: &Around) -> Result<Option<Vec<Changed>>, ConnectorError> {
        if std::mem::replace(&mut self.is_read, true) {
            return Ok(None);
        }
        self.changed(around).await.map(Some)
    }

    async fn mark(&mut self, around: &Around) -> Result<Option<Watermark>, ConnectorError> {
        // The order of results says nothing, so only the end of all of them is a place to resume from.
        let at = At { place: self.until.clone(), told: place(around).await? };
        Ok(delta::mark(STYLE, around, &at))
    }
}

/// When this controller wrote an attribute, out of an object's replication metadata: a header of 16 bytes with the
/// number of parts, then 48 bytes for each: attribute, version, time, origin, its count there, its count here.
fn local_usn(bytes: &[u8], attribute: u32) -> Option<i64> {
    let version = u32::from_le_bytes(*bytes.first_chunk()?);
    let parts = bytes.get(16..).filter(|_| version == 1)?;
    let found = parts.chunks_exact(48).find(|part| part[..4] == attribute.to_le_bytes())?;
    Some(i64::from_le_bytes(*found[40..].first_chunk()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metadata_says_when_a_name_was_written_here() {
        let mut bytes = vec![1, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0];
        for (attribute, usn) in [(3_u32, 70_i64), (NAME_ATTRIBUTE, 4_711)] {
            let mut part = vec![0; 48];
            part[..4].copy_from_slice(&attribute.to_le_bytes());
            part[40..].copy_from_slice(&usn.to_le_bytes());
            bytes.extend(part);
        }
        assert_eq!(local_usn(&bytes, NAME_ATTRIBUTE), Some(4_711));
        assert_eq!(local_usn(&bytes, 9), None);
        assert_eq!(local_usn(&bytes[..40], NAME_ATTRIBUTE), None);
        assert_eq!(local_usn(&[2, 0, 0, 0], NAME_ATTRIBUTE), None);
    }

    #[test]
    fn without_metadata_a_name_is_supposed_to_have_changed() {
        let attributes = vec![
            ("objectGUID".to_owned(), vec![vec![1; 16]]),
            ("uSNCreated".to_owned(), vec![b"5".to_vec()]),
        ];
        let entry = Entry { dn: "CN=a".to_owned(), attributes };
        let at = |usn| Place { controller: "a".to_owned(), usn };
        let reading = |told: Option<Place>| {
            let told = Told::until(told.as_ref());
            Usn { since: 3, told, until: at(9), is_read: false }
        };
        let read = |told| reading(told).read(&entry).unwrap();
        assert!(read(None).is_renamed && !read(None).is_new);
        assert!(!read(Some(at(7))).is_new && read(Some(at(4))).is_new);
        assert!(reading(None).read(&Entry::default()).is_err());
    }
}

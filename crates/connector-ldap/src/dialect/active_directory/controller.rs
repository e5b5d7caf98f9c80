//! Which domain controller answers, where its count of changes is, and how much of another's it has taken over.
//!
//! Controllers replicate with a delay. One that has not caught up shows less than the one that was read before it, and
//! what it does not show is not gone.

use identitymesh_connector::ConnectorError;
use serde::{Deserialize, Serialize};

use super::dirsync::base;
use super::values;
use crate::delta::Around;
use crate::error;
use crate::result;
use crate::transport::{Entry, Search};

/// A place in one controller's count.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Place {
    /// The text of the controller's invocation id.
    pub(super) controller: String,
    pub(super) usn: i64,
}

/// Where the controller that answers is now; nothing when it does not say.
pub(super) async fn place(around: &Around) -> Result<Option<Place>, ConnectorError> {
    let what = "asking where changes begin";
    // The root entry that was read when the session began is not good enough: the count goes on.
    let root = entry(around, what, "", &["highestCommittedUSN", "dsServiceName"]).await?;
    let service = root.texts("dsServiceName").next().unwrap_or_default().to_owned();
    let service = entry(around, what, &service, &["invocationId"]).await?;
    let usn = root.texts("highestCommittedUSN").next().and_then(|text| text.parse().ok());
    let controller = service.values("invocationId").first().and_then(|bytes| values::guid_text(bytes));
    Ok(usn.zip(controller).map(|(usn, controller)| Place { controller, usn }))
}

/// How far in its own count the controller that answers may have told of itself already. What it made later is new to
/// whoever is told; of what it made before, nobody knows whether they were told: changes are told at least once, and
/// those that happen while somebody reads often twice.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Told(Option<i64>);

impl Told {
    /// As a mark says; nothing when that is another controller's count.
    pub(super) fn as_marked(marked: Option<Place>, now: Option<&Place>) -> Self {
        Self(
            marked
                .filter(|marked| now.is_some_and(|now| now.controller == marked.controller))
                .map(|at| at.usn),
        )
    }

    /// Until now.
    pub(super) fn until(now: Option<&Place>) -> Self {
        Self(now.map(|now| now.usn))
    }

    /// Whether what was made at `created` is new for certain.
    pub(super) fn is_before(self, created: Option<i64>) -> bool {
        self.0.zip(created).is_some_and(|(told, created)| created > told)
    }
}

/// Why the controller that answers may show less than another did at `before`; nothing when it has seen all of that.
pub(super) async fn lag(around: &Around, before: &Place) -> Result<Option<String>, ConnectorError> {
    let now = place(around).await?;
    if now.is_none_or(|now| now.controller == before.controller) {
        return Ok(None);
    }
    let what = "asking what this controller has seen of others";
    let head = entry(around, what, &base(around), &["replUpToDateVector"]).await?;
    let seen = head.values("replUpToDateVector").first().and_then(|bytes| seen(bytes, &before.controller));
    Ok(seen.is_none_or(|seen| seen < before.usn).then(|| {
        let seen = seen.map_or_else(|| "nothing that it tells".to_owned(), |usn| format!("change {usn}"));
        format!(
            "another domain controller answers, which has seen {seen} of the one that was read before, and that was read \
             up to change {}; what is not there yet is not gone (if that controller is gone for good, run a full import)",
            before.usn
        )
    }))
}

/// How far a controller has seen another's changes, out of its up-to-dateness vector: the version, the number of parts at
/// 8, and from 16 on for each its invocation id, its count, and since version 2 a time.
fn seen(bytes: &[u8], controller: &str) -> Option<i64> {
    let version = u32::from_le_bytes(*bytes.first_chunk()?);
    let size = match version {
        1 => 24,
        2 => 32,
        _ => return None,
    };
    let id = values::guid_bytes(controller)?;
    let part = bytes.get(16..)?.chunks_exact(size).find(|part| part[..16] == id)?;
    Some(i64::from_le_bytes(*part[16..].first_chunk()?))
}

async fn entry(around: &Around, what: &str, dn: &str, attributes: &[&str]) -> Result<Entry, ConnectorError> {
    let search = Search::entry(dn, attributes.iter().map(|name| (*name).to_owned()).collect());
    let found = around.transport.search(&search).await.map_err(|failure| error::no_answer(what, failure))?;
    match found.entries.into_iter().next() {
        Some(entry) if found.answer.code == result::SUCCESS => Ok(entry),
        _ => Err(error::search_refused(what, dn, &found.answer)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_was_made_after_all_that_was_told_is_new() {
        let here = Place { controller: "a".to_owned(), usn: 70 };
        let elsewhere = Place { controller: "b".to_owned(), usn: 10 };
        let told = Told::as_marked(Some(here.clone()), Some(&here));
        assert!(told.is_before(Some(71)) && !told.is_before(Some(70)) && !told.is_before(None));
        for unknown in [Told::as_marked(Some(elsewhere), Some(&here)), Told::as_marked(None, Some(&here))] {
            assert!(!unknown.is_before(Some(71)));
        }
    }

    #[test]
    fn what_was_seen_of_each_controller_stands_in_the_vector() {
        let ids = [[1_u8; 16], [2; 16]];
        for (version, size) in [(1_u32, 24), (2, 32)] {
            let mut bytes = [version.to_le_bytes(), [0; 4], 2_u32.to_le_bytes(), [0; 4]].concat();
            for (id, usn) in ids.iter().zip([70_i64, 4_711]) {
                let mut part = [id.as_slice(), &usn.to_le_bytes()].concat();
                part.resize(size, 0);
                bytes.extend(part);
            }
            let text = |id| values::guid_text(id).unwrap();
            assert_eq!(seen(&bytes, &text(&ids[0])), Some(70));
            assert_eq!(seen(&bytes, &text(&ids[1])), Some(4_711));
            assert_eq!(seen(&bytes, &text(&[3; 16])), None);
        }
        assert_eq!(seen(&[3, 0, 0, 0], "x"), None);
        assert_eq!(seen(&[], "x"), None);
    }
}

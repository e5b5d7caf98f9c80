//! Entries as they were seen last, by which a server is known that was restored from a backup.
//!
//! A server that was restored and written to since takes a cookie of its lost time for an old one, and tells nothing of
//! what went back. But no entry ever has an older change number than it had: one that has is proof. An entry that is not
//! there proves nothing, because somebody may have deleted it. So the last change that was seen of an entry that is
//! older than the backup is noticed, and other ones are not.

use std::sync::Arc;

use identitymesh_connector::ConnectorError;
use serde::{Deserialize, Serialize};

use super::FACTS;
use super::refresh::Cookies;
use crate::delta::Around;
use crate::error;
use crate::filter;
use crate::result;
use crate::transport::{Entry, Reach, Search, Transport};

/// Most entries that are remembered.
const COUNT_MAX: usize = 8;
const CHANGE_NUMBER: &str = "entryCSN";

/// Entries by their ids, with their change numbers, the newest first.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Witnesses(Vec<(String, String)>);

impl Witnesses {
    /// With the entries that the newest changes of these cookies were about.
    ///
    /// # Errors
    /// When the server does not answer.
    pub(super) async fn renewed(
        &self,
        transport: &dyn Transport,
        around: &Around,
        cookies: &Cookies,
    ) -> Result<Self, ConnectorError> {
        let mut numbers: Vec<&str> = cookies.values().flat_map(|cookie| change_numbers(cookie)).collect();
        numbers.sort_unstable();
        numbers.dedup();
        let equals = numbers.iter().map(|number| filter::equals(CHANGE_NUMBER, number.as_bytes()));
        let found = look(transport, around, &equals.collect::<Vec<_>>()).await?;
        let mut known = self.0.clone();
        known.retain(|(id, _)| !found.iter().any(|(_, other, _)| other == id));
        known.extend(found.into_iter().map(|(_, id, number)| (id, number)));
        known.sort_unstable_by(|(_, left), (_, right)| right.cmp(left));
        known.truncate(COUNT_MAX);
        Ok(Self(known))
    }

    /// The name of an entry that is older than it was.
    ///
    /// # Errors
    /// When the server does not answer.
    pub(super) async fn contradicted(&self, around: &Around) -> Result<Option<String>, ConnectorError> {
        let equals = self.0.iter().map(|(id, _)| filter::equals(FACTS.external_id, id.as_bytes()));
        let found = look(around.transport.as_ref(), around, &equals.collect::<Vec<_>>()).await?;
        let is_older =
            |id: &str, now: &str| self.0.iter().any(|(known, then)| known == id && now < then.as_str());
        Ok(found.into_iter().find(|(_, id, number)| is_older(id, number)).map(|(name, _, _)| name))
    }
}

/// The change numbers of a cookie, one for each server that writes.
pub(super) fn change_numbers(cookie: &str) -> impl Iterator<Item = &str> {
    let list = cookie.split(',').find_map(|part| part.strip_prefix("csn=")).unwrap_or_default();
    list.split(';').filter(|number| !number.is_empty())
}

/// The entries that match one of the filters: name, id, change number. Where they may not be read there are none.
async fn look(
    transport: &dyn Transport,
    around: &Around,
    filters: &[String],
) -> Result<Vec<(String, String, String)>, ConnectorError> {
    const WHAT: &str = "looking for what was seen last";
    if filters.is_empty() {
        return Ok(Vec::new());
    }
    let search = Search {
        base: around.config.base.clone(),
        reach: Reach::Subtree,
        filter: filter::any(filters),
        attributes: Arc::from([FACTS.external_id.to_owned(), CHANGE_NUMBER.to_owned()]),
        page: None,
        controls: Vec::new(),
    };
    let found = transport.search(&search).await.map_err(|failure| error::no_answer(WHAT, failure))?;
    if found.answer.code != result::SUCCESS {
        return Err(error::search_refused(WHAT, &search.base, &found.answer));
    }
    let one = |entry: &Entry, name: &str| entry.texts(name).next().map(str::to_owned);
    let each = found.entries.iter().filter_map(|entry| {
        Some((entry.dn.clone(), one(entry, FACTS.external_id)?, one(entry, CHANGE_NUMBER)?))
    });
    Ok(each.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cookie_has_a_number_for_each_server_that_writes() {
        let numbers = |cookie| change_numbers(cookie).collect::<Vec<_>>();
        assert_eq!(numbers("rid=000,csn=1#000#000;2#001#000"), ["1#000#000", "2#001#000"]);
        assert_eq!(numbers("rid=000,sid=001,csn=7"), ["7"]);
        assert!(numbers("rid=000").is_empty() && numbers("rid=000,csn=").is_empty());
    }
}

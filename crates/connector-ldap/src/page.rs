//! Reading all entries of a search in pages, where they are few enough to be held.
//!
//! For what a connector must know before it begins, such as a schema, and for looking after a handful of objects;
//! imports have a reader of their own that holds one page.

use identitymesh_connector::{Class, ConnectorError};

use crate::delta::refused;
use crate::error;
use crate::result;
use crate::transport::{Entry, PageRequest, Search, Transport};

/// Entries of a page; controllers give at most a thousand.
const PAGE_SIZE: i32 = 500;
/// Most entries that are held.
const ENTRY_COUNT_MAX: usize = 200_000;

/// All entries of a search.
///
/// # Errors
/// When the server refuses, stops short, does not come to an end, or has more than can be held.
pub(crate) async fn all(
    transport: &dyn Transport,
    what: &str,
    search: Search,
) -> Result<Vec<Entry>, ConnectorError> {
    let base = search.base.clone();
    at_most(transport, what, search, ENTRY_COUNT_MAX).await?.ok_or_else(|| {
        let message = format!("{what}: more than {ENTRY_COUNT_MAX} entries below {base}");
        ConnectorError::new(error::SEARCH, Class::Data, message)
    })
}

/// All entries of what a delta looks for. Where they are more than can be held, the mark is refused, so that a full
/// import follows, which holds one page.
///
/// # Errors
/// As [`all`], and `CON-010` when there are too many.
pub(crate) async fn all_changed(
    transport: &dyn Transport,
    search: Search,
) -> Result<Vec<Entry>, ConnectorError> {
    let found = at_most(transport, "reading what changed", search, ENTRY_COUNT_MAX).await?;
    found.ok_or_else(|| refused("more has changed since than is read in one piece"))
}

/// All entries of a search, `None` when they are more than `most`.
async fn at_most(
    transport: &dyn Transport,
    what: &str,
    mut search: Search,
    most: usize,
) -> Result<Option<Vec<Entry>>, ConnectorError> {
    let (mut entries, mut cookie) = (Vec::new(), Vec::new());
    loop {
        search.page = Some(PageRequest { size: PAGE_SIZE, cookie });
        let found = transport.search(&search).await.map_err(|failure| error::no_answer(what, failure))?;
        if found.answer.code != result::SUCCESS {
            return Err(error::search_refused(what, &search.base, &found.answer));
        }
        entries.extend(found.entries);
        if entries.len() > most {
            return Ok(None);
        }
        if found.cookie.is_empty() {
            return Ok(Some(entries));
        }
        cookie = found.cookie;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transport::Reach;
    use crate::transport::fake::Fake;

    #[tokio::test]
    async fn what_cannot_be_held_is_not_held() {
        let directory = Fake::with_people(1_200);
        let found = async |most| {
            let search = Search {
                base: "dc=t".to_owned(),
                reach: Reach::Subtree,
                filter: "(uid=*)".to_owned(),
                attributes: ["uid".to_owned()].into(),
                page: None,
                controls: Vec::new(),
            };
            at_most(&directory, "reading", search, most).await.unwrap().map(|entries| entries.len())
        };
        assert_eq!([found(1_200).await, found(1_199).await, found(600).await], [Some(1_200), None, None]);
    }
}

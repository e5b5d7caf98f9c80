//! Reading all entries of a search in pages, where they are few enough to be held.
//!
//! For what a connector must know before it begins, such as a schema, and for looking after a handful of objects;
//! imports have a reader of their own that holds one page.

use identitymesh_connector::{Class, ConnectorError};

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
/// When the server refuses, stops short, or does not come to an end.
pub(crate) async fn all(
    transport: &dyn Transport,
    what: &str,
    mut search: Search,
) -> Result<Vec<Entry>, ConnectorError> {
    let (mut entries, mut cookie) = (Vec::new(), Vec::new());
    loop {
        search.page = Some(PageRequest { size: PAGE_SIZE, cookie });
        let found = transport.search(&search).await.map_err(|failure| error::no_answer(what, failure))?;
        if found.answer.code != result::SUCCESS {
            return Err(error::search_refused(what, &search.base, &found.answer));
        }
        entries.extend(found.entries);
        if found.cookie.is_empty() {
            return Ok(entries);
        }
        if entries.len() > ENTRY_COUNT_MAX {
            let message = format!("{what}: more than {ENTRY_COUNT_MAX} entries below {}", search.base);
            return Err(ConnectorError::new(error::SEARCH, Class::Data, message));
        }
        cookie = found.cookie;
    }
}

//! Asking for single objects by their ids, where a full import did not show them.
//!
//! Whatever would have been read counts: an entry that lost its class, or left the parts of the tree that are read, is
//! not there.

use std::sync::Arc;

use identitymesh_connector::ConnectorError;
use identitymesh_model::Text;

use crate::error;
use crate::filter;
use crate::read;
use crate::result;
use crate::schema::TypeMap;
use crate::scope::Scope;
use crate::transport::{Reach, Search, Transport};

/// Ids in one filter, whose length servers limit. So few entries come without pages.
const ASKED_COUNT_MAX: usize = 100;

/// Those of the ids whose entries are there.
///
/// # Errors
/// When the server does not answer, or refuses.
pub(crate) async fn still_there(
    transport: &dyn Transport,
    scope: &Scope,
    map: &TypeMap,
    ids: &[Text],
) -> Result<Vec<Text>, ConnectorError> {
    const WHAT: &str = "looking for what was not read";
    let mut there = Vec::new();
    for ids in ids.chunks(ASKED_COUNT_MAX) {
        let any = filter::any(&ids.iter().map(|id| map.filter_for(id)).collect::<Vec<_>>());
        let search = Search {
            base: map.config.base.clone(),
            reach: Reach::Subtree,
            filter: filter::all(&[map.config.filter.clone(), any]),
            attributes: Arc::from([map.external_id.clone()]),
            page: None,
            controls: Vec::new(),
        };
        let found = transport.search(&search).await.map_err(|failure| error::no_answer(WHAT, failure))?;
        if found.answer.code != result::SUCCESS {
            return Err(error::search_refused(WHAT, &search.base, &found.answer));
        }
        let entries = found.entries.iter().filter(|entry| scope.contains(&entry.dn));
        there.extend(entries.filter_map(|entry| read::external_id(map, entry).ok()));
    }
    Ok(there)
}

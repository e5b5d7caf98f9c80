//! Asking for single objects by their ids, where a read did not show them.
//!
//! Whatever would have been read is still there: not so an entry that lost its class, or left the parts of the tree that
//! are read. The directory holds that one elsewhere, which matters to whoever refers to it.

use std::collections::HashSet;
use std::sync::Arc;

use identitymesh_connector::{Change, ConnectorError};
use identitymesh_model::{Name, Text};

use crate::error;
use crate::filter;
use crate::read;
use crate::result;
use crate::schema::{Directory, TypeMap};
use crate::scope::Scope;
use crate::transport::{Entry, Reach, Search, Transport};

/// Ids in one filter, whose length servers limit. So few entries come without pages.
const ASKED_COUNT_MAX: usize = 100;

/// How an object is gone from what is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Gone {
    /// The directory does not hold it any more.
    Deleted,
    /// It lies outside of what is read, or is of another type.
    Left,
}

impl Gone {
    /// What is said of it.
    pub(crate) const fn change(self, object_type: Name, external_id: Text) -> Change {
        match self {
            Self::Deleted => Change::Delete { object_type, external_id },
            Self::Left => Change::Left { object_type, external_id },
        }
    }
}

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
    let mut there = Vec::new();
    for ids in ids.chunks(ASKED_COUNT_MAX) {
        let filter = filter::all(&[map.config.filter.clone(), any_of(map, ids)]);
        let entries = entries(transport, map, &map.config.base, filter).await?;
        let entries = entries.iter().filter(|entry| scope.contains(&entry.dn));
        there.extend(entries.filter_map(|entry| read::external_id(map, entry).ok()));
    }
    Ok(there)
}

/// Those of the ids whose entries the directory holds, whatever and wherever they are now.
///
/// # Errors
/// When the server does not answer, or refuses.
pub(crate) async fn held(
    transport: &dyn Transport,
    directory: &Directory,
    map: &TypeMap,
    ids: &[Text],
) -> Result<HashSet<Text>, ConnectorError> {
    let base = directory.context(&map.config.base);
    let mut held = HashSet::new();
    for ids in ids.chunks(ASKED_COUNT_MAX) {
        let entries = entries(transport, map, base, any_of(map, ids)).await?;
        held.extend(entries.iter().filter_map(|entry| read::external_id(map, entry).ok()));
    }
    Ok(held)
}

fn any_of(map: &TypeMap, ids: &[Text]) -> String {
    filter::any(&ids.iter().map(|id| map.filter_for(id)).collect::<Vec<_>>())
}

async fn entries(
    transport: &dyn Transport,
    map: &TypeMap,
    base: &str,
    filter: String,
) -> Result<Vec<Entry>, ConnectorError> {
    const WHAT: &str = "looking for what was not read";
    let search = Search {
        base: base.to_owned(),
        reach: Reach::Subtree,
        filter,
        attributes: Arc::from([map.external_id.clone()]),
        page: None,
        controls: Vec::new(),
    };
    let found = transport.search(&search).await.map_err(|failure| error::no_answer(WHAT, failure))?;
    if found.answer.code != result::SUCCESS {
        return Err(error::search_refused(WHAT, &search.base, &found.answer));
    }
    Ok(found.entries)
}

//! Where a full read of OpenLDAP starts from, and going on from there.

use std::collections::BTreeMap;

use async_trait::async_trait;
use identitymesh_connector::{ConnectorError, Watermark};

use super::codec::{self, Mode};
use super::place::Place;
use super::refresh::{At, Cookies, Refresh, last_cookie, searches};
use super::witnesses::{Witnesses, change_numbers};
use super::{FACTS, STYLE};
use crate::delta::{Around, Delta, Pages, is_of_another, mark, refused, unmark};
use crate::error;
use crate::result;
use crate::transport::{Item, Search};

/// A search that finds nothing: only its cookie is wanted.
const NOTHING: &str = "(entryUUID=00000000-0000-0000-0000-000000000000)";

/// Content synchronisation (RFC 4533).
pub(super) struct Syncrepl;

#[async_trait]
impl Delta for Syncrepl {
    async fn mark(&self, around: &Around) -> Result<Option<Watermark>, ConnectorError> {
        // What is gone is told by its entryUUID, so that must be the id.
        let is_by_uuid = |id: &str| id.eq_ignore_ascii_case(FACTS.external_id);
        if !around.directory.offers(codec::REQUEST)
            || !around.types.iter().all(|map| is_by_uuid(&map.external_id))
        {
            return Ok(None);
        }
        let Some(cookies) = now(around).await? else { return Ok(None) };
        let seen = Witnesses::default().renewed(around.transport.as_ref(), around, &cookies).await?;
        Ok(mark(STYLE, around, &At { cookies, seen }))
    }

    async fn resume(&self, around: Around, since: &Watermark) -> Result<Box<dyn Pages>, ConnectorError> {
        let at = placed(&around, since).await?;
        Ok(Box::new(Refresh::start(around, Mode::RefreshOnly, at).await?))
    }

    async fn doubt(&self, around: &Around, since: &Watermark) -> Result<Option<String>, ConnectorError> {
        // One that was restored stands where it stands; one of several waits for what the others have.
        let before = unmark::<At>(STYLE, around, since).ok().filter(|_| is_of_another(around, since));
        let Some(before) = before else { return Ok(None) };
        let why = match now(around).await? {
            None => Some("does not say where it stands".to_owned()),
            Some(now) => behind(&now, &before.cookies).map(|(here, there)| {
                let here = here.as_deref().unwrap_or("nothing");
                format!("has seen {here} of the one that was read before, and that was read up to {there}")
            }),
        };
        Ok(why.map(|why| {
            format!(
                "another server answers, which {why}; what is not there yet is not gone (if the server that was read \
                 before is gone for good, run a full import)"
            )
        }))
    }

    async fn follow(
        &self,
        around: Around,
        since: &Watermark,
    ) -> Result<Option<Box<dyn Pages>>, ConnectorError> {
        let at = placed(&around, since).await?;
        Ok(Some(Box::new(Refresh::start(around, Mode::RefreshAndPersist, at).await?)))
    }
}

/// The place in a mark, which the server has not gone back behind as far as can be seen.
async fn placed(around: &Around, since: &Watermark) -> Result<At, ConnectorError> {
    let at: At = unmark(STYLE, around, since)?;
    match at.seen.contradicted(around).await? {
        Some(name) => Err(refused(&format!(
            "{name} is older than it was: the server was restored from a backup and written to since"
        ))),
        None => Ok(at),
    }
}

/// Where the server stands now, by the names of the searches; nothing when this database does not tell changes.
async fn now(around: &Around) -> Result<Option<Cookies>, ConnectorError> {
    let mut cookies = Cookies::new();
    let names = around.types.iter().map(|map| map.config.name.to_string()).chain([String::new()]);
    // One base is mostly that of all types, and its cookie is the same for all of them.
    let mut known: BTreeMap<String, String> = BTreeMap::new();
    for (name, search) in names.zip(searches(around, Mode::RefreshOnly, None)) {
        let cookie = match known.get(&search.base) {
            Some(cookie) => cookie.clone(),
            None => match cookie(around, search.clone()).await? {
                Some(cookie) => cookie,
                None => return Ok(None),
            },
        };
        known.insert(search.base, cookie.clone());
        cookies.insert(name, cookie);
    }
    Ok(Some(cookies))
}

/// The change of a server, and the last one seen of it, in which these cookies are behind those.
fn behind(now: &Cookies, before: &Cookies) -> Option<(Option<String>, String)> {
    let places =
        [now, before].map(|cookies| Place::of(cookies.values().flat_map(|cookie| change_numbers(cookie))));
    let [now, before] = places;
    now.behind(&before).next().map(|(here, there)| (here.map(str::to_owned), there.to_owned()))
}

/// Where a search stands now; nothing when this database does not tell changes.
async fn cookie(around: &Around, search: Search) -> Result<Option<String>, ConnectorError> {
    const WHAT: &str = "asking where the directory stands";
    let base = search.base.clone();
    let search = Search { filter: NOTHING.to_owned(), ..search };
    let lost = |failure| error::no_answer(WHAT, failure);
    let mut items = around.transport.stream(&search).await.map_err(lost)?;
    loop {
        if let Item::Done(answer) = items.next(around.config.request_timeout).await.map_err(lost)? {
            return match answer.code {
                result::SUCCESS => Ok(last_cookie(&answer.controls)),
                result::UNAVAILABLE_CRITICAL_EXTENSION => Ok(None),
                _ => Err(error::search_refused(WHAT, &base, &answer)),
            };
        }
    }
}

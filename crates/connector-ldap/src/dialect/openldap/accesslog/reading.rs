//! The log as it is read: one paged search for what was written since the place.

use std::sync::Arc;

use async_trait::async_trait;
use identitymesh_connector::{ConnectorError, Watermark};
use identitymesh_model::dn;
use serde::{Deserialize, Serialize};

use super::super::place::Place;
use super::delta::STYLE;
use super::record;
use crate::delta::{self, Around};
use crate::filter;
use crate::log::{self, Log, Record};
use crate::transport::{Bytes, PageRequest, Reach, Search};

/// Records in one window at most.
const WINDOW_MAX: usize = 500;

/// What is kept of a place.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct At {
    pub(super) place: Place,
    /// The last record that was read, if any was: a log that begins before it and does not hold it was restored.
    pub(super) last: Option<String>,
}

/// Where the directory and its log stand.
pub(super) struct Look {
    /// The newest change of each server in the directory.
    pub(super) now: Place,
    /// From where on the log has everything, as the server says it: several numbers of one server are possible.
    begins: Vec<String>,
}

impl Look {
    /// Asks the server; nothing when it keeps no log or shows none.
    pub(super) async fn at(around: &Around) -> Result<Option<Self>, ConnectorError> {
        let csns = |names: [&str; 1]| Arc::from(names.map(str::to_owned));
        let base = &around.config.base;
        let contexts = around.directory.root.texts("namingContexts").filter(|name| dn::is_within(base, name));
        let Some(context) = contexts.max_by_key(|name| name.len()) else { return Ok(None) };
        let log = log::one(around, Search::entry(&around.config.log_base, csns(["minCSN"]))).await?;
        let top = log::one(around, Search::entry(context, csns(["contextCSN"]))).await?;
        let (Some(log), Some(top)) = (log, top) else { return Ok(None) };
        let begins = log.texts("minCSN").map(str::to_owned).collect();
        Ok(Some(Self { now: Place::of(top.texts("contextCSN")), begins }))
    }
}

/// The log as it is read.
pub(super) struct Reading {
    /// Everything up to here was told.
    place: Place,
    /// As the place will be at the end of the search.
    next: Place,
    /// The last record that was read.
    last: Option<String>,
    /// Where the directory stood at the last look. What is in the log already and not yet part of it waits for the next.
    now: Place,
    filter: String,
    cookie: Bytes,
    is_told: bool,
}

impl Reading {
    /// Looks at the log, and whether everything after the place is still there.
    pub(super) async fn start(around: &Around, at: At) -> Result<Self, ConnectorError> {
        let mut reading = Self {
            next: at.place.clone(),
            place: at.place,
            last: at.last.filter(|csn| Place::is_number(csn)),
            now: Place::default(),
            filter: String::new(),
            cookie: Bytes::new(),
            is_told: true,
        };
        reading.look(around).await?;
        Ok(reading)
    }

    /// Whether the log has everything after the place.
    async fn check(&self, around: &Around, look: &Look) -> Result<(), ConnectorError> {
        if look.now.behind(&self.place).next().is_some() {
            return Err(delta::refused(
                "the server stands before the last change that was seen: it was restored, or is another one that lags behind",
            ));
        }
        if look.begins.is_empty() {
            return Err(delta::refused("the log does not say where it begins (minCSN)"));
        }
        let newest = Place::of(look.begins.iter().map(String::as_str));
        for (here, begins) in self.place.behind(&newest) {
            // With its first record a log says once more where it begins. While that record is there, nothing was trimmed.
            let seen = Place::of(here.into_iter());
            let is_covered = look.begins.iter().any(|csn| seen.has_passed(csn));
            if !(is_covered && has_record(around, begins).await?) {
                return Err(delta::refused(&format!(
                    "the log begins at {begins} and was trimmed past the last import"
                )));
            }
        }
        Ok(())
    }

    /// Whether the log holds the last record that was read. A server that was restored ends its connections, so this is
    /// asked once.
    async fn check_last(&self, around: &Around, look: &Look) -> Result<(), ConnectorError> {
        // What a log has trimmed, up to where it begins, it need not hold.
        let trimmed = Place::of(look.begins.iter().map(String::as_str));
        match &self.last {
            Some(csn) if !trimmed.has_passed(csn) && !has_record(around, csn).await? => {
                Err(delta::refused(&format!(
                    "the log does not hold the last change that was read any more ({csn}): it was restored from a backup"
                )))
            }
            _ => Ok(()),
        }
    }
}

async fn has_record(around: &Around, csn: &str) -> Result<bool, ConnectorError> {
    let search = search(around, filter::equals("entryCSN", csn.as_bytes()), &["1.1"]);
    Ok(!log::ask(around, search, "looking for a record of the log").await?.entries.is_empty())
}

fn search(around: &Around, filter: String, attributes: &[&str]) -> Search {
    Search {
        base: around.config.log_base.clone(),
        reach: Reach::OneLevel,
        filter,
        attributes: attributes.iter().map(|name| (*name).to_owned()).collect(),
        page: None,
        controls: Vec::new(),
    }
}

/// Records of writes that were done, not before the oldest place of those servers that wrote since.
fn since(place: &Place, now: &Place) -> String {
    let mut parts = vec!["(objectClass=auditWriteObject)".to_owned(), "(reqResult=0)".to_owned()];
    let behind: Vec<Option<&str>> = place.behind(now).map(|(here, _)| here).collect();
    // Of a server that nothing was seen of, everything is looked at.
    if let Some(oldest) =
        behind.iter().copied().collect::<Option<Vec<&str>>>().and_then(|all| all.into_iter().min())
    {
        parts.push(format!("(entryCSN>={oldest})"));
        // Of the last record that was seen, which may be large, not even the first byte.
        parts.extend(behind.iter().flatten().map(|seen| format!("(!(entryCSN={seen}))")));
    }
    filter::all(&parts)
}

#[async_trait]
impl Log for Reading {
    async fn look(&mut self, around: &Around) -> Result<bool, ConnectorError> {
        let look = Look::at(around).await?;
        let look = look.filter(|look| !look.now.is_empty()).ok_or_else(|| {
            delta::refused(
                "the log or the directory's contextCSN is not there, or this account may not read it",
            )
        })?;
        self.check(around, &look).await?;
        if self.now.is_empty() {
            self.check_last(around, &look).await?;
        }
        let goes_on = self.place.behind(&look.now).next().is_some();
        if goes_on {
            self.filter = since(&self.place, &look.now);
            self.cookie = Bytes::new();
            self.is_told = false;
        }
        self.now = look.now;
        Ok(goes_on)
    }

    async fn window(&mut self, around: &Around) -> Result<Vec<Record>, ConnectorError> {
        if self.is_told {
            return Ok(Vec::new());
        }
        // An entry that is gone is a change of each type.
        let size = WINDOW_MAX.min((around.page_size / around.types.len().max(1)).max(1));
        let page = PageRequest {
            size: i32::try_from(size).unwrap_or(i32::MAX),
            cookie: std::mem::take(&mut self.cookie),
        };
        let search = Search { page: Some(page), ..search(around, self.filter.clone(), &record::ATTRIBUTES) };
        let found = log::ask(around, search, "reading the log of writes").await?;
        let mut records = Vec::with_capacity(found.entries.len());
        for (csn, record) in found.entries.iter().filter_map(record::read) {
            if self.now.has_passed(&csn) && !self.place.has_passed(&csn) {
                self.next.pass(&csn);
                records.push(record);
                self.last = Some(csn);
            }
        }
        self.cookie = found.cookie;
        self.is_told = self.cookie.is_empty();
        if self.is_told {
            self.place = self.next.clone();
        }
        Ok(records)
    }

    fn is_told(&self) -> bool {
        self.is_told
    }

    fn mark(&self, around: &Around) -> Option<Watermark> {
        // Within the search the records of different servers may stand in any order.
        let at = || At { place: self.place.clone(), last: self.last.clone() };
        if self.is_told { delta::mark(STYLE, around, &at()) } else { None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const A1: &str = "20261127023728.000001Z#000000#001#000000";
    const A2: &str = "20261127023728.000002Z#000000#001#000000";
    const B1: &str = "20261127023727.000009Z#000000#002#000000";
    const B2: &str = "20261127023729.000009Z#000000#002#000000";

    #[test]
    fn a_server_that_wrote_nothing_does_not_widen_the_search() {
        let place = |csns: &[&str]| Place::of(csns.iter().copied());
        let writes = "(&(objectClass=auditWriteObject)(reqResult=0)";
        let one = since(&place(&[A1, B1]), &place(&[A2, B1]));
        assert_eq!(one, format!("{writes}(entryCSN>={A1})(!(entryCSN={A1})))"));
        let both = since(&place(&[A1, B1]), &place(&[A2, B2]));
        assert!(both.contains(&format!("(entryCSN>={B1})")), "{both}");
        assert_eq!(since(&place(&[A1]), &place(&[A2, B1])), format!("{writes})"));
    }
}

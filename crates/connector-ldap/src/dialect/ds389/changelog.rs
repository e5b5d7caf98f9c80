//! What changed according to the retro changelog, as pages.
//!
//! Numbers are given before a change can be seen, so a number that is missing is looked for once more by the next delta.
//! A log that was trimmed past the mark, or that is another server's, refuses it.

use std::sync::Arc;

use async_trait::async_trait;
use identitymesh_connector::{ConnectorError, Watermark};
use serde::{Deserialize, Serialize};

use super::FACTS;
use super::record;
use crate::delta::{self, Around, Delta, Pages};
use crate::filter;
use crate::log::{self, Changes, Log, Manners, Record};
use crate::settings;
use crate::transport::{Reach, Search};

/// The word in marks.
const STYLE: &str = "retro-changelog";
/// Records in one window at most.
const WINDOW_MAX: u64 = 500;
/// Numbers that are missing in the log and looked for again, at most.
const HOLE_COUNT_MAX: usize = 100;

const MANNERS: Manners = Manners {
    id: FACTS.external_id,
    bookkeeping: &[
        "modifiersName",
        "modifyTimestamp",
        "internalModifiersName",
        "internalModifyTimestamp",
        "entryusn",
        "nsUniqueId",
    ],
    without_id: "the changelog does not say which entries it means; set nsslapd-attribute: nsuniqueid:targetUniqueId on the Retro Changelog Plugin",
};

/// Where a delta starts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Place {
    /// Which log: the unique id of its root.
    log: String,
    /// The highest number that was seen.
    number: u64,
    /// Lower ones that were not.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    holes: Vec<u64>,
}

/// The log as the server describes it.
struct Described {
    base: String,
    id: String,
    first: u64,
    last: u64,
}

/// The retro changelog of 389 Directory Server.
pub(super) struct RetroChangelog;

#[async_trait]
impl Delta for RetroChangelog {
    async fn mark(&self, around: &Around) -> Result<Option<Watermark>, ConnectorError> {
        let is_by_unique_id =
            around.types.iter().all(|map| map.external_id.eq_ignore_ascii_case(FACTS.external_id));
        if !is_by_unique_id || around.config.changes == settings::Changes::None {
            return Ok(None);
        }
        let Some(log) = Described::look(around).await? else { return Ok(None) };
        let place = Place { log: log.id, number: log.last, holes: Vec::new() };
        Ok(delta::mark(STYLE, around, &place))
    }

    async fn resume(&self, around: Around, since: &Watermark) -> Result<Box<dyn Pages>, ConnectorError> {
        let log = Reading::start(&around, since).await?;
        Ok(Box::new(Changes::new(around, log, MANNERS, false)))
    }

    async fn doubt(&self, around: &Around, since: &Watermark) -> Result<Option<String>, ConnectorError> {
        // Numbers of one changelog say nothing of another's, so nobody knows whether it has caught up.
        Ok(delta::is_of_another(around, since).then(|| {
            "another server answers, and how far it has caught up with the one that was read before is not known; \
             what is not there is not taken for gone (if that server is gone for good, run a full import)"
                .to_owned()
        }))
    }

    async fn follow(
        &self,
        around: Around,
        since: &Watermark,
    ) -> Result<Option<Box<dyn Pages>>, ConnectorError> {
        let log = Reading::start(&around, since).await?;
        Ok(Some(Box::new(Changes::new(around, log, MANNERS, true))))
    }
}

impl Described {
    /// Asks the server; nothing when it keeps no log or shows none.
    async fn look(around: &Around) -> Result<Option<Self>, ConnectorError> {
        let names = ["changelog", "firstChangeNumber", "lastChangeNumber"].map(str::to_owned);
        let Some(root) = log::one(around, Search::entry("", Arc::from(names))).await? else {
            return Ok(None);
        };
        let number = |name: &str| root.texts(name).next().and_then(|text| text.parse().ok());
        let (Some(base), Some(first), Some(last)) =
            (root.texts("changelog").next(), number("firstChangeNumber"), number("lastChangeNumber"))
        else {
            return Ok(None);
        };
        let top = Search::entry(base, Arc::from([FACTS.external_id.to_owned()]));
        let top = log::one(around, top).await?;
        let id = top.as_ref().and_then(|top| top.texts(FACTS.external_id).next());
        Ok(id.map(|id| Self { base: base.to_owned(), id: id.to_owned(), first, last }))
    }

    /// Whether everything after the place is still there.
    fn check(&self, place: &Place) -> Result<(), ConnectorError> {
        if self.id != place.log {
            return Err(delta::refused("another server answers, whose changelog counts differently"));
        }
        if self.last < place.number {
            return Err(delta::refused(&format!(
                "the changelog ends at change {}, before change {} that was seen: it was restored or made anew",
                self.last, place.number
            )));
        }
        if self.last > place.number && self.first > place.number + 1 {
            return Err(delta::refused(&format!(
                "the changelog begins at change {} and was trimmed after change {}, the last that was seen",
                self.first, place.number
            )));
        }
        Ok(())
    }
}

/// The log as it is read.
struct Reading {
    log: Described,
    /// As it will stand in the next mark.
    place: Place,
    /// The first number of the next window.
    next: u64,
}

impl Reading {
    async fn start(around: &Around, since: &Watermark) -> Result<Self, ConnectorError> {
        if around.config.changes == settings::Changes::None {
            return Err(delta::refused("changes are not to be asked for"));
        }
        let place: Place = delta::unmark(STYLE, around, since)?;
        let log = Described::look(around).await?;
        let log =
            log.ok_or_else(|| delta::refused("the changelog is not there, or this account may not read it"))?;
        log.check(&place)?;
        Ok(Self { log, next: place.number + 1, place })
    }
}

#[async_trait]
impl Log for Reading {
    async fn look(&mut self, around: &Around) -> Result<bool, ConnectorError> {
        let log = Described::look(around).await?;
        self.log = log.ok_or_else(|| delta::refused("the changelog is not there any more"))?;
        self.log.check(&self.place)?;
        let goes_on = self.log.last > self.place.number;
        if goes_on {
            self.next = self.place.number + 1;
        }
        Ok(goes_on)
    }

    /// The records of the next window, in the order of their numbers; the place moves to its end.
    async fn window(&mut self, around: &Around) -> Result<Vec<Record>, ConnectorError> {
        // An entry that is gone is a change of each type.
        let per_page = around.page_size / around.types.len().max(1);
        let size = WINDOW_MAX.min(per_page.max(1) as u64);
        let end = self.log.last.min(self.next.saturating_add(size - 1));
        let old_holes = std::mem::take(&mut self.place.holes);
        let mut parts = vec![format!("(&(changeNumber>={})(changeNumber<={end}))", self.next)];
        parts.extend(old_holes.iter().map(|number| format!("(changeNumber={number})")));
        let search = Search {
            base: self.log.base.clone(),
            reach: Reach::OneLevel,
            filter: filter::any(&parts),
            attributes: record::ATTRIBUTES.map(str::to_owned).into(),
            page: None,
            controls: Vec::new(),
        };
        let found = log::ask(around, search, "reading the changelog").await?;
        let mut records: Vec<(u64, Record)> = found.entries.iter().filter_map(record::read).collect();
        records.sort_by_key(|(number, _)| *number);
        if let Some((highest, _)) = records.last() {
            self.place.number = self.place.number.max(*highest);
        }
        let seen: std::collections::BTreeSet<u64> = records.iter().map(|(number, _)| *number).collect();
        let holes = (self.next..=self.place.number).filter(|number| !seen.contains(number));
        self.place.holes = holes.take(HOLE_COUNT_MAX).collect();
        self.next = end + 1;
        Ok(records.into_iter().map(|(_, record)| record).collect())
    }

    fn is_told(&self) -> bool {
        self.next > self.log.last
    }

    fn mark(&self, around: &Around) -> Option<Watermark> {
        delta::mark(STYLE, around, &self.place)
    }
}

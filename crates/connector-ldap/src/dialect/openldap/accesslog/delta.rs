//! Where a full read starts from, and going on from there.

use async_trait::async_trait;
use identitymesh_connector::{ConnectorError, Watermark};

use super::super::FACTS;
use super::reading::{At, Look, Reading};
use crate::delta::{self, Around, Delta, Pages};
use crate::log::{Changes, Manners};

/// The word in marks.
pub(super) const STYLE: &str = "accesslog";

const MANNERS: Manners = Manners {
    id: FACTS.external_id,
    bookkeeping: &["entryCSN", "modifiersName", "modifyTimestamp"],
    without_id: "the log does not say which entries it means (reqEntryUUID); it takes OpenLDAP 2.5",
};

/// The log of writes.
pub(in super::super) struct AccessLog;

#[async_trait]
impl Delta for AccessLog {
    async fn mark(&self, around: &Around) -> Result<Option<Watermark>, ConnectorError> {
        let is_by_uuid =
            around.types.iter().all(|map| map.external_id.eq_ignore_ascii_case(FACTS.external_id));
        if !is_by_uuid {
            return Ok(None);
        }
        let look = Look::at(around).await?;
        let at = look.map(|look| At { place: look.now, last: None }).filter(|at| !at.place.is_empty());
        Ok(at.and_then(|at| delta::mark(STYLE, around, &at)))
    }

    async fn resume(&self, around: Around, since: &Watermark) -> Result<Box<dyn Pages>, ConnectorError> {
        Ok(Box::new(start(around, since, false).await?))
    }

    async fn doubt(&self, around: &Around, since: &Watermark) -> Result<Option<String>, ConnectorError> {
        let Ok(At { place, .. }) = delta::unmark(STYLE, around, since) else { return Ok(None) };
        let look = Look::at(around).await?;
        let is_behind = look.is_some_and(|look| look.now.behind(&place).next().is_some());
        Ok(is_behind.then(|| "the server has not caught up with the last change that was seen".to_owned()))
    }

    async fn follow(
        &self,
        around: Around,
        since: &Watermark,
    ) -> Result<Option<Box<dyn Pages>>, ConnectorError> {
        Ok(Some(Box::new(start(around, since, true).await?)))
    }
}

async fn start(around: Around, since: &Watermark, stays: bool) -> Result<Changes<Reading>, ConnectorError> {
    let at: At = delta::unmark(STYLE, &around, since)?;
    let reading = Reading::start(&around, at).await?;
    Ok(Changes::new(around, reading, MANNERS, stays))
}

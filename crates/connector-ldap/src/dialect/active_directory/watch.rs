//! Following a domain: a delta after the other, each from where the last one ended.
//!
//! Controllers can tell of changes as they happen (`LDAP_SERVER_NOTIFICATION_OID`), but not of all that a mark covers, and
//! of nothing that happened while nobody listened. So they are asked, each time from where the last answer ended.

use std::time::Duration;

use async_trait::async_trait;
use identitymesh_connector::{ConnectorError, Page, Watermark};

use crate::delta::{Around, Delta, Pages};

/// How often somebody who follows asks: one search where nothing happened, a few by update sequence numbers.
const ASKED_INTERVAL: Duration = Duration::from_secs(1);

/// Changes without an end.
pub(super) struct Watching<D> {
    around: Around,
    delta: D,
    /// Where the next delta begins.
    since: Watermark,
    reading: Option<Box<dyn Pages>>,
    /// Pages were handed over that wait for the mark behind them.
    owes_mark: bool,
}

impl<D: Delta> Watching<D> {
    /// Begins at `since`.
    ///
    /// # Errors
    /// As [`Delta::resume`].
    pub(super) async fn begin(around: Around, delta: D, since: &Watermark) -> Result<Self, ConnectorError> {
        let reading = delta.resume(around.clone(), since).await?;
        Ok(Self { around, delta, since: since.clone(), reading: Some(reading), owes_mark: false })
    }
}

#[async_trait]
impl<D: Delta> Pages for Watching<D> {
    async fn next_page(&mut self) -> Result<Option<Page>, ConnectorError> {
        loop {
            let Some(reading) = &mut self.reading else {
                tokio::time::sleep(ASKED_INTERVAL).await;
                self.reading = Some(self.delta.resume(self.around.clone(), &self.since).await?);
                continue;
            };
            let Some(page) = reading.next_page().await? else {
                self.reading = None;
                continue;
            };
            if let Some(mark) = &page.watermark {
                self.since = mark.clone();
            }
            // A mark alone is no news, unless something waits for it.
            if !page.changes.is_empty() || !page.findings.is_empty() || self.owes_mark {
                self.owes_mark = page.watermark.is_none();
                return Ok(Some(page));
            }
        }
    }
}

//! A log as pages: window after window, and behind each what lies below the containers that were renamed in it.

use std::time::Duration;

use async_trait::async_trait;
use identitymesh_connector::{ConnectorError, Page, Progress, Watermark};

use super::record::Record;
use super::teller::{Manners, Teller};
use crate::below::Subtrees;
use crate::delta::{Around, Pages};

/// How often somebody who follows looks at the log: one or two small searches.
const LOOK_INTERVAL: Duration = Duration::from_millis(500);

/// The log of one family of servers, read from some place on.
#[async_trait]
pub(crate) trait Log: Send {
    /// Looks at the log again: whether something was written since what was told.
    ///
    /// # Errors
    /// The refusal that leads to a full import, when something may be missing in between.
    async fn look(&mut self, around: &Around) -> Result<bool, ConnectorError>;

    /// The next records in the order in which they happened, a bounded number.
    async fn window(&mut self, around: &Around) -> Result<Vec<Record>, ConnectorError>;

    /// Whether everything was told that was there at the last look.
    fn is_told(&self) -> bool;

    /// Where a delta misses nothing after what was told; `None` where only the end of what is under way is such a place.
    fn mark(&self, around: &Around) -> Option<Watermark>;
}

/// A delta under way.
pub(crate) struct Changes<L> {
    around: Around,
    log: L,
    teller: Teller,
    /// Whether to wait for more at the end of the log.
    stays: bool,
    below: Option<Subtrees>,
    /// The page that ends a window, kept until what lies below renamed containers was told.
    concluded: Option<Page>,
    /// The log is to be read now, whether or not something new is in it.
    is_due: bool,
    done: u64,
}

impl<L: Log> Changes<L> {
    /// Reads `log`, at which somebody has just looked.
    pub(crate) fn new(around: Around, log: L, manners: Manners, stays: bool) -> Self {
        let teller = Teller::new(&around, manners);
        Self { around, log, teller, stays, below: None, concluded: None, is_due: true, done: 0 }
    }

    async fn wait(&mut self) -> Result<(), ConnectorError> {
        loop {
            tokio::time::sleep(LOOK_INTERVAL).await;
            if self.log.look(&self.around).await? {
                return Ok(());
            }
        }
    }
}

#[async_trait]
impl<L: Log> Pages for Changes<L> {
    async fn next_page(&mut self) -> Result<Option<Page>, ConnectorError> {
        if let Some(below) = &mut self.below {
            if let Some(page) = below.next_page().await? {
                return Ok(Some(page));
            }
            self.below = None;
        }
        if let Some(page) = self.concluded.take() {
            return Ok(Some(page));
        }
        if !self.is_due {
            if !self.stays {
                return Ok(None);
            }
            self.wait().await?;
        }
        let records = self.log.window(&self.around).await?;
        let mut page = self.teller.tell(&records).await?;
        self.done += records.len() as u64;
        page.progress = Progress { done: self.done, total: None };
        self.is_due = !self.log.is_told();
        let watermark = self.log.mark(&self.around);
        let containers = self.teller.renamed_containers();
        if containers.is_empty() {
            page.watermark = watermark;
        } else {
            self.below = Some(Subtrees::new(&self.around, containers).await?);
            self.concluded = Some(Page { watermark, progress: page.progress, ..Page::default() });
        }
        Ok(Some(page))
    }
}

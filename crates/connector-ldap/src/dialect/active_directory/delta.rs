//! Reading an Active Directory by its changes: by DirSync where the account may, else by update sequence numbers.
//!
//! Both say which objects changed; what they are now is then asked for, because a change can bring an object into what
//! is read or take it out, and a moved container changes the names of everything below it. Only changed links, such as
//! the members of a group, are taken as they come, so that their cost is that of the change.

use std::collections::VecDeque;

use async_trait::async_trait;
use identitymesh_connector::{Change, ConnectorError, ObjectFinding, Page, Progress, Watermark};

use super::changed::{Changed, Resolved, resolve};
use super::watch::Watching;
use super::{controller, dirsync, usn};
use crate::delta::{Around, Delta, Pages, refused, style_of};
use crate::settings::Changes;

/// The way of this family.
#[derive(Debug)]
pub(super) struct ByChanges;

#[async_trait]
impl Delta for ByChanges {
    async fn mark(&self, around: &Around) -> Result<Option<Watermark>, ConnectorError> {
        if around.config.changes == Changes::Auto
            && let Some(mark) = dirsync::mark(around).await?
        {
            return Ok(Some(mark));
        }
        if around.config.changes == Changes::None { Ok(None) } else { usn::mark(around).await }
    }

    async fn all_told(&self, around: &Around, mark: Watermark) -> Result<Watermark, ConnectorError> {
        // Where the controller does not say, whatever is new by the mark may have been told.
        let told = controller::place(around).await.unwrap_or_default();
        let all_told = match style_of(&mark).as_deref() {
            Some(dirsync::STYLE) => dirsync::all_told(around, &mark, told),
            Some(usn::STYLE) => usn::all_told(around, &mark, told),
            _ => None,
        };
        Ok(all_told.unwrap_or(mark))
    }

    async fn resume(&self, around: Around, since: &Watermark) -> Result<Box<dyn Pages>, ConnectorError> {
        let source: Box<dyn Source> = match style_of(since).as_deref() {
            Some(dirsync::STYLE) => Box::new(dirsync::DirSync::resume(&around, since).await?),
            Some(usn::STYLE) => Box::new(usn::Usn::resume(&around, since).await?),
            _ => return Err(refused("it was not made by this connector")),
        };
        let mut reading = Reading::new(around, source);
        // The first round is read here, because only here a mark can be refused.
        reading.fetch().await?;
        Ok(Box::new(reading))
    }

    async fn follow(
        &self,
        around: Around,
        since: &Watermark,
    ) -> Result<Option<Box<dyn Pages>>, ConnectorError> {
        Ok(Some(Box::new(Watching::begin(around, Self, since).await?)))
    }

    async fn gap(&self, around: &Around, mark: &Watermark) -> Result<Option<String>, ConnectorError> {
        // By sequence numbers nothing is read without it.
        if style_of(mark).as_deref() != Some(dirsync::STYLE) || usn::sees_deleted(around).await? {
            return Ok(None);
        }
        let why = "no deleted object is shown to this account: Samba's controllers do not tell it what is deleted \
            (nothing to do where nothing was deleted yet)";
        Ok(Some(why.to_owned()))
    }

    async fn doubt(&self, around: &Around, since: &Watermark) -> Result<Option<String>, ConnectorError> {
        match dirsync::place_in(around, since).or_else(|| usn::place_in(around, since)) {
            Some(before) => controller::lag(around, &before).await,
            None => Ok(None),
        }
    }
}

/// Where changes come from.
#[async_trait]
pub(super) trait Source: Send {
    /// The next objects that changed; `None` after the last.
    async fn next(&mut self, around: &Around) -> Result<Option<Vec<Changed>>, ConnectorError>;

    /// The place behind them, if one can resume there; asked when it was found out what became of them, because that can
    /// tell of what changed meanwhile.
    async fn mark(&mut self, around: &Around) -> Result<Option<Watermark>, ConnectorError>;
}

/// A delta under way.
struct Reading {
    around: Around,
    source: Box<dyn Source>,
    changes: VecDeque<Change>,
    findings: Vec<ObjectFinding>,
    /// Good as soon as all changes that wait were handed over.
    mark: Option<Watermark>,
    is_over: bool,
    done: u64,
}

impl Reading {
    fn new(around: Around, source: Box<dyn Source>) -> Self {
        Self {
            around,
            source,
            changes: VecDeque::new(),
            findings: Vec::new(),
            mark: None,
            is_over: false,
            done: 0,
        }
    }

    async fn fetch(&mut self) -> Result<(), ConnectorError> {
        let Some(changed) = self.source.next(&self.around).await? else {
            self.is_over = true;
            return Ok(());
        };
        let Resolved { changes, findings } = resolve(&self.around, changed).await?;
        self.changes.extend(changes);
        self.findings.extend(findings);
        self.mark = self.source.mark(&self.around).await?.or(self.mark.take());
        Ok(())
    }
}

#[async_trait]
impl Pages for Reading {
    async fn next_page(&mut self) -> Result<Option<Page>, ConnectorError> {
        while self.changes.is_empty() && self.mark.is_none() && !self.is_over {
            self.fetch().await?;
        }
        if self.changes.is_empty() && self.mark.is_none() && self.findings.is_empty() {
            return Ok(None);
        }
        let count = self.changes.len().min(self.around.page_size);
        let changes: Vec<Change> = self.changes.drain(..count).collect();
        self.done += count as u64;
        let watermark = if self.changes.is_empty() { self.mark.take() } else { None };
        Ok(Some(Page {
            changes,
            present: Vec::new(),
            findings: std::mem::take(&mut self.findings),
            watermark,
            certificates: Vec::new(),
            progress: Progress { done: self.done, total: None },
        }))
    }
}

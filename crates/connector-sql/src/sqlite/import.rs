//! Reading: one transaction from the first row to the last, so that everything belongs to one moment.

use std::sync::Arc;

use identitymesh_connector::{ConnectorError, ImportMode, ImportRequest, Page, Progress};
use identitymesh_model::Name;

use super::db::{Db, call_error, raw};
use super::page::Part;
use crate::dialect::Sqlite;
use crate::error::{configuration, unknown_type, watermark_refused};
use crate::layout::Layout;
use crate::raw::Raw;
use crate::statement::Statements;
use crate::watermark::{self, Mark, Marks};

/// A read that is under way.
pub(crate) struct Reading {
    /// Types that are not finished, the present one first.
    parts: std::collections::VecDeque<Part>,
    /// Where the next delta starts.
    marks: Marks,
    delta: bool,
    page_size: usize,
    done: u64,
    total: Option<u64>,
}

/// Starts a read and holds the database's present state for it.
pub(crate) fn begin(
    db: &Db,
    layouts: &Arc<Vec<Layout>>,
    request: &ImportRequest,
) -> Result<Reading, ConnectorError> {
    let mut wanted = Vec::new();
    for object_type in &request.object_types {
        wanted.push(find(layouts, *object_type)?);
    }
    let since = match &request.mode {
        ImportMode::Full => None,
        ImportMode::Delta { since } => Some(watermark::read(since)?),
    };
    db.abandon();
    let failed = |error| call_error(error, "the read could not start");
    db.patiently(|| db.command("BEGIN")).map_err(failed)?;
    let mut reading = Reading {
        parts: Default::default(),
        marks: since.clone().unwrap_or_default(),
        delta: since.is_some(),
        page_size: request.page_size_max.max(1),
        done: 0,
        total: None,
    };
    for at in wanted {
        let layout = &layouts[at];
        let part = match &since {
            None => {
                if let Some(mark) = db.patiently(|| highest(db, layout)).map_err(failed)? {
                    reading.marks.insert(layout.object_type, mark);
                }
                let part = db.patiently(|| Part::full(db, layouts, at)).map_err(failed)?;
                reading.total = Some(reading.total.unwrap_or(0) + part.expected());
                part
            }
            Some(since) => Part::delta(layouts, at, since_for(layout, since)?),
        };
        reading.parts.push_back(part);
    }
    Ok(reading)
}

impl Reading {
    /// The next page; `None` after the last, when the transaction is over too.
    pub(crate) fn next_page(&mut self, db: &Db) -> Result<Option<Page>, ConnectorError> {
        let Some(part) = self.parts.front_mut() else {
            db.abandon();
            return Ok(None);
        };
        let object_type = part.object_type();
        let failed = |error| call_error(error, &format!("the rows of {object_type} could not be read"));
        let types = self.marks.len();
        let mark = self.marks.get_mut(&object_type);
        let mut page = match (self.delta, mark) {
            (true, Some(mark)) => part.delta_page(db, mark, types, self.page_size).map_err(failed)?,
            _ => part.full_page(db, self.page_size).map_err(failed)?,
        };
        if part.is_finished() {
            page.certificates = part.certificate().into_iter().collect();
            self.parts.pop_front();
        }
        self.done += (page.changes.len() + page.findings.len()) as u64;
        page.progress = Progress { done: self.done, total: self.total };
        // Deltas come in the order of their marks, so each page may move them; a full read only at its end.
        if (self.delta || self.parts.is_empty()) && !self.marks.is_empty() {
            page.watermark = Some(watermark::write(&self.marks));
        }
        Ok(Some(page))
    }
}

pub(crate) fn find(layouts: &[Layout], object_type: Name) -> Result<usize, ConnectorError> {
    layouts.iter().position(|layout| layout.object_type == object_type).ok_or_else(|| {
        unknown_type(object_type.as_str(), layouts.iter().map(|layout| layout.object_type.as_str()))
    })
}

/// What marks of this type are marks of; `None` when it has none.
fn marked_by(layout: &Layout) -> Option<&str> {
    let changes = layout.changes.as_ref().map(|changes| changes.table.as_str());
    layout.watermark.as_deref().or(changes)
}

/// The mark of the present state; `None` when the type has none.
fn highest(db: &Db, layout: &Layout) -> rusqlite::Result<Option<Mark>> {
    let sql = match (&layout.watermark, &layout.changes) {
        (Some(column), _) => Statements(&Sqlite).highest(layout, column),
        (None, Some(changes)) => Statements(&Sqlite).highest_change(changes),
        (None, None) => return Ok(None),
    };
    let mut mark =
        Mark { of: marked_by(layout).unwrap_or_default().to_owned(), at: Raw::Null, seen: Vec::new() };
    mark.reach(db.one(&sql, |row| raw(row, 0))?);
    Ok(Some(mark))
}

fn since_for(layout: &Layout, since: &Marks) -> Result<Mark, ConnectorError> {
    let object_type = layout.object_type;
    let Some(by) = marked_by(layout) else {
        let message = format!("{object_type} has no way to tell what changed");
        return Err(
            configuration("SQL-008", message).advice("set watermark_column or change_table, or import fully")
        );
    };
    match since.get(&object_type) {
        Some(mark) if mark.of == by => Ok(mark.clone()),
        Some(mark) => {
            Err(watermark_refused(format!("the watermark is of {}, the settings say {by}", mark.of)))
        }
        None => Err(watermark_refused(format!("the watermark knows nothing of {object_type}"))),
    }
}

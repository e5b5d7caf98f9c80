//! One object type within a read, page by page in the order of its key or mark.

use std::collections::HashSet;
use std::sync::Arc;

use identitymesh_connector::{Certificate, Change, ObjectFinding, Page};
use identitymesh_model::{Name, Text};

use super::db::{Db, raw};
use super::row::{Row, objects};
use crate::dialect::Sqlite;
use crate::key;
use crate::layout::{Changes, Layout};
use crate::raw::Raw;
use crate::statement::Statements;
use crate::watermark::{Mark, fingerprint};

/// One object type within a read.
pub(crate) struct Part {
    layouts: Arc<Vec<Layout>>,
    at: usize,
    /// Beyond which row the next page starts: key columns, in a delta by mark the mark before them.
    after: Option<Vec<Raw>>,
    /// Where the delta started.
    since: Option<Mark>,
    delivered: u64,
    expected: u64,
    gaps: Vec<String>,
    last: Option<Text>,
    finished: bool,
    /// Rows without a key, to be said on the first page.
    keyless: u64,
}

impl Part {
    fn new(layouts: &Arc<Vec<Layout>>, at: usize) -> Self {
        Self {
            layouts: Arc::clone(layouts),
            at,
            after: None,
            since: None,
            delivered: 0,
            expected: 0,
            gaps: Vec::new(),
            last: None,
            finished: false,
            keyless: 0,
        }
    }

    /// A full read, which counts first.
    pub(crate) fn full(db: &Db, layouts: &Arc<Vec<Layout>>, at: usize) -> rusqlite::Result<Self> {
        let mut part = Self::new(layouts, at);
        let sql = Statements(&Sqlite).count(&layouts[at]);
        let (keyed, all): (i64, i64) = db.one(&sql, |row| Ok((row.get(0)?, row.get(1)?)))?;
        part.expected = keyed.unsigned_abs();
        part.keyless = all.abs_diff(keyed);
        Ok(part)
    }

    pub(crate) fn delta(layouts: &Arc<Vec<Layout>>, at: usize, since: Mark) -> Self {
        Self { since: Some(since), ..Self::new(layouts, at) }
    }

    pub(crate) const fn expected(&self) -> u64 {
        self.expected
    }

    pub(crate) const fn is_finished(&self) -> bool {
        self.finished
    }

    pub(crate) fn object_type(&self) -> Name {
        self.layouts[self.at].object_type
    }

    /// What a full read proves at its end; a delta proves nothing.
    pub(crate) fn certificate(&mut self) -> Option<Certificate> {
        self.since.is_none().then(|| Certificate {
            object_type: self.object_type(),
            objects: self.delivered,
            expected: Some(self.expected),
            gaps: std::mem::take(&mut self.gaps),
        })
    }

    pub(crate) fn full_page(&mut self, db: &Db, page_size: usize) -> rusqlite::Result<Page> {
        let layouts = Arc::clone(&self.layouts);
        let layout = &layouts[self.at];
        let mut page = Page::default();
        self.say_keyless(&mut page);
        let sql = Statements(&Sqlite).full_page(layout, self.after.as_deref(), page_size);
        let rows = db.query(&sql, |row| Row::take(row, layout, 0))?;
        self.finished = rows.len() < page_size;
        self.after = rows.last().map(|row| row.key(layout)).or(self.after.take());
        self.delivered += rows.len() as u64;
        for read in objects(db, layout, &rows)? {
            let external_id = match &read {
                Ok(object) => Some(object.external_id.clone()),
                Err(finding) => finding.external_id.clone(),
            };
            self.watch_key(external_id);
            match read {
                Ok(object) => page.changes.push(Change::Upsert(object)),
                Err(finding) => page.findings.push(finding),
            }
        }
        Ok(page)
    }

    pub(crate) fn delta_page(
        &mut self,
        db: &Db,
        mark: &mut Mark,
        types: usize,
        page_size: usize,
    ) -> rusqlite::Result<Page> {
        let layouts = Arc::clone(&self.layouts);
        let layout = &layouts[self.at];
        match (&layout.watermark, &layout.changes) {
            (Some(column), _) => self.marked_page(db, layout, column, mark, types, page_size),
            (None, Some(changes)) => self.change_page(db, layout, changes, mark, page_size),
            (None, None) => {
                self.finished = true;
                Ok(Page::default())
            }
        }
    }

    fn marked_page(
        &mut self,
        db: &Db,
        layout: &Layout,
        column: &str,
        mark: &mut Mark,
        types: usize,
        page_size: usize,
    ) -> rusqlite::Result<Page> {
        let since = self.since.as_ref().unwrap_or(mark);
        let sql =
            Statements(&Sqlite).marked_page(layout, column, &since.at, self.after.as_deref(), page_size);
        let seen: HashSet<_> = since.seen.iter().copied().collect();
        let rows = db.query(&sql, |row| Row::take(row, layout, 2))?;
        self.finished = rows.len() < page_size;
        let mut page = Page::default();
        for (row, read) in rows.iter().zip(objects(db, layout, &rows)?) {
            let (deleted, at) = (row.behind[0] == Raw::Integer(1), row.behind[1].clone());
            self.after = Some(std::iter::once(at.clone()).chain(row.key(layout)).collect());
            mark.reach(at);
            match read {
                Err(finding) => page.findings.push(finding),
                Ok(object) if deleted => {
                    let (object_type, external_id) = (object.object_type, object.external_id);
                    page.changes.push(Change::Delete { object_type, external_id });
                }
                Ok(object) => {
                    let hash = fingerprint(&object);
                    mark.remember(hash, types);
                    if !seen.contains(&hash) {
                        page.changes.push(Change::Upsert(object));
                    }
                }
            }
        }
        Ok(page)
    }

    fn change_page(
        &mut self,
        db: &Db,
        layout: &Layout,
        changes: &Changes,
        mark: &mut Mark,
        page_size: usize,
    ) -> rusqlite::Result<Page> {
        let count = changes.key.len();
        let sql = Statements(&Sqlite).change_page(changes, &mark.at, page_size);
        let entries = db.query(&sql, |row| {
            let key = (0..count).map(|at| raw(row, at)).collect::<rusqlite::Result<Vec<Raw>>>()?;
            Ok((key, raw(row, count)?, raw(row, count + 1)?))
        })?;
        self.finished = entries.len() < page_size;
        let mut page = Page::default();
        if let Some((_, _, newest)) = entries.last() {
            mark.reach(newest.clone());
        }
        let mut done = HashSet::new();
        // Of one object the newest entry decides, and the row itself says what it is now.
        for (key, operation, _) in entries.into_iter().rev() {
            let Some(external_id) = key::join(&key) else {
                page.findings.push(self.entry_without_key(changes));
                continue;
            };
            if !done.insert(external_id.clone()) {
                continue;
            }
            let deleted = matches!(&operation, Raw::Text(word) if changes.delete_values.contains(word));
            let row = if deleted { None } else { row_by_key(db, layout, &key)? };
            match row.map(|row| objects(db, layout, &[row])).transpose()?.and_then(|mut read| read.pop()) {
                Some(Ok(object)) => page.changes.push(Change::Upsert(object)),
                Some(Err(finding)) => page.findings.push(finding),
                None => {
                    let object_type = layout.object_type;
                    page.changes.push(Change::Delete { object_type, external_id });
                }
            }
        }
        page.changes.reverse();
        Ok(page)
    }

    fn entry_without_key(&self, changes: &Changes) -> ObjectFinding {
        ObjectFinding {
            code: "SQL-030",
            object_type: Some(self.object_type()),
            external_id: None,
            location: Some(changes.table.clone()),
            message: "an entry of the change table has no key".to_owned(),
        }
    }

    fn say_keyless(&mut self, page: &mut Page) {
        let keyless = std::mem::take(&mut self.keyless);
        if keyless > 0 {
            let message = format!("{keyless} rows have no key and cannot be imported");
            self.gaps.push(message.clone());
            page.findings.push(ObjectFinding {
                code: "SQL-030",
                object_type: Some(self.object_type()),
                external_id: None,
                location: None,
                message,
            });
        }
    }

    /// Rows come in the order of their keys, so a key that is none shows as two neighbours.
    fn watch_key(&mut self, external_id: Option<Text>) {
        match &external_id {
            None => self.gaps.push("a row has a key that is no external id".to_owned()),
            Some(id) if self.last.as_ref() == Some(id) => {
                self.gaps.push(format!("the key {id} is on more than one row"));
            }
            Some(_) => {}
        }
        self.gaps.truncate(10);
        self.last = external_id;
    }
}

/// The live row with this key.
pub(crate) fn row_by_key(db: &Db, layout: &Layout, key: &[Raw]) -> rusqlite::Result<Option<Row>> {
    let rows = db.query(&Statements(&Sqlite).by_key(layout, key), |row| Row::take(row, layout, 1))?;
    Ok(rows.into_iter().next().filter(|row| row.behind[0] != Raw::Integer(1)))
}

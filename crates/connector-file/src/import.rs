//! One import: pages of changes, then certificates.
//!
//! Memory is one page and 16 bytes for each external id seen. The first record of an external id stays; a later one is
//! a finding and leaves a gap, because nobody can say which of them is right. Certificates come only with the end of
//! a file that did not change meanwhile (sync semantics, section 2).

use std::collections::{BTreeMap, HashSet};
use std::fs::File;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use identitymesh_connector::{
    Certificate, Change, ConnectorError, ImportRequest, ImportedObject, ObjectFinding, Page, Progress,
};
use identitymesh_model::{Name, sha256_parts};
use tokio_util::sync::CancellationToken;

use crate::config::Config;
use crate::error;
use crate::layout::Layout;
use crate::record::{Fault, Read, Record, RecordReader};
use crate::source::{self, Located, Stamp};

/// Most external ids of one import, for the memory that they take.
const KEY_COUNT_MAX: usize = 20_000_000;
/// Gaps told one by one; the rest is a number.
const GAP_COUNT_MAX: usize = 20;
/// Records between two looks at the cancel token.
const CANCEL_INTERVAL: usize = 500;

/// An import under way.
pub(crate) struct Import {
    /// `None` where the file is yet to be made.
    opened: Option<Opened>,
    tallies: BTreeMap<Name, Tally>,
    seen: HashSet<[u8; 16]>,
    key_count_max: usize,
    page_size: usize,
    is_over: bool,
    /// Change files prove no absence.
    certifies: bool,
    archive: Option<PathBuf>,
}

struct Opened {
    reader: Box<dyn RecordReader>,
    file: File,
    stamp: Stamp,
    located: Located,
    bytes_read: Arc<AtomicU64>,
}

/// What is known of one object type.
#[derive(Default)]
struct Tally {
    objects: u64,
    gaps: Vec<String>,
    more_gaps: u64,
}

impl Tally {
    fn gap(&mut self, text: &str) {
        if self.gaps.len() < GAP_COUNT_MAX {
            self.gaps.push(text.to_owned());
        } else {
            self.more_gaps += 1;
        }
    }
}

impl Import {
    /// Opens the file, which is at rest as `stamp` says.
    pub(crate) fn begin(
        config: &Config,
        layout: &Layout,
        located: Option<Located>,
        request: &ImportRequest,
    ) -> Result<Self, ConnectorError> {
        let opened = match located {
            None => None,
            Some(located) => {
                let file = source::open(&located.path)?;
                let stamp = Stamp::of(&file, &located.path)?;
                let bytes_read = Arc::new(AtomicU64::new(0));
                let second = file.try_clone().map_err(|error| error::unreadable(&located.path, error))?;
                let input = source::input(config, second, bytes_read.clone());
                let reader = source::reader(config, layout, &located.path, input, false)?;
                Some(Opened { reader, file, stamp, located, bytes_read })
            }
        };
        Ok(Self {
            opened,
            tallies: request.object_types.iter().map(|name| (*name, Tally::default())).collect(),
            seen: HashSet::new(),
            key_count_max: KEY_COUNT_MAX,
            page_size: request.page_size_max.max(1),
            is_over: false,
            certifies: !config.change_records,
            archive: config.archive.clone(),
        })
    }

    /// The path of the file.
    pub(crate) fn source(&self) -> Option<String> {
        Some(self.opened.as_ref()?.located.path.display().to_string())
    }

    /// The next page, `None` after the last. Superseded files go to the archive only with that `None`: then the
    /// caller has every page.
    pub(crate) fn page(&mut self, cancel: &CancellationToken) -> Result<Option<Page>, ConnectorError> {
        if self.is_over {
            if let (Some(opened), Some(archive)) = (&mut self.opened, &self.archive) {
                source::archive(&std::mem::take(&mut opened.located.superseded), archive)?;
            }
            return Ok(None);
        }
        let mut page = Page::default();
        // Records of types that nobody asked for are looked at and do not count.
        let (mut count, mut looked_at) = (0, 0_usize);
        while count < self.page_size {
            if looked_at.is_multiple_of(CANCEL_INTERVAL) && cancel.is_cancelled() {
                return Err(ConnectorError::cancelled());
            }
            looked_at += 1;
            let read = match &mut self.opened {
                Some(opened) => opened.reader.next()?,
                None => None,
            };
            match read {
                Some(read) => count += usize::from(self.take(read, &mut page)?),
                None => {
                    self.end(&mut page)?;
                    break;
                }
            }
        }
        if let Some(opened) = &mut self.opened {
            page.findings.extend(opened.reader.take_notices());
            let done = opened.bytes_read.load(Ordering::Relaxed);
            page.progress = Progress { done, total: Some(opened.stamp.bytes.max(done)) };
        }
        Ok(Some(page))
    }

    /// Puts what was read on the page; `false` when it is of a type that nobody asked for.
    fn take(&mut self, read: Read, page: &mut Page) -> Result<bool, ConnectorError> {
        match read {
            Read::Record(record) => {
                let Some(object_type) = record.object_type.filter(|name| self.tallies.contains_key(name))
                else {
                    return Ok(false);
                };
                self.record(object_type, record, page)?;
            }
            Read::Change(_, change) => {
                if !self.tallies.contains_key(&change.subject().0) {
                    return Ok(false);
                }
                page.changes.push(change);
            }
            Read::Fault(fault) => {
                if fault.object_type.is_some_and(|name| !self.tallies.contains_key(&name)) {
                    return Ok(false);
                }
                self.fault(fault, page)?;
            }
        }
        Ok(true)
    }

    fn record(&mut self, object_type: Name, record: Record, page: &mut Page) -> Result<(), ConnectorError> {
        if !self.is_first(object_type, &record.key)? {
            let message =
                format!("{:?} stands in the file already; the first record of it counts", record.key);
            self.tally(object_type).gap(&format!("line {}: {message}", record.line));
            page.findings.push(ObjectFinding {
                code: error::DUPLICATE,
                object_type: Some(object_type),
                external_id: Some(record.key),
                location: Some(format!("line {}", record.line)),
                message,
            });
            return Ok(());
        }
        self.tally(object_type).objects += 1;
        let Record { line, key: external_id, attributes, unread, .. } = record;
        if let Some(message) = unread.in_words() {
            page.findings.push(ObjectFinding {
                code: error::VALUE,
                object_type: Some(object_type),
                external_id: Some(external_id.clone()),
                location: Some(format!("line {line}")),
                message,
            });
        }
        let unread = unread.names;
        page.changes.push(Change::Upsert(ImportedObject { object_type, external_id, attributes, unread }));
        Ok(())
    }

    /// A malformed record counts as seen where its key could be read, and as a gap where not.
    fn fault(&mut self, fault: Fault, page: &mut Page) -> Result<(), ConnectorError> {
        let mut is_gap = fault.is_gap;
        if let (Some(object_type), Some(key)) = (fault.object_type, &fault.key) {
            match self.is_first(object_type, key)? {
                true => self.tally(object_type).objects += 1,
                false => is_gap = true,
            }
        }
        if is_gap || fault.key.is_none() {
            let text = format!("line {}: {}", fault.line, fault.message);
            match fault.object_type {
                Some(object_type) => self.tally(object_type).gap(&text),
                None => self.tallies.values_mut().for_each(|tally| tally.gap(&text)),
            }
        }
        page.findings.push(fault.into_finding());
        Ok(())
    }

    fn tally(&mut self, object_type: Name) -> &mut Tally {
        self.tallies.entry(object_type).or_default()
    }

    fn is_first(&mut self, object_type: Name, key: &str) -> Result<bool, ConnectorError> {
        if self.seen.len() >= self.key_count_max {
            return Err(error::data(
                error::TOO_MANY,
                format!("the file holds more than {} objects", self.key_count_max),
                "split the file and read each part with a connector of its own",
            ));
        }
        let digest = sha256_parts(&[object_type.folded().as_bytes(), b"\0", key.as_bytes()]);
        let mut short = [0; 16];
        short.copy_from_slice(&digest[..16]);
        Ok(self.seen.insert(short))
    }

    fn end(&mut self, page: &mut Page) -> Result<(), ConnectorError> {
        self.is_over = true;
        if let Some(opened) = &self.opened {
            let path = &opened.located.path;
            if Stamp::of(&opened.file, path)? != opened.stamp {
                return Err(error::changing(path, "while it was read"));
            }
            if let Some(doubt) = opened.reader.doubt() {
                self.tallies.values_mut().for_each(|tally| tally.gap(&doubt));
            }
        }
        if !self.certifies {
            return Ok(());
        }
        for (object_type, tally) in &mut self.tallies {
            let mut gaps = std::mem::take(&mut tally.gaps);
            if tally.more_gaps > 0 {
                gaps.push(format!("and {} more", tally.more_gaps));
            }
            page.certificates.push(Certificate {
                object_type: *object_type,
                objects: tally.objects,
                expected: None,
                gaps,
            });
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use identitymesh_connector::Class;

    #[test]
    fn more_objects_than_memory_is_set_aside_for_are_refused() {
        let mut import = Import {
            opened: None,
            tallies: BTreeMap::new(),
            seen: HashSet::new(),
            key_count_max: 2,
            page_size: 1,
            is_over: false,
            certifies: true,
            archive: None,
        };
        let kind = Name::literal("user");
        assert!(import.is_first(kind, "a").unwrap());
        assert!(!import.is_first(kind, "a").unwrap());
        assert!(import.is_first(kind, "b").unwrap());
        let error = import.is_first(kind, "c").unwrap_err();
        assert_eq!((error.code, error.class), (error::TOO_MANY, Class::Data));
    }
}

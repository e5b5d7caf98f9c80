//! What every format's reader yields: records, changes, faults.
//!
//! A reader never stops at a faulty record; it reports it and goes on with the next. Only what makes the rest
//! unreadable is an error. A fault says whether it leaves a doubt about absence: without a readable key nobody knows
//! whose record it was, so nobody may be called gone (sync semantics, section 2).

use std::collections::HashSet;

use identitymesh_connector::{Change, ConnectorError, ObjectFinding};
use identitymesh_model::{Name, Object, Text};

use crate::error;

/// Most bytes in one record; a larger one is a quote that was never closed, or no file for this connector.
pub(crate) const RECORD_BYTES_MAX: usize = 32 << 20;
/// Most bytes in an external id, as the contract has it.
pub(crate) const KEY_BYTES_MAX: usize = 1_024;
/// Most unread attributes that one finding names.
const NAMES_SHOWN_MAX: usize = 20;
/// Most names outside the schema that one import reports; further ones are dropped without a word.
const NOTICE_COUNT_MAX: usize = 100;

/// One record that could be read whole.
#[derive(Debug)]
pub(crate) struct Record {
    /// Where it starts: a line from 1.
    pub(crate) line: u64,
    /// `None` for an LDIF entry that is of none of the configured types.
    pub(crate) object_type: Option<Name>,
    pub(crate) key: Text,
    pub(crate) attributes: Object,
    /// Attributes whose values do not fit their type, and what is wrong with the first.
    pub(crate) unread: Unread,
    /// What the schema does not cover, so that writing the file again keeps it.
    pub(crate) rest: Vec<(String, Vec<u8>)>,
}

/// Attributes that could not be read.
#[derive(Debug, Default)]
pub(crate) struct Unread {
    pub(crate) names: Vec<Name>,
    message: String,
}

impl Unread {
    /// Notes that the value of `name` does not fit.
    pub(crate) fn note(&mut self, name: Name, message: &str) {
        if self.names.is_empty() {
            self.message = format!("{name}: {message}");
        }
        if !self.names.contains(&name) {
            self.names.push(name);
        }
    }

    /// What a finding says, `None` when all was read. One sentence however many attributes there are.
    pub(crate) fn in_words(&self) -> Option<String> {
        let more = match self.names.as_slice() {
            [] => return None,
            [_] => String::new(),
            [_, rest @ ..] => {
                let rest: Vec<&str> = rest.iter().take(NAMES_SHOWN_MAX).map(|name| name.as_str()).collect();
                format!("; {} cannot be read either", rest.join(", "))
            }
        };
        Some(format!("{}{more}", self.message))
    }
}

/// One record that could not.
#[derive(Debug)]
pub(crate) struct Fault {
    pub(crate) code: &'static str,
    pub(crate) line: u64,
    pub(crate) object_type: Option<Name>,
    pub(crate) key: Option<Text>,
    pub(crate) message: String,
    /// Leaves a doubt about absence even where the key is known.
    pub(crate) is_gap: bool,
}

impl Fault {
    /// A fault of a record that nobody can name.
    pub(crate) fn nameless(code: &'static str, line: u64, message: impl Into<String>) -> Self {
        Self { code, line, object_type: None, key: None, message: message.into(), is_gap: true }
    }

    /// As the contract says it.
    pub(crate) fn into_finding(self) -> ObjectFinding {
        ObjectFinding {
            code: self.code,
            object_type: self.object_type,
            external_id: self.key,
            location: Some(format!("line {}", self.line)),
            message: self.message,
        }
    }
}

/// What a reader yields.
#[derive(Debug)]
pub(crate) enum Read {
    Record(Record),
    Change(u64, Change),
    Fault(Fault),
}

/// Reads a file record by record.
pub(crate) trait RecordReader: Send + Sync {
    /// The next record, `None` at the end.
    fn next(&mut self) -> Result<Option<Read>, ConnectorError>;

    /// Findings about the file rather than about one record, since the last call.
    fn take_notices(&mut self) -> Vec<ObjectFinding>;

    /// After the end: why the end may not be the end.
    fn doubt(&self) -> Option<String>;
}

/// Names outside the schema, each reported once.
#[derive(Debug, Default)]
pub(crate) struct Notices {
    seen: HashSet<String>,
    pending: Vec<ObjectFinding>,
}

impl Notices {
    /// Reports that `name` was dropped, unless that was said before.
    pub(crate) fn dropped(&mut self, object_type: Option<Name>, name: &str, line: u64, why: &str) {
        if self.seen.len() >= NOTICE_COUNT_MAX || self.seen.contains(name) {
            return;
        }
        self.seen.insert(name.to_owned());
        self.pending.push(ObjectFinding {
            code: error::UNKNOWN_NAME,
            object_type,
            external_id: None,
            location: Some(format!("line {line}")),
            message: format!("{} {why}", crate::convert::excerpt(name)),
        });
    }

    /// What was reported since the last call.
    pub(crate) fn take(&mut self) -> Vec<ObjectFinding> {
        std::mem::take(&mut self.pending)
    }
}

/// What is wrong with a record: the first thing that spoils it as a whole, and attributes that do not fit their type.
/// The rest of it is still read, for its key.
#[derive(Debug, Default)]
pub(crate) struct FirstProblem {
    whole: Option<(&'static str, String)>,
    unread: Unread,
}

impl FirstProblem {
    /// Notes a problem of the record as a whole.
    pub(crate) fn note(&mut self, code: &'static str, message: impl FnOnce() -> String) {
        self.whole.get_or_insert_with(|| (code, message()));
    }

    /// Notes a problem of one attribute. A value of the wrong type is that attribute's own; bytes in another encoding
    /// put the whole record in doubt.
    pub(crate) fn note_value(&mut self, name: Name, code: &'static str, message: &str) {
        match code {
            error::VALUE => self.unread.note(name, message),
            _ => self.note(code, || format!("{name}: {message}")),
        }
    }

    /// The record when nothing was wrong with it, else the fault.
    pub(crate) fn finish(
        self,
        line: u64,
        kind: &crate::layout::TypeLayout,
        mut attributes: Object,
        rest: Vec<(String, Vec<u8>)>,
    ) -> Read {
        let Self { whole, unread } = self;
        unread.names.iter().for_each(|name| drop(attributes.remove(*name)));
        let key = kind.key_of(&attributes);
        let spoiled_key = || unread.names.iter().any(|name| kind.key().contains(name));
        let (code, message) = match (whole, &key, unread.in_words()) {
            (Some(problem), ..) => problem,
            (None, Err(_), Some(message)) if spoiled_key() => (error::VALUE, message),
            (None, Err(message), _) => (error::NO_KEY, message.clone()),
            (None, Ok(key), _) => {
                let (object_type, key) = (Some(kind.name()), key.clone());
                return Read::Record(Record { line, object_type, key, attributes, unread, rest });
            }
        };
        let is_gap = key.is_err() || matches!(code, error::ENCODING | error::QUOTE);
        Read::Fault(Fault { code, line, object_type: Some(kind.name()), key: key.ok(), message, is_gap })
    }
}

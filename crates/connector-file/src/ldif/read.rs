//! Entries as records.
//!
//! An entry is of the type whose object class it has; with one type and no class every entry is of it. Entries of no
//! configured type (containers, policies) are passed over in an import and kept in an export. A file that ends within
//! a line leaves a doubt: a cut value looks like a whole one.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use identitymesh_connector::{ConnectorError, ObjectFinding};
use identitymesh_model::{ATTRIBUTE_COUNT_MAX, AttributeType, Name, Object, Text, Value, ValueType};

use super::entry::{Entries, Entry, is};
use crate::config::Config;
use crate::convert::{TextRules, assemble, check_size};
use crate::encoding::Utf8Reader;
use crate::error;
use crate::layout::{DN, Layout, Sample, TypeLayout};
use crate::lines::Lines;
use crate::record::{Fault, FirstProblem, Notices, Read, Record, RecordReader, Unread};

/// Reads the entries of one file.
pub(crate) struct LdifReader<R> {
    entries: Entries<R>,
    layout: Layout,
    text: TextRules,
    change_records: bool,
    keep_rest: bool,
    is_cut: bool,
    notices: Notices,
    path: PathBuf,
}

impl<R: io::Read + Send + Sync> LdifReader<R> {
    pub(crate) fn new(
        config: &Config,
        layout: &Layout,
        path: &Path,
        input: Utf8Reader<R>,
        keep_rest: bool,
    ) -> Self {
        Self {
            entries: Entries::new(Lines::new(input)),
            layout: layout.clone(),
            text: config.text.clone(),
            change_records: config.change_records,
            keep_rest,
            is_cut: false,
            notices: Notices::default(),
            path: path.to_owned(),
        }
    }

    fn content(&mut self, entry: Entry) -> Option<Read> {
        if entry.values("changetype").next().is_some() {
            let message = "the entry is a change record; set content = \"changes\" to read such a file";
            return Some(Read::Fault(Fault::nameless(error::CHANGE_RECORD, entry.line, message)));
        }
        match type_of(&self.layout, &entry) {
            Ok(Some(kind)) => Some(record(entry, kind, &self.text, self.keep_rest, &mut self.notices)),
            Ok(None) => self.untyped(entry),
            Err(message) => Some(Read::Fault(Fault::nameless(error::TYPE, entry.line, message))),
        }
    }

    /// Without an object class that could be read nobody knows whose entry it is.
    fn untyped(&self, entry: Entry) -> Option<Read> {
        if let Some((code, message)) = entry.problem {
            return Some(Read::Fault(Fault::nameless(code, entry.line, message)));
        }
        let dn = Text::from(entry.dn?);
        let attributes = Object::new();
        let rest = entry.lines;
        self.keep_rest.then_some(Read::Record(Record {
            line: entry.line,
            object_type: None,
            key: dn,
            attributes,
            unread: Unread::default(),
            rest,
        }))
    }
}

impl<R: io::Read + Send + Sync> RecordReader for LdifReader<R> {
    fn next(&mut self) -> Result<Option<Read>, ConnectorError> {
        loop {
            let entry = self.entries.read().map_err(|error| error::unreadable(&self.path, error))?;
            let Some(entry) = entry else { return Ok(None) };
            self.is_cut = entry.is_cut;
            if self.change_records {
                return Ok(Some(super::change::change(entry, &self.layout, &self.text, &mut self.notices)));
            }
            if let Some(read) = self.content(entry) {
                return Ok(Some(read));
            }
        }
    }

    fn take_notices(&mut self) -> Vec<ObjectFinding> {
        self.notices.take()
    }

    fn doubt(&self) -> Option<String> {
        self.is_cut.then(|| "the file ends within a line; its last entry may be cut".to_owned())
    }
}

/// The entry that these lines are, read as if from a target file.
pub(crate) fn entry_of(
    config: &Config,
    layout: &Layout,
    address: &str,
    lines: Vec<(String, Vec<u8>)>,
) -> Option<Read> {
    let entry = Entry { dn: Some(address.to_owned()), lines, ..Entry::default() };
    let input = Utf8Reader::new(io::empty(), config.encoding);
    LdifReader::new(config, layout, &config.path, input, true).content(entry)
}

/// The type of an entry, `None` when it is of none.
fn type_of<'l>(layout: &'l Layout, entry: &Entry) -> Result<Option<&'l TypeLayout>, String> {
    let has_class = |class: &str| {
        entry
            .values("objectClass")
            .any(|value| std::str::from_utf8(value).is_ok_and(|value| is(value, class)))
    };
    let mut matching = layout.types.iter().filter(|kind| kind.object_class.as_deref().is_none_or(has_class));
    match (matching.next(), matching.next()) {
        (Some(first), Some(second)) => Err(format!(
            "the entry is both {} and {} by its object classes; choose classes that only one type has",
            first.name(),
            second.name()
        )),
        (found, _) => Ok(found),
    }
}

/// The record of an entry of a known type.
pub(crate) fn record(
    entry: Entry,
    kind: &TypeLayout,
    text: &TextRules,
    keep_rest: bool,
    notices: &mut Notices,
) -> Read {
    let mut problem = FirstProblem::default();
    let mut collected: BTreeMap<Name, (AttributeType, Vec<Value>)> = BTreeMap::new();
    let mut rest = Vec::new();
    if let Some((code, message)) = entry.problem {
        problem.note(code, || message);
    }
    let dn = entry.dn.map(|dn| (DN.to_owned(), dn.into_bytes()));
    for (spelling, raw) in dn.into_iter().chain(entry.lines) {
        let Some(known) = kind.attribute(&spelling) else {
            if keep_rest {
                rest.push((spelling, raw));
            } else {
                notices.dropped(Some(kind.name()), &spelling, entry.line, NOT_DECLARED);
            }
            continue;
        };
        match value(text, known.kind.value, &raw) {
            Ok(None) => {}
            Ok(Some(value)) => collected.entry(known.name).or_insert((known.kind, Vec::new())).1.push(value),
            Err((code, message)) => problem.note_value(known.name, code, &message),
        }
    }
    let mut attributes = Object::with_capacity(collected.len());
    for (name, (kind, values)) in collected {
        match assemble(kind, values) {
            Ok(values) => drop(attributes.put(name, values)),
            Err(message) => problem.note_value(name, error::VALUE, &message),
        }
    }
    problem.finish(entry.line, kind, attributes, rest)
}

/// Why an attribute is dropped.
pub(crate) const NOT_DECLARED: &str =
    "is no attribute of the schema and is not read; declare it under attributes in the settings";

/// The value of one line, `None` when it is absent.
pub(crate) fn value(
    text: &TextRules,
    kind: ValueType,
    raw: &[u8],
) -> Result<Option<Value>, (&'static str, String)> {
    let is_wrong = |message| (error::VALUE, message);
    if kind == ValueType::Binary {
        check_size(raw.len()).map_err(is_wrong)?;
        return Ok(Some(Value::Binary(raw.into())));
    }
    let raw = std::str::from_utf8(raw).map_err(|_| {
        (error::ENCODING, "holds bytes that are no UTF-8; declare the attribute binary".to_owned())
    })?;
    match text.is_absent(kind, raw) {
        true => Ok(None),
        false => text.value(kind, raw).map(Some).map_err(is_wrong),
    }
}

/// The attributes of the first `count_max` entries. Several values in one entry make an attribute multi-valued, bytes
/// that are no text make it binary.
pub(crate) fn sample<R: io::Read>(
    config: &Config,
    path: &Path,
    input: Utf8Reader<R>,
    count_max: usize,
) -> Result<Sample, ConnectorError> {
    let layout = Layout::new(config, &crate::layout::schema_of(config, &Sample::new()));
    let mut entries = Entries::new(Lines::new(input));
    let mut sample = Sample::new();
    for _ in 0..count_max {
        let entry = entries.read().map_err(|error| error::unreadable(path, error))?;
        let Some(entry) = entry else { break };
        let Ok(Some(kind)) = type_of(&layout, &entry) else { continue };
        let found = sample.entry(kind.name()).or_default();
        for (spelling, raw) in &entry.lines {
            if found.len() >= ATTRIBUTE_COUNT_MAX {
                break;
            }
            let Ok(name) = Name::new(spelling) else { continue };
            let known = found.entry(name).or_insert(AttributeType::STRING);
            known.multi |= entry.values(spelling).nth(1).is_some();
            if std::str::from_utf8(raw).is_err() {
                known.value = ValueType::Binary;
            }
        }
    }
    Ok(sample)
}

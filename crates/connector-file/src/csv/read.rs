//! Rows as records.
//!
//! The header is checked before the first row: a column that the key, the settings or the adjusted schema need and
//! that is not there would make every value of it look withdrawn, so such a file is refused whole. Absent is an empty
//! field; where empty texts are values (`empty_is_absent = false`), an empty field is absent when it stands without
//! quotes and the empty text when it stands in quotes.

use std::collections::{BTreeMap, HashSet};
use std::io;
use std::path::{Path, PathBuf};

use identitymesh_connector::{ConnectorError, ObjectFinding};
use identitymesh_model::{ATTRIBUTE_COUNT_MAX, AttributeType, Name, Object, Value, Values};

use super::scan::{Row, Scanned, Scanner};
use crate::config::{Config, ExportMode};
use crate::convert::{TextRules, assemble, excerpt};
use crate::encoding::Utf8Reader;
use crate::error;
use crate::layout::TypeLayout;
use crate::record::{Fault, FirstProblem, Notices, RECORD_BYTES_MAX, Read, RecordReader};

/// Reads the rows of one file.
pub(crate) struct CsvReader<R> {
    scanner: Scanner<Utf8Reader<R>>,
    row: Row,
    kind: TypeLayout,
    text: TextRules,
    /// Columns of the schema, in the order of their attributes so that objects are filled from front to back.
    columns: Vec<Column>,
    /// Columns outside the schema, and whether they are kept for writing again.
    others: Vec<(usize, String)>,
    keep_rest: bool,
    width: usize,
    is_headless: bool,
    ended_unfinished: bool,
    notices: Notices,
    path: PathBuf,
}

struct Column {
    index: usize,
    name: Name,
    kind: AttributeType,
}

/// The attributes that the header names, each of type string.
pub(crate) fn columns<R: io::Read>(
    config: &Config,
    path: &Path,
    input: Utf8Reader<R>,
) -> Result<BTreeMap<Name, AttributeType>, ConnectorError> {
    let mut scanner = Scanner::new(input, config.delimiter, config.quote);
    let header = read_header(&mut scanner, config, path)?.unwrap_or_default();
    let mut columns = BTreeMap::new();
    for name in header.iter().filter(|name| !name.is_empty()).take(ATTRIBUTE_COUNT_MAX) {
        let name = Name::new(name).map_err(|error| {
            header_error(path, format!("the column {} is no attribute name", excerpt(name))).caused_by(error)
        })?;
        columns.insert(name, AttributeType::STRING);
    }
    Ok(columns)
}

impl<R: io::Read + Send + Sync> CsvReader<R> {
    /// Reads and checks the header.
    pub(crate) fn new(
        config: &Config,
        kind: &TypeLayout,
        path: &Path,
        input: Utf8Reader<R>,
        keep_rest: bool,
    ) -> Result<Self, ConnectorError> {
        let mut scanner = Scanner::new(input, config.delimiter, config.quote);
        let header = read_header(&mut scanner, config, path)?;
        let is_headless = header.is_none();
        let header = header.unwrap_or_default();
        if !is_headless {
            // A file that exports make gets its missing columns from the next export.
            let is_ours = config.export == Some(ExportMode::Full);
            check_header(kind, path, &header, is_ours)?;
        }
        let mut notices = Notices::default();
        let (mut columns, mut others) = (Vec::new(), Vec::new());
        for (index, spelling) in header.iter().enumerate() {
            match kind.attribute(spelling) {
                Some(known) => columns.push(Column { index, name: known.name, kind: known.kind }),
                None => {
                    if !spelling.is_empty() {
                        notices.dropped(
                            Some(kind.name()),
                            spelling,
                            1,
                            "is a column outside the schema: not read",
                        );
                    }
                    others.push((index, spelling.clone()));
                }
            }
        }
        columns.sort_by_key(|column| column.name);
        Ok(Self {
            scanner,
            row: Row::default(),
            kind: kind.clone(),
            text: config.text.clone(),
            columns,
            others,
            keep_rest,
            width: header.len(),
            is_headless,
            ended_unfinished: false,
            notices,
            path: path.to_owned(),
        })
    }

    fn record(&mut self) -> Read {
        let (row, mut problem) = (&self.row, FirstProblem::default());
        if row.len() != self.width {
            problem.note(error::FIELD_COUNT, || field_count(row, self.width));
        }
        let mut attributes = Object::with_capacity(self.columns.len());
        for column in &self.columns {
            let Some((field, is_quoted)) = row.field(column.index) else { continue };
            match values(&self.text, column.kind, field, is_quoted) {
                Ok(Some(values)) => drop(attributes.set(column.name, values)),
                Ok(None) => {}
                Err((code, message)) => problem.note_value(column.name, code, &message),
            }
        }
        let mut rest = Vec::new();
        if self.keep_rest {
            for (index, spelling) in &self.others {
                let field = row.field(*index).map(|(field, _)| field.to_vec()).unwrap_or_default();
                rest.push((spelling.clone(), field));
            }
        }
        let is_cut = row.is_unfinished && row.len() < self.width;
        match problem.finish(row.line, &self.kind, attributes, rest) {
            // Where the file was cut, the last field read may be half a key.
            Read::Fault(fault) if is_cut => Read::Fault(Fault { is_gap: true, ..fault }),
            read => read,
        }
    }
}

impl<R: io::Read + Send + Sync> RecordReader for CsvReader<R> {
    fn next(&mut self) -> Result<Option<Read>, ConnectorError> {
        if self.is_headless {
            return Ok(None);
        }
        let scanned =
            self.scanner.read(&mut self.row).map_err(|error| error::unreadable(&self.path, error))?;
        match scanned {
            Scanned::Row => {
                self.ended_unfinished = self.row.is_unfinished;
                Ok(Some(self.record()))
            }
            Scanned::BrokenQuote { line } => Ok(Some(Read::Fault(Fault::nameless(
                error::QUOTE,
                line,
                "a quote stands in the wrong place or is never closed; the line is passed over",
            )))),
            Scanned::TooLarge { line } => Err(too_large(&self.path, line)),
            Scanned::End => Ok(None),
        }
    }

    fn take_notices(&mut self) -> Vec<ObjectFinding> {
        self.notices.take()
    }

    fn doubt(&self) -> Option<String> {
        self.is_headless.then(|| "the file is empty, without even a header".to_owned())
    }
}

fn read_header<R: io::Read>(
    scanner: &mut Scanner<R>,
    config: &Config,
    path: &Path,
) -> Result<Option<Vec<String>>, ConnectorError> {
    let mut row = Row::default();
    match scanner.read(&mut row).map_err(|error| error::unreadable(path, error))? {
        Scanned::End => return Ok(None),
        Scanned::Row => {}
        Scanned::BrokenQuote { .. } => return Err(header_error(path, "it holds a broken quote")),
        Scanned::TooLarge { line } => return Err(too_large(path, line)),
    }
    let mut header = Vec::with_capacity(row.len());
    let mut seen = HashSet::new();
    for (field, _) in (0..row.len()).filter_map(|index| row.field(index)) {
        let column = match std::str::from_utf8(field) {
            Ok(column) if !column.contains('\0') => column.trim(),
            _ => return Err(header_error(path, "it is no text in the encoding of the settings")),
        };
        let attribute = config.header.get(column).map_or(column, String::as_str).to_owned();
        if !attribute.is_empty() && !seen.insert(attribute.to_lowercase()) {
            return Err(header_error(path, format!("the attribute {} has two columns", excerpt(&attribute))));
        }
        header.push(attribute);
    }
    Ok(Some(header))
}

fn check_header(
    kind: &TypeLayout,
    path: &Path,
    header: &[String],
    is_ours: bool,
) -> Result<(), ConnectorError> {
    let present: HashSet<String> = header.iter().map(|spelling| spelling.to_lowercase()).collect();
    let is_missing = |name: &Name| !present.contains(name.folded());
    let mut missing: Vec<Name> = kind.key().to_vec();
    if !is_ours {
        missing.extend(kind.schema.attributes.iter().map(|attribute| attribute.name));
    }
    missing.retain(is_missing);
    missing.sort_unstable();
    missing.dedup();
    if missing.is_empty() {
        return Ok(());
    }
    let missing: Vec<&str> = missing.iter().map(|name| name.as_str()).collect();
    Err(header_error(path, format!("there is no column for {}", missing.join(", "))))
}

fn values(
    text: &TextRules,
    kind: AttributeType,
    field: &[u8],
    is_quoted: bool,
) -> Result<Option<Values>, (&'static str, String)> {
    let field = std::str::from_utf8(field).map_err(|_| {
        (error::ENCODING, "holds bytes that are no text in the encoding of the settings".to_owned())
    })?;
    if text.is_absent(kind.value, field) || field.is_empty() && (kind.multi || !is_quoted) {
        return Ok(None);
    }
    let value = |part| text.value(kind.value, part).map_err(|message| (error::VALUE, message));
    if !kind.multi {
        return value(field).map(|value| Some(Values::One(value)));
    }
    let parts = field.split(text.separator.as_str()).filter(|part| !part.is_empty());
    let values = parts.map(value).collect::<Result<Vec<Value>, _>>()?;
    assemble(kind, values).map_err(|message| (error::VALUE, message))
}

fn field_count(row: &Row, width: usize) -> String {
    let end = if row.is_unfinished { ", and the file ends there without a line end" } else { "" };
    format!("the row has {} fields where the header has {width}{end}", row.len())
}

fn header_error(path: &Path, what: impl std::fmt::Display) -> ConnectorError {
    error::data(
        error::HEADER,
        format!("the header of {} cannot be used: {what}", path.display()),
        "check the delimiter, the encoding and the column names in the settings against the first line of the file",
    )
}

fn too_large(path: &Path, line: u64) -> ConnectorError {
    error::data(
        error::RECORD_SIZE,
        format!("the row at line {line} of {} is larger than {RECORD_BYTES_MAX} bytes", path.display()),
        "a quote on that line is probably never closed; correct the file and import again",
    )
}

//! The content of a target file in memory.
//!
//! A full export writes the whole file, so the whole file is loaded: at most [`OBJECT_COUNT_MAX`] objects. What the
//! schema does not cover is kept and written again. A file with faults is refused, because writing it again would
//! lose exactly what is faulty.

use std::collections::BTreeMap;
use std::path::Path;

use identitymesh_connector::ConnectorError;
use identitymesh_model::{Name, Object, Text, dn};

use crate::config::{Config, Format};
use crate::encoding::{Encoding, Utf8Reader};
use crate::layout::{DN, Layout};
use crate::record::{Read, Record, RecordReader};
use crate::{csv, error, json, ldif, source};

/// Most objects in a file that is exported to, for the memory that they take: a few GiB at the very most.
pub(crate) const OBJECT_COUNT_MAX: usize = 2_000_000;

/// Type and external id; an LDIF entry of no type has its DN.
pub(crate) type Key = (Option<Name>, Text);

/// One object of the file.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Row {
    pub(crate) attributes: Object,
    pub(crate) rest: Vec<(String, Vec<u8>)>,
}

/// All objects of the file, in the order in which they are written.
#[derive(Debug, Default)]
pub(crate) struct Table {
    rows: BTreeMap<Key, Row>,
    /// Which object stands at a DN, by the DN's components from the root: what is below one follows it.
    tree: BTreeMap<Vec<String>, Key>,
}

impl Table {
    /// Loads a file.
    pub(crate) fn load(
        path: &Path,
        reader: &mut dyn RecordReader,
        count_max: usize,
    ) -> Result<Self, ConnectorError> {
        let mut table = Self::default();
        while let Some(read) = reader.next()? {
            let record = match read {
                Read::Record(record) => record,
                Read::Fault(fault) => return Err(faulty(path, fault.line, &fault.message)),
                Read::Change(line, _) => return Err(faulty(path, line, "a change record")),
            };
            if table.rows.len() >= count_max {
                return Err(error::data(
                    error::TOO_MANY,
                    format!("{} holds more than {count_max} objects", path.display()),
                    "use export = \"changes\", or split the target into several files",
                ));
            }
            let Record { line, object_type, key, attributes, unread, rest } = record;
            if let Some(message) = unread.in_words() {
                return Err(faulty(path, line, &message));
            }
            let key = (object_type, key);
            let address = address_of(&key, &attributes).map(str::to_owned);
            if table.rows.contains_key(&key) || address.is_some_and(|address| table.at(&address).is_some()) {
                return Err(faulty(path, line, "the same object a second time"));
            }
            table.put(key, Row { attributes, rest });
        }
        match reader.doubt() {
            Some(doubt) if !table.rows.is_empty() => Err(faulty(path, 1, &doubt)),
            _ => Ok(table),
        }
    }

    /// One object.
    pub(crate) fn get(&self, key: &Key) -> Option<&Row> {
        self.rows.get(key)
    }

    /// The object at a DN.
    pub(crate) fn at(&self, address: &str) -> Option<&Key> {
        self.tree.get(&path_of(address))
    }

    /// What is below a DN, itself included.
    pub(crate) fn within(&self, address: &str) -> Vec<Key> {
        let path = path_of(address);
        let below = self.tree.range(path.clone()..).take_while(|(at, _)| at.starts_with(&path));
        below.map(|(_, key)| key.clone()).collect()
    }

    /// Puts an object in place of whatever had its key.
    pub(crate) fn put(&mut self, key: Key, row: Row) {
        self.take(&key);
        if let Some(address) = address_of(&key, &row.attributes) {
            self.tree.insert(path_of(address), key.clone());
        }
        self.rows.insert(key, row);
    }

    /// Takes an object out.
    pub(crate) fn take(&mut self, key: &Key) -> Option<Row> {
        let row = self.rows.remove(key)?;
        if let Some(address) = address_of(key, &row.attributes) {
            self.tree.remove(&path_of(address));
        }
        Some(row)
    }

    /// The whole file.
    pub(crate) fn render(&self, config: &Config, layout: &Layout) -> Result<Vec<u8>, String> {
        render(config, layout, self.rows.iter())
    }
}

/// The DN of an object, `None` outside of trees.
pub(crate) fn address_of<'a>(key: &'a Key, attributes: &'a Object) -> Option<&'a str> {
    match key {
        (None, dn) => Some(dn),
        (Some(_), _) => attributes.single(Name::literal(DN)).and_then(identitymesh_model::Value::as_text),
    }
}

fn path_of(address: &str) -> Vec<String> {
    let normal = dn::normalise(address);
    let mut path: Vec<String> = dn::components(&normal).map(str::to_owned).collect();
    path.reverse();
    path
}

/// The file that holds `rows`.
fn render<'a>(
    config: &Config,
    layout: &Layout,
    rows: impl Iterator<Item = (&'a Key, &'a Row)> + Clone,
) -> Result<Vec<u8>, String> {
    let text = match config.format {
        Format::Csv => {
            let columns = layout.types.first().map_or(&[][..], |kind| &kind.schema.attributes);
            let others: Vec<String> = rows
                .clone()
                .next()
                .map_or(Vec::new(), |(_, row)| row.rest.iter().map(|(name, _)| name.clone()).collect());
            csv::write_table(
                config,
                columns,
                &others,
                rows.map(|(_, row)| (&row.attributes, row.rest.as_slice())),
            )?
        }
        Format::Ldif => {
            let entries = rows.filter_map(|(key, row)| {
                Some((address_of(key, &row.attributes)?, &row.attributes, row.rest.as_slice()))
            });
            ldif::write_content(&config.text, entries)?
        }
        Format::Json => {
            let objects = rows.filter_map(|(key, row)| Some((key.0?, &row.attributes, row.rest.as_slice())));
            return json::write_objects(config, objects).map(String::into_bytes);
        }
    };
    config.encoding.encode(&text).map_err(|character| format!("the file's encoding has no {character:?}"))
}

/// Whether writing and reading `row` gives `row`: the one proof that the format can hold it.
pub(crate) fn check_round_trip(config: &Config, layout: &Layout, key: &Key, row: &Row) -> Result<(), String> {
    let written = render(config, layout, std::iter::once((key, row)))?;
    let encoding = if config.format == Format::Json { Encoding::Utf8 } else { config.encoding };
    let input = Utf8Reader::new(std::io::Cursor::new(written), encoding);
    let mut reader =
        source::reader(config, layout, &config.path, input, true).map_err(|error| error.message)?;
    let read = reader.next().map_err(|error| error.message)?;
    let again = reader.next().map_err(|error| error.message)?;
    match (read, again) {
        (Some(Read::Record(Record { unread, .. })), None) if unread.in_words().is_some() => {
            Err(unread.in_words().unwrap_or_default())
        }
        (Some(Read::Record(read)), None) if (read.object_type, &read.key) == (key.0, &key.1) => {
            let differing = differing(&read.attributes, &row.attributes);
            match differing {
                None => Ok(()),
                Some(name) => Err(format!("{name} would not read back as it was written")),
            }
        }
        (Some(Read::Record(_)), None) => {
            Err("the object would read back with another type or external id".to_owned())
        }
        (Some(Read::Fault(fault)), _) => Err(fault.message),
        _ => Err("the object would not read back as one record".to_owned()),
    }
}

/// The first attribute that is not the same in both.
fn differing(a: &Object, b: &Object) -> Option<Name> {
    let one_way = a.iter().find(|(name, values)| b.get(*name) != Some(*values)).map(|(name, _)| name);
    one_way.or_else(|| b.iter().find(|(name, _)| a.get(*name).is_none()).map(|(name, _)| name))
}

fn faulty(path: &Path, line: u64, what: &str) -> ConnectorError {
    error::data(
        error::FAULTY_TARGET,
        format!("{} has a fault at line {line}, {what}, which writing it again would lose", path.display()),
        "correct the file by hand; the export then goes on",
    )
}

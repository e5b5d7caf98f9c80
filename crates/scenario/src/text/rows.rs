//! Rows of objects: a heading with attribute names, then one object to a line, cells apart by `|`.
//!
//! An empty cell is absent, `""` is the empty text, `[a, b]` several values, `10485760 bytes` a text of that length.
//! A row with a range `1..30` in a cell stands for that many rows, in which `{n}` is the number at hand. What a cell
//! is read as is the schema's to say; without one, and where it does not fit, it is text, as systems do deliver what
//! no schema announced.

use identitymesh_model::{AttributeType, Name, Object, ObjectSchema, Text, Value, ValueType, Values};

use super::Problem;
use crate::{Incoming, Patch};

/// What rows are about: the schema of their type, and the attribute that is the external id.
pub(super) struct Reading<'a> {
    pub(super) schema: Option<&'a ObjectSchema>,
    pub(super) key: Option<Name>,
}

impl Reading<'_> {
    /// The rows of a table. `gone KEY` says that an object is gone, `patch KEY: …` what changed of one, `malformed
    /// KEY: …` that it is there and why nobody can read it.
    pub(super) fn table(&self, lines: &[(usize, String)]) -> Result<Vec<Incoming>, Problem> {
        let mut names: Option<Vec<Name>> = None;
        let mut rows = Vec::new();
        for (line, text) in lines {
            if let Some(key) = text.strip_prefix("gone ") {
                rows.push(Incoming::Gone(Text::new(key.trim())));
                continue;
            }
            if let Some((key, changes)) = keyed(text, "patch ") {
                rows.push(Incoming::Patch(key, self.patch(changes, *line)?));
                continue;
            }
            if let Some((key, why)) = keyed(text, "malformed ") {
                rows.push(Incoming::Malformed(key, why.to_owned()));
                continue;
            }
            let cells: Vec<&str> = text.split('|').map(str::trim).collect();
            let Some(names) = &names else {
                let read = cells.iter().map(|cell| Name::new(cell));
                let read: Result<Vec<Name>, _> = read.collect();
                names = Some(read.map_err(|error| Problem::new(*line, error.to_string()))?);
                continue;
            };
            if cells.len() != names.len() {
                let message = format!("{} cells under {} names", cells.len(), names.len());
                return Err(Problem::new(*line, message));
            }
            match cells.iter().find_map(|cell| range(cell)) {
                None => rows.push(self.row(names, &cells, *line)?),
                Some((from, to)) => {
                    for number in from..=to {
                        let cells: Vec<String> = cells.iter().map(|cell| numbered(cell, number)).collect();
                        let cells: Vec<&str> = cells.iter().map(String::as_str).collect();
                        rows.push(self.row(names, &cells, *line)?);
                    }
                }
            }
        }
        Ok(rows)
    }

    /// `name = value`, `name += value` and `name -= value`, apart by `;`.
    fn patch(&self, text: &str, line: usize) -> Result<Patch, Problem> {
        let mut patch = Patch::default();
        for change in text.split(';').map(str::trim) {
            let problem = || Problem::new(line, "a patch is written `attribute += value; attribute = value`");
            let (left, value) = change.split_once('=').ok_or_else(problem)?;
            let (name, sign) = match left.trim().strip_suffix(['+', '-']) {
                Some(name) => (name.trim(), left.trim().chars().last()),
                None => (left.trim(), None),
            };
            let name = Name::new(name).map_err(|error| Problem::new(line, error.to_string()))?;
            let values = self.values(name, value.trim());
            let list = || values.clone().map_or_else(Vec::new, Values::into_vec);
            match sign {
                Some('+') => patch.add.push((name, list())),
                Some(_) => patch.remove.push((name, list())),
                None => patch.set.push((name, values)),
            }
        }
        Ok(patch)
    }

    fn row(&self, names: &[Name], cells: &[&str], line: usize) -> Result<Incoming, Problem> {
        let mut object = Object::new();
        for (name, cell) in names.iter().zip(cells) {
            object.put(*name, self.values(*name, cell));
        }
        let key = self.key.unwrap_or(names[0]);
        let id = object.single(key).map(ToString::to_string);
        let id =
            id.ok_or_else(|| Problem::new(line, format!("the row has no {key}, which identifies it")))?;
        // A name of the row that the system itself does not have: only there to identify it.
        if self.schema.is_some_and(|schema| schema.attribute(key).is_none()) {
            object.remove(key);
        }
        Ok(Incoming::Object(Text::from(id), object))
    }

    /// What a cell or assignment says.
    pub(super) fn values(&self, name: Name, cell: &str) -> Option<Values> {
        let kind = self.schema.and_then(|schema| schema.attribute(name)).map(|known| known.kind);
        let list = cell.strip_prefix('[').and_then(|cell| cell.strip_suffix(']'));
        match (list, kind) {
            (None, _) if cell.is_empty() => None,
            (Some(list), _) => {
                let items = split_list(list);
                Values::set(items.iter().map(|item| value(item, kind)).collect())
            }
            (None, Some(kind)) if kind.multi => Values::set(vec![value(cell, Some(kind))]),
            (None, _) => Some(Values::One(value(cell, kind))),
        }
    }
}

/// The key and the rest of a line `word KEY: rest`.
fn keyed<'t>(line: &'t str, word: &str) -> Option<(Text, &'t str)> {
    let (key, rest) = line.strip_prefix(word)?.split_once(": ")?;
    Some((Text::new(key.trim()), rest.trim()))
}

/// The ends of `1..30`.
fn range(cell: &str) -> Option<(u32, u32)> {
    let (from, to) = cell.split_once("..")?;
    Some((from.parse().ok()?, to.parse().ok()?))
}

fn numbered(cell: &str, number: u32) -> String {
    match range(cell) {
        Some(_) => number.to_string(),
        None => cell.replace("{n}", &number.to_string()),
    }
}

/// Items apart by `;` where there is one, because names in directories hold commas.
fn split_list(list: &str) -> Vec<&str> {
    let separator = if list.contains(';') { ';' } else { ',' };
    list.split(separator).map(str::trim).filter(|item| !item.is_empty()).collect()
}

fn value(cell: &str, kind: Option<AttributeType>) -> Value {
    let quoted = cell.strip_prefix('"').and_then(|cell| cell.strip_suffix('"'));
    if let Some(text) = quoted {
        return Value::text(text);
    }
    if let Some(length) = cell.strip_suffix(" bytes").and_then(|length| length.parse().ok()) {
        return Value::text("x".repeat(length));
    }
    let read = kind.and_then(|kind| match kind.value {
        ValueType::Integer => cell.parse().ok().map(Value::Integer),
        ValueType::Boolean => cell.parse().ok().map(Value::Boolean),
        ValueType::DateTime => cell.parse().ok().map(Value::DateTime),
        ValueType::Reference => Some(Value::reference(cell)),
        ValueType::String | ValueType::Binary => None,
    });
    read.unwrap_or_else(|| Value::text(cell))
}

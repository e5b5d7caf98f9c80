//! Objects as rows, RFC 4180.
//!
//! A field is quoted when it must be, and when it is an empty text that must not read back as absent. Texts that a
//! spreadsheet would take for a formula are written as they are: an identity's value is not ours to change. Lines end
//! with `\n`, so that files compare well under version control.

use identitymesh_model::{AttributeSchema, Object, Values};

use crate::config::Config;

/// A whole table: a header of `columns` and `others`, then one row for each object with its other columns.
pub(crate) fn write_table<'a>(
    config: &Config,
    columns: &[AttributeSchema],
    others: &[String],
    rows: impl Iterator<Item = (&'a Object, &'a [(String, Vec<u8>)])>,
) -> Result<String, String> {
    let mut out = String::new();
    let column_of = |attribute: &str| {
        let found = config.header.iter().find(|(_, target)| target.eq_ignore_ascii_case(attribute));
        found.map_or_else(|| attribute.to_owned(), |(column, _)| column.clone())
    };
    let header = columns.iter().map(|column| column_of(column.name.as_str())).chain(others.iter().cloned());
    write_fields(config, &mut out, header.map(Some));
    for (object, rest) in rows {
        let known = columns
            .iter()
            .map(|column| object.get(column.name).map(|values| field(config, values)).transpose());
        let other = others.iter().map(|name| {
            let bytes = rest.iter().find(|(known, _)| known == name).map(|(_, bytes)| bytes);
            Ok(bytes
                .filter(|bytes| !bytes.is_empty())
                .map(|bytes| String::from_utf8_lossy(bytes).into_owned()))
        });
        let fields = known.chain(other).collect::<Result<Vec<_>, String>>()?;
        write_fields(config, &mut out, fields.into_iter());
    }
    Ok(out)
}

/// One row.
pub(crate) fn write_fields(config: &Config, out: &mut String, fields: impl Iterator<Item = Option<String>>) {
    let (delimiter, quote) = (char::from(config.delimiter), char::from(config.quote));
    for (index, field) in fields.enumerate() {
        if index > 0 {
            out.push(delimiter);
        }
        let Some(field) = field else { continue };
        let must_quote = field.is_empty() || field.contains([delimiter, quote, '\n', '\r']);
        if !must_quote {
            out.push_str(&field);
            continue;
        }
        out.push(quote);
        for character in field.chars() {
            if character == quote {
                out.push(quote);
            }
            out.push(character);
        }
        out.push(quote);
    }
    out.push('\n');
}

/// The field that reads back as `values`.
fn field(config: &Config, values: &Values) -> Result<String, String> {
    match values {
        Values::One(value) => config.text.text(value),
        Values::Set(values) => {
            let parts = values.iter().map(|value| config.text.text(value)).collect::<Result<Vec<_>, _>>()?;
            match parts.iter().find(|part| part.is_empty() || part.contains(&config.text.separator)) {
                Some(part) => Err(format!(
                    "{} cannot stand in a list separated by {:?}",
                    crate::convert::excerpt(part),
                    config.text.separator
                )),
                None => Ok(parts.join(&config.text.separator)),
            }
        }
    }
}

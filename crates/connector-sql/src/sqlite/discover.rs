//! Finding tables and columns, and holding the settings against them.

use identitymesh_connector::ConnectorError;
use identitymesh_model::{AttributeType, Name, ValueType};

use super::db::{Db, call_error};
use crate::dialect::{Dialect, Sqlite};
use crate::error::{configuration, no_column, no_table};
use crate::layout::{Changes, Column, Layout, Named, RelatedTable, Writes};
use crate::raw::Raw;
use crate::settings::{Related, TypeSettings};
use crate::statement::Sql;

/// A column as the database declares it.
struct Declared {
    name: String,
    kind: String,
    generated: bool,
}

/// A table, view or query with its columns.
struct Found {
    /// What errors call it.
    title: String,
    source: String,
    writes: Writes,
    columns: Vec<Declared>,
}

impl Found {
    /// The quoted name of a column, whatever its case in the settings.
    fn column(&self, wanted: &str) -> Result<(usize, String), ConnectorError> {
        let exact = self.columns.iter().position(|column| column.name == wanted);
        let at =
            exact.or_else(|| self.columns.iter().position(|column| column.name.eq_ignore_ascii_case(wanted)));
        match at {
            Some(at) => Ok((at, Sqlite.quoted(&self.columns[at].name))),
            None => {
                let known: Vec<String> = self.columns.iter().map(|column| column.name.clone()).collect();
                Err(no_column(wanted, &self.title, &known))
            }
        }
    }

    fn quoted(&self, wanted: &[String]) -> Result<Vec<String>, ConnectorError> {
        wanted.iter().map(|column| Ok(self.column(column)?.1)).collect()
    }
}

/// The layouts of all types.
pub(crate) fn layouts(
    db: &Db,
    types: &[(Name, TypeSettings)],
    empty_is_absent: bool,
) -> Result<Vec<Layout>, ConnectorError> {
    types.iter().map(|(name, settings)| layout(db, *name, settings, empty_is_absent)).collect()
}

fn layout(
    db: &Db,
    object_type: Name,
    settings: &TypeSettings,
    empty_is_absent: bool,
) -> Result<Layout, ConnectorError> {
    let found = match (&settings.table, &settings.query) {
        (Some(table), _) => find_table(db, table)?,
        (None, Some(query)) => find_query(db, object_type, query)?,
        (None, None) => return Err(configuration("SQL-002", format!("{object_type} has no table"))),
    };
    let mut columns = columns(&found, settings)?;
    let wanted = settings.key.as_slice().iter();
    let key =
        wanted.map(|column| Ok(found.column(column)?.0)).collect::<Result<Vec<usize>, ConnectorError>>()?;
    let quoted = |column: &String| Ok::<_, ConnectorError>(found.column(column)?.1);
    let watermark = settings.watermark_column.as_ref().map(quoted).transpose()?;
    let by_mark = settings.query.as_deref().is_some_and(|query| query.contains("@watermark"));
    let start = settings.watermark_start.as_ref().filter(|_| by_mark).and_then(Raw::from_json);
    let deleted = match &settings.deleted_column {
        Some(deleted) => {
            Some((quoted(&deleted.column)?, Raw::from_json(&deleted.value).unwrap_or(Raw::Null)))
        }
        None => None,
    };
    let kept = [watermark.as_ref(), deleted.as_ref().map(|(column, _)| column)];
    for column in &mut columns {
        // An export that wrote these would hide changes from the next import.
        column.read_only |= kept.contains(&Some(&column.sql));
    }
    let related = settings.related.iter().map(|related| find_related(db, related, &columns));
    let layout = Layout {
        object_type,
        related: related.collect::<Result<_, _>>()?,
        source: found.source,
        writes: found.writes,
        columns,
        key,
        watermark,
        watermark_start: start,
        deleted,
        changes: find_changes(db, settings)?,
        named: Named {
            insert: settings.insert_statement.clone(),
            update: settings.update_statement.clone(),
            delete: settings.delete_statement.clone(),
        },
        empty_is_absent,
    };
    super::named::check(db, &layout)?;
    Ok(layout)
}

fn columns(found: &Found, settings: &TypeSettings) -> Result<Vec<Column>, ConnectorError> {
    for adjusted in settings.attributes.keys() {
        found.column(adjusted)?;
    }
    let mut columns: Vec<Column> = Vec::new();
    for declared in &found.columns {
        let adjusted = settings.attributes.iter().find(|(name, _)| name.eq_ignore_ascii_case(&declared.name));
        let column = column(declared, &found.title, adjusted.map(|(_, word)| *word))?;
        if columns.iter().any(|earlier| earlier.attribute == column.attribute) {
            let message = format!("{} has two columns named {}", found.title, column.attribute);
            return Err(
                configuration("SQL-006", message).advice("give one of them an alias in a view or query")
            );
        }
        columns.push(column);
    }
    Ok(columns)
}

fn column(declared: &Declared, of: &str, adjusted: Option<AttributeType>) -> Result<Column, ConnectorError> {
    let attribute = Name::new(&declared.name).map_err(|error| {
        let message = format!("the column {:?} of {of} cannot be an attribute", declared.name);
        configuration("SQL-006", message).advice("give it an alias in a view or query").caused_by(error)
    })?;
    let (value, storage) = Sqlite.column_type(&declared.kind);
    let value = adjusted.map_or(value, |adjusted| adjusted.value);
    Ok(Column {
        sql: Sqlite.quoted(&declared.name),
        attribute,
        value,
        storage,
        read_only: declared.generated,
    })
}

fn find_table(db: &Db, wanted: &str) -> Result<Found, ConnectorError> {
    let listing = "SELECT name, type FROM sqlite_schema WHERE type IN ('table', 'view') \
                   AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY name";
    let sql = Sql { text: listing.to_owned(), ..Sql::default() };
    let tables: Vec<(String, String)> = db
        .query(&sql, |row| Ok((row.get(0)?, row.get(1)?)))
        .map_err(|error| call_error(error, "the tables could not be listed"))?;
    let exact = tables.iter().find(|(name, _)| name == wanted);
    let found = exact.or_else(|| tables.iter().find(|(name, _)| name.eq_ignore_ascii_case(wanted)));
    let Some((name, kind)) = found else {
        let known: Vec<String> = tables.into_iter().map(|(name, _)| name).collect();
        return Err(no_table(wanted, &known));
    };
    let text = "SELECT name, type, hidden FROM pragma_table_xinfo(:mesh_1) WHERE hidden <> 1".to_owned();
    let sql = Sql { text, values: vec![Raw::Text(name.clone())], watermark: None };
    let columns = db
        .query(&sql, |row| {
            Ok(Declared { name: row.get(0)?, kind: row.get(1)?, generated: row.get::<_, i64>(2)? > 1 })
        })
        .map_err(|error| call_error(error, &format!("the columns of {name} could not be listed")))?;
    let writes = if kind == "view" { Writes::View } else { Writes::Table };
    Ok(Found { title: name.clone(), source: Sqlite.quoted(name), writes, columns })
}

fn find_query(db: &Db, object_type: Name, query: &str) -> Result<Found, ConnectorError> {
    let title = format!("the query of {object_type}");
    // The line break keeps a comment at the query's end from hiding the parenthesis.
    let source = format!("({}\n) AS found", query.trim().trim_end_matches(';'));
    let failed = |error| call_error(error, &format!("{title} could not be prepared"));
    let statement = db.connection.prepare(&format!("SELECT * FROM {source} LIMIT 0")).map_err(failed)?;
    let columns = statement.columns();
    let columns = columns.map(|column| Declared {
        name: column.name().to_owned(),
        kind: column.decl_type().unwrap_or_default().to_owned(),
        generated: false,
    });
    Ok(Found { title, source, writes: Writes::Nothing, columns: columns.collect() })
}

fn find_changes(db: &Db, settings: &TypeSettings) -> Result<Option<Changes>, ConnectorError> {
    let Some(wanted) = &settings.change_table else { return Ok(None) };
    let found = find_table(db, &wanted.table)?;
    let operation = wanted.operation_column.as_ref().map(|column| found.column(column)).transpose()?;
    Ok(Some(Changes {
        sequence: found.column(&wanted.sequence_column)?.1,
        key: found.quoted(wanted.key.as_slice())?,
        operation: operation.map(|(_, column)| column),
        delete_values: wanted.delete_values.clone(),
        table: found.source,
    }))
}

fn find_related(db: &Db, wanted: &Related, columns: &[Column]) -> Result<RelatedTable, ConnectorError> {
    let found = find_table(db, &wanted.table)?;
    let key = found.quoted(wanted.key.as_slice())?;
    let (at, _) = found.column(&wanted.value)?;
    let adjusted = wanted.reference.then_some(AttributeType { value: ValueType::Reference, multi: true });
    let mut value = column(&found.columns[at], &found.title, adjusted)?;
    value.attribute = Name::new(&wanted.attribute)
        .map_err(|error| configuration("SQL-006", "an attribute's name cannot be used").caused_by(error))?;
    if columns.iter().any(|column| column.attribute == value.attribute) {
        let message = format!("the related attribute {} is a column as well", value.attribute);
        return Err(configuration("SQL-006", message).advice("give the related attribute another name"));
    }
    Ok(RelatedTable { table: found.source, key, value })
}

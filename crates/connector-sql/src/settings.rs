//! The settings `types`: where each object type is found and how it is written.

use std::collections::BTreeMap;

use identitymesh_connector::{Problem, Settings};
use identitymesh_model::{AttributeType, Name};
use serde::Deserialize;
use serde_json::Value as Json;

/// Most object types of one connector.
const TYPE_COUNT_MAX: usize = 200;

/// One object type as a person writes it.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct TypeSettings {
    pub(crate) table: Option<String>,
    pub(crate) query: Option<String>,
    pub(crate) key: OneOrMore,
    pub(crate) attributes: BTreeMap<String, AttributeType>,
    pub(crate) watermark_column: Option<String>,
    pub(crate) watermark_start: Option<Json>,
    pub(crate) deleted_column: Option<DeletedColumn>,
    pub(crate) change_table: Option<ChangeTable>,
    pub(crate) related: Vec<Related>,
    pub(crate) insert_statement: Option<String>,
    pub(crate) update_statement: Option<String>,
    pub(crate) delete_statement: Option<String>,
}

/// A column, or several.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
pub(crate) enum OneOrMore {
    One(String),
    More(Vec<String>),
}

impl Default for OneOrMore {
    fn default() -> Self {
        Self::More(Vec::new())
    }
}

impl OneOrMore {
    pub(crate) fn as_slice(&self) -> &[String] {
        match self {
            Self::One(column) => std::slice::from_ref(column),
            Self::More(columns) => columns,
        }
    }
}

/// A column that marks rows which count as deleted.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct DeletedColumn {
    pub(crate) column: String,
    pub(crate) value: Json,
}

/// A table with one row for each change.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ChangeTable {
    pub(crate) table: String,
    pub(crate) sequence_column: String,
    pub(crate) key: OneOrMore,
    pub(crate) operation_column: Option<String>,
    #[serde(default = "delete_words")]
    pub(crate) delete_values: Vec<String>,
}

fn delete_words() -> Vec<String> {
    ["D", "DELETE"].map(str::to_owned).to_vec()
}

/// A table whose rows are the values of a multi-valued attribute.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Related {
    pub(crate) attribute: String,
    pub(crate) table: String,
    pub(crate) key: OneOrMore,
    pub(crate) value: String,
    #[serde(default)]
    pub(crate) reference: bool,
}

/// The object types of the settings.
///
/// # Errors
/// Every problem that can be seen without the database.
pub(crate) fn read_types(settings: &Settings) -> Result<Vec<(Name, TypeSettings)>, Vec<Problem>> {
    let Some(Json::Object(written)) = settings.get("types") else {
        let message = "must be a table of object types, such as [settings.types.person]";
        return Err(vec![Problem::setting("types", message)]);
    };
    let (mut types, mut problems) = (Vec::new(), Vec::new());
    if written.is_empty() || written.len() > TYPE_COUNT_MAX {
        problems.push(Problem::setting("types", format!("must hold 1 to {TYPE_COUNT_MAX} object types")));
    }
    for (word, table) in written {
        let path = format!("types.{word}");
        match (Name::new(word), TypeSettings::deserialize(table)) {
            (Ok(name), Ok(found)) => {
                check(&path, &found, &mut problems);
                types.push((name, found));
            }
            (Err(error), _) => problems.push(Problem::setting(&path, error.to_string())),
            (_, Err(error)) => problems.push(Problem::setting(&path, error.to_string())),
        }
    }
    if problems.is_empty() { Ok(types) } else { Err(problems) }
}

fn check(path: &str, found: &TypeSettings, problems: &mut Vec<Problem>) {
    let mut problem =
        |name: &str, message: &str| problems.push(Problem::setting(&format!("{path}.{name}"), message));
    if found.table.is_some() == found.query.is_some() {
        problem("table", "give either table or query");
    }
    if found.key.as_slice().is_empty() {
        problem("key", "name the column or columns that identify a row, such as key = \"id\"");
    }
    let by_mark = found.query.as_deref().is_some_and(|query| query.contains("@watermark"));
    if by_mark && (found.watermark_column.is_none() || found.watermark_start.is_none()) {
        problem("watermark_start", "a query with @watermark needs watermark_column and watermark_start");
    }
    if found.watermark_start.as_ref().is_some_and(|start| crate::raw::Raw::from_json(start).is_none()) {
        problem("watermark_start", "must be a text or a number");
    }
    if found.watermark_column.is_some() && found.change_table.is_some() {
        problem("change_table", "give either watermark_column or change_table");
    }
    if let Some(deleted) = &found.deleted_column
        && crate::raw::Raw::from_json(&deleted.value).is_none()
    {
        problem("deleted_column", "its value must be a text, a number, true or false");
    }
    let keys = found.key.as_slice().len();
    if found.change_table.as_ref().is_some_and(|changes| changes.key.as_slice().len() != keys) {
        problem("change_table", "its key must have as many columns as the key of the type");
    }
    for related in &found.related {
        if related.key.as_slice().len() != keys {
            problem("related", "its key must have as many columns as the key of the type");
        }
        if Name::new(&related.attribute).is_err() {
            problem("related", "its attribute must be a name");
        }
    }
    if found.attributes.values().any(|word| word.multi) {
        problem("attributes", "a column holds one value; several come from related");
    }
}

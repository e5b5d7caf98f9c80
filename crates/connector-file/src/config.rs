//! The settings of a file connector in the form that the code works with.
//!
//! Built once when a session opens, and once by `validate` to find what is wrong; both run the same code, so what
//! validates also connects. Nothing here touches the disk.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use identitymesh_connector::{Problem, Settings};
use identitymesh_model::{AttributeType, Name};
use serde_json::Value as Json;

use crate::convert::TextRules;
use crate::encoding::Encoding;

/// Which format the kind at hand reads and writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    Csv,
    Ldif,
    Json,
}

/// How exports are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ExportMode {
    /// The file is the target's content.
    Full,
    /// Each batch is a new file of changes.
    Changes,
}

/// One object type as the settings give it.
#[derive(Clone, Debug)]
pub(crate) struct TypeConfig {
    pub(crate) name: Name,
    /// Attributes whose values are the external id.
    pub(crate) key: Vec<String>,
    /// LDIF: the object class that makes an entry this type.
    pub(crate) object_class: Option<String>,
    pub(crate) attributes: BTreeMap<String, AttributeType>,
}

/// Everything that a session needs to know.
#[derive(Clone, Debug)]
pub(crate) struct Config {
    pub(crate) format: Format,
    pub(crate) path: PathBuf,
    pub(crate) pattern: String,
    pub(crate) archive: Option<PathBuf>,
    pub(crate) settle: Duration,
    /// Types named in the settings; with `type_field` and none named, the file's own types.
    pub(crate) types: Vec<TypeConfig>,
    /// Whether [`Config::types`] is all there is.
    pub(crate) types_are_fixed: bool,
    /// What a type has that only the file names.
    pub(crate) common: TypeConfig,
    pub(crate) type_field: Option<String>,
    pub(crate) text: TextRules,
    pub(crate) encoding: Encoding,
    pub(crate) delimiter: u8,
    pub(crate) quote: u8,
    /// CSV: attribute by column.
    pub(crate) header: BTreeMap<String, String>,
    /// JSON: one array instead of one object a line.
    pub(crate) json_array: bool,
    /// LDIF: change records instead of content.
    pub(crate) change_records: bool,
    pub(crate) export: Option<ExportMode>,
    pub(crate) changes_folder: Option<PathBuf>,
}

impl Config {
    /// The settings as a configuration, or all their problems.
    pub(crate) fn read(format: Format, settings: &Settings) -> Result<Self, Vec<Problem>> {
        let mut problems = Problems::default();
        let common = common_type(format, settings, &mut problems);
        let (types, types_are_fixed) = types(format, settings, &common, &mut problems);
        let path = settings.path("path").unwrap_or_default();
        let config = Self {
            format,
            json_array: match settings.text("format") {
                Some(word) => word == "array",
                None => path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("json")),
            },
            path,
            pattern: settings.text("pattern").unwrap_or("*").to_owned(),
            archive: settings.path("archive"),
            settle: Duration::from_millis(settings.integer("settle_ms").unwrap_or(0).unsigned_abs()),
            types,
            types_are_fixed,
            common,
            type_field: settings.text("type_field").map(str::to_owned),
            text: TextRules {
                date_format: date_format(settings, &mut problems),
                empty_is_absent: settings.is_on("empty_is_absent"),
                separator: settings.text("multi_value_separator").unwrap_or_default().to_owned(),
            },
            encoding: Encoding::named(settings.text("encoding").unwrap_or("utf-8")),
            delimiter: one_byte(settings, "delimiter", b',', &mut problems),
            quote: one_byte(settings, "quote", b'"', &mut problems),
            header: text_table(settings.get("header"), "header", &mut problems),
            change_records: settings.text("content") == Some("changes"),
            export: match settings.text("export") {
                Some("full") => Some(ExportMode::Full),
                Some("changes") => Some(ExportMode::Changes),
                _ => None,
            },
            changes_folder: settings.path("changes_folder"),
        };
        config.check(&mut problems);
        if problems.0.is_empty() { Ok(config) } else { Err(problems.0) }
    }

    fn check(&self, problems: &mut Problems) {
        if self.export == Some(ExportMode::Changes) && self.changes_folder.is_none() {
            problems.add(
                "changes_folder",
                "is required with export = \"changes\": the folder for the change files",
            );
        }
        if self.export == Some(ExportMode::Full) && self.change_records {
            problems
                .add("export", "cannot be \"full\" where content = \"changes\"; use export = \"changes\"");
        }
        if self.format == Format::Csv && self.delimiter == self.quote {
            problems.add("quote", "must differ from delimiter");
        }
        let targets = self.header.values().map(|target| target.to_lowercase());
        if targets.collect::<std::collections::BTreeSet<_>>().len() < self.header.len() {
            problems.add("header", "gives two columns the same attribute; an attribute can have one column");
        }
        let multi = |kind: &TypeConfig| kind.attributes.values().any(|kind| kind.multi);
        if self.format == Format::Csv && self.text.separator.is_empty() && self.types.iter().any(multi) {
            problems.add(
                "multi_value_separator",
                "is required for attributes with several values, such as \"|\"",
            );
        }
    }
}

/// Problems as they are found.
#[derive(Default)]
struct Problems(Vec<Problem>);

impl Problems {
    fn add(&mut self, setting: &str, message: impl Into<String>) {
        self.0.push(Problem::setting(setting, message));
    }
}

fn common_type(format: Format, settings: &Settings, problems: &mut Problems) -> TypeConfig {
    let name = settings.text("object_type").unwrap_or("user");
    let name = Name::new(name).unwrap_or_else(|error| {
        problems.add("object_type", error.to_string());
        Name::literal("user")
    });
    let default_key = if format == Format::Ldif { vec!["dn".to_owned()] } else { Vec::new() };
    let key = settings.get("key").map_or(default_key, |json| text_or_list(json, "key", problems));
    let attributes = attribute_types(settings.get("attributes"), "attributes", problems);
    TypeConfig { name, key, object_class: None, attributes }
}

fn types(
    format: Format,
    settings: &Settings,
    common: &TypeConfig,
    problems: &mut Problems,
) -> (Vec<TypeConfig>, bool) {
    let types = match settings.get("types") {
        None => Vec::new(),
        Some(Json::Object(table)) => {
            table.iter().filter_map(|(word, body)| one_type(format, word, body, common, problems)).collect()
        }
        Some(_) => {
            problems.add("types", "must be a table with one table for each object type");
            Vec::new()
        }
    };
    let from_file = settings.text("type_field").is_some();
    if from_file && settings.get("types").is_none() {
        if common.key.is_empty() {
            problems.add("key", "is required: which attribute holds the external id");
        }
        return (types, false);
    }
    let types = if types.is_empty() { vec![common.clone()] } else { types };
    if types.len() > 1 && !from_file && format != Format::Ldif {
        problems.add(
            "type_field",
            "is required with several object types: which attribute holds an object's type",
        );
    }
    for kind in types.iter().filter(|kind| kind.key.is_empty()) {
        problems.add("key", format!("is required for {}: which attribute holds the external id", kind.name));
    }
    (types, true)
}

fn one_type(
    format: Format,
    word: &str,
    body: &Json,
    common: &TypeConfig,
    problems: &mut Problems,
) -> Option<TypeConfig> {
    let path = format!("types.{word}");
    let name = Name::new(word).map_err(|error| problems.add(&path, error.to_string())).ok()?;
    let Json::Object(body) = body else {
        problems.add(&path, "must be a table such as { key = \"id\" }");
        return None;
    };
    let mut kind = TypeConfig { name, object_class: None, ..common.clone() };
    for (setting, value) in body {
        let path = format!("{path}.{setting}");
        match (setting.as_str(), value) {
            ("key", value) => kind.key = text_or_list(value, &path, problems),
            ("attributes", value) => kind.attributes.extend(attribute_types(Some(value), &path, problems)),
            ("object_class", Json::String(class)) if format == Format::Ldif => {
                kind.object_class = Some(class.clone());
            }
            ("object_class", _) if format == Format::Ldif => problems.add(&path, "must be a text"),
            _ => problems
                .add(&path, "is no setting of an object type; it has key, attributes, object_class (LDIF)"),
        }
    }
    if format == Format::Ldif && kind.object_class.is_none() {
        problems
            .add(&format!("{path}.object_class"), "is required: which object class makes an entry this type");
    }
    Some(kind)
}

fn attribute_types(
    json: Option<&Json>,
    path: &str,
    problems: &mut Problems,
) -> BTreeMap<String, AttributeType> {
    let mut types = BTreeMap::new();
    for (name, word) in text_table(json, path, problems) {
        let path = format!("{path}.{name}");
        if let Err(error) = Name::new(&name) {
            problems.add(&path, error.to_string());
        }
        match word.parse() {
            Ok(kind) => drop(types.insert(name, kind)),
            Err(error) => problems.add(&path, format!("{error}")),
        }
    }
    types
}

fn text_table(json: Option<&Json>, path: &str, problems: &mut Problems) -> BTreeMap<String, String> {
    let table = match json {
        None => return BTreeMap::new(),
        Some(Json::Object(table)) => table,
        Some(_) => {
            problems.add(path, "must be a table of texts");
            return BTreeMap::new();
        }
    };
    let mut texts = BTreeMap::new();
    for (name, value) in table {
        match value {
            Json::String(text) => drop(texts.insert(name.clone(), text.clone())),
            _ => problems.add(&format!("{path}.{name}"), "must be a text"),
        }
    }
    texts
}

fn text_or_list(json: &Json, path: &str, problems: &mut Problems) -> Vec<String> {
    let texts: Option<Vec<String>> = match json {
        Json::String(text) => Some(vec![text.clone()]),
        Json::Array(list) => list.iter().map(|item| item.as_str().map(str::to_owned)).collect(),
        _ => None,
    };
    match texts {
        Some(texts) if !texts.is_empty() && texts.iter().all(|text| Name::new(text).is_ok()) => texts,
        _ => {
            problems.add(path, "must be an attribute's name or a list of such names");
            Vec::new()
        }
    }
}

fn one_byte(settings: &Settings, name: &str, default: u8, problems: &mut Problems) -> u8 {
    match settings.text(name) {
        None => default,
        Some("\\t" | "tab") => b'\t',
        Some(text) => match text.as_bytes() {
            [byte] if byte.is_ascii() && !matches!(byte, b'\r' | b'\n' | 0) => *byte,
            _ => {
                problems.add(name, "must be one ASCII character, or \"\\t\" for the tabulator");
                default
            }
        },
    }
}

fn date_format(settings: &Settings, problems: &mut Problems) -> Option<String> {
    let format = settings.text("date_format")?;
    if let Err(error) = TextRules::check_date_format(format) {
        problems.add("date_format", error);
    }
    Some(format.to_owned())
}

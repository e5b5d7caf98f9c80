//! The settings of each kind, as forms and the command line show them.

use identitymesh_connector::{SettingKind, SettingSchema, SettingsSchema};

use crate::config::Format;
use crate::encoding::Encoding;

/// Longest settle time.
const SETTLE_MS_MAX: i64 = 60_000;

/// All settings of a format.
pub(crate) fn schema(format: Format) -> SettingsSchema {
    let mut settings = common();
    settings.extend(match format {
        Format::Csv => csv(),
        Format::Ldif => ldif(),
        Format::Json => json(),
    });
    SettingsSchema { settings }
}

fn optional(name: &'static str, kind: SettingKind, help: &'static str) -> SettingSchema {
    SettingSchema::optional(name, kind, help)
}

fn common() -> Vec<SettingSchema> {
    use SettingKind::{Boolean, Choice, Integer, Path, Structure, Text};
    vec![
        SettingSchema::required(
            "path",
            Path,
            "The file, or a folder whose last file by name is the whole content.",
        ),
        optional("pattern", Text, "Which files of a folder count; * is any text, ? one character.").or("*"),
        optional(
            "archive",
            Path,
            "Where files of a folder go that a newer one has superseded, after a whole read.",
        ),
        optional(
            "settle_ms",
            Integer { min: 0, max: SETTLE_MS_MAX },
            "Milliseconds that a file must stay unchanged before it is read.",
        )
        .or(500),
        optional("object_type", Text, "What an object of the file is called.").or("user"),
        optional("key", Structure, "The attribute whose value is the external id, or a list of them."),
        optional(
            "attributes",
            Structure,
            "Types of attributes: { hired = \"datetime\", members = \"reference[]\" }.",
        ),
        optional(
            "date_format",
            Text,
            "How dates are written, such as %d.%m.%Y; else as 2026-03-02T08:00:00Z.",
        ),
        optional("empty_is_absent", Boolean, "An empty text is no value.").or(true),
        optional(
            "export",
            Choice(&["full", "changes"]),
            "Allows exports: full replaces the file, changes writes each batch as a new file.",
        ),
        optional("changes_folder", Path, "Where change files are written."),
    ]
}

fn encoding() -> SettingSchema {
    optional("encoding", SettingKind::Choice(Encoding::WORDS), "How the file writes text.").or("utf-8")
}

fn types() -> SettingSchema {
    optional(
        "types",
        SettingKind::Structure,
        "A table for each object type, with key and attributes of its own, and object_class in LDIF.",
    )
}

fn csv() -> Vec<SettingSchema> {
    use SettingKind::{Structure, Text};
    vec![
        encoding(),
        optional("delimiter", Text, "What stands between fields; \"\\t\" for the tabulator.").or(","),
        optional("quote", Text, "What stands around fields that need it.").or("\""),
        optional("header", Structure, "Attributes by column: { \"E-mail\" = \"mail\" }."),
        optional("multi_value_separator", Text, "What stands between several values in one field.").or("|"),
    ]
}

fn ldif() -> Vec<SettingSchema> {
    let content = optional(
        "content",
        SettingKind::Choice(&["entries", "changes"]),
        "Whether the file holds entries or change records.",
    );
    vec![encoding(), types(), content.or("entries")]
}

fn json() -> Vec<SettingSchema> {
    let format = optional(
        "format",
        SettingKind::Choice(&["lines", "array"]),
        "One object a line, or one array; without it .json is an array and anything else lines.",
    );
    vec![
        format,
        optional("type_field", SettingKind::Text, "The member that holds an object's type."),
        types(),
    ]
}

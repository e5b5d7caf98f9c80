//! Settings of a connector: their schema, and reading them against it.
//!
//! Command line, interfaces and forms are made from the schema, so everything that a person must know about a
//! setting stands in it. Reading reports every problem at once, each with the setting's path.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde_json::Value as Json;

/// Longest text in one setting, in bytes.
pub(crate) const SETTING_BYTES_MAX: usize = 64 * 1024;

/// What a setting holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SettingKind {
    /// Text.
    Text,
    /// Text that only a `{{secret:name}}` reference should hold; never shown.
    Secret,
    /// A path; relative ones are relative to the configuration file.
    Path,
    /// A whole number.
    Integer {
        /// Smallest.
        min: i64,
        /// Largest.
        max: i64,
    },
    /// True or false.
    Boolean,
    /// A list of texts.
    TextList,
    /// One of these words.
    Choice(&'static [&'static str]),
    /// A table or list whose form the kind checks itself.
    Structure,
}

/// One setting.
#[derive(Clone, Debug)]
pub struct SettingSchema {
    /// The key.
    pub name: &'static str,
    /// What it holds.
    pub kind: SettingKind,
    /// Must be given.
    pub required: bool,
    /// What applies when it is not given, as it would be written.
    pub default: Option<Json>,
    /// One or two sentences for the person who fills it in.
    pub help: &'static str,
}

impl SettingSchema {
    /// A setting that may be left out.
    #[must_use]
    pub const fn optional(name: &'static str, kind: SettingKind, help: &'static str) -> Self {
        Self { name, kind, required: false, default: None, help }
    }

    /// A setting that must be given.
    #[must_use]
    pub const fn required(name: &'static str, kind: SettingKind, help: &'static str) -> Self {
        Self { name, kind, required: true, default: None, help }
    }

    /// With a default.
    #[must_use]
    pub fn or(mut self, default: impl Into<Json>) -> Self {
        self.default = Some(default.into());
        self
    }
}

/// All settings of a kind.
#[derive(Clone, Debug, Default)]
pub struct SettingsSchema {
    /// In the order in which a form shows them.
    pub settings: Vec<SettingSchema>,
}

/// Something wrong with one setting.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Where: `settings.port`.
    pub path: String,
    /// What, and what would be right, one sentence.
    pub message: String,
}

impl Problem {
    /// A problem with the setting `name`.
    pub fn setting(name: &str, message: impl Into<String>) -> Self {
        Self { path: format!("settings.{name}"), message: message.into() }
    }
}

impl SettingsSchema {
    /// Checks `written` against the schema, fills in defaults, and makes relative paths absolute below `base`.
    #[must_use]
    pub fn read(&self, written: &BTreeMap<String, Json>, base: &Path) -> (Settings, Vec<Problem>) {
        let mut problems = Vec::new();
        let mut values = BTreeMap::new();
        for (name, value) in written {
            match self.settings.iter().find(|setting| setting.name == name) {
                Some(setting) => match check(setting, value) {
                    Ok(()) => drop(values.insert(name.clone(), absolute(setting, value, base))),
                    Err(message) => problems.push(Problem::setting(name, message)),
                },
                None => problems.push(Problem::setting(name, self.unknown(name))),
            }
        }
        for setting in &self.settings {
            if values.contains_key(setting.name) || written.contains_key(setting.name) {
                continue;
            }
            match &setting.default {
                Some(default) => drop(values.insert(setting.name.to_owned(), default.clone())),
                None if setting.required => problems.push(Problem::setting(
                    setting.name,
                    format!("is required: {}", setting.help.trim_end_matches('.')),
                )),
                None => {}
            }
        }
        (Settings { values }, problems)
    }

    fn unknown(&self, name: &str) -> String {
        let known: Vec<&str> = self.settings.iter().map(|setting| setting.name).collect();
        format!("{name} is no setting of this connector type; it has {}", known.join(", "))
    }
}

fn check(setting: &SettingSchema, value: &Json) -> Result<(), String> {
    let text_is_short = |text: &str| match text.len() <= SETTING_BYTES_MAX {
        true => Ok(()),
        false => Err(format!("is longer than {SETTING_BYTES_MAX} bytes")),
    };
    match (setting.kind, value) {
        (SettingKind::Text | SettingKind::Secret | SettingKind::Path, Json::String(text)) => {
            text_is_short(text)
        }
        (SettingKind::Boolean, Json::Bool(_)) | (SettingKind::Structure, _) => Ok(()),
        (SettingKind::Integer { min, max }, Json::Number(number)) => match number.as_i64() {
            Some(number) if (min..=max).contains(&number) => Ok(()),
            _ => Err(format!("must be a whole number from {min} to {max}")),
        },
        (SettingKind::TextList, Json::Array(list)) => list.iter().try_for_each(|item| match item {
            Json::String(text) => text_is_short(text),
            _ => Err("must be a list of texts".to_owned()),
        }),
        (SettingKind::Choice(words), Json::String(word)) if words.contains(&word.as_str()) => Ok(()),
        (SettingKind::Choice(words), _) => Err(format!("must be one of {}", words.join(", "))),
        (kind, _) => Err(format!("must be {}", in_words(kind))),
    }
}

const fn in_words(kind: SettingKind) -> &'static str {
    match kind {
        SettingKind::Text | SettingKind::Choice(_) => "a text",
        SettingKind::Secret => "a text such as \"{{secret:name}}\"",
        SettingKind::Path => "a path",
        SettingKind::Integer { .. } => "a whole number",
        SettingKind::Boolean => "true or false",
        SettingKind::TextList => "a list of texts",
        SettingKind::Structure => "a table or list",
    }
}

fn absolute(setting: &SettingSchema, value: &Json, base: &Path) -> Json {
    match (setting.kind, value) {
        (SettingKind::Path, Json::String(path)) => {
            Json::String(base.join(path).to_string_lossy().into_owned())
        }
        _ => value.clone(),
    }
}

/// Settings that fit their schema.
#[derive(Clone, Default, PartialEq)]
pub struct Settings {
    values: BTreeMap<String, Json>,
}

impl Settings {
    /// The value as written, `None` when neither given nor defaulted.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Json> {
        self.values.get(name)
    }

    /// A text, secret, choice or path setting.
    #[must_use]
    pub fn text(&self, name: &str) -> Option<&str> {
        self.get(name).and_then(Json::as_str)
    }

    /// A path setting.
    #[must_use]
    pub fn path(&self, name: &str) -> Option<PathBuf> {
        self.text(name).map(PathBuf::from)
    }

    /// A whole number.
    #[must_use]
    pub fn integer(&self, name: &str) -> Option<i64> {
        self.get(name).and_then(Json::as_i64)
    }

    /// A switch; off when neither given nor defaulted.
    #[must_use]
    pub fn is_on(&self, name: &str) -> bool {
        self.get(name).and_then(Json::as_bool).unwrap_or(false)
    }

    /// A list of texts; empty when neither given nor defaulted.
    #[must_use]
    pub fn list(&self, name: &str) -> Vec<&str> {
        self.get(name).and_then(Json::as_array).into_iter().flatten().filter_map(Json::as_str).collect()
    }

    /// Every text in every setting, replaced in place: how secret references are resolved.
    ///
    /// # Errors
    /// The first error of `replace`.
    pub fn try_map_texts<E>(&mut self, mut replace: impl FnMut(&str) -> Result<String, E>) -> Result<(), E> {
        self.values.values_mut().try_for_each(|value| map_texts(value, &mut replace))
    }
}

fn map_texts<E>(value: &mut Json, replace: &mut impl FnMut(&str) -> Result<String, E>) -> Result<(), E> {
    match value {
        Json::String(text) => *text = replace(text)?,
        Json::Array(list) => list.iter_mut().try_for_each(|item| map_texts(item, replace))?,
        Json::Object(table) => table.values_mut().try_for_each(|item| map_texts(item, replace))?,
        _ => {}
    }
    Ok(())
}

/// Settings may hold resolved secrets, so only their names are shown.
impl std::fmt::Debug for Settings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set().entries(self.values.keys()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn schema() -> SettingsSchema {
        SettingsSchema {
            settings: vec![
                SettingSchema::required("path", SettingKind::Path, "The file."),
                SettingSchema::optional("port", SettingKind::Integer { min: 1, max: 65_535 }, "The port.")
                    .or(389),
                SettingSchema::optional("mode", SettingKind::Choice(&["full", "change"]), "The mode."),
                SettingSchema::optional("password", SettingKind::Secret, "The password."),
            ],
        }
    }

    fn written(text: &str) -> BTreeMap<String, Json> {
        serde_json::from_str(text).unwrap()
    }

    #[test]
    fn defaults_are_filled_in_and_paths_made_absolute() {
        let (settings, problems) = schema().read(&written(r#"{"path":"hr.csv"}"#), Path::new("/mesh"));
        assert_eq!(problems, []);
        assert_eq!(settings.path("path"), Some(PathBuf::from("/mesh/hr.csv")));
        assert_eq!(settings.integer("port"), Some(389));
        assert_eq!(settings.text("mode"), None);
    }

    #[test]
    fn all_problems_are_reported_at_once() {
        let (_, problems) =
            schema().read(&written(r#"{"port":0,"mode":"x","prot":1,"password":7}"#), Path::new("/"));
        let paths: Vec<&str> = problems.iter().map(|problem| problem.path.as_str()).collect();
        assert_eq!(
            paths,
            ["settings.mode", "settings.password", "settings.port", "settings.prot", "settings.path"]
        );
    }

    #[test]
    fn resolved_secrets_are_not_in_debug_output() {
        let (mut settings, _) =
            schema().read(&written(r#"{"path":"a","password":"{{secret:x}}"}"#), Path::new("/"));
        settings.try_map_texts(|text| Ok::<_, ()>(text.replace("{{secret:x}}", "hunter2"))).unwrap();
        assert_eq!(settings.text("password"), Some("hunter2"));
        assert!(!format!("{settings:?}").contains("hunter2"));
    }
}

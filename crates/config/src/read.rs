//! Reading a configuration directory.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use identitymesh_model::Name;
use identitymesh_model::rules::{Configuration, ConnectorConfig, MeshConfig};
use serde::de::DeserializeOwned;

use crate::{ConfigProblem, pending};

/// Most bytes in one file.
const FILE_BYTES_MAX: u64 = 4 * 1024 * 1024;
/// Most connectors in one directory.
const CONNECTORS_MAX: usize = 1_000;

/// A configuration as read.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// The configuration.
    pub configuration: Configuration,
    /// Where each connector's relative paths start: the directory of its file.
    pub bases: BTreeMap<Name, PathBuf>,
    /// What the reader of an answer should know: files and keys that are known and not carried out yet, and what that means.
    pub notes: Vec<String>,
}

/// Reads `mesh.toml` and `connectors/*.toml` below `directory`.
///
/// # Errors
/// Every problem of every file.
pub fn read_directory(directory: &Path) -> Result<Loaded, Vec<ConfigProblem>> {
    let mut reader = Reader { directory, problems: Vec::new(), notes: Vec::new() };
    let mesh: Option<MeshConfig> = reader.file("mesh.toml");
    let mut connectors: Vec<ConnectorConfig> = Vec::new();
    let mut bases = BTreeMap::new();
    for (stem, file) in reader.connector_files() {
        let Some(connector) = reader.file::<ConnectorConfig>(&file) else { continue };
        let name = connector.connector.name;
        if name.as_str() != stem {
            let message =
                format!("the connector is called {name}, so its file has to be connectors/{name}.toml");
            reader.problem("CFG-005", &file, "connector.name", message);
        }
        bases.insert(
            name,
            std::path::absolute(directory).unwrap_or_else(|_| directory.to_owned()).join("connectors"),
        );
        connectors.push(connector);
    }
    reader.strays();
    connectors.sort_by_key(|connector| connector.connector.name);
    match mesh {
        Some(mesh) if reader.problems.is_empty() => {
            let configuration = Configuration { mesh, connectors };
            let mut notes = reader.notes;
            notes.extend(pending::notes(&configuration));
            Ok(Loaded { configuration, bases, notes })
        }
        _ => Err(reader.problems),
    }
}

struct Reader<'a> {
    directory: &'a Path,
    problems: Vec<ConfigProblem>,
    notes: Vec<String>,
}

impl Reader<'_> {
    fn problem(&mut self, code: &'static str, file: &str, path: &str, message: impl Into<String>) {
        let path = path.to_owned();
        self.problems.push(ConfigProblem {
            code,
            file: file.to_owned(),
            line: None,
            path,
            message: message.into(),
        });
    }

    /// The connectors' files in the order of their names: stem and path.
    fn connector_files(&mut self) -> Vec<(String, String)> {
        let Ok(entries) = std::fs::read_dir(self.directory.join("connectors")) else { return Vec::new() };
        let mut files: Vec<(String, String)> = entries
            .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
            .filter_map(|name| Some((name.strip_suffix(".toml")?.to_owned(), format!("connectors/{name}"))))
            .collect();
        files.sort_unstable();
        if files.len() > CONNECTORS_MAX {
            let message = format!("there are {} connectors; {CONNECTORS_MAX} are possible", files.len());
            self.problem("CFG-002", "connectors", "", message);
            files.truncate(CONNECTORS_MAX);
        }
        files
    }

    /// Files beside the known ones: one that is not carried out is said to be so.
    fn strays(&mut self) {
        let Ok(entries) = std::fs::read_dir(self.directory) else { return };
        for name in entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok()) {
            match name.as_str() {
                "mesh.toml" => {}
                "schedules.toml" | "identitymesh.toml" => {
                    self.notes.extend(pending::file_note(&name).map(str::to_owned));
                }
                other if other.ends_with(".toml") => {
                    self.problem(
                        "CFG-006",
                        other,
                        "",
                        "nothing reads this file; connectors go into connectors/NAME.toml",
                    );
                }
                _ => {}
            }
        }
    }

    fn file<T: DeserializeOwned>(&mut self, file: &str) -> Option<T> {
        let text = match self.text(file) {
            Ok(text) => text,
            Err(message) => {
                self.problem("CFG-001", file, "", message);
                return None;
            }
        };
        let document = match toml::Deserializer::parse(&text) {
            Ok(document) => document,
            Err(error) => {
                self.toml_problem("CFG-003", file, "", &text, &error);
                return None;
            }
        };
        let mut unknown = Vec::new();
        let mut track = serde_path_to_error::Track::new();
        let tracked = serde_path_to_error::Deserializer::new(document, &mut track);
        let result = serde_ignored::deserialize(tracked, |path| unknown.push(path.to_string()));
        for path in unknown {
            let key = path.rsplit('.').next().unwrap_or(&path).to_owned();
            let message = format!("{key} is no key that is known here");
            let line = line_of_key(&text, &key);
            self.problems.push(ConfigProblem {
                code: "CFG-004",
                file: file.to_owned(),
                line,
                path: readable(&path),
                message,
            });
        }
        match result {
            Ok(value) => Some(value),
            Err(error) => {
                let path = track.path().to_string();
                self.toml_problem("CFG-003", file, &readable(&path), &text, &error);
                None
            }
        }
    }

    fn toml_problem(
        &mut self,
        code: &'static str,
        file: &str,
        path: &str,
        text: &str,
        error: &toml::de::Error,
    ) {
        let line = error.span().map(|span| text[..span.start.min(text.len())].matches('\n').count() + 1);
        let path = if path == "." { String::new() } else { path.to_owned() };
        let message = error.message().to_owned();
        self.problems.push(ConfigProblem { code, file: file.to_owned(), line, path, message });
    }

    fn text(&self, file: &str) -> Result<String, String> {
        let path = self.directory.join(file);
        let size =
            std::fs::metadata(&path).map_err(|error| format!("the file cannot be read: {error}"))?.len();
        if size > FILE_BYTES_MAX {
            return Err(format!("the file has {size} bytes; {FILE_BYTES_MAX} are possible"));
        }
        std::fs::read_to_string(&path).map_err(|error| format!("the file cannot be read: {error}"))
    }
}

/// `flow.3.targt` as people write it: `flow[3].targt`.
fn readable(path: &str) -> String {
    let mut out = String::new();
    for part in path.split('.').filter(|part| !part.is_empty() && *part != "?") {
        if part.bytes().all(|byte| byte.is_ascii_digit()) {
            out.push_str(&format!("[{part}]"));
        } else {
            if !out.is_empty() {
                out.push('.');
            }
            out.push_str(part);
        }
    }
    out
}

fn line_of_key(text: &str, key: &str) -> Option<usize> {
    let is_key = |line: &str| {
        let line = line.trim_start().trim_start_matches('[');
        line.strip_prefix(key).is_some_and(|rest| rest.trim_start().starts_with(['=', ']', '.']))
    };
    let mut lines = text.lines().enumerate().filter(|(_, line)| is_key(line));
    match (lines.next(), lines.next()) {
        (Some((at, _)), None) => Some(at + 1),
        _ => None,
    }
}

#[cfg(test)]
mod tests;

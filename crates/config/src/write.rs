//! Writing a configuration as files, the same bytes for the same configuration.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::Path;

use identitymesh_model::rules::Configuration;

/// The files of a configuration: path relative to the directory, and text.
///
/// # Errors
/// When a value has no form in TOML, such as `null` within a setting.
pub fn to_files(configuration: &Configuration) -> Result<BTreeMap<String, String>, toml::ser::Error> {
    let mut files = BTreeMap::new();
    files.insert("mesh.toml".to_owned(), toml::to_string_pretty(&configuration.mesh)?);
    for connector in &configuration.connectors {
        let path = format!("connectors/{}.toml", connector.connector.name);
        files.insert(path, toml::to_string_pretty(connector)?);
    }
    Ok(files)
}

/// Writes files below `directory`, each replaced whole. Other files are left alone.
///
/// # Errors
/// When a directory or file cannot be written; files before it have been.
pub fn write_files(directory: &Path, files: &BTreeMap<String, String>) -> std::io::Result<()> {
    for (path, text) in files {
        let path = directory.join(path);
        let parent = path.parent().unwrap_or(directory);
        std::fs::create_dir_all(parent)?;
        let mut file = tempfile::NamedTempFile::new_in(parent)?;
        file.write_all(text.as_bytes())?;
        file.as_file().sync_all()?;
        file.persist(&path).map_err(|error| error.error)?;
    }
    Ok(())
}

//! The demo's files: sources, configuration, targets.

use std::io::{BufWriter, Write as _};
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use identitymesh_sample::Company;

use crate::commands::directory::Directory;

/// Where the demo keeps what it shows, below the data directory.
pub(super) struct Places {
    pub(super) source: PathBuf,
    pub(super) configuration: PathBuf,
    pub(super) target: PathBuf,
}

impl Places {
    pub(super) fn below(data: &Path) -> anyhow::Result<Self> {
        let data = std::path::absolute(data)?;
        let places = Self {
            source: data.join("source"),
            configuration: data.join("configuration"),
            target: data.join("target"),
        };
        for directory in [&places.source, &places.target, &places.configuration.join("connectors")] {
            std::fs::create_dir_all(directory)
                .with_context(|| format!("{} could not be made", directory.display()))?;
        }
        Ok(places)
    }

    /// Writes the company's HR file and phone book, each replaced whole.
    pub(super) fn write_sources(&self, company: &Company) -> anyhow::Result<()> {
        replace(&self.source.join("hr.csv"), |out| company.write_hr_csv(out))?;
        replace(&self.source.join("phonebook.jsonl"), |out| company.write_phone_book(out))
    }

    /// Writes the rules where there are none yet: whoever changed them keeps them.
    pub(super) fn write_configuration(&self, directory: Option<&Directory>) -> anyhow::Result<()> {
        let tree = include_str!("rules/tree.toml");
        let mut files = vec![
            ("mesh.toml", include_str!("rules/mesh.toml").to_owned()),
            ("connectors/hr.toml", include_str!("rules/hr.toml").to_owned()),
            ("connectors/phonebook.toml", include_str!("rules/phonebook.toml").to_owned()),
            ("connectors/accounts.toml", include_str!("rules/accounts.toml").to_owned()),
            (
                "connectors/ldif.toml",
                format!(
                    "{}{}",
                    include_str!("rules/ldif.toml"),
                    tree.replace("{BASE}", "dc=sample,dc=example")
                ),
            ),
        ];
        if let Some(directory) = directory {
            let head = directory.fill(include_str!("rules/directory.toml"));
            files.push(("connectors/directory.toml", format!("{head}{}", directory.fill(tree))));
        }
        for (name, text) in files {
            let path = self.configuration.join(name);
            if !path.exists() {
                replace(&path, |out| out.write_all(text.as_bytes()))?;
            }
        }
        Ok(())
    }

    /// Makes the account database that an application would have made.
    pub(super) fn make_accounts(&self) -> anyhow::Result<()> {
        let path = self.target.join("accounts.db");
        let database = rusqlite::Connection::open(&path)
            .with_context(|| format!("{} could not be opened", path.display()))?;
        database.execute_batch(
            "CREATE TABLE IF NOT EXISTS account (employee_id TEXT PRIMARY KEY, login TEXT NOT NULL UNIQUE, \
             full_name TEXT, mail TEXT, department TEXT, phone TEXT, enabled INTEGER NOT NULL DEFAULT 1)",
        )?;
        Ok(())
    }
}

/// Writes a file beside its place and moves it there, so that nobody ever reads half of it.
fn replace(
    path: &Path,
    write: impl FnOnce(&mut BufWriter<&mut tempfile::NamedTempFile>) -> std::io::Result<()>,
) -> anyhow::Result<()> {
    let act = || -> std::io::Result<()> {
        let mut file = tempfile::NamedTempFile::new_in(path.parent().unwrap_or(Path::new(".")))?;
        let mut out = BufWriter::new(&mut file);
        write(&mut out)?;
        out.flush()?;
        drop(out);
        file.as_file().sync_all()?;
        file.persist(path).map_err(|error| error.error)?;
        Ok(())
    };
    act().with_context(|| format!("{} could not be written", path.display()))
}

//! What was asked for, and the rules that a mesh over it has.

use std::path::PathBuf;

use anyhow::ensure;
use identitymesh_connector::Settings;
use identitymesh_model::Name;

use super::container::Container;
use crate::arguments::BenchArguments;
use crate::commands::directory::Directory;
use crate::open::Opened;

/// The environment variable that holds the password where nobody can be asked.
const PASSWORD_VARIABLE: &str = "IDENTITYMESH_BENCH_PASSWORD";
/// The secret's name.
const SECRET: &str = "bench/target";
/// The connector settings that writing and reading share.
const SETTINGS: &str = include_str!("../rules/target-settings.toml");

/// The connector that is exported to.
pub(super) fn writer() -> Name {
    Name::literal("directory")
}

/// The connector over the same entries that is imported from: nothing is known of them there.
pub(super) fn reader() -> Name {
    Name::literal("reader")
}

/// A directory to measure, from the arguments.
pub(in super::super) struct Asked {
    url: String,
    bind: String,
    container: String,
    ca: Option<PathBuf>,
    pub(super) below: Option<PathBuf>,
    pub(super) window: usize,
}

impl Asked {
    /// Nothing when no directory is named.
    pub(in super::super) fn of(arguments: &BenchArguments) -> Option<Self> {
        Some(Self {
            url: arguments.target.clone()?,
            bind: arguments.bind.clone()?,
            container: arguments.container.clone()?,
            ca: arguments.ca.clone(),
            below: arguments.below.clone(),
            window: usize::from(arguments.window),
        })
    }

    pub(super) fn container(&self) -> anyhow::Result<Container> {
        Container::named(&self.container)
    }

    pub(super) fn directory(&self, container: &Container) -> anyhow::Result<Directory> {
        Directory::new(&self.url, &self.bind, container.product(), self.ca.as_deref())
    }

    /// The rules of both connectors.
    pub(super) fn rules(&self, container: &Container) -> anyhow::Result<Vec<(&'static str, String)>> {
        let directory = self.directory(container)?;
        let settings = directory.fill(SETTINGS).replace("{WINDOW}", &self.window.to_string());
        let rules = |template: &str| directory.fill(&template.replace("{SETTINGS}", &settings));
        Ok(vec![
            ("connectors/directory.toml", rules(include_str!("../rules/target.toml"))),
            ("connectors/reader.toml", rules(include_str!("../rules/reader.toml"))),
        ])
    }

    /// Keeps the password for the connectors.
    pub(super) fn keep_password(&self, opened: &Opened, container: &Container) -> anyhow::Result<()> {
        let directory = self.directory(container)?;
        directory.keep_password(opened, SECRET, PASSWORD_VARIABLE, "the measured directory")
    }
}

/// The settings of the connectors, their password in the clear.
pub(super) fn settings(opened: &Opened) -> anyhow::Result<Settings> {
    let in_force = opened.mesh.in_force()?;
    let config = in_force.connector(writer())?;
    let kind = opened.mesh.registry.get(&config.connector.kind);
    let prepared =
        kind.map(|kind| kind.prepare(&config.connector.settings, in_force.base(writer()))).transpose();
    let settings = prepared.map_err(|problems| {
        let problems: Vec<String> =
            problems.iter().map(|problem| format!("{} {}", problem.path, problem.message)).collect();
        anyhow::anyhow!("the directory cannot be used: {}", problems.join("; "))
    })?;
    ensure!(settings.is_some(), "this program has no connector type {}", config.connector.kind);
    let mut settings = settings.unwrap_or_default();
    settings.try_map_texts(|text| opened.secrets.resolve(text).map(|secret| secret.expose().to_owned()))?;
    Ok(settings)
}

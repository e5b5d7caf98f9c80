//! Opening a data directory: store, secrets, kinds of connectors, the configuration in force.

use std::error::Error;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context as _;
use identitymesh_connector::Registry;
use identitymesh_connector_file::FileKind;
use identitymesh_connector_ldap::Ldap;
use identitymesh_connector_sql::SqliteKind;
use identitymesh_model::Clock;
use identitymesh_runner::{Mesh, Observer, Sandbox, SecretResolver, Silent};
use identitymesh_secrets::{KeyFileProtector, Vault, default_key_file_path, is_running_as_root};
use identitymesh_store::{ReadOnly, Store};
use identitymesh_store_sqlite::{OpenMode, OpenOptions, SqliteStore};
use tokio_util::sync::CancellationToken;

use crate::edge::{RandomIds, SystemClock};
use crate::secret_rows::SecretRows;

/// The store's file below the data directory.
pub(crate) const STORE_FILE: &str = "mesh.db";
/// What tells one Linux host from another.
const MACHINE_ID: &str = "/etc/machine-id";

/// The secrets of one data directory.
pub(crate) type Secrets = Vault<SecretRows>;

/// An opened data directory.
pub(crate) struct Opened {
    pub(crate) mesh: Mesh,
    pub(crate) secrets: Arc<Secrets>,
    pub(crate) store: Arc<SqliteStore>,
    pub(crate) data: PathBuf,
}

/// All kinds of connectors that this program has.
#[must_use]
pub(crate) fn registry() -> Registry {
    Registry::new()
        .with(FileKind::csv())
        .with(FileKind::ldif())
        .with(FileKind::json())
        .with(SqliteKind::new())
        .with(Ldap::new())
        .with(Ldap::active_directory())
}

/// Opens `data`. With `write` this process alone may have it open, and what an earlier process left unfinished is
/// put in order first.
pub(crate) fn open(
    data: &Path,
    write: bool,
    registry: Registry,
    observer: Arc<dyn Observer>,
    cancel: CancellationToken,
) -> anyhow::Result<Opened> {
    let key_file = match std::env::var_os("IDENTITYMESH_KEY_FILE") {
        Some(path) => PathBuf::from(path),
        None => default_key_file_path(|name| std::env::var_os(name), is_running_as_root())?,
    };
    open_with_key(data, &key_file, write, registry, observer, cancel)
}

/// Opens `data`, whose secrets are sealed with the key in `key_file`.
pub(crate) fn open_with_key(
    data: &Path,
    key_file: &Path,
    write: bool,
    registry: Registry,
    observer: Arc<dyn Observer>,
    cancel: CancellationToken,
) -> anyhow::Result<Opened> {
    let path = data.join(STORE_FILE);
    if write {
        std::fs::create_dir_all(data)
            .with_context(|| format!("the data directory {} could not be made", data.display()))?;
    } else if !path.exists() {
        anyhow::bail!(
            "there is no mesh in {}; make one with `identitymesh init DIR` and `identitymesh apply DIR`, or name \
             another data directory with --data",
            data.display()
        );
    }
    let mode = if write { OpenMode::Exclusive } else { OpenMode::ReadOnly };
    let clock = Arc::new(SystemClock);
    let options = OpenOptions { mode, ids: Arc::new(RandomIds), at: clock.now(), size_bytes_max: None };
    let store = SqliteStore::open(&path, options)?;
    let sqlite = Arc::new(store);
    let store: Arc<dyn Store> = Arc::clone(&sqlite) as Arc<dyn Store>;
    if write {
        let interrupted = store.interrupt_runs(clock.now()).wait()?;
        if !interrupted.is_empty() {
            tracing::warn!(
                runs = interrupted.len(),
                "runs of an earlier process were interrupted; their work goes on"
            );
        }
    }
    let protector = KeyFileProtector::new(key_file, Path::new(MACHINE_ID), data)?;
    let secrets = Arc::new(Vault::new(SecretRows(Arc::clone(&store)), Box::new(protector)));
    let resolver = Arc::new(Resolver(Arc::clone(&secrets)));
    let mesh = Mesh::open(store, clock, Arc::new(RandomIds), registry, resolver, actor(), cancel, observer)?;
    Ok(Opened { mesh, secrets, store: sqlite, data: data.to_owned() })
}

/// A store over the real one that is thrown away with this.
pub(crate) struct Scratch {
    pub(crate) sandbox: Sandbox,
    // Declared last: the store closes before its directory goes.
    _directory: tempfile::TempDir,
}

/// A store for trying things out, which begins as the real one is. Of the real one only reading is left.
pub(crate) fn scratch(opened: &Opened, cancel: CancellationToken) -> anyhow::Result<Scratch> {
    let directory = tempfile::Builder::new()
        .prefix("preview-")
        .tempdir_in(&opened.data)
        .context("a directory to try things out in could not be made below the data directory")?;
    let (real, ids, at) = (&opened.mesh, Arc::new(RandomIds), opened.mesh.clock.now());
    let store: Arc<dyn Store> = Arc::new(opened.store.scratch(directory.path(), ids.clone())?);
    store.interrupt_runs(at).wait()?;
    let copy = Mesh::open(
        store,
        real.clock.clone(),
        ids,
        real.registry.clone(),
        real.secrets.clone(),
        real.actor.clone(),
        cancel,
        Arc::new(Silent),
    )?;
    let real = ReadOnly::new(real.store.clone());
    Ok(Scratch { sandbox: Sandbox { copy, real }, _directory: directory })
}

/// Who runs this process.
fn actor() -> String {
    let user = std::env::var("USER").or_else(|_| std::env::var("LOGNAME")).unwrap_or_default();
    if user.is_empty() { "cli".to_owned() } else { format!("cli:{user}") }
}

struct Resolver(Arc<Secrets>);

impl SecretResolver for Resolver {
    fn resolve(&self, text: &str) -> Result<String, Box<dyn Error + Send + Sync>> {
        Ok(self.0.resolve(text)?.expose().to_owned())
    }
}

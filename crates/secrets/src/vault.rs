//! The envelope: secrets under a data key, the data key under a protector.
//!
//! The vault keeps no key in memory between calls: each unwraps the data key, uses it and wipes it. The data key is
//! made with the first secret. A value is bound to its name and version, so a record moved to another name or passed
//! off as another version does not open. One process at a time writes a store's secrets; the store's lock sees to it.

mod resolve;

use std::fmt;

use secrecy::{ExposeSecret, SecretString};
use zeroize::Zeroizing;

pub use self::resolve::ResolvedString;
use crate::cipher::Key;
use crate::error::SecretError;
use crate::name::SecretName;
use crate::protector::Protector;
use crate::redactor::Redactor;
use crate::storage::{SecretChange, SecretInfo, SecretRecord, SecretStorage, WrappedKey};

/// Largest value of a secret.
pub const SECRET_VALUE_BYTES_MAX: usize = 64 * 1024;
/// Longest description of a secret.
pub const DESCRIPTION_BYTES_MAX: usize = 1024;

/// Secrets in a store, opened through a protector.
pub struct Vault<S> {
    storage: S,
    protector: Box<dyn Protector>,
    redactor: Redactor,
}

/// What [`Vault::check`] found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckReport {
    /// How many secrets open.
    pub readable: usize,
    /// Those that do not: damaged or tampered with.
    pub damaged: Vec<SecretName>,
}

impl<S: SecretStorage> Vault<S> {
    /// A vault over `storage`; nothing is read yet.
    pub fn new(storage: S, protector: Box<dyn Protector>) -> Self {
        Self { storage, protector, redactor: Redactor::default() }
    }

    /// Hides every value that this vault sets or resolves; use it wherever text leaves the process.
    pub fn redactor(&self) -> Redactor {
        self.redactor.clone()
    }

    /// One line about the protector, for `doctor`.
    pub fn describe_protector(&self) -> String {
        self.protector.describe()
    }

    /// Sets a secret and gives back what may be shown of it. An older value is replaced and its version counted on.
    ///
    /// # Errors
    /// [`SecretError`] for a name, value or description out of bounds, for a data key that does not open here, and for
    /// a failing store; nothing is changed then.
    pub fn set(
        &self,
        name: &str,
        value: &SecretString,
        description: &str,
        change: SecretChange<'_>,
    ) -> Result<SecretInfo, SecretError> {
        let name = SecretName::new(name)?;
        check_value(&name, value)?;
        if description.len() > DESCRIPTION_BYTES_MAX {
            let bytes = description.len();
            return Err(SecretError::TooLong {
                what: "the description",
                bytes,
                bytes_max: DESCRIPTION_BYTES_MAX,
            });
        }
        self.redactor.add(value);
        let data_key = self.data_key_or_new(change)?;
        let version = self.record(&name)?.map_or(0, |record| record.info.version) + 1;
        let info = SecretInfo {
            name,
            version,
            description: description.to_owned(),
            set_by: change.actor.to_owned(),
            set_at: change.at,
        };
        let sealed = data_key.seal(&associated_data(&info), value.expose_secret().as_bytes())?;
        let record = SecretRecord { info, sealed };
        self.storage.put(&record, change).map_err(SecretError::storage("keep a secret"))?;
        Ok(record.info)
    }

    /// All secrets by name, without their values. It needs no key.
    ///
    /// # Errors
    /// Those of the store.
    pub fn list(&self) -> Result<Vec<SecretInfo>, SecretError> {
        Ok(self.records()?.into_iter().map(|record| record.info).collect())
    }

    /// Removes a secret. It needs no key.
    ///
    /// # Errors
    /// [`SecretError::Missing`] when there is none of this name; those of the store.
    pub fn remove(&self, name: &str, change: SecretChange<'_>) -> Result<(), SecretError> {
        let name = SecretName::new(name)?;
        let removed = self.storage.remove(&name, change).map_err(SecretError::storage("remove a secret"))?;
        if removed { Ok(()) } else { Err(SecretError::Missing { names: vec![name] }) }
    }

    /// Opens every secret and says which do not open.
    ///
    /// # Errors
    /// When the data key itself does not open, and those of the store.
    pub fn check(&self) -> Result<CheckReport, SecretError> {
        let mut report = CheckReport { readable: 0, damaged: Vec::new() };
        let Some(data_key) = self.data_key()? else { return Ok(report) };
        for record in self.records()? {
            match open(&data_key, &record) {
                Ok(_) => report.readable += 1,
                Err(SecretError::Damaged { .. }) => report.damaged.push(record.info.name),
                Err(other) => return Err(other),
            }
        }
        Ok(report)
    }

    /// Makes a new data key and encrypts every secret again under it; versions stay.
    ///
    /// # Errors
    /// When anything does not open; nothing is changed then. Those of the store.
    pub fn rotate(&self, change: SecretChange<'_>) -> Result<(), SecretError> {
        let Some(old_key) = self.data_key()? else { return Ok(()) };
        let new_key = Key::random()?;
        let mut records = self.records()?;
        for record in &mut records {
            let value = open(&old_key, record)?;
            record.sealed = new_key.seal(&associated_data(&record.info), value.expose_secret().as_bytes())?;
        }
        let wrapped = self.protector.wrap(new_key.as_bytes())?;
        self.storage
            .replace_all(&wrapped, &records, change)
            .map_err(SecretError::storage("replace the secrets"))
    }

    /// Wraps the data key with another protector, which this vault uses from then on.
    ///
    /// # Errors
    /// When the data key does not open, or the new protector refuses it; the old one stays in use then.
    pub fn rewrap(
        &mut self,
        protector: Box<dyn Protector>,
        change: SecretChange<'_>,
    ) -> Result<(), SecretError> {
        if let Some(data_key) = self.data_key()? {
            let wrapped = protector.wrap(data_key.as_bytes())?;
            self.save_data_key(&wrapped, change)?;
        }
        self.protector = protector;
        Ok(())
    }

    /// `None` while there is neither a data key nor a secret.
    fn data_key(&self) -> Result<Option<Key>, SecretError> {
        let loaded = self.storage.load_data_key().map_err(SecretError::storage("read the data key"))?;
        let Some(wrapped) = loaded else {
            return if self.records()?.is_empty() { Ok(None) } else { Err(SecretError::DataKeyMissing) };
        };
        let bytes = self.protector.unwrap(&wrapped)?;
        let key =
            Key::from_slice(&bytes).ok_or_else(|| SecretError::Damaged { what: "the data key".into() })?;
        Ok(Some(key))
    }

    fn data_key_or_new(&self, change: SecretChange<'_>) -> Result<Key, SecretError> {
        if let Some(key) = self.data_key()? {
            return Ok(key);
        }
        let key = Key::random()?;
        self.save_data_key(&self.protector.wrap(key.as_bytes())?, change)?;
        Ok(key)
    }

    fn save_data_key(&self, wrapped: &WrappedKey, change: SecretChange<'_>) -> Result<(), SecretError> {
        self.storage.save_data_key(wrapped, change).map_err(SecretError::storage("keep the data key"))
    }

    fn record(&self, name: &SecretName) -> Result<Option<SecretRecord>, SecretError> {
        self.storage.get(name).map_err(SecretError::storage("read a secret"))
    }

    fn records(&self) -> Result<Vec<SecretRecord>, SecretError> {
        self.storage.list().map_err(SecretError::storage("list the secrets"))
    }
}

impl<S> fmt::Debug for Vault<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Vault").field("protector", &self.protector.name()).finish_non_exhaustive()
    }
}

fn check_value(name: &SecretName, value: &SecretString) -> Result<(), SecretError> {
    let bytes = value.expose_secret().len();
    if (1..=SECRET_VALUE_BYTES_MAX).contains(&bytes) {
        return Ok(());
    }
    Err(SecretError::ValueSize { name: name.clone(), bytes, bytes_max: SECRET_VALUE_BYTES_MAX })
}

/// What a sealed value is bound to. The length before the name keeps name and version apart.
fn associated_data(info: &SecretInfo) -> Vec<u8> {
    let name = info.name.as_str().as_bytes();
    let mut out = b"identitymesh secret 1".to_vec();
    out.extend_from_slice(&(name.len() as u64).to_be_bytes());
    out.extend_from_slice(name);
    out.extend_from_slice(&info.version.to_be_bytes());
    out
}

fn open(data_key: &Key, record: &SecretRecord) -> Result<SecretString, SecretError> {
    let damaged = || SecretError::Damaged { what: format!("secret '{}'", record.info.name) };
    let plain: Zeroizing<Vec<u8>> =
        data_key.open(&associated_data(&record.info), &record.sealed)?.ok_or_else(damaged)?;
    Ok(SecretString::from(std::str::from_utf8(&plain).map_err(|_| damaged())?))
}

//! What a store keeps of secrets, and the seam through which the vault reaches it.
//!
//! A record holds ciphertext only, so a store, a backup or a dump of it gives nothing away. The caller that
//! implements [`SecretStorage`] makes each writing call one durable transaction and writes its audit row in it.

use std::fmt;
use std::sync::Arc;

use jiff::Timestamp;
use serde::Serialize;

use crate::error::StorageError;
use crate::name::SecretName;

/// The data key as stored: encrypted by a protector.
#[derive(Clone, PartialEq, Eq)]
pub struct WrappedKey {
    /// Name of the protector.
    pub protector: String,
    /// What it was wrapped with, in words that give nothing away: fingerprints of machine and key file.
    pub origin: String,
    /// The encrypted key.
    pub sealed: Vec<u8>,
}

impl fmt::Debug for WrappedKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WrappedKey")
            .field("protector", &self.protector)
            .field("origin", &self.origin)
            .field("sealed_bytes", &self.sealed.len())
            .finish()
    }
}

/// A secret as stored.
#[derive(Clone, PartialEq, Eq)]
pub struct SecretRecord {
    /// All that may be shown.
    pub info: SecretInfo,
    /// The encrypted value, bound to name and version.
    pub sealed: Vec<u8>,
}

impl fmt::Debug for SecretRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SecretRecord")
            .field("info", &self.info)
            .field("sealed_bytes", &self.sealed.len())
            .finish()
    }
}

/// What may be shown of a secret: everything but its value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SecretInfo {
    /// The name that references use.
    pub name: SecretName,
    /// 1 for the first value, one more for each that replaced it.
    pub version: u64,
    /// What it is for, in the administrator's words.
    pub description: String,
    /// Who set this version.
    pub set_by: String,
    /// When.
    pub set_at: Timestamp,
}

/// Who changes secrets, and when; for the audit row.
#[derive(Debug, Clone, Copy)]
pub struct SecretChange<'a> {
    /// Who asked for it.
    pub actor: &'a str,
    /// When.
    pub at: Timestamp,
}

/// Where a vault keeps its data key and records. Writes are durable and all-or-nothing.
pub trait SecretStorage: Send + Sync {
    /// The wrapped data key, if there is one yet.
    ///
    /// # Errors
    /// Those of the store.
    fn load_data_key(&self) -> Result<Option<WrappedKey>, StorageError>;

    /// Stores or replaces the wrapped data key.
    ///
    /// # Errors
    /// Those of the store.
    fn save_data_key(&self, key: &WrappedKey, change: SecretChange<'_>) -> Result<(), StorageError>;

    /// Stores a record in place of the one of the same name.
    ///
    /// # Errors
    /// Those of the store.
    fn put(&self, record: &SecretRecord, change: SecretChange<'_>) -> Result<(), StorageError>;

    /// The record of this name, if there is one.
    ///
    /// # Errors
    /// Those of the store.
    fn get(&self, name: &SecretName) -> Result<Option<SecretRecord>, StorageError>;

    /// All records by name.
    ///
    /// # Errors
    /// Those of the store.
    fn list(&self) -> Result<Vec<SecretRecord>, StorageError>;

    /// Removes a record; false if there was none.
    ///
    /// # Errors
    /// Those of the store.
    fn remove(&self, name: &SecretName, change: SecretChange<'_>) -> Result<bool, StorageError>;

    /// Replaces the data key and all records in one transaction, so that a crash never parts them.
    ///
    /// # Errors
    /// Those of the store.
    fn replace_all(
        &self,
        key: &WrappedKey,
        records: &[SecretRecord],
        change: SecretChange<'_>,
    ) -> Result<(), StorageError>;
}

impl<T: SecretStorage + ?Sized> SecretStorage for Arc<T> {
    fn load_data_key(&self) -> Result<Option<WrappedKey>, StorageError> {
        (**self).load_data_key()
    }

    fn save_data_key(&self, key: &WrappedKey, change: SecretChange<'_>) -> Result<(), StorageError> {
        (**self).save_data_key(key, change)
    }

    fn put(&self, record: &SecretRecord, change: SecretChange<'_>) -> Result<(), StorageError> {
        (**self).put(record, change)
    }

    fn get(&self, name: &SecretName) -> Result<Option<SecretRecord>, StorageError> {
        (**self).get(name)
    }

    fn list(&self) -> Result<Vec<SecretRecord>, StorageError> {
        (**self).list()
    }

    fn remove(&self, name: &SecretName, change: SecretChange<'_>) -> Result<bool, StorageError> {
        (**self).remove(name, change)
    }

    fn replace_all(
        &self,
        key: &WrappedKey,
        records: &[SecretRecord],
        change: SecretChange<'_>,
    ) -> Result<(), StorageError> {
        (**self).replace_all(key, records, change)
    }
}

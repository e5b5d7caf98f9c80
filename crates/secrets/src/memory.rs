//! Secrets kept in memory, for tests and for one-off use without a store. Nothing survives the process.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::error::StorageError;
use crate::name::SecretName;
use crate::storage::{SecretChange, SecretRecord, SecretStorage, WrappedKey};

/// A [`SecretStorage`] that forgets.
#[derive(Debug, Default)]
pub struct MemoryStorage(Mutex<Content>);

#[derive(Debug, Default)]
struct Content {
    key: Option<WrappedKey>,
    records: BTreeMap<SecretName, SecretRecord>,
}

impl MemoryStorage {
    fn content(&self) -> MutexGuard<'_, Content> {
        // Every change is a single assignment, so a panic elsewhere leaves nothing half done.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl SecretStorage for MemoryStorage {
    fn load_data_key(&self) -> Result<Option<WrappedKey>, StorageError> {
        Ok(self.content().key.clone())
    }

    fn save_data_key(&self, key: &WrappedKey, _: SecretChange<'_>) -> Result<(), StorageError> {
        self.content().key = Some(key.clone());
        Ok(())
    }

    fn put(&self, record: &SecretRecord, _: SecretChange<'_>) -> Result<(), StorageError> {
        self.content().records.insert(record.info.name.clone(), record.clone());
        Ok(())
    }

    fn get(&self, name: &SecretName) -> Result<Option<SecretRecord>, StorageError> {
        Ok(self.content().records.get(name).cloned())
    }

    fn list(&self) -> Result<Vec<SecretRecord>, StorageError> {
        Ok(self.content().records.values().cloned().collect())
    }

    fn remove(&self, name: &SecretName, _: SecretChange<'_>) -> Result<bool, StorageError> {
        Ok(self.content().records.remove(name).is_some())
    }

    fn replace_all(
        &self,
        key: &WrappedKey,
        records: &[SecretRecord],
        _: SecretChange<'_>,
    ) -> Result<(), StorageError> {
        let records = records.iter().map(|record| (record.info.name.clone(), record.clone())).collect();
        *self.content() = Content { key: Some(key.clone()), records };
        Ok(())
    }
}

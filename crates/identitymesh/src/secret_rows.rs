//! Keeps sealed secrets as rows of the store.
//!
//! The row `data-key` is the wrapped key of the store; the row `secret/NAME` one secret. Their bodies are JSON whose
//! sealed parts are base64.

use std::error::Error;
use std::sync::Arc;

use identitymesh_model::{RunId, Timestamp};
use identitymesh_secrets::{SecretChange, SecretInfo, SecretName, SecretRecord, SecretStorage, WrappedKey};
use identitymesh_store::{Cause, SecretRow, Store};
use serde::{Deserialize, Serialize};

type Failure = Box<dyn Error + Send + Sync>;

const DATA_KEY: &str = "data-key";
const PREFIX: &str = "secret/";

/// The secrets component's view of a store.
#[derive(Clone)]
pub(crate) struct SecretRows(pub(crate) Arc<dyn Store>);

#[derive(Serialize, Deserialize)]
struct KeyBody {
    protector: String,
    origin: String,
    sealed: Sealed,
}

#[derive(Serialize, Deserialize)]
struct RecordBody {
    version: u64,
    description: String,
    set_by: String,
    set_at: Timestamp,
    sealed: Sealed,
}

/// Bytes as hexadecimal text.
#[derive(Serialize, Deserialize)]
#[serde(transparent)]
struct Sealed(String);

impl Sealed {
    fn of(bytes: &[u8]) -> Self {
        Self(identitymesh_model::hex(bytes))
    }

    fn bytes(&self) -> Result<Vec<u8>, Failure> {
        let digits = self.0.as_bytes();
        digits.chunks(2).map(|pair| Ok(u8::from_str_radix(std::str::from_utf8(pair)?, 16)?)).collect()
    }
}

fn cause(change: SecretChange<'_>) -> Cause {
    Cause { run: RunId(0), actor: change.actor.to_owned(), at: change.at.into() }
}

fn key_row(key: &WrappedKey) -> Result<SecretRow, Failure> {
    let body = KeyBody {
        protector: key.protector.clone(),
        origin: key.origin.clone(),
        sealed: Sealed::of(&key.sealed),
    };
    Ok(SecretRow { name: DATA_KEY.to_owned(), body: serde_json::to_string(&body)? })
}

fn record_row(record: &SecretRecord) -> Result<SecretRow, Failure> {
    let info = &record.info;
    let body = RecordBody {
        version: info.version,
        description: info.description.clone(),
        set_by: info.set_by.clone(),
        set_at: info.set_at.into(),
        sealed: Sealed::of(&record.sealed),
    };
    Ok(SecretRow { name: format!("{PREFIX}{}", info.name.as_str()), body: serde_json::to_string(&body)? })
}

fn record(row: &SecretRow) -> Result<Option<SecretRecord>, Failure> {
    let Some(name) = row.name.strip_prefix(PREFIX) else { return Ok(None) };
    let body: RecordBody = serde_json::from_str(&row.body)?;
    let info = SecretInfo {
        name: SecretName::new(name)?,
        version: body.version,
        description: body.description,
        set_by: body.set_by,
        set_at: body.set_at.to_jiff(),
    };
    Ok(Some(SecretRecord { info, sealed: body.sealed.bytes()? }))
}

impl SecretRows {
    fn rows(&self) -> Result<Vec<SecretRow>, Failure> {
        Ok(self.0.read()?.secrets()?)
    }
}

impl SecretStorage for SecretRows {
    fn load_data_key(&self) -> Result<Option<WrappedKey>, Failure> {
        let Some(row) = self.rows()?.into_iter().find(|row| row.name == DATA_KEY) else { return Ok(None) };
        let body: KeyBody = serde_json::from_str(&row.body)?;
        Ok(Some(WrappedKey { protector: body.protector, origin: body.origin, sealed: body.sealed.bytes()? }))
    }

    fn save_data_key(&self, key: &WrappedKey, change: SecretChange<'_>) -> Result<(), Failure> {
        Ok(self.0.put_secrets(vec![key_row(key)?], cause(change)).wait()?)
    }

    fn put(&self, record: &SecretRecord, change: SecretChange<'_>) -> Result<(), Failure> {
        Ok(self.0.put_secrets(vec![record_row(record)?], cause(change)).wait()?)
    }

    fn get(&self, name: &SecretName) -> Result<Option<SecretRecord>, Failure> {
        let wanted = format!("{PREFIX}{}", name.as_str());
        match self.rows()?.iter().find(|row| row.name == wanted) {
            Some(row) => record(row),
            None => Ok(None),
        }
    }

    fn list(&self) -> Result<Vec<SecretRecord>, Failure> {
        self.rows()?.iter().filter_map(|row| record(row).transpose()).collect()
    }

    fn remove(&self, name: &SecretName, change: SecretChange<'_>) -> Result<bool, Failure> {
        Ok(self.0.remove_secret(format!("{PREFIX}{}", name.as_str()), cause(change)).wait()?)
    }

    fn replace_all(
        &self,
        key: &WrappedKey,
        records: &[SecretRecord],
        change: SecretChange<'_>,
    ) -> Result<(), Failure> {
        let mut rows = vec![key_row(key)?];
        for record in records {
            rows.push(record_row(record)?);
        }
        Ok(self.0.put_secrets(rows, cause(change)).wait()?)
    }
}

//! Secrets through the public face, with real key files in a temporary directory.
#![cfg(unix)]

mod key_file;
mod planted;
mod vault;

use std::fs;
use std::path::{Path, PathBuf};

use identitymesh_secrets::memory::MemoryStorage;
use identitymesh_secrets::{KeyFileProtector, SecretChange, SecretString, Vault};
use jiff::Timestamp;
use tempfile::TempDir;

const MACHINE_ID: &str = "0123456789abcdef0123456789abcdef\n";

/// A host: a data directory, a machine id, and a place for the key file.
struct Host {
    directory: TempDir,
}

impl Host {
    fn new(machine_id: &str) -> Self {
        let directory = tempfile::tempdir().expect("a temporary directory");
        fs::write(directory.path().join("machine-id"), machine_id).expect("writes");
        fs::create_dir(directory.path().join("data")).expect("makes");
        Self { directory }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    fn key_file(&self) -> PathBuf {
        self.path("etc/protector.key")
    }

    fn protector(&self) -> KeyFileProtector {
        self.protector_at(&self.key_file())
    }

    fn protector_at(&self, key_file: &Path) -> KeyFileProtector {
        KeyFileProtector::new(key_file, &self.path("machine-id"), &self.path("data")).expect("a good place")
    }

    fn vault(&self) -> Vault<MemoryStorage> {
        Vault::new(MemoryStorage::default(), Box::new(self.protector()))
    }
}

fn change() -> SecretChange<'static> {
    SecretChange { actor: "ops", at: Timestamp::UNIX_EPOCH }
}

fn secret(value: &str) -> SecretString {
    SecretString::from(value)
}

//! A key of the program `age`, with which a test opens sealed files as their recipient does.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};

use super::require::{System, require};
use crate::temp::{TempDir, directory};

const SYSTEM: System = System { name: "the program age", programs: &["age", "age-keygen"], packages: "age" };

/// A private key in a file of its own, and its public key.
#[derive(Debug)]
pub struct AgeKey {
    /// The public key, `age1…`.
    pub public: String,
    /// The file with the private key.
    pub file: PathBuf,
    _folder: TempDir,
}

impl AgeKey {
    /// A new key; `None` when the program is not installed and may be missing.
    ///
    /// # Panics
    /// When the program is required and missing, and when it makes no key although it is installed.
    #[must_use = "the key goes when the value is dropped"]
    pub fn make() -> Option<Self> {
        if !require(&SYSTEM) {
            return None;
        }
        Some(Self::try_make().expect("age-keygen makes a key"))
    }

    /// What the sealed file holds.
    ///
    /// # Errors
    /// With the program's own words when this key does not open it.
    pub fn open(&self, file: &Path) -> Result<Vec<u8>> {
        let mut command = Command::new("age");
        let output = command.args(["--decrypt", "--identity"]).arg(&self.file).arg(file).output()?;
        ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        Ok(output.stdout)
    }

    fn try_make() -> Result<Self> {
        let folder = directory();
        let file = folder.path().join("key.txt");
        let made = Command::new("age-keygen").arg("-o").arg(&file).output()?;
        ensure!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        let read = Command::new("age-keygen").arg("-y").arg(&file).output()?;
        let public = String::from_utf8(read.stdout).context("the public key is no text")?.trim().to_owned();
        ensure!(public.starts_with("age1"), "{public:?} is no public key");
        Ok(Self { public, file, _folder: folder })
    }
}

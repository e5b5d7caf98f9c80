//! Looking for a planted value in every byte that was written: databases, logs, exports, whatever is there.
//!
//! Files are read in pieces, so a data directory may be larger than memory; a needle that lies across two
//! pieces is found. Symbolic links are not followed: what they point to was not written below the directory.

use std::fs::{self, File};
use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use memchr::memmem::Finder;

const PIECE_BYTES: usize = 1 << 20;

/// The files below `directory`, at any depth, that contain `needle`, in the order of their paths.
///
/// A file that vanishes while it is looked for contains nothing.
///
/// # Errors
/// When the needle is empty, or a file or folder cannot be read: what was not searched is not clean.
pub fn files_containing(directory: &Path, needle: &[u8]) -> Result<Vec<PathBuf>> {
    ensure!(!needle.is_empty(), "an empty needle is in every file");
    let finder = Finder::new(needle);
    let mut found = Vec::new();
    let mut folders = vec![directory.to_owned()];
    while let Some(folder) = folders.pop() {
        let entries = fs::read_dir(&folder).with_context(|| format!("cannot list {}", folder.display()))?;
        for entry in entries {
            let entry = entry.with_context(|| format!("cannot list {}", folder.display()))?;
            let kind =
                entry.file_type().with_context(|| format!("cannot look at {}", entry.path().display()))?;
            if kind.is_dir() {
                folders.push(entry.path());
            } else if kind.is_file() && contains(&entry.path(), &finder)? {
                found.push(entry.path());
            }
        }
    }
    found.sort();
    Ok(found)
}

fn contains(path: &Path, finder: &Finder<'_>) -> Result<bool> {
    let mut file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(false),
        Err(error) => return Err(error).with_context(|| format!("cannot open {}", path.display())),
    };
    let overlap = finder.needle().len() - 1;
    let mut window = Vec::with_capacity(overlap + PIECE_BYTES);
    loop {
        let piece = u64::try_from(PIECE_BYTES).unwrap_or(u64::MAX);
        let read = file.by_ref().take(piece).read_to_end(&mut window);
        if read.with_context(|| format!("cannot read {}", path.display()))? == 0 {
            return Ok(false);
        }
        if finder.find(&window).is_some() {
            return Ok(true);
        }
        window.drain(..window.len().saturating_sub(overlap));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::temp;

    #[test]
    fn finds_the_needle_at_any_depth_and_only_there() {
        let directory = temp::directory();
        let deep = directory.path().join("a/b");
        fs::create_dir_all(&deep).unwrap();
        fs::write(deep.join("with"), b"\0\xff-planted-\0").unwrap();
        fs::write(directory.path().join("without"), b"plante d").unwrap();
        fs::write(directory.path().join("empty"), b"").unwrap();
        assert_eq!(files_containing(directory.path(), b"planted").unwrap(), [deep.join("with")]);
    }

    #[test]
    fn finds_the_needle_across_two_pieces_and_at_both_ends() {
        let directory = temp::directory();
        let file = directory.path().join("large");
        for start in [0, PIECE_BYTES - 3, PIECE_BYTES, 2 * PIECE_BYTES + 1] {
            let mut content = vec![b'.'; start];
            content.extend(b"needle");
            fs::write(&file, &content).unwrap();
            assert_eq!(
                files_containing(directory.path(), b"needle").unwrap(),
                std::slice::from_ref(&file),
                "{start}"
            );
            assert!(files_containing(directory.path(), b"needles").unwrap().is_empty());
        }
    }

    #[test]
    fn an_empty_needle_and_a_missing_directory_are_errors() {
        let directory = temp::directory();
        assert!(files_containing(directory.path(), b"").is_err());
        assert!(files_containing(&directory.path().join("none"), b"x").is_err());
    }
}

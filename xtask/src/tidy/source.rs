//! The texts that the rules read: what git tracks, and what it would track if it were added.
//!
//! Files that hold bytes and not text are left out, as are fixtures, recorded snapshots and the lock file: they
//! are kept as they came, and mending their blanks would change what they prove.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};

use crate::process::output;

/// One text file.
#[derive(Debug)]
pub(crate) struct SourceFile {
    /// Relative to the workspace root, with `/` between the parts.
    pub(crate) path: String,
    pub(crate) text: String,
}

impl SourceFile {
    pub(crate) fn new(path: &str, text: &str) -> Self {
        Self { path: path.to_owned(), text: text.to_owned() }
    }

    /// The lines with their numbers from 1.
    pub(crate) fn lines(&self) -> impl Iterator<Item = (usize, &str)> {
        self.text.split_terminator('\n').enumerate().map(|(index, line)| (index + 1, line))
    }

    pub(crate) fn is_rust(&self) -> bool {
        self.path.ends_with(".rs")
    }

    /// The last part of the path.
    pub(crate) fn name(&self) -> &str {
        self.path.rsplit('/').next().unwrap_or(&self.path)
    }
}

/// Reads every file of the working tree that the rules apply to, in the order of paths.
pub(crate) fn read_all(root: &Path) -> Result<Vec<SourceFile>> {
    // A checkout that another user owns, as in a container, is still ours to read.
    let trusted = format!("safe.directory={}", root.display());
    let list = ["ls-files", "-z", "--cached", "--others", "--exclude-standard", "--deduplicate"];
    let names = output(Command::new("git").current_dir(root).args(["-c", &trusted]).args(list))
        .context("tidy asks git which files belong to the project; it needs git and a clone")?;
    let mut files = Vec::new();
    for path in names.split_terminator('\0').filter(|path| !is_kept_as_it_came(path)) {
        // Git still lists a file that was deleted and not committed.
        let file = root.join(path);
        if !file.is_file() {
            continue;
        }
        let bytes = fs::read(&file).with_context(|| format!("cannot read {path}"))?;
        files.extend(std::str::from_utf8(&bytes).ok().map(|text| SourceFile::new(path, text)));
    }
    Ok(files)
}

fn is_kept_as_it_came(path: &str) -> bool {
    let in_folder = path.split('/').any(|part| part == "fixtures" || part == "snapshots");
    in_folder || path.ends_with(".snap") || path.ends_with("Cargo.lock")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fixtures_snapshots_and_the_lock_file_are_left_alone() {
        for path in ["crates/a/tests/fixtures/x.csv", "crates/a/snapshots/b.txt", "a.snap", "Cargo.lock"] {
            assert!(is_kept_as_it_came(path), "{path}");
        }
        assert!(!is_kept_as_it_came("crates/fixtures_of/src/lib.rs"));
    }

    #[test]
    fn lines_are_counted_from_one_and_the_end_is_no_line() {
        let file = SourceFile::new("a", "x\n\ny\n");
        assert_eq!(file.lines().collect::<Vec<_>>(), [(1, "x"), (2, ""), (3, "y")]);
    }

    #[test]
    fn the_working_tree_is_read_through_git() {
        let root = crate::process::workspace_root().unwrap();
        let files = read_all(&root).unwrap();
        let own = files.iter().find(|file| file.path == "xtask/src/tidy/source.rs").unwrap();
        assert!(own.is_rust() && own.name() == "source.rs" && own.text.starts_with("//!"));
        assert!(!files.iter().any(|file| file.path.starts_with("target/")));
    }
}

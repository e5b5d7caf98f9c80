//! Directories that live as long as one test.

pub use tempfile::TempDir;

/// A new empty directory that only this user can enter; it vanishes with everything in it when dropped.
///
/// # Panics
/// When the system's directory for temporary files cannot be written to (`TMPDIR` chooses another).
#[must_use = "the directory is removed when the value is dropped"]
pub fn directory() -> TempDir {
    tempfile::Builder::new()
        .prefix("identitymesh-")
        .tempdir()
        .expect("tests need a directory for temporary files; TMPDIR names another")
}

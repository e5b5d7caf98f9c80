//! Delivery as a sealed file, one for each delivery, in a folder that only this process's user can enter.
//!
//! A file appears under its name complete and durable, or not at all. Its name says when and whose public id, and
//! nothing that a person would recognise.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use crate::age::seal;
use crate::{Notice, PasswordError, Recipient};

/// What the last nine bits of a folder's mode may not have: anybody else's rights.
const OTHERS: u32 = 0o077;

/// Makes the folder if it is missing, and refuses one that others can enter or that is somebody else's.
///
/// # Errors
/// `PWD-003`, with what to do.
pub fn check_directory(path: &Path) -> Result<(), PasswordError> {
    let refuse = |why: String| PasswordError::Directory { path: path.to_owned(), why };
    if let Err(error) = DirBuilder::new().recursive(true).mode(0o700).create(path) {
        return Err(refuse(error.to_string()));
    }
    let found = fs::metadata(path).map_err(|error| refuse(error.to_string()))?;
    if !found.is_dir() {
        return Err(refuse("it is no folder".to_owned()));
    }
    let mode = found.mode() & 0o777;
    if mode & OTHERS != 0 {
        return Err(refuse(format!("others may enter it (mode {mode:03o}); run `chmod 700` on it")));
    }
    if found.uid() != rustix::process::geteuid().as_raw() {
        return Err(refuse("it belongs to another user than the one this process runs as".to_owned()));
    }
    Ok(())
}

/// Writes `notice` so that only `recipients` can read it; the file's name without its folder. `called` begins the name.
///
/// # Errors
/// `PWD-003` when it cannot be written; no file is left behind then.
pub fn deliver(
    directory: &Path,
    recipients: &[Recipient],
    called: &str,
    notice: &Notice<'_>,
) -> Result<String, PasswordError> {
    check_directory(directory)?;
    let sealed = seal(recipients, &notice.to_text())?;
    let mut tail = [0_u8; 4];
    crate::fill_from_system(&mut tail)?;
    let name = format!("{called}-{:08x}.json.age", u32::from_be_bytes(tail));
    let (path, part) = (directory.join(&name), directory.join(format!(".{name}.part")));
    write_whole(directory, &part, &path, &sealed).map_err(|source| {
        let _gone_already = fs::remove_file(&part);
        PasswordError::Write { path: path.clone(), source }
    })?;
    Ok(name)
}

fn write_whole(directory: &Path, part: &PathBuf, path: &PathBuf, sealed: &[u8]) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(part)?;
    file.write_all(sealed)?;
    file.sync_all()?;
    fs::rename(part, path)?;
    File::open(directory)?.sync_all()
}

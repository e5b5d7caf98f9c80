//! Reads and makes the key file, and reads the machine id.
//!
//! The key file is one line: a fixed word and 32 random bytes in base64. It appears under its name complete
//! or not at all, and never in place of an existing one.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{self, ErrorKind, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

use crate::cipher::{KEY_BYTES, Key};
use crate::error::SecretError;

/// Largest file that is looked at as a key file or machine id; true ones have 71 and 33 bytes.
const FILE_BYTES_MAX: u64 = 1024;
const LINE_START: &str = "identitymesh-protector-key-1 ";
const MACHINE_ID_DIGITS: usize = 32;

/// The bytes of an existing key file.
pub(super) fn read(path: &Path) -> Result<Zeroizing<Vec<u8>>, SecretError> {
    let line = match read_small(path, check_mode)? {
        Some(line) => line,
        None => return Err(SecretError::KeyFileMissing { path: path.to_owned() }),
    };
    let not_a_key = || SecretError::KeyFileContent { path: path.to_owned() };
    let encoded = std::str::from_utf8(&line).ok().and_then(|line| line.trim_end().strip_prefix(LINE_START));
    let bytes = Zeroizing::new(STANDARD.decode(encoded.ok_or_else(not_a_key)?).map_err(|_| not_a_key())?);
    if bytes.len() == KEY_BYTES { Ok(bytes) } else { Err(not_a_key()) }
}

/// The bytes of the key file, which is made if it does not exist.
pub(super) fn read_or_create(path: &Path) -> Result<Zeroizing<Vec<u8>>, SecretError> {
    match read(path) {
        Err(SecretError::KeyFileMissing { .. }) => {}
        other => return other,
    }
    create(path).map_err(|source| SecretError::File {
        action: "create key file",
        path: path.to_owned(),
        source,
    })?;
    read(path)
}

/// The 32 hexadecimal digits of the machine id, in lower case.
pub(super) fn read_machine_id(path: &Path) -> Result<Vec<u8>, SecretError> {
    let no_id = || SecretError::MachineId { path: path.to_owned() };
    let content = read_small(path, |_, _| Ok(()))?.ok_or_else(no_id)?;
    let digits = content.trim_ascii().to_ascii_lowercase();
    let is_good = digits.len() == MACHINE_ID_DIGITS && digits.iter().all(u8::is_ascii_hexdigit);
    if is_good { Ok(digits) } else { Err(no_id()) }
}

/// The content of a small file, no more than [`FILE_BYTES_MAX`] of it; `None` when there is none.
fn read_small(
    path: &Path,
    check: impl FnOnce(&Path, &File) -> Result<(), SecretError>,
) -> Result<Option<Zeroizing<Vec<u8>>>, SecretError> {
    let failed = |source| SecretError::File { action: "read", path: path.to_owned(), source };
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(failed(error)),
    };
    check(path, &file)?;
    let mut content = Zeroizing::new(Vec::with_capacity(FILE_BYTES_MAX as usize));
    file.take(FILE_BYTES_MAX).read_to_end(&mut content).map_err(failed)?;
    Ok(Some(content))
}

/// The mode is that of the opened file, so that nobody can swap files between check and use.
fn check_mode(path: &Path, file: &File) -> Result<(), SecretError> {
    let metadata = file.metadata().map_err(|source| SecretError::File {
        action: "look at",
        path: path.to_owned(),
        source,
    })?;
    let mode = metadata.permissions().mode() & 0o7777;
    if mode & 0o077 != 0 {
        return Err(SecretError::KeyFileMode { path: path.to_owned(), mode });
    }
    Ok(())
}

fn create(path: &Path) -> io::Result<()> {
    let directory = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent.to_owned(),
        _ => PathBuf::from("."),
    };
    DirBuilder::new().recursive(true).mode(0o700).create(&directory)?;
    let unfinished = unfinished_path(path)?;
    let made = write_key(&unfinished).and_then(|()| std::fs::hard_link(&unfinished, path));
    let removed = std::fs::remove_file(&unfinished);
    match made {
        // Another process was faster; its key is as good.
        Err(error) if error.kind() == ErrorKind::AlreadyExists && path.exists() => return Ok(()),
        other => other?,
    }
    removed?;
    File::open(&directory)?.sync_all()
}

/// A name of its own for each attempt, so that neither a rival nor the rest of a crash is in the way.
fn unfinished_path(path: &Path) -> io::Result<PathBuf> {
    let mut attempt = [0; 8];
    aws_lc_rs::rand::fill(&mut attempt).map_err(|_| io::Error::other("no random bytes"))?;
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{:016x}.new", u64::from_be_bytes(attempt)));
    Ok(path.with_file_name(name))
}

fn write_key(path: &Path) -> io::Result<()> {
    let key = Key::random().map_err(io::Error::other)?;
    let encoded = Zeroizing::new(STANDARD.encode(key.as_bytes()));
    let line = Zeroizing::new([LINE_START, &encoded, "\n"].concat());
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(line.as_bytes())?;
    file.sync_all()
}

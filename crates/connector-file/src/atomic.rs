//! Replacing a file so that everybody sees the old content or the new, never half of either.
//!
//! The new content goes into a file beside the old one, reaches the disk, and takes the old one's name. When any
//! step fails the old file is as it was. A new file is readable by its owner alone; an existing one keeps its mode.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// Puts `content` in place of the file at `path`.
pub(crate) fn replace(path: &Path, content: &[u8]) -> io::Result<()> {
    replace_through(path, content, create)
}

fn replace_through(
    path: &Path,
    content: &[u8],
    create: impl FnOnce(&Path) -> io::Result<File>,
) -> io::Result<()> {
    // A link stays a link: what it points at is replaced.
    let target = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let part = part_of(&target)?;
    // A part that a crash left behind is nobody's; creating it anew never follows what it may have become.
    match fs::remove_file(&part) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let written = write(&part, &target, content, create);
    if written.is_err() {
        let _ = fs::remove_file(&part);
    }
    written
}

fn write(
    part: &Path,
    target: &Path,
    content: &[u8],
    create: impl FnOnce(&Path) -> io::Result<File>,
) -> io::Result<()> {
    let mut file = create(part)?;
    file.write_all(content)?;
    if let Ok(known) = fs::metadata(target) {
        file.set_permissions(known.permissions())?;
    }
    file.sync_all()?;
    drop(file);
    fs::rename(part, target)?;
    sync_folder(target)
}

fn create(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

fn part_of(path: &Path) -> io::Result<PathBuf> {
    let name = path.file_name().ok_or(io::ErrorKind::InvalidInput)?;
    Ok(path.with_file_name(format!(".{}.part", name.to_string_lossy())))
}

/// The new name is durable once the folder is.
fn sync_folder(path: &Path) -> io::Result<()> {
    match (cfg!(unix), path.parent()) {
        (true, Some(folder)) => File::open(folder)?.sync_all(),
        _ => Ok(()),
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn a_full_disk_leaves_the_old_file_whole() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("people.csv");
        replace(&path, b"old").unwrap();
        // The kernel's own full device, so the error is the real one.
        let error =
            replace_through(&path, b"new", |_| OpenOptions::new().write(true).open("/dev/full")).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::StorageFull);
        assert_eq!(fs::read(&path).unwrap(), b"old");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn modes_links_and_leftovers() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("people.csv");
        let mode = || fs::metadata(&path).unwrap().permissions().mode() & 0o777;
        fs::write(folder.path().join(".people.csv.part"), "left by a crash").unwrap();
        replace(&path, b"1").unwrap();
        assert_eq!(mode(), 0o600);
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        let link = folder.path().join("link.csv");
        std::os::unix::fs::symlink(&path, &link).unwrap();
        replace(&link, b"2").unwrap();
        assert_eq!((mode(), fs::read(&path).unwrap()), (0o640, b"2".to_vec()));
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        assert!(replace(&folder.path().join("missing/people.csv"), b"3").is_err());
    }
}

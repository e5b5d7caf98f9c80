//! Which file is read, and whether it holds still.
//!
//! A path that is a folder is a drop folder: the last file by name is the whole content, and the ones before it are
//! superseded. A file whose size or time changes within the settle time is being written and is not read; one that
//! changes during the read proves nothing, and the import fails without a certificate.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::SystemTime;

use identitymesh_connector::ConnectorError;

use crate::config::{Config, ExportMode, Format};
use crate::csv::CsvReader;
use crate::encoding::{Counting, Encoding, Utf8Reader};
use crate::error;
use crate::json::JsonReader;
use crate::layout::Layout;
use crate::ldif::LdifReader;
use crate::record::RecordReader;

/// Most files in a drop folder; more are a sign of a wrong path or of an archive that was never set.
const FOLDER_FILES_MAX: usize = 10_000;

/// A file's size and time of change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Stamp {
    pub(crate) bytes: u64,
    modified: Option<SystemTime>,
}

/// The file to read and the files that it supersedes.
#[derive(Clone, Debug)]
pub(crate) struct Located {
    pub(crate) path: PathBuf,
    pub(crate) superseded: Vec<PathBuf>,
}

/// Text of an open file.
pub(crate) type Input = Utf8Reader<Counting<File>>;

impl Stamp {
    pub(crate) fn of(file: &File, path: &Path) -> Result<Self, ConnectorError> {
        let metadata = file.metadata().map_err(|error| error::unreadable(path, error))?;
        Ok(Self { bytes: metadata.len(), modified: metadata.modified().ok() })
    }
}

/// The file that the settings point at, `None` where an export has yet to make it.
pub(crate) fn locate(config: &Config) -> Result<Option<Located>, ConnectorError> {
    let path = &config.path;
    let metadata = match fs::metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound && will_be_made(config) => return Ok(None),
        other => other.map_err(|error| error::unreadable(path, error))?,
    };
    if metadata.is_file() {
        return Ok(Some(Located { path: path.clone(), superseded: Vec::new() }));
    }
    if !metadata.is_dir() {
        return Err(error::configuration(
            format!("{} is neither a file nor a folder", path.display()),
            FIX_PATH,
        ));
    }
    if config.export == Some(ExportMode::Full) || config.change_records {
        let message =
            format!("{} is a folder, which cannot be written as one file or read as changes", path.display());
        return Err(error::configuration(message, FIX_PATH));
    }
    let mut files = files(path, &config.pattern)?;
    match files.pop() {
        Some(last) => Ok(Some(Located { path: last, superseded: files })),
        None => {
            let what = format!("no file matching {:?}", config.pattern);
            let error = io::Error::new(io::ErrorKind::NotFound, what);
            Err(error::unreadable(path, error))
        }
    }
}

const FIX_PATH: &str = "point the setting path at the file itself";

fn will_be_made(config: &Config) -> bool {
    config.export == Some(ExportMode::Full) && config.path.parent().is_some_and(Path::is_dir)
}

/// The files of a folder that fit the pattern, in the order of their names.
fn files(folder: &Path, pattern: &str) -> Result<Vec<PathBuf>, ConnectorError> {
    let unreadable = |error| error::unreadable(folder, error);
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).map_err(unreadable)? {
        let entry = entry.map_err(unreadable)?;
        let name = entry.file_name();
        let name = name.to_string_lossy();
        if name.starts_with('.') || !matches(pattern.as_bytes(), name.as_bytes()) || !entry.path().is_file() {
            continue;
        }
        if files.len() >= FOLDER_FILES_MAX {
            let message = format!("{} holds more than {FOLDER_FILES_MAX} files", folder.display());
            return Err(error::configuration(message, "set archive, or remove files that are done with"));
        }
        files.push(entry.path());
    }
    files.sort_unstable();
    Ok(files)
}

/// Whether `name` fits a pattern in which `*` is any text and `?` one byte.
fn matches(pattern: &[u8], name: &[u8]) -> bool {
    let (mut at, mut from, mut star) = (0, 0, None);
    while from < name.len() {
        match pattern.get(at) {
            Some(b'*') => {
                star = Some((at, from));
                at += 1;
            }
            Some(byte) if *byte == b'?' || *byte == name[from] => {
                at += 1;
                from += 1;
            }
            _ => match star {
                Some((star_at, star_from)) => {
                    star = Some((star_at, star_from + 1));
                    at = star_at + 1;
                    from = star_from + 1;
                }
                None => return false,
            },
        }
    }
    pattern[at..].iter().all(|byte| *byte == b'*')
}

/// Opens a file.
pub(crate) fn open(path: &Path) -> Result<File, ConnectorError> {
    File::open(path).map_err(|error| error::unreadable(path, error))
}

/// The text of an open file; bytes are counted as they are read.
pub(crate) fn input(config: &Config, file: File, count: Arc<AtomicU64>) -> Input {
    let encoding = if config.format == Format::Json { Encoding::Utf8 } else { config.encoding };
    Utf8Reader::new(Counting::new(file, count), encoding)
}

/// The reader of the format at hand.
pub(crate) fn reader<R: io::Read + Send + Sync + 'static>(
    config: &Config,
    layout: &Layout,
    path: &Path,
    input: Utf8Reader<R>,
    keep_rest: bool,
) -> Result<Box<dyn RecordReader>, ConnectorError> {
    Ok(match config.format {
        Format::Csv => {
            let kind = layout.types.first().ok_or_else(|| {
                error::configuration("the schema has no object type", "give object_type in the settings")
            })?;
            Box::new(CsvReader::new(config, kind, path, input, keep_rest)?)
        }
        Format::Ldif => Box::new(LdifReader::new(config, layout, path, input, keep_rest)),
        Format::Json => Box::new(JsonReader::new(config, layout, path, input, keep_rest)),
    })
}

/// Moves files into the archive without ever replacing one there.
pub(crate) fn archive(files: &[PathBuf], archive: &Path) -> Result<(), ConnectorError> {
    if files.is_empty() {
        return Ok(());
    }
    fs::create_dir_all(archive).map_err(|error| error::unwritable(archive, error))?;
    for file in files {
        let name = file.file_name().unwrap_or_default().to_string_lossy();
        let free = (0..FOLDER_FILES_MAX)
            .map(|number| if number == 0 { name.to_string() } else { format!("{name}.{number}") })
            .map(|name| archive.join(name))
            .find(|target| !target.exists());
        let target = free.unwrap_or_else(|| archive.join("full"));
        fs::rename(file, &target).map_err(|error| error::unwritable(&target, error))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns() {
        for (pattern, name, expected) in [
            ("*", "hr.csv", true),
            ("hr-*.csv", "hr-2026-03-02.csv", true),
            ("hr-*.csv", "hr-2026.csv.part", false),
            ("a?c", "abc", true),
            ("a?c", "ac", false),
            ("*a*b", "xaxbxb", true),
            ("", "", true),
            ("", "x", false),
        ] {
            assert_eq!(matches(pattern.as_bytes(), name.as_bytes()), expected, "{pattern} {name}");
        }
    }
}

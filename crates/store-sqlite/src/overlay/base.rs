//! The file beneath an overlay, and which of it is hidden by what was written above.

use std::ffi::c_char;
use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

/// What is told apart: the smallest page of SQLite and the smallest sector of a disk. Pages are written whole, so all
/// of a page stands in one file.
const UNIT_BYTES: u64 = 512;

/// What the connections to one overlay know together.
#[derive(Debug)]
pub(super) struct Base {
    /// The path of the file beneath, with two zeros behind it.
    name: Box<[u8]>,
    bytes: u64,
    hidden: Box<[AtomicU64]>,
    /// Bytes of what is beneath and above together.
    size: AtomicU64,
}

impl Base {
    /// The file is looked at and not opened: closing it again would end the locks that SQLite has on it in this process.
    pub(super) fn at(path: &Path) -> io::Result<Self> {
        let bytes = std::fs::metadata(path)?.len();
        let words = bytes.div_ceil(UNIT_BYTES).div_ceil(u64::from(u64::BITS));
        let words = usize::try_from(words).map_err(io::Error::other)?;
        let mut name = path.as_os_str().as_encoded_bytes().to_vec();
        name.extend([0, 0]);
        let hidden = (0..words).map(|_| AtomicU64::new(0)).collect();
        Ok(Self { name: name.into(), bytes, hidden, size: AtomicU64::new(bytes) })
    }

    /// The path as SQLite takes it, for as long as this is there.
    pub(super) const fn name(&self) -> *const c_char {
        self.name.as_ptr().cast()
    }

    /// Bytes of what is beneath and above together.
    pub(super) fn size(&self) -> u64 {
        self.size.load(Ordering::Acquire)
    }

    pub(super) fn truncate(&self, size: u64) {
        self.size.store(size, Ordering::Release);
    }

    /// Whether what stands at `offset` is to be read beneath and not above.
    pub(super) fn shows(&self, offset: u64) -> bool {
        let (word, bit) = place(offset / UNIT_BYTES);
        let is_hidden = |word: &AtomicU64| word.load(Ordering::Acquire) & bit != 0;
        offset < self.bytes && !self.hidden.get(word).is_some_and(is_hidden)
    }

    /// Takes down that `bytes` bytes were written above from `offset` on.
    pub(super) fn hide(&self, offset: u64, bytes: u64) {
        let end = offset + bytes;
        self.size.fetch_max(end, Ordering::AcqRel);
        for unit in offset / UNIT_BYTES..end.min(self.bytes).div_ceil(UNIT_BYTES) {
            let (word, bit) = place(unit);
            if let Some(word) = self.hidden.get(word) {
                word.fetch_or(bit, Ordering::AcqRel);
            }
        }
    }
}

/// Word and bit of a unit.
fn place(unit: u64) -> (usize, u64) {
    let word = usize::try_from(unit / u64::from(u64::BITS)).unwrap_or(usize::MAX);
    (word, 1 << (unit % u64::from(u64::BITS)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_written_above_hides_its_units_and_no_others() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("base");
        std::fs::write(&path, vec![1; 100 * 512]).unwrap();
        let base = Base::at(&path).unwrap();
        base.hide(63 * UNIT_BYTES, 3 * UNIT_BYTES);
        for unit in 0..110 {
            let is_shown = unit < 100 && !(63..66).contains(&unit);
            assert_eq!(base.shows(unit * UNIT_BYTES + 7), is_shown, "{unit}");
        }
        assert_eq!(base.size(), 100 * UNIT_BYTES);
        base.hide(120 * UNIT_BYTES, UNIT_BYTES);
        assert_eq!(base.size(), 121 * UNIT_BYTES);
        base.truncate(10 * UNIT_BYTES);
        assert_eq!(base.size(), 10 * UNIT_BYTES);
    }
}

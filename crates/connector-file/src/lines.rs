//! Lines of a text, each at most as long as a record may be.
//!
//! A longer line is skipped to its end without being held. Both `\n` and `\r\n` end a line; a last line without an
//! end is a line too, and is remembered as possibly cut.

use std::io::{self, BufRead, BufReader, Read};

use crate::encoding::Utf8Reader;
use crate::record::RECORD_BYTES_MAX;

/// What was found.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Line {
    /// A line; its text is in the buffer.
    Text,
    /// A line that is too long, skipped.
    TooLong,
    /// No more lines.
    End,
}

/// Reads lines.
pub(crate) struct Lines<R> {
    inner: BufReader<Utf8Reader<R>>,
    number: u64,
    is_cut: bool,
}

impl<R: Read> Lines<R> {
    pub(crate) fn new(inner: Utf8Reader<R>) -> Self {
        Self { inner: BufReader::with_capacity(64 * 1024, inner), number: 0, is_cut: false }
    }

    /// The number of the last line read, from 1.
    pub(crate) fn number(&self) -> u64 {
        self.number
    }

    /// Whether the last line lacked its end.
    pub(crate) fn is_cut(&self) -> bool {
        self.is_cut
    }

    /// Reads the next line into `text`, without its end.
    pub(crate) fn read(&mut self, text: &mut Vec<u8>) -> io::Result<Line> {
        text.clear();
        let limit = RECORD_BYTES_MAX as u64 + 2;
        let read = self.inner.by_ref().take(limit).read_until(b'\n', text)?;
        if read == 0 {
            return Ok(Line::End);
        }
        self.number += 1;
        if text.last() == Some(&b'\n') {
            text.pop();
            if text.last() == Some(&b'\r') {
                text.pop();
            }
        } else if text.len() as u64 == limit {
            self.is_cut = !self.skip_line()?;
        } else {
            self.is_cut = true;
        }
        match text.len() > RECORD_BYTES_MAX {
            true => {
                *text = Vec::new();
                Ok(Line::TooLong)
            }
            false => Ok(Line::Text),
        }
    }

    /// Passes over the rest of a line; `false` when the file ended first.
    fn skip_line(&mut self) -> io::Result<bool> {
        loop {
            let buffer = self.inner.fill_buf()?;
            if buffer.is_empty() {
                return Ok(false);
            }
            let (count, found) = match memchr::memchr(b'\n', buffer) {
                Some(at) => (at + 1, true),
                None => (buffer.len(), false),
            };
            self.inner.consume(count);
            if found {
                return Ok(true);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::encoding::Encoding;

    fn lines(bytes: &[u8]) -> Lines<&[u8]> {
        Lines::new(Utf8Reader::new(bytes, Encoding::Utf8))
    }

    #[test]
    fn ends_of_both_kinds_and_none() {
        let (mut lines, mut text) = (lines(b"a\r\n\nb"), Vec::new());
        for expected in [&b"a"[..], b"", b"b"] {
            assert_eq!(lines.read(&mut text).unwrap(), Line::Text);
            assert_eq!(text, expected);
        }
        assert_eq!(lines.read(&mut text).unwrap(), Line::End);
        assert!(lines.is_cut());
        assert_eq!(lines.number(), 3);
    }

    #[test]
    fn a_line_beyond_the_bound_is_passed_over() {
        let mut bytes = vec![b'x'; RECORD_BYTES_MAX + 5];
        bytes.extend_from_slice(b"\nnext\n");
        let (mut lines, mut text) = (lines(&bytes), Vec::new());
        assert_eq!(lines.read(&mut text).unwrap(), Line::TooLong);
        assert_eq!(lines.read(&mut text).unwrap(), Line::Text);
        assert_eq!(text, b"next");
        assert!(!lines.is_cut());
    }
}

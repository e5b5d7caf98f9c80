//! Splits CSV into rows and fields.
//!
//! Strict: a quote may open a field, close it right before a delimiter or line end, or stand doubled inside. Anything
//! else is a broken quote; then only the first line of the broken row is given up and reading goes on at the next
//! line, because what a broken quote seems to enclose is usually other rows. A row is held in memory whole and is at
//! most [`RECORD_BYTES_MAX`] long.

use std::io::{self, Read};

use memchr::{memchr, memchr_iter, memchr3};

use crate::record::RECORD_BYTES_MAX;

/// Bytes asked for at least when more are needed.
const CHUNK_BYTES: usize = 64 * 1024;

/// One row's fields, in a buffer that is used again.
#[derive(Debug, Default)]
pub(crate) struct Row {
    text: Vec<u8>,
    /// Where each field ends, and whether it was quoted.
    ends: Vec<(usize, bool)>,
    /// The line that the row starts on, from 1.
    pub(crate) line: u64,
    /// Whether the file ended without a line end after this row.
    pub(crate) is_unfinished: bool,
}

impl Row {
    /// How many fields there are.
    pub(crate) fn len(&self) -> usize {
        self.ends.len()
    }

    /// A field and whether it was quoted.
    pub(crate) fn field(&self, index: usize) -> Option<(&[u8], bool)> {
        let (end, is_quoted) = *self.ends.get(index)?;
        let start = if index == 0 { 0 } else { self.ends[index - 1].0 };
        Some((&self.text[start..end], is_quoted))
    }

    fn clear(&mut self) {
        self.text.clear();
        self.ends.clear();
    }

    fn end_field(&mut self, is_quoted: bool) {
        self.ends.push((self.text.len(), is_quoted));
    }
}

/// What the scanner found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scanned {
    /// A row.
    Row,
    /// A quote in the wrong place on the row that starts at this line.
    BrokenQuote { line: u64 },
    /// The row that starts at this line is too large to be one.
    TooLarge { line: u64 },
    /// No more rows.
    End,
}

/// How an attempt on the buffered bytes ended; positions count from the start of the buffer.
enum Attempt {
    Row { next: usize },
    Broken,
    NeedMore,
}

/// Reads rows.
pub(crate) struct Scanner<R> {
    inner: R,
    delimiter: u8,
    quote: u8,
    buffer: Vec<u8>,
    start: usize,
    at_end: bool,
    line: u64,
}

impl<R: Read> Scanner<R> {
    pub(crate) fn new(inner: R, delimiter: u8, quote: u8) -> Self {
        Self { inner, delimiter, quote, buffer: Vec::new(), start: 0, at_end: false, line: 1 }
    }

    /// Reads the next row that is not a blank line.
    pub(crate) fn read(&mut self, row: &mut Row) -> io::Result<Scanned> {
        loop {
            if self.start == self.buffer.len() {
                if self.at_end {
                    return Ok(Scanned::End);
                }
                self.fill()?;
                continue;
            }
            row.clear();
            row.line = self.line;
            row.is_unfinished = false;
            match self.attempt(row) {
                Attempt::NeedMore if self.buffer.len() - self.start > RECORD_BYTES_MAX => {
                    return Ok(Scanned::TooLarge { line: self.line });
                }
                Attempt::NeedMore => self.fill()?,
                Attempt::Broken => {
                    let line = self.line;
                    self.give_up_line();
                    return Ok(Scanned::BrokenQuote { line });
                }
                Attempt::Row { next } if next > RECORD_BYTES_MAX => {
                    return Ok(Scanned::TooLarge { line: self.line });
                }
                Attempt::Row { next } => {
                    self.pass(next);
                    if !matches!(row.ends[..], [(0, false)]) {
                        return Ok(Scanned::Row);
                    }
                }
            }
        }
    }

    /// Drops what is used up and reads at least as much again, so that a long row is not scanned from its start
    /// for every chunk.
    fn fill(&mut self) -> io::Result<()> {
        self.buffer.drain(..self.start);
        self.start = 0;
        let room = (RECORD_BYTES_MAX + CHUNK_BYTES).saturating_sub(self.buffer.len());
        let wanted = self.buffer.len().max(CHUNK_BYTES).min(room.max(1)) as u64;
        let read = self.inner.by_ref().take(wanted).read_to_end(&mut self.buffer)?;
        self.at_end = (read as u64) < wanted;
        Ok(())
    }

    fn pass(&mut self, count: usize) {
        let passed = &self.buffer[self.start..self.start + count];
        self.line += memchr_iter(b'\n', passed).count() as u64;
        self.start += count;
    }

    fn give_up_line(&mut self) {
        let rest = &self.buffer[self.start..];
        let count = memchr(b'\n', rest).map_or(rest.len(), |at| at + 1);
        self.pass(count);
    }

    fn attempt(&self, row: &mut Row) -> Attempt {
        let bytes = &self.buffer[self.start..];
        let mut at = 0;
        loop {
            let quoted = bytes.get(at) == Some(&self.quote);
            let ended = if quoted { self.quoted(bytes, at + 1, row) } else { self.plain(bytes, at, row) };
            at = match ended {
                FieldEnd::Delimiter(next) => next,
                FieldEnd::Line(next) => return Attempt::Row { next },
                FieldEnd::File => {
                    row.is_unfinished = true;
                    return Attempt::Row { next: bytes.len() };
                }
                FieldEnd::Broken => return Attempt::Broken,
                FieldEnd::NeedMore => return Attempt::NeedMore,
            };
        }
    }

    fn plain(&self, bytes: &[u8], from: usize, row: &mut Row) -> FieldEnd {
        let found = memchr3(self.delimiter, b'\n', self.quote, &bytes[from..]).map(|offset| from + offset);
        let (end, field_end) = match found {
            Some(at) if bytes[at] == self.delimiter => (at, FieldEnd::Delimiter(at + 1)),
            Some(at) if bytes[at] == b'\n' => {
                let end = if at > from && bytes[at - 1] == b'\r' { at - 1 } else { at };
                (end, FieldEnd::Line(at + 1))
            }
            Some(_) => return FieldEnd::Broken,
            None if self.at_end => (bytes.len(), FieldEnd::File),
            None => return FieldEnd::NeedMore,
        };
        row.text.extend_from_slice(&bytes[from..end]);
        row.end_field(false);
        field_end
    }

    fn quoted(&self, bytes: &[u8], mut from: usize, row: &mut Row) -> FieldEnd {
        loop {
            let Some(offset) = memchr(self.quote, &bytes[from..]) else {
                return if self.at_end { FieldEnd::Broken } else { FieldEnd::NeedMore };
            };
            let close = from + offset;
            row.text.extend_from_slice(&bytes[from..close]);
            let after = &bytes[close + 1..];
            match after {
                [byte, ..] if *byte == self.quote => {
                    row.text.push(self.quote);
                    from = close + 2;
                    continue;
                }
                [byte, ..] if *byte == self.delimiter => {
                    row.end_field(true);
                    return FieldEnd::Delimiter(close + 2);
                }
                [b'\n', ..] => {
                    row.end_field(true);
                    return FieldEnd::Line(close + 2);
                }
                [b'\r', b'\n', ..] => {
                    row.end_field(true);
                    return FieldEnd::Line(close + 3);
                }
                [] | [b'\r'] if !self.at_end => return FieldEnd::NeedMore,
                [] => {
                    row.end_field(true);
                    return FieldEnd::File;
                }
                _ => return FieldEnd::Broken,
            }
        }
    }
}

/// What stands after a field; positions are those of what follows.
enum FieldEnd {
    Delimiter(usize),
    Line(usize),
    File,
    Broken,
    NeedMore,
}

//! Cuts a JSON file into the texts of its records.
//!
//! In an array the cut only follows strings and brackets, so a record that is no JSON inside is found out later and
//! costs nothing but itself. A file that ends before its array does, or goes on after it, leaves a doubt. One record
//! is held in memory at a time, at most [`RECORD_BYTES_MAX`] long.

use std::io::{self, BufRead, BufReader, Read};

use crate::encoding::Utf8Reader;
use crate::lines::{Line, Lines};
use crate::record::RECORD_BYTES_MAX;

/// What was cut out.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Element {
    /// The text of a record, in the buffer, starting at this line.
    Text(u64),
    /// A record that is too large, passed over.
    TooLarge(u64),
    /// No more records.
    End,
}

/// Cuts out records.
pub(crate) enum Elements<R> {
    Lines(Lines<R>),
    Array(Array<R>),
}

impl<R: Read> Elements<R> {
    pub(crate) fn new(input: Utf8Reader<R>, is_array: bool) -> Self {
        match is_array {
            false => Self::Lines(Lines::new(input)),
            true => {
                Self::Array(Array { inner: BufReader::new(input), line: 1, state: State::Start, doubt: None })
            }
        }
    }

    /// Cuts out the next record.
    pub(crate) fn read(&mut self, text: &mut Vec<u8>) -> io::Result<Element> {
        match self {
            Self::Array(array) => array.read(text),
            Self::Lines(lines) => loop {
                let line = lines.read(text)?;
                return Ok(match line {
                    Line::Text if text.trim_ascii().is_empty() => continue,
                    Line::Text => Element::Text(lines.number()),
                    Line::TooLong => Element::TooLarge(lines.number()),
                    Line::End => Element::End,
                });
            },
        }
    }

    /// After the end: why the end may not be the end.
    pub(crate) fn doubt(&self) -> Option<String> {
        match self {
            Self::Lines(lines) if lines.number() == 0 => Some("the file is empty".to_owned()),
            Self::Lines(_) => None,
            Self::Array(array) => array.doubt.map(str::to_owned),
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Start,
    Between,
    End,
}

/// The state of cutting an array.
pub(crate) struct Array<R> {
    inner: BufReader<Utf8Reader<R>>,
    line: u64,
    state: State,
    doubt: Option<&'static str>,
}

impl<R: Read> Array<R> {
    fn read(&mut self, text: &mut Vec<u8>) -> io::Result<Element> {
        text.clear();
        if self.state == State::Start {
            match self.skip_blanks()? {
                Some(b'[') => self.inner.consume(1),
                Some(_) => {
                    return Ok(
                        self.end("the file does not start with [; set format = \"lines\" if it has no array")
                    );
                }
                None => return Ok(self.end("the file is empty")),
            }
            self.state = State::Between;
        }
        if self.state == State::End {
            return Ok(Element::End);
        }
        loop {
            match self.skip_blanks()? {
                Some(b',') => self.inner.consume(1),
                Some(b']') => {
                    self.inner.consume(1);
                    let goes_on = self.skip_blanks()?.is_some();
                    self.state = State::End;
                    self.doubt = goes_on.then_some("the file goes on after the end of its array");
                    return Ok(Element::End);
                }
                Some(_) => return self.element(text),
                None => return Ok(self.end("the file ends before its array does")),
            }
        }
    }

    fn end(&mut self, doubt: &'static str) -> Element {
        self.state = State::End;
        self.doubt = Some(doubt);
        Element::End
    }

    /// The next byte that is not blank.
    fn skip_blanks(&mut self) -> io::Result<Option<u8>> {
        loop {
            let buffer = self.inner.fill_buf()?;
            let Some(first) = buffer.first().copied() else { return Ok(None) };
            let blanks = buffer.iter().take_while(|byte| byte.is_ascii_whitespace()).count();
            if blanks == 0 {
                return Ok(Some(first));
            }
            self.line += memchr::memchr_iter(b'\n', &buffer[..blanks]).count() as u64;
            self.inner.consume(blanks);
        }
    }

    /// One element, up to the comma or bracket that follows it at the same depth.
    fn element(&mut self, text: &mut Vec<u8>) -> io::Result<Element> {
        let (line, mut cut) = (self.line, Cut::default());
        loop {
            let buffer = self.inner.fill_buf()?;
            if buffer.is_empty() {
                self.end("the file ends before its array does");
                break;
            }
            let taken = buffer.iter().position(|byte| cut.ends_before(*byte));
            let count = taken.unwrap_or(buffer.len());
            self.line += memchr::memchr_iter(b'\n', &buffer[..count]).count() as u64;
            if text.len() + count <= RECORD_BYTES_MAX {
                text.extend_from_slice(&buffer[..count]);
            } else {
                *text = Vec::new();
                cut.is_too_large = true;
            }
            self.inner.consume(count);
            if taken.is_some() {
                break;
            }
        }
        Ok(if cut.is_too_large { Element::TooLarge(line) } else { Element::Text(line) })
    }
}

/// Where in an element the cut stands.
#[derive(Default)]
struct Cut {
    depth: usize,
    in_text: bool,
    is_escaped: bool,
    is_too_large: bool,
}

impl Cut {
    /// Whether the element is over before `byte`.
    fn ends_before(&mut self, byte: u8) -> bool {
        match byte {
            _ if std::mem::take(&mut self.is_escaped) => {}
            b'\\' if self.in_text => self.is_escaped = true,
            b'"' => self.in_text = !self.in_text,
            _ if self.in_text => {}
            b'{' | b'[' => self.depth += 1,
            b',' | b']' if self.depth == 0 => return true,
            b'}' | b']' => self.depth = self.depth.saturating_sub(1),
            _ => {}
        }
        false
    }
}

//! Splits LDIF into entries of lines.
//!
//! An entry ends at a blank line, so a broken one costs nothing but itself. Continuation lines are joined, comments
//! passed over, base64 decoded. An entry is held in memory whole and is at most [`RECORD_BYTES_MAX`] long.

use std::io::{self, Read};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;

use crate::error;
use crate::lines::{Line, Lines};
use crate::record::RECORD_BYTES_MAX;

/// Attribute and value lines of one entry, in order; the line `-` has an empty name.
#[derive(Debug, Default)]
pub(crate) struct Entry {
    /// The line it starts on, from 1.
    pub(crate) line: u64,
    /// The first line's value.
    pub(crate) dn: Option<String>,
    /// What follows the DN.
    pub(crate) lines: Vec<(String, Vec<u8>)>,
    /// The first thing wrong with it.
    pub(crate) problem: Option<(&'static str, String)>,
    /// Whether the file ended within its last line.
    pub(crate) is_cut: bool,
}

/// Reads entries.
pub(crate) struct Entries<R> {
    lines: Lines<R>,
    text: Vec<u8>,
    is_first: bool,
}

impl<R: Read> Entries<R> {
    pub(crate) fn new(lines: Lines<R>) -> Self {
        Self { lines, text: Vec::new(), is_first: true }
    }

    /// The next entry, `None` at the end.
    pub(crate) fn read(&mut self) -> io::Result<Option<Entry>> {
        loop {
            let Some((line, logical, mut problem)) = self.logical_lines()? else { return Ok(None) };
            let mut entry = Entry { line, is_cut: self.lines.is_cut(), ..Entry::default() };
            let mut parsed = Vec::with_capacity(logical.len());
            for line in &logical {
                match parse(line) {
                    Ok(pair) => parsed.push(pair),
                    Err(message) => drop(problem.get_or_insert((error::LDIF, message))),
                }
            }
            if std::mem::take(&mut self.is_first)
                && parsed.first().is_some_and(|(name, _)| is(name, "version"))
            {
                parsed.remove(0);
                if parsed.is_empty() && problem.is_none() {
                    continue;
                }
            }
            entry.problem = problem;
            entry.take_dn(parsed);
            return Ok(Some(entry));
        }
    }

    /// The joined lines of the next entry and the line that it starts on.
    #[expect(clippy::type_complexity, reason = "a private step whose parts are named where it is called")]
    fn logical_lines(&mut self) -> io::Result<Option<(u64, Vec<Vec<u8>>, Option<(&'static str, String)>)>> {
        let (mut logical, mut start, mut bytes): (Vec<Vec<u8>>, u64, usize) = (Vec::new(), 0, 0);
        let (mut in_comment, mut problem) = (false, None);
        loop {
            match self.lines.read(&mut self.text)? {
                Line::End if logical.is_empty() && problem.is_none() => return Ok(None),
                Line::End => break,
                Line::TooLong => bytes = RECORD_BYTES_MAX + 1,
                Line::Text if self.text.is_empty() && logical.is_empty() && problem.is_none() => continue,
                Line::Text if self.text.is_empty() => break,
                Line::Text => bytes = bytes.saturating_add(self.text.len()),
            }
            if start == 0 {
                start = self.lines.number();
            }
            if bytes > RECORD_BYTES_MAX {
                logical = Vec::new();
                problem =
                    Some((error::RECORD_SIZE, format!("the entry is larger than {RECORD_BYTES_MAX} bytes")));
                continue;
            }
            match self.text.first() {
                Some(b'#') => in_comment = true,
                Some(b' ') if in_comment => {}
                Some(b' ') => match logical.last_mut() {
                    Some(last) => last.extend_from_slice(&self.text[1..]),
                    None => problem = Some((error::LDIF, "a continuation line continues nothing".to_owned())),
                },
                _ => {
                    in_comment = false;
                    logical.push(self.text.clone());
                }
            }
        }
        Ok(Some((start, logical, problem)))
    }
}

impl Entry {
    fn take_dn(&mut self, mut parsed: Vec<(String, Vec<u8>)>) {
        if parsed.first().is_some_and(|(name, _)| is(name, "dn")) {
            let (_, value) = parsed.remove(0);
            match String::from_utf8(value) {
                Ok(dn) => self.dn = Some(dn),
                Err(_) => self.note(error::ENCODING, "the DN is no UTF-8"),
            }
        } else {
            self.note(error::LDIF, "the entry does not start with its dn");
        }
        self.lines = parsed;
    }

    fn note(&mut self, code: &'static str, message: &str) {
        self.problem.get_or_insert_with(|| (code, message.to_owned()));
    }

    /// The values of an attribute.
    pub(crate) fn values<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a [u8]> {
        self.lines.iter().filter(move |(known, _)| is(known, name)).map(|(_, value)| value.as_slice())
    }
}

/// Whether both spell the same attribute.
pub(crate) fn is(a: &str, b: &str) -> bool {
    a.eq_ignore_ascii_case(b)
}

fn parse(line: &[u8]) -> Result<(String, Vec<u8>), String> {
    if line == b"-" {
        return Ok((String::new(), Vec::new()));
    }
    let colon = memchr::memchr(b':', line).filter(|at| *at > 0);
    let Some(colon) = colon else {
        let shown = String::from_utf8_lossy(line);
        return Err(format!(
            "the line {} has no attribute name before a colon",
            crate::convert::excerpt(&shown)
        ));
    };
    let name = std::str::from_utf8(&line[..colon]).map_err(|_| "an attribute name is no UTF-8".to_owned())?;
    let name = name.strip_suffix(";binary").unwrap_or(name).trim().to_owned();
    match &line[colon + 1..] {
        [b':', value @ ..] => match BASE64.decode(value.trim_ascii()) {
            Ok(value) => Ok((name, value)),
            Err(_) => Err(format!("the value of {name} is no base64")),
        },
        [b'<', ..] => Err(format!("the value of {name} is a URL, which is never read; put the value itself")),
        value => Ok((name, value.trim_ascii_start().to_vec())),
    }
}

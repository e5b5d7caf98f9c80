//! Text of other encodings as UTF-8, and bytes counted on the way.
//!
//! Bytes that mean nothing in the file's encoding become the byte 0xFF, which is never part of UTF-8. So every
//! encoding's faults look the same further on, where the record is known that they stand in; nothing is replaced
//! by a question mark that would later pass for somebody's name.

use std::io::{self, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use encoding_rs::{DecoderResult, UTF_16BE, UTF_16LE, WINDOWS_1252};

/// Bytes read from the disk at once.
const CHUNK_BYTES: usize = 64 * 1024;

/// How a file writes text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Encoding {
    Utf8,
    Windows1252,
    Iso8859_1,
    Utf16Le,
    Utf16Be,
}

impl Encoding {
    /// The words that the setting takes.
    pub(crate) const WORDS: &[&str] = &["utf-8", "windows-1252", "iso-8859-1", "utf-16le", "utf-16be"];

    /// The encoding of a word that the settings schema let through.
    pub(crate) fn named(word: &str) -> Self {
        match word {
            "windows-1252" => Self::Windows1252,
            "iso-8859-1" => Self::Iso8859_1,
            "utf-16le" => Self::Utf16Le,
            "utf-16be" => Self::Utf16Be,
            _ => Self::Utf8,
        }
    }

    /// `text` in this encoding, or the first character that it lacks.
    pub(crate) fn encode(self, text: &str) -> Result<Vec<u8>, char> {
        match self {
            Self::Utf8 => Ok(text.as_bytes().to_vec()),
            Self::Utf16Le => Ok(text.encode_utf16().flat_map(u16::to_le_bytes).collect()),
            Self::Utf16Be => Ok(text.encode_utf16().flat_map(u16::to_be_bytes).collect()),
            Self::Iso8859_1 => text.chars().map(|c| u8::try_from(u32::from(c)).map_err(|_| c)).collect(),
            Self::Windows1252 => text.chars().map(in_windows_1252).collect(),
        }
    }
}

fn in_windows_1252(character: char) -> Result<u8, char> {
    let mut buffer = [0; 4];
    let (bytes, _, unmappable) = WINDOWS_1252.encode(character.encode_utf8(&mut buffer));
    match (&*bytes, unmappable) {
        ([byte], false) => Ok(*byte),
        _ => Err(character),
    }
}

/// Counts the bytes that pass.
pub(crate) struct Counting<R> {
    inner: R,
    count: Arc<AtomicU64>,
}

impl<R: Read> Counting<R> {
    pub(crate) fn new(inner: R, count: Arc<AtomicU64>) -> Self {
        Self { inner, count }
    }
}

impl<R: Read> Read for Counting<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.count.fetch_add(read as u64, Ordering::Relaxed);
        Ok(read)
    }
}

/// Reads text of any encoding as UTF-8 without byte order mark.
pub(crate) struct Utf8Reader<R> {
    inner: R,
    encoding: Encoding,
    decoder: Option<encoding_rs::Decoder>,
    at_start: bool,
    at_end: bool,
    raw: Vec<u8>,
    text: Vec<u8>,
    /// How much of `text` was handed out.
    given: usize,
}

impl<R: Read> Utf8Reader<R> {
    pub(crate) fn new(inner: R, encoding: Encoding) -> Self {
        let decoder = match encoding {
            Encoding::Utf8 | Encoding::Iso8859_1 => None,
            Encoding::Windows1252 => Some(WINDOWS_1252.new_decoder_without_bom_handling()),
            Encoding::Utf16Le => Some(UTF_16LE.new_decoder_with_bom_removal()),
            Encoding::Utf16Be => Some(UTF_16BE.new_decoder_with_bom_removal()),
        };
        let raw = vec![0; CHUNK_BYTES];
        Self { inner, encoding, decoder, at_start: true, at_end: false, raw, text: Vec::new(), given: 0 }
    }

    fn refill(&mut self) -> io::Result<()> {
        self.text.clear();
        self.given = 0;
        while self.text.is_empty() && !self.at_end {
            let read = self.fill_raw()?;
            self.at_end = read == 0;
            match (&mut self.decoder, self.encoding) {
                (Some(decoder), _) => decode(decoder, &self.raw[..read], self.at_end, &mut self.text),
                (None, Encoding::Iso8859_1) => {
                    let latin: String = self.raw[..read].iter().map(|byte| char::from(*byte)).collect();
                    self.text.extend_from_slice(latin.as_bytes());
                }
                (None, _) => {
                    let chunk = &self.raw[..read];
                    let mark: &[u8] = if self.at_start { b"\xef\xbb\xbf" } else { b"" };
                    self.text.extend_from_slice(chunk.strip_prefix(mark).unwrap_or(chunk));
                }
            }
            self.at_start = false;
        }
        Ok(())
    }

    /// At the start at least a whole byte order mark, so that it is recognised however the file is read.
    fn fill_raw(&mut self) -> io::Result<usize> {
        let mut filled = 0;
        while filled < if self.at_start { 3 } else { 1 } {
            match self.inner.read(&mut self.raw[filled..]) {
                Ok(0) => break,
                Ok(read) => filled += read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(filled)
    }
}

fn decode(decoder: &mut encoding_rs::Decoder, mut raw: &[u8], last: bool, text: &mut Vec<u8>) {
    loop {
        let from = text.len();
        text.resize(from + raw.len() * 3 + 16, 0);
        let (result, read, written) =
            decoder.decode_to_utf8_without_replacement(raw, &mut text[from..], last);
        text.truncate(from + written);
        raw = &raw[read..];
        match result {
            DecoderResult::InputEmpty => return,
            DecoderResult::OutputFull => {}
            DecoderResult::Malformed(..) => text.push(0xff),
        }
    }
}

impl<R: Read> Read for Utf8Reader<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.given == self.text.len() {
            self.refill()?;
        }
        let count = buffer.len().min(self.text.len() - self.given);
        buffer[..count].copy_from_slice(&self.text[self.given..self.given + count]);
        self.given += count;
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(encoding: Encoding, bytes: &[u8]) -> Vec<u8> {
        let mut text = Vec::new();
        Utf8Reader::new(bytes, encoding).read_to_end(&mut text).unwrap();
        text
    }

    #[test]
    fn each_encoding_reads_what_it_writes() {
        for word in Encoding::WORDS {
            let encoding = Encoding::named(word);
            let written = encoding.encode("Jörg Nuñez, 12").unwrap();
            assert_eq!(read(encoding, &written), "Jörg Nuñez, 12".as_bytes(), "{word}");
        }
        assert_eq!(Encoding::Windows1252.encode("10 €"), Ok(b"10 \x80".to_vec()));
        assert_eq!(Encoding::Iso8859_1.encode("10 €"), Err('€'));
        assert_eq!(Encoding::Windows1252.encode("Ω"), Err('Ω'));
    }

    #[test]
    fn byte_order_marks_go_and_broken_bytes_stay_broken() {
        assert_eq!(read(Encoding::Utf8, b"\xef\xbb\xbfid"), b"id");
        assert_eq!(read(Encoding::Utf16Le, b"\xff\xfei\0d\0"), b"id");
        assert_eq!(read(Encoding::Utf16Be, b"\xfe\xff\0i\0d"), b"id");
        assert_eq!(read(Encoding::Utf8, b"a\xffb"), b"a\xffb");
        assert_eq!(read(Encoding::Utf16Le, b"\x00\xd8a\0"), b"\xffa");
        assert_eq!(read(Encoding::Utf16Le, b"a\0b"), b"a\xff");
    }

    #[test]
    fn more_than_one_chunk() {
        let text = "é".repeat(CHUNK_BYTES);
        let written = Encoding::Utf16Le.encode(&text).unwrap();
        assert_eq!(read(Encoding::Utf16Le, &written), text.as_bytes());
    }
}

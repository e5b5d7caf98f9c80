//! The part of BER that LDAP uses (RFC 4511, section 5.1): one-byte tags, definite lengths.
//!
//! Reading borrows from the message and copies nothing; a length that does not fit its surroundings is an error, never
//! a panic, and nesting is only as deep as the caller asks for, so hostile input cannot exhaust the stack. Writing
//! gives the shortest lengths.

use super::requests::Failure;

pub(crate) const BOOLEAN: u8 = 0x01;
pub(crate) const INTEGER: u8 = 0x02;
pub(crate) const OCTETS: u8 = 0x04;
pub(crate) const ENUMERATED: u8 = 0x0a;
pub(crate) const SEQUENCE: u8 = 0x30;
pub(crate) const SET: u8 = 0x31;

/// What a server sent that has no meaning.
pub(crate) fn malformed(what: &str) -> Failure {
    Failure::Malformed(format!("the server sent {what}"))
}

/// Elements one after the other.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    /// Over the content of an element, or a whole message.
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    /// Whether nothing follows.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The tag of the next element.
    pub(crate) fn peek(&self) -> Option<u8> {
        self.0.first().copied()
    }

    /// The next element: its tag and its content.
    pub(crate) fn element(&mut self, what: &str) -> Result<(u8, &'a [u8]), Failure> {
        let header = header(self.0).ok().flatten().ok_or_else(|| malformed(what))?;
        let end = header.bytes.checked_add(header.content).filter(|end| *end <= self.0.len());
        let end = end.ok_or_else(|| malformed(what))?;
        let content = &self.0[header.bytes..end];
        self.0 = &self.0[end..];
        Ok((header.tag, content))
    }

    /// The content of the next element, which must have this tag.
    pub(crate) fn content(&mut self, tag: u8, what: &str) -> Result<&'a [u8], Failure> {
        match self.element(what)? {
            (found, content) if found == tag => Ok(content),
            _ => Err(malformed(what)),
        }
    }

    /// The elements within the next one.
    pub(crate) fn inside(&mut self, tag: u8, what: &str) -> Result<Reader<'a>, Failure> {
        self.content(tag, what).map(Reader)
    }

    /// The content of the next element if it has this tag.
    pub(crate) fn optional(&mut self, tag: u8, what: &str) -> Result<Option<&'a [u8]>, Failure> {
        if self.peek() == Some(tag) { self.content(tag, what).map(Some) } else { Ok(None) }
    }

    /// A text, which LDAP writes in UTF-8.
    pub(crate) fn text(&mut self, tag: u8, what: &str) -> Result<&'a str, Failure> {
        std::str::from_utf8(self.content(tag, what)?).map_err(|_| malformed(what))
    }

    /// A whole number.
    pub(crate) fn integer(&mut self, tag: u8, what: &str) -> Result<i64, Failure> {
        let content = self.content(tag, what)?;
        let (first, _) =
            content.split_first().filter(|_| content.len() <= 8).ok_or_else(|| malformed(what))?;
        let sign = if first & 0x80 == 0 { 0 } else { -1 };
        Ok(content.iter().fold(sign, |number, byte| (number << 8) | i64::from(*byte)))
    }

    /// A truth value; every byte but zero is true.
    pub(crate) fn boolean(&mut self, what: &str) -> Result<bool, Failure> {
        match self.content(BOOLEAN, what)? {
            [byte] => Ok(*byte != 0),
            _ => Err(malformed(what)),
        }
    }
}

/// The first bytes of an element.
pub(crate) struct Header {
    pub(crate) tag: u8,
    /// Bytes of the header itself.
    pub(crate) bytes: usize,
    /// Bytes that follow it.
    pub(crate) content: usize,
}

/// The header at the start of `bytes`; nothing when more bytes are needed.
///
/// # Errors
/// When this cannot become an element of LDAP: a tag of several bytes, an indefinite length, one above four bytes.
pub(crate) fn header(bytes: &[u8]) -> Result<Option<Header>, ()> {
    let &[tag, first, ref rest @ ..] = bytes else { return Ok(None) };
    if tag & 0x1f == 0x1f {
        return Err(());
    }
    if first < 0x80 {
        return Ok(Some(Header { tag, bytes: 2, content: usize::from(first) }));
    }
    let count = usize::from(first & 0x7f);
    if !(1..=4).contains(&count) {
        return Err(());
    }
    let Some(length) = rest.get(..count) else { return Ok(None) };
    let content = length.iter().fold(0, |length, byte| (length << 8) | usize::from(*byte));
    Ok(Some(Header { tag, bytes: 2 + count, content }))
}

/// Elements as they are made.
#[derive(Debug, Default)]
pub(crate) struct Writer(Vec<u8>);

impl Writer {
    /// The bytes.
    pub(crate) fn into_bytes(self) -> Vec<u8> {
        self.0
    }

    /// An element that holds others.
    pub(crate) fn nested(&mut self, tag: u8, fill: impl FnOnce(&mut Self)) {
        self.0.push(tag);
        let start = self.0.len();
        fill(self);
        let length = length_of(self.0.len() - start);
        self.0.splice(start..start, length);
    }

    /// An element with these bytes.
    pub(crate) fn octets(&mut self, tag: u8, content: &[u8]) {
        self.0.push(tag);
        self.0.extend(length_of(content.len()));
        self.0.extend_from_slice(content);
    }

    /// A whole number in its shortest form.
    pub(crate) fn integer(&mut self, tag: u8, number: i64) {
        let bytes = number.to_be_bytes();
        let is_spare = |at: usize| {
            let sign = if bytes[at + 1] & 0x80 == 0 { 0x00 } else { 0xff };
            bytes[at] == sign
        };
        let start = (0..7).find(|at| !is_spare(*at)).unwrap_or(7);
        self.octets(tag, &bytes[start..]);
    }

    /// A truth value.
    pub(crate) fn boolean(&mut self, tag: u8, truth: bool) {
        self.octets(tag, &[if truth { 0xff } else { 0 }]);
    }

    /// Elements that were made before.
    pub(crate) fn raw(&mut self, elements: &[u8]) {
        self.0.extend_from_slice(elements);
    }
}

fn length_of(length: usize) -> impl Iterator<Item = u8> {
    let bytes = length.to_be_bytes();
    let zeros = bytes.iter().take_while(|byte| **byte == 0).count().min(bytes.len() - 1);
    let count = u8::try_from(bytes.len() - zeros).expect("a length has at most eight bytes");
    let long = (length >= 0x80).then_some(0x80 | count);
    long.into_iter().chain(bytes.into_iter().skip(zeros))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_have_their_shortest_form_and_read_back() {
        for length in [0, 1, 127, 128, 255, 256, 65_535, 65_536] {
            let mut writer = Writer::default();
            writer.nested(SEQUENCE, |inner| inner.octets(OCTETS, &vec![7; length]));
            let bytes = writer.into_bytes();
            let mut inside = Reader::new(&bytes).inside(SEQUENCE, "x").unwrap();
            assert_eq!(inside.content(OCTETS, "x").unwrap().len(), length);
            assert!(inside.is_empty());
        }
        let mut writer = Writer::default();
        writer.octets(OCTETS, &[0; 127]);
        assert_eq!(writer.into_bytes()[..2], [4, 127]);
    }

    #[test]
    fn what_does_not_fit_is_malformed() {
        for bytes in [
            &[][..],
            &[4],
            &[4, 1],
            &[4, 0x80],
            &[4, 0x85, 0, 0, 0, 0, 1, 1],
            &[4, 0x81],
            &[0x1f, 1, 1],
            &[4, 0x84, 0xff, 0xff, 0xff, 0xff, 0],
        ] {
            assert!(Reader::new(bytes).element("x").is_err(), "{bytes:?}");
        }
        assert!(Reader::new(&[2, 0]).integer(INTEGER, "x").is_err());
        assert!(Reader::new(&[2, 9, 0, 0, 0, 0, 0, 0, 0, 0, 1]).integer(INTEGER, "x").is_err());
        assert!(Reader::new(&[1, 2, 0, 0]).boolean("x").is_err());
        assert!(Reader::new(&[4, 1, 0xff]).text(OCTETS, "x").is_err());
    }

    proptest::proptest! {
        #[test]
        fn numbers_read_back(number: i64) {
            let mut writer = Writer::default();
            writer.integer(INTEGER, number);
            let bytes = writer.into_bytes();
            assert!(bytes.len() <= 10);
            assert_eq!(Reader::new(&bytes).integer(INTEGER, "x").unwrap(), number);
        }

        #[test]
        fn no_bytes_end_the_task(bytes: Vec<u8>) {
            let mut reader = Reader::new(&bytes);
            while reader.element("x").is_ok() {}
        }
    }
}

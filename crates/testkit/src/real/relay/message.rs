//! What passes through the relay, as far as a test wants to know it.

use super::ber::{element, wrapped};

/// What a request asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operation {
    /// Signing in.
    Bind,
    /// Reading.
    Search,
    /// Changing attributes.
    Modify,
    /// Making an entry.
    Add,
    /// Removing an entry.
    Delete,
    /// Another name or place for an entry.
    Rename,
    /// Everything else.
    Other,
}

impl Operation {
    /// Whether it changes something.
    #[must_use]
    pub const fn is_write(self) -> bool {
        matches!(self, Self::Modify | Self::Add | Self::Delete | Self::Rename)
    }
}

/// A request, or a part of its answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// The number of the connection that it came over, counted from 0.
    pub connection: usize,
    /// Whether it goes to the server.
    pub is_request: bool,
    /// What is asked for; of an answer, what it answers.
    pub operation: Operation,
    /// Whether no further part of the same answer follows; always so of a request.
    pub is_last: bool,
    /// The entry that a request is about, or that a search found.
    pub name: String,
    /// The number by which answers find their request on its connection, as it travels.
    pub id: Vec<u8>,
    /// The protocol's bytes behind that number: the same request has the same.
    pub body: Vec<u8>,
    /// Of a request that was kept: whether the end of its answer was handed on.
    pub is_answered: bool,
}

/// What becomes of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// It goes where it was to go.
    Pass,
    /// It is lost, and the connection stays.
    Lose,
    /// It is lost, and the connection ends on both sides.
    Cut,
    /// A request is lost, and these bodies of other messages are its answers.
    Answer(Vec<Vec<u8>>),
}

impl Message {
    /// Cuts the first message out of what arrived; nothing when it is not whole yet.
    pub(super) fn take(buffer: &mut Vec<u8>, connection: usize) -> Option<Self> {
        let (_, content, rest) = element(buffer)?;
        let (_, id, body) = element(content)?;
        let (tag, operation, _) = element(body)?;
        let asked = match tag {
            0x60 => Operation::Bind,
            0x63 => Operation::Search,
            0x66 => Operation::Modify,
            0x68 => Operation::Add,
            0x4a => Operation::Delete,
            0x6c => Operation::Rename,
            _ => Operation::Other,
        };
        let has_name = asked != Operation::Other && asked != Operation::Bind || tag == 0x64;
        let name = match tag {
            0x4a => operation,
            _ => element(operation).map(|(_, name, _)| name).filter(|_| has_name).unwrap_or_default(),
        };
        let message = Self {
            connection,
            is_request: false,
            operation: asked,
            // An entry, a reference and an intermediate answer are followed by others.
            is_last: !matches!(tag, 0x64 | 0x73 | 0x79),
            name: String::from_utf8_lossy(name).into_owned(),
            id: id.to_vec(),
            body: body.to_vec(),
            is_answered: false,
        };
        let left = rest.len();
        buffer.drain(..buffer.len() - left);
        Some(message)
    }

    /// Whether these bytes stand in it, such as a control's number.
    #[must_use]
    pub fn has(&self, text: &str) -> bool {
        memchr::memmem::find(&self.body, text.as_bytes()).is_some()
    }

    /// Whether it is the end of an answer that says that what was asked for is done.
    #[must_use]
    pub fn is_success(&self) -> bool {
        let result = element(&self.body).and_then(|(_, result, _)| element(result));
        !self.is_request && self.is_last && matches!(result, Some((0x0a, [0], _)))
    }

    /// As it travels.
    pub(super) fn bytes(id: &[u8], body: &[u8]) -> Vec<u8> {
        wrapped(0x30, &[wrapped(2, id).as_slice(), body].concat())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_and_answers_are_told_apart() {
        let search = wrapped(0x63, &[wrapped(4, b"dc=t"), vec![0x0a, 1, 2]].concat());
        let delete = wrapped(0x4a, b"cn=x,dc=t");
        let found = wrapped(0x64, &wrapped(4, b"cn=y,dc=t"));
        let done = wrapped(0x69, &[0x0a, 1, 0, 4, 0, 4, 0]);
        let bodies = [&search, &delete, &found, &done];
        let mut buffer: Vec<u8> = bodies.iter().flat_map(|body| Message::bytes(&[9], body)).collect();
        let whole = buffer.clone();
        let mut take = || Message::take(&mut buffer, 3);
        let one = take().unwrap();
        assert_eq!((one.operation, one.name.as_str(), one.connection), (Operation::Search, "dc=t", 3));
        let bytes = Message::bytes(&one.id, &one.body);
        assert_eq!(bytes, whole[..bytes.len()]);
        assert_eq!(
            take().map(|two| (two.operation, two.name)),
            Some((Operation::Delete, "cn=x,dc=t".into()))
        );
        let three = take().unwrap();
        assert_eq!((three.is_last, three.is_success(), three.name.as_str()), (false, false, "cn=y,dc=t"));
        assert_eq!(take().map(|four| (four.is_last, four.is_success())), Some((true, true)));
        assert_eq!(take(), None);
    }
}

//! Whole messages out of a stream of bytes, below a bound, and through a security layer where one was agreed.
//!
//! A server that announces a message above the bound is left before memory is given to it. With a security layer
//! (RFC 4422, section 3.7) the stream consists of sealed pieces, each with its length, that open to bytes of messages.

use std::io;
use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use tokio::io::{AsyncRead, AsyncReadExt};

use super::ber;

/// Largest message from a server: a group of 500,000 members fits, a lie about the length does not.
pub(crate) const MESSAGE_BYTES_MAX: usize = 64 << 20;
/// Largest sealed piece; servers agree on at most 16 MiB by the form of the number.
const SEALED_BYTES_MAX: usize = 16 << 20;
/// How much room is made for a read at least.
const READ_BYTES: usize = 32 << 10;

/// Seals and opens bytes once both sides have agreed on that.
pub(crate) trait SecurityLayer: Send + Sync {
    /// Bytes as they travel.
    fn seal(&self, plain: &[u8]) -> io::Result<Vec<u8>>;

    /// Bytes as they were.
    fn open(&self, sealed: &[u8]) -> io::Result<Vec<u8>>;

    /// Most bytes that may be sealed at once.
    fn plain_bytes_max(&self) -> usize;

    /// Whether sealed bytes cannot be read by others.
    fn is_confidential(&self) -> bool;
}

/// The reading side of a connection.
pub(crate) struct Frames<R> {
    pub(crate) socket: R,
    raw: BytesMut,
    /// Bytes of messages, when they are not what is in `raw`.
    opened: BytesMut,
    layer: Option<Arc<dyn SecurityLayer>>,
    bytes_max: usize,
}

impl<R> Frames<R> {
    /// Over a socket from which nothing was read.
    pub(crate) fn new(socket: R) -> Self {
        Self {
            socket,
            raw: BytesMut::new(),
            opened: BytesMut::new(),
            layer: None,
            bytes_max: MESSAGE_BYTES_MAX,
        }
    }

    /// From here on everything is sealed.
    pub(crate) fn secure(&mut self, layer: Arc<dyn SecurityLayer>) {
        self.layer = Some(layer);
    }

    /// Whether bytes wait that belong to no message yet.
    pub(crate) fn has_leftover(&self) -> bool {
        !self.raw.is_empty() || !self.opened.is_empty()
    }

    /// The same state over another form of the socket.
    pub(crate) fn map<T>(self, change: impl FnOnce(R) -> T) -> Frames<T> {
        let Self { socket, raw, opened, layer, bytes_max } = self;
        Frames { socket: change(socket), raw, opened, layer, bytes_max }
    }
}

impl<R: AsyncRead + Unpin> Frames<R> {
    /// The next message; `None` when the stream ended between two. Being dropped while waiting loses nothing.
    pub(crate) async fn next(&mut self) -> io::Result<Option<Bytes>> {
        loop {
            let messages = if self.layer.is_some() { &mut self.opened } else { &mut self.raw };
            if let Some(message) = cut(messages, self.bytes_max)? {
                return Ok(Some(message));
            }
            if self.open_sealed()? {
                continue;
            }
            self.raw.reserve(READ_BYTES);
            if self.socket.read_buf(&mut self.raw).await? == 0 {
                return if self.has_leftover() { Err(io::ErrorKind::UnexpectedEof.into()) } else { Ok(None) };
            }
        }
    }

    fn open_sealed(&mut self) -> io::Result<bool> {
        let (Some(layer), Some(length)) = (&self.layer, self.raw.first_chunk::<4>()) else {
            return Ok(false);
        };
        let length = usize::try_from(u32::from_be_bytes(*length)).unwrap_or(usize::MAX);
        if length > SEALED_BYTES_MAX {
            return Err(too_large("a sealed piece", length, SEALED_BYTES_MAX));
        }
        if self.raw.len() < 4 + length {
            return Ok(false);
        }
        let sealed = self.raw.split_to(4 + length);
        self.opened.extend_from_slice(&layer.open(&sealed[4..])?);
        Ok(true)
    }
}

fn cut(buffer: &mut BytesMut, bytes_max: usize) -> io::Result<Option<Bytes>> {
    let no_message =
        || io::Error::new(io::ErrorKind::InvalidData, "the server sent something that is no LDAP");
    let Some(header) = ber::header(buffer).map_err(|()| no_message())? else { return Ok(None) };
    if header.tag != ber::SEQUENCE {
        return Err(no_message());
    }
    let length = header.bytes + header.content;
    if length > bytes_max {
        return Err(too_large("a message", length, bytes_max));
    }
    if buffer.len() < length {
        // Room for all of it at once, so that a large message is not moved again and again.
        buffer.reserve(length - buffer.len());
        return Ok(None);
    }
    Ok(Some(buffer.split_to(length).freeze()))
}

fn too_large(what: &str, bytes: usize, bytes_max: usize) -> io::Error {
    io::Error::new(
        io::ErrorKind::InvalidData,
        format!("the server announced {what} of {bytes} bytes; {bytes_max} are the limit"),
    )
}

/// Bytes as they travel through the layer.
pub(crate) fn seal(layer: &dyn SecurityLayer, plain: &[u8]) -> io::Result<Vec<u8>> {
    let mut out = Vec::with_capacity(plain.len() + 128);
    for piece in plain.chunks(layer.plain_bytes_max().max(1)) {
        let sealed = layer.seal(piece)?;
        let length = u32::try_from(sealed.len()).map_err(|_| io::Error::from(io::ErrorKind::InvalidData))?;
        out.extend_from_slice(&length.to_be_bytes());
        out.extend_from_slice(&sealed);
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Adds one to every byte.
    struct Shift;

    impl SecurityLayer for Shift {
        fn seal(&self, plain: &[u8]) -> io::Result<Vec<u8>> {
            Ok(plain.iter().map(|byte| byte.wrapping_add(1)).collect())
        }

        fn open(&self, sealed: &[u8]) -> io::Result<Vec<u8>> {
            Ok(sealed.iter().map(|byte| byte.wrapping_sub(1)).collect())
        }

        fn plain_bytes_max(&self) -> usize {
            3
        }

        fn is_confidential(&self) -> bool {
            false
        }
    }

    async fn all(bytes: &[u8], bytes_max: usize, layer: bool) -> (Vec<Bytes>, io::Result<()>) {
        // One byte at a time: messages are found however they are cut on the way.
        let (reader, mut writer) = tokio::io::duplex(1);
        let sent = bytes.to_vec();
        tokio::spawn(async move { tokio::io::AsyncWriteExt::write_all(&mut writer, &sent).await });
        let mut frames = Frames { bytes_max, ..Frames::new(reader) };
        if layer {
            frames.secure(Arc::new(Shift));
        }
        let mut found = Vec::new();
        loop {
            match frames.next().await {
                Ok(Some(message)) => found.push(message),
                Ok(None) => return (found, Ok(())),
                Err(error) => return (found, Err(error)),
            }
        }
    }

    #[tokio::test]
    async fn messages_are_cut_where_they_end_sealed_or_not() {
        let bytes = [0x30, 3, 2, 1, 1, 0x30, 0, 0x30, 0x81, 1, 5];
        for layer in [false, true] {
            let sent = if layer { seal(&Shift, &bytes).unwrap() } else { bytes.to_vec() };
            let (found, end) = all(&sent, 100, layer).await;
            assert_eq!(found, [&bytes[..5], &bytes[5..7], &bytes[7..]]);
            assert!(end.is_ok());
        }
    }

    #[tokio::test]
    async fn a_message_above_the_bound_ends_the_connection_before_it_comes() {
        let (found, end) = all(&[0x30, 2, 1, 1, 0x30, 0x84, 0x7f, 0xff, 0xff, 0xff], 100, false).await;
        assert_eq!(found.len(), 1);
        assert!(end.unwrap_err().to_string().contains("2147483653 bytes; 100 are the limit"));
        let (found, end) = all(&[0x30, 98, 1], 99, false).await;
        assert!(found.is_empty() && end.unwrap_err().to_string().contains("100 bytes; 99"));
        let sealed = all(&[0x01, 0x00, 0x00, 0x01], 100, true).await.1.unwrap_err();
        assert!(sealed.to_string().contains("16777217 bytes"), "{sealed}");
    }

    #[tokio::test]
    async fn half_a_message_and_other_protocols_are_errors() {
        assert_eq!(all(&[0x30, 2, 1], 100, false).await.1.unwrap_err().kind(), io::ErrorKind::UnexpectedEof);
        let other = all(b"HTTP/1.1 400", 100, false).await.1.unwrap_err();
        assert!(other.to_string().contains("no LDAP"), "{other}");
    }
}

//! A connection before it carries many requests at a time: StartTLS and signing in, one message after the other.
//!
//! Both change how bytes travel, so nothing else may be in flight; that is why they do not exist on [`Connection`].
//!
//! [`Connection`]: super::connection::Connection

use std::io;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use super::connection::Connection;
use super::frames::{self, Frames, SecurityLayer};
use super::message::{self, Arrived, Credentials, START_TLS};
use super::requests::{Answer, Failure};

/// What bytes travel over.
pub(crate) trait Socket: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Socket for T {}

/// An open connection on which one request at a time is made. Every request has this deadline.
pub(crate) struct Wire {
    frames: Frames<Box<dyn Socket>>,
    layer: Option<Arc<dyn SecurityLayer>>,
    next_id: i32,
    timeout: Duration,
    is_tls: bool,
    /// Which of the configured servers it leads to.
    pub(crate) server: String,
}

/// How a connection could not be encrypted.
pub(crate) enum NotEncrypted {
    /// The server said no.
    Refused(Answer),
    /// The handshake failed.
    Handshake(io::Error),
    /// There was no answer.
    Failed(Failure),
}

impl Wire {
    /// Over a socket that is connected.
    pub(crate) fn plain(socket: TcpStream, timeout: Duration) -> Self {
        Self::over(Box::new(socket), timeout, false)
    }

    fn over(socket: Box<dyn Socket>, timeout: Duration, is_tls: bool) -> Self {
        Self { frames: Frames::new(socket), layer: None, next_id: 1, timeout, is_tls, server: String::new() }
    }

    /// Encrypts a connection that speaks TLS from its first byte.
    pub(crate) async fn tls(
        socket: TcpStream,
        name: ServerName<'static>,
        config: Arc<ClientConfig>,
        timeout: Duration,
    ) -> io::Result<Self> {
        let socket = TlsConnector::from(config).connect(name, socket).await?;
        Ok(Self::over(Box::new(socket), timeout, true))
    }

    /// Encrypts a connection that began without (RFC 4511, section 4.14).
    pub(crate) async fn start_tls(
        mut self,
        name: ServerName<'static>,
        config: Arc<ClientConfig>,
    ) -> Result<Self, NotEncrypted> {
        let id = self.take_id();
        let asked = message::extended(id, START_TLS, None);
        let arrived = self.ask(id, &asked).await.map_err(NotEncrypted::Failed)?;
        let (answer, ..) =
            Arrived::open(&arrived).and_then(|it| it.extended()).map_err(NotEncrypted::Failed)?;
        if answer.code != crate::result::SUCCESS {
            return Err(NotEncrypted::Refused(answer));
        }
        // Whatever stands between could have put words before the handshake that would count as the server's.
        if self.frames.has_leftover() {
            let what = "the server sent something before the handshake".to_owned();
            return Err(NotEncrypted::Failed(Failure::Malformed(what)));
        }
        let Self { frames, next_id, timeout, .. } = self;
        let socket =
            TlsConnector::from(config).connect(name, frames.socket).await.map_err(NotEncrypted::Handshake)?;
        Ok(Self { next_id, ..Self::over(Box::new(socket), timeout, true) })
    }

    /// Signs in, or goes one step further in it: the answer, and what the server wants to say to the mechanism.
    pub(crate) async fn bind(
        &mut self,
        credentials: &Credentials<'_>,
    ) -> Result<(Answer, Option<Vec<u8>>), Failure> {
        let id = self.take_id();
        let arrived = self.ask(id, &message::bind(id, credentials)).await?;
        Arrived::open(&arrived)?.bound()
    }

    /// Whether TLS is under everything that is sent.
    pub(crate) fn is_tls(&self) -> bool {
        self.is_tls
    }

    /// From here on everything is sealed.
    pub(crate) fn secure(&mut self, layer: Arc<dyn SecurityLayer>) {
        self.frames.secure(Arc::clone(&layer));
        self.layer = Some(layer);
    }

    /// Makes the connection carry many requests at a time.
    pub(crate) fn into_connection(self) -> Connection {
        let Self { frames, layer, next_id, timeout, is_tls, server } = self;
        let is_encrypted = is_tls || layer.as_ref().is_some_and(|layer| layer.is_confidential());
        let mut writer = None;
        let frames = frames.map(|socket| {
            let (reading, writing) = tokio::io::split(socket);
            writer = Some(writing);
            reading
        });
        let writer = writer.expect("the socket was just split");
        Connection::start(frames, writer, layer, (next_id, is_encrypted), (timeout, server))
    }

    /// The number of the next request.
    pub(crate) fn take_id(&mut self) -> i32 {
        let id = self.next_id;
        self.next_id += 1;
        id
    }

    /// Sends a request and waits for its first answer.
    pub(crate) async fn ask(&mut self, id: i32, request: &[u8]) -> Result<Bytes, Failure> {
        let timeout = self.timeout;
        let exchange = async {
            self.write(request).await?;
            loop {
                let arrived = self.read().await?;
                // Notices of the server have the number 0; what they say shows in how the connection ends.
                if Arrived::open(&arrived)?.id == id {
                    return Ok(arrived);
                }
            }
        };
        within(timeout, exchange).await
    }

    /// Sends requests and waits for nothing.
    pub(crate) async fn send(&mut self, requests: &[u8]) -> Result<(), Failure> {
        within(self.timeout, self.write(requests)).await
    }

    /// The next message, whatever it answers.
    pub(crate) async fn next(&mut self) -> Result<Bytes, Failure> {
        within(self.timeout, self.read()).await
    }

    /// The next message if it is there already.
    pub(crate) async fn next_if_there(&mut self) -> Result<Option<Bytes>, Failure> {
        tokio::select! {
            biased;
            arrived = self.read() => arrived.map(Some),
            () = std::future::ready(()) => Ok(None),
        }
    }

    async fn write(&mut self, requests: &[u8]) -> Result<(), Failure> {
        match &self.layer {
            Some(layer) => {
                let sealed = frames::seal(layer.as_ref(), requests).map_err(lost)?;
                self.frames.socket.write_all(&sealed).await.map_err(lost)?;
            }
            None => self.frames.socket.write_all(requests).await.map_err(lost)?,
        }
        self.frames.socket.flush().await.map_err(lost)
    }

    async fn read(&mut self) -> Result<Bytes, Failure> {
        let ended = || lost(io::ErrorKind::UnexpectedEof.into());
        self.frames.next().await.map_err(lost)?.ok_or_else(ended)
    }
}

fn lost(error: io::Error) -> Failure {
    Failure::Lost(Box::new(error))
}

async fn within<T>(timeout: Duration, call: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    match tokio::time::timeout(timeout, call).await {
        Ok(result) => result,
        Err(_elapsed) => Err(Failure::TimedOut(timeout)),
    }
}

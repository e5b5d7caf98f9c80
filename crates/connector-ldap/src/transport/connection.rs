//! The seam's real side: many requests in flight on one connection, answers matched by their number.
//!
//! Two tasks own the socket, one for each direction. Every request has a bounded queue for its answers; a full queue
//! stops the reading, and so the server, instead of filling memory. A request that is given up is abandoned with the
//! server and its late answers are dropped. The reason for which the connection ended is kept, because the request
//! that notices only learns that nobody will answer. Dropping the last handle says goodbye and closes.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use tokio::io::{AsyncWriteExt, ReadHalf, WriteHalf};
use tokio::sync::mpsc;
use tokio_util::sync::{CancellationToken, DropGuard};

use super::frames::{self, Frames, SecurityLayer};
use super::message::{self, Arrived};
use super::requests::{Answer, Failure, Found, Item, Items, Search, Transport, WriteRequest};
use super::wire::Socket;

/// Messages of one search that wait to be taken.
const WAITING_COUNT_MAX: usize = 256;
/// Requests that wait to be sent.
const UNSENT_COUNT_MAX: usize = 256;
/// How long a goodbye may take.
const GOODBYE_TIMEOUT: Duration = Duration::from_secs(1);
/// Most bytes that one search may gather; more has to be read as a stream or in pages.
const FOUND_BYTES_MAX: usize = 256 << 20;

/// One connection.
pub(crate) struct Connection {
    handle: Arc<Handle>,
    timeout: Duration,
    is_encrypted: bool,
    server: String,
}

/// What requests share; the last one closes the connection.
struct Handle {
    inner: Arc<Inner>,
    unsent: mpsc::Sender<Vec<u8>>,
    _close: DropGuard,
}

struct Inner {
    state: Mutex<State>,
}

struct State {
    /// Who waits for which answers; gone when the connection has ended.
    waiting: Option<HashMap<i32, mpsc::Sender<Bytes>>>,
    next_id: i32,
    /// Why it ended.
    said: Option<String>,
}

impl Inner {
    fn state(&self) -> MutexGuard<'_, State> {
        // The state is consistent after every statement, so a panic elsewhere does not spoil it.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn end(&self, said: String) {
        let mut state = self.state();
        state.said.get_or_insert(said);
        state.waiting = None;
    }
}

impl Connection {
    /// Takes over a connection that is ready for requests.
    pub(crate) fn start(
        frames: Frames<ReadHalf<Box<dyn Socket>>>,
        socket: WriteHalf<Box<dyn Socket>>,
        layer: Option<Arc<dyn SecurityLayer>>,
        (next_id, is_encrypted): (i32, bool),
        (timeout, server): (Duration, String),
    ) -> Self {
        let state = State { waiting: Some(HashMap::new()), next_id, said: None };
        let inner = Arc::new(Inner { state: Mutex::new(state) });
        let (unsent, queue) = mpsc::channel(UNSENT_COUNT_MAX);
        let closing = CancellationToken::new();
        tokio::spawn(read(frames, Arc::clone(&inner), closing.clone()));
        tokio::spawn(write(socket, queue, layer, Arc::clone(&inner), closing.clone()));
        let handle = Handle { inner, unsent, _close: closing.drop_guard() };
        Self { handle: Arc::new(handle), timeout, is_encrypted, server }
    }

    async fn one(&self, make: impl FnOnce(i32) -> Result<Vec<u8>, Failure> + Send) -> Result<Bytes, Failure> {
        let exchange = async {
            let mut request = Request::send(&self.handle, make).await?;
            request.next().await
        };
        self.within(exchange).await
    }

    async fn within<T>(&self, call: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
        match tokio::time::timeout(self.timeout, call).await {
            Ok(result) => result,
            Err(_elapsed) => Err(Failure::TimedOut(self.timeout)),
        }
    }

    async fn gather(&self, search: &Search) -> Result<Found, Failure> {
        let mut request = Request::send(&self.handle, |id| message::search(id, search)).await?;
        let (mut found, mut bytes) = (Found::default(), 0);
        loop {
            let arrived = request.next().await?;
            bytes += arrived.len();
            if bytes > FOUND_BYTES_MAX {
                return Err(Failure::Malformed(format!(
                    "the server sent more than {FOUND_BYTES_MAX} bytes in one answer"
                )));
            }
            match Arrived::open(&arrived)?.item()? {
                Item::Entry(entry, _controls) => found.entries.push(entry),
                Item::References(addresses) => found.references.extend(addresses),
                Item::Intermediate { .. } => {}
                Item::Done(answer) => {
                    found.cookie = message::page_of(&answer)?;
                    found.answer = answer;
                    return Ok(found);
                }
            }
        }
    }
}

#[async_trait]
impl Transport for Connection {
    async fn search(&self, search: &Search) -> Result<Found, Failure> {
        self.within(self.gather(search)).await
    }

    async fn stream(&self, search: &Search) -> Result<Box<dyn Items>, Failure> {
        let request = self.within(Request::send(&self.handle, |id| message::search(id, search))).await?;
        Ok(Box::new(request))
    }

    async fn write(&self, request: &WriteRequest) -> Result<Answer, Failure> {
        Arrived::open(&self.one(|id| message::write(id, request)).await?)?.answer()
    }

    async fn extended(&self, oid: &str, value: Option<&[u8]>) -> Result<Answer, Failure> {
        let arrived = self.one(|id| Ok(message::extended(id, oid, value))).await?;
        Ok(Arrived::open(&arrived)?.extended()?.0)
    }

    fn is_open(&self) -> bool {
        self.handle.inner.state().waiting.is_some()
    }

    fn is_encrypted(&self) -> bool {
        self.is_encrypted
    }

    fn server(&self) -> &str {
        &self.server
    }
}

/// A request under way; dropped before its end, it is abandoned.
struct Request {
    handle: Arc<Handle>,
    id: i32,
    answers: mpsc::Receiver<Bytes>,
    is_over: bool,
}

impl Request {
    async fn send(
        handle: &Arc<Handle>,
        make: impl FnOnce(i32) -> Result<Vec<u8>, Failure>,
    ) -> Result<Self, Failure> {
        let (sender, answers) = mpsc::channel(WAITING_COUNT_MAX);
        let id = {
            let mut state = handle.inner.state();
            let id = state.next_id;
            // Numbers are not used twice; after two thousand million requests a new connection is made.
            let (Some(next_id), Some(waiting)) = (id.checked_add(1), &mut state.waiting) else {
                return Err(Failure::NotSent);
            };
            waiting.insert(id, sender);
            state.next_id = next_id;
            id
        };
        let mut request = Self { handle: Arc::clone(handle), id, answers, is_over: true };
        let bytes = make(id).inspect_err(|_| request.forget())?;
        let is_queued = handle.unsent.send(bytes).await.is_ok();
        if !is_queued {
            request.forget();
            return Err(Failure::NotSent);
        }
        request.is_over = false;
        Ok(request)
    }

    async fn next(&mut self) -> Result<Bytes, Failure> {
        let Some(arrived) = self.answers.recv().await else {
            self.is_over = true;
            let said = self.handle.inner.state().said.clone();
            return Err(Failure::Lost(said.unwrap_or_else(|| "the connection ended".to_owned()).into()));
        };
        self.is_over = !Arrived::open(&arrived)?.is_part();
        Ok(arrived)
    }

    fn forget(&self) {
        if let Some(waiting) = &mut self.handle.inner.state().waiting {
            waiting.remove(&self.id);
        }
    }
}

#[async_trait]
impl Items for Request {
    async fn next(&mut self, wait: Duration) -> Result<Item, Failure> {
        match tokio::time::timeout(wait, Self::next(self)).await {
            Ok(arrived) => Arrived::open(&arrived?)?.item(),
            Err(_elapsed) => Err(Failure::TimedOut(wait)),
        }
    }
}

impl Drop for Request {
    fn drop(&mut self) {
        self.forget();
        if self.is_over {
            return;
        }
        let mut state = self.handle.inner.state();
        let id = state.next_id;
        state.next_id = id.saturating_add(1);
        // A courtesy: where the queue is full the server finds out when it is done.
        let _sent = self.handle.unsent.try_send(message::abandon(id, self.id));
    }
}

async fn read(mut frames: Frames<ReadHalf<Box<dyn Socket>>>, inner: Arc<Inner>, closing: CancellationToken) {
    let said = loop {
        let arrived = tokio::select! {
            biased;
            () = closing.cancelled() => break "the connection was closed here".to_owned(),
            arrived = frames.next() => arrived,
        };
        let bytes = match arrived {
            Ok(Some(bytes)) => bytes,
            Ok(None) => break "the server closed the connection".to_owned(),
            Err(error) => break error.to_string(),
        };
        let Ok(arrived) = Arrived::open(&bytes) else {
            break "the server sent something that is no LDAP".to_owned();
        };
        if arrived.id == 0 {
            // A notice of disconnection says why; the end itself follows.
            if let Ok((answer, ..)) = arrived.extended() {
                inner.state().said = Some(format!("the server said {}", crate::result::in_words(&answer)));
            }
            continue;
        }
        let (id, is_part) = (arrived.id, arrived.is_part());
        let receiver = match &mut inner.state().waiting {
            Some(waiting) if is_part => waiting.get(&id).cloned(),
            Some(waiting) => waiting.remove(&id),
            None => None,
        };
        // Nobody waits for the answers of a request that was given up.
        if let Some(receiver) = receiver {
            tokio::select! {
                biased;
                () = closing.cancelled() => break "the connection was closed here".to_owned(),
                _taken = receiver.send(bytes) => {}
            }
        }
    };
    inner.end(said);
    closing.cancel();
}

async fn write(
    mut socket: WriteHalf<Box<dyn Socket>>,
    mut queue: mpsc::Receiver<Vec<u8>>,
    layer: Option<Arc<dyn SecurityLayer>>,
    inner: Arc<Inner>,
    closing: CancellationToken,
) {
    let mut requests = Vec::new();
    loop {
        let count = tokio::select! {
            biased;
            () = closing.cancelled() => 0,
            count = queue.recv_many(&mut requests, UNSENT_COUNT_MAX) => count,
        };
        if count == 0 {
            break;
        }
        let bytes = requests.concat();
        let sent = tokio::select! {
            biased;
            () = closing.cancelled() => return,
            sent = send(&mut socket, layer.as_deref(), &bytes) => sent,
        };
        if let Err(error) = sent {
            inner.end(error.to_string());
            closing.cancel();
            return;
        }
        requests.clear();
    }
    let id = inner.state().next_id;
    // The other side may be gone already or say nothing; there is nobody left to tell.
    let goodbye = async {
        let _sent = send(&mut socket, layer.as_deref(), &message::unbind(id)).await;
        let _closed = socket.shutdown().await;
    };
    let _elapsed = tokio::time::timeout(GOODBYE_TIMEOUT, goodbye).await;
}

async fn send(
    socket: &mut WriteHalf<Box<dyn Socket>>,
    layer: Option<&dyn SecurityLayer>,
    bytes: &[u8],
) -> std::io::Result<()> {
    match layer {
        Some(layer) => socket.write_all(&frames::seal(layer, bytes)?).await?,
        None => socket.write_all(bytes).await?,
    }
    socket.flush().await
}

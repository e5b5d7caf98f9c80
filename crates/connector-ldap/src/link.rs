//! The session's connection: made again when it was lost, dropped when an answer is overdue.
//!
//! An overdue answer may still come, and a write may still be carried out; a new connection at least does not wait
//! behind it.

use std::future::Future;
use std::sync::Arc;

use identitymesh_connector::ConnectorError;
use tokio_util::sync::CancellationToken;

use crate::transport::{Dial, Transport};

/// A connection that can be had again.
pub(crate) struct Link {
    dial: Arc<dyn Dial>,
    current: Option<Arc<dyn Transport>>,
}

impl Link {
    /// Connects for the first time.
    pub(crate) async fn open(dial: Arc<dyn Dial>) -> Result<Self, ConnectorError> {
        let current = Some(dial.dial().await?);
        Ok(Self { dial, current })
    }

    /// The connection, a new one when the last was lost.
    pub(crate) async fn transport(&mut self) -> Result<Arc<dyn Transport>, ConnectorError> {
        if let Some(current) = self.current.as_ref().filter(|current| current.is_open()) {
            return Ok(Arc::clone(current));
        }
        tracing::info!("the connection to the directory is made again");
        let made = self.dial.dial().await?;
        self.current = Some(Arc::clone(&made));
        Ok(made)
    }

    /// What makes connections.
    pub(crate) fn dial(&self) -> &Arc<dyn Dial> {
        &self.dial
    }

    /// Does without this connection from now on.
    pub(crate) fn give_up(&mut self) {
        self.current = None;
    }
}

/// The call's result, or the cancellation as soon as it comes.
pub(crate) async fn unless_cancelled<T>(
    cancel: &CancellationToken,
    call: impl Future<Output = Result<T, ConnectorError>>,
) -> Result<T, ConnectorError> {
    tokio::select! {
        biased;
        () = cancel.cancelled() => Err(ConnectorError::cancelled()),
        result = call => result,
    }
}

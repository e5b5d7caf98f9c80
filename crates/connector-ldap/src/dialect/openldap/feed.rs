//! Several searches under way at once, their items in one bounded queue in the order of arrival.
//!
//! Whoever takes from one search only could wait for ever: the answers of another, which nobody takes, would stand
//! before them on the connection. So each has a task that takes, and the queue is what holds the server back.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::task::JoinSet;

use crate::transport::{Failure, Item, Items, Search, Transport};

/// Items that wait to be looked at.
const ITEMS_WAITING_MAX: usize = 256;

/// Searches under way; dropping it gives them up.
pub(super) struct Feed {
    arrived: mpsc::Receiver<(usize, Result<Item, Failure>)>,
    _taking: JoinSet<()>,
}

/// How long a search may say nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Silence {
    /// So long, then the search has failed.
    AtMost(Duration),
    /// For ever: nothing may happen. The connection is looked at in other ways.
    ForEver(Duration),
}

impl Feed {
    /// Starts the searches, each on the connection beside it.
    pub(super) async fn start(
        searches: Vec<(Arc<dyn Transport>, Search)>,
        silence: Silence,
    ) -> Result<Self, Failure> {
        let (sender, arrived) = mpsc::channel(ITEMS_WAITING_MAX);
        let mut taking = JoinSet::new();
        for (at, search) in searches.iter().enumerate() {
            let (transport, search) = search;
            let items = transport.stream(search).await?;
            taking.spawn(take(at, items, silence, sender.clone()));
        }
        Ok(Self { arrived, _taking: taking })
    }

    /// The next item with the number of its search; `None` when all have ended. Nothing is lost when the wait is given up.
    pub(super) async fn next(&mut self) -> Option<(usize, Result<Item, Failure>)> {
        self.arrived.recv().await
    }

    /// The next item if there is one already.
    pub(super) fn try_next(&mut self) -> Option<(usize, Result<Item, Failure>)> {
        self.arrived.try_recv().ok()
    }
}

async fn take(
    at: usize,
    mut items: Box<dyn Items>,
    silence: Silence,
    sender: mpsc::Sender<(usize, Result<Item, Failure>)>,
) {
    let (Silence::AtMost(wait) | Silence::ForEver(wait)) = silence;
    loop {
        let item = items.next(wait).await;
        if matches!((&item, silence), (Err(Failure::TimedOut(_)), Silence::ForEver(_))) {
            continue;
        }
        let is_last = matches!(item, Err(_) | Ok(Item::Done(_)));
        if sender.send((at, item)).await.is_err() || is_last {
            return;
        }
    }
}

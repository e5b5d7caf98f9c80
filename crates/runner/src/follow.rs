//! Following a connected system: changes become exports as they happen (semantics, sections 2 and 9).
//!
//! Each batch of changes is an import run of its own, then a sync, then exports. The connection may be lost at any
//! time: following goes on from the last committed watermark, and where the system refuses that, after a full import.
//! Nothing is kept in memory that is not also in the store, so ending at any point loses nothing. Confirming imports are
//! left out where they would read a whole system for each change; the next ordinary import of the target confirms.

use std::sync::Arc;
use std::time::Duration;

use identitymesh_connector::{Class, ConnectorError, FollowRequest, Page, Session};
use identitymesh_model::{ConnectorId, Name};
use identitymesh_store::{ItemFilter, ItemState};
use tokio::sync::mpsc;

use crate::cycle::{Confirm, CycleReport, Rounds, cycle};
use crate::force::in_full;
use crate::import::{
    Mended, PAGE_OBJECTS, PAGES_WAITING, Piece, Stager, channel, committed_watermark, is_refusal, mended,
};
use crate::run::{Run, RunReport, Steps};
use crate::{ImportKind, InForce, Mesh, RunError};

/// How often the queues are looked at although nothing happens: retries become due, and times of rules come.
const IDLE_LOOK: Duration = Duration::from_secs(15);
/// Waiting items among which one that is due is looked for.
const ITEMS_LOOKED_AT: usize = 1_000;
/// The first wait before a lost connection is made again; each further one is twice as long.
const RECONNECT_WAIT: Duration = Duration::from_millis(500);
/// The longest wait.
const RECONNECT_WAIT_MAX: Duration = Duration::from_secs(30);

/// What a person who watches is told.
#[derive(Debug)]
pub enum FollowEvent<'a> {
    /// Everything up to now is done; from here on changes are awaited.
    Listening,
    /// What one batch of changes, or a look at the queues, came to.
    Done(&'a CycleReport),
    /// The connection is lost and will be made again; why, in full.
    Lost(&'a str),
    /// The system does not go on from where the last import ended, so everything will be read.
    Refused,
}

/// What is followed.
struct Source {
    name: Name,
    id: ConnectorId,
    /// Which references it mends without telling.
    mended: Mended,
}

/// Why listening ended.
enum Ended {
    /// The connection is gone; go on from the watermark.
    Lost(RunError),
    /// The system does not go on from the watermark: a delta import will find out and read everything.
    Refused,
}

/// Follows `source` until the mesh is cancelled.
///
/// # Errors
/// When the connector cannot follow, when its settings or rights are wrong, or when the store fails. A lost connection
/// and a refused watermark are none.
pub async fn follow(
    mesh: &Mesh,
    source: Name,
    tell: &(dyn Fn(FollowEvent<'_>) + Send + Sync),
) -> Result<(), RunError> {
    let mut wait = RECONNECT_WAIT;
    loop {
        let ended = match once(mesh, source, tell, &mut wait).await {
            Ok(ended) => ended,
            Err(error) if error.is_cancelled() || mesh.cancel.is_cancelled() => return Ok(()),
            Err(error) if error.is_transient() => Ended::Lost(error),
            Err(error) => return Err(error),
        };
        match &ended {
            Ended::Lost(error) => {
                let why = in_full(error);
                tracing::warn!(connector = source.as_str(), why, "following is interrupted");
                tell(FollowEvent::Lost(&why));
            }
            Ended::Refused => tell(FollowEvent::Refused),
        }
        // Not at once after a refusal either: reading everything is no help while another server answers that lags behind.
        tokio::select! {
            () = mesh.cancel.cancelled() => return Ok(()),
            () = tokio::time::sleep(wait) => wait = (wait * 2).min(RECONNECT_WAIT_MAX),
        }
    }
}

/// Catches up, then listens until the connection ends.
async fn once(
    mesh: &Mesh,
    source: Name,
    tell: &(dyn Fn(FollowEvent<'_>) + Send + Sync),
    wait: &mut Duration,
) -> Result<Ended, RunError> {
    let (in_force, id) = mesh.runnable(source)?;
    let report = cycle(mesh, &[source], ImportKind::Delta).await?;
    tell(FollowEvent::Done(&report));
    let unsupported = || RunError::Unsupported { name: source.to_string(), what: "be followed" };
    let since = committed_watermark(mesh, id)?.ok_or_else(unsupported)?;
    let mut session = mesh.connect(&in_force, source).await?;
    if session.follower().is_none() {
        return Err(unsupported());
    }
    let mended = mended(mesh, &in_force, source, session.as_mut()).await?;
    let object_types = in_force.rules.connector(id).map_or_else(Vec::new, |known| known.object_types());
    let request = FollowRequest { since, object_types, page_size_max: PAGE_OBJECTS };
    let (sender, mut pages) = mpsc::channel(PAGES_WAITING);
    // The system's changes are taken while earlier ones are worked on, so that it never waits for a target.
    let reading = tokio::spawn(read(session, request, sender));
    tell(FollowEvent::Listening);
    let source = Source { name: source, id, mended };
    let ended = listen(mesh, &in_force, &source, &mut pages, tell, wait).await;
    // Whether it ended first or not, nobody takes its pages any more.
    reading.abort();
    ended
}

/// Hands pages on until the connection ends, whose error is the last thing that it hands on.
async fn read(
    mut session: Box<dyn Session>,
    request: FollowRequest,
    sender: mpsc::Sender<Result<Page, ConnectorError>>,
) {
    let Some(follower) = session.follower() else { return };
    let mut last = follower.follow(request).await.err();
    while last.is_none() {
        match follower.next_change().await {
            Ok(page) => {
                if sender.send(Ok(page)).await.is_err() {
                    return;
                }
            }
            Err(error) => last = Some(error),
        }
    }
    if let Some(error) = last {
        // Nobody to tell is somebody who has ended.
        let _told = sender.send(Err(error)).await;
    }
}

type Pages = mpsc::Receiver<Result<Page, ConnectorError>>;

async fn listen(
    mesh: &Mesh,
    in_force: &Arc<InForce>,
    source: &Source,
    pages: &mut Pages,
    tell: &(dyn Fn(FollowEvent<'_>) + Send + Sync),
    wait: &mut Duration,
) -> Result<Ended, RunError> {
    loop {
        let first = tokio::select! {
            biased;
            () = mesh.cancel.cancelled() => return Err(RunError::Cancelled),
            first = pages.recv() => Some(first),
            () = tokio::time::sleep(IDLE_LOOK) => None,
        };
        let mut report = CycleReport::default();
        if first.is_none() && !is_something_due(mesh)? {
            continue;
        }
        if let Some(first) = first {
            let page = match arrived(first) {
                Ok(page) => page,
                Err(ended) => return ended,
            };
            *wait = RECONNECT_WAIT;
            // A mark that moved over nothing needs no run; losing it costs a repeated look.
            if is_empty(&page) {
                continue;
            }
            match stage(mesh, in_force, source, page, pages).await? {
                (run, None) => report.runs.push(run),
                // What came before the end is staged; it is worked on after the connection is made again.
                (_, Some(ended)) => return ended,
            }
        }
        let rounds = Rounds { confirm: Confirm::WhereCheap, followed: Some(source.name) };
        rounds.run(mesh, vec![source.name], &mut report).await?;
        if !report.is_quiet() {
            tell(FollowEvent::Done(&report));
        }
    }
}

/// Whether an entry of the to-do list or an item that waited is due; looking costs no run.
fn is_something_due(mesh: &Mesh) -> Result<bool, RunError> {
    let now = mesh.clock.now();
    let mut reader = mesh.store.read()?;
    if !reader.todos(now, None, 1)?.is_empty() {
        return Ok(true);
    }
    for state in [ItemState::Pending, ItemState::RetryWait] {
        let filter = ItemFilter { state: Some(state), ..ItemFilter::default() };
        let items = reader.item_list(&filter, None, ITEMS_LOOKED_AT)?.items;
        if items.iter().any(|item| item.not_before.is_none_or(|at| at <= now)) {
            return Ok(true);
        }
    }
    Ok(false)
}

fn is_empty(page: &Page) -> bool {
    page.changes.is_empty()
        && page.present.is_empty()
        && page.findings.is_empty()
        && page.certificates.is_empty()
}

fn arrived(piece: Option<Result<Page, ConnectorError>>) -> Result<Page, Result<Ended, RunError>> {
    match piece {
        Some(Ok(page)) => Ok(page),
        Some(Err(error)) if is_refusal(&error) => Err(Ok(Ended::Refused)),
        Some(Err(error)) if matches!(error.class, Class::Transient) => Err(Ok(Ended::Lost(error.into()))),
        Some(Err(error)) => Err(Err(error.into())),
        None => Err(Err(RunError::Worker)),
    }
}

/// One import run: pages up to a watermark, which alone ends a consistent state.
async fn stage(
    mesh: &Mesh,
    in_force: &Arc<InForce>,
    source: &Source,
    first: Page,
    pages: &mut Pages,
) -> Result<(RunReport, Option<Result<Ended, RunError>>), RunError> {
    let run = Run::begin(mesh, Steps::Follow, Some((source.name, source.id)))?;
    let mut stager = Stager::new(Arc::clone(in_force), source.id, run);
    stager.is_full = false;
    stager.mended = source.mended.clone();
    let (sender, receiver) = mpsc::channel::<Piece>(PAGES_WAITING);
    let staging = tokio::task::spawn_blocking(move || stager.work(receiver));
    let (asker, questions) = channel();
    let mut page = first;
    let ended = loop {
        let is_consistent = page.watermark.is_some();
        if sender.send(Piece::Page(page)).await.is_err() {
            break None;
        }
        if is_consistent {
            // Only a whole read says what is gone; the stager's own error counts when it has gone away.
            let _sent = sender.send(Piece::End(asker.clone())).await;
            break None;
        }
        page = match arrived(pages.recv().await) {
            Ok(page) => page,
            Err(ended) => break Some(ended),
        };
    };
    drop((sender, asker));
    // The session that follows is busy.
    questions.answer_apart(mesh, in_force, source.name).await;
    let (stager, staged) = staging.await.map_err(|_| RunError::Worker)?;
    Ok((stager.run.end(staged)?, ended))
}

//! Carrying out a batch: wave after wave, at most a window of operations in flight.
//!
//! Every item gets exactly one outcome. After a cancellation nothing more is sent; what was in flight is unknown,
//! what was not sent is said to be so.

use std::collections::HashSet;
use std::sync::Arc;

use identitymesh_connector::{Operation, Outcome};
use identitymesh_model::{ItemId, Name};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::order;
use super::pace::Pace;
use super::writer::{Writer, unknown};
use crate::error;
use crate::schema::TypeMap;

/// An operation with its object type, or the reason why it has none.
pub(crate) type Typed = (Operation, Result<Arc<TypeMap>, String>);

/// What became of each operation.
pub(crate) async fn carry_out(
    writer: Arc<Writer>,
    operations: Vec<Typed>,
    window: usize,
    pace: &mut Pace,
    cancel: &CancellationToken,
) -> Vec<(ItemId, Outcome)> {
    let plain: Vec<Operation> = operations.iter().map(|(operation, _)| operation.clone()).collect();
    let waves = order::waves(&plain, Name::literal("dn"));
    let last = waves.iter().copied().max().unwrap_or(0);
    let mut by_wave: Vec<Vec<Typed>> = vec![Vec::new(); last + 1];
    for (operation, wave) in operations.into_iter().zip(waves) {
        by_wave[wave].push(operation);
    }
    let mut outcomes = Vec::with_capacity(plain.len());
    for wave in by_wave {
        let mut flying = JoinSet::new();
        for (operation, map) in wave {
            while flying.len() >= window.max(1) {
                land(&mut flying, &mut outcomes).await;
            }
            tokio::select! {
                biased;
                () = cancel.cancelled() => {}
                () = pace.turn() => {}
            }
            if cancel.is_cancelled() {
                outcomes.push((operation.item, not_sent("the run was cancelled")));
                continue;
            }
            fly(&mut flying, Arc::clone(&writer), operation, map, cancel.clone());
        }
        while !flying.is_empty() {
            land(&mut flying, &mut outcomes).await;
        }
    }
    // A task that broke left its item without an outcome, and nobody knows how far it came.
    let told: HashSet<ItemId> = outcomes.iter().map(|(item, _)| *item).collect();
    let silent = plain.iter().map(|operation| operation.item).filter(|item| !told.contains(item));
    outcomes.extend(silent.map(|item| (item, unknown("the operation was broken off".to_owned()))));
    outcomes
}

fn fly(
    flying: &mut JoinSet<(ItemId, Outcome)>,
    writer: Arc<Writer>,
    operation: Operation,
    map: Result<Arc<TypeMap>, String>,
    cancel: CancellationToken,
) {
    let item = operation.item;
    flying.spawn(async move {
        let work = async {
            match map {
                Ok(map) => writer.carry_out(&map, operation.kind).await,
                Err(reason) => Outcome::Refused { code: error::UNKNOWN_TYPE, reason, attributes: Vec::new() },
            }
        };
        let outcome = tokio::select! {
            biased;
            outcome = work => outcome,
            () = cancel.cancelled() => unknown("the run was cancelled before the answer came".to_owned()),
        };
        (item, outcome)
    });
}

async fn land(flying: &mut JoinSet<(ItemId, Outcome)>, outcomes: &mut Vec<(ItemId, Outcome)>) {
    if let Some(Ok(outcome)) = flying.join_next().await {
        outcomes.push(outcome);
    }
}

/// Nothing was sent.
pub(super) fn not_sent(reason: impl Into<String>) -> Outcome {
    Outcome::NotSent { code: error::NOT_SENT, reason: reason.into() }
}

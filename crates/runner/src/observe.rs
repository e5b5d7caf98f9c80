//! Watching a run: progress for people, plans for previews.

use identitymesh_engine::Outcome;
use identitymesh_model::{Name, RunId};
use identitymesh_store::Counters;

/// What a run is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Reading a connected system.
    Import,
    /// Joining, flowing, projecting.
    Sync,
    /// Writing to a connected system.
    Export,
}

/// Hears of a run's progress, from whichever thread makes it.
pub trait Observer: Send + Sync {
    /// A run began.
    fn began(&self, _run: RunId, _stage: Stage, _connector: Option<Name>) {}

    /// So much is done, of so much where that is known.
    fn progressed(&self, _stage: Stage, _done: u64, _total: Option<u64>) {}

    /// A part of a plan was made and is about to be carried out.
    fn planned(&self, _outcome: &Outcome) {}

    /// A run ended with these counts.
    fn ended(&self, _run: RunId, _stage: Stage, _counters: &Counters) {}
}

/// Hears nothing.
#[derive(Debug, Default)]
pub struct Silent;

impl Observer for Silent {}

//! Watching the sync in the copy: its parts are grouped, counted and handed on.

use std::sync::{Mutex, PoisonError};

use identitymesh_engine::Outcome;
use identitymesh_model::Finding;
use identitymesh_model::plan::Plan;

use super::groups::Groups;
use crate::Observer;

/// Findings that a preview spells out; all are counted.
const FINDINGS_SHOWN: usize = 200;

/// Takes the parts of a plan, in the order in which they would be carried out, before each is carried out in the copy.
pub trait PartSink: Send {
    /// Takes one part.
    fn part(&mut self, plan: &Plan);
}

/// Takes nothing.
impl PartSink for () {
    fn part(&mut self, _plan: &Plan) {}
}

pub(super) struct Watch<S>(Mutex<Watched<S>>);

pub(super) struct Watched<S> {
    pub(super) sink: S,
    pub(super) groups: Groups,
    pub(super) findings: Vec<Finding>,
}

impl<S: PartSink> Watch<S> {
    pub(super) fn new(sink: S) -> Self {
        Self(Mutex::new(Watched { sink, groups: Groups::default(), findings: Vec::new() }))
    }

    pub(super) fn into_watched(self) -> Watched<S> {
        self.0.into_inner().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<S: PartSink> Observer for Watch<S> {
    fn planned(&self, outcome: &Outcome) {
        let mut watched = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        watched.groups.add(&outcome.plan);
        let room = FINDINGS_SHOWN.saturating_sub(watched.findings.len());
        watched.findings.extend(outcome.findings.iter().take(room).cloned());
        watched.sink.part(&outcome.plan);
    }
}

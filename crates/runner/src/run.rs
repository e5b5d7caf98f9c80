//! The frame of every run: begun, counted, ended in a named state whatever happens in between.

use identitymesh_connector::SOURCE_CHARS_MAX;
use identitymesh_model::{ConnectorId, Finding, Name, RunId};
use identitymesh_store::{
    Cause, Counters, REEVALUATION_STEP, RunStart, RunState, SettleBatch, SettleReceipt, Ticket,
};
use serde::Serialize;

use crate::busy::Occupied;
use crate::force::in_full;
use crate::{Mesh, RunError, Stage};

/// Most findings that one run stores; the rest is only counted.
pub(crate) const FINDINGS_STORED_MAX: u64 = 10_000;

/// The steps of run profiles.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Steps {
    /// Everything from the connected system.
    FullImport,
    /// What changed in the connected system.
    DeltaImport,
    /// What changed in the connected system, as it changes.
    Follow,
    /// What was imported, into the mesh and on to the queues.
    Sync,
    /// Everything, looked at again.
    FullSync,
    /// A stored plan, carried out as it was kept.
    ApplyPlan,
    /// What a person decided about joins, and what follows from it.
    JoinDecision,
    /// Links that rules made become what the rules in force make of them.
    JoinReevaluation,
    /// The queue, to the connected system.
    Export,
    /// What the connected system says after an export.
    ConfirmingImport,
    /// A new password for one object, because a person asks for it.
    PasswordReset,
    /// What an earlier run did, taken back.
    Undo,
}

impl Steps {
    /// Its word.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::FullImport => "full-import",
            Self::DeltaImport => "delta-import",
            Self::Follow => "follow",
            Self::Sync => "sync",
            Self::FullSync => "full-sync",
            Self::ApplyPlan => "apply-plan",
            Self::JoinDecision => "join-decision",
            Self::JoinReevaluation => REEVALUATION_STEP,
            Self::Export => "export",
            Self::ConfirmingImport => "confirming-import",
            Self::PasswordReset => "password-reset",
            Self::Undo => "undo",
        }
    }

    pub(crate) const fn stage(self) -> Stage {
        match self {
            Self::FullImport | Self::DeltaImport | Self::ConfirmingImport | Self::Follow => Stage::Import,
            Self::Sync
            | Self::FullSync
            | Self::ApplyPlan
            | Self::JoinDecision
            | Self::JoinReevaluation
            | Self::Undo => Stage::Sync,
            Self::Export | Self::PasswordReset => Stage::Export,
        }
    }
}

/// How a run ended.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct RunReport {
    /// Its number.
    pub run: RunId,
    /// The connector.
    pub connector: Option<Name>,
    /// The step.
    pub step: &'static str,
    /// Its state.
    pub state: RunState,
    /// What it counted.
    pub counters: Counters,
    /// Why it failed or is held; why deletes are unseen.
    pub message: Option<String>,
}

impl RunReport {
    /// One count; zero when it was never counted.
    #[must_use]
    pub fn count(&self, name: &str) -> u64 {
        self.counters.get(name).copied().unwrap_or(0)
    }
}

/// A run at work.
pub(crate) struct Run {
    pub(crate) id: RunId,
    pub(crate) mesh: Mesh,
    pub(crate) step: Steps,
    pub(crate) connector: Option<Name>,
    pub(crate) counters: Counters,
    /// Why the run is held although it went on.
    pub(crate) held: Option<String>,
    /// What a person should know of the run as a whole.
    pub(crate) message: Option<String>,
    /// What an import reads from, where its connector says.
    pub(crate) source: Option<String>,
    /// What was settled last, on its way to the store.
    settling: Option<Ticket<SettleReceipt>>,
    _occupied: Occupied,
}

impl Run {
    pub(crate) fn begin(
        mesh: &Mesh,
        step: Steps,
        connector: Option<(Name, ConnectorId)>,
    ) -> Result<Self, RunError> {
        mesh.check_cancelled()?;
        let place = connector.map(|(_, id)| id).filter(|_| step.stage() != Stage::Sync);
        let what = || match connector {
            Some((name, _)) if place.is_some() => format!("the connector {name}"),
            _ => "the synchronization of the mesh".to_owned(),
        };
        let start = || {
            let started = mesh.store.begin_run(RunStart {
                connector: connector.map(|(_, id)| id),
                step: step.as_str().to_owned(),
                actor: mesh.actor.clone(),
                at: mesh.clock.now(),
            });
            Ok(started.wait()?)
        };
        let (id, occupied) = mesh.busy.occupy(place, what, start)?;
        let connector = connector.map(|(name, _)| name);
        mesh.observer.began(id, step.stage(), connector);
        tracing::info!(
            run = id.0,
            step = step.as_str(),
            connector = connector.map(Name::as_str),
            "run began"
        );
        Ok(Self {
            id,
            mesh: mesh.clone(),
            step,
            connector,
            counters: Counters::new(),
            held: None,
            message: None,
            source: None,
            settling: None,
            _occupied: occupied,
        })
    }

    pub(crate) fn cause(&self) -> Cause {
        Cause { run: self.id, actor: self.mesh.actor.clone(), at: self.mesh.clock.now() }
    }

    /// Keeps what the run reads from, before anything of it is written.
    pub(crate) fn reads(&mut self, source: Option<String>) -> Result<(), RunError> {
        let Some(mut source) = source else { return Ok(()) };
        if let Some((end, _)) = source.char_indices().nth(SOURCE_CHARS_MAX) {
            source.truncate(end);
        }
        self.mesh.store.note_source(self.id, source.clone()).wait()?;
        self.source = Some(source);
        Ok(())
    }

    pub(crate) fn count(&mut self, name: &str, by: u64) {
        if by > 0 {
            *self.counters.entry(name.to_owned()).or_insert(0) += by;
        }
    }

    /// Hands over what became of exported items, once what was handed over before is written: one part is on its way while
    /// the next is sent.
    pub(crate) fn settle(&mut self, batch: SettleBatch) -> Result<(), RunError> {
        self.settled()?;
        self.settling = Some(self.mesh.store.settle(batch));
        Ok(())
    }

    /// Waits until everything that was handed over is written.
    pub(crate) fn settled(&mut self) -> Result<(), RunError> {
        if let Some(ticket) = self.settling.take() {
            ticket.wait()?;
        }
        Ok(())
    }

    /// Counts findings, and keeps as many as may be stored.
    pub(crate) fn findings(&mut self, mut findings: Vec<Finding>) -> Vec<Finding> {
        let stored = self.counters.get("findings").copied().unwrap_or(0);
        self.count("findings", findings.len() as u64);
        let room = usize::try_from(FINDINGS_STORED_MAX.saturating_sub(stored)).unwrap_or(0);
        findings.truncate(room);
        findings
    }

    /// Ends the run in the state that `result` and its findings say.
    pub(crate) fn end(self, result: Result<(), RunError>) -> Result<RunReport, RunError> {
        let (state, message, error) = match result {
            Err(error) if error.is_cancelled() => (RunState::Cancelled, Some(in_full(&error)), Some(error)),
            Err(error) => (RunState::Failed, Some(in_full(&error)), Some(error)),
            Ok(()) if self.held.is_some() => (RunState::Held, self.held.clone(), None),
            Ok(()) if self.counters.get("findings").is_some_and(|count| *count > 0) => {
                (RunState::SucceededWithFindings, self.message.clone(), None)
            }
            Ok(()) => (RunState::Succeeded, self.message.clone(), None),
        };
        let at = self.mesh.clock.now();
        let ended =
            self.mesh.store.end_run(self.id, state, at, self.counters.clone(), message.clone()).wait();
        self.mesh.observer.ended(self.id, self.step.stage(), &self.counters);
        tracing::info!(run = self.id.0, state = state.as_str(), message = message.as_deref(), "run ended");
        match error {
            Some(error) => Err(error),
            None => {
                ended?;
                Ok(RunReport {
                    run: self.id,
                    connector: self.connector,
                    step: self.step.as_str(),
                    state,
                    counters: self.counters,
                    message,
                })
            }
        }
    }
}

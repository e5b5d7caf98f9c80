//! Runs: one execution of a run profile on one connector, and what it found.

use identitymesh_model::{ConnectorId, Finding, RunId, Timestamp};
use serde::{Deserialize, Serialize};

/// The step of runs that evaluate joins again. A link that such a run ended is none that its object comes back to.
pub const REEVALUATION_STEP: &str = "join-reevaluation";

/// The states of a run (sync semantics, section 2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RunState {
    /// It waits for its turn.
    Queued,
    /// It is at work.
    Running,
    /// All went well.
    Succeeded,
    /// It is through, and some objects have findings.
    SucceededWithFindings,
    /// A class of changes waits for a person.
    Held,
    /// It could not go on; what was committed is kept.
    Failed,
    /// Somebody stopped it; what was committed is kept.
    Cancelled,
    /// Its process went away in the middle; what was committed is kept.
    Interrupted,
}

impl RunState {
    /// Its word.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Running => "running",
            Self::Succeeded => "succeeded",
            Self::SucceededWithFindings => "succeeded_with_findings",
            Self::Held => "held",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
            Self::Interrupted => "interrupted",
        }
    }

    /// The state that `word` names.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        [
            Self::Queued,
            Self::Running,
            Self::Succeeded,
            Self::SucceededWithFindings,
            Self::Held,
            Self::Failed,
            Self::Cancelled,
            Self::Interrupted,
        ]
        .into_iter()
        .find(|state| state.as_str() == word)
    }

    /// Whether it is over.
    #[must_use]
    pub const fn is_final(self) -> bool {
        !matches!(self, Self::Queued | Self::Running)
    }
}

/// A run that begins.
#[derive(Clone, Debug)]
pub struct RunStart {
    /// The connector; `None` for work on the mesh as a whole.
    pub connector: Option<ConnectorId>,
    /// The step: `full-import`, `delta-import`, `sync`, `full-sync`, `export`, `confirming-import`.
    pub step: String,
    /// Who started it.
    pub actor: String,
    /// When.
    pub at: Timestamp,
}

/// What a run counted, by name in the order of names: `read`, `added`, `changed`, `unchanged`, `deleted`, `joined`, …
pub type Counters = std::collections::BTreeMap<String, u64>;

/// A run as stored.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct RunRow {
    /// Its number.
    pub id: RunId,
    /// The connector.
    pub connector: Option<ConnectorId>,
    /// The step.
    pub step: String,
    /// Its state.
    pub state: RunState,
    /// Who started it.
    pub actor: String,
    /// When it began.
    pub started: Timestamp,
    /// When it was last heard of, or ended.
    pub updated: Timestamp,
    /// The version of the configuration that was in force; 0 when there was none.
    pub configuration: i64,
    /// What an import read from, where its connector says: the path of a file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// What it counted.
    pub counters: Counters,
    /// Why it failed, or what holds; for an import without certificate why deletes are unseen.
    pub message: Option<String>,
}

/// A finding as stored.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct FindingRow {
    /// Its place within the run.
    pub seq: i64,
    /// The run.
    pub run: RunId,
    /// The finding.
    #[serde(flatten)]
    pub finding: Finding,
}

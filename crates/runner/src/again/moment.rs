//! Which change is made again, and what the comparison says.

use identitymesh_model::{RunId, Timestamp};
use identitymesh_store::ChangeRecord;
use serde::Serialize;

/// Which recorded change to make again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moment {
    /// The last one of a run.
    Run(RunId),
    /// The last one up to a time.
    At(Timestamp),
    /// The one with this row in the audit.
    Row(i64),
}

impl Moment {
    /// Whether a row of the audit can be the one that is meant.
    pub(super) fn may_be(self, row: &ChangeRecord) -> bool {
        match self {
            Self::Run(run) => row.run == run,
            Self::At(at) => row.at <= at,
            Self::Row(seq) => row.seq == seq,
        }
    }
}

/// Whether what came out is what was recorded.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case", tag = "result", content = "why")]
pub enum Agreement {
    /// Byte for byte.
    Same,
    /// It is not.
    Differs(String),
    /// Something that is needed is not kept any more.
    NotKept(String),
}

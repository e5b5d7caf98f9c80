//! The point up to which history counts.

use identitymesh_model::Timestamp;

use crate::{StoreClass, StoreError};

/// How many rows of a history are read at once.
pub(super) const ROWS_READ: usize = 200;

/// The point up to which history counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cut {
    /// As it was at a moment, what happened at it included.
    At(Timestamp),
    /// As it was just before a row of the audit was written.
    Before(i64),
    /// As it was just after a row of the audit was written.
    After(i64),
}

impl Cut {
    /// Whether a row of the audit is later.
    #[must_use]
    pub fn is_before(self, seq: i64, at: Timestamp) -> bool {
        match self {
            Self::At(cut) => at > cut,
            Self::Before(cut) => seq >= cut,
            Self::After(cut) => seq > cut,
        }
    }

    /// Whether what was written when the audit had `place` rows is later.
    #[must_use]
    pub fn is_before_place(self, place: i64, at: Timestamp) -> bool {
        match self {
            Self::At(cut) => at > cut,
            // What belongs to a row is written in its transaction before it.
            Self::Before(cut) | Self::After(cut) => place >= cut,
        }
    }
}

/// A row that makes no sense.
pub(super) fn unreadable(what: &str) -> StoreError {
    StoreError::new("STO-011", StoreClass::Corrupt, format!("{what} cannot be read"))
        .advice("check the store with `identitymesh audit verify`, and restore a backup if it is damaged")
}

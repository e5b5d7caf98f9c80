//! Identifiers: integers inside one store, UUIDs outside it.
//!
//! Integers keep rows, links and bitmaps small; they never leave a store. What a person, an interface or an export
//! sees is a [`Uid`]. Each integer id is a type of its own, so a mesh object cannot be looked up with a link's id.

use std::fmt;

use serde::{Deserialize, Serialize};

macro_rules! integer_ids {
    ($($(#[$doc:meta])* $name:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub i64);

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "#{}"), self.0)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}", self.0)
            }
        }
    )*};
}

integer_ids! {
    /// A mesh object, within one store.
    MeshId;
    /// A management-space object, within one store.
    SpaceId;
    /// A configured connector, within one store.
    ConnectorId;
    /// A run, within one store. Runs are numbered from 1.
    RunId;
    /// An item of the export queue, within one store.
    ItemId;
    /// A hold of the mass-change guard, within one store. Holds are numbered from 1.
    HoldId;
    /// A decision about joins, within one store. Decisions are numbered from 1.
    DecisionId;
    /// A rule of the configuration. The number belongs to the rule's key (kind, connector, name) for good.
    RuleId;
}

impl RuleId {
    /// What stands in a rule's place where a person decided.
    pub const BY_HAND: Self = Self(0);
}

/// The public identifier of a mesh object, management-space object or run: a UUID of version 7.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Uid(pub uuid::Uuid);

impl Uid {
    /// When it was handed out, in milliseconds since 1970; `None` for one of another version.
    #[must_use]
    pub fn unix_millis(&self) -> Option<u64> {
        let (seconds, nanos) = self.0.get_timestamp()?.to_unix();
        Some(seconds * 1_000 + u64::from(nanos / 1_000_000))
    }
}

impl fmt::Debug for Uid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl fmt::Display for Uid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl std::str::FromStr for Uid {
    type Err = uuid::Error;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.parse().map(Self)
    }
}

/// Hands out new public identifiers. The binary's are random; tests count.
pub trait IdSource: Send + Sync {
    /// An identifier never handed out before, ordered by `at`.
    fn next_uid(&self, at: crate::Timestamp) -> Uid;
}

/// Identifiers in counting order, the same in every run with the same start.
#[derive(Debug, Default)]
pub struct CountingIds(std::sync::atomic::AtomicU64);

impl CountingIds {
    /// Starts after `count` identifiers.
    #[must_use]
    pub const fn starting_at(count: u64) -> Self {
        Self(std::sync::atomic::AtomicU64::new(count))
    }
}

impl IdSource for CountingIds {
    fn next_uid(&self, at: crate::Timestamp) -> Uid {
        let count = self.0.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
        let mut tail = [0_u8; 10];
        tail[2..].copy_from_slice(&count.to_be_bytes());
        Uid(uuid::Builder::from_unix_timestamp_millis(at.as_unix_millis(), &tail).into_uuid())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Timestamp;

    #[test]
    fn counted_uids_are_version_7_distinct_and_repeatable() {
        let (left, right) = (CountingIds::default(), CountingIds::default());
        let made: Vec<Uid> = (0..300).map(|_| left.next_uid(Timestamp::EPOCH)).collect();
        assert!(made.iter().all(|uid| uid.0.get_version_num() == 7));
        assert!(made.windows(2).all(|pair| pair[0] < pair[1]));
        assert_eq!(made[0], right.next_uid(Timestamp::EPOCH));
        assert_eq!(made[7].to_string().parse::<Uid>().unwrap(), made[7]);
    }
}

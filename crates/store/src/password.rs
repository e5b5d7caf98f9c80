//! Passwords that are owed: which objects of targets wait for one, and what became of setting it.
//!
//! No password is ever handed to a store. An object that this product made for a rule with passwords owes one from the
//! transaction in which it is known to be there, until a password was set *and* delivered. Whatever comes in between, a
//! new one is made then: what nobody received is of no use.

use identitymesh_model::{ConnectorId, Finding, MeshId, RuleId, SpaceId, Timestamp};

use crate::audit::ChangeRow;
use crate::{Cause, Counters};

/// A password that is owed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PasswordDue {
    /// The target's object.
    pub space: SpaceId,
    /// The target.
    pub connector: ConnectorId,
    /// The mesh object.
    pub mesh: MeshId,
    /// The projection rule that says what it looks like and where it is delivered.
    pub rule: RuleId,
    /// Since when.
    pub since: Timestamp,
    /// How often it was tried.
    pub attempts: u32,
    /// Not to be tried before this.
    pub not_before: Timestamp,
    /// Why the last attempt failed.
    pub reason: Option<String>,
}

/// Somebody asks for a new password of an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PasswordOwed {
    /// The target's object.
    pub space: SpaceId,
    /// The target.
    pub connector: ConnectorId,
    /// The mesh object.
    pub mesh: MeshId,
    /// The projection rule.
    pub rule: RuleId,
}

/// What became of passwords, written in one transaction.
#[derive(Clone, Debug)]
pub struct PasswordBatch {
    /// The run and who started it.
    pub cause: Cause,
    /// One entry for each object.
    pub settled: Vec<(SpaceId, PasswordSettle)>,
    /// What was wrong with single ones.
    pub findings: Vec<Finding>,
    /// What the run has counted up to here.
    pub counters: Counters,
}

/// What became of one password.
#[derive(Clone, Debug, PartialEq)]
pub enum PasswordSettle {
    /// Set, and delivered where it had to be: nothing is owed any more, and the audit says so.
    Done {
        /// The audit row.
        row: ChangeRow,
    },
    /// Not set, or set and not delivered: a new one is due later.
    Again {
        /// When.
        not_before: Timestamp,
        /// Why.
        reason: String,
    },
    /// The object is not there any more.
    Dropped,
}

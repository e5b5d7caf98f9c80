//! Why a run could not go on.

use identitymesh_connector::{Class, ConnectorError};
use identitymesh_engine::joins::Refusal;
use identitymesh_engine::rules::RuleProblem;
use identitymesh_model::{Name, RunId};
use identitymesh_store::StoreError;

/// A run's failure. Everything committed before it is kept.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The store failed.
    #[error("the store could not be read or written")]
    Store(#[from] StoreError),
    /// The connected system failed.
    #[error("the connected system could not be used")]
    Connector(#[from] ConnectorError),
    /// No configuration is in force.
    #[error("RUN-001: no configuration is in force; put one in force with `identitymesh apply DIR`")]
    NoConfiguration,
    /// There is no such connector.
    #[error("RUN-002: there is no connector {name}; the configuration has {known}")]
    UnknownConnector {
        /// What was asked for.
        name: String,
        /// What there is.
        known: String,
    },
    /// The connector is switched off.
    #[error("RUN-003: the connector {name} is disabled in its file")]
    Disabled {
        /// Which.
        name: String,
    },
    /// The connector's kind cannot do this.
    #[error("RUN-004: the connector {name} is of a type that cannot {what}")]
    Unsupported {
        /// Which connector.
        name: String,
        /// What it cannot do.
        what: &'static str,
    },
    /// Settings do not fit their schema.
    #[error("RUN-005: the settings of {name} are not usable: {problems}")]
    Settings {
        /// Which connector.
        name: String,
        /// All problems.
        problems: String,
    },
    /// A secret could not be resolved.
    #[error("RUN-006: a secret of {name} could not be resolved")]
    Secret {
        /// Which connector.
        name: String,
        /// Why.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The rules do not compile.
    #[error("RUN-007: the configuration has {} problems", .0.len())]
    Rules(Vec<RuleProblem>),
    /// Somebody stopped the run.
    #[error("RUN-008: the run was cancelled; everything before that is kept")]
    Cancelled,
    /// Stored data cannot be understood.
    #[error("RUN-009: stored {what} cannot be understood")]
    Stored {
        /// What.
        what: &'static str,
        /// Why.
        #[source]
        source: serde_json::Error,
    },
    /// An attribute that rules read is not in the system's schema any more.
    #[error(
        "RUN-012: {name} has no {missing} of {object_type} any more, which its rules read; nothing was imported, or \
         every value would look withdrawn"
    )]
    Vanished {
        /// Which connector.
        name: String,
        /// The object type.
        object_type: Name,
        /// The attributes.
        missing: String,
    },
    /// Somebody else runs it just now.
    #[error(
        "RUN-011: {what} is at work in run {run}; wait for it to end, or cancel it, and start again: nothing was done"
    )]
    Busy {
        /// What is at work.
        what: String,
        /// Which run.
        run: RunId,
    },
    /// A password that a person gave was not set.
    #[error("PWD-004: the password was not set: {reason}")]
    PasswordNotSet {
        /// The system's words.
        reason: String,
    },
    /// No rule says what a new password looks like.
    #[error(
        "PWD-008: no projection rule of {name} has a [projection.password] table for {object_type}, so there is nothing \
         to make a password by and nowhere to deliver it; write one, or give the password yourself with --ask"
    )]
    NoPasswordRule {
        /// Which connector.
        name: String,
        /// The target's object type.
        object_type: Name,
    },
    /// The object is gone or belongs to nobody.
    #[error("PWD-009: the target's object is gone, or belongs to no mesh object; nothing was done")]
    NoSuchObject,
    /// There is no such plan, or more than one.
    #[error(
        "RUN-013: no stored plan, or more than one, has a hash that begins with {hash:?}; see `identitymesh plans list`"
    )]
    UnknownPlan {
        /// What was asked for.
        hash: String,
    },
    /// A stored plan is not what its name says.
    #[error(
        "RUN-015: the files of plan {hash} are not what was kept under this hash; nothing was done: make the plan anew"
    )]
    ForeignPlan {
        /// Which.
        hash: String,
    },
    /// The rules are others than those of the plan.
    #[error(
        "RUN-016: the plan {hash} was made under configuration {made}, and {now} is in force; nothing was done: make the \
         plan anew"
    )]
    OtherConfiguration {
        /// Which.
        hash: String,
        /// The version under which it was made.
        made: i64,
        /// The version in force.
        now: i64,
    },
    /// The configuration in force is not the one with which a plan's own was compared.
    #[error(
        "RUN-023: the plan {hash} brings a configuration that was compared with version {base}, and {now} is in force; \
         nothing was done: keep the plan anew with `identitymesh preview --config DIR --save`"
    )]
    ComparedWithOther {
        /// Which.
        hash: String,
        /// The version with which it was compared.
        base: i64,
        /// The version in force.
        now: i64,
    },
    /// A stored plan could not be read or written.
    #[error("RUN-017: stored plans in {path} could not be read or written")]
    PlanFile {
        /// Where.
        path: String,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// A plan was to be carried out without a reason.
    #[error("RUN-020: carrying out a stored plan needs a reason; nothing was done: say why with --reason")]
    NoReason,
    /// Nothing could be undone.
    #[error("RUN-018: nothing was undone: {why}")]
    Undo {
        /// Why.
        why: String,
    },
    /// A decision about joins contradicts what is there.
    #[error("RUN-019: {0}; nothing was changed")]
    Refused(#[from] Refusal),
    /// Not everybody was looked at under the rules in force, so nobody is found by what is new in them.
    #[error(
        "RUN-021: version {version} of the configuration is in force, and not everybody was looked at under it yet, so \
         what its join rules would find is not known; nothing was changed: run `identitymesh run full-sync` first"
    )]
    NotLookedAt {
        /// The version in force.
        version: i64,
    },
    /// No join or create rule is or was called so.
    #[error("RUN-022: no join or create rule is or was called {called:?}; there are {known}")]
    UnknownRule {
        /// What was asked for.
        called: String,
        /// What there is and was.
        known: String,
    },
    /// A worker ended without an answer.
    #[error(
        "RUN-010: a worker of the run ended unexpectedly; this is a defect, please report it with the log"
    )]
    Worker,
}

impl RunError {
    /// Whether the same run may work later without anybody changing anything.
    #[must_use]
    pub const fn is_transient(&self) -> bool {
        match self {
            Self::Store(error) => matches!(error.class, identitymesh_store::StoreClass::Transient),
            Self::Connector(error) => matches!(error.class, Class::Transient),
            _ => false,
        }
    }

    /// Whether somebody stopped the run.
    #[must_use]
    pub const fn is_cancelled(&self) -> bool {
        match self {
            Self::Cancelled => true,
            Self::Connector(error) => matches!(error.class, Class::Cancelled),
            _ => false,
        }
    }
}

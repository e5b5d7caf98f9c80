//! Asking for reasons, and taking back.

use clap::{Args, Subcommand};
use identitymesh_model::{RunId, Timestamp};
use identitymesh_runner::Moment;

#[derive(Debug, Subcommand)]
pub(crate) enum WhyCommand {
    /// Every contribution to a value: the winner, and why the others lost
    Value(WhyArguments),
    /// By which rule and values an object is linked, or what stands against it
    Link {
        /// The connector
        connector: String,
        /// The external id
        id: String,
        #[command(flatten)]
        then: ThenArguments,
    },
    /// By which rule a mesh object is in a target, or why it is not; what waits, is held or was put aside
    Export {
        /// Its anchor, public id or a join key
        object: String,
        /// In this target only
        #[arg(long)]
        connector: Option<String>,
        #[command(flatten)]
        then: ThenArguments,
    },
    /// What keeps a mesh object and its accounts from being deleted, and what comes next
    Deletion {
        /// Its anchor, public id or a join key
        object: String,
        #[command(flatten)]
        then: ThenArguments,
    },
}

#[derive(Debug, Args)]
pub(crate) struct WhyArguments {
    /// Its anchor, public id or a join key
    pub(crate) object: String,
    /// One attribute; all when none is named
    pub(crate) attribute: Option<String>,
    #[command(flatten)]
    pub(crate) moment: MomentArguments,
}

/// From when an answer is wanted, and whether about what was done or what was not.
#[derive(Debug, Args)]
pub(crate) struct ThenArguments {
    #[command(flatten)]
    pub(crate) moment: MomentArguments,
    /// Why it was not done: what there was then, through the rules of then
    #[arg(long, requires = "then")]
    pub(crate) not: bool,
}

/// From when an answer is wanted; from now when nothing is said.
#[derive(Debug, Args)]
pub(crate) struct MomentArguments {
    /// What this run did, made again from its inputs and rules
    #[arg(long, value_name = "RUN", group = "then")]
    run: Option<i64>,
    /// What was done last at this time, made again from its inputs and rules
    #[arg(long, value_name = "TIME", group = "then")]
    at: Option<Timestamp>,
}

impl MomentArguments {
    /// The moment, if it is not now.
    pub(crate) fn moment(&self) -> Option<Moment> {
        self.run.map(|run| Moment::Run(RunId(run))).or(self.at.map(Moment::At))
    }
}

#[derive(Debug, Subcommand)]
pub(crate) enum UndoCommand {
    /// What an export run sent; of a sync, what was sent since for the objects that it changed
    Run {
        /// The run's number
        run: i64,
        #[command(flatten)]
        arguments: UndoArguments,
    },
    /// What was sent for one mesh object since a time
    Object {
        /// Its anchor, public id or a join key
        object: String,
        /// Back to how it was then, such as 2026-03-02T08:00:00Z
        #[arg(long, value_name = "TIME")]
        to: Timestamp,
        #[command(flatten)]
        arguments: UndoArguments,
    },
    /// Single exports, by the rows that `mesh history` shows
    Changes {
        /// The rows' numbers
        #[arg(required = true)]
        rows: Vec<i64>,
        #[command(flatten)]
        arguments: UndoArguments,
    },
}

impl UndoCommand {
    /// What all of them are told.
    pub(crate) const fn arguments(&self) -> &UndoArguments {
        match self {
            Self::Run { arguments, .. }
            | Self::Object { arguments, .. }
            | Self::Changes { arguments, .. } => arguments,
        }
    }
}

#[derive(Debug, Args)]
pub(crate) struct UndoArguments {
    /// Show what would lead back, and write nothing; this is what happens without `--apply` too
    #[arg(long, conflicts_with = "apply")]
    pub(crate) preview: bool,
    /// Queue what leads back; the next exports send it
    #[arg(long, requires = "reason")]
    pub(crate) apply: bool,
    /// Why; kept in the audit
    #[arg(long, value_name = "TEXT", value_parser = clap::builder::NonEmptyStringValueParser::new())]
    pub(crate) reason: Option<String>,
    /// Only if the plan is the one that the preview named
    #[arg(long, value_name = "HASH", requires = "apply")]
    pub(crate) hash: Option<String>,
}

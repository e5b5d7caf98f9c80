//! The arguments of `joins`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::PageArguments;

#[derive(Debug, Subcommand)]
pub(crate) enum JoinsCommand {
    /// List objects whose join is a conflict, with their candidates
    List {
        /// Of this connector
        #[arg(long)]
        connector: Option<String>,
        #[command(flatten)]
        page: PageArguments,
    },
    /// Show one object with its candidates, their scores and the values behind them
    Show {
        #[command(flatten)]
        object: SpaceObject,
    },
    /// Say that an object belongs to a mesh object
    Link {
        #[command(flatten)]
        object: SpaceObject,
        /// The mesh object, by anchor, public id or a join key
        mesh: String,
        #[command(flatten)]
        arguments: ReasonArguments,
    },
    /// Take an object from its mesh object; no rule links the two again
    Unlink {
        #[command(flatten)]
        object: SpaceObject,
        #[command(flatten)]
        arguments: ReasonArguments,
    },
    /// Say that no rule may ever link an object and a mesh object
    Never {
        #[command(flatten)]
        object: SpaceObject,
        /// The mesh object, by anchor, public id or a join key
        mesh: String,
        #[command(flatten)]
        arguments: ReasonArguments,
    },
    /// Make a mesh object of its own of some objects of one
    Split {
        /// The mesh object, by anchor, public id or a join key
        mesh: String,
        /// The objects that go, as CONNECTOR/ID
        #[arg(long, value_name = "OBJECT", num_args = 1.., value_delimiter = ',', required = true)]
        objects: Vec<String>,
        /// The new mesh object's anchor; what a create rule gives when not said
        #[arg(long)]
        anchor: Option<String>,
        #[command(flatten)]
        arguments: ReasonArguments,
    },
    /// Make one mesh object of two: links, references and memberships go to the first, which keeps its anchor
    Merge {
        /// The one that stays, by anchor, public id or a join key
        survivor: String,
        /// The one that ends
        other: String,
        #[command(flatten)]
        arguments: ReasonArguments,
    },
    /// Ask the rules in force about links that rules made, and make the links what they say
    Reevaluate {
        #[command(flatten)]
        links: LinkArguments,
        /// Spell out every link that would change; else the first 200
        #[arg(long)]
        all: bool,
        #[command(flatten)]
        act: ActArguments,
    },
    /// Take a decision back
    Revert {
        /// Its number, as `joins decisions` tells
        decision: i64,
        #[command(flatten)]
        arguments: ReasonArguments,
    },
    /// List decisions, newest first
    Decisions {
        /// How many at most
        #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=10_000))]
        limit: u32,
    },
    /// Measure a join rule on pairs of which people say whether they are the same; it need not be enabled
    Measure {
        /// The rule's name, with the connector's before a colon where several are called so
        #[arg(long)]
        rule: String,
        /// A CSV file with the columns source (external id), mesh (anchor or key) and same (yes or no)
        #[arg(long, value_name = "FILE")]
        pairs: PathBuf,
    },
}

/// A management-space object.
#[derive(Clone, Debug, Args)]
pub(crate) struct SpaceObject {
    /// The connector
    pub(crate) connector: String,
    /// The external id
    pub(crate) id: String,
    /// The object type, where the connector has several objects with this id
    #[arg(long = "type")]
    pub(crate) object_type: Option<String>,
}

/// Which links.
#[derive(Clone, Debug, Args)]
pub(crate) struct LinkArguments {
    /// Those of this connector
    #[arg(long)]
    pub(crate) connector: Option<String>,
    /// Those of objects of this type of connected systems
    #[arg(long = "type")]
    pub(crate) object_type: Option<String>,
    /// Those that this rule made, whether it is still in force or not; with the connector's name before a colon where
    /// several are called so
    #[arg(long)]
    pub(crate) rule: Option<String>,
    /// Change so many links at most; one act never changes more than 10,000
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) limit: Option<u32>,
}

/// Whether it is only looked at, or why it is done.
#[derive(Clone, Debug, Args)]
#[group(required = true, multiple = true)]
pub(crate) struct ActArguments {
    /// Show exactly what would follow, and change nothing
    #[arg(long)]
    pub(crate) preview: bool,
    /// Why; kept in the audit
    #[arg(long, value_name = "TEXT", value_parser = clap::builder::NonEmptyStringValueParser::new())]
    pub(crate) reason: Option<String>,
}

/// Why somebody decides, and whether it is only tried.
#[derive(Clone, Debug, Args)]
pub(crate) struct ReasonArguments {
    /// Why; kept in the audit
    #[arg(long, value_name = "TEXT", value_parser = clap::builder::NonEmptyStringValueParser::new())]
    pub(crate) reason: String,
    /// Show exactly what would follow, and change nothing
    #[arg(long)]
    pub(crate) preview: bool,
}

//! The arguments of `space` and `mesh`.

use clap::{Args, Subcommand};
use identitymesh_model::Timestamp;

use super::WhyArguments;

#[derive(Debug, Subcommand)]
pub(crate) enum SpaceCommand {
    /// List objects
    List {
        /// Of this connector
        #[arg(long)]
        connector: Option<String>,
        /// Only objects without a mesh object
        #[arg(long)]
        unjoined: bool,
        /// Only objects that were exported and not yet seen by an import
        #[arg(long)]
        unconfirmed: bool,
        #[command(flatten)]
        page: PageArguments,
    },
    /// Show one object
    Show {
        /// The connector
        connector: String,
        /// The external id
        id: String,
        /// As it was at this time, such as 2026-03-02T08:00:00Z
        #[arg(long, value_name = "TIME")]
        at: Option<Timestamp>,
    },
    /// Show what changed, when, by which run; also of an object that is gone
    History {
        /// The connector
        connector: String,
        /// The external id
        id: String,
    },
}

#[derive(Debug, Args)]
pub(crate) struct PageArguments {
    /// How many rows at most
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub(crate) limit: u32,
    /// Start after this key, which the last answer named
    #[arg(long)]
    pub(crate) after: Option<i64>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum MeshCommand {
    /// List mesh objects
    List {
        /// Of this type
        #[arg(long = "type")]
        mesh_type: Option<String>,
        /// With this text in them
        #[arg(long)]
        contains: Option<String>,
        #[command(flatten)]
        page: PageArguments,
        /// The whole mesh as it was at this time, one object as JSON to a line
        #[arg(long, value_name = "TIME", conflicts_with_all = ["contains", "limit", "after"])]
        at: Option<Timestamp>,
    },
    /// Show one object: values, links, queue
    Show {
        /// Its anchor, public id or a join key such as a mail address
        object: String,
        /// As it was at this time, such as 2026-03-02T08:00:00Z
        #[arg(long, value_name = "TIME")]
        at: Option<Timestamp>,
    },
    /// Show what changed, when, by what
    History {
        /// Its anchor, public id or a join key; also of an object that is gone
        object: String,
        /// Only this attribute: its values, and how long each held
        #[arg(long, value_name = "NAME")]
        attribute: Option<String>,
    },
    /// Say why a value is as it is, and what lost against it: short for `why value`
    Why(WhyArguments),
}

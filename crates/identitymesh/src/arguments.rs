//! The command line.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

mod asking;
mod joins;
mod looking;

pub(crate) use asking::{UndoArguments, UndoCommand, WhyArguments, WhyCommand};
pub(crate) use joins::{ActArguments, JoinsCommand, LinkArguments, ReasonArguments, SpaceObject};
pub(crate) use looking::{MeshCommand, PageArguments, SpaceCommand};

/// Keeps people, groups and accounts the same in every system that holds them.
#[derive(Debug, Parser)]
#[command(name = "identitymesh", version, max_term_width = 110, arg_required_else_help = true)]
pub(crate) struct Arguments {
    /// The data directory: store, lock, drop files
    #[arg(long, global = true, env = "IDENTITYMESH_DATA", default_value = "data", value_name = "DIR")]
    pub(crate) data: PathBuf,
    /// Answer in JSON
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// Say more in the log on the error stream
    #[arg(long, short, global = true)]
    pub(crate) verbose: bool,
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Watch a sample company become accounts and groups
    Demo(DemoArguments),
    /// Write a commented configuration to start from
    Init {
        /// A new or empty directory
        directory: PathBuf,
    },
    /// Show what a configuration directory would change, and change nothing
    Plan {
        /// The configuration directory
        directory: PathBuf,
    },
    /// Put a configuration directory in force
    Apply {
        /// The configuration directory
        directory: PathBuf,
    },
    /// Write the configuration in force as a directory
    ExportConfig {
        /// Where to write
        directory: PathBuf,
    },
    /// Carry out a run profile
    Run(RunArguments),
    /// Show what a sync would change and what the next exports would send or hold, and change nothing
    Preview(PreviewArguments),
    /// Stored plans: what a preview found, to be carried out exactly so
    #[command(subcommand)]
    Plans(PlansCommand),
    /// Connectors and their connected systems
    #[command(subcommand)]
    Connector(ConnectorCommand),
    /// Management spaces: objects as connectors last saw them
    #[command(subcommand)]
    Space(SpaceCommand),
    /// The mesh: unified records, their history and their reasons
    #[command(subcommand)]
    Mesh(MeshCommand),
    /// The export queue
    #[command(subcommand)]
    Exports(ExportsCommand),
    /// What the mass-change guard holds, and deciding on it
    #[command(subcommand)]
    Holds(HoldsCommand),
    /// Say why a value, a link, an export or a deletion is as it is, and why not otherwise
    #[command(subcommand)]
    Why(WhyCommand),
    /// Take back what was written to targets
    #[command(subcommand)]
    Undo(UndoCommand),
    /// Joins that wait for a person, decisions about them, and how good a join rule is
    #[command(subcommand)]
    Joins(JoinsCommand),
    /// Runs and their findings
    #[command(subcommand)]
    Runs(RunsCommand),
    /// Passwords in targets: what is owed, and setting one anew; never shown
    #[command(subcommand)]
    Password(PasswordCommand),
    /// Secrets: set, list, remove; never shown
    #[command(subcommand)]
    Secrets(SecretsCommand),
    /// The audit chain
    #[command(subcommand)]
    Audit(AuditCommand),
    /// Measure each stage on this machine, beside what the plain driver takes for the same bytes
    Bench(BenchArguments),
    /// Check the data directory and everything that it needs
    Doctor,
    /// Completions for a shell
    Completions {
        /// Which shell
        shell: clap_complete::Shell,
    },
}

#[derive(Debug, Args)]
pub(crate) struct DemoArguments {
    /// People in the company, 1 to 2,000,000
    #[arg(long, default_value_t = 5_000)]
    pub(crate) people: u32,
    /// The company is the same for the same seed
    #[arg(long, default_value_t = 1)]
    pub(crate) seed: u64,
    /// No pauses between the acts
    #[arg(long)]
    pub(crate) once: bool,
    /// Fill this directory too, such as ldap://127.0.0.1:389
    #[arg(long, value_name = "URL", requires_all = ["ldap_bind", "ldap_base"])]
    pub(crate) ldap: Option<String>,
    /// Sign in as this DN; the password is asked for, or taken from IDENTITYMESH_DEMO_LDAP_PASSWORD
    #[arg(long, value_name = "DN")]
    pub(crate) ldap_bind: Option<String>,
    /// Put everything below this DN
    #[arg(long, value_name = "DN")]
    pub(crate) ldap_base: Option<String>,
    /// Trust this certificate authority, and use TLS
    #[arg(long, value_name = "FILE")]
    pub(crate) ldap_ca: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct BenchArguments {
    /// People in the population, 100 to 10,000,000: 100,000 unless told, of a directory 10,000; a million take about 3 GB of
    /// disk twice, and a few minutes
    #[arg(long, value_parser = clap::value_parser!(u64).range(100..=10_000_000))]
    pub(crate) objects: Option<u64>,
    /// Which store to measure
    #[arg(long, value_enum, default_value_t = BenchStore::Sqlite)]
    pub(crate) store: BenchStore,
    /// Only these cases; what they need is carried out too
    #[arg(long, value_enum, value_name = "NAME", conflicts_with = "target")]
    pub(crate) case: Vec<BenchCase>,
    /// Put the measurement's files below this directory, on the disk that is to be measured; they are removed afterwards
    #[arg(long, value_name = "DIR")]
    pub(crate) below: Option<PathBuf>,
    /// Measure writing to and reading from this directory, such as ldap://127.0.0.1:389; reading needs `ldapsearch`
    #[arg(long, value_name = "URL", requires_all = ["bind", "container"])]
    pub(crate) target: Option<String>,
    /// Sign in to the directory as this DN; the password is asked for, or taken from IDENTITYMESH_BENCH_PASSWORD
    #[arg(long, value_name = "DN", requires = "target")]
    pub(crate) bind: Option<String>,
    /// Work in this container, such as ou=bench,dc=example,dc=com: it must not be there, is made, and is removed at the end
    #[arg(long, value_name = "DN", requires = "target")]
    pub(crate) container: Option<String>,
    /// Trust this certificate authority, and use TLS
    #[arg(long, value_name = "FILE", requires = "target")]
    pub(crate) ca: Option<PathBuf>,
    /// Writes in flight at a time, 1 to 256
    #[arg(long, default_value_t = 16, value_parser = clap::value_parser!(u16).range(1..=256))]
    pub(crate) window: u16,
}

/// What can be measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum BenchCase {
    /// The first full import
    FullImportFirst,
    /// A full import in which nothing changed
    FullImportUnchanged,
    /// Planning alone, on one thread and on two
    Plan,
    /// Join, attribute flow, projection, history and audit of everybody
    FullSync,
    /// Sending everybody to a target that takes everything at once
    Export,
    /// A hundred changes, from the source to the queue
    #[value(name = "delta-100")]
    Delta100,
    /// Everybody against a second population without a common number: a fuzzy join with blocks; only where it is named
    Fuzzy,
    /// What a sync would do: with everybody new, and with one in fifty changed; the store stays as it is
    Preview,
    /// One in a hundred leaves, out of groups too, from the source to the queue; only where it is asked for
    Leavers,
}

/// The stores that can be measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum BenchStore {
    /// The embedded store
    Sqlite,
}

impl BenchStore {
    /// Its word.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Sqlite => "sqlite",
        }
    }
}

#[derive(Debug, Args)]
pub(crate) struct PreviewArguments {
    /// What this run profile would do, from what it reads to what would be sent first; connected systems are only read
    #[arg(long, value_enum, value_name = "PROFILE", conflicts_with_all = ["object", "contains", "mesh_type", "config"])]
    pub(crate) run: Option<Profile>,
    /// Only what this connector's pending objects would change; with --run, the connector of the run
    #[arg(long, conflicts_with_all = ["object", "contains", "mesh_type"])]
    pub(crate) connector: Option<String>,
    /// Only what would change for this mesh object
    #[arg(long, conflicts_with_all = ["contains", "mesh_type"])]
    pub(crate) object: Option<String>,
    /// Only what would change for mesh objects with this text in them
    #[arg(long, value_name = "TEXT")]
    pub(crate) contains: Option<String>,
    /// Only what would change for mesh objects of this type
    #[arg(long = "type", value_name = "TYPE")]
    pub(crate) mesh_type: Option<String>,
    /// What would change under this configuration directory, which is not in force yet
    #[arg(long, value_name = "DIR")]
    pub(crate) config: Option<PathBuf>,
    /// Spell out every object, not only the first
    #[arg(long)]
    pub(crate) all: bool,
    /// Keep the plan, to carry out exactly this with `plans apply HASH`; with --config the configuration is part of it
    #[arg(long)]
    pub(crate) save: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum PlansCommand {
    /// List stored plans, newest first
    List,
    /// Show what a plan would do
    Show {
        /// The beginning of its hash
        hash: String,
    },
    /// Carry a plan out as it was kept, with the configuration that it brings; what is not as it was then is left out and
    /// said to be so
    Apply {
        /// The beginning of its hash
        hash: String,
        /// Why; kept in the audit with the plan's hash
        #[arg(long, value_name = "TEXT", value_parser = clap::builder::NonEmptyStringValueParser::new())]
        reason: String,
        /// Exit with 3 when something was left out
        #[arg(long)]
        strict: bool,
    },
}

#[derive(Debug, Args)]
pub(crate) struct RunArguments {
    /// What to run
    pub(crate) profile: Profile,
    /// On which connector; `cycle` and `full-sync` take all when none is named
    #[arg(long)]
    pub(crate) connector: Option<String>,
    /// Exit with 3 when the run is held or has findings
    #[arg(long)]
    pub(crate) strict: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Profile {
    /// Read everything
    FullImport,
    /// Read what changed
    DeltaImport,
    /// Work what was read into the mesh and on to the queues
    Sync,
    /// Look at everything again
    FullSync,
    /// Send the queue
    Export,
    /// Read what the target says after an export
    ConfirmingImport,
    /// Import, sync, export and confirm until nothing is left to do
    Cycle,
    /// Stay connected to one connector: its changes become exports as they happen, until Ctrl-C or SIGTERM
    Follow,
}

#[derive(Debug, Subcommand)]
pub(crate) enum ConnectorCommand {
    /// What each connector type connects, can do and must be told
    Types,
    /// The connectors in force
    List,
    /// Connect, sign in and read one object
    Test {
        /// The connector
        name: String,
    },
    /// Ask the connected system for its object types and attributes
    Discover {
        /// The connector
        name: String,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum ExportsCommand {
    /// List what waits, retries or was put aside
    List {
        /// For this target
        #[arg(long)]
        connector: Option<String>,
        /// Only what was refused or failed too often
        #[arg(long, conflicts_with = "held")]
        dead: bool,
        /// Only what is held or was rejected
        #[arg(long)]
        held: bool,
        #[command(flatten)]
        page: PageArguments,
    },
    /// Let items be sent again at the next export
    Retry {
        /// For this target; all when none is named
        #[arg(long)]
        connector: Option<String>,
        /// These items; all that were put aside or wait when none is named
        items: Vec<i64>,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum HoldsCommand {
    /// List holds, newest first
    List {
        /// Of this connector
        #[arg(long)]
        connector: Option<String>,
        /// Those on which was decided too
        #[arg(long)]
        all: bool,
        /// How many at most
        #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=10_000))]
        limit: u32,
    },
    /// Show one hold: its objects, what they have in common, who decided what
    Show {
        /// Its number
        hold: i64,
        #[command(flatten)]
        page: PageArguments,
    },
    /// Let exactly these changes happen
    Approve(DecisionArguments),
    /// Never let these changes happen as they are
    Reject(DecisionArguments),
}

#[derive(Debug, Args)]
pub(crate) struct DecisionArguments {
    /// The hold's number
    pub(crate) hold: i64,
    /// Why; kept in the audit
    #[arg(long, value_name = "TEXT", value_parser = clap::builder::NonEmptyStringValueParser::new())]
    pub(crate) reason: String,
    /// Only these objects, by anchor, external id, public id or the number that `show` names, as in `#41`
    #[arg(long, value_name = "OBJECT", num_args = 1.., value_delimiter = ',')]
    pub(crate) objects: Vec<String>,
    /// Only if the hold covers exactly this content, as `show` names it
    #[arg(long, value_name = "HASH")]
    pub(crate) hash: Option<String>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum RunsCommand {
    /// List runs, newest first
    List {
        /// How many at most
        #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=10_000))]
        limit: u32,
    },
    /// Show one run with its findings
    Show {
        /// Its number
        run: i64,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum SecretsCommand {
    /// Set a secret; the value comes from a prompt or standard input
    Set {
        /// Its name, such as ad/svc
        name: String,
        /// What it is for
        #[arg(long, default_value = "")]
        description: String,
    },
    /// List secrets, never their values
    List,
    /// Remove a secret
    Remove {
        /// Its name
        name: String,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum PasswordCommand {
    /// List objects whose password was not set, or not delivered, yet
    List {
        /// Only of this connector
        #[arg(long)]
        connector: Option<String>,
    },
    /// Set a new password, made by the projection rule and delivered where that says
    Reset {
        /// The connector
        #[arg(long)]
        connector: String,
        /// The mesh object: its anchor, public id or a join key
        #[arg(long)]
        object: String,
        /// Give the password at a prompt or on standard input; it is delivered to nobody
        #[arg(long)]
        ask: bool,
        /// With --ask: it has to be changed at the next sign-in
        #[arg(long, requires = "ask")]
        must_change: bool,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum AuditCommand {
    /// Check that no row of the audit was changed, removed or added
    Verify,
}

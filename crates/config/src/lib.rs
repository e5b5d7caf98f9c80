//! Configuration as code: directories of TOML, read, checked, compared and written.
//!
//! Ring 1. `mesh.toml` says what the mesh holds, `connectors/NAME.toml` is one connector with its rules. Reading
//! reports every problem of every file at once, each with its file, line and key. Writing gives the same bytes for
//! the same configuration, so that a directory under version control only shows real changes.

mod check;
mod difference;
mod pending;
mod problem;
mod read;
mod template;
mod write;

pub use check::check;
pub use difference::{Difference, difference};
pub use problem::ConfigProblem;
pub use read::{Loaded, read_directory};
pub use template::template;
pub use write::{to_files, write_files};

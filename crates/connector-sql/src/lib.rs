//! Connectors to SQL databases; the kind `sqlite` now.
//!
//! Ring 2. Statement texts, value forms and settings are here once for all databases; what differs between them is a
//! [`dialect`] and a folder such as [`sqlite`] that talks to the driver. Identifiers are taken from the discovered
//! schema and quoted, values are always bound, never pasted (connectors, SQL).

mod dialect;
mod error;
mod key;
mod layout;
mod raw;
mod settings;
mod sqlite;
mod statement;
mod value;
mod watermark;

pub use sqlite::SqliteKind;

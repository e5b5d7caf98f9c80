//! The contract between the runner and every connected system.
//!
//! Ring 1. A *kind* is stateless: it describes its settings, checks them without touching anything, and connects. A
//! *session* is one connection; it imports, exports, tests and discovers as far as its kind says it can. Nothing
//! outlives a session, every call ends by its deadline or when cancelled, and no session decides anything: what to
//! import, what to send and what an answer means is the caller's. `docs/connector-contract.md` is this in prose.

mod change;
#[cfg(feature = "conformance")]
pub mod conformance;
mod error;
mod export;
mod import;
mod kind;
mod password;
mod registry;
mod session;
mod settings;

pub use change::{Change, ImportedObject, Patch};
pub use error::{Class, ConnectorError};
pub use export::{AttributeChange, ChangeKind, Identity, Operation, OperationKind, Outcome, Written};
pub use import::{
    Certificate, FollowRequest, ImportMode, ImportRequest, ObjectFinding, Page, Progress, Watermark,
};
pub use kind::{Capabilities, ConnectorKind, Descriptor};
pub use password::NewPassword;
pub use registry::Registry;
pub use session::{
    Context, Exporter, Follower, Importer, PRESENCE_ASKED_MAX, Passwords, SOURCE_CHARS_MAX, Session,
    TestReport,
};
pub use settings::{Problem, SettingKind, SettingSchema, Settings, SettingsSchema};

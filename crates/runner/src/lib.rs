//! Carries out runs: imports, syncs, exports and whole cycles.
//!
//! Ring 3. The engine decides, the store keeps, connectors talk to systems; the runner moves data between them in
//! bounded parts, records every run with its counts and state, and can be stopped between any two parts without
//! losing anything. Asynchronous code lives here and in connectors, nowhere further in.

mod again;
mod busy;
mod cycle;
mod error;
mod export;
mod follow;
mod force;
mod guard;
mod import;
mod mesh;
mod observe;
mod password;
mod plans;
mod preview;
mod reasons;
mod reconsider;
mod run;
mod surroundings;
mod sync;
mod undo;

pub use again::{
    Again, Agreement, LinkAgain, LinkThen, Made, Moment, NotThen, ObjectThen, SentAgain, again, link_again,
    not_linked, not_sent, sent_again,
};
pub use cycle::{CycleReport, catch_up, cycle};
pub use error::RunError;
pub use export::export;
pub use follow::{FollowEvent, follow};
pub use force::{Applied, InForce, apply_configuration, check_configuration, configuration_of};
pub use guard::Flow;
pub use import::{ImportKind, import};
pub use mesh::{LARGE_SET_MEMBERS, Mesh, SecretResolver};
pub use observe::{Observer, Silent, Stage};
pub use password::{ResetPassword, reset_password};
pub use plans::{PlanDirectory, PlanHead, PlanWriter, StoredPlan, apply_plan};
pub use preview::{Foreseen, Group, Groups, PartSink, PlannedRun, Question, Sandbox, preview};
pub use reasons::{EndedLink, ExportReason, LinkDecision, LinkReason, why_export, why_link};
pub use reconsider::{ChangedLink, LinkScope, LinksAgain, reconsider_links};
pub use run::{RunReport, Steps};
pub use sync::{JoinAsk, JoinDecided, Reevaluated, SyncScope, decide_join, reevaluate_joins, sync};
pub use undo::{UndoEntry, UndoForeseen, UndoPlan, UndoScope, UndoStays, plan_undo, preview_undo, undo};

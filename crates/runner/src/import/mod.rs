//! Imports: what a connected system holds, into its management space (sync semantics, section 2).
//!
//! Pages are read while earlier ones are compared and written. Each written part carries the newest watermark with
//! it, so a run that ends early has lost nothing. Only a full import whose every partition is proved complete says
//! what is gone, and then at most as much as the connector's limit allows.

mod bounds;
mod certify;
mod mended;
mod part;
mod presence;
mod seen;
mod stager;
mod work;

pub(crate) use mended::Mended;
pub(crate) use part::{body, referents};
pub(crate) use presence::channel;
pub(crate) use stager::{Piece, Stager};
pub use work::{ImportKind, import};
pub(crate) use work::{PAGE_OBJECTS, PAGES_WAITING, committed_watermark, is_refusal, mended};

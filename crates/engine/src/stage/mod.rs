//! Staging: what an imported object means for the management space (sync semantics, section 2).
//!
//! An object is compared with what is known by the hash of its canonical text first; most are unchanged and cost no
//! more. What differs is replaced. For an object that something was exported to, every attribute that was exported
//! and now holds something else is *drift*: somebody else changed it. Drift remembers what was exported, so that the
//! object's own values are never mistaken for news and a foreign value always is. References are compared by whom they
//! mean.

mod bounds;
mod compare;
mod form;
mod referents;

pub use self::bounds::{
    EXTERNAL_ID_BYTES_MAX, id_out_of_bounds, is_out_of_bounds, object_out_of_bounds, set_aside,
    value_out_of_bounds,
};
pub use self::compare::{Difference, compare, doubtful_references};
pub use self::form::{Exported, Staged, fingerprint, is_reference_set, names, patched, staged, with_known};
pub use self::referents::{Referents, Told};

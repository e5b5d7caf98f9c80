//! Objects as they were: from what they are, walking back over their own changes.
//!
//! Nothing else is read, so the cost is that object's history since then and no more. Where a moment is asked for,
//! changes count as later when their time is; a clock that was set back in between is taken at its word.

mod cut;
mod former;
mod mesh;
mod space;
mod spans;

pub use cut::Cut;
pub use former::former_links;
pub use mesh::{PastMesh, mesh_at};
pub use space::{linked_at, space_at, space_before, space_last, space_when};
pub use spans::{Span, spans};

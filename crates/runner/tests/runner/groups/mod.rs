//! Large sets of references, looked at member by member: the same outcome as looking at all, for work in proportion to
//! the change.

mod histories;
pub(crate) mod place;
mod work;

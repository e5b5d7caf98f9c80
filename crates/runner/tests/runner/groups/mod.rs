//! Large sets of references, looked at member by member: the same outcome as looking at all, for work in proportion to
//! the change.

mod histories;
pub(crate) mod place;
mod undone;
mod work;

pub(crate) use histories::{Event, GROUPS, MEMBERS, PEOPLE, event, play};
pub(crate) use place::{Fed, Looks, Rules, Shape, configuration, person_dn};

//! References that a system keeps in step by itself, and tells nobody.
//!
//! Active Directory, and OpenLDAP with `refint`, let the members of a group follow an account that is renamed, and take
//! out one that is deleted. They report the account, and not the group. So a delta that was read to its end settles
//! what became of the references that it did not show: those to a renamed object get its new name, those to a deleted
//! one go. That happens before anything is marked as gone and before the place behind the read is kept.
//!
//! A name can have another bearer by then. Whom a reference meant is asked of the past: whoever had the name when
//! references were settled last, a moment that is kept in the same transaction as what was settled. A run that breaks
//! off before or behind it does no harm.

mod meant;
mod settle;
mod shown;
mod subjects;

pub(crate) use shown::Mended;
pub(super) use subjects::Inferred;

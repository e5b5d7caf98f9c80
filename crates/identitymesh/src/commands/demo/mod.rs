//! `demo`: a sample company becomes accounts and groups, in three acts.
//!
//! An act is source files that depend on nothing but the company's size, seed and the act, and one cycle over them.
//! Files are written whole before the act's cycle begins; what was reached is noted in the store when it has ended. So
//! a demo that is killed anywhere and started again ends where an undisturbed one does.

mod acts;
mod files;
mod ldap;
mod memory;
mod run;
mod story;
mod summary;

pub(super) use run::run;

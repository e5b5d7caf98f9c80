//! Passwords of objects in targets: made when they are needed, set, delivered, and forgotten.
//!
//! What is written down is that an object *owes* a password, never the password. It owes one from the transaction in
//! which it is known to be there, until one was set and delivered. If anything fails in between, or the process ends, a
//! new one is made and set: whoever received the old one, if anybody did, receives the new one too.

mod check;
mod deliver;
mod desk;
mod make;
mod reset;

pub(crate) use check::password_problems;
pub(crate) use desk::{AtHand, Desk};
pub(crate) use make::make;
pub use reset::{ResetPassword, reset_password};

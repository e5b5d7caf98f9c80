//! From configuration to compiled rules, with every problem reported at once.
//!
//! A problem in one rule never hides one in another: what cannot be compiled is left out and the rest goes on. Each
//! part of the configuration has its file; what they share is in [`checks`] and [`environment`].

mod checks;
mod compiler;
mod connector;
mod environment;
mod inbound;
mod join;
mod leave;
mod mesh_type;
mod passwords;
mod projection;

pub use compiler::{CompileInput, compile};

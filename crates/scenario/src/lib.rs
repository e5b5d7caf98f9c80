//! Synchronization told as text.
//!
//! [`World`] keeps state in memory and carries out plans as a store does, with simulated systems around it. A
//! *scenario file* says in an administrator's words what rules are in force, what the systems deliver and what the
//! plan must be; [`run_text`] plays it and gives the same text back with what really happened. That is how a bug of
//! synchronization is reported, reproduced and kept. The format is described in `docs/scenarios.md`.

mod text;
mod world;

pub use text::{Problem, Rules, run_text, tell_mesh};
pub use world::{
    Answer, Ask, Asked, End, Exported, Incoming, Moment, Page, Patch, ReadFault, Space, State, Stopped,
    System, Systems, World, WorldNames,
};

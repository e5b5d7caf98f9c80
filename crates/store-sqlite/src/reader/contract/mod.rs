//! The contract's reading half, method by method: what is asked, and what it is called when it fails.

mod guard;
mod joins;
mod lists;
mod past;
mod reader;

//! The binary as its users meet it: real files, a real database, a real directory, and processes that are killed.

mod demo;
mod first_mesh;
mod process;
mod trouble;

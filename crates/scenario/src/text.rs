//! Scenario files: text in, text out.
//!
//! A file is a list of statements, one to a line; rules and tables of rows follow their statement. Lines that begin
//! with `|` are what the statement above gave when the file was last accepted; playing a file gives the same text
//! with what really happened in their place. What is wrong with a file names its line. `docs/scenarios.md` lists all
//! statements.

mod hands;
mod joins;
mod play;
mod rows;
mod rules;
mod show;
mod statement;
mod step;

pub use play::run_text;
pub use rules::Rules;
pub use show::mesh as tell_mesh;

/// What is wrong with a scenario file.
#[derive(Debug, thiserror::Error)]
#[error("line {line}: {message}")]
pub struct Problem {
    /// The line, counted from 1.
    pub line: usize,
    /// What is wrong, and what would be right.
    pub message: String,
}

impl Problem {
    fn new(line: usize, message: impl Into<String>) -> Self {
        Self { line, message: message.into() }
    }
}

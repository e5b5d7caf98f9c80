//! What a structural check found, and how a list of findings is reported.
//!
//! A check returns all its findings instead of stopping at the first, so that one run shows everything
//! that needs mending. A finding is printed as `path:line: message`, which editors turn into a link.

use std::fmt;
use std::process::ExitCode;

/// One broken rule at one place.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Finding {
    /// Relative to the workspace root, with `/` between the parts.
    pub(crate) path: String,
    /// Counted from 1.
    pub(crate) line: usize,
    /// What is wrong and what to do about it.
    pub(crate) message: String,
}

impl Finding {
    pub(crate) fn new(path: &str, line: usize, message: impl Into<String>) -> Self {
        Self { path: path.to_owned(), line, message: message.into() }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.path, self.line, self.message)
    }
}

/// Prints the findings in the order of their places, then their number; any finding is a failure.
pub(crate) fn report(check: &str, looked_at: &str, mut findings: Vec<Finding>) -> ExitCode {
    findings.sort();
    for finding in &findings {
        eprintln!("{finding}");
    }
    eprintln!("{check}: {looked_at}, findings: {}", findings.len());
    if findings.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

//! What is wrong with a configuration directory.

use std::fmt;

/// One problem and its place.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct ConfigProblem {
    /// `CFG-003`; has a page in `docs/error-codes`.
    pub code: &'static str,
    /// The file, relative to the directory.
    pub file: String,
    /// The line, where it is known, from 1.
    pub line: Option<usize>,
    /// The key, as a path: `projection[0].attribute[2].mode`.
    pub path: String,
    /// What, and what would be right, one sentence.
    pub message: String,
}

impl fmt::Display for ConfigProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code, self.file)?;
        if let Some(line) = self.line {
            write!(f, ":{line}")?;
        }
        if !self.path.is_empty() {
            write!(f, ": {}", self.path)?;
        }
        write!(f, ": {}", self.message)
    }
}

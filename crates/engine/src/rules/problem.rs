//! What is wrong with a rule.

/// One problem, with its place in the configuration.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{code}: {path}: {message}")]
pub struct RuleProblem {
    /// `ENG-001`; has a page in `docs/error-codes`.
    pub code: &'static str,
    /// Where: `connectors/hr.toml: flow 3 (mail)`.
    pub path: String,
    /// What, and what would be right, one sentence in lower case.
    pub message: String,
}

impl RuleProblem {
    /// A problem at `path`.
    #[must_use]
    pub fn new(code: &'static str, path: &str, message: impl Into<String>) -> Self {
        Self { code, path: path.to_owned(), message: message.into() }
    }
}

//! Why a whole call failed, as opposed to one object.
//!
//! The class decides what the runner does: a transient failure is tried again with back-off, the others end the run
//! in a named state with everything committed so far kept.

use std::error::Error;
use std::fmt;

/// What kind of failure it is, and so what can be done about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Class {
    /// The network, a busy server, a deadline: may work next time.
    Transient,
    /// Settings, certificates or credentials are wrong: a person must change something.
    Configuration,
    /// What the system delivered cannot be understood.
    Data,
    /// The system refuses this caller.
    Denied,
    /// The system's state is not the expected one.
    Conflict,
    /// The caller asked to stop.
    Cancelled,
    /// This product is wrong.
    Bug,
}

/// A failed call: a stable code, one sentence, the cause, what to try.
#[derive(Debug)]
pub struct ConnectorError {
    /// `LDP-003`; has a page in `docs/error-codes`.
    pub code: &'static str,
    /// What can be done about it.
    pub class: Class,
    /// What was attempted and what went wrong, one sentence in lower case without a full stop, free of secrets.
    pub message: String,
    /// What to try.
    pub advice: Option<String>,
    /// What the library or system said.
    pub source: Option<Box<dyn Error + Send + Sync>>,
}

impl ConnectorError {
    /// An error without cause or advice.
    pub fn new(code: &'static str, class: Class, message: impl Into<String>) -> Self {
        Self { code, class, message: message.into(), advice: None, source: None }
    }

    /// With what to try.
    #[must_use]
    pub fn advice(mut self, advice: impl Into<String>) -> Self {
        self.advice = Some(advice.into());
        self
    }

    /// With its cause.
    #[must_use]
    pub fn caused_by(mut self, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// The caller asked to stop.
    #[must_use]
    pub fn cancelled() -> Self {
        Self::new("CON-001", Class::Cancelled, "the call was cancelled")
    }

    /// The session's kind does not offer what was asked of it.
    pub fn unsupported(what: &str) -> Self {
        Self::new("CON-002", Class::Configuration, format!("this connector type cannot {what}"))
            .advice("see `identitymesh connector types` for what each type can do")
    }
}

impl fmt::Display for ConnectorError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code, self.message)
    }
}

impl Error for ConnectorError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.source.as_deref().map(|source| source as &(dyn Error + 'static))
    }
}

//! Why a store could not do what it was asked.

use std::error::Error;

/// What kind of failure it is, and so what can be done about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StoreClass {
    /// Busy, locked, disk full, connection lost: may work later; nothing was changed.
    Transient,
    /// The store is not usable as configured: wrong path, newer schema, another process has it.
    Configuration,
    /// The state is not what the caller expected: a version moved, a lease is not ours.
    Conflict,
    /// Stored data contradicts itself.
    Corrupt,
    /// This product is wrong.
    Bug,
}

/// A failed store call. Nothing of the call's transaction was kept.
#[derive(Debug, thiserror::Error)]
#[error("{code}: {message}")]
pub struct StoreError {
    /// `STO-003`; has a page in `docs/error-codes`.
    pub code: &'static str,
    /// What can be done about it.
    pub class: StoreClass,
    /// What was attempted on which table or row, one sentence in lower case without a full stop.
    pub message: String,
    /// What to try.
    pub advice: Option<&'static str>,
    /// What the backend said.
    #[source]
    pub source: Option<Box<dyn Error + Send + Sync>>,
}

impl StoreError {
    /// An error without cause or advice.
    pub fn new(code: &'static str, class: StoreClass, message: impl Into<String>) -> Self {
        Self { code, class, message: message.into(), advice: None, source: None }
    }

    /// With what to try.
    #[must_use]
    pub const fn advice(mut self, advice: &'static str) -> Self {
        self.advice = Some(advice);
        self
    }

    /// With its cause.
    #[must_use]
    pub fn caused_by(mut self, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        self.source = Some(source.into());
        self
    }
}

//! Why a clause ended before its end.

use std::error::Error;

use crate::Class;

/// Why a clause ended early. Every error turns into [`Stop::Broken`] with its whole chain, so that `?` is enough in
/// clauses and in subjects.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stop {
    /// The kind does not offer what the clause is about.
    NotOffered(&'static str),
    /// The clause is broken, in words that say what was expected and what was found.
    Broken(String),
}

impl<E: Error + Send + Sync + 'static> From<E> for Stop {
    fn from(error: E) -> Self {
        let mut text = error.to_string();
        let mut cause = error.source();
        while let Some(inner) = cause {
            text.push_str(": ");
            text.push_str(&inner.to_string());
            cause = inner.source();
        }
        Self::Broken(text)
    }
}

/// Ends the clause as broken unless the condition holds.
macro_rules! ensure {
    ($condition:expr, $($words:tt)+) => {
        if !$condition {
            return Err($crate::conformance::Stop::Broken(format!($($words)+)));
        }
    };
}
pub(super) use ensure;

/// Ends the clause as not offered unless the kind can do it.
pub(super) fn offered(can: bool, what: &'static str) -> Result<(), Stop> {
    if can { Ok(()) } else { Err(Stop::NotOffered(what)) }
}

/// The class of a call that has to fail.
pub(super) fn class_of<T>(result: Result<T, crate::ConnectorError>, call: &str) -> Result<Class, Stop> {
    match result {
        Ok(_) => Err(Stop::Broken(format!("{call} succeeded where it has to fail"))),
        Err(error) => Ok(error.class),
    }
}

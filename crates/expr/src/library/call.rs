//! One call: the arguments, of the kinds that the table names, and what the run provides.
//!
//! The evaluator has checked the kinds before, so an accessor that meets another kind is a mistake in the table,
//! which the test that calls every function finds. Arguments are taken out, not copied.

use std::borrow::Cow;
use std::sync::Arc;

use super::{PatternCache, Prepared};
use crate::bounds::{BINARY_BYTES_MAX, LIST_COUNT_MAX, TEXT_BYTES_MAX};
use crate::data::Data;
use crate::errors::Fault;
use crate::scope::Scope;

pub(crate) struct Call<'c, 'a> {
    pub(crate) arguments: &'c mut [Data<'a>],
    pub(crate) scope: &'a Scope<'a>,
    pub(crate) prepared: Option<&'c Prepared>,
    pub(crate) patterns: &'c mut PatternCache,
}

impl<'a> Call<'_, 'a> {
    /// Whether the argument was given and is not absent.
    pub(super) fn has(&self, index: usize) -> bool {
        self.arguments.get(index).is_some_and(|argument| *argument != Data::Absent)
    }

    pub(super) fn take(&mut self, index: usize) -> Data<'a> {
        std::mem::take(&mut self.arguments[index])
    }

    pub(super) fn text(&mut self, index: usize) -> Cow<'a, str> {
        text_of(self.take(index))
    }

    pub(super) fn text_or(&mut self, index: usize, default: &'static str) -> Cow<'a, str> {
        if self.has(index) { self.text(index) } else { Cow::Borrowed(default) }
    }

    pub(super) fn integer(&self, index: usize) -> i64 {
        match &self.arguments[index] {
            Data::Integer(number) => *number,
            other => unreachable!("checked before the call to be an integer: {:?}", other.kind()),
        }
    }

    /// A number of things: an integer that is not negative.
    pub(super) fn count(&self, index: usize, name: &str) -> Result<usize, Fault> {
        let number = self.integer(index);
        usize::try_from(number)
            .map_err(|_| Fault::value(format!("{name} must not be negative, but is {number}")))
    }

    pub(super) fn date(&self, index: usize) -> identitymesh_model::Timestamp {
        match &self.arguments[index] {
            Data::Date(at) => *at,
            other => unreachable!("checked before the call to be a date: {:?}", other.kind()),
        }
    }

    /// The bytes of a binary value, or of a text in UTF-8.
    pub(super) fn bytes(&mut self, index: usize) -> Cow<'a, [u8]> {
        match self.take(index) {
            Data::Binary(bytes) => bytes,
            other => match text_of(other) {
                Cow::Borrowed(text) => Cow::Borrowed(text.as_bytes()),
                Cow::Owned(text) => Cow::Owned(text.into_bytes()),
            },
        }
    }

    /// A list; a single value is a list of one, absent an empty one.
    pub(super) fn list(&mut self, index: usize) -> Arc<Vec<Data<'a>>> {
        match self.take(index) {
            Data::List(items) => items,
            Data::Absent => Arc::default(),
            single => Arc::new(vec![single]),
        }
    }
}

/// The text of a text, reference or integer.
pub(super) fn text_of(data: Data<'_>) -> Cow<'_, str> {
    match data {
        Data::Text(text) | Data::Reference(text) => text,
        Data::Integer(number) => Cow::Owned(number.to_string()),
        other => unreachable!("checked before the call to be text: {:?}", other.kind()),
    }
}

/// A part of a text, copied only where the text itself was made on the way.
pub(super) fn part(text: Cow<'_, str>, from: usize, to: usize) -> Cow<'_, str> {
    match text {
        Cow::Borrowed(text) => Cow::Borrowed(&text[from..to]),
        Cow::Owned(mut text) => {
            text.truncate(to);
            text.drain(..from);
            Cow::Owned(text)
        }
    }
}

/// Text that grows up to [`TEXT_BYTES_MAX`] bytes and not beyond.
#[derive(Default)]
pub(crate) struct Bounded(String);

impl Bounded {
    pub(crate) fn push(&mut self, text: &str) -> Result<(), Fault> {
        if self.0.len() + text.len() > TEXT_BYTES_MAX {
            return Err(Fault::text_too_large());
        }
        self.0.push_str(text);
        Ok(())
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn finish<'a>(self) -> Data<'a> {
        Data::Text(Cow::Owned(self.0))
    }
}

/// Whether a result stays within its bound. What was there before and merely passes through does not count.
pub(crate) fn bounded(data: Data<'_>) -> Result<Data<'_>, Fault> {
    match &data {
        Data::Text(Cow::Owned(text)) | Data::Reference(Cow::Owned(text)) if text.len() > TEXT_BYTES_MAX => {
            Err(Fault::text_too_large())
        }
        Data::Binary(Cow::Owned(bytes)) if bytes.len() > BINARY_BYTES_MAX => {
            Err(Fault::TooLarge { limit: BINARY_BYTES_MAX, unit: "bytes of binary" })
        }
        Data::List(items) if items.len() > LIST_COUNT_MAX => Err(Fault::list_too_large()),
        _ => Ok(data),
    }
}

//! The transform language as its users meet it: text in, value or message out.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on says so by panicking")]

mod compiling;
mod documents;
mod functions;
mod language;
mod limits;
mod properties;
mod support;

//! The transform language as its users meet it: text in, value or message out.

mod compiling;
mod documents;
mod functions;
mod language;
mod limits;
mod properties;
mod support;

//! OpenLDAP.

mod accesslog;
mod codec;
mod facts;
#[cfg(test)]
mod faults;
mod feed;
mod mark;
mod place;
mod refresh;
mod ways;
mod witnesses;

use facts::STYLE;
pub(crate) use facts::{FACTS, delta, is_it};

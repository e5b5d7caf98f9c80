//! Tests of the runner over a real store, against systems in memory.

mod seen;

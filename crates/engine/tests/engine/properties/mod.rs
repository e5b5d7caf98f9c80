//! What holds whatever the population, the rules and the order of events.
//!
//! Random histories are played in a world of their own, with the same seeds on every machine. A history that breaks a
//! property is cut down to the shortest that still does, printed, and kept in `tests/properties.regressions`, which is
//! played first from then on.

mod company;
mod history;
mod laws;
mod trials;

pub(crate) use trials::trials;

//! What the tests of all crates share; never part of the product.
//!
//! [`real`] starts systems that the product talks to in production, [`bytes`] looks for a planted secret in
//! everything that was written, [`failing`] is a store that fails at a chosen call, [`temp`] gives a test a directory of its own. A helper panics only where the
//! machine is at fault and a test could do nothing but panic as well.

pub mod bytes;
pub mod failing;
pub mod real;
pub mod temp;

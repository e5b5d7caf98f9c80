//! Every clause of the contract, on a file of its own.

use crate::harness::SqliteHarness;

identitymesh_store::conformance_tests!(SqliteHarness::new());

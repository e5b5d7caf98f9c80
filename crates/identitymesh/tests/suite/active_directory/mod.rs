//! A company into a domain controller, through the binary: first load, a day of changes, leavers, a return.
//!
//! After every cycle the domain is read with `ldapsearch` and compared with what this test computes from the inputs by
//! itself; then another cycle must send nothing.

mod company;
mod configuration;
mod story;

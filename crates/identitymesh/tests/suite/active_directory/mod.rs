//! A company of thousands in a domain controller, with an OpenLDAP phone book fed from it, through the binary: first load,
//! a day of changes, leavers, a return, containers moved by others, telephone numbers that are changed on either side.
//!
//! One cycle suffices for whatever happened. After it both directories are read with `ldapsearch` and compared with what
//! this test computes from the inputs by itself; every object is still the one that it was; and another cycle must send
//! nothing, which the directories' own marks of change confirm.

mod company;
mod configuration;
mod containers;
mod delivered;
mod directories;
mod expected;
mod number;
mod passwords;
mod story;
mod telephones;
mod world;

//! What the pages say, done as they say it, and held against what the program says of itself.
//!
//! Blocks are taken from the pages themselves. A page names the words in which the example stands for the reader's own
//! system, and a test puts the server's in their place: nothing else is changed. What a page has done on Windows is done
//! by what it means ([`windows`]).

mod active_directory;
mod ldap;
mod page;
mod readme;
mod rights;
mod settings;
mod shell;
mod windows;

//! Against a real domain controller (Samba), read back with `ldapsearch`.

mod changes;
mod conformance;
mod connect;
mod export;
mod fake;
mod fake_writes;
mod import;
mod large;
mod limits;
mod subject;
mod support;
mod writers;

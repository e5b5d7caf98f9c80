//! Against real directories, read back with `ldapsearch`.

#[cfg(test)]
mod accesslog;
#[cfg(test)]
mod active_directory;
#[cfg(test)]
mod changes;
#[cfg(test)]
mod conformance;
#[cfg(test)]
mod connect;
#[cfg(test)]
mod export;
#[cfg(test)]
mod faults;
#[cfg(test)]
mod import;
#[cfg(test)]
mod large;
#[cfg(test)]
mod measure;
#[cfg(test)]
mod subject;
#[cfg(test)]
mod support;
mod writers;

//! Against a real OpenLDAP, read back with `ldapsearch`.

#[cfg(test)]
mod connect;
#[cfg(test)]
mod export;
#[cfg(test)]
mod faults;
#[cfg(test)]
mod import;
#[cfg(test)]
mod support;

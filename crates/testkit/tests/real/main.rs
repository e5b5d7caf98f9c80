//! Real systems, started and read back by the test kit itself.

#[cfg(test)]
mod ds389;
#[cfg(test)]
mod samba_ad;
#[cfg(test)]
mod slapd;

//! Ports of 127.0.0.1 for servers that must keep theirs over a restart.
//!
//! They lie below the range from which the system takes ports for outgoing connections, so nobody gets the
//! port of a stopped server by accident. Two tests may still choose the same; whoever starts a server tries
//! again with the next.

use std::net::{Ipv4Addr, TcpListener};
use std::process;
use std::sync::atomic::{AtomicU16, Ordering};

const FIRST: u16 = 20_000;
const COUNT: u16 = 12_000;

/// Counts on through one process; different processes begin at different places.
static NEXT: AtomicU16 = AtomicU16::new(0);

/// A port on which nobody listened a moment ago.
///
/// # Panics
/// When all 12,000 ports are taken.
pub(crate) fn free_port() -> u16 {
    // Neighbouring process ids are spread, so that tests started together do not compete.
    let start = process::id().wrapping_mul(7_919) % u32::from(COUNT);
    let start = u16::try_from(start).expect("a remainder is smaller than its divisor");
    (0..COUNT)
        .map(|_| FIRST + (start + NEXT.fetch_add(1, Ordering::Relaxed) % COUNT) % COUNT)
        .find(|port| TcpListener::bind((Ipv4Addr::LOCALHOST, *port)).is_ok())
        .expect("a machine on which 12,000 ports are taken cannot run these tests")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports_are_free_different_and_in_the_range() {
        let (one, two) = (free_port(), free_port());
        assert_ne!(one, two);
        for port in [one, two] {
            assert!((FIRST..FIRST + COUNT).contains(&port));
            TcpListener::bind((Ipv4Addr::LOCALHOST, port)).unwrap();
        }
    }
}

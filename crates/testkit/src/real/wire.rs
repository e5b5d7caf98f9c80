//! A wire with a meter: passes bytes between a client and a server on, and counts them.

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Where a client connects instead of to the server.
#[derive(Debug)]
pub struct Wire {
    /// The address of the wire, with the scheme of the server's.
    pub url: String,
    counts: Arc<[AtomicU64; 2]>,
}

impl Wire {
    /// A wire to the server at `url`, such as `ldap://127.0.0.1:3389`; without a port that of its scheme.
    ///
    /// # Panics
    /// When `url` has no scheme, or this machine gives no port.
    #[must_use]
    pub fn to(url: &str) -> Self {
        let (scheme, server) = url.split_once("://").expect("an address has a scheme");
        let listener = TcpListener::bind("127.0.0.1:0").expect("the machine has a free port");
        let here = listener.local_addr().expect("a listener has an address");
        let counts: Arc<[AtomicU64; 2]> = Arc::default();
        let port = if scheme == "ldaps" { 636 } else { 389 };
        let server = if server.contains(':') { server.to_owned() } else { format!("{server}:{port}") };
        let counted = Arc::clone(&counts);
        std::thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                let Ok(server) = TcpStream::connect(&server) else { continue };
                let (Ok(from_client), Ok(from_server)) = (client.try_clone(), server.try_clone()) else {
                    continue;
                };
                pass(from_client, server, Arc::clone(&counted), 0);
                pass(from_server, client, Arc::clone(&counted), 1);
            }
        });
        Self { url: format!("{scheme}://{here}"), counts }
    }

    /// Bytes sent to the server and received from it since the last call.
    #[must_use]
    pub fn take(&self) -> (u64, u64) {
        (self.counts[0].swap(0, Ordering::Relaxed), self.counts[1].swap(0, Ordering::Relaxed))
    }
}

fn pass(mut from: TcpStream, mut to: TcpStream, counts: Arc<[AtomicU64; 2]>, at: usize) {
    std::thread::spawn(move || {
        let mut buffer = vec![0; 1 << 16];
        while let Ok(count @ 1..) = from.read(&mut buffer) {
            counts[at].fetch_add(count as u64, Ordering::Relaxed);
            if to.write_all(&buffer[..count]).is_err() {
                break;
            }
        }
        // Fails only for a connection that is closed already.
        let _closed = to.shutdown(Shutdown::Both);
    });
}

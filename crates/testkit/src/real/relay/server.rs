//! The running relay: an address of its own, a server behind it, and the test's decisions.

use std::io;
use std::net::TcpListener as StdListener;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use anyhow::{Context, Result};
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, RootCertStore, ServerConfig};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Runtime;
use tokio_rustls::{TlsAcceptor, TlsConnector};

use super::connection::{Stream, carry};
use super::message::{Action, Message};
use crate::real::certificates::{Certificates, Validity};
use crate::temp::{TempDir, directory};

type Decide = Box<dyn FnMut(&Message) -> Action + Send>;

/// A relay in front of one server at a time.
pub struct Relay {
    /// Where clients find it: `ldap://` or `ldaps://`, as the server's address.
    pub url: String,
    /// PEM file of the authority that signed its certificate.
    pub ca_file: PathBuf,
    shared: Arc<Shared>,
    runtime: Option<Runtime>,
    _folder: TempDir,
}

#[derive(Default)]
struct Shared {
    target: Mutex<Option<Target>>,
    decide: Mutex<Option<Decide>>,
    requests: Mutex<Vec<Message>>,
    connections: AtomicUsize,
    /// Counts the servers that were meant; connections to others end.
    generation: AtomicUsize,
}

#[derive(Clone)]
struct Target {
    address: String,
    tls: Option<(TlsConnector, ServerName<'static>)>,
}

impl Relay {
    /// Starts a relay in front of the server at `url`, `ldap://` or `ldaps://`, whose certificate `ca_file` vouches for.
    ///
    /// # Panics
    /// When it cannot be started.
    #[must_use = "the relay ends when the value is dropped"]
    pub fn to(url: &str, ca_file: &Path) -> Self {
        match Self::start(url, ca_file) {
            Ok(relay) => relay,
            Err(error) => panic!("no relay for this test: {error:#}"),
        }
    }

    /// From now on connections lead to another server, reached in the same way; those there are end.
    ///
    /// # Panics
    /// When the file of its authority cannot be read.
    pub fn point_to(&self, url: &str, ca_file: &Path) {
        let target = Target::new(url, ca_file).unwrap_or_else(|error| panic!("no such server: {error:#}"));
        *lock(&self.shared.target) = Some(target);
        self.shared.generation.fetch_add(1, Ordering::SeqCst);
    }

    /// Asks `decide` about every message from now on. It may take its time: what follows on any connection waits.
    pub fn decide(&self, decide: impl FnMut(&Message) -> Action + Send + 'static) {
        *lock(&self.shared.decide) = Some(Box::new(decide));
    }

    /// Hands everything on again.
    pub fn calm(&self) {
        *lock(&self.shared.decide) = None;
    }

    /// The requests that arrived since this was last asked, in their order, whatever became of them.
    pub fn take_requests(&self) -> Vec<Message> {
        std::mem::take(&mut lock(&self.shared.requests))
    }

    fn start(url: &str, ca_file: &Path) -> Result<Self> {
        let folder = directory();
        let certificates = Certificates::create(folder.path(), &[], Validity::Always)?;
        let target = Target::new(url, ca_file)?;
        let acceptor = if target.tls.is_some() { Some(acceptor(&certificates)?) } else { None };
        let listener = StdListener::bind("127.0.0.1:0")?;
        listener.set_nonblocking(true)?;
        let scheme = if acceptor.is_some() { "ldaps" } else { "ldap" };
        let url = format!("{scheme}://{}", listener.local_addr()?);
        let shared = Arc::new(Shared { target: Mutex::new(Some(target)), ..Shared::default() });
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
        runtime.spawn(serve(listener, acceptor, Arc::clone(&shared)));
        let ca_file = certificates.authority;
        Ok(Self { url, ca_file, shared, runtime: Some(runtime), _folder: folder })
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

impl Target {
    fn new(url: &str, ca_file: &Path) -> Result<Self> {
        let (scheme, host) = url.split_once("://").context("an address begins with ldap:// or ldaps://")?;
        let is_tls = scheme == "ldaps";
        let has_port = host.contains(':');
        let port = if is_tls { 636 } else { 389 };
        let address = if has_port { host.to_owned() } else { format!("{host}:{port}") };
        if !is_tls {
            return Ok(Self { address, tls: None });
        }
        let mut roots = RootCertStore::empty();
        for certificate in CertificateDer::pem_file_iter(ca_file)? {
            roots.add(certificate?)?;
        }
        let config = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()?
            .with_root_certificates(roots)
            .with_no_client_auth();
        let name = host.split(':').next().unwrap_or(host).to_owned();
        Ok(Self { address, tls: Some((TlsConnector::from(Arc::new(config)), ServerName::try_from(name)?)) })
    }

    async fn connect(&self) -> io::Result<Box<dyn Stream>> {
        let socket = TcpStream::connect(&self.address).await?;
        socket.set_nodelay(true)?;
        Ok(match &self.tls {
            None => Box::new(socket),
            Some((connector, name)) => Box::new(connector.connect(name.clone(), socket).await?),
        })
    }
}

fn acceptor(certificates: &Certificates) -> Result<TlsAcceptor> {
    let chain = CertificateDer::pem_file_iter(&certificates.server)?.collect::<Result<Vec<_>, _>>()?;
    let key = PrivateKeyDer::from_pem_file(&certificates.server_key)?;
    let config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(chain, key)?;
    Ok(TlsAcceptor::from(Arc::new(config)))
}

async fn serve(listener: StdListener, acceptor: Option<TlsAcceptor>, shared: Arc<Shared>) {
    let listener = TcpListener::from_std(listener).expect("the runtime takes a socket that listens");
    while let Ok((socket, _)) = listener.accept().await {
        let (acceptor, shared) = (acceptor.clone(), Arc::clone(&shared));
        tokio::spawn(async move {
            // A client or a server that goes away ends the connection, and that is all there is to it.
            let _ended = connection(socket, acceptor, shared).await;
        });
    }
}

async fn connection(socket: TcpStream, acceptor: Option<TlsAcceptor>, shared: Arc<Shared>) -> io::Result<()> {
    socket.set_nodelay(true)?;
    let number = shared.connections.fetch_add(1, Ordering::SeqCst);
    let generation = shared.generation.load(Ordering::SeqCst);
    let target = lock(&shared.target).clone();
    let target = target.ok_or(io::ErrorKind::NotConnected)?;
    let client: Box<dyn Stream> = match acceptor {
        None => Box::new(socket),
        Some(acceptor) => Box::new(acceptor.accept(socket).await?),
    };
    let server = target.connect().await?;
    let decide = |message: &Message| {
        if shared.generation.load(Ordering::SeqCst) != generation {
            return Action::Cut;
        }
        if message.is_request {
            lock(&shared.requests).push(message.clone());
        }
        let action = lock(&shared.decide).as_mut().map_or(Action::Pass, |decide| decide(message));
        if !message.is_request && message.is_last && action == Action::Pass {
            let mut requests = lock(&shared.requests);
            let is_its = |one: &&mut Message| one.connection == number && one.id == message.id;
            requests.iter_mut().rev().find(is_its).into_iter().for_each(|one| one.is_answered = true);
        }
        action
    };
    carry(number, client, server, decide).await
}

/// A test that failed while it held a lock has said so itself.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

//! A certificate authority of its own for each test server, so that trusting one proves which server answered.
//!
//! The certificate names `localhost`, 127.0.0.1 and ::1 and is valid for all times: tests do not age. Where a test wants
//! an expired one, the server's alone ended long ago.
//! Clients should say 127.0.0.1: the OpenLDAP commands replace `localhost` by the machine's own name.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa, KeyPair,
    KeyUsagePurpose, date_time_ymd,
};

/// PEM files in one folder.
#[derive(Debug, Clone)]
pub(crate) struct Certificates {
    pub(crate) authority: PathBuf,
    pub(crate) server: PathBuf,
    pub(crate) server_key: PathBuf,
}

/// Whether a server's certificate is still good.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Validity {
    Always,
    /// It ended with this millennium's first year.
    Expired,
}

impl Certificates {
    /// Makes new keys and writes the files; the certificate has these names besides those of this machine.
    pub(crate) fn create(folder: &Path, names: &[&str], validity: Validity) -> Result<Self> {
        let authority = CertifiedIssuer::self_signed(authority_params(), KeyPair::generate()?)?;
        let server_key = KeyPair::generate()?;
        let server = server_params(names, validity)?.signed_by(&server_key, &authority)?;
        let write = |name: &str, content: String| -> Result<PathBuf> {
            let path = folder.join(name);
            fs::write(&path, content).with_context(|| format!("cannot write {}", path.display()))?;
            Ok(path)
        };
        Ok(Self {
            authority: write("authority.pem", authority.pem())?,
            server: write("server.pem", server.pem())?,
            server_key: write("server-key.pem", server_key.serialize_pem())?,
        })
    }
}

fn authority_params() -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, "IdentityMesh test authority");
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params
}

fn server_params(names: &[&str], validity: Validity) -> Result<CertificateParams> {
    let names = ["localhost", "127.0.0.1", "::1"].iter().chain(names).map(|name| (*name).to_owned());
    let mut params = CertificateParams::new(names.collect::<Vec<_>>())?;
    params.distinguished_name.push(DnType::CommonName, "localhost");
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    params.use_authority_key_identifier_extension = true;
    if validity == Validity::Expired {
        params.not_after = date_time_ymd(2001, 12, 31);
    }
    Ok(params)
}

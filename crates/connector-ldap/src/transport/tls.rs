//! TLS: whom to trust, and what a failed handshake means for the person who must mend it.
//!
//! TLS 1.2 and 1.3 by the one provider that this product uses. Without a file of authorities those of the operating
//! system are trusted. Accepting any certificate is possible and still checks that the server holds its key.

use std::path::Path;
use std::sync::Arc;

use identitymesh_connector::{Class, ConnectorError};
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, aws_lc_rs, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{CertificateError, ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};

use crate::error;
use crate::settings::Config;

/// Largest file of authorities.
const CA_FILE_BYTES_MAX: u64 = 16 << 20;

/// How connections are encrypted.
pub(crate) fn client_config(config: &Config) -> Result<Arc<ClientConfig>, ConnectorError> {
    let provider = Arc::new(aws_lc_rs::default_provider());
    let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .map_err(|source| wrong("TLS cannot be set up").caused_by(source))?;
    if config.trust_server_certificate {
        let verifier = Arc::new(AnyCertificate(provider));
        return Ok(Arc::new(
            builder.dangerous().with_custom_certificate_verifier(verifier).with_no_client_auth(),
        ));
    }
    let roots = match &config.ca_file {
        Some(file) => roots_of(file)?,
        None => roots_of_the_system()?,
    };
    Ok(Arc::new(builder.with_root_certificates(roots).with_no_client_auth()))
}

fn wrong(message: impl Into<String>) -> ConnectorError {
    ConnectorError::new(error::TLS, Class::Configuration, message)
}

fn roots_of(file: &Path) -> Result<RootCertStore, ConnectorError> {
    let unusable = |why: &str| {
        wrong(format!("the certificate authorities in {} cannot be read: {why}", file.display()))
            .advice("set ca_file to the PEM file of the authority that signed the server's certificate")
    };
    let size = std::fs::metadata(file)
        .map_err(|source| unusable("the file cannot be opened").caused_by(source))?
        .len();
    if size > CA_FILE_BYTES_MAX {
        return Err(unusable(&format!("it has more than {CA_FILE_BYTES_MAX} bytes")));
    }
    let content =
        std::fs::read(file).map_err(|source| unusable("the file cannot be read").caused_by(source))?;
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(&content) {
        let certificate = certificate.map_err(|source| unusable("it is no PEM").caused_by(source))?;
        roots
            .add(certificate)
            .map_err(|source| unusable("a certificate in it is broken").caused_by(source))?;
    }
    if roots.is_empty() {
        return Err(unusable("it holds no certificate"));
    }
    Ok(roots)
}

fn roots_of_the_system() -> Result<RootCertStore, ConnectorError> {
    let mut roots = RootCertStore::empty();
    let (_added, _unusable) = roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    if roots.is_empty() {
        return Err(wrong("the operating system trusts no certificate authority")
            .advice("install the package ca-certificates, or set ca_file"));
    }
    Ok(roots)
}

/// A failed handshake with what to do about it; `None` when the error is none of TLS.
pub(crate) fn handshake_failed(address: &str, error: &std::io::Error) -> Option<ConnectorError> {
    let error = error.get_ref()?.downcast_ref::<rustls::Error>()?.clone();
    let advice = match &error {
        rustls::Error::InvalidCertificate(certificate) => certificate_advice(certificate),
        _ => {
            "check that the address speaks LDAP over TLS 1.2 or later: ldaps:// usually means port 636, StartTLS port 389"
        }
    };
    let message = format!("no trusted connection to {address}");
    Some(wrong(message).advice(advice).caused_by(error))
}

fn certificate_advice(error: &CertificateError) -> &'static str {
    match error {
        CertificateError::UnknownIssuer => {
            "set ca_file to the PEM file of the authority that signed the server's certificate"
        }
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            "use a host name in `servers` that the certificate names, or have the certificate issued for this one"
        }
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
            "the server's certificate has expired: renew it, and check this machine's clock"
        }
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            "the server's certificate is not valid yet: check the clocks of both machines"
        }
        _ => {
            "have the server's certificate issued anew for server authentication by an authority named in ca_file"
        }
    }
}

/// Trusts every certificate, after the owner's explicit wish.
#[derive(Debug)]
struct AnyCertificate(Arc<CryptoProvider>);

impl ServerCertVerifier for AnyCertificate {
    fn verify_server_cert(
        &self,
        _end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, certificate, signature, &self.0.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, certificate, signature, &self.0.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_of_bad_certificate_has_its_advice() {
        for (certificate, expected) in [
            (CertificateError::UnknownIssuer, "ca_file"),
            (CertificateError::NotValidForName, "host name"),
            (CertificateError::Expired, "expired"),
            (CertificateError::NotValidYet, "clocks"),
            (CertificateError::BadEncoding, "issued anew"),
        ] {
            let error = std::io::Error::new(
                std::io::ErrorKind::InvalidData,
                rustls::Error::InvalidCertificate(certificate),
            );
            let failed = handshake_failed("ldap.test:636", &error).unwrap();
            assert_eq!((failed.code, failed.class), ("LDP-002", Class::Configuration));
            assert!(failed.advice.unwrap().contains(expected), "{expected}");
        }
        assert!(handshake_failed("x", &std::io::ErrorKind::ConnectionReset.into()).is_none());
    }

    #[test]
    fn a_file_without_certificates_is_no_authority() {
        let folder = identitymesh_testkit::temp::directory();
        let file = folder.path().join("ca.pem");
        let missing = roots_of(&file).unwrap_err();
        assert!(missing.message.contains("cannot be opened"), "{missing}");
        std::fs::write(&file, "hello").unwrap();
        assert!(roots_of(&file).unwrap_err().message.contains("no certificate"));
        std::fs::File::create(&file).unwrap().set_len(CA_FILE_BYTES_MAX + 1).unwrap();
        assert!(roots_of(&file).unwrap_err().message.contains("more than"));
    }
}

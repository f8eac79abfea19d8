//! A certificate authority that lives as long as one run.

use core::fmt;

use rcgen::{
    BasicConstraints, CertificateParams, CustomExtension, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose,
};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use serde::{Deserialize, Serialize};

use crate::error::{Error, While};

/// The authority: signs servers, is trusted by the machine.
pub struct Authority {
    issuer: Issuer<'static, KeyPair>,
    pem: String,
}

impl fmt::Debug for Authority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Authority")
    }
}

/// A server's certificate and key, both PEM. The key is worth nothing outside of the run.
#[derive(Clone, Serialize, Deserialize)]
pub struct ServerCertificate {
    /// Certificate.
    pub certificate: String,
    /// Private key.
    pub key: String,
}

impl fmt::Debug for ServerCertificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ServerCertificate")
    }
}

impl Authority {
    /// Makes one.
    ///
    /// # Errors
    /// The key cannot be made.
    pub fn new() -> Result<Self, Error> {
        let doing = "making the certificate authority";
        let key = KeyPair::generate().trying(doing)?;
        let mut params = CertificateParams::new(Vec::new()).trying(doing)?;
        params.distinguished_name.push(DnType::CommonName, "Virtual Operator Root");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let pem = params.self_signed(&key).trying(doing)?.pem();
        Ok(Self { issuer: Issuer::new(params, key), pem })
    }

    /// The root certificate for those who are to trust it.
    #[must_use]
    pub fn pem(&self) -> &str {
        &self.pem
    }

    /// A certificate with which documents are signed, with extended validation.
    ///
    /// # Errors
    /// The key cannot be made.
    pub fn signer(&self, name: &str) -> Result<ServerCertificate, Error> {
        let doing = "making a certificate for documents";
        let key = KeyPair::generate().trying(doing)?;
        let mut params = CertificateParams::new(Vec::new()).trying(doing)?;
        params.distinguished_name.push(DnType::CommonName, name);
        params.use_authority_key_identifier_extension = true;
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        // certificatePolicies: SEQUENCE { SEQUENCE { OID 2.23.140.1.1 } }.
        let policies = vec![0x30, 0x09, 0x30, 0x07, 0x06, 0x05, 0x67, 0x81, 0x0c, 0x01, 0x01];
        params.custom_extensions = vec![CustomExtension::from_oid_content(&[2, 5, 29, 32], policies)];
        let certificate = params.signed_by(&key, &self.issuer).trying(doing)?.pem();
        Ok(ServerCertificate { certificate, key: key.serialize_pem() })
    }

    /// A certificate for a server with these names.
    ///
    /// # Errors
    /// A name is not a DNS name.
    pub fn server(&self, names: &[&str]) -> Result<ServerCertificate, Error> {
        let doing = "making a server certificate";
        let key = KeyPair::generate().trying(doing)?;
        let mut params =
            CertificateParams::new(names.iter().map(|n| (*n).to_owned()).collect::<Vec<_>>()).trying(doing)?;
        params.distinguished_name.push(DnType::CommonName, names.first().copied().unwrap_or("server"));
        params.use_authority_key_identifier_extension = true;
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        let certificate = params.signed_by(&key, &self.issuer).trying(doing)?.pem();
        Ok(ServerCertificate { certificate, key: key.serialize_pem() })
    }
}

impl ServerCertificate {
    /// The server side of TLS with this certificate.
    ///
    /// # Errors
    /// The PEM is damaged.
    pub fn server_config(&self) -> Result<rustls::ServerConfig, Error> {
        let doing = "setting up the TLS server";
        let chain =
            CertificateDer::pem_slice_iter(self.certificate.as_bytes()).collect::<Result<Vec<_>, _>>().trying(doing)?;
        let key = PrivateKeyDer::from_pem_slice(self.key.as_bytes()).trying(doing)?;
        rustls::ServerConfig::builder_with_provider(provider())
            .with_safe_default_protocol_versions()
            .trying(doing)?
            .with_no_client_auth()
            .with_single_cert(chain, key)
            .trying(doing)
    }
}

/// The client side of TLS that trusts the roots in `pem` and no other.
///
/// # Errors
/// The PEM is damaged or holds no certificate.
pub fn client_config(pem: &str) -> Result<rustls::ClientConfig, Error> {
    let doing = "setting up the TLS client";
    let mut roots = rustls::RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(pem.as_bytes()) {
        roots.add(certificate.trying(doing)?).trying(doing)?;
    }
    if roots.is_empty() {
        return Err(Error::new(doing, "no root certificate"));
    }
    Ok(rustls::ClientConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()
        .trying(doing)?
        .with_root_certificates(roots)
        .with_no_client_auth())
}

fn provider() -> std::sync::Arc<rustls::crypto::CryptoProvider> {
    std::sync::Arc::new(rustls::crypto::ring::default_provider())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_ends_are_made_from_one_authority() {
        let authority = Authority::new().unwrap();
        let server = authority.server(&["portal.mobile.example"]).unwrap();
        assert!(server.server_config().is_ok());
        assert!(client_config(authority.pem()).is_ok());
        assert!(client_config("").is_err());
    }
}

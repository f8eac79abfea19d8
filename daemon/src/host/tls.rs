//! Client TLS for one probe: the machine's root certificates are loaded when it begins and freed when it ends, because
//! they would be a quarter of the daemon's memory.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::UNIX_EPOCH;

use super::clock::Clock;
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{CertificateError, ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme};

/// Certificates of a path whose beginning may be asked for when the clock is not set.
const MAX_LATER: usize = 6;

/// Makes a client configuration. Reads files: not for the runtime's thread.
pub(crate) fn load(extra: &[PathBuf], clock: Clock) -> Result<Arc<ClientConfig>, String> {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(of_machine());
    for file in extra {
        for certificate in pem(file)? {
            roots.add(certificate).map_err(|error| format!("{}: {error}", file.display()))?;
        }
    }
    if roots.is_empty() {
        return Err("no root certificates on this machine".into());
    }
    let provider = Arc::new(ring::default_provider());
    let inner = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider))
        .build()
        .map_err(|error| error.to_string())?;
    let instead =
        clock.instead.map(|_| UnixTime::since_unix_epoch(clock.now.duration_since(UNIX_EPOCH).unwrap_or_default()));
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| error.to_string())?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(Verifier { inner, instead }))
        .with_no_client_auth();
    let mut config = config;
    config.resumption = rustls::client::Resumption::disabled();
    Ok(Arc::new(config))
}

/// The machine's root certificates: those of the file that holds all of them where there is one. The folder beside it holds the
/// same ones a second time, in a file each. Who names places in the environment is given what they hold.
fn of_machine() -> Vec<CertificateDer<'static>> {
    let named = ["SSL_CERT_FILE", "SSL_CERT_DIR"].iter().any(|name| std::env::var_os(name).is_some());
    if !named && let Some(file) = openssl_probe::probe().cert_file {
        let found = rustls_native_certs::load_certs_from_paths(Some(&file), None).certs;
        if !found.is_empty() {
            return found;
        }
    }
    rustls_native_certs::load_native_certs().certs
}

fn pem(file: &Path) -> Result<Vec<CertificateDer<'static>>, String> {
    let say = |error: &dyn std::fmt::Display| format!("{}: {error}", file.display());
    let found: Result<Vec<_>, _> = CertificateDer::pem_file_iter(file).map_err(|e| say(&e))?.collect();
    found.map_err(|e| say(&e))
}

/// The usual verifier. On a machine whose clock was never set another time stands in for it, and where a certificate begins
/// later than that its beginning is the date: that time is the earliest that it can be. `[OPER 4.3]`
#[derive(Debug)]
struct Verifier {
    inner: Arc<WebPkiServerVerifier>,
    /// What stands in for the clock; `None` = it is right.
    instead: Option<UnixTime>,
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let (mut later, mut now) = (0, self.instead.unwrap_or(now));
        loop {
            match self.inner.verify_server_cert(end_entity, intermediates, server_name, ocsp, now) {
                Err(Error::InvalidCertificate(CertificateError::NotValidYetContext { not_before, .. }))
                    if self.instead.is_some() && later < MAX_LATER =>
                {
                    later += 1;
                    now = not_before;
                }
                verdict => return verdict,
            }
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.inner.verify_tls12_signature(message, certificate, signature)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.inner.verify_tls13_signature(message, certificate, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.inner.supported_verify_schemes()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    /// 1 January 2030 and ten days: a leaf's time.
    const BEGIN: u64 = 1_893_456_000;
    const END: u64 = BEGIN + 10 * 86_400;

    fn check(at: u64, instead: bool) -> Result<(), Error> {
        use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let root = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(vec!["h.example".to_owned()]).unwrap();
        (params.not_before, params.not_after) = (rcgen::date_time_ymd(2030, 1, 1), rcgen::date_time_ymd(2030, 1, 11));
        let leaf = params.signed_by(&key, &root).unwrap();
        let mut roots = RootCertStore::empty();
        roots.add(root.der().clone()).unwrap();
        let provider = Arc::new(ring::default_provider());
        let inner = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider).build().unwrap();
        let at = UnixTime::since_unix_epoch(Duration::from_secs(at));
        let verifier = Verifier { inner, instead: instead.then_some(at) };
        let name = ServerName::try_from("h.example").unwrap();
        let own = if instead { UnixTime::since_unix_epoch(Duration::ZERO) } else { at };
        verifier.verify_server_cert(leaf.der(), &[], &name, &[], own).map(drop)
    }

    #[test]
    fn dates_count_by_what_stands_in_for_the_clock() {
        assert!(check(BEGIN + 5, false).is_ok());
        assert!(check(BEGIN - 5, false).is_err(), "a clock that is right is believed");
        assert!(check(END + 5, false).is_err());
        assert!(check(BEGIN + 5, true).is_ok());
        assert!(check(BEGIN - 86_400, true).is_ok(), "it is at least so late");
        assert!(check(END + 5, true).is_err(), "what had ended by then has ended");
    }
}

//! In the place of `responder` where nobody is asked.

use rustls_pki_types::CertificateDer;
use x509_cert::Certificate;

/// What an answer says that counts.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Told {
    pub(crate) revoked: bool,
    pub(crate) until: Option<u64>,
}

/// Nowhere.
pub(crate) const fn address(_: &str, _: &Certificate, _: &Certificate) -> Option<String> {
    None
}

/// Nothing.
pub(crate) const fn told(_: &[u8], _: &Certificate, _: &CertificateDer<'_>, _: u64) -> Option<Told> {
    None
}

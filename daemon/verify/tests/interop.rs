//! Signatures against `xmlsec1`, both ways, with certificates made by `openssl`.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test reports by panicking")]

#[path = "interop/certificates.rs"]
mod certificates;
#[path = "interop/responders.rs"]
mod responders;
#[path = "interop/tools.rs"]
mod tools;
#[path = "interop/wrapping.rs"]
mod wrapping;

use daemon_provisioning::{Chain, Code};
use daemon_verify::{DigestAlgorithm, Key, Method, SignatureAlgorithm, Signing};

use tools::{TRAPS, Template, authority, document, in_traps, verify, verify_with};

const PAIRS: &[(&str, SignatureAlgorithm)] = &[
    ("rsa", SignatureAlgorithm::RsaSha256),
    ("rsa3072", SignatureAlgorithm::RsaSha384),
    ("rsa", SignatureAlgorithm::RsaSha512),
    ("p256", SignatureAlgorithm::EcdsaSha256),
    ("p384", SignatureAlgorithm::EcdsaSha384),
    ("p256", SignatureAlgorithm::EcdsaSha384),
    ("p384", SignatureAlgorithm::EcdsaSha256),
];

/// PROV-174, PROV-175: every algorithm, every digest, every canonical form, of a document full of traps.
#[test]
fn what_xmlsec1_signs_verifies_here() {
    let mut count = 0;
    for (leaf, algorithm) in PAIRS {
        for method in Method::ALL {
            for digest in [DigestAlgorithm::Sha256, DigestAlgorithm::Sha384, DigestAlgorithm::Sha512] {
                let template =
                    Template { method, signature: algorithm.uri(), digest: digest.uri(), ..Template::default() };
                let signed = authority().xmlsec_signs(&in_traps(&template.text()), leaf, &[]);
                let verified =
                    verify(&signed).unwrap_or_else(|e| panic!("{leaf} {algorithm:?} {method:?} {digest:?}: {e}"));
                let extended = matches!(verified.signer.chain, Chain::Trusted { extended_validation: true, .. });
                assert!(extended && verified.signer.may_sign, "{:?}", verified.signer);
                count += 1;
            }
        }
    }
    assert_eq!(count, 7 * 4 * 3);
}

/// PROV-228.
#[test]
fn what_is_signed_here_verifies_with_xmlsec1() {
    for (leaf, algorithm) in PAIRS {
        let key = Key::from_pem(&authority().read(&format!("{leaf}.key"))).unwrap();
        let certificates: Vec<Vec<u8>> =
            [format!("{leaf}.pem"), "inter.pem".to_owned()].iter().flat_map(|file| authority().der(file)).collect();
        for method in Method::ALL {
            for digest in [DigestAlgorithm::Sha256, DigestAlgorithm::Sha384, DigestAlgorithm::Sha512] {
                for text in [TRAPS.replacen("{}", "", 1), document("")] {
                    let signing =
                        Signing { key: &key, certificates: &certificates, method, signature: *algorithm, digest };
                    let signed = match daemon_verify::sign(text.as_bytes(), &signing) {
                        Ok(signed) => signed,
                        // A curve is used with its own digest only.
                        Err(error) => {
                            assert!(error.contains("does not go with"), "{error}");
                            continue;
                        }
                    };
                    assert!(verify_with(&signed, false).is_ok());
                    let verdict = authority().xmlsec_verifies(&signed, &[]);
                    assert_eq!(verdict, Ok(()), "{leaf} {algorithm:?} {method:?} {digest:?}");
                }
            }
        }
    }
}

/// PROV-175: SHA-1 behind its switch, HMAC and small keys never.
#[test]
fn algorithms_that_are_refused() {
    let old = Template {
        signature: SignatureAlgorithm::RsaSha1.uri(),
        digest: DigestAlgorithm::Sha1.uri(),
        method: Method::Inclusive,
        ..Template::default()
    };
    let signed = authority().xmlsec_signs(&in_traps(&old.text()), "rsa", &[]);
    assert_eq!(verify(&signed).unwrap_err().code, Code::SIGNATURE_INVALID);
    assert!(verify_with(signed.as_bytes(), true).is_ok());
    let mixed = Template { digest: DigestAlgorithm::Sha1.uri(), ..Template::default() };
    let signed = authority().xmlsec_signs(&document(&mixed.text()), "rsa", &[]);
    assert_eq!(verify(&signed).unwrap_err().code, Code::SIGNATURE_INVALID);

    let signed = authority().xmlsec_signs(&document(&Template::default().text()), "rsa1024", &[]);
    assert_eq!(authority().xmlsec_verifies(signed.as_bytes(), &[]), Ok(()));
    assert_eq!(verify(&signed).unwrap_err().code, Code::SIGNATURE_INVALID);

    let secret = authority().path("secret");
    tools::write(&secret, "0123456789abcdef");
    let secret = secret.to_str().unwrap();
    for length in ["", "<ds:HMACOutputLength>80</ds:HMACOutputLength>"] {
        let hmac = "http://www.w3.org/2001/04/xmldsig-more#hmac-sha256";
        let template = Template { signature: hmac, ..Template::default() };
        let text = template.text().replacen(
            &format!("<ds:SignatureMethod Algorithm=\"{hmac}\"/>"),
            &format!("<ds:SignatureMethod Algorithm=\"{hmac}\">{length}</ds:SignatureMethod>"),
            1,
        );
        // The certificate is put in beforehand: it is not what this signature is made with.
        let der = authority().der("rsa.pem").remove(0);
        let text = text.replacen(
            "<ds:X509Certificate/>",
            &format!("<ds:X509Certificate>{}</ds:X509Certificate>", base64(&der)),
            1,
        );
        let input = authority().path("hmac.xml");
        tools::write(&input, &document(&text));
        let output = authority().path("hmac-signed.xml");
        let mut command = std::process::Command::new("xmlsec1");
        command.args(["--sign", "--hmackey", secret, "--output"]).arg(&output).arg(&input);
        if tools::run(&mut command).is_err() {
            // A length that xmlsec1 itself refuses.
            assert!(!length.is_empty());
            continue;
        }
        let signed = std::fs::read_to_string(&output).unwrap();
        assert_eq!(verify(&signed).unwrap_err().code, Code::SIGNATURE_INVALID, "{length}");
    }
    let unknown = Template::default().text().replace("#rsa-sha256", "#rsa-sha999");
    let unknown = document(&unknown.replacen("<ds:X509Certificate/>", &pem_body("rsa"), 1));
    let unknown = unknown.replace("<ds:DigestValue/>", "<ds:DigestValue>AAAA</ds:DigestValue>");
    let unknown = unknown.replace("<ds:SignatureValue/>", "<ds:SignatureValue>AAAA</ds:SignatureValue>");
    assert_eq!(verify(&unknown).unwrap_err().code, Code::SIGNATURE_INVALID);
}

pub(crate) fn base64(octets: &[u8]) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.encode(octets)
}

/// A leaf's certificate as the content of `X509Data`.
pub(crate) fn pem_body(leaf: &str) -> String {
    let der = authority().der(&format!("{leaf}.pem")).remove(0);
    format!("<ds:X509Certificate>{}</ds:X509Certificate>", base64(&der))
}

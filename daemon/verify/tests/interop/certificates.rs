//! Certificates as `openssl` makes them. [PROV 12.3]

use daemon_provisioning::{Chain, Signer, TrustedCertificate};
use daemon_verify::{Narrow, Request, Root, Verifier as _};

use crate::tools::{Template, authority, clock, document, run, verify};

fn signer_of(leaf: &str) -> Signer {
    let signed = authority().xmlsec_signs(&document(&Template::default().text()), leaf, &[]);
    verify(&signed).unwrap().signer
}

fn reason(signer: &Signer) -> &str {
    match &signer.chain {
        Chain::Untrusted { reason } => reason,
        chain => panic!("{chain:?}"),
    }
}

/// PROV-178.
#[test]
fn key_usage_and_policies_are_facts() {
    let authority = authority();
    authority.leaf("cipher", &["rsa:2048"], &["keyUsage=critical,keyEncipherment"]);
    let signer = signer_of("cipher");
    assert!(!signer.may_sign && matches!(signer.chain, Chain::Trusted { extended_validation: true, .. }));

    let plain = ["basicConstraints=critical,CA:FALSE", "keyUsage=critical,digitalSignature"];
    authority.certificate("plain", &["rsa:2048"], Some("inter"), &plain);
    assert!(matches!(signer_of("plain").chain, Chain::Trusted { extended_validation: false, .. }));
    let other = [plain[0], plain[1], "certificatePolicies=2.23.140.1.2.1"];
    authority.certificate("other", &["rsa:2048"], Some("inter"), &other);
    assert!(matches!(signer_of("other").chain, Chain::Trusted { extended_validation: false, .. }));

    // Whatever else it is for.
    authority.leaf("web", &["rsa:2048"], &["extendedKeyUsage=serverAuth"]);
    assert!(matches!(signer_of("web").chain, Chain::Trusted { extended_validation: true, .. }));
}

/// PROV-177.
#[test]
fn chains_that_are_not_to_be_trusted() {
    let authority = authority();
    let plain = ["basicConstraints=critical,CA:FALSE", "keyUsage=critical,digitalSignature"];
    // A leaf of a leaf.
    authority.certificate("child", &["rsa:2048"], Some("rsa3072"), &plain);
    let mut document = document(&Template::default().text());
    let chain: String = ["child", "rsa3072", "inter"].map(crate::pem_body).concat();
    document = document.replacen("<ds:X509Certificate/>", &chain, 1);
    let signed = authority.xmlsec_signs(&document, "child", &[]);
    assert!(reason(&verify(&signed).unwrap().signer).contains("may not issue"));
    // Of itself.
    authority.certificate("self", &["rsa:2048"], None, &plain);
    assert!(reason(&signer_of("self")).contains("trusted root"));
    // An authority's own certificate.
    let inter = authority.xmlsec_signs(&crate::tools::document(&Template::default().text()), "inter", &[]);
    assert!(reason(&verify(&inter).unwrap().signer).contains("authority"));
    // A critical extension that nobody knows.
    authority.leaf("critical", &["rsa:2048"], &["1.2.3.4=critical,DER:0500"]);
    assert!(reason(&signer_of("critical")).contains("critical"));
}

/// PROV-185: by the subject, or by a directory name in an alternative name.
#[test]
fn names() {
    let authority = authority();
    let config = "[req]\ndistinguished_name=dn\nx509_extensions=ext\n[dn]\n[ext]\nbasicConstraints=critical,CA:FALSE\n\
                  keyUsage=critical,digitalSignature\nsubjectAltName=DNS:example.invalid,dirName:alt\n\
                  authorityInfoAccess=OCSP;URI:http://ocsp.invalid/\ncrlDistributionPoints=URI:http://crl.invalid/a.crl\n\
                  [alt]\nO=Other\nCN=Alternative\n";
    let file = authority.path("alt.cnf");
    crate::tools::write(&file, config);
    let mut command = std::process::Command::new("openssl");
    command.args([
        "req",
        "-x509",
        "-nodes",
        "-days",
        "365",
        "-newkey",
        "rsa:2048",
        "-subj",
        "/C=XX/O=Interop, Inc./CN=alt",
    ]);
    command.arg("-config").arg(file).arg("-keyout").arg(authority.path("alt.key"));
    command.arg("-out").arg(authority.path("alt.pem"));
    command.arg("-CA").arg(authority.path("inter.pem")).arg("-CAkey").arg(authority.path("inter.key"));
    run(&mut command).unwrap();
    let signer = signer_of("alt");
    let named = |subject: &str, issuer: &str| {
        signer.is(&TrustedCertificate { subject: subject.to_owned(), issuer: issuer.to_owned() })
    };
    let issuer = r#"CN=inter, O="Interop, Inc.", C=XX"#;
    assert!(named(r"CN=alt, O=Interop\, Inc., C=XX", issuer));
    assert!(named("O=other,CN=ALTERNATIVE", issuer));
    assert!(!named("CN=Alternative", issuer) && !named(r"CN=alt, O=Interop\, Inc., C=XX", "CN=root"));
    assert_eq!(signer.revocation, ["http://ocsp.invalid/", "http://crl.invalid/a.crl"]);
}

/// PROV-177: a list that is at hand and names the certificate.
#[test]
fn revoked() {
    let authority = authority();
    authority.leaf("revoked", &["rsa:2048"], &[]);
    let config = format!(
        "[ca]\ndefault_ca=d\n[d]\ndatabase={0}/index.txt\ncrlnumber={0}/crlnumber\ndefault_md=sha256\n\
         default_crl_days=30\ncertificate={0}/inter.pem\nprivate_key={0}/inter.key\n",
        authority.path("").display().to_string().trim_end_matches('/')
    );
    let file = authority.path("ca.cnf");
    crate::tools::write(&file, &config);
    crate::tools::write(&authority.path("index.txt"), "");
    crate::tools::write(&authority.path("crlnumber"), "01\n");
    let openssl = |last: &[&std::ffi::OsStr]| {
        let mut command = std::process::Command::new("openssl");
        command.arg("ca").arg("-config").arg(&file).args(last);
        run(&mut command).unwrap();
    };
    let (crl, pem) = (authority.path("inter.crl"), authority.path("revoked.pem"));
    openssl(&["-revoke".as_ref(), pem.as_os_str()]);
    openssl(&["-gencrl".as_ref(), "-out".as_ref(), crl.as_os_str()]);
    let lists = daemon_verify::revocation_lists_in(&std::fs::read_to_string(crl).unwrap());
    assert_eq!(lists.len(), 1);
    let roots: [Root; 1] = [authority.root()];
    for (leaf, revoked) in [("revoked", true), ("rsa", false)] {
        let signed = authority.xmlsec_signs(&document(&Template::default().text()), leaf, &[]);
        let request = Request {
            document: signed.as_bytes(),
            clock: clock(),
            sha1: false,
            roots: &roots,
            revocation_lists: &lists,
        };
        let signer = Narrow.verify(&request).unwrap().signer;
        assert_eq!(
            matches!(&signer.chain, Chain::Untrusted { reason } if reason.contains("revoked")),
            revoked,
            "{signer:?}"
        );
    }
}

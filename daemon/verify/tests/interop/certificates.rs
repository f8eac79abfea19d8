//! Certificates as `openssl` makes them. [PROV 12.3]

use daemon_provisioning::{Chain, Signer, TrustedCertificate};
use daemon_verify::{Narrow, Offer, Request, Root, Verifier as _};

use crate::tools::{Register, Template, authority, clock, document, run, verify};

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

/// A revocation list of an authority, for 30 days.
fn list_of(name: &str, issuer: &str, revoked: &[&str]) -> Vec<u8> {
    let register = Register::new(name, issuer);
    for leaf in revoked {
        register.enter("-revoke", leaf);
    }
    let list = authority().path(&format!("{name}.crl"));
    register.openssl(&["-gencrl".as_ref(), "-out".as_ref(), list.as_os_str()]);
    daemon_verify::revocation_lists_in(&std::fs::read_to_string(list).unwrap()).remove(0)
}

/// PROV-177: a list that is at hand and names the certificate.
#[test]
fn revoked() {
    let authority = authority();
    authority.leaf("revoked", &["rsa:2048"], &[]);
    let lists = [list_of("at-hand", "inter", &["revoked"])];
    let roots: [Root; 1] = [authority.root()];
    for (leaf, revoked) in [("revoked", true), ("rsa", false)] {
        let signed = authority.xmlsec_signs(&document(&Template::default().text()), leaf, &[]);
        let request = Request {
            document: signed.as_bytes(),
            clock: clock(),
            sha1: false,
            roots: &roots,
            revocation_lists: &lists,
            fetched: &[],
        };
        let verified = Narrow.verify(&request).unwrap();
        assert_eq!(
            matches!(&verified.signer.chain, Chain::Untrusted { reason } if reason.contains("revoked")),
            revoked,
            "{verified:?}"
        );
        assert_eq!(verified.revocation.is_known, !revoked);
    }
}

/// PROV-177: lists that came over the network. One that its authority did not sign, that is over, about others or no list at all
/// is as if it were not there, whatever else is; addresses are those that the chain vouches for.
#[test]
fn fetched_lists() {
    let authority = authority();
    let points =
        ["crlDistributionPoints=URI:ldap://crl.invalid/,URI:http://crl.invalid/a.crl,URI:http://crl.invalid/b.crl"];
    authority.leaf("recalled", &["rsa:2048"], &points);
    authority.leaf("in-force", &["rsa:2048"], &points);
    let ours = list_of("fetched", "inter", &["recalled"]);
    let of_root = list_of("of-root", "root", &[]);
    let with_inter = list_of("with-inter", "root", &["inter"]);
    let mut changed = ours.clone();
    *changed.last_mut().unwrap() ^= 1;
    let roots: [Root; 1] = [authority.root()];
    let (now, later) = (clock(), clock() + 60 * 86_400);
    let until = |list: &[Option<u64>]| list.iter().map(Option::is_some).collect::<Vec<_>>();
    for (what, leaf, clock, lists, revoked, counts, known) in [
        ("none", "recalled", now, vec![], false, vec![], false),
        ("names it", "recalled", now, vec![&ours], true, vec![true], false),
        ("names another", "in-force", now, vec![&ours], false, vec![true], true),
        ("changed", "recalled", now, vec![&changed], false, vec![false], false),
        ("changed, beside the true one", "recalled", now, vec![&changed, &ours], true, vec![false, true], false),
        ("over", "recalled", later, vec![&ours], false, vec![false], false),
        ("no list", "recalled", now, vec![&vec![0x30, 0], &Vec::new()], false, vec![false, false], false),
        ("of the root", "in-force", now, vec![&of_root], false, vec![true], false),
        ("of the whole chain", "in-force", now, vec![&ours, &of_root], false, vec![true, true], true),
        ("names its authority", "in-force", now, vec![&ours, &with_inter], true, vec![true, true], false),
    ] {
        let signed = authority.xmlsec_signs(&document(&Template::default().text()), leaf, &[]);
        let fetched: Vec<Vec<u8>> = lists.into_iter().cloned().collect();
        let request = Request {
            document: signed.as_bytes(),
            clock,
            sha1: false,
            roots: &roots,
            revocation_lists: &[],
            fetched: &fetched,
        };
        let question = daemon_verify::Question::encode(&request);
        let asked = daemon_verify::Question::decode(&question).unwrap();
        let answer = daemon_verify::Answer::encode(&Narrow.verify(&asked.request()));
        let verified = daemon_verify::Answer::decode(&answer).unwrap().unwrap();
        let found = matches!(&verified.signer.chain, Chain::Untrusted { reason } if reason.contains("revoked"));
        assert_eq!((found, until(&verified.revocation.fetched)), (revoked, counts), "{what}: {verified:?}");
        assert_eq!(
            (verified.revocation.is_known, &*verified.revocation.offers),
            (known, &[Offer { responder: None, list: Some("http://crl.invalid/a.crl".to_owned()) }][..]),
            "{what}"
        );
        for until in verified.revocation.fetched.into_iter().flatten() {
            assert!((now + 6 * 86_400..=now + 8 * 86_400).contains(&until), "at most a week: {what}");
        }
    }
    // Addresses of a chain that is not trusted are nobody's.
    let signed = authority.xmlsec_signs(&document(&Template::default().text()), "in-force", &[]);
    let request = Request {
        document: signed.as_bytes(),
        clock: now,
        sha1: false,
        roots: &[],
        revocation_lists: &[],
        fetched: &[ours],
    };
    let verified = Narrow.verify(&request).unwrap();
    assert_eq!((verified.revocation.offers.len(), &*verified.revocation.fetched), (0, &[None][..]));
}

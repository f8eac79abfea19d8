//! `mbimctl provision sign`, `verify` and `test-cert`: what an operator needs to write and sign a document.

use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::time::SystemTime;

use daemon_provisioning::{Chain, Document, Facts, Judged, MAX_DOCUMENT, Refused, Source, Trust, Validated, validate};
use daemon_verify::{
    DigestAlgorithm, EXTENDED_VALIDATION, Folder, Key, Method, Named, Narrow, Request, SignatureAlgorithm, Signing,
    Verified, Verifier as _, certificates_in,
};
use rcgen::{BasicConstraints, CertificateParams, CustomExtension, DnType, IsCa, Issuer, KeyPair, KeyUsagePurpose};
use serde_json::{Value, json};

use super::trust;
use crate::arguments::{Algorithm, Canonicalisation, Digest, Sign, TestCert, Verify};
use crate::command::read;
use crate::failure::Failure;
use crate::show::{Output, table};

/// Seconds since 1970.
fn now() -> u64 {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

pub(super) fn sign(wish: &Sign, output: Output) -> Result<(), Failure> {
    let document = read(&wish.file, MAX_DOCUMENT as u64)?;
    if let Err(invalid) = validate(&document)
        && !wish.force
    {
        let check = format!("mbimctl provision validate {}", wish.file.display());
        return Err(Failure::invalid(format!("{}: {invalid}", wish.file.display())).next(check));
    }
    let text = |file: &Path| Ok::<_, Failure>(String::from_utf8_lossy(&read(file, trust::MAX_FILE)?).into_owned());
    let key = Key::from_pem(&text(&wish.key)?);
    let key = key.map_err(|problem| Failure::invalid(format!("{}: {problem}", wish.key.display())))?;
    let mut certificates = Vec::new();
    for file in &wish.cert {
        let found = certificates_in(&text(file)?);
        if found.is_empty() {
            return Err(Failure::invalid(format!("{}: no certificate (PEM) in it", file.display())));
        }
        certificates.extend(found);
    }
    let signing = Signing {
        key: &key,
        certificates: &certificates,
        method: match wish.c14n {
            Canonicalisation::Exclusive => Method::Exclusive,
            Canonicalisation::Inclusive => Method::Inclusive,
        },
        signature: wish.algorithm.map_or(key.algorithm(), |algorithm| match algorithm {
            Algorithm::RsaSha256 => SignatureAlgorithm::RsaSha256,
            Algorithm::RsaSha384 => SignatureAlgorithm::RsaSha384,
            Algorithm::RsaSha512 => SignatureAlgorithm::RsaSha512,
            Algorithm::EcdsaSha256 => SignatureAlgorithm::EcdsaSha256,
            Algorithm::EcdsaSha384 => SignatureAlgorithm::EcdsaSha384,
        }),
        digest: match wish.digest {
            Digest::Sha256 => DigestAlgorithm::Sha256,
            Digest::Sha384 => DigestAlgorithm::Sha384,
            Digest::Sha512 => DigestAlgorithm::Sha512,
        },
    };
    let signed = daemon_verify::sign(&document, &signing).map_err(Failure::invalid)?;
    // What is handed out has been checked, by what will check it.
    let request =
        Request { document: &signed, clock: now(), sha1: false, roots: &[], revocation_lists: &[], fetched: &[] };
    let Verified { signer, .. } = Narrow.verify(&request).map_err(|rejected| {
        Failure::invalid(format!(
            "what was signed does not verify ({rejected}); is the first certificate that of the key?"
        ))
    })?;
    if wish.out.as_os_str() == "-" {
        std::io::stdout().write_all(&signed).map_err(|error| Failure::failed(error.to_string()))?;
        return Ok(());
    }
    std::fs::write(&wish.out, &signed).map_err(|error| Failure::failed(format!("{}: {error}", wish.out.display())))?;
    let value = json!({
        "file": wish.out.display().to_string(),
        "signer": signer.name(),
        "fingerprint": signer.fingerprint,
        "signature": signing.signature.uri(),
        "digest": signing.digest.uri(),
        "c14n": signing.method.uri(),
    });
    output.print(&value, || format!("{} is signed by {}", wish.out.display(), signer.name()));
    Ok(())
}

/// What is known of a document's signature, and what would come of the document.
pub(super) fn verify(wish: &Verify, output: Output) -> Result<(), Failure> {
    let document = read(&wish.file, MAX_DOCUMENT as u64 + 1)?;
    let roots = trust::roots(wish.trust.as_deref())?;
    let looked =
        validate(&document).map_err(Refused::from).and_then(|validated| check(&document, &validated, wish, &roots));
    let (verdict, refused, rows) = match looked {
        Ok(Looked { validated, rows }) => {
            match Document::judge(validated, &Source::Website, &Facts::default(), &trusted(roots)) {
                Ok(Judged::Allowed(_)) => ("accepted", None, rows),
                Ok(Judged::Ask(_)) => ("asked", None, rows),
                Err(refused) => ("refused", Some(refused), rows),
            }
        }
        Err(refused) => ("refused", Some(refused), Vec::new()),
    };
    let mut value = json!({
        "verdict": verdict,
        "code": refused.as_ref().map(|refused| refused.code.to_string()),
        "reason": refused.as_ref().map(|refused| refused.reason.clone()),
    });
    if let Some(object) = value.as_object_mut() {
        object.extend(rows.iter().map(|(key, value)| (key.to_ascii_lowercase().replace(' ', "_"), value.clone())));
    }
    output.print(&value, || {
        let text = |value: &Value| match value {
            Value::String(text) => text.clone(),
            Value::Bool(true) => "yes".to_owned(),
            Value::Bool(false) => "no".to_owned(),
            Value::Array(items) => items.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(" "),
            other => other.to_string(),
        };
        let mut lines: Vec<[String; 2]> = rows.iter().map(|(key, value)| [key.clone(), text(value)]).collect();
        let verdict = match &refused {
            Some(refused) => format!("refused: {} {}", refused.code, refused.reason),
            None if verdict == "asked" => "accepted if the user approves of the signer; asked once".to_owned(),
            None => "accepted without a question".to_owned(),
        };
        lines.push(["From a web site".to_owned(), verdict]);
        table(&lines)
    });
    if verdict == "refused" { Err(Failure::told()) } else { Ok(()) }
}

/// A signature that holds.
struct Looked {
    validated: Validated,
    /// Facts of the signer, for people and programs.
    rows: Vec<(String, Value)>,
}

fn check(document: &[u8], validated: &Validated, wish: &Verify, folder: &Folder) -> Result<Looked, Refused> {
    let mut rows = vec![("Signed".to_owned(), json!(validated.is_signed()))];
    if !validated.is_signed() {
        return Ok(Looked { validated: validated.clone(), rows });
    }
    let request = Request {
        document,
        clock: wish.at.unwrap_or_else(now),
        sha1: wish.sha1,
        roots: &folder.roots,
        revocation_lists: &folder.revocation_lists,
        fetched: &[],
    };
    let verified = Narrow.verify(&request).map_err(Refused::from)?;
    let signer = &verified.signer;
    let named = folder.named.iter().flat_map(|named| &named.certificates).any(|named| signer.is(named));
    let (chain, extended) = match &signer.chain {
        Chain::Trusted { root, extended_validation } => (format!("leads to {root}"), *extended_validation),
        Chain::Untrusted { reason } => (format!("not trusted: {reason}"), false),
    };
    let row = |key: &str, value: Value| (key.to_owned(), value);
    rows.extend([
        row("Signer", json!(signer.name())),
        row("Issuer", json!(signer.issuer())),
        row("Fingerprint", json!(signer.fingerprint)),
        row("Not before", json!(signer.not_before)),
        row("Not after", json!(signer.not_after)),
        row("Chain", json!(chain)),
        row("Extended validation", json!(extended)),
        row("May sign", json!(signer.may_sign)),
        row("Named before", json!(named)),
        row("Revocation", json!(signer.revocation)),
    ]);
    Ok(Looked { validated: validated.verified(&verified.octets, verified.signer)?, rows })
}

fn trusted(folder: Folder) -> Trust {
    let mut trust = Trust::default();
    for Named { carrier_id, certificates } in folder.named {
        match carrier_id {
            Some(of) => trust.learned.extend(certificates.into_iter().map(|named| (of.clone(), named))),
            None => trust.supplied.extend(certificates),
        }
    }
    trust
}

/// A root and a leaf under it, for tests: the root's key is thrown away.
pub(super) fn test_cert(wish: &TestCert, output: Output) -> Result<(), Failure> {
    let name = &wish.name;
    let wrong = |c: char| !(c.is_alphanumeric() || matches!(c, '-' | '_' | '.' | ' '));
    if name.is_empty() || name.starts_with('.') || name.contains(wrong) {
        return Err(Failure::usage(format!("a name is letters, digits, space, -, _ and . : {name}")));
    }
    let file = |suffix: &str| wish.out.join(format!("{name}{suffix}"));
    let (root_file, leaf_file, key_file) = (file("Root.pem"), file(".pem"), file(".key"));
    let there = [&root_file, &leaf_file, &key_file].iter().filter(|file| file.exists()).count();
    if there != 0 && there != 3 {
        let folder = wish.out.display();
        return Err(Failure::failed(format!("{folder} has some of the files of {name}, not all: remove them")));
    }
    if there == 0 {
        let made = make(name).map_err(|error| Failure::failed(format!("no certificate: {error}")))?;
        std::fs::create_dir_all(&wish.out)
            .map_err(|error| Failure::failed(format!("{}: {error}", wish.out.display())))?;
        for (file, content, mode) in
            [(&root_file, made.root, 0o644), (&leaf_file, made.leaf, 0o644), (&key_file, made.key, 0o600)]
        {
            let opened = std::fs::OpenOptions::new().write(true).create_new(true).mode(mode).open(file);
            let written = opened.and_then(|mut opened| opened.write_all(content.as_bytes()));
            written.map_err(|error| Failure::failed(format!("{}: {error}", file.display())))?;
        }
    }
    let path = |file: &Path| file.display().to_string();
    let value = json!({
        "root": path(&root_file), "certificate": path(&leaf_file), "key": path(&key_file), "made": there == 0,
    });
    output.print(&value, || {
        format!(
            "root         {}\ncertificate  {}\nkey          {}\nTo trust it: mbimctl provision trust {}",
            path(&root_file),
            path(&leaf_file),
            path(&key_file),
            path(&root_file)
        )
    });
    Ok(())
}

struct Made {
    root: String,
    leaf: String,
    key: String,
}

fn make(name: &str) -> Result<Made, rcgen::Error> {
    let params = |common: String| -> Result<CertificateParams, rcgen::Error> {
        let mut params = CertificateParams::new(Vec::new())?;
        params.distinguished_name = rcgen::DistinguishedName::new();
        params.distinguished_name.push(DnType::OrganizationName, "For tests only");
        params.distinguished_name.push(DnType::CommonName, common);
        params.not_before = rcgen::date_time_ymd(2020, 1, 1);
        params.not_after = rcgen::date_time_ymd(2049, 12, 31);
        Ok(params)
    };
    let root_key = KeyPair::generate()?;
    let mut root = params(format!("{name}Root"))?;
    root.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    root.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    let root_pem = root.self_signed(&root_key)?.pem();
    let issuer = Issuer::new(root, root_key);
    let key = KeyPair::generate()?;
    let mut leaf = params(name.to_owned())?;
    leaf.is_ca = IsCa::ExplicitNoCa;
    leaf.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    leaf.use_authority_key_identifier_extension = true;
    leaf.custom_extensions = vec![policies()];
    Ok(Made { root: root_pem, leaf: leaf.signed_by(&key, &issuer)?.pem(), key: key.serialize_pem() })
}

/// certificatePolicies with the one policy of extended validation: SEQUENCE { SEQUENCE { OID } }.
fn policies() -> CustomExtension {
    // 2.23.140.1.1; 140 takes two octets.
    debug_assert_eq!(EXTENDED_VALIDATION, "2.23.140.1.1");
    let content = vec![0x30, 0x09, 0x30, 0x07, 0x06, 0x05, 0x67, 0x81, 0x0c, 0x01, 0x01];
    CustomExtension::from_oid_content(&[2, 5, 29, 32], content)
}

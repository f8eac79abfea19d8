//! Signing and verifying offline, and the example that operators read.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)] // a panic in a test is the report

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;

const PROGRAM: &str = env!("CARGO_BIN_EXE_mbimctl");

fn house(file: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(file)
}

fn run(folder: &Path, arguments: &[&str]) -> Output {
    Command::new(PROGRAM).args(arguments).current_dir(folder).output().unwrap()
}

#[track_caller]
fn json(folder: &Path, arguments: &[&str], status: i32) -> Value {
    let output = run(folder, &[arguments, &["--json"]].concat());
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(status), "{arguments:?}: {said}{}", String::from_utf8_lossy(&output.stdout));
    serde_json::from_slice(&output.stdout).unwrap_or_default()
}

/// The blocks of one language in a page.
fn blocks<'a>(page: &'a str, language: &str) -> Vec<&'a str> {
    let mark = format!("\n```{language}\n");
    page.split(mark.as_str()).skip(1).map(|rest| rest.split("\n```").next().unwrap()).collect()
}

/// `docs/user/operators.md` works as it is printed. PROV-226 to PROV-231.
#[test]
fn the_example_for_operators() {
    let page = std::fs::read_to_string(house("docs/user/operators.md")).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let (documents, scripts) = (blocks(&page, "xml"), blocks(&page, "sh"));
    assert_eq!((documents.len(), scripts.len()), (1, 1));
    std::fs::write(folder.path().join("welcome.xml"), documents[0]).unwrap();
    let path = format!("{}:{}", Path::new(PROGRAM).parent().unwrap().display(), std::env::var("PATH").unwrap());
    let script = Command::new("sh")
        .args(["-e", "-c", scripts[0]])
        .current_dir(folder.path())
        .env("PATH", path)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&script.stdout);
    assert!(script.status.success(), "{said}{}", String::from_utf8_lossy(&script.stderr));
    assert!(said.trim_end().ends_with("accepted if the user approves of the signer; asked once"), "{said}");
    let verified = json(folder.path(), &["provision", "verify", "welcome-signed.xml", "--trust", "trust.d"], 0);
    assert_eq!((verified["verdict"].as_str(), verified["extended_validation"].as_bool()), (Some("asked"), Some(true)));
}

#[test]
fn each_refusal_has_its_code() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    let page = std::fs::read_to_string(house("docs/user/operators.md")).unwrap();
    let document = blocks(&page, "xml")[0];
    std::fs::write(at.join("a.xml"), document).unwrap();
    let made = json(at, &["provision", "test-cert", "-o", "."], 0);
    assert_eq!((made["made"].as_bool(), made["certificate"].as_str()), (Some(true), Some("./MBAPTestCert.pem")));
    let key = std::fs::read(at.join("MBAPTestCert.key")).unwrap();
    assert_eq!(json(at, &["provision", "test-cert", "-o", "."], 0)["made"].as_bool(), Some(false));
    assert_eq!(std::fs::read(at.join("MBAPTestCert.key")).unwrap(), key, "kept");
    let sign = ["provision", "sign", "a.xml", "--key", "MBAPTestCert.key", "--cert", "MBAPTestCert.pem", "-o", "s.xml"];
    json(at, &sign, 0);

    let code = |file: &str| {
        let verified = json(at, &["provision", "verify", file, "--trust", "trust.d"], 6);
        assert_eq!(verified["verdict"].as_str(), Some("refused"));
        verified["code"].as_str().unwrap().to_owned()
    };
    std::fs::create_dir(at.join("trust.d")).unwrap();
    assert_eq!(code("s.xml"), "82170004");
    assert_eq!(code("a.xml"), "8217000e");
    json(at, &["provision", "trust", "MBAPTestCertRoot.pem", "--trust", "trust.d", "--no-ev"], 0);
    assert_eq!(code("s.xml"), "8217000d");
    // Named before: no extended validation and no question.
    let named = "[[certificate]]\nsubject = 'CN=MBAPTestCert,O=For tests only'\nissuer = 'O=For tests only,CN=MBAPTestCertRoot'\n";
    std::fs::write(at.join("trust.d/x.toml"), named).unwrap();
    let verified = json(at, &["provision", "verify", "s.xml", "--trust", "trust.d"], 0);
    assert_eq!((verified["verdict"].as_str(), verified["named_before"].as_bool()), (Some("accepted"), Some(true)));
    let late = json(at, &["provision", "verify", "s.xml", "--trust", "trust.d", "--at", "2600000000"], 6);
    assert_eq!(late["code"].as_str(), Some("82170004"));

    let signed = std::fs::read_to_string(at.join("s.xml")).unwrap();
    std::fs::write(at.join("changed.xml"), signed.replacen("001010123456789", "001010123456780", 1)).unwrap();
    assert_eq!(code("changed.xml"), "82170005");
    std::fs::write(at.join("typed.xml"), signed.replacen("?>", "?><!DOCTYPE x>", 1)).unwrap();
    assert_eq!(code("typed.xml"), "82170001");
    json(at, &["provision", "trust", "MBAPTestCertRoot.pem", "--trust", "trust.d", "--remove"], 0);
    assert_eq!(code("s.xml"), "82170004");
}

#[test]
fn what_cannot_be_signed_is_not() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    let page = std::fs::read_to_string(house("docs/user/operators.md")).unwrap();
    std::fs::write(at.join("a.xml"), blocks(&page, "xml")[0]).unwrap();
    std::fs::write(at.join("bad.xml"), "<a></a>").unwrap();
    for name in ["one", "two"] {
        json(at, &["provision", "test-cert", "--name", name, "-o", "."], 0);
    }
    let sign = |document: &str, key: &str, more: &[&str]| {
        let arguments = ["provision", "sign", document, "--key", key, "--cert", "one.pem", "-o", "s.xml"];
        run(at, &[&arguments, more].concat())
    };
    let told = |output: &Output| String::from_utf8_lossy(&output.stderr).into_owned();
    for (output, words) in [
        (sign("bad.xml", "one.key", &[]), "82170002"),
        (sign("a.xml", "two.key", &[]), "does not verify"),
        (sign("a.xml", "one.pem", &[]), "no private key"),
        (sign("a.xml", "one.key", &["--algorithm", "rsa-sha256"]), "does not go with"),
    ] {
        assert_eq!((output.status.code(), told(&output).contains(words)), (Some(6), true), "{}", told(&output));
    }
    assert!(sign("bad.xml", "one.key", &["--force"]).status.success());
    assert!(sign("a.xml", "one.key", &["--c14n", "inclusive", "--digest", "sha512"]).status.success());
    let again = sign("s.xml", "one.key", &[]);
    assert!(told(&again).contains("signed already"), "{}", told(&again));
    let leaf = run(at, &["provision", "trust", "one.pem", "--trust", "t"]);
    assert!(leaf.status.code() == Some(6) && told(&leaf).contains("authority"), "{}", told(&leaf));
    assert_eq!(run(at, &["provision", "test-cert", "--name", "../x", "-o", "."]).status.code(), Some(2));
}

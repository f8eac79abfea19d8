//! The process that checks signatures, as the daemon starts it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test reports by panicking")]

use std::io::{Read as _, Write as _};
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};

use daemon_provisioning::Code;
use daemon_verify::{Answer, EXTENDED_VALIDATION, MAX_QUESTION, Question, Request, Root, Verified};

fn documents(file: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../tests/documents").join(file)
}

fn start() -> Child {
    let mut command = Command::new(env!("CARGO_BIN_EXE_mbimd-verify"));
    command.env_clear().stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

fn run(question: &[u8]) -> Output {
    let mut child = start();
    // It may end before it has read everything.
    let _ = child.stdin.take().unwrap().write_all(question);
    child.wait_with_output().unwrap()
}

fn ask(document: &[u8]) -> Result<Verified, daemon_verify::Rejected> {
    let pem = std::fs::read_to_string(documents("certs/root.pem")).unwrap();
    let der = daemon_verify::certificates_in(&pem).remove(0);
    let roots = [Root { der, extended_validation: vec![EXTENDED_VALIDATION.to_owned()] }];
    // 2026-06-01.
    let request =
        Request { document, clock: 1_780_272_000, sha1: false, roots: &roots, revocation_lists: &[], fetched: &[] };
    let output = run(&Question::encode(&request));
    assert!(output.status.success(), "{:?} {}", output.status, String::from_utf8_lossy(&output.stderr));
    Answer::decode(&output.stdout).unwrap()
}

#[test]
fn it_answers() {
    let good = std::fs::read(documents("signed/15-signed-ev.xml")).unwrap();
    let verified = ask(&good).unwrap();
    assert!(!daemon_provisioning::validate(&verified.octets).unwrap().is_signed());
    assert_eq!(verified.signer.name(), "C=XX, O=Example Mobile, CN=Example Mobile Provisioning");
    let tampered = std::fs::read(documents("signed/40-signed-tampered.xml")).unwrap();
    assert_eq!(ask(&tampered).unwrap_err().code, Code::DIGEST_INVALID);
}

#[test]
fn what_is_no_question_ends_it() {
    for question in [&b""[..], b"\n", b"{}\n", &vec![b'x'; MAX_QUESTION + 2]] {
        let output = run(question);
        assert_eq!(output.status.code(), Some(1));
        assert!(output.stdout.is_empty());
    }
}

/// Documents at the limits that cost the most memory: an answer, or an end that costs the document and nothing else.
#[test]
fn the_largest_documents_fit() {
    let good = String::from_utf8(std::fs::read(documents("signed/15-signed-ev.xml")).unwrap()).unwrap();
    let grown = |filling: &str| good.replacen("<Global", &format!("{filling}<Global"), 1);
    let text = format!("<!--{}-->", "x".repeat(2_000_000));
    assert!(ask(grown(&text).as_bytes()).is_ok(), "comments are not signed");
    let nodes = "<a/>".repeat(99_000);
    assert_eq!(ask(grown(&nodes).as_bytes()).unwrap_err().code, Code::DIGEST_INVALID);
    let nodes = "x<!---->".repeat(110_000);
    assert_eq!(ask(grown(&nodes).as_bytes()).unwrap_err().code, Code::DIGEST_INVALID);
    let attributes = format!("<a {}/>", (0..60).map(|n| format!("a{n}=''")).collect::<Vec<_>>().join(" ")).repeat(3000);
    assert_eq!(ask(grown(&attributes).as_bytes()).unwrap_err().code, Code::DIGEST_INVALID);
}

/// What it gave up, as the kernel sees it.
#[test]
fn it_has_given_up_everything() {
    let mut child = start();
    let file = format!("/proc/{}/status", child.id());
    let field = |name: &str| {
        let status = std::fs::read_to_string(&file).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':').map(str::trim));
        line.map(str::to_owned)
    };
    // Its last act before it reads; where there is no filter, the one before.
    let filtered = cfg!(any(target_arch = "x86_64", target_arch = "aarch64", target_arch = "riscv64"));
    let mut patience = 60_000;
    while field("Seccomp").as_deref() != Some(if filtered { "2" } else { "0" })
        || field("NoNewPrivs").as_deref() != Some("1")
    {
        patience -= 1;
        assert!(patience > 0, "{}", std::fs::read_to_string(&file).unwrap());
        std::thread::sleep(std::time::Duration::from_millis(1));
    }
    for sets in ["CapInh", "CapPrm", "CapEff", "CapAmb"] {
        assert_eq!(field(sets).unwrap().trim_matches('0'), "", "{sets}");
    }
    let limits = std::fs::read_to_string(format!("/proc/{}/limits", child.id()));
    // Not dumpable: only root may look.
    if let Ok(limits) = limits {
        for (name, value) in [("Max data size", "46137344"), ("Max open files", "3"), ("Max cpu time", "10")] {
            let line = limits.lines().find(|line| line.starts_with(name)).unwrap();
            assert_eq!(line[name.len()..].split_whitespace().next(), Some(value), "{line}");
        }
    }
    drop(child.stdin.take());
    assert_eq!(child.wait().unwrap().code(), Some(1));
    let mut said = String::new();
    child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
    assert!(said.contains("no header"), "{said}");
}

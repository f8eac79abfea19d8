//! `mbimd demo` from outside: every scenario, as root and as an ordinary user.
#![cfg(feature = "demo")]
// clippy.toml allows this in tests, but takes only marked functions for tests, not what they share.
#![allow(clippy::unwrap_used)]

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::{PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use harness::virtual_operator::Subscriber;
use serde_json::Value;

/// The longest that a scenario may take on a machine that is starved; on a quiet one it is 4 s.
const LIMIT: Duration = Duration::from_secs(150);
/// The uid of nobody in particular.
const NOBODY: u32 = 65534;
/// The hardware id of all SIMs of the network 001/01: what the operator's record is addressed to.
const OPERATOR_HWID: &str = "MBOP:1:I05:REJNFRG6LZF3CVPSEGHNKADP";
const GARDEN: &[&str] = &[
    "plugged",
    "identity",
    "operator",
    "registered",
    "connected",
    "portal",
    "handover",
    "provisioned",
    "reconnected",
    "online",
    "summary",
];
/// The user is asked about the first document, and not about the second.
const SIGNED: &[&str] =
    &["portal", "handover", "approved", "provisioned", "provisioned", "reconnected", "online", "summary"];
const OPEN: &[&str] = &["plugged", "identity", "operator", "registered", "connected", "online", "summary"];

fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

/// Held while a program is written and while one is started: a child that is forked meanwhile holds the file open for
/// writing until it executes its own, and the kernel refuses to execute a file that someone may write.
static FORKS: Mutex<()> = Mutex::new(());

/// Runs the demo with a directory of its own for temporary files, in which nothing may stay.
fn demo(arguments: &[&str], user: Option<u32>) -> Output {
    let directory = tempfile::tempdir().unwrap();
    // The build directory may be closed to others.
    let program = directory.path().join("mbimd");
    let forks = FORKS.lock().unwrap_or_else(PoisonError::into_inner);
    fs::copy(env!("CARGO_BIN_EXE_mbimd"), &program).unwrap();
    drop(forks);
    let temporary = directory.path().join("tmp");
    fs::create_dir(&temporary).unwrap();
    for path in [directory.path(), &program] {
        fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
    }
    let mut command = Command::new(&program);
    command.arg("demo").args(arguments).env("TMPDIR", &temporary).env_remove("MBIMD_LOG").current_dir("/");
    if let Some(id) = user {
        chown(&temporary, Some(id), Some(id)).unwrap();
        command.uid(id).gid(id).env_remove("HOME").env_remove("XDG_RUNTIME_DIR");
    }
    let forks = FORKS.lock().unwrap_or_else(PoisonError::into_inner);
    let child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    drop(forks);
    let output = child.wait_with_output().unwrap();
    let left: Vec<_> = fs::read_dir(&temporary).unwrap().flatten().map(|e| e.file_name()).collect();
    assert!(left.is_empty(), "left behind: {left:?}");
    assert_eq!(processes_of(&program), Vec::<String>::new(), "processes left behind");
    output
}

fn processes_of(program: &Path) -> Vec<String> {
    let all = fs::read_dir("/proc").unwrap().flatten();
    all.filter(|p| fs::read_link(p.path().join("exe")).is_ok_and(|exe| exe == program))
        .map(|p| p.file_name().to_string_lossy().into_owned())
        .collect()
}

fn forbidden(output: &Output) -> bool {
    String::from_utf8_lossy(&output.stderr).contains("private namespaces are not to be had")
}

/// No seven digits in a row of an identity of the virtual SIM and modem, beyond the network's own, may appear.
fn tells_no_identity(text: &str) {
    let canary = Subscriber::canary();
    let imsi = canary.imsi.strip_prefix("00101").unwrap();
    for identity in [imsi, &canary.imei, &canary.iccid] {
        for digits in identity.as_bytes().windows(7) {
            let digits = std::str::from_utf8(digits).unwrap();
            assert!(!text.contains(digits), "{digits} of an identity in {text}");
        }
    }
}

/// As root and as an ordinary user, or as the one that this is.
fn users() -> Vec<Option<u32>> {
    if is_root() { vec![None, Some(NOBODY)] } else { vec![None] }
}

fn scenario(name: &str, expected: &[&str]) {
    scenario_as(name, expected, users());
}

fn scenario_as(name: &str, expected: &[&str], users: Vec<Option<u32>>) {
    let mut need_root = u32::from(!is_root());
    for user in users {
        let start = Instant::now();
        let output = demo(&["--json", "--scenario", name], user);
        if forbidden(&output) {
            need_root += 1;
            continue;
        }
        let text = String::from_utf8_lossy(&output.stdout);
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{name}: {}\n{text}\n{errors}", output.status);
        assert!(start.elapsed() < LIMIT, "{name} took {:?}", start.elapsed());
        tells_no_identity(&text);
        tells_no_identity(&errors);
        let events: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let mut names = events.iter().map(|e| e["event"].as_str().unwrap());
        for name in expected {
            assert!(names.any(|n| n == *name), "{name} is missing or out of order in\n{text}");
        }
        for event in events.iter().filter(|e| ["connected", "reconnected"].contains(&e["event"].as_str().unwrap())) {
            let again = event["event"] == "reconnected";
            let (why, source) =
                if again { ("provisioned-default-profile", "provisioning") } else { ("selector", "overlay") };
            assert_eq!((event["criterion"].as_str(), event["source"].as_str()), (Some(why), Some(source)), "{event}");
        }
        let operator = events.iter().find(|e| e["event"] == "operator").unwrap();
        assert_eq!(operator["hwid"], OPERATOR_HWID, "{operator}");
        assert_eq!(operator["selectors"]["hwid"], OPERATOR_HWID);
        let trace = format!("fits by selector (hwid {OPERATOR_HWID})");
        assert!(operator["trace"].as_array().unwrap().iter().any(|line| line.as_str().unwrap().contains(&trace)));
        let times: Vec<u64> = events.iter().map(|e| e["t_ms"].as_u64().unwrap()).collect();
        assert!(times.is_sorted(), "{times:?}");
        let last = events.last().unwrap();
        assert_eq!((last["event"].as_str(), last["online"].as_bool()), (Some("summary"), Some(true)));
        assert_eq!(last["left_behind"].as_array().map(Vec::len), Some(0));
    }
    if need_root > 0 {
        // Written past the test runner, which would swallow it.
        let _ = writeln!(std::io::stderr(), "{need_root} cases need root");
    }
}

#[test]
fn garden() {
    scenario("garden", GARDEN);
}

#[test]
fn open() {
    scenario("open", OPEN);
}

#[test]
fn silent_garden() {
    scenario("silent-garden", GARDEN);
}

#[test]
fn ipv6() {
    scenario("ipv6", GARDEN);
}

#[test]
fn dual() {
    scenario("dual", GARDEN);
}

/// The flow through a web site, with a signature and consent.
#[test]
fn signed_web() {
    scenario_as("signed-web", SIGNED, vec![None]);
}

#[test]
fn people_read_lines() {
    let output = demo(&["--scenario=open"], None);
    if forbidden(&output) {
        // Written past the test runner, which would swallow it.
        let _ = writeln!(std::io::stderr(), "1 cases need root");
        return;
    }
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{text}");
    assert!(text.contains("mbimctl --bus unix:path="), "{text}");
    assert!(text.contains("online"), "{text}");
    assert!(text.contains(&format!("exact match by selector (hardware id {OPERATOR_HWID}), layer overlay")), "{text}");
    assert!(!text.contains('\x1b'), "no colours where nobody sees them");
    tells_no_identity(&text);
}

#[test]
fn scenarios_are_listed_and_mistakes_told() {
    let list = demo(&["--scenario", "list"], None);
    assert!(list.status.success());
    assert!(String::from_utf8_lossy(&list.stdout).lines().any(|l| l.starts_with("garden ")));
    let wrong = demo(&["--scenario", "no-such"], None);
    assert_eq!(wrong.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&wrong.stderr).contains("no-such"));
}

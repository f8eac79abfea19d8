//! Tests that need namespaces of their own. Each case runs in a process of its own that moves into fresh namespaces
//! first; as root every case also runs as an ordinary user, at the same time. Where neither is possible the case counts as
//! "needs root", which is printed and never silent.

use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Child, Command, ExitCode, Stdio};
use std::time::Instant;

use core::fmt;
use core::future::Future;

use crate::error::{Error, While};
use crate::netns::{self, EnterError, Privilege};
use crate::stage;

/// One case.
#[derive(Clone, Copy, Debug)]
pub struct Case {
    /// Name, for the output and for choosing.
    pub name: &'static str,
    /// The case; runs in fresh namespaces, without a runtime yet.
    pub run: fn() -> Result<(), Box<dyn std::error::Error>>,
}

/// What a case returns that only root can run, when it is told as another user.
#[derive(Clone, Copy, Debug)]
pub struct NeedsRoot;

impl fmt::Display for NeedsRoot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("needs root")
    }
}

impl std::error::Error for NeedsRoot {}

const INSIDE: &str = "virtual-operator-case";
/// What a process says whose namespaces are forbidden.
const FORBIDDEN: u8 = 77;
/// The conventional uid and gid of nobody in particular.
const NOBODY: u32 = 65534;

/// The `main` of a test executable (`harness = false`). Arguments that are no options choose cases whose names
/// contain one of them; `--list` names them.
#[must_use]
pub fn main(cases: &[Case]) -> ExitCode {
    choose(cases, all)
}

/// As [`main`], of cases that nobody but root can run: they run as root only, a few at a time, and without root all of
/// them count as in need of it.
#[must_use]
pub fn main_of_root(cases: &[Case]) -> ExitCode {
    choose(cases, |cases| {
        if nix::unistd::geteuid().is_root() {
            return side_by_side(&cases);
        }
        println!("\n0 passed, 0 failed, {} cases need root", cases.len());
        ExitCode::SUCCESS
    })
}

fn choose(cases: &[Case], run: impl FnOnce(Vec<Case>) -> ExitCode) -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let Some(code) = stage::child(&arguments) {
        return code;
    }
    if let [first, name] = arguments.as_slice()
        && first == INSIDE
    {
        return inside(cases, name);
    }
    let wanted: Vec<&String> = arguments.iter().filter(|a| !a.starts_with('-')).collect();
    let chosen = cases.iter().filter(|c| wanted.is_empty() || wanted.iter().any(|w| c.name.contains(w.as_str())));
    if arguments.iter().any(|a| a == "--list") {
        for case in chosen {
            println!("{}: test", case.name);
        }
        return ExitCode::SUCCESS;
    }
    run(chosen.copied().collect())
}

/// Cases of root that run at a time: they wait more than they work.
const AT_A_TIME: usize = 3;

fn side_by_side(cases: &[Case]) -> ExitCode {
    let mut waiting = cases.iter();
    let mut running: Vec<(&Case, Instant, Child)> = Vec::new();
    let mut failed = Vec::new();
    let mut tell = |case: &Case, start: Instant, ended: Result<i32, Error>| {
        let text = if matches!(ended, Ok(0)) { "ok" } else { "FAILED" };
        println!("test {} ... {text} ({} ms)", case.name, start.elapsed().as_millis());
        if text != "ok" {
            failed.push(case.name);
        }
    };
    loop {
        while running.len() < AT_A_TIME
            && let Some(case) = waiting.next()
        {
            match outside(case, None) {
                Ok(child) => running.push((case, Instant::now(), child)),
                Err(error) => tell(case, Instant::now(), Err(error)),
            }
        }
        if running.is_empty() {
            break;
        }
        let ended = running.iter_mut().position(|(_, _, child)| !matches!(child.try_wait(), Ok(None)));
        match ended {
            Some(at) => {
                let (case, start, child) = running.remove(at);
                tell(case, start, end(case, child));
            }
            None => std::thread::sleep(core::time::Duration::from_millis(20)),
        }
    }
    println!("\n{} passed, {} failed, 0 cases need root", cases.len() - failed.len(), failed.len());
    if failed.is_empty() {
        return ExitCode::SUCCESS;
    }
    println!("failed: {}", failed.join(", "));
    ExitCode::FAILURE
}

fn all(cases: Vec<Case>) -> ExitCode {
    let root = nix::unistd::geteuid().is_root();
    let users: &[Option<u32>] = if root { &[None, Some(NOBODY)] } else { &[None] };
    let (mut passed, mut failed, mut forbidden) = (0, Vec::new(), 0);
    for case in &cases {
        // Side by side: most of a case is waiting.
        let started: Vec<_> = users.iter().map(|user| (*user, Instant::now(), outside(case, *user))).collect();
        for (user, start, child) in started {
            let who = if user.is_some() || !root { "user" } else { "root" };
            let text = match child.and_then(|child| end(case, child)) {
                Ok(0) => {
                    passed += 1;
                    "ok"
                }
                Ok(code) if code == i32::from(FORBIDDEN) => {
                    forbidden += 1;
                    "needs root"
                }
                _ => {
                    failed.push(format!("{} ({who})", case.name));
                    "FAILED"
                }
            };
            println!("test {} ({who}) ... {text} ({} ms)", case.name, start.elapsed().as_millis());
        }
    }

    println!("\n{passed} passed, {} failed, {forbidden} cases need root", failed.len());
    if failed.is_empty() {
        ExitCode::SUCCESS
    } else {
        println!("failed: {}", failed.join(", "));
        ExitCode::FAILURE
    }
}

fn outside(case: &Case, user: Option<u32>) -> Result<Child, Error> {
    let mut command = Command::new("/proc/self/exe");
    command.args([INSIDE, case.name]).stdin(Stdio::null()).current_dir("/");
    if let Some(id) = user {
        command.uid(id).gid(id).env_remove("HOME").env_remove("XDG_RUNTIME_DIR");
    }
    command.spawn().trying(format!("starting {}", case.name))
}

/// Exit code, or 128 and the signal.
fn end(case: &Case, mut child: Child) -> Result<i32, Error> {
    let status = child.wait().trying(format!("waiting for {}", case.name))?;
    Ok(status.code().or(status.signal().map(|s| 128 + s)).unwrap_or(-1))
}

fn inside(cases: &[Case], name: &str) -> ExitCode {
    let Some(case) = cases.iter().find(|c| c.name == name) else { return ExitCode::FAILURE };
    if let Err(error) = netns::die_with_parent() {
        eprintln!("{error}");
        return ExitCode::FAILURE;
    }
    match netns::enter() {
        Ok(Privilege::Root | Privilege::UserNamespace) => {}
        Err(EnterError::Forbidden(advice)) => {
            eprintln!("{advice}");
            return ExitCode::from(FORBIDDEN);
        }
        Err(EnterError::Failed(error)) => {
            eprintln!("{error}");
            return ExitCode::FAILURE;
        }
    }
    match (case.run)() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) if error.is::<NeedsRoot>() => ExitCode::from(FORBIDDEN),
        Err(error) => {
            eprintln!("{name}: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Runs a future on a runtime of one thread, in a set of local tasks.
///
/// # Errors
/// The future's own, or no runtime.
pub fn block_on<T, E>(future: impl Future<Output = Result<T, E>>) -> Result<T, Box<dyn std::error::Error>>
where
    E: Into<Box<dyn std::error::Error>>,
{
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let local = tokio::task::LocalSet::new();
    let result = local.block_on(&runtime, future);
    runtime.shutdown_background();
    result.map_err(Into::into)
}

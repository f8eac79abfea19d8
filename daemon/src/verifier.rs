//! `mbimd-verify`: checks the signature of one document and ends. A question on standard input, the answer on standard
//! output; `mbimd` starts it for each document that is signed.
//!
//! It reads what strangers wrote, certificates among it, so it gives up everything first: privileges, capabilities, files,
//! network, most of its memory and time. Where the filter of system calls is there, all that is left is to read, to write,
//! to have memory and to end. Whatever becomes of it is the fate of one document.

use std::io::{self, Read as _, Write as _};
use std::process::ExitCode;

use daemon_verify::{Answer, MAX_QUESTION, Narrow, Question, Verifier as _};
use rustix::process::{DumpableBehavior, Resource, Rlimit};

/// Memory of its own. A document within the limits needs less; the daemon's unit has 64 MiB for both.
const MEMORY: u64 = 44 * 1024 * 1024;
/// Seconds of work; the limit of `[PROV 16]` is 2 on a small router.
const SECONDS: u64 = 10;

/// The whole program.
pub(crate) fn main() -> ExitCode {
    if std::env::args_os().len() > 1 {
        let _ = writeln!(
            io::stdout(),
            "mbimd-verify {}\nChecks the signature of a document for mbimd; nothing to be run by hand: see mbimctl provision verify.",
            env!("CARGO_PKG_VERSION")
        );
        return ExitCode::SUCCESS;
    }
    // What the library asks of the processor, it asks once.
    let _ = daemon_verify::fingerprint(b"");
    if let Err(error) = confine() {
        let _ = writeln!(io::stderr(), "mbimd-verify: it cannot give up what it must: {error}");
        return ExitCode::FAILURE;
    }
    match answer() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(io::stderr(), "mbimd-verify: {error}");
            ExitCode::FAILURE
        }
    }
}

fn answer() -> io::Result<()> {
    let mut octets = Vec::new();
    io::stdin().lock().take(MAX_QUESTION as u64 + 1).read_to_end(&mut octets)?;
    if octets.len() > MAX_QUESTION {
        return Err(io::ErrorKind::FileTooLarge.into());
    }
    let asked = Question::decode(&octets).map_err(io::Error::other)?;
    let result = Narrow.verify(&asked.request());
    let mut out = io::stdout().lock();
    out.write_all(&Answer::encode(&result))?;
    out.flush()
}

/// Gives up what it does not need, for ever.
fn confine() -> io::Result<()> {
    let limit =
        |resource, value| rustix::process::setrlimit(resource, Rlimit { current: Some(value), maximum: Some(value) });
    limit(Resource::Core, 0)?;
    limit(Resource::Fsize, 0)?;
    limit(Resource::Cpu, SECONDS)?;
    limit(Resource::Data, MEMORY)?;
    // Three are open and stay so.
    limit(Resource::Nofile, 3)?;
    limit(Resource::Nproc, 0)?;
    rustix::process::set_dumpable_behavior(DumpableBehavior::NotDumpable)?;
    rustix::thread::set_no_new_privs(true)?;
    rustix::thread::clear_ambient_capability_set()?;
    // The unit's own filter may keep it from this; then ours, under which no capability is of any use, is needed.
    let nothing = rustix::thread::CapabilitySet::empty();
    let sets = rustix::thread::CapabilitySets { effective: nothing, permitted: nothing, inheritable: nothing };
    let dropped = rustix::thread::set_capabilities(None, sets);
    match filter::install() {
        Ok(true) => Ok(()),
        Ok(false) => dropped.map_err(io::Error::from),
        Err(error) => dropped.map_err(|_| error),
    }
}

/// The filter of system calls, on the architectures that have one here.
#[cfg(any(target_arch = "x86_64", target_arch = "aarch64", target_arch = "riscv64"))]
mod filter {
    use std::collections::BTreeMap;
    use std::io;

    use seccompiler::{BpfProgram, SeccompAction, SeccompFilter, TargetArch};

    /// Read, write, have memory, end; anything else ends the process. The numbers are the architecture's.
    #[cfg(target_arch = "x86_64")]
    const ALLOWED: &[i64] = &[
        0,   // read
        1,   // write
        3,   // close
        9,   // mmap
        10,  // mprotect
        11,  // munmap
        12,  // brk
        13,  // rt_sigaction
        14,  // rt_sigprocmask
        15,  // rt_sigreturn
        19,  // readv
        20,  // writev
        24,  // sched_yield
        25,  // mremap
        28,  // madvise
        60,  // exit
        131, // sigaltstack
        202, // futex
        228, // clock_gettime
        231, // exit_group
    ];
    /// As above; both architectures have the generic numbers.
    #[cfg(not(target_arch = "x86_64"))]
    const ALLOWED: &[i64] = &[
        57,  // close
        63,  // read
        64,  // write
        65,  // readv
        66,  // writev
        93,  // exit
        94,  // exit_group
        98,  // futex
        113, // clock_gettime
        124, // sched_yield
        132, // sigaltstack
        134, // rt_sigaction
        135, // rt_sigprocmask
        139, // rt_sigreturn
        214, // brk
        215, // munmap
        216, // mremap
        222, // mmap
        226, // mprotect
        233, // madvise
    ];

    /// Puts it in force; whether there is one.
    pub(super) fn install() -> io::Result<bool> {
        let rules: BTreeMap<i64, Vec<_>> = ALLOWED.iter().map(|number| (*number, Vec::new())).collect();
        let architecture = TargetArch::try_from(std::env::consts::ARCH).map_err(io::Error::other)?;
        let filter = SeccompFilter::new(rules, SeccompAction::KillProcess, SeccompAction::Allow, architecture);
        let program: BpfProgram = filter.and_then(TryInto::try_into).map_err(io::Error::other)?;
        seccompiler::apply_filter(&program).map_err(io::Error::other)?;
        Ok(true)
    }
}

#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64", target_arch = "riscv64")))]
mod filter {
    pub(super) fn install() -> std::io::Result<bool> {
        Ok(false)
    }
}

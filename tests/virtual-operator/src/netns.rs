//! Private namespaces for one run, as root or as an ordinary user, and the rule that children die with their parent.
//!
//! As root plain network and mount namespaces serve. An ordinary user gets a user namespace that maps the user's own
//! uid and gid (mapping to root would make D-Bus refuse clients from outside) and keeps its capabilities as ambient
//! ones, so that the programs started from it have them too. Nothing outside is touched: mounts are private, and
//! what is set lives in namespaces that vanish with the last process.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use core::fmt;

use nix::mount::{MsFlags, mount};
use nix::sched::{CloneFlags, unshare};
use nix::sys::prctl::set_pdeathsig;
use nix::sys::signal::Signal;
use nix::unistd::{getegid, geteuid};
use rustix::thread::{CapabilitySet, CapabilitySets, configure_capability_in_ambient_set, set_capabilities};

use crate::error::{Error, While};

/// How the namespaces were had.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Privilege {
    /// The caller is root outside as well.
    Root,
    /// Inside a user namespace of the caller's own.
    UserNamespace,
}

/// Why there are no private namespaces.
#[derive(Debug)]
pub enum EnterError {
    /// The kernel or its configuration forbids it; the text says what to do.
    Forbidden(String),
    /// It should have worked.
    Failed(Error),
}

impl fmt::Display for EnterError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Forbidden(advice) => f.write_str(advice),
            Self::Failed(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for EnterError {}

impl From<Error> for EnterError {
    fn from(error: Error) -> Self {
        Self::Failed(error)
    }
}

/// Moves the calling process into fresh network and mount namespaces. It must have one thread only.
///
/// # Errors
/// [`EnterError::Forbidden`] where neither root's nor user namespaces are to be had.
pub fn enter() -> Result<Privilege, EnterError> {
    single_threaded()?;
    let own = CloneFlags::CLONE_NEWNET | CloneFlags::CLONE_NEWNS;
    let privilege = if geteuid().is_root() && unshare(own).is_ok() {
        Privilege::Root
    } else {
        let (uid, gid) = (geteuid(), getegid());
        unshare(CloneFlags::CLONE_NEWUSER).map_err(|e| EnterError::Forbidden(advice(&e.to_string())))?;
        map_ids(uid.as_raw(), gid.as_raw())?;
        unshare(own).map_err(|e| EnterError::Forbidden(advice(&e.to_string())))?;
        keep_capabilities()?;
        Privilege::UserNamespace
    };
    private_mounts()?;
    Ok(privilege)
}

/// Moves the calling process into a fresh network namespace, inside what [`enter`] made.
///
/// # Errors
/// The process has no right to.
pub fn enter_network() -> Result<(), Error> {
    unshare(CloneFlags::CLONE_NEWNET).trying("making a network namespace")
}

/// Makes the kernel end this process when the one that started it ends, however it ends.
///
/// # Errors
/// The kernel refuses, or the parent is gone already.
pub fn die_with_parent() -> Result<(), Error> {
    set_pdeathsig(Signal::SIGKILL).trying("tying the process to its parent")?;
    if nix::unistd::getppid().as_raw() == 1 && std::env::var_os(PARENT).is_some_and(|p| p != "1") {
        return Err(Error::new("tying the process to its parent", "the parent has ended already"));
    }
    Ok(())
}

const PARENT: &str = "VIRTUAL_OPERATOR_PARENT";

static FIRST_WORDS: OnceLock<&'static [&'static str]> = OnceLock::new();

/// For executables that reach the children's parts only behind words of their own on the command line: what to put
/// before the arguments of [`own_executable`]. Only the first call counts.
pub fn children_begin_with(words: &'static [&'static str]) {
    let _ = FIRST_WORDS.set(words);
}

/// The running executable again, with other arguments and pipes for orders and reports.
#[must_use]
pub fn own_executable(arguments: &[&str]) -> Command {
    let mut command = Command::new("/proc/self/exe");
    command.args(FIRST_WORDS.get().copied().unwrap_or_default()).args(arguments);
    command.env(PARENT, std::process::id().to_string()).stdin(Stdio::piped()).stdout(Stdio::piped());
    command
}

fn single_threaded() -> Result<(), Error> {
    let doing = "counting the threads of this process";
    let threads = fs::read_dir("/proc/self/task").trying(doing)?.count();
    if threads == 1 { Ok(()) } else { Err(Error::new(doing, format!("{threads}; namespaces need exactly one"))) }
}

fn map_ids(uid: u32, gid: u32) -> Result<(), Error> {
    // Without this an unprivileged process may not map its group.
    fs::write("/proc/self/setgroups", "deny").trying("writing /proc/self/setgroups")?;
    fs::write("/proc/self/uid_map", format!("{uid} {uid} 1\n")).trying("writing /proc/self/uid_map")?;
    fs::write("/proc/self/gid_map", format!("{gid} {gid} 1\n")).trying("writing /proc/self/gid_map")
}

fn keep_capabilities() -> Result<(), Error> {
    let doing = "keeping the capabilities of the user namespace";
    let wanted =
        [CapabilitySet::NET_ADMIN, CapabilitySet::NET_RAW, CapabilitySet::NET_BIND_SERVICE, CapabilitySet::SYS_ADMIN];
    let now = rustix::thread::capabilities(None).trying(doing)?;
    let inheritable = wanted.iter().fold(now.inheritable, |all, one| all | *one);
    set_capabilities(None, CapabilitySets { inheritable, ..now }).trying(doing)?;
    for one in wanted {
        configure_capability_in_ambient_set(one, true).trying(doing)?;
    }
    Ok(())
}

fn private_mounts() -> Result<(), Error> {
    let none: Option<&str> = None;
    mount(none, "/", none, MsFlags::MS_REC | MsFlags::MS_PRIVATE, none).trying("making mounts private")?;
    // sysfs shows the interfaces of the namespace in which it was mounted. Where a second one may not be mounted the
    // old one stays, and only programs that read it instead of asking by netlink would notice.
    let _ = mount(Some("sysfs"), "/sys", Some("sysfs"), MsFlags::MS_NOSUID | MsFlags::MS_NODEV, none);
    // The host's airplane switch is not the virtual machine's.
    if Path::new("/dev/rfkill").exists() {
        let _ = mount(Some("/dev/null"), "/dev/rfkill", none, MsFlags::MS_BIND, none);
    }
    Ok(())
}

/// What to do where namespaces are forbidden, from the knobs that this kernel has.
fn advice(cause: &str) -> String {
    let mut text =
        format!("private namespaces are not to be had here ({cause}). Run it as root, or allow user namespaces:");
    let mut found = false;
    for (knob, bad, good) in [
        ("/proc/sys/kernel/unprivileged_userns_clone", "0", "sysctl -w kernel.unprivileged_userns_clone=1"),
        ("/proc/sys/user/max_user_namespaces", "0", "sysctl -w user.max_user_namespaces=10000"),
        (
            "/proc/sys/kernel/apparmor_restrict_unprivileged_userns",
            "1",
            "sysctl -w kernel.apparmor_restrict_unprivileged_userns=0",
        ),
    ] {
        if fs::read_to_string(knob).is_ok_and(|value| value.trim() == bad) {
            text += &format!("\n  {good}");
            found = true;
        }
    }
    if !found {
        text += "\n  in a container: start it with --privileged, or with --cap-add SYS_ADMIN --cap-add NET_ADMIN and \
                 a seccomp profile that lets unshare through";
    }
    text
}

#[cfg(test)]
mod tests {
    #[test]
    fn advice_names_a_remedy() {
        let text = super::advice("EPERM");
        assert!(text.contains("root") && text.lines().count() > 1, "{text}");
    }
}

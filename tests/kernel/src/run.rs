//! Runs cases one after the other, each in a process of its own, and sees to it that each leaves the machine as it was.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{BufRead, BufReader, Write};
use std::os::unix::process::ExitStatusExt;
use std::panic::AssertUnwindSafe;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitCode, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use futures_util::FutureExt;
use harness::virtual_operator::{Error, While};
use serde_json::{Value, json};

use crate::case::{Boot, Real, Wanted};
use crate::guest::Guest;

/// The folder that the host shares with the guest.
const SHARE: &str = "/lab";
/// Lines of each log that a failure shows.
const LAST_WORDS: usize = 25;
/// How long what a case leaves to the kernel (namespaces, devices) may take to go.
const SETTLING: Duration = Duration::from_secs(20);
/// What the kernel says when it is broken.
const BROKEN: [&str; 7] = [
    "BUG:",
    "Oops",
    "Kernel panic",
    "general protection fault",
    "refcount_t:",
    "unregister_netdevice: waiting",
    "Call Trace",
];

fn share() -> PathBuf {
    std::env::var_os("LAB_SHARE").map_or_else(|| SHARE.into(), PathBuf::from)
}

/// Runs cases in the virtual machine.
pub(crate) fn guest(boot: Boot, wanted: &[Wanted]) -> ExitCode {
    let installed = match boot {
        Boot::Plain => install(),
        Boot::Bare => install_bare(),
        // There the cases install packages themselves.
        Boot::Systemd => Ok(()),
    };
    if let Err(error) = installed {
        println!("{error}");
        return ExitCode::FAILURE;
    }
    all(wanted, true)
}

/// What an installed daemon has around it: its group, the rules of udev, bus and polkit.
fn install() -> Result<(), Error> {
    copy("udev", "rules", "/usr/lib/udev/rules.d")?;
    copy("systemd/polkit", "policy", "/usr/share/polkit-1/actions")?;
    let users = share().join("systemd/sysusers.conf").display().to_string();
    run("systemd-sysusers", &[&users])?;
    run("udevadm", &["control", "--reload"])?;
    install_bare()
}

/// What it has on a router: the policy of the bus, and modules that nobody loads on demand.
fn install_bare() -> Result<(), Error> {
    copy("systemd/dbus-1", "conf", "/usr/share/dbus-1/system.d")?;
    run("dbus-send", &["--system", "--print-reply", "--dest=org.freedesktop.DBus", "/", RELOAD])?;
    run("modprobe", &["-a", "vhci_hcd", "cdc_mbim", "8021q", "tun"])
}

/// A method of the bus.
const RELOAD: &str = "org.freedesktop.DBus.ReloadConfig";

fn copy(from: &str, ending: &str, to: &str) -> Result<(), Error> {
    let from = share().join(from);
    for entry in fs::read_dir(&from).trying(format!("reading {}", from.display()))?.flatten() {
        if entry.path().extension().is_some_and(|found| found == ending) {
            let to = Path::new(to).join(entry.file_name());
            fs::copy(entry.path(), &to).trying(format!("installing {}", to.display()))?;
        }
    }
    Ok(())
}

fn run(program: &str, arguments: &[&str]) -> Result<(), Error> {
    let doing = format!("running {program}");
    let output = Command::new(program).args(arguments).output().trying(&doing)?;
    if output.status.success() {
        return Ok(());
    }
    Err(Error::new(doing, String::from_utf8_lossy(&output.stderr).trim()))
}

/// Runs cases on this machine, with the real modem that the environment names.
pub(crate) fn host(wanted: &[Wanted]) -> ExitCode {
    all(wanted, false)
}

fn all(wanted: &[Wanted], inside: bool) -> ExitCode {
    let (mut passed, mut failed, mut skipped) = (0, Vec::new(), 0);
    for one in wanted {
        if let (false, Real::No(why)) = (inside, one.case.real) {
            println!("{}: not on a real modem: {why}", one.text);
            skipped += 1;
            continue;
        }
        let start = Instant::now();
        let ended = Ended::of(one, inside);
        let seconds = start.elapsed().as_secs_f64();
        match &ended.error {
            None => {
                println!("{:<28} ok ({seconds:.1} s)", one.text);
                passed += 1;
            }
            Some(why) => {
                println!("{:<28} FAILED ({seconds:.1} s): {why}", one.text);
                show(&logs(one));
                failed.push(one.text.clone());
            }
        }
        let line = json!({
            "case": one.text, "ok": ended.error.is_none(), "error": ended.error, "seconds": seconds,
            "figures": ended.figures,
        });
        if let Err(error) = note(&line) {
            println!("{error}");
        }
        if ended.error.is_some() && share().join("hold").exists() {
            println!("{} is held; end it with Ctrl-C", one.text);
            loop {
                std::thread::park();
            }
        }
    }
    if !inside {
        println!(
            "kernel lab on a real modem: {passed} passed, {} failed, {skipped} not for a real modem",
            failed.len()
        );
    }
    if failed.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn logs(one: &Wanted) -> PathBuf {
    share().join("logs").join(one.text.replace(['/', ':'], "-"))
}

fn note(line: &Value) -> Result<(), Error> {
    let doing = "noting a result";
    let mut file = File::options().create(true).append(true).open(share().join("results.jsonl")).trying(doing)?;
    writeln!(file, "{line}").trying(doing)
}

/// The ends of a case's logs.
fn show(folder: &Path) {
    let mut files: Vec<PathBuf> = fs::read_dir(folder)
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.path())
        .filter(|p| p.is_file())
        .collect();
    files.sort();
    for file in files {
        let text = fs::read(&file).unwrap_or_default();
        let text = String::from_utf8_lossy(&text);
        let lines: Vec<&str> = text.lines().collect();
        if lines.is_empty() {
            continue;
        }
        println!("    -- {}", file.file_name().unwrap_or_default().to_string_lossy());
        for line in lines.iter().skip(lines.len().saturating_sub(LAST_WORDS)) {
            println!("    {line}");
        }
    }
}

/// How a case came out.
struct Ended {
    error: Option<String>,
    figures: Vec<Value>,
}

impl Ended {
    fn of(one: &Wanted, inside: bool) -> Self {
        let mut figures = Vec::new();
        let error = process(one, inside, &mut figures).err().map(|error| error.to_string());
        Self { error, figures }
    }
}

/// One case in its process, with what it must leave as it was.
fn process(one: &Wanted, inside: bool, figures: &mut Vec<Value>) -> Result<(), Error> {
    let folder = logs(one);
    // What an earlier run left says nothing about this one.
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).trying("making a folder for logs")?;
    let marker = format!("kernel-lab: case {} begins", one.text);
    if inside {
        // Without the mark all of the kernel's words count as the case's.
        let _ = fs::write("/dev/kmsg", format!("<6>{marker}\n"));
    }
    let before = Surroundings::now();
    let group = Group::new()?;
    let mut result = child(one, &group, figures);
    let left = group.end()?;
    if result.is_ok() && !left.is_empty() {
        result = Err(Error::new("looking for processes that the case left", left.join(", ")));
    }
    let differs = before.wait_for_it();
    if result.is_ok() && !differs.is_empty() {
        result = Err(Error::new("looking for what the case left", differs.join(", ")));
    }
    if inside {
        let kernel = kernel_log(&marker);
        fs::write(folder.join("dmesg.log"), &kernel).trying("keeping the kernel's log")?;
        if let Some(line) = kernel.lines().find(|line| BROKEN.iter().any(|word| line.contains(word))) {
            return Err(Error::new("reading the kernel's log", line));
        }
    }
    result
}

fn child(one: &Wanted, group: &Group, figures: &mut Vec<Value>) -> Result<(), Error> {
    let doing = "running the case";
    // The case's process waits until it is in its group, so that all that it starts is, too.
    let mut child = Command::new("/proc/self/exe")
        .args(["case", &one.text])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(File::create(logs(one).join("case.log")).trying(doing)?)
        .spawn()
        .trying(doing)?;
    group.add(child.id())?;
    drop(child.stdin.take());
    let (tell, lines) = mpsc::channel();
    let output = child.stdout.take().ok_or_else(|| Error::new(doing, "no standard output"))?;
    // Its own thread: reading blocks, and whoever inherited the pipe may hold it open.
    std::thread::spawn(move || {
        for line in BufReader::new(output).lines().map_while(Result::ok) {
            if tell.send(line).is_err() {
                break;
            }
        }
    });
    let end = Instant::now() + one.case.limit;
    let mut error = String::new();
    loop {
        let line = match lines.recv_timeout(Duration::from_millis(200)) {
            Ok(line) => line,
            Err(mpsc::RecvTimeoutError::Timeout) => {
                if Instant::now() >= end {
                    // The group's end takes the rest.
                    let _ = child.kill();
                    let _ = child.wait();
                    return Err(Error::new(doing, format!("not within {} s; {error}", one.case.limit.as_secs())));
                }
                if ended(&mut child) {
                    break;
                }
                continue;
            }
            Err(mpsc::RecvTimeoutError::Disconnected) => break,
        };
        if let Some(figure) = line.strip_prefix("figure: ") {
            println!("    {}", line.replace('\t', " "));
            let mut words = figure.split('\t');
            let (name, value) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
            let value: f64 = value.parse().unwrap_or(f64::NAN);
            figures.push(json!({ "name": name, "value": value, "unit": words.next() }));
        } else if let Some(why) = line.strip_prefix("failed: ") {
            error = why.to_owned();
        } else {
            println!("    {}: {}", one.text, line.strip_prefix("progress: ").unwrap_or(&line));
        }
    }
    let status = child.wait().trying(doing)?;
    match status.code() {
        Some(0) => Ok(()),
        _ if !error.is_empty() => Err(Error::new(format!("running {}", one.text), error)),
        Some(code) => Err(Error::new(doing, format!("exit status {code}"))),
        None => Err(Error::new(doing, format!("signal {}", status.signal().unwrap_or_default()))),
    }
}

fn ended(child: &mut Child) -> bool {
    !matches!(child.try_wait(), Ok(None))
}

/// The process of one case.
pub(crate) fn one(wanted: &Wanted) -> ExitCode {
    // The parent closes it once this process stands in its group.
    let mut nothing = String::new();
    let _ = std::io::stdin().read_line(&mut nothing);
    let done = harness::cases::block_on(async {
        let mut guest = Guest::new(wanted, logs(wanted))?;
        let ran = AssertUnwindSafe((wanted.case.run)(&mut guest)).catch_unwind().await;
        let ran = ran.unwrap_or_else(|_| Err("a check failed; see case.log".into()));
        let cleared = guest.clear_away().await;
        ran.and(cleared)
    });
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            println!("failed: {}", error.to_string().replace('\n', " | "));
            ExitCode::FAILURE
        }
    }
}

/// The control group of one case: everything that it starts, however it detaches itself.
struct Group {
    folder: Option<PathBuf>,
}

impl Group {
    const PLACE: &'static str = "/sys/fs/cgroup";

    fn new() -> Result<Self, Error> {
        let place = Path::new(Self::PLACE);
        // Only in the guest: this machine's groups are not ours.
        if !place.join("cgroup.procs").exists() || std::env::var_os("LAB_SHARE").is_some() {
            return Ok(Self { folder: None });
        }
        let folder = place.join("kernel-lab");
        fs::create_dir_all(&folder).trying("making a control group")?;
        Ok(Self { folder: Some(folder) })
    }

    fn add(&self, id: u32) -> Result<(), Error> {
        let Some(folder) = &self.folder else { return Ok(()) };
        fs::write(folder.join("cgroup.procs"), id.to_string()).trying("joining the control group")
    }

    /// Names of the processes that are still there after a moment. None is afterwards.
    fn end(self) -> Result<Vec<String>, Error> {
        let Some(folder) = self.folder else { return Ok(Vec::new()) };
        let doing = "ending a control group";
        let members = || -> Result<Vec<String>, Error> {
            let list = fs::read_to_string(folder.join("cgroup.procs")).trying(doing)?;
            Ok(list
                .lines()
                .map(|id| fs::read_to_string(format!("/proc/{id}/comm")).unwrap_or_else(|_| id.into()))
                .collect())
        };
        let gone = |limit: Duration| {
            let end = Instant::now() + limit;
            loop {
                let left = members()?;
                if left.is_empty() || Instant::now() >= end {
                    return Ok::<_, Error>(left);
                }
                std::thread::sleep(Duration::from_millis(20));
            }
        };
        let left = gone(Duration::from_secs(3))?;
        if !left.is_empty() {
            fs::write(folder.join("cgroup.kill"), "1").trying(doing)?;
            gone(SETTLING)?;
        }
        // The next case makes it again or finds it.
        let _ = fs::remove_dir(&folder);
        Ok(left.into_iter().map(|name| name.trim().to_owned()).collect())
    }
}

/// What must be after a case as it was before.
#[derive(Debug, PartialEq, Eq)]
struct Surroundings {
    links: BTreeSet<String>,
    ports: BTreeSet<String>,
    mounts: BTreeSet<String>,
}

impl Surroundings {
    fn now() -> Self {
        let names = |folder: &str| {
            fs::read_dir(folder)
                .into_iter()
                .flatten()
                .flatten()
                .map(|e| e.file_name().to_string_lossy().into_owned())
                .collect()
        };
        let mounts = fs::read_to_string("/proc/self/mounts").unwrap_or_default();
        let mounts = mounts.lines().filter_map(|line| line.split(' ').nth(1)).map(str::to_owned).collect();
        Self { links: names("/sys/class/net"), ports: names("/sys/class/usbmisc"), mounts }
    }

    /// What is there that was not, once the kernel had time to clean up.
    fn wait_for_it(&self) -> Vec<String> {
        let end = Instant::now() + SETTLING;
        loop {
            let now = Self::now();
            let mut left = Vec::new();
            for (what, old, new) in [
                ("link", &self.links, &now.links),
                ("control port", &self.ports, &now.ports),
                ("mount", &self.mounts, &now.mounts),
            ] {
                left.extend(new.difference(old).map(|name| format!("{what} {name}")));
            }
            if left.is_empty() || Instant::now() >= end {
                return left;
            }
            std::thread::sleep(Duration::from_millis(50));
        }
    }
}

/// What the kernel said since the mark.
fn kernel_log(marker: &str) -> String {
    let said = Command::new("dmesg").output().map(|output| String::from_utf8_lossy(&output.stdout).into_owned());
    let said = said.unwrap_or_default();
    said.rsplit_once(marker).map_or(said.as_str(), |(_, after)| after).trim_start().to_owned()
}

//! Debian's `mbimcli` on this modem through a pseudo-terminal: every query and set that it has an option for. What it
//! must print is in `virtual_modem::mbimcli`; the kernel lab runs the same table through the real driver.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a panic is the report, in helpers too")]

use core::time::Duration;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fd::{AsFd, OwnedFd};
use rustix::fs::{Mode, OFlags};
use std::collections::BTreeSet;
use std::process::{Command, Stdio};
use std::time::Instant;
use virtual_modem::mbimcli::{Seen, Step, options, profile, table};
use virtual_modem::{Output, VirtualModem};

/// A modem behind a pseudo-terminal, which the program takes for a control port without its ioctl.
struct Port {
    modem: VirtualModem,
    start: Instant,
    master: OwnedFd,
    /// Kept open: without any opener the master reads an error.
    _slave: OwnedFd,
    name: String,
}

impl Port {
    fn new() -> Self {
        use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
        let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
        grantpt(&master).unwrap();
        unlockpt(&master).unwrap();
        let name = ptsname(&master, Vec::new()).unwrap().into_string().unwrap();
        let slave =
            rustix::fs::open(name.as_str(), OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC, Mode::empty()).unwrap();
        let mut raw = rustix::termios::tcgetattr(&slave).unwrap();
        raw.make_raw();
        rustix::termios::tcsetattr(&slave, rustix::termios::OptionalActions::Now, &raw).unwrap();
        Self { modem: VirtualModem::new(profile()), start: Instant::now(), master, _slave: slave, name }
    }

    /// Runs the program once while the modem is served. A program that hangs is ended after 30 s.
    fn run(&mut self, step: &Step) -> (bool, String) {
        for order in &step.orders {
            self.modem.order(self.start.elapsed(), order.clone());
        }
        self.answer();
        let mut program = Command::new("timeout")
            .args(["-s", "KILL", "30", "mbimcli", "-d", &self.name])
            .args(&step.arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .env("LC_ALL", "C.UTF-8")
            .spawn()
            .expect("timeout of coreutils");
        let status = loop {
            self.serve();
            if let Some(status) = program.try_wait().unwrap() {
                break status;
            }
        };
        // What was still on its way when the program ended.
        self.serve();
        let mut text = String::new();
        std::io::Read::read_to_string(&mut program.stdout.take().unwrap(), &mut text).unwrap();
        std::io::Read::read_to_string(&mut program.stderr.take().unwrap(), &mut text).unwrap();
        (status.success(), text)
    }

    /// Waits a moment for bytes of the host and answers them.
    fn serve(&mut self) {
        let moment = Timespec::try_from(Duration::from_millis(2)).unwrap();
        poll(&mut [PollFd::from_borrowed_fd(self.master.as_fd(), PollFlags::IN)], Some(&moment)).unwrap();
        let mut buffer = [0; 8192];
        while poll(&mut [PollFd::from_borrowed_fd(self.master.as_fd(), PollFlags::IN)], Some(&Timespec::default()))
            .is_ok_and(|ready| ready > 0)
        {
            let count = rustix::io::read(&self.master, &mut buffer).unwrap();
            self.modem.handle(self.start.elapsed(), &buffer[..count]);
            self.answer();
        }
        self.modem.wake(self.start.elapsed());
        self.answer();
    }

    fn answer(&mut self) {
        while let Some(output) = self.modem.poll() {
            let Output::Transmit(frame) = output else { continue };
            let mut left = frame.as_slice();
            while !left.is_empty() {
                left = &left[rustix::io::write(&self.master, left).unwrap()..];
            }
        }
    }
}

/// The help text; a host without the program is told which package has it.
fn help() -> String {
    let help = Command::new("mbimcli").arg("--help-all").output();
    let help = help.expect("mbimcli is missing: apt-get install libmbim-utils");
    String::from_utf8(help.stdout).unwrap()
}

/// Options that need more than a control port: they make and list kernel interfaces. The lab has those.
const KERNEL: [&str; 4] = ["--link-list", "--link-add", "--link-delete", "--link-delete-all"];

#[test]
fn every_option_for_a_query_or_a_set_is_in_the_table() {
    let help = help();
    let offered: BTreeSet<&str> = options(&help).into_iter().filter(|option| !KERNEL.contains(option)).collect();
    assert!(offered.len() > 80, "the help text was read: {offered:?}");
    let table = table();
    let tried: BTreeSet<&str> = table.iter().map(|step| step.option).collect();
    let missing: Vec<_> = offered.difference(&tried).collect();
    assert!(missing.is_empty(), "not in the table: {missing:?}");
    // Another release of the program may have fewer options; ours may not name one that none has.
    let unknown: Vec<_> = tried.difference(&offered).collect();
    assert!(unknown.is_empty(), "not an option of this mbimcli: {unknown:?}");
}

#[test]
fn what_mbimcli_prints_is_what_the_modem_holds() {
    let mut port = Port::new();
    let mut wrong = Vec::new();
    for step in table() {
        let (success, output) = port.run(&step);
        let state = port.modem.state();
        let seen = Seen { profile: port.modem.profile(), state: &state };
        wrong.extend(step.judge(success, &output, seen).err());
    }
    assert!(wrong.is_empty(), "{} steps:\n\n{}", wrong.len(), wrong.join("\n\n"));
}

//! A modem behind a pseudo-terminal, for programs that open a device.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, reason = "a panic is the report")]

use core::time::Duration;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fd::{AsFd, OwnedFd};
use rustix::fs::{Mode, OFlags};
use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::time::Instant;
use virtual_modem::mbimcli::{LISTENING, Step, profile};
use virtual_modem::{Order, Output, VirtualModem};

/// A modem behind a pseudo-terminal, which the program takes for a control port without its ioctl.
pub(crate) struct Port {
    pub(crate) modem: VirtualModem,
    start: Instant,
    master: OwnedFd,
    /// Kept open: without any opener the master reads an error.
    _slave: OwnedFd,
    name: String,
}

impl Port {
    pub(crate) fn new() -> Self {
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

    /// Runs a program once while the modem is served; the port's name follows what is given of it, then what the step
    /// says. One that hangs is ended after 90 s.
    pub(crate) fn run(&mut self, program: &[&str], step: &Step) -> (bool, String) {
        self.order(&step.orders);
        let mut program = Command::new("timeout")
            .args(["-s", "KILL", "90"])
            .args(program)
            .arg(&self.name)
            .args(&step.arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .env("LC_ALL", "C.UTF-8")
            .spawn()
            .expect("timeout of coreutils");
        let (tell, lines) = mpsc::channel();
        let output = BufReader::new(program.stdout.take().unwrap());
        let reader = std::thread::spawn(move || {
            output.lines().map_while(Result::ok).for_each(|line| drop(tell.send(line)));
        });
        let mut text = String::new();
        let status = loop {
            self.serve();
            self.hear(&lines, step, &mut text);
            if let Some(status) = program.try_wait().unwrap() {
                break status;
            }
        };
        // What was still on its way when the program ended.
        self.serve();
        reader.join().unwrap();
        self.hear(&lines, step, &mut text);
        std::io::Read::read_to_string(&mut program.stderr.take().unwrap(), &mut text).unwrap();
        (status.success(), text)
    }

    /// Collects what the program prints; when it says that it listens, what it is to hear happens.
    fn hear(&mut self, lines: &mpsc::Receiver<String>, step: &Step, text: &mut String) {
        while let Ok(line) = lines.try_recv() {
            if line == LISTENING {
                self.order(&step.during);
            } else {
                text.push_str(&line);
                text.push('\n');
            }
        }
    }

    fn order(&mut self, orders: &[Order]) {
        for order in orders {
            self.modem.order(self.start.elapsed(), order.clone());
        }
        self.answer();
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

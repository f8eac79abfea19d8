//! One place where a modem may be: its port, the object that stands for it, and whose it is.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use daemon_core::custody::{Answer, Facts, Marks, Policy, Presence, Tag, Verdict, ask_again, judge};
use daemon_core::snapshot::{Custody, Device, Port, Reason, Snapshot};
use tokio::time::Instant;

use crate::host::uevent::{Found, Roots};
use crate::transport;
use crate::transport::open::{Kind, Spec};
use crate::transport::refusal::{Refusal, Refused};

/// First pause before a port that cannot be opened is tried again; a socket's absence costs this much delay at most.
const FIRST_PAUSE: Duration = Duration::from_millis(200);
/// Longest such pause for a socket.
const SOCKET_PAUSE: Duration = Duration::from_secs(1);
/// Longest such pause for a device node: the machine announces those.
const NODE_PAUSE: Duration = Duration::from_secs(30);
/// Times that a data interface which is not there, or not named yet, is waited for, [`FIRST_PAUSE`] each.
const INTERFACE_TRIES: u32 = 10;

/// Who stands at the object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum At {
    /// There is no object.
    Nobody,
    /// The task that owns the modem.
    Owner,
    /// The task that says why there is no owner.
    StandIn,
}

/// One place where a modem may be.
#[derive(Debug)]
pub(super) struct Slot {
    /// Tells it apart from the others for as long as the daemon runs.
    pub(super) key: u64,
    pub(super) spec: Spec,
    pub(super) found: Option<Found>,
    /// Named on the command line: it is waited for for ever.
    pub(super) named: bool,
    /// A rule of udev gives it to user-space USB.
    pub(super) given: bool,
    /// Number of the object.
    pub(super) modem: Option<u32>,
    pub(super) at: At,
    /// A task opens its port.
    pub(super) opening: bool,
    /// Open, and to be given to an owner as soon as the stand-in has let go.
    pub(super) opened: Option<transport::Port>,
    /// Why it is left to somebody else.
    pub(super) withheld: Option<Reason>,
    /// Why it cannot be opened.
    pub(super) refused: Option<Refused>,
    /// It went, and is expected back until then.
    pub(super) absent_until: Option<Instant>,
    /// What was there when it went.
    pub(super) marks: Marks,
    pub(super) device: Option<Device>,
    /// What ModemManager said when it was asked for the device, and how often in a row it said no.
    pub(super) answer: Answer,
    /// NetworkManager was told that the interface is ours; whether that changed anything.
    pub(super) unmanaged: Option<(String, tokio::task::JoinHandle<bool>)>,
    /// By which name it was asked for.
    pub(super) asked_for: Option<String>,
    refusals: u32,
    pub(super) ask_at: Option<Instant>,
    pause: Duration,
    pub(super) next_try: Option<Instant>,
    /// Times left to wait for the interface beside the port.
    patience: u32,
    /// What the last try failed with; told once.
    failure: Option<Failure>,
}

/// How a try to open a port failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Failure {
    code: &'static str,
    /// Nothing is there.
    absent: bool,
    /// A driver or another program has it.
    taken: bool,
}

impl Slot {
    pub(super) fn new(spec: Spec, found: Option<Found>, named: bool) -> Self {
        static KEYS: AtomicU64 = AtomicU64::new(0);
        Self {
            key: KEYS.fetch_add(1, Ordering::Relaxed),
            spec,
            found,
            named,
            given: false,
            opening: false,
            refused: None,
            modem: None,
            at: At::Nobody,
            opened: None,
            withheld: None,
            absent_until: None,
            marks: Marks::default(),
            device: None,
            answer: Answer::None,
            unmanaged: None,
            asked_for: None,
            refusals: 0,
            ask_at: None,
            pause: FIRST_PAUSE,
            next_try: Some(Instant::now()),
            patience: INTERFACE_TRIES,
            failure: None,
        }
    }

    /// The interface comes a moment after the control port and may get its name later still; opening now would make
    /// the modem one for control only.
    pub(super) fn waits_for_interface(&mut self, roots: &Roots) -> bool {
        if matches!(self.spec.kind, Kind::Unix | Kind::Usb) || self.spec.net.is_some() || self.patience == 0 {
            return false;
        }
        self.found = self.spec.path.file_name().and_then(|name| roots.look(name.to_str()?));
        let settled =
            self.found.as_ref().is_none_or(|found| found.spec.net.as_ref().is_some_and(|net| roots.is_named(net)));
        if !settled {
            self.patience -= 1;
            self.next_try = Some(Instant::now() + FIRST_PAUSE);
        }
        !settled
    }

    pub(super) fn soon(&mut self) {
        self.pause = FIRST_PAUSE;
        self.next_try = Some(Instant::now());
    }

    /// Whether a USB device is worth another look before its time, after something happened on the bus. Opening one in
    /// vain makes things happen there too, where a driver is taken away and comes back.
    #[cfg(feature = "usb")]
    pub(super) fn may_have_changed(&self, here: bool) -> bool {
        match &self.failure {
            None => self.named && here,
            Some(Failure { absent: true, .. }) => here,
            Some(Failure { taken: true, .. }) => true,
            Some(_) => !here,
        }
    }

    /// It is open.
    pub(super) fn succeeded(&mut self) {
        (self.next_try, self.failure, self.withheld, self.refused) = (None, None, None, None);
    }

    pub(super) fn later(&mut self) {
        self.failure = None;
        self.patience = INTERFACE_TRIES;
        self.pause = FIRST_PAUSE;
        self.next_try = Some(Instant::now() + FIRST_PAUSE);
    }

    /// Its port could not be opened: sets when it is tried again. Whether that is anybody's concern.
    pub(super) fn failed(&mut self, refusal: &Refusal) -> bool {
        let failure = match refusal {
            Refusal::NotThere(_) => Failure { code: "not-there", absent: true, taken: false },
            Refusal::Refused(refused) => Failure { code: refused.reason.code, absent: false, taken: refused.taken },
        };
        let Failure { code, absent, taken } = failure;
        // A driver came, or another program: it was only for want of those that it was looked at.
        let left = taken && self.spec.kind == Kind::Usb && !self.named && !self.given;
        if self.failure.replace(failure) != Some(failure) {
            if absent || left {
                tracing::debug!(port = %self.spec, "not to be had: {refusal}");
            } else {
                tracing::warn!(port = %self.spec, code, "cannot be opened and is tried again: {refusal}");
            }
        }
        if left || absent && !self.named {
            self.next_try = None;
            return false;
        }
        self.next_try = Some(Instant::now() + self.pause);
        let longest = if self.spec.kind == Kind::Unix { SOCKET_PAUSE } else { NODE_PAUSE };
        self.pause = self.pause.saturating_mul(2).min(longest);
        !absent
    }

    /// The port as the snapshot shows it.
    pub(super) fn describe(&self) -> Port {
        let found = self.found.as_ref();
        Port {
            control: self.spec.to_string(),
            interface: match self.spec.kind {
                // There it is the name of one that is still to be made.
                Kind::Usb => None,
                Kind::Wdm | Kind::Wwan | Kind::Unix => self.spec.net.clone(),
            }
            .or_else(|| found.and_then(|found| found.spec.net.clone())),
            driver: found.map(|found| found.driver.clone()).unwrap_or_default(),
            usb: found.and_then(|found| found.usb),
            physical: found.map_or_else(|| self.spec.to_string(), |found| found.physical.clone()),
            trouble: None,
        }
    }

    /// Whether an object stands here that is nobody's for the moment.
    pub(super) fn is_absent(&self) -> bool {
        self.absent_until.is_some()
    }

    /// What it is known by.
    pub(super) fn seen(&self) -> Marks {
        let described = self.describe();
        let serial = self.found.as_ref().map(|found| found.serial.clone()).unwrap_or_default();
        Marks { physical: described.physical, usb: described.usb, serial }
    }

    /// It may be opened: soon, unless it is.
    pub(super) fn free(&mut self) {
        self.withheld = None;
        if self.at != At::Owner && self.opened.is_none() && !self.opening && self.next_try.is_none() {
            self.soon();
        }
    }

    /// Whose it is.
    pub(super) fn judge(&self, presence: Presence, policy: Policy) -> Verdict {
        let tag = match &self.found {
            // A socket is of no interest to anybody else, and what was named on the command line is ours.
            _ if self.named => Tag::Manage,
            Some(found) => found.tag,
            None => Tag::Manage,
        };
        judge(&Facts { tag, presence, answer: self.answer, policy, held: self.at == At::Owner })
    }

    /// ModemManager answered.
    pub(super) fn answered(&mut self, answer: Answer) {
        self.answer = answer;
        let pause = ask_again(answer, self.refusals);
        self.refusals = if pause.is_some() { self.refusals.saturating_add(1) } else { 0 };
        self.ask_at = pause.map(|pause| Instant::now() + pause);
    }

    /// Whatever ModemManager said is over: it has come or gone.
    pub(super) fn forget_answer(&mut self) {
        (self.answer, self.refusals, self.ask_at) = (Answer::None, 0, None);
    }

    /// What the stand-in shows.
    pub(super) fn stand_in(&self) -> Snapshot {
        let port = self.describe();
        match (&self.withheld, &self.refused) {
            (Some(reason), _) => {
                Snapshot { port, custody: Custody::Withheld, reason: Some(reason.clone()), ..Snapshot::default() }
            }
            (None, Some(Refused { reason, usb, physical, .. })) => Snapshot {
                port: Port {
                    usb: usb.or(port.usb),
                    physical: physical.clone().unwrap_or_else(|| port.physical.clone()),
                    ..port
                },
                custody: Custody::Withheld,
                reason: Some(reason.clone()),
                ..Snapshot::default()
            },
            (None, None) => Snapshot {
                port: Port { usb: self.marks.usb, physical: self.marks.physical.clone(), ..port },
                custody: Custody::Absent,
                reason: Some(Reason {
                    code: "modem-absent",
                    text: "The modem went away a moment ago and may come back by itself; wait, or plug it in again."
                        .into(),
                }),
                device: self.device.clone(),
                ..Snapshot::default()
            },
        }
    }
}

//! A modem without a kernel driver: control messages over endpoint 0, packets over the bulk endpoints, both from here.
//! The kernel's usbfs hands the interfaces out and takes them back when the process ends, however that happens.

mod answers;
mod control;
mod device;
pub(crate) mod find;

use std::future::poll_fn;
use std::io;
use std::path::Path;
use std::pin::pin;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use daemon_core::snapshot::Reason;
use tokio::sync::{oneshot, watch};
use tokio::task::JoinSet;

use super::open::Spec;
use super::refusal::Refusal;
use super::{Received, Sent};
use crate::dataplane::Tuns;
use crate::dataplane::flow::{self, Agreed, Health, Plane, Totals};
use crate::dataplane::stall::{Cause, Patience, Way};
use crate::host::window;
use answers::Trouble;
use control::Control;
use device::Bulks;
pub(super) use device::Detached;
use find::{Place, Which};

/// Time that the end of a port may take: transfers end, the data interface becomes idle, the kernel's driver comes back.
const END: Duration = Duration::from_secs(4);
/// MTU where the device names none.
const MTU: u16 = 1500;

/// Takes the control port of the device with this folder in sysfs away from all who have it open, and reads what is left
/// unread in the modem; there is a fresh one when what is returned is dropped. Both block for a moment.
pub(super) fn renew_node(folder: &Path) -> io::Result<Detached> {
    let place = Place::at(folder).ok_or(io::ErrorKind::NotFound)?;
    let functions = place.functions().map_err(|_unfit| io::ErrorKind::InvalidData)?;
    let with_node = functions.iter().find(|function| place.node(function.communication).is_some());
    device::detach(&place, with_node.ok_or(io::ErrorKind::NotFound)?)
}

/// Puts the kernel's driver back on the functions of the device with this folder that have none. Blocks for a moment.
pub(super) fn give_back(folder: &Path) -> io::Result<()> {
    let place = Place::at(folder).ok_or(io::ErrorKind::NotFound)?;
    let functions = place.functions().map_err(|_unfit| io::ErrorKind::InvalidData)?;
    let mut bare = functions.iter().filter(|function| place.driver(function.communication).is_none());
    bare.try_for_each(|function| device::attach(&place, function.communication))
}

/// An opened MBIM function.
#[derive(Debug)]
pub(crate) struct Usb {
    control: Mutex<Option<Control>>,
    data: Mutex<Data>,
    control_trouble: watch::Sender<Option<Trouble>>,
    data_health: watch::Sender<Health>,
    place: Place,
    max_control: u16,
    outstanding: u16,
    mtu: u16,
    largest: u16,
}

/// The data half.
#[derive(Debug)]
enum Data {
    /// Nobody asked for packets yet.
    Ready(Box<(Bulks, Agreed)>),
    /// A task moves them.
    Running { stop: oneshot::Sender<()>, task: JoinSet<Totals> },
    /// It has ended.
    Ended,
}

impl Usb {
    /// Looks for the device, claims an MBIM function of it and agrees on blocks with it. Of several devices or functions
    /// that fit the first is taken that can be had.
    pub(super) async fn open(spec: &Spec) -> Result<Self, Refusal> {
        let which = spec.path.to_str().and_then(Which::parse);
        let which = which.ok_or_else(|| Refusal::NotThere(format!("{} names no device", spec.path.display())))?;
        let mut failure = Refusal::NotThere(format!("no USB device {which} is plugged in"));
        for place in find::devices(Path::new("/sys")).into_iter().filter(|place| place.is(&which)) {
            let of = |refusal: Refusal| refusal.of(place.ids, place.folder.display().to_string());
            let functions = match place.functions() {
                Ok(functions) => functions,
                Err(unfit) => {
                    failure = of(unfit.into());
                    continue;
                }
            };
            for function in functions {
                match device::open(&place, &function, spec.detach, spec.wide).await {
                    Ok(opened) => {
                        let mbim = function.mbim;
                        let control =
                            Control::new(Box::new(opened.wires), function.communication, mbim.max_control_message);
                        let largest = opened.agreed.largest;
                        let wished = function.extended.map_or(MTU, |extended| extended.mtu);
                        return Ok(Self {
                            control: Mutex::new(Some(control)),
                            data: Mutex::new(Data::Ready(Box::new((opened.pipes, opened.agreed)))),
                            control_trouble: watch::Sender::new(None),
                            data_health: watch::Sender::new(Health::default()),
                            place,
                            max_control: mbim.max_control_message,
                            outstanding: window::said(&function),
                            mtu: if wished == 0 { MTU } else { wished }.min(largest),
                            largest,
                        });
                    }
                    Err(refusal) => failure = of(refusal),
                }
            }
        }
        Err(failure)
    }

    pub(super) async fn receive(&self, buffer: &mut [u8]) -> Received {
        poll_fn(|cx| {
            let mut control = lock(&self.control);
            let Some(control) = control.as_mut() else { return std::task::Poll::Ready(Received::Gone) };
            let polled = control.poll_receive(cx, buffer);
            self.tell(control.trouble());
            polled
        })
        .await
    }

    pub(super) async fn send(&self, frame: &[u8], done: &mut usize) -> Sent {
        poll_fn(|cx| {
            let mut control = lock(&self.control);
            let Some(control) = control.as_mut() else { return std::task::Poll::Ready(Sent::Gone) };
            let polled = control.poll_send(cx, frame, done);
            self.tell(control.trouble());
            polled
        })
        .await
    }

    pub(super) fn max_control(&self) -> u32 {
        self.max_control.into()
    }

    /// Commands that the device takes at once.
    pub(crate) const fn outstanding(&self) -> u16 {
        self.outstanding
    }

    /// The device.
    pub(crate) const fn place(&self) -> &Place {
        &self.place
    }

    /// MTU that the device wishes, octets.
    pub(crate) fn mtu(&self) -> u32 {
        self.mtu.into()
    }

    /// Longest packet that it takes, octets.
    pub(crate) fn largest(&self) -> u32 {
        self.largest.into()
    }

    /// Begins to move packets between the device and these interfaces.
    pub(crate) fn carry(&self, tuns: &Tuns) {
        let mut data = lock(&self.data);
        match std::mem::replace(&mut *data, Data::Ended) {
            Data::Ready(ready) => {
                let (pipes, agreed) = *ready;
                let (stop, stopped) = oneshot::channel();
                let plane = Plane::new(pipes, &agreed, Patience::default(), self.data_health.clone());
                let mut task = JoinSet::new();
                task.spawn(plane.run(tuns.clone(), stopped));
                *data = Data::Running { stop, task };
            }
            other => *data = other,
        }
    }

    /// Waits until something is wrong or right again; gives what is wrong. Safe to drop.
    pub(crate) async fn trouble(&self, told: Option<&Reason>) -> Option<Reason> {
        let (mut control, mut data) = (self.control_trouble.subscribe(), self.data_health.subscribe());
        loop {
            let (told_control, told_data) = (*control.borrow_and_update(), data_reason(&data.borrow_and_update()));
            let now = match told_control {
                Some(Trouble::Refused) => control_reason(told_control),
                // Announcements that are wrong only cost time.
                other => told_data.or_else(|| control_reason(other)),
            };
            if now.as_ref().map(|reason| reason.code) != told.map(|reason| reason.code) {
                return now;
            }
            // Neither can fail: the senders are ours.
            tokio::select! {
                _ = control.changed() => {}
                _ = data.changed() => {}
            }
        }
    }

    /// Lets the device go: the data interface idle, both interfaces released, the kernel's driver back where it was taken
    /// away. Bounded in time.
    pub(crate) async fn close(self) {
        let Self { control, data, place, .. } = self;
        let end = async move {
            if let Data::Running { stop, mut task } = unlock(data) {
                // It may have ended by itself.
                let _ = stop.send(());
                if let Some(Ok(Totals { up, down, faults })) = task.join_next().await {
                    tracing::info!(?up, ?down, faults, "what went through user-space USB");
                }
            }
            if let Some(control) = unlock(control) {
                control.release().await;
            }
        };
        if tokio::time::timeout(END, pin!(end)).await.is_err() {
            tracing::warn!(device = place.name, "the device could not be let go in time; the kernel does it later");
        }
    }

    fn tell(&self, trouble: Option<Trouble>) {
        self.control_trouble.send_if_modified(|told| std::mem::replace(told, trouble) != trouble);
    }
}

/// A task that panicked takes the daemon with it, so a poisoned lock is no news.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn unlock<T>(mutex: Mutex<T>) -> T {
    mutex.into_inner().unwrap_or_else(PoisonError::into_inner)
}

fn control_reason(trouble: Option<Trouble>) -> Option<Reason> {
    let (code, text) = match trouble? {
        Trouble::Refused => (
            "usb-control-refused",
            "The modem does not answer on its USB control endpoint; plug it in again if that stays.",
        ),
        Trouble::Flood => (
            "usb-notification-flood",
            "The modem announces answers that it does not have; it is listened to less often.",
        ),
        Trouble::Unannounced => (
            "usb-notification-lost",
            "The modem does not announce its answers; they are asked for, which takes longer.",
        ),
    };
    Some(Reason { code, text: text.to_owned() })
}

fn data_reason(health: &Health) -> Option<Reason> {
    let (code, what) = match health.trouble? {
        flow::Trouble::Transfers(Cause::Halts(Way::In)) => {
            ("usb-data-halted", "The modem halts its data endpoint (in)")
        }
        flow::Trouble::Transfers(Cause::Halts(Way::Out)) => {
            ("usb-data-halted", "The modem halts its data endpoint (out)")
        }
        flow::Trouble::Transfers(Cause::Faults(_)) => ("usb-data-faults", "Transfers to or from the modem fail"),
        flow::Trouble::Transfers(Cause::Stuck) => ("usb-data-stuck", "The modem takes no packets over USB"),
        flow::Trouble::Garbage => ("usb-data-garbage", "The modem sends octets that are no transfer blocks"),
    };
    Some(Reason {
        code,
        text: format!("{what} ({} faults); its data path is reset; plug it in again if that stays.", health.faults),
    })
}

//! Packets of a modem that no kernel driver serves: between USB transfer blocks and a TUN interface for each session.
//!
//! [`Tuns`] are the modem's interfaces, which outlive a port that is closed and opened again. [`flow::Plane`] moves the
//! packets; [`pump`], [`cut`], [`merge`] and [`stall`] decide for it and do no IO.

mod cut;
pub(crate) mod flow;
mod merge;
pub(crate) mod pump;
mod segment;
pub(crate) mod stall;
pub(crate) mod tun;

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use tokio::sync::watch;

use crate::host::netlink::Netlink;
use stall::Way;
use tun::Tun;

/// Octets of the longest interface name.
const LONGEST_NAME: usize = 15;
/// Name where none is given: the kernel puts the first free number.
const NAME: &str = "mbim%d";

/// The interfaces of one modem, by session id. Cloning shares them.
#[derive(Clone, Debug)]
pub(crate) struct Tuns {
    name: Arc<str>,
    mtu: Option<u32>,
    list: watch::Sender<Vec<(u8, Arc<Tun>)>>,
}

impl Tuns {
    /// No interface yet. `name`: of the interface of session 0; `None` = `mbim0` or the first number that is free. `mtu`:
    /// what new interfaces have, octets; `None` = 1500.
    pub(crate) fn new(name: Option<&str>, mtu: Option<u32>) -> Self {
        Self { name: name.unwrap_or(NAME).into(), mtu, list: watch::Sender::new(Vec::new()) }
    }

    /// Name of the interface of a session, which is made if it is not there. Sessions above 0 have the name of session 0
    /// with a dot and their id, as VLANs have.
    ///
    /// # Errors
    /// No right (`CAP_NET_ADMIN`), no `/dev/net/tun`, or a name that is taken.
    pub(crate) fn interface(&self, session: u8) -> io::Result<String> {
        if let Some(name) = self.name_of(session) {
            return Ok(name);
        }
        let name = if session == 0 {
            self.name.to_string()
        } else {
            let id = format!(".{session}");
            let mut base = self.name_of(0).unwrap_or_else(|| self.name.to_string());
            base.truncate(LONGEST_NAME - id.len());
            base + &id
        };
        let tun = Arc::new(Tun::create(&name)?);
        let name = tun.name().to_owned();
        if let Some(mtu) = self.mtu {
            let mut netlink = Netlink::open()?;
            let link = netlink.link(&name)?;
            netlink.set_mtu(link.index, mtu)?;
        }
        self.list.send_modify(|list| list.push((session, tun)));
        Ok(name)
    }

    /// Takes the interface of a session away, as soon as no packet of it is on the way.
    pub(crate) fn drop(&self, session: u8) {
        self.list.send_if_modified(|list| {
            let before = list.len();
            list.retain(|(id, _)| *id != session);
            list.len() != before
        });
    }

    fn name_of(&self, session: u8) -> Option<String> {
        self.list.borrow().iter().find(|(id, _)| *id == session).map(|(_, tun)| tun.name().to_owned())
    }

    /// The list, now and when it changes.
    fn follow(&self) -> watch::Receiver<Vec<(u8, Arc<Tun>)>> {
        self.list.subscribe()
    }
}

/// Work that goes on by itself.
pub(crate) type Work<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// How a transfer ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ended {
    /// Well.
    Done,
    /// It was taken back.
    TakenBack,
    /// The endpoint is halted.
    Halted,
    /// A fault of the bus or a refusal of the system.
    Fault,
    /// The device is gone.
    Gone,
}

/// The two bulk endpoints of a data interface, as the plane uses them. Transfers of one endpoint end in the order in
/// which they were begun.
pub(crate) trait Pipes: Send {
    /// Begins a transfer from the device, of the negotiated block size.
    fn begin_in(&mut self);
    /// The next transfer from the device that ended; its octets are given to `take`. Pending where none is under way.
    fn poll_in(&mut self, cx: &mut Context<'_>, take: &mut dyn FnMut(&[u8])) -> Poll<Ended>;
    /// Begins a transfer to the device. No octets = a zero-length packet.
    fn begin_out(&mut self, block: Vec<u8>);
    /// The next transfer to the device that ended, with its buffer. Pending where none is under way.
    fn poll_out(&mut self, cx: &mut Context<'_>) -> Poll<(Vec<u8>, Ended)>;
    /// Transfers under way.
    fn pending(&self, way: Way) -> usize;
    /// Takes all transfers of an endpoint back; they end with [`Ended::TakenBack`] unless they had ended already.
    fn take_back(&mut self, way: Way);
    /// Ends the halt of an endpoint without transfers. Gives whether that succeeded.
    fn clear(&mut self, way: Way) -> Work<bool>;
    /// The idle setting and back to the transfer setting, with no transfer under way. Gives whether that succeeded.
    fn reset(&mut self) -> impl Future<Output = bool> + Send;
    /// The idle setting for good.
    fn idle(&mut self) -> impl Future<Output = ()> + Send;
}

//! What the outside does to the modem, and what the outside learns from it.

use crate::answer::Traffic;
use crate::dialogue::Reply;
use crate::fault::{Fault, Noise};
use crate::network::{IpSettings, Network, SessionSettings, Subscription};
use crate::sim::Slot;
use mbim_proto::Uuid;
use mbim_proto::service::basic_connect::{DeviceServiceElement, SignalState};

/// An act from outside: of a hand, of the network, of a test.
#[derive(Clone, Debug)]
pub enum Order {
    /// The cable is pulled. Silent until [`Order::Plug`].
    Unplug,
    /// The cable is put in: power-on. On a plugged modem the same as [`Order::Reboot`].
    Plug,
    /// The firmware starts anew and the device re-enumerates.
    Reboot,
    /// Another card, or none.
    Slot(Slot),
    /// The hardware radio switch.
    HardwareRadio(bool),
    /// Signal comes or goes.
    Coverage(bool),
    /// Signal strength code 0–31 or 99, error rate code 0–7 or 99.
    Signal {
        /// RSSI code.
        rssi: u32,
        /// Error rate code.
        error_rate: u32,
    },
    /// The operator's records change: a plan is bought, or has ended.
    Subscription(Subscription),
    /// Another network altogether; the modem loses service and registers anew.
    Network(Box<Network>),
    /// The network drops a session, with a cause as NwError.
    DropSession {
        /// Session id.
        session: u32,
        /// NwError of the indication.
        cause: u32,
    },
    /// The network detaches packet service, with a cause as NwError; sessions end before it.
    Detach {
        /// NwError of the indication.
        cause: u32,
    },
    /// The network gives a session other settings; [`Output::SessionUp`] tells them again.
    Readdress {
        /// Session id.
        session: u32,
        /// The whole new set.
        ip: IpSettings,
    },
    /// The network has a short message: service centre and TPDU, as [`Delivery`](crate::sms::Delivery) makes it. It
    /// waits until there is service and room.
    ReceiveSms(Vec<u8>),
    /// The network begins a USSD dialogue, if there is none.
    Ussd(Reply),
    /// Emergency mode is on or off.
    Emergency(bool),
    /// The card has a proactive command of its toolkit, in BER-TLV as in 3GPP TS 31.111.
    Proactive(Vec<u8>),
    /// Packets have passed; added to the counters of PACKET_STATISTICS.
    Traffic {
        /// Octets towards the host.
        received_octets: u64,
        /// Packets towards the host.
        received_packets: u64,
        /// Octets from the host.
        sent_octets: u64,
        /// Packets from the host.
        sent_packets: u64,
    },
    /// A fault is laid.
    Fault(Fault),
    /// The line gets noisy, or clean again.
    Noise(Option<Noise>),
    /// All faults and noise are taken away.
    ClearFaults,
    /// An indication as it stands, subscribed or not.
    Indicate {
        /// Service.
        service: Uuid,
        /// CID.
        cid: u32,
        /// Buffer.
        buffer: Vec<u8>,
    },
}

/// What comes out of the machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Output {
    /// One frame for the host (with some faults: a piece of one, or two joined).
    Transmit(Vec<u8>),
    /// A session is up: packets may flow.
    SessionUp {
        /// Session id.
        session: u32,
        /// What it got.
        settings: SessionSettings,
    },
    /// A session is down.
    SessionDown {
        /// Session id.
        session: u32,
    },
    /// The network took an activation, with these bytes.
    ServiceActivated(Vec<u8>),
    /// The network took a short message of the host's.
    MessageSent {
        /// Its reference, which status reports name.
        reference: u8,
        /// Service centre and TPDU, with the reference; [`Submission`](crate::sms::Submission) reads it.
        pdu: Vec<u8>,
    },
    /// The subscription is another one now, whoever changed it.
    Subscription(Subscription),
    /// The modem started anew: the host sees it go and come.
    Rebooted,
    /// The modem is gone.
    Unplugged,
}

/// What the modem holds, for assertions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct State {
    /// Whether it has power and a cable.
    pub plugged: bool,
    /// Whether a session of control messages is open.
    pub open: bool,
    /// The extension release in force, in BCD.
    pub release: u16,
    /// MBIM_SUBSCRIBER_READY_STATE.
    pub ready_state: u32,
    /// MBIM_REGISTER_STATE.
    pub register_state: u32,
    /// MBIM_PACKET_SERVICE_STATE.
    pub packet_service_state: u32,
    /// Active sessions with what they got, by session id.
    pub sessions: Vec<(u32, SessionSettings)>,
    /// The subscription.
    pub subscription: Subscription,
    /// Commands that wait for an answer.
    pub outstanding: usize,
    /// What DEVICE_SERVICES lists.
    pub services: Vec<DeviceServiceElement>,
    /// The radio's software switch.
    pub software_radio: bool,
    /// Whether the host expects no traffic.
    pub idle: bool,
    /// Signal and what is reported of it, as SIGNAL_STATE of MBIM 1.0 tells it.
    pub signal: SignalState,
    /// Packets that have passed.
    pub traffic: Traffic,
    /// Open data service streams with their services, by stream.
    pub streams: Vec<(u32, Uuid)>,
    /// Whether only emergency calls are possible.
    pub emergency: bool,
}

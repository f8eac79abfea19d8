//! The read model: everything that others may see of one modem, as one immutable value.
//!
//! The machine replaces it as a whole; who publishes it compares old and new and tells what changed. No wire types
//! here: numbers that the specification leaves open are kept as numbers beside their name.

use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use daemon_operator::identity::Identity;
use mbim_proto::Personal;

use crate::Time;
use crate::carrier::CarrierNetwork;
use crate::quota::Quota;
use crate::request::Purpose;
use crate::subscriber::Settings;
use crate::usage::Counters;

/// One modem, as everyone may see it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Snapshot {
    /// Where the modem is attached; told by the shell. Another one after a modem has come back at another place.
    pub port: Port,
    /// Whose the modem is at the moment; what follows is empty where it is not ours.
    pub custody: Custody,
    /// The public state, a pure function of the state tables.
    pub state: ModemState,
    /// Why the state is [`ModemState::Failed`] or what it waits for; `None` when there is nothing to say.
    pub reason: Option<Reason>,
    /// What DEVICE_CAPS said; `None` until it has.
    pub device: Option<Device>,
    /// The SIM and who the subscriber is.
    pub sim: Sim,
    /// Both radio switches.
    pub radio: Radio,
    /// Registration in the network.
    pub registration: Registration,
    /// Packet service (attach).
    pub packet: Packet,
    /// Signal strength.
    pub signal: Signal,
    /// The operator that was matched and what was weighed; `None` until a SIM was identified.
    pub operator: Option<OperatorChoice>,
    /// What the operator's documents say of its network.
    pub network: Option<CarrierNetwork>,
    /// Data contexts, ordered by session id; the first is the default one.
    pub connections: Vec<Connection>,
    /// Whether packets reach the Internet over the default connection.
    pub connectivity: Connectivity,
    /// How much was used with this SIM.
    pub usage: Use,
    /// Settings in force for this subscriber (stored per ICCID).
    pub settings: Settings,
    /// Other programs that use the modem through the [proxy](crate::proxy).
    pub guests: usize,
    /// Messages to and from the modem so far, and sequential round trips up to the first connection.
    pub traffic: Traffic,
}

/// Whose a modem is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Custody {
    /// Ours: its control port is open here.
    #[default]
    Held,
    /// There, and left to another program, or not to be opened; [`Snapshot::reason`] says to whom and why.
    Withheld,
    /// It went a moment ago and is expected back, as after a reset of its firmware.
    Absent,
}

/// Where a modem is attached.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Port {
    /// The control port as given to `--device` or found by udev, for example `/dev/cdc-wdm0` or `unix:/run/m.sock`.
    pub control: String,
    /// The data interface, for example `wwan0`; `None` when the modem is used for control only.
    pub interface: Option<String>,
    /// Kernel driver of the control port, for example `cdc_mbim`; empty when there is none.
    pub driver: String,
    /// USB vendor and product id.
    pub usb: Option<(u16, u16)>,
    /// A stable path of the device in sysfs, or the control port where there is no sysfs node.
    pub physical: String,
    /// What is wrong below MBIM, where the daemon itself speaks USB: endpoints that stall or do not move, notifications
    /// that flood or are missing. `None` = nothing, or a kernel driver that keeps it to itself.
    pub trouble: Option<Reason>,
}

/// The public state. The numbers are those of ModemManager's `MMModemState`, so that its clients can be served.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(i32)]
pub enum ModemState {
    /// The modem cannot be used; [`Snapshot::reason`] says why.
    Failed = -1,
    /// Nothing is known yet.
    #[default]
    Unknown = 0,
    /// The session is being opened or the first queries are under way.
    Initializing = 1,
    /// A PIN or PUK is needed.
    Locked = 2,
    /// A radio switch is off.
    Disabled = 3,
    /// The radio is being switched off.
    Disabling = 4,
    /// The radio is being switched on.
    Enabling = 5,
    /// The radio is on; not registered and not searching, or denied.
    Enabled = 6,
    /// Searching for a network.
    Searching = 7,
    /// Registered, no data context.
    Registered = 8,
    /// The data context is being torn down.
    Disconnecting = 9,
    /// The data context is being set up.
    Connecting = 10,
    /// The default data context is active and its addresses are on the interface (or published, with external network).
    Connected = 11,
}

/// What stands between the modem and being online, as a code to branch on and a text to show.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reason {
    /// A stable kebab-case code, for example `sim-not-inserted`, `pin-required`, `no-answer-to-open`.
    pub code: &'static str,
    /// One sentence for a person: what is wrong and what to do next. Holds no identity.
    pub text: String,
}

/// DEVICE_CAPS. `[MBIM1.0 10.5.1]`
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Device {
    /// DeviceId as the modem tells it: IMEI, MEID or ESN; empty when it tells none.
    pub id: Personal<String>,
    /// Manufacturer's hardware description.
    pub hardware: String,
    /// Firmware version; may be empty on some modems.
    pub firmware: String,
    /// Largest number of data sessions.
    pub max_sessions: u32,
    /// Data classes the modem can use, bits of the specification's `MBIM_DATA_CLASS`.
    pub data_classes: u32,
    /// `gsm`, `cdma` or both, bits of `MBIM_CELLULAR_CLASS`.
    pub cellular_class: u32,
    /// Effective MBIMEx release in BCD, `0x0100` when nothing else was agreed.
    pub mbimex: u16,
    /// Services that the modem named: printed UUID or the specification's kebab-case name, and the CIDs.
    pub services: Vec<(String, Vec<u32>)>,
}

/// The SIM. Identities inside print masked.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Sim {
    /// Ready state.
    pub ready: SimReady,
    /// Who the subscriber is and what device it is; fields are absent until read.
    pub identity: Identity,
    /// Pending PIN or PUK.
    pub pin: Option<PinNeeded>,
    /// HWIDs in match order, most specific first: criterion and value.
    pub hwids: Vec<(String, String)>,
}

/// Ready state of the SIM. `[MBIM1.0 10.5.2]`, `[MBIMEx 3.0]`
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SimReady {
    /// Not asked yet.
    #[default]
    Unknown,
    /// The card is starting.
    NotInitialized,
    /// Usable.
    Initialized,
    /// No card.
    NotInserted,
    /// The card cannot be used (also: blocked for good).
    Bad,
    /// The card failed.
    Failure,
    /// No subscription on the card yet: service activation is needed.
    NotActivated,
    /// A PIN or PUK is needed.
    Locked,
    /// An eSIM without an enabled profile.
    NoEsimProfile,
    /// A number this version does not know.
    Other(u32),
}

/// A PIN or PUK that the modem waits for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PinNeeded {
    /// The specification's kebab-case name, for example `pin1` or `puk1`; a number when unknown.
    pub kind: String,
    /// Attempts left; `None` when the modem does not say.
    pub attempts: Option<u32>,
}

/// Both radio switches; `None` until read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Radio {
    /// The switch on the machine.
    pub hardware: Option<bool>,
    /// The modem's software switch.
    pub software: Option<bool>,
    /// The kernel's rfkill (airplane mode) blocks the radio.
    pub blocked: bool,
}

/// Registration in the network. `[MBIM1.0 10.5.9]`
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Registration {
    /// Kebab-case name of the register state: `unknown`, `deregistered`, `searching`, `home`, `roaming`, `partner`,
    /// `denied`; a number when unknown.
    pub state: String,
    /// Registered in any network.
    pub registered: bool,
    /// Registered in a network that is not the home network.
    pub roaming: bool,
    /// PLMN of the serving network, 5 or 6 digits; empty until known.
    pub plmn: String,
    /// Name of the serving network; empty until known.
    pub name: String,
    /// Cause of a rejection, 3GPP TS 24.008 10.5.5.14; 0 when there is none.
    pub nw_error: u32,
    /// Data classes now available, bits of `MBIM_DATA_CLASS`.
    pub data_classes: u32,
}

/// Packet service. `[MBIM1.0 10.5.10]`
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Packet {
    /// `unknown`, `attaching`, `attached`, `detaching`, `detached`; a number when unknown.
    pub state: String,
    /// Highest data class now in use, one bit of `MBIM_DATA_CLASS`.
    pub data_class: u32,
    /// Uplink speed, bit/s; `None` when the modem does not say.
    pub uplink: Option<u64>,
    /// Downlink speed, bit/s; `None` when the modem does not say.
    pub downlink: Option<u64>,
}

/// Signal. `[MBIM1.0 10.5.11]`, `[MBIMEx 2.0]`
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Signal {
    /// Received signal strength, dBm, −113…−51; `None` when unknown.
    pub rssi: Option<i32>,
    /// Reference signal received power, dBm, −157…−30; `None` when unknown.
    pub rsrp: Option<i32>,
    /// Signal to noise ratio, dB, −23.5…40; `None` when unknown.
    pub snr: Option<f32>,
    /// Quality for a person, 0…100 percent; `None` when unknown.
    pub quality: Option<u8>,
}

/// The operator record that was chosen and why. `[OPER 3.5]`
#[derive(Clone, Debug, Default, PartialEq)]
pub struct OperatorChoice {
    /// Name of the record, or the network's own name when no record matched.
    pub name: String,
    /// ISO 3166-1 alpha-2 country of the record, lower case; empty when unknown.
    pub country: String,
    /// `exact`, `ambiguous` or `none`.
    pub matched: String,
    /// Layer of the record: `user`, `provisioning`, `overlay`, `vendor`, `none`.
    pub layer: String,
    /// Records that fit as well, this one first, `COUNTRY/NAME` each; empty unless the match is ambiguous.
    pub alternatives: Vec<String>,
    /// Rule that decided, for example `plmn-unique`, `spn-name`, `selector`.
    pub rule: String,
    /// Attributes of the record's select element that hold, and what they ask for, masked where it stands for few SIMs.
    pub selectors: Vec<(String, String)>,
    /// One line per thing that was weighed, for `explain`.
    pub trace: Vec<String>,
    /// The ordered candidates of this round.
    pub candidates: Vec<CandidateView>,
    /// A hand-over URL can be made for this record.
    pub has_portal: bool,
    /// GUID under which the operator's provisioning documents come, where the record says it and the match is exact.
    pub service_number: Option<String>,
    /// Certificates that sign these documents, subject and issuer each, under the same condition.
    pub certificates: Vec<(String, String)>,
}

impl OperatorChoice {
    /// The rule, and the selectors that hold if it has any, for a person: `selector (hwid MBOP:1:…)`.
    #[must_use]
    pub fn decided(&self) -> String {
        let selectors: Vec<String> = self.selectors.iter().map(|(name, value)| format!("{name} {value}")).collect();
        if selectors.is_empty() { self.rule.clone() } else { format!("{} ({})", self.rule, selectors.join(", ")) }
    }
}

/// One APN candidate without its credentials. `[OPER 3.6]`
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CandidateView {
    /// Access point name; empty = the network's default.
    pub apn: String,
    /// `ipv4`, `ipv6`, `ipv4v6` or `default`.
    pub ip_type: String,
    /// `none`, `pap`, `chap` or `mschapv2`.
    pub auth: String,
    /// Why it stands in the list: the rule that its record answers to, `last-good`, `user-apn`,
    /// `provisioned-default-profile`, `provisioned-purchase-profile`, `network-default`.
    pub criterion: String,
    /// Where it comes from: file, layer or profile.
    pub source: String,
    /// The multimedia message centre that the record names for it.
    pub mmsc: Option<String>,
    /// The proxy to that.
    pub mms_proxy: Option<String>,
}

/// One data context.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Connection {
    /// MBIM session id.
    pub session: u32,
    /// What it is for.
    pub purpose: Purpose,
    /// Name of the context in the operator's documents, where it is one of those.
    pub context: Option<String>,
    /// State of the context.
    pub state: ContextState,
    /// Candidate in use or last tried.
    pub candidate: Option<CandidateView>,
    /// What the network gave; `None` until known.
    pub ip: Option<IpSettings>,
    /// The interface that carries it; `None` with control only, and for a session above 0 until it is up.
    pub interface: Option<String>,
    /// Connected since.
    pub since: Option<Time>,
    /// Why the last attempt failed or the context went down.
    pub error: Option<Reason>,
    /// When the next automatic attempt is due, on the machine's clock of [`Time`].
    pub retry_at: Option<Time>,
    /// Attempts in a row that failed.
    pub failures: u32,
}

/// State of a data context.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum ContextState {
    /// No context.
    #[default]
    Down,
    /// CONNECT is under way.
    Activating,
    /// Active; its addresses are being asked for or put on the interface.
    Configuring,
    /// Active and configured.
    Up,
    /// Being torn down.
    Deactivating,
    /// Waiting for the next attempt.
    Waiting,
}

/// What the network gave for one context, validated. `[MBIM1.0 10.5.15]`
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct IpSettings {
    /// IPv4 addresses with prefix length 0…32.
    pub ipv4: Vec<(Ipv4Addr, u8)>,
    /// IPv6 addresses with prefix length 0…128.
    pub ipv6: Vec<(Ipv6Addr, u8)>,
    /// IPv4 gateway; `None` on a point-to-point link.
    pub gateway4: Option<Ipv4Addr>,
    /// IPv6 gateway; `None` on a point-to-point link.
    pub gateway6: Option<Ipv6Addr>,
    /// DNS servers in the network's order, both families.
    pub dns: Vec<IpAddr>,
    /// Link MTU, 1280…65535 when IPv6 is in use, else 576…65535; `None` when not given.
    pub mtu: Option<u32>,
    /// IPv6 comes by router advertisement: the interface is to run SLAAC with this interface id.
    pub slaac: bool,
}

/// Connectivity states. The numbers are those of NetworkManager's `NMConnectivityState`. `[OPER 4.1]`
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[repr(u32)]
pub enum ConnectivityState {
    /// Never tested, or testing is off.
    #[default]
    Unknown = 0,
    /// No bearer or no address.
    None = 1,
    /// A portal was positively identified.
    Portal = 2,
    /// The bearer is up, tests fail, no positive sign of a portal.
    Limited = 3,
    /// Plain and encrypted test succeed on at least one family.
    Full = 4,
}

/// Whether packets reach the Internet.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Connectivity {
    /// The verdict over both families.
    pub state: ConnectivityState,
    /// Verdict and reason code for IPv4, IPv6 and IPv4 through NAT64, `Unknown` where it was not tested.
    pub families: [(ConnectivityState, String); 3],
    /// Why, kebab-case, for example `redirect`, `dns`, `tls`; empty when there is nothing to say.
    pub reason: String,
    /// The subscriber has to buy or activate something: a hand-over is called for.
    pub purchase_needed: bool,
    /// A hand-over URL is available (its text is personal: only by an authorised request).
    pub portal_available: bool,
    /// Where the URL comes from: `operator`, `redirect`, `api` or empty.
    pub portal_source: String,
    /// Host of the URL; empty when there is none.
    pub portal_host: String,
    /// What the user's agent is to do.
    pub hand_over: HandOver,
    /// When the last probe ended.
    pub last_probe: Option<Time>,
    /// What the last probe saw, by `ipv4`, `ipv6`, `nat64` and `link`; see [`crate::probe::evidence`].
    pub evidence: Vec<(&'static str, crate::probe::evidence::Rows)>,
    /// What probes cost.
    pub cost: ProbeCost,
}

/// What is asked of a program of the user. `[OPER 5]`
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum HandOver {
    /// Nothing: all is well, or nothing would help.
    #[default]
    None,
    /// To lead to the operator's page, over this connection.
    Open,
    /// To lead to the operator's page over another connection: there is none here without a plan.
    OpenElsewhere,
    /// To say that it does not connect; no page helps.
    Notify,
}

/// What probes cost.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ProbeCost {
    /// Octets of the last one, with heads, about.
    pub octets: u64,
    /// Round trips of the last one, one after the other.
    pub round_trips: u32,
    /// Time of the last one.
    pub took: core::time::Duration,
    /// Octets of all in the running day.
    pub today: u64,
    /// What those that nobody asked for may cost in a day, octets.
    pub budget: u64,
}

/// How much passed over the data connections of one SIM. `[OPER 6]`
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Use {
    /// Seconds since 1970 when counting began; 0 = not known.
    pub since: u64,
    /// Used at home since then, all sessions.
    pub home: Counters,
    /// Used abroad since then.
    pub roaming: Counters,
    /// Octets of connectivity tests; they are in the sums.
    pub tests: u64,
    /// Sessions that are up, in their order.
    pub sessions: Vec<SessionUse>,
    /// What the modem itself counts, beside what was counted here; `None` = nothing to compare.
    pub modem: Option<ModemCounts>,
    /// Whether octets cost money.
    pub metered: Metered,
    /// What says so: `settings`, `roaming`, `plan`, `no-plan`.
    pub metered_by: &'static str,
    /// The data plan, as far as a document told.
    pub quota: Option<Quota>,
    /// Notices of steps of the plan that were given since the modem came.
    pub notices: u32,
}

/// What passed over one session since it came up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SessionUse {
    /// MBIM session id.
    pub session: u32,
    /// How much.
    pub used: Counters,
}

/// Two counts of the same time, from when the modem was asked first in this connection to when it was asked last.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ModemCounts {
    /// By PACKET_STATISTICS. `[MBIM1.0 10.5]`
    pub modem: Counters,
    /// By the interface's counters.
    pub here: Counters,
}

/// Whether octets cost money. The numbers are those of NetworkManager's `NMMetered`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[repr(u32)]
pub enum Metered {
    /// Nothing is known.
    #[default]
    Unknown = 0,
    /// They do.
    Yes = 1,
    /// They do not.
    No = 2,
    /// Probably.
    GuessYes = 3,
}

/// Counters of the control channel.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Traffic {
    /// Messages sent to the modem (not fragments).
    pub sent: u64,
    /// Messages received from the modem (not fragments).
    pub received: u64,
    /// Sequential round trips from attach to the first active context; 0 until connected.
    pub round_trips_to_connected: u32,
}

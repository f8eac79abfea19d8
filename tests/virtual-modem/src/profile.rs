//! What a modem is: capabilities, card, network, pace and defects, as one value.

use crate::fault::Noise;
use crate::holdings::{Board, Holdings};
use crate::misbehave::Misbehaviour;
use crate::network::Network;
use crate::sim::{Sim, Slot};
use core::time::Duration;
use mbim_proto::{Personal, Uuid};

/// The MBIM extension release that a modem announces. [MBIMEx VERSION]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Release {
    /// No extension service at all.
    V1,
    /// 2.0.
    V2,
    /// 3.0.
    #[default]
    V3,
    /// 4.0: commands to the card name its slot.
    V4,
}

impl Release {
    /// The number in BCD, as VERSION carries it.
    #[must_use]
    pub const fn bcd(self) -> u16 {
        match self {
            Self::V1 => 0x0100,
            Self::V2 => 0x0200,
            Self::V3 => 0x0300,
            Self::V4 => 0x0400,
        }
    }
}

/// What happens to commands beyond the announced number of outstanding ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Overrun {
    /// They are carried out all the same.
    Tolerate,
    /// They are lost.
    Drop,
    /// They are answered `busy`.
    Busy,
}

/// How long things take. All zero: the instant modem, which answers inside [`handle`](crate::VirtualModem::handle).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Pace {
    /// Every answer.
    pub answer: Duration,
    /// From power-on to a card that is ready.
    pub sim_ready: Duration,
    /// Radio switched on or off.
    pub radio: Duration,
    /// Search and registration.
    pub register: Duration,
    /// Attach or detach of packet service.
    pub attach: Duration,
    /// Activation of a context.
    pub activate: Duration,
    /// Deactivation of a context.
    pub deactivate: Duration,
    /// From an activated context to its IP settings; while it lasts IP_CONFIGURATION shows nothing available, and an
    /// indication ends it.
    pub ip_configuration: Duration,
    /// A scan for networks.
    pub scan: Duration,
    /// A service activation.
    pub service_activation: Duration,
    /// A short message to the network.
    pub message: Duration,
    /// The network's word in a USSD dialogue.
    pub ussd: Duration,
}

/// Everything about a modem.
#[derive(Clone, Debug)]
pub struct Profile {
    /// IMEI (or MEID), 15 digits.
    pub device_id: Personal<String>,
    /// FirmwareInfo, at most 30 characters.
    pub firmware: String,
    /// HardwareInfo, at most 30 characters.
    pub hardware: String,
    /// Data classes as bits of MBIM_DATA_CLASS.
    pub data_classes: u32,
    /// The number of session ids.
    pub max_sessions: u32,
    /// Sessions that may be active at once.
    pub max_contexts: u32,
    /// wMaxControlMessage: the longest frame in bytes, 64 to 65535.
    pub max_control_message: u16,
    /// Commands that may be outstanding.
    pub max_outstanding: u8,
    /// What happens beyond that.
    pub overrun: Overrun,
    /// The extension release announced.
    pub release: Release,
    /// Whether packet service attaches by itself (RegistrationFlag bit 1).
    pub auto_attach: bool,
    /// Whether CONNECT set answers `activating`, with the final state in an indication.
    pub activates_later: bool,
    /// Whether indications flow before a subscribe list was sent. The list replaces this.
    pub indicates_unasked: bool,
    /// The slot in use.
    pub slot: Slot,
    /// The other slots in the order of their numbers; that in use is left out, at first it is number 0.
    pub further_slots: Vec<Slot>,
    /// Identifier of the eSIM, 32 digits; it has one only where the card is an eSIM.
    pub eid: Personal<String>,
    /// The hardware switch at power-on.
    pub hardware_radio: bool,
    /// The software switch at power-on.
    pub software_radio: bool,
    /// The network around it.
    pub network: Network,
    /// What it keeps for its host; sets change it.
    pub holdings: Holdings,
    /// Whether it has the services of makers beside those of the specification and of Microsoft.
    pub makers: bool,
    /// Commands, as service and CID, that it has not, though others of its release have.
    pub without: Vec<(Uuid, u32)>,
    /// How long things take.
    pub pace: Pace,
    /// Defects.
    pub misbehaviour: Misbehaviour,
    /// A bad line from the start.
    pub noise: Option<Noise>,
}

impl Default for Profile {
    /// The instant modem: LTE, 8 sessions, 8 outstanding commands of 4096 bytes, extension release 3.0, automatic
    /// attach, radio on, a ready canary card.
    fn default() -> Self {
        Self {
            device_id: Personal::new("352099746183058".into()),
            firmware: "VM-1.0".into(),
            hardware: "Virtual Modem".into(),
            data_classes: 0x3f,
            max_sessions: 8,
            max_contexts: 8,
            max_control_message: 4096,
            max_outstanding: 8,
            overrun: Overrun::Tolerate,
            release: Release::V3,
            auto_attach: true,
            activates_later: false,
            indicates_unasked: false,
            slot: Slot::Card(Box::default()),
            further_slots: Vec::new(),
            eid: Personal::new("89049032000000000000000000000147".into()),
            hardware_radio: true,
            software_radio: true,
            network: Network::default(),
            holdings: Holdings::default(),
            makers: false,
            without: Vec::new(),
            pace: Pace::default(),
            misbehaviour: Misbehaviour::default(),
            noise: None,
        }
    }
}

/// Names that [`Profile::named`] knows, each with what it is.
pub const NAMES: &[(&str, &str)] = &[
    ("instant", "answers at once, 8 outstanding commands, MBIMEx 3.0"),
    ("mbimex1", "the same without the extension service"),
    ("mbimex2", "the same with MBIMEx 2.0"),
    ("demo", "the pace of a good modem: card 0.3 s, registration 0.6 s, activation 0.2 s"),
    ("slow-boot", "OPEN unanswered for 12 s, then busy twice; the card takes 8 s more and is missing meanwhile"),
    ("slow-and-noisy", "answers 200-800 ms late, loses a tenth, garbage in between, busy on CONNECT twice (seed 1)"),
    ("single-outstanding", "one command of 64-byte frames at a time, what is beyond is lost"),
    ("no-auto-attach", "packet service attaches only when told"),
    ("locked", "asks for PIN 1234"),
    ("every-service", "the instant modem with the services of makers too"),
    ("fcc-locked", "Quectel's service, and the radio off until it is unlocked by that"),
    ("no-sim", "an empty slot"),
    ("two-slots", "a second slot with another card"),
    ("esim", "an eSIM with an enabled profile"),
    ("esim-empty", "an eSIM without an enabled profile"),
    ("not-activated", "a card that a service activation must wake"),
    ("radio-off", "software radio off at power-on"),
    ("asynchronous", "activates later and tells IP settings by indication"),
];

impl Profile {
    /// A profile by name; see [`NAMES`].
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        let base = Self::default();
        let ms = Duration::from_millis;
        Some(match name {
            "instant" => base,
            "mbimex1" => Self { release: Release::V1, ..base },
            "mbimex2" => Self { release: Release::V2, ..base },
            "demo" => Self {
                pace: Pace {
                    answer: ms(3),
                    sim_ready: ms(300),
                    radio: ms(20),
                    register: ms(600),
                    attach: ms(100),
                    activate: ms(200),
                    deactivate: ms(50),
                    scan: ms(2000),
                    service_activation: ms(300),
                    ip_configuration: Duration::ZERO,
                    message: ms(400),
                    ussd: ms(500),
                },
                ..base
            },
            "slow-boot" => Self {
                pace: Pace { sim_ready: ms(20_000), register: ms(3000), attach: ms(500), answer: ms(50), ..base.pace },
                misbehaviour: Misbehaviour {
                    deaf_for: ms(12_000),
                    busy_opens: 2,
                    sim_missing_while_starting: true,
                    ..Misbehaviour::default()
                },
                ..base
            },
            "slow-and-noisy" => Self {
                noise: Some(Noise::slow_and_noisy(1)),
                misbehaviour: Misbehaviour { busy_connects: 2, ..Misbehaviour::default() },
                ..base
            },
            "single-outstanding" => Self {
                max_control_message: 64,
                max_outstanding: 1,
                overrun: Overrun::Drop,
                release: Release::V1,
                pace: Pace { answer: ms(2), ..base.pace },
                ..base
            },
            "no-auto-attach" => Self { auto_attach: false, ..base },
            "every-service" => Self { makers: true, ..base },
            "fcc-locked" => Self {
                makers: true,
                software_radio: false,
                holdings: Holdings { board: Board { fcc_locked: true, ..Board::default() }, ..Holdings::default() },
                ..base
            },
            "locked" => Self { slot: Slot::Card(Box::new(Sim::locked())), ..base },
            "no-sim" => Self { slot: Slot::Empty, ..base },
            "two-slots" => Self {
                further_slots: vec![Slot::Card(Box::new(Sim {
                    imsi: Personal::new("001015512345699".into()),
                    iccid: Personal::new("8999000000000000025".into()),
                    numbers: Vec::new(),
                    ..Sim::default()
                }))],
                ..base
            },
            "esim" => Self { slot: Slot::Card(Box::new(Sim { esim: true, ..Sim::default() })), ..base },
            "esim-empty" => Self { slot: Slot::EsimWithoutProfile, ..base },
            "not-activated" => Self { slot: Slot::Card(Box::new(Sim { activated: false, ..Sim::default() })), ..base },
            "radio-off" => Self { software_radio: false, ..base },
            "asynchronous" => Self {
                activates_later: true,
                pace: Pace { activate: ms(150), ip_configuration: ms(100), ..base.pace },
                ..base
            },
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_in_the_list_is_a_profile() {
        for (name, _) in NAMES {
            assert!(Profile::named(name).is_some(), "{name}");
        }
        assert!(Profile::named("nothing").is_none());
    }
}

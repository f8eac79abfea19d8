//! The control endpoint: standard requests and the class requests of MBIM, without IO.

use super::data::Ntb;
use super::descriptor::{self, ControlLimits, kind};
use super::profile::{Speed, UsbProfile};
use super::{BULK_ENDPOINT, COMMUNICATION_INTERFACE, DATA_INTERFACE, INTERRUPT_ENDPOINT};
use mbim_proto::class_request::{ClassRequest, Notification, Setup};
use mbim_proto::ntb::Format;
use std::collections::VecDeque;

/// bRequest of the standard requests. `[USB3.2 table 9-5]`
mod standard {
    pub(super) const GET_STATUS: u8 = 0;
    pub(super) const CLEAR_FEATURE: u8 = 1;
    pub(super) const SET_FEATURE: u8 = 3;
    pub(super) const SET_ADDRESS: u8 = 5;
    pub(super) const GET_DESCRIPTOR: u8 = 6;
    pub(super) const GET_CONFIGURATION: u8 = 8;
    pub(super) const SET_CONFIGURATION: u8 = 9;
    pub(super) const GET_INTERFACE: u8 = 10;
    pub(super) const SET_INTERFACE: u8 = 11;
    pub(super) const SET_SEL: u8 = 48;
    pub(super) const SET_ISOCH_DELAY: u8 = 49;
}

/// Feature selectors. `[USB3.2 table 9-7]`
mod feature {
    pub(super) const ENDPOINT_HALT: u16 = 0;
    pub(super) const FUNCTION_SUSPEND: u16 = 0;
    pub(super) const REMOTE_WAKEUP: u16 = 1;
    pub(super) const U1_ENABLE: u16 = 48;
    pub(super) const U2_ENABLE: u16 = 49;
    pub(super) const LTM_ENABLE: u16 = 50;
}

/// Responses that may wait for a host that does not fetch them; what comes beyond is lost.
const MOST_RESPONSES: usize = 1024;

/// What the device answers to a control request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Answer {
    /// Done; these bytes go to the host, already cut to wLength.
    Data(Vec<u8>),
    /// Done; and something follows from it.
    Done(Consequence),
    /// A protocol stall.
    Stall,
}

/// What follows from a request outside the control endpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Consequence {
    /// Nothing.
    None,
    /// A frame for the modem.
    Command(Vec<u8>),
    /// The function starts anew: the modem forgets the host.
    Reset,
    /// The data interface is another one now; transfers on its pipes end. Halts are cleared.
    Interfaces,
    /// The configuration was set: as [`Self::Reset`] and [`Self::Interfaces`].
    Configured,
    /// This endpoint address is not halted any more.
    Cleared(u8),
    /// The host halts this endpoint address.
    Halted(u8),
}

/// State behind the control endpoint.
#[derive(Debug)]
pub(super) struct Device {
    profile: UsbProfile,
    limits: ControlLimits,
    serial: String,
    configuration: u8,
    communication_alternate: u8,
    data_alternate: u8,
    remote_wakeup: bool,
    function_wakeup: bool,
    halted: Vec<u8>,
    pub(super) ntb: Ntb,
    responses: VecDeque<Vec<u8>>,
    notifications: u32,
    lost: u64,
}

impl Device {
    pub(super) fn new(profile: UsbProfile, limits: ControlLimits, imei: &str) -> Self {
        let serial = profile.serial.as_ref().map_or(imei, |serial| serial.reveal().as_str()).to_owned();
        Self {
            ntb: Ntb::new(&profile),
            profile,
            limits,
            serial,
            configuration: 0,
            communication_alternate: 0,
            data_alternate: 0,
            remote_wakeup: false,
            function_wakeup: false,
            halted: Vec::new(),
            responses: VecDeque::new(),
            notifications: 0,
            lost: 0,
        }
    }

    pub(super) const fn profile(&self) -> &UsbProfile {
        &self.profile
    }

    /// Whether the bulk pipes are there.
    pub(super) const fn carries_data(&self) -> bool {
        self.configuration != 0 && self.is_mbim() && self.data_alternate == 1 + self.mbim_alternate()
    }

    /// The setting of the communication interface that is MBIM.
    const fn mbim_alternate(&self) -> u8 {
        self.profile.dual as u8
    }

    const fn is_mbim(&self) -> bool {
        self.communication_alternate == self.mbim_alternate()
    }

    pub(super) const fn is_configured(&self) -> bool {
        self.configuration != 0
    }

    pub(super) fn is_halted(&self, address: u8) -> bool {
        self.halted.contains(&address)
    }

    pub(super) fn halt(&mut self, address: u8) {
        if !self.is_halted(address) {
            self.halted.push(address);
        }
    }

    /// Whether the host has fetched every response.
    pub(super) fn is_fetched(&self) -> bool {
        self.responses.is_empty()
    }

    /// Responses that nobody fetched in time.
    pub(super) const fn lost(&self) -> u64 {
        self.lost
    }

    /// A frame of the modem waits for the host; the host is told.
    pub(super) fn respond(&mut self, frame: Vec<u8>) {
        if frame.is_empty() || self.configuration == 0 {
            return;
        }
        if self.responses.len() >= MOST_RESPONSES {
            self.lost += 1;
            return;
        }
        self.responses.push_back(frame);
        self.notifications += 1;
    }

    /// The next notification, if one is due. `[MBIM1.0 7.2]`
    pub(super) fn notification(&mut self) -> Option<Vec<u8>> {
        self.notifications = self.notifications.checked_sub(1)?;
        Some(Self::response_available())
    }

    pub(super) fn response_available() -> Vec<u8> {
        let (bytes, size) = Notification::ResponseAvailable.encode(COMMUNICATION_INTERFACE);
        bytes.into_iter().take(size).collect()
    }

    /// Power is back, or the bus was reset.
    pub(super) fn reset(&mut self) {
        self.configuration = 0;
        self.remote_wakeup = false;
        self.function_wakeup = false;
        self.communication_alternate = 0;
        self.set_alternate(0);
        self.halted.clear();
        self.reset_function();
    }

    fn reset_function(&mut self) {
        self.responses.clear();
        self.notifications = 0;
        self.ntb.restore_defaults();
    }

    fn set_alternate(&mut self, alternate: u8) {
        self.data_alternate = alternate;
        self.halted.retain(|address| address & 0x7f != BULK_ENDPOINT);
        if alternate == 0 {
            // The idle setting takes the transfer parameters back to what they were. [NCM1.0 7.2]
            self.ntb.restore_defaults();
        }
        self.ntb.restart();
    }

    /// Answers one request; `data` is what came with it.
    pub(super) fn control(&mut self, setup: Setup, data: &[u8]) -> Answer {
        let answer = match setup.request_type & 0x60 {
            0x00 => self.standard(setup),
            0x20 => self.class(setup, data),
            _ => Answer::Stall,
        };
        match answer {
            Answer::Data(mut bytes) => {
                bytes.truncate(usize::from(setup.length));
                Answer::Data(bytes)
            }
            other => other,
        }
    }

    fn standard(&mut self, setup: Setup) -> Answer {
        let [low, high] = setup.value.to_le_bytes();
        let done = Answer::Done(Consequence::None);
        match (setup.request_type, setup.request) {
            (0x80, standard::GET_DESCRIPTOR) => self.descriptor(high, low).map_or(Answer::Stall, Answer::Data),
            (0x80, standard::GET_STATUS) => Answer::Data(vec![u8::from(self.remote_wakeup) << 1, 0]),
            (0x80, standard::GET_CONFIGURATION) => Answer::Data(vec![self.configuration]),
            (0x00, standard::SET_CONFIGURATION) if low == 0 || low == descriptor::CONFIGURATION => {
                self.reset();
                self.configuration = low;
                Answer::Done(Consequence::Configured)
            }
            // A virtual host controller keeps the address to itself.
            (0x00, standard::SET_ADDRESS) if setup.value < 128 => done,
            (0x00, standard::SET_SEL) if self.is_super() && setup.length == 6 => done,
            (0x00, standard::SET_ISOCH_DELAY) if self.is_super() => done,
            (0x00, standard::CLEAR_FEATURE | standard::SET_FEATURE) => {
                let on = setup.request == standard::SET_FEATURE;
                match setup.value {
                    feature::REMOTE_WAKEUP if !self.is_super() => self.remote_wakeup = on,
                    feature::U1_ENABLE | feature::U2_ENABLE if self.is_super() && self.is_configured() => {}
                    feature::LTM_ENABLE if self.is_super() && !on => {}
                    _ => return Answer::Stall,
                }
                done
            }
            _ if self.configuration == 0 => Answer::Stall,
            (0x81, standard::GET_STATUS) if is_interface(setup.index) => {
                // Of the first interface of a function: may wake, and is allowed to. [USB3.2 9.4.5]
                let wakes = self.is_super() && setup.index == u16::from(COMMUNICATION_INTERFACE);
                Answer::Data(vec![u8::from(wakes) | u8::from(wakes && self.function_wakeup) << 1, 0])
            }
            (0x81, standard::GET_INTERFACE) => match interface(setup.index) {
                Some(COMMUNICATION_INTERFACE) => Answer::Data(vec![self.communication_alternate]),
                Some(_) => Answer::Data(vec![self.data_alternate]),
                None => Answer::Stall,
            },
            (0x01, standard::SET_INTERFACE) => match (interface(setup.index), setup.value) {
                (Some(COMMUNICATION_INTERFACE), 0 | 1) if low <= self.mbim_alternate() => {
                    if self.communication_alternate != low {
                        self.communication_alternate = low;
                        self.reset_function();
                    }
                    done
                }
                // The setting of MBIM belongs to a function that is MBIM by then.
                (Some(DATA_INTERFACE), 2) if !self.profile.dual || !self.is_mbim() => Answer::Stall,
                (Some(DATA_INTERFACE), 0..=2) => {
                    self.set_alternate(low);
                    Answer::Done(Consequence::Interfaces)
                }
                _ => Answer::Stall,
            },
            (0x01, standard::CLEAR_FEATURE | standard::SET_FEATURE)
                if self.is_super() && setup.value == feature::FUNCTION_SUSPEND && is_interface(setup.index & 0xff) =>
            {
                // The suspend options stand in the high byte: bit 0 suspended, bit 1 may wake.
                self.function_wakeup = setup.request == standard::SET_FEATURE && setup.index & 0x0200 != 0;
                done
            }
            (0x82 | 0x02, _) => self.endpoint(setup),
            _ => Answer::Stall,
        }
    }

    fn endpoint(&mut self, setup: Setup) -> Answer {
        let [address, _] = setup.index.to_le_bytes();
        let there = match address & 0x7f {
            0 => true,
            INTERRUPT_ENDPOINT => address == 0x80 | INTERRUPT_ENDPOINT,
            BULK_ENDPOINT => self.data_alternate != 0,
            _ => false,
        };
        if !there || setup.index > 0xff {
            return Answer::Stall;
        }
        match (setup.request_type, setup.request, setup.value) {
            (0x82, standard::GET_STATUS, 0) => Answer::Data(vec![u8::from(self.is_halted(address)), 0]),
            (0x02, standard::CLEAR_FEATURE, feature::ENDPOINT_HALT) => {
                self.halted.retain(|halted| *halted != address);
                Answer::Done(Consequence::Cleared(address))
            }
            (0x02, standard::SET_FEATURE, feature::ENDPOINT_HALT) if address & 0x7f != 0 => {
                self.halt(address);
                Answer::Done(Consequence::Halted(address))
            }
            _ => Answer::Stall,
        }
    }

    fn descriptor(&self, descriptor: u8, index: u8) -> Option<Vec<u8>> {
        match (descriptor, index) {
            (kind::DEVICE, 0) => Some(descriptor::device(&self.profile)),
            (kind::CONFIGURATION, 0) => Some(descriptor::configuration(&self.profile, self.limits)),
            (kind::OTHER_SPEED, 0) => descriptor::other_speed(&self.profile, self.limits),
            (kind::QUALIFIER, 0) => descriptor::qualifier(&self.profile),
            (kind::BOS, 0) => descriptor::bos(&self.profile),
            (kind::STRING, index) => descriptor::string(&self.profile, &self.serial, index),
            _ => None,
        }
    }

    fn class(&mut self, setup: Setup, data: &[u8]) -> Answer {
        if self.configuration == 0 || setup.index != u16::from(COMMUNICATION_INTERFACE) || !self.is_mbim() {
            return Answer::Stall;
        }
        let done = Answer::Done(Consequence::None);
        let idle = self.data_alternate == 0;
        let late = idle || !self.profile.insists_on_idle;
        let Some(request) = ClassRequest::from_setup(setup) else { return Answer::Stall };
        if setup.value != 0 && !matches!(request, ClassRequest::SetNtbFormat(_)) {
            return Answer::Stall;
        }
        match request {
            ClassRequest::SendEncapsulatedCommand(_)
                if !data.is_empty() && data.len() <= usize::from(self.limits.max_message) =>
            {
                Answer::Done(Consequence::Command(data.to_vec()))
            }
            ClassRequest::GetEncapsulatedResponse(_) => match self.responses.pop_front() {
                Some(frame) => Answer::Data(frame),
                None if self.profile.stalls_when_empty => Answer::Stall,
                None => Answer::Data(Vec::new()),
            },
            ClassRequest::ResetFunction => {
                self.reset_function();
                Answer::Done(Consequence::Reset)
            }
            ClassRequest::GetNtbParameters(_) => Answer::Data(self.ntb.parameters().to_vec()),
            ClassRequest::GetNtbFormat if self.profile.ntb32 => {
                Answer::Data(self.ntb.format().code().to_le_bytes().to_vec())
            }
            ClassRequest::SetNtbFormat(code) if self.profile.ntb32 && idle => match Format::from_code(code) {
                Some(format) => {
                    self.ntb.set_format(format);
                    done
                }
                None => Answer::Stall,
            },
            ClassRequest::GetNtbInputSize(_) => Answer::Data(self.ntb.input_size()),
            ClassRequest::SetNtbInputSize(_) if late && self.ntb.set_input_size(data) => done,
            ClassRequest::GetMaxDatagramSize if self.profile.max_datagram_size => {
                Answer::Data(self.ntb.max_datagram().to_le_bytes().to_vec())
            }
            ClassRequest::SetMaxDatagramSize
                if late && self.profile.max_datagram_size && self.ntb.set_max_datagram(data) =>
            {
                done
            }
            _ => Answer::Stall,
        }
    }

    fn is_super(&self) -> bool {
        self.profile.speed == Speed::Super
    }
}

fn interface(index: u16) -> Option<u8> {
    u8::try_from(index).ok().filter(|number| [COMMUNICATION_INTERFACE, DATA_INTERFACE].contains(number))
}

fn is_interface(index: u16) -> bool {
    interface(index).is_some()
}

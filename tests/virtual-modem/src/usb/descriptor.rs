//! The descriptors of the device. Built here by hand and not by `mbim-proto`: what the host reads with that crate is
//! written by another one.

use super::profile::{Speed, UsbProfile};
use super::{BULK_ENDPOINT, COMMUNICATION_INTERFACE, DATA_INTERFACE, INTERRUPT_ENDPOINT};

/// Descriptor types. `[USB3.2 table 9-6]`
pub(super) mod kind {
    pub(crate) const DEVICE: u8 = 1;
    pub(crate) const CONFIGURATION: u8 = 2;
    pub(crate) const STRING: u8 = 3;
    pub(crate) const INTERFACE: u8 = 4;
    pub(crate) const ENDPOINT: u8 = 5;
    pub(crate) const QUALIFIER: u8 = 6;
    pub(crate) const OTHER_SPEED: u8 = 7;
    pub(crate) const ASSOCIATION: u8 = 11;
    pub(crate) const BOS: u8 = 15;
    pub(crate) const CAPABILITY: u8 = 16;
    pub(crate) const FUNCTIONAL: u8 = 0x24;
    pub(crate) const COMPANION: u8 = 0x30;
}

/// Number of the string descriptors.
mod string {
    pub(super) const MANUFACTURER: u8 = 1;
    pub(super) const PRODUCT: u8 = 2;
    pub(super) const SERIAL: u8 = 3;
    pub(super) const CONTROL: u8 = 4;
    pub(super) const DATA: u8 = 5;
    pub(super) const ADDRESS: u8 = 6;
}

/// The one configuration's number.
pub(super) const CONFIGURATION: u8 = 1;
/// US English, the only language.
const LANGUAGE: u16 = 0x0409;
/// Remote wake-up and bus power (bit 7 is always set).
const ATTRIBUTES: u8 = 0xa0;
/// Device class "miscellaneous, interface association", or "in the interfaces".
const WITH_ASSOCIATION: [u8; 3] = [0xef, 0x02, 0x01];
const IN_INTERFACES: [u8; 3] = [0, 0, 0];
/// Communication class, MBIM.
const CONTROL_CLASS: [u8; 3] = [0x02, 0x0e, 0x00];
/// Data class, MBIM transfer.
const DATA_CLASS: [u8; 3] = [0x0a, 0x00, 0x02];
/// The same of NCM.
const NCM_CONTROL_CLASS: [u8; 3] = [0x02, 0x0d, 0x00];
const NCM_DATA_CLASS: [u8; 3] = [0x0a, 0x00, 0x01];
/// wMaxPacketSize of the interrupt endpoint: the longest notification of CDC.
const INTERRUPT_PACKET: u16 = 16;

pub(super) fn device_class(profile: &UsbProfile) -> [u8; 3] {
    if profile.association { WITH_ASSOCIATION } else { IN_INTERFACES }
}

pub(super) fn interface_classes() -> [[u8; 3]; 2] {
    [CONTROL_CLASS, [DATA_CLASS[0], DATA_CLASS[1], 0]]
}

/// The device descriptor, 18 bytes.
pub(super) fn device(profile: &UsbProfile) -> Vec<u8> {
    let (usb, largest) = match profile.speed {
        Speed::High => (0x0200_u16, 64),
        // An exponent here. [USB3.2 9.6.1]
        Speed::Super => (0x0300, 9),
    };
    let mut bytes = vec![18, kind::DEVICE];
    bytes.extend(usb.to_le_bytes());
    bytes.extend(device_class(profile));
    bytes.push(largest);
    for number in [profile.vendor, profile.product, profile.release] {
        bytes.extend(number.to_le_bytes());
    }
    bytes.extend([string::MANUFACTURER, string::PRODUCT, string::SERIAL, 1]);
    bytes
}

/// The device qualifier; only a device that is not at SuperSpeed has one.
pub(super) fn qualifier(profile: &UsbProfile) -> Option<Vec<u8>> {
    (profile.speed == Speed::High).then(|| {
        let mut bytes = vec![10, kind::QUALIFIER, 0x00, 0x02];
        bytes.extend(device_class(profile));
        bytes.extend([64, 1, 0]);
        bytes
    })
}

/// The binary device object store: link power management and SuperSpeed. A USB 2.0 device has none.
pub(super) fn bos(profile: &UsbProfile) -> Option<Vec<u8>> {
    (profile.speed == Speed::Super).then(|| {
        let mut bytes = vec![5, kind::BOS, 0, 0, 2];
        bytes.extend([7, kind::CAPABILITY, 0x02, 0x02, 0, 0, 0]);
        // Full, high and SuperSpeed; all functions from high speed on; U1 and U2 exit latencies in microseconds.
        bytes.extend([10, kind::CAPABILITY, 0x03, 0, 0x0e, 0, 2, 10, 0xff, 0x07]);
        set_total(&mut bytes);
        bytes
    })
}

/// Limits that the functional descriptors tell, and that the modem knows.
#[derive(Clone, Copy, Debug)]
pub(super) struct ControlLimits {
    pub(super) max_message: u16,
    pub(super) outstanding: u8,
}

/// The configuration with everything below it.
pub(super) fn configuration(profile: &UsbProfile, limits: ControlLimits) -> Vec<u8> {
    match &profile.configuration {
        Some(bytes) => bytes.clone(),
        None => proper_configuration(profile, limits, kind::CONFIGURATION, profile.speed),
    }
}

/// The configuration as it would be at full speed, for a device at high speed.
pub(super) fn other_speed(profile: &UsbProfile, limits: ControlLimits) -> Option<Vec<u8>> {
    (profile.speed == Speed::High).then(|| {
        let mut bytes = proper_configuration(profile, limits, kind::OTHER_SPEED, Speed::High);
        // Only the packet size of the bulk endpoints differs.
        let mut at = 0;
        while let Some(length) = bytes.get(at).copied().filter(|l| *l > 0) {
            if let Some([_, kind::ENDPOINT, _, 0x02, low, high, ..]) = bytes.get_mut(at..) {
                (*low, *high) = (64, 0);
            }
            at += usize::from(length);
        }
        bytes
    })
}

fn proper_configuration(profile: &UsbProfile, limits: ControlLimits, kind: u8, speed: Speed) -> Vec<u8> {
    // Units of 2 mA, at SuperSpeed of 8 mA. [USB3.2 9.6.3]
    let power = match speed {
        Speed::High => profile.power.min(500) / 2,
        Speed::Super => profile.power.min(900) / 8,
    };
    let mut bytes = vec![9, kind, 0, 0, 2, CONFIGURATION, 0, ATTRIBUTES, u8::try_from(power).unwrap_or(u8::MAX)];
    let (control, data) = if profile.dual { (NCM_CONTROL_CLASS, NCM_DATA_CLASS) } else { (CONTROL_CLASS, DATA_CLASS) };
    if profile.association {
        bytes.extend([8, kind::ASSOCIATION, COMMUNICATION_INTERFACE, 2]);
        bytes.extend(control);
        bytes.push(string::CONTROL);
    }
    // 2^(9 - 1) microframes are 32 ms. [USB3.2 9.6.6]
    let interrupt = |bytes: &mut Vec<u8>| endpoint(bytes, speed, 0x80 | INTERRUPT_ENDPOINT, 3, INTERRUPT_PACKET, 9);
    if profile.dual {
        interface(&mut bytes, [COMMUNICATION_INTERFACE, 0, 1], control, string::CONTROL);
        ncm(&mut bytes, profile);
        interrupt(&mut bytes);
    }
    interface(&mut bytes, [COMMUNICATION_INTERFACE, u8::from(profile.dual), 1], CONTROL_CLASS, string::CONTROL);
    functional(&mut bytes, profile, limits);
    interrupt(&mut bytes);
    interface(&mut bytes, [DATA_INTERFACE, 0, 0], data, 0);
    let transfers = [NCM_DATA_CLASS, DATA_CLASS].into_iter().skip(usize::from(!profile.dual));
    for (alternate, class) in (1..).zip(transfers) {
        interface(&mut bytes, [DATA_INTERFACE, alternate, 2], class, string::DATA);
        for address in [0x80 | BULK_ENDPOINT, BULK_ENDPOINT] {
            endpoint(&mut bytes, speed, address, 2, speed.bulk_packet(), 0);
        }
    }
    set_total(&mut bytes);
    bytes
}

/// Header and union.
fn group(bytes: &mut Vec<u8>) {
    bytes.extend([5, kind::FUNCTIONAL, 0x00, 0x10, 0x01]);
    bytes.extend([5, kind::FUNCTIONAL, 0x06, COMMUNICATION_INTERFACE, DATA_INTERFACE]);
}

/// The class-specific descriptors of a communication interface that is NCM: Ethernet without filters, NCM without
/// capabilities. `[NCM1.0 5.2]`
fn ncm(bytes: &mut Vec<u8>, profile: &UsbProfile) {
    group(bytes);
    bytes.extend([13, kind::FUNCTIONAL, 0x0f, string::ADDRESS, 0, 0, 0, 0]);
    bytes.extend(profile.max_segment.to_le_bytes());
    bytes.extend([0, 0, 0]);
    bytes.extend([6, kind::FUNCTIONAL, 0x1a, 0x00, 0x01, 0]);
}

/// The class-specific descriptors of the communication interface. `[MBIM1.0 6.3 to 6.5]`
fn functional(bytes: &mut Vec<u8>, profile: &UsbProfile, limits: ControlLimits) {
    group(bytes);
    bytes.extend([12, kind::FUNCTIONAL, 0x1b, 0x00, 0x01]);
    bytes.extend(limits.max_message.to_le_bytes());
    // 16 filters of at most 192 bytes.
    bytes.extend([16, 192]);
    bytes.extend(profile.max_segment.to_le_bytes());
    bytes.push(u8::from(profile.max_datagram_size) << 3 | u8::from(profile.long_input_size) << 5);
    if profile.extended {
        bytes.extend([8, kind::FUNCTIONAL, 0x1c, 0x00, 0x01, limits.outstanding]);
        bytes.extend(profile.mtu.to_le_bytes());
    }
}

fn interface(bytes: &mut Vec<u8>, [number, alternate, endpoints]: [u8; 3], class: [u8; 3], text: u8) {
    bytes.extend([9, kind::INTERFACE, number, alternate, endpoints]);
    bytes.extend(class);
    bytes.push(text);
}

fn endpoint(bytes: &mut Vec<u8>, speed: Speed, address: u8, transfer: u8, packet: u16, interval: u8) {
    bytes.extend([7, kind::ENDPOINT, address, transfer]);
    bytes.extend(packet.to_le_bytes());
    bytes.push(interval);
    if speed == Speed::Super {
        // No bursts; a periodic endpoint tells what it may send per interval.
        let per_interval = if transfer == 3 { packet } else { 0 };
        bytes.extend([6, kind::COMPANION, 0, 0]);
        bytes.extend(per_interval.to_le_bytes());
    }
}

/// Writes wTotalLength, which stands in bytes 2 and 3.
fn set_total(bytes: &mut [u8]) {
    let total = u16::try_from(bytes.len()).unwrap_or(u16::MAX).to_le_bytes();
    if let Some(place) = bytes.get_mut(2..4) {
        place.copy_from_slice(&total);
    }
}

/// A string descriptor; `None` when there is none of this number.
pub(super) fn string(profile: &UsbProfile, serial: &str, index: u8) -> Option<Vec<u8>> {
    let text = match index {
        0 => {
            let [low, high] = LANGUAGE.to_le_bytes();
            return Some(vec![4, kind::STRING, low, high]);
        }
        string::MANUFACTURER => &profile.manufacturer,
        string::PRODUCT => &profile.name,
        string::SERIAL => serial,
        string::CONTROL => "MBIM Control",
        string::DATA => "MBIM Data",
        string::ADDRESS => "020000000001",
        _ => return None,
    };
    // bLength is one byte.
    let units: Vec<u8> = text.encode_utf16().take(126).flat_map(u16::to_le_bytes).collect();
    let mut bytes = vec![u8::try_from(units.len() + 2).unwrap_or(u8::MAX), kind::STRING];
    bytes.extend(units);
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: ControlLimits = ControlLimits { max_message: 4096, outstanding: 8 };

    /// The pieces of a configuration by their own lengths.
    fn pieces(bytes: &[u8]) -> Vec<&[u8]> {
        let mut rest = bytes;
        let mut found = Vec::new();
        while let Some(length) = rest.first().copied() {
            let (piece, after) = rest.split_at(usize::from(length));
            found.push(piece);
            rest = after;
        }
        found
    }

    #[test]
    fn lengths_are_true_at_both_speeds() {
        for speed in [Speed::High, Speed::Super] {
            let profile = UsbProfile::default().at(speed);
            assert_eq!(device(&profile).len(), 18);
            let bytes = configuration(&profile, LIMITS);
            assert_eq!(usize::from(u16::from_le_bytes([bytes[2], bytes[3]])), bytes.len());
            let endpoints: Vec<_> = pieces(&bytes).into_iter().filter(|p| p[1] == kind::ENDPOINT).collect();
            assert_eq!(endpoints.iter().map(|e| e[2]).collect::<Vec<_>>(), [0x81, 0x82, 0x02]);
            let companions = pieces(&bytes).into_iter().filter(|p| p[1] == kind::COMPANION).count();
            assert_eq!(companions, if speed == Speed::Super { 3 } else { 0 });
            assert_eq!(bytes[8], if speed == Speed::Super { 112 } else { 250 }, "896 and 500 mA");
        }
    }

    #[test]
    fn only_high_speed_has_another_speed() {
        let high = UsbProfile::default().at(Speed::High);
        let other = other_speed(&high, LIMITS).unwrap();
        let packets: Vec<u8> =
            pieces(&other).into_iter().filter(|p| p[1] == kind::ENDPOINT && p[3] == 2).map(|p| p[4]).collect();
        assert_eq!(packets, [64, 64]);
        assert_eq!(qualifier(&high).unwrap().len(), 10);
        assert!(bos(&high).is_none());
        let fast = UsbProfile::default();
        assert!(other_speed(&fast, LIMITS).is_none() && qualifier(&fast).is_none());
        let store = bos(&fast).unwrap();
        assert_eq!(usize::from(store[2]), store.len());
    }

    #[test]
    fn a_string_is_never_longer_than_its_length_says() {
        let profile = UsbProfile { name: "ü".repeat(300), ..UsbProfile::default() };
        let bytes = string(&profile, "", string::PRODUCT).unwrap();
        assert_eq!(usize::from(bytes[0]), bytes.len());
        assert_eq!(string(&profile, "", 9), None);
    }
}

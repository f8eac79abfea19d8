//! Information elements behind the fixed part: type, length, value.

use alloc::vec::Vec;

use super::shape::{Codec, Max, Text, list};
use super::{Field, Reader, Writer, text};
use crate::{Disguise, EncodeError, Malformed, Value};

#[cfg(any(test, feature = "generate"))]
use crate::generate::Entropy;

crate::open_enum! {
    /// What a [`Tlv`] holds. [MBIMEx3.0]
    pub TlvKind: u16 {
        UE_POLICIES = 1 "ue-policies",
        SINGLE_NSSAI = 2 "single-nssai",
        ALLOWED_NSSAI = 3 "allowed-nssai",
        CFG_NSSAI = 4 "cfg-nssai",
        DFLT_CFG_NSSAI = 5 "dflt-cfg-nssai",
        PRECFG_DFLT_CFG_NSSAI = 6 "precfg-dflt-cfg-nssai",
        REJ_NSSAI = 7 "rej-nssai",
        LADN = 8 "ladn",
        TAI = 9 "tai",
        WCHAR_STR = 10 "wchar-str",
        UINT16_TBL = 11 "uint16-tbl",
        EAP_PACKET = 12 "eap-packet",
        PCO = 13 "pco",
        ROUTE_SELECTION_DESCRIPTORS = 14 "route-selection-descriptors",
        TRAFFIC_PARAMETERS = 15 "traffic-parameters",
        WAKE_COMMAND = 16 "wake-command",
        WAKE_PACKET = 17 "wake-packet",
        OS_ID = 18 "os-id",
        RELEASE_3GPP_VERSION = 19 "3gpp-rel-version",
        URSP_RULES_TD_ONLY = 20 "ursp-rules-td-only",
        SESSION_ID = 21 "session-id",
    }
}

/// Elements that are about the network, or about a command.
const PLAIN: [TlvKind; 15] = [
    TlvKind::UE_POLICIES,
    TlvKind::SINGLE_NSSAI,
    TlvKind::ALLOWED_NSSAI,
    TlvKind::CFG_NSSAI,
    TlvKind::DFLT_CFG_NSSAI,
    TlvKind::PRECFG_DFLT_CFG_NSSAI,
    TlvKind::REJ_NSSAI,
    TlvKind::UINT16_TBL,
    TlvKind::ROUTE_SELECTION_DESCRIPTORS,
    TlvKind::TRAFFIC_PARAMETERS,
    TlvKind::WAKE_COMMAND,
    TlvKind::OS_ID,
    TlvKind::RELEASE_3GPP_VERSION,
    TlvKind::URSP_RULES_TD_ONLY,
    TlvKind::SESSION_ID,
];

/// An information element behind the fixed part: type u16, reserved u8, padding length u8, data length u32, data,
/// zeros up to a multiple of 4. [MBIMEx3.0]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tlv {
    /// What the data is.
    pub kind: TlvKind,
    /// The data without padding.
    pub data: Vec<u8>,
}

impl Tlv {
    /// The next one; `None` when fewer than 8 bytes are left, which are ignored.
    fn next(r: &mut Reader<'_>) -> Result<Option<Self>, Malformed> {
        if r.left() < 8 {
            return Ok(None);
        }
        let kind = TlvKind::read(r)?;
        let [_reserved, padding] = r.array()?;
        let size = u32::read(r)?;
        let data = r.take(u64::from(size))?.to_vec();
        r.skip_padding(usize::from(padding));
        Ok(Some(Self { kind, data }))
    }

    /// The next one if it is of this kind.
    fn expect(kind: TlvKind, r: &mut Reader<'_>) -> Result<Option<Self>, Malformed> {
        let next = r.peek::<2>().map(|raw| TlvKind(u16::from_le_bytes(raw)));
        if next == Some(kind) { Self::next(r) } else { Ok(None) }
    }

    fn write(kind: TlvKind, w: &mut Writer<'_>, make: impl FnOnce(&mut Vec<u8>)) {
        w.append_with(|out| {
            let start = out.len();
            out.extend_from_slice(&kind.0.to_le_bytes());
            out.extend_from_slice(&[0; 6]);
            make(out);
            let size = out.len() - start - 8;
            let padding = size.next_multiple_of(4) - size;
            out.resize(out.len() + padding, 0);
            if let Some(place) = out.get_mut(start + 3..start + 8) {
                let [a, b, c, d] = u32::try_from(size).unwrap_or(u32::MAX).to_le_bytes();
                place.copy_from_slice(&[padding as u8, a, b, c, d]);
            }
        });
    }
}

/// All information elements to the end of the buffer, unknown ones too. As every tail, only in structures that refer to
/// nothing: it starts where the fixed part ends.
#[derive(Clone, Copy, Debug)]
pub struct Tlvs;

impl Codec<Vec<Tlv>> for Tlvs {
    fn zero(&self) -> Vec<Tlv> {
        Vec::new()
    }
    fn read(&self, r: &mut Reader<'_>) -> Result<Vec<Tlv>, Malformed> {
        let mut all = Vec::new();
        while let Some(tlv) = Tlv::next(r)? {
            all.push(tlv);
        }
        Ok(all)
    }
    fn write(&self, all: &Vec<Tlv>, w: &mut Writer<'_>) {
        for tlv in all {
            Tlv::write(tlv.kind, w, |out| out.extend_from_slice(&tlv.data));
        }
    }
    fn value(&self, all: &Vec<Tlv>, reveal: bool) -> Value {
        let data = |tlv: &Tlv| if reveal || PLAIN.contains(&tlv.kind) { Value::hex(&tlv.data) } else { Value::Hidden };
        let one = |tlv: &Tlv| Value::Object([("type", tlv.kind.value(reveal)), ("data", data(tlv))].into());
        Value::List(all.iter().map(one).collect())
    }
    /// Slices, rules and the like say nothing about a person; where the device is, what it was sent, and what is not known do.
    fn disguise(&self, all: &mut Vec<Tlv>, marked: bool, by: &mut dyn Disguise) {
        for tlv in all {
            if marked || !PLAIN.contains(&tlv.kind) {
                by.octets(&mut tlv.data);
            }
        }
    }
    #[cfg(any(test, feature = "generate"))]
    fn generate(&self, g: &mut Entropy<'_>) -> Vec<Tlv> {
        // A text or a table in front would be taken for a named element that is missing.
        g.several(|g| Tlv { kind: TlvKind(u16::generate(g) | 0x100), data: g.several(Entropy::byte) })
    }
}

/// A string as an information element of type 10, at most this many bytes when a host encodes. A missing one is empty.
#[derive(Clone, Copy, Debug)]
pub struct TlvText(pub usize);

impl<T: Text> Codec<T> for TlvText {
    fn zero(&self) -> T {
        T::zero()
    }
    fn read(&self, r: &mut Reader<'_>) -> Result<T, Malformed> {
        let tlv = Tlv::expect(TlvKind::WCHAR_STR, r)?;
        Ok(T::from_text(tlv.map(|tlv| text::from_utf16(&tlv.data)).unwrap_or_default()))
    }
    fn write(&self, value: &T, w: &mut Writer<'_>) {
        Tlv::write(TlvKind::WCHAR_STR, w, |out| text::to_utf16(value.text(), out));
    }
    fn check(&self, value: &T, field: &'static str) -> Result<(), EncodeError> {
        Max(self.0).check(value, field)
    }
    fn value(&self, value: &T, reveal: bool) -> Value {
        value.value(reveal)
    }
    fn disguise(&self, value: &mut T, marked: bool, by: &mut dyn Disguise) {
        value.disguise(marked, by);
    }
    #[cfg(any(test, feature = "generate"))]
    fn generate(&self, g: &mut Entropy<'_>) -> T {
        T::generate(g)
    }
}

/// A table of u16 as an information element of type 11. A missing one is empty, an odd last byte is dropped.
#[derive(Clone, Copy, Debug)]
pub struct TlvU16s;

impl Codec<Vec<u16>> for TlvU16s {
    fn zero(&self) -> Vec<u16> {
        Vec::new()
    }
    fn read(&self, r: &mut Reader<'_>) -> Result<Vec<u16>, Malformed> {
        let tlv = Tlv::expect(TlvKind::UINT16_TBL, r)?;
        let data = tlv.map(|tlv| tlv.data).unwrap_or_default();
        Ok(data.as_chunks::<2>().0.iter().map(|pair| u16::from_le_bytes(*pair)).collect())
    }
    fn write(&self, values: &Vec<u16>, w: &mut Writer<'_>) {
        Tlv::write(TlvKind::UINT16_TBL, w, |out| values.iter().for_each(|n| out.extend_from_slice(&n.to_le_bytes())));
    }
    fn value(&self, values: &Vec<u16>, reveal: bool) -> Value {
        list(values, reveal)
    }
    fn disguise(&self, _: &mut Vec<u16>, _: bool, _: &mut dyn Disguise) {}
    #[cfg(any(test, feature = "generate"))]
    fn generate(&self, g: &mut Entropy<'_>) -> Vec<u16> {
        g.several(u16::generate)
    }
}

//! When a message came, and until when it is tried. [3GPP TS 23.040 9.2.3.11, 9.2.3.12]

use core::fmt;

use alloc::vec::Vec;

use crate::Malformed;
use crate::codec::Reader;

use super::octet;

/// Seven octets of swapped decimal digits: year, month, day, hour, minute, second, zone. Networks send nonsense, zeros
/// above all, so they are kept as they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub struct Timestamp(pub [u8; 7]);

/// A time that a [`Timestamp`] says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Moment {
    /// The last two digits of the year.
    pub year: u8,
    /// 1–12.
    pub month: u8,
    /// 1–31.
    pub day: u8,
    /// 0–23.
    pub hour: u8,
    /// 0–59.
    pub minute: u8,
    /// 0–59.
    pub second: u8,
    /// What local time is ahead of UTC, in quarters of an hour, summer time included.
    pub quarters: i8,
}

impl Timestamp {
    /// What it says, if that is a time.
    pub fn moment(self) -> Option<Moment> {
        let number = |octet: u8| {
            let (tens, ones) = (octet & 15, octet >> 4);
            (tens < 10 && ones < 10).then_some(tens * 10 + ones)
        };
        let [year, month, day, hour, minute, second, zone] = self.0;
        let quarters = number(zone & !8)? as i8;
        let moment = Moment {
            year: number(year)?,
            month: number(month)?,
            day: number(day)?,
            hour: number(hour)?,
            minute: number(minute)?,
            second: number(second)?,
            quarters: if zone & 8 == 0 { quarters } else { -quarters },
        };
        let possible = (1..=12).contains(&moment.month) && (1..=31).contains(&moment.day);
        (possible && moment.hour < 24 && moment.minute < 60 && moment.second < 60).then_some(moment)
    }

    pub(super) fn read(field: &'static str, r: &mut Reader<'_>) -> Result<Self, Malformed> {
        r.named(field).array().map(Self)
    }
}

impl From<Moment> for Timestamp {
    fn from(moment: Moment) -> Self {
        let swapped = |number: u8| ((number % 10) << 4) | (number / 10 % 10);
        let sign = if moment.quarters < 0 { 8 } else { 0 };
        let zone = swapped(moment.quarters.unsigned_abs()) | sign;
        let [year, month, day] = [moment.year, moment.month, moment.day].map(swapped);
        let [hour, minute, second] = [moment.hour, moment.minute, moment.second].map(swapped);
        Self([year, month, day, hour, minute, second, zone])
    }
}

/// As ISO 8601, in this century; the octets in hexadecimal if they are no time.
impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(Moment { year, month, day, hour, minute, second, quarters }) = self.moment() else {
            return self.0.iter().try_for_each(|octet| write!(f, "{octet:02x}"));
        };
        let (sign, ahead) = (if quarters < 0 { '-' } else { '+' }, quarters.unsigned_abs());
        write!(f, "20{year:02}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}")?;
        write!(f, "{sign}{:02}:{:02}", ahead / 4, ahead % 4 * 15)
    }
}

/// How long the service centre keeps trying.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Validity {
    /// As long as it likes.
    #[default]
    None,
    /// In steps that grow with the number: see [`minutes`](Self::minutes).
    Relative(u8),
    /// In the form that says how it is to be read first.
    Enhanced([u8; 7]),
    /// Until then.
    Absolute(Timestamp),
}

impl Validity {
    /// Minutes of a relative one. [9.2.3.12.1]
    pub const fn minutes(self) -> Option<u32> {
        match self {
            Self::Relative(steps @ 0..=143) => Some((steps as u32 + 1) * 5),
            Self::Relative(steps @ 144..=167) => Some(12 * 60 + (steps as u32 - 143) * 30),
            Self::Relative(steps @ 168..=196) => Some((steps as u32 - 166) * 24 * 60),
            Self::Relative(steps) => Some((steps as u32 - 192) * 7 * 24 * 60),
            _ => None,
        }
    }

    /// The bits of the first octet that say which one follows.
    pub(super) const fn format(self) -> u8 {
        match self {
            Self::None => 0x00,
            Self::Enhanced(_) => 0x08,
            Self::Relative(_) => 0x10,
            Self::Absolute(_) => 0x18,
        }
    }

    pub(super) fn read(first: u8, r: &mut Reader<'_>) -> Result<Self, Malformed> {
        Ok(match first & 0x18 {
            0x08 => Self::Enhanced(r.named("tp_vp").array()?),
            0x10 => Self::Relative(octet("tp_vp", r)?),
            0x18 => Self::Absolute(Timestamp::read("tp_vp", r)?),
            _ => Self::None,
        })
    }

    pub(super) fn write(self, out: &mut Vec<u8>) {
        match self {
            Self::None => {}
            Self::Relative(steps) => out.push(steps),
            Self::Enhanced(octets) | Self::Absolute(Timestamp(octets)) => out.extend(octets),
        }
    }
}

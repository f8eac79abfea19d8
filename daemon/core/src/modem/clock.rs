//! The time as the network tells it, for a machine whose own clock was never set: certificates have dates, and a router
//! without a battery begins in 1970. Asked once after registration, and only then. `[MS Voice Extensions, NITZ]`

use core::time::Duration;

use mbim_proto::service::ms_voice_extensions::Nitz;

use super::machine::Modem;
use crate::Time;
use crate::event::Event;

/// A field that the network does not know.
const UNKNOWN: u32 = u32::MAX;
/// Farthest zones from Greenwich, minutes.
const ZONE: i64 = 14 * 60;

/// What is known of the time.
#[derive(Debug, Default)]
pub(super) struct Clock {
    asked: bool,
    /// Time since 1970 in UTC, and when it was told.
    told: Option<(Duration, Time)>,
}

impl Clock {
    /// Time since 1970 by what the network said; `None` = it did not say.
    pub(super) fn now(&self, now: Time) -> Option<Duration> {
        self.told.map(|(at, when)| at + now.saturating_sub(when))
    }
}

impl Modem {
    pub(super) fn advance_clock(&mut self, now: Time) {
        if self.config.clock_unset
            && !self.facts.clock.asked
            && self.tables.registration.is_registered()
            && self.offers::<Nitz>()
        {
            self.facts.clock.asked = true;
            self.ask_time(now);
        }
    }

    pub(super) fn on_time(&mut self, now: Time, told: Option<&Nitz>) {
        let at = told.and_then(since_1970);
        if let Some(at) = at {
            self.facts.clock.told = Some((at, now));
        }
        self.emit(Event::info("network-time").with("outcome", if at.is_some() { "told" } else { "unknown" }));
    }
}

/// Time since 1970 in UTC; `None` where the day or the hour is missing or none. Without a zone the local time counts as
/// UTC: half a day is nothing to a certificate.
fn since_1970(told: &Nitz) -> Option<Duration> {
    let field = |value: u32, least: u32, most: u32| (least..=most).contains(&value).then_some(i64::from(value));
    let (year, month) = (field(told.year, 1970, 2200)?, field(told.month, 1, 12)?);
    let (day, hour) = (field(told.day, 1, 31)?, field(told.hour, 0, 23)?);
    let minute = field(told.minute, 0, 59)?;
    let second = field(told.second, 0, 60).unwrap_or(0);
    // Two's complement.
    let zone = i64::from(told.time_zone_offset_minutes.cast_signed());
    let zone = if told.time_zone_offset_minutes == UNKNOWN || zone.abs() > ZONE { 0 } else { zone };
    let seconds = ((days(year, month, day) * 24 + hour) * 60 + minute - zone) * 60 + second;
    u64::try_from(seconds).ok().map(Duration::from_secs)
}

/// Days since 1 January 1970 of a day of the Gregorian calendar, counted in years that begin with March.
fn days(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let (era, of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let of_year = (153 * (if month > 2 { month - 3 } else { month + 9 }) + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_calendar() {
        for (date, count) in [
            ((1970, 1, 1), 0),
            ((1972, 3, 1), 790),
            ((2000, 2, 29), 11_016),
            ((2026, 11, 21), 20_778),
            ((2100, 3, 1), 47_541),
        ] {
            assert_eq!(days(date.0, date.1, date.2), count, "{date:?}");
        }
    }

    #[test]
    fn zones_and_what_is_missing() {
        let told = |change: fn(&mut Nitz)| {
            let mut told = Nitz { year: 2026, month: 11, day: 21, hour: 8, minute: 9, second: 7, ..Nitz::default() };
            change(&mut told);
            since_1970(&told).map(|at| at.as_secs())
        };
        let utc = 20_778 * 86_400 + 8 * 3600 + 9 * 60 + 7;
        assert_eq!(told(|_| {}), Some(utc));
        assert_eq!(told(|t| t.time_zone_offset_minutes = 60), Some(utc - 3600));
        assert_eq!(told(|t| t.time_zone_offset_minutes = (-300_i32).cast_unsigned()), Some(utc + 5 * 3600));
        assert_eq!(told(|t| t.time_zone_offset_minutes = u32::MAX), Some(utc));
        assert_eq!(told(|t| t.time_zone_offset_minutes = 100_000), Some(utc), "no such zone");
        assert_eq!(told(|t| t.second = u32::MAX), Some(utc - 7));
        for change in [
            (|t| t.year = u32::MAX) as fn(&mut Nitz),
            |t| t.year = 26,
            |t| t.month = 13,
            |t| t.day = 0,
            |t| t.hour = u32::MAX,
            |t| t.minute = 60,
        ] {
            assert_eq!(told(change), None);
        }
    }
}

//! `xs:dateTime` as a point in time, and billing cycles along the calendar. No clock is read. [PROV 2, 12.11]

use core::fmt;

use serde::{Deserialize, Serialize};

/// A second of coordinated universal time; what a document writes without a zone is taken for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Moment(i64);

const DAY: i128 = 86_400;

impl Moment {
    /// So many seconds after 1970-01-01T00:00:00Z.
    #[must_use]
    pub const fn from_unix(seconds: i64) -> Self {
        Self(seconds)
    }

    /// Seconds after 1970-01-01T00:00:00Z.
    #[must_use]
    pub const fn unix(self) -> i64 {
        self.0
    }

    /// Reads an `xs:dateTime`: a year of four to nine digits, real months, days and times,
    /// `24:00:00` allowed, zone optional and at most 14 hours. Fractions of a second are dropped.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (before_christ, unsigned) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        let (date, time) = unsigned.split_once('T')?;
        let (year_month, day) = date.rsplit_once('-')?;
        let (year, month) = year_month.rsplit_once('-')?;
        if year.len() < 4 || year.len() > 9 || year.len() > 4 && year.starts_with('0') {
            return None;
        }
        let year = number(year, year.len())?;
        let month = number(month, 2)?;
        let day = number(day, 2)?;
        if year == 0 || !(1..=12).contains(&month) {
            return None;
        }
        // There is no year 0: the one before year 1 is -1.
        let year = if before_christ { 1 - year } else { year };
        if day == 0 || day > days_of(year, month) {
            return None;
        }
        let zone_at = time.find(['Z', '+', '-']).unwrap_or(time.len());
        let (clock, zone) = time.split_at(zone_at);
        let mut parts = clock.split(':');
        let hour = number(parts.next()?, 2)?;
        let minute = number(parts.next()?, 2)?;
        let seconds = parts.next()?;
        let (second, fraction) = seconds.split_once('.').unwrap_or((seconds, "0"));
        let second = number(second, 2)?;
        if parts.next().is_some() || fraction.is_empty() || !fraction.bytes().all(|b| b.is_ascii_digit()) {
            return None;
        }
        let midnight = hour == 24 && minute == 0 && second == 0 && fraction.bytes().all(|b| b == b'0');
        if !midnight && (hour > 23 || minute > 59 || second > 59) {
            return None;
        }
        let local = days_before(year, month, day) * DAY + hour * 3600 + minute * 60 + second;
        i64::try_from(local - zone_offset(zone)?).ok().map(Self)
    }

    /// The moment so many months and seconds later: first the months, the day cut to the length
    /// of its month, then the seconds.
    fn after(self, months: i128, seconds: i128) -> i128 {
        let (day, time) = (i128::from(self.0).div_euclid(DAY), i128::from(self.0).rem_euclid(DAY));
        let (year, month, day) = date_of(day);
        let months = year * 12 + (month - 1) + months;
        let (year, month) = (months.div_euclid(12), months.rem_euclid(12) + 1);
        days_before(year, month, day.min(days_of(year, month))) * DAY + time + seconds
    }
}

/// As `xs:dateTime` in universal time.
impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (day, time) = (i128::from(self.0).div_euclid(DAY), i128::from(self.0).rem_euclid(DAY));
        let (year, month, day) = date_of(day);
        let (sign, year) = if year < 1 { ("-", 1 - year) } else { ("", year) };
        let (hour, minute, second) = (time / 3600, time / 60 % 60, time % 60);
        write!(f, "{sign}{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
    }
}

/// Start of the cycle that a moment is in, and of the next one. Cycle n begins n lengths after
/// the start, counted from there each time, so that a month's end does not drift. None: the
/// moment is before the first one. [PROV 12.11]
pub(crate) fn cycle(start: Moment, months: u64, seconds: u64, now: Moment) -> (Option<Moment>, Option<Moment>) {
    let moment = |seconds: i128| i64::try_from(seconds).ok().map(Moment);
    // Far beyond all that a moment can be, and no further: nothing overflows.
    let times = |n: u64, length: u64| i128::from(n).saturating_mul(i128::from(length)).min(1 << 100);
    let nth = |n: u64| start.after(times(n, months), times(n, seconds));
    let has_begun = |n: u64| nth(n) <= i128::from(now.0);
    if !has_begun(0) {
        return (None, Some(start));
    }
    // The last that has begun: 0 has, `end` has not.
    let mut end = 1_u64;
    while has_begun(end) {
        if months == 0 && seconds == 0 || end > u64::MAX / 2 {
            return (moment(nth(end)), None);
        }
        end *= 2;
    }
    let mut begun = end / 2;
    while end - begun > 1 {
        let middle = begun + (end - begun) / 2;
        if has_begun(middle) {
            begun = middle;
        } else {
            end = middle;
        }
    }
    (moment(nth(begun)), moment(nth(end)))
}

const fn is_leap(year: i128) -> bool {
    year.rem_euclid(4) == 0 && (year.rem_euclid(100) != 0 || year.rem_euclid(400) == 0)
}

const fn days_of(year: i128, month: i128) -> i128 {
    match month {
        2 if is_leap(year) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days from 1970-01-01 to a date of the Gregorian calendar. Years begin in March here, so that
/// the leap day is the last of its year.
const fn days_before(year: i128, month: i128, day: i128) -> i128 {
    let year = if month <= 2 { year - 1 } else { year };
    let month = (month + 9) % 12;
    let (era, of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let of_year = (153 * month + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

/// The inverse.
const fn date_of(day: i128) -> (i128, i128, i128) {
    let day = day + 719_468;
    let (era, of_era) = (day.div_euclid(146_097), day.rem_euclid(146_097));
    let year = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    let year = year + era * 400;
    (if month <= 2 { year + 1 } else { year }, month, day)
}

/// Seconds that a zone is ahead.
fn zone_offset(zone: &str) -> Option<i128> {
    if zone.is_empty() || zone == "Z" {
        return Some(0);
    }
    let (sign, rest) = match zone.strip_prefix('+') {
        Some(rest) => (1, rest),
        None => (-1, zone.strip_prefix('-')?),
    };
    let (hour, minute) = rest.split_once(':')?;
    let (hour, minute) = (number(hour, 2)?, number(minute, 2)?);
    (minute < 60 && (hour < 14 || hour == 14 && minute == 0)).then_some(sign * (hour * 3600 + minute * 60))
}

/// Exactly `len` ASCII digits.
fn number(text: &str, len: usize) -> Option<i128> {
    (text.len() == len && text.bytes().all(|b| b.is_ascii_digit())).then(|| text.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn date_times() {
        for (text, seconds) in [
            ("1970-01-01T00:00:00Z", 0),
            ("1969-12-31T23:59:59Z", -1),
            ("2026-03-01T00:00:00", 1_772_323_200),
            ("2026-03-01T01:00:00+01:00", 1_772_323_200),
            ("2026-02-28T24:00:00", 1_772_323_200),
            ("2024-02-29T24:00:00", 1_709_251_200),
            ("2026-02-28T14:00:00.75-10:00", 1_772_323_200),
            ("-0001-12-31T24:00:00Z", -62_135_596_800),
            ("999999999-12-31T23:59:59Z", 31_556_889_832_780_799),
        ] {
            let moment = Moment::parse(text).unwrap();
            assert_eq!(moment.unix(), seconds, "{text}");
            assert_eq!(Moment::parse(&moment.to_string()), Some(moment), "{moment}");
        }
        for text in [
            "2026-02-29T00:00:00",
            "2026-03-01",
            "2026-3-1T00:00:00",
            "2026-03-01T24:00:01",
            "2026-03-01T00:00:60",
            "2026-03-01T00:00:00+14:01",
            "2026-03-01T00:00:00.Z",
            "0000-01-01T00:00:00",
            "2026-03-01T00:00",
            "2026-13-01T00:00:00",
            "2026-03-01T00:00:00:00",
            "1000000000-01-01T00:00:00",
            "T",
            "é",
        ] {
            assert_eq!(Moment::parse(text), None, "{text}");
        }
        assert!(Moment::parse("-0044-03-15T12:00:00").is_some());
    }

    /// PROV-152: the end of January does not pull later cycles down, and no length overflows.
    #[test]
    fn cycles_do_not_drift() {
        let at = |text: &str| Moment::parse(text).unwrap();
        let show = |(a, b): (Option<Moment>, Option<Moment>)| {
            [a, b].map(|moment| moment.map_or_else(|| "none".to_owned(), |moment| moment.to_string()))
        };
        let start = at("2024-01-31T00:00:00Z");
        for (now, current, next) in [
            ("2024-02-28T00:00:00Z", "2024-01-31T00:00:00Z", "2024-02-29T00:00:00Z"),
            ("2024-02-29T00:00:00Z", "2024-02-29T00:00:00Z", "2024-03-31T00:00:00Z"),
            ("2024-01-30T23:59:59Z", "none", "2024-01-31T00:00:00Z"),
            ("9999-12-31T00:00:00Z", "9999-12-31T00:00:00Z", "10000-01-31T00:00:00Z"),
        ] {
            assert_eq!(show(cycle(start, 1, 0, at(now))), [current, next], "{now}");
        }
        assert_eq!(show(cycle(start, u64::MAX, u64::MAX, start)), ["2024-01-31T00:00:00Z", "none"]);
        let far = Moment::from_unix(i64::MAX);
        assert_eq!(cycle(start, 0, 1, far), (Some(far), None));
        assert_eq!(cycle(start, 0, 0, far).1, None);
    }
}

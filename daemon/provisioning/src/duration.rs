//! `xs:duration` and `xs:dateTime`, checked, without a calendar. [PROV 2]

/// A duration as XML Schema has it: months and seconds are separate, because a month has no
/// fixed length.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct XsDuration {
    pub(crate) negative: bool,
    /// Years and months.
    pub(crate) months: u64,
    /// Days, hours, minutes, seconds.
    pub(crate) seconds: u64,
    pub(crate) nanos: u32,
}

impl XsDuration {
    /// Reads `-?PnYnMnDTnHnMnS`: at least one component, each at most once and in order, `T` only
    /// with a time component, a fraction only on the seconds. None also where a component does
    /// not fit 64 bits.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (negative, rest) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        let rest = rest.strip_prefix('P')?;
        let (date, time) = match rest.split_once('T') {
            Some((date, time)) => (date, Some(time)),
            None => (rest, None),
        };
        if date.is_empty() && time.is_none() || time == Some("") {
            return None;
        }
        let mut months = 0_u64;
        let mut seconds = 0_u64;
        let mut nanos = 0_u32;
        let mut date = Components(date);
        for (unit, months_in, seconds_in) in [('Y', 12, 0), ('M', 1, 0), ('D', 0, 86_400)] {
            if let Some(n) = date.take(unit)? {
                months = months.checked_add(n.checked_mul(months_in)?)?;
                seconds = seconds.checked_add(n.checked_mul(seconds_in)?)?;
            }
        }
        let mut time = Components(time.unwrap_or(""));
        for (unit, seconds_in) in [('H', 3600), ('M', 60)] {
            if let Some(n) = time.take(unit)? {
                seconds = seconds.checked_add(n.checked_mul(seconds_in)?)?;
            }
        }
        if let Some((whole, fraction)) = time.take_seconds()? {
            seconds = seconds.checked_add(whole)?;
            nanos = fraction;
        }
        (date.0.is_empty() && time.0.is_empty()).then_some(Self { negative, months, seconds, nanos })
    }

    /// Whether it is nothing at all, whatever its sign.
    pub(crate) const fn is_zero(self) -> bool {
        self.months == 0 && self.seconds == 0 && self.nanos == 0
    }

    /// The fixed length, where there are no months and it is not negative.
    pub(crate) const fn fixed(self) -> Option<core::time::Duration> {
        if self.months != 0 || self.negative && !self.is_zero() {
            return None;
        }
        Some(core::time::Duration::new(self.seconds, self.nanos))
    }
}

/// What is left of one half of a duration.
struct Components<'a>(&'a str);

impl<'a> Components<'a> {
    /// Takes `<digits><unit>` if it stands next. None: digits that do not fit.
    fn take(&mut self, unit: char) -> Option<Option<u64>> {
        let digits = self.0.bytes().take_while(u8::is_ascii_digit).count();
        let (number, rest) = self.0.split_at(digits);
        match rest.strip_prefix(unit) {
            Some(rest) if digits > 0 => {
                self.0 = rest;
                number.parse().ok().map(Some)
            }
            _ => Some(None),
        }
    }

    /// Takes seconds with an optional fraction. Of digits beyond nanoseconds only whether there
    /// are any counts: they add one, so that no bound is met that the value exceeds.
    fn take_seconds(&mut self) -> Option<Option<(u64, u32)>> {
        let Some((whole, fraction)) = self.0.split_once('.') else {
            return Some(self.take('S')?.map(|n| (n, 0)));
        };
        let fraction = fraction.strip_suffix('S')?;
        if fraction.is_empty() || !fraction.bytes().all(|b| b.is_ascii_digit()) {
            return None;
        }
        if whole.is_empty() || !whole.bytes().all(|b| b.is_ascii_digit()) {
            return None;
        }
        let nanos =
            fraction.bytes().chain(core::iter::repeat(b'0')).take(9).fold(0_u32, |n, b| n * 10 + u32::from(b - b'0'));
        let beyond = fraction.bytes().skip(9).any(|b| b != b'0');
        let (carry, nanos) = match nanos + u32::from(beyond) {
            1_000_000_000 => (1, 0),
            nanos => (0, nanos),
        };
        self.0 = "";
        let whole: u64 = whole.parse().ok()?;
        Some(Some((whole.checked_add(carry)?, nanos)))
    }
}

/// Whether the text is an `xs:dateTime`: a year of four or more digits, real months, days and
/// times, `24:00:00` allowed, zone optional and at most 14 hours.
pub(crate) fn is_date_time(text: &str) -> bool {
    parse_date_time(text).is_some()
}

fn parse_date_time(text: &str) -> Option<()> {
    let unsigned = text.strip_prefix('-').unwrap_or(text);
    let (date, time) = unsigned.split_once('T')?;
    let (year_month, day) = date.rsplit_once('-')?;
    let (year, month) = year_month.rsplit_once('-')?;
    if year.len() < 4 || year.len() > 9 || year.len() > 4 && year.starts_with('0') {
        return None;
    }
    let year: u64 = number(year, year.len())?;
    let month = number(month, 2)?;
    let day = number(day, 2)?;
    let leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    let days = match month {
        2 if leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => return None,
    };
    if year == 0 || day == 0 || day > days {
        return None;
    }
    let clock_len = time.find(['Z', '+', '-']).unwrap_or(time.len());
    let (clock, zone) = time.split_at(clock_len);
    let mut parts = clock.split(':');
    let hour = number(parts.next()?, 2)?;
    let minute = number(parts.next()?, 2)?;
    let seconds = parts.next()?;
    let (second, fraction) = seconds.split_once('.').unwrap_or((seconds, "0"));
    if fraction.is_empty() {
        return None;
    }
    let second = number(second, 2)?;
    if parts.next().is_some() || !fraction.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let zero_fraction = fraction.bytes().all(|b| b == b'0');
    let midnight = hour == 24 && minute == 0 && second == 0 && zero_fraction;
    if !midnight && (hour > 23 || minute > 59 || second > 59) {
        return None;
    }
    zone_ok(zone).then_some(())
}

fn zone_ok(zone: &str) -> bool {
    if zone.is_empty() || zone == "Z" {
        return true;
    }
    let Some((hour, minute)) = zone.strip_prefix(['+', '-']).and_then(|rest| rest.split_once(':')) else {
        return false;
    };
    match (number(hour, 2), number(minute, 2)) {
        (Some(hour), Some(minute)) => minute < 60 && (hour < 14 || hour == 14 && minute == 0),
        _ => false,
    }
}

/// Exactly `len` ASCII digits.
fn number(text: &str, len: usize) -> Option<u64> {
    (text.len() == len && text.bytes().all(|b| b.is_ascii_digit())).then(|| text.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use core::time::Duration;

    use super::*;

    fn fixed(text: &str) -> Option<Duration> {
        XsDuration::parse(text).and_then(XsDuration::fixed)
    }

    #[test]
    fn durations_of_section_4_1() {
        for text in ["PT60M", "PT3600S", "P0DT1H"] {
            assert_eq!(fixed(text), Some(Duration::from_secs(3600)), "{text}");
        }
        assert_eq!(fixed("PT59M59.999S"), Some(Duration::from_millis(3_599_999)));
        for text in ["P0Y", "PT0S", "P0D", "-PT0S"] {
            assert_eq!(fixed(text), Some(Duration::ZERO), "{text}");
        }
        for text in ["PT", "P", "PT1.5M", "1H", "PT1S1M", "P1H", "PT.5S", "PT1.S", "", "-", "P1DT"] {
            assert_eq!(XsDuration::parse(text), None, "{text}");
        }
        assert_eq!(fixed("PT3600.00000000001S"), Some(Duration::new(3600, 1)));
        assert_eq!(fixed("PT0.9999999999S"), Some(Duration::from_secs(1)));
        assert_eq!(fixed("PT0.50000000000S"), Some(Duration::from_millis(500)));
        assert_eq!(fixed("-PT1S"), None);
        assert_eq!(fixed("P1M"), None);
        assert_eq!(XsDuration::parse("P99999999999999999999D"), None);
        assert_eq!(XsDuration::parse("P9999999999999999999Y"), None);
    }

    #[test]
    fn date_times() {
        for text in [
            "2026-03-01T00:00:00Z",
            "2026-03-01T00:00:00",
            "2024-02-29T24:00:00",
            "2026-03-01T23:59:59.5+14:00",
            "-0044-03-15T12:00:00",
        ] {
            assert!(is_date_time(text), "{text}");
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
            "2026-03-01T00:00:00:00",
            "T",
            "é",
        ] {
            assert!(!is_date_time(text), "{text}");
        }
    }
}

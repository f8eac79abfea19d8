//! `xs:duration`, without a calendar. [PROV 2]

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
}

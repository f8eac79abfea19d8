//! Points in time as an operator writes them. [PROV 4.7, 12.10]

use crate::calendar::Moment;

/// What stands for the halves of a day; none = `AM` and `PM` in any letter case.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Halves {
    pub(super) am: Option<String>,
    pub(super) pm: Option<String>,
}

/// The parts that a text gives.
#[derive(Default)]
struct Parts {
    year: Option<i64>,
    month: i64,
    day: i64,
    hour: i64,
    twelve: Option<i64>,
    minute: i64,
    second: i64,
    afternoon: bool,
}

/// Reads a whole text by a format. Without a year it is the latest such date that is not after the day behind `received`.
/// `zone`: seconds that the network's time is ahead of universal time.
pub(super) fn parse(text: &str, format: &str, halves: &Halves, received: Moment, zone: i32) -> Option<Moment> {
    let parts = read(text, format, halves)?;
    let hour = match parts.twelve {
        Some(hour) => hour % 12 + if parts.afternoon { 12 } else { 0 },
        None => parts.hour,
    };
    let of_year = |year: i64| {
        let Parts { month, day, minute, second, .. } = &parts;
        let local = Moment::parse(&format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z"))?;
        Some(Moment::from_unix(local.unix() - i64::from(zone)))
    };
    if hour > 23 {
        return None;
    }
    if let Some(year) = parts.year {
        return of_year(year);
    }
    let latest = received.unix().saturating_add(86_400);
    let this: i64 = received.to_string().split('-').next()?.parse().ok()?;
    // 29 February may be eight years away; the day behind may be in the next year.
    (this - 8..=this + 1).rev().filter_map(of_year).find(|moment| moment.unix() <= latest)
}

fn read(text: &str, format: &str, halves: &Halves) -> Option<Parts> {
    let mut parts = Parts::default();
    let mut rest = text;
    let mut codes = format.chars();
    while let Some(c) = codes.next() {
        if c == ' ' {
            let trimmed = rest.trim_start();
            if trimmed.len() == rest.len() {
                return None;
            }
            rest = trimmed;
            continue;
        }
        if c != '%' {
            rest = rest.strip_prefix(c)?;
            continue;
        }
        let mut code = codes.next()?;
        let bare = code == '#';
        if bare {
            code = codes.next()?;
        }
        if code == 'p' {
            let (is_pm, after) = half(rest, halves)?;
            (parts.afternoon, rest) = (is_pm, after);
            continue;
        }
        let (value, after) = digits(rest, if code == 'Y' { 4 } else { 2 }, bare)?;
        rest = after;
        let within = |least: i64, most: i64| (least..=most).contains(&value).then_some(value);
        match code {
            'd' => parts.day = within(1, 31)?,
            'm' => parts.month = within(1, 12)?,
            'H' => parts.hour = within(0, 23)?,
            'I' => parts.twelve = Some(within(1, 12)?),
            'M' => parts.minute = within(0, 59)?,
            'S' => parts.second = within(0, 59)?,
            'y' => parts.year = Some(if value <= 68 { 2000 + value } else { 1900 + value }),
            'Y' => parts.year = Some(value),
            _ => return None,
        }
    }
    rest.is_empty().then_some(parts)
}

/// Exactly so many digits; or, without leading zeros, up to so many.
fn digits(text: &str, most: usize, bare: bool) -> Option<(i64, &str)> {
    let there = text.bytes().take(most).take_while(u8::is_ascii_digit).count();
    if there == 0 || !bare && there < most {
        return None;
    }
    let (digits, rest) = text.split_at_checked(there)?;
    Some((digits.parse().ok()?, rest))
}

fn half<'t>(text: &'t str, halves: &Halves) -> Option<(bool, &'t str)> {
    let strip = |token: &Option<String>, common: &str| match token {
        Some(token) => text.strip_prefix(token.as_str()),
        None => {
            let (head, rest) = text.split_at_checked(common.len())?;
            head.eq_ignore_ascii_case(common).then_some(rest)
        }
    };
    // Where one begins with the other the longer one is meant.
    let found = [(false, strip(&halves.am, "AM")), (true, strip(&halves.pm, "PM"))];
    let found = found.into_iter().filter_map(|(is_pm, rest)| Some((is_pm, rest?)));
    found.min_by_key(|(_, rest)| rest.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// PROV-096, PROV-097, PROV-098.
    #[test]
    fn times_by_their_format() {
        let received = Moment::parse("2026-03-08T10:00:00Z").unwrap();
        let own = Halves { am: Some("vorm.".into()), pm: Some("nachm.".into()) };
        let common = Halves::default();
        for (text, format, halves, want) in [
            ("07/03/2026 14:05", "%d/%m/%Y %H:%M", &common, "2026-03-07T14:05:00Z"),
            ("07/03/2026  \t14:05", "%d/%m/%Y %H:%M", &common, "2026-03-07T14:05:00Z"),
            ("7.3.26 4:05:09", "%#d.%#m.%y %#H:%M:%S", &common, "2026-03-07T04:05:09Z"),
            ("07.03.69", "%d.%m.%y", &common, "1969-03-07T00:00:00Z"),
            ("07.03.68", "%d.%m.%y", &common, "2068-03-07T00:00:00Z"),
            ("07.03.", "%d.%m.", &common, "2026-03-07T00:00:00Z"),
            ("08.03.", "%d.%m.", &common, "2026-03-08T00:00:00Z"),
            ("09.03. 09:59", "%d.%m. %H:%M", &common, "2026-03-09T09:59:00Z"),
            ("09.03. 10:01", "%d.%m. %H:%M", &common, "2025-03-09T10:01:00Z"),
            ("28.12.", "%d.%m.", &common, "2025-12-28T00:00:00Z"),
            ("29.02.", "%d.%m.", &common, "2024-02-29T00:00:00Z"),
            ("07/03 12:10 am", "%d/%m %I:%M %p", &common, "2026-03-07T00:10:00Z"),
            ("07/03 12:10PM", "%d/%m %I:%M%p", &common, "2026-03-07T12:10:00Z"),
            ("07/03 nachm. 01", "%d/%m %p %I", &own, "2026-03-07T13:00:00Z"),
        ] {
            let found = parse(text, format, halves, received, 0).map(|moment| moment.to_string());
            assert_eq!(found.as_deref(), Some(want), "{text} by {format}");
        }
        for (text, format) in [
            ("31/02/2026", "%d/%m/%Y"),
            ("7/03/2026", "%d/%m/%Y"),
            ("07/03/2026 ", "%d/%m/%Y"),
            ("07/03/2026", "%d/%m/%Y %H"),
            ("07-03-2026", "%d/%m/%Y"),
            ("07/03/2026 24", "%d/%m/%Y %H"),
            ("07/03 13 PM", "%d/%m %I %p"),
            ("07/03 01 xx", "%d/%m %I %p"),
            ("31.04.", "%d.%m."),
            ("00.04.", "%d.%m."),
            ("ä7.04.", "%d.%m."),
            ("07/03/0000", "%d/%m/%Y"),
        ] {
            assert_eq!(parse(text, format, &common, received, 0), None, "{text} by {format}");
        }
        assert_eq!(parse("07/03 nachm. 01", "%d/%m %p %I", &common, received, 0), None);
        let ahead = parse("07/03/2026 01:00", "%d/%m/%Y %H:%M", &common, received, 3600).unwrap();
        assert_eq!(ahead.to_string(), "2026-03-07T00:00:00Z");
    }
}

//! Ranges of numbers as the fewest prefixes.

use core::fmt;

use super::{Hwid, SHORTEST_ICCID, SHORTEST_IMSI};

/// Which number a range is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// IMSI.
    Imsi,
    /// ICCID.
    Iccid,
}

impl Kind {
    fn shortest(self) -> usize {
        match self {
            Self::Imsi => SHORTEST_IMSI,
            Self::Iccid => SHORTEST_ICCID,
        }
    }

    fn places(self) -> core::ops::RangeInclusive<usize> {
        match self {
            Self::Imsi => 7..=15,
            Self::Iccid => 19..=20,
        }
    }
}

/// Why a range was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RangeProblem {
    /// An end is not of digits only.
    Digits,
    /// The ends differ in length, or have a length that the number can not have.
    Length,
    /// The start does not end in 00.
    Start,
    /// The end does not end in 99.
    End,
    /// The start comes after the end.
    Order,
}

impl fmt::Display for RangeProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Digits => "the ends of a range are digits",
            Self::Length => "the ends of a range have one and the same length",
            Self::Start => "the start of a range ends in 00",
            Self::End => "the end of a range ends in 99",
            Self::Order => "the start of a range is not after its end",
        })
    }
}

impl core::error::Error for RangeProblem {}

/// The fewest prefixes that cover a range of blocks of a hundred, in rising order. `[OPER 2.2]`
///
/// No prefix is shorter than the shortest of a device set; a shorter one is written as its parts.
///
/// # Errors
///
/// When the ends are not digits of one length, not at block ends, or in wrong order.
pub fn range(kind: Kind, from: &str, to: &str) -> Result<Vec<String>, RangeProblem> {
    if !from.bytes().chain(to.bytes()).all(|byte| byte.is_ascii_digit()) {
        return Err(RangeProblem::Digits);
    }
    if from.len() != to.len() || !kind.places().contains(&from.len()) {
        return Err(RangeProblem::Length);
    }
    let Some(from) = from.strip_suffix("00") else { return Err(RangeProblem::Start) };
    let Some(to) = to.strip_suffix("99") else { return Err(RangeProblem::End) };
    let places = from.len();
    let (Ok(mut low), Ok(high)) = (from.parse::<u64>(), to.parse::<u64>()) else { return Err(RangeProblem::Digits) };
    if low > high {
        return Err(RangeProblem::Order);
    }
    let mut prefixes = Vec::new();
    loop {
        // The largest block that starts here, ends in time and leaves a prefix long enough.
        let (mut dropped, mut size) = (0, 1_u64);
        while places - dropped > kind.shortest() && low % (size * 10) == 0 && high - low >= size * 10 - 1 {
            dropped += 1;
            size *= 10;
        }
        prefixes.push(format!("{:0width$}", low / size, width = places - dropped));
        match low.checked_add(size) {
            Some(next) if next <= high => low = next,
            _ => return Ok(prefixes),
        }
    }
}

/// The hardware ids of a range.
///
/// # Errors
///
/// As [`range`].
pub fn range_hwids(kind: Kind, from: &str, to: &str) -> Result<Vec<Hwid>, RangeProblem> {
    Ok(range(kind, from, to)?.iter().map(|prefix| Hwid::of_prefix(kind, prefix)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn short_prefixes_are_written_as_parts() {
        let cover = range(Kind::Imsi, "262000000000000", "262999999999999").unwrap();
        assert_eq!(cover.len(), 100);
        assert_eq!((cover[0].as_str(), cover[99].as_str()), ("26200", "26299"));
        assert_eq!(range(Kind::Iccid, "8900000000000000000", "8999999999999999999").unwrap().len(), 100);
        assert_eq!(range(Kind::Iccid, "00000000000000000000", "99999999999999999999").unwrap().len(), 10_000);
    }

    #[test]
    fn ends_are_checked() {
        let of = |from, to| range(Kind::Imsi, from, to).unwrap_err();
        assert_eq!(of("00101500000000a", "001015999999999"), RangeProblem::Digits);
        assert_eq!(of("00101500000000", "001015999999999"), RangeProblem::Length);
        assert_eq!(of("", ""), RangeProblem::Length);
        assert_eq!(of("001015000000050", "001015999999999"), RangeProblem::Start);
        assert_eq!(of("001015000000000", "001015999999998"), RangeProblem::End);
        assert_eq!(of("001015999999900", "001015000000099"), RangeProblem::Order);
    }

    /// Fewest prefixes by counting: the best cover of `[low, high]` inside the block of `size` that starts at `base`.
    fn fewest(base: u64, size: u64, longest: u64, low: u64, high: u64) -> usize {
        let last = base + size - 1;
        if last < low || base > high {
            0
        } else if low <= base && last <= high && size <= longest {
            1
        } else {
            (0..10).map(|part| fewest(base + part * (size / 10), size / 10, longest, low, high)).sum()
        }
    }

    proptest! {
        /// Every prefix lies inside, they join without gap, and no cover has fewer.
        #[test]
        fn the_cover_is_exact_and_minimal(a in 0_u64..10_000_000, b in 0_u64..10_000_000) {
            let (low, high) = (a.min(b), a.max(b));
            let cover = range(Kind::Imsi, &format!("{low:07}00"), &format!("{high:07}99")).unwrap();
            let mut next = low;
            for prefix in &cover {
                let size = 10_u64.pow(7 - prefix.len() as u32);
                prop_assert!(prefix.len() >= 5);
                prop_assert_eq!(prefix.parse::<u64>().unwrap() * size, next);
                next += size;
            }
            prop_assert_eq!(next, high + 1);
            prop_assert_eq!(cover.len(), fewest(0, 10_000_000, 100, low, high));
        }
    }
}

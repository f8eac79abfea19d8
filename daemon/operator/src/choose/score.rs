//! How well a record's selectors and names fit a SIM. `[OPER 3.3, 3.5]`

use core::cmp::Ordering;

use crate::database::Database;
use crate::database::record::{Record, Select, Text};
use crate::hwid::{Criterion, Entry, device_set};
use crate::identity::Identity;
use crate::names;

/// Places of an ICCID that ranges compare, and the number space in which narrowness is measured.
const ICCID_PLACES: usize = 17;

/// The whole number space, in units of one ICCID block.
const WHOLE: u64 = 10_u64.pow(ICCID_PLACES as u32);

/// What is compared, in this order: more targets, more weight, narrower range.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Score {
    pub(crate) targets: u32,
    pub(crate) weight: u32,
    /// Share of the number space that the narrowest range covers, of [`WHOLE`].
    pub(crate) share: u64,
}

impl Score {
    pub(crate) const NOTHING: Self = Self { targets: 0, weight: 0, share: WHOLE };

    fn hit(&mut self, weight: u32) {
        self.targets += 1;
        self.weight += weight;
    }

    fn narrow(&mut self, share: u64) {
        self.share = self.share.min(share);
    }

    /// Better scores first.
    pub(crate) fn order(&self, other: &Self) -> Ordering {
        (other.targets, other.weight).cmp(&(self.targets, self.weight)).then(self.share.cmp(&other.share))
    }
}

/// Why a record stands in the pool.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Basis {
    /// A select element holds.
    Selector,
    /// A plain record one of whose names equals the SPN.
    Spn,
    /// A plain record one of whose names equals the provider's name.
    ProviderName,
    /// A plain record that lists the code, no more.
    Code,
}

/// What the SIM has to be compared with selectors, made once.
pub(crate) struct Targets<'a> {
    imsi: Option<&'a str>,
    iccid: Option<&'a str>,
    gid1: Option<&'a str>,
    gid2: Option<&'a str>,
    spn: Option<String>,
    pnn: Option<String>,
    provider_name: Option<String>,
    device_set: Vec<Entry>,
}

impl<'a> Targets<'a> {
    pub(crate) fn of(identity: &'a Identity, with_device_set: bool) -> Self {
        let folded = |name: &Option<String>| name.as_deref().map(names::fold).filter(|folded| !folded.is_empty());
        Self {
            imsi: identity.imsi.as_ref().map(|imsi| imsi.reveal()),
            iccid: identity.iccid.as_ref().and_then(|iccid| iccid.for_matching()),
            gid1: identity.gid1.as_ref().map(|gid| gid.as_str()),
            gid2: identity.gid2.as_ref().map(|gid| gid.as_str()),
            spn: folded(&identity.spn),
            pnn: folded(&identity.pnn),
            provider_name: folded(&identity.provider_name),
            device_set: if with_device_set { device_set(identity) } else { Vec::new() },
        }
    }

    /// Whether the SIM has a service provider name, and a provider's name, to compare.
    pub(crate) fn has_names(&self) -> (bool, bool) {
        (self.spn.is_some(), self.provider_name.is_some())
    }

    /// The record's score, and the select element that gave it; `None` when it has selectors and none holds.
    pub(crate) fn score<'d>(
        &self,
        database: &'d Database,
        record: &Record,
    ) -> Option<(Score, Basis, Option<&'d Select>)> {
        let selects = database.selects(record);
        if selects.is_empty() {
            let (score, basis) = self.score_names(database, record);
            return Some((score, basis, None));
        }
        let holding = selects.iter().filter_map(|select| Some((self.score_select(database, select)?, select)));
        let (best, select) = holding.min_by(|(one, _), (other, _)| one.order(other))?;
        Some((best, Basis::Selector, Some(select)))
    }

    fn score_names(&self, database: &Database, record: &Record) -> (Score, Basis) {
        let mut score = Score::NOTHING;
        let mut basis = Basis::Code;
        if self.spn.is_none() && self.provider_name.is_none() {
            return (score, basis);
        }
        let folded: Vec<String> = database.names(record).flat_map(names::aliases).map(names::fold).collect();
        if self.provider_name.as_ref().is_some_and(|name| folded.contains(name)) {
            score.hit(1);
            basis = Basis::ProviderName;
        }
        if self.spn.as_ref().is_some_and(|spn| folded.contains(spn)) {
            score.hit(4);
            basis = Basis::Spn;
        }
        (score, basis)
    }

    /// The score of one select element; `None` when an attribute does not hold, is not understood, or there is none.
    fn score_select(&self, database: &Database, select: &Select) -> Option<Score> {
        let text = |text: Option<Text>| text.map(|text| database.text(text));
        let mut score = Score::NOTHING;
        if select.unknown {
            return None;
        }
        let range = pair(text(select.iccid_from), text(select.iccid_to))?;
        if let Some(share) = number(self.iccid, range, text(select.iccid_prefix), iccid_range)? {
            score.hit(64);
            score.narrow(share);
        }
        let range = pair(text(select.imsi_from), text(select.imsi_to))?;
        if let Some(share) = number(self.imsi, range, text(select.imsi_prefix), imsi_range)? {
            score.hit(32);
            score.narrow(share);
        }
        for (wanted, have, weight) in [(select.gid1, self.gid1, 16), (select.gid2, self.gid2, 8)] {
            if let Some(wanted) = text(wanted) {
                let head = have?.get(..wanted.len())?;
                (!wanted.is_empty() && head.eq_ignore_ascii_case(wanted)).then_some(())?;
                score.hit(weight);
            }
        }
        for (wanted, have, weight) in
            [(select.spn, &self.spn, 4), (select.pnn, &self.pnn, 2), (select.provider_name, &self.provider_name, 1)]
        {
            if let Some(wanted) = text(wanted) {
                (*have.as_ref()? == names::fold(wanted)).then_some(())?;
                score.hit(weight);
            }
        }
        if let Some(wanted) = text(select.hwid) {
            let entry = self.device_set.iter().find(|entry| entry.hwid.as_str() == wanted)?;
            match entry.criterion {
                Criterion::Iccid | Criterion::Imsi => {
                    score.hit(if entry.criterion == Criterion::Iccid { 64 } else { 32 });
                    score.narrow(prefix_share(entry.hwid.places()));
                }
                _ => score.hit(1),
            }
        }
        (score.targets > 0).then_some(score)
    }
}

/// Both ends of a range, or none; half a range holds for nothing.
fn pair<'a>(from: Option<&'a str>, to: Option<&'a str>) -> Option<Option<(&'a str, &'a str)>> {
    match (from, to) {
        (None, None) => Some(None),
        (Some(from), Some(to)) => Some(Some((from, to))),
        _ => None,
    }
}

/// Range and prefix of one number: the share they cover, or that neither is asked for; `None` when one does not hold.
fn number(
    have: Option<&str>,
    range: Option<(&str, &str)>,
    prefix: Option<&str>,
    share_in_range: impl Fn(&str, &str, &str) -> Option<u64>,
) -> Option<Option<u64>> {
    if range.is_none() && prefix.is_none() {
        return Some(None);
    }
    let have = have?;
    let mut share = WHOLE;
    if let Some((from, to)) = range {
        share = share.min(share_in_range(have, from, to)?);
    }
    if let Some(prefix) = prefix {
        let head = have.get(..prefix.len())?;
        (!prefix.is_empty() && head.eq_ignore_ascii_case(prefix)).then_some(())?;
        share = share.min(prefix_share(prefix.len()));
    }
    Some(Some(share))
}

fn prefix_share(places: usize) -> u64 {
    u32::try_from(places).ok().and_then(|places| WHOLE.checked_div(10_u64.checked_pow(places)?)).unwrap_or(0).max(1)
}

/// Ends of an IMSI range are digits in blocks of a hundred, as many as the IMSI has.
fn imsi_range(have: &str, from: &str, to: &str) -> Option<u64> {
    let usable = from.len() == have.len()
        && to.len() == have.len()
        && from.ends_with("00")
        && to.ends_with("99")
        && from.bytes().chain(to.bytes()).all(|byte| byte.is_ascii_digit());
    if !usable || have < from || have > to {
        return None;
    }
    let (from, to) = (from.parse::<u64>().ok()?, to.parse::<u64>().ok()?);
    let unit = 10_u64.checked_pow(u32::try_from(ICCID_PLACES.checked_sub(have.len())?).ok()?)?;
    (to - from + 1).checked_mul(unit)
}

/// Ends of an ICCID range count by their first 17 places, of which those after the sixth may be hexadecimal.
fn iccid_range(have: &str, from: &str, to: &str) -> Option<u64> {
    let (have, from, to) = (have.get(..ICCID_PLACES)?, from.get(..ICCID_PLACES)?, to.get(..ICCID_PLACES)?);
    let (from, to) = (from.to_ascii_uppercase(), to.to_ascii_uppercase());
    let usable = from.bytes().chain(to.bytes()).all(|byte| byte.is_ascii_hexdigit());
    if !usable || have < from.as_str() || have > to.as_str() {
        return None;
    }
    // A hexadecimal place counts as if it were decimal: the share only orders records.
    let value = |places: &str| {
        places.chars().fold(0_u64, |value, place| value * 10 + u64::from(place.to_digit(16).unwrap_or(0)))
    };
    Some((value(&to).saturating_sub(value(&from)) + 1).min(WHOLE))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_of_ranges_and_prefixes_agree() {
        assert_eq!(imsi_range("001015512345678", "001015000000000", "001015999999999"), Some(prefix_share(6)));
        assert_eq!(imsi_range("00101551234567", "00101500000000", "00101599999999"), Some(prefix_share(6)));
        let of = |have, from, to| iccid_range(have, from, to);
        let whole = of("89492222530471819840", "8949222200000000000", "8949222299999999999");
        assert_eq!(whole, Some(prefix_share(8)));
        assert_eq!(prefix_share(0), WHOLE);
        assert_eq!(prefix_share(30), 1);
    }

    #[test]
    fn malformed_ranges_hold_for_nothing() {
        let of = |from, to| imsi_range("001015512345678", from, to);
        assert_eq!(of("001015000000001", "001015999999999"), None);
        assert_eq!(of("001015000000000", "001015999999998"), None);
        assert_eq!(of("00101500000000", "00101599999999"), None);
        assert_eq!(of("00101A000000000", "001015999999999"), None);
        assert_eq!(iccid_range("8949222253047181984", "89492222", "89492299"), None);
        assert_eq!(pair(Some("1"), None), None);
    }

    #[test]
    fn hexadecimal_cards_lie_in_ranges_of_their_own() {
        let of = |have| iccid_range(have, "898600A0000000000", "898600afffffffffF");
        assert!(of("898600A1234567890123").is_some());
        assert!(of("898600B1234567890123").is_none());
    }
}

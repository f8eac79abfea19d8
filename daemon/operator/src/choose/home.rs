//! The home network's code, from the SIM alone. `[OPER 1.3, 1.4]`

use crate::identity::{Identity, MncLength, Plmn, by_country, by_exception};
use crate::layers::Layers;
use crate::profile::named;

named! { MncSource {
    /// The card's file EF_AD.
    EfAd = "efad",
    /// The home provider's code that the modem reports.
    HomeProvider = "home-provider",
    /// The table of countries and exceptions.
    Table = "mcc-table",
    /// There is no IMSI.
    None = "none",
}, /// What decided how many digits the network code has. `[OPER 1.3]`
}

/// The home network.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Home {
    /// Code of the IMSI.
    pub(crate) of_imsi: Option<Plmn>,
    /// Code to search with: that of the IMSI, or the first equivalent home that is known.
    pub(crate) key: Option<Plmn>,
    pub(crate) source: MncSource,
    pub(crate) via_ehplmn: bool,
}

impl Home {
    pub(crate) fn of(identity: &Identity, layers: &Layers) -> Self {
        let Some(imsi) = identity.imsi.as_ref().map(|imsi| imsi.reveal()) else {
            return Self { of_imsi: None, key: None, source: MncSource::None, via_ehplmn: false };
        };
        let (code, source) = code_of_imsi(imsi, identity.mnc_length, identity.provider_id, |code| layers.knows(code));
        let equivalent = match code {
            Some(code) if layers.knows(code) => None,
            _ => identity.ehplmn.iter().copied().find(|code| layers.knows(*code)),
        };
        Self { of_imsi: code, key: equivalent.or(code), source, via_ehplmn: equivalent.is_some() }
    }
}

fn code_of_imsi(
    imsi: &str,
    by_card: Option<MncLength>,
    home_provider: Option<Plmn>,
    known: impl Fn(Plmn) -> bool,
) -> (Option<Plmn>, MncSource) {
    let by_card = by_card.and_then(|length| Plmn::of_imsi(imsi, length));
    let by_provider = home_provider.filter(|code| imsi.starts_with(code.as_str()));
    let tables = [by_exception(imsi, &known), by_country(imsi)];
    let by_table = tables.into_iter().flatten().next();
    let (code, source) = by_card
        .map(|code| (code, MncSource::EfAd))
        .or(by_provider.map(|code| (code, MncSource::HomeProvider)))
        .or(by_table.map(|code| (code, MncSource::Table)))
        .map_or((None, MncSource::Table), |(code, source)| (Some(code), source));
    if code.is_some_and(&known) {
        return (code, source);
    }
    // Cards lie about the length: what the tables say is taken when that, and only that, is known.
    match tables.into_iter().flatten().find(|code| known(*code)) {
        Some(code) => (Some(code), MncSource::Table),
        None => (code, source),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(imsi: &str, by_card: Option<u8>, provider: &str, known: &[&str], expected: (&str, MncSource)) {
        let by_card = by_card.and_then(MncLength::from_number);
        let (code, source) = code_of_imsi(imsi, by_card, Plmn::parse(provider), |code| known.contains(&code.as_str()));
        assert_eq!((code.unwrap().as_str(), source), expected);
    }

    #[test]
    fn first_answer_wins_when_known() {
        check("262021234567890", Some(2), "", &["26202"], ("26202", MncSource::EfAd));
        check("262021234567890", None, "262021", &["262021"], ("262021", MncSource::HomeProvider));
        check("262021234567890", None, "26203", &["26202"], ("26202", MncSource::Table));
        check("310260123456789", None, "", &["310260"], ("310260", MncSource::Table));
        check("714020123456789", None, "", &["714020"], ("714020", MncSource::Table));
    }

    #[test]
    fn unknown_answer_falls_back_to_a_known_one() {
        check("262021234567890", Some(3), "", &["26202"], ("26202", MncSource::Table));
        check("714020123456789", None, "", &["71402"], ("71402", MncSource::Table));
        check("405805123456789", None, "", &["405805", "40580"], ("405805", MncSource::Table));
        check("405805123456789", None, "", &["40580"], ("40580", MncSource::Table));
        check("262021234567890", Some(3), "", &[], ("262021", MncSource::EfAd));
    }
}

//! Access points to try, in order. `[OPER 3.6]`

use core::fmt;
use core::net::IpAddr;
use std::collections::BTreeSet;

use crate::choose::{OperatorKey, Why};
use crate::database::Database;
use crate::database::record::{Apn, Record, Settings, Usage};
use crate::layers::Layer;
use crate::profile::{Auth, IpType, Password, PlanHint, Profile, Purposes, RoamingMode, RoamingState};

/// Name parts that show that an access point is not for ordinary data, whatever its `usage` says.
const SPECIAL_PARTS: [&str; 8] = ["ims", "vzwims", "mms", "xcap", "sos", "emergency", "admin", "supl"];

/// An access point to try.
#[derive(Clone, PartialEq, Eq)]
pub struct Candidate {
    /// Access point name; empty = the network decides.
    pub apn: String,
    /// User; empty = none.
    pub user: String,
    /// Password; empty = none.
    pub password: Password,
    /// Method as recorded; `None` = not said. See [`Self::start_auth`].
    pub auth: Option<Auth>,
    /// Address families at home as recorded; `None` = not said. See [`Self::ip_type`].
    pub ip_home: Option<IpType>,
    /// Address families abroad as recorded; `None` = as at home.
    pub ip_roaming: Option<IpType>,
    /// Where it may be used; `None` = anywhere.
    pub roaming: Option<RoamingMode>,
    /// What it is for.
    pub purposes: Purposes,
    /// Which subscriptions it is for; [`PlanHint::Unknown`] = any.
    pub plan: PlanHint,
    /// Order of automatic connection, from 1.
    pub order: Option<u32>,
    /// Layer that brought it.
    pub source: Layer,
    /// Why it stands in the list.
    pub criterion: Why,
    /// Whether it comes from the chosen record, or from a profile.
    pub of_chosen: bool,
    /// Its record.
    pub operator: Option<OperatorKey>,
    /// Name servers, for a network that gives none. `[OPER-045]`
    pub dns: Vec<IpAddr>,
    /// Multimedia message centre.
    pub mmsc: Option<String>,
    /// Proxy to the multimedia message centre.
    pub mms_proxy: Option<String>,
}

impl Candidate {
    /// The network's default: no name. `[OPER 3.4, layer 6]`
    pub(crate) fn network_default() -> Self {
        Self {
            apn: String::new(),
            user: String::new(),
            password: Password::default(),
            auth: None,
            ip_home: None,
            ip_roaming: None,
            roaming: None,
            purposes: Purposes::INTERNET,
            plan: PlanHint::Unknown,
            order: None,
            source: Layer::NetworkDefault,
            criterion: Why::NetworkDefault,
            of_chosen: false,
            operator: None,
            dns: Vec::new(),
            mmsc: None,
            mms_proxy: None,
        }
    }

    /// What a profile asks for, of the layer that it names.
    pub fn of_profile(profile: &Profile) -> Self {
        let purposes = if profile.purposes.is_empty() { Purposes::INTERNET } else { profile.purposes };
        Self {
            apn: profile.apn.trim().to_owned(),
            user: profile.user.clone(),
            password: profile.password.clone(),
            auth: profile.auth,
            ip_home: profile.ip_type,
            purposes,
            source: profile.layer,
            criterion: Why::of_profile(profile, purposes),
            of_chosen: true,
            ..Self::network_default()
        }
    }

    /// By what a candidate is remembered as good: name and user, without the password.
    pub fn key(&self) -> String {
        format!("{}/{}", self.apn.to_lowercase(), self.user)
    }

    /// Whether it has user or password.
    pub fn has_credentials(&self) -> bool {
        !self.user.is_empty() || !self.password.is_empty()
    }

    /// Method to start with: the recorded one; else a challenge when there are credentials, none when not. `[OPER 3.7]`
    pub fn start_auth(&self) -> Auth {
        match self.auth {
            Some(method) => method,
            None if self.has_credentials() => Auth::Chap,
            None => Auth::None,
        }
    }

    /// Address families to ask for first; both when nothing is recorded. `[OPER 4.8]`
    pub fn ip_type(&self, roaming: bool) -> IpType {
        let abroad = self.ip_roaming.filter(|_| roaming);
        abroad.or(self.ip_home).unwrap_or(IpType::V4v6)
    }

    /// Whether it may be used where the modem is registered.
    pub fn allowed(&self, state: RoamingState) -> bool {
        self.roaming.is_none_or(|mode| mode.allows(state))
    }
}

impl fmt::Debug for Candidate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Candidate")
            .field("apn", &self.apn)
            .field("user", &if self.user.is_empty() { "" } else { "###" })
            .field("password", &self.password)
            .field("auth", &self.auth)
            .field("ip_home", &self.ip_home)
            .field("ip_roaming", &self.ip_roaming)
            .field("purposes", &self.purposes)
            .field("source", &self.source)
            .field("criterion", &self.criterion)
            .field("operator", &self.operator)
            .finish_non_exhaustive()
    }
}

/// The access points of one record, sorted: those for ordinary data, and those with other purposes. One may be in both.
pub(crate) struct OfRecord {
    pub(crate) internet: Vec<Candidate>,
    pub(crate) special: Vec<Candidate>,
}

pub(crate) struct Origin<'a> {
    pub(crate) layer: Layer,
    pub(crate) criterion: Why,
    pub(crate) of_chosen: bool,
    pub(crate) operator: &'a OperatorKey,
}

pub(crate) fn of_record(database: &Database, record: &Record, plan: PlanHint, origin: &Origin<'_>) -> OfRecord {
    let candidate = |number, apn: &Apn, rank| {
        let settings = &apn.settings;
        let detail = database.detail(number);
        let text = |text| Some(database.text(text)).filter(|text| !text.is_empty()).map(str::to_owned);
        Candidate {
            apn: database.text(apn.value).to_owned(),
            user: database.text(apn.user).to_owned(),
            password: Password::new(database.text(apn.password)),
            auth: settings.auth,
            ip_home: settings.ip_home,
            ip_roaming: settings.ip_roaming,
            roaming: settings.roaming,
            purposes: purposes(settings, rank),
            plan: plan_of(settings),
            order: (settings.order > 0).then_some(settings.order),
            source: origin.layer,
            criterion: origin.criterion,
            of_chosen: origin.of_chosen,
            operator: Some(origin.operator.clone()),
            dns: detail.map_or_else(Vec::new, |detail| detail.dns.to_vec()),
            mmsc: detail.and_then(|detail| text(detail.mmsc)),
            mms_proxy: detail.and_then(|detail| text(detail.mms_proxy)),
        }
    };
    let mut internet = Vec::new();
    let mut special = Vec::new();
    for (number, apn) in database.apns(record) {
        let settings = &apn.settings;
        let order = if settings.order > 0 { settings.order } else { u32::MAX };
        let rank = internet_rank(settings).filter(|_| !database.text(apn.value).is_empty());
        let made = candidate(number, apn, rank);
        if !special_part(made.purposes).is_empty() {
            special.push(((order, number), made.clone()));
        }
        if let Some(rank) = rank {
            let demoted = settings.purposes.is_none() && is_special_name(&made.apn);
            internet.push(((order, demoted, misses_plan(settings, plan), rank, number), made));
        }
    }
    OfRecord { internet: sorted(internet), special: sorted(special) }
}

/// The one candidate of a CDMA record: its credentials, for the network's default.
pub(crate) fn of_cdma(database: &Database, record: &Record, origin: &Origin<'_>) -> Option<Candidate> {
    let (user, password) = record.cdma?;
    let candidate = Candidate {
        user: database.text(user).to_owned(),
        password: Password::new(database.text(password)),
        source: origin.layer,
        criterion: origin.criterion,
        of_chosen: origin.of_chosen,
        operator: Some(origin.operator.clone()),
        ..Candidate::network_default()
    };
    candidate.has_credentials().then_some(candidate)
}

/// Whether a record leaves any candidate for ordinary data.
pub(crate) fn any_internet(database: &Database, record: &Record) -> bool {
    database.apns(record).any(|(_, apn)| internet_rank(&apn.settings).is_some() && !database.text(apn.value).is_empty())
}

/// Drops later candidates that are the same as an earlier one: name without case, user, password, method.
pub(crate) fn without_duplicates(list: Vec<Candidate>) -> Vec<Candidate> {
    let mut seen = BTreeSet::new();
    let mut kept = list;
    kept.retain(|candidate| {
        let Candidate { apn, user, password, auth, .. } = candidate;
        seen.insert((apn.to_lowercase(), user.clone(), password.reveal().to_owned(), *auth))
    });
    kept
}

fn sorted<K: Ord>(mut list: Vec<(K, Candidate)>) -> Vec<Candidate> {
    list.sort_by(|(one, _), (other, _)| one.cmp(other));
    list.into_iter().map(|(_, candidate)| candidate).collect()
}

/// Rank among candidates for ordinary data; `None` when it is none.
fn internet_rank(settings: &Settings) -> Option<u8> {
    match (settings.purposes, settings.usage) {
        (Some(purposes), _) => purposes.contains(Purposes::INTERNET).then_some(0),
        (None, Usage::Internet) => Some(0),
        (None, Usage::InternetAndMms) => Some(1),
        (None, Usage::Unsaid) => Some(2),
        (None, Usage::Wap) => Some(3),
        (None, Usage::Mms | Usage::Other) => None,
    }
}

fn purposes(settings: &Settings, rank: Option<u8>) -> Purposes {
    let said = match (settings.purposes, settings.usage) {
        (Some(purposes), _) => purposes,
        (None, Usage::Mms) => Purposes::MMS,
        (None, Usage::InternetAndMms) => Purposes::INTERNET.with(Purposes::MMS),
        (None, _) => Purposes::NONE,
    };
    if rank.is_some() { said.with(Purposes::INTERNET) } else { said }
}

/// All purposes but ordinary data.
fn special_part(purposes: Purposes) -> Purposes {
    purposes.without(Purposes::INTERNET)
}

fn plan_of(settings: &Settings) -> PlanHint {
    match (settings.prepaid, settings.postpaid) {
        (true, false) => PlanHint::Prepaid,
        (false, true) => PlanHint::Postpaid,
        _ => PlanHint::Unknown,
    }
}

fn misses_plan(settings: &Settings, plan: PlanHint) -> bool {
    let of_record = plan_of(settings);
    plan != PlanHint::Unknown && of_record != PlanHint::Unknown && plan != of_record
}

fn is_special_name(apn: &str) -> bool {
    apn.split(['.', '-', '_']).any(|part| SPECIAL_PARTS.iter().any(|special| part.eq_ignore_ascii_case(special)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn name_parts_are_whole_runs() {
        for special in ["mms.sunrise.ch", "vzwims", "a-IMS_b"] {
            assert!(is_special_name(special), "{special}");
        }
        for plain in ["mmsbouygtel.com", "imsi", "internet"] {
            assert!(!is_special_name(plain), "{plain}");
        }
    }

    #[test]
    fn method_and_families_to_start_with() {
        let mut candidate = Candidate::network_default();
        assert_eq!(candidate.start_auth(), Auth::None);
        candidate.user = "web".into();
        assert_eq!(candidate.start_auth(), Auth::Chap);
        candidate.auth = Some(Auth::Pap);
        assert_eq!(candidate.start_auth(), Auth::Pap);
        assert_eq!(candidate.ip_type(true), IpType::V4v6);
        candidate.ip_home = Some(IpType::V6);
        assert_eq!(candidate.ip_type(true), IpType::V6);
        candidate.ip_roaming = Some(IpType::V4);
        assert_eq!((candidate.ip_type(true), candidate.ip_type(false)), (IpType::V4, IpType::V6));
    }
}

//! Which operator, and which access points in which order. `[OPER 3.5, 3.6]`

mod card;
mod explain;
mod home;
mod pool;
mod score;
mod selector;
mod why;

pub use explain::{Considered, Criterion, Explanation, LayerReport, Outcome, PassedOver};
pub use home::MncSource;
pub use selector::Held;
pub use why::Why;

use crate::candidate::{self, Candidate, Origin};
use crate::database::Database;
use crate::database::record::Record;
use crate::identity::ef::CardFile;
use crate::identity::{Identity, Plmn};
use crate::layers::{Layer, Layers};
use crate::overlay::NamedCertificate;
use crate::profile::{PlanHint, Profile, Purposes, named};
use home::Home;
use pool::Pool;

/// Candidates of a round, without the network's default. `[OPER 3.6]`
pub const ROUND: usize = 8;

named! { Rule {
    /// Selectors of an overlay's record hold.
    Selector = "selector",
    /// A name of the record equals the card's service provider name.
    SpnName = "spn-name",
    /// A name of the record equals the home provider's name.
    ProviderName = "provider-name",
    /// It is the only record with the network code.
    PlmnUnique = "plmn-unique",
    /// Of all records with the network code it alone is the host.
    PlmnPrimary = "plmn-primary",
    /// It comes first of several records with the network code.
    PlmnShared = "plmn-shared",
    /// The record lists the CDMA system.
    Sid = "sid",
    /// A person chose it among several.
    UserChoice = "user-choice",
    /// No record.
    None = "none",
}, /// What decided for a record. `[OPER 3.5, step 5]`
}

named! { Match {
    /// One operator.
    Exact = "exact",
    /// Several operators fit equally well; the first is taken until someone chooses.
    Ambiguous = "ambiguous",
    /// No record fits.
    None = "none",
}, /// How sure the choice is.
}

/// What names a record across reloads of its file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OperatorKey {
    /// Country code as the file has it.
    pub country: String,
    /// First name of the record.
    pub name: String,
    /// Layer that has it.
    pub layer: Layer,
}

/// The chosen operator.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Operator {
    /// First name of the record.
    pub name: String,
    /// Country code as the file has it.
    pub country: String,
    /// Layer that has it.
    pub layer: Layer,
    /// Where to send a person who needs a subscription, as recorded. Identifiers may be added to this one. `[OPER 5]`
    pub account_url: Option<String>,
    /// Captive portal API of the network, https, as recorded; for networks that announce none. `[OPER 4.5]`
    pub api_url: Option<String>,
    /// No access points of lower layers follow.
    pub exclusive: bool,
    /// GUID under which its documents come, if the record says it.
    pub service_number: Option<String>,
    /// Certificates that sign its documents, as recorded.
    pub certificates: Vec<NamedCertificate>,
}

/// What is known besides identity and databases.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wishes {
    /// What kind of subscription it is.
    pub plan: PlanHint,
    /// Access points of a person, of provisioning, and stored in the modem. Those of one layer in their order.
    pub profiles: Vec<Profile>,
    /// [`Candidate::key`] of the one that last led to full connectivity with this card in this roaming state.
    pub last_good: Option<String>,
    /// The record that a person chose for this card when several fitted.
    pub operator: Option<OperatorKey>,
}

/// Operator, candidates, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Choice {
    /// How sure it is.
    pub verdict: Match,
    /// The operator, if any record fits.
    pub operator: Option<Operator>,
    /// What decided.
    pub rule: Rule,
    /// Found by an equivalent home network.
    pub via_ehplmn: bool,
    /// Code under which the chosen record was found; `None` for CDMA, for records without codes, and without a match.
    pub key: Option<Plmn>,
    /// What decided how many digits the network code has.
    pub mnc_source: MncSource,
    /// Records of the chosen layer that fit.
    pub record_count: usize,
    /// All that fit as well as the chosen one, itself first. Empty when the choice is not ambiguous.
    pub alternatives: Vec<OperatorKey>,
    /// Access points for ordinary data, in the order to try. The network's default stands last, unless the chosen record
    /// is exclusive, someone asked for the empty name, or it was good before.
    pub candidates: Vec<Candidate>,
    /// Access points with other purposes, in order; one for ordinary data may be among them as well.
    pub special: Vec<Candidate>,
    /// Files of the card that were not given and could make it another choice; empty where none can.
    pub card_files: Vec<CardFile>,
    /// How it came to this.
    pub explanation: Explanation,
}

impl Choice {
    /// The name of the rule, with `ehplmn+` before it when an equivalent home network was used.
    pub fn rule_name(&self) -> String {
        let prefix = if self.via_ehplmn { "ehplmn+" } else { "" };
        format!("{prefix}{}", self.rule)
    }

    /// What decided for the chosen record, where it has selectors.
    pub fn selectors(&self) -> &[Held] {
        let layer = self.explanation.layers.iter().find(|layer| layer.chosen);
        layer.and_then(|layer| layer.considered.first()).map(|first| first.selectors.as_slice()).unwrap_or_default()
    }

    /// Candidates without the network's default.
    pub fn listed(&self) -> &[Candidate] {
        match self.candidates.split_last() {
            Some((last, rest)) if last.source == Layer::NetworkDefault => rest,
            _ => &self.candidates,
        }
    }

    /// The rounds of automatic connection: [`ROUND`] candidates each, the network's default at the end of each.
    /// A person's manual connection makes the first round only. `[OPER 3.6, 3.7]`
    pub fn rounds(&self) -> Vec<Vec<&Candidate>> {
        let listed = self.listed();
        let default = self.candidates.get(listed.len());
        if listed.is_empty() {
            return default.map(|default| vec![default]).into_iter().collect();
        }
        listed.chunks(ROUND).map(|round| round.iter().chain(default).collect()).collect()
    }

    /// Access points for buying a subscription of the chosen operator; to be tried only when every other one led
    /// nowhere or the network said "not subscribed".
    pub fn purchase(&self) -> impl Iterator<Item = &Candidate> {
        self.with_purpose(Purposes::PURCHASE).filter(|candidate| candidate.of_chosen)
    }

    /// The access point to write as the first context of LTE, if it is certain which; else leave the modem alone.
    pub fn attach(&self) -> Option<&Candidate> {
        let certain = self.verdict != Match::Ambiguous;
        self.with_purpose(Purposes::ATTACH).find(|candidate| certain && candidate.of_chosen)
    }

    /// Access points for sharing the connection; those for ordinary data when there are none.
    pub fn tether(&self) -> Vec<&Candidate> {
        let tether: Vec<&Candidate> = self.with_purpose(Purposes::TETHER).collect();
        if tether.is_empty() { self.candidates.iter().collect() } else { tether }
    }

    /// Access points for multimedia messages, of the chosen record.
    pub fn mms(&self) -> impl Iterator<Item = &Candidate> {
        self.with_purpose(Purposes::MMS).filter(|candidate| candidate.of_chosen)
    }

    fn with_purpose(&self, purpose: Purposes) -> impl Iterator<Item = &Candidate> {
        self.special.iter().filter(move |candidate| candidate.purposes.contains(purpose))
    }
}

impl Layers {
    /// Chooses operator and candidates. Neither the registered network nor anything else but the arguments matters.
    pub fn choose(&self, identity: &Identity, wishes: &Wishes) -> Choice {
        let home = Home::of(identity, self);
        let pools: Vec<Pool<'_>> = self
            .databases()
            .into_iter()
            // Most machines have no package: their explanation is not about packages.
            .filter(|(layer, database)| *layer != Layer::ServiceMetadata || database.records().next().is_some())
            .map(|(layer, database)| Pool::of(layer, database, identity, &home, wishes.operator.as_ref()))
            .collect();
        let chosen = pools.iter().find(|pool| !pool.ranked.is_empty());
        let mut choice = Choice {
            verdict: Match::None,
            operator: None,
            rule: Rule::None,
            via_ehplmn: false,
            key: None,
            mnc_source: home.source,
            record_count: 0,
            alternatives: Vec::new(),
            candidates: Vec::new(),
            special: Vec::new(),
            card_files: card::files(identity, &home, self, &pools, chosen),
            explanation: explain::explain(identity, &home, &pools, chosen),
        };
        let behind = behind(&pools, chosen);
        let behind_layer = behind.as_ref().map(|(pool, _)| pool.layer);
        if let Some((pool, first)) = chosen.and_then(|pool| Some((pool, pool.ranked.first()?))) {
            let tied = pool.tied();
            choice.verdict = if tied > 1 { Match::Ambiguous } else { Match::Exact };
            let mut operator = operator(pool.layer, pool.database, first.number(), first.record);
            // A package brings no site of its own: that of the record behind it counts. [PROV 14.4]
            if let Some((_, behind)) = behind.filter(|(pool, _)| pool.layer <= Layer::Overlay) {
                operator.account_url = operator.account_url.or(behind.account_url);
                operator.service_number = operator.service_number.or(behind.service_number);
                if operator.certificates.is_empty() {
                    operator.certificates = behind.certificates;
                }
                operator.api_url = operator.api_url.or(behind.api_url);
            }
            choice.operator = Some(operator);
            choice.rule = first.rule;
            choice.key = pool.key.filter(|code| pool.database.plmns(first.record).contains(code));
            choice.via_ehplmn = home.via_ehplmn && choice.key.is_some();
            choice.record_count = pool.ranked.len();
            if tied > 1 {
                choice.alternatives = pool.ranked.iter().take(tied).map(|ranked| ranked.key.clone()).collect();
            }
        }
        let exclusive = choice.operator.as_ref().filter(|operator| operator.exclusive).map(|operator| operator.layer);
        let supply = [chosen.map(|pool| pool.layer), behind_layer];
        assemble(&mut choice, &pools, supply, exclusive, wishes);
        choice
    }
}

/// The record of a lower layer that stands behind a package: what the package leaves open comes from there, if it is
/// certain which record that is.
fn behind<'p, 'd>(pools: &'p [Pool<'d>], chosen: Option<&Pool<'d>>) -> Option<(&'p Pool<'d>, Operator)> {
    chosen.filter(|pool| pool.layer == Layer::ServiceMetadata)?;
    let pool = pools.iter().filter(|pool| pool.layer > Layer::ServiceMetadata).find(|pool| !pool.ranked.is_empty())?;
    let first = pool.ranked.first().filter(|_| pool.tied() == 1)?;
    Some((pool, operator(pool.layer, pool.database, first.number(), first.record)))
}

fn operator(layer: Layer, database: &Database, number: u32, record: &Record) -> Operator {
    // A link that will carry identifiers, and whom to believe, is taken from no lower layer than the overlay. [OPER 5]
    let own = layer <= Layer::Overlay;
    let url = if own { database.text(record.account_url) } else { "" };
    let (service_number, certificates) = if own { database.account(number) } else { Default::default() };
    // Nobody asks it but over TLS. [RFC 8908 4.1]
    let api = database.text(record.api_url);
    let api = api.get(..8).filter(|scheme| own && scheme.eq_ignore_ascii_case("https://")).map(|_| api);
    Operator {
        name: database.name(record).to_owned(),
        country: database.text(record.country).to_owned(),
        layer,
        account_url: (!url.is_empty()).then(|| url.to_owned()),
        api_url: api.map(str::to_owned),
        exclusive: record.exclusive,
        service_number: (!service_number.is_empty()).then_some(service_number),
        certificates,
    }
}

/// Puts profiles and records together, from the highest layer down.
///
/// `supply`: the layer whose first record was chosen, and that whose first record stands behind it.
fn assemble(
    choice: &mut Choice,
    pools: &[Pool<'_>],
    supply: [Option<Layer>; 2],
    exclusive: Option<Layer>,
    wishes: &Wishes,
) {
    let mut list = Vec::new();
    let mut special = Vec::new();
    let mut explicit = 0;
    let layers =
        [Layer::User, Layer::Provisioning, Layer::ServiceMetadata, Layer::Overlay, Layer::Modem, Layer::Vendor];
    for layer in layers {
        if exclusive.is_some_and(|exclusive| layer > exclusive) {
            break;
        }
        for profile in wishes.profiles.iter().filter(|profile| profile.layer == layer) {
            let made = Candidate::of_profile(profile);
            let plain = made.purposes.contains(Purposes::INTERNET);
            if made.purposes != Purposes::INTERNET {
                special.push(made.clone());
            }
            if plain {
                list.push(made);
            }
        }
        for pool in pools.iter().filter(|pool| pool.layer == layer) {
            for (position, ranked) in pool.ranked.iter().enumerate() {
                let of_chosen = position == 0 && supply.contains(&Some(layer));
                let via_ehplmn = of_chosen && choice.via_ehplmn;
                let criterion = match layer {
                    Layer::ServiceMetadata => Why::ServiceMetadata,
                    _ => Why::Record { rule: ranked.rule, via_ehplmn },
                };
                let origin = Origin { layer, criterion, of_chosen, operator: &ranked.key };
                if pool.cdma {
                    list.extend(candidate::of_cdma(pool.database, ranked.record, &origin));
                } else {
                    let made = candidate::of_record(pool.database, ranked.record, wishes.plan, &origin);
                    list.extend(made.internet);
                    special.extend(made.special);
                }
            }
        }
        if layer == Layer::ServiceMetadata {
            explicit = list.len();
        }
    }
    if exclusive.is_none() {
        list.push(Candidate::network_default());
    }
    // What was good before comes first, but not before what someone asked for.
    if let Some(good) = &wishes.last_good {
        let rest = list.get_mut(explicit..).unwrap_or_default();
        if let Some(place) = rest.iter().position(|candidate| candidate.key() == *good) {
            let moved = rest.get_mut(..=place).unwrap_or_default();
            moved.rotate_right(1);
            if let Some(first) = moved.first_mut().filter(|_| place > 0) {
                first.criterion = Why::LastGood;
            }
        }
    }
    choice.candidates = candidate::without_duplicates(list);
    choice.special = candidate::without_duplicates(special);
}

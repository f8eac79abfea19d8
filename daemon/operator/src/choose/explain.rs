//! Why this operator: data for a person who asks. Holds nothing of the SIM but its home network's code. `[OPER-071]`

use super::home::Home;
use super::pool::Pool;
use super::score::{Basis, Targets};
use super::selector::{Held, held};
use super::{MncSource, OperatorKey, Rule};
use crate::identity::{CellClass, Identity, Plmn};
use crate::layers::Layer;
use crate::profile::named;

/// How the choice came about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explanation {
    /// Code of the home network by the IMSI.
    pub home: Option<Plmn>,
    /// What decided its length.
    pub mnc_source: MncSource,
    /// The equivalent home network that was used instead.
    pub equivalent: Option<Plmn>,
    /// The criteria in the order in which they decide, each with what came of it.
    pub criteria: Vec<Criterion>,
    /// The layers from high to low, each with the records that were looked at.
    pub layers: Vec<LayerReport>,
}

/// One criterion.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Criterion {
    /// Which.
    pub rule: Rule,
    /// What came of it.
    pub outcome: Outcome,
}

named! { Outcome {
    /// It decided.
    Won = "won",
    /// It would have answered, but a stronger one did.
    NotNeeded = "not-needed",
    /// The SIM has nothing for it.
    Absent = "absent",
    /// No record answers to it.
    NoMatch = "no-match",
}, /// What came of a criterion.
}

/// One layer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LayerReport {
    /// Which.
    pub layer: Layer,
    /// Whether it supplies the operator.
    pub chosen: bool,
    /// Code under which it was searched.
    pub key: Option<Plmn>,
    /// Records that fit, best first.
    pub considered: Vec<Considered>,
    /// Records that list the code but do not fit.
    pub passed_over: Vec<PassedOver>,
}

/// A record that fits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Considered {
    /// Which.
    pub operator: OperatorKey,
    /// What speaks for it.
    pub rule: Rule,
    /// The attributes of its select element that holds best, all of which hold. Empty for a record without any.
    pub selectors: Vec<Held>,
    /// Selectors that hold, or names that are equal.
    pub targets: u32,
    /// Their weight.
    pub weight: u32,
    /// Whether it is as good as the first.
    pub tied: bool,
}

/// A record that does not fit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PassedOver {
    /// Which.
    pub operator: OperatorKey,
    /// Why not.
    pub why: &'static str,
}

pub(crate) fn explain(identity: &Identity, home: &Home, pools: &[Pool<'_>], chosen: Option<&Pool<'_>>) -> Explanation {
    Explanation {
        home: home.of_imsi,
        mnc_source: home.source,
        equivalent: home.key.filter(|_| home.via_ehplmn),
        criteria: criteria(identity, chosen),
        layers: pools
            .iter()
            .map(|pool| LayerReport {
                layer: pool.layer,
                chosen: chosen.is_some_and(|chosen| chosen.layer == pool.layer),
                key: pool.key,
                considered: considered(pool),
                passed_over: pool
                    .dropped
                    .iter()
                    .map(|operator| PassedOver { operator: operator.clone(), why: "none of its selectors holds" })
                    .collect(),
            })
            .collect(),
    }
}

fn considered(pool: &Pool<'_>) -> Vec<Considered> {
    let tied = pool.tied();
    let entries = pool.ranked.iter().enumerate();
    entries
        .map(|(place, ranked)| Considered {
            operator: ranked.key.clone(),
            rule: ranked.rule,
            selectors: ranked.select.map(|select| held(pool.database, select)).unwrap_or_default(),
            targets: ranked.score.targets,
            weight: ranked.score.weight,
            tied: tied > 1 && place < tied,
        })
        .collect()
}

fn criteria(identity: &Identity, chosen: Option<&Pool<'_>>) -> Vec<Criterion> {
    let won = chosen.and_then(|pool| pool.ranked.first()).map(|first| first.rule);
    let any = |basis| chosen.is_some_and(|pool| pool.ranked.iter().any(|ranked| ranked.basis == basis));
    let judge = |rule: Rule, present: bool, matched: bool| {
        let outcome = match (won == Some(rule), matched, present) {
            (true, _, _) => Outcome::Won,
            (_, true, _) => Outcome::NotNeeded,
            (_, _, true) => Outcome::NoMatch,
            _ => Outcome::Absent,
        };
        Criterion { rule, outcome }
    };
    if identity.cell_class == CellClass::Cdma {
        return vec![
            judge(Rule::Sid, identity.sid.is_some(), false),
            judge(Rule::ProviderName, identity.provider_name.is_some(), false),
        ];
    }
    let (spn, provider_name) = Targets::of(identity, false).has_names();
    let code = identity.imsi.is_some();
    let listed = any(Basis::Code);
    let mut list = Vec::new();
    if won == Some(Rule::UserChoice) {
        list.push(Criterion { rule: Rule::UserChoice, outcome: Outcome::Won });
    }
    list.push(judge(Rule::Selector, code || identity.iccid.is_some(), any(Basis::Selector)));
    list.push(judge(Rule::SpnName, spn, any(Basis::Spn)));
    list.push(judge(Rule::ProviderName, provider_name, any(Basis::ProviderName)));
    for rule in [Rule::PlmnUnique, Rule::PlmnPrimary, Rule::PlmnShared] {
        let by_code = chosen.is_some_and(|pool| pool.ranked.iter().any(|ranked| ranked.rule == rule));
        list.push(judge(rule, code, listed && by_code));
    }
    list
}

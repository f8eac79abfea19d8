//! What a matched text says, field by field. [PROV 4.7, 12.10]

use super::number::{Locale, Number};
use super::time::{self, Halves};
use super::{Incoming, Said};
use crate::document::plans::PlanType;
use crate::schema::lexical::{boolean, integer};
use crate::schema::{Ns, at, text};
use crate::xml::Node;

/// Units by the attribute that names their tokens, in the order in which they are tried.
const UNITS: [(&str, u64); 8] = [
    ("K", 1_000),
    ("M", 1_000_000),
    ("G", 1_000_000_000),
    ("T", 1_000_000_000_000),
    ("Ki", 1 << 10),
    ("Mi", 1 << 20),
    ("Gi", 1 << 30),
    ("Ti", 1 << 40),
];

/// The text of a group of the pattern that took part in the match.
type Group<'g, 't> = &'g dyn Fn(usize) -> Option<&'t str>;

/// How the fields of a rule are read.
#[derive(Debug)]
pub(super) struct Reader {
    locale: Locale,
    units: Vec<(u64, Vec<String>)>,
    usage: Option<Quantity>,
    usage_percent: Option<usize>,
    overage: Option<Quantity>,
    overage_percent: Option<usize>,
    timestamp: Option<Timestamp>,
    data_limit: Option<Quantity>,
    over_limit: Option<Flag>,
    congested: Option<Flag>,
    inbound: Option<Quantity>,
    outbound: Option<Quantity>,
    plan_type: Option<Kind>,
    refresh: Option<Flag>,
    activated: Option<Flag>,
}

#[derive(Debug)]
struct Quantity {
    group: usize,
    unit_group: Option<usize>,
    default_unit: u64,
}

#[derive(Debug)]
struct Flag {
    group: Option<usize>,
    yes: Vec<String>,
    no: Vec<String>,
    default: bool,
}

#[derive(Debug)]
struct Kind {
    group: Option<usize>,
    tokens: [(PlanType, Vec<String>); 3],
    default: Option<PlanType>,
}

#[derive(Debug)]
struct Timestamp {
    group: usize,
    format: String,
    halves: Halves,
}

fn tokens(node: Node<'_>, attribute: &str) -> Vec<String> {
    node.attribute(attribute).map(|list| list.split_whitespace().map(str::to_owned).collect()).unwrap_or_default()
}

fn group(node: Node<'_>, attribute: &str) -> Option<usize> {
    node.attribute(attribute).and_then(|number| integer(&number)).and_then(|number| usize::try_from(number).ok())
}

fn unit(name: &str) -> u64 {
    UNITS.iter().find(|(known, _)| *known == name.trim()).map_or(1, |(_, factor)| *factor)
}

fn plan_type(name: &str) -> Option<PlanType> {
    match name.trim() {
        "Unrestricted" => Some(PlanType::Unrestricted),
        "Fixed" => Some(PlanType::Fixed),
        "Variable" => Some(PlanType::Variable),
        _ => None,
    }
}

fn quantity(node: Node<'_>) -> Option<Quantity> {
    Some(Quantity {
        group: group(node, "Group")?,
        unit_group: group(node, "UnitGroup"),
        default_unit: node.attribute("DefaultUnit").map_or(1, |name| unit(&name)),
    })
}

fn flag(node: Node<'_>) -> Flag {
    Flag {
        group: group(node, "Group"),
        yes: tokens(node, "TrueToken"),
        no: tokens(node, "FalseToken"),
        default: node.attribute("Default").and_then(|value| boolean(&value)).unwrap_or(false),
    }
}

fn kind(node: Node<'_>) -> Kind {
    Kind {
        group: group(node, "Group"),
        tokens: [
            (PlanType::Unrestricted, tokens(node, "UnrestrictedTokens")),
            (PlanType::Fixed, tokens(node, "FixedTokens")),
            (PlanType::Variable, tokens(node, "VariableTokens")),
        ],
        default: node.attribute("Default").and_then(|name| plan_type(&name)),
    }
}

fn timestamp(node: Node<'_>) -> Option<Timestamp> {
    let token = |name| node.attribute(name).map(|token| token.into_owned());
    Some(Timestamp {
        group: group(node, "Group")?,
        format: token("Format")?,
        halves: Halves { am: token("AmToken"), pm: token("PmToken") },
    })
}

impl Reader {
    pub(super) fn new(message: Node<'_>, fields: Node<'_>) -> Self {
        let field = |name| at(fields, Ns::Wwan, name);
        let units = at(message, Ns::Wwan, "Units");
        Self {
            locale: Locale::named(at(message, Ns::Wwan, "Locale").map(text).unwrap_or_default().trim()),
            units: UNITS.iter().filter_map(|(name, factor)| Some((*factor, tokens(units?, name)))).collect(),
            usage: field("Usage").and_then(quantity),
            usage_percent: field("UsagePercentage").and_then(|node| group(node, "Group")),
            overage: field("UsageOverage").and_then(quantity),
            overage_percent: field("UsageOveragePercentage").and_then(|node| group(node, "Group")),
            timestamp: field("UsageTimestamp").and_then(timestamp),
            data_limit: field("DataLimit").and_then(quantity),
            over_limit: field("OverDataLimit").map(flag),
            congested: field("Congested").map(flag),
            inbound: field("InboundBandwidth").and_then(quantity),
            outbound: field("OutboundBandwidth").and_then(quantity),
            plan_type: field("PlanType").map(kind),
            refresh: field("RefreshProvisioning").map(flag),
            activated: field("ActivationComplete").map(flag),
        }
    }

    pub(super) fn read(&self, group: Group<'_, '_>, incoming: &Incoming<'_>) -> Said {
        let amount = |quantity: &Option<Quantity>| quantity.as_ref().and_then(|q| self.amount(q, group));
        let flag = |flag: &Option<Flag>| flag.as_ref().map(|flag| flag.read(group));
        let data_limit = amount(&self.data_limit);
        let at = self.timestamp.as_ref().and_then(|stamp| {
            time::parse(group(stamp.group)?, &stamp.format, &stamp.halves, incoming.received, incoming.zone)
        });
        // A figure without its time is none.
        let usage = at.and_then(|_| self.usage(group, data_limit.or(incoming.known_limit)));
        Said {
            usage,
            usage_at: at.filter(|_| usage.is_some()),
            data_limit,
            over_limit: flag(&self.over_limit),
            congested: flag(&self.congested),
            inbound: amount(&self.inbound),
            outbound: amount(&self.outbound),
            plan_type: self.plan_type.as_ref().and_then(|kind| kind.read(group)),
            refresh: flag(&self.refresh),
            activated: flag(&self.activated),
        }
    }

    /// As it is told, or else by the first way whose numbers are all there. [PROV A15]
    fn usage(&self, group: Group<'_, '_>, limit: Option<u64>) -> Option<u64> {
        let amount = |quantity: &Option<Quantity>| quantity.as_ref().and_then(|q| self.amount(q, group));
        let percent = |of: Option<usize>| {
            let text = group(of?)?;
            let text = text.strip_suffix('%').unwrap_or(text).trim_end();
            Number::parse(text, self.locale)
        };
        let overage = amount(&self.overage);
        let overage_percent = percent(self.overage_percent);
        amount(&self.usage)
            .or_else(|| percent(self.usage_percent)?.percent_of(limit?))
            .or_else(|| overage?.checked_add(limit?))
            .or_else(|| limit?.checked_add(overage_percent?.percent_of(limit?)?))
            .or_else(|| overage?.checked_add(overage_percent?.whole_of(overage?)?))
    }

    fn amount(&self, quantity: &Quantity, group: Group<'_, '_>) -> Option<u64> {
        let number = Number::parse(group(quantity.group)?, self.locale)?;
        let named = quantity.unit_group.and_then(group);
        let found = named.and_then(|unit| self.units.iter().find(|(_, tokens)| tokens.iter().any(|t| t == unit)));
        number.of(found.map_or(quantity.default_unit, |(factor, _)| *factor))
    }
}

impl Flag {
    fn read(&self, group: Group<'_, '_>) -> bool {
        let Some(text) = self.group.and_then(group) else { return self.default };
        let is_in = |tokens: &[String]| tokens.iter().any(|token| token == text);
        is_in(&self.yes) || !is_in(&self.no) && self.default
    }
}

impl Kind {
    fn read(&self, group: Group<'_, '_>) -> Option<PlanType> {
        let text = self.group.and_then(group);
        let found = self.tokens.iter().find(|(_, tokens)| tokens.iter().any(|token| Some(token.as_str()) == text));
        found.map(|(kind, _)| *kind).or(self.default)
    }
}

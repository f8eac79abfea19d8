//! What message rules make of a text: which of them it matches, and what it says of the plan. Values in, values out: nothing
//! here notifies anybody or changes usage. [PROV 12.10]
//!
//! Behind the feature `rules`: texts do not reach the agent yet, and what carries no message needs no engine for patterns.

mod fields;
mod number;
mod pattern;
mod time;

use regex_lite::Regex;

use crate::calendar::Moment;
use crate::document::plans::PlanType;
use crate::schema::lexical::{boolean, collapse};
use crate::schema::{Ns, at, children, text};
use crate::stored::StoredRule;
use fields::Reader;

/// Octets of a text that is looked at; a longer one matches nothing. [PROV 16]
const MAX_TEXT: usize = 16 * 1024;

/// How a text came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bearer<'t> {
    /// A short message.
    Sms {
        /// Who sent it, as the network says.
        sender: &'t str,
        /// Its class; `None` = it has none. [3GPP TS 23.038, 4]
        class: Option<u8>,
    },
    /// The network began or answered a USSD dialogue.
    Ussd,
}

/// A text from the network, whole and decoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Incoming<'t> {
    /// How it came.
    pub bearer: Bearer<'t>,
    /// The text.
    pub text: &'t str,
    /// When it came.
    pub received: Moment,
    /// Seconds that the network's time is ahead of universal time; 0 where it is not known.
    pub zone: i32,
    /// The plan's quota as it is known, octets.
    pub known_limit: Option<u64>,
}

/// What a text says; absent: it does not say. [PROV 4.7]
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Said {
    /// What was used, octets.
    pub usage: Option<u64>,
    /// When that was so.
    pub usage_at: Option<Moment>,
    /// The quota, octets.
    pub data_limit: Option<u64>,
    /// The quota is used up.
    pub over_limit: Option<bool>,
    /// The network asks to wait with what can wait.
    pub congested: Option<bool>,
    /// Speed that the network allows, towards this machine, bit/s.
    pub inbound: Option<u64>,
    /// And from it.
    pub outbound: Option<u64>,
    /// How traffic is charged.
    pub plan_type: Option<PlanType>,
    /// A newer document is to be asked for.
    pub refresh: Option<bool>,
    /// The subscription is active.
    pub activated: Option<bool>,
}

/// The rule that a text matches.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Match<'r> {
    /// What the operator calls it.
    pub rule_id: Option<&'r str>,
    /// Only the operator's own program is told; else ordinary ones as well.
    pub silent: bool,
    /// What the text says may change something: the rule names who sends it. A rule that takes it from anybody only tells.
    /// [PROV 12.10]
    pub counts: bool,
    /// What it says.
    pub said: Said,
}

/// The rules of an operator, ready to be used.
#[derive(Debug)]
pub struct Rules(Vec<Rule>);

#[derive(Debug)]
struct Rule {
    id: Option<String>,
    silent: bool,
    counts: bool,
    senders: Vec<Sender>,
    ussd: bool,
    pattern: Regex,
    fields: Option<Reader>,
}

/// One way for a short message to be meant.
#[derive(Debug)]
struct Sender {
    /// `None` = anybody.
    number: Option<String>,
    class_zero_only: bool,
}

impl Rules {
    /// Makes them usable, in their order. One that is not (its pattern is too large for the engine) matches nothing.
    #[must_use]
    pub fn new(stored: &[StoredRule]) -> Self {
        Self(stored.iter().filter_map(Rule::read).collect())
    }

    /// The first rule that a text matches; none where it is an ordinary one. [PROV A17]
    #[must_use]
    pub fn find(&self, incoming: &Incoming<'_>) -> Option<Match<'_>> {
        if incoming.text.len() > MAX_TEXT {
            return None;
        }
        self.0.iter().filter(|rule| rule.takes(incoming.bearer)).find_map(|rule| {
            let found = rule.pattern.captures(incoming.text)?;
            let group = |number: usize| found.get(number).map(|group| group.as_str());
            let said = rule.fields.as_ref().map(|fields| fields.read(&group, incoming)).unwrap_or_default();
            Some(Match { rule_id: rule.id.as_deref(), silent: rule.silent, counts: rule.counts, said })
        })
    }
}

impl Rule {
    fn read(stored: &StoredRule) -> Option<Self> {
        let tree = crate::xml::parse(stored.xml()).ok()?;
        let message = tree.root();
        let flag = |value: Option<_>| value.and_then(|value: std::borrow::Cow<'_, str>| boolean(&value));
        let senders: Vec<Sender> = children(message, Ns::Wwan, "SMSBearer")
            .map(|bearer| Sender {
                number: bearer.attribute("Sender").map(|number| collapse(&number).into_owned()),
                class_zero_only: flag(bearer.attribute("ClassZeroOnly")).unwrap_or(true),
            })
            .collect();
        let fields = at(message, Ns::Wwan, "Fields").map(|fields| Reader::new(message, fields));
        Some(Self {
            id: stored.id().map(str::to_owned),
            silent: flag(message.attribute("Silent")).unwrap_or(true),
            counts: fields.is_some() && senders.iter().all(|sender| sender.number.is_some()),
            senders,
            ussd: at(message, Ns::Wwan, "USSDBearer").is_some(),
            pattern: pattern::compile(&at(message, Ns::Wwan, "Pattern").map(text).unwrap_or_default())?,
            fields,
        })
    }

    fn takes(&self, bearer: Bearer<'_>) -> bool {
        match bearer {
            Bearer::Ussd => self.ussd,
            Bearer::Sms { sender, class } => self.senders.iter().any(|wanted| {
                (!wanted.class_zero_only || class == Some(0))
                    && wanted.number.as_ref().is_none_or(|number| bare(number) == bare(sender))
            }),
        }
    }
}

/// A number without the mark of an international one.
fn bare(number: &str) -> &str {
    number.strip_prefix('+').unwrap_or(number)
}

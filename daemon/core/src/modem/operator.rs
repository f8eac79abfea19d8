//! The subscriber at hand: what is stored for it, which operator matches, which candidates follow. `[OPER 3]`

use std::collections::BTreeMap;

use daemon_operator::choose::OperatorKey;
use daemon_operator::identity::Identity;
use daemon_operator::profile::PlanHint;
use daemon_operator::{Auth, Candidate, Choice, IpType, Layer, Match, Password, Profile, Purposes, Wishes};

use mbim_proto::Personal;

use super::machine::Modem;
use super::memory::Recalled;
use crate::Time;
use crate::effect::SubscriberKey;
use crate::event::Event;
use crate::memory::Memory;
use crate::snapshot::{CandidateView, OperatorChoice};
use crate::subscriber::{Plan, ProvisionedProfile, Settings, SubscriberState, UserApn};

/// The subscriber whose SIM is in the modem.
#[derive(Debug)]
pub(super) struct Subscriber {
    /// LoadSubscriber was sent, or cannot be.
    pub(super) requested: bool,
    pub(super) key: Option<SubscriberKey>,
    /// IMSI and ICCID as the modem tells them; empty where it does not.
    pub(super) told: (Personal<String>, Personal<String>),
    /// The question that was not answered yet.
    pub(super) loading: Option<SubscriberKey>,
    pub(super) loaded: bool,
    pub(super) state: SubscriberState,
    pub(super) identified: bool,
    pub(super) identity: Identity,
    pub(super) hwids: Vec<(String, String)>,
    /// Something that the choice depends on changed.
    pub(super) stale: bool,
    pub(super) choice: Option<Choice>,
    /// The choice was made while roaming.
    pub(super) chosen_abroad: bool,
    pub(super) view: Option<OperatorChoice>,
    /// Candidates that the network refused, by key, and until when they stand back. `[OPER 3.7]`
    pub(super) bad: BTreeMap<String, Time>,
    /// What of it the store has been given last.
    pub(super) kept: Memory,
    /// The wait in which an earlier run of the daemon ended.
    pub(super) recalled: Option<Recalled>,
}

impl Subscriber {
    pub(super) fn new(defaults: Settings) -> Self {
        Self {
            requested: false,
            key: None,
            told: Default::default(),
            loading: None,
            loaded: false,
            state: SubscriberState { settings: defaults, ..SubscriberState::default() },
            identified: false,
            identity: Identity::default(),
            hwids: Vec::new(),
            stale: true,
            choice: None,
            chosen_abroad: false,
            view: None,
            bad: BTreeMap::new(),
            kept: Memory::default(),
            recalled: None,
        }
    }

    pub(super) fn forget(&mut self, defaults: &Settings) {
        *self = Self { loading: self.loading.take(), ..Self::new(defaults.clone()) };
    }

    /// Account URL of the operator, where the record has one.
    pub(super) fn account_url(&self) -> Option<&str> {
        self.choice.as_ref()?.operator.as_ref()?.account_url.as_deref()
    }
}

impl Modem {
    pub(super) fn choose_operator(&mut self, _now: Time) {
        let Some((_, layers)) = self.layers.clone() else { return };
        let state = &self.subscriber.state;
        let mut profiles = Vec::new();
        profiles.extend(state.settings.apn.as_ref().map(user_profile));
        profiles.extend(state.default_profile.as_ref().map(|p| provisioned(p, Purposes::INTERNET)));
        profiles.extend(state.purchase_profile.as_ref().map(|p| provisioned(p, Purposes::PURCHASE)));
        let roaming = self.roaming();
        let last_good = if roaming { &state.last_good_roaming } else { &state.last_good_home };
        let operator = state.settings.operator.as_deref().and_then(chosen_record);
        let plan = match state.settings.plan {
            Plan::Unknown => PlanHint::Unknown,
            Plan::Prepaid => PlanHint::Prepaid,
            Plan::Postpaid => PlanHint::Postpaid,
        };
        let mut wishes = Wishes { plan, profiles, last_good: last_good.clone(), operator };
        let mut choice = layers.choose(&self.subscriber.identity, &wishes);
        let contexts = &self.facts.card.contexts;
        if choice.verdict != Match::Exact && !contexts.is_empty() {
            // Nothing else is certain: what stands in the modem counts. [OPER-067]
            wishes.profiles.extend(contexts.iter().cloned());
            choice = layers.choose(&self.subscriber.identity, &wishes);
        }
        let mut view = view_of(&choice, roaming, &self.registered_name());
        let allowed = &self.facts.card.allowed;
        if !allowed.is_empty() {
            view.trace.push(format!("the card allows only the access points {}", allowed.join(", ")));
        }
        if self.subscriber.view.as_ref() != Some(&view) {
            self.emit(
                Event::info("operator")
                    .with("name", &view.name)
                    .with("matched", &view.matched)
                    .with("rule", view.decided())
                    .with("layer", &view.layer)
                    .with("apn", view.candidates.first().map_or("", |c| c.apn.as_str()))
                    .with("criterion", view.candidates.first().map_or("", |c| c.criterion.as_str()))
                    .with("candidates", view.candidates.len()),
            );
            let context = self.tables.context;
            self.dialer.candidates_changed(&mut self.timers, context);
        }
        self.subscriber.view = Some(view);
        self.subscriber.choice = Some(choice);
        self.subscriber.chosen_abroad = roaming;
    }

    /// An access point that was named: a person's, or that of a context of the operator's documents.
    pub(super) fn profile_of(&self, named: &UserApn) -> Profile {
        let network = self.subscriber.state.network.as_ref();
        match network.and_then(|network| network.context_with(named)) {
            Some(context) => provisioned(&context.profile, Purposes::INTERNET),
            None => user_profile(named),
        }
    }

    fn registered_name(&self) -> String {
        self.facts.register.as_ref().map(|fact| fact.provider_name.clone()).unwrap_or_default()
    }
}

/// A record by its country and name, as people write it.
fn chosen_record(text: &str) -> Option<OperatorKey> {
    let (country, name) = text.split_once('/')?;
    Some(OperatorKey { country: country.to_owned(), name: name.to_owned(), layer: Layer::User })
}

pub(super) fn user_profile(user: &UserApn) -> Profile {
    Profile {
        layer: Layer::User,
        name: "settings".to_owned(),
        apn: user.apn.clone(),
        user: user.user.clone(),
        password: Password::new(user.password.reveal().as_str()),
        auth: Auth::parse(&user.auth),
        ip_type: IpType::parse(&user.ip_type),
        purposes: Purposes::INTERNET,
        in_modem: false,
    }
}

pub(super) fn provisioned(profile: &ProvisionedProfile, purposes: Purposes) -> Profile {
    Profile {
        layer: Layer::Provisioning,
        name: profile.name.clone(),
        apn: profile.apn.clone(),
        user: profile.user.clone(),
        password: Password::new(profile.password.reveal().as_str()),
        auth: Auth::parse(&profile.auth),
        ip_type: None,
        purposes,
        in_modem: false,
    }
}

pub(super) fn candidate_view(candidate: &Candidate, roaming: bool) -> CandidateView {
    CandidateView {
        apn: candidate.apn.clone(),
        ip_type: candidate.ip_type(roaming).as_str().to_owned(),
        auth: candidate.start_auth().as_str().to_owned(),
        criterion: candidate.criterion.to_string(),
        source: candidate.source.as_str().to_owned(),
        mmsc: candidate.mmsc.clone(),
        mms_proxy: candidate.mms_proxy.clone(),
    }
}

fn view_of(choice: &Choice, roaming: bool, registered: &str) -> OperatorChoice {
    let operator = choice.operator.as_ref();
    // Whom to believe is not guessed.
    let certain = operator.filter(|_| choice.verdict == Match::Exact);
    OperatorChoice {
        name: operator.map_or_else(|| registered.to_owned(), |o| o.name.clone()),
        country: operator.map(|o| o.country.clone()).unwrap_or_default(),
        matched: choice.verdict.as_str().to_owned(),
        layer: operator.map_or("none", |o| o.layer.as_str()).to_owned(),
        alternatives: choice.alternatives.iter().map(|key| format!("{}/{}", key.country, key.name)).collect(),
        rule: choice.rule_name(),
        selectors: choice.selectors().iter().map(|held| (held.attribute.to_owned(), held.value.clone())).collect(),
        trace: trace(choice),
        candidates: choice.candidates.iter().map(|c| candidate_view(c, roaming)).collect(),
        has_portal: operator.is_some_and(|o| o.account_url.is_some()),
        service_number: certain.and_then(|o| o.service_number.clone()),
        certificates: certain
            .map(|o| o.certificates.iter().map(|named| (named.subject.clone(), named.issuer.clone())).collect())
            .unwrap_or_default(),
    }
}

/// What was weighed, a line each. `[OPER-071]`
fn trace(choice: &Choice) -> Vec<String> {
    let explanation = &choice.explanation;
    let home = explanation.home.map_or("unknown".to_owned(), |plmn| plmn.to_string());
    let mut lines = vec![format!("home network {home}")];
    lines.extend(explanation.equivalent.map(|plmn| format!("looked up under the equivalent home network {plmn}")));
    lines.extend(explanation.criteria.iter().map(|criterion| format!("{}: {}", criterion.rule, criterion.outcome)));
    for layer in &explanation.layers {
        for record in &layer.considered {
            let selectors: Vec<String> = record.selectors.iter().map(ToString::to_string).collect();
            lines.push(format!(
                "layer {}: {} ({}) fits by {}{}{}{}",
                layer.layer,
                record.operator.name,
                record.operator.country,
                record.rule,
                if selectors.is_empty() { String::new() } else { format!(" ({})", selectors.join(", ")) },
                if record.tied { ", no better than others" } else { "" },
                if layer.chosen { "" } else { "; a higher layer decides" },
            ));
        }
        for record in &layer.passed_over {
            lines.push(format!("layer {}: {} passed over: {}", layer.layer, record.operator.name, record.why));
        }
    }
    lines.truncate(64);
    lines
}

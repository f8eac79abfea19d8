//! The sessions beside the default one: made, woken, told and ended here; what each does is decided in
//! [`extra`](super::extra).

use std::collections::VecDeque;

use super::address::Told;
use super::ask::{Answer, Asked};
use super::context::{Gate, SESSION, candidate_of};
use super::dial::Dial;
use super::extra::{Extra, Ground, Order, Question};
use super::io::{LinkFailure, NetworkMode, RequestId};
use super::machine::Modem;
use super::operator::{candidate_view, provisioned};
use super::read::ConnectFact;
use super::reason::{self, reason};
use super::tables::{Context, Power, RadioState};
use super::timer::Timer;
use crate::Time;
use crate::carrier;
use crate::effect::{Effect, LinkSettings};
use crate::kept::KeptConnection;
use crate::request::{Purpose, Reply, RequestError, RequestErrorKind as Kind};
use crate::snapshot::{Connection, ContextState, IpSettings};
use crate::subscriber::UserApn;
use daemon_operator::{Candidate, Purposes};
use mbim_proto::status::Status;

/// The highest session id: one octet of a block's signature, and VLAN ids beyond it mean other things to the kernel.
pub(super) const HIGHEST: u32 = 255;
/// Access points that a round tries, the network's default among them.
const ROUND: usize = daemon_operator::choose::ROUND + 1;

impl Modem {
    // ---- requests

    /// [`Request::ConnectSession`](crate::request::Request::ConnectSession), session 1 and higher.
    pub(super) fn connect_extra(
        &mut self,
        now: Time,
        id: RequestId,
        session: u32,
        apn: Option<UserApn>,
        purpose: Purpose,
    ) {
        let session = if session == SESSION { self.session_for(purpose) } else { session };
        if session > HIGHEST {
            let text = format!("Sessions have the numbers 0 to {HIGHEST}.");
            return self.reply(id, Err(reason::error(Kind::InvalidArgs, "no-such-session", text)));
        }
        if self.requests.stopping() {
            return self.reply(id, Err(reason::overtaken("stop")));
        }
        if self.subscriber.state.network.as_ref().is_some_and(|network| network.one_context) {
            let text = "The operator allows no connection beside the default one (mbimctl provision list).";
            return self.reply(id, Err(reason::error(Kind::WrongState, "one-context", text)));
        }
        if let Some(gate) = self.extra_gate(session).filter(|gate| gate.permanent) {
            if self.tables.power == Power::Ready {
                // What forbids it may be old news: the next request will know.
                self.look_again(now);
            }
            return self.reply(id, Err(RequestError { kind: Kind::WrongState, reason: gate.reason }));
        }
        let none =
            self.subscriber.choice.as_ref().filter(|_| !self.subscriber.stale).is_some_and(|choice| match purpose {
                Purpose::Mms => choice.mms().next().is_none(),
                Purpose::Internet | Purpose::Tether => false,
            });
        if none && apn.is_none() {
            let text = "No access point for multimedia messages is known for this SIM; name one (--apn).";
            return self.reply(id, Err(reason::error(Kind::NotFound, "no-access-point", text)));
        }
        self.extras.entry(session).or_insert_with(|| Extra::new(session)).connect(now, id, apn, purpose);
        self.tend(now, session);
    }

    /// [`Request::ConnectContext`](crate::request::Request::ConnectContext). `[PROV 8]`
    pub(super) fn connect_context(&mut self, now: Time, id: RequestId, session: u32, name: &str) {
        let network = self.subscriber.state.network.as_ref().filter(|_| self.subscriber.loaded);
        let Some(context) = network.and_then(|network| network.context(name)) else {
            let text = "No document for this SIM names such a context (mbimctl status lists them).";
            return self.reply(id, Err(reason::error(Kind::NotFound, "no-such-context", text)));
        };
        let apn = carrier::named(&context.profile);
        let has = self.extras.values().find(|extra| extra.named.as_ref() == Some(&apn) && extra.is_shown());
        let session = match (session, has) {
            (SESSION, Some(extra)) => extra.session,
            (SESSION, None) => self.free_session(),
            (named, _) => named,
        };
        self.connect_extra(now, id, session, Some(apn), Purpose::Internet);
    }

    fn free_session(&self) -> u32 {
        (1..=HIGHEST).find(|session| !self.extras.contains_key(session)).unwrap_or(HIGHEST)
    }

    /// The session that has the purpose, or else the first that is free.
    fn session_for(&self, purpose: Purpose) -> u32 {
        let has = self.extras.values().find(|extra| extra.purpose == purpose && extra.is_shown());
        has.map_or_else(|| self.free_session(), |extra| extra.session)
    }

    /// [`Request::DisconnectSession`](crate::request::Request::DisconnectSession), session 1 and higher.
    pub(super) fn disconnect_extra(&mut self, now: Time, id: RequestId, session: u32) {
        match self.extras.get_mut(&session).filter(|extra| extra.is_shown()) {
            Some(extra) => extra.disconnect(now, id),
            None => return self.reply(id, Ok(Reply::Done { changed: false })),
        }
        self.tend(now, session);
    }

    /// Who waits for one of them does so in vain.
    pub(super) fn fail_extras(&mut self, now: Time, error: &RequestError) {
        self.each_extra(now, |extra| extra.fail_requests(error));
    }

    // ---- the pass

    pub(super) fn advance_extras(&mut self, now: Time) {
        for session in self.extras.keys().copied().collect::<Vec<_>>() {
            let Some(extra) = self.extras.get(&session) else { continue };
            let ground = self.extra_ground(extra);
            let dials = ground.missing.is_none() && extra.is_idle() && extra.wants_round();
            let round = if dials { self.round_for(extra) } else { VecDeque::new() };
            if let Some(extra) = self.extras.get_mut(&session) {
                if dials {
                    extra.give_round(round);
                }
                extra.advance(now, &ground);
            }
            self.tend(now, session);
        }
    }

    /// Whether contexts of theirs are still to be ended.
    pub(super) fn extras_busy(&self) -> bool {
        self.extras.values().any(|extra| !extra.is_idle())
    }

    /// Whether it is still unknown of any what the last run left.
    pub(super) fn extras_undecided(&self) -> bool {
        self.extras.values().any(|extra| extra.pending().is_some())
    }

    fn extra_ground(&self, extra: &Extra) -> Ground {
        Ground {
            missing: self.extra_gate(extra.session),
            still: self.sleep.near() || self.requests.busy_off(),
            radio: self.radio_target() && self.tables.radio != RadioState::HardwareOff,
            allowed: !self.tables.registration.is_registered() || self.roaming_allowed(),
            stopping: self.requests.stopping(),
            same: extra.pending().and_then(|kept| {
                let same = self.same_as(kept)?;
                Some(same.map(|()| Box::new(self.dial_of(kept))))
            }),
        }
    }

    fn extra_gate(&self, session: u32) -> Option<Gate> {
        let most = self.facts.caps.as_ref().and_then(Option::as_ref).map_or(0, |caps| caps.max_sessions);
        if most > 0 && session >= most {
            let text = format!("The modem has {most} sessions at most: 0 to {}.", most - 1);
            return Some(Gate { reason: reason("session-limit", text), permanent: true });
        }
        self.ground().or_else(|| self.candidates_gate())
    }

    /// The access points to try: the one that was named, or those of the default connection, such as no other session
    /// uses first, since many networks give one context for each.
    fn round_for(&self, extra: &Extra) -> VecDeque<Dial> {
        let roaming = self.roaming();
        if let Some(user) = &extra.named {
            let named = candidate_of(self.profile_of(user))
                .map(|candidate| Dial::new(candidate, roaming, false).with(extra.purpose));
            return named.into_iter().collect();
        }
        let Some(choice) = &self.subscriber.choice else { return VecDeque::new() };
        let state = self.roaming_state();
        let default = self.dialer.current.as_ref().filter(|_| !matches!(self.tables.context, Context::Down));
        let others = self.extras.values().filter(|other| other.session != extra.session);
        let used: Vec<String> = others
            .filter_map(|other| other.current.as_ref())
            .chain(default)
            .map(|dial| dial.candidate.apn.to_lowercase())
            .collect();
        let sharing = self.subscriber.state.network.as_ref().and_then(|network| network.tethering.as_ref());
        let sharing = sharing.and_then(|profile| candidate_of(provisioned(profile, Purposes::INTERNET)));
        let listed = match extra.purpose {
            Purpose::Internet => choice.rounds().into_iter().next().unwrap_or_default(),
            // The operator's document goes before its record. [PROV-198]
            Purpose::Tether => sharing.iter().chain(choice.tether()).collect(),
            Purpose::Mms => choice.mms().collect(),
        };
        let all = listed.into_iter().filter(|candidate| candidate.allowed(state)).take(ROUND);
        let (taken, free): (Vec<_>, Vec<_>) = all.partition(|candidate| used.contains(&candidate.apn.to_lowercase()));
        let dial = |candidate: &Candidate| Dial::new(candidate.clone(), roaming, false).with(extra.purpose);
        free.into_iter().chain(taken).map(dial).collect()
    }

    /// Carries out what a session orders.
    fn tend(&mut self, now: Time, session: u32) {
        while let Some(order) = self.extras.get_mut(&session).and_then(Extra::poll) {
            match order {
                Order::Ask(question, dial) => self.ask_extra(now, session, question, dial.as_deref()),
                Order::GiveUp(questions) => {
                    self.give_up_on(
                        now,
                        |asked| matches!(asked, Asked::Extra(of, question) if *of == session && questions.contains(question)),
                    );
                }
                Order::Wake(Some(at)) => self.timers.set(Timer::Extra(session), at),
                Order::Wake(None) => self.timers.clear(Timer::Extra(session)),
                Order::LinkUp(_) | Order::LinkDown if self.config.network == NetworkMode::External => {
                    let up = matches!(order, Order::LinkUp(_));
                    if let Some(extra) = self.extras.get_mut(&session) {
                        extra.linked(now, up, Ok(()), None);
                    }
                }
                Order::LinkUp(ip) => {
                    let metric = self.subscriber.state.settings.metric;
                    self.effect(Effect::LinkUp(LinkSettings { session, ip, metric, dns_retry: None }));
                }
                Order::LinkDown => {
                    self.usage_end(session);
                    self.effect(Effect::LinkDown { session });
                }
                Order::LookAgain => self.look_again(now),
                Order::Emit(event) => self.emit(event),
                Order::Reply(id, result) => self.reply(id, result.map(|changed| Reply::Done { changed })),
            }
        }
        if self.extras.get(&session).is_some_and(Extra::is_over) {
            self.extras.remove(&session);
            self.timers.clear(Timer::Extra(session));
        }
    }

    fn tell_extra(&mut self, now: Time, session: u32, tell: impl FnOnce(&mut Extra)) {
        if let Some(extra) = self.extras.get_mut(&session) {
            tell(extra);
            self.tend(now, session);
        }
    }

    fn each_extra(&mut self, now: Time, mut tell: impl FnMut(&mut Extra)) {
        for session in self.extras.keys().copied().collect::<Vec<_>>() {
            self.tell_extra(now, session, &mut tell);
        }
    }

    // ---- what comes

    pub(super) fn on_extra_answer(&mut self, now: Time, session: u32, question: Question, answer: Answer<ConnectFact>) {
        self.tell_extra(now, session, |extra| extra.answered(now, question, answer));
    }

    pub(super) fn on_extra_ip_answer(&mut self, now: Time, session: u32, answer: Answer<(u32, Told)>) {
        self.tell_extra(now, session, Extra::no_ip);
        // Without addresses they are asked for again when they are overdue.
        if let Answer::Body(Status::SUCCESS, (of, told)) = answer {
            self.on_ip(now, of, &told);
        }
    }

    pub(super) fn on_extra_ip(&mut self, now: Time, session: u32, mut settings: IpSettings) {
        let dial = self.extras.get(&session).and_then(|extra| extra.current.as_ref());
        self.limit_packets(dial, &mut settings);
        self.tell_extra(now, session, |extra| extra.on_ip(now, settings));
    }

    pub(super) fn on_extra_indication(&mut self, now: Time, fact: &ConnectFact) {
        self.tell_extra(now, fact.session, |extra| extra.indicated(now, fact));
    }

    pub(super) fn on_extra_linked(
        &mut self,
        now: Time,
        session: u32,
        up: bool,
        result: Result<(), LinkFailure>,
        interface: Option<String>,
    ) {
        self.tell_extra(now, session, |extra| extra.linked(now, up, result, interface));
        if self.extras.get(&session).is_some_and(|extra| extra.context == Context::Up && extra.interface.is_some()) {
            self.usage_begin(now, session);
        }
    }

    pub(super) fn on_extra_timer(&mut self, now: Time, session: u32) {
        self.tell_extra(now, session, |extra| extra.overdue(now));
    }

    /// Their contexts are gone without our doing.
    pub(super) fn lose_extras(&mut self, now: Time, why: &'static str) {
        self.each_extra(now, |extra| extra.lost(now, 0, why));
    }

    /// Waits that began before are over: another network, or the same one again.
    pub(super) fn forgive_extras(&mut self, now: Time) {
        self.each_extra(now, Extra::forgive);
    }

    /// The metric of the routes changed.
    pub(super) fn renew_extras(&mut self, now: Time) {
        self.each_extra(now, Extra::renew_link);
    }

    /// After sleep: whether those that were up still are.
    pub(super) fn ask_extras(&mut self, now: Time) {
        self.each_extra(now, Extra::check);
    }

    /// The control session begins anew.
    pub(super) fn reset_extras(&mut self, now: Time) {
        self.each_extra(now, Extra::reset);
    }

    /// The control session of the last run is lost, and the contexts with it.
    pub(super) fn disown_extras(&mut self, now: Time) {
        self.each_extra(now, Extra::disown);
    }

    /// All of them end, and nothing of them is to stay.
    pub(super) fn end_extras(&mut self, now: Time, error: &RequestError) {
        self.each_extra(now, |extra| extra.end(error));
    }

    // ---- what others see and keep

    /// The connections of sessions above 0, in order.
    pub(super) fn extra_connections(&self) -> impl Iterator<Item = Connection> {
        let roaming = self.roaming();
        self.extras.values().filter(|extra| extra.is_shown()).map(move |extra| Connection {
            session: extra.session,
            purpose: extra.purpose,
            context: extra.named.as_ref().and_then(|apn| {
                let network = self.subscriber.state.network.as_ref()?;
                Some(network.context_with(apn)?.profile.name.clone())
            }),
            state: shown(extra.context),
            candidate: extra.current.as_ref().map(|dial| {
                let mut view = candidate_view(&dial.candidate, roaming);
                view.ip_type = dial.ip_type.as_str().to_owned();
                view.auth = dial.auth.as_str().to_owned();
                view
            }),
            ip: extra.ip.clone(),
            interface: extra.interface.clone(),
            since: extra.since,
            error: extra.error.clone(),
            retry_at: extra.retry_at(),
            failures: extra.failures(),
        })
    }

    /// What the next start of the daemon is to find of them.
    pub(super) fn kept_extras(&self) -> Vec<KeptConnection> {
        if self.tables.power != Power::Ready && self.extras.values().all(|extra| extra.pending().is_none()) {
            return Vec::new();
        }
        let known = self.facts.caps.is_some() && self.facts.ready.is_some();
        let of = |extra: &Extra| {
            if let Some(kept) = extra.pending() {
                return Some(kept.clone());
            }
            let ending = extra.kept().filter(|_| known)?;
            let kept = self.kept_connection(extra.session, extra.current.as_ref(), extra.named.clone());
            Some(KeptConnection { ending, ..kept })
        };
        self.extras.values().filter(|_| self.config.survives).filter_map(of).collect()
    }
}

/// What people see of the table.
pub(super) fn shown(context: Context) -> ContextState {
    match context {
        Context::Down => ContextState::Down,
        Context::Activating => ContextState::Activating,
        Context::Configuring | Context::Linking => ContextState::Configuring,
        Context::Up => ContextState::Up,
        Context::Deactivating => ContextState::Deactivating,
        Context::Waiting => ContextState::Waiting,
    }
}

const _: () = assert!(SESSION == 0, "every other session is one of these");

//! Leaving a modem to the next start of the daemon, and taking one over from the last. A connection that is up is written
//! down while it is, so that a crash leaves as much as a restart does. Nothing of the record is believed: modem, SIM and
//! context are asked, and what does not hold any more is taken away and made anew.

use core::time::Duration;

use daemon_operator::identity::log_tag;
use daemon_operator::{Auth, Candidate, IpType, next};
use mbim_proto::MbimEx;

use super::context::SESSION;
use super::dial::{Dial, Link};
use super::extra::Extra;
use super::extras::HIGHEST;
use super::io::{NetworkMode, RequestId};
use super::link::ADDRESS_AGAIN;
use super::machine::Modem;
use super::read::ConnectFact;
use super::reason;
use super::tables::{Context, ContextEvent, Power, PowerEvent, SimState};
use super::timer::Timer;
use crate::Time;
use crate::effect::Effect;
use crate::event::Event;
use crate::kept::{Kept, KeptConnection};
use crate::request::Reply;
use crate::subscriber::UserApn;

/// Time in which it must be known whether what was left still holds.
const DECIDE: Duration = Duration::from_secs(20);
/// CONNECT says so of a context that is up.
const ACTIVATED: u32 = 1;

/// What is written down, and what is being taken over.
#[derive(Debug, Default)]
pub(super) struct Adoption {
    /// The connection that is up, as the next start would need it.
    connection: Option<KeptConnection>,
    /// The connection of the last run, until it is up again here or is known not to be.
    pending: Option<KeptConnection>,
    /// What CONNECT said of it; the inner `None` = asked in vain.
    pub(super) told: Option<Option<ConnectFact>>,
    /// What the shell has written down.
    written: Option<Kept>,
    /// The modem was left: nothing changes any more.
    pub(super) left: bool,
}

impl Adoption {
    /// A connection of the last run waits for the decision.
    pub(super) fn undecided(&self) -> bool {
        self.pending.is_some()
    }

    /// The context is not up any more, or is about to be ended.
    pub(super) fn down(&mut self) {
        self.connection = None;
        self.pending = None;
        self.told = None;
    }
}

impl Modem {
    /// The transport is open, and this is how the last run left the modem.
    pub(super) fn on_adopt(&mut self, now: Time, kept: Kept) {
        self.radio_wish = !kept.radio_off;
        self.dialer.user_off = kept.user_off;
        self.sleep.was_idle(kept.idle);
        self.adoption.written = Some(kept.clone());
        let Some(first) = kept.connection.as_ref().or(kept.sessions.first()) else { return self.on_attached(now) };
        let release = MbimEx::from_bcd(first.mbimex);
        let other_port = first.max_control != self.config.max_control;
        if !self.step(|t| &mut t.power, PowerEvent::Attach) {
            return;
        }
        self.attached(now);
        // Whatever comes now: what stands on the interfaces is to be taken away when the connections end.
        let standalone = self.config.network == NetworkMode::Standalone;
        for kept in kept.sessions.into_iter().filter(|kept| (SESSION + 1..=HIGHEST).contains(&kept.session)) {
            self.extras.insert(kept.session, Extra::left_over(kept, standalone));
        }
        if kept.connection.is_some() && standalone {
            self.dialer.link = Link::Up;
        }
        if other_port || kept.connection.as_ref().is_some_and(|connection| connection.session != SESSION) {
            self.not_adopted("other-port");
            self.disown_extras(now);
            return self.session.open(now, true);
        }
        if let Some(connection) = kept.connection {
            self.dialer.held = true;
            self.dialer.named = connection.named.clone();
            self.adoption.pending = Some(connection);
        }
        self.timers.set(Timer::Adopt, now + DECIDE);
        // Far from what the last run may still wait for: the low half counts, the high one is random.
        #[allow(clippy::cast_possible_truncation, reason = "any 32 bits will do")]
        let first = (self.config.seed as u32) & 0x7fff_0000 | 0x0001_0001;
        self.session.adopt(now, release, first);
    }

    /// The connection of the last run is not to be had: what it left is taken away.
    pub(super) fn not_adopted(&mut self, why: &'static str) {
        self.timers.clear(Timer::Adopt);
        self.adoption.down();
        self.emit(Event::warn("adoption").with("outcome", "refused").with("reason", why));
        self.link_down();
    }

    /// It is not known in time what holds.
    pub(super) fn on_adopt_overdue(&mut self, now: Time) {
        let idle = self.tables.context == Context::Down;
        if idle && (self.adoption.undecided() || self.extras_undecided()) {
            self.not_adopted("no-answer");
            self.recover(now, "adoption");
        }
    }

    /// Decides as soon as modem, SIM, context, settings and operator are known.
    pub(super) fn advance_adoption(&mut self, now: Time) {
        if self.tables.context != Context::Down {
            return;
        }
        let Some(kept) = &self.adoption.pending else { return };
        let (Some(told), Some(same)) = (self.adoption.told, self.same_as(kept)) else { return };
        let active = told.is_some_and(|fact| fact.state == ACTIVATED);
        let refused = same.err().or((!active).then_some("not-connected"));
        let kept = kept.clone();
        self.facts.context_known = true;
        if let Some(why) = refused {
            self.not_adopted(why);
            if told.is_some_and(|fact| matches!(fact.state, ACTIVATED | 2)) {
                self.drop_context(now, "stale");
            }
            return;
        }
        self.dialer.current = Some(self.dial_of(&kept));
        if self.step(|t| &mut t.context, ContextEvent::Adopt) {
            self.timers.clear(Timer::Adopt);
            self.emit(Event::info("adoption").with("outcome", "done").with("apn", &kept.apn).with("ip", &kept.ip_type));
            self.dialer.deadline = now + next::ADDRESS_DEADLINE;
            self.timers.set(Timer::Address, now + ADDRESS_AGAIN);
            self.ask_ip(now);
        }
    }

    /// Whether modem and SIM are those of a record, or why not; `None` = not everything of them is known yet.
    pub(super) fn same_as(&self, kept: &KeptConnection) -> Option<Result<(), &'static str>> {
        let (Some(caps), Some(ready)) = (&self.facts.caps, &self.facts.ready) else { return None };
        let chosen = self.subscriber.loaded && !self.subscriber.stale && self.subscriber.choice.is_some();
        let starting = matches!(self.tables.sim, SimState::Unknown | SimState::Starting);
        if starting || self.sim_usable() && !chosen {
            return None;
        }
        let device = caps.as_ref().map_or("", |caps| caps.id.reveal());
        let same = |number: &str, known: &str| tag(&kept.salt, number) == known;
        Some(if !same(device, &kept.device) {
            Err("other-modem")
        } else if !same(ready.iccid.reveal(), &kept.iccid) || !same(ready.imsi.reveal(), &kept.imsi) {
            Err("other-sim")
        } else if !self.sim_usable() {
            Err("no-sim")
        } else {
            Ok(())
        })
    }

    /// The candidate that the connection was made with, as far as it is still one.
    pub(super) fn dial_of(&self, kept: &KeptConnection) -> Dial {
        let key = format!("{}/{}", kept.apn.to_lowercase(), kept.user);
        let listed = self.subscriber.choice.as_ref().filter(|_| kept.named.is_none()).and_then(|choice| {
            let mut all = choice.candidates.iter().chain(&choice.special);
            all.find(|candidate| candidate.key() == key).cloned()
        });
        let written = || UserApn { apn: kept.apn.clone(), user: kept.user.clone(), ..UserApn::default() };
        let candidate = listed.unwrap_or_else(|| {
            let named = kept.named.clone().unwrap_or_else(written);
            Candidate::of_profile(&self.profile_of(&named))
        });
        let mut dial = Dial::new(candidate, self.roaming(), kept.purchase).with(kept.purpose);
        dial.ip_type = IpType::parse(&kept.ip_type).unwrap_or(dial.ip_type);
        dial.auth = Auth::parse(&kept.auth).unwrap_or(dial.auth);
        dial
    }

    /// The context is up: that is what the next start is to find.
    pub(super) fn note_up(&mut self) {
        let Some(dial) = self.dialer.current.as_ref().filter(|_| self.config.survives) else { return };
        let kept = self.kept_connection(SESSION, Some(dial), self.dialer.named.clone());
        self.adoption.pending = None;
        self.adoption.told = None;
        self.adoption.connection = Some(kept);
    }

    /// A connection as the next start would need it.
    pub(super) fn kept_connection(&self, session: u32, dial: Option<&Dial>, named: Option<UserApn>) -> KeptConnection {
        let salt = format!("{:016x}", self.config.seed);
        let caps = self.facts.caps.as_ref().and_then(Option::as_ref);
        let ready = self.facts.ready.as_ref();
        let (candidate, ip_type, auth) = match dial {
            Some(dial) => (Some(&dial.candidate), dial.ip_type.as_str(), dial.auth.as_str()),
            None => (None, "", ""),
        };
        KeptConnection {
            session,
            mbimex: self.session.release().bcd(),
            max_control: self.config.max_control,
            device: tag(&salt, caps.map_or("", |caps| caps.id.reveal())),
            iccid: tag(&salt, ready.map_or("", |ready| ready.iccid.reveal())),
            imsi: tag(&salt, ready.map_or("", |ready| ready.imsi.reveal())),
            salt,
            apn: candidate.map(|candidate| candidate.apn.clone()).unwrap_or_default(),
            user: candidate.map(|candidate| candidate.user.clone()).unwrap_or_default(),
            ip_type: ip_type.to_owned(),
            auth: auth.to_owned(),
            purchase: dial.is_some_and(|dial| dial.purchase),
            purpose: dial.map(|dial| dial.purpose).unwrap_or_default(),
            named,
            ending: false,
        }
    }

    /// Has what the next start would need written down, where it is another than before.
    pub(super) fn write_kept(&mut self) {
        if self.adoption.left {
            return;
        }
        let ended = matches!(self.tables.power, Power::Detached) || self.requests.stopping_for_good();
        let connection = self.adoption.connection.clone().or_else(|| self.adoption.pending.clone());
        let sessions = self.kept_extras();
        let kept = Kept { connection, sessions, ..self.wishes().map_or_else(Kept::default, |kept| *kept) };
        let kept = (!ended && kept != Kept::default()).then_some(kept);
        if kept != self.adoption.written {
            self.adoption.written.clone_from(&kept);
            self.effect(Effect::Keep(kept.map(Box::new)));
        }
    }

    /// What people and a sleep left, without any connection.
    pub(super) fn wishes(&self) -> Option<Box<Kept>> {
        let (radio_off, user_off, idle) = (!self.radio_wish, self.dialer.user_off, self.sleep.idle());
        let kept = Kept { radio_off, user_off, idle, ..Kept::default() };
        (kept != Kept::default()).then(|| Box::new(kept))
    }

    /// [`Request::Leave`](crate::request::Request::Leave): what is up stays; without that it is a stop.
    pub(super) fn request_leave(&mut self, now: Time, id: RequestId) {
        let default = self.adoption.connection.is_some() || self.adoption.pending.is_some();
        let up = default || !self.kept_extras().is_empty();
        if self.requests.stopping() || !up {
            return self.request_stop(now, id, false);
        }
        self.keep_memory(now, true);
        self.write_kept();
        self.adoption.left = true;
        self.usage_leave(now, true);
        self.online.quiet(&mut self.outputs);
        self.fail_requests(now, &reason::overtaken("restart"));
        self.extras.clear();
        self.session.leave();
        self.timers.clear_all();
        self.forget_session(now);
        self.dialer.link = Link::None;
        self.step(|t| &mut t.power, PowerEvent::Detach);
        self.trouble = Some(reason::reason("left", "The daemon is being restarted."));
        self.emit(Event::info("left"));
        self.reply(id, Ok(Reply::Done { changed: false }));
    }
}

/// By what a number is recognised without being told: nothing for nothing.
fn tag(salt: &str, number: &str) -> String {
    if number.is_empty() { String::new() } else { log_tag(salt.as_bytes(), number) }
}

//! What follows an activation: addresses, its interface, and its end.

use daemon_operator::next;

use super::{Extra, Order, Question};
use crate::Time;
use crate::event::Event;
use crate::modem::context::HELD_WELL;
use crate::modem::dial::{AfterDrop, Link, ended_by_network};
use crate::modem::io::LinkFailure;
use crate::modem::link::ADDRESS_AGAIN;
use crate::modem::reason::reason;
use crate::modem::tables::{Context, ContextEvent};
use crate::modem::unheard;
use crate::request::RequestError;
use crate::session::deadline;
use crate::snapshot::{IpSettings, Reason};

impl Extra {
    /// Addresses came in vain, or not at all.
    pub(in crate::modem) fn no_ip(&mut self) {
        self.asked.retain(|asked| *asked != Question::Ip);
    }

    /// IP_CONFIGURATION, checked.
    pub(in crate::modem) fn on_ip(&mut self, now: Time, mut settings: IpSettings) {
        let usable = !settings.ipv4.is_empty() || !settings.ipv6.is_empty();
        match self.context {
            Context::Configuring if usable => {
                if settings.dns.is_empty() {
                    settings.dns = core::mem::take(&mut self.early_dns);
                }
                self.set_wake(Some(now + next::ADDRESS_DEADLINE));
                self.step(ContextEvent::Addressed);
                self.raise_link(settings);
            }
            // Name servers may come alone.
            Context::Configuring => self.early_dns = settings.dns,
            Context::Linking | Context::Up => {
                if !usable {
                    let Some(old) = &self.ip else { return };
                    let dns = if settings.dns.is_empty() { old.dns.clone() } else { settings.dns };
                    settings = IpSettings { dns, mtu: settings.mtu.or(old.mtu), ..old.clone() };
                }
                if self.ip.as_ref() != Some(&settings) {
                    self.raise_link(settings);
                }
            }
            _ => {}
        }
    }

    /// What it waited for did not come in time.
    pub(in crate::modem) fn overdue(&mut self, now: Time) {
        self.wake = None;
        let early = now < self.deadline;
        match self.context {
            Context::Activating | Context::Deactivating if early => {
                if !self.asked.contains(&Question::Context) {
                    self.ask(Question::Context);
                }
                self.looks += 1;
                let next = (now + unheard::pause(self.looks)).min(self.deadline);
                self.set_wake(Some(next));
            }
            Context::Activating => self.activation_lost(now),
            Context::Deactivating => self.dropped(now),
            Context::Configuring if early => {
                self.give_up(&[Question::Ip]);
                self.ask(Question::Ip);
                self.set_wake(Some((now + ADDRESS_AGAIN).min(self.deadline)));
            }
            Context::Configuring => {
                let why = reason("no-address", "The network gave no address; another APN may help.");
                self.useless(now, why, "no-address");
            }
            Context::Linking => {
                let why = reason("link-overdue", "The session's interface could not be configured in time.");
                self.useless(now, why, "link-overdue");
            }
            Context::Down | Context::Waiting | Context::Up => {}
        }
    }

    // ---- the link

    pub(super) fn raise_link(&mut self, mut ip: IpSettings) {
        if ip.dns.is_empty() {
            // The record's name servers are for a network that gives none. [OPER-045]
            ip.dns = self.current.as_ref().map(|dial| dial.candidate.dns.clone()).unwrap_or_default();
        }
        self.ip = Some(ip.clone());
        self.link = Link::Rising;
        self.link_orders += 1;
        self.orders.push_back(Order::LinkUp(ip));
    }

    /// The metric of the routes changed.
    pub(in crate::modem) fn renew_link(&mut self) {
        if matches!(self.context, Context::Linking | Context::Up)
            && let Some(ip) = self.ip.clone()
        {
            self.raise_link(ip);
        }
    }

    pub(super) fn link_down(&mut self) {
        self.ip = None;
        self.since = None;
        if matches!(self.link, Link::Rising | Link::Up) {
            self.link = Link::Falling;
            self.link_orders += 1;
            self.orders.push_back(Order::LinkDown);
        }
    }

    /// An order to the link was carried out, or not.
    pub(in crate::modem) fn linked(
        &mut self,
        now: Time,
        up: bool,
        result: Result<(), LinkFailure>,
        interface: Option<String>,
    ) {
        self.link_orders = self.link_orders.saturating_sub(1);
        if self.link_orders > 0 {
            // An answer to an order that a later one has overtaken.
            return;
        }
        match (self.link, up, result) {
            (Link::Falling, false, result) => {
                self.link = Link::None;
                self.interface = None;
                if let Err(failure) = result {
                    self.emit(Event::warn("error").with("what", "link-down").with("code", failure.code));
                }
            }
            (Link::Rising, true, Ok(())) => {
                self.link = Link::Up;
                self.interface = interface;
                self.up(now);
            }
            (Link::Rising, true, Err(failure)) => {
                self.emit(
                    Event::warn("error").with("what", "link").with("code", failure.code).with("text", &failure.text),
                );
                self.useless(now, Reason { code: failure.code, text: failure.text }, "link-failed");
            }
            _ => {}
        }
    }

    pub(super) fn up(&mut self, now: Time) {
        let was = self.context;
        if !self.step(ContextEvent::Linked) || was == Context::Up {
            return;
        }
        self.set_wake(None);
        self.since = Some(now);
        self.held = true;
        self.error = None;
        self.failed_rounds = 0;
        self.congested = 0;
        self.busy = 0;
        self.unheard = 0;
        self.tries.clear();
        let dial = self.current.as_ref();
        let event = Event::info("connected")
            .with("apn", dial.map_or("", |d| d.candidate.apn.as_str()))
            .with("ip", dial.map_or("", |d| d.ip_type.as_str()))
            .with("interface", self.interface.as_deref().unwrap_or(""));
        self.emit(event);
        self.answer_connect(Ok(true));
    }

    // ---- ending

    /// The network accepted it, and it is of no use: the next candidate.
    pub(super) fn useless(&mut self, now: Time, why: Reason, event: &'static str) {
        if matches!(self.context, Context::Configuring | Context::Linking | Context::Up) {
            self.after_drop = AfterDrop::Useless(why);
            self.drop_context(now, event);
        }
    }

    pub(super) fn drop_context(&mut self, now: Time, why: &'static str) {
        let was = self.context;
        if was == Context::Deactivating || self.pending.is_some() || !self.step(ContextEvent::Drop) {
            return;
        }
        if was == Context::Up {
            self.emit(Event::info("disconnected").with("reason", why));
        }
        self.link_down();
        self.watch(now, deadline::DEACTIVATE);
        self.ask(Question::Deactivate);
    }

    pub(super) fn dropped(&mut self, now: Time) {
        if !self.step(ContextEvent::Dropped) {
            return;
        }
        self.set_wake(None);
        self.give_up(&[Question::Activate, Question::Deactivate, Question::Ip]);
        match core::mem::take(&mut self.after_drop) {
            AfterDrop::Nothing | AfterDrop::Next => self.end_round(),
            AfterDrop::Failed(status) => self.dial_failed(now, status, 0),
            AfterDrop::Useless(why) => {
                if let Some(dial) = self.current.clone() {
                    self.note_try(&dial, &why.text);
                }
                self.error = Some(why);
                self.next_candidate(now);
            }
            AfterDrop::Again => self.redial = true,
        }
        self.disconnected();
    }

    /// The context is gone without our doing.
    pub(in crate::modem) fn lost(&mut self, now: Time, cause: u32, why: &'static str) {
        if self.is_idle() {
            return;
        }
        self.step(ContextEvent::Lost);
        if self.since.is_some_and(|since| now.saturating_sub(since) >= HELD_WELL) {
            self.losses = 0;
        }
        self.link_down();
        self.emit(Event::warn("disconnected").with("reason", why).with("cause", cause));
        self.error = Some(ended_by_network(cause));
        self.after_drop = AfterDrop::Nothing;
        self.give_up(&[Question::Activate, Question::Deactivate, Question::Ip]);
        self.lost = true;
        self.end_round();
        self.set_wake(Some(now + next::congestion_backoff(self.losses)));
        self.losses += 1;
        self.disconnected();
    }

    /// Whether it is still up, after a time in which nothing was heard.
    pub(in crate::modem) fn check(&mut self) {
        if self.context == Context::Up {
            self.ask(Question::Context);
        }
        self.forgive();
    }

    /// The network is another one, or is back: waits that began before are over.
    pub(in crate::modem) fn forgive(&mut self) {
        self.congested = 0;
        if self.context == Context::Waiting && (self.lost || !self.in_round) {
            self.set_wake(None);
        }
    }

    /// The control session begins anew: contexts are gone with the old one, and what is wanted is made again. What is
    /// being taken over is asked for again.
    pub(in crate::modem) fn reset(&mut self) {
        self.asked.clear();
        self.told = None;
        self.wake = None;
        if self.pending.is_some() {
            return;
        }
        self.link_down();
        self.step(ContextEvent::Reset);
        self.after_drop = AfterDrop::Nothing;
        self.known = false;
        self.end_round();
        self.disconnected();
    }

    /// What the last run left does not hold, whosever it was; whether it is to be made again is seen later.
    pub(in crate::modem) fn disown(&mut self) {
        if self.pending.is_some() {
            self.link_down();
        }
    }

    /// It ends with the modem or the SIM that it was made over.
    pub(in crate::modem) fn end(&mut self, error: &RequestError) {
        self.pending = None;
        self.leaving = true;
        self.reset();
        self.fail_requests(error);
    }
}

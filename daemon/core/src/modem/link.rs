//! Addresses and the data interface: from IP_CONFIGURATION to a link that is up, and down again.

use core::time::Duration;

use daemon_operator::{Layer, next};

use super::address::{self, Told};
use super::ask::Asked;
use super::context::SESSION;
use super::dial::{AfterDrop, Dial, Link};
use super::io::{LinkFailure, NetworkMode};
use super::machine::Modem;
use super::reason::reason;
use super::tables::{Context, ContextEvent};
use super::timer::Timer;
use crate::Time;
use crate::carrier::CarrierNetwork;
use crate::effect::{Effect, LinkSettings};
use crate::event::Event;
use crate::snapshot::{IpSettings, Reason};

/// How long addresses may stay away before they are asked for once more.
pub(super) const ADDRESS_AGAIN: Duration = Duration::from_secs(7);

impl Modem {
    pub(super) fn on_ip(&mut self, now: Time, session: u32, told: &Told) {
        let checked = address::check(told);
        for field in &checked.refused {
            self.emit(Event::warn("malformed").with("body", "IP_CONFIGURATION").with("field", field));
        }
        if session != SESSION {
            return self.on_extra_ip(now, session, checked.settings);
        }
        let mut settings = checked.settings;
        self.limit_packets(self.dialer.current.as_ref(), &mut settings);
        // The network may allow more than the device takes.
        let largest = self.config.largest_packet;
        settings.mtu = settings.mtu.map(|mtu| largest.map_or(mtu, |largest| mtu.min(largest)));
        let usable = !settings.ipv4.is_empty() || !settings.ipv6.is_empty();
        match self.tables.context {
            Context::Configuring if usable => {
                if settings.dns.is_empty() {
                    settings.dns = core::mem::take(&mut self.dialer.early_dns);
                }
                self.timers.set(Timer::Address, now + next::ADDRESS_DEADLINE);
                self.step(|t| &mut t.context, ContextEvent::Addressed);
                self.raise_link(now, settings);
            }
            // Name servers may come alone.
            Context::Configuring => self.dialer.early_dns = settings.dns,
            Context::Linking | Context::Up => {
                if !usable {
                    let Some(old) = &self.dialer.ip else { return };
                    let dns = if settings.dns.is_empty() { old.dns.clone() } else { settings.dns };
                    settings = IpSettings { dns, mtu: settings.mtu.or(old.mtu), ..old.clone() };
                }
                if self.dialer.ip.as_ref() != Some(&settings) {
                    self.raise_link(now, settings);
                    self.online.due = true;
                }
            }
            _ => {}
        }
    }

    /// The operator's word on packets goes before the network's, for connections that its documents describe. `[PROV 8]`
    pub(super) fn limit_packets(&self, dial: Option<&Dial>, ip: &mut IpSettings) {
        if let Some(network) = self.described(dial) {
            network.limit(ip);
        }
    }

    /// What documents say of the network of a connection that they describe.
    fn described(&self, dial: Option<&Dial>) -> Option<&CarrierNetwork> {
        let theirs = dial.is_some_and(|dial| dial.candidate.source == Layer::Provisioning);
        self.subscriber.state.network.as_ref().filter(|_| theirs)
    }

    fn raise_link(&mut self, now: Time, mut ip: IpSettings) {
        if ip.dns.is_empty() {
            // The record's name servers are for a network that gives none. [OPER-045]
            let recorded = self.dialer.current.as_ref().map(|dial| dial.candidate.dns.clone());
            ip.dns = recorded.unwrap_or_default();
        }
        self.emit(
            Event::info("ip")
                .with("ipv4", ip.ipv4.len())
                .with("ipv6", ip.ipv6.len())
                .with("dns", ip.dns.len())
                .with("mtu", ip.mtu.map_or("default".to_owned(), |mtu| mtu.to_string())),
        );
        self.dialer.ip = Some(ip.clone());
        if self.config.network == NetworkMode::External {
            self.usage_begin(now, SESSION);
            return self.on_linked(now);
        }
        // Before anything can pass.
        self.usage_begin(now, SESSION);
        self.dialer.link = Link::Rising;
        self.dialer.link_orders += 1;
        let metric = self.subscriber.state.settings.metric;
        let dns_retry = self.described(self.dialer.current.as_ref()).and_then(|network| network.dns_retry);
        self.effect(Effect::LinkUp(LinkSettings { session: SESSION, ip, metric, dns_retry }));
    }

    /// The metric of the routes changed.
    pub(super) fn renew_link(&mut self, now: Time) {
        if matches!(self.tables.context, Context::Linking | Context::Up)
            && let Some(ip) = self.dialer.ip.clone()
        {
            self.raise_link(now, ip);
        }
    }

    /// Takes everything off the interface, if anything may be on it. Harmless at any time.
    pub(super) fn link_down(&mut self) {
        self.adoption.down();
        self.usage_end(SESSION);
        self.dialer.ip = None;
        self.dialer.since = None;
        if matches!(self.dialer.link, Link::Rising | Link::Up) {
            self.dialer.link = Link::Falling;
            self.dialer.link_orders += 1;
            self.effect(Effect::LinkDown { session: SESSION });
        }
        self.link_lost();
    }

    pub(super) fn on_link_done(&mut self, now: Time, up: bool, result: Result<(), LinkFailure>) {
        self.dialer.link_orders = self.dialer.link_orders.saturating_sub(1);
        if self.dialer.link_orders > 0 {
            // An answer to an order that a later one has overtaken.
            return;
        }
        match (self.dialer.link, up, result) {
            (Link::Falling, false, result) => {
                self.dialer.link = Link::None;
                if let Err(failure) = result {
                    self.emit(Event::warn("error").with("what", "link-down").with("code", failure.code));
                }
            }
            (Link::Rising, true, Ok(())) => {
                self.dialer.link = Link::Up;
                self.on_linked(now);
            }
            (Link::Rising, true, Err(failure)) => {
                self.emit(
                    Event::warn("error").with("what", "link").with("code", failure.code).with("text", &failure.text),
                );
                if matches!(self.tables.context, Context::Linking | Context::Up) {
                    self.dialer.after_drop = AfterDrop::Useless(Reason { code: failure.code, text: failure.text });
                    self.drop_context(now, "link-failed");
                }
            }
            _ => {}
        }
    }

    fn on_linked(&mut self, now: Time) {
        let was = self.tables.context;
        if !self.step(|t| &mut t.context, ContextEvent::Linked) || was == Context::Up {
            return;
        }
        self.timers.clear(Timer::Address);
        self.timers.clear(Timer::Retry);
        self.dialer.since = Some(now);
        // What is up is kept, and made again after a loss, until somebody ends it.
        self.dialer.held = true;
        self.dialer.error = None;
        self.dialer.failed_rounds = 0;
        self.dialer.congested = 0;
        self.dialer.busy = 0;
        self.dialer.unheard = 0;
        self.dialer.tries.clear();
        self.subscriber.recalled = None;
        self.keep_memory(now, false);
        self.healthy();
        if self.depth_to_connected.is_none() {
            self.depth_to_connected = Some(self.session.counters().depth.saturating_sub(self.depth_at_attach));
        }
        let dial = self.dialer.current.as_ref();
        let event = Event::info("connected")
            .with("apn", dial.map_or("", |d| d.candidate.apn.as_str()))
            .with("ip", dial.map_or("", |d| d.ip_type.as_str()))
            .with("criterion", dial.map_or_else(String::new, |d| d.candidate.criterion.to_string()))
            .with("source", dial.map_or("", |d| d.candidate.source.as_str()));
        self.emit(event);
        self.note_up();
        self.link_ready(now);
        if self.requests.job_connects() {
            self.finish_job(Ok(true));
        }
        if !self.facts.signal_asked {
            self.facts.signal_asked = true;
            self.ask_signal(now, None);
        }
    }

    pub(super) fn on_address_overdue(&mut self, now: Time) {
        if self.tables.context == Context::Configuring && now < self.dialer.deadline {
            self.give_up_on(now, |asked| matches!(asked, Asked::Ip));
            self.ask_ip(now);
            let next = (now + ADDRESS_AGAIN).min(self.dialer.deadline);
            return self.timers.set(Timer::Address, next);
        }
        let why = match self.tables.context {
            Context::Configuring => reason("no-address", "The network gave no address; another APN may help."),
            Context::Linking => reason("link-overdue", "The data interface could not be configured in time."),
            _ => return,
        };
        self.dialer.after_drop = AfterDrop::Useless(why);
        self.drop_context(now, "no-address");
    }
}

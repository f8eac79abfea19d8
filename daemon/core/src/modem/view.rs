//! Facts and decisions → the read model. Pure: called after each input, compared with what was published.

use mbim_proto::Secret;

use super::context::SESSION;
use super::extras::shown as shown_context;
use super::machine::Modem;
use super::network::{packet_name, registration_name};
use super::online::shown;
use super::operator::candidate_view;
use super::public_state::public_state;
use super::reason::{self, reason};
use super::sim::ready_of;
use super::tables::{Context, Power, Reach, RegistrationState, SimState};
use super::timer::Timer;
use crate::Time;
use crate::carrier::CarrierNetwork;
use crate::request::Purpose;
use crate::snapshot::{
    Connection, Connectivity, Custody, Device, ModemState, Packet, PinNeeded, Radio, Reason, Registration, Sim,
    Snapshot, Traffic,
};

impl Modem {
    pub(super) fn view(&self, now: Time) -> Snapshot {
        let state = public_state(&self.tables);
        Snapshot {
            port: self.config.port.clone(),
            custody: Custody::Held,
            state,
            reason: self.reason(state),
            device: self.device(),
            sim: Sim {
                ready: ready_of(self.tables.sim, self.facts.ready.as_ref().map(|ready| ready.state)),
                identity: self.subscriber.identity.clone(),
                pin: self
                    .facts
                    .pin
                    .as_ref()
                    .filter(|pin| pin.locked && self.tables.sim == SimState::Locked)
                    .map(|pin| PinNeeded { kind: pin.name.clone(), attempts: pin.attempts }),
                hwids: self.subscriber.hwids.clone(),
            },
            radio: Radio { hardware: self.facts.hardware, software: self.facts.software, blocked: self.blocked },
            registration: self.registration(),
            packet: self.packet(),
            signal: self.facts.signal.unwrap_or_default(),
            operator: self.subscriber.view.clone(),
            network: self.network_view(),
            connections: self.connections(),
            connectivity: self.connectivity(now),
            usage: self.usage_view(),
            guests: self.guests.count(),
            settings: self.subscriber.state.settings.clone(),
            traffic: self.traffic(),
        }
    }

    /// Without what contexts are dialled with.
    fn network_view(&self) -> Option<CarrierNetwork> {
        let mut network = self.subscriber.state.network.clone()?;
        for profile in network.contexts.iter_mut().map(|context| &mut context.profile).chain(&mut network.tethering) {
            profile.user.clear();
            profile.password = Secret::default();
        }
        Some(network)
    }

    fn traffic(&self) -> Traffic {
        let counters = self.session.counters();
        Traffic {
            sent: counters.sent,
            received: counters.received,
            round_trips_to_connected: self.depth_to_connected.unwrap_or(0),
        }
    }

    fn reason(&self, state: ModemState) -> Option<Reason> {
        if let Some(trouble) = &self.trouble {
            return Some(trouble.clone());
        }
        if self.tables.power != Power::Ready || state == ModemState::Connected {
            return None;
        }
        if let Some(why) = reason::sim(self.tables.sim) {
            let puk = self.facts.pin.as_ref().is_some_and(|pin| pin.locked && pin.kind == super::sim::PUK1);
            if puk && self.tables.sim == SimState::Locked {
                return Some(reason("puk-required", "The PIN is blocked; unblock it with the PUK."));
            }
            return Some(why);
        }
        let gate = self.gate().map(|gate| gate.reason);
        let wanted = self.wants_context() || state < ModemState::Registered;
        gate.filter(|_| wanted).or_else(|| self.dialer.error.clone())
    }

    fn device(&self) -> Option<Device> {
        let caps = self.facts.caps.as_ref()?.as_ref()?;
        let services = self.session.offers().list.iter();
        Some(Device {
            mbimex: self.session.release().bcd(),
            services: services
                .map(|offer| {
                    let name = mbim_proto::service::uuid_name(offer.service);
                    (name.map_or_else(|| offer.service.to_string(), str::to_owned), offer.cids.clone())
                })
                .collect(),
            ..caps.clone()
        })
    }

    fn registration(&self) -> Registration {
        let fact = self.facts.register.as_ref();
        let state = self.tables.registration;
        Registration {
            state: registration_name(state).to_owned(),
            registered: state.is_registered(),
            roaming: state.is_registered() && self.roaming(),
            plmn: fact.map(|fact| fact.provider_id.clone()).unwrap_or_default(),
            name: fact.map(|fact| fact.provider_name.clone()).unwrap_or_default(),
            nw_error: fact.filter(|_| state == RegistrationState::Denied).map_or(0, |fact| fact.nw_error),
            data_classes: fact.map_or(0, |fact| fact.classes),
        }
    }

    fn packet(&self) -> Packet {
        let fact = self.facts.packet;
        Packet {
            state: packet_name(self.tables.packet).to_owned(),
            data_class: fact.map_or(0, |fact| fact.data_class),
            uplink: fact.and_then(|fact| fact.uplink),
            downlink: fact.and_then(|fact| fact.downlink),
        }
    }

    fn connections(&self) -> Vec<Connection> {
        if self.tables.power != Power::Ready {
            return Vec::new();
        }
        let roaming = self.roaming();
        let current = self.dialer.current.as_ref();
        let default = Connection {
            session: SESSION,
            purpose: Purpose::Internet,
            context: None,
            state: shown_context(self.tables.context),
            candidate: current.map(|dial| {
                let mut view = candidate_view(&dial.candidate, roaming);
                view.ip_type = dial.ip_type.as_str().to_owned();
                view.auth = dial.auth.as_str().to_owned();
                view
            }),
            ip: self.dialer.ip.clone(),
            interface: self.config.port.interface.clone(),
            since: self.dialer.since,
            error: self.dialer.error.clone(),
            retry_at: self.timers.at(Timer::Retry),
            failures: self.dialer.failed_rounds.max(self.dialer.congested),
        };
        core::iter::once(default).chain(self.extra_connections()).collect()
    }

    /// What the last verdict rests on; where there was nothing to test, what is missing. `[OPER 4.1]`
    fn connectivity_reason(&self) -> String {
        if self.tables.reach != Reach::None {
            return self.online.reason.clone();
        }
        let unaddressed = self.dialer.error.as_ref().is_some_and(|error| error.code == "no-address");
        let addressing = matches!(self.tables.context, Context::Configuring | Context::Linking);
        if unaddressed || addressing { "no-address" } else { "no-bearer" }.to_owned()
    }

    fn connectivity(&self, now: Time) -> Connectivity {
        let available = self.portal_available();
        Connectivity {
            state: shown(self.tables.reach),
            families: self.online.families.clone(),
            reason: self.connectivity_reason(),
            purchase_needed: self.purchase_needed(),
            portal_available: available,
            portal_source: if available { self.portal_source().0.to_owned() } else { String::new() },
            portal_host: if available { self.portal_source().1 } else { String::new() },
            hand_over: self.hand_over_wanted(),
            last_probe: self.online.last_probe,
            evidence: self.online.evidence.clone(),
            cost: self.online.cost(now, self.probe_budget()),
        }
    }
}

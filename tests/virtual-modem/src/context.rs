//! Sessions: activation against the network's rules, IP settings, and the ways in which they end.

use crate::answer::{
    STATUS_CONTEXT_NOT_ACTIVATED, STATUS_FAILURE, STATUS_INVALID_ACCESS_STRING, STATUS_INVALID_USER_NAME_PWD,
    STATUS_SERVICE_NOT_ACTIVATED,
};
use crate::machine::{Event, Ticket, VirtualModem};
use crate::network::{IpSettings, Refusal, SessionRequest, SessionSettings, cause};
use crate::order::Output;
use crate::sim::Slot;
use core::time::Duration;
use mbim_proto::Uuid;

/// One session that is not just inactive.
#[derive(Debug)]
pub(crate) struct Context {
    pub(crate) phase: Phase,
    pub(crate) context_type: Uuid,
    /// The family that was asked for, until one is granted.
    pub(crate) ip_type: u32,
    /// NwError of an activation that was narrowed.
    pub(crate) nw_error: u32,
    generation: u32,
}

/// Where a session stands.
#[derive(Debug)]
pub(crate) enum Phase {
    Activating { wish: Wish, ticket: Option<Ticket> },
    Activated { settings: SessionSettings, ip_known: bool },
    Deactivating { settings: SessionSettings, ticket: Ticket },
}

/// What the host asked for.
#[derive(Debug)]
pub(crate) struct Wish {
    pub(crate) apn: String,
    pub(crate) user: String,
    pub(crate) password: String,
    pub(crate) auth: u32,
    pub(crate) ip_type: u32,
    pub(crate) context_type: Uuid,
}

impl Context {
    /// MBIM_ACTIVATION_STATE.
    pub(crate) const fn state(&self) -> u32 {
        match self.phase {
            Phase::Activated { .. } => 1,
            Phase::Activating { .. } => 2,
            Phase::Deactivating { .. } => 4,
        }
    }

    /// What the session got, while it has it.
    pub(crate) const fn settings(&self) -> Option<&SessionSettings> {
        match &self.phase {
            Phase::Activated { settings, .. } | Phase::Deactivating { settings, .. } => Some(settings),
            Phase::Activating { .. } => None,
        }
    }
}

impl VirtualModem {
    /// Sessions that are activated, with what they got.
    pub(crate) fn active_sessions(&self) -> Vec<(u32, SessionSettings)> {
        let active = |(session, context): (&u32, &Context)| Some((*session, context.settings()?.clone()));
        self.contexts.iter().filter_map(active).collect()
    }

    /// Begins an activation. The ticket is answered when it is decided, unless the modem answers `activating` at once.
    pub(crate) fn activate(&mut self, now: Duration, session: u32, wish: Wish, ticket: Ticket) {
        let generation = self.memory.next_generation();
        let (context_type, ip_type) = (wish.context_type, wish.ip_type);
        let later = self.profile.activates_later;
        let phase = Phase::Activating { wish, ticket: (!later).then_some(ticket) };
        self.contexts.insert(session, Context { phase, context_type, ip_type, nw_error: 0, generation });
        if later {
            let body = self.connect_body(session);
            self.finish(now, ticket, 0, body);
        }
        self.later(now, self.profile.pace.activate, Event::Activated { session, generation });
    }

    pub(crate) fn activation_is_decided(&mut self, now: Duration, session: u32, generation: u32) {
        let Some(context) = self.contexts.get_mut(&session).filter(|context| context.generation == generation) else {
            return;
        };
        let Phase::Activating { wish, ticket } = &mut context.phase else { return };
        let ticket = ticket.take();
        let request = SessionRequest {
            session,
            apn: &wish.apn,
            user: &wish.user,
            password: &wish.password,
            auth: wish.auth,
            ip_type: wish.ip_type,
        };
        let unwoken = matches!(&self.profile.slot, Slot::Card(sim) if !sim.activated);
        let verdict = match self.profile.network.admit(&request) {
            Ok(_) if unwoken => Err((STATUS_SERVICE_NOT_ACTIVATED, cause::NOT_SUBSCRIBED)),
            Ok(granted) => Ok(granted),
            Err(Refusal::Apn) => Err((STATUS_INVALID_ACCESS_STRING, cause::UNKNOWN_APN)),
            Err(Refusal::Credentials) => Err((STATUS_INVALID_USER_NAME_PWD, cause::AUTHENTICATION_FAILED)),
            Err(Refusal::Cause(cause)) => Err((STATUS_FAILURE, cause)),
        };
        match verdict {
            Ok((settings, nw_error)) => {
                let ip_known = self.profile.pace.ip_configuration.is_zero();
                context.ip_type = settings.ip_type;
                context.nw_error = nw_error;
                context.phase = Phase::Activated { settings: settings.clone(), ip_known };
                self.output(Output::SessionUp { session, settings });
                let body = self.connect_body(session);
                match ticket {
                    Some(ticket) => self.finish(now, ticket, 0, body),
                    None => self.indicate_connect(now, body),
                }
                self.indicate_pco(now, session);
                if !ip_known {
                    self.later(now, self.profile.pace.ip_configuration, Event::IpKnown { session, generation });
                } else if ticket.is_none() {
                    self.indicate_ip(now, session);
                }
            }
            Err((status, nw_error)) => {
                let body = self.refused_connect_body(session, nw_error);
                self.contexts.remove(&session);
                match ticket {
                    Some(ticket) => self.finish(now, ticket, status, body),
                    None => self.indicate_connect(now, body),
                }
            }
        }
    }

    pub(crate) fn ip_is_known(&mut self, now: Duration, session: u32, generation: u32) {
        let context = self.contexts.get_mut(&session).filter(|context| context.generation == generation);
        if let Some(Context { phase: Phase::Activated { ip_known, .. }, .. }) = context {
            *ip_known = true;
            self.indicate_ip(now, session);
        }
    }

    /// The network gives other settings.
    pub(crate) fn readdress(&mut self, now: Duration, session: u32, ip: IpSettings) {
        if let Some(Context { phase: Phase::Activated { settings, ip_known }, .. }) = self.contexts.get_mut(&session) {
            settings.ip = ip;
            *ip_known = true;
            let settings = settings.clone();
            self.output(Output::SessionUp { session, settings });
            self.indicate_ip(now, session);
        }
    }

    /// CONNECT set, deactivate.
    pub(crate) fn deactivate(&mut self, now: Duration, session: u32, ticket: Ticket) {
        let Some(mut context) = self.contexts.remove(&session) else {
            let body = self.connect_body(session);
            return self.finish(now, ticket, STATUS_CONTEXT_NOT_ACTIVATED, body);
        };
        match context.phase {
            Phase::Activating { ticket: waiting, .. } => {
                let body = self.connect_body(session);
                if let Some(waiting) = waiting {
                    self.finish(now, waiting, STATUS_FAILURE, body.clone());
                }
                self.finish(now, ticket, 0, body);
            }
            Phase::Activated { settings, .. } => {
                context.phase = Phase::Deactivating { settings, ticket };
                context.generation = self.memory.next_generation();
                let generation = context.generation;
                self.contexts.insert(session, context);
                self.later(now, self.profile.pace.deactivate, Event::Deactivated { session, generation });
            }
            Phase::Deactivating { settings, ticket: first } => {
                // The second request is done by the first's end, which answers only one: answer this one now.
                self.contexts
                    .insert(session, Context { phase: Phase::Deactivating { settings, ticket: first }, ..context });
                let body = self.connect_body(session);
                self.finish(now, ticket, 0, body);
            }
        }
    }

    pub(crate) fn is_deactivated(&mut self, now: Duration, session: u32, generation: u32) {
        if self.contexts.get(&session).is_none_or(|context| context.generation != generation) {
            return;
        }
        if let Some(Context { phase: Phase::Deactivating { ticket, .. }, .. }) = self.contexts.remove(&session) {
            self.output(Output::SessionDown { session });
            let body = self.connect_body(session);
            self.finish(now, ticket, 0, body);
        }
    }

    /// The network ends a session.
    pub(crate) fn drop_context(&mut self, now: Duration, session: u32, cause: u32) {
        self.end_context(now, session, cause, STATUS_FAILURE);
    }

    /// All sessions end, lowest first. `status` answers activations that were under way.
    pub(crate) fn drop_all_contexts(&mut self, now: Duration, cause: u32, status: u32) {
        let sessions: Vec<u32> = self.contexts.keys().copied().collect();
        for session in sessions {
            self.end_context(now, session, cause, status);
        }
    }

    /// Sessions end that the subscription no longer admits.
    pub(crate) fn drop_what_is_not_admitted(&mut self, now: Duration) {
        for (session, settings) in self.active_sessions() {
            if !self.profile.network.admits(&settings.apn) {
                self.end_context(now, session, cause::NOT_SUBSCRIBED, STATUS_FAILURE);
            }
        }
    }

    fn end_context(&mut self, now: Duration, session: u32, cause: u32, status: u32) {
        let body = self.refused_connect_body(session, cause);
        let Some(context) = self.contexts.remove(&session) else { return };
        match context.phase {
            Phase::Activating { ticket: Some(ticket), .. } => self.finish(now, ticket, status, body),
            Phase::Activating { ticket: None, .. } => self.indicate_connect(now, body),
            Phase::Activated { .. } => {
                self.output(Output::SessionDown { session });
                self.indicate_connect(now, body);
            }
            Phase::Deactivating { ticket, .. } => {
                self.output(Output::SessionDown { session });
                self.finish(now, ticket, 0, body);
            }
        }
    }

    /// All sessions end without a word to the host: it closed, or is gone.
    pub(crate) fn end_sessions(&mut self) {
        for (session, context) in core::mem::take(&mut self.contexts) {
            if context.settings().is_some() {
                self.output(Output::SessionDown { session });
            }
        }
    }
}

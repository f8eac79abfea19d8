//! Contexts that are stored in the modem. What the operator had put there counts as its provisioning; what the maker did stands
//! between a person's overlay and the distribution's database. They are read where the records do not tell the operator for
//! certain and nothing was good before: for all others they would only be questions. `[OPER-067]`

use daemon_operator::profile::is_apn;
use daemon_operator::{Auth, IpType, Layer, Match, Password, Profile, Purposes};
use mbim_proto::service::context_type;
use mbim_proto::service::{basic_connect as bc, ms_basic_connect_ext as ext};
use mbim_proto::status::Status;
use mbim_proto::{Body as _, Malformed, Uuid};

use super::ask::Answer;
use super::machine::Modem;
use crate::Time;

/// Most contexts that are weighed.
const MOST: usize = 16;

impl Modem {
    /// Whether they could make it another choice, and the modem has them.
    pub(super) fn wants_contexts(&self) -> bool {
        let state = &self.subscriber.state;
        let known = state.last_good_home.is_some() || state.last_good_roaming.is_some();
        let sure = self.subscriber.choice.as_ref().is_none_or(|choice| choice.verdict == Match::Exact);
        let offered = self.offers::<ext::ProvisionedContextsV2>() || self.offers::<bc::ProvisionedContexts>();
        !self.facts.card.contexts_tried && !known && !sure && offered
    }

    pub(super) fn ask_contexts(&mut self, now: Time) {
        self.facts.card.contexts_tried = true;
        self.ask_stored_contexts(now);
    }

    pub(super) fn on_contexts(&mut self, answer: Answer<Vec<Profile>>) {
        if let Answer::Body(Status::SUCCESS, contexts) = answer {
            self.facts.card.contexts = contexts;
            self.card_answered();
        }
    }
}

/// PROVISIONED_CONTEXTS of the extensions, which tells who made a context.
pub(super) fn told(buffer: &[u8]) -> Result<Vec<Profile>, Malformed> {
    let body = ext::ProvisionedContextsV2::decode(buffer)?;
    let usable = body.provisioned_contexts.into_iter().filter(|context| context.state == ext::ContextState::ENABLED);
    let made = usable.filter_map(|context| {
        let layer = match context.source {
            ext::ContextSource::OPERATOR => Layer::Provisioning,
            ext::ContextSource::MODEM | ext::ContextSource::DEVICE => Layer::Modem,
            // What this or another host has stored is no news.
            _ => return None,
        };
        let (user, password) = (context.user_name.reveal(), context.password.reveal());
        let login = (user.as_str(), password.as_str(), context.auth_protocol);
        let ip_type = match context.ip_type {
            bc::ContextIpType::IPV4 => Some(IpType::V4),
            bc::ContextIpType::IPV6 => Some(IpType::V6),
            bc::ContextIpType::IPV4V6 | bc::ContextIpType::IPV4_AND_IPV6 => Some(IpType::V4v6),
            _ => None,
        };
        Some(Profile { ip_type, ..profile(layer, context.context_type, &context.access_string, login)? })
    });
    Ok(made.take(MOST).collect())
}

/// PROVISIONED_CONTEXTS of Basic Connect, which does not tell.
pub(super) fn told_plainly(buffer: &[u8]) -> Result<Vec<Profile>, Malformed> {
    let body = bc::ProvisionedContexts::decode(buffer)?;
    let made = body.provisioned_contexts.into_iter().filter_map(|context| {
        let (user, password) = (context.user_name.reveal(), context.password.reveal());
        let login = (user.as_str(), password.as_str(), context.auth_protocol);
        profile(Layer::Modem, context.context_type, &context.access_string, login)
    });
    Ok(made.take(MOST).collect())
}

fn profile(layer: Layer, kind: Uuid, apn: &str, login: (&str, &str, bc::AuthProtocol)) -> Option<Profile> {
    let purposes = match kind {
        context_type::INTERNET => Purposes::INTERNET,
        context_type::PURCHASE => Purposes::PURCHASE,
        context_type::MMS => Purposes::MMS,
        context_type::TETHERING => Purposes::TETHER,
        _ => return None,
    };
    let (user, password, auth) = login;
    is_apn(apn.trim()).then(|| Profile {
        layer,
        name: "modem".to_owned(),
        apn: apn.to_owned(),
        user: user.to_owned(),
        password: Password::new(password),
        auth: match auth {
            bc::AuthProtocol::PAP => Some(Auth::Pap),
            bc::AuthProtocol::CHAP => Some(Auth::Chap),
            bc::AuthProtocol::MSCHAPV2 => Some(Auth::MsChapV2),
            _ => None,
        },
        purposes,
        in_modem: true,
        ..Profile::default()
    })
}

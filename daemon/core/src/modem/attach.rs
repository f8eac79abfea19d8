//! The context of LTE and later with which the modem attaches. It is the modem's and the operator's own, and a wrong one keeps
//! the modem out of the network: it is looked at only where an operator record names an access point for it, and written only
//! where the modem has another. What is written holds from the next attach on. `[OPER-068]`

use daemon_operator::profile::RoamingState;
use daemon_operator::{Auth, Candidate, IpType};
use mbim_proto::service::basic_connect as bc;
use mbim_proto::service::ms_basic_connect_ext as ext;
use mbim_proto::status::Status;
use mbim_proto::{Personal, Secret};

use super::ask::Answer;
use super::machine::Modem;
use crate::Time;
use crate::event::Event;

/// Roaming conditions, each of which has an entry: always all of them are written. `[MS LTE attach operations]`
const CONDITIONS: [(ext::LteAttachContextRoamingControl, RoamingState); 3] = [
    (ext::LteAttachContextRoamingControl::HOME, RoamingState::Home),
    (ext::LteAttachContextRoamingControl::PARTNER, RoamingState::Partner),
    (ext::LteAttachContextRoamingControl::NON_PARTNER, RoamingState::Roaming),
];

type Entries = Vec<ext::LteAttachConfigurationEntry>;

impl Modem {
    /// Asks for the configuration, once for each SIM in a session.
    pub(super) fn advance_attach(&mut self, now: Time) {
        let wanted = !self.facts.attach_asked
            && !self.subscriber.stale
            && self.subscriber.choice.as_ref().is_some_and(|choice| choice.attach().is_some());
        if wanted && self.offers::<ext::LteAttachConfigurationSet>() {
            self.facts.attach_asked = true;
            self.ask_attach(now);
        }
    }

    pub(super) fn on_attach_configuration(&mut self, now: Time, answer: Answer<Entries>) {
        let Answer::Body(Status::SUCCESS, present) = answer else { return };
        let Some(wanted) = self.subscriber.choice.as_ref().and_then(|choice| choice.attach()) else { return };
        let Some(configurations) = changed(wanted, &present) else { return };
        let event = Event::info("attach-configuration").with("apn", &wanted.apn).with("source", wanted.source.as_str());
        self.emit(event);
        self.ask_attach_set(now, configurations);
    }

    pub(super) fn on_attach_written(&mut self, answer: &Answer<Entries>) {
        if let Answer::Body(status, _) | Answer::Status(status) = answer
            && *status != Status::SUCCESS
        {
            self.emit(Event::warn("error").with("what", "attach-configuration").with("status", status));
        }
    }
}

/// The configuration with the record's access point in it; `None` where it is there already, or where the modem's is not what
/// the specification says. A condition in which the record's may not be used keeps what it has.
fn changed(wanted: &Candidate, present: &[ext::LteAttachConfigurationEntry]) -> Option<Entries> {
    if present.len() != CONDITIONS.len() {
        return None;
    }
    let mut entries = Vec::new();
    let mut differs = false;
    for (roaming, state) in CONDITIONS {
        let old = present.iter().find(|entry| entry.roaming == roaming)?;
        if !wanted.allowed(state) {
            entries.push(old.clone());
            continue;
        }
        let ip_type = match wanted.ip_type(state != RoamingState::Home) {
            IpType::V4 => bc::ContextIpType::IPV4,
            IpType::V6 => bc::ContextIpType::IPV6,
            IpType::V4v6 => bc::ContextIpType::IPV4V6,
        };
        let auth_protocol = match wanted.start_auth() {
            Auth::None => bc::AuthProtocol::NONE,
            Auth::Pap => bc::AuthProtocol::PAP,
            Auth::Chap => bc::AuthProtocol::CHAP,
            Auth::MsChapV2 => bc::AuthProtocol::MSCHAPV2,
        };
        let new = ext::LteAttachConfigurationEntry {
            ip_type,
            roaming,
            // The machine's administrator wrote the record.
            source: ext::ContextSource::ADMIN,
            access_string: wanted.apn.clone(),
            user_name: Personal::new(wanted.user.clone()),
            password: Secret::new(wanted.password.reveal().to_owned()),
            compression: old.compression,
            auth_protocol,
        };
        differs |= ext::LteAttachConfigurationEntry { source: old.source, ..new.clone() } != *old;
        entries.push(new);
    }
    differs.then_some(entries)
}

#[cfg(test)]
mod tests {
    use daemon_operator::profile::RoamingMode;
    use daemon_operator::{Layer, Profile, Purposes};

    use super::*;

    fn wanted() -> Candidate {
        Candidate::of_profile(&Profile {
            layer: Layer::Overlay,
            apn: "lte".into(),
            ip_type: Some(IpType::V6),
            purposes: Purposes::ATTACH,
            ..Profile::default()
        })
    }

    fn present(conditions: &[ext::LteAttachContextRoamingControl]) -> Vec<ext::LteAttachConfigurationEntry> {
        let entry = |roaming: &ext::LteAttachContextRoamingControl| ext::LteAttachConfigurationEntry {
            roaming: *roaming,
            source: ext::ContextSource::OPERATOR,
            access_string: "old".into(),
            ..ext::LteAttachConfigurationEntry::default()
        };
        conditions.iter().map(entry).collect()
    }

    #[test]
    fn all_three_are_written_and_only_where_something_differs() {
        use ext::LteAttachContextRoamingControl as Condition;
        let all = [Condition::NON_PARTNER, Condition::HOME, Condition::PARTNER];
        let new = changed(&wanted(), &present(&all)).unwrap();
        let told: Vec<_> =
            new.iter().map(|entry| (entry.roaming, entry.access_string.as_str(), entry.ip_type)).collect();
        let v6 = bc::ContextIpType::IPV6;
        assert_eq!(
            told,
            [(Condition::HOME, "lte", v6), (Condition::PARTNER, "lte", v6), (Condition::NON_PARTNER, "lte", v6)]
        );
        assert_eq!(changed(&wanted(), &new), None, "as it is wanted");
        let by_another: Vec<_> = new
            .iter()
            .map(|entry| ext::LteAttachConfigurationEntry { source: ext::ContextSource::OPERATOR, ..entry.clone() })
            .collect();
        assert_eq!(changed(&wanted(), &by_another), None, "whoever wrote it");
        // What is not to be used abroad leaves those entries alone.
        let home = Candidate { roaming: Some(RoamingMode::Home), ..wanted() };
        let new = changed(&home, &present(&all)).unwrap();
        assert_eq!(new.iter().map(|entry| entry.access_string.as_str()).collect::<Vec<_>>(), ["lte", "old", "old"]);
        // A modem whose list is none of that kind is left alone.
        for strange in [&all[..2], &[], &[Condition::HOME; 3]] {
            assert_eq!(changed(&wanted(), &present(strange)), None, "{strange:?}");
        }
    }
}

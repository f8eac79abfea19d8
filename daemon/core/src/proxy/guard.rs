//! What a client's command may do to a modem that the daemon uses, and what has to be looked at afterwards.
//!
//! | Command | What happens |
//! |---|---|
//! | Set, of a client that may only ask, but for the subscription | refused |
//! | CONNECT deactivate of a session that is the daemon's | refused |
//! | CONNECT activate of such a session | as if the modem had no more contexts |
//! | PACKET_SERVICE detach while a session of the daemon is up | refused |
//! | DEVICE_SERVICE_SUBSCRIBE_LIST | united with those of all others |
//! | VERSION where the modem has it | answered with the release in force: another one would change it for all |
//! | everything else | goes to the modem |

use mbim_proto::service::{BASIC_CONNECT, MS_BASIC_CONNECT_EXT, basic_connect as bc, canonical, ms_basic_connect_ext};
use mbim_proto::status::Status;
use mbim_proto::{Body, Operation};

use super::{Access, GuestCommand};

/// What to do with a command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Send it.
    Forward,
    /// Answer it with this status.
    Refuse(Status),
    /// It is the client's own list of indications.
    Subscribe,
    /// Answer it with the release in force.
    Release,
}

/// What a command of a client changed, perhaps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Touched {
    /// The radio's switch: what a person wants of it now, if that can be read.
    Radio(Option<bool>),
    /// The SIM, or the slot that it is in.
    Sim,
    /// The home operator.
    Home,
    /// Registration.
    Registration,
    /// The packet service.
    Packet,
}

/// Word in CONNECT that activates.
const ACTIVATE: u32 = bc::ActivationCommand::ACTIVATE.0;

/// Judges a command. `owned`: whether a session is the daemon's; `busy`: whether any session of the daemon is up or on
/// its way; `releases`: whether the modem has VERSION.
#[must_use]
pub fn judge(
    command: &GuestCommand,
    access: Access,
    owned: impl Fn(u32) -> bool,
    busy: bool,
    releases: bool,
) -> Verdict {
    let set = command.operation == Operation::Set;
    let service = canonical(command.service);
    if service == MS_BASIC_CONNECT_EXT && command.cid == ms_basic_connect_ext::Version::CID && releases {
        return Verdict::Release;
    }
    let basic = service == BASIC_CONNECT;
    match command.cid {
        bc::DeviceServiceSubscribeList::CID if basic && set => Verdict::Subscribe,
        _ if set && access == Access::Query => Verdict::Refuse(Status::OPERATION_NOT_ALLOWED),
        bc::ConnectInfo::CID if basic && set => connect(&command.buffer, owned),
        bc::PacketService::CID if basic && set && busy && !attaches(&command.buffer) => {
            Verdict::Refuse(Status::OPERATION_NOT_ALLOWED)
        }
        _ => Verdict::Forward,
    }
}

/// Session and order stand first in all layouts of all releases.
fn connect(buffer: &[u8], owned: impl Fn(u32) -> bool) -> Verdict {
    match (word(buffer, 0), word(buffer, 1)) {
        (Some(session), Some(_)) if !owned(session) => Verdict::Forward,
        (Some(_), Some(ACTIVATE)) => Verdict::Refuse(Status::MAX_ACTIVATED_CONTEXTS),
        (Some(_), Some(_)) => Verdict::Refuse(Status::OPERATION_NOT_ALLOWED),
        _ => Verdict::Refuse(Status::INVALID_PARAMETERS),
    }
}

fn attaches(buffer: &[u8]) -> bool {
    word(buffer, 0) == Some(bc::PacketServiceAction::ATTACH.0)
}

fn word(buffer: &[u8], at: usize) -> Option<u32> {
    let bytes = buffer.get(at * 4..)?.first_chunk::<4>()?;
    Some(u32::from_le_bytes(*bytes))
}

/// What has to be asked for anew after a command that the modem carried out.
#[must_use]
pub fn touched(command: &GuestCommand) -> Option<Touched> {
    if command.operation != Operation::Set {
        return None;
    }
    let service = canonical(command.service);
    if service == MS_BASIC_CONNECT_EXT {
        return (command.cid == ms_basic_connect_ext::DeviceSlotMappings::CID).then_some(Touched::Sim);
    }
    if service != BASIC_CONNECT {
        return None;
    }
    match command.cid {
        bc::RadioState::CID => {
            let on = bc::RadioStateSet::decode(&command.buffer).ok().map(|set| set.radio_state);
            Some(Touched::Radio(on.map(|state| state == bc::RadioSwitchState::ON)))
        }
        bc::PinSet::CID => Some(Touched::Sim),
        bc::HomeProvider::CID => Some(Touched::Home),
        bc::RegisterStateInfo::CID => Some(Touched::Registration),
        bc::PacketService::CID => Some(Touched::Packet),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use mbim_proto::Uuid;

    fn command(service: Uuid, cid: u32, operation: Operation, words: &[u32]) -> GuestCommand {
        GuestCommand { service, cid, operation, buffer: words.iter().flat_map(|word| word.to_le_bytes()).collect() }
    }

    fn verdict(command: &GuestCommand, access: Access) -> Verdict {
        judge(command, access, |session| session == 0, true, true)
    }

    #[test]
    fn sessions_of_the_daemon_are_safe() {
        let connect = |words: &[u32]| verdict(&command(BASIC_CONNECT, 12, Operation::Set, words), Access::Full);
        assert_eq!(connect(&[0, 0]), Verdict::Refuse(Status::OPERATION_NOT_ALLOWED));
        assert_eq!(connect(&[0, 1, 9]), Verdict::Refuse(Status::MAX_ACTIVATED_CONTEXTS));
        assert_eq!(connect(&[1, 0]), Verdict::Forward);
        assert_eq!(connect(&[1, 1, 9]), Verdict::Forward);
        assert_eq!(connect(&[1]), Verdict::Refuse(Status::INVALID_PARAMETERS));
        assert_eq!(connect(&[]), Verdict::Refuse(Status::INVALID_PARAMETERS));
        let query = command(BASIC_CONNECT, 12, Operation::Query, &[0, 0]);
        assert_eq!(verdict(&query, Access::Query), Verdict::Forward);
        let detach = command(BASIC_CONNECT, 10, Operation::Set, &[1]);
        assert_eq!(verdict(&detach, Access::Full), Verdict::Refuse(Status::OPERATION_NOT_ALLOWED));
        assert_eq!(judge(&detach, Access::Full, |_| false, false, true), Verdict::Forward);
        let attach = command(BASIC_CONNECT, 10, Operation::Set, &[0]);
        assert_eq!(verdict(&attach, Access::Full), Verdict::Forward);
    }

    #[test]
    fn who_may_only_ask_sets_nothing_but_its_subscription() {
        let radio = command(BASIC_CONNECT, 3, Operation::Set, &[0]);
        assert_eq!(verdict(&radio, Access::Query), Verdict::Refuse(Status::OPERATION_NOT_ALLOWED));
        assert_eq!(verdict(&radio, Access::Full), Verdict::Forward);
        let list = command(BASIC_CONNECT, 19, Operation::Set, &[0]);
        assert_eq!(
            [Access::Query, Access::Full].map(|access| verdict(&list, access)),
            [const { Verdict::Subscribe }; 2]
        );
        let caps = command(BASIC_CONNECT, 1, Operation::Query, &[]);
        assert_eq!(verdict(&caps, Access::Query), Verdict::Forward);
    }

    #[test]
    fn the_release_is_not_for_clients_to_change_in_either_spelling() {
        let other: Uuid = "3d01dcc5-fef5-4d05-9d3a-bef7058e9aaf".parse().unwrap();
        for service in [MS_BASIC_CONNECT_EXT, other] {
            for operation in [Operation::Query, Operation::Set] {
                let version = command(service, 15, operation, &[0x0200_0100]);
                assert_eq!(verdict(&version, Access::Full), Verdict::Release);
                assert_eq!(judge(&version, Access::Full, |_| false, false, false), Verdict::Forward);
            }
        }
    }

    #[test]
    fn what_a_set_touches_is_looked_at() {
        let set = |cid, words: &[u32]| touched(&command(BASIC_CONNECT, cid, Operation::Set, words));
        assert_eq!(set(3, &[1]), Some(Touched::Radio(Some(true))));
        assert_eq!(set(3, &[0]), Some(Touched::Radio(Some(false))));
        assert_eq!(set(3, &[]), Some(Touched::Radio(None)));
        assert_eq!(set(9, &[]), Some(Touched::Registration));
        assert_eq!(set(10, &[1]), Some(Touched::Packet));
        assert_eq!(set(4, &[]), Some(Touched::Sim));
        assert_eq!(set(12, &[1, 1]), None);
        assert_eq!(touched(&command(BASIC_CONNECT, 3, Operation::Query, &[])), None);
    }
}

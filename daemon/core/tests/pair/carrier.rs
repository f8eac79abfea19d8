//! What an operator's documents say of its network: contexts by their names, sharing, packets. PROV-190, PROV-195 to PROV-198.

use daemon_core::carrier::{CarrierNetwork, NamedContext};
use daemon_core::request::{Purpose, Reply, Request, RequestError, RequestErrorKind};
use daemon_core::snapshot::ContextState;
use daemon_core::subscriber::{ProvisionedProfile, UserApn};
use mbim_proto::Secret;
use virtual_modem::Profile;

use crate::driver::Pair;

const DONE: Result<Reply, RequestError> = Ok(Reply::Done { changed: true });
const NOTHING: Result<Reply, RequestError> = Ok(Reply::Done { changed: false });
const CARRIER: &str = "{5f0c6b1e-3a52-4a3c-9d0b-6d62696d6401}";

fn profile(name: &str, apn: &str) -> ProvisionedProfile {
    let (name, apn, carrier_id) = (name.to_owned(), apn.to_owned(), CARRIER.to_owned());
    ProvisionedProfile {
        name,
        apn,
        carrier_id,
        password: Secret::new("secret".into()),
        ..ProvisionedProfile::default()
    }
}

/// A context for television, on the access point that the virtual network calls `purchase`.
fn network() -> CarrierNetwork {
    CarrierNetwork {
        carrier_id: CARRIER.to_owned(),
        ipv4_mtu: Some(1300),
        contexts: vec![NamedContext { profile: profile("TV", "purchase"), programs: vec!["tv".into()] }],
        ..CarrierNetwork::default()
    }
}

/// Online, with that in force.
fn pair(network: CarrierNetwork) -> Pair {
    let mut pair = Pair::new(Profile::default());
    pair.attach();
    pair.connect();
    assert_eq!(pair.ask(set(None, network)), DONE);
    pair
}

fn set(default: Option<ProvisionedProfile>, network: CarrierNetwork) -> Request {
    Request::SetProfiles { default, purchase: None, network: Some(Box::new(network)) }
}

fn context(session: u32, name: &str) -> Request {
    Request::ConnectContext { session, name: name.to_owned() }
}

#[test]
fn a_context_is_connected_by_its_name() {
    let mut pair = pair(network());
    let default = pair.snapshot().connections[0].clone();
    assert_eq!(pair.ask(context(0, "TV")), DONE, "{}", pair.account());
    let shown = pair.session(1).cloned().unwrap();
    assert_eq!((shown.state, shown.context.as_deref()), (ContextState::Up, Some("TV")));
    assert_eq!(shown.candidate.map(|candidate| candidate.apn).as_deref(), Some("purchase"));
    assert_eq!(pair.links[&1].ip.mtu, Some(1300), "the document's size of packets");
    assert_eq!(pair.ask(context(0, "TV")), NOTHING, "it has its session already");
    // A person's access point of another session is none of the document's.
    let apn = Some(UserApn { apn: "purchase".into(), ..UserApn::default() });
    assert_eq!(pair.ask(Request::ConnectSession { session: 2, apn, purpose: Purpose::Internet }), DONE);
    assert_eq!((pair.session(2).unwrap().context.clone(), pair.links[&2].ip.mtu), (None, Some(1500)));
    assert_eq!(pair.ask(context(3, "TV")), DONE, "a session of its own where one is asked for");
    assert_eq!(pair.snapshot().connections[0], default, "the default connection has not noticed");
    let error = pair.ask(context(0, "Radio")).unwrap_err();
    assert_eq!((error.kind, error.reason.code), (RequestErrorKind::NotFound, "no-such-context"));
    // What it is dialled with is shown to nobody.
    let shown = pair.snapshot().network.clone().unwrap();
    assert_eq!(shown.contexts[0].profile.password.reveal(), "");
    assert_eq!(pair.stored.as_ref().unwrap().network.as_ref().unwrap().contexts[0].profile.password.reveal(), "secret");
}

#[test]
fn an_operator_may_forbid_further_contexts() {
    let mut pair = pair(CarrierNetwork { one_context: true, ..network() });
    let session = |purpose| Request::ConnectSession { session: 0, apn: None, purpose };
    for request in [context(0, "TV"), context(4, "TV"), session(Purpose::Tether), session(Purpose::Mms)] {
        let error = pair.ask(request.clone()).unwrap_err();
        assert_eq!((error.kind, error.reason.code), (RequestErrorKind::WrongState, "one-context"), "{request:?}");
    }
    assert!(pair.is_up());
    assert_eq!(pair.ask(Request::Reconnect), DONE);
    // A newer document takes it back.
    assert_eq!(pair.ask(set(None, network())), DONE);
    assert_eq!(pair.ask(context(0, "TV")), DONE);
}

#[test]
fn shared_traffic_has_the_context_of_the_document() {
    let mut pair = pair(CarrierNetwork { tethering: Some(profile("Share", "purchase")), ..network() });
    assert_eq!(pair.ask(Request::ConnectSession { session: 0, apn: None, purpose: Purpose::Tether }), DONE);
    let shown = pair.session(1).cloned().unwrap();
    assert_eq!((shown.purpose, shown.candidate.unwrap().apn.as_str()), (Purpose::Tether, "purchase"));
    assert_eq!(pair.links[&1].ip.mtu, Some(1300));
}

#[test]
fn packets_are_as_large_as_the_document_says() {
    let mut pair = pair(network());
    assert_eq!(pair.link.as_ref().unwrap().ip.mtu, Some(1500), "not of a connection that no document describes");
    assert_eq!(pair.ask(set(Some(profile("Plan", "internet")), network())), DONE);
    assert_eq!(pair.ask(Request::Reconnect), DONE);
    assert_eq!(pair.link.as_ref().unwrap().ip.mtu, Some(1300));
    assert_eq!(pair.ask(Request::ForgetProfiles(CARRIER.to_uppercase())), DONE);
    assert_eq!(pair.snapshot().network, None);
    assert_eq!(pair.ask(Request::Reconnect), DONE);
    assert_eq!(pair.link.as_ref().unwrap().ip.mtu, Some(1500));
}

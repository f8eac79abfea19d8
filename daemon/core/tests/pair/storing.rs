//! What is remembered: a change is answered when it is known whether it is stored, and holds only then.

use std::collections::VecDeque;

use daemon_core::modem::Input;
use daemon_core::request::{Reply, Request, RequestErrorKind};
use daemon_core::subscriber::{ProvisionedProfile, Settings};
use virtual_modem::{Order, Profile, Sim, Slot};

use crate::driver::Pair;

const DONE: Result<Reply, daemon_core::request::RequestError> = Ok(Reply::Done { changed: true });

fn connected() -> Pair {
    let mut pair = Pair::new(Profile::default());
    pair.attach();
    pair.connect();
    pair
}

fn metric(metric: u32) -> Request {
    Request::SetSettings(Settings { metric: Some(metric), ..Settings::default() })
}

fn profile(apn: &str) -> Request {
    let profile = ProvisionedProfile { name: "Plan".into(), apn: apn.into(), ..ProvisionedProfile::default() };
    Request::SetProfiles { default: Some(profile), purchase: None, network: None }
}

#[test]
fn what_cannot_be_stored_is_refused_and_not_in_force() {
    let mut pair = connected();
    pair.store_fails = Some(true);
    let before = pair.snapshot().clone();
    let error = pair.ask(metric(42)).unwrap_err();
    assert_eq!((error.kind, error.reason.code), (RequestErrorKind::Storage, "not-stored"));
    assert!(error.reason.text.contains("Free some space, then repeat"), "{}", error.reason.text);
    assert_eq!(pair.link.as_ref().unwrap().metric, None);
    assert_eq!(pair.snapshot(), &before);
    assert!(pair.has_event("error", "what", "store"));
    pair.store_fails = Some(false);
    let error = pair.ask(profile("purchase")).unwrap_err();
    assert_eq!(error.kind, RequestErrorKind::Storage);
    assert!(error.reason.text.contains("No space left on device"), "{}", error.reason.text);
    assert_eq!(pair.ask(Request::Reconnect), DONE);
    assert_eq!(pair.snapshot().connections[0].candidate.as_ref().unwrap().apn, "internet", "the old profile");
    // The disk has space again: the same is done now.
    pair.store_fails = None;
    assert_eq!(pair.ask(metric(42)), DONE);
    assert_eq!(pair.link.as_ref().unwrap().metric, Some(42));
    assert_eq!(pair.ask(profile("purchase")), DONE);
    let stored = pair.stored.clone().unwrap();
    assert_eq!((stored.settings.metric, stored.default_profile.unwrap().apn.as_str()), (Some(42), "purchase"));
    assert_eq!(pair.ask(metric(42)), Ok(Reply::Done { changed: false }));
}

/// What provisioning brought goes again, that of another operator stays.
#[test]
fn profiles_of_an_operator_are_forgotten() {
    let mut pair = connected();
    let of = |carrier: &str, apn: &str| {
        let (carrier_id, apn) = (carrier.into(), apn.into());
        Some(ProvisionedProfile { name: "Plan".into(), apn, carrier_id, ..ProvisionedProfile::default() })
    };
    let set = Request::SetProfiles { default: of("{a}", "purchase"), purchase: of("{b}", "purchase"), network: None };
    assert_eq!(pair.ask(set), DONE);
    assert_eq!(pair.ask(Request::ForgetProfiles("{C}".into())), Ok(Reply::Done { changed: false }));
    pair.store_fails = Some(true);
    assert!(pair.ask(Request::ForgetProfiles("{A}".into())).is_err());
    assert!(pair.stored.as_ref().unwrap().default_profile.is_some());
    pair.store_fails = None;
    assert_eq!(pair.ask(Request::ForgetProfiles("{A}".into())), DONE);
    let stored = pair.stored.clone().unwrap();
    assert_eq!((stored.default_profile.is_some(), stored.purchase_profile.is_some()), (false, true));
    assert_eq!(pair.ask(Request::Reconnect), DONE);
    assert_eq!(pair.snapshot().connections[0].candidate.as_ref().unwrap().apn, "internet", "as before");
}

#[test]
fn the_reply_waits_for_the_disk_and_changes_keep_their_order() {
    let mut pair = connected();
    pair.slow_writes = Some(VecDeque::new());
    let ids = [metric(1), profile("purchase"), metric(2), metric(2)].map(|request| pair.request(request));
    pair.run(30, |_| false);
    assert!(ids.iter().all(|id| !pair.replies.contains_key(id)), "nothing is known yet");
    assert_eq!(pair.link.as_ref().unwrap().metric, None, "nothing holds yet");
    pair.finish_write();
    assert_eq!(pair.replies.get(&ids[0]), Some(&DONE));
    assert_eq!(pair.link.as_ref().unwrap().metric, Some(1));
    // The second fails; the third is not carried away by it.
    pair.store_fails = Some(true);
    pair.finish_write();
    assert_eq!(pair.replies[&ids[1]].clone().unwrap_err().kind, RequestErrorKind::Storage);
    pair.store_fails = None;
    pair.finish_write();
    assert_eq!(pair.replies.get(&ids[2]), Some(&DONE));
    assert_eq!(pair.replies.get(&ids[3]), Some(&Ok(Reply::Done { changed: false })));
    let stored = pair.stored.clone().unwrap();
    assert_eq!((stored.settings.metric, stored.default_profile), (Some(2), None));
}

#[test]
fn an_unplug_loses_no_reply() {
    let mut pair = connected();
    pair.slow_writes = Some(VecDeque::new());
    let ids = [metric(1), metric(2)].map(|request| pair.request(request));
    pair.order(Order::Unplug);
    pair.gone();
    assert!(!pair.replies.contains_key(&ids[0]), "the disk is still at work");
    assert_eq!(pair.replies[&ids[1]].clone().unwrap_err().kind, RequestErrorKind::Gone);
    pair.finish_write();
    assert_eq!(pair.replies.get(&ids[0]), Some(&DONE), "it is stored, whatever became of the modem");
    assert_eq!(pair.stored.clone().unwrap().settings.metric, Some(1));
    // A store that answers what nobody asked moves nothing.
    pair.feed(Input::Stored);
    pair.feed(Input::StoreFailed { text: "late".into(), full: false });
}

#[test]
fn a_change_meant_for_one_sim_does_not_reach_another() {
    let mut pair = connected();
    pair.slow_writes = Some(VecDeque::new());
    let ids = [metric(1), metric(2)].map(|request| pair.request(request));
    let other = Sim { iccid: "8999000000000000025".into(), imsi: "001015512345699".into(), ..Sim::default() };
    pair.order(Order::Slot(Slot::Card(Box::new(other))));
    assert!(pair.run(60, |p| p.has_event("sim", "state", "changed")), "{}", pair.account());
    pair.finish_write();
    assert_eq!(pair.replies.get(&ids[0]), Some(&DONE));
    assert_eq!(pair.replies[&ids[1]].clone().unwrap_err().reason.code, "sim-changed");
}

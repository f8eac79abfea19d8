//! Calls become requests, answers and errors come back by name.

use daemon_core::request::{PinRequest, Purpose, Request};
use daemon_core::snapshot::{Metered, ModemCounts, SessionUse};
use daemon_core::subscriber::UserApn;
use daemon_core::usage::Counters;
use dbus_api::error::{Code, Error};
use dbus_api::trace::{Record, What};
use zbus::{Variant, message};

use super::{URL, no_options, open_gate, proxy, shut_gate, stand};
use futures_util::StreamExt;

fn code(result: zbus::Result<impl std::fmt::Debug>) -> Code {
    Error::from(result.unwrap_err()).code()
}

#[tokio::test]
async fn connect_answers_at_once_and_tells_the_end_afterwards() {
    let mut stand = stand(open_gate()).await;
    let connection = proxy!(stand, ConnectionProxy);
    let mut options = no_options();
    options.insert("apn", "refused".into());
    let cookie = connection.connect(&options).await.unwrap();
    let signal = stand.signal("Finished").await;
    let (told, error, reason, text): (u64, String, String, String) = signal.body().deserialize().unwrap();
    assert_eq!((told, error.as_str(), reason.as_str()), (cookie, "org.mbimd.Mbimd1.Error.Refused", "apn-unknown"));
    assert!(text.contains("cause 27"));

    let next = connection.disconnect().await.unwrap();
    assert_ne!(next, cookie);
    let signal = stand.signal("Finished").await;
    let told: (u64, String, String, String) = signal.body().deserialize().unwrap();
    assert_eq!(told, (next, String::new(), String::new(), String::new()));
    assert_eq!(stand.modem.asked().len(), 2);
}

#[tokio::test]
async fn sessions_have_their_own_requests() {
    let mut stand = stand(open_gate()).await;
    let connection = proxy!(stand, ConnectionProxy);
    for (session, apn) in [(0u32, None), (2, Some("ims")), (255, None)] {
        let mut options = no_options();
        options.insert("session", session.into());
        if let Some(apn) = apn {
            options.insert("apn", apn.into());
        }
        connection.connect(&options).await.unwrap();
        stand.signal("Finished").await;
        connection.disconnect_session(session).await.unwrap();
        stand.signal("Finished").await;
    }
    assert_eq!(code(connection.connect(&[("session", Variant::from(256u32))].into()).await), Code::InvalidArgs);
    assert_eq!(code(connection.connect(&[("session", Variant::from("2"))].into()).await), Code::InvalidArgs);
    assert_eq!(code(connection.disconnect_session(256).await), Code::InvalidArgs);
    for purpose in ["mms", "internet"] {
        connection.connect(&[("purpose", Variant::from(purpose))].into()).await.unwrap();
        stand.signal("Finished").await;
    }
    assert_eq!(code(connection.connect(&[("purpose", Variant::from("fun"))].into()).await), Code::InvalidArgs);
    let apn = Some(UserApn { apn: "ims".into(), ..UserApn::default() });
    let wanted = [
        Request::Connect { apn: None },
        Request::Disconnect,
        Request::ConnectSession { session: 2, apn, purpose: Purpose::Internet },
        Request::DisconnectSession { session: 2 },
        Request::ConnectSession { session: 255, apn: None, purpose: Purpose::Internet },
        Request::DisconnectSession { session: 255 },
        Request::ConnectSession { session: 0, apn: None, purpose: Purpose::Mms },
        Request::Connect { apn: None },
    ];
    assert_eq!(stand.modem.asked(), wanted);
}

/// PROV-195: a context of the operator's documents, for everybody or for the programs that it is for.
#[tokio::test]
async fn contexts_are_for_the_programs_that_they_name() {
    use daemon_core::carrier::{CarrierNetwork, NamedContext};
    use daemon_core::subscriber::ProvisionedProfile;
    let mut stand = stand(open_gate()).await;
    let connection = proxy!(stand, ConnectionProxy);
    let context = |name: &str, programs: &[&str]| NamedContext {
        profile: ProvisionedProfile { name: name.into(), apn: "tv.example".into(), ..ProvisionedProfile::default() },
        programs: programs.iter().map(|&program| program.to_owned()).collect(),
    };
    let network = CarrierNetwork {
        contexts: vec![context("All", &[]), context("Some", &["no.such.program"])],
        class_names: vec![("LTE".into(), "Example 4G".into())],
        support_number: "+1 800 555 0100".into(),
        ..CarrierNetwork::default()
    };
    stand.modem.change(|snapshot| {
        snapshot.network = Some(network.clone());
        snapshot.operator = Some(daemon_core::snapshot::OperatorChoice::default());
        snapshot.packet.data_class = 1 << 5;
    });
    let named = |name: &'static str| [("context", Variant::from(name))].into();
    connection.connect(&named("All")).await.unwrap();
    stand.signal("Finished").await;
    assert_eq!(code(connection.connect(&named("Some")).await), Code::NotAuthorized);
    connection.connect(&[("context", "None".into()), ("session", 3u32.into())].into()).await.unwrap();
    stand.signal("Finished").await;
    let both = [("context", "All".into()), ("apn", "x".into())].into();
    assert_eq!(code(connection.connect(&both).await), Code::InvalidArgs);
    let wanted =
        [("All", 0), ("None", 3)].map(|(name, session)| Request::ConnectContext { session, name: name.into() });
    assert_eq!(stand.modem.asked(), wanted);
    let shown = connection.contexts().await.unwrap();
    assert_eq!((shown.len(), &*shown[1]["name"], &*shown[1]["apn"]), (2, &"Some".into(), &"tv.example".into()));
    let operator = proxy!(stand, ModemProxy).operator().await.unwrap();
    assert_eq!(
        (&*operator["class-name"], &*operator["support-number"]),
        (&"Example 4G".into(), &"+1 800 555 0100".into())
    );
    stand.modem.change(|snapshot| snapshot.network = Some(CarrierNetwork { one_context: true, ..network }));
    assert!(connection.contexts().await.unwrap().is_empty());
}

#[tokio::test]
async fn the_cookie_comes_before_the_end() {
    let mut stand = stand(open_gate()).await;
    let connection = proxy!(stand, ConnectionProxy);
    connection.connect(&no_options()).await.unwrap();
    let mut reply_seen = false;
    while let Some(Ok(message)) = stand.messages.next().await {
        match message.message_type() {
            message::Type::MethodReturn => reply_seen = true,
            message::Type::Signal if message.header().member().is_some_and(|name| name == "Finished") => break,
            _ => {}
        }
    }
    assert!(reply_seen);
}

#[tokio::test]
async fn arguments_are_checked_before_the_modem_is_asked() {
    let stand = stand(open_gate()).await;
    let connection = proxy!(stand, ConnectionProxy);
    for (key, value) in [
        ("apn", Variant::from("a".repeat(101))),
        ("apn", Variant::from(1u32)),
        ("auth", Variant::from("magic")),
        ("user", Variant::from("without apn")),
        ("nonsense", Variant::from(true)),
    ] {
        assert_eq!(code(connection.connect(&[(key, value)].into()).await), Code::InvalidArgs, "{key}");
    }
    let sim = proxy!(stand, SimProxy);
    for pin in ["123", "123456789", "12a4", "", "１２３４"] {
        assert_eq!(code(sim.enter_pin(pin).await), Code::InvalidArgs);
    }
    assert_eq!(code(sim.unblock_pin("1234567", "1234").await), Code::InvalidArgs);
    assert!(stand.modem.asked().is_empty());
}

#[tokio::test]
async fn errors_of_the_modem_keep_their_kind() {
    let stand = stand(open_gate()).await;
    let sim = proxy!(stand, SimProxy);
    assert_eq!(code(sim.enter_pin("1234").await), Code::WrongPin);
    assert!(matches!(stand.modem.asked()[0], Request::Pin(PinRequest::Enter(_))));
}

#[tokio::test]
async fn a_modem_that_hangs_up_is_gone() {
    let stand = stand(open_gate()).await;
    // A modem whose task has ended, but which is still listed.
    let (requests, _) = tokio::sync::mpsc::channel(1);
    let mut handle = stand.modem.handle.clone();
    (handle.id, handle.requests) = (3, requests);
    stand.modems.send(vec![handle]).unwrap();
    let mut stand = stand;
    stand.signal("InterfacesAdded").await;
    let modem =
        dbus_api::proxy::ModemProxy::builder(&stand.client).path(dbus_api::path::modem(3)).build().await.unwrap();
    assert_eq!(code(modem.set_radio(true).await), Code::Gone);
}

#[tokio::test]
async fn settings_are_merged_with_those_in_force() {
    let stand = stand(open_gate()).await;
    stand.modem.change(|snapshot| snapshot.settings.metric = Some(50));
    let connection = proxy!(stand, ConnectionProxy);
    connection.set_settings(&[("autoconnect", false.into())].into(), &[]).await.unwrap();
    let [Request::SetSettings(settings)] = &stand.modem.asked()[..] else { panic!("one request") };
    assert_eq!((settings.autoconnect, settings.metric), (false, Some(50)));
}

#[tokio::test]
async fn what_names_a_person_needs_authorisation() {
    let stand = stand(open_gate()).await;
    let (url, source) = proxy!(stand, ConnectivityProxy).get_portal_url().await.unwrap();
    assert_eq!((url.as_str(), source.as_str()), (URL, "operator"));
    assert_eq!(proxy!(stand, SimProxy).get_identity().await.unwrap()["imsi"], super::IMSI);
    assert_eq!(proxy!(stand, SimProxy).get_hardware_ids().await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_trace_is_a_socket_of_records() {
    let stand = stand(open_gate()).await;
    let modem = proxy!(stand, ModemProxy);
    let socket = modem.trace(&no_options()).await.unwrap();
    let mut buffer = [0; 128];
    let mut next = || {
        let (_, count) = rustix::net::recv(&socket, &mut buffer[..], rustix::net::RecvFlags::DONTWAIT).unwrap();
        Record::decode(&buffer[..count]).map(|record| format!("{:?}", record.what))
    };
    assert_eq!(next(), Some(format!("{:?}", What::Sent(super::FRAME))));
    assert_eq!(next(), Some(format!("{:?}", What::End("stopped"))));
    assert_eq!(next(), None, "the end of the socket");
    assert!(stand.modem.asked().is_empty(), "the modem's session goes on");
    modem.trace(&[("restart", true.into())].into()).await.unwrap();
    assert_eq!(stand.modem.asked(), [Request::Restart]);
    assert_eq!(code(modem.trace(&[("reveal", true.into())].into()).await), Code::InvalidArgs);
}

#[tokio::test]
async fn what_was_used_is_told_and_forgotten() {
    let stand = stand(open_gate()).await;
    let usage = proxy!(stand, UsageProxy);
    stand.modem.change(|snapshot| {
        snapshot.usage.home.rx_octets = 7;
        snapshot.usage.sessions = vec![SessionUse { session: 2, used: snapshot.usage.home }];
        let modem = Counters { rx_octets: 9, ..Counters::default() };
        snapshot.usage.modem = Some(ModemCounts { modem, here: snapshot.usage.home });
        (snapshot.usage.metered, snapshot.usage.metered_by) = (Metered::Yes, "roaming");
    });
    assert_eq!((usage.home().await.unwrap()["rx-octets"], usage.roaming().await.unwrap()["tx-octets"]), (7, 0));
    let session = usage.sessions().await.unwrap().remove(0);
    assert_eq!((&*session["session"], &*session["rx-octets"]), (&Variant::U32(2), &Variant::U64(7)));
    let counts = usage.modem().await.unwrap();
    assert_eq!((counts["modem-rx-octets"], counts["rx-octets"]), (9, 7));
    assert_eq!((usage.metered().await.unwrap(), usage.metered_name().await.unwrap().as_str()), (1, "yes"));
    assert_eq!(usage.metered_by().await.unwrap(), "roaming");
    let day = usage.get_days().await.unwrap().remove(0);
    let told = (&*day["day"], &*day["roaming"], &*day["tx-octets"]);
    assert_eq!(told, (&Variant::U64(20_000 * 86_400), &Variant::Bool(true), &Variant::U64(6)));
    usage.refresh().await.unwrap();
    usage.reset().await.unwrap();
    assert_eq!(stand.modem.asked(), [Request::UsageDays, Request::RefreshUsage, Request::ResetUsage]);
}

#[tokio::test]
async fn nobody_unauthorised_reaches_the_modem() {
    let stand = stand(shut_gate()).await;
    let modem = proxy!(stand, ModemProxy);
    let sim = proxy!(stand, SimProxy);
    let connection = proxy!(stand, ConnectionProxy);
    let connectivity = proxy!(stand, ConnectivityProxy);
    let provisioning = dbus_api::proxy::ProvisioningProxy::new(&stand.client).await.unwrap();
    let codes = [
        code(modem.set_radio(false).await),
        code(modem.refresh_signal().await),
        code(modem.trace(&no_options()).await),
        code(modem.trace(&[("restart", true.into())].into()).await),
        code(sim.enter_pin("1234").await),
        code(sim.enable_pin("1234").await),
        code(sim.disable_pin("1234").await),
        code(sim.change_pin("1234", "4321").await),
        code(sim.unblock_pin("12345678", "4321").await),
        code(sim.get_identity().await),
        code(sim.get_hardware_ids().await),
        code(connection.connect(&no_options()).await),
        code(connection.disconnect().await),
        code(connection.set_settings(&no_options(), &[]).await),
        code(connectivity.check().await),
        code(connectivity.get_portal_url().await),
        code(proxy!(stand, UsageProxy).reset().await),
        code(provisioning.apply(b"<x/>", &no_options()).await),
        code(provisioning.apply(b"<x/>", &[("source", "website".into())].into()).await),
        code(provisioning.get_job(1).await),
    ];
    assert!(codes.iter().all(|code| *code == Code::NotAuthorized), "{codes:?}");
    assert!(stand.modem.asked().is_empty());
    assert!(stand.provisioner.submissions.lock().unwrap().is_empty());
    // Reading stays open, masked.
    assert!(!modem.explain().await.unwrap().is_empty());
    assert!(modem.get_statistics().await.unwrap().contains_key("messages-sent"));
    assert_eq!(modem.state_name().await.unwrap(), "connected");
}

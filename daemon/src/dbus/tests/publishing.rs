//! Plug, change, unplug: each is told once and exactly.

use std::collections::{BTreeSet, HashMap};
use std::time::Duration;

use daemon_core::quota::Quota;
use daemon_core::snapshot::{ConnectivityState, ModemState};
use futures_util::StreamExt;
use zbus::fdo::ObjectManagerProxy;
use zbus::{OwnedObjectPath, OwnedVariant, message};

use super::{FakeModem, Stand, open_gate, proxy, stand};

async fn manager(stand: &Stand) -> ObjectManagerProxy<'static> {
    let builder = ObjectManagerProxy::builder(&stand.client).destination(dbus_api::name::SERVICE);
    builder.path(dbus_api::path::ROOT).build().await.unwrap()
}

type Changed = (String, HashMap<String, OwnedVariant>, Vec<String>);

/// Signals that arrive until nothing comes for a moment.
async fn drain(stand: &mut Stand) -> Vec<message::Message> {
    let mut all = Vec::new();
    while let Ok(Some(Ok(message))) = tokio::time::timeout(Duration::from_millis(50), stand.messages.next()).await {
        if message.message_type() == message::Type::Signal {
            all.push(message);
        }
    }
    all
}

#[tokio::test]
async fn modems_are_listed_with_all_their_properties() {
    let stand = stand(open_gate()).await;
    let objects = manager(&stand).await.get_managed_objects().await.unwrap();
    assert_eq!(objects.keys().map(|path| path.as_str()).collect::<Vec<_>>(), ["/org/mbimd/Mbimd1/modem/0"]);
    let interfaces = objects.values().next().unwrap();
    let names: BTreeSet<&str> = interfaces.keys().map(|name| name.as_str()).collect();
    assert_eq!(
        names,
        BTreeSet::from([
            dbus_api::name::MODEM,
            dbus_api::name::SIM,
            dbus_api::name::CONNECTION,
            dbus_api::name::CONNECTIVITY,
            dbus_api::name::USAGE
        ])
    );

    let modem = proxy!(stand, ModemProxy);
    assert_eq!(modem.state().await.unwrap(), 11);
    assert_eq!(modem.state_name().await.unwrap(), "connected");
    assert_eq!(modem.usb_id().await.unwrap(), "1199:9091");
    assert_eq!(modem.mbim_extensions().await.unwrap(), "3.0");
    assert_eq!(modem.supported_technologies().await.unwrap(), ["lte"]);
    assert_eq!(modem.services().await.unwrap(), [("basic-connect".to_owned(), vec![1, 2])]);
    assert_eq!(dbus_api::value::text(&modem.operator().await.unwrap(), "match").as_deref(), Some("exact"));
    let connection = proxy!(stand, ConnectionProxy);
    assert_eq!(connection.addresses().await.unwrap(), ["10.64.0.2/30"]);
    assert_eq!(connection.state().await.unwrap(), "up");
    let sim = proxy!(stand, SimProxy);
    assert_eq!(sim.imsi().await.unwrap(), "00101********98");
    assert_eq!(sim.home_network().await.unwrap(), "00101");
}

#[tokio::test]
async fn a_plug_and_an_unplug_are_one_signal_each() {
    let mut stand = stand(open_gate()).await;
    drain(&mut stand).await;
    let second = FakeModem::new(7);
    stand.modems.send(vec![stand.modem.handle.clone(), second.handle.clone()]).unwrap();
    let signals = drain(&mut stand).await;
    assert_eq!(signals.len(), 1, "{signals:?}");
    assert_eq!(signals[0].header().member().unwrap(), "InterfacesAdded");
    type Added = (OwnedObjectPath, HashMap<String, HashMap<String, OwnedVariant>>);
    let (path, interfaces): Added = signals[0].body().deserialize().unwrap();
    assert_eq!((path.as_str(), interfaces.len()), ("/org/mbimd/Mbimd1/modem/7", 5));
    assert!(interfaces[dbus_api::name::MODEM].contains_key("State"));

    stand.modems.send(vec![second.handle.clone()]).unwrap();
    let signals = drain(&mut stand).await;
    assert_eq!(signals.len(), 1, "{signals:?}");
    let (path, interfaces): (OwnedObjectPath, Vec<String>) = signals[0].body().deserialize().unwrap();
    assert_eq!((path.as_str(), interfaces.len()), ("/org/mbimd/Mbimd1/modem/0", 5));
    let objects = manager(&stand).await.get_managed_objects().await.unwrap();
    assert_eq!(objects.len(), 1);
    // The number of the one that is gone leads nowhere.
    assert!(proxy!(stand, ModemProxy).state().await.is_err());
}

#[tokio::test]
async fn exactly_what_changed_is_told_once_for_each_interface() {
    let mut stand = stand(open_gate()).await;
    drain(&mut stand).await;
    stand.modem.change(|snapshot| {
        snapshot.state = ModemState::Registered;
        snapshot.signal.rsrp = Some(-95);
        snapshot.connectivity.state = ConnectivityState::None;
        snapshot.traffic.sent += 3;
    });
    let signals = drain(&mut stand).await;
    let changed: Vec<(String, BTreeSet<String>)> = signals
        .iter()
        .map(|signal| {
            assert_eq!(signal.header().member().unwrap(), "PropertiesChanged");
            assert_eq!(signal.header().path().unwrap().as_str(), "/org/mbimd/Mbimd1/modem/0");
            let (interface, values, invalidated): Changed = signal.body().deserialize().unwrap();
            assert!(invalidated.is_empty());
            (interface, values.into_keys().collect())
        })
        .collect();
    let set = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<BTreeSet<_>>();
    assert_eq!(
        changed,
        [
            (dbus_api::name::MODEM.to_owned(), set(&["State", "StateName", "Signal"])),
            (dbus_api::name::CONNECTIVITY.to_owned(), set(&["State", "StateName"])),
        ]
    );
    // Counters and values that stay are not told.
    stand.modem.change(|snapshot| snapshot.traffic.received += 1);
    assert!(drain(&mut stand).await.is_empty());
}

/// OPER-121: as often as the machine gives a notice, and with what it was about.
#[tokio::test]
async fn a_step_of_the_plan_is_one_signal() {
    let mut stand = stand(open_gate()).await;
    drain(&mut stand).await;
    let plan = |counted| Quota { name: "p".into(), limit: Some(1000), counted, ..Quota::default() };
    stand.modem.change(|snapshot| snapshot.usage.quota = Some(plan(40)));
    let names = |signals: &[message::Message]| -> Vec<String> {
        signals.iter().map(|signal| signal.header().member().unwrap().to_string()).collect()
    };
    let signals = drain(&mut stand).await;
    assert_eq!(names(&signals), ["PropertiesChanged"]);
    let (interface, values, _): Changed = signals[0].body().deserialize().unwrap();
    let told: Vec<&str> = values.keys().map(String::as_str).collect();
    assert_eq!((interface.as_str(), told), (dbus_api::name::USAGE, vec!["Plan"]));
    stand.modem.change(|snapshot| {
        snapshot.usage.quota = Some(plan(70));
        snapshot.usage.notices = 1;
    });
    let signals = drain(&mut stand).await;
    assert_eq!(names(&signals), ["PropertiesChanged", "StepReached"]);
    assert_eq!(signals[1].header().interface().unwrap().as_str(), dbus_api::name::USAGE);
    assert_eq!(signals[1].body().deserialize::<(u64, u64)>().unwrap(), (70, 1000));
    stand.modem.change(|snapshot| snapshot.usage.quota = Some(plan(71)));
    assert_eq!(names(&drain(&mut stand).await), ["PropertiesChanged"], "not told again");
}

#[tokio::test]
async fn nothing_follows_a_server_that_stopped() {
    let stand = stand(open_gate()).await;
    let Stand { _server: server, mut messages, modem, client, _connection: connection, .. } = stand;
    server.stop().await;
    modem.change(|snapshot| snapshot.state = ModemState::Disabled);
    let next = tokio::time::timeout(Duration::from_millis(50), async {
        loop {
            if messages.next().await.unwrap().unwrap().header().member().is_some_and(|name| name == "PropertiesChanged")
            {
                return;
            }
        }
    });
    assert!(next.await.is_err());
    drop((client, connection));
}

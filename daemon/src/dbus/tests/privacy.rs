//! Canaries: no identity gets out whole, neither in what everyone may read nor in what everyone hears.

use futures_util::StreamExt;
use zbus::fdo::ObjectManagerProxy;

use super::{ICCID, IMEI, IMSI, NUMBER, no_options, proxy, shut_gate, stand};

/// Whether the text holds seven digits in a row of an identity, beyond the network code of the IMSI.
fn leaks(text: &str) -> Option<&'static str> {
    let parts = [&IMSI[5..], ICCID, IMEI, NUMBER];
    parts.into_iter().find(|digits| (0..=digits.len() - 7).any(|at| text.contains(&digits[at..at + 7])))
}

#[tokio::test]
async fn what_everyone_sees_names_nobody() {
    let mut stand = stand(shut_gate()).await;
    let builder = ObjectManagerProxy::builder(&stand.client).destination(dbus_api::name::SERVICE);
    let objects = builder.path(dbus_api::path::ROOT).build().await.unwrap().get_managed_objects().await.unwrap();
    let mut seen = format!("{objects:?}");
    assert!(seen.contains("00101********98"), "the masked form is there");
    for result in [
        proxy!(stand, SimProxy).get_identity().await.map(|_| ()),
        proxy!(stand, ConnectivityProxy).get_portal_url().await.map(|_| ()),
        proxy!(stand, ConnectionProxy).connect(&no_options()).await.map(|_| ()),
        proxy!(stand, SimProxy).enter_pin("7654321").await,
    ] {
        seen += &format!("{:?}", result.unwrap_err());
    }
    stand.modem.change(|snapshot| {
        let identity = std::mem::take(&mut snapshot.sim.identity);
        snapshot.sim.identity.msisdns = identity.msisdns;
        snapshot.connectivity.portal_available = true;
        snapshot.connectivity.portal_source = "operator".into();
    });
    stand.signal("PropertiesChanged").await;
    // All that was on the wire, decoded, and the octets themselves.
    while let Ok(Some(Ok(message))) =
        tokio::time::timeout(std::time::Duration::from_millis(50), stand.messages.next()).await
    {
        seen += &String::from_utf8_lossy(message.data().bytes());
    }
    assert_eq!(leaks(&seen), None);
    assert!(leaks(IMSI).is_some() && leaks("x1765432109x").is_some(), "the search finds what it looks for");
}

#[tokio::test]
async fn a_protected_card_shows_nothing() {
    let stand = stand(shut_gate()).await;
    stand.modem.change(|snapshot| snapshot.sim.identity.protected = true);
    let sim = proxy!(stand, SimProxy);
    assert_eq!(sim.imsi().await.unwrap(), "");
    assert_eq!(sim.iccid().await.unwrap(), "");
    assert!(sim.numbers().await.unwrap().is_empty());
}

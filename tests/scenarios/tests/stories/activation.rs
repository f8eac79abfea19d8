//! What a document orders of the modem, as the modem sees it; and the daemon killed over it.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use harness::cases::Case;
use harness::line::Happening;
use harness::virtual_modem::{Activation, Direction, Entry, Log, Output, Subscription};
use harness::virtual_operator::Subscriber;
use harness::virtual_operator::address::DATA_LINK;
use harness::virtual_operator::document::CARRIER_ID;
use mbim_proto::service::BASIC_CONNECT;
use scenarios::client::PATIENCE;
use scenarios::ctl::Ctl;
use scenarios::link;
use scenarios::stage::{Outcome, Stage, happening, quick, story};

use core::time::Duration;

use serde_json::json;

pub(crate) const CASES: &[Case] = &[
    Case { name: "activation_as_the_modem_sees_it", run: || story("open", as_the_modem_sees_it) },
    Case { name: "killed_after_every_message_of_a_document", run: || story("open", killed) },
    Case { name: "what_documents_say_of_the_network", run: || story("open", network) },
];

const WWAN: &str = "http://www.microsoft.com/networking/CarrierControl/WWAN/v1";
/// CIDs of basic connect. [MBIM1.0 10.5]
const RADIO_STATE: u32 = 3;
const CONNECT: u32 = 12;
const SERVICE_ACTIVATION: u32 = 14;

fn document(sections: &str) -> Vec<u8> {
    let imsi = Subscriber::canary().imsi;
    format!(
        "<CarrierProvisioning xmlns='http://www.microsoft.com/networking/CarrierControl/v1'><Global>\
         <CarrierId>{CARRIER_ID}</CarrierId><SubscriberId>{imsi}</SubscriberId></Global>{sections}</CarrierProvisioning>"
    )
    .into_bytes()
}

fn service_activation(blob: &[u8]) -> Vec<u8> {
    let data = STANDARD.encode(blob);
    document(&format!(
        "<Activation><ServiceActivation xmlns='{WWAN}'><CarrierSpecificData>{data}</CarrierSpecificData>\
         </ServiceActivation></Activation>"
    ))
}

/// A default profile with that access point, and a directive.
fn profile(apn: &str, directive: &str) -> Vec<u8> {
    document(&format!(
        "<Activation><{directive} xmlns='{WWAN}'/></Activation><MBNProfiles><DefaultProfile xmlns='{WWAN}'>\
         <Name>Example</Name><Context><AccessString>{apn}</AccessString></Context></DefaultProfile></MBNProfiles>"
    ))
}

/// Orders of the host to these commands.
fn orders<'a>(log: &'a Log, since: &Log) -> impl Iterator<Item = &'a Entry> {
    let last = since.entries().next_back().map(|entry| entry.at).unwrap_or_default();
    let of_interest = |entry: &Entry| {
        matches!(entry.subject, Some((BASIC_CONNECT, RADIO_STATE | CONNECT | SERVICE_ACTIVATION)))
            && entry.direction == Direction::FromHost
            && entry.operation == Some(1)
    };
    log.entries().filter(move |entry| entry.at > last && of_interest(entry))
}

fn commands(log: &Log, since: &Log) -> Vec<u32> {
    orders(log, since).filter_map(|entry| entry.subject.map(|(_, command)| command)).collect()
}

/// PROV-062, PROV-065, PROV-066: the octets, the radio, the context with the new profile, in order and not before their time.
async fn as_the_modem_sees_it(stage: &mut Stage) -> Outcome {
    let blob: Vec<u8> = (0..=255).rev().collect();
    let mut modem = quick(stage.world.scenario());
    modem.network.activations.push(Activation { blob: blob.clone(), answer: Vec::new(), grants: Subscription::Active });
    stage.plug(modem).await?;
    let modem = stage.online().await?;

    let before = stage.line()?.log().await?;
    super::garden::done(&stage.client.apply(&service_activation(&blob)).await?);
    let exact =
        |seen: &Happening| matches!(seen, Happening::Modem(Output::ServiceActivated(octets)) if *octets == blob);
    happening(stage.line()?, "the activation with all its octets", exact).await?;
    assert_eq!(commands(&stage.line()?.log().await?, &before), [SERVICE_ACTIVATION]);

    let plan = stage.world.scenario().plan_apn.clone();
    let before = stage.line()?.log().await?;
    let last = before.entries().next_back().ok_or("an empty log")?.at;
    super::garden::done(&stage.client.apply(&profile(&plan, "ReregisterToNetwork Delay='PT1S'")).await?);
    let log = stage.line()?.log().await?;
    assert_eq!(
        commands(&log, &before),
        [CONNECT, RADIO_STATE, RADIO_STATE, CONNECT],
        "off and on, and with the profile"
    );
    let first = orders(&log, &before).next().ok_or("no orders")?.at;
    assert!(first >= last + Duration::from_secs(1), "{first:?} after {last:?}: before the delay was over");
    assert_eq!(stage.client.view(modem).await?.apn(), plan);

    let common = stage.world.scenario().apn.clone();
    let before = stage.line()?.log().await?;
    super::garden::done(&stage.client.apply(&profile(&common, "ReconnectToNetwork")).await?);
    assert_eq!(commands(&stage.line()?.log().await?, &before), [CONNECT, CONNECT]);
    assert_eq!(stage.client.view(modem).await?.apn(), common);
    stage.online().await?;
    Ok(())
}

/// PROV-190 to PROV-196: packets, name servers, names, number, and contexts by their names, for whom they are.
async fn network(stage: &mut Stage) -> Outcome {
    let (plan, common) = (stage.world.scenario().plan_apn.clone(), stage.world.scenario().apn.clone());
    let policy = |name: &str, programs: &str| {
        format!(
            "<PDPContextPolicy><Name>{name}</Name><Context><AccessString>{common}</AccessString></Context>\
             <AppIDList>{programs}</AppIDList></PDPContextPolicy>"
        )
    };
    let extensions = |support: bool| {
        format!(
            "<Extensions><Extensions_v2 xmlns='http://www.microsoft.com/networking/CarrierControl/v2'>\
             <CarrierNetworkMetadata><NetworkSettings><IPv4LinkMTU>1300</IPv4LinkMTU><IPv6LinkMTU>1290</IPv6LinkMTU>\
             <DNSRetrySettings><DNSRetryIntervalInSeconds>2</DNSRetryIntervalInSeconds><DNSRetryCount>3</DNSRetryCount>\
             </DNSRetrySettings></NetworkSettings><DataClassFriendlyNames><LTE>Example 4G</LTE></DataClassFriendlyNames>\
             <CustomerSupportPhoneNumber>+1 800 555 0100</CustomerSupportPhoneNumber></CarrierNetworkMetadata>\
             <AdditionalPDPContexts><MultiplePDPContextPolicies MultiplePDPContextSupport='{support}'>{}{}\
             </MultiplePDPContextPolicies></AdditionalPDPContexts></Extensions_v2></Extensions>",
            policy("TV", ""),
            policy("Other", "<AppID>no.such.program</AppID>"),
        )
    };
    let with = |support| {
        let whole = String::from_utf8_lossy(&profile(&plan, "ReconnectToNetwork")).into_owned();
        whole.replace("</CarrierProvisioning>", &format!("{}</CarrierProvisioning>", extensions(support)))
    };
    stage.configure("dns = \"resolvconf\"")?;
    stage.restart().await?;
    stage.plug(quick(stage.world.scenario())).await?;
    stage.line()?.keep(true);
    stage.online().await?;
    let done = stage.client.apply(with(true).as_bytes()).await?;
    super::garden::done(&done);
    assert!(!done.results_xml.unwrap_or_default().contains("22170102"), "all of it has an effect");
    stage.online().await?;
    let expected = if stage.world.scenario().families.ipv6() { 1290 } else { 1300 };
    assert_eq!(link::show(DATA_LINK).await?.mtu, expected);
    let fragment = std::fs::read_to_string(stage.world.directory().join("run/resolv.conf.d").join(DATA_LINK))?;
    assert!(fragment.contains("options timeout:2 attempts:4"), "{fragment}");

    // On a network that is another's, so that a session needs nothing of the kernel.
    stage.configure("network = \"external\"")?;
    stage.restart().await?;
    stage.client.some("a connection", |view| view.connection() == "up").await?;
    let ctl = Ctl::beside_test(stage.world.bus.address())?;
    let status = ctl.call(&["status"]).await?.output;
    for shown in ["Example 4G", "support +1 800 555 0100", "TV, Other"] {
        assert!(status.contains(shown), "{shown}: {status}");
    }
    let said = ctl.call(&["connect", "--context", "TV", "--json"]).await?;
    let connection = said.json()?["connection"].clone();
    let shown = (&connection["session"], &connection["state"], &connection["apn"], &connection["context"]);
    assert_eq!(shown, (&json!(1), &json!("up"), &json!(common), &json!("TV")), "{said:?}");
    assert_eq!(connection["mtu"], json!(expected));
    let refused = ctl.call(&["connect", "--context", "Other"]).await?;
    assert!(refused.status == 5 && refused.error.contains("no.such.program"), "{refused:?}");
    let refused = ctl.call(&["connect", "--context", "Radio"]).await?;
    assert!(refused.status == 1 && refused.error.contains("names such a context"), "{refused:?}");
    // A crash keeps it by its name.
    stage.kill().await?;
    stage.again().await?;
    stage.client.some("both connections", |view| view.connection() == "up").await?;
    let ctl = Ctl::beside_test(stage.world.bus.address())?;
    let said = ctl.call(&["connect", "--context", "TV", "--json"]).await?;
    assert_eq!(said.json()?["connection"]["context"], json!("TV"), "{said:?}");
    assert_eq!(ctl.call(&["disconnect", "--session", "1"]).await?.status, 0);

    super::garden::done(&stage.client.apply(with(false).as_bytes()).await?);
    for arguments in [&["connect", "--context", "TV"][..], &["connect", "--session", "3", "--apn", "x"]] {
        let refused = ctl.call(arguments).await?;
        assert!(refused.status == 1 && refused.error.contains("no connection beside"), "{refused:?}");
    }
    Ok(())
}

/// PROV-210: killed after each message that passes while a document is applied, the next run goes on with it or knows nothing
/// of it; what must not be sent twice is not, and the history has the document once.
async fn killed(stage: &mut Stage) -> Outcome {
    stage.plug(quick(stage.world.scenario())).await?;
    stage.line()?.keep(true);
    stage.online().await?;
    let plan = stage.world.scenario().plan_apn.clone();
    let common = stage.world.scenario().apn.clone();
    let blob = service_activation(harness::virtual_operator::network::ACTIVATION_BLOB);
    let (mut kills, mut known, mut looked) = (0, 0, false);
    for kind in ["activation", "profile"] {
        let mut ended = false;
        for n in 1_u64.. {
            let (apn, document) = match kind {
                "activation" => (None, blob.clone()),
                // Another one each time, so that it always has something to do.
                _ if n % 2 == 1 => (Some(&plan), profile(&plan, "ReconnectToNetwork")),
                _ => (Some(&common), profile(&common, "ReconnectToNetwork")),
            };
            let at = |error: &dyn core::fmt::Display| format!("{kind}, message {n}: {error}");
            let before = stage.line()?.log().await?;
            let start = before.from_host() + before.to_host();
            let line = stage.world.line.as_ref().ok_or("no line")?;
            let reached = harness::wait::until("the messages to pass", PATIENCE, || async {
                let log = line.log().await.ok()?;
                (log.from_host() + log.to_host() >= start + n).then_some(())
            });
            let client = &stage.client;
            tokio::select! {
                // First of the two: a document whose messages have all passed is done sooner or later.
                biased;
                job = client.apply(&document) => {
                    super::garden::done(&job.map_err(|e| at(&e))?);
                    ended = true;
                }
                reached = reached => reached.map_err(|e| at(&e))?,
            }
            if ended {
                known += 1;
                break;
            }
            kills += 1;
            stage.kill().await?;
            stage.again().await?;
            stage.online().await.map_err(|e| at(&e))?;
            let documents = settled(stage).await.map_err(|e| at(&*e))?;
            assert!(documents == known || documents == known + 1, "{kind}, message {n}: {documents} of {known}");
            let taken = documents > known;
            known = documents;
            let log = stage.line()?.log().await?;
            let sent = commands(&log, &before).iter().filter(|command| **command == SERVICE_ACTIVATION).count();
            assert!(sent <= 1, "{kind}, message {n}: the activation was sent {sent} times");
            assert!(taken || sent == 0, "{kind}, message {n}: sent, and nobody knows of it");
            if let (Some(apn), true, false) = (apn, taken, looked) {
                // The attempt may have ended with the daemon; the profile is there. Once is enough: it takes its time.
                looked = true;
                let modem = stage.online().await?;
                assert_eq!(stage.client.ask_disconnect(modem).await?, "", "{kind}, message {n}");
                assert_eq!(stage.client.ask_connect(modem, None).await?, "", "{kind}, message {n}");
                assert_eq!(stage.client.view(modem).await?.apn(), *apn, "{kind}, message {n}");
                stage.online().await?;
            }
        }
    }
    println!("  killed after each of {kills} messages of two documents");
    assert!(kills > 4 && looked, "{kills}");
    stage.online().await?;
    Ok(())
}

/// Waits until nothing is being applied, nor waits on the disk to be; how many documents the history has.
async fn settled(stage: &Stage) -> Result<usize, Box<dyn std::error::Error>> {
    use dbus_api::proxy::ProvisioningProxy;
    let provisioning = ProvisioningProxy::new(stage.client.connection()).await?;
    let folder = stage.world.directory().join("state/provision");
    let waits = || {
        let files = std::fs::read_dir(&folder).into_iter().flatten().flatten().map(|file| file.path());
        files.filter(|file| file.extension().is_some_and(|e| e == "activating" || e == "plain")).count() > 0
    };
    let documents = harness::wait::until("all documents to be done", PATIENCE, || async {
        if waits() {
            return None;
        }
        provisioning.list_documents().await.ok().map(|documents| documents.len())
    });
    Ok(documents.await?)
}

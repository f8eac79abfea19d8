//! What goes wrong beneath the tests: there is no connection, it has no address, or this machine drops what comes back. And what
//! must not be on the link at all.

use core::net::Ipv4Addr;
use core::time::Duration;
use std::collections::BTreeSet;

use dbus_api::name::{CONNECTIVITY, SIM};
use harness::cases::Case;
use harness::virtual_modem::{Fault, Order, What, When};
use harness::virtual_operator::address::{DATA_LINK, GI_LINK};
use harness::virtual_operator::link::{Net, setting};
use mbim_proto::service::BASIC_CONNECT;
use scenarios::stage::{Outcome, quick};

use scenarios::meeting::{IPV4, Kind, Meeting, meet};

/// A link all of whose packets the case sees.
const SEEN: Kind = Kind { way: Some(Duration::ZERO), ..IPV4 };
/// CONNECT.
const CONNECT: u32 = 12;
/// The other link's names and address.
const OTHER: (&str, &str, Ipv4Addr) = ("other0", "other1", Ipv4Addr::new(198, 51, 100, 1));
/// Octets of one probe order in which nothing but the probe is said.
const LITTLE: usize = 64 * 1024;

pub(crate) const CASES: &[Case] = &[
    Case { name: "strict_reverse_path_filter_is_named", run: || meet(IPV4, strict) },
    Case { name: "no_bearer_is_none_and_says_so", run: || meet(IPV4, no_bearer) },
    Case { name: "no_address_is_none_and_says_so", run: || meet(IPV4, no_address) },
    Case { name: "no_hwid_and_no_identity_leave_the_machine", run: || meet(SEEN, nothing_of_the_sim) },
];

/// Packets that the link has carried.
fn packets() -> u64 {
    let count = |way: &str| {
        let file = format!("/sys/class/net/{DATA_LINK}/statistics/{way}_packets");
        std::fs::read_to_string(file).ok().and_then(|text| text.trim().parse::<u64>().ok()).unwrap_or(0)
    };
    count("rx") + count("tx")
}

async fn no_bearer(meeting: &mut Meeting) -> Outcome {
    meeting.plug_as(|_| {}).await?;
    meeting.full().await?;
    let refused = Fault::always(When::answer(BASIC_CONNECT, CONNECT), What::Status(2));
    meeting.stage.order(Order::Fault(refused))?;
    meeting.stage.order(Order::DropSession { session: 0, cause: 36 })?;
    let seen = meeting.sees("none", "no-bearer").await?;
    assert!(seen.values().all(std::collections::HashMap::is_empty), "what was seen before is no evidence: {seen:?}");
    let view = meeting.stage.client.view(meeting.modem).await?;
    assert!(!view.flag(CONNECTIVITY, "PortalAvailable") && !view.flag(CONNECTIVITY, "PurchaseNeeded"));
    let told = meeting.check().await.err().map(|error| error.to_string()).unwrap_or_default();
    assert!(told.contains("no connection to test"), "{told}");
    meeting.stage.order(Order::ClearFaults)?;
    assert_eq!(meeting.stage.client.ask_connect(meeting.modem, None).await?, "");
    meeting.full().await.map(drop)
}

async fn no_address(meeting: &mut Meeting) -> Outcome {
    let mut given = None;
    meeting
        .plug_as(|profile| {
            for rule in &mut profile.network.apns {
                given.get_or_insert_with(|| rule.ip.clone());
                if let Some(v4) = &mut rule.ip.v4 {
                    v4.address = None;
                }
            }
        })
        .await?;
    meeting.sees("none", "no-address").await?;
    assert_eq!(packets(), 0, "without an address nothing is tested");
    meeting.stage.order(Order::Readdress { session: 0, ip: given.ok_or("no access point")? })?;
    meeting.full().await.map(drop)
}

/// Another link has the better route, and the kernel is strict about where answers come from.
async fn strict(meeting: &mut Meeting) -> Outcome {
    meeting.ground.garden("", &format!("  iifname {GI_LINK} reject with icmp type admin-prohibited")).await?;
    meeting.plug().await?;
    meeting.sees("limited", "dns").await?;
    let net = Net::open()?;
    let (near, far, address) = OTHER;
    net.pair(near, far).await?;
    for name in [near, far] {
        net.set_up(name, true).await?;
    }
    net.address(near, address.into(), 24).await?;
    net.route(Ipv4Addr::UNSPECIFIED.into(), 0, near).await?;
    setting(&format!("ipv4/conf/{DATA_LINK}/rp_filter"), "1")?;
    meeting.ground.open().await?;
    let _ = meeting.check().await?;
    let seen = meeting.sees("limited", "reverse-path-filter").await?;
    assert_eq!(seen["link"]["reverse-path-filter"], "strict: answers may be dropped here");
    // Loosened, the better route of the other link changes nothing.
    setting(&format!("ipv4/conf/{DATA_LINK}/rp_filter"), "2")?;
    let _ = meeting.check().await?;
    meeting.full().await.map(drop)
}

/// Every octet of the link, and every request that the web servers read, from plug to full, twice.
async fn nothing_of_the_sim(meeting: &mut Meeting) -> Outcome {
    meeting.plug().await?;
    meeting.full().await?;
    let _ = meeting.check().await?;
    let view = meeting.stage.client.view(meeting.modem).await?;
    let hwids: Vec<(String, String)> = meeting.stage.client.sim(meeting.modem).await?.get_hardware_ids().await?;
    assert!(hwids.len() > 5, "{} HWIDs; SIM {}", hwids.len(), view.text(SIM, "Ready"));
    let sim = quick(meeting.stage.world.scenario());
    let mut secrets: BTreeSet<String> = hwids.into_iter().map(|(_, value)| value).collect();
    secrets.extend(["MBOP:1".to_owned(), sim.device_id.reveal().clone()]);
    if let harness::virtual_modem::Slot::Card(card) = &sim.slot {
        secrets.extend([card.imsi.reveal().clone(), card.iccid.reveal().clone()]);
    }
    let carried = meeting.slow.as_ref().ok_or("no link")?.carried();
    let here = meeting.stage.world.directory().join("ground/access.log");
    let read = std::fs::read(here)?;
    assert!(carried.len() > 1000 && carried.len() < LITTLE && !read.is_empty(), "{} octets", carried.len());
    for secret in secrets.iter().filter(|secret| !secret.is_empty()) {
        for (place, octets) in [("the link", &carried), ("a request", &read)] {
            let found = octets.windows(secret.len()).any(|window| window == secret.as_bytes());
            assert!(!found, "{} octets of the SIM's are on {place}", secret.len());
        }
    }
    Ok(())
}

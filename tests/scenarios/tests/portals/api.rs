//! A network that announces its captive portal API (RFC 8910) and answers there (RFC 8908).

use dbus_api::name::CONNECTIVITY;
use harness::cases::Case;
use harness::virtual_operator::address::{GI_LINK, PORTAL};
use harness::wait;
use scenarios::client::PATIENCE;
use scenarios::ground::NAT64;
use scenarios::stage::Outcome;

use crate::advertise;
use scenarios::meeting::{DUAL, IPV4, Meeting, meet};

pub(crate) const CASES: &[Case] = &[
    Case { name: "api_of_an_advertisement_says_captive_then_open", run: || meet(DUAL, announced) },
    Case { name: "api_of_a_record_says_captive_then_open", run: || meet(IPV4, recorded) },
];

/// The router, and tshark beside it.
pub(crate) async fn advertise(meeting: &mut Meeting, url: &str) -> Outcome {
    let own = std::env::current_exe()?.display().to_string();
    meeting.ground.spawn("router", &[&own, advertise::PART, GI_LINK, url, NAT64])?;
    Ok(())
}

async fn announced(meeting: &mut Meeting) -> Outcome {
    let url = format!("https://{}/captive", PORTAL.name);
    let fields = ["opt.type", "opt.captive_portal", "opt.pref64.plc", "opt.pref64.prefix", "checksum.status"];
    let mut words = vec!["tshark", "-l", "-n", "-i", GI_LINK, "-f", "icmp6 and ip6[40] == 134", "-T", "fields"];
    let fields: Vec<String> = fields.iter().map(|field| format!("icmpv6.{field}")).collect();
    for field in &fields {
        words.extend(["-e", field]);
    }
    words.extend(["-E", "separator=;"]);
    meeting.ground.spawn("stranger", &words)?;
    meeting.plug().await?;
    // Both tests say full: only the API knows. The router speaks when they are over, and is heard all the same.
    meeting.full().await?;
    advertise(meeting, &url).await?;
    let seen = meeting.sees("portal", "api").await?;
    assert_eq!((seen["link"]["api"].as_str(), seen["link"]["api-source"].as_str()), ("captive", "advertisement"));
    assert_eq!((seen["ipv4"]["http"].as_str(), seen["ipv4"]["https"].as_str()), ("204", "ok"));
    // What a DHCP client would hold, for IPv4 and IPv6.
    let held = meeting.udp_ports()?;
    assert!(!held.contains(&68) && !held.contains(&546), "{held:?}");
    let view = meeting.stage.client.view(meeting.modem).await?;
    // The operator's own record goes before what the network says.
    assert_eq!(view.text(CONNECTIVITY, "PortalSource"), "operator");
    // A good checksum is 1.
    let line = format!("37,38;{url};0x0000;{NAT64};1");
    let told = |log: String| log.lines().find(|text| text.starts_with(&line)).map(str::to_owned);
    let log = meeting.stage.world.directory().join("ground/stranger.log");
    let read = wait::until("tshark to read the advertisement", PATIENCE, || async {
        told(std::fs::read_to_string(&log).unwrap_or_default())
    })
    .await;
    println!("  tshark: {}", read?);

    let _ = meeting.stage.client.portal_url(meeting.modem).await?;
    meeting.ground.captive(false)?;
    let seen = meeting.full().await?;
    assert_eq!(seen["link"]["api"], "open, 86400 s left");
    Ok(())
}

/// Nothing is announced, and the operator's record knows.
async fn recorded(meeting: &mut Meeting) -> Outcome {
    let file = meeting.stage.world.directory().join("operators.d/demo.xml");
    let url = format!("<ov:api-url>https://{}/captive</ov:api-url></provider>", PORTAL.name);
    let text = std::fs::read_to_string(&file)?;
    assert!(text.contains("</provider>"), "{text}");
    std::fs::write(&file, text.replace("</provider>", &url))?;
    meeting.stage.restart().await?;
    meeting.plug().await?;
    let seen = meeting.sees("portal", "api").await?;
    assert_eq!((seen["link"]["api"].as_str(), seen["link"]["api-source"].as_str()), ("captive", "record"));
    let _ = meeting.stage.client.portal_url(meeting.modem).await?;
    meeting.ground.captive(false)?;
    let seen = meeting.full().await?;
    assert_eq!(seen["link"]["api"], "open, 86400 s left");
    Ok(())
}

//! A link of IPv6 alone, with tayga's NAT64 and unbound's DNS64 in the network.

use dbus_api::name::CONNECTIVITY;
use harness::cases::Case;
use harness::virtual_operator::address::PORTAL;
use harness::virtual_operator::scenario::Families;
use scenarios::ground::{NAT64, Plan};
use scenarios::stage::Outcome;

use crate::gardens::caught;
use scenarios::meeting::{Kind, Meeting, meet};

pub(crate) const CASES: &[Case] = &[Case {
    name: "nat64_and_dns64_are_full_over_ipv6_alone",
    run: || meet(Kind { plan: Plan { ipv6: false, nat64: true }, families: Families::Ipv6, way: None }, translated),
}];

async fn translated(meeting: &mut Meeting) -> Outcome {
    meeting.ground.garden(&caught(8302), "").await?;
    meeting.plug().await?;
    let seen = meeting.sees("portal", "redirect").await?;
    assert!(!seen.contains_key("ipv4"), "no test over a family that is not there: {seen:?}");
    assert_eq!(seen["ipv6"]["http"], format!("302 to {}", PORTAL.name));
    meeting.buy().await?;
    let seen = meeting.full().await?;
    assert_eq!(seen["link"]["nat64-prefix"], format!("{NAT64}/96"));
    // The probe's host has no IPv6 address of its own: what was reached was reached through the translator.
    assert!(seen["ipv6"]["address"].starts_with("2001:db8:6464::"), "{seen:?}");
    let view = meeting.stage.client.view(meeting.modem).await?;
    let families: std::collections::HashMap<String, (String, String)> = view.get(CONNECTIVITY, "Families");
    assert_eq!(families["nat64"].0, "full");
    assert_eq!(families["ipv4"].0, "unknown");
    Ok(())
}

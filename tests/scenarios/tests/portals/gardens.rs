//! Ways to keep those without a plan in, and in front of the Internet in general.

use dbus_api::name::CONNECTIVITY;
use harness::cases::Case;
use harness::virtual_operator::address::{DNS, GI_LINK, PORTAL, PROBE, PROBE_TLS};
use scenarios::stage::Outcome;

use scenarios::meeting::{DUAL, IPV4, Meeting, meet};

pub(crate) const CASES: &[Case] = &[
    Case { name: "nftables_drop_is_a_walled_garden", run: || meet(IPV4, dropped) },
    Case { name: "no_name_server_is_limited_dns", run: || meet(IPV4, nameless) },
    Case { name: "nginx_redirect_is_a_portal_with_its_url", run: || meet(IPV4, redirected) },
    Case { name: "nginx_other_page_is_a_portal_without_url", run: || meet(IPV4, altered) },
    Case { name: "nginx_511_is_a_portal", run: || meet(IPV4, required) },
    Case { name: "dnsmasq_hijack_is_a_portal", run: || meet(IPV4, hijacked) },
    Case {
        name: "nginx_foreign_certificate_is_limited_tls",
        run: || meet(IPV4, async |m| intercepted(m, 8443, "not signed by its issuer").await),
    },
    Case {
        name: "openssl_foreign_certificate_is_limited_tls",
        run: || meet(IPV4, async |m| intercepted(m, 8444, "unknown issuer").await),
    },
    Case { name: "nftables_reject_is_limited", run: || meet(IPV4, rejected) },
    Case { name: "nftables_one_host_let_through_is_zero_rated", run: || meet(IPV4, zero_rated) },
    Case { name: "portal_on_one_family_full_on_the_other", run: || meet(DUAL, one_family) },
    Case { name: "portal_on_both_families", run: || meet(DUAL, both_families) },
];

/// Plain HTTP to anywhere else goes to a port of the portal's.
pub(crate) fn caught(port: u16) -> String {
    let (v4, v6) = (PORTAL.ipv4, PORTAL.ipv6);
    format!(
        "  ip daddr != {v4} tcp dport 80 dnat ip to {v4}:{port}\n  ip6 daddr != {v6} tcp dport 80 dnat ip6 to [{v6}]:{port}"
    )
}

/// TLS to anywhere else is reset.
pub(crate) fn reset() -> String {
    let (v4, v6) = (PORTAL.ipv4, PORTAL.ipv6);
    format!(
        "  ip daddr != {v4} tcp dport 443 reject with tcp reset\n  ip6 daddr != {v6} tcp dport 443 reject with tcp reset"
    )
}

/// Where the portal is known to be.
async fn portal(meeting: &Meeting, source: &str) -> Outcome {
    let view = meeting.stage.client.view(meeting.modem).await?;
    assert!(view.flag(CONNECTIVITY, "PortalAvailable"));
    assert_eq!(view.text(CONNECTIVITY, "PortalSource"), source);
    Ok(())
}

async fn redirected(meeting: &mut Meeting) -> Outcome {
    // Without a record the only page that is known is the one of the redirect.
    std::fs::remove_file(meeting.stage.world.directory().join("operators.d/demo.xml"))?;
    meeting.stage.restart().await?;
    meeting.ground.garden(&caught(8302), &reset()).await?;
    meeting.plug().await?;
    let seen = meeting.sees("portal", "redirect").await?;
    assert_eq!(seen["ipv4"]["http"], format!("302 to {}", PORTAL.name));
    assert_eq!(seen["link"]["made-up-names"], "unknown");
    portal(meeting, "redirect").await?;
    let url = meeting.stage.client.portal_url(meeting.modem).await?;
    assert_eq!(url, format!("http://{}/buy?customer=0815", PORTAL.name));
    meeting.buy().await
}

async fn altered(meeting: &mut Meeting) -> Outcome {
    meeting.ground.garden(&caught(8200), &reset()).await?;
    meeting.plug().await?;
    let seen = meeting.sees("portal", "altered").await?;
    assert_eq!(seen["ipv4"]["http"], "200 with another page");
    portal(meeting, "operator").await?;
    meeting.buy().await
}

async fn required(meeting: &mut Meeting) -> Outcome {
    meeting.ground.garden(&caught(8511), &reset()).await?;
    meeting.plug().await?;
    let seen = meeting.sees("portal", "portal-required").await?;
    assert_eq!(seen["ipv4"]["http"], "511");
    meeting.buy().await
}

async fn hijacked(meeting: &mut Meeting) -> Outcome {
    let (dns, site) = (DNS.ipv4, PORTAL.ipv4);
    let lies = format!(
        "  ip daddr {dns} udp dport 53 dnat ip to {dns}:5300\n  ip daddr {site} tcp dport 443 dnat ip to {site}:8443"
    );
    meeting.ground.garden(&lies, "").await?;
    meeting.plug().await?;
    let seen = meeting.sees("portal", "dns-hijack").await?;
    assert_eq!(seen["link"]["made-up-names"], "resolved");
    assert_eq!(seen["ipv4"]["address"], PORTAL.ipv4.to_string());
    assert_eq!(seen["ipv4"]["https"], "not the host's certificate: not signed by its issuer");
    meeting.buy().await
}

/// Both kinds of interceptors: one that names a known issuer, and one that is its own.
async fn intercepted(meeting: &mut Meeting, port: u16, why: &str) -> Outcome {
    let site = PORTAL.ipv4;
    let foreign = format!("  ip daddr != {site} tcp dport 443 dnat ip to {site}:{port}");
    meeting.ground.garden(&foreign, "").await?;
    meeting.plug().await?;
    let seen = meeting.sees("limited", "tls").await?;
    assert_eq!(seen["ipv4"]["http"], "204");
    assert_eq!(seen["ipv4"]["https"], format!("not the host's certificate: {why}"));
    meeting.buy().await
}

async fn dropped(meeting: &mut Meeting) -> Outcome {
    let allowed = format!(
        "  iifname {GI_LINK} ip daddr {{ {}, {} }} accept\n  iifname {GI_LINK} icmpv6 type != 255 accept\n  iifname {GI_LINK} drop",
        DNS.ipv4, PORTAL.ipv4
    );
    meeting.ground.garden("", &allowed).await?;
    meeting.plug().await?;
    let seen = meeting.sees("limited", "walled-garden").await?;
    assert_eq!(seen["ipv4"]["http"], "failed: timed out");
    assert_eq!(seen["link"]["operator-site"], "reached");
    let view = meeting.stage.client.view(meeting.modem).await?;
    assert!(view.flag(CONNECTIVITY, "PurchaseNeeded"));
    portal(meeting, "operator").await?;
    meeting.buy().await
}

async fn rejected(meeting: &mut Meeting) -> Outcome {
    let allowed = format!(
        "  iifname {GI_LINK} ip daddr {} accept\n  iifname {GI_LINK} reject with icmp type admin-prohibited",
        DNS.ipv4
    );
    meeting.ground.garden("", &allowed).await?;
    meeting.plug().await?;
    let seen = meeting.sees("limited", "no-answer").await?;
    assert!(seen["ipv4"]["http"].starts_with("failed: "), "{seen:?}");
    assert_eq!(seen["link"]["operator-site"], "not reached");
    meeting.buy().await
}

async fn zero_rated(meeting: &mut Meeting) -> Outcome {
    let allowed = format!(
        "  iifname {GI_LINK} ip daddr {{ {}, {}, {} }} accept\n  iifname {GI_LINK} ip daddr {} reject with icmp type admin-prohibited",
        DNS.ipv4, PORTAL.ipv4, PROBE.ipv4, PROBE_TLS.ipv4
    );
    meeting.ground.garden("", &allowed).await?;
    meeting.plug().await?;
    let seen = meeting.sees("limited", "zero-rated").await?;
    assert_eq!(seen["ipv4"]["http"], "204");
    assert_eq!(seen["ipv4"]["https-host-on-port-80"], "not reached");
    meeting.buy().await
}

async fn nameless(meeting: &mut Meeting) -> Outcome {
    meeting.ground.garden("", "  udp dport 53 drop\n  tcp dport 53 drop").await?;
    meeting.plug().await?;
    let seen = meeting.sees("limited", "dns").await?;
    assert_eq!(seen["ipv4"]["http"], "name servers do not answer");
    meeting.buy().await
}

async fn one_family(meeting: &mut Meeting) -> Outcome {
    let (site, port) = (PORTAL.ipv4, 8302);
    meeting.ground.garden(&format!("  ip daddr != {site} tcp dport 80 dnat ip to {site}:{port}"), "").await?;
    meeting.plug().await?;
    let seen = meeting.full().await?;
    assert_eq!(seen["ipv4"]["http"], format!("302 to {}", PORTAL.name));
    assert_eq!((seen["ipv6"]["http"].as_str(), seen["ipv6"]["https"].as_str()), ("204", "ok"));
    let view = meeting.stage.client.view(meeting.modem).await?;
    let families: std::collections::HashMap<String, (String, String)> = view.get(CONNECTIVITY, "Families");
    assert_eq!(families["ipv4"], ("portal".into(), "redirect".into()));
    assert_eq!(families["ipv6"], ("full".into(), String::new()));
    Ok(())
}

async fn both_families(meeting: &mut Meeting) -> Outcome {
    meeting.ground.garden(&caught(8302), &reset()).await?;
    meeting.plug().await?;
    let seen = meeting.sees("portal", "redirect").await?;
    for family in ["ipv4", "ipv6"] {
        assert_eq!(seen[family]["http"], format!("302 to {}", PORTAL.name));
    }
    meeting.buy().await
}

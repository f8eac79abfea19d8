//! Networks that mean harm: whatever they send, a test ends in time, costs little, and the state is a true one.

use std::fs;
use std::process::ExitCode;
use std::sync::Arc;

use core::time::Duration;

use dbus_api::name::CONNECTIVITY;
use harness::cases::{Case, block_on};
use harness::virtual_operator::address::{DATA_LINK, DNS, PORTAL};
use harness::virtual_operator::certificates::ServerCertificate;
use harness::virtual_operator::hostile::{self, Answer, Harm, Lie};
use harness::virtual_operator::{Error, While};
use scenarios::client::PATIENCE;
use scenarios::stage::Outcome;
use tokio::net::{TcpListener, UdpSocket};

use crate::api::advertise;
use crate::gardens::caught;
use scenarios::meeting::{DUAL, IPV4, Meeting, evidence, meet};

/// First word of the process that serves; then the folder with its certificate.
const PART: &str = "portals-hostile";
/// Ports: of web servers, APIs and name servers, each from here on.
const WEB: u16 = 9100;
const API: u16 = 9200;
const NAMES: u16 = 9300;
/// Octets that one test may cost on the interface, whatever is sent: what is read, what is in flight, heads.
const MOST: u64 = 160 * 1024;

pub(crate) const CASES: &[Case] = &[
    Case { name: "hostile_web_servers", run: || meet(IPV4, web) },
    Case { name: "hostile_name_servers", run: || meet(IPV4, names) },
    Case { name: "hostile_apis", run: || meet(DUAL, apis) },
];

pub(crate) fn child(arguments: &[String]) -> Option<ExitCode> {
    let [part, folder] = arguments else { return None };
    if part != PART {
        return None;
    }
    Some(match block_on(serve(folder)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    })
}

/// All servers at once, each on a port of its own.
async fn serve(folder: &str) -> Result<(), Error> {
    let doing = "serving";
    let read = |name: &str| fs::read_to_string(format!("{folder}/{name}")).trying(doing);
    let pair = ServerCertificate { certificate: read("own.pem")?, key: read("own.key")? };
    let tls = Arc::new(pair.server_config()?);
    for (number, harm) in (WEB..).zip(Harm::ALL) {
        let listener = TcpListener::bind((PORTAL.ipv4, number)).await.trying(doing)?;
        tokio::task::spawn_local(hostile::web(listener, harm));
    }
    for (number, answer) in (API..).zip(Answer::ALL) {
        let listener = TcpListener::bind((PORTAL.ipv4, number)).await.trying(doing)?;
        tokio::task::spawn_local(hostile::api(listener, tls.clone(), answer));
    }
    for (number, lie) in (NAMES..).zip(Lie::ALL) {
        let socket = UdpSocket::bind((DNS.ipv4, number)).await.trying(doing)?;
        let listener = TcpListener::bind((DNS.ipv4, number)).await.trying(doing)?;
        tokio::task::spawn_local(hostile::names(socket, listener, lie));
    }
    fs::write(format!("{folder}/hostile.ready"), "").trying(doing)?;
    core::future::pending().await
}

async fn start(meeting: &mut Meeting) -> Outcome {
    let folder = meeting.stage.world.directory().join("ground").display().to_string();
    let own = std::env::current_exe()?.display().to_string();
    meeting.ground.spawn("hostile", &[&own, PART, &folder])?;
    let ready = format!("{folder}/hostile.ready");
    harness::wait::until("the hostile servers", PATIENCE, || async { fs::metadata(&ready).ok() }).await?;
    Ok(())
}

fn counted() -> u64 {
    let read = |name: &str| {
        let path = format!("/sys/class/net/{DATA_LINK}/statistics/{name}");
        fs::read_to_string(path).ok().and_then(|text| text.trim().parse::<u64>().ok()).unwrap_or(0)
    };
    read("rx_bytes") + read("tx_bytes")
}

/// One test; the state, its reason, and what the plain test saw.
async fn test(meeting: &mut Meeting, what: &str) -> Result<(String, String, String), Box<dyn std::error::Error>> {
    let (before, start) = (counted(), tokio::time::Instant::now());
    let view = meeting.check().await?;
    let (took, octets) = (start.elapsed(), counted() - before);
    let http = evidence(&view).get("ipv4").and_then(|seen| seen.get("http")).cloned().unwrap_or_default();
    let (state, reason) = (view.text(CONNECTIVITY, "StateName"), view.text(CONNECTIVITY, "Reason"));
    println!("  {what}: {state} ({reason}), {http}; {} ms, {octets} octets", took.as_millis());
    // Ten seconds of tests and what is looked at afterwards; a busy machine may add.
    assert!(took < Duration::from_secs(40), "{what}: {took:?}");
    assert!(octets < MOST, "{what}: {octets} octets");
    Ok((state, reason, http))
}

async fn web(meeting: &mut Meeting) -> Outcome {
    start(meeting).await?;
    // Before the first of them the daemon has seen a portal.
    meeting.ground.garden(&caught(8302), "  tcp dport 443 reject with tcp reset").await?;
    meeting.plug().await?;
    meeting.sees("portal", "redirect").await?;
    for (port, harm) in (WEB..).zip(Harm::ALL) {
        meeting.ground.open().await?;
        meeting.ground.garden(&caught(port), "  tcp dport 443 reject with tcp reset").await?;
        let (state, reason, http) = test(meeting, &format!("{harm:?}")).await?;
        let (want, why, seen) = match harm {
            Harm::EndlessHead => ("limited", "no-answer", "failed: not HTTP: too many headers"),
            Harm::EndlessLine | Harm::Cookies => ("limited", "no-answer", "failed: "),
            Harm::EndlessBody => ("portal", "altered", "200 with another page"),
            Harm::Drip | Harm::Silence => ("limited", "no-answer", "failed: timed out"),
            Harm::Chunks => ("limited", "no-answer", "failed: broken chunk"),
            Harm::Crumbs => ("limited", "no-answer", "200 with other content"),
            Harm::Loop => ("portal", "redirect", "302 to probe.internet.example"),
            Harm::File | Harm::Script => ("portal", "redirect", "302 to no web address"),
            Harm::Rubbish => ("portal", "redirect", "302 to nowhere"),
            Harm::LongLocation => ("limited", "no-answer", "failed: head too long"),
            Harm::Ssh => ("limited", "no-answer", "failed: not HTTP"),
        };
        let want = (want, why);
        assert_eq!((state.as_str(), reason.as_str()), want, "{harm:?}: {http}");
        assert!(http.starts_with(seen), "{harm:?}: {http}");
        if matches!(harm, Harm::File | Harm::Script | Harm::Rubbish) {
            // Such a page is never handed over; the record's is.
            let url = meeting.stage.client.portal_url(meeting.modem).await?;
            assert!(url.starts_with("https://portal.mobile.example/start?"), "{harm:?}");
        }
    }
    meeting.buy().await
}

async fn names(meeting: &mut Meeting) -> Outcome {
    start(meeting).await?;
    meeting.plug().await?;
    meeting.full().await?;
    let mut first = true;
    for (port, lie) in (NAMES..).zip(Lie::ALL) {
        let dns = DNS.ipv4;
        let rules = format!(
            "  ip daddr {dns} udp dport 53 dnat ip to {dns}:{port}\n  ip daddr {dns} tcp dport 53 dnat ip to {dns}:{port}"
        );
        meeting.ground.garden(&rules, "").await?;
        if core::mem::take(&mut first) {
            // One bad test is not enough to leave full.
            test(meeting, "the first").await?;
        }
        let (state, reason, http) = test(meeting, &format!("{lie:?}")).await?;
        assert_eq!((state.as_str(), reason.as_str()), ("limited", "dns"), "{lie:?}: {http}");
        meeting.ground.open().await?;
    }
    let _ = meeting.check().await?;
    meeting.full().await?;
    Ok(())
}

async fn apis(meeting: &mut Meeting) -> Outcome {
    start(meeting).await?;
    let rules = |port| format!("  ip daddr {0} tcp dport 443 dnat ip to {0}:{port}", PORTAL.ipv4);
    meeting.ground.garden(&rules(API), "").await?;
    advertise(meeting, &format!("https://{}/captive", PORTAL.name)).await?;
    meeting.plug().await?;
    meeting.full().await?;
    // The router may speak when the first test is over, and is followed by another one then.
    let view = || async { meeting.stage.client.view(meeting.modem).await.ok() };
    let told =
        || async { view().await.filter(|view| evidence(view).get("link").is_some_and(|l| l.contains_key("api"))) };
    harness::wait::until("a test of the announced API", PATIENCE, told).await?;
    for (port, answer) in (API..).zip(Answer::ALL) {
        meeting.ground.open().await?;
        meeting.ground.garden(&rules(port), "").await?;
        let (state, reason, _) = test(meeting, &format!("{answer:?}")).await?;
        let seen = evidence(&meeting.stage.client.view(meeting.modem).await?);
        let (want, said) = match answer {
            Answer::Gigabyte => (("full", ""), "failed: longer than 32768 octets"),
            Answer::Deep => (("full", ""), "failed: not JSON"),
            Answer::Elsewhere => (("full", ""), "failed: status 302"),
            Answer::File => (("portal", "api"), "captive"),
        };
        assert_eq!((state.as_str(), reason.as_str()), want, "{answer:?}: {seen:?}");
        assert_eq!(seen["link"]["api"], said, "{answer:?}");
    }
    Ok(())
}

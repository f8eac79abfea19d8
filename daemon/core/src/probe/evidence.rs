//! What a probe saw, in words for people and programs. Nothing that a server wrote is in them but status codes, addresses
//! and the host of a redirect: a whole redirect may name the subscriber.

use core::fmt::Write as _;

use super::seen::{ApiSeen, BodySeen, FamilyReport, HttpSeen, HttpsSeen, LinkSeen, ProbeReport};
use super::verdict::is_web_url;

/// Rows of one family or of the link: name and value, both short.
pub type Rows = Vec<(&'static str, String)>;

/// What was seen, by `ipv4`, `ipv6`, `nat64` and `link`; what was not tested is absent.
#[must_use]
pub fn told(report: &ProbeReport) -> Vec<(&'static str, Rows)> {
    let one = |name, seen: &Option<FamilyReport>| seen.as_ref().map(|seen| (name, family(seen)));
    let link = link(&report.link);
    [one("ipv4", &report.ipv4), one("ipv6", &report.ipv6), one("nat64", &report.nat64)]
        .into_iter()
        .flatten()
        .chain((!link.is_empty()).then_some(("link", link)))
        .collect()
}

/// `http`, `https`, `address`, `https-host-on-port-80`.
fn family(seen: &FamilyReport) -> Rows {
    let mut rows = vec![("http", http(&seen.http)), ("https", https(&seen.https))];
    rows.extend(seen.address.map(|address| ("address", address.to_string())));
    rows.extend(seen.elsewhere.map(|reached| ("https-host-on-port-80", reached_or_not(reached))));
    rows
}

/// `made-up-names`, `nat64-prefix`, `api`, `api-source`, `operator-site`, `clock`, `reverse-path-filter`.
fn link(link: &LinkSeen) -> Rows {
    let mut rows = Rows::new();
    if let Some(hijacked) = link.hijacked {
        rows.push(("made-up-names", if hijacked { "resolved" } else { "unknown" }.to_owned()));
    }
    if let Some((prefix, length)) = link.nat64_prefix {
        rows.push(("nat64-prefix", format!("{prefix}/{length}")));
    }
    if let Some(seen) = &link.api {
        rows.push(("api", api(seen)));
        rows.push(("api-source", seen.source.to_owned()));
    }
    rows.extend(link.site.map(|reached| ("operator-site", reached_or_not(reached))));
    let instead = link.clock.map(|source| match source {
        "network" => "not set: the network's time in place of it, of low confidence",
        "stored" => "not set: the last stored time in place of it, of low confidence",
        _ => "not set: the day of the build in place of it, of low confidence",
    });
    rows.extend(instead.map(|text| ("clock", text.to_owned())));
    if link.strict_filter {
        rows.push(("reverse-path-filter", "strict: answers may be dropped here".to_owned()));
    }
    rows
}

fn reached_or_not(reached: bool) -> String {
    if reached { "reached" } else { "not reached" }.to_owned()
}

fn http(seen: &HttpSeen) -> String {
    match seen {
        HttpSeen::DnsFailed => "name servers do not answer".to_owned(),
        HttpSeen::NoAddress => "no such name or no address".to_owned(),
        HttpSeen::Failed(why) => format!("failed: {why}"),
        HttpSeen::Answer { status, location, body } => {
            let mut text = status.to_string();
            match (status, location, body) {
                (300..=399, Some(url), _) if is_web_url(url) => drop(write!(text, " to {}", host_of(url))),
                (300..=399, Some(_), _) => text += " to no web address",
                (300..=399, None, _) => text += " to nowhere",
                (200, _, BodySeen::Expected) => text += " with the expected text",
                (200, _, BodySeen::Html) => text += " with another page",
                (200, _, BodySeen::Other) => text += " with other content",
                _ => {}
            }
            text
        }
    }
}

fn https(seen: &HttpsSeen) -> String {
    match seen {
        HttpsSeen::NotTested => "not tested".to_owned(),
        HttpsSeen::DnsFailed => "no name".to_owned(),
        HttpsSeen::Failed(why) => format!("failed: {why}"),
        HttpsSeen::Intercepted(why) => format!("not the host's certificate: {why}"),
        HttpsSeen::Ok => "ok".to_owned(),
    }
}

fn api(seen: &ApiSeen) -> String {
    match &seen.answer {
        Err(why) => format!("failed: {why}"),
        Ok(answer) => {
            let mut text = if answer.captive { "captive" } else { "open" }.to_owned();
            if let Some(seconds) = answer.seconds_remaining {
                let _ = write!(text, ", {seconds} s left");
            }
            if let Some(octets) = answer.bytes_remaining {
                let _ = write!(text, ", {octets} octets left");
            }
            text
        }
    }
}

/// Host of a URL, printable ASCII of at most 253 octets; `?` where it is something else.
#[must_use]
pub fn host_of(url: &str) -> &str {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let authority = rest.split(['/', '?', '#', '\\']).next().unwrap_or("");
    let host = authority.rsplit('@').next().unwrap_or("");
    if host.len() <= 253 && host.bytes().all(|b| b.is_ascii_graphic()) { host } else { "?" }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::probe::seen::ApiAnswer;

    #[test]
    fn everything_seen_is_told_and_nothing_of_a_person() {
        let redirect = HttpSeen::Answer {
            status: 302,
            location: Some("http://user@buy.example/?msisdn=0043123".into()),
            body: BodySeen::Html,
        };
        let report = ProbeReport {
            ipv4: Some(FamilyReport {
                address: Some("192.0.2.1".parse().unwrap()),
                elsewhere: Some(false),
                ..FamilyReport::new(redirect, HttpsSeen::Intercepted("unknown issuer".into()))
            }),
            ipv6: Some(FamilyReport::new(HttpSeen::NoAddress, HttpsSeen::NotTested)),
            link: LinkSeen {
                hijacked: Some(true),
                nat64_prefix: Some(("64:ff9b::".parse().unwrap(), 96)),
                api: Some(ApiSeen {
                    source: "advertisement",
                    answer: Ok(ApiAnswer { captive: true, seconds_remaining: Some(9), ..ApiAnswer::default() }),
                }),
                site: Some(false),
                clock: Some("network"),
                strict_filter: true,
            },
            ..ProbeReport::default()
        };
        let all: Vec<String> = told(&report)
            .into_iter()
            .flat_map(|(part, rows)| rows.into_iter().map(move |(name, value)| format!("{part} {name}: {value}")))
            .collect();
        for line in [
            "ipv4 http: 302 to buy.example",
            "ipv4 https: not the host's certificate: unknown issuer",
            "ipv4 address: 192.0.2.1",
            "ipv4 https-host-on-port-80: not reached",
            "ipv6 http: no such name or no address",
            "link made-up-names: resolved",
            "link nat64-prefix: 64:ff9b::/96",
            "link api: captive, 9 s left",
            "link operator-site: not reached",
            "link clock: not set: the network's time in place of it, of low confidence",
        ] {
            assert!(all.iter().any(|told| told == line), "{line} in {all:#?}");
        }
        assert!(!all.concat().contains("0043"));
        assert_eq!(told(&ProbeReport::default()), []);
    }

    #[test]
    fn hosts_of_hostile_urls() {
        for (url, host) in [
            ("http://a.example/x", "a.example"),
            ("http://u:p@a.example:80?x", "a.example:80"),
            ("http://\u{202e}evil/", "?"),
            ("nothing", "nothing"),
            ("", ""),
        ] {
            assert_eq!(host_of(url), host, "{url}");
        }
    }
}

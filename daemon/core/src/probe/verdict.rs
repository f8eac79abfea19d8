//! What a probe saw → what it means. A pure table per family, then one verdict over both. `[OPER 4.3, 4.4]`

use crate::effect::{BodySeen, FamilyReport, HttpSeen, HttpsSeen, ProbeReport};

/// What one family, or the link, is worth.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Worth {
    /// Tests fail, no positive sign of a portal.
    Limited,
    /// A portal was positively identified.
    Portal,
    /// The Internet can be reached.
    Full,
}

/// Verdict on one family or on the link.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// What it is worth.
    pub worth: Worth,
    /// Why, kebab-case; empty when there is nothing to say.
    pub reason: &'static str,
    /// Where the portal redirected to; not trusted, and never given a parameter.
    pub portal_url: Option<String>,
    /// The cause may be passing: probe once more before this counts. `[OPER 4.4]`
    pub retry_first: bool,
}

impl Verdict {
    fn new(worth: Worth, reason: &'static str) -> Self {
        Self { worth, reason, portal_url: None, retry_first: false }
    }
}

/// Plain-HTTP evidence in the classes of `[OPER 4.3]`.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Plain {
    /// 204, or 200 with the expected, an empty or a one-byte body.
    Good,
    /// A redirect to a URL that parses as http(s).
    Redirect(String),
    /// A redirect to nowhere, 511, or HTML instead of the expected text.
    Suspected(&'static str),
    /// Anything else that was answered, or no answer.
    Failed,
    /// The name did not resolve.
    NoName,
}

fn plain(http: &HttpSeen) -> Plain {
    match http {
        HttpSeen::DnsFailed => Plain::NoName,
        HttpSeen::Failed(_) => Plain::Failed,
        HttpSeen::Answer { status: 204, .. } => Plain::Good,
        HttpSeen::Answer { status: 200, body: BodySeen::Empty | BodySeen::Expected, .. } => Plain::Good,
        HttpSeen::Answer { status: 200, body: BodySeen::Html, .. } => Plain::Suspected("altered"),
        HttpSeen::Answer { status: 301 | 302 | 303 | 307 | 308, location, .. } => match location {
            Some(url) if is_web_url(url) => Plain::Redirect(url.clone()),
            _ => Plain::Suspected("redirect"),
        },
        HttpSeen::Answer { status: 511, .. } => Plain::Suspected("portal-required"),
        HttpSeen::Answer { .. } => Plain::Failed,
    }
}

fn is_web_url(url: &str) -> bool {
    let rest = ["http://", "https://"].iter().find_map(|scheme| {
        url.get(..scheme.len()).filter(|head| head.eq_ignore_ascii_case(scheme)).map(|h| &url[h.len()..])
    });
    rest.is_some_and(|rest| {
        let host = rest.split(['/', '?', '#']).next().unwrap_or("");
        !host.is_empty() && url.len() <= 2048 && !url.chars().any(|c| c.is_control() || c == ' ')
    })
}

/// The verdict on one family. `[OPER 4.4]`
///
/// ```text
/// plain        encrypted      verdict
/// good         ok, untested   full
/// good         intercepted    limited: tls
/// good         failed         limited: https-blocked, one retry first
/// redirect     any            portal with URL
/// suspected    ok             full: http-altered
/// suspected    otherwise      portal without URL
/// failed       ok             full: http-blocked
/// no name      no name        limited: dns
/// failed       otherwise      limited
/// ```
#[must_use]
pub fn family(seen: &FamilyReport) -> Verdict {
    match (plain(&seen.http), &seen.https) {
        (Plain::Good, HttpsSeen::Ok | HttpsSeen::NotTested) => Verdict::new(Worth::Full, ""),
        (Plain::Good, HttpsSeen::Intercepted(_)) => Verdict::new(Worth::Limited, "tls"),
        (Plain::Good, HttpsSeen::Failed(_) | HttpsSeen::DnsFailed) => {
            Verdict { retry_first: true, ..Verdict::new(Worth::Limited, "https-blocked") }
        }
        (Plain::Redirect(url), _) => Verdict { portal_url: Some(url), ..Verdict::new(Worth::Portal, "redirect") },
        (Plain::Suspected(_), HttpsSeen::Ok) => Verdict::new(Worth::Full, "http-altered"),
        (Plain::Suspected(why), _) => Verdict::new(Worth::Portal, why),
        (Plain::Failed | Plain::NoName, HttpsSeen::Ok) => Verdict::new(Worth::Full, "http-blocked"),
        (Plain::NoName, HttpsSeen::DnsFailed | HttpsSeen::NotTested) => Verdict::new(Worth::Limited, "dns"),
        (Plain::Failed | Plain::NoName, HttpsSeen::Intercepted(_)) => Verdict::new(Worth::Limited, "tls"),
        (Plain::Failed | Plain::NoName, _) => Verdict::new(Worth::Limited, "no-answer"),
    }
}

/// Verdicts of a whole probe.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Judgement {
    /// IPv4 and IPv6; `None` where not tested.
    pub families: [Option<Verdict>; 2],
    /// Over both; `None` when nothing was tested.
    pub overall: Option<Verdict>,
}

/// The verdict over both families: the best one's, except that portal on one and limited on the other is portal.
/// `[OPER 4.1]`
#[must_use]
pub fn judge(report: &ProbeReport) -> Judgement {
    let families = [report.ipv4.as_ref().map(family), report.ipv6.as_ref().map(family)];
    // `Worth` is ordered so that the greatest is the rule: full above portal above limited. On a tie IPv4 speaks.
    let mut overall: Option<Verdict> = None;
    for verdict in families.iter().flatten() {
        if overall.as_ref().is_none_or(|best| verdict.worth > best.worth) {
            overall = Some(verdict.clone());
        }
    }
    Judgement { families, overall }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(status: u16, location: Option<&str>, body: BodySeen) -> HttpSeen {
        HttpSeen::Answer { status, location: location.map(str::to_owned), body }
    }

    fn check(http: HttpSeen, https: HttpsSeen, worth: Worth, reason: &str) -> Verdict {
        let verdict = family(&FamilyReport { http: http.clone(), https: https.clone() });
        assert_eq!((verdict.worth, verdict.reason), (worth, reason), "{http:?} {https:?}");
        verdict
    }

    #[test]
    fn each_row_of_the_table() {
        let failed = || HttpsSeen::Failed("timed out".into());
        let forged = || HttpsSeen::Intercepted("unknown issuer".into());
        for good in [
            answer(204, None, BodySeen::Other),
            answer(200, None, BodySeen::Empty),
            answer(200, None, BodySeen::Expected),
        ] {
            check(good.clone(), HttpsSeen::Ok, Worth::Full, "");
            check(good.clone(), HttpsSeen::NotTested, Worth::Full, "");
            check(good.clone(), forged(), Worth::Limited, "tls");
            assert!(check(good, failed(), Worth::Limited, "https-blocked").retry_first);
        }
        for status in [301, 302, 303, 307, 308] {
            let redirect = answer(status, Some("http://portal.example/x"), BodySeen::Html);
            for https in [HttpsSeen::Ok, failed(), forged(), HttpsSeen::NotTested, HttpsSeen::DnsFailed] {
                let verdict = check(redirect.clone(), https, Worth::Portal, "redirect");
                assert_eq!(verdict.portal_url.as_deref(), Some("http://portal.example/x"));
            }
            let nowhere = check(answer(status, None, BodySeen::Empty), failed(), Worth::Portal, "redirect");
            assert_eq!(nowhere.portal_url, None);
        }
        check(answer(511, None, BodySeen::Html), failed(), Worth::Portal, "portal-required");
        check(answer(200, None, BodySeen::Html), failed(), Worth::Portal, "altered");
        check(answer(200, None, BodySeen::Html), HttpsSeen::Ok, Worth::Full, "http-altered");
        // A broken proxy is not a portal.
        for broken in
            [answer(200, None, BodySeen::Other), answer(500, None, BodySeen::Html), answer(404, None, BodySeen::Html)]
        {
            check(broken.clone(), HttpsSeen::Ok, Worth::Full, "http-blocked");
            check(broken, failed(), Worth::Limited, "no-answer");
        }
        check(HttpSeen::DnsFailed, HttpsSeen::DnsFailed, Worth::Limited, "dns");
        check(HttpSeen::DnsFailed, HttpsSeen::Ok, Worth::Full, "http-blocked");
        check(HttpSeen::Failed("refused".into()), forged(), Worth::Limited, "tls");
    }

    #[test]
    fn redirects_lead_to_web_addresses_only() {
        for bad in ["javascript:alert(1)", "http://", "ftp://x/", "/relative", "http:// space", "", "http"] {
            let verdict = check(
                answer(302, Some(bad), BodySeen::Html),
                HttpsSeen::Failed(String::new()),
                Worth::Portal,
                "redirect",
            );
            assert_eq!(verdict.portal_url, None, "{bad:?}");
        }
        assert!(is_web_url("HTTPS://Portal.Example/ü"));
    }

    #[test]
    fn the_better_family_speaks_and_portal_beats_limited() {
        let full = FamilyReport { http: answer(204, None, BodySeen::Empty), https: HttpsSeen::Ok };
        let portal = FamilyReport {
            http: answer(302, Some("https://p.example/"), BodySeen::Empty),
            https: HttpsSeen::Failed(String::new()),
        };
        let limited = FamilyReport { http: HttpSeen::DnsFailed, https: HttpsSeen::DnsFailed };
        let worth = |v4: Option<&FamilyReport>, v6: Option<&FamilyReport>| {
            judge(&ProbeReport { ipv4: v4.cloned(), ipv6: v6.cloned(), ..ProbeReport::default() })
                .overall
                .map(|verdict| verdict.worth)
        };
        assert_eq!(worth(None, None), None);
        assert_eq!(worth(Some(&limited), Some(&full)), Some(Worth::Full));
        assert_eq!(worth(Some(&portal), Some(&full)), Some(Worth::Full));
        assert_eq!(worth(Some(&limited), Some(&portal)), Some(Worth::Portal));
        assert_eq!(worth(None, Some(&limited)), Some(Worth::Limited));
    }
}

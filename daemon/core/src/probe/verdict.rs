//! What a probe saw → what it means. A pure table per family, then one verdict over all. `[OPER 4.3, 4.4]`

use super::seen::{ApiAnswer, ApiSeen, BodySeen, FamilyReport, HttpSeen, HttpsSeen, LinkSeen, ProbeReport};

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
    /// Where the portal is, from a redirect or the network's API; not trusted, and never given a parameter.
    pub portal_url: Option<String>,
    /// The cause may be passing: probe once more before this counts. `[OPER 4.4]`
    pub retry_first: bool,
}

impl Verdict {
    fn new(worth: Worth, reason: &'static str) -> Self {
        Self { worth, reason, portal_url: None, retry_first: false }
    }

    fn retried(worth: Worth, reason: &'static str) -> Self {
        Self { retry_first: true, ..Self::new(worth, reason) }
    }
}

/// Plain-HTTP evidence in the classes of `[OPER 4.3]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Plain {
    /// 204, or 200 with the expected, an empty or a one-byte body.
    Good,
    /// A redirect to a URL that parses as http(s).
    Redirect(String),
    /// 511: nobody but a portal says that. `[RFC 6585 6]`
    Required,
    /// A redirect to nowhere, or HTML instead of the expected text.
    Suspected(&'static str),
    /// Anything else that was answered, or no answer.
    Failed,
    /// The name did not resolve.
    NoName,
}

/// The class of an answer.
#[must_use]
pub fn plain(http: &HttpSeen) -> Plain {
    match http {
        HttpSeen::DnsFailed | HttpSeen::NoAddress => Plain::NoName,
        HttpSeen::Failed(_) => Plain::Failed,
        HttpSeen::Answer { status: 204, .. } => Plain::Good,
        HttpSeen::Answer { status: 200, body: BodySeen::Empty | BodySeen::Expected, .. } => Plain::Good,
        HttpSeen::Answer { status: 200, body: BodySeen::Html, .. } => Plain::Suspected("altered"),
        HttpSeen::Answer { status: 301 | 302 | 303 | 307 | 308, location, .. } => match location {
            Some(url) if is_web_url(url) => Plain::Redirect(url.clone()),
            _ => Plain::Suspected("redirect"),
        },
        HttpSeen::Answer { status: 511, .. } => Plain::Required,
        HttpSeen::Answer { .. } => Plain::Failed,
    }
}

/// Whether it is an absolute URL that a browser may be sent to.
#[must_use]
pub fn is_web_url(url: &str) -> bool {
    let rest = ["http://", "https://"].iter().find_map(|scheme| {
        url.get(..scheme.len()).filter(|head| head.eq_ignore_ascii_case(scheme)).and_then(|head| url.get(head.len()..))
    });
    rest.is_some_and(|rest| {
        let host = rest.split(['/', '?', '#']).next().unwrap_or("");
        !host.is_empty() && url.len() <= 2048 && !url.chars().any(|c| c.is_control() || c == ' ')
    })
}

/// The verdict on one family. `[OPER 4.4]` `link`: what holds beside it.
///
/// ```text
/// plain        encrypted      beside it                     verdict
/// any          any            the API says captive          portal: api, with its URL
/// good         ok, untested                                 full
/// good         intercepted                                  limited: tls
/// good         failed         its host takes plain http     limited: https-blocked, one retry first
/// good         failed         its host takes nothing        limited: zero-rated, one retry first
/// redirect     any                                          portal: redirect, with URL
/// 511          any                                          portal: portal-required
/// suspected    ok                                           full: http-altered
/// suspected    otherwise      names are made up             portal: dns-hijack
/// suspected    otherwise                                    portal: altered, or redirect (to no web address)
/// failed       ok                                           full: http-blocked
/// failed       otherwise      private address               portal: dns-hijack
/// failed       otherwise      names are made up             limited: dns-hijack
/// failed       intercepted                                  limited: tls
/// failed       otherwise      the operator's site answers   limited: walled-garden
/// failed       otherwise      strict reverse-path filter    limited: reverse-path-filter
/// failed       otherwise                                    limited: no-answer
/// no name      ok                                           full: http-blocked
/// no name      otherwise      the operator's site answers   limited: walled-garden
/// no name      otherwise      strict reverse-path filter    limited: reverse-path-filter
/// no name      otherwise                                    limited: dns
/// ```
#[must_use]
pub fn family(seen: &FamilyReport, link: &LinkSeen) -> Verdict {
    if let Some(answer) = captive(link) {
        return Verdict { portal_url: answer.portal_url.clone(), ..Verdict::new(Worth::Portal, "api") };
    }
    let hijacked = link.hijacked == Some(true);
    match (plain(&seen.http), &seen.https) {
        (Plain::Good, HttpsSeen::Ok | HttpsSeen::NotTested) => Verdict::new(Worth::Full, ""),
        (Plain::Good, HttpsSeen::Intercepted(_)) => Verdict::new(Worth::Limited, "tls"),
        (Plain::Good, HttpsSeen::Failed(_) | HttpsSeen::DnsFailed) => match seen.elsewhere {
            Some(false) => Verdict::retried(Worth::Limited, "zero-rated"),
            _ => Verdict::retried(Worth::Limited, "https-blocked"),
        },
        (Plain::Redirect(url), _) => Verdict { portal_url: Some(url), ..Verdict::new(Worth::Portal, "redirect") },
        (Plain::Required, _) => Verdict::new(Worth::Portal, "portal-required"),
        (Plain::Suspected(_), HttpsSeen::Ok) => Verdict::new(Worth::Full, "http-altered"),
        (Plain::Suspected(_), _) if hijacked => Verdict::new(Worth::Portal, "dns-hijack"),
        (Plain::Suspected(why), _) => Verdict::new(Worth::Portal, why),
        (Plain::Failed | Plain::NoName, HttpsSeen::Ok) => Verdict::new(Worth::Full, "http-blocked"),
        (Plain::Failed, _) if seen.is_private() => Verdict::new(Worth::Portal, "dns-hijack"),
        (Plain::Failed, _) if hijacked => Verdict::new(Worth::Limited, "dns-hijack"),
        (Plain::Failed | Plain::NoName, HttpsSeen::Intercepted(_)) => Verdict::new(Worth::Limited, "tls"),
        (Plain::Failed | Plain::NoName, _) if link.site == Some(true) => Verdict::new(Worth::Limited, "walled-garden"),
        // Silence is what the kernel makes of answers on an interface that has not the best route.
        (Plain::Failed | Plain::NoName, _) if link.strict_filter && is_silent(seen) => {
            Verdict::new(Worth::Limited, "reverse-path-filter")
        }
        (Plain::NoName, _) => Verdict::new(Worth::Limited, "dns"),
        (Plain::Failed, _) => Verdict::new(Worth::Limited, "no-answer"),
    }
}

/// Whether the plain answer alone decides, so that the encrypted test need not be waited for.
#[must_use]
pub fn is_decided(http: &HttpSeen) -> bool {
    matches!(plain(http), Plain::Redirect(_) | Plain::Required)
}

/// Whether nothing outside was reached at all: the case in which the operator's own site is looked at.
#[must_use]
pub fn is_silent(seen: &FamilyReport) -> bool {
    !matches!(seen.http, HttpSeen::Answer { .. })
        && matches!(seen.https, HttpsSeen::Failed(_) | HttpsSeen::DnsFailed | HttpsSeen::NotTested)
}

fn captive(link: &LinkSeen) -> Option<&ApiAnswer> {
    match &link.api {
        Some(ApiSeen { answer: Ok(answer), .. }) if answer.captive => Some(answer),
        _ => None,
    }
}

/// Verdicts of a whole probe.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Judgement {
    /// IPv4, IPv6, and IPv4 through NAT64; `None` where not tested.
    pub families: [Option<Verdict>; 3],
    /// Over IPv4 and IPv6; `None` when nothing was tested.
    pub overall: Option<Verdict>,
}

/// The verdict over both families: the best one's, except that portal on one and limited on the other is portal.
/// `[OPER 4.1]` IPv4 through NAT64 needs a translator on the machine as well, so it does not make a link better; that
/// it is missing where IPv6 is full is said. `[OPER 4.8]`
#[must_use]
pub fn judge(report: &ProbeReport) -> Judgement {
    // IPv6 has no such filter.
    let unfiltered = LinkSeen { strict_filter: false, ..report.link.clone() };
    let one = |seen: &Option<FamilyReport>, link| seen.as_ref().map(|seen| family(seen, link));
    let families = [one(&report.ipv4, &report.link), one(&report.ipv6, &unfiltered), one(&report.nat64, &unfiltered)];
    // `Worth` is ordered so that the greatest is the rule: full above portal above limited. On a tie IPv4 speaks.
    let mut overall: Option<Verdict> = None;
    for verdict in families.iter().take(2).flatten() {
        if overall.as_ref().is_none_or(|best| verdict.worth > best.worth) {
            overall = Some(verdict.clone());
        }
    }
    let translated = families.get(2).and_then(Option::as_ref).is_some_and(|verdict| verdict.worth == Worth::Full);
    if let Some(overall) = &mut overall
        && overall.worth == Worth::Full
        && overall.reason.is_empty()
        && report.ipv4.is_none()
        && !translated
    {
        overall.reason = "v4-literal-unreachable";
    }
    Judgement { families, overall }
}

#[cfg(test)]
mod tests;

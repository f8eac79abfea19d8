//! Each row of the table.

use super::*;

fn answer(status: u16, location: Option<&str>, body: BodySeen) -> HttpSeen {
    HttpSeen::Answer { status, location: location.map(str::to_owned), body }
}

fn check(http: HttpSeen, https: HttpsSeen, worth: Worth, reason: &str) -> Verdict {
    let verdict = family(&FamilyReport::new(http.clone(), https.clone()), &LinkSeen::default());
    assert_eq!((verdict.worth, verdict.reason), (worth, reason), "{http:?} {https:?}");
    verdict
}

#[test]
fn each_row_of_the_table() {
    let failed = || HttpsSeen::Failed("timed out".into());
    let forged = || HttpsSeen::Intercepted("unknown issuer".into());
    for good in
        [answer(204, None, BodySeen::Other), answer(200, None, BodySeen::Empty), answer(200, None, BodySeen::Expected)]
    {
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
        let verdict =
            check(answer(302, Some(bad), BodySeen::Html), HttpsSeen::Failed(String::new()), Worth::Portal, "redirect");
        assert_eq!(verdict.portal_url, None, "{bad:?}");
    }
    assert!(is_web_url("HTTPS://Portal.Example/ü"));
}

#[test]
fn the_better_family_speaks_and_portal_beats_limited() {
    let full = FamilyReport::new(answer(204, None, BodySeen::Empty), HttpsSeen::Ok);
    let portal =
        FamilyReport::new(answer(302, Some("https://p.example/"), BodySeen::Empty), HttpsSeen::Failed(String::new()));
    let limited = FamilyReport::new(HttpSeen::DnsFailed, HttpsSeen::DnsFailed);
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

#[test]
fn what_stands_beside_a_family_decides_where_the_tests_leave_it_open() {
    let failed = || HttpSeen::Failed("refused".into());
    let silent = || FamilyReport::new(failed(), HttpsSeen::Failed("refused".into()));
    let say = |seen: &FamilyReport, link: &LinkSeen| {
        let verdict = family(seen, link);
        (verdict.worth, verdict.reason)
    };
    let none = LinkSeen::default();
    let hijacked = LinkSeen { hijacked: Some(true), ..none.clone() };
    let garden = LinkSeen { site: Some(true), ..none.clone() };
    let closed = LinkSeen { site: Some(false), hijacked: Some(false), ..none.clone() };
    assert_eq!(say(&silent(), &closed), (Worth::Limited, "no-answer"));
    assert_eq!(say(&silent(), &garden), (Worth::Limited, "walled-garden"));
    assert_eq!(say(&silent(), &hijacked), (Worth::Limited, "dns-hijack"));
    let no_name = FamilyReport::new(HttpSeen::NoAddress, HttpsSeen::DnsFailed);
    assert_eq!(say(&no_name, &garden), (Worth::Limited, "walled-garden"));
    assert_eq!(say(&no_name, &closed), (Worth::Limited, "dns"));
    // A host of the Internet has no private address: somebody wants to be asked instead of it.
    for address in ["10.1.2.3", "100.64.0.1", "192.168.1.1", "127.0.0.1", "169.254.1.1", "fd00::1", "::1"] {
        let seen = FamilyReport { address: Some(address.parse().unwrap()), ..silent() };
        assert_eq!(say(&seen, &none), (Worth::Portal, "dns-hijack"), "{address}");
        let good = FamilyReport { http: answer(204, None, BodySeen::Empty), https: HttpsSeen::Ok, ..seen };
        assert_eq!(say(&good, &hijacked), (Worth::Full, ""), "a note only");
    }
    for address in ["100.128.0.1", "8.8.8.8", "2001:db8::1"] {
        assert!(!FamilyReport { address: Some(address.parse().unwrap()), ..silent() }.is_private(), "{address}");
    }
    let altered = FamilyReport { http: answer(200, None, BodySeen::Html), ..silent() };
    assert_eq!(say(&altered, &hijacked), (Worth::Portal, "dns-hijack"));
    // Only the plain test's host is let through: told by the other one's plain port.
    let one_host = |elsewhere| FamilyReport { http: answer(204, None, BodySeen::Empty), elsewhere, ..silent() };
    assert_eq!(say(&one_host(Some(false)), &none), (Worth::Limited, "zero-rated"));
    assert_eq!(say(&one_host(Some(true)), &none), (Worth::Limited, "https-blocked"));
    assert_eq!(say(&one_host(None), &none), (Worth::Limited, "https-blocked"));
    assert!(is_silent(&silent()) && is_silent(&no_name) && !is_silent(&altered) && !is_silent(&one_host(None)));
}

/// OPER-088: silence has a cause in this machine, and it is named; for IPv4 alone, which alone has the filter.
#[test]
fn a_strict_filter_is_the_reason_of_silence() {
    let silent = |http| FamilyReport::new(http, HttpsSeen::Failed("timed out".into()));
    let strict = LinkSeen { strict_filter: true, ..LinkSeen::default() };
    for http in [HttpSeen::DnsFailed, HttpSeen::Failed("timed out".into())] {
        let seen = silent(http);
        assert_eq!(family(&seen, &strict).reason, "reverse-path-filter");
        let garden = LinkSeen { site: Some(true), ..strict.clone() };
        assert_eq!(family(&seen, &garden).reason, "walled-garden", "answers do arrive");
        let report = ProbeReport {
            ipv4: Some(seen.clone()),
            ipv6: Some(seen.clone()),
            link: strict.clone(),
            ..ProbeReport::default()
        };
        let [v4, v6, _] = judge(&report).families.map(|verdict| verdict.map_or("", |verdict| verdict.reason));
        assert_eq!(v4, "reverse-path-filter");
        assert_eq!(v6, family(&seen, &LinkSeen::default()).reason);
    }
    let answered = FamilyReport::new(answer(500, None, BodySeen::Html), HttpsSeen::Failed("refused".into()));
    assert_eq!(family(&answered, &strict).reason, "no-answer", "answers do arrive");
}

#[test]
fn what_the_api_says_stands_above_all_tests() {
    let full = FamilyReport::new(answer(204, None, BodySeen::Empty), HttpsSeen::Ok);
    let redirect = FamilyReport::new(answer(302, Some("http://r.example/"), BodySeen::Empty), HttpsSeen::NotTested);
    let said = |answer: Result<ApiAnswer, String>| LinkSeen {
        api: Some(ApiSeen { source: "advertisement", answer }),
        ..LinkSeen::default()
    };
    let held =
        said(Ok(ApiAnswer { captive: true, portal_url: Some("https://buy.example/".into()), ..ApiAnswer::default() }));
    for seen in [&full, &redirect] {
        let verdict = family(seen, &held);
        assert_eq!((verdict.worth, verdict.reason), (Worth::Portal, "api"));
        assert_eq!(verdict.portal_url.as_deref(), Some("https://buy.example/"));
    }
    for other in [said(Ok(ApiAnswer::default())), said(Err("not JSON".into()))] {
        assert_eq!(family(&full, &other).worth, Worth::Full);
        assert_eq!(family(&redirect, &other).reason, "redirect");
    }
}

#[test]
fn a_link_of_ipv6_alone_is_full_and_says_what_is_missing() {
    let full = FamilyReport::new(answer(204, None, BodySeen::Empty), HttpsSeen::Ok);
    let translated = FamilyReport::new(answer(204, None, BodySeen::Empty), HttpsSeen::NotTested);
    let broken = FamilyReport::new(HttpSeen::Failed("timed out".into()), HttpsSeen::NotTested);
    let say = |nat64: Option<&FamilyReport>| {
        let report = ProbeReport { ipv6: Some(full.clone()), nat64: nat64.cloned(), ..ProbeReport::default() };
        let overall = judge(&report).overall.unwrap();
        (overall.worth, overall.reason)
    };
    assert_eq!(say(Some(&translated)), (Worth::Full, ""));
    assert_eq!(say(Some(&broken)), (Worth::Full, "v4-literal-unreachable"));
    assert_eq!(say(None), (Worth::Full, "v4-literal-unreachable"));
    let report = ProbeReport { nat64: Some(translated), ..ProbeReport::default() };
    assert_eq!(judge(&report).overall, None, "a translator alone carries nothing of this machine");
}

//! The network's captive portal API: one request over TLS, one JSON object back. `[RFC 8908]`

use daemon_core::effect::ApiAnswer;
use serde_json::Value;

use crate::host::http::{Answer, Url};

/// Media type of the answer. `[RFC 8908 8.1]`
pub(super) const MEDIA_TYPE: &str = "application/captive+json";
/// Largest answer that is read, octets. `[OPER 4.5]`
pub(super) const LARGEST: usize = 32 * 1024;
/// Longest URL that is kept, octets.
const MAX_URL: usize = 2048;

/// Reads the answer. Keys that are not known are ignored, and known ones with a value of another type as well; without
/// `captive` it is no answer.
pub(super) fn read(answer: &Answer) -> Result<ApiAnswer, String> {
    if answer.status != 200 {
        return Err(format!("status {}", answer.status));
    }
    if answer.body.len() >= LARGEST {
        return Err(format!("longer than {LARGEST} octets"));
    }
    // Depth is limited by the parser.
    let value: Value = serde_json::from_slice(&answer.body).map_err(|_| "not JSON")?;
    let captive = value.get("captive").and_then(Value::as_bool).ok_or("says nothing of captive")?;
    let number = |key: &str| value.get(key).and_then(Value::as_u64);
    Ok(ApiAnswer {
        captive,
        portal_url: value
            .get("user-portal-url")
            .and_then(Value::as_str)
            .filter(|url| is_secure(url))
            .map(str::to_owned),
        seconds_remaining: number("seconds-remaining"),
        bytes_remaining: number("bytes-remaining"),
        can_extend: value.get("can-extend-session").and_then(Value::as_bool).unwrap_or(false),
    })
}

/// Whether it is a URL that may be asked or shown: absolute and encrypted.
pub(super) fn is_secure(url: &str) -> bool {
    url.len() <= MAX_URL && Url::parse(url).is_some_and(|url| url.scheme() == "https")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(status: u16, body: &str) -> Result<ApiAnswer, String> {
        read(&Answer { status, body: body.as_bytes().to_vec(), ..Answer::default() })
    }

    #[test]
    fn the_example_of_rfc_8908() {
        let body = r#"{"captive": true, "user-portal-url": "https://example.org/portal.html"}"#;
        let answer = check(200, body).unwrap();
        assert_eq!((answer.captive, answer.portal_url.as_deref()), (true, Some("https://example.org/portal.html")));
        let body = r#"{"captive": false, "user-portal-url": "https://example.org/portal.html",
            "venue-info-url": "https://flight.example.com/entertainment", "seconds-remaining": 326,
            "bytes-remaining": 65535, "can-extend-session": true, "new": {"x": [1]}}"#;
        let answer = check(200, body).unwrap();
        assert_eq!((answer.captive, answer.can_extend), (false, true));
        assert_eq!((answer.seconds_remaining, answer.bytes_remaining), (Some(326), Some(65535)));
    }

    #[test]
    fn what_it_is_not() {
        for (status, body, why) in [
            (404, "{\"captive\":true}", "status 404"),
            (200, "<html>", "not JSON"),
            (200, "", "not JSON"),
            (200, "[true]", "nothing of captive"),
            (200, "{\"captive\":\"yes\"}", "nothing of captive"),
            (200, "{\"captive\":1}", "nothing of captive"),
        ] {
            assert!(check(status, body).unwrap_err().contains(why), "{body}");
        }
        assert!(check(200, &" ".repeat(LARGEST)).unwrap_err().contains("longer"));
        assert!(check(200, &"[".repeat(20_000)).unwrap_err().contains("not JSON"));
        for url in ["http://plain.example/", "javascript:alert(1)", "file:///etc/passwd", "https://", "https://a b/"] {
            let answer = check(200, &format!("{{\"captive\":true,\"user-portal-url\":\"{url}\"}}")).unwrap();
            assert_eq!(answer.portal_url, None, "{url}");
        }
        let wrong = r#"{"captive":true,"user-portal-url":7,"seconds-remaining":-1,"bytes-remaining":"x"}"#;
        let answer = check(200, wrong).unwrap();
        assert_eq!(answer, ApiAnswer { captive: true, ..ApiAnswer::default() }, "known keys of a wrong type");
    }
}

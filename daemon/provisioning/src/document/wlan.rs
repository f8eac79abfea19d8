//! Wi-Fi profiles: which can work. They are kept as they came, so that whoever sets them up loses
//! nothing. [PROV 5]

use super::read::{flag, token};
use crate::code::Code;
use crate::schema::lexical::decode_hex;
use crate::schema::{Ns, at, text};
use crate::xml::Node;

/// What a profile comes to by itself: [`Code::OK`], the warning about its spelling, or why it
/// cannot work.
pub(super) fn judge(profile: Node<'_>) -> Code {
    let security = at(profile, Ns::Wlan, "MSM").and_then(|msm| at(msm, Ns::Wlan, "security"));
    let Some(security) = security else { return Code::OK };
    match check(security) {
        Err(code) => code,
        Ok(()) if is_prose(security) => Code::PROSE_SPELLING,
        Ok(()) => Code::OK,
    }
}

/// A spelling of the published prose. [PROV A22, A23]
fn is_prose(security: Node<'_>) -> bool {
    let hotspot = at(security, Ns::Hotspot, "HotspotProfile");
    let one_x = at(security, Ns::OneX, "OneX");
    hotspot.is_some_and(|hotspot| at(hotspot, Ns::Hotspot, "UserName").is_some())
        || one_x.is_some_and(|one_x| at(one_x, Ns::OneX, "EAcomputeronfig").is_some())
}

/// The rules that join elements. [PROV 5.3 to 5.5]
fn check(security: Node<'_>) -> Result<(), Code> {
    let holds = |fine: bool| if fine { Ok(()) } else { Err(Code::BAD_PROFILE) };
    let method = at(security, Ns::Wlan, "authEncryption").ok_or(Code::BAD_PROFILE)?;
    let authentication = token(method, Ns::Wlan, "authentication").unwrap_or_default();
    let encryption = token(method, Ns::Wlan, "encryption").unwrap_or_default();
    let is_psk = matches!(authentication.as_str(), "WPAPSK" | "WPA2PSK");
    let is_wpa = is_psk || matches!(authentication.as_str(), "WPA" | "WPA2");
    holds(match encryption.as_str() {
        "TKIP" | "AES" => is_wpa,
        "WEP" => !is_wpa,
        _ => authentication == "open",
    })?;
    if flag(method, Ns::Wlan2, "FIPSMode") == Some(true) {
        holds(matches!(authentication.as_str(), "WPA2" | "WPA2PSK") && encryption == "AES")?;
    }
    let one_x = at(security, Ns::OneX, "OneX").is_some();
    holds(flag(method, Ns::Wlan, "useOneX").unwrap_or(false) == one_x)?;
    if at(security, Ns::Hotspot, "HotspotProfile").is_some() {
        holds(authentication == "open" && encryption == "none")?;
    }
    let key = at(security, Ns::Wlan, "sharedKey");
    holds(key.is_some() || !(is_psk || encryption == "WEP"))?;
    if let Some(key) = key {
        shared_key(key, is_psk, &encryption)?;
    }
    if at(security, Ns::Wlan, "keyIndex").is_some() {
        let kind = key.and_then(|key| token(key, Ns::Wlan, "keyType"));
        holds(kind.as_deref() == Some("networkKey"))?;
    }
    caching(security, &authentication)
}

fn shared_key(key: Node<'_>, is_psk: bool, encryption: &str) -> Result<(), Code> {
    // Encrypted for a machine that is not this one.
    if flag(key, Ns::Wlan, "protected") == Some(true) {
        return Err(Code::NOT_SUPPORTED);
    }
    let is_phrase = token(key, Ns::Wlan, "keyType").as_deref() == Some("passPhrase");
    let material = at(key, Ns::Wlan, "keyMaterial").map(text).unwrap_or_default();
    let hex = |digits: usize| material.len() == digits && decode_hex(&material).is_some();
    let fine = if encryption == "WEP" {
        !is_phrase && (material.is_ascii() && matches!(material.len(), 5 | 13) || hex(10) || hex(26))
    } else if is_psk && is_phrase {
        (8..=63).contains(&material.len()) && material.bytes().all(|b| (32..=126).contains(&b))
    } else if is_psk {
        hex(64)
    } else {
        true
    };
    if fine { Ok(()) } else { Err(Code::BAD_PROFILE) }
}

/// Pairwise master keys are cached, and neighbours authenticated beforehand, with WPA2 only, the
/// latter and the measures of the cache only while there is one.
fn caching(security: Node<'_>, authentication: &str) -> Result<(), Code> {
    let has = |name| at(security, Ns::Wlan, name).is_some();
    let is_on = token(security, Ns::Wlan, "PMKCacheMode").as_deref() != Some("disabled");
    let with_cache = ["PMKCacheTTL", "PMKCacheSize", "preAuthMode", "preAuthThrottle"].into_iter().any(has);
    let fine = match authentication {
        "WPA2" => is_on || !with_cache,
        _ => !with_cache && !has("PMKCacheMode"),
    };
    if fine { Ok(()) } else { Err(Code::BAD_PROFILE) }
}

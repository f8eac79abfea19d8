//! The operator's page: fetched from the daemon when the user said yes, and looked at.

use dbus_api::proxy::ConnectivityProxy;
use zbus::names::BusName;
use zbus::proxy::CacheProperties;
use zbus::{Connection, OwnedObjectPath, fdo};

use crate::failure::Failure;

/// Most octets of an address; the daemon's own limit.
const LONGEST: usize = 2048;

/// The page of a modem's operator. An address that is no page of the encrypted web goes nowhere, whoever gave it.
pub(crate) async fn fetch(daemon: &Connection, modem: &OwnedObjectPath) -> Result<String, Failure> {
    let builder = ConnectivityProxy::builder(daemon).path(modem.clone()).cache_properties(CacheProperties::No);
    let (url, _) = builder.build().await?.get_portal_url().await?;
    if is_page(&url) { Ok(url) } else { Err(Failure::failed("the page is not one of the encrypted web (https)")) }
}

/// `https://`, a host, and nothing in it that means something to anybody but a browser.
pub(crate) fn is_page(url: &str) -> bool {
    let Some(rest) = url.strip_prefix("https://") else { return false };
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let clean = |byte: u8| byte.is_ascii_graphic() && !matches!(byte, b'"' | b'\'' | b'<' | b'>' | b'\\' | b'`');
    !authority.is_empty() && !authority.contains('@') && url.len() <= LONGEST && url.bytes().all(clean)
}

/// Whether somebody answers to the name.
pub(crate) async fn there_now(bus: &Connection, name: &str) -> bool {
    let look = async { fdo::DBusProxy::new(bus).await?.name_has_owner(BusName::try_from(name)?).await };
    look.await.unwrap_or(false)
}

/// Whether somebody answers to the name, or would be started to.
pub(crate) async fn there(bus: &Connection, name: &str) -> bool {
    if there_now(bus, name).await {
        return true;
    }
    // A bus that cannot list what it would start starts nothing.
    let listed = async { fdo::DBusProxy::new(bus).await?.list_activatable_names().await };
    listed.await.is_ok_and(|names| names.iter().any(|other| other.as_str() == name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_pages_of_the_encrypted_web() {
        for url in ["https://x.example", "https://x.example:8443/a?b=c&d=%20#e", "https://xn--bcher-kva.example/"] {
            assert!(is_page(url), "{url}");
        }
        for url in [
            "",
            "http://x.example/",
            "HTTPS://x.example/",
            "javascript:alert(1)",
            "file:///etc/passwd",
            "https://",
            "https:///x",
            "https://user@x.example/",
            "https://x.example/ --flag",
            "https://x.example/\u{fc}",
            "https://x.example/\n",
            "https://x.example/'$(x)'",
            "--help",
            "ftp://x.example/",
            &format!("https://x.example/{}", "a".repeat(LONGEST)),
        ] {
            assert!(!is_page(url), "{url}");
        }
    }
}

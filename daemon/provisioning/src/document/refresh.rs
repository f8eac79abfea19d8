//! Certificates to trust, and where a newer document is. [PROV 7, 12.8]

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};

use super::read::token;
use crate::private::{Personal, Secret, stored_option, stored_personal};
use crate::schema::lexical::integer;
use crate::schema::{Ns, at, children, text};
use crate::signer::TrustedCertificate;
use crate::xml::Node;

/// Where and when to ask for a newer document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refresh {
    /// Not before so many days of 24 hours after the last success, 1 to 730; none: only when asked to.
    pub delay_in_days: Option<u16>,
    /// Begins with `https://` and names a host.
    #[serde(with = "stored_personal")]
    pub url: Personal<String>,
    /// For HTTP authentication.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "stored_option")]
    pub username: Option<Secret<String>>,
    /// For HTTP authentication.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "stored_option")]
    pub password: Option<Secret<String>>,
}

impl Refresh {
    /// What to say to a server that asks who is there: the value of `Authorization` of the scheme Basic. None without a
    /// name, or with one that the scheme has no room for. [RFC 7617]
    #[must_use]
    pub fn authorization(&self) -> Option<Secret<String>> {
        let name = self.username.as_ref()?.reveal();
        if name.contains(':') {
            return None;
        }
        let password = self.password.as_ref().map(|password| password.reveal().as_str()).unwrap_or_default();
        let pair = Secret::new(format!("{name}:{password}"));
        // Grown at once: what is moved would stay behind in clear.
        let mut value = String::with_capacity("Basic ".len() + pair.reveal().len().div_ceil(3) * 4);
        value.push_str("Basic ");
        STANDARD.encode_string(pair.reveal(), &mut value);
        Some(Secret::new(value))
    }
}

/// Names of certificates, not trimmed.
pub(super) fn certificates(node: Node<'_>) -> Vec<TrustedCertificate> {
    let name = |node, name| at(node, Ns::Base, name).or_else(|| at(node, Ns::Cc, name)).map(text);
    children(node, Ns::Cc, "TrustedCertificate")
        .filter_map(|node| {
            Some(TrustedCertificate { subject: name(node, "SubjectName")?, issuer: name(node, "IssuerName")? })
        })
        .collect()
}

/// Reads it; what cannot be used says why.
pub(super) fn refresh(node: Node<'_>) -> Result<Refresh, &'static str> {
    let url = token(node, Ns::Cc, "RefreshURL").unwrap_or_default();
    check_url(&url)?;
    let name = token(node, Ns::Cc, "UserName").or_else(|| token(node, Ns::Cc, "Username"));
    Ok(Refresh {
        delay_in_days: token(node, Ns::Cc, "DelayInDays")
            .and_then(|days| integer(&days))
            .and_then(|days| u16::try_from(days).ok()),
        url: Personal::new(url),
        username: name.map(Secret::new),
        password: token(node, Ns::Cc, "Password").map(Secret::new),
    })
}

/// A URL that no client could ask is of no use: no host, white space, or a user in it, who would
/// be sent to every redirect.
fn check_url(url: &str) -> Result<(), &'static str> {
    let rest = url.strip_prefix("https://").ok_or("RefreshURL: not https")?;
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    if url.chars().any(|c| c.is_whitespace() || c.is_control()) {
        return Err("RefreshURL: white space in it");
    }
    if authority.contains('@') {
        return Err("RefreshURL: a user in it; UserName and Password are for that");
    }
    let host = match authority.strip_prefix('[') {
        Some(six) => six.split_once(']').map_or("", |(host, _)| host),
        None => authority.split(':').next().unwrap_or_default(),
    };
    if host.is_empty() { Err("RefreshURL: no host in it") } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_said_to_a_server_that_asks() {
        let refresh = |name: Option<&str>, password: Option<&str>| Refresh {
            delay_in_days: None,
            url: Personal::new("https://h.example/".to_owned()),
            username: name.map(|name| Secret::new(name.to_owned())),
            password: password.map(|password| Secret::new(password.to_owned())),
        };
        let said = |refresh: Refresh| refresh.authorization().map(|value| value.reveal().clone());
        // The example of RFC 7617.
        assert_eq!(said(refresh(Some("Aladdin"), Some("open sesame"))).unwrap(), "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==");
        assert_eq!(said(refresh(Some("test"), Some("123\u{a3}"))).unwrap(), "Basic dGVzdDoxMjPCow==");
        assert_eq!(said(refresh(Some("a"), None)).unwrap(), "Basic YTo=");
        assert_eq!(said(refresh(None, Some("x"))), None);
        assert_eq!(said(refresh(Some("a:b"), Some("x"))), None);
    }
}

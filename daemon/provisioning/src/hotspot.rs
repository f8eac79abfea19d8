//! To which login pages the credentials of a hotspot may go. [PROV 5.5]

/// Whether one entry of a profile's trusted domains covers a login URL: only over HTTPS, only by
/// the whole host name, or by every depth below a leading dot. Host names compare in their ASCII
/// form; what is written otherwise matches nothing.
#[must_use]
pub fn is_trusted_login(entry: &str, url: &str) -> bool {
    let Some(rest) = strip_prefix_any_case(url, "https://") else { return false };
    let authority = rest.split(['/', '?', '#', '\\']).next().unwrap_or_default();
    // What stands before an at sign is a user, not a host.
    let authority = authority.rsplit('@').next().unwrap_or_default();
    let host = match authority.strip_prefix('[') {
        Some(six) => six.split_once(']').map_or("", |(host, _)| host),
        None => authority.split(':').next().unwrap_or_default(),
    };
    let host = host.strip_suffix('.').unwrap_or(host);
    let entry = entry.strip_suffix('.').unwrap_or(entry);
    if host.is_empty() || !host.is_ascii() || !entry.is_ascii() {
        return false;
    }
    match entry.strip_prefix('.') {
        None => entry.eq_ignore_ascii_case(host),
        // An address has no hosts under it.
        Some(_) if host.parse::<core::net::IpAddr>().is_ok() => false,
        Some(domain) => {
            let Some(dot) = host.len().checked_sub(domain.len() + 1) else { return false };
            let (below, above) = host.split_at(dot);
            !domain.is_empty()
                && !below.is_empty()
                && above.get(1..).is_some_and(|a| a.eq_ignore_ascii_case(domain))
                && above.starts_with('.')
        }
    }
}

fn strip_prefix_any_case<'a>(text: &'a str, prefix: &str) -> Option<&'a str> {
    let (head, rest) = text.split_at_checked(prefix.len())?;
    head.eq_ignore_ascii_case(prefix).then_some(rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts() {
        for (entry, url, want) in [
            ("login.example.com", "https://login.example.com:8443/x?y#z", true),
            ("login.example.com", "https://login.example.com./", true),
            ("LOGIN.example.com.", "HTTPS://login.EXAMPLE.com", true),
            ("login.example.com", "https://login.example.com@evil.example/", false),
            ("login.example.com", "https://evil.example\\@login.example.com/", false),
            ("login.example.com", "https://login.example.com.evil.example/", false),
            (".example.com", "https://a.b.example.com/", true),
            (".example.com", "https://.example.com/", false),
            (".example.com", "https://example.com/", false),
            (".", "https://a./", false),
            ("", "https:///", false),
            ("*", "https://a/", false),
            ("192.0.2.1", "https://192.0.2.1/", true),
            (".0.2.1", "https://192.0.2.1/", false),
            ("2001:db8::1", "https://[2001:db8::1]:443/", true),
            ("b\u{fc}cher.example", "https://b\u{fc}cher.example/", false),
            ("login.example.com", "ftp://login.example.com/", false),
        ] {
            assert_eq!(is_trusted_login(entry, url), want, "{entry} {url}");
        }
    }
}

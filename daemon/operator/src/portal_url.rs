//! The link to the operator's site, with what identifies subscriber, device and card. `[OPER 5]`
//!
//! Only an address from an operator's record is to be given to [`hand_over`]; one that a redirect or an interface of
//! the network named gets no identifiers and is passed on as it is.

use core::fmt;

use crate::identity::{Identity, write_masked};

/// Longest URL, in octets.
const LONGEST: usize = 2048;

/// What identifies subscriber, device and card; only what is there and may be told.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Parameters {
    /// `SubId`: IMSI, for CDMA the MIN.
    pub sub_id: Option<String>,
    /// `DevId`: IMEI, for CDMA MEID or ESN.
    pub dev_id: Option<String>,
    /// `IccId`: number of the card.
    pub icc_id: Option<String>,
}

impl Parameters {
    /// What an identity allows to tell: nothing that is absent, malformed or protected.
    pub fn of(identity: &Identity) -> Self {
        let subscriber = identity.imsi.as_ref().map(|imsi| imsi.reveal());
        let subscriber = subscriber.or(identity.min.as_ref().map(|min| min.reveal()));
        let card = identity.iccid.as_ref().and_then(|iccid| iccid.for_matching());
        let open = |value: Option<&str>| value.filter(|_| !identity.protected).map(str::to_owned);
        Self {
            sub_id: open(subscriber),
            dev_id: identity.device.as_ref().map(|device| device.reveal().to_owned()),
            icc_id: open(card),
        }
    }

    fn named(&self) -> [(&'static str, Option<&str>); 3] {
        fn given(value: &Option<String>) -> Option<&str> {
            value.as_deref().filter(|value| !value.is_empty())
        }
        [("SubId", given(&self.sub_id)), ("DevId", given(&self.dev_id)), ("IccId", given(&self.icc_id))]
    }
}

impl fmt::Debug for Parameters {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        struct Masked<'a>(&'a str);
        impl fmt::Debug for Masked<'_> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write_masked(self.0, f)
            }
        }
        let named = self.named();
        let present = named.iter().filter_map(|(name, value)| Some((name, Masked((*value)?))));
        f.debug_map().entries(present).finish()
    }
}

/// A finished link. It names a person: it prints its host only.
#[derive(Clone, PartialEq, Eq)]
pub struct HandOver {
    url: String,
    host: String,
    carried: Vec<&'static str>,
    dropped: Vec<&'static str>,
}

impl HandOver {
    /// The whole link. Not for logs, not to be fetched: it goes to the person's browser.
    pub fn reveal(&self) -> &str {
        &self.url
    }

    /// The host it leads to, in ASCII form: what consent is asked for.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// Whether any identifier was added.
    pub fn carries_identifiers(&self) -> bool {
        !self.carried.is_empty()
    }

    /// Names of the parameters that were added.
    pub fn carried(&self) -> &[&'static str] {
        &self.carried
    }

    /// Names of the parameters that were left out because the link would have been too long.
    pub fn dropped(&self) -> &[&'static str] {
        &self.dropped
    }
}

impl fmt::Display for HandOver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "https://{}/###", self.host)
    }
}

impl fmt::Debug for HandOver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "HandOver({self})")
    }
}

/// Why there is no hand-over. Carries nothing of the address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UrlProblem {
    /// The scheme is not https.
    Scheme,
    /// There is a user or a password before the host.
    UserInfo,
    /// Host or port are missing or malformed.
    Host,
    /// A blank or a control character.
    Blank,
    /// Longer than 2,048 octets even without device and card.
    TooLong,
}

impl fmt::Display for UrlProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Scheme => "the operator's address is not an absolute https address",
            Self::UserInfo => "the operator's address holds a user",
            Self::Host => "the operator's address has no usable host",
            Self::Blank => "the operator's address holds a blank or a control character",
            Self::TooLong => "the operator's address is longer than 2048 octets",
        })
    }
}

impl core::error::Error for UrlProblem {}

/// Builds the link to the operator's site from the address of its record. `[OPER 5]`
///
/// # Errors
///
/// When the address is not absolute https with a plain host, or when the link would be too long.
pub fn hand_over(base: &str, parameters: &Parameters) -> Result<HandOver, UrlProblem> {
    let (base, host) = ascii_base(base)?;
    let (address, fragment) = match base.find('#') {
        Some(at) => base.split_at(at),
        None => (base.as_str(), ""),
    };
    let query = address.split_once('?').map(|(_, query)| query);
    let set_by_operator = |name: &str| {
        query.is_some_and(|query| {
            query.split('&').any(|part| part.split_once('=').map_or(part, |(name, _)| name) == name)
        })
    };
    let wanted: Vec<(&'static str, &str)> = parameters
        .named()
        .into_iter()
        .filter_map(|(name, value)| Some((name, value?)))
        .filter(|(name, _)| !set_by_operator(name))
        .collect();
    // The card goes first when the link is too long, then the device.
    let without: [&[&str]; 3] = [&[], &["IccId"], &["DevId", "IccId"]];
    for left_out in without {
        let (carried, dropped): (Vec<_>, Vec<_>) = wanted.iter().partition(|(name, _)| !left_out.contains(name));
        let mut url = address.to_owned();
        for (name, value) in &carried {
            let joint = if !url.contains('?') {
                "?"
            } else if url.ends_with(['?', '&']) {
                ""
            } else {
                "&"
            };
            url.push_str(joint);
            url.push_str(name);
            url.push('=');
            percent_encode(value, &mut url);
        }
        url.push_str(fragment);
        if url.len() <= LONGEST {
            let names = |list: Vec<(&'static str, &str)>| list.into_iter().map(|(name, _)| name).collect();
            return Ok(HandOver { url, host, carried: names(carried), dropped: names(dropped) });
        }
    }
    Err(UrlProblem::TooLong)
}

/// Checks the operator's address and makes it ASCII; all that is ASCII already stays as it is. Returns the host beside.
fn ascii_base(base: &str) -> Result<(String, String), UrlProblem> {
    if base.chars().any(|character| character.is_whitespace() || character.is_control()) {
        return Err(UrlProblem::Blank);
    }
    let (scheme, rest) = match base.split_at_checked("https://".len()) {
        Some((scheme, rest)) if scheme.eq_ignore_ascii_case("https://") => (scheme, rest),
        _ => return Err(UrlProblem::Scheme),
    };
    let (authority, rest) = match rest.find(['/', '?', '#']) {
        Some(at) => rest.split_at(at),
        None => (rest, ""),
    };
    if authority.contains('@') {
        return Err(UrlProblem::UserInfo);
    }
    let (host, port) = split_port(authority)?;
    let host = ascii_host(host)?;
    let mut url = format!("{scheme}{host}{port}");
    for character in rest.chars() {
        if character.is_ascii() {
            url.push(character);
        } else {
            percent_encode(character.encode_utf8(&mut [0; 4]), &mut url);
        }
    }
    Ok((url, host))
}

/// Host, and port with its colon.
fn split_port(authority: &str) -> Result<(&str, &str), UrlProblem> {
    let host_end = match authority.rfind(']') {
        Some(at) => at + 1,
        None => authority.find(':').unwrap_or(authority.len()),
    };
    let (host, port) = authority.split_at_checked(host_end).ok_or(UrlProblem::Host)?;
    match port.strip_prefix(':') {
        None if port.is_empty() => Ok((host, port)),
        Some("") => Ok((host, port)),
        Some(number) if number.bytes().all(|byte| byte.is_ascii_digit()) && number.parse::<u16>().is_ok() => {
            Ok((host, port))
        }
        _ => Err(UrlProblem::Host),
    }
}

fn ascii_host(host: &str) -> Result<String, UrlProblem> {
    if let Some(literal) = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        let address = literal.parse::<core::net::Ipv6Addr>();
        return address.map(|_| host.to_owned()).map_err(|_| UrlProblem::Host);
    }
    let ascii = if host.is_ascii() {
        host.to_owned()
    } else {
        // The name as a whole must be convertible; labels that are ASCII already keep their letters.
        idna::domain_to_ascii(host).map_err(|_| UrlProblem::Host)?;
        let labels = host
            .split('.')
            .map(|label| if label.is_ascii() { Ok(label.to_owned()) } else { idna::domain_to_ascii(label) });
        labels.collect::<Result<Vec<_>, _>>().map_err(|_| UrlProblem::Host)?.join(".")
    };
    let name = ascii.strip_suffix('.').unwrap_or(&ascii);
    let usable = name.len() <= 253
        && name.split('.').all(|label| {
            (1..=63).contains(&label.len())
                && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
        });
    if usable { Ok(ascii) } else { Err(UrlProblem::Host) }
}

/// All octets but letters, digits, hyphen, dot, underscore and tilde.
fn percent_encode(text: &str, into: &mut String) {
    for octet in text.bytes() {
        if octet.is_ascii_alphanumeric() || matches!(octet, b'-' | b'.' | b'_' | b'~') {
            into.push(char::from(octet));
        } else {
            into.push_str(&format!("%{octet:02X}"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::identity::Reported;

    fn all() -> Parameters {
        Parameters {
            sub_id: Some("001015512345678".into()),
            dev_id: Some("490154203237518".into()),
            icc_id: Some("8999000000000000017".into()),
        }
    }

    #[track_caller]
    fn check(base: &str, expected: Result<&str, UrlProblem>) {
        let made = hand_over(base, &Parameters { sub_id: Some("1".into()), ..Parameters::default() });
        assert_eq!(made.as_ref().map(HandOver::reveal).map_err(|problem| *problem), expected);
    }

    #[test]
    fn hosts() {
        check("https://Bücher.Example/ü", Ok("https://xn--bcher-kva.Example/%C3%BC?SubId=1"));
        check("https://X.Example", Ok("https://X.Example?SubId=1"));
        check("HTTPS://x.example:8443#ü", Ok("HTTPS://x.example:8443?SubId=1#%C3%BC"));
        check("https://x.example:/a", Ok("https://x.example:/a?SubId=1"));
        check("https://[2001:db8::1]:443/", Ok("https://[2001:db8::1]:443/?SubId=1"));
        check("https://192.0.2.1/", Ok("https://192.0.2.1/?SubId=1"));
        for wrong in [
            "https://",
            "https:///path",
            "https://x..example/",
            "https://x.example:port/",
            "https://x.example:65536/",
            "https://x.example\\y/",
            "https://[::1/",
            "https://[::1]x/",
            "https://x%41.example/",
            "https://a:b:c/",
            "https://\u{ff0f}.example/",
        ] {
            check(wrong, Err(UrlProblem::Host));
        }
        check("https://x.example\\@y/", Err(UrlProblem::UserInfo));
        check("https:/x.example/", Err(UrlProblem::Scheme));
        check("//x.example/", Err(UrlProblem::Scheme));
        check("https://x.example/\u{a0}", Err(UrlProblem::Blank));
        check("https://x.example/\n", Err(UrlProblem::Blank));
        check(" https://x.example/", Err(UrlProblem::Blank));
    }

    #[test]
    fn questions_behind_the_hash_do_not_count() {
        check("https://x.example/a#b?c", Ok("https://x.example/a?SubId=1#b?c"));
        check("https://x.example/a?subid=2", Ok("https://x.example/a?subid=2&SubId=1"));
        check("https://x.example/a?SubId#x", Ok("https://x.example/a?SubId#x"));
        check("https://x.example/a?b=SubId=2", Ok("https://x.example/a?b=SubId=2&SubId=1"));
    }

    #[test]
    fn long_links_lose_card_then_device_then_all() {
        let of = |length: usize| {
            let base = format!("https://x.example/{}", "a".repeat(length - "https://x.example/".len()));
            hand_over(&base, &all()).map(|made| (made.reveal().len(), made.dropped().to_vec()))
        };
        // "?SubId=" and 15 digits, "&DevId=" and 15, "&IccId=" and 19.
        assert_eq!(of(2048 - 70), Ok((2048, vec![])));
        assert_eq!(of(2048 - 69), Ok((2048 - 69 + 44, vec!["IccId"])));
        assert_eq!(of(2048 - 43), Ok((2048 - 43 + 22, vec!["DevId", "IccId"])));
        assert_eq!(of(2048 - 21), Err(UrlProblem::TooLong));
    }

    #[test]
    fn protected_and_unusable_values_are_not_told() {
        let (identity, _) = Identity::normalise(&Reported {
            subscriber_id: "001015512345678",
            iccid: "8999000000000000017",
            device_id: "490154203237518",
            protected: true,
            ..Reported::default()
        });
        let parameters = Parameters::of(&identity);
        assert_eq!((parameters.sub_id, parameters.icc_id), (None, None));
        assert_eq!(parameters.dev_id.as_deref(), Some("490154203237518"));
        let (identity, _) = Identity::normalise(&Reported { iccid: "899900000000000001", ..Reported::default() });
        assert_eq!(Parameters::of(&identity), Parameters::default());
    }

    #[test]
    fn the_link_prints_its_host_only() {
        let made = hand_over("https://portal.contoso.example/start", &all()).unwrap();
        assert_eq!(format!("{made:?} {made}").matches("001015").count(), 0);
        assert_eq!(made.carried(), ["SubId", "DevId", "IccId"]);
        let printed = format!("{:?}", all());
        assert!(!printed.contains("001015512345678"), "{printed}");
    }
}

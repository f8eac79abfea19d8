//! Values of an access point: method, address family, purposes, and what a person or a document asks for.

use core::fmt;

use zeroize::Zeroize as _;

use crate::layers::Layer;

/// A password. Prints as `###`, and is wiped when it is let go.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Password(String);

impl Password {
    /// Wraps a password.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The password as it is.
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl Drop for Password {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_empty() { "Password()" } else { "Password(###)" })
    }
}

macro_rules! named {
    ($name:ident { $($(#[$doc:meta])* $variant:ident = $text:literal,)+ }, $(#[$type_doc:meta])+) => {
        $(#[$type_doc])+
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub enum $name {
            $($(#[$doc])* $variant,)+
        }

        impl $name {
            /// The name used in files and on the command line.
            pub fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $text,)+
                }
            }

            /// Reads the name.
            pub fn parse(text: &str) -> Option<Self> {
                match text {
                    $($text => Some(Self::$variant),)+
                    _ => None,
                }
            }
        }

        impl core::fmt::Display for $name {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                f.write_str(self.as_str())
            }
        }
    };
}
pub(crate) use named;

named! { Auth {
    /// No authentication.
    None = "none",
    /// Password in clear.
    Pap = "pap",
    /// Challenge.
    Chap = "chap",
    /// Microsoft's challenge, version 2.
    MsChapV2 = "mschapv2",
}, /// How the access point authenticates the user. `[MBIM1.0 10.5.12, MbimAuthProtocol]`
}

named! { IpType {
    /// IPv4 only.
    V4 = "ipv4",
    /// IPv6 only.
    V6 = "ipv6",
    /// Both on one context.
    V4v6 = "ipv4v6",
}, /// Address families of a context.
}

named! { RoamingMode {
    /// At home only.
    Home = "home",
    /// At home and with partners.
    HomePartner = "home-partner",
    /// Everywhere.
    All = "all",
    /// Only while roaming.
    RoamingOnly = "roaming-only",
}, /// Where an access point may be used. `[OPER 3.3]`
}

named! { RoamingState {
    /// In the home network or an equivalent of it.
    Home = "home",
    /// In a partner's network.
    Partner = "partner",
    /// In another network.
    Roaming = "roaming",
}, /// Where the modem is registered.
}

impl RoamingMode {
    /// Whether an access point of this mode may be used in this state.
    pub fn allows(self, state: RoamingState) -> bool {
        match self {
            Self::Home => state == RoamingState::Home,
            Self::HomePartner => state != RoamingState::Roaming,
            Self::All => true,
            Self::RoamingOnly => state != RoamingState::Home,
        }
    }
}

named! { PlanHint {
    /// Nothing is known.
    #[default]
    Unknown = "unknown",
    /// The subscription is paid in advance.
    Prepaid = "prepaid",
    /// The subscription is paid by bill.
    Postpaid = "postpaid",
}, #[derive(Default)]
/// What a person or a document says of the subscription; it reorders candidates. `[OPER 3.6]`
}

/// What an access point is for.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub struct Purposes(u16);

impl Purposes {
    /// Nothing.
    pub const NONE: Self = Self(0);
    /// Ordinary data.
    pub const INTERNET: Self = Self(1);
    /// The first context of LTE and later.
    pub const ATTACH: Self = Self(1 << 1);
    /// Buying a subscription.
    pub const PURCHASE: Self = Self(1 << 2);
    /// Sharing the connection.
    pub const TETHER: Self = Self(1 << 3);
    /// Multimedia messages.
    pub const MMS: Self = Self(1 << 4);
    /// Voice over IP of the operator.
    pub const IMS: Self = Self(1 << 5);
    /// Assistance for positioning.
    pub const SUPL: Self = Self(1 << 6);
    /// Administration of the device.
    pub const ADMIN: Self = Self(1 << 7);
    /// The operator's applications.
    pub const APP: Self = Self(1 << 8);
    /// Settings of operator services.
    pub const XCAP: Self = Self(1 << 9);
    /// Emergency calls.
    pub const EMERGENCY: Self = Self(1 << 10);
    /// Download of eSIM profiles.
    pub const ESIM: Self = Self(1 << 11);

    const NAMES: [(Self, &'static str); 12] = [
        (Self::INTERNET, "internet"),
        (Self::ATTACH, "attach"),
        (Self::PURCHASE, "purchase"),
        (Self::TETHER, "tether"),
        (Self::MMS, "mms"),
        (Self::IMS, "ims"),
        (Self::SUPL, "supl"),
        (Self::ADMIN, "admin"),
        (Self::APP, "app"),
        (Self::XCAP, "xcap"),
        (Self::EMERGENCY, "emergency"),
        (Self::ESIM, "esim"),
    ];

    /// Reads one name; `dun` is another word for tether.
    pub fn parse(name: &str) -> Option<Self> {
        let name = if name == "dun" { "tether" } else { name };
        Self::NAMES.iter().find(|(_, other)| *other == name).map(|(purpose, _)| *purpose)
    }

    /// The names of all that are set.
    pub fn names(self) -> impl Iterator<Item = &'static str> {
        Self::NAMES.into_iter().filter(move |(purpose, _)| self.contains(*purpose)).map(|(_, name)| name)
    }

    /// Whether all of `other` are set.
    pub fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// Both together.
    #[must_use]
    pub fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// These, but not `other`.
    #[must_use]
    pub fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// Whether none is set.
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }
}

impl fmt::Debug for Purposes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.names()).finish()
    }
}

/// An access point that does not come from a database: a person's, a document's, or a context stored in the modem.
#[derive(Clone, PartialEq, Eq)]
pub struct Profile {
    /// Who says so. `[OPER 3.4]`
    pub layer: Layer,
    /// Its name; may be empty.
    pub name: String,
    /// Access point name; empty = the network's default.
    pub apn: String,
    /// User; empty = none.
    pub user: String,
    /// Password; empty = none.
    pub password: Password,
    /// Method; `None` = not said.
    pub auth: Option<Auth>,
    /// Address families; `None` = not said.
    pub ip_type: Option<IpType>,
    /// What it is for; [`Purposes::NONE`] counts as internet.
    pub purposes: Purposes,
    /// It is a context that the modem has stored.
    pub in_modem: bool,
}

impl Default for Profile {
    fn default() -> Self {
        Self {
            layer: Layer::User,
            name: String::new(),
            apn: String::new(),
            user: String::new(),
            password: Password::default(),
            auth: None,
            ip_type: None,
            purposes: Purposes::INTERNET,
            in_modem: false,
        }
    }
}

impl fmt::Debug for Profile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Profile")
            .field("layer", &self.layer)
            .field("name", &self.name)
            .field("apn", &self.apn)
            .field("user", &if self.user.is_empty() { "" } else { "###" })
            .field("password", &self.password)
            .field("auth", &self.auth)
            .field("ip_type", &self.ip_type)
            .field("purposes", &self.purposes)
            .finish()
    }
}

/// Whether a text may stand as an access point name: labels of letters, digits, hyphen and underscore, joined by dots,
/// at most 100 characters. `[OPER 3.6]`
pub fn is_apn(text: &str) -> bool {
    text.len() <= 100
        && text.split('.').all(|label| {
            !label.is_empty() && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_go_both_ways() {
        for (purpose, name) in Purposes::NAMES {
            assert_eq!(Purposes::parse(name), Some(purpose));
            assert_eq!(purpose.names().collect::<Vec<_>>(), [name]);
        }
        assert_eq!(Purposes::parse("dun"), Some(Purposes::TETHER));
        assert_eq!(Auth::parse("chap"), Some(Auth::Chap));
        assert_eq!(IpType::parse("ipv5"), None);
    }

    #[test]
    fn modes_by_state() {
        let allowed = |mode: RoamingMode| {
            [RoamingState::Home, RoamingState::Partner, RoamingState::Roaming].map(|state| mode.allows(state))
        };
        assert_eq!(allowed(RoamingMode::Home), [true, false, false]);
        assert_eq!(allowed(RoamingMode::HomePartner), [true, true, false]);
        assert_eq!(allowed(RoamingMode::All), [true; 3]);
        assert_eq!(allowed(RoamingMode::RoamingOnly), [false, true, true]);
    }

    #[test]
    fn access_point_names() {
        for good in ["internet", "a.b-c_d", "3g-d-2.ocn.ne.jp", &"a".repeat(100)] {
            assert!(is_apn(good), "{good}");
        }
        for wrong in ["", ".", "a.", "a..b", "http://x/", "a b", "ä", &"a".repeat(101)] {
            assert!(!is_apn(wrong), "{wrong}");
        }
    }

    #[test]
    fn credentials_are_not_printed() {
        let profile = Profile { user: "someone".into(), password: Password::new("secret"), ..Profile::default() };
        let text = format!("{profile:?}");
        assert!(!text.contains("someone") && !text.contains("secret"), "{text}");
    }
}

//! Why a device cannot be opened, in words for whoever looks at its object.

use std::fmt;
use std::io;

use daemon_core::snapshot::Reason;

/// Why a device cannot be opened now.
#[derive(Debug)]
pub(crate) enum Refusal {
    /// It is not there, or nobody listens: it is waited for.
    NotThere(String),
    /// It is there.
    Refused(Box<Refused>),
}

/// A device that is there and cannot be opened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Refused {
    /// What is wrong and what to do.
    pub(crate) reason: Reason,
    /// A driver or another program has it.
    pub(crate) taken: bool,
    /// USB vendor and product.
    pub(crate) usb: Option<(u16, u16)>,
    /// The device in sysfs, where nothing else says it.
    pub(crate) physical: Option<String>,
}

impl Refusal {
    /// It is there. `text` says what is wrong and, behind a semicolon, what to do.
    pub(crate) fn because(code: &'static str, text: String) -> Self {
        let reason = Reason { code, text };
        Self::Refused(Box::new(Refused { reason, taken: false, usb: None, physical: None }))
    }

    /// A driver or another program has it.
    pub(crate) fn taken(code: &'static str, text: String) -> Self {
        match Self::because(code, text) {
            Self::Refused(refused) => Self::Refused(Box::new(Refused { taken: true, ..*refused })),
            absent => absent,
        }
    }

    /// Which device it is.
    #[cfg(feature = "usb")]
    pub(crate) fn of(self, usb: (u16, u16), physical: String) -> Self {
        match self {
            Self::Refused(refused) => {
                Self::Refused(Box::new(Refused { usb: Some(usb), physical: Some(physical), ..*refused }))
            }
            absent => absent,
        }
    }
}

impl From<io::Error> for Refusal {
    fn from(error: io::Error) -> Self {
        use io::ErrorKind as Kind;
        match error.kind() {
            Kind::NotFound | Kind::ConnectionRefused | Kind::NotConnected => Self::NotThere(error.to_string()),
            Kind::PermissionDenied => Self::because(
                "port-not-permitted",
                format!("mbimd may not open this port ({error}); check the rights of the device and of mbimd's unit."),
            ),
            Kind::ResourceBusy | Kind::WouldBlock => Self::taken(
                "port-in-use",
                "Another program uses this port; end it and mbimd takes the modem.".to_owned(),
            ),
            _ => Self::because(
                "port-failed",
                format!("The port cannot be opened ({error}); plug the modem in again if that stays."),
            ),
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotThere(why) => f.write_str(why),
            Self::Refused(refused) => f.write_str(&refused.reason.text),
        }
    }
}

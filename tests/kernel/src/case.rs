//! What a case is, and the list of all. A file below `case/` holds the cases of one topic.

mod bench;
mod beside;
mod boot;
mod device;
mod driver;
mod echo;
mod fleet;
mod life;
mod mbimcli;
mod modemmanager;
mod package;
mod plug;
mod proxy;
mod ride;
mod router;
mod sessions;
mod sleep;
mod usb;

use std::error::Error;
use std::pin::Pin;

use core::fmt;
use core::time::Duration;

use crate::guest::Guest;

/// How a case ends.
pub(crate) type Outcome = Result<(), Box<dyn Error>>;
/// A case at work.
pub(crate) type Running<'a> = Pin<Box<dyn Future<Output = Outcome> + 'a>>;

/// What the guest is booted with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Boot {
    /// A small init that starts udevd, the system bus and polkitd: seconds.
    Plain,
    /// As on a small router: the system bus and nothing else.
    Bare,
    /// systemd, for units.
    Systemd,
}

impl Boot {
    const ALL: [Self; 3] = [Self::Plain, Self::Bare, Self::Systemd];

    /// By the name on the command line.
    pub(crate) fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|boot| boot.to_string() == name)
    }
}

impl fmt::Display for Boot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Plain => "plain",
            Self::Bare => "bare",
            Self::Systemd => "systemd",
        })
    }
}

/// What a case does where a real modem is given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Real {
    /// Runs on it.
    Yes,
    /// Needs what only the guest or a virtual modem can do; said and counted as not run.
    No(&'static str),
}

/// One case.
#[derive(Clone, Copy)]
pub(crate) struct Case {
    /// Name: small letters and hyphens.
    pub(crate) name: &'static str,
    /// What holds when it passes, in one line.
    pub(crate) what: &'static str,
    /// What the guest is booted with.
    pub(crate) boot: Boot,
    /// Runs only when it is named.
    pub(crate) apart: bool,
    /// On a real modem.
    pub(crate) real: Real,
    /// How long it may take on a slow machine.
    pub(crate) limit: Duration,
    /// The case. A panic fails it as an error does.
    pub(crate) run: for<'a> fn(&'a mut Guest) -> Running<'a>,
}

/// A case that was asked for.
#[derive(Clone)]
pub(crate) struct Wanted {
    /// The case.
    pub(crate) case: Case,
    /// As it was asked for: `NAME` or `NAME:ARGUMENT`.
    pub(crate) text: String,
}

impl Wanted {
    /// What stands after the colon.
    pub(crate) fn argument(&self) -> Option<&str> {
        self.text.split_once(':').map(|(_, argument)| argument)
    }
}

/// All cases, in the order in which they run.
pub(crate) fn all() -> impl Iterator<Item = &'static Case> {
    // A line for each, so that additions do not meet.
    #[rustfmt::skip]
    let topics: &[&[Case]] = &[
        boot::CASES,
        driver::CASES,
        plug::CASES,
        fleet::CASES,
        life::CASES,
        sessions::CASES,
        sleep::CASES,
        device::CASES,
        usb::CASES,
        router::CASES,
        mbimcli::CASES,
        proxy::CASES,
        modemmanager::CASES,
        beside::CASES,
        package::CASES,
        bench::CASES,
    ];
    topics.iter().flat_map(|cases| cases.iter())
}

/// The cases of these names; none = all that are not apart. The error is the name that there is not.
pub(crate) fn choose(words: &[String]) -> Result<Vec<Wanted>, String> {
    if words.is_empty() {
        let usual = all().filter(|case| !case.apart);
        return Ok(usual.map(|case| Wanted { case: *case, text: case.name.to_owned() }).collect());
    }
    let find = |text: &String| {
        let name = text.split(':').next().unwrap_or_default();
        let case = all().find(|case| case.name == name).ok_or_else(|| text.clone())?;
        Ok(Wanted { case: *case, text: text.clone() })
    };
    words.iter().map(find).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique_and_plain() {
        let mut seen = std::collections::BTreeSet::new();
        for case in all() {
            assert!(
                case.name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-'),
                "{}",
                case.name
            );
            assert!(seen.insert(case.name), "{} twice", case.name);
            assert!(!case.what.is_empty() && case.limit >= Duration::from_secs(10), "{}", case.name);
        }
    }

    #[test]
    fn cases_are_chosen_by_name_with_an_argument() {
        let one = choose(&["boot:x".to_owned()]).map_err(|e| format!("no {e}")).unwrap();
        assert_eq!((one[0].case.name, one[0].argument()), ("boot", Some("x")));
        assert_eq!(choose(&["nonsense".to_owned()]).err().as_deref(), Some("nonsense"));
        assert!(choose(&[]).unwrap_or_default().iter().all(|wanted| !wanted.case.apart));
    }
}

//! Object paths.

use zbus::OwnedObjectPath;

/// The root object: object manager, manager, provisioning.
pub const ROOT: &str = "/org/mbimd/Mbimd1";
/// What the paths of modems begin with.
pub const MODEM_PREFIX: &str = "/org/mbimd/Mbimd1/modem/";

/// Path of a modem.
#[must_use]
pub fn modem(number: u32) -> OwnedObjectPath {
    // The prefix and decimal digits are always a valid path; the root stands in for the impossible.
    OwnedObjectPath::try_from(format!("{MODEM_PREFIX}{number}")).unwrap_or_default()
}

/// Number of the modem that a path names; `None` when the path is not a modem's or is not written as the daemon writes it.
#[must_use]
pub fn modem_number(path: &str) -> Option<u32> {
    let digits = path.strip_prefix(MODEM_PREFIX)?;
    let number = digits.parse().ok()?;
    (modem(number).as_str() == path).then_some(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_and_numbers_belong_together() {
        assert_eq!(modem(17).as_str(), "/org/mbimd/Mbimd1/modem/17");
        assert_eq!(modem_number("/org/mbimd/Mbimd1/modem/17"), Some(17));
        assert_eq!(modem_number(modem(u32::MAX).as_str()), Some(u32::MAX));
        for other in [
            "/",
            ROOT,
            "/org/mbimd/Mbimd1/modem/",
            "/org/mbimd/Mbimd1/modem/01",
            "/org/mbimd/Mbimd1/modem/+1",
            "/org/mbimd/Mbimd1/modem/1/x",
        ] {
            assert_eq!(modem_number(other), None, "{other}");
        }
    }
}

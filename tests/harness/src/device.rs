//! Hardware in the loop: a real modem in place of the virtual one, by environment.

use core::fmt;

/// What the environment says about a real modem.
#[derive(Clone, PartialEq, Eq)]
pub struct Device {
    /// `--device` value for the daemon (`MBIMD_TEST_DEVICE`).
    pub spec: String,
    /// Access point to use (`MBIMD_TEST_APN`).
    pub apn: Option<String>,
    /// PIN of the SIM (`MBIMD_TEST_PIN`). Never printed.
    pub pin: Option<String>,
}

impl fmt::Debug for Device {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Device")
            .field("spec", &self.spec)
            .field("apn", &self.apn)
            .field("pin", &self.pin.as_ref().map(|_| "###"))
            .finish()
    }
}

impl Device {
    /// The modem to test, if one is named.
    #[must_use]
    pub fn from_environment() -> Option<Self> {
        Self::from(|name| std::env::var(name).ok())
    }

    fn from(look: impl Fn(&str) -> Option<String>) -> Option<Self> {
        let filled = |name: &str| look(name).filter(|v| !v.is_empty());
        Some(Self { spec: filled("MBIMD_TEST_DEVICE")?, apn: filled("MBIMD_TEST_APN"), pin: filled("MBIMD_TEST_PIN") })
    }
}

#[cfg(test)]
mod tests {
    use super::Device;

    #[test]
    fn only_a_named_device_counts() {
        assert_eq!(Device::from(|_| None), None);
        assert_eq!(Device::from(|n| (n == "MBIMD_TEST_DEVICE").then(String::new)), None);
        let device = Device::from(|n| (n != "MBIMD_TEST_APN").then(|| format!("<{n}>"))).unwrap();
        assert_eq!((device.spec.as_str(), device.apn.as_deref()), ("<MBIMD_TEST_DEVICE>", None));
        assert!(!format!("{device:?}").contains("TEST_PIN"));
    }
}

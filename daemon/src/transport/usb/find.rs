//! USB devices as sysfs shows them: which there are, what they say of themselves, and what drives them. Nothing is opened
//! and nothing is sent to a device.

use std::fmt;
use std::path::{Path, PathBuf};

use mbim_proto::descriptor::{Descriptors, Function};

/// Most devices that are looked at.
const MOST: usize = 512;
/// Octets of descriptors that are read; the kernel keeps no more of a configuration than 64 KiB.
const MOST_OCTETS: usize = 256 * 1024;

/// Which device is meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Which {
    /// `idVendor` and `idProduct`.
    Ids(u16, u16),
    /// `BUS-PORT[.PORT…]`, the kernel's name of the place.
    Place(String),
}

impl Which {
    /// Reads `VVVV:PPPP` or `BUS-PORT[.PORT…]`.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        if let Some((vendor, product)) = text.split_once(':') {
            let hex = |text: &str| {
                (text.len() == 4 && text.bytes().all(|b| b.is_ascii_hexdigit()))
                    .then(|| u16::from_str_radix(text, 16).ok())
                    .flatten()
            };
            return Some(Self::Ids(hex(vendor)?, hex(product)?));
        }
        let number = |text: &str| text.parse::<u8>().is_ok_and(|n| n > 0) && !text.starts_with(['0', '+']);
        let (bus, ports) = text.split_once('-')?;
        // Five hubs in a row are the most that USB allows.
        (number(bus) && ports.split('.').all(number) && ports.split('.').count() <= 6)
            .then(|| Self::Place(text.to_owned()))
    }
}

impl fmt::Display for Which {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ids(vendor, product) => write!(f, "{vendor:04x}:{product:04x}"),
            Self::Place(place) => f.write_str(place),
        }
    }
}

/// A USB device in sysfs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    /// Its folder.
    pub(crate) folder: PathBuf,
    /// `BUS-PORT[.PORT…]`.
    pub(crate) name: String,
    /// `idVendor` and `idProduct`.
    pub(crate) ids: (u16, u16),
    /// `bConfigurationValue` in force; `None` = not configured.
    pub(crate) configuration: Option<u8>,
}

impl Place {
    /// Looks at one entry of `bus/usb/devices`; interfaces and root hubs are none.
    pub(crate) fn at(folder: &Path) -> Option<Self> {
        let name = folder.file_name()?.to_str()?.to_owned();
        Which::parse(&name).filter(|which| matches!(which, Which::Place(_)))?;
        let hex = |file: &str| u16::from_str_radix(&read(&folder.join(file))?, 16).ok();
        Some(Self {
            ids: (hex("idVendor")?, hex("idProduct")?),
            configuration: read(&folder.join("bConfigurationValue")).and_then(|text| text.parse().ok()),
            folder: std::fs::canonicalize(folder).unwrap_or_else(|_| folder.to_owned()),
            name,
        })
    }

    /// Whether it is meant.
    pub(crate) fn is(&self, which: &Which) -> bool {
        match which {
            Which::Ids(vendor, product) => self.ids == (*vendor, *product),
            Which::Place(name) => self.name == *name,
        }
    }

    /// MBIM functions of the configuration in force. The error is the rest of a sentence.
    pub(crate) fn functions(&self) -> Result<Vec<Function>, String> {
        let octets = std::fs::File::open(self.folder.join("descriptors"))
            .and_then(|file| {
                let mut octets = Vec::new();
                std::io::Read::read_to_end(&mut std::io::Read::take(file, MOST_OCTETS as u64), &mut octets)?;
                Ok(octets)
            })
            .map_err(|error| format!("its descriptors cannot be read: {error}"))?;
        let descriptors =
            Descriptors::parse(&octets).map_err(|wrong| format!("its descriptors are not valid: {wrong}"))?;
        let value = self.configuration.ok_or("it is not configured")?;
        let configuration = descriptors.configurations.iter().find(|one| one.value == value);
        let found = configuration.map(|one| one.functions.clone()).unwrap_or_default();
        if !found.is_empty() {
            return Ok(found);
        }
        if let Some(wrong) = configuration.and_then(|one| one.refused.first()) {
            return Err(format!("its MBIM function cannot be used: {wrong}"));
        }
        Err(match descriptors.functions().next() {
            Some((other, _)) => format!(
                "it has MBIM in configuration {} and {value} is in force; write {} to {}/bConfigurationValue",
                other.value,
                other.value,
                self.folder.display()
            ),
            None => "it has no MBIM function".to_owned(),
        })
    }

    /// Folder of an interface of the configuration in force.
    fn interface(&self, number: u8) -> PathBuf {
        self.folder.join(format!("{}:{}.{number}", self.name, self.configuration.unwrap_or(0)))
    }

    /// Driver that an interface is bound to; `usbfs` = a program.
    pub(crate) fn driver(&self, number: u8) -> Option<String> {
        let link = std::fs::read_link(self.interface(number).join("driver")).ok()?;
        link.file_name()?.to_str().map(str::to_owned)
    }

    /// The node that the kernel's driver made for the function's control messages.
    pub(crate) fn node(&self, number: u8) -> Option<String> {
        let first = std::fs::read_dir(self.interface(number).join("usbmisc")).ok()?.flatten().next()?;
        first.file_name().to_str().map(|name| format!("/dev/{name}"))
    }
}

/// All devices, in the order of their names.
pub(crate) fn devices(sys: &Path) -> Vec<Place> {
    let entries = std::fs::read_dir(sys.join("bus/usb/devices")).into_iter().flatten().flatten().take(MOST);
    let mut devices: Vec<Place> = entries.filter_map(|entry| Place::at(&entry.path())).collect();
    devices.sort_by(|a, b| a.name.cmp(&b.name));
    devices
}

fn read(path: &Path) -> Option<String> {
    std::fs::read_to_string(path).ok().map(|text| text.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn which_device() {
        assert_eq!(Which::parse("1199:9091"), Some(Which::Ids(0x1199, 0x9091)));
        assert_eq!(Which::parse("2C7C:030a").unwrap().to_string(), "2c7c:030a");
        for place in ["1-1", "3-1.4.2", "255-15"] {
            assert_eq!(Which::parse(place), Some(Which::Place(place.into())));
        }
        for wrong in ["", ":", "1199", "1199:", "119:9091", "11990:909", "1199:9o91", "+199:9091"] {
            assert_eq!(Which::parse(wrong), None, "{wrong}");
        }
        for wrong in ["1", "1-", "-1", "usb1", "1-0", "0-1", "01-1", "1-1.", "1-1..2", "1-1:1.0", "256-1", "1-+1"] {
            assert_eq!(Which::parse(wrong), None, "{wrong}");
        }
    }
}

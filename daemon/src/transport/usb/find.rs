//! USB devices as sysfs shows them: which there are, what they say of themselves, and what drives them. Nothing is opened
//! and nothing is sent to a device.

use std::fmt;
use std::path::{Path, PathBuf};

use mbim_proto::descriptor::{Descriptors, Function};

use super::super::refusal::Refusal;
use crate::host::window;

/// Most devices that are looked at.
const MOST: usize = 512;

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

    /// USB serial number; empty when it has none.
    pub(crate) fn serial(&self) -> String {
        read(&self.folder.join("serial")).unwrap_or_default()
    }

    /// MBIM functions of the configuration in force.
    pub(crate) fn functions(&self) -> Result<Vec<Function>, Unfit> {
        let wrong = |why: String| Unfit::Wrong(format!("The descriptors of {} {why}", self.name));
        let octets = window::descriptors(&self.folder).map_err(|error| wrong(format!("cannot be read: {error}")))?;
        let descriptors = Descriptors::parse(&octets).map_err(|fault| wrong(format!("are not valid: {fault}")))?;
        let none = |why: String| Unfit::None(format!("{} {why}", self.name));
        let value = self.configuration.ok_or_else(|| none("is not configured; plug it in again".into()))?;
        let configuration = descriptors.configurations.iter().find(|one| one.value == value);
        let found = configuration.map(|one| one.functions.clone()).unwrap_or_default();
        if !found.is_empty() {
            return Ok(found);
        }
        if let Some(fault) = configuration.and_then(|one| one.refused.first()) {
            return Err(wrong(format!("have an MBIM function that cannot be used: {fault}")));
        }
        Err(none(match descriptors.functions().next() {
            Some((other, _)) => format!(
                "has MBIM in configuration {} and {value} is in force; write {} to {}/bConfigurationValue",
                other.value,
                other.value,
                self.folder.display()
            ),
            None => "has no MBIM function; name another device".to_owned(),
        }))
    }

    /// Whether the kernel sees an interface that says of itself that it speaks MBIM, and nothing drives it.
    fn has_mbim(&self) -> bool {
        let interfaces = std::fs::read_dir(&self.folder).into_iter().flatten().flatten().take(MOST);
        interfaces.map(|entry| entry.path()).any(|folder| {
            let is = |file: &str, value: &str| read(&folder.join(file)).is_some_and(|text| text == value);
            is("bInterfaceClass", "02") && is("bInterfaceSubClass", "0e") && !folder.join("driver").exists()
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

/// Why a device cannot be used. What is wrong, and behind a semicolon what to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Unfit {
    /// It has no MBIM function, or not in the configuration in force.
    None(String),
    /// What it says of itself, or of its MBIM function, cannot be.
    Wrong(String),
}

impl From<Unfit> for Refusal {
    fn from(unfit: Unfit) -> Self {
        match unfit {
            Unfit::None(text) => Self::because("usb-no-function", format!("{text}.")),
            Unfit::Wrong(text) => {
                Self::because("usb-descriptors", format!("{text}; the firmware of the modem is at fault."))
            }
        }
    }
}

/// All devices, in the order of their names.
pub(crate) fn devices(sys: &Path) -> Vec<Place> {
    let entries = std::fs::read_dir(sys.join("bus/usb/devices")).into_iter().flatten().flatten().take(MOST);
    let mut devices: Vec<Place> = entries.filter_map(|entry| Place::at(&entry.path())).collect();
    devices.sort_by(|a, b| a.name.cmp(&b.name));
    devices
}

/// A device that is to be used without the kernel's driver though nobody named it on the command line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Unasked {
    /// `BUS-PORT[.PORT…]`.
    pub(crate) name: String,
    /// A rule of the administrator allows to take it from the kernel's driver.
    pub(crate) detach: bool,
    /// A rule of the administrator gives it to user-space USB.
    pub(crate) given: bool,
}

/// Devices that a udev rule gives to user-space USB (`MBIMD_TRANSPORT=usb`, `MBIMD_USB_DETACH=1`), and MBIM functions
/// that have no driver on a kernel without cdc_mbim. Where that driver is loaded, a function without it was taken from it
/// by somebody who will give it back.
pub(crate) fn unasked(sys: &Path, udev: &Path) -> Vec<Unasked> {
    let driver = sys.join("bus/usb/drivers/cdc_mbim").exists();
    let wanted = |place: &Place| {
        let noted = Noted::of(place, udev);
        let without = || {
            !driver
                && match place.functions() {
                    Ok(all) => all.iter().any(|function| place.driver(function.communication).is_none()),
                    // Opening it says why it cannot be used.
                    Err(Unfit::Wrong(_)) => place.has_mbim(),
                    Err(Unfit::None(_)) => false,
                }
        };
        (!noted.withheld && (noted.usb || without())).then(|| Unasked {
            name: place.name.clone(),
            detach: noted.detach,
            given: noted.usb,
        })
    };
    devices(sys).iter().filter_map(wanted).collect()
}

/// Whether a udev rule gives the device with this folder to user-space USB.
pub(crate) fn is_given(folder: &Path, udev: &Path) -> bool {
    Place::at(folder).is_some_and(|place| Noted::of(&place, udev).usb)
}

/// What udev's rules say of a device.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Noted {
    usb: bool,
    detach: bool,
    withheld: bool,
}

impl Noted {
    fn of(place: &Place, udev: &Path) -> Self {
        let mut noted = Self::default();
        let Some(number) = read(&place.folder.join("dev")) else { return noted };
        let text = read(&udev.join("data").join(format!("c{number}"))).unwrap_or_default();
        for (key, value) in text.lines().filter_map(|line| line.strip_prefix("E:")?.split_once('=')) {
            match (key, value) {
                ("MBIMD_TRANSPORT", "usb") => noted.usb = true,
                ("MBIMD_USB_DETACH", "1") => noted.detach = true,
                ("ID_MM_DEVICE_IGNORE" | "ID_MBIMD_IGNORE", "1") => noted.withheld = true,
                _ => {}
            }
        }
        noted
    }
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

    /// A machine with one MBIM modem at 1-1 and a mouse at 1-2.
    fn machine() -> (tempfile::TempDir, PathBuf, PathBuf) {
        use mbim_proto::descriptor::{Configuration, Device, Endpoint, Mbim, NetworkCapabilities, Pairing};
        let folder = tempfile::tempdir().unwrap();
        let sys = folder.path().join("sys");
        let modem = sys.join("bus/usb/devices/1-1");
        let end = |address| Endpoint { address, max_packet: 512, interval: 0, burst: None };
        let function = Function {
            communication: 0,
            communication_alternate: 0,
            data: 1,
            data_alternate: 1,
            interrupt: Endpoint { max_packet: 16, interval: 9, ..end(0x81) },
            bulk_in: end(0x82),
            bulk_out: end(0x02),
            pairing: Pairing::Both,
            mbim: Mbim {
                version: 0x0100,
                max_control_message: 4096,
                filters: 16,
                max_filter_size: 128,
                max_segment_size: 2048,
                capabilities: NetworkCapabilities(0x20),
            },
            extended: None,
            ncm: None,
        };
        let configuration = Configuration {
            value: 1,
            attributes: 0x80,
            max_power: 250,
            functions: vec![function],
            refused: Vec::new(),
        };
        let device = Device {
            usb: 0x0200,
            class: [0xef, 2, 1],
            max_packet_0: 64,
            vendor: 0x1209,
            product: 1,
            release: 0x0100,
            strings: [0; 3],
            configurations: 1,
        };
        let octets = [device.encode().to_vec(), configuration.encode()].concat();
        std::fs::create_dir_all(modem.join("1-1:1.0")).unwrap();
        for (file, text) in
            [("idVendor", "1209"), ("idProduct", "0001"), ("bConfigurationValue", "1"), ("dev", "189:1")]
        {
            std::fs::write(modem.join(file), format!("{text}\n")).unwrap();
        }
        std::fs::write(modem.join("descriptors"), octets).unwrap();
        let mouse = sys.join("bus/usb/devices/1-2");
        std::fs::create_dir_all(&mouse).unwrap();
        for (file, text) in [("idVendor", "046d"), ("idProduct", "c077"), ("bConfigurationValue", "1")] {
            std::fs::write(mouse.join(file), text).unwrap();
        }
        std::fs::create_dir_all(sys.join("bus/usb/devices/usb1")).unwrap();
        let udev = folder.path().join("udev");
        std::fs::create_dir_all(udev.join("data")).unwrap();
        (folder, sys, udev)
    }

    #[test]
    fn what_is_used_unasked() {
        let (_keep, sys, udev) = machine();
        let here = |detach, given| vec![Unasked { name: "1-1".into(), detach, given }];
        assert_eq!(unasked(&sys, &udev), here(false, false), "no driver in this kernel");
        let modem = sys.join("bus/usb/devices/1-1");
        let interface = modem.join("1-1:1.0");
        let drivers = sys.join("bus/usb/drivers");
        std::fs::create_dir_all(drivers.join("usbfs")).unwrap();
        std::os::unix::fs::symlink(drivers.join("usbfs"), interface.join("driver")).unwrap();
        assert_eq!(unasked(&sys, &udev), [], "another program has it");
        let octets = std::fs::read(modem.join("descriptors")).unwrap();
        std::fs::write(modem.join("descriptors"), &octets[..octets.len() - 7]).unwrap();
        assert_eq!(unasked(&sys, &udev), [], "nothing says that it speaks MBIM");
        std::fs::write(interface.join("bInterfaceClass"), "02\n").unwrap();
        std::fs::write(interface.join("bInterfaceSubClass"), "0e\n").unwrap();
        assert_eq!(unasked(&sys, &udev), [], "another program has it");
        std::fs::remove_file(interface.join("driver")).unwrap();
        assert_eq!(unasked(&sys, &udev), here(false, false), "to be shown with what is wrong");
        std::fs::write(modem.join("descriptors"), octets).unwrap();
        std::os::unix::fs::symlink(drivers.join("usbfs"), interface.join("driver")).unwrap();
        std::fs::remove_file(interface.join("driver")).unwrap();
        std::fs::create_dir_all(drivers.join("cdc_mbim")).unwrap();
        assert_eq!(unasked(&sys, &udev), [], "unbound by somebody");
        let note = |text: &str| std::fs::write(udev.join("data/c189:1"), text).unwrap();
        note("I:1\nE:MBIMD_TRANSPORT=usb\n");
        assert_eq!(unasked(&sys, &udev), here(false, true));
        assert!(is_given(&modem, &udev));
        note("E:MBIMD_TRANSPORT=usb\nE:MBIMD_USB_DETACH=1\n");
        assert_eq!(unasked(&sys, &udev), here(true, true));
        note("E:MBIMD_TRANSPORT=usb\nE:ID_MBIMD_IGNORE=1\n");
        assert_eq!(unasked(&sys, &udev), []);
    }

    #[test]
    fn functions_or_the_reason_why_there_are_none() {
        let (_keep, sys, _) = machine();
        let places = devices(&sys);
        let names: Vec<&str> = places.iter().map(|place| place.name.as_str()).collect();
        assert_eq!(names, ["1-1", "1-2"]);
        let [modem, mouse] = places.as_slice() else { panic!() };
        assert!(
            modem.is(&Which::Ids(0x1209, 1))
                && modem.is(&Which::Place("1-1".into()))
                && !mouse.is(&Which::Ids(0x1209, 1))
        );
        assert_eq!(modem.functions().unwrap().len(), 1);
        assert!(matches!(mouse.functions().unwrap_err(), Unfit::Wrong(why) if why.contains("descriptors")));
        let other = Place { configuration: Some(2), ..modem.clone() };
        assert!(matches!(other.functions().unwrap_err(), Unfit::None(why) if why.contains("bConfigurationValue")));
        let octets = std::fs::read(modem.folder.join("descriptors")).unwrap();
        for end in 0..octets.len() {
            std::fs::write(modem.folder.join("descriptors"), &octets[..end]).unwrap();
            assert!(modem.functions().is_err(), "cut at {end}");
        }
    }
}

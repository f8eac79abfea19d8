//! Which modem a client means by a path.

use crate::snapshot::Custody;

/// One modem that there is.
#[derive(Clone, Debug)]
pub struct Place {
    /// Number of its object.
    pub id: u32,
    /// Its control port as the daemon writes it: a path, or a path with a word and a colon before it.
    pub control: String,
    /// Its device in sysfs.
    pub physical: String,
    /// The path that the daemon made for it, where it could: `/run/mbimd/mbim/NUMBER`.
    pub alias: Option<String>,
    /// Whether the daemon holds it.
    pub custody: Custody,
}

/// What stands at a path.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Named {
    /// The path with all links followed; `None` = there is nothing.
    pub path: Option<String>,
    /// For a device node, its folder in sysfs with all links followed.
    pub device: Option<String>,
}

/// What becomes of a client that names a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Resolution {
    /// It gets this modem.
    Modem(u32),
    /// The modem is somebody else's, or away for the moment.
    Busy,
    /// The path leads to no modem that the daemon knows.
    Unknown,
}

/// Finds the modem: by its node or alias, by a folder of sysfs that is its device or lies in it, or by a node whose device does.
#[must_use]
pub fn resolve(named: &Named, places: &[Place]) -> Resolution {
    let is = |place: &&Place| {
        let control = place.control.split_once(':').map_or(place.control.as_str(), |(_, path)| path);
        let folders = [named.path.as_deref(), named.device.as_deref()].into_iter().flatten();
        named.path.as_deref().is_some_and(|path| path == control || place.alias.as_deref() == Some(path))
            || folders.into_iter().any(|folder| is_within(folder, &place.physical))
    };
    let mut found = places.iter().filter(is);
    match found.clone().find(|place| place.custody == Custody::Held).or_else(|| found.next()) {
        Some(place) if place.custody == Custody::Held => Resolution::Modem(place.id),
        Some(_) => Resolution::Busy,
        None => Resolution::Unknown,
    }
}

fn is_within(path: &str, folder: &str) -> bool {
    folder.starts_with("/sys/")
        && path.strip_prefix(folder).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(id: u32, control: &str, physical: &str, custody: Custody) -> Place {
        let alias = Some(format!("/run/mbimd/mbim/{id}"));
        Place { id, control: control.into(), physical: physical.into(), alias, custody }
    }

    #[test]
    fn nodes_folders_and_other_nodes_of_the_device_lead_to_it() {
        let usb = "/sys/devices/pci0/usb1/1-1";
        let places = [
            place(0, "/dev/cdc-wdm0", usb, Custody::Held),
            place(1, "unix:/run/m.sock", "unix:/run/m.sock", Custody::Held),
            place(2, "/dev/cdc-wdm2", "/sys/devices/pci0/usb1/1-10", Custody::Withheld),
        ];
        let by = |path: &str, device: &str| {
            let named = Named { path: Some(path.into()), device: (!device.is_empty()).then(|| device.to_owned()) };
            resolve(&named, &places)
        };
        assert_eq!(by("/dev/cdc-wdm0", ""), Resolution::Modem(0));
        assert_eq!(by("/run/m.sock", ""), Resolution::Modem(1));
        assert_eq!(by("/dev/cdc-wdm2", ""), Resolution::Busy);
        assert_eq!(by("/run/mbimd/mbim/1", ""), Resolution::Modem(1));
        assert_eq!(by("/run/mbimd/mbim/3", ""), Resolution::Unknown);
        assert_eq!(by(usb, ""), Resolution::Modem(0));
        assert_eq!(by("/sys/devices/pci0/usb1/1-1/1-1:1.0", ""), Resolution::Modem(0));
        assert_eq!(by("/sys/devices/pci0/usb1/1-10", ""), Resolution::Busy, "no prefix of a name");
        assert_eq!(by("/dev/bus/usb/001/002", usb), Resolution::Modem(0));
        assert_eq!(by("/dev/cdc-wdm1", "/sys/devices/pci0/usb1/1-2/1-2:1.0/usbmisc/cdc-wdm1"), Resolution::Unknown);
        assert_eq!(by("/sys/devices/pci0/usb1", ""), Resolution::Unknown);
        assert_eq!(resolve(&Named::default(), &places), Resolution::Unknown);
    }

    #[test]
    fn who_is_held_goes_before_who_is_away() {
        let places = [place(3, "/dev/cdc-wdm0", "", Custody::Absent), place(4, "/dev/cdc-wdm0", "", Custody::Held)];
        let named = Named { path: Some("/dev/cdc-wdm0".into()), device: None };
        assert_eq!(resolve(&named, &places), Resolution::Modem(4));
        assert_eq!(resolve(&named, &places[..1]), Resolution::Busy);
    }
}

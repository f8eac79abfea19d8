//! What the machine announces: MBIM control ports that come and go, and the data interface beside each. The kernel's
//! uevents are read from netlink, after udev's rules where udevd runs; what is there already is read from sysfs.
//! No port is opened to find out what it is.

use std::collections::BTreeMap;
use std::io;
use std::mem::MaybeUninit;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

use daemon_core::custody::Tag;
use rustix::io::IoSliceMut;
use rustix::net::netlink::{KOBJECT_UEVENT, SocketAddrNetlink};
use rustix::net::{
    AddressFamily, RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SocketFlags, SocketType, sockopt,
};
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

use super::window::window;
use crate::transport::open::Spec;
use crate::transport::watch;

/// Largest uevent that is read, octets; the kernel's own limit is 2048, udevd adds its properties.
const MAX_EVENT: usize = 16 * 1024;
/// Most entries of a class that are looked at.
const MAX_ENTRIES: usize = 512;
/// Property by which our rule says that it keeps ModemManager off a port.
const TAKES: &str = "ID_MBIMD_TAKES";
/// Marks a message of udevd.
const UDEV_MAGIC: u32 = 0xfeed_cafe;

/// A control port of an MBIM modem.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Found {
    /// How to open it; `net` is filled where an interface stands beside it, `outstanding` where the device says it.
    pub(crate) spec: Spec,
    /// Kernel driver.
    pub(crate) driver: String,
    /// USB vendor and product.
    pub(crate) usb: Option<(u16, u16)>,
    /// The device in sysfs.
    pub(crate) physical: String,
    /// USB serial number; empty when it has none.
    pub(crate) serial: String,
    /// Whose rules of udev say it is.
    pub(crate) tag: Tag,
    /// What ModemManager calls the device: its place in sysfs, or `ID_MM_PHYSDEV_UID`.
    pub(crate) uid: String,
}

/// What is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Announced {
    /// A port is there, or its surroundings changed.
    Here(Found),
    /// The node is gone.
    Gone(PathBuf),
    /// Events were lost; look at everything again.
    Lost,
}

/// Where sysfs and the device nodes are; tests have their own.
#[derive(Clone, Debug)]
pub(crate) struct Roots {
    /// `/sys`.
    pub(crate) sys: PathBuf,
    /// `/dev`.
    pub(crate) dev: PathBuf,
    /// `/run/udev`.
    pub(crate) udev: PathBuf,
}

impl Default for Roots {
    fn default() -> Self {
        Self { sys: "/sys".into(), dev: "/dev".into(), udev: "/run/udev".into() }
    }
}

impl Roots {
    /// All MBIM ports there are now, in the order of their names.
    pub(crate) fn present(&self) -> Vec<Found> {
        let mut found: Vec<Found> = ["usbmisc", "wwan"]
            .iter()
            .flat_map(|class| std::fs::read_dir(self.sys.join("class").join(class)).into_iter().flatten().flatten())
            .take(MAX_ENTRIES)
            .filter_map(|entry| entry.file_name().into_string().ok())
            .filter_map(|name| self.look(&name))
            .collect();
        found.sort_by(|a, b| a.spec.path.cmp(&b.spec.path));
        // A port may show in both classes; one node excludes the other, and the driver's own is preferred.
        let mut seen: Vec<String> = Vec::new();
        found.retain(|port| {
            port.spec.net.is_none() || {
                let new = !seen.contains(&port.physical);
                seen.push(port.physical.clone());
                new
            }
        });
        found
    }

    /// Looks at one node; `None` when it is no MBIM port.
    pub(crate) fn look(&self, name: &str) -> Option<Found> {
        let spec = Spec::node(Path::new("/dev").join(name).as_path())?;
        let class = if name.starts_with("wwan") { "wwan" } else { "usbmisc" };
        let node = self.sys.join("class").join(class).join(name);
        let device = std::fs::canonicalize(node.join("device")).ok()?;
        let driver = link_name(&device.join("driver")).unwrap_or_default();
        if class == "wwan" {
            if read(&node.join("type"))? != "MBIM" {
                return None;
            }
        } else if driver != "cdc_mbim" {
            return None;
        }
        let (usb, physical) = usb_device(&device);
        let net = self.interface_beside(&device, name);
        // What a PCIe modem takes at once is said nowhere.
        let outstanding = if usb.is_some() { window(&device, &physical) } else { spec.outstanding };
        let spec = Spec { path: self.dev.join(name), net, outstanding, ..spec };
        let serial = if usb.is_some() { read(&physical.join("serial")).unwrap_or_default() } else { String::new() };
        let mut noted = self.noted(&[&node]);
        // Where our own rule keeps ModemManager off the port it says so, and says it with ModemManager's word.
        if noted.iter().any(|(key, value)| (key.as_str(), value.as_str()) == (TAKES, "1")) {
            noted.retain(|(key, _)| key != "ID_MM_DEVICE_IGNORE");
        }
        noted.extend(self.noted(&[&device, &physical]));
        let tag = Tag::of(noted.iter().map(|(key, value)| (key.as_str(), value.as_str())));
        let uid = noted.into_iter().find(|(key, _)| key == "ID_MM_PHYSDEV_UID").map(|(_, value)| value);
        let physical = physical.display().to_string();
        Some(Found { spec, driver, usb, serial, tag, uid: uid.unwrap_or_else(|| physical.clone()), physical })
    }

    /// What rules of udev noted down for the port and the devices that it belongs to.
    fn noted(&self, folders: &[&Path]) -> Vec<(String, String)> {
        let mut noted = Vec::new();
        for folder in folders {
            // A device with a node of its own is noted down under its number, any other under its subsystem and name.
            let number = read(&folder.join("dev")).map(|number| format!("c{number}"));
            let file = number.or_else(|| {
                let name = std::fs::canonicalize(folder).ok()?.file_name()?.to_str()?.to_owned();
                Some(format!("+{}:{name}", link_name(&folder.join("subsystem"))?))
            });
            let text = file.and_then(|file| read(&self.udev.join("data").join(file))).unwrap_or_default();
            let pairs = text.lines().take(MAX_ENTRIES).filter_map(|line| line.strip_prefix("E:")?.split_once('='));
            noted.extend(pairs.map(|(key, value)| (key.to_owned(), value.to_owned())));
        }
        noted
    }

    /// Whether an interface has its final name: udevd, where it runs, renames before it notes the interface down.
    pub(crate) fn is_named(&self, interface: &str) -> bool {
        if !self.udev.join("control").exists() {
            return true;
        }
        let index = read(&self.sys.join("class/net").join(interface).join("ifindex"));
        index.is_some_and(|index| self.udev.join("data").join(format!("n{index}")).exists())
    }

    /// The interface below the same device: `net/` beside a cdc_wdm node; for a WWAN port the first link of its
    /// wwan device, which stands in the same class folder. Links of further sessions came later and have higher numbers.
    fn interface_beside(&self, device: &Path, name: &str) -> Option<String> {
        let first = |folder: PathBuf| {
            let mut names: Vec<String> =
                std::fs::read_dir(folder).ok()?.flatten().filter_map(|e| e.file_name().into_string().ok()).collect();
            let number =
                |name: &String| read(&self.sys.join("class/net").join(name).join("ifindex"))?.parse::<u32>().ok();
            names.sort_by_cached_key(|name| (number(name), name.clone()));
            names.into_iter().next()
        };
        first(device.join("net")).or_else(|| {
            let wwan = name.split("mbim").next().filter(|wwan| wwan.starts_with("wwan"))?;
            // Links of a wwan device are children of it: net/ below class/wwan/wwanN's own device.
            first(self.sys.join("class/wwan").join(wwan).join("device/net"))
                .or_else(|| self.sys.join("class/net").join(wwan).exists().then(|| wwan.to_owned()))
        })
    }
}

fn read(path: &Path) -> Option<String> {
    std::fs::read_to_string(path).ok().map(|text| text.trim().to_owned())
}

fn link_name(path: &Path) -> Option<String> {
    std::fs::read_link(path).ok()?.file_name()?.to_str().map(str::to_owned)
}

/// Ids and folder of the USB device that an interface belongs to; the folder itself where it is not USB.
fn usb_device(device: &Path) -> (Option<(u16, u16)>, PathBuf) {
    let hex = |path: PathBuf| read(&path).and_then(|text| u16::from_str_radix(&text, 16).ok());
    for folder in device.ancestors().take(3) {
        if let (Some(vendor), Some(product)) = (hex(folder.join("idVendor")), hex(folder.join("idProduct"))) {
            return (Some((vendor, product)), folder.into());
        }
    }
    (None, device.into())
}

/// The socket that announcements come from.
#[derive(Debug)]
pub(crate) struct Uevents {
    socket: AsyncFd<OwnedFd>,
    roots: Roots,
}

impl Uevents {
    /// Opens it: the group of udevd where that runs, else the kernel's.
    pub(crate) fn open(roots: Roots) -> io::Result<Self> {
        let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
        let socket = rustix::net::socket_with(AddressFamily::NETLINK, SocketType::DGRAM, flags, Some(KOBJECT_UEVENT))?;
        sockopt::set_socket_passcred(&socket, true)?;
        let udevd = Path::new("/run/udev/control").exists();
        rustix::net::bind(&socket, &SocketAddrNetlink::new(0, if udevd { 2 } else { 1 }))?;
        Ok(Self { socket: watch(socket, Interest::READABLE)?, roots })
    }

    /// Waits for the next announcement that concerns us. Safe to drop.
    pub(crate) async fn next(&self) -> io::Result<Announced> {
        loop {
            let mut ready = self.socket.readable().await?;
            match ready.try_io(|socket| receive(socket.get_ref())) {
                Ok(Ok(Some(event))) => {
                    if let Some(announced) = self.judge(&event) {
                        return Ok(announced);
                    }
                }
                Ok(Ok(None)) | Err(_) => {}
                Ok(Err(error)) if error.raw_os_error() == Some(rustix::io::Errno::NOBUFS.raw_os_error()) => {
                    return Ok(Announced::Lost);
                }
                Ok(Err(error)) => return Err(error),
            }
        }
    }

    fn judge(&self, event: &BTreeMap<String, String>) -> Option<Announced> {
        let get = |key: &str| event.get(key).map(String::as_str);
        let name = match get("SUBSYSTEM")? {
            "usbmisc" | "wwan" => get("DEVPATH")?.rsplit('/').next()?,
            // The interface may come after the port: whoever stands beside it is looked at again.
            "net" if get("ACTION") == Some("add") || get("ACTION") == Some("move") => return Some(Announced::Lost),
            // A device for user-space USB may have come, or its driver gone.
            "usb" if cfg!(feature = "usb") && matches!(get("ACTION"), Some("add" | "bind" | "change" | "unbind")) => {
                return Some(Announced::Lost);
            }
            "usb" if cfg!(feature = "usb") && get("DEVTYPE") == Some("usb_device") => return Some(Announced::Lost),
            _ => return None,
        };
        match get("ACTION")? {
            "remove" => Spec::node(&Path::new("/dev").join(name)).map(|_| Announced::Gone(self.roots.dev.join(name))),
            "add" | "change" | "bind" => self.roots.look(name).map(Announced::Here),
            _ => None,
        }
    }
}

/// One datagram; `None` when it is not from the kernel or root, or not understood.
fn receive(socket: &OwnedFd) -> io::Result<Option<BTreeMap<String, String>>> {
    let mut buffer = [0; MAX_EVENT];
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmCredentials(1))];
    let mut control = RecvAncillaryBuffer::new(&mut space);
    let received =
        rustix::net::recvmsg(socket, &mut [IoSliceMut::new(&mut buffer)], &mut control, RecvFlags::DONTWAIT)?;
    let root = control.drain().any(|message| match message {
        RecvAncillaryMessage::ScmCredentials(from) => from.uid.is_root(),
        _ => false,
    });
    Ok(if root { parse(buffer.get(..received.bytes).unwrap_or_default()) } else { None })
}

/// Properties of a message of the kernel (`add@/devices/…`, then `KEY=value`) or of udevd (a head that tells where the
/// properties begin).
fn parse(data: &[u8]) -> Option<BTreeMap<String, String>> {
    let properties = if data.starts_with(b"libudev\0") {
        if u32::from_be_bytes(*data.get(8..)?.first_chunk()?) != UDEV_MAGIC {
            return None;
        }
        let offset = u32::from_ne_bytes(*data.get(16..)?.first_chunk()?);
        let length = u32::from_ne_bytes(*data.get(20..)?.first_chunk()?);
        data.get(usize::try_from(offset).ok()?..)?.get(..usize::try_from(length).ok()?)?
    } else {
        let head = data.iter().position(|b| *b == 0)?;
        if !data.get(..head)?.contains(&b'@') {
            return None;
        }
        data.get(head + 1..)?
    };
    let pairs = properties.split(|b| *b == 0).filter_map(|line| std::str::from_utf8(line).ok()?.split_once('='));
    Some(pairs.map(|(key, value)| (key.to_owned(), value.to_owned())).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transport::open::Kind;
    use std::os::unix::fs::symlink;

    /// A machine with one cdc_mbim modem, one QMI modem and one WWAN device with an AT and an MBIM port.
    fn machine() -> (tempfile::TempDir, Roots) {
        let folder = tempfile::tempdir().unwrap();
        let sys = folder.path().join("sys");
        let make = |path: &str| std::fs::create_dir_all(sys.join(path)).unwrap();
        let write = |path: &str, text: &str| std::fs::write(sys.join(path), text).unwrap();
        let link = |to: &str, at: &str| symlink(sys.join(to), sys.join(at)).unwrap();
        make("bus/usb/drivers/cdc_mbim");
        make("bus/usb/drivers/qmi_wwan");
        make("class/usbmisc");
        make("class/wwan");
        make("class/net");
        for (usb, driver, wdm, net) in
            [("1-1", "cdc_mbim", "cdc-wdm0", "wwan0"), ("1-2", "qmi_wwan", "cdc-wdm1", "wwan1")]
        {
            let interface = format!("devices/usb1/{usb}/{usb}:1.0");
            make(&format!("{interface}/net/{net}"));
            make(&format!("{interface}/usbmisc/{wdm}"));
            write(&format!("devices/usb1/{usb}/idVendor"), "1199\n");
            write(&format!("devices/usb1/{usb}/idProduct"), "9091\n");
            link(&format!("bus/usb/drivers/{driver}"), &format!("{interface}/driver"));
            link(&interface, &format!("{interface}/usbmisc/{wdm}/device"));
            link(&format!("{interface}/usbmisc/{wdm}"), &format!("class/usbmisc/{wdm}"));
        }
        make("devices/pci0/mhi0/wwan/wwan2");
        for (port, kind) in [("wwan2at0", "AT"), ("wwan2mbim0", "MBIM")] {
            let at = format!("devices/pci0/mhi0/wwan/wwan2/{port}");
            make(&at);
            write(&format!("{at}/type"), kind);
            link("devices/pci0/mhi0", &format!("{at}/device"));
            link(&at, &format!("class/wwan/{port}"));
        }
        make("class/net/wwan2");
        let roots = Roots { sys, dev: "/dev".into(), udev: folder.path().join("udev") };
        (folder, roots)
    }

    #[test]
    fn only_mbim_ports_are_found() {
        let (_keep, roots) = machine();
        let found = roots.present();
        assert_eq!(found.len(), 2, "{found:?}");
        let usb = found.first().unwrap();
        assert_eq!(
            (usb.spec.kind, usb.spec.net.as_deref(), usb.usb),
            (Kind::Wdm, Some("wwan0"), Some((0x1199, 0x9091)))
        );
        assert_eq!(usb.driver, "cdc_mbim");
        assert!(usb.physical.ends_with("usb1/1-1"));
        let pcie = found.get(1).unwrap();
        assert_eq!((pcie.spec.kind, pcie.spec.net.as_deref()), (Kind::Wwan, Some("wwan2")));
        assert!(roots.look("cdc-wdm9").is_none());
        assert!(roots.look("ttyUSB0").is_none());
    }

    #[test]
    fn rules_of_udev_are_told_and_names_are_waited_for() {
        let (_keep, roots) = machine();
        let note = |name: &str, text: &str| {
            std::fs::create_dir_all(roots.udev.join("data")).unwrap();
            std::fs::write(roots.udev.join("data").join(name), text).unwrap();
        };
        assert!(roots.is_named("wwan2"), "without udevd names are final");
        std::fs::write(roots.sys.join("class/usbmisc/cdc-wdm0/dev"), "180:176\n").unwrap();
        note("c180:176", "I:1\nE:ID_MM_DEVICE_IGNORE=0\n");
        let usb = "devices/usb1/1-1";
        let plain = roots.look("cdc-wdm0").unwrap();
        assert_eq!((plain.tag, plain.serial.as_str()), (Tag::None, ""));
        assert!(plain.uid.ends_with(usb) && plain.uid == plain.physical);
        note("c180:176", "I:1\nE:ID_MM_DEVICE_IGNORE=1\n");
        assert_eq!(roots.look("cdc-wdm0").unwrap().tag, Tag::IgnoreAll);
        note("c180:176", "I:1\nE:ID_MM_DEVICE_IGNORE=1\nE:ID_MBIMD_TAKES=1\n");
        assert_eq!(roots.look("cdc-wdm0").unwrap().tag, Tag::Reserved, "that word is ours");
        // Rules may stand at the whole device too.
        std::fs::write(roots.sys.join(usb).join("dev"), "189:4\n").unwrap();
        std::fs::write(roots.sys.join(usb).join("serial"), "LF648\n").unwrap();
        note("c189:4", "E:ID_MM_DEVICE_IGNORE=1\n");
        assert_eq!(roots.look("cdc-wdm0").unwrap().tag, Tag::IgnoreAll, "that one is an administrator's");
        note("c189:4", "E:MBIMD_MANAGE=1\nE:ID_MM_PHYSDEV_UID=left\n");
        let given = roots.look("cdc-wdm0").unwrap();
        assert_eq!((given.tag, given.serial.as_str(), given.uid.as_str()), (Tag::Manage, "LF648", "left"));
        std::fs::write(roots.udev.join("control"), "").unwrap();
        std::fs::write(roots.sys.join("class/net/wwan2/ifindex"), "7\n").unwrap();
        assert!(!roots.is_named("wwan2"));
        note("n7", "");
        assert!(roots.is_named("wwan2"));
    }

    #[test]
    fn messages_of_kernel_and_udevd() {
        let kernel = b"add@/devices/x/cdc-wdm0\0ACTION=add\0DEVPATH=/devices/x/cdc-wdm0\0SUBSYSTEM=usbmisc\0";
        assert_eq!(parse(kernel).unwrap().get("SUBSYSTEM").map(String::as_str), Some("usbmisc"));
        let properties = b"ACTION=remove\0SUBSYSTEM=usbmisc\0";
        let mut udevd = b"libudev\0".to_vec();
        udevd.extend_from_slice(&UDEV_MAGIC.to_be_bytes());
        for number in [40u32, 40, u32::try_from(properties.len()).unwrap(), 0, 0, 0, 0] {
            udevd.extend_from_slice(&number.to_ne_bytes());
        }
        udevd.extend_from_slice(properties);
        assert_eq!(parse(&udevd).unwrap().get("ACTION").map(String::as_str), Some("remove"));
        for end in 0..udevd.len() {
            parse(&udevd[..end]);
        }
        assert!(parse(b"libudev\0aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa").is_none());
        assert!(parse(b"no at sign\0A=b\0").is_none());
        assert!(parse(b"").is_none());
    }

    #[tokio::test]
    async fn events_are_judged_by_what_sysfs_says() {
        let (_keep, roots) = machine();
        let uevents = Uevents::open(roots).unwrap();
        let event = |pairs: &[(&str, &str)]| pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        let usb = [("ACTION", "add"), ("SUBSYSTEM", "usbmisc"), ("DEVPATH", "/devices/x/cdc-wdm0")];
        assert!(matches!(uevents.judge(&event(&usb)), Some(Announced::Here(f)) if f.driver == "cdc_mbim"));
        let qmi = [("ACTION", "add"), ("SUBSYSTEM", "usbmisc"), ("DEVPATH", "/devices/x/cdc-wdm1")];
        assert_eq!(uevents.judge(&event(&qmi)), None);
        let gone = [("ACTION", "remove"), ("SUBSYSTEM", "usbmisc"), ("DEVPATH", "/devices/x/cdc-wdm0")];
        assert_eq!(uevents.judge(&event(&gone)), Some(Announced::Gone("/dev/cdc-wdm0".into())));
        assert_eq!(uevents.judge(&event(&[("ACTION", "add"), ("SUBSYSTEM", "tty")])), None);
    }
}

//! Which transport a device takes, from its name.

use std::fmt;
use std::path::{Path, PathBuf};

use super::Port;
use super::refusal::Refusal;
use super::unix::Unix;
use super::wdm::{DEFAULT_MAX_CONTROL, Wdm};
use super::wwan::Wwan;

/// What `--device` names, or what the machine announced.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Spec {
    /// Kind of transport.
    pub(crate) kind: Kind,
    /// Device node or socket.
    pub(crate) path: PathBuf,
    /// Data interface; `None` = look for it beside a device node, control only for a socket.
    pub(crate) net: Option<String>,
    /// Largest control message of a socket, 64…65535 octets.
    pub(crate) max_control: u32,
    /// Commands that the modem takes at once, 1…256.
    pub(crate) outstanding: u16,
    /// Take a USB device away from the kernel's driver for as long as it is used.
    pub(crate) detach: bool,
    /// Blocks with 32-bit lengths on a USB device that has them.
    pub(crate) wide: bool,
}

/// Kinds of transport.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// `/dev/cdc-wdmN`.
    Wdm,
    /// `/dev/wwanXmbimY`.
    Wwan,
    /// Stream socket.
    Unix,
    /// USB device without a kernel driver; the path is `VVVV:PPPP` or `BUS-PORT`.
    #[cfg_attr(not(feature = "usb"), allow(dead_code, reason = "then no text is read as one"))]
    Usb,
}

impl Spec {
    /// Reads `/dev/cdc-wdmN`, `/dev/wwanXmbimY`, `unix:/path[,net=IF][,max-control=N][,outstanding=N]`,
    /// `usb:VVVV:PPPP[,…]` or `usb:BUS-PORT[,net=IF][,detach][,ntb32]`. The error is the rest of a sentence.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        if let Some(rest) = text.strip_prefix("unix:") {
            return Self::parse_socket(rest);
        }
        if let Some(rest) = text.strip_prefix("usb:") {
            return Self::parse_usb(rest);
        }
        if !text.starts_with('/') {
            return Err("must be /dev/cdc-wdmN, /dev/wwanXmbimY, usb:VVVV:PPPP, usb:BUS-PORT or unix:/path".into());
        }
        Self::node(Path::new(text)).ok_or_else(|| "is neither a cdc-wdm node nor an MBIM port of the WWAN class".into())
    }

    /// A device node by its name, as announced by the kernel.
    pub(crate) fn node(path: &Path) -> Option<Self> {
        let name = path.file_name()?.to_str()?;
        let number = |text: &str| !text.is_empty() && text.len() <= 6 && text.bytes().all(|b| b.is_ascii_digit());
        let kind = if name.strip_prefix("cdc-wdm").is_some_and(number) {
            Kind::Wdm
        } else if name
            .strip_prefix("wwan")
            .and_then(|r| r.split_once("mbim"))
            .is_some_and(|(a, b)| number(a) && number(b))
        {
            Kind::Wwan
        } else {
            return None;
        };
        Some(Self::new(kind, path))
    }

    fn new(kind: Kind, path: &Path) -> Self {
        let path = path.into();
        Self { kind, path, net: None, max_control: DEFAULT_MAX_CONTROL, outstanding: 1, detach: false, wide: false }
    }

    #[cfg(not(feature = "usb"))]
    fn parse_usb(_: &str) -> Result<Self, String> {
        Err("this program was built without user-space USB (cargo feature usb); name a device node".into())
    }

    #[cfg(feature = "usb")]
    fn parse_usb(text: &str) -> Result<Self, String> {
        let mut parts = text.split(',');
        let which = super::usb::find::Which::parse(parts.next().unwrap_or_default())
            .ok_or("usb: must be followed by VVVV:PPPP (hexadecimal) or BUS-PORT, as in 1199:9091 or 1-1.4")?;
        let mut spec = Self::new(Kind::Usb, Path::new(&which.to_string()));
        for part in parts {
            match part.split_once('=') {
                None if part == "detach" => spec.detach = true,
                None if part == "ntb32" => spec.wide = true,
                Some(("net", name)) if is_interface_name(name) => spec.net = Some(name.into()),
                Some(("net", name)) => return Err(format!("{name}: not a name of an interface")),
                _ => return Err(format!("{part}: unknown key (net=, detach, ntb32)")),
            }
        }
        Ok(spec)
    }

    fn parse_socket(text: &str) -> Result<Self, String> {
        let mut parts = text.split(',');
        let path = parts.next().unwrap_or_default();
        if !path.starts_with('/') || path.len() > 107 {
            return Err("the socket needs an absolute path of at most 107 bytes".into());
        }
        let mut spec = Self::new(Kind::Unix, Path::new(path));
        for part in parts {
            let (key, value) = part.split_once('=').ok_or_else(|| format!("{part}: must be key=value"))?;
            match key {
                "net" if is_interface_name(value) => spec.net = Some(value.into()),
                "net" => return Err(format!("{value}: not a name of an interface")),
                "max-control" => {
                    spec.max_control = value
                        .parse()
                        .ok()
                        .filter(|n| (64..=65535).contains(n))
                        .ok_or("max-control must be 64 to 65535")?;
                }
                "outstanding" => {
                    spec.outstanding =
                        value.parse().ok().filter(|n| (1..=256).contains(n)).ok_or("outstanding must be 1 to 256")?;
                }
                other => return Err(format!("{other}: unknown key (net, max-control, outstanding)")),
            }
        }
        Ok(spec)
    }
}

impl fmt::Display for Spec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.kind {
            Kind::Unix => f.write_str("unix:")?,
            Kind::Usb => f.write_str("usb:")?,
            Kind::Wdm | Kind::Wwan => {}
        }
        write!(f, "{}", self.path.display())
    }
}

/// Whether the kernel would take it as the name of a network interface.
pub(crate) fn is_interface_name(name: &str) -> bool {
    (1..=15).contains(&name.len())
        && name != "."
        && name != ".."
        && name.bytes().all(|b| b.is_ascii_graphic() && b != b'/' && b != b':' && b != b'%')
}

/// Opens the device.
pub(crate) async fn open(spec: &Spec) -> Result<Port, Refusal> {
    match spec.kind {
        Kind::Wdm => Ok(Wdm::open(&spec.path).map(Port::Wdm)?),
        Kind::Wwan => Ok(Wwan::open(&spec.path).map(Port::Wwan)?),
        Kind::Unix => Ok(Unix::connect(&spec.path, spec.max_control).await.map(Port::Unix)?),
        #[cfg(feature = "usb")]
        Kind::Usb => super::usb::Usb::open(spec).await.map(|port| Port::Usb(Box::new(port))),
        #[cfg(not(feature = "usb"))]
        Kind::Usb => Err(std::io::Error::from(std::io::ErrorKind::Unsupported).into()),
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Received, Sent};
    use super::*;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::UnixStream;

    #[test]
    fn grammar() {
        let node = Spec::parse("/dev/cdc-wdm3").unwrap();
        assert_eq!((node.kind, node.max_control), (Kind::Wdm, 4096));
        assert_eq!(Spec::parse("/dev/wwan0mbim1").unwrap().kind, Kind::Wwan);
        let socket = Spec::parse("unix:/tmp/m.sock,net=wwan0,max-control=1024,outstanding=8").unwrap();
        assert_eq!(socket.net.as_deref(), Some("wwan0"));
        assert_eq!((socket.max_control, socket.outstanding), (1024, 8));
        assert_eq!(socket.to_string(), "unix:/tmp/m.sock");
        let usb = Spec::parse("usb:1199:9091,detach,net=wan0").unwrap();
        assert_eq!((usb.kind, usb.detach, usb.wide, usb.net.as_deref()), (Kind::Usb, true, false, Some("wan0")));
        assert_eq!(usb.to_string(), "usb:1199:9091");
        assert!(Spec::parse("usb:3-1.4,ntb32").unwrap().wide);
        for (wrong, why) in [
            ("", "must be"),
            ("/dev/ttyUSB0", "neither"),
            ("/dev/wwan0at0", "neither"),
            ("/dev/cdc-wdm", "neither"),
            ("unix:", "absolute"),
            ("unix:relative", "absolute"),
            ("unix:/m,net=", "interface"),
            ("unix:/m,net=a/b", "interface"),
            ("unix:/m,net=0123456789abcdef", "interface"),
            ("unix:/m,max-control=63", "64"),
            ("unix:/m,max-control=65536", "64"),
            ("unix:/m,outstanding=0", "1 to 256"),
            ("unix:/m,colour=red", "colour"),
            ("unix:/m,net", "key=value"),
            ("usb:", "VVVV:PPPP"),
            ("usb:1199", "VVVV:PPPP"),
            ("usb:1-1,attach", "attach"),
            ("usb:1-1,net=a/b", "interface"),
            ("usb:1-1,detach=yes", "detach"),
        ] {
            let error = Spec::parse(wrong).unwrap_err();
            assert!(error.contains(why), "{wrong}: {error}");
        }
    }

    fn pair() -> (Port, UnixStream) {
        let (a, b) = UnixStream::pair().unwrap();
        (Port::over(a, 4096), b)
    }

    #[tokio::test]
    async fn socket_gives_and_takes_bytes_and_ends() {
        let (port, mut other) = pair();
        other.write_all(b"abc").await.unwrap();
        let mut buffer = [0; 16];
        assert_eq!(port.receive(&mut buffer).await, Received::Bytes(3));
        assert_eq!(&buffer[..3], b"abc");
        let mut done = 0;
        assert!(matches!(port.send(b"hello", &mut done).await, Sent::Done));
        let mut got = [0; 5];
        other.read_exact(&mut got).await.unwrap();
        assert_eq!(&got, b"hello");
        drop(other);
        assert_eq!(port.receive(&mut buffer).await, Received::Gone);
        done = 0;
        assert!(matches!(port.send(b"x", &mut done).await, Sent::Gone));
    }

    #[tokio::test]
    async fn a_write_that_was_dropped_goes_on_where_it_stood() {
        let (port, mut other) = pair();
        let frame: Vec<u8> = (0..2_000_000u32).map(|i| i as u8).collect();
        let mut done = 0;
        // Nobody reads: the socket fills up, the write waits and is given up.
        tokio::select! {
            biased;
            _ = port.send(&frame, &mut done) => panic!("the socket took everything"),
            () = tokio::task::yield_now() => {}
        }
        assert!(done > 0 && done < frame.len());
        let mut got = vec![0; frame.len()];
        let (sent, read) = tokio::join!(port.send(&frame, &mut done), other.read_exact(&mut got));
        assert!(matches!(sent, Sent::Done));
        read.unwrap();
        assert_eq!(got, frame);
    }

    /// A pseudo-terminal is a character device that can hang up: the node's code without the driver.
    #[tokio::test]
    async fn a_device_node_hangs_up() {
        use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
        let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
        grantpt(&master).unwrap();
        unlockpt(&master).unwrap();
        let name = ptsname(&master, Vec::new()).unwrap();
        let path = PathBuf::from(name.to_str().unwrap());
        let mut raw = rustix::termios::tcgetattr(&master).unwrap();
        raw.make_raw();
        rustix::termios::tcsetattr(&master, rustix::termios::OptionalActions::Now, &raw).unwrap();
        let port = Port::Wdm(Wdm::open(&path).unwrap());
        assert_eq!(port.max_control(), 4096, "a node without the ioctl");
        rustix::io::write(&master, b"frame").unwrap();
        let mut buffer = [0; 64];
        assert_eq!(port.receive(&mut buffer).await, Received::Bytes(5));
        let mut done = 0;
        assert!(matches!(port.send(b"answer", &mut done).await, Sent::Done));
        drop(master);
        assert_eq!(port.receive(&mut buffer).await, Received::Gone);
    }
}

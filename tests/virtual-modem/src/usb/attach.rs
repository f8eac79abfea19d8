//! Hands a served device to the kernel's virtual host controller, as `usbip attach` does. Needs root and the module
//! `vhci_hcd`; blocking, standard library only.

use super::profile::Speed;
use super::wire::{DEVICE, Imported, OPERATION, Operation, bus_id};
use core::fmt;
use core::time::Duration;
use std::fs;
use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::os::fd::AsRawFd;
use std::path::{Path, PathBuf};

/// Where the first controller is; its files speak for all of them.
const CONTROLLER: &str = "/sys/devices/platform/vhci_hcd.0";
/// `sta` of a port that nobody uses.
const FREE: u32 = 4;
/// Ports to try: another process may be faster.
const TRIES: usize = 8;
/// How long the server may take to answer.
const PATIENCE: Duration = Duration::from_secs(10);

/// A port of the virtual host controller, as its status file tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Port {
    /// Its number over all controllers.
    pub number: u32,
    /// Whether it takes SuperSpeed devices; others take the slower ones.
    pub is_super: bool,
    /// Its state: 4 free, 5 taken but not yet addressed, 6 in use, 7 in error.
    pub state: u32,
    /// The kernel's name of the device below /sys/bus/usb/devices once there is one, for example `3-1`.
    pub device: Option<String>,
}

/// An attached device.
#[derive(Debug)]
pub struct Attached {
    controller: PathBuf,
    port: u32,
}

/// Imports the device from the server and attaches it to a free port of its speed. The connection belongs to the kernel
/// from then on.
///
/// # Errors
/// No `vhci_hcd`, no free port, no server, or the server refuses.
pub fn attach(server: SocketAddr, device: &str) -> io::Result<Attached> {
    attach_at(Path::new(CONTROLLER), server, device)
}

fn attach_at(controller: &Path, server: SocketAddr, device: &str) -> io::Result<Attached> {
    let mut stream = TcpStream::connect_timeout(&server, PATIENCE)?;
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.write_all(&Operation::Import(bus_id(device)).bytes())?;
    let mut reply = [0; OPERATION + DEVICE];
    let (head, rest) = reply.split_at_mut(OPERATION);
    stream.read_exact(head)?;
    if head.last_chunk::<4>() != Some(&[0; 4]) {
        return Err(io::Error::other(format!("{server} does not give {device} away")));
    }
    stream.read_exact(rest)?;
    let imported =
        Imported::read(&reply).ok_or_else(|| io::Error::other(format!("{server} is no server of USB/IP 1.1.1")))?;
    stream.set_read_timeout(None)?;
    let is_super = imported.speed >= Speed::Super.number();
    let mut last = io::Error::other("the virtual host controller has no free port of this speed");
    for _ in 0..TRIES {
        let free = ports_at(controller)?.into_iter().find(|port| port.state == FREE && port.is_super == is_super);
        let Some(port) = free else { break };
        let line = format!("{} {} {} {}", port.number, stream.as_raw_fd(), imported.device, imported.speed);
        match fs::write(controller.join("attach"), line) {
            Ok(()) => return Ok(Attached { controller: controller.to_owned(), port: port.number }),
            Err(error) => last = error,
        }
    }
    Err(last)
}

/// All ports of all controllers.
///
/// # Errors
/// No `vhci_hcd`.
pub fn ports() -> io::Result<Vec<Port>> {
    ports_at(Path::new(CONTROLLER))
}

fn ports_at(controller: &Path) -> io::Result<Vec<Port>> {
    let mut text = fs::read_to_string(controller.join("status"))?;
    for number in 1.. {
        match fs::read_to_string(controller.join(format!("status.{number}"))) {
            Ok(more) => text += &more,
            Err(_) => break,
        }
    }
    Ok(text.lines().filter_map(read_port).collect())
}

/// One line: `hub port sta spd dev sockfd local_busid`; the head line is none.
fn read_port(line: &str) -> Option<Port> {
    let mut words = line.split_whitespace();
    let is_super = match words.next()? {
        "hs" => false,
        "ss" => true,
        _ => return None,
    };
    let number = words.next()?.parse().ok()?;
    let state = words.next()?.parse().ok()?;
    let device = words.nth(3).filter(|name| *name != "0-0").map(str::to_owned);
    Some(Port { number, is_super, state, device })
}

impl Attached {
    /// Number of the port.
    #[must_use]
    pub const fn port(&self) -> u32 {
        self.port
    }

    /// The port as it is now.
    ///
    /// # Errors
    /// The controller is gone.
    pub fn status(&self) -> io::Result<Option<Port>> {
        Ok(ports_at(&self.controller)?.into_iter().find(|port| port.number == self.port))
    }

    /// The device's directory below /sys/bus/usb/devices, once the kernel has addressed it.
    #[must_use]
    pub fn device(&self) -> Option<PathBuf> {
        let name = self.status().ok()??.device?;
        Some(Path::new("/sys/bus/usb/devices").join(name))
    }

    /// Unplugs the device: the kernel closes the connection.
    ///
    /// # Errors
    /// It is not attached any more.
    pub fn detach(self) -> io::Result<()> {
        fs::write(self.controller.join("detach"), self.port.to_string())
    }
}

impl fmt::Display for Attached {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "port {}", self.port)
    }
}

#[cfg(test)]
mod tests {
    use super::super::UsbProfile;
    use super::super::wire::reply_import;
    use super::*;
    use std::net::TcpListener;

    const STATUS: &str = "hub port sta spd dev      sockfd local_busid\n\
        hs  0000 006 003 00010002 000003 3-1\n\
        hs  0001 004 000 00000000 000000 0-0\n\
        ss  0008 007 000 00000000 000000 0-0\n";
    const MORE: &str = "hub port sta spd dev      sockfd local_busid\nss  0024 004 000 00000000 000000 0-0\n";

    #[test]
    fn the_first_free_port_of_the_speed_is_taken() {
        let controller = std::env::temp_dir().join(format!("virtual-modem-vhci-{}", std::process::id()));
        fs::create_dir_all(&controller).unwrap();
        fs::write(controller.join("status"), STATUS).unwrap();
        fs::write(controller.join("status.1"), MORE).unwrap();
        let found = ports_at(&controller).unwrap();
        assert_eq!(found.len(), 4);
        assert_eq!(found[0], Port { number: 0, is_super: false, state: 6, device: Some("3-1".into()) });
        for (speed, expected) in [(Speed::High, 1), (Speed::Super, 24)] {
            let listener = TcpListener::bind("127.0.0.1:0").unwrap();
            let address = listener.local_addr().unwrap();
            let server = std::thread::spawn(move || {
                let (mut stream, _) = listener.accept().unwrap();
                let mut asked = [0; 40];
                stream.read_exact(&mut asked).unwrap();
                assert_eq!(Operation::read(&asked).unwrap(), Some(Operation::Import(bus_id("1-1"))));
                stream.write_all(&reply_import(Some(&UsbProfile::default().at(speed)))).unwrap();
            });
            let attached = attach_at(&controller, address, "1-1").unwrap();
            server.join().unwrap();
            assert_eq!(attached.port(), expected);
            let written = fs::read_to_string(controller.join("attach")).unwrap();
            let words: Vec<&str> = written.split(' ').collect();
            assert_eq!((words[0], words[2], words[3]), (&*expected.to_string(), "65538", &*speed.number().to_string()));
            attached.detach().unwrap();
            assert_eq!(fs::read_to_string(controller.join("detach")).unwrap(), expected.to_string());
        }
        fs::remove_dir_all(&controller).unwrap();
    }
}

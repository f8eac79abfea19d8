//! Interfaces of sessions above 0 where a kernel driver moves the packets. Drivers of USB modems (`cdc_mbim`) carry all
//! sessions over one interface: session N of 1…255 is its VLAN N, session 0 is untagged, and 256…511 are streams of device
//! services. Devices of the WWAN framework have a link for each session, made by its number.

use std::io;
use std::path::Path;

use super::super::ledger::Ledger;
use super::super::netlink::{LinkKind, Netlink, gone_is_fine};
use crate::store::atomic;

/// Octets of the longest interface name.
const LONGEST_NAME: usize = 15;

/// Name of the interface of a session: the modem's with a dot and the number, as VLANs have.
pub(crate) fn name(base: &str, session: u32) -> String {
    let id = format!(".{session}");
    let keep = LONGEST_NAME.saturating_sub(id.len());
    base.chars().take(keep).collect::<String>() + &id
}

/// Whether an interface is the one of a session.
fn is_of(found: &LinkKind, ledger: &Ledger) -> bool {
    match found.kind.as_str() {
        "vlan" => found.lower == ledger.base.1 && found.vlan.map(u32::from) == Some(ledger.session),
        "wwan" => !ledger.device.is_empty() && found.device == ledger.device,
        _ => false,
    }
}

/// Makes the interface of a session of `base` (name and number) if it is not there; one that somebody else made is used
/// and not taken away. It stands in the ledger before it is made. What is to be taken away comes back in any case.
pub(super) fn make(
    netlink: &mut Netlink,
    known: Option<Ledger>,
    name: &str,
    session: u32,
    base: (&str, u32),
    folder: &Path,
) -> (Ledger, io::Result<()>) {
    let mut ledger = match known {
        Some(known) if known.interface == name && known.base == (base.0.to_owned(), base.1) => known,
        _ => Ledger::of_session(name, session, (base.0.to_owned(), base.1)),
    };
    let result = make_it(netlink, &mut ledger, folder);
    (ledger, result)
}

fn make_it(netlink: &mut Netlink, ledger: &mut Ledger, folder: &Path) -> io::Result<()> {
    let (base, session) = (ledger.base.0.clone(), ledger.session);
    let kind = netlink.kind(&base)?;
    let device = if kind.kind == "wwan" { kind.device } else { String::new() };
    match netlink.kind(&ledger.interface) {
        Ok(found) => {
            let asked = Ledger { device, ..ledger.clone() };
            if !is_of(&found, &asked) {
                return Err(io::ErrorKind::AlreadyExists.into());
            }
            if found.index == ledger.index {
                return Ok(());
            }
            // Another than was made: somebody else's, or what a crash kept from being written down to the end.
            let made = ledger.made && ledger.index == 0;
            *ledger = Ledger { made, index: found.index, ..asked.bare() };
            return ledger.store(folder);
        }
        Err(error) => gone_is_fine(Err(error))?,
    }
    let id = u16::try_from(session).map_err(|_| io::ErrorKind::InvalidInput)?;
    *ledger = Ledger { made: true, index: 0, device, ..ledger.bare() };
    atomic::make_folder(folder, 0o755)?;
    ledger.store(folder)?;
    let made = if ledger.device.is_empty() {
        netlink.add_vlan(ledger.base.1, &ledger.interface, id)
    } else {
        netlink.add_wwan(&ledger.device, &ledger.interface, u32::from(id))
    };
    if let Err(error) = made {
        ledger.made = false;
        // What is not there need not be listed; that comes to light when the folder is read again.
        let _ = ledger.store(folder);
        return Err(error);
    }
    ledger.index = netlink.link(&ledger.interface)?.index;
    ledger.store(folder)
}

/// Takes the interface away that was made, if it is still that one.
pub(super) fn unmake(netlink: &mut Netlink, ledger: &Ledger) -> io::Result<()> {
    let found = match netlink.kind(&ledger.interface) {
        Ok(found) => found,
        Err(error) => return gone_is_fine(Err(error)),
    };
    let same = ledger.index == 0 || ledger.index == found.index;
    if same && is_of(&found, ledger) { netlink.delete(found.index) } else { Ok(()) }
}

//! How many commands a USB modem takes at once: its descriptors say so, and the kernel shows them without opening the
//! device. The kernel's driver copes with several: each write is a transfer of its own, and it fetches the answers one
//! after the other as they are announced.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use mbim_proto::descriptor::{Configuration, Descriptors, Function};

/// Octets of descriptors that are read; the kernel keeps no more of a configuration than 64 KiB.
const MOST_OCTETS: u64 = 256 * 1024;

/// The file `descriptors` of a USB device in sysfs.
///
/// # Errors
/// It cannot be read.
pub(crate) fn descriptors(folder: &Path) -> io::Result<Vec<u8>> {
    let mut octets = Vec::new();
    File::open(folder.join("descriptors"))?.take(MOST_OCTETS).read_to_end(&mut octets)?;
    Ok(octets)
}

/// bMaxOutstandingCommandMessages of the function whose communication interface has this folder in sysfs, of the device
/// with that one, 1…255; 1 where nothing is said. `[MBIM1.0 6.5]`
pub(crate) fn window(interface: &Path, device: &Path) -> u16 {
    let number = |path: &Path, base| {
        std::fs::read_to_string(path).ok().and_then(|text| u8::from_str_radix(text.trim(), base).ok())
    };
    let found = || {
        let communication = number(&interface.join("bInterfaceNumber"), 16)?;
        let value = number(&device.join("bConfigurationValue"), 10)?;
        let all = Descriptors::parse(&descriptors(device).ok()?).ok()?;
        let mine = |(configuration, function): &(&Configuration, &Function)| {
            configuration.value == value && function.communication == communication
        };
        let (_, function) = all.functions().find(mine)?;
        Some(said(function))
    };
    found().unwrap_or(1)
}

/// What the function's extended descriptor says; a 0 there is no window in which anything could be sent.
pub(crate) fn said(function: &Function) -> u16 {
    function.extended.map_or(1, |extended| u16::from(extended.max_outstanding_command_messages).max(1))
}

#[cfg(test)]
mod tests {
    use mbim_proto::descriptor::{Device, MbimExtended};

    use super::*;

    /// A configuration with one MBIM function of interfaces 0 and 1 that takes so many commands. [MBIM1.0 6, tables]
    fn configuration(value: u8, commands: u8) -> Vec<u8> {
        let parts: [&[u8]; 10] = [
            &[9, 2, 95, 0, 2, value, 0, 0xa0, 250],
            &[8, 0x0b, 0, 2, 2, 14, 0, 0],
            &[9, 4, 0, 0, 1, 2, 14, 0, 0],
            &[5, 0x24, 0, 0x20, 1],
            &[12, 0x24, 0x1b, 0, 1, 0, 16, 32, 128, 0, 8, 0x20],
            &[MbimExtended::SIZE, 0x24, 0x1c, 0, 1, commands, 0, 0],
            &[5, 0x24, 6, 0, 1, 7, 5, 0x81, 3, 16, 0, 5],
            &[9, 4, 1, 0, 0, 10, 0, 2, 0],
            &[9, 4, 1, 1, 2, 10, 0, 2, 0],
            &[7, 5, 0x82, 2, 0, 2, 0, 7, 5, 0x01, 2, 0, 2, 0],
        ];
        let mut all = parts.concat();
        all[2] = u8::try_from(all.len()).unwrap();
        all
    }

    #[test]
    fn the_function_in_force_says_it() {
        let folder = tempfile::tempdir().unwrap();
        let (device, interface) = (folder.path(), folder.path().join("1-1:1.0"));
        std::fs::create_dir(&interface).unwrap();
        let write = |path: &Path, data: &[u8]| std::fs::write(path, data).unwrap();
        assert_eq!(window(&interface, device), 1, "nothing is there");
        write(&interface.join("bInterfaceNumber"), b"00\n");
        write(&device.join("bConfigurationValue"), b"2\n");
        let head = [18, 1, 0, 2, 0xef, 2, 1, 64, 0x34, 0x12, 0x78, 0x56, 3, 1, 1, 2, 3, 3];
        assert_eq!(head.len(), usize::from(Device::SIZE));
        let octets = [&head[..], &configuration(1, 7), &configuration(2, 64), &configuration(3, 0)].concat();
        write(&device.join("descriptors"), &octets);
        assert_eq!(window(&interface, device), 64);
        write(&device.join("bConfigurationValue"), b"1\n");
        assert_eq!(window(&interface, device), 7);
        write(&device.join("bConfigurationValue"), b"3\n");
        assert_eq!(window(&interface, device), 1, "none at all cannot be meant");
        write(&interface.join("bInterfaceNumber"), b"02\n");
        write(&device.join("bConfigurationValue"), b"2\n");
        assert_eq!(window(&interface, device), 1, "another interface");
        write(&interface.join("bInterfaceNumber"), b"00\n");
        for end in 0..octets.len() {
            write(&device.join("descriptors"), &octets[..end]);
            assert!([1, 64].contains(&window(&interface, device)), "cut at {end}");
        }
    }
}

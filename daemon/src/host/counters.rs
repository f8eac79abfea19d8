//! What interfaces count, and when that was.

use std::sync::OnceLock;
use std::time::SystemTime;

use daemon_core::usage::{Moment, Reading};
use rustix::time::{ClockId, clock_gettime};

use super::clock;
use super::netlink::Netlink;

/// The kernel's number for this run of the machine.
const BOOT_ID: &str = "/proc/sys/kernel/random/boot_id";

/// Now, on the clocks that usage is booked by.
pub(crate) fn moment() -> Moment {
    static BOOT: OnceLock<u64> = OnceLock::new();
    let boot = *BOOT.get_or_init(|| std::fs::read_to_string(BOOT_ID).map_or(0, |text| boot(&text)));
    let uptime = clock_gettime(ClockId::Boottime).tv_sec.try_into().unwrap_or(0);
    let wall = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).ok().filter(|_| clock::is_set());
    Moment { boot, uptime, wall: wall.map(|since| since.as_secs()) }
}

/// The first 64 bits of a UUID.
fn boot(text: &str) -> u64 {
    let digits: String = text.chars().filter(char::is_ascii_hexdigit).take(16).collect();
    u64::from_str_radix(&digits, 16).unwrap_or(0)
}

/// Counters of the interfaces that are there.
pub(crate) fn read(links: &[(u32, String)]) -> Vec<Reading> {
    if links.is_empty() {
        return Vec::new();
    }
    let Ok(mut netlink) = Netlink::open() else { return Vec::new() };
    let read = |(session, name): &(u32, String)| {
        let (index, counters) = netlink.statistics(name).ok()?;
        // Where a long has 32 bits many drivers count in it, however wide the kernel tells it.
        Some(Reading { session: *session, index, counters, narrow: usize::BITS < 64 })
    };
    links.iter().filter_map(read).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_of_the_machine_has_a_number() {
        assert_eq!(boot("0a1b2c3d-4e5f-6071-8293-a4b5c6d7e8f9\n"), 0x0a1b_2c3d_4e5f_6071);
        assert_eq!(boot("nonsense"), 0xee, "never a panic");
        assert!(moment().boot != 0 && moment().uptime > 0 && moment().boot == moment().boot);
    }

    #[test]
    fn the_loopback_counts() {
        let links = [(0, "lo".to_owned()), (2, "no-such-link".to_owned())];
        let before = read(&links);
        let socket = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
        socket.send_to(&[0; 1000], socket.local_addr().unwrap()).unwrap();
        let after = read(&links);
        assert_eq!((before.len(), before[0].index, after[0].session), (1, 1, 0));
        let passed = after[0].counters.since(&before[0].counters);
        assert!(passed.rx_octets >= 1028 && passed.tx_octets >= 1028 && passed.rx_packets >= 1, "{passed:?}");
    }
}

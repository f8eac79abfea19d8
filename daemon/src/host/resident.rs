//! Code in memory. Bringing a modem online runs most of the daemon once: the operator's records, TLS, the tests of the link. Then
//! for hours hardly any of it runs, but the kernel keeps what was mapped mapped, and pages that somebody maps are the last that it
//! takes back. On a small router that is memory for nothing, so that what ran is unmapped when the work is done. The pages
//! stay in the page cache as long as there is room; what runs again is mapped again from there, in some microseconds.

use std::sync::OnceLock;
use std::time::Duration;

use rustix::mm::{Advice, madvise};
use tokio::sync::Notify;
use tokio::time::sleep;

/// From the end of some work to letting go: whoever watches on the bus asks for details then.
const AFTERWARDS: Duration = Duration::from_secs(2);

/// Work is over.
static OVER: Notify = Notify::const_new();

/// Part of the address space: first octet and length.
type Part = (usize, usize);

/// Says that work is over which will not be done again soon.
pub(crate) fn work_is_over() {
    OVER.notify_one();
}

/// Lets go of the code a moment after each end of work. One task for the whole daemon; it never wakes otherwise.
pub(crate) async fn keep_small() {
    loop {
        OVER.notified().await;
        sleep(AFTERWARDS).await;
        let_go();
    }
}

/// Unmaps the program's code and that of its libraries until it runs again. Not under a debugger, whose breakpoints would
/// go with the pages that they were written to.
fn let_go() {
    static CODE: OnceLock<Vec<Part>> = OnceLock::new();
    if is_traced() {
        return;
    }
    for (start, length) in CODE.get_or_init(|| code(&std::fs::read_to_string("/proc/self/maps").unwrap_or_default())) {
        drop_pages(*start, *length);
    }
}

/// Code and constants of files, as `/proc/PID/maps` lists them (`proc_pid_maps(5)`): what may be run, and what may be read
/// and stands at the beginning of a file. They are mapped privately, and nothing writes to them: the program is built without
/// relocations in its code, and the unit forbids memory that can be written and run. Constants that addresses are written to at
/// the start stand behind the code, and stay.
fn code(maps: &str) -> Vec<Part> {
    let part = |line: &str| {
        let mut fields = line.split_ascii_whitespace();
        let (start, end) = fields.next()?.split_once('-')?;
        let (access, offset, _device, file) = (fields.next()?, fields.next()?, fields.next()?, fields.next()?);
        let [start, end] = [start, end].map(|octet| usize::from_str_radix(octet, 16).ok());
        let length = end?.checked_sub(start?)?;
        let first = offset.bytes().all(|digit| digit == b'0');
        let is_code = access == "r-xp" || access == "r--p" && first;
        (is_code && file != "0" && length > 0).then_some((start?, length))
    };
    maps.lines().filter_map(part).collect()
}

/// Whether a debugger is attached; who cannot tell says yes.
fn is_traced() -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    status.lines().find_map(|line| line.strip_prefix("TracerPid:")).is_none_or(|pid| pid.trim() != "0")
}

fn drop_pages(start: usize, length: usize) {
    // SAFETY: the part is a private mapping of a file that nothing writes to (`code`), so that each page
    // of it is as the file has it, and comes back from there when it is touched: MADV_DONTNEED changes no content. Nothing
    // unmaps the program or a library that it was started with.
    #[allow(unsafe_code, reason = "advice about pages is given by address")]
    let _ = unsafe { madvise(start as *mut core::ffi::c_void, length, Advice::LinuxDontNeed) };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_files_hold_unchanged_is_named() {
        let maps = "\
55d0c0000000-55d0c0001000 r--p 00000000 fd:00 17 /usr/sbin/mbimd
55d0c0001000-55d0c0004000 r-xp 00001000 fd:00 17 /usr/sbin/mbimd
55d0c0004000-55d0c0005000 r--p 00004000 fd:00 17 /usr/sbin/mbimd
55d0c0005000-55d0c0006000 rw-p 00005000 fd:00 17 /usr/sbin/mbimd
7f0000000000-7f0000001000 r-xs 00000000 fd:00 18 /dev/shm/shared
7f0000002000-7f0000003000 r-xp 00000000 00:00 0 [vdso]
7f0000004000-7f0000006000 r-xp 00000000 fd:00 19 /usr/lib/libc.so.6 (deleted)
7f0000007000-7f0000007000 r-xp 00000000 fd:00 19 /usr/lib/libc.so.6
7f0000008000-7f0000009000 rwxp 00000000 fd:00 19 /usr/lib/libc.so.6
zz-1 r-xp 0 0 1
7f00 r-xp";
        let found = [(0x55d0_c000_0000, 0x1000), (0x55d0_c000_1000, 0x3000), (0x7f00_0000_4000, 0x2000)];
        assert_eq!(code(maps), found);
    }
}

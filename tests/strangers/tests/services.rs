//! A client on Debian's libmbim-glib on the virtual modem, through a pseudo-terminal: what it prints is what the modem holds.
//! The table is `virtual_modem::mbimcli::library`; the kernel lab runs it through the real driver.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a panic is the report, in helpers too")]

#[path = "../../virtual-modem/tests/support/port.rs"]
mod port;

use port::Port;
use virtual_modem::mbimcli::{Seen, library};

#[test]
fn what_libmbim_reads_is_what_the_modem_holds() {
    if !strangers::is_the_one_compared().unwrap() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let program = strangers::client(folder.path()).unwrap();
    let program = program.to_str().expect("a path");
    let mut port = Port::new();
    let mut wrong = Vec::new();
    for step in library() {
        let (success, output) = port.run(&[program], &step);
        let state = port.modem.state();
        let seen = Seen { profile: port.modem.profile(), state: &state };
        wrong.extend(step.judge(success, &output, seen).err());
    }
    assert!(wrong.is_empty(), "{} steps:\n\n{}", wrong.len(), wrong.join("\n\n"));
}

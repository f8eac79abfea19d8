//! How long to wait for what. `[MBIM reference, 6]`

use core::time::Duration;

use mbim_proto::{Operation, Uuid};

/// An answer that stays away so long may be lost: a question is put again, and the command no longer keeps others
/// from being sent.
pub const LATE: Duration = Duration::from_secs(3);
/// Times that a question is put again before its deadline.
pub const REPEATS: u8 = 2;
/// A question that may take longer is not put again: the modem is at work on the air.
pub const REPEATABLE: Duration = Duration::from_secs(60);
/// One try of OPEN.
pub const OPEN_TRY: Duration = Duration::from_secs(5);
/// The whole open procedure.
pub const OPEN_BUDGET: Duration = Duration::from_secs(45);
/// CLOSE before another OPEN: its result does not matter.
pub const CLOSE_FIRST: Duration = Duration::from_secs(2);
/// One try to reach a session that an earlier host left open.
pub const ADOPT_TRY: Duration = Duration::from_secs(2);
/// All of them.
pub const ADOPT_BUDGET: Duration = Duration::from_secs(8);
/// CLOSE at the end.
pub const CLOSE_LAST: Duration = Duration::from_secs(5);
/// Pause after BUSY.
pub const BUSY_PAUSE: Duration = Duration::from_secs(1);
/// Greatest gap between two fragments of one message.
pub const FRAGMENT_GAP: Duration = Duration::from_millis(1250);
/// CONNECT with the command to deactivate.
pub const DEACTIVATE: Duration = Duration::from_secs(120);
/// CONNECT with the command to activate, and the wait for its final state.
pub const ACTIVATE: Duration = Duration::from_secs(180);
/// PACKET_STATISTICS: nothing depends on it.
pub const STATISTICS: Duration = Duration::from_secs(5);
/// A subscription may be set up over the air while this runs.
pub const SERVICE_ACTIVATION: Duration = Duration::from_secs(180);

/// The usual wait for an answer to a command.
#[must_use]
pub fn of(service: Uuid, cid: u32, operation: Operation) -> Duration {
    let seconds = if service == mbim_proto::service::basic_connect::SERVICE {
        match (cid, operation) {
            (11 | 20, Operation::Query) => 5,
            (3, Operation::Set) => 20,
            (10, Operation::Set) => 30,
            (9, Operation::Set) | (15, Operation::Query) => 60,
            (12, Operation::Set) | (14, Operation::Set) => 180,
            (8, Operation::Query) => 300,
            _ => 10,
        }
    } else {
        10
    };
    Duration::from_secs(seconds)
}

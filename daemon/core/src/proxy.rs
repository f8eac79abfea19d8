//! The proxy: other programs use a modem that the daemon holds, through the socket and protocol of libmbim's `mbim-proxy`.
//! Each connection of that socket is a [`Client`]; those that have a modem are its guests. Nothing here does IO.
//!
//! ```text
//! bytes ─▶ Client ─▶ Action::Join, Action::Command ─▶ (the modem's machine: guards, queue, subscriptions) ─▶ News ─▶ Client ─▶ bytes
//! ```
//!
//! OPEN and CLOSE of a client end here: the session with the modem is the daemon's. `[libmbim proxy]`

mod client;
pub mod guard;
mod place;

use core::fmt;

use mbim_proto::{MbimEx, Operation, Uuid};

pub use client::{Action, Client, Ended, MAX_PENDING, State};
pub use place::{Named, Place, Resolution, resolve};

use crate::custody::Presence;
use crate::session::Outcome;
use mbim_proto::status::Status;

/// Clients that are served at a time.
pub const MAX_CLIENTS: usize = 64;

/// Number of a client, never used twice by a run of the daemon.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct GuestId(pub u64);

/// What a client may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Access {
    /// Ask only.
    Query,
    /// Everything that does not end what the daemon has up.
    Full,
}

/// Who may connect, as the configuration says, with what group names stand for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Admission {
    /// Uid of the daemon.
    pub own: u32,
    /// The client is in the group that may do everything.
    pub in_full: bool,
    /// The client is in the group that may ask.
    pub in_query: bool,
}

impl Admission {
    /// What a client of this uid may do; `None` = nothing.
    #[must_use]
    pub fn of(self, uid: u32) -> Option<Access> {
        if uid == 0 || uid == self.own || self.in_full {
            Some(Access::Full)
        } else {
            self.in_query.then_some(Access::Query)
        }
    }
}

/// Whether the socket is offered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Offered {
    /// Except where ModemManager runs, which reaches its own modems through a socket of that name.
    #[default]
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

impl Offered {
    /// Whether to listen now.
    #[must_use]
    pub fn listen(self, neighbour: Presence) -> bool {
        match self {
            Self::Auto => neighbour == Presence::Absent,
            Self::Always => true,
            Self::Never => false,
        }
    }
}

/// One command of a client. `Debug` does not show the buffer: it may hold a PIN.
#[derive(Clone)]
pub struct GuestCommand {
    /// Service.
    pub service: Uuid,
    /// Command id within the service.
    pub cid: u32,
    /// Query or set.
    pub operation: Operation,
    /// Information buffer.
    pub buffer: Vec<u8>,
}

impl fmt::Debug for GuestCommand {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GuestCommand")
            .field("service", &self.service)
            .field("cid", &self.cid)
            .field("operation", &self.operation)
            .field("octets", &self.buffer.len())
            .finish_non_exhaustive()
    }
}

/// What a client tells its modem's machine.
#[derive(Clone, Debug)]
pub enum Order {
    /// It wants to use the modem.
    Join(Access),
    /// A command; `key` comes back with the answer.
    Command {
        /// Number that the client gave.
        key: u64,
        /// The command.
        command: GuestCommand,
    },
    /// It is gone: answers that are still to come are dropped.
    Leave,
}

/// What the machine tells a client.
#[derive(Clone, PartialEq, Eq)]
pub enum News {
    /// The modem is open.
    Joined {
        /// Release in force, where the modem knows releases.
        release: Option<MbimEx>,
    },
    /// The modem cannot be opened.
    Refused(Status),
    /// The modem was opened anew, with this release.
    Release(MbimEx),
    /// A command came to its end.
    Answered {
        /// Number that the client gave.
        key: u64,
        /// How.
        outcome: Outcome,
    },
    /// A command was refused without asking the modem: it would end what the daemon has up, or the client may only ask.
    Denied {
        /// Number that the client gave.
        key: u64,
        /// What it is told.
        status: Status,
    },
    /// The modem told something that the client subscribed.
    Indication {
        /// Service.
        service: Uuid,
        /// Command id.
        cid: u32,
        /// Information buffer.
        buffer: Vec<u8>,
    },
}

impl fmt::Debug for News {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Joined { release } => f.debug_tuple("Joined").field(release).finish(),
            Self::Refused(status) => f.debug_tuple("Refused").field(status).finish(),
            Self::Release(release) => f.debug_tuple("Release").field(release).finish(),
            Self::Answered { key, .. } => f.debug_tuple("Answered").field(key).finish(),
            Self::Denied { key, status } => f.debug_tuple("Denied").field(key).field(status).finish(),
            Self::Indication { service, cid, .. } => f.debug_tuple("Indication").field(service).field(cid).finish(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn admission_is_for_root_the_daemon_and_two_groups() {
        let nobody = Admission { own: 990, ..Admission::default() };
        assert_eq!(nobody.of(0), Some(Access::Full));
        assert_eq!(nobody.of(990), Some(Access::Full));
        assert_eq!(nobody.of(1000), None);
        assert_eq!(Admission { in_query: true, ..nobody }.of(1000), Some(Access::Query));
        assert_eq!(Admission { in_query: true, in_full: true, ..nobody }.of(1000), Some(Access::Full));
    }

    #[test]
    fn the_socket_is_left_to_modemmanager() {
        let all = [Presence::Unknown, Presence::Absent, Presence::Here];
        assert_eq!(all.map(|p| Offered::Auto.listen(p)), [false, true, false]);
        assert_eq!(all.map(|p| Offered::Always.listen(p)), [true; 3]);
        assert_eq!(all.map(|p| Offered::Never.listen(p)), [false; 3]);
    }
}

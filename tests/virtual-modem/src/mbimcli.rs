//! What Debian's `mbimcli` (libmbim-utils 1.28) must print about this modem: a table of its options, each with lines
//! that are made from what the modem holds.
//!
//! Nobody here wrote that program, so it is the judge of our layouts. The table is plain data: a test runs it through a
//! pseudo-terminal, the kernel lab through `/dev/cdc-wdm0`. Run the steps of [`table`] in order against one modem with
//! [`profile`]; give each step's orders, run the program with its arguments, then ask [`Step::judge`].

#![allow(clippy::panic, clippy::indexing_slicing, reason = "a table for tests: a panic there is the report")]

mod basic;
mod card;
mod extensions;
mod library;
mod releases;
mod services;
mod words;

use crate::network::{Activation, Subscription};
use crate::order::{Order, State};
use crate::profile::Profile;
use mbim_proto::service::basic_connect::{CellularClass, Provider, ProviderState};

/// What a program prints, as a line, when it waits for an indication.
pub const LISTENING: &str = "listening";

/// The modem before its host: what it is and holds, and what it is doing.
#[derive(Clone, Copy, Debug)]
pub struct Seen<'a> {
    /// What it is and holds.
    pub profile: &'a Profile,
    /// What it is doing.
    pub state: &'a State,
}

/// One run of the program.
#[derive(Clone, Debug)]
pub struct Step {
    /// The option that it is about, as `--help-all` spells it.
    pub option: &'static str,
    /// All arguments but the device.
    pub arguments: Vec<&'static str>,
    /// What happens to the modem before.
    pub orders: Vec<Order>,
    /// What happens to it when the program says [`LISTENING`].
    pub during: Vec<Order>,
    /// Whether the program must say that all went well.
    pub succeeds: bool,
    /// The modem starts anew afterwards: wait for it.
    pub restarts: bool,
    /// Whether the modem took what was set.
    took: fn(Seen<'_>) -> bool,
    /// The lines that are due.
    prints: fn(Seen<'_>) -> Vec<String>,
}

/// A query: `argument` is the option, with a value or without.
fn query(argument: &'static str, prints: fn(Seen<'_>) -> Vec<String>) -> Step {
    Step {
        option: argument.split_once('=').map_or(argument, |(option, _)| option),
        arguments: vec![argument],
        orders: Vec::new(),
        during: Vec::new(),
        succeeds: true,
        restarts: false,
        took: |_| true,
        prints,
    }
}

/// A set, with what the modem must hold afterwards.
fn set(argument: &'static str, took: fn(Seen<'_>) -> bool, prints: fn(Seen<'_>) -> Vec<String>) -> Step {
    Step { took, ..query(argument, prints) }
}

impl Step {
    /// With further arguments.
    fn with(mut self, arguments: &[&'static str]) -> Self {
        self.arguments.extend_from_slice(arguments);
        self
    }

    /// With MBIMEx 2.0 in force.
    fn v2(self) -> Self {
        self.with(&["--device-open-ms-mbimex-v2"])
    }

    /// With MBIMEx 3.0 in force.
    fn v3(self) -> Self {
        self.with(&["--device-open-ms-mbimex-v3"])
    }

    /// After an act from outside.
    fn after(mut self, order: Order) -> Self {
        self.orders.push(order);
        self
    }

    /// The program must refuse or report a refusal.
    fn fails(mut self) -> Self {
        self.succeeds = false;
        self
    }

    /// Compares what the program did with what the modem holds now. Blanks count as one, empty lines and the device's
    /// name as none; everything else must be equal, line by line.
    ///
    /// # Errors
    /// What differs, for people.
    pub fn judge(&self, success: bool, output: &str, seen: Seen<'_>) -> Result<(), String> {
        let printed = lines(output);
        let due = lines(&(self.prints)(seen).join("\n"));
        let what = self.arguments.join(" ");
        if success != self.succeeds {
            let ended = if success { "succeeded" } else { "failed" };
            return Err(format!("{what} {ended}:\n{}", printed.join("\n")));
        }
        if printed != due {
            return Err(format!("{what} printed:\n{}\n-- but due is:\n{}", printed.join("\n"), due.join("\n")));
        }
        if (self.took)(seen) { Ok(()) } else { Err(format!("{what}: the modem did not take it")) }
    }
}

/// The lines that count.
fn lines(text: &str) -> Vec<String> {
    let line = |line: &str| {
        let words: Vec<&str> = line.split_whitespace().filter(|word| !word.starts_with("[/dev/")).collect();
        words.join(" ")
    };
    let session_left_open = |line: &String| line == "Session not closed:" || line.starts_with("TRID: ");
    text.lines().map(line).filter(|line| !line.is_empty() && !session_left_open(line)).collect()
}

/// The modem that the table is about: every service, 5G beside LTE, one neighbour of each kind.
#[must_use]
pub fn profile() -> Profile {
    let mut profile = Profile { makers: true, data_classes: 0x7f, ..Profile::default() };
    profile.network.carriers.iter_mut().for_each(|carrier| carrier.data_classes = 0x7f);
    // mbimcli fills the bytes up to a multiple of 4, and the length that it sends counts that in.
    profile.network.activations.push(Activation {
        blob: b"PLAN-001".to_vec(),
        answer: b"DONE".to_vec(),
        grants: Subscription::Active,
    });
    // Of an array whose elements have strings, 1.28 reads the first one again and again.
    profile.holdings.cells.lte_nearby.truncate(1);
    let preferred = |id: &str, name: &str| Provider {
        provider_id: id.into(),
        provider_state: ProviderState::PREFERRED,
        provider_name: name.into(),
        cellular_class: CellularClass::GSM,
        rssi: 99,
        error_rate: 99,
    };
    profile.holdings.preferred = vec![preferred("00102", "Partner"), preferred("001003", "Zürich")];
    profile
}

/// All steps, in an order in which each finds what it needs.
#[must_use]
pub fn table() -> Vec<Step> {
    [basic::steps(), extensions::steps(), card::steps(), services::steps()].concat()
}

/// The steps of a client on libmbim-glib, `tests/strangers`: the arguments behind the device's name.
#[must_use]
pub fn library() -> Vec<Step> {
    library::steps()
}

/// The options that a `--help-all` offers for queries and sets: all but those of the program itself.
#[must_use]
pub fn options(help: &str) -> Vec<&str> {
    let mut found = Vec::new();
    let mut counts = false;
    for line in help.lines() {
        if line.ends_with(':') && !line.starts_with(' ') {
            counts = !matches!(line, "Help Options:" | "Application Options:" | "Usage:");
        }
        let option = line.trim_start().split([' ', '=']).next().unwrap_or_default();
        if counts && option.starts_with("--") {
            found.push(option);
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_of_the_program_itself_do_not_count() {
        let help = "Usage:\n  mbimcli [OPTION…]\n\nHelp Options:\n  -h, --help     Show\n  --help-all   Show\n\n\
            Basic Connect options:\n  --query-device-caps    Query\n  --enter-pin=[(PIN)]  Enter\n\n\
            Application Options:\n  -d, --device=[PATH]    Device\n  --noop  Nothing\n";
        assert_eq!(options(help), ["--query-device-caps", "--enter-pin"]);
    }

    #[test]
    fn a_wrong_line_a_wrong_end_and_a_set_that_was_not_taken_are_told() {
        let (profile, modem) = (profile(), crate::VirtualModem::new(Profile::default()));
        let seen = Seen { profile: &profile, state: &modem.state() };
        let step = set("--option=1", |seen| seen.profile.makers, |_| vec!["State: 'on'".into()]);
        assert_eq!(step.option, "--option");
        assert_eq!(step.judge(true, "\n[/dev/pts/1]\tState:   'on'\n", seen), Ok(()));
        assert!(step.judge(true, "State: 'off'", seen).is_err());
        assert!(step.judge(false, "State: 'on'", seen).is_err());
        let untaken = set("--option=1", |seen| !seen.profile.makers, |_| vec!["State: 'on'".into()]);
        assert!(untaken.judge(true, "State: 'on'", seen).is_err());
    }
}

//! `mbimctl pin`. Digits never stand on the command line, where every user could read them.

use std::io::{BufRead, IsTerminal, Write};

use dbus_api::proxy::SimProxy;
use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};
use serde_json::json;
use zbus::Connection;

use crate::arguments::{PinOperation, Which};
use crate::failure::Failure;
use crate::modem;
use crate::show::Output;

pub(super) async fn run(
    connection: &Connection,
    operation: PinOperation,
    which: &Which,
    output: Output,
) -> Result<(), Failure> {
    let modem = modem::pick(connection, which.modem.as_deref()).await?;
    let proxy: SimProxy<'_> = super::proxy(connection, &modem).await?;
    let done = match operation {
        PinOperation::Enter => {
            proxy.enter_pin(&ask("PIN")?).await?;
            "entered"
        }
        PinOperation::Enable => {
            proxy.enable_pin(&ask("PIN")?).await?;
            "enabled"
        }
        PinOperation::Disable => {
            proxy.disable_pin(&ask("PIN")?).await?;
            "disabled"
        }
        PinOperation::Change => {
            let old = ask("PIN in force")?;
            proxy.change_pin(&old, &ask("new PIN")?).await?;
            "changed"
        }
        PinOperation::Unblock => {
            let puk = ask("PUK")?;
            proxy.unblock_pin(&puk, &ask("new PIN")?).await?;
            "unblocked"
        }
    };
    output.print(&json!({ "modem": modem.number, "pin": done }), || format!("PIN {done}"));
    Ok(())
}

/// Reads one line, without echo where a person types it.
fn ask(what: &str) -> Result<String, Failure> {
    let stdin = std::io::stdin();
    let _echo = if stdin.is_terminal() {
        let _ = write!(std::io::stderr(), "{what}: ");
        Echo::off()
    } else {
        None
    };
    let mut line = String::new();
    let read = stdin.lock().read_line(&mut line);
    if read.map_err(|error| Failure::failed(format!("{what}: {error}")))? == 0 {
        return Err(Failure::usage(format!("{what}: nothing was given on standard input")));
    }
    Ok(line.trim().to_owned())
}

/// The terminal as it was, given back at the end.
struct Echo(Termios);

impl Echo {
    fn off() -> Option<Self> {
        let stdin = std::io::stdin();
        let before = tcgetattr(&stdin).ok()?;
        let mut quiet = before.clone();
        quiet.local_modes.remove(LocalModes::ECHO);
        tcsetattr(&stdin, OptionalActions::Now, &quiet).ok()?;
        Some(Self(before))
    }
}

impl Drop for Echo {
    fn drop(&mut self) {
        let _ = tcsetattr(std::io::stdin(), OptionalActions::Now, &self.0);
        let _ = writeln!(std::io::stderr());
    }
}

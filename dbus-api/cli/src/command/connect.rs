//! `mbimctl connect` and `mbimctl disconnect`.

use std::collections::HashMap;
use std::io::{IsTerminal, Write};
use std::time::Duration;

use clap::ValueEnum;
use dbus_api::error::{Code, Error};
use dbus_api::proxy::ConnectionProxy;
use futures_util::StreamExt;
use serde_json::json;
use zbus::{Connection, Variant};

use crate::arguments::{Connect, Wait};
use crate::failure::Failure;
use crate::modem::{self, Modem};
use crate::show::{Output, object};

/// Most octets of a password file.
const PASSWORD: u64 = 256;

pub(super) async fn connect(connection: &Connection, wish: &Connect, output: Output) -> Result<(), Failure> {
    let modem = modem::pick(connection, wish.wait.which.modem.as_deref()).await?;
    let password = wish.password_file.as_deref().map(|file| super::read(file, PASSWORD)).transpose()?;
    let password =
        password.map(String::from_utf8).transpose().map_err(|_| Failure::invalid("the password is not UTF-8"))?;
    let word = |value: Option<clap::builder::PossibleValue>| value.map(|value| value.get_name().to_owned());
    let auth = word(wish.auth.and_then(|auth| auth.to_possible_value()));
    let ip_type = word(wish.ip_type.and_then(|kind| kind.to_possible_value()));
    let options: HashMap<&str, Variant<'_>> = [
        ("apn", wish.apn.as_deref()),
        ("user", wish.user.as_deref()),
        ("password", password.as_deref().map(|text| text.trim_end_matches(['\r', '\n']))),
        ("auth", auth.as_deref()),
        ("ip-type", ip_type.as_deref()),
    ]
    .into_iter()
    .filter_map(|(key, value)| Some((key, value?.into())))
    .collect();
    request(connection, &modem, Some(&options), wish.wait.timeout).await?;
    report(connection, &modem, output).await
}

pub(super) async fn disconnect(connection: &Connection, wait: &Wait, output: Output) -> Result<(), Failure> {
    let modem = modem::pick(connection, wait.which.modem.as_deref()).await?;
    request(connection, &modem, None, wait.timeout).await?;
    report(connection, &modem, output).await
}

/// Asks for a connection with these options, or for none, and waits for the end.
async fn request(
    connection: &Connection,
    modem: &Modem,
    options: Option<&HashMap<&str, Variant<'_>>>,
    seconds: u32,
) -> Result<(), Failure> {
    let proxy: ConnectionProxy<'_> = super::proxy(connection, modem).await?;
    let mut ends = proxy.receive_finished().await?;
    let mut states = proxy.receive_state_changed().await;
    let cookie = match options {
        Some(options) => proxy.connect(options).await?,
        None => proxy.disconnect().await?,
    };
    let wait = async {
        let mut progress = Progress::new();
        loop {
            tokio::select! {
                biased;
                end = ends.next() => {
                    let end = end.ok_or_else(Failure::not_running)?;
                    let args = end.args()?;
                    if args.cookie != cookie {
                        continue;
                    }
                    if args.error.is_empty() {
                        return Ok(());
                    }
                    return Err(Error::new(Code::from_error_name(args.error), args.message).into());
                }
                Some(state) = states.next() => progress.show(&state.get().await?),
            }
        }
    };
    let limit = Duration::from_secs(seconds.into());
    tokio::time::timeout(limit, wait)
        .await
        .unwrap_or_else(|_| Err(Failure::failed(format!("no end after {seconds} s")).next("mbimctl explain")))
}

/// The state on a line of its own that is written over, on a terminal only.
struct Progress(bool);

impl Progress {
    fn new() -> Self {
        Self(std::io::stderr().is_terminal())
    }

    fn show(&mut self, state: &str) {
        if self.0 {
            let _ = write!(std::io::stderr(), "\r\x1b[K{state}…");
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if self.0 {
            let _ = write!(std::io::stderr(), "\r\x1b[K");
        }
    }
}

/// What there is now.
async fn report(connection: &Connection, modem: &Modem, output: Output) -> Result<(), Failure> {
    let now = modem::pick(connection, Some(modem.path.as_str())).await?;
    let json = json!({ "modem": now.number, "connection": object(&now.connection) });
    output.print(&json, || {
        let state = dbus_api::value::text(&now.connection, "State").unwrap_or_default();
        if state != "up" {
            return state;
        }
        let interface = dbus_api::value::text(&now.connection, "Interface").unwrap_or_default();
        let addresses = modem::texts(&now.connection, "Addresses").join(" ");
        format!("connected: {interface} {addresses}").trim_end().to_owned()
    });
    Ok(())
}

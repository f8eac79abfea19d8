//! `mbimctl connect` and `mbimctl disconnect`.

use std::collections::HashMap;
use std::io::{IsTerminal, Write};
use std::time::Duration;

use clap::ValueEnum;
use dbus_api::error::{Code, Error};
use dbus_api::proxy::ConnectionProxy;
use dbus_api::value::Details;
use futures_util::StreamExt;
use serde_json::json;
use zbus::{Connection, Variant};

use crate::arguments::{Connect, Disconnect};
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
    let purpose = word(wish.purpose.and_then(|purpose| purpose.to_possible_value()));
    let options: HashMap<&str, Variant<'_>> = [
        ("apn", wish.apn.as_deref()),
        ("user", wish.user.as_deref()),
        ("password", password.as_deref().map(|text| text.trim_end_matches(['\r', '\n']))),
        ("auth", auth.as_deref()),
        ("ip-type", ip_type.as_deref()),
        ("purpose", purpose.as_deref()),
        ("context", wish.context.as_deref()),
    ]
    .into_iter()
    .filter_map(|(key, value)| Some((key, value?.into())))
    // Only where it says something: a daemon of before does not know the key.
    .chain((wish.session > 0).then_some(("session", wish.session.into())))
    .collect();
    request(connection, &modem, Wish::Up(&options), wish.session, wish.wait.timeout).await?;
    let purpose = purpose.as_deref().filter(|purpose| *purpose != "internet").map(|purpose| ("purpose", purpose));
    let context = wish.context.as_deref().map(|name| ("context", name));
    let session = match context.or(purpose).filter(|_| wish.session == 0) {
        Some((key, value)) => session_with(connection, &modem, key, value).await?,
        None => wish.session,
    };
    report(connection, &modem, session, output).await
}

/// The session that the daemon has chosen: the one that has this value.
async fn session_with(connection: &Connection, modem: &Modem, key: &str, value: &str) -> Result<u32, Failure> {
    let now = modem::pick(connection, Some(modem.path.as_str())).await?;
    let has = |details: &&Details| dbus_api::value::text(details, key).as_deref() == Some(value);
    let sessions = now.sessions();
    Ok(sessions.iter().find(has).and_then(|details| modem::number(details, "session")).unwrap_or(0))
}

pub(super) async fn disconnect(connection: &Connection, wish: &Disconnect, output: Output) -> Result<(), Failure> {
    let modem = modem::pick(connection, wish.wait.which.modem.as_deref()).await?;
    request(connection, &modem, Wish::Down, wish.session, wish.wait.timeout).await?;
    report(connection, &modem, wish.session, output).await
}

/// What is wanted of a session.
#[derive(Clone, Copy)]
enum Wish<'a> {
    /// A connection, with these options.
    Up(&'a HashMap<&'a str, Variant<'a>>),
    /// None.
    Down,
}

/// Asks for a connection or its end, and waits until that is done.
async fn request(
    connection: &Connection,
    modem: &Modem,
    wish: Wish<'_>,
    session: u32,
    seconds: u32,
) -> Result<(), Failure> {
    let proxy: ConnectionProxy<'_> = super::proxy(connection, modem).await?;
    let mut ends = proxy.receive_finished().await?;
    let mut states = proxy.receive_state_changed().await;
    let cookie = match (wish, session) {
        (Wish::Up(options), _) => proxy.connect(options).await?,
        (Wish::Down, 0) => proxy.disconnect().await?,
        (Wish::Down, session) => proxy.disconnect_session(session).await?,
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
                Some(state) = states.next(), if session == 0 => progress.show(&state.get().await?),
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
async fn report(connection: &Connection, modem: &Modem, session: u32, output: Output) -> Result<(), Failure> {
    let now = modem::pick(connection, Some(modem.path.as_str())).await?;
    if session > 0 {
        let found = now.sessions().into_iter().find(|details| modem::number(details, "session") == Some(session));
        let json = found.as_ref().map_or_else(|| json!({ "session": session, "state": "down" }), object);
        output.print(&json!({ "modem": now.number, "connection": json }), || {
            found
                .as_ref()
                .map_or_else(|| "down".to_owned(), |details| line(details, ["state", "interface", "addresses"]))
        });
        return Ok(());
    }
    let json = json!({ "modem": now.number, "connection": super::status::connection_value(&now) });
    output.print(&json, || line(&now.connection, ["State", "Interface", "Addresses"]));
    Ok(())
}

/// State, or where the connection is, by their keys.
fn line(details: &Details, [state, interface, addresses]: [&str; 3]) -> String {
    let state = dbus_api::value::text(details, state).unwrap_or_default();
    if state != "up" {
        return state;
    }
    let interface = dbus_api::value::text(details, interface).unwrap_or_default();
    let addresses = modem::texts(details, addresses).join(" ");
    format!("connected: {interface} {addresses}").trim_end().to_owned()
}

//! Who may do what. With polkit on the bus it decides; without it only root and the daemon's own user may.

use std::collections::HashMap;
use std::os::fd::{AsFd as _, BorrowedFd};
use std::time::Duration;

use dbus_api::error::Code;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use zbus::message::{Flags, Header};
use zbus::names::BusName;
use zbus::{Connection, Variant, fdo};

use super::failure::Failure;
use crate::host::unit::{self, Units};

/// What is guarded; the polkit action of the same name says to whom it is given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Action {
    Connect,
    Radio,
    Settings,
    Pin,
    Identity,
    Portal,
    Signal,
    UsageReset,
    Trace,
    Provision,
    ProvisionWebsite,
    ApproveSigner,
}

impl Action {
    /// All actions.
    #[cfg(test)]
    pub(super) const ALL: [Self; 12] = [
        Self::Connect,
        Self::Radio,
        Self::Settings,
        Self::Pin,
        Self::Identity,
        Self::Portal,
        Self::Signal,
        Self::UsageReset,
        Self::Trace,
        Self::Provision,
        Self::ProvisionWebsite,
        Self::ApproveSigner,
    ];

    pub(super) fn id(self) -> &'static str {
        match self {
            Self::Connect => "org.mbimd.connect",
            Self::Radio => "org.mbimd.radio",
            Self::Settings => "org.mbimd.settings",
            Self::Pin => "org.mbimd.pin",
            Self::Identity => "org.mbimd.identity",
            Self::Portal => "org.mbimd.portal",
            Self::Signal => "org.mbimd.signal",
            Self::UsageReset => "org.mbimd.usage.reset",
            Self::Trace => "org.mbimd.trace",
            Self::Provision => "org.mbimd.provision",
            Self::ProvisionWebsite => "org.mbimd.provision.website",
            Self::ApproveSigner => "org.mbimd.provision.approve",
        }
    }
}

/// Decides about callers.
#[derive(Clone, Debug)]
pub(crate) struct Gate {
    /// Users that may do everything where there is no polkit.
    trusted: Vec<u32>,
}

impl Gate {
    /// Root and the daemon's own user, where polkit does not decide.
    pub(crate) fn new() -> Self {
        Self { trusted: vec![0, rustix::process::geteuid().as_raw()] }
    }

    /// Other users in place of root and the daemon's.
    #[cfg(test)]
    pub(super) fn trusting(trusted: &[u32]) -> Self {
        Self { trusted: trusted.to_vec() }
    }

    /// Whether the caller may do it; the caller's user id if so. Anything that cannot be found out is a refusal.
    pub(super) async fn check(
        &self,
        connection: &Connection,
        call: &Header<'_>,
        action: Action,
    ) -> Result<u32, Failure> {
        let uid = caller(connection, call).await?;
        if self.trusted.contains(&0) && uid == 0 {
            return Ok(uid);
        }
        match ask_polkit(connection, call, action).await {
            Polkit::Allowed => Ok(uid),
            Polkit::Absent if self.trusted.contains(&uid) => Ok(uid),
            Polkit::Absent => Err(refusal(action, "there is no polkit to ask: run it as root")),
            Polkit::Denied => Err(refusal(action, "run it as root, or have an administrator allow it in polkit")),
            Polkit::Challenge => {
                Err(refusal(action, "authentication is needed: allow interactive authorisation, or run it as root"))
            }
            Polkit::Broken => Err(refusal(action, "polkit did not answer: run it as root")),
        }
    }
}

fn refusal(action: Action, next: &str) -> Failure {
    Failure::new(Code::NotAuthorized, format!("Not authorised ({}); {next}.", action.id()))
}

/// User id of the caller, from the bus, or from the socket where there is no bus between.
pub(super) async fn caller(connection: &Connection, call: &Header<'_>) -> Result<u32, Failure> {
    let unknown = || Failure::new(Code::NotAuthorized, "The caller's user could not be found out.");
    if !connection.is_bus() {
        return connection.peer_creds().await.ok().and_then(|creds| creds.unix_user_id()).ok_or_else(unknown);
    }
    let sender = call.sender().ok_or_else(unknown)?;
    let bus = fdo::DBusProxy::new(connection).await.map_err(|_| unknown())?;
    let creds = bus.get_connection_credentials(BusName::from(sender.clone())).await.map_err(|_| unknown())?;
    creds.unix_user_id().ok_or_else(unknown)
}

/// The units that the caller's process is in; none where that is not certain.
pub(super) async fn units(connection: &Connection, call: &Header<'_>) -> Units {
    if !connection.is_bus() {
        let creds = connection.peer_creds().await.ok();
        return creds.and_then(|creds| creds.process_id()).map(unit::of).unwrap_or_default();
    }
    let Some(sender) = call.sender() else { return Units::default() };
    let Ok(bus) = fdo::DBusProxy::new(connection).await else { return Units::default() };
    let creds = async || bus.get_connection_credentials(BusName::from(sender.clone())).await.ok();
    let Some(before) = creds().await else { return Units::default() };
    let Some(pid) = before.process_id() else { return Units::default() };
    let found = unit::of(pid);
    // The number may be another process's by now, unless that one is still there.
    let is_there = match before.process_fd() {
        Some(process) => is_running(process.as_fd()),
        None => creds().await.and_then(|after| after.process_id()) == Some(pid),
    };
    if is_there { found } else { Units::default() }
}

/// Whether a process has not ended; a descriptor of one can be read once it has.
fn is_running(process: BorrowedFd<'_>) -> bool {
    let mut polled = [PollFd::new(&process, PollFlags::IN)];
    let now = Timespec { tv_sec: 0, tv_nsec: 0 };
    poll(&mut polled, Some(&now)).is_ok_and(|ready| ready == 0)
}

/// What polkit said.
enum Polkit {
    Allowed,
    Denied,
    /// Would be allowed after the user authenticated, which the caller did not allow to ask for.
    Challenge,
    /// Nobody to ask on this bus.
    Absent,
    /// There is somebody, but no answer that can be understood.
    Broken,
}

const POLKIT: &str = "org.freedesktop.PolicyKit1";

/// Flag of `CheckAuthorization`: the user may be asked.
const ALLOW_USER_INTERACTION: u32 = 1;

/// How long an answer may take: by itself, and where the user is asked for a password.
const ANSWER: Duration = Duration::from_secs(10);
const ANSWER_OF_USER: Duration = Duration::from_secs(180);

/// Reply of `CheckAuthorization`: authorised, would be after a challenge, details.
type PolkitReply = (bool, bool, HashMap<String, String>);

/// Whether polkit runs on this bus or would be started by it. Not every bus answers a call to a name that nobody owns.
async fn polkit_is_there(connection: &Connection) -> zbus::Result<bool> {
    let bus = fdo::DBusProxy::new(connection).await?;
    if bus.name_has_owner(BusName::try_from(POLKIT)?).await? {
        return Ok(true);
    }
    // A bus that cannot list what it would start starts nothing.
    Ok(bus.list_activatable_names().await.is_ok_and(|names| names.iter().any(|name| name.as_str() == POLKIT)))
}

async fn ask_polkit(connection: &Connection, call: &Header<'_>, action: Action) -> Polkit {
    let (true, Some(sender)) = (connection.is_bus(), call.sender()) else { return Polkit::Absent };
    match polkit_is_there(connection).await {
        Ok(true) => {}
        Ok(false) => return Polkit::Absent,
        Err(error) => {
            tracing::warn!(%error, "polkit");
            return Polkit::Broken;
        }
    }
    let interactive = call.primary().flags().contains(Flags::ALLOW_INTERACTIVE_AUTH);
    let subject = ("system-bus-name", HashMap::from([("name", Variant::from(sender.as_str()))]));
    let details: HashMap<&str, &str> = HashMap::new();
    let flags = if interactive { ALLOW_USER_INTERACTION } else { 0 };
    let arguments = (subject, action.id(), details, flags, "");
    let question = connection.call_method(
        Some(POLKIT),
        "/org/freedesktop/PolicyKit1/Authority",
        Some("org.freedesktop.PolicyKit1.Authority"),
        "CheckAuthorization",
        &arguments,
    );
    let reply = match tokio::time::timeout(if interactive { ANSWER_OF_USER } else { ANSWER }, question).await {
        Ok(Ok(reply)) => reply,
        Ok(Err(error)) => {
            tracing::warn!(%error, "polkit");
            return Polkit::Broken;
        }
        Err(_) => return Polkit::Broken,
    };
    match reply.body().deserialize::<(PolkitReply,)>() {
        Ok(((true, _, _),)) => Polkit::Allowed,
        Ok(((false, true, _),)) => Polkit::Challenge,
        Ok(((false, false, _),)) => Polkit::Denied,
        Err(_) => Polkit::Broken,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_action_is_declared_to_polkit() {
        let policy = include_str!("../../../systemd/polkit/org.mbimd.policy");
        for action in Action::ALL {
            assert!(policy.contains(&format!("<action id=\"{}\">", action.id())), "{}", action.id());
        }
        assert_eq!(policy.matches("<action id=").count(), Action::ALL.len());
    }
}

//! libmbim's proxy socket: the abstract name `mbim-proxy`, through which other programs use the modems that the daemon
//! holds. What clients may do is decided in `daemon_core::proxy`; here are the socket, who is behind it, and paths.

mod alias;
mod connection;
mod groups;
mod path;
mod register;

use std::os::linux::net::SocketAddrExt as _;
use std::os::unix::net as std_unix;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use daemon_core::custody::Presence;
use daemon_core::proxy::{Admission, GuestId, MAX_CLIENTS, Offered};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::{oneshot, watch};
use tokio::task::JoinSet;

use self::alias::Aliases;
use crate::config::Config;
use crate::handle::Modems;

use register::Why;
pub(crate) use register::{Card, Register};

/// The name that libmbim knows.
const NAME: &[u8] = b"mbim-proxy";
/// Pause before a name that somebody else has is tried again, besides whenever a modem comes or goes.
const AGAIN: Duration = Duration::from_secs(60);
/// Pause after the kernel refused a connection for want of something.
const BREATH: Duration = Duration::from_secs(1);

/// The way to the task behind the socket.
#[derive(Debug)]
pub(crate) struct Proxy {
    stop: oneshot::Sender<()>,
    task: tokio::task::JoinHandle<()>,
}

/// What of the configuration concerns the socket.
#[derive(Clone, Debug)]
struct Rules {
    offered: Offered,
    group: String,
    readers: String,
}

struct Task {
    name: &'static [u8],
    rules: Rules,
    modems: Modems,
    aliases: Option<Aliases>,
    neighbour: watch::Receiver<Presence>,
    listener: Option<UnixListener>,
    register: Register,
    /// That somebody else has the name was told.
    told: bool,
    clients: JoinSet<()>,
    next: u64,
}

impl Proxy {
    /// Takes the name, where it is to be had, before this returns; serves clients from then on.
    pub(crate) fn start(
        config: &Config,
        run_dir: &Path,
        modems: Modems,
        neighbour: watch::Receiver<Presence>,
        register: Register,
    ) -> Self {
        let rules =
            Rules { offered: config.proxy, group: config.proxy_group.clone(), readers: config.proxy_readers.clone() };
        let aliases = (rules.offered != Offered::Never).then(|| Aliases::start(run_dir)).flatten();
        Self::named(NAME, rules, modems, aliases, neighbour, register)
    }

    fn named(
        name: &'static [u8],
        rules: Rules,
        modems: Modems,
        aliases: Option<Aliases>,
        neighbour: watch::Receiver<Presence>,
        register: Register,
    ) -> Self {
        let clients = JoinSet::new();
        let mut task =
            Task { name, rules, modems, aliases, neighbour, listener: None, register, told: false, clients, next: 0 };
        task.listen_as_ruled();
        let (stop, stopped) = oneshot::channel();
        Self { stop, task: tokio::spawn(task.run(stopped)) }
    }

    /// Gives the name back and hangs up on everybody.
    pub(crate) async fn stop(self) {
        // An error means that the task has ended already.
        let _ = self.stop.send(());
        if self.task.await.is_err() {
            tracing::error!("the proxy ended before its time");
        }
    }
}

impl Task {
    async fn run(mut self, mut stopped: oneshot::Receiver<()>) {
        loop {
            let wanted = self.rules.offered.listen(*self.neighbour.borrow());
            let wants_name = wanted && self.listener.is_none();
            tokio::select! {
                accepted = accept(self.listener.as_ref()) => match accepted {
                    Ok(stream) => self.welcome(stream),
                    Err(error) => {
                        tracing::warn!(%error, "a client of the proxy cannot be accepted");
                        tokio::time::sleep(BREATH).await;
                    }
                },
                Ok(()) = self.neighbour.changed() => self.listen_as_ruled(),
                Ok(()) = self.modems.changed() => {
                    self.modems.mark_unchanged();
                    if let Some(aliases) = &mut self.aliases {
                        aliases.follow(&self.modems);
                    }
                    self.listen_as_ruled();
                }
                () = tokio::time::sleep(AGAIN), if wants_name => self.listen_as_ruled(),
                Some(_) = self.clients.join_next(), if !self.clients.is_empty() => {}
                _ = &mut stopped => break,
            }
        }
        drop(self.listener);
        self.clients.shutdown().await;
    }

    /// Takes the name or gives it back. Who is connected stays.
    fn listen_as_ruled(&mut self) {
        let wanted = self.rules.offered.listen(*self.neighbour.borrow_and_update());
        if !wanted {
            if self.listener.take().is_some() {
                tracing::info!("the proxy's socket is left to ModemManager");
            }
            return;
        }
        if self.listener.is_some() {
            return;
        }
        match bind(self.name) {
            Ok(listener) => {
                tracing::info!("other programs can use the modems through the proxy's socket");
                self.listener = Some(listener);
                self.told = false;
            }
            Err(error) if !self.told => {
                self.told = true;
                let owner = owner(self.name);
                tracing::warn!(%error, owner, "the proxy's socket is somebody else's; tried again later");
            }
            Err(_) => {}
        }
    }

    fn welcome(&mut self, stream: UnixStream) {
        let Ok(peer) = stream.peer_cred() else { return };
        let (uid, pid) = (peer.uid(), peer.pid().unwrap_or(0));
        let program = program(pid);
        let is_in = |group: &str| groups::is_member(group, uid, peer.gid());
        let own = rustix::process::geteuid().as_raw();
        let admission = Admission { own, in_full: is_in(&self.rules.group), in_query: is_in(&self.rules.readers) };
        let Some(access) = admission.of(uid) else {
            self.register.turn_away(Why::NotAllowed);
            return tracing::warn!(pid, uid, program, "a client of the proxy is not allowed in");
        };
        if self.clients.len() >= MAX_CLIENTS {
            self.register.turn_away(Why::TooMany);
            return tracing::warn!(pid, uid, program, "a client of the proxy too many");
        }
        let id = GuestId(self.next);
        self.next += 1;
        tracing::info!(client = id.0, pid, uid, program, ?access, "a client of the proxy");
        let folder = self.aliases.as_ref().map(|aliases| Arc::from(aliases.folder()));
        let card = self.register.enter(id, pid, uid, program, access);
        self.clients.spawn(connection::run(card, stream, self.modems.clone(), folder, self.register.clone()));
    }
}

async fn accept(listener: Option<&UnixListener>) -> std::io::Result<UnixStream> {
    match listener {
        Some(listener) => listener.accept().await.map(|(stream, _)| stream),
        None => std::future::pending().await,
    }
}

fn bind(name: &[u8]) -> std::io::Result<UnixListener> {
    let listener = std_unix::UnixListener::bind_addr(&std_unix::SocketAddr::from_abstract_name(name)?)?;
    listener.set_nonblocking(true)?;
    UnixListener::from_std(listener)
}

/// Who has the name, for the log. Asked without waiting: whoever has it may not answer.
fn owner(name: &[u8]) -> String {
    let connect = || {
        let stream = std_unix::UnixStream::connect_addr(&std_unix::SocketAddr::from_abstract_name(name)?)?;
        rustix::net::sockopt::socket_peercred(&stream).map_err(std::io::Error::from)
    };
    match connect() {
        Ok(peer) => {
            let pid = peer.pid.as_raw_nonzero().get();
            format!("pid {pid} ({}), uid {}", program(pid), peer.uid.as_raw())
        }
        Err(error) => format!("unknown: {error}"),
    }
}

/// Name of a program, where the kernel shows it.
fn program(pid: i32) -> String {
    let name = std::fs::read_to_string(format!("/proc/{pid}/comm")).unwrap_or_default();
    let name = name.trim_end();
    if name.is_empty() { "?".to_owned() } else { name.escape_debug().to_string() }
}

#[cfg(test)]
mod tests;

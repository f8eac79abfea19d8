//! Telling the machine's resolver of the bearer's DNS servers: systemd-resolved for this link, or a fragment in the
//! run directory that a local resolver may include.

use std::io;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use daemon_core::carrier::DnsRetry;

use crate::config::Dns;
use crate::store::atomic;

/// Time for one call to systemd-resolved.
const PATIENCE: Duration = Duration::from_secs(5);

/// Who is to be told, and how.
#[derive(Clone, Debug)]
pub(crate) struct Resolver {
    mode: Dns,
    bus: Option<zbus::Connection>,
    folder: PathBuf,
}

impl Resolver {
    /// `bus`: the bus on which systemd-resolved would be, where there is one.
    pub(crate) fn new(mode: Dns, bus: Option<zbus::Connection>, run_dir: &Path) -> Self {
        Self { mode, bus, folder: run_dir.join("resolv.conf.d") }
    }

    /// Tells the servers of a link. `default`: they answer for all names; else they are for programs that ask over this
    /// link, which only systemd-resolved can tell apart. Returns whether there is something to take back.
    /// `retry`: how often programs are to ask again, which only a fragment can say.
    pub(crate) async fn set(
        &self,
        interface: &str,
        index: u32,
        servers: &[IpAddr],
        default: bool,
        retry: Option<DnsRetry>,
    ) -> io::Result<bool> {
        if self.mode == Dns::None || servers.is_empty() {
            self.clear(interface, index).await?;
            return Ok(false);
        }
        if self.mode == Dns::Resolved {
            match self.tell(index, servers, default).await {
                Ok(()) => {
                    self.remove_fragment(interface)?;
                    return Ok(true);
                }
                Err(error) => tracing::debug!(%error, "systemd-resolved does not answer; a fragment is written"),
            }
        }
        if !default {
            return Ok(false);
        }
        let mut text = format!("# DNS servers of {interface}\n");
        for server in servers {
            text.push_str(&format!("nameserver {server}\n"));
        }
        if let Some(DnsRetry { interval, count }) = retry {
            // resolv.conf counts questions, the document those after the first.
            text.push_str(&format!("options timeout:{interval} attempts:{}\n", u32::from(count) + 1));
        }
        atomic::make_folder(&self.folder, 0o755)?;
        atomic::replace_in_run(&self.folder.join(interface), text.as_bytes(), 0o644)?;
        Ok(true)
    }

    /// Takes it back.
    pub(crate) async fn clear(&self, interface: &str, index: u32) -> io::Result<()> {
        if self.mode == Dns::Resolved
            && let Err(error) = self.call("RevertLink", &(resolved_index(index),)).await
        {
            tracing::debug!(%error, "systemd-resolved does not answer");
        }
        self.remove_fragment(interface)
    }

    fn remove_fragment(&self, interface: &str) -> io::Result<()> {
        match std::fs::remove_file(self.folder.join(interface)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }

    async fn tell(&self, index: u32, servers: &[IpAddr], default: bool) -> io::Result<()> {
        let list: Vec<(i32, Vec<u8>)> = servers
            .iter()
            .map(|server| match server {
                IpAddr::V4(v4) => (2, v4.octets().to_vec()),
                IpAddr::V6(v6) => (10, v6.octets().to_vec()),
            })
            .collect();
        self.call("SetLinkDNS", &(resolved_index(index), list)).await?;
        // Other links go on answering for their own names; this one may answer for all the rest.
        self.call("SetLinkDefaultRoute", &(resolved_index(index), default)).await
    }

    async fn call<B>(&self, method: &'static str, body: &B) -> io::Result<()>
    where
        B: serde::Serialize + zbus::zvariant::DynamicType,
    {
        let bus = self.bus.as_ref().ok_or(io::ErrorKind::NotConnected)?;
        let call = bus.call_method(
            Some("org.freedesktop.resolve1"),
            "/org/freedesktop/resolve1",
            Some("org.freedesktop.resolve1.Manager"),
            method,
            body,
        );
        match tokio::time::timeout(PATIENCE, call).await {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(error)) => Err(io::Error::other(error)),
            Err(_) => Err(io::ErrorKind::TimedOut.into()),
        }
    }
}

fn resolved_index(index: u32) -> i32 {
    i32::try_from(index).unwrap_or(i32::MAX)
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use zbus::{Guid, connection};

    use super::*;

    /// A stand-in for systemd-resolved that writes down what it is told. The signatures are those of
    /// org.freedesktop.resolve1(5): a call with another one is refused by the bus library.
    #[derive(Clone, Default)]
    struct Resolved(Arc<Mutex<Vec<String>>>);

    #[zbus::interface(name = "org.freedesktop.resolve1.Manager")]
    impl Resolved {
        #[zbus(name = "SetLinkDNS")]
        fn set_link_dns(&self, index: i32, addresses: Vec<(i32, Vec<u8>)>) {
            self.0.lock().unwrap().push(format!("dns {index} {addresses:?}"));
        }

        fn set_link_default_route(&self, index: i32, enable: bool) {
            self.0.lock().unwrap().push(format!("default {index} {enable}"));
        }

        fn revert_link(&self, index: i32) {
            self.0.lock().unwrap().push(format!("revert {index}"));
        }
    }

    #[tokio::test]
    async fn resolved_is_told_and_takes_it_back() {
        let told = Resolved::default();
        let (near, far) = std::os::unix::net::UnixStream::pair().unwrap();
        let server = connection::Builder::unix_stream(far).server(Guid::generate()).p2p();
        let server = server.serve_at("/org/freedesktop/resolve1", told.clone()).build();
        let client = connection::Builder::unix_stream(near).p2p().build();
        let (_server, client) = tokio::try_join!(server, client).unwrap();
        let run = tempfile::tempdir().unwrap();
        let resolver = Resolver::new(Dns::Resolved, Some(client), run.path());
        let servers = ["192.0.2.53".parse().unwrap(), "2001:db8::53".parse().unwrap()];
        assert!(resolver.set("wwan0", 3, &servers, true, None).await.unwrap());
        assert!(!run.path().join("resolv.conf.d/wwan0").exists(), "one place is enough");
        resolver.clear("wwan0", 3).await.unwrap();
        assert!(resolver.set("wwan0.2", 4, &servers[..1], false, None).await.unwrap());
        let told = told.0.lock().unwrap().clone();
        let v6 = "2001:db8::53".parse::<std::net::Ipv6Addr>().unwrap().octets();
        assert_eq!(
            told,
            [
                format!("dns 3 {:?}", [(2, vec![192, 0, 2, 53]), (10, v6.to_vec())]),
                "default 3 true".into(),
                "revert 3".into(),
                format!("dns 4 {:?}", [(2, vec![192, 0, 2, 53])]),
                "default 4 false".into(),
            ]
        );
    }

    #[tokio::test]
    async fn a_fragment_where_nobody_answers() {
        let run = tempfile::tempdir().unwrap();
        let resolver = Resolver::new(Dns::Resolved, None, run.path());
        let servers = ["192.0.2.53".parse().unwrap(), "2001:db8::53".parse().unwrap()];
        assert!(resolver.set("wwan0", 3, &servers, true, None).await.unwrap());
        let file = run.path().join("resolv.conf.d/wwan0");
        let text = std::fs::read_to_string(&file).unwrap();
        assert!(text.contains("nameserver 192.0.2.53\nnameserver 2001:db8::53\n"), "{text}");
        resolver.clear("wwan0", 3).await.unwrap();
        resolver.clear("wwan0", 3).await.unwrap();
        assert!(!file.exists());
        assert!(!resolver.set("wwan0.2", 4, &servers, false, None).await.unwrap());
        assert!(!run.path().join("resolv.conf.d/wwan0.2").exists(), "another session's servers are not for everybody");
        let nobody = Resolver::new(Dns::None, None, run.path());
        assert!(!nobody.set("wwan0", 3, &servers, true, None).await.unwrap());
        assert!(!file.exists());
    }
}

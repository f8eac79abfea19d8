//! Revocation lists and answers of responders, fetched over a modem's link. Plain HTTP is what they are offered by: they are
//! signed, and whoever checks that (`mbimd-verify`) takes one that is not as none. A question to a responder is an
//! address, made by `mbimd-verify`, too. `[PROV 12.3]`

use std::net::SocketAddr;
use std::time::Duration;

use daemon_core::snapshot::{ConnectivityState, ContextState, Snapshot};
use tokio::time::timeout;

use super::cost::Counted;
use super::{Bearer, CONNECT};
use crate::host::dial::dial;
use crate::host::dns::Family;
use crate::host::http::{self, Url};

/// Largest list or answer, octets.
const LARGEST: usize = 1024 * 1024;
/// Time for one address.
const EACH: Duration = Duration::from_secs(5);
/// Time for all addresses that are asked at a time.
const ALL: Duration = Duration::from_secs(10);
/// Most redirects.
const MAX_REDIRECTS: usize = 2;
/// What may come.
const ACCEPT: &str = "application/ocsp-response, application/pkix-crl, */*;q=0.5";
/// Port of name servers.
const DNS: u16 = 53;

/// The link of a modem over which the Internet can be reached.
#[derive(Clone, Debug)]
pub(crate) struct Link {
    /// What all sockets are bound to.
    pub(crate) bearer: Bearer,
    /// Name servers of the bearer.
    pub(crate) servers: Vec<SocketAddr>,
}

impl Link {
    /// The link of a modem that is online; in a walled garden, or before anybody has looked, there is none.
    pub(crate) fn of(snapshot: &Snapshot) -> Option<Self> {
        let connection = snapshot.connections.first().filter(|connection| connection.state == ContextState::Up)?;
        if snapshot.connectivity.state != ConnectivityState::Full {
            return None;
        }
        let ip = connection.ip.as_ref()?;
        let global = ip.ipv6.iter().map(|(address, _)| *address).find(|address| !address.is_unicast_link_local());
        Some(Self {
            bearer: Bearer {
                interface: Some(connection.interface.clone()?),
                ipv4: ip.ipv4.first().map(|(address, _)| *address),
                ipv6: global,
            },
            servers: ip.dns.iter().map(|server| SocketAddr::new(*server, DNS)).collect(),
        })
    }

    /// Fetches what is there, one address after the other; each with the reason where nothing is.
    pub(crate) async fn fetch(&self, addresses: &[String]) -> Vec<Result<Vec<u8>, String>> {
        let mut found = Vec::new();
        let all = async {
            for address in addresses {
                let one = timeout(EACH, Box::pin(self.one(address))).await;
                found.push(one.unwrap_or_else(|_| Err("took too long".into())));
            }
        };
        // What was not reached in time is told like what did not answer in time.
        let _ = timeout(ALL, all).await;
        found.resize_with(addresses.len(), || Err("took too long".into()));
        found
    }

    async fn one(&self, address: &str) -> Result<Vec<u8>, String> {
        let plain = |text: &str| Url::parse(text).filter(|url| url.scheme() == "http");
        let mut url = plain(address).ok_or("not an address that can be asked")?;
        for _ in 0..=MAX_REDIRECTS {
            let mut stream = self.dial(&url).await?;
            let answer = http::get(&mut stream, &url, ACCEPT, LARGEST + 1).await?;
            match answer.status {
                200 if answer.body.len() > LARGEST => return Err("larger than 1 MiB".into()),
                200 => return Ok(answer.body),
                301 | 302 | 303 | 307 | 308 => {
                    url = answer.location.as_deref().and_then(plain).ok_or("redirected to what cannot be asked")?;
                }
                status => return Err(format!("status {status}")),
            }
        }
        Err("too many redirects".into())
    }

    async fn dial(&self, url: &Url) -> Result<Counted, String> {
        let here = [(Family::V4, self.bearer.ipv4.is_some()), (Family::V6, self.bearer.ipv6.is_some())];
        let families = here.into_iter().filter(|(_, here)| *here).map(|(family, _)| family);
        dial(&self.bearer, &self.servers, url, families, CONNECT).await
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use std::net::Ipv4Addr;

    use daemon_core::snapshot::{Connection, IpSettings};
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpListener;

    use super::*;

    /// A server on loopback that answers each request with the answer for its path, and the link to it.
    pub(crate) async fn serve(answers: Vec<(&'static str, Vec<u8>)>) -> (Link, String, tokio::task::JoinHandle<()>) {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let root = format!("http://{}", listener.local_addr().unwrap());
        let task = tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let mut asked = Vec::new();
                while !asked.ends_with(b"\r\n\r\n") {
                    match stream.read_u8().await {
                        Ok(octet) => asked.push(octet),
                        Err(_) => break,
                    }
                }
                let asked = String::from_utf8(asked).unwrap();
                let path = asked.split(' ').nth(1).unwrap_or_default();
                let answer = answers.iter().find(|(of, _)| *of == path);
                // The other side may have heard enough.
                let _ = stream.write_all(answer.map_or(&b"HTTP/1.1 404 No\r\n\r\n"[..], |(_, answer)| answer)).await;
            }
        });
        let bearer = Bearer { interface: None, ipv4: Some(Ipv4Addr::LOCALHOST), ipv6: None };
        (Link { bearer, servers: Vec::new() }, root, task)
    }

    #[tokio::test]
    async fn lists_are_fetched_and_bounded() {
        let ok = |body: &[u8]| [b"HTTP/1.1 200 OK\r\n\r\n", body].concat();
        let to = |place: &str| format!("HTTP/1.1 302 Found\r\nLocation: {place}\r\n\r\n").into_bytes();
        let (link, root, server) = serve(vec![
            ("/a.crl", ok(b"list")),
            ("/large", ok(&vec![0; LARGEST + 2])),
            ("/largest", ok(&vec![7; LARGEST])),
            ("/moved", to("/a.crl")),
            ("/round", to("/round")),
            ("/away", to("https://crl.invalid/")),
            ("/none", b"SSH-2.0\r\n\r\n".to_vec()),
        ])
        .await;
        for (path, expected) in [
            ("/a.crl", Ok(4)),
            ("/largest", Ok(LARGEST)),
            ("/moved", Ok(4)),
            ("/large", Err("larger")),
            ("/round", Err("too many")),
            ("/away", Err("redirected")),
            ("/none", Err("not HTTP")),
            ("/missing", Err("status 404")),
        ] {
            let got = link.fetch(&[format!("{root}{path}")]).await.remove(0);
            match (&got, expected) {
                (Ok(list), Ok(length)) => assert_eq!(list.len(), length, "{path}"),
                (Err(why), Err(wanted)) => assert!(why.contains(wanted), "{path}: {why}"),
                _ => panic!("{path}: {expected:?}"),
            }
        }
        for address in ["https://crl.invalid/a", "ldap://crl.invalid/", "http://", "http://crl.invalid/a"] {
            assert!(link.fetch(&[address.to_owned()]).await.remove(0).is_err(), "{address}");
        }
        server.abort();
    }

    /// Never in a walled garden, nor before anybody has looked, nor without an interface.
    #[test]
    fn only_over_what_leads_to_the_internet() {
        let ip = IpSettings { ipv4: vec![(Ipv4Addr::new(192, 0, 2, 1), 32)], ..IpSettings::default() };
        let up = Connection {
            state: ContextState::Up,
            ip: Some(ip),
            interface: Some("wwan0".into()),
            ..Connection::default()
        };
        let link = |connection: &Connection, state| {
            let mut snapshot = Snapshot { connections: vec![connection.clone()], ..Snapshot::default() };
            snapshot.connectivity.state = state;
            Link::of(&snapshot).map(|link| link.bearer.interface.unwrap())
        };
        assert_eq!(link(&up, ConnectivityState::Full).as_deref(), Some("wwan0"));
        for state in
            [ConnectivityState::Unknown, ConnectivityState::None, ConnectivityState::Portal, ConnectivityState::Limited]
        {
            assert_eq!(link(&up, state), None);
        }
        for other in [
            Connection { state: ContextState::Waiting, ..up.clone() },
            Connection { interface: None, ..up.clone() },
            Connection { ip: None, ..up.clone() },
        ] {
            assert_eq!(link(&other, ConnectivityState::Full), None);
        }
        assert!(Link::of(&Snapshot::default()).is_none());
    }
}

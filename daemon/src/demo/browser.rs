//! The person's browser and the operator's program: names from the operator's name server, HTTPS over the modem's link,
//! trusting the roots of the run.

use std::cell::RefCell;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use harness::virtual_operator::address::DATA_LINK;
use harness::virtual_operator::http::{Client, Response};
use harness::virtual_operator::{Error, While, certificates, dns};
use harness::wait;
use tokio::net::UdpSocket;

/// How long one try at a page may take.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long one question to a name server may take, and how often it is asked.
const NAME_PATIENCE: Duration = Duration::from_secs(1);
const NAME_TRIES: u16 = 3;

/// A browser on the modem's link.
pub(crate) struct Browser {
    client: Client,
    servers: Vec<IpAddr>,
}

impl Browser {
    /// `servers` are the name servers that the connection gave.
    pub(crate) fn new(roots: &str, servers: Vec<IpAddr>) -> Result<Self, Error> {
        let tls = Some(Arc::new(certificates::client_config(roots)?));
        Ok(Self { client: Client { interface: Some(DATA_LINK.into()), tls, limit: PATIENCE }, servers })
    }

    /// Opens a page, again and again as a person would who knows that it must be there: a packet may be lost, and a starved
    /// machine may miss every time limit once.
    pub(crate) async fn open(&self, url: &str, limit: Duration) -> Result<Response, Error> {
        let last = RefCell::new(None);
        let ask = || async { self.fetch(url, None).await.map_err(|error| last.replace(Some(error))).ok() };
        let opened = wait::until("a page", limit, ask).await;
        opened.map_err(|error| last.take().unwrap_or(error))
    }

    /// Fetches a page once; `form` makes it a POST. The URL is absolute and https.
    pub(crate) async fn fetch(&self, url: &str, form: Option<&str>) -> Result<Response, Error> {
        let (host, rest) = split(url)?;
        let address = self.resolve(host).await?;
        self.client.fetch(SocketAddr::new(address, 443), host, rest, form).await
    }

    async fn resolve(&self, host: &str) -> Result<IpAddr, Error> {
        let doing = format!("resolving {host}");
        let mut last = Error::new(&doing, "the connection gave no name server");
        for server in &self.servers {
            for id in 1..=NAME_TRIES {
                let answer = ask(*server, host, id).await;
                match answer.trying(&doing).map(|found| found.into_iter().next()) {
                    Ok(Some(address)) => return Ok(address),
                    Ok(None) => last = Error::new(&doing, "no address"),
                    Err(error) => last = error,
                }
            }
        }
        Err(last)
    }
}

/// Asks for addresses of the family in which the server is reached: that one works.
async fn ask(server: IpAddr, host: &str, id: u16) -> Result<Vec<IpAddr>, String> {
    let any: SocketAddr = if server.is_ipv4() { ([0; 4], 0).into() } else { ([0_u16; 8], 0).into() };
    let socket = UdpSocket::bind(any).await.map_err(|e| e.to_string())?;
    socket.bind_device(Some(DATA_LINK.as_bytes())).map_err(|e| e.to_string())?;
    socket.send_to(&dns::question(host, id, server.is_ipv6())?, (server, 53)).await.map_err(|e| e.to_string())?;
    let mut reply = [0; 1500];
    let received = tokio::time::timeout(NAME_PATIENCE, socket.recv(&mut reply)).await;
    let length = received.map_err(|_| "no answer")?.map_err(|e| e.to_string())?;
    dns::addresses(reply.get(..length).unwrap_or_default(), id)
}

/// Host and the rest from the path on.
fn split(url: &str) -> Result<(&str, &str), Error> {
    let doing = "opening a page";
    let rest = url.strip_prefix("https://").ok_or_else(|| Error::new(doing, "not https"))?;
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (host, path) = rest.split_at(end);
    let path = path.split('#').next().unwrap_or_default();
    Ok((host, if path.starts_with('/') { path } else { "/" }))
}

/// Another page of the same site.
pub(crate) fn page(url: &str, path: &str) -> Result<String, Error> {
    split(url).map(|(host, _)| format!("https://{host}{path}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_are_cut() {
        assert_eq!(split("https://a.example/start?x=1#y").unwrap(), ("a.example", "/start?x=1"));
        assert_eq!(split("https://a.example").unwrap(), ("a.example", "/"));
        assert!(split("http://a.example/").is_err());
        assert_eq!(page("https://a.example/start?x=1", "/buy").unwrap(), "https://a.example/buy");
    }
}

//! A stream to the host of a URL, over a modem's link and with its name servers.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::time::timeout;

use super::dns::{self, Family, Names};
use super::http::Url;
use super::probe::Bearer;
use super::probe::cost::{Chain, Cost, Counted, Meter};

/// Most addresses of one family that are tried.
const MAX_ADDRESSES: usize = 2;

/// Connects to the host over the first of the families that leads there; `each`: time for one address. The error is a short
/// text without anything that the network said.
pub(crate) async fn dial(
    bearer: &Bearer,
    servers: &[SocketAddr],
    url: &Url,
    families: impl IntoIterator<Item = Family>,
    each: Duration,
) -> Result<Counted, String> {
    let (meter, chain) = (Meter::default(), Chain::default());
    let cost = Cost { meter: &meter, chain: &chain };
    let mut last = "the link has no addresses".to_owned();
    for family in families {
        let addresses = match url.address() {
            Some(address) if address.is_ipv4() == (family == Family::V4) => vec![address],
            Some(_) => continue,
            None => match Box::pin(dns::resolve(bearer, servers, url.host(), family, cost)).await {
                Names::Found(addresses) => addresses,
                Names::None => {
                    last = "no such name, or no address".to_owned();
                    continue;
                }
                Names::Failed => {
                    last = "name servers do not answer".to_owned();
                    continue;
                }
            },
        };
        for address in addresses.into_iter().take(MAX_ADDRESSES) {
            match timeout(each, cost.connect(bearer, SocketAddr::new(address, url.port()))).await {
                Ok(Ok(stream)) => return Ok(stream),
                Ok(Err(error)) => last = error.kind().to_string(),
                Err(_) => last = "timed out".to_owned(),
            }
        }
    }
    Err(last)
}

//! One document, fetched over a modem's link and nothing else: HTTPS with the machine's roots, a few redirects, a password
//! only for the host that asks and that the document named, all of it or nothing. `[PROV 12.8]`

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use daemon_provisioning::{MAX_DOCUMENT, Refresh, Validators};
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio::time::timeout;
use zeroize::Zeroizing;

use super::clock::Clock;
use super::dns::Family;
use super::http::{self, Answer, More, Url};
use super::probe::cost::Counted;
use super::probe::{Bearer, certificate, reachable};
use super::tls;

/// Time for everything. `[PROV 16]`
const WHOLE: Duration = Duration::from_secs(60);
/// Time to connect to one address.
const CONNECT: Duration = Duration::from_secs(10);
/// Most redirects.
const MAX_REDIRECTS: usize = 5;
/// What is wanted.
const ACCEPT: &str = "application/xml, text/xml, */*;q=0.5";

/// The link, and whom to trust on it.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    /// What all sockets are bound to.
    pub(crate) bearer: Bearer,
    /// Name servers of the bearer.
    pub(crate) servers: Vec<SocketAddr>,
    /// Files with more root certificates.
    pub(crate) ca: Vec<PathBuf>,
    /// The state directory: its newest file tells how late it is at least.
    pub(crate) state: PathBuf,
}

/// What came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Got {
    /// A document, whole.
    Document {
        /// As it came.
        octets: Vec<u8>,
        /// How the server calls it.
        validators: Validators,
    },
    /// The server says that there is no newer one.
    Unchanged,
}

/// Asks for the newest document. The error is a short text without anything that the server said.
pub(crate) async fn newest(place: &Place, refresh: &Refresh, known: &Validators) -> Result<Got, String> {
    match timeout(WHOLE, Box::pin(run(place, refresh, known))).await {
        Ok(got) => got,
        Err(_) => Err("took longer than a minute".into()),
    }
}

async fn run(place: &Place, refresh: &Refresh, known: &Validators) -> Result<Got, String> {
    let (ca, state) = (place.ca.clone(), place.state.clone());
    // Reads files; off the runtime's thread.
    let load = tokio::task::spawn_blocking(move || tls::load(&ca, Clock::read(None, Some(&state))));
    let config = load.await.map_err(|error| error.to_string())??;
    let first = secure(refresh.url.reveal()).ok_or("the document names no HTTPS address that can be asked")?;
    let authorization = refresh.authorization();
    let (mut url, mut redirects, mut challenged) = (first.clone(), 0, false);
    loop {
        let own = url.is_of_origin(&first);
        let said = authorization.as_ref().filter(|_| challenged && own);
        let more = more(known, said.map(|said| said.reveal().as_str()));
        let answer = Box::pin(ask(place, &config, &url, &more)).await?;
        match answer.status {
            200 => return document(answer),
            304 if *known != Validators::default() => return Ok(Got::Unchanged),
            301 | 302 | 303 | 307 | 308 => {
                redirects += 1;
                if redirects > MAX_REDIRECTS {
                    return Err(format!("more than {MAX_REDIRECTS} redirects"));
                }
                let to = answer.location.as_deref().and_then(secure);
                url = to.ok_or("redirected to something that is not HTTPS")?;
            }
            401 if own && !challenged && answer.told.basic && authorization.is_some() => challenged = true,
            401 if own && challenged => return Err("status 401: the server does not take the document's user".into()),
            status => return Err(format!("status {status}")),
        }
    }
}

fn secure(text: &str) -> Option<Url> {
    Url::parse(text).filter(|url| url.scheme() == "https")
}

/// The lines of the head: what is known of the newest document, and who asks.
fn more(known: &Validators, authorization: Option<&str>) -> More {
    let parts = [
        known.tag.as_deref().map(|tag| ["If-None-Match: ", tag, "\r\n"]),
        known.modified.as_deref().filter(|_| known.tag.is_none()).map(|at| ["If-Modified-Since: ", at, "\r\n"]),
        authorization.map(|who| ["Authorization: ", who, "\r\n"]),
    ];
    let parts = || parts.iter().flatten().flatten();
    // Grown at once: what is moved would stay behind in clear.
    let mut lines = Zeroizing::new(String::with_capacity(parts().map(|part| part.len()).sum()));
    parts().for_each(|part| lines.push_str(part));
    More { lines, most: Some(MAX_DOCUMENT as u64) }
}

fn document(answer: Answer) -> Result<Got, String> {
    let Answer { body, whole, told, .. } = answer;
    if told.encoded {
        return Err("compressed, which nobody asked for".into());
    }
    if told.too_long || body.len() > MAX_DOCUMENT {
        return Err("larger than 4 MiB".into());
    }
    if !whole {
        return Err("cut off".into());
    }
    if body.is_empty() {
        return Err("empty".into());
    }
    Ok(Got::Document { octets: body, validators: Validators::new(told.tag, told.modified) })
}

async fn ask(place: &Place, config: &Arc<ClientConfig>, url: &Url, more: &More) -> Result<Answer, String> {
    let stream = dial(place, url).await?;
    let name = ServerName::try_from(url.host().to_owned()).map_err(|error| error.to_string())?;
    let mut stream = match tokio_rustls::TlsConnector::from(Arc::clone(config)).connect(name, stream).await {
        Ok(stream) => stream,
        Err(error) => {
            return Err(match error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>()) {
                Some(rustls::Error::InvalidCertificate(why)) => format!("the certificate is {}", certificate(why)),
                Some(_) => "no TLS".into(),
                None => error.kind().to_string(),
            });
        }
    };
    // One more than allowed: what is longer shows.
    http::ask(&mut stream, url, ACCEPT, more, MAX_DOCUMENT + 1).await
}

/// Connects to the host over one of the families that the link has.
async fn dial(place: &Place, url: &Url) -> Result<Counted, String> {
    let mut families = Vec::new();
    for family in [Family::V4, Family::V6] {
        if matches!(reachable(&place.bearer, true, family).await, Ok(true)) {
            families.push(family);
        }
    }
    super::dial::dial(&place.bearer, &place.servers, url, families, CONNECT).await
}

#[cfg(test)]
pub(crate) mod tests;

//! As much HTTP as an operator's sites need: whole requests in, whole responses out; and a client for those who
//! play the browser.

use std::collections::HashMap;
use std::io;
use std::rc::Rc;
use std::sync::Arc;

use bytes::Bytes;
use core::convert::Infallible;
use core::net::SocketAddr;
use core::time::Duration;
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use rustls::pki_types::ServerName;
use socket2::{Domain, Protocol, Socket, Type};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpSocket;

use crate::error::{Error, While};

const LARGEST_BODY: usize = 64 * 1024;

/// A request, read to its end.
#[derive(Clone, PartialEq, Eq)]
pub struct Request {
    /// `GET`, `POST` …
    pub method: String,
    /// `Host` without the port, lower case; empty when there is none.
    pub host: String,
    /// Path without the query.
    pub path: String,
    /// Decoded parameters of the query, in order.
    pub query: Vec<(String, String)>,
    /// Decoded parameters of a form body.
    pub form: HashMap<String, String>,
}

impl core::fmt::Debug for Request {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        // Queries and forms name persons.
        write!(f, "{} {}{}", self.method, self.host, self.path)
    }
}

impl Request {
    /// First value of a query parameter.
    #[must_use]
    pub fn parameter(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(n, _)| n == name).map(|(_, v)| v.as_str())
    }
}

/// A response.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Response {
    /// Status code.
    pub status: u16,
    /// Headers, names in lower case.
    pub headers: Vec<(String, String)>,
    /// Body.
    pub body: Vec<u8>,
}

impl Response {
    /// A response with a text of some type.
    #[must_use]
    pub fn text(status: u16, content_type: &str, body: impl Into<String>) -> Self {
        Self { status, headers: vec![("content-type".into(), content_type.into())], body: body.into().into_bytes() }
    }

    /// A redirect.
    #[must_use]
    pub fn redirect(status: u16, location: impl Into<String>) -> Self {
        let location = location.into();
        let body = format!("<html><body><a href=\"{location}\">Continue here</a></body></html>");
        let mut response = Self::text(status, "text/html", body);
        response.headers.push(("location".into(), location));
        response
    }

    /// Value of a header.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, v)| v.as_str())
    }

    /// The body as text, damaged characters replaced.
    #[must_use]
    pub fn body_text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

/// What a site does with a request.
pub type Site = Rc<dyn Fn(Request) -> Response>;

/// Serves one connection to its end. Errors of the other side end the connection and nothing else.
pub async fn serve(stream: impl AsyncRead + AsyncWrite + Unpin + 'static, site: Site) {
    let service = service_fn(move |request| {
        let site = site.clone();
        async move {
            let response = match read(request).await {
                Ok(request) => site(request),
                Err(_) => Response::text(400, "text/plain", "bad request\n"),
            };
            Ok::<_, Infallible>(write(response))
        }
    });
    // A peer that hangs up in the middle is everyday life for a server.
    let _ = hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
}

async fn read(request: hyper::Request<Incoming>) -> Result<Request, Error> {
    let (head, body) = request.into_parts();
    let host = head.headers.get("host").and_then(|h| h.to_str().ok()).unwrap_or_default();
    let host = host.rsplit_once(':').filter(|(_, p)| p.parse::<u16>().is_ok()).map_or(host, |(h, _)| h);
    let body = Limited::new(body, LARGEST_BODY).collect().await.map_err(|e| Error::new("reading a body", e))?;
    Ok(Request {
        method: head.method.to_string(),
        host: host.to_ascii_lowercase(),
        path: head.uri.path().to_owned(),
        query: parameters(head.uri.query().unwrap_or_default()),
        form: parameters(&String::from_utf8_lossy(&body.to_bytes())).into_iter().collect(),
    })
}

fn write(response: Response) -> hyper::Response<Full<Bytes>> {
    let mut built = hyper::Response::new(Full::new(Bytes::from(response.body)));
    *built.status_mut() = hyper::StatusCode::from_u16(response.status).unwrap_or(hyper::StatusCode::IM_A_TEAPOT);
    for (name, value) in response.headers {
        if let (Ok(name), Ok(value)) =
            (name.parse::<hyper::header::HeaderName>(), hyper::header::HeaderValue::from_str(&value))
        {
            built.headers_mut().append(name, value);
        }
    }
    built
}

/// Decodes `a=b&c=d`.
#[must_use]
pub fn parameters(text: &str) -> Vec<(String, String)> {
    text.split('&')
        .filter(|p| !p.is_empty())
        .map(|p| p.split_once('=').unwrap_or((p, "")))
        .map(|(n, v)| (decoded(n), decoded(v)))
        .collect()
}

fn decoded(text: &str) -> String {
    let mut octets = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, behind)) = rest.split_first() {
        let hex = |o: &u8| char::from(*o).to_digit(16).and_then(|d| u8::try_from(d).ok());
        match (first, behind) {
            (b'%', [high, low, more @ ..]) if hex(high).is_some() && hex(low).is_some() => {
                octets.push(hex(high).unwrap_or_default() << 4 | hex(low).unwrap_or_default());
                rest = more;
            }
            (b'+', more) => {
                octets.push(b' ');
                rest = more;
            }
            (other, more) => {
                octets.push(*other);
                rest = more;
            }
        }
    }
    String::from_utf8_lossy(&octets).into_owned()
}

/// How a client reaches its server.
#[derive(Clone, Debug)]
pub struct Client {
    /// Interface that the socket is bound to; `None` = whatever route there is.
    pub interface: Option<String>,
    /// Trusted roots; `None` = plain HTTP.
    pub tls: Option<Arc<rustls::ClientConfig>>,
    /// Time for the whole exchange.
    pub limit: Duration,
}

impl Client {
    /// One request. `form` makes it a POST.
    ///
    /// # Errors
    /// No connection, no trust, no answer in time; the text names the stage: `connect`, `tls` or `http`.
    pub async fn fetch(
        &self,
        to: SocketAddr,
        host: &str,
        path_and_query: &str,
        form: Option<&str>,
    ) -> Result<Response, Error> {
        tokio::time::timeout(self.limit, self.exchange(to, host, path_and_query, form))
            .await
            .map_err(|_| Error::new("http", "no answer in time"))?
    }

    async fn exchange(
        &self,
        to: SocketAddr,
        host: &str,
        path_and_query: &str,
        form: Option<&str>,
    ) -> Result<Response, Error> {
        let stream = self.connected(to).await.trying("connect")?;
        match &self.tls {
            None => request(stream, host, path_and_query, form).await,
            Some(config) => {
                let name = ServerName::try_from(host.to_owned()).trying("tls")?;
                let stream = tokio_rustls::TlsConnector::from(config.clone()).connect(name, stream).await;
                request(stream.trying("tls")?, host, path_and_query, form).await
            }
        }
    }

    async fn connected(&self, to: SocketAddr) -> io::Result<tokio::net::TcpStream> {
        let socket = Socket::new(Domain::for_address(to), Type::STREAM, Some(Protocol::TCP))?;
        socket.set_nonblocking(true)?;
        if let Some(interface) = &self.interface {
            socket.bind_device(Some(interface.as_bytes()))?;
        }
        TcpSocket::from_std_stream(socket.into()).connect(to).await
    }
}

async fn request(
    stream: impl AsyncRead + AsyncWrite + Unpin + 'static,
    host: &str,
    path_and_query: &str,
    form: Option<&str>,
) -> Result<Response, Error> {
    let (mut sender, connection) =
        hyper::client::conn::http1::handshake::<_, Full<Bytes>>(TokioIo::new(stream)).await.trying("http")?;
    let driver = tokio::task::spawn_local(connection);
    let mut builder = hyper::Request::builder()
        .method(if form.is_some() { "POST" } else { "GET" })
        .uri(path_and_query)
        .header("host", host)
        .header("connection", "close");
    if form.is_some() {
        builder = builder.header("content-type", "application/x-www-form-urlencoded");
    }
    let body = Full::new(Bytes::from(form.unwrap_or_default().to_owned()));
    let response = sender.send_request(builder.body(body).trying("http")?).await.trying("http")?;
    let (head, body) = response.into_parts();
    let body = Limited::new(body, LARGEST_BODY).collect().await.map_err(|e| Error::new("http", e))?.to_bytes();
    driver.abort();
    Ok(Response {
        status: head.status.as_u16(),
        headers: head
            .headers
            .iter()
            .map(|(n, v)| (n.to_string(), String::from_utf8_lossy(v.as_bytes()).into_owned()))
            .collect(),
        body: body.to_vec(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_decoded() {
        let expected =
            [("a".to_owned(), "1 2".to_owned()), ("b".to_owned(), "%x+".to_owned()), ("c".into(), "".into())];
        assert_eq!(parameters("a=1+2&b=%25x%2b&&c"), expected);
        assert_eq!(parameters("a=%e4%2"), [("a".to_owned(), "\u{fffd}%2".to_owned())]);
    }

    #[test]
    fn a_site_is_served_and_fetched() {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let local = tokio::task::LocalSet::new();
        local.block_on(&runtime, async {
            let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
            let address = listener.local_addr().unwrap();
            tokio::task::spawn_local(async move {
                let (stream, _) = listener.accept().await.unwrap();
                let site: Site = Rc::new(|r: Request| {
                    Response::text(200, "text/plain", format!("{r:?} {:?} {:?}", r.parameter("q"), r.form.get("f")))
                });
                serve(stream, site).await;
            });
            let client = Client { interface: None, tls: None, limit: Duration::from_secs(5) };
            let answer = client.fetch(address, "host.example", "/p?q=1", Some("f=2")).await.unwrap();
            assert_eq!(answer.body_text(), "POST host.example/p Some(\"1\") Some(\"2\")");
        });
    }
}

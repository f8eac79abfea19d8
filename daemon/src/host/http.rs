//! One bounded GET over a stream that someone else opened. No redirects, cookies, compression or keep-alive.

use std::fmt::Write as _;
use std::net::{Ipv4Addr, Ipv6Addr};

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use zeroize::Zeroizing;

/// Longest head of an answer, octets.
const MAX_HEAD: usize = 16 * 1024;
/// What is read of a page, octets. `[OPER 4.3]`
pub(crate) const PAGE: usize = 16 * 1024;
/// Most header lines.
const MAX_HEADERS: usize = 64;
/// Longest `Location` that is kept, octets.
const MAX_LOCATION: usize = 2048;
/// Who asks. Says nothing of version, machine or person.
const USER_AGENT: &str = "mbimd";

/// An `http` or `https` URL without user, password and fragment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Url {
    tls: bool,
    host: String,
    port: u16,
    target: String,
}

impl Url {
    /// Reads `http[s]://HOST[:PORT][/PATH]`. ASCII only.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        if text.len() > 2048 || !text.bytes().all(|b| b.is_ascii_graphic()) {
            return None;
        }
        let (scheme, rest) = text.split_once("://")?;
        let tls = match scheme.to_ascii_lowercase().as_str() {
            "http" => false,
            "https" => true,
            _ => return None,
        };
        let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
        let (authority, path) = rest.split_at_checked(end)?;
        let path = path.split('#').next().unwrap_or_default();
        let target = if path.starts_with('/') { path.to_owned() } else { format!("/{path}") };
        let (host, port) = match authority.strip_prefix('[') {
            Some(rest) => {
                let (address, after) = rest.split_once(']')?;
                address.parse::<Ipv6Addr>().ok()?;
                (address, after.strip_prefix(':').or((after.is_empty()).then_some(""))?)
            }
            None => authority.split_once(':').unwrap_or((authority, "")),
        };
        let port = if port.is_empty() { if tls { 443 } else { 80 } } else { port.parse().ok().filter(|p| *p != 0)? };
        let named = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_');
        let literal = host.parse::<Ipv6Addr>().is_ok();
        let valid = literal || (!host.is_empty() && host.len() <= 253 && host.bytes().all(named));
        valid.then(|| Self { tls, host: host.to_ascii_lowercase(), port, target })
    }

    /// `http` or `https`.
    pub(crate) fn scheme(&self) -> &'static str {
        if self.tls { "https" } else { "http" }
    }

    /// Whether scheme, host and port are the same. `[RFC 6454]`
    pub(crate) fn is_of_origin(&self, other: &Self) -> bool {
        (self.tls, &self.host, self.port) == (other.tls, &other.host, other.port)
    }

    /// Host name or address without brackets.
    pub(crate) fn host(&self) -> &str {
        &self.host
    }

    /// Port, from the scheme where none is named.
    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// The host where it is an address.
    pub(crate) fn address(&self) -> Option<std::net::IpAddr> {
        self.host.parse::<Ipv4Addr>().map(Into::into).or_else(|_| self.host.parse::<Ipv6Addr>().map(Into::into)).ok()
    }

    /// Host and port as the `Host` header wants them.
    fn authority(&self) -> String {
        let host = if self.host.contains(':') { format!("[{}]", self.host) } else { self.host.clone() };
        let default = if self.tls { 443 } else { 80 };
        if self.port == default { host } else { format!("{host}:{}", self.port) }
    }

    /// A `Location` as an absolute URL, without judging it. `None` where it holds what no URL may hold.
    pub(crate) fn resolve(&self, location: &str) -> Option<String> {
        let location = location.trim();
        if location.is_empty() || location.len() > MAX_LOCATION || !location.bytes().all(|b| b.is_ascii_graphic()) {
            return None;
        }
        let scheme_end = location.find(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.')));
        if scheme_end.is_some_and(|end| end > 0 && location.get(end..).is_some_and(|rest| rest.starts_with(':'))) {
            return Some(location.into());
        }
        let (scheme, authority) = (self.scheme(), self.authority());
        if location.starts_with("//") {
            return Some(format!("{scheme}:{location}"));
        }
        if location.starts_with('/') {
            return Some(format!("{scheme}://{authority}{location}"));
        }
        let path = self.target.split('?').next().unwrap_or("/");
        if location.starts_with('?') {
            return Some(format!("{scheme}://{authority}{path}{location}"));
        }
        let folder = path.rfind('/').and_then(|at| path.get(..=at)).unwrap_or("/");
        Some(format!("{scheme}://{authority}{folder}{location}"))
    }
}

/// What came back.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Answer {
    /// Status code.
    pub(crate) status: u16,
    /// `Location`, absolute.
    pub(crate) location: Option<String>,
    /// The content type says HTML.
    pub(crate) html: bool,
    /// The beginning of the body, at most as much as was wanted.
    pub(crate) body: Vec<u8>,
    /// The body is there to its end.
    pub(crate) whole: bool,
    /// What else of the head is of use to who wants the content.
    pub(crate) told: Told,
}

/// Fields of the head of an answer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Told {
    /// `WWW-Authenticate` names the scheme `Basic`.
    pub(crate) basic: bool,
    /// `ETag`.
    pub(crate) tag: Option<String>,
    /// `Last-Modified`.
    pub(crate) modified: Option<String>,
    /// `Content-Encoding` says that the body is not what was asked for.
    pub(crate) encoded: bool,
    /// `Content-Length` is more than [`More::most`].
    pub(crate) too_long: bool,
}

/// What a request has beyond the usual.
#[derive(Debug, Default)]
pub(crate) struct More {
    /// Lines of the head, each with its end; they may hold a password.
    pub(crate) lines: Zeroizing<String>,
    /// A body that says that it is longer, in octets, is not read at all.
    pub(crate) most: Option<u64>,
}

/// Sends the request and reads the answer, of the body at most `limit` octets. The error is a short text without anything
/// that the server said.
pub(crate) async fn get<S: AsyncRead + AsyncWrite + Unpin>(
    stream: &mut S,
    url: &Url,
    accept: &str,
    limit: usize,
) -> Result<Answer, String> {
    ask(stream, url, accept, &More::default(), limit).await
}

/// As [`get`], with more.
pub(crate) async fn ask<S: AsyncRead + AsyncWrite + Unpin>(
    stream: &mut S,
    url: &Url,
    accept: &str,
    more: &More,
    limit: usize,
) -> Result<Answer, String> {
    // Grown at once: what is moved would stay behind in clear.
    let mut request = Zeroizing::new(String::with_capacity(4096 + more.lines.len()));
    let _ = write!(
        request,
        "GET {} HTTP/1.1\r\nHost: {}\r\nUser-Agent: {USER_AGENT}\r\nAccept: {accept}\r\nCache-Control: no-cache\r\n\
         {}Connection: close\r\n\r\n",
        url.target,
        url.authority(),
        more.lines.as_str()
    );
    let broken = |error: std::io::Error| error.kind().to_string();
    stream.write_all(request.as_bytes()).await.map_err(broken)?;
    stream.flush().await.map_err(broken)?;
    let mut data = Vec::with_capacity(1024);
    let head = loop {
        if let Some(head) = parse_head(&data, url)? {
            break head;
        }
        if data.len() >= MAX_HEAD {
            return Err("head too long".into());
        }
        if !fill(stream, &mut data, MAX_HEAD).await? {
            return Err("closed before the answer".into());
        }
    };
    data.drain(..head.length.min(data.len()));
    let mut answer = head.answer;
    let bodiless = (100..200).contains(&answer.status) || answer.status == 204 || answer.status == 304;
    answer.told.too_long =
        matches!(head.framing, Framing::Length(length) if more.most.is_some_and(|most| length > most));
    if !bodiless && !answer.told.too_long {
        (answer.body, answer.whole) = body(stream, data, head.framing, limit).await?;
    }
    Ok(answer)
}

/// How the end of a body is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Framing {
    Length(u64),
    Chunked,
    Close,
}

struct Head {
    answer: Answer,
    framing: Framing,
    length: usize,
}

fn parse_head(data: &[u8], url: &Url) -> Result<Option<Head>, String> {
    let mut headers = [httparse::EMPTY_HEADER; MAX_HEADERS];
    let mut response = httparse::Response::new(&mut headers);
    let length = match response.parse(data) {
        Ok(httparse::Status::Complete(length)) => length,
        Ok(httparse::Status::Partial) => return Ok(None),
        Err(error) => return Err(format!("not HTTP: {error}")),
    };
    let header = |name: &str| response.headers.iter().find(|h| h.name.eq_ignore_ascii_case(name)).map(|h| h.value);
    let values = |name: &'static str| {
        let of = response.headers.iter().filter(move |h| h.name.eq_ignore_ascii_case(name));
        of.filter_map(|h| std::str::from_utf8(h.value).ok())
    };
    let text = |name: &str| header(name).and_then(|value| std::str::from_utf8(value).ok());
    let lower = |name: &str| text(name).map(str::to_ascii_lowercase).unwrap_or_default();
    let framing = if lower("transfer-encoding").contains("chunked") {
        Framing::Chunked
    } else if let Some(length) = text("content-length").and_then(|l| l.trim().parse().ok()) {
        Framing::Length(length)
    } else {
        Framing::Close
    };
    let content_type = lower("content-type");
    let answer = Answer {
        status: response.code.unwrap_or(0),
        location: text("location").and_then(|location| url.resolve(location)),
        html: content_type.starts_with("text/html") || content_type.starts_with("application/xhtml"),
        told: Told {
            basic: values("www-authenticate").any(is_basic),
            tag: text("etag").map(str::to_owned),
            modified: text("last-modified").map(str::to_owned),
            encoded: !matches!(lower("content-encoding").trim(), "" | "identity"),
            too_long: false,
        },
        ..Answer::default()
    };
    Ok(Some(Head { answer, framing, length }))
}

/// Whether a challenge, or a row of them, has the scheme `Basic`.
fn is_basic(challenges: &str) -> bool {
    let scheme = |part: &str| part.split_whitespace().next().is_some_and(|word| word.eq_ignore_ascii_case("basic"));
    challenges.split(',').any(scheme)
}

/// Reads the beginning of a body, and says whether that is all of it; a connection that breaks inside a body is the
/// body's end.
async fn body<S: AsyncRead + Unpin>(
    stream: &mut S,
    mut data: Vec<u8>,
    framing: Framing,
    wanted: usize,
) -> Result<(Vec<u8>, bool), String> {
    if framing == Framing::Chunked {
        return chunked(stream, data, wanted).await;
    }
    let (limit, length) = match framing {
        Framing::Length(length) => {
            let length = usize::try_from(length).ok();
            (length.unwrap_or(wanted).min(wanted), length)
        }
        _ => (wanted, None),
    };
    let mut ended = false;
    while !ended && data.len() < limit {
        match fill(stream, &mut data, limit).await {
            Ok(more) => ended = !more,
            Err(_) => break,
        }
    }
    data.truncate(limit);
    let whole = length.map_or(ended, |length| data.len() == length);
    Ok((data, whole))
}

async fn chunked<S: AsyncRead + Unpin>(
    stream: &mut S,
    mut data: Vec<u8>,
    wanted: usize,
) -> Result<(Vec<u8>, bool), String> {
    // Chunk heads come on top; a server that sends one-byte chunks is not listened to for long.
    let (mut chunks, mut room) = (Chunks::default(), (wanted * 2).saturating_sub(data.len()));
    loop {
        let ended = chunks.take(&mut data, wanted)?;
        let before = data.len();
        if ended
            || chunks.plain.len() >= wanted
            || room == 0
            || !fill(stream, &mut data, before + room).await.unwrap_or(false)
        {
            return Ok((chunks.plain, ended));
        }
        room = room.saturating_sub(data.len() - before);
    }
}

async fn fill<S: AsyncRead + Unpin>(stream: &mut S, data: &mut Vec<u8>, limit: usize) -> Result<bool, String> {
    let room = limit.saturating_sub(data.len()).min(2048);
    data.reserve(room);
    let count = (&mut *stream).take(room as u64).read_buf(data).await.map_err(|error| error.kind().to_string())?;
    Ok(count > 0)
}

/// The content of chunks, as they come.
#[derive(Default)]
struct Chunks {
    plain: Vec<u8>,
    /// Octets of the present chunk that are to come.
    left: u64,
    /// Octets of the end of the present chunk that are to come.
    end: u64,
}

impl Chunks {
    /// Takes what is whole of the data, up to `wanted` octets of content; whether the last chunk was seen.
    fn take(&mut self, data: &mut Vec<u8>, wanted: usize) -> Result<bool, String> {
        let mut rest = data.as_slice();
        let ended = loop {
            if self.left > 0 || self.end > 0 {
                let content = self.left > 0;
                let due = if content { &mut self.left } else { &mut self.end };
                let (taken, after) = rest.split_at(rest.len().min(usize::try_from(*due).unwrap_or(usize::MAX)));
                *due -= taken.len() as u64;
                rest = after;
                if content {
                    let room = wanted.saturating_sub(self.plain.len());
                    self.plain.extend_from_slice(taken.get(..taken.len().min(room)).unwrap_or_default());
                }
                if taken.is_empty() || self.plain.len() >= wanted {
                    break false;
                }
                continue;
            }
            match httparse::parse_chunk_size(rest) {
                Ok(httparse::Status::Complete((start, size))) => {
                    rest = rest.get(start..).unwrap_or_default();
                    if size == 0 {
                        break true;
                    }
                    (self.left, self.end) = (size, 2);
                }
                Ok(httparse::Status::Partial) => break false,
                Err(_) => return Err("broken chunk".into()),
            }
        };
        let taken = data.len() - rest.len();
        data.drain(..taken);
        Ok(ended)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls() {
        let url = Url::parse("http://Probe.Example:8080/a/b?c=d#e").unwrap();
        assert_eq!(
            (url.scheme(), url.host(), url.port(), url.target.as_str()),
            ("http", "probe.example", 8080, "/a/b?c=d")
        );
        assert_eq!(Url::parse("https://h").unwrap().port(), 443);
        assert_eq!(Url::parse("https://h").unwrap().target, "/");
        let literal = Url::parse("http://[2001:db8::1]:81/").unwrap();
        assert_eq!((literal.host(), literal.authority().as_str()), ("2001:db8::1", "[2001:db8::1]:81"));
        assert!(literal.address().is_some());
        for wrong in [
            "",
            "h",
            "ftp://h/",
            "http://",
            "http:///x",
            "http://u@h/",
            "http://h:0/",
            "http://h:x/",
            "http://h h/",
            "http://h/\r\nX: y",
            "http://[::1/",
            "http://[::1]x/",
            "http://[zz]/",
            "http://ü/",
        ] {
            assert!(Url::parse(wrong).is_none(), "{wrong}");
        }
    }

    #[test]
    fn locations() {
        let url = Url::parse("http://h.example/a/b?c").unwrap();
        for (location, whole) in [
            ("https://portal.example/x", Some("https://portal.example/x")),
            ("//portal.example/x", Some("http://portal.example/x")),
            ("/login", Some("http://h.example/login")),
            ("login", Some("http://h.example/a/login")),
            ("?x=y", Some("http://h.example/a/b?x=y")),
            ("javascript:alert(1)", Some("javascript:alert(1)")),
            ("a b", None),
            ("", None),
        ] {
            assert_eq!(url.resolve(location).as_deref(), whole, "{location}");
        }
        assert_eq!(url.resolve(&"x".repeat(MAX_LOCATION + 1)), None);
    }

    async fn check(answer: &[u8]) -> Result<Answer, String> {
        let (mut near, mut far) = tokio::io::duplex(64 * 1024);
        let answer = answer.to_vec();
        let server = tokio::spawn(async move {
            let mut asked = Vec::new();
            while !asked.ends_with(b"\r\n\r\n") {
                let mut byte = [0];
                far.read_exact(&mut byte).await.unwrap();
                asked.extend_from_slice(&byte);
            }
            for piece in answer.chunks(700) {
                if far.write_all(piece).await.is_err() {
                    break;
                }
            }
            asked
        });
        let got = get(&mut near, &Url::parse("http://h.example/t").unwrap(), "*/*", PAGE).await;
        drop(near);
        let asked = String::from_utf8(server.await.unwrap()).unwrap();
        assert!(asked.starts_with("GET /t HTTP/1.1\r\nHost: h.example\r\n"), "{asked}");
        assert!(!asked.to_lowercase().contains("cookie"));
        got
    }

    #[tokio::test]
    async fn answers() {
        let got =
            check(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\nContent-Type: text/plain\r\n\r\nTestmore").await.unwrap();
        assert_eq!((got.status, got.body.as_slice(), got.html, got.whole), (200, &b"Test"[..], false, true));
        let got = check(b"HTTP/1.1 204 No Content\r\n\r\n").await.unwrap();
        assert_eq!((got.status, got.body.len()), (204, 0));
        let got = check(b"HTTP/1.0 302 Found\r\nlocation: /p\r\n\r\n<html>").await.unwrap();
        assert_eq!(got.location.as_deref(), Some("http://h.example/p"));
        let chunked = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2;x=y\r\nde\r\n0\r\n\r\n";
        let got = check(chunked).await.unwrap();
        assert_eq!((got.body.as_slice(), got.whole), (&b"abcde"[..], true));
        let got =
            check(b"HTTP/1.1 200 OK\r\nContent-Type: Text/HTML; charset=x\r\n\r\nall until the end").await.unwrap();
        assert!(got.html);
        assert_eq!((got.body.as_slice(), got.whole), (&b"all until the end"[..], true));
    }

    #[tokio::test]
    async fn what_is_cut_off_is_not_whole() {
        for answer in [
            &b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nshort"[..],
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n",
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nab",
        ] {
            let got = check(answer).await.unwrap();
            assert!(!got.whole && !got.body.is_empty(), "{got:?}");
        }
        // Chunks in pieces of every size, some of them in the middle of a head.
        let mut long = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n".to_vec();
        let mut content = Vec::new();
        for size in 1..=120_usize {
            let octet = u8::try_from(size).unwrap();
            long.extend_from_slice(format!("{size:x}\r\n").as_bytes());
            long.extend(std::iter::repeat_n(octet, size));
            long.extend_from_slice(b"\r\n");
            content.extend(std::iter::repeat_n(octet, size));
        }
        long.extend_from_slice(b"0\r\n\r\n");
        let got = check(&long).await.unwrap();
        assert!(got.whole && got.body == content);
    }

    #[tokio::test]
    async fn what_the_head_tells() {
        let head = b"HTTP/1.1 401 No\r\nWWW-Authenticate: Digest realm=\"a, Basic b\"\r\nwww-authenticate: NTLM, basic realm=\"x\"\r\n\
            ETag: \"v1\"\r\nLast-Modified: then\r\nContent-Encoding: gzip\r\nContent-Length: 0\r\n\r\n";
        let told = check(head).await.unwrap().told;
        let (tag, modified) = (Some("\"v1\"".to_owned()), Some("then".to_owned()));
        assert_eq!(told, Told { basic: true, tag, modified, encoded: true, too_long: false });
        assert_eq!(check(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").await.unwrap().told, Told::default());
        assert!(!is_basic("Digest realm=x, qop=auth") && is_basic("BASIC"));
    }

    #[tokio::test]
    async fn hostile_answers_are_bounded() {
        for (answer, why) in [
            (&b"SSH-2.0-x\r\n"[..], "not HTTP"),
            (b"", "closed"),
            (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", "chunk"),
        ] {
            let error = check(answer).await.unwrap_err();
            assert!(error.contains(why), "{error}");
        }
        let endless = [b"HTTP/1.1 200 OK\r\nX: ".to_vec(), vec![b'a'; MAX_HEAD * 2]].concat();
        assert!(check(&endless).await.unwrap_err().contains("too long"));
        let many = [b"HTTP/1.1 200 OK\r\n".to_vec(), b"A: b\r\n".repeat(MAX_HEADERS + 1), b"\r\n".to_vec()].concat();
        assert!(check(&many).await.is_err());
        let large = [b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n".to_vec(), vec![b'a'; PAGE * 2]].concat();
        assert_eq!(check(&large).await.unwrap().body.len(), PAGE);
        let huge_chunk = [
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\n".to_vec(),
            vec![b'a'; PAGE * 3],
        ]
        .concat();
        assert_eq!(check(&huge_chunk).await.unwrap().body.len(), PAGE);
    }
}

//! Servers that mean harm to whoever asks them whether the Internet is there. Each sends as much as it is let.

use core::time::Duration;
use std::io;
use std::rc::Rc;
use std::sync::Arc;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, UdpSocket};
use tokio_rustls::TlsAcceptor;

/// What a web server does to a client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Harm {
    /// Header lines without end.
    EndlessHead,
    /// One header line without end.
    EndlessLine,
    /// A page without end.
    EndlessBody,
    /// Ten megabytes of `Set-Cookie`.
    Cookies,
    /// An octet a second.
    Drip,
    /// Takes the request and says nothing.
    Silence,
    /// Chunks whose sizes are nonsense.
    Chunks,
    /// Chunks without end that hold an octet each.
    Crumbs,
    /// A redirect to itself.
    Loop,
    /// A redirect to a file of the machine.
    File,
    /// A redirect to a script.
    Script,
    /// A redirect to what is no UTF-8.
    Rubbish,
    /// A redirect whose URL is a megabyte long.
    LongLocation,
    /// Another protocol.
    Ssh,
}

impl Harm {
    /// All of them.
    pub const ALL: [Self; 14] = [
        Self::EndlessHead,
        Self::EndlessLine,
        Self::EndlessBody,
        Self::Cookies,
        Self::Drip,
        Self::Silence,
        Self::Chunks,
        Self::Crumbs,
        Self::Loop,
        Self::File,
        Self::Script,
        Self::Rubbish,
        Self::LongLocation,
        Self::Ssh,
    ];
}

/// What a captive portal API's answer is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// A gigabyte of JSON.
    Gigabyte,
    /// A thousand times a thousand open brackets.
    Deep,
    /// A redirect to another host.
    Elsewhere,
    /// Captive, with a page that is a file of the machine.
    File,
}

impl Answer {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Gigabyte, Self::Deep, Self::Elsewhere, Self::File];
}

/// What a name server does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lie {
    /// Names that point at themselves.
    PointerLoop,
    /// Answers to other questions, without end.
    WrongId,
    /// As large as a datagram may be.
    Huge,
    /// Cut answers, and over TCP octets without end.
    Cut,
    /// Octets that are no message.
    Noise,
}

impl Lie {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::PointerLoop, Self::WrongId, Self::Huge, Self::Cut, Self::Noise];
}

/// Serves plain HTTP to whoever comes, as long as the set of local tasks lives.
pub async fn web(listener: TcpListener, harm: Harm) {
    while let Ok((stream, _)) = listener.accept().await {
        // Whoever hangs up ends it.
        tokio::task::spawn_local(async move { drop(hurt(stream, harm).await) });
    }
}

/// Serves an API over TLS, as [`web`].
pub async fn api(listener: TcpListener, tls: Arc<rustls::ServerConfig>, answer: Answer) {
    let acceptor = Rc::new(TlsAcceptor::from(tls));
    while let Ok((stream, _)) = listener.accept().await {
        let acceptor = acceptor.clone();
        tokio::task::spawn_local(async move {
            let stream = acceptor.accept(stream).await?;
            reply(stream, answer).await
        });
    }
}

async fn request<S: AsyncRead + Unpin>(stream: &mut S) -> io::Result<()> {
    let mut seen = Vec::new();
    while !seen.ends_with(b"\r\n\r\n") {
        seen.push(stream.read_u8().await?);
    }
    Ok(())
}

/// The same octets again and again, until the other side has enough or there were so many.
async fn again<S: AsyncWrite + Unpin>(stream: &mut S, piece: &[u8], mut octets: u64) -> io::Result<()> {
    let block = piece.repeat(8192 / piece.len().max(1) + 1);
    while octets > 0 {
        stream.write_all(&block).await?;
        octets = octets.saturating_sub(block.len() as u64);
    }
    Ok(())
}

async fn hurt<S: AsyncRead + AsyncWrite + Unpin>(mut stream: S, harm: Harm) -> io::Result<()> {
    const MEGABYTE: u64 = 1 << 20;
    let endless = u64::MAX;
    request(&mut stream).await?;
    let to =
        |location: &[u8]| [b"HTTP/1.1 302 Found\r\nLocation: ", location, b"\r\nContent-Length: 0\r\n\r\n"].concat();
    let page = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n<html>";
    let chunked = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
    match harm {
        Harm::EndlessHead => {
            stream.write_all(b"HTTP/1.1 200 OK\r\n").await?;
            again(&mut stream, b"X: y\r\n", endless).await
        }
        Harm::EndlessLine => {
            stream.write_all(b"HTTP/1.1 200 OK\r\nX: ").await?;
            again(&mut stream, b"y", endless).await
        }
        Harm::EndlessBody => {
            stream.write_all(page).await?;
            again(&mut stream, b"<p>", endless).await
        }
        Harm::Cookies => {
            stream.write_all(b"HTTP/1.1 302 Found\r\nLocation: http://portal.mobile.example/\r\n").await?;
            again(&mut stream, b"Set-Cookie: a=b; Path=/\r\n", 10 * MEGABYTE).await?;
            stream.write_all(b"\r\n").await
        }
        Harm::Drip => {
            for octet in b"HTTP/1.1 204 No Content\r\nServer: none\r\n\r\n" {
                stream.write_all(&[*octet]).await?;
                stream.flush().await?;
                tokio::time::sleep(Duration::from_secs(1)).await;
            }
            Ok(())
        }
        Harm::Silence => {
            let mut rest = [0; 64];
            while stream.read(&mut rest).await? > 0 {}
            Ok(())
        }
        Harm::Chunks => stream.write_all(&[&chunked[..], b"-5\r\nhello\r\nzz\r\n"].concat()).await,
        Harm::Crumbs => {
            stream.write_all(chunked).await?;
            again(&mut stream, b"1\r\na\r\n", endless).await
        }
        Harm::Loop => stream.write_all(&to(b"/check")).await,
        Harm::File => stream.write_all(&to(b"file:///etc/shadow")).await,
        Harm::Script => stream.write_all(&to(b"javascript:alert(1)")).await,
        Harm::Rubbish => stream.write_all(&to(b"http://\xff\xfe\xc3\x28/")).await,
        Harm::LongLocation => stream.write_all(&to(&[&b"http://"[..], &b"a".repeat(1 << 20)].concat())).await,
        Harm::Ssh => stream.write_all(b"SSH-2.0-OpenSSH_9.2\r\n").await,
    }
}

async fn reply<S: AsyncRead + AsyncWrite + Unpin>(mut stream: S, answer: Answer) -> io::Result<()> {
    request(&mut stream).await?;
    let head = b"HTTP/1.1 200 OK\r\nContent-Type: application/captive+json\r\nConnection: close\r\n\r\n";
    match answer {
        Answer::Gigabyte => {
            stream.write_all(&[&head[..], b"{\"captive\": false, \"x\": \""].concat()).await?;
            again(&mut stream, b"x", 1 << 30).await?;
            stream.write_all(b"\"}").await
        }
        Answer::Deep => {
            stream.write_all(&[&head[..], b"{\"captive\": false, \"x\": "].concat()).await?;
            again(&mut stream, b"[", 20_000).await?;
            stream.shutdown().await
        }
        Answer::Elsewhere => {
            stream
                .write_all(b"HTTP/1.1 302 Found\r\nLocation: https://other.example/\r\nContent-Length: 0\r\n\r\n")
                .await
        }
        Answer::File => {
            let json = b"{\"captive\": true, \"user-portal-url\": \"file:///etc/shadow\"}";
            stream.write_all(&[&head[..], json].concat()).await?;
            stream.shutdown().await
        }
    }
}

/// Answers questions over UDP and TCP at one address, as [`web`].
///
/// # Errors
/// The socket's.
pub async fn names(socket: UdpSocket, listener: TcpListener, lie: Lie) -> io::Result<()> {
    tokio::task::spawn_local(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::task::spawn_local(async move {
                stream.write_all(&[0xff, 0xff]).await?;
                again(&mut stream, b"\xc0\x0c", u64::MAX).await
            });
        }
    });
    let mut buffer = [0; 1024];
    loop {
        let (length, from) = socket.recv_from(&mut buffer).await?;
        let question = buffer.get(..length).unwrap_or_default().to_vec();
        for reply in lies(&question, lie) {
            // The other side may be gone.
            let _ = socket.send_to(&reply, from).await;
        }
    }
}

/// The datagrams that answer a question.
fn lies(question: &[u8], lie: Lie) -> Vec<Vec<u8>> {
    let answer = |flags: [u8; 2], change: &dyn Fn(&mut Vec<u8>)| {
        let mut reply = question.to_vec();
        // The head: flags, then one question and one answer.
        for (at, octet) in [(2, flags[0]), (3, flags[1]), (6, 0), (7, 1)] {
            if let Some(place) = reply.get_mut(at) {
                *place = octet;
            }
        }
        change(&mut reply);
        reply
    };
    let good = [0x81, 0x80];
    match lie {
        Lie::PointerLoop => vec![answer(good, &|reply| {
            let here = u16::try_from(reply.len()).unwrap_or(12) | 0xc000;
            reply.extend(here.to_be_bytes());
            reply.extend([0, 1, 0, 1, 0, 0, 0, 5, 0, 4, 192, 0, 2, 80]);
        })],
        Lie::WrongId => (0..100)
            .map(|number: u8| {
                answer(good, &|reply| {
                    if let Some(first) = reply.first_mut() {
                        *first ^= number | 1;
                    }
                    reply.extend([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 5, 0, 4, 203, 0, 113, 80]);
                })
            })
            .collect(),
        Lie::Huge => vec![answer(good, &|reply| {
            while reply.len() < 60_000 {
                reply.extend([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 5, 0, 4, 203, 0, 113, 80]);
            }
        })],
        Lie::Cut => vec![answer([0x83, 0x80], &|_| {})],
        Lie::Noise => vec![vec![0xff; 300]; 50],
    }
}

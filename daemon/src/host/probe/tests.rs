//! Probes against servers of the test's own, over the loopback interface and nothing else.

use super::*;
use hickory_proto::op::{Message, MessageType};
use hickory_proto::rr::rdata::A;
use hickory_proto::rr::{RData, Record, RecordType};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio::io::AsyncRead;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

/// What the servers do.
#[derive(Clone, Copy, PartialEq)]
enum Site {
    Good,
    Portal,
    Altered,
    Intercepted,
    NoName,
}

struct Servers {
    targets: Targets,
    dns: SocketAddr,
    _folder: tempfile::TempDir,
}

impl Servers {
    fn wanted(&self, ipv4: bool, ipv6: bool) -> Wanted {
        Wanted { servers: vec![self.dns], ipv4, ipv6, ..Wanted::default() }
    }
}

fn authority(name: &str) -> CertifiedIssuer<'static, KeyPair> {
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.distinguished_name.push(rcgen::DnType::CommonName, name);
    CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
}

async fn servers(site: Site) -> Servers {
    let folder = tempfile::tempdir().unwrap();
    let known = authority("known");
    let file = folder.path().join("ca.pem");
    std::fs::write(&file, known.pem()).unwrap();
    let stranger = authority("stranger");
    let issuer = if site == Site::Intercepted { &stranger } else { &known };
    let key = KeyPair::generate().unwrap();
    let leaf = CertificateParams::new(vec!["secure.example".to_owned()]).unwrap().signed_by(&key, issuer).unwrap();
    let tls = rustls::ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![leaf.der().clone()], PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der())))
        .unwrap();
    let acceptor = tokio_rustls::TlsAcceptor::from(Arc::new(tls));

    let plain = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let plain_port = plain.local_addr().unwrap().port();
    tokio::spawn(async move {
        loop {
            let (mut stream, _) = plain.accept().await.unwrap();
            let asked = read_request(&mut stream).await;
            assert!(asked.starts_with("GET /connecttest.txt HTTP/1.1\r\n"), "{asked}");
            let answer: &[u8] = match site {
                Site::Portal => b"HTTP/1.1 302 Found\r\nLocation: https://portal.example/?mac=1\r\n\r\n",
                Site::Altered => b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n<html>Buy!</html>",
                _ => b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nTest\r\n",
            };
            stream.write_all(answer).await.unwrap();
        }
    });
    let secure = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let secure_port = secure.local_addr().unwrap().port();
    tokio::spawn(async move {
        loop {
            let (stream, _) = secure.accept().await.unwrap();
            // A client that does not like the certificate hangs up.
            if let Ok(mut stream) = acceptor.accept(stream).await {
                read_request(&mut stream).await;
                stream.write_all(b"HTTP/1.1 204 No Content\r\n\r\n").await.unwrap();
                stream.shutdown().await.unwrap();
            }
        }
    });
    let names = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let dns = names.local_addr().unwrap();
    tokio::spawn(async move {
        let mut buffer = [0; 512];
        loop {
            let (count, from) = names.recv_from(&mut buffer).await.unwrap();
            let mut message = Message::from_vec(&buffer[..count]).unwrap();
            message.metadata.message_type = MessageType::Response;
            let question = message.queries[0].clone();
            if site == Site::NoName {
                message.metadata.response_code = hickory_proto::op::ResponseCode::NXDomain;
            } else if question.query_type() == RecordType::A {
                let address = RData::A(A("127.0.0.1".parse().unwrap()));
                message.add_answer(Record::from_rdata(question.name().clone(), 1, address));
            }
            names.send_to(&message.to_vec().unwrap(), from).await.unwrap();
        }
    });
    let targets = Targets {
        http: Url::parse(&format!("http://plain.example:{plain_port}/connecttest.txt")).unwrap(),
        https: Url::parse(&format!("https://secure.example:{secure_port}/")),
        body: "Test".into(),
        ca: vec![file],
        state: None,
    };
    Servers { targets, dns, _folder: folder }
}

async fn read_request<S: AsyncRead + Unpin>(stream: &mut S) -> String {
    let mut asked = Vec::new();
    while !asked.ends_with(b"\r\n\r\n") {
        asked.push(stream.read_u8().await.unwrap());
    }
    String::from_utf8(asked).unwrap()
}

fn loopback() -> Bearer {
    Bearer { interface: Some("lo".into()), ipv4: Some(Ipv4Addr::LOCALHOST), ipv6: None }
}

async fn check(site: Site) -> FamilyReport {
    let servers = servers(site).await;
    let report = run(&servers.targets, &loopback(), &servers.wanted(true, false)).await;
    assert_eq!((report.skipped, report.ipv6.is_some()), (None, false));
    assert!((50..20_000).contains(&report.bytes), "{}", report.bytes);
    report.ipv4.unwrap()
}

#[tokio::test]
async fn a_free_internet() {
    let seen = check(Site::Good).await;
    assert_eq!(seen.http, HttpSeen::Answer { status: 200, location: None, body: BodySeen::Expected });
    assert_eq!(seen.https, HttpsSeen::Ok);
}

#[tokio::test]
async fn a_portal_that_redirects() {
    let HttpSeen::Answer { status, location, .. } = check(Site::Portal).await.http else { panic!() };
    assert_eq!((status, location.as_deref()), (302, Some("https://portal.example/?mac=1")));
}

#[tokio::test]
async fn a_portal_that_answers_itself() {
    let seen = check(Site::Altered).await.http;
    assert_eq!(seen, HttpSeen::Answer { status: 200, location: None, body: BodySeen::Html });
}

#[tokio::test]
async fn a_strangers_certificate() {
    let seen = check(Site::Intercepted).await;
    assert!(matches!(&seen.https, HttpsSeen::Intercepted(why) if why.contains("unknown issuer")), "{:?}", seen.https);
}

#[tokio::test]
async fn names_that_are_not_known() {
    let seen = check(Site::NoName).await;
    assert_eq!((seen.http, seen.https), (HttpSeen::NoAddress, HttpsSeen::DnsFailed));
}

#[tokio::test]
async fn no_other_link_is_tested() {
    let servers = servers(Site::Good).await;
    let elsewhere = Bearer { interface: Some("no-such-link".into()), ..loopback() };
    let report = run(&servers.targets, &elsewhere, &servers.wanted(true, false)).await;
    assert_eq!(report.skipped, Some("bind"));
    let nowhere = Bearer { ipv4: Some("192.0.2.77".parse().unwrap()), ..loopback() };
    assert_eq!(run(&servers.targets, &nowhere, &servers.wanted(true, false)).await.skipped, Some("bind"));
    let report = run(&servers.targets, &loopback(), &servers.wanted(false, false)).await;
    assert_eq!(report.skipped, Some("no-route"));
}

#[test]
fn bodies() {
    let answer = |body: &[u8], html| http::Answer {
        status: 200,
        location: None,
        html,
        body: body.to_vec(),
        ..http::Answer::default()
    };
    for (body, html, expected, want) in [
        (&b""[..], false, "Test", BodySeen::Empty),
        (b"\n", false, "", BodySeen::Empty),
        (b"Test\r\n", false, "Test", BodySeen::Expected),
        (b"Test ", false, "Test", BodySeen::Other),
        (b"  <html>", false, "Test", BodySeen::Html),
        (b"hello", true, "Test", BodySeen::Html),
        (b"hello", false, "", BodySeen::Other),
    ] {
        assert_eq!(seen(&answer(body, html), expected), want, "{body:?}");
    }
}

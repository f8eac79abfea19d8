//! Documents from servers of the test's own, over the loopback interface and nothing else.

use std::net::Ipv4Addr;
use std::sync::Mutex;

use daemon_provisioning::{Personal, Secret};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use super::*;

type Handler = dyn Fn(&str) -> Vec<u8> + Send + Sync;

/// A server with what it was asked.
pub(crate) struct Server {
    port: u16,
    asked: Arc<Mutex<Vec<String>>>,
}

pub(crate) struct World {
    pub(crate) authority: CertifiedIssuer<'static, KeyPair>,
    folder: tempfile::TempDir,
}

fn authority(name: &str) -> CertifiedIssuer<'static, KeyPair> {
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.distinguished_name.push(rcgen::DnType::CommonName, name);
    CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
}

impl World {
    pub(crate) fn new() -> Self {
        let (authority, folder) = (authority("known"), tempfile::tempdir().unwrap());
        std::fs::write(folder.path().join("ca.pem"), authority.pem()).unwrap();
        Self { authority, folder }
    }

    fn place(&self) -> Place {
        let bearer = Bearer { interface: Some("lo".into()), ipv4: Some(Ipv4Addr::LOCALHOST), ipv6: None };
        let state = self.folder.path().into();
        Place { bearer, servers: Vec::new(), ca: vec![self.folder.path().join("ca.pem")], state }
    }

    pub(crate) async fn serve(&self, answer: impl Fn(&str) -> Vec<u8> + Send + Sync + 'static) -> Server {
        serve(&self.authority, "127.0.0.1", Box::new(answer)).await
    }
}

async fn serve(authority: &CertifiedIssuer<'static, KeyPair>, name: &str, answer: Box<Handler>) -> Server {
    let key = KeyPair::generate().unwrap();
    let leaf = CertificateParams::new(vec![name.to_owned()]).unwrap().signed_by(&key, authority).unwrap();
    let tls = rustls::ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![leaf.der().clone()], PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der())))
        .unwrap();
    let acceptor = tokio_rustls::TlsAcceptor::from(Arc::new(tls));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let asked = Arc::new(Mutex::new(Vec::new()));
    let heard = Arc::clone(&asked);
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            // A client that does not like the certificate hangs up.
            let Ok(mut stream) = acceptor.accept(stream).await else { continue };
            let mut request = Vec::new();
            while !request.ends_with(b"\r\n\r\n") {
                request.push(stream.read_u8().await.unwrap());
            }
            let request = String::from_utf8(request).unwrap();
            heard.lock().unwrap().push(request.clone());
            // A client that has heard enough hangs up as well.
            let _ = stream.write_all(&answer(&request)).await;
            let _ = stream.shutdown().await;
        }
    });
    Server { port, asked }
}

impl Server {
    pub(crate) fn url(&self, path: &str) -> String {
        format!("https://127.0.0.1:{}{path}", self.port)
    }

    pub(crate) fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}

fn refresh(url: &str) -> Refresh {
    let secret = |text: &str| Some(Secret::new(text.to_owned()));
    let url = Personal::new(url.to_owned());
    Refresh { delay_in_days: None, url, username: secret("Aladdin"), password: secret("open sesame") }
}

async fn fetch(world: &World, url: &str) -> Result<Got, String> {
    newest(&world.place(), &refresh(url), &Validators::default()).await
}

pub(crate) fn page(body: &str) -> Vec<u8> {
    format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\nETag: \"1\"\r\n\r\n{body}", body.len()).into_bytes()
}

fn redirect(to: &str) -> Vec<u8> {
    format!("HTTP/1.1 302 Found\r\nContent-Length: 0\r\nLocation: {to}\r\n\r\n").into_bytes()
}

const CHALLENGE: &[u8] =
    b"HTTP/1.1 401 Who\r\nContent-Length: 0\r\nWWW-Authenticate: Digest realm=\"x\"\r\nWWW-Authenticate: Basic realm=\"x\"\r\n\r\n";

/// What RFC 7617 makes of the user.
const ALADDIN: &str = "\r\nAuthorization: Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==\r\n";

/// PROV-166: only who asks is told, and only once.
#[tokio::test]
async fn the_password_is_for_who_asks() {
    let world = World::new();
    let open = world.serve(|_| page("<a/>")).await;
    let got = fetch(&world, &open.url("/d.xml")).await.unwrap();
    assert!(matches!(got, Got::Document { octets, validators } if octets == b"<a/>" && validators.tag.is_some()));
    assert!(!open.asked()[0].contains("Authorization"));

    let known = |asked: &str| asked.contains(ALADDIN);
    let closed = world.serve(move |asked| if known(asked) { page("<b/>") } else { CHALLENGE.to_vec() }).await;
    assert!(matches!(fetch(&world, &closed.url("/")).await, Ok(Got::Document { octets, .. }) if octets == b"<b/>"));
    let asked = closed.asked();
    assert_eq!(asked.iter().map(|asked| known(asked)).collect::<Vec<_>>(), [false, true]);

    let never = world.serve(|_| CHALLENGE.to_vec()).await;
    let error = fetch(&world, &never.url("/")).await.unwrap_err();
    assert!(error.contains("does not take") && !error.contains("Aladdin"), "{error}");
    assert_eq!(never.asked().len(), 2);
    let nobody = Refresh { username: None, ..refresh(&never.url("/")) };
    let error = newest(&world.place(), &nobody, &Validators::default()).await.unwrap_err();
    assert_eq!(error, "status 401");
}

/// PROV-166: another host may be sent to, and is not told.
#[tokio::test]
async fn another_host_is_not_told_the_password() {
    let world = World::new();
    let thief = world.serve(|_| CHALLENGE.to_vec()).await;
    let to = thief.url("/");
    let first =
        world.serve(move |asked| if asked.contains(ALADDIN) { redirect(&to) } else { CHALLENGE.to_vec() }).await;
    assert_eq!(fetch(&world, &first.url("/")).await.unwrap_err(), "status 401");
    assert_eq!(thief.asked().len(), 1);
    assert!(!thief.asked()[0].contains("Authorization"));
    let kind = world.serve(|_| page("<c/>")).await;
    let to = kind.url("/elsewhere");
    let first = world.serve(move |_| redirect(&to)).await;
    assert!(matches!(fetch(&world, &first.url("/")).await, Ok(Got::Document { .. })));
}

#[tokio::test]
async fn redirects_are_few_and_secure() {
    let world = World::new();
    for to in ["http://127.0.0.1/", "file:///etc/passwd", "javascript:x", "", "https://a b/"] {
        let server = world.serve(move |_| redirect(to)).await;
        let error = fetch(&world, &server.url("/")).await.unwrap_err();
        assert!(error.contains("not HTTPS"), "{to}: {error}");
    }
    let ring = world.serve(|_| redirect("/again")).await;
    assert!(fetch(&world, &ring.url("/")).await.unwrap_err().contains("more than 5 redirects"));
    assert_eq!(ring.asked().len(), MAX_REDIRECTS + 1);
    assert!(fetch(&world, "http://127.0.0.1/").await.unwrap_err().contains("names no HTTPS"));
}

#[tokio::test]
async fn what_is_known_is_not_sent_again() {
    let world = World::new();
    let server = world.serve(|_| b"HTTP/1.1 304 Same\r\nETag: \"1\"\r\n\r\n".to_vec()).await;
    let known = Validators::new(Some("\"1\"".into()), Some("then".into()));
    assert_eq!(newest(&world.place(), &refresh(&server.url("/")), &known).await, Ok(Got::Unchanged));
    let dated = Validators::new(None, Some("then".into()));
    assert_eq!(newest(&world.place(), &refresh(&server.url("/")), &dated).await, Ok(Got::Unchanged));
    assert_eq!(fetch(&world, &server.url("/")).await, Err("status 304".into()), "nobody asked that");
    let asked = server.asked();
    assert!(asked[0].contains("\r\nIf-None-Match: \"1\"\r\n") && !asked[0].contains("If-Modified"));
    assert!(asked[1].contains("\r\nIf-Modified-Since: then\r\n") && !asked[2].contains("\r\nIf-"));
}

#[tokio::test]
async fn all_of_it_or_nothing() {
    let world = World::new();
    let endless = || {
        let mut answer = b"HTTP/1.1 200 OK\r\n\r\n".to_vec();
        answer.resize(MAX_DOCUMENT + 100_000, b'x');
        answer
    };
    let answers: [(&str, Box<Handler>); 8] = [
        ("status 500", Box::new(|_| b"HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n".to_vec())),
        ("cut off", Box::new(|_| b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n<a>".to_vec())),
        ("cut off", Box::new(|_| b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\n<a>\r\n".to_vec())),
        ("larger", Box::new(move |_| endless())),
        ("larger", Box::new(|_| b"HTTP/1.1 200 OK\r\nContent-Length: 4194305\r\n\r\n<a>".to_vec())),
        ("empty", Box::new(|_| page(""))),
        (
            "compressed",
            Box::new(|_| b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 1\r\n\r\nx".to_vec()),
        ),
        ("not HTTP", Box::new(|_| b"SSH-2.0-x\r\n\r\n".to_vec())),
    ];
    for (expected, answer) in answers {
        let server = serve(&world.authority, "127.0.0.1", answer).await;
        let error = fetch(&world, &server.url("/")).await.unwrap_err();
        assert!(error.contains(expected), "{expected}: {error}");
    }
    // The largest that there may be.
    let largest = world.serve(|_| page(&"x".repeat(MAX_DOCUMENT))).await;
    assert!(
        matches!(fetch(&world, &largest.url("/")).await, Ok(Got::Document { octets, .. }) if octets.len() == MAX_DOCUMENT)
    );
}

#[tokio::test]
async fn certificates_count() {
    let world = World::new();
    let stranger = serve(&authority("stranger"), "127.0.0.1", Box::new(|_| page("<a/>"))).await;
    assert_eq!(fetch(&world, &stranger.url("/")).await, Err("the certificate is unknown issuer".into()));
    let other = serve(&world.authority, "127.0.0.2", Box::new(|_| page("<a/>"))).await;
    assert_eq!(fetch(&world, &other.url("/")).await, Err("the certificate is for another name".into()));
    assert!(stranger.asked().is_empty() && other.asked().is_empty());
    // Nobody there.
    assert!(fetch(&world, "https://127.0.0.1:1/").await.is_err());
    let no_link = Place { bearer: Bearer { interface: None, ipv4: None, ipv6: None }, ..world.place() };
    let names = newest(&no_link, &refresh("https://h.example/"), &Validators::default()).await;
    assert!(names.is_err());
}

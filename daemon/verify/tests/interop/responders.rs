//! What responders say, as `openssl ocsp` says it. [PROV 12.3, RFC 6960]

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::process::{Command, Stdio};

use base64::Engine as _;
use daemon_provisioning::Chain;
use daemon_verify::{Answer, Narrow, Offer, Question, Request, Verified, Verifier as _};

use crate::tools::{Register, Template, authority, clock, document, run, unique};

fn ask(leaf: &str, fetched: &[Vec<u8>], clock: u64) -> Verified {
    let signed = authority().xmlsec_signs(&document(&Template::default().text()), leaf, &[]);
    let roots = [authority().root()];
    let request =
        Request { document: signed.as_bytes(), clock, sha1: false, roots: &roots, revocation_lists: &[], fetched };
    let question = Question::encode(&request);
    let answer = Answer::encode(&Narrow.verify(&Question::decode(&question).unwrap().request()));
    Answer::decode(&answer).unwrap().unwrap()
}

/// The address that is to be asked about a leaf, behind the responder's own.
fn question(leaf: &str) -> String {
    let offers = ask(leaf, &[], clock()).revocation.offers;
    let list = Some("http://crl.invalid/a.crl".to_owned());
    let [Offer { responder: Some(address), list: also }] = &*offers else { panic!("{offers:?}") };
    assert_eq!(*also, list);
    address.strip_prefix("http://ocsp.invalid/asked/").unwrap().to_owned()
}

fn named(leaf: &str) {
    let at = "authorityInfoAccess=caIssuers;URI:http://ca.invalid/,OCSP;URI:ldap://ocsp.invalid/,\
              OCSP;URI:http://ocsp.invalid/asked/";
    authority().leaf(leaf, &["rsa:2048"], &[at, "crlDistributionPoints=URI:http://crl.invalid/a.crl"]);
}

/// `openssl ocsp` with what speaks and what is known.
fn responder(register: &Register, speaker: &str, issuer: &str) -> Command {
    let mut command = Command::new("openssl");
    command.arg("ocsp").arg("-index").arg(register.index());
    command.arg("-CA").arg(authority().path(&format!("{issuer}.pem")));
    command.arg("-rsigner").arg(authority().path(&format!("{speaker}.pem")));
    command.arg("-rkey").arg(authority().path(&format!("{speaker}.key")));
    command
}

/// What it answers about a leaf.
fn answer(register: &Register, leaf: &str, speaker: &str, issuer: &str, more: &[&str]) -> Vec<u8> {
    let (asked, told) = (unique(authority(), "asked"), unique(authority(), "told"));
    let text = question(leaf).replace("%2B", "+").replace("%2F", "/").replace("%3D", "=");
    std::fs::write(&asked, base64::engine::general_purpose::STANDARD.decode(text).unwrap()).unwrap();
    let mut command = responder(register, speaker, issuer);
    command.arg("-reqin").arg(asked).arg("-respout").arg(&told).args(more);
    run(&mut command).unwrap_or_else(|error| panic!("openssl ocsp: {error}"));
    std::fs::read(told).unwrap()
}

fn is_revoked(verified: &Verified) -> bool {
    matches!(&verified.signer.chain, Chain::Untrusted { reason } if reason.contains("revoked"))
}

/// PROV-177: yes and no of whoever may say it; anything else is as if nobody had answered.
#[test]
fn answers() {
    let authority = authority();
    for leaf in ["asked-good", "asked-bad", "asked-other"] {
        named(leaf);
    }
    let register = Register::new("responders", "inter");
    register.enter("-valid", "asked-good");
    register.enter("-revoke", "asked-bad");
    let speaks = ["basicConstraints=critical,CA:FALSE", "extendedKeyUsage=OCSPSigning"];
    let ec = ["ec", "-pkeyopt", "ec_paramgen_curve:P-256"];
    authority.certificate("speaker", &ec, Some("inter"), &speaks);
    authority.certificate("of-root", &ec, Some("root"), &speaks);
    authority.certificate("for-web", &ec, Some("inter"), &[speaks[0], "extendedKeyUsage=serverAuth"]);
    authority.certificate("for-all", &ec, Some("inter"), &speaks[..1]);
    let hour = ["-nmin", "60"];
    let by = |leaf: &str, speaker: &str, more: &[&str]| answer(&register, leaf, speaker, "inter", more);
    let good = by("asked-good", "speaker", &hour);
    let mut changed = good.clone();
    // `good` and the time of it: another minute.
    let at = good.windows(4).position(|octets| octets == [0x80, 0, 0x18, 15]).unwrap();
    changed[at + 4 + 11] ^= 1;
    let long = [good.clone(), vec![0; 40_000]].concat();
    let now = clock();
    let cases = [
        ("good", "asked-good", good.clone(), now, false, true),
        ("revoked", "asked-bad", by("asked-bad", "speaker", &hour), now, true, true),
        ("by the issuer", "asked-bad", by("asked-bad", "inter", &hour), now, true, true),
        ("by the issuer, good", "asked-good", by("asked-good", "inter", &hour), now, false, true),
        (
            "named by its key",
            "asked-bad",
            by("asked-bad", "speaker", &["-nmin", "60", "-resp_key_id"]),
            now,
            true,
            true,
        ),
        ("SHA-384", "asked-bad", by("asked-bad", "speaker", &["-nmin", "60", "-rmd", "sha384"]), now, true, true),
        ("without next update", "asked-good", by("asked-good", "speaker", &[]), now, false, true),
        ("unknown", "asked-other", by("asked-other", "speaker", &hour), now, false, false),
        ("about another", "asked-other", by("asked-bad", "speaker", &hour), now, false, false),
        ("over", "asked-bad", by("asked-bad", "speaker", &hour), now + 7200, false, false),
        ("SHA-1", "asked-bad", by("asked-bad", "inter", &["-nmin", "60", "-rmd", "sha1"]), now, false, false),
        ("not for this", "asked-bad", by("asked-bad", "for-web", &hour), now, false, false),
        ("not said for what", "asked-bad", by("asked-bad", "for-all", &hour), now, false, false),
        ("of another issuer", "asked-bad", by("asked-bad", "of-root", &hour), now, false, false),
        ("an own leaf", "asked-bad", by("asked-bad", "asked-good", &hour), now, false, false),
        ("nobody's", "asked-bad", by("asked-bad", "speaker", &["-nmin", "60", "-resp_no_certs"]), now, false, false),
        ("changed", "asked-good", changed, now, false, false),
        ("longer", "asked-good", long, now, false, false),
        ("cut", "asked-good", good[..good.len() - 1].to_vec(), now, false, false),
        ("it is too busy", "asked-good", vec![0x30, 3, 10, 1, 3], now, false, false),
        ("well, and nothing", "asked-good", vec![0x30, 3, 10, 1, 0], now, false, false),
    ];
    for (what, leaf, told, clock, revoked, counts) in cases {
        let verified = ask(leaf, &[told], clock);
        let [until] = verified.revocation.fetched[..] else { panic!("{what}") };
        assert_eq!((is_revoked(&verified), until.is_some()), (revoked, counts), "{what}: {verified:?}");
        assert_eq!(verified.revocation.is_known, counts && !revoked, "{what}");
        assert!(until.is_none_or(|until| until > now && until <= now + 3660), "{what}: {until:?}");
    }
    // One that is not what it says spoils no other.
    let told = [by("asked-bad", "for-web", &hour), by("asked-bad", "speaker", &hour), Vec::new()];
    let verified = ask("asked-bad", &told, now);
    let counts: Vec<bool> = verified.revocation.fetched.iter().map(Option::is_some).collect();
    assert_eq!((is_revoked(&verified), counts), (true, vec![false, true, false]));
}

/// The authority between may be revoked, too: its own issuer's responder says so.
#[test]
fn about_an_authority() {
    let authority = authority();
    named("under");
    let register = Register::new("above", "root");
    register.enter("-revoke", "inter");
    // No address leads to it: the question is made by hand.
    let (asked, told) = (unique(authority, "asked"), unique(authority, "told"));
    let mut command = Command::new("openssl");
    command.args(["ocsp", "-no_nonce", "-issuer"]).arg(authority.path("root.pem"));
    command.arg("-cert").arg(authority.path("inter.pem")).arg("-reqout").arg(&asked);
    run(&mut command).unwrap();
    let mut command = responder(&register, "root", "root");
    command.args(["-nmin", "60", "-reqin"]).arg(asked).arg("-respout").arg(&told);
    run(&mut command).unwrap();
    assert!(is_revoked(&ask("under", &[std::fs::read(told).unwrap()], clock())));
}

/// The address is one that the responder as a server understands.
#[test]
fn a_responder_as_a_server() {
    named("served");
    let register = Register::new("server", "inter");
    register.enter("-revoke", "served");
    let question = question("served");
    let mut command = responder(&register, "inter", "inter");
    command.args(["-nmin", "60", "-port", "0", "-nrequest", "1", "-timeout", "120"]);
    let mut server = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let mut said = BufReader::new(server.stdout.take().unwrap());
    let port = loop {
        let mut line = String::new();
        assert!(said.read_line(&mut line).unwrap() > 0, "it ended");
        if let Some(place) = line.strip_prefix("ACCEPT ") {
            break place.split_whitespace().next().unwrap().rsplit(':').next().unwrap().parse::<u16>().unwrap();
        }
    };
    let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    write!(stream, "GET /{question} HTTP/1.0\r\nHost: 127.0.0.1\r\n\r\n").unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    server.wait().unwrap();
    let end = answer.windows(4).position(|octets| octets == b"\r\n\r\n").unwrap() + 4;
    assert!(answer.starts_with(b"HTTP/1.0 200"), "{}", String::from_utf8_lossy(&answer));
    assert!(is_revoked(&ask("served", &[answer.split_off(end)], clock())));
}

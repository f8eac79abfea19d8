//! For `tests/bench/signed`: makes a signed document of 20 KB, and reads, validates, verifies and reads again a signed document
//! some times over, as the daemon and `mbimd-verify` do it between them.
//!
//! `signed make KEY CERTIFICATE` writes the document to standard output; `signed verify FILE ROOT TIMES` says nothing.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a tool of a benchmark stops where something is missing")]

use std::io::Write as _;

use daemon_provisioning::{Chain, validate};
use daemon_verify::{
    DigestAlgorithm, EXTENDED_VALIDATION, Key, Method, Narrow, Request, Root, Signing, Verifier as _, certificates_in,
    sign,
};

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments.as_slice() {
        ["make", key, certificate] => make(key, certificate),
        ["verify", file, root, times] => verify(file, root, times.parse().unwrap()),
        _ => panic!("signed make KEY CERTIFICATE | signed verify FILE ROOT TIMES"),
    }
}

fn text(file: &str) -> String {
    std::fs::read_to_string(file).unwrap()
}

fn make(key: &str, certificate: &str) {
    let key = Key::from_pem(&text(key)).unwrap();
    let signing = Signing {
        key: &key,
        certificates: &certificates_in(&text(certificate)),
        method: Method::Exclusive,
        signature: key.algorithm(),
        digest: DigestAlgorithm::Sha256,
    };
    let profile = |n: usize| {
        format!(
            "    <WLANProfile xmlns=\"http://www.microsoft.com/networking/CarrierControl/WLAN/v1\">\n      \
             <name>Network {n}</name>\n      <SSIDConfig><SSID><name>ssid-{n}</name></SSID></SSIDConfig>\n      \
             <MSM><security><authEncryption><authentication>WPA2PSK</authentication><encryption>AES</encryption>\
             </authEncryption><sharedKey><keyType>passPhrase</keyType><protected>false</protected>\
             <keyMaterial>not a secret {n}</keyMaterial></sharedKey></security></MSM>\n    </WLANProfile>\n"
        )
    };
    let document = format!(
        "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n\
         <CarrierProvisioning xmlns=\"http://www.microsoft.com/networking/CarrierControl/v1\">\n  <Global>\n    \
         <CarrierId>{{7d3c1f52-0b5e-4c7a-9a41-5e2f6b8c9d10}}</CarrierId>\n    <SubscriberId>001010123456789</SubscriberId>\n  \
         </Global>\n  <WLANProfiles>\n{}  </WLANProfiles>\n</CarrierProvisioning>\n",
        (0..44).map(profile).collect::<String>()
    );
    std::io::stdout().write_all(&sign(document.as_bytes(), &signing).unwrap()).unwrap();
}

fn verify(file: &str, root: &str, times: usize) {
    let (document, clock) = (std::fs::read(file).unwrap(), std::time::SystemTime::now());
    let clock = clock.duration_since(std::time::SystemTime::UNIX_EPOCH).unwrap().as_secs();
    let roots = [Root {
        der: certificates_in(&text(root)).remove(0),
        extended_validation: vec![EXTENDED_VALIDATION.to_owned()],
    }];
    for _ in 0..times {
        let validated = validate(&document).unwrap();
        let request =
            Request { document: &document, clock, sha1: false, roots: &roots, revocation_lists: &[], fetched: &[] };
        let verified = Narrow.verify(&request).unwrap();
        assert!(matches!(verified.signer.chain, Chain::Trusted { .. }), "{:?}", verified.signer.chain);
        let read = validated.verified(&verified.octets, verified.signer).unwrap();
        assert!(read.is_signed());
    }
}

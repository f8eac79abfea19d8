//! Whatever comes in, an answer comes out, soon.
#![allow(clippy::unwrap_used, clippy::panic, reason = "in a test a panic is the report")]

use std::path::PathBuf;

use daemon_provisioning::{fuzz, validate};
use proptest::prelude::*;

fn samples() -> Vec<Vec<u8>> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../tests/documents");
    let mut files = Vec::new();
    for folder in [folder.join("valid"), folder.join("signed"), folder.join("one-fault")] {
        for entry in std::fs::read_dir(folder).unwrap() {
            files.push(entry.unwrap().path());
        }
    }
    files.sort();
    files.iter().map(|file| std::fs::read(file).unwrap()).collect()
}

/// What fuzzing started from and what it found.
#[test]
fn corpus() {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../tests/fuzz/corpus/document");
    let mut files = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        fuzz(&std::fs::read(entry.unwrap().path()).unwrap());
        files += 1;
    }
    assert!(files > 0);
    for sample in samples() {
        fuzz(&sample);
    }
}

/// One change to the octets of a document.
#[derive(Debug, Clone)]
enum Change {
    Set(prop::sample::Index, u8),
    Remove(prop::sample::Index, u8),
    Double(prop::sample::Index, u8),
    Move(prop::sample::Index, prop::sample::Index, u8),
    Insert(prop::sample::Index, &'static str),
    Cut(prop::sample::Index),
}

fn change() -> impl Strategy<Value = Change> {
    let index = any::<prop::sample::Index>;
    let piece = prop::sample::select(vec![
        "<!--x-->",
        "<![CDATA[",
        "]]>",
        "&amp;",
        "&x;",
        "<!DOCTYPE x>",
        "<?p?>",
        "\u{0}",
        "'",
        "\"",
        "/>",
        "</",
        "xmlns=''",
        " Delay='P1D'",
        "\u{1f4f6}",
        "<Signature/>",
        "=",
        "<x:y/>",
    ]);
    prop_oneof![
        (index(), any::<u8>()).prop_map(|(i, b)| Change::Set(i, b)),
        (index(), any::<u8>()).prop_map(|(i, n)| Change::Remove(i, n)),
        (index(), any::<u8>()).prop_map(|(i, n)| Change::Double(i, n)),
        (index(), index(), any::<u8>()).prop_map(|(i, j, n)| Change::Move(i, j, n)),
        (index(), piece).prop_map(|(i, text)| Change::Insert(i, text)),
        index().prop_map(Change::Cut),
    ]
}

fn mutate(bytes: &mut Vec<u8>, change: &Change) {
    if bytes.is_empty() {
        return;
    }
    let len = bytes.len();
    let range = |index: &prop::sample::Index, n: u8| {
        let from = index.index(len);
        from..(from + usize::from(n)).min(len)
    };
    match change {
        Change::Set(i, b) => bytes[i.index(len)] = *b,
        Change::Remove(i, n) => drop(bytes.drain(range(i, *n))),
        Change::Double(i, n) => {
            let piece = bytes[range(i, *n)].to_vec();
            let at = i.index(len);
            bytes.splice(at..at, piece);
        }
        Change::Move(i, j, n) => {
            let piece: Vec<u8> = bytes.drain(range(i, *n)).collect();
            let at = j.index(bytes.len() + 1);
            bytes.splice(at..at, piece);
        }
        Change::Insert(i, text) => {
            let at = i.index(len);
            bytes.splice(at..at, text.bytes());
        }
        Change::Cut(i) => bytes.truncate(i.index(len)),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn changed_documents(sample in any::<prop::sample::Index>(), changes in prop::collection::vec(change(), 1..6)) {
        let samples = samples();
        let mut bytes = sample.get(&samples).clone();
        for change in &changes {
            mutate(&mut bytes, change);
        }
        fuzz(&bytes);
    }

    #[test]
    fn any_octets(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        fuzz(&bytes);
    }
}

/// Truncation at every octet of the activation's document, and here and there of all others.
#[test]
fn truncated_documents() {
    for (number, sample) in samples().into_iter().enumerate() {
        let step = if number == 7 { 1 } else { 37 };
        for end in (0..sample.len()).step_by(step) {
            fuzz(&sample[..end]);
        }
    }
}

/// The largest documents that the limits allow, each in a shape that is costly for a naive
/// reader. That this test ends at once is the proof; section 16 grants two seconds on a router.
#[test]
fn costly_documents_are_cheap() {
    let global = "<Global><CarrierId>{7d3c1f52-0b5e-4c7a-9a41-5e2f6b8c9d10}</CarrierId>\
        <SubscriberId>1</SubscriberId></Global>";
    let cc = "http://www.microsoft.com/networking/CarrierControl/v1";
    let document = |body: &str| format!("<CarrierProvisioning xmlns='{cc}'>{global}{body}</CarrierProvisioning>");
    let wlan = "http://www.microsoft.com/networking/CarrierControl/WLAN/v1";
    let wlan2 = "http://www.microsoft.com/networking/CarrierControl/WLAN/v2";
    let networks: String = (0..9999).map(|n| format!("<v:SSID><v:name>n{n}</v:name></v:SSID>")).collect();
    let many = document(&format!(
        "<WLANProfiles><WLANProfile xmlns='{wlan}' xmlns:v='{wlan2}'><name>n</name><SSIDConfig>\
         <SSID><name>n</name></SSID>{networks}</SSIDConfig></WLANProfile></WLANProfiles>"
    ));
    assert!(validate(many.as_bytes()).is_ok());
    let one_more = many.replacen("<v:SSID>", "<v:SSID><v:name>x</v:name></v:SSID><v:SSID>", 1);
    assert!(validate(one_more.as_bytes()).is_err());
    // All wrong: so many violations that the list is cut.
    let wrong = document(&"<x/>".repeat(99_000));
    let invalid = validate(wrong.as_bytes()).unwrap_err();
    assert_eq!(invalid.violations().len(), 501);
    let repeated = document(&"<Activation/>".repeat(90_000));
    assert!(validate(repeated.as_bytes()).is_err());
    let scattered = document(&"a<x/>".repeat(99_000));
    assert!(validate(scattered.as_bytes()).is_err());
}

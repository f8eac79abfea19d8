//! Reading of a plainly written file only what one SIM needs: the same choice as from the whole of it, whatever the file.
//! `[OPER 3.9]`

use daemon_operator::{Identity, Layers, Reported, SourceFile, Sources, fuzz};
use proptest::prelude::*;

/// A file as plain as that of the distribution.
const PLAIN: &str = "<?xml version=\"1.0\" encoding='utf-8'?>\n<!-- of nobody -->\n<!DOCTYPE serviceproviders SYSTEM \"s.dtd\">\n\
    <serviceproviders format=\"2.0\">\n<!-- a -->\n<country code=\"xt\">\n<name>Somewhere &amp; else</name>\n\
    <provider primary=\"true\"><name xml:lang=\"en\">Contoso</name><gsm><network-id mcc=\"001\" mnc=\"01\"/>\
    <apn value=\"one\"><usage type=\"internet\"/><username>a&lt;b</username></apn></gsm></provider>\n\
    <provider><name>Other</name><gsm><network-id mcc=\"001\" mnc=\"02\"/><apn value=\"two\"/></gsm>\
    <cdma><sid value=\"31999\"/></cdma></provider>\n</country>\n<country code=\"xu\">\n\
    <provider><name>Third</name><gsm><network-id mcc=\"262\" mnc=\"02\"/><!-- <apn> --><apn value=\"three\"/></gsm></provider>\n\
    <provider><name>Contoso Kids</name><gsm><network-id mcc=\"001\" mnc=\"01\"/><apn value=\"four\"/></gsm></provider>\n\
    </country>\n</serviceproviders>\n";

/// What makes of a plain file one that is not, or not the same.
const PIECES: [&str; 24] = [
    "<",
    ">",
    "\"",
    "'",
    "&",
    "&amp;",
    "&#49;",
    "<!--",
    "-->",
    "]]>",
    "<![CDATA[",
    "<provider>",
    "</provider>",
    "</country>",
    "<network-id mcc=\"001\" mnc=\"01\"/>",
    "<network-id mcc=\"&#48;01\" mnc=\"01\"/>",
    "<?x?>",
    "xmlns=\"urn:y\" ",
    "xmlns:ov=\"urn:x-operator-overlay:1\" ",
    "<ov:select imsi-prefix=\"00101\"/>",
    "/",
    " ",
    "\u{fc}",
    "<x:y/>",
];

/// The file as it is goes the short way; so the comparison that is made of any file compares something.
#[test]
fn a_plain_file_is_read_for_one_sim_alone() {
    let vendor = [SourceFile { name: "f.xml", bytes: PLAIN.as_bytes() }];
    let sources = Sources { vendor: &vendor, ..Sources::default() };
    let read = |imsi| {
        let (identity, _) = Identity::normalise(&Reported { subscriber_id: imsi, ..Reported::default() });
        Layers::read_for(&sources, &identity).0.vendor_counts().providers
    };
    assert_eq!([read("001015512345678"), read("262021234567890"), read("999701234567890"), read("")], [2, 1, 0, 4]);
    for more in PIECES.iter().filter(|piece| piece.contains("xmlns") || piece.contains("#48")) {
        let text = PLAIN.replace("<cdma>", &format!("<x {more}/><cdma>").replace("<x <", "<x/><").replace("//>", "/>"));
        let vendor = [SourceFile { name: "f.xml", bytes: text.as_bytes() }];
        let (identity, _) = Identity::normalise(&Reported { subscriber_id: "262021234567890", ..Reported::default() });
        let read = Layers::read_for(&Sources { vendor: &vendor, ..Sources::default() }, &identity).0;
        assert_eq!(read.vendor_counts().providers, 4, "{more}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    /// Cut, doubled and with pieces put in: the short way is the same as the long one, or not taken.
    #[test]
    fn a_plain_file_that_was_changed_makes_no_other_choice(
        changes in prop::collection::vec((0..PLAIN.len(), 0_usize..40, 0..PIECES.len() * 2), 1..4),
    ) {
        let mut text = PLAIN.as_bytes().to_vec();
        for (at, length, piece) in changes {
            let at = at.min(text.len());
            let end = (at + if piece % 3 == 0 { length } else { 0 }).min(text.len());
            let piece = PIECES.get(piece).copied().unwrap_or("");
            text.splice(at..end, piece.bytes());
        }
        fuzz(&text);
    }
}

//! Documents whose signature is good by the letter of the standard, as `xmlsec1` says, and which say something else than
//! what was signed, or might. None of them may pass. [PROV 9.4]

use daemon_provisioning::Code;
use daemon_verify::Method;

use crate::tools::{ENVELOPED, Template, X509, authority, document, verify};

const ID: &[&str] = &["--id-attr:Id", "http://www.microsoft.com/networking/CarrierControl/v1:Global"];

fn signed(text: &str) -> String {
    authority().xmlsec_signs(text, "rsa", ID)
}

/// Good to the stranger, of this code to us.
fn refused(document: &str, code: Code) {
    assert_eq!(authority().xmlsec_verifies(document.as_bytes(), ID), Ok(()), "{document}");
    let rejected = verify(document).expect_err(document);
    assert_eq!(rejected.code, code, "{rejected}\n{document}");
}

fn good() -> String {
    signed(&document(&Template::default().text()))
}

/// PROV-186: where the signature stands.
#[test]
fn a_signature_that_is_not_the_last_child_of_the_root() {
    verify(&good()).unwrap();
    let signature = Template::default().text();
    // First child instead of last.
    let first = document("").replacen("<Global>", &format!("{signature}<Global>"), 1);
    refused(&signed(&first), Code::XML_INVALID);
    // Inside a section, inside extensions.
    let inside = document("").replacen("</Global>", &format!("{signature}</Global>"), 1);
    refused(&signed(&inside), Code::XML_INVALID);
    let extensions = document(&format!("<Extensions>{signature}</Extensions>"));
    refused(&signed(&extensions), Code::XML_INVALID);
    // Followed by something.
    let followed = document(&format!("{signature}<Extensions/>"));
    refused(&signed(&followed), Code::XML_INVALID);
}

/// A signature cut out of one document and put elsewhere.
#[test]
fn a_signature_that_was_moved() {
    let good = good();
    let start = good.find("<ds:Signature ").unwrap();
    let end = good.find("</CarrierProvisioning>").unwrap();
    let signature = &good[start..end];
    let moved = document("").replacen("001010123456789", "001019999999999", 1);
    let moved = moved.replacen("</CarrierProvisioning>", &format!("{signature}</CarrierProvisioning>"), 1);
    assert_eq!(verify(&moved).unwrap_err().code, Code::DIGEST_INVALID);
    // Moved up, the same document around it: its digest holds, its place does not.
    let up = document("").replacen("<Global>", &format!("{signature}<Global>"), 1);
    refused(&up, Code::XML_INVALID);
}

/// The signed document carried along inside of another one.
#[test]
fn a_signed_document_that_was_wrapped() {
    let good = good();
    let body = good.split_once("?>").unwrap().1.trim();
    let carrier = document(&format!("<Extensions>{body}</Extensions>"));
    assert_eq!(verify(&carrier).unwrap_err().code, Code::XML_INVALID);

    // The signature names an element by its id; that element is moved away and another one put in its place.
    let by_id = Template { reference: " URI=\"#signed\"", ..Template::default() };
    let text = document(&by_id.text()).replacen("<Global>", "<Global Id=\"signed\">", 1);
    let by_id = signed(&text);
    refused(&by_id, Code::XML_INVALID);
    let start = by_id.find("<Global Id").unwrap();
    let end = by_id.find("</Global>").unwrap() + "</Global>".len();
    let original = by_id[start..end].to_owned();
    let evil = original.replacen(" Id=\"signed\"", "", 1).replacen("001010123456789", "001019999999999", 1);
    let wrapped = by_id.replacen(&original, &format!("{evil}<Extensions>{original}</Extensions>"), 1);
    refused(&wrapped, Code::XML_INVALID);
    // The same id twice: which one was signed?
    let twice = by_id.replacen(&original, &format!("{original}<Extensions>{original}</Extensions>"), 1);
    assert_eq!(verify(&twice).unwrap_err().code, Code::XML_INVALID);
}

/// PROV-186.
#[test]
fn two_signatures() {
    let first = good();
    let second = Template { method: Method::Inclusive, ..Template::default() }.text();
    let both = first.replacen("</CarrierProvisioning>", &format!("{second}</CarrierProvisioning>"), 1);
    // The second covers the first one.
    let both = authority().xmlsec_signs(&both, "rsa3072", &["--node-xpath", "/*/*[local-name()='Signature'][2]"]);
    let second_only = &["--node-xpath", "/*/*[local-name()='Signature'][2]"];
    if authority().xmlsec_verifies(both.as_bytes(), second_only).is_err() {
        panic!("the second signature is good");
    }
    assert_eq!(verify(&both).unwrap_err().code, Code::XML_INVALID);
    // A second one where foreign elements are welcome.
    let hidden = Template { key_info: &format!("{X509}<x xmlns=\"urn:x\">{second}</x>"), ..Template::default() };
    let hidden = signed(&document(&hidden.text()));
    refused(&hidden, Code::XML_INVALID);
}

/// PROV-171.
#[test]
fn shapes_outside_of_the_subset() {
    let object = "<ds:Object><x xmlns=\"urn:x\"/></ds:Object>";
    refused(&signed(&document(&Template { more: object, ..Template::default() }.text())), Code::XML_INVALID);

    let manifest = format!(
        "<ds:Object><ds:Manifest>{}</ds:Manifest></ds:Object>",
        Template {
            transforms: "<ds:Transform Algorithm=\"http://www.w3.org/2001/10/xml-exc-c14n#\"/>",
            reference: " URI=\"#signed\"",
            ..Template::default()
        }
        .reference()
    );
    let text = document(&Template { more: &manifest, ..Template::default() }.text());
    let text = text.replacen("<Global>", "<Global Id=\"signed\">", 1);
    refused(&signed(&text), Code::XML_INVALID);

    let default = Template::default();
    let two = default.text().replacen("</ds:SignedInfo>", &format!("{}</ds:SignedInfo>", default.reference()), 1);
    refused(&signed(&document(&two)), Code::XML_INVALID);

    for transforms in [
        format!("{ENVELOPED}<ds:Transform Algorithm=\"http://www.w3.org/2001/10/xml-exc-c14n#\"/>"),
        format!(
            "{ENVELOPED}<ds:Transform Algorithm=\"http://www.w3.org/TR/1999/REC-xpath-19991116\">\
             <ds:XPath>ancestor-or-self::*[local-name()='Global']</ds:XPath></ds:Transform>"
        ),
        format!(
            "{ENVELOPED}<ds:Transform Algorithm=\"http://www.w3.org/2002/06/xmldsig-filter2\">\
             <XPath xmlns=\"http://www.w3.org/2002/06/xmldsig-filter2\" Filter=\"subtract\">//*[local-name()='Global']</XPath>\
             </ds:Transform>"
        ),
    ] {
        let text = document(&Template { transforms: &transforms, ..default }.text());
        refused(&signed(&text), Code::XML_INVALID);
    }
    let xpointer = Template { reference: " URI=\"#xpointer(/)\"", ..default };
    refused(&signed(&document(&xpointer.text())), Code::XML_INVALID);
    let typed = Template { reference: " URI=\"\" Type=\"urn:x\"", ..default };
    refused(&signed(&document(&typed.text())), Code::XML_INVALID);
    let listed = default.text().replacen(
        "<ds:CanonicalizationMethod Algorithm=\"http://www.w3.org/2001/10/xml-exc-c14n#\"/>",
        "<ds:CanonicalizationMethod Algorithm=\"http://www.w3.org/2001/10/xml-exc-c14n#\">\
         <InclusiveNamespaces xmlns=\"http://www.w3.org/2001/10/xml-exc-c14n#\" PrefixList=\"ds\"/>\
         </ds:CanonicalizationMethod>",
        1,
    );
    refused(&signed(&document(&listed)), Code::XML_INVALID);
    for key_info in [
        "<ds:X509Data><ds:X509Certificate/><ds:X509SubjectName/></ds:X509Data>".to_owned(),
        "<ds:X509Data><ds:X509Certificate/><ds:X509IssuerSerial/></ds:X509Data>".to_owned(),
        format!("<ds:KeyName>rsa</ds:KeyName>{X509}"),
    ] {
        let text = document(&Template { key_info: &key_info, ..default }.text());
        refused(&signed(&text), Code::XML_INVALID);
    }
    // A processing instruction within, which a reader may take for nothing.
    let instruction = default.text().replacen("<ds:SignatureValue/>", "<?x y?><ds:SignatureValue/>", 1);
    refused(&signed(&document(&instruction)), Code::XML_INVALID);
}

/// PROV-176, PROV-188: only the certificate's key counts.
#[test]
fn keys_that_are_no_certificates() {
    let bare = Template { key_info: "<ds:KeyValue/>", ..Template::default() };
    let bare = signed(&document(&bare.text()));
    assert_eq!(authority().xmlsec_verifies(bare.as_bytes(), &[]), Ok(()), "with the key that it brings along");
    assert_eq!(verify(&bare).unwrap_err().code, Code::NO_LEAF_CERTIFICATE);
    // Somebody else's certificate beside the key that was used.
    let borrowed = format!("<ds:KeyValue/><ds:X509Data>{}</ds:X509Data>", crate::pem_body("rsa3072"));
    let borrowed = Template { key_info: &borrowed, ..Template::default() };
    let borrowed = signed(&document(&borrowed.text()));
    assert_eq!(verify(&borrowed).unwrap_err().code, Code::SIGNATURE_INVALID);
    let none = Template::default().text().replacen(&format!("<ds:KeyInfo>{X509}</ds:KeyInfo>"), "", 1);
    assert_eq!(verify(&signed(&document(&none))).unwrap_err().code, Code::NO_LEAF_CERTIFICATE);
}

/// PROV-003, PROV-173: what is not among the signed octets is not read, and nothing is expanded.
#[test]
fn comments_entities_and_document_types() {
    let good = good();
    let commented = good.replacen("001010123456789", "00101012<!-- no -->3456789", 1);
    let verified = verify(&commented).unwrap();
    assert_eq!(authority().xmlsec_verifies(commented.as_bytes(), &[]), Ok(()));
    let text = String::from_utf8(verified.octets).unwrap();
    assert!(text.contains("<SubscriberId>001010123456789</SubscriberId>"), "{text}");

    let typed = |declaration: &str, value: &str| {
        let text = document(&Template::default().text()).replacen("001010123456789", value, 1);
        signed(&format!("<!DOCTYPE CarrierProvisioning [{declaration}]>{text}"))
    };
    refused(&typed("", "001010123456789"), Code::XML_MALFORMED);
    // xmlsec1 signs no entity; put in afterwards, it says to others what was signed.
    let late = |declaration: &str| {
        let entity = good.replacen("001010123456789", "&n;", 1);
        let (xml, body) = entity.split_once("?>").unwrap();
        format!("{xml}?><!DOCTYPE CarrierProvisioning [{declaration}]>{body}")
    };
    let internal = late("<!ENTITY n \"001010123456789\">");
    assert_eq!(verify(&internal).unwrap_err().code, Code::XML_MALFORMED);
    refused(&typed("<!ATTLIST SubscriberId note CDATA \"from the type\">", "001010123456789"), Code::XML_MALFORMED);
    let local = authority().path("entity.txt");
    crate::tools::write(&local, "001010123456789");
    let external = format!("<!ENTITY n SYSTEM \"file://{}\">", local.display());
    assert_eq!(verify(&late(&external)).unwrap_err().code, Code::XML_MALFORMED);
}

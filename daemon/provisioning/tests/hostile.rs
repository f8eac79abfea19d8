//! Bad input: each has its code, nothing is applied, nothing that was kept is lost, and nothing
//! takes long. [PROV 11, 12.1, 16]
#![allow(clippy::unwrap_used, clippy::panic, reason = "in a test a panic is the report")]

use std::fmt::Write as _;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use daemon_provisioning::{
    Code, Document, Facts, ModemFacts, Outcome, Personal, Run, Shape, SimState, Source, StepAction, Stored, Time, Todo,
    plan, refused, validate,
};

const CC: &str = "http://www.microsoft.com/networking/CarrierControl/v1";
const WWAN: &str = "http://www.microsoft.com/networking/CarrierControl/WWAN/v1";
const GLOBAL: &str = "<Global><CarrierId>{7d3c1f52-0b5e-4c7a-9a41-5e2f6b8c9d10}</CarrierId>\
    <SubscriberId>001010123456789</SubscriberId></Global>";

fn document(body: &str) -> String {
    format!("<CarrierProvisioning xmlns='{CC}' xmlns:w='{WWAN}'>{GLOBAL}{body}</CarrierProvisioning>")
}

/// Applies it with every step succeeding; the results document, and how many changes there were.
fn apply(bytes: &[u8], stored: &mut Stored) -> (String, usize) {
    let validated = match validate(bytes) {
        Ok(validated) => validated,
        Err(invalid) => {
            assert!(!invalid.violations().is_empty());
            return (refused(invalid.code(), Shape::V2), 0);
        }
    };
    let modem = ModemFacts {
        sim: SimState::Ready,
        imsi: Some(Personal::new("001010123456789".to_owned())),
        ..ModemFacts::default()
    };
    let facts = Facts { modems: vec![modem], stored: stored.clone(), ..Facts::default() };
    let document = Document::authorise(validated, &Source::Administrator, &facts).unwrap();
    let mut run = Run::new(plan(&document, &facts), Time::ZERO);
    let mut changes = 0;
    while !run.results_ready() {
        let Todo::Do(id, action) = run.next(Time::ZERO) else { panic!("nothing to do") };
        let changed = match action {
            StepAction::Keep { change } => stored.apply(&change),
            StepAction::StoreProfile { .. } => true,
            _ => false,
        };
        changes += usize::from(changed);
        run.done(&id, if changed { Outcome::Changed } else { Outcome::Unchanged }, Time::ZERO);
    }
    (run.results(Shape::V2).unwrap(), changes)
}

/// Something to lose.
fn precious() -> Stored {
    let mut stored = Stored::default();
    let body = "<Plans><Plan xmlns='http://www.microsoft.com/networking/CarrierControl/Plans/v1' Name='p'>\
        <Description PlanType='Fixed'/></Plan></Plans><Provisioning><RefreshParameters><RefreshURL>https://a/</RefreshURL>\
        </RefreshParameters></Provisioning>";
    let (_, changes) = apply(document(body).as_bytes(), &mut stored);
    assert_eq!(changes, 2);
    stored
}

/// Refused as a whole with that code: nothing applied, nothing lost.
fn refuses(what: &str, bytes: &[u8], code: Code) {
    let before = precious();
    let mut stored = before.clone();
    let (xml, changes) = apply(bytes, &mut stored);
    assert!(xml.contains(&format!("errorCode=\"{code}\"")), "{what}: {xml}");
    assert!(!xml.contains("<Issuer>"), "{what}: {xml}");
    assert_eq!((changes, &stored), (0, &before), "{what}");
}

fn utf16(text: &str) -> Vec<u8> {
    core::iter::once(0xfeff).chain(text.encode_utf16()).flat_map(u16::to_le_bytes).collect()
}

/// PROV-002 to PROV-005: what is not well-formed, or would have to be expanded or fetched.
#[test]
fn malformed_documents() {
    let mut bomb = String::from("<?xml version='1.0'?><!DOCTYPE CarrierProvisioning [<!ENTITY e0 'eeeeeeeeee'>");
    for level in 1..30 {
        let _ = write!(bomb, "<!ENTITY e{level} '&e{0};&e{0};&e{0};&e{0};&e{0};&e{0};&e{0};&e{0};'>", level - 1);
    }
    bomb.push_str("]>");
    let external = "<!DOCTYPE CarrierProvisioning [<!ENTITY x SYSTEM 'file:///etc/passwd'>]>";
    let parameter = "<!DOCTYPE a [<!ENTITY % p SYSTEM 'http://192.0.2.1/p.dtd'> %p;]>";
    let plain = document("");
    for (what, xml) in [
        ("entity bomb", format!("{bomb}{}", plain.replace("001010123456789", "&e29;"))),
        ("external entity", format!("{external}{}", plain.replace("001010123456789", "&x;"))),
        ("parameter entity", format!("{parameter}{plain}")),
        ("external subset", format!("<!DOCTYPE a PUBLIC 'x' 'http://192.0.2.1/'>{plain}")),
        ("undeclared entity", plain.replace("001010123456789", "&x;")),
        ("NUL", plain.replace("001010123456789", "00101\0")),
        ("reference to NUL", plain.replace("001010123456789", "00101&#0;")),
        ("reference to half a pair", plain.replace("001010123456789", "&#xD800;")),
        ("control character", plain.replace("001010123456789", "00101\u{1}")),
        ("two roots", format!("{plain}{plain}")),
        ("unknown prefix", plain.replace("<Global>", "<x:Global>")),
        ("wrong encoding declared", format!("<?xml version='1.0' encoding='ISO-8859-1'?>{plain}")),
        ("cut off", plain[..plain.len() - 3].to_owned()),
        ("nothing", String::new()),
    ] {
        refuses(what, xml.as_bytes(), Code::XML_MALFORMED);
    }
    let mut lone = utf16(&plain);
    lone.splice(20..20, [0x00, 0xd8]);
    refuses("half a pair in UTF-16", &lone, Code::XML_MALFORMED);
    refuses("UTF-16 without byte-order mark", &utf16(&plain)[2..], Code::XML_MALFORMED);
    refuses("UTF-32", &[&[0xff, 0xfe, 0, 0][..], &utf16(&plain)].concat(), Code::XML_MALFORMED);
    refuses("not UTF-8", &[plain.as_bytes(), b"\xff"].concat(), Code::XML_MALFORMED);
    // These are documents.
    let (xml, _) = apply(&utf16(&plain), &mut Stored::default());
    assert!(xml.contains("00000000"), "{xml}");
    let (xml, _) = apply(&[&b"\xef\xbb\xbf"[..], plain.as_bytes()].concat(), &mut Stored::default());
    assert!(xml.contains("00000000"), "{xml}");
}

/// PROV-006: one more than a limit; the limit itself is fine.
#[test]
fn documents_over_a_limit() {
    let nested = |levels: usize| {
        let (open, close) = ("<x xmlns='urn:example:x'>".repeat(levels), "</x>".repeat(levels));
        document(&format!(
            "<MBNProfiles><w:DefaultProfile><w:Name>n</w:Name><w:Extensions>{open}{close}</w:Extensions>\
             </w:DefaultProfile></MBNProfiles>"
        ))
    };
    // Root, section, profile and extensions are four levels.
    assert!(validate(nested(60).as_bytes()).is_ok());
    refuses("65 levels", nested(61).as_bytes(), Code::FILE_TOO_LARGE);
    let many = |elements: usize| {
        document(&format!(
            "<MBNProfiles><w:DefaultProfile><w:Name>n</w:Name><w:Extensions>{}</w:Extensions></w:DefaultProfile>\
             </MBNProfiles>",
            "<x xmlns='u'/>".repeat(elements)
        ))
    };
    assert!(validate(many(100_000 - 8).as_bytes()).is_ok());
    refuses("100 001 elements", many(100_001 - 8).as_bytes(), Code::FILE_TOO_LARGE);
    let long = document(&format!("<!--{}-->", "c".repeat(4 * 1024 * 1024)));
    refuses("more than 4 MiB", long.as_bytes(), Code::FILE_TOO_LARGE);
    let value = document(&format!("<Provisioning x='{}'/>", "v".repeat(2 * 1024 * 1024 + 1)));
    refuses("a value above 2 MiB", value.as_bytes(), Code::FILE_TOO_LARGE);
    let attributes: String = (0..65).map(|n| format!(" a{n}=''")).collect();
    refuses("65 attributes", document(&format!("<Provisioning{attributes}/>")).as_bytes(), Code::FILE_TOO_LARGE);
}

/// PROV-007, PROV-008, PROV-013: well-formed and not of the schema.
#[test]
fn invalid_documents() {
    let plain = document("");
    let plans = "http://www.microsoft.com/networking/CarrierControl/Plans/v1";
    let plan = format!("<Plan xmlns='{plans}' Name='p'><Description PlanType='Fixed'/></Plan>");
    let hotspot = "urn:example:none";
    for (what, xml) in [
        ("root in no namespace", plain.replace(&format!("xmlns='{CC}'"), "")),
        ("https namespace", plain.replace(CC, &CC.replace("http:", "https:"))),
        ("namespace in capitals", plain.replace(CC, &CC.to_uppercase())),
        ("two plans of a name", document(&format!("<Plans>{plan}{plan}</Plans>"))),
        ("unknown attribute", plain.replace("<Global>", "<Global id='a'>")),
        (
            "xsi:type",
            plain.replace("<Global>", "<Global xmlns:i='http://www.w3.org/2001/XMLSchema-instance' i:type='x'>"),
        ),
        (
            "unknown element under a strict wildcard",
            plain.replace("</Global>", &format!("<x xmlns='{hotspot}'/></Global>")),
        ),
        ("base64 with foreign characters", document(&service("QUJ*"))),
        ("base64 without padding", document(&service("QUI"))),
        ("base64 with wrong padding", document(&service("QQ==QQ=="))),
        ("delay of an hour", document("<Activation><w:ReconnectToNetwork Delay='PT1H'/></Activation>")),
        (
            "duration beyond 64 bits",
            document("<Activation><w:ReconnectToNetwork Delay='PT99999999999999999999S'/></Activation>"),
        ),
        (
            "a comment inside a value changes nothing",
            document(
                "<Provisioning><RefreshParameters><DelayInDays>7<!-- -->31\
         </DelayInDays><RefreshURL>https://a</RefreshURL></RefreshParameters></Provisioning>",
            ),
        ),
        (
            "CDATA inside a value changes nothing",
            document(
                "<Provisioning><RefreshParameters><DelayInDays>7<![CDATA[31]]>\
         </DelayInDays><RefreshURL>https://a</RefreshURL></RefreshParameters></Provisioning>",
            ),
        ),
        (
            "two signatures",
            document(
                "<Signature xmlns='http://www.w3.org/2000/09/xmldsig#'/><Signature \
         xmlns='http://www.w3.org/2000/09/xmldsig#'/>",
            ),
        ),
    ] {
        refuses(what, xml.as_bytes(), Code::XML_INVALID);
    }
}

fn service(base64: &str) -> String {
    format!(
        "<Activation><w:ServiceActivation><w:CarrierSpecificData>{base64}</w:CarrierSpecificData></w:ServiceActivation></Activation>"
    )
}

/// PROV-068: line noise is white space only.
#[test]
fn base64_with_line_noise() {
    let data = STANDARD.encode([7_u8; 60]);
    let noisy: String = data.chars().map(|c| format!("{c} \t\r\n")).collect();
    let (xml, _) = apply(document(&service(&noisy)).as_bytes(), &mut Stored::default());
    assert!(xml.contains("errorCode=\"00000000\""), "{xml}");
    // Above what a command can carry the activation alone fails.
    let long = STANDARD.encode(vec![7_u8; 4097]);
    let (xml, _) = apply(document(&service(&long)).as_bytes(), &mut Stored::default());
    assert!(xml.contains("<Activation errorCode=\"80070057\"/>"), "{xml}");
}

fn png(width: u32, height: u32, rest: usize) -> Vec<u8> {
    let mut octets = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR".to_vec();
    octets.extend(width.to_be_bytes());
    octets.extend(height.to_be_bytes());
    octets.extend([8, 6, 0, 0, 0, 1, 2, 3, 4]);
    octets.resize(octets.len() + rest, 0);
    octets
}

fn bmp(header: u32, width: i32, height: i32) -> Vec<u8> {
    let mut octets = b"BM\0\0\0\0\0\0\0\0\x36\0\0\0".to_vec();
    octets.extend(header.to_le_bytes());
    if header == 12 {
        octets.extend(i16::try_from(width).unwrap().to_le_bytes());
        octets.extend(i16::try_from(height).unwrap().to_le_bytes());
    } else {
        octets.extend(width.to_le_bytes());
        octets.extend(height.to_le_bytes());
    }
    octets
}

/// PROV-049 to PROV-051: a logo that is a bomb, or none, spoils the branding only.
#[test]
fn logos() {
    let body = |logo: &[u8]| {
        let logo = STANDARD.encode(logo);
        document(&format!(
            "<MBNProfiles><w:DefaultProfile><w:Name>n</w:Name></w:DefaultProfile><w:Branding><w:Logo>{logo}</w:Logo>\
             <w:Name>Example</w:Name></w:Branding></MBNProfiles>"
        ))
    };
    for good in [png(32, 32, 0), png(256, 1, 100), bmp(40, 32, 32), bmp(124, 32, -32), bmp(12, 16, 16)] {
        let mut stored = Stored::default();
        let (xml, _) = apply(body(&good).as_bytes(), &mut stored);
        assert!(xml.contains("<Branding errorCode=\"22170102\"/>"), "{xml}");
        let branding = stored.branding().unwrap();
        assert_eq!(branding.logo.as_ref().unwrap().octets(), good);
        assert_eq!(branding.name.as_deref(), Some("Example"));
    }
    let mut jpeg = b"\xff\xd8\xff\xe0\0\x10JFIF".to_vec();
    jpeg.resize(100, 0);
    for bad in [
        Vec::new(),
        jpeg,
        b"GIF89a\x20\0\x20\0".to_vec(),
        b"<svg xmlns='http://www.w3.org/2000/svg'/>".to_vec(),
        png(u32::MAX, u32::MAX, 0),
        png(257, 32, 0),
        png(0, 32, 0),
        png(32, 32, 256 * 1024),
        png(32, 32, 0)[..20].to_vec(),
        bmp(40, 257, 1),
        bmp(40, -1, 1),
        bmp(40, 1, i32::MIN),
        bmp(13, 1, 1),
        b"BM".to_vec(),
    ] {
        let mut stored = precious();
        let (xml, changes) = apply(body(&bad).as_bytes(), &mut stored);
        assert!(xml.contains("<Branding errorCode=\"82170008\"/>"), "{xml}");
        assert!(xml.contains("<DefaultProfile name=\"n\" errorCode=\"00000000\"/>"), "{xml}");
        assert!(stored.branding().is_none() && !stored.plans().is_empty() && changes == 1);
    }
}

/// A refresh that no client could ask for spoils only itself, and leaves the former one.
#[test]
fn unusable_refresh() {
    for url in ["https://:443/", "https://a:b@c/", "https:///x", "https://a b/", "https://?q", "https://[]/"] {
        let mut stored = precious();
        let body = format!(
            "<Provisioning><RefreshParameters><RefreshURL>{url}</RefreshURL></RefreshParameters></Provisioning>"
        );
        let (xml, changes) = apply(document(&body).as_bytes(), &mut stored);
        assert!(xml.contains("<Provisioning errorCode=\"82170008\"/>"), "{url}: {xml}");
        assert_eq!((changes, stored), (0, precious()), "{url}");
    }
}

/// PROV-086 to PROV-090, PROV-096, PROV-208: rules that cannot be used fail one by one, with a
/// word about why.
#[test]
fn message_rules() {
    let rule = |inner: &str| format!("<w:Message><w:USSDBearer/>{inner}</w:Message>");
    let pattern = |pattern: &str, fields: &str| rule(&format!("<w:Pattern>{pattern}</w:Pattern>{fields}"));
    let stamp = |format: &str| {
        let usage = "<w:Usage Group='1'/>";
        pattern("(a)", &format!("<w:Fields>{usage}<w:UsageTimestamp Group='1' Format='{format}'/></w:Fields>"))
    };
    let bad = [
        (pattern("(a)\\1", ""), "Pattern: back-reference"),
        (pattern("(?=a)", ""), "Pattern: look-around"),
        (pattern("(a", ""), "Pattern: unclosed group"),
        (pattern("((a{999}){999}){999}", ""), "Pattern: too large once its repetitions are unfolded"),
        (pattern("a", "<w:Fields><w:Congested Group='1'/></w:Fields>"), "Congested: Group is above the 0 groups"),
        (
            pattern("(a)", "<w:Fields><w:Usage Group='1' UnitGroup='2'/></w:Fields>"),
            "Usage: UnitGroup is above the 1 groups of the pattern",
        ),
        (pattern("(a)", "<w:Fields><w:Usage Group='1'/></w:Fields>"), "usage without UsageTimestamp"),
        (
            pattern("(a)", "<w:Fields><w:UsageTimestamp Group='1' Format='%d%m'/></w:Fields>"),
            "UsageTimestamp without usage",
        ),
        (stamp("%d %b"), "UsageTimestamp: an unknown code in Format"),
        (stamp("%d"), "UsageTimestamp: Format without day or month"),
    ];
    let good = [pattern("[^]*", ""), stamp("%d/%m/%Y %I:%M %p")];
    let rules: String = bad.iter().map(|(xml, _)| xml.as_str()).chain(good.iter().map(String::as_str)).collect();
    let mut stored = Stored::default();
    let body = document(&format!("<MBNProfiles><w:Messages>{rules}</w:Messages></MBNProfiles>"));
    let (xml, _) = apply(body.as_bytes(), &mut stored);
    for (position, (_, why)) in (1..).zip(&bad) {
        let wanted = format!("<Message position=\"{position}\" errorCode=\"82170008\" errorDetails=\"{why}");
        assert!(xml.contains(&wanted), "{wanted} in {xml}");
    }
    assert_eq!(stored.rules().len(), good.len());
    // 257 rules: the last is one too many.
    let many = pattern("a", "").repeat(257);
    let body = document(&format!("<MBNProfiles><w:Messages>{many}</w:Messages></MBNProfiles>"));
    let (xml, _) = apply(body.as_bytes(), &mut stored);
    assert!(xml.contains("<Message position=\"257\" errorCode=\"82170008\" errorDetails=\"more than 256 rules\"/>"));
    assert_eq!(stored.rules().len(), 256);
}

/// PROV-122, PROV-124, PROV-127, PROV-132: Wi-Fi profiles that pass the schema and cannot work.
#[test]
fn wlan_profiles_that_cannot_work() {
    let profile = |auth: &str, encryption: &str, rest: &str| {
        document(&format!(
            "<WLANProfiles xmlns:l='http://www.microsoft.com/networking/CarrierControl/WLAN/v1' \
             xmlns:l2='http://www.microsoft.com/networking/CarrierControl/WLAN/v2' \
             xmlns:o='http://www.microsoft.com/networking/OneX/v1' \
             xmlns:h='http://www.microsoft.com/networking/WLAN/HotspotProfile/v1'><l:WLANProfile><l:name>n</l:name>\
             <l:SSIDConfig><l:SSID><l:name>n</l:name></l:SSID></l:SSIDConfig><l:MSM><l:security><l:authEncryption>\
             <l:authentication>{auth}</l:authentication><l:encryption>{encryption}</l:encryption>{rest}</l:security></l:MSM>\
             </l:WLANProfile></WLANProfiles>"
        ))
    };
    let key = |kind: &str, protected: bool, material: &str| {
        format!(
            "</l:authEncryption><l:sharedKey><l:keyType>{kind}</l:keyType><l:protected>{protected}</l:protected>\
             <l:keyMaterial>{material}</l:keyMaterial></l:sharedKey>"
        )
    };
    let end = "</l:authEncryption>";
    let one_x = "<o:OneX><o:EAPConfig/></o:OneX>";
    let hotspot = "<h:HotspotProfile><h:ExtAuth><h:ExtensionId>x</h:ExtensionId></h:ExtAuth></h:HotspotProfile>";
    let fips = "<l2:FIPSMode>true</l2:FIPSMode>";
    let phrase = |length: usize| key("passPhrase", false, &"p".repeat(length));
    let hex = |length: usize| key("networkKey", false, &"a".repeat(length));
    let index = "<l:keyIndex>1</l:keyIndex>";
    let rows: Vec<(&str, &str, String, &str)> = vec![
        ("open", "none", end.to_owned(), "22170102"),
        ("WPA2PSK", "AES", phrase(8), "22170102"),
        ("WPA2PSK", "AES", phrase(63), "22170102"),
        ("WPAPSK", "TKIP", hex(64), "22170102"),
        ("open", "WEP", hex(10) + index, "22170102"),
        ("shared", "WEP", hex(13), "22170102"),
        ("WPA2", "AES", format!("<l:useOneX>1</l:useOneX>{end}{one_x}"), "22170102"),
        ("WPA2", "AES", format!("{end}<l:PMKCacheTTL>5</l:PMKCacheTTL>"), "22170102"),
        ("open", "none", format!("{end}{hotspot}"), "22170102"),
        ("WPA2PSK", "AES", format!("{fips}{}", phrase(8)), "22170102"),
        ("WPA2PSK", "AES", phrase(7), "800704b6"),
        ("WPA2PSK", "AES", phrase(64), "800704b6"),
        ("WPA2PSK", "AES", key("passPhrase", false, "pass\u{e9}phrase"), "800704b6"),
        ("WPA2PSK", "AES", hex(63), "800704b6"),
        ("WPA2PSK", "AES", end.to_owned(), "800704b6"),
        ("WPA2PSK", "AES", key("passPhrase", true, "00aa"), "80070032"),
        ("open", "WEP", end.to_owned(), "800704b6"),
        ("open", "WEP", phrase(5), "800704b6"),
        ("open", "WEP", hex(11), "800704b6"),
        ("open", "AES", end.to_owned(), "800704b6"),
        ("WPA2PSK", "none", phrase(8), "800704b6"),
        ("WPAPSK", "TKIP", phrase(8) + index, "800704b6"),
        ("WPA2", "AES", format!("<l:useOneX>1</l:useOneX>{end}"), "800704b6"),
        ("WPA2", "AES", format!("{end}{one_x}"), "800704b6"),
        ("open", "none", format!("{fips}{end}"), "800704b6"),
        ("WPA2PSK", "AES", format!("{}{hotspot}", phrase(8)), "800704b6"),
        ("WPAPSK", "AES", format!("{}<l:PMKCacheMode>enabled</l:PMKCacheMode>", phrase(8)), "800704b6"),
        (
            "WPA2",
            "AES",
            format!("{end}<l:PMKCacheMode>disabled</l:PMKCacheMode><l:preAuthMode>enabled</l:preAuthMode>"),
            "800704b6",
        ),
    ];
    for (auth, encryption, rest, code) in rows {
        let (xml, _) = apply(profile(auth, encryption, &rest).as_bytes(), &mut Stored::default());
        assert!(xml.contains(&format!("<WLANProfiles errorCode=\"{code}\"/>")), "{auth} {encryption} {rest}: {xml}");
    }
}

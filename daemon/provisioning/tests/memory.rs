//! What reading a document allocates at most: 4 MiB for one of less than 1 MiB, eight times its size above. Of
//! this file's own, because the allocator counts for the whole process.
#![allow(clippy::unwrap_used, clippy::panic, reason = "in a test a panic is the report")]

use std::alloc::System;

use cap::Cap;
use daemon_provisioning::validate;

#[global_allocator]
static ALLOCATOR: Cap<System> = Cap::new(System, usize::MAX);

const MIB: usize = 1024 * 1024;

fn document(body: &str) -> String {
    format!(
        "<CarrierProvisioning xmlns='http://www.microsoft.com/networking/CarrierControl/v1' \
         xmlns:w='http://www.microsoft.com/networking/CarrierControl/WWAN/v1'><Global>\
         <CarrierId>{{7d3c1f52-0b5e-4c7a-9a41-5e2f6b8c9d10}}</CarrierId><SubscriberId>1</SubscriberId></Global>{body}\
         </CarrierProvisioning>"
    )
}

/// Pieces that cost more than they say, each to be had as often as one likes.
const DENSE: &[(&str, &str)] = &[
    ("elements", "<x/>"),
    ("pairs of tags", "<x></x>"),
    ("elements in a namespace", "<w:x/>"),
    ("elements and texts", "a<x/>"),
    ("declarations", "<x xmlns='u'/>"),
    ("many declarations", "<x xmlns='u' xmlns:a='u' xmlns:b='v' xmlns:c='w' xmlns:d='x'/>"),
    ("attributes", "<x a='' b='' c='' d='' e='' f='' g='' h='' i='' j='' k=''/>"),
    ("attributes in a namespace", "<x w:a='' w:b='' w:c='' w:d='' w:e='' w:f=''/>"),
    ("comments", "<!---->"),
    ("instructions", "<?p?>"),
    ("character data", "<![CDATA[]]>"),
    ("references", "&#65;"),
    ("line ends", "\r\n"),
    ("equals signs", "="),
    ("texts", "<x xmlns='u'>tttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttt</x>"),
    ("names", "<x xmlns='u'><nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn/></x>"),
];

/// Places for them: a wildcard that ignores them; one that does not, so that each is a fault; a value; a list.
fn placed(place: &str, body: &str) -> String {
    let profile = |inner: &str| {
        document(&format!("<MBNProfiles><w:DefaultProfile><w:Name>n</w:Name>{inner}</w:DefaultProfile></MBNProfiles>"))
    };
    match place {
        "ignored" => profile(&format!("<w:Extensions>{body}</w:Extensions>")),
        "faulty" => document(body),
        "value" => profile(&format!("<w:Description>{body}</w:Description>")),
        _ => document(&format!("<Extensions>{body}</Extensions>")),
    }
}

/// Octets up to which a piece is repeated: elements and texts have limits of their own.
fn repeated(piece: &str, size: usize) -> String {
    let elements = piece.matches('<').count() - piece.matches("</").count();
    let mut count = size / piece.len();
    if elements > 0 && !piece.starts_with("<!") && !piece.starts_with("<?") {
        count = count.min(99_000 / elements);
    } else if !piece.starts_with("<!-") && !piece.starts_with("<?") {
        count = count.min(2 * MIB / piece.len());
    }
    piece.repeat(count)
}

/// PROV-006, and the promise about memory: what reading and validating costs is a few times the document, whatever it is
/// made of.
/// Built with optimisation it tries every shape in every size and place, some 700 documents; else the densest ones.
#[test]
fn parsing_stays_within_its_memory() {
    if cfg!(debug_assertions) {
        hold(&[400 * 1024], &["faulty"]);
        return;
    }
    let sizes = [20 * 1024, 400 * 1024, MIB - 8192, MIB + 8192, 2 * MIB, 4 * MIB - 8192];
    hold(&sizes, &["ignored", "faulty", "value", "list"]);
}

fn hold(sizes: &[usize], places: &[&str]) {
    let mut worst = (0.0_f64, String::new());
    let mut hold = |what: String, octets: &[u8]| {
        let (peak, allowed) = (peak(octets), if octets.len() < MIB { 4 * MIB } else { 8 * octets.len() });
        let found = format!("{what}: {} KiB for {} KiB", peak / 1024, octets.len() / 1024);
        assert!(peak <= allowed, "{found}");
        let share = f64::from(u32::try_from(peak).unwrap()) / f64::from(u32::try_from(allowed).unwrap());
        if share > worst.0 {
            worst = (share, found);
        }
    };
    for &size in sizes {
        for (what, piece) in DENSE {
            for place in places {
                let xml = placed(place, &repeated(piece, size - 1024));
                hold(format!("{what}, {place}"), xml.as_bytes());
                if *place == "ignored" && size < 2 * MIB {
                    let unicode: Vec<u8> =
                        core::iter::once(0xfeff).chain(xml.encode_utf16()).flat_map(u16::to_le_bytes).collect();
                    hold(format!("{what}, UTF-16"), &unicode);
                }
            }
        }
        for (what, xml) in values(size - 4096) {
            assert!(xml.len() <= 4 * MIB, "{what}");
            hold(what.to_owned(), xml.as_bytes());
        }
    }
    println!("the worst: {}", worst.1);
}

/// Documents that become values.
fn values(size: usize) -> Vec<(&'static str, String)> {
    let up_to = |piece: &str, most: usize| piece.repeat((size / piece.len()).min(most));
    let plan = |number: usize| {
        format!(
            "<Plan xmlns='http://www.microsoft.com/networking/CarrierControl/Plans/v1' Name='{number} {}'>\n\
             <Description PlanType='Fixed'><DataLimitInMegabytes>5</DataLimitInMegabytes></Description></Plan>",
            "n".repeat(size.saturating_sub(60_000) / 256)
        )
    };
    let short = |number: usize| format!("<p:Plan Name='{number}'/>");
    let plans = |list: String| {
        document(&format!(
            "<Plans xmlns:p='http://www.microsoft.com/networking/CarrierControl/Plans/v1'>{list}</Plans>"
        ))
    };
    let rule = "<Message><USSDBearer/></Message>";
    let rules = |rules: String, namespaces: &str| {
        document(&format!(
            "<MBNProfiles {namespaces}><Messages xmlns='http://www.microsoft.com/networking/CarrierControl/WWAN/v1'>{rules}\
             </Messages></MBNProfiles>"
        ))
    };
    let profile = |number: usize, ssids: &str| {
        format!(
            "<WLANProfile><name>n{number}</name><SSIDConfig><SSID><name>n</name></SSID>{ssids}</SSIDConfig></WLANProfile>"
        )
    };
    let networks = |profiles: String, namespaces: &str| {
        document(&format!(
            "<WLANProfiles {namespaces}>{}</WLANProfiles>",
            profiles.replace(
                "<WLANProfile>",
                "<WLANProfile xmlns='http://www.microsoft.com/networking/CarrierControl/WLAN/v1' \
                 xmlns:v='http://www.microsoft.com/networking/CarrierControl/WLAN/v2'>"
            )
        ))
    };
    let many = "<v:SSID><v:hex>0a</v:hex></v:SSID>".repeat(9000);
    let namespaces: String = (0..40).map(|n| format!("xmlns:n{n}='{}' ", "u".repeat(1000))).collect();
    let extensions = |inner: String| {
        document(&format!(
            "<Extensions><Extensions_v2 xmlns='http://www.microsoft.com/networking/CarrierControl/v2'><AdditionalPDPContexts>\
             <MultiplePDPContextPolicies><PDPContextPolicy><Name>n</Name><Context/><AppIDList>{inner}</AppIDList>\
             </PDPContextPolicy></MultiplePDPContextPolicies></AdditionalPDPContexts></Extensions_v2></Extensions>"
        ))
    };
    vec![
        ("plans with long names", plans((0..255).map(plan).collect())),
        ("too many plans", plans((0..size / 40).map(short).collect())),
        ("rules", rules(up_to(rule, 49_000), "")),
        ("rules that inherit", rules(up_to(rule, 49_000), &namespaces)),
        ("many small profiles", networks((0..size / 300).map(|n| profile(n, "")).collect(), "")),
        ("profiles that inherit", networks((0..(size / 300).min(1000)).map(|n| profile(n, "")).collect(), &namespaces)),
        ("networks", networks((0..size / many.len()).map(|n| profile(n, &many)).collect(), "")),
        ("programs", extensions(up_to("<AppID/>", 99_000))),
        ("programs with names", extensions(up_to("<AppID>a</AppID>", 99_000))),
        (
            "certificates",
            document(&format!(
                "<Provisioning><TrustedCertificates xmlns:b='http://www.microsoft.com/networking/CarrierControl/Base/v1'>{}\
                 </TrustedCertificates></Provisioning>",
                up_to("<TrustedCertificate><SubjectName/><IssuerName/></TrustedCertificate>", 33_000)
            )),
        ),
    ]
}

/// The most that validating it allocates beyond what there was. The allocator knows the highest
/// mark only, so that what there is is first raised to it.
fn peak(octets: &[u8]) -> usize {
    let below = ALLOCATOR.max_allocated() - ALLOCATOR.allocated();
    let ballast: Vec<u8> = Vec::with_capacity(below);
    let before = ALLOCATOR.allocated();
    let _ = validate(octets).map(drop);
    let peak = ALLOCATOR.max_allocated() - before;
    drop(ballast);
    peak
}

//! What reading a document allocates at most: 4 MiB below 512 KiB, eight times its size above. Of
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

fn filled(size: usize, piece: &str) -> String {
    let body = piece.repeat(size / piece.len());
    document(&format!(
        "<MBNProfiles><w:DefaultProfile><w:Name>n</w:Name><w:Extensions>{body}</w:Extensions></w:DefaultProfile></MBNProfiles>"
    ))
}

/// PROV-006, and the promise about memory, for documents that are costly to a tree.
#[test]
fn parsing_stays_within_its_memory() {
    let plans = |size: usize| {
        let plan = |number: usize| {
            format!(
                "\n    <Plan xmlns='http://www.microsoft.com/networking/CarrierControl/Plans/v1' Name='{number} {}'>\n      \
                 <Description PlanType='Fixed'>\n        <DataLimitInMegabytes>5</DataLimitInMegabytes>\n      </Description>\n\
                 </Plan>",
                "n".repeat(size / 256)
            )
        };
        document(&format!("<Plans>{}</Plans>", (0..255).map(plan).collect::<String>()))
    };
    let networks = |size: usize| {
        let ssid = "<v:SSID><v:hex>0a0b0c0d0e0f</v:hex></v:SSID>";
        let profile = |number: usize| {
            format!(
                "<WLANProfile xmlns='http://www.microsoft.com/networking/CarrierControl/WLAN/v1' \
                 xmlns:v='http://www.microsoft.com/networking/CarrierControl/WLAN/v2'><name>n{number}</name><SSIDConfig><SSID>\
                 <name>n</name></SSID>{}</SSIDConfig></WLANProfile>",
                ssid.repeat(9000)
            )
        };
        let count = (size / ssid.len() / 9000).max(1);
        document(&format!("<WLANProfiles>{}</WLANProfiles>", (0..count).map(profile).collect::<String>()))
    };
    let mut tried = 0;
    for size in [20 * 1024, MIB - 4096, 2 * MIB] {
        for (what, xml) in [
            ("long texts", filled(size, &format!("<x xmlns='u'>{}</x>", "t".repeat(1000)))),
            ("references", filled(size, "&#65;")),
            ("networks", networks(size)),
            ("plans", plans(size)),
        ] {
            let (peak, allowed) = (peak(&xml), (8 * xml.len()).max(4 * MIB));
            println!("{what}: {} KiB for {} KiB", peak / 1024, xml.len() / 1024);
            assert!(peak <= allowed, "{what}: {peak} octets for a document of {}", xml.len());
            tried += 1;
        }
    }
    assert_eq!(tried, 12);
    // What a tree is dearest for, at the limits: bounded all the same.
    for (what, xml) in [
        ("comments", filled(MIB, "<!---->")),
        ("attributes", filled(MIB, "<x xmlns='u' a='1' b='2' c='3' d='4'/>")),
        ("elements and texts", filled(1_400_000, "a<x xmlns='u'/>")),
        ("faults", document(&"a<x/>".repeat(99_000))),
        ("elements", filled(4 * 99_000, "<x/>")),
    ] {
        let peak = peak(&xml);
        println!("{what}: {} KiB for {} KiB", peak / 1024, xml.len() / 1024);
        assert!(peak < 32 * MIB, "{what}: {peak} octets");
    }
}

/// The most that validating it allocates beyond what there was. The allocator knows the highest
/// mark only, so that what there is is first raised to it.
fn peak(xml: &str) -> usize {
    let below = ALLOCATOR.max_allocated() - ALLOCATOR.allocated();
    let ballast: Vec<u8> = Vec::with_capacity(below);
    let before = ALLOCATOR.allocated();
    let _ = validate(xml.as_bytes()).map(drop);
    let peak = ALLOCATOR.max_allocated() - before;
    drop(ballast);
    peak
}

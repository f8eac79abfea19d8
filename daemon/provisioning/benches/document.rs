//! Reading and validating a document of 20 KB, and beside it `xmllint --schema` as a process with
//! the schema documents that say the same.
//!
//! `cargo bench -p daemon-provisioning`. The ratio of the two medians is the figure to look at.
#![allow(missing_docs, reason = "divan makes the functions")]

use std::path::Path;
use std::process::{Command, Stdio};

use daemon_provisioning::validate;
use divan::{AllocProfiler, Bencher, black_box};

#[global_allocator]
static ALLOC: AllocProfiler = AllocProfiler::system();

fn main() {
    divan::main();
}

/// Wi-Fi profiles, plans and a connection profile, 20 KB.
fn document() -> String {
    let profiles: String = (0..28)
        .map(|n| {
            format!(
                "    <WLANProfile xmlns=\"http://www.microsoft.com/networking/CarrierControl/WLAN/v1\">\n      <name>Network {n}\
                 </name>\n      <AssociatedPlan>Plan {n}</AssociatedPlan>\n      <SSIDConfig><SSID><name>ssid-{n}</name></SSID>\
                 </SSIDConfig>\n      <MSM><security><authEncryption><authentication>WPA2PSK</authentication>\
                 <encryption>AES</encryption></authEncryption><sharedKey><keyType>passPhrase</keyType>\
                 <protected>false</protected><keyMaterial>correct horse {n}</keyMaterial></sharedKey></security></MSM>\n    \
                 </WLANProfile>\n"
            )
        })
        .collect();
    let plans: String = (0..28)
        .map(|n| {
            format!(
                "    <Plan xmlns=\"http://www.microsoft.com/networking/CarrierControl/Plans/v1\" Name=\"Plan {n}\">\
                 <Description PlanType=\"Fixed\"><DataLimitInMegabytes>5000</DataLimitInMegabytes></Description></Plan>\n"
            )
        })
        .collect();
    format!(
        "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n\
         <CarrierProvisioning xmlns=\"http://www.microsoft.com/networking/CarrierControl/v1\">\n  <Global>\n    \
         <CarrierId>{{7d3c1f52-0b5e-4c7a-9a41-5e2f6b8c9d10}}</CarrierId>\n    <SubscriberId>001010123456789</SubscriberId>\n  \
         </Global>\n  <WLANProfiles>\n{profiles}  </WLANProfiles>\n  <Plans>\n{plans}  </Plans>\n</CarrierProvisioning>\n"
    )
}

#[divan::bench]
fn parse_and_validate(bencher: Bencher<'_, '_>) {
    let xml = document();
    assert!((19_000..22_000).contains(&xml.len()), "{} octets", xml.len());
    bencher.bench_local(|| validate(black_box(xml.as_bytes())).map(drop).is_ok());
}

/// With its start, its reading of the schema and its end, as a script would do it.
#[divan::bench(sample_count = 30, sample_size = 1)]
fn xmllint_as_a_process(bencher: Bencher<'_, '_>) {
    let folder = std::env::temp_dir().join(format!("document-bench-{}", std::process::id()));
    if std::fs::create_dir_all(&folder).is_err() {
        return;
    }
    let file = folder.join("document.xml");
    let schema = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/generated/provisioning/cc.xsd");
    let run = || {
        let mut command = Command::new("xmllint");
        command.args(["--nonet", "--noout", "--schema"]).arg(&schema).arg(&file);
        command.stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok_and(|status| status.success())
    };
    if std::fs::write(&file, document()).is_ok() && run() {
        bencher.bench_local(run);
    } else {
        println!("xmllint is not there (package libxml2-utils)");
    }
    // A folder that stays is in nobody's way.
    let _ = std::fs::remove_dir_all(&folder);
}

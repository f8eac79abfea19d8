//! Offline commands, end to end through the built program: what they print and how they exit.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)] // a panic in a test is the report

use std::path::PathBuf;
use std::process::{Command, Output};

use serde_json::{Value, json};

fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_mbimctl"));
    command.args(arguments);
    command
}

fn run(arguments: &[&str]) -> Output {
    command(arguments).output().unwrap()
}

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

#[track_caller]
fn json(arguments: &[&str], status: i32) -> Value {
    let output = run(arguments);
    assert_eq!(output.status.code(), Some(status), "{}", String::from_utf8_lossy(&output.stderr));
    let text = stdout(&output);
    assert_eq!(text.lines().count(), 1, "one object on one line: {text}");
    serde_json::from_str(&text).unwrap()
}

fn file(folder: &tempfile::TempDir, name: &str, content: &[u8]) -> String {
    let path: PathBuf = folder.path().join(name);
    std::fs::write(&path, content).unwrap();
    path.to_str().unwrap().to_owned()
}

#[test]
fn hardware_ids_in_match_order() {
    let value = json(
        &[
            "hwid",
            "--json",
            "--imsi",
            "001015512345678",
            "--provider-id",
            "00101",
            "--provider-name",
            "Contoso Wireless",
        ],
        0,
    );
    let hwids = value["hwids"].as_array().unwrap();
    assert_eq!(hwids[0], json!({ "criterion": "provider-name", "value": "MBOP:1:N00:2ER5CHVSGDC3KDTK5WDNT3WZ" }));
    assert!(hwids.contains(&json!({ "criterion": "imsi", "value": "MBOP:1:I13:OS3HHIN7UL6UTNYGAJMF2IHR" })));
    assert_eq!(
        hwids.last().unwrap(),
        &json!({ "criterion": "provider-id", "value": "MBOP:1:P00:VFONWKK5SX2HEHOEZ276VRNQ" })
    );
    let text = stdout(&run(&["hwid", "--provider-id", "00101"]));
    assert_eq!(text, "provider-id  MBOP:1:P00:VFONWKK5SX2HEHOEZ276VRNQ\n");
}

const DATABASE: &str = r#"<?xml version="1.0"?>
<!DOCTYPE serviceproviders SYSTEM "serviceproviders.2.dtd">
<serviceproviders format="2.0">
<country code="xx"><provider><name>Contoso</name><gsm><network-id mcc="001" mnc="01"/>
<apn value="internet"><usage type="internet"/><authentication method="pap"/><username>web</username><password>secret</password></apn>
<apn value="mms.contoso"><usage type="mms"/></apn>
</gsm></provider></country></serviceproviders>"#;

#[test]
fn access_points_with_their_reasons() {
    let folder = tempfile::tempdir().unwrap();
    let database = file(&folder, "db.xml", DATABASE.as_bytes());
    let value = json(&["--json", "apn", "--imsi", "001015512345678", "--mnc-length", "2", "--database", &database], 0);
    assert_eq!(value["match"], "exact");
    assert_eq!(value["operator"], json!({ "name": "Contoso", "country": "xx", "layer": "vendor" }));
    assert_eq!(value["portal_url"], Value::Null);
    let first = &value["candidates"][0];
    assert_eq!((first["apn"].as_str(), first["type"][0].as_str()), (Some("internet"), Some("internet")));
    assert_eq!((first["auth"].as_str(), first["username"].as_str()), (Some("pap"), Some("web")));
    assert_eq!((first["criterion"].as_str(), first["source"].as_str()), (Some("plmn-unique"), Some("vendor")));
    assert!(first.get("ip_type").is_some());
    assert!(!value.to_string().contains("secret"), "passwords are not printed");

    let hwid = "MBOP:1:P00:VFONWKK5SX2HEHOEZ276VRNQ";
    let select = format!(r#"<ov:select hwid="{hwid}"/>"#);
    let overlay = DATABASE
        .replace("<serviceproviders ", r#"<serviceproviders xmlns:ov="urn:x-operator-overlay:1" "#)
        .replace("<apn value=\"internet", &format!("{select}<apn value=\"internet"));
    let overlay = file(&folder, "overlay.xml", overlay.as_bytes());
    let question = ["apn", "--imsi", "001015512345678", "--provider-id", "00101", "--mnc-length", "2"];
    let question = [&question[..], &["--database", &database, "--overlay", &overlay]].concat();
    let value = json(&[&question[..], &["--json"]].concat(), 0);
    assert_eq!((&value["rule"], &value["selectors"]), (&json!("selector"), &json!({ "hwid": hwid })));
    let text = stdout(&run(&question));
    assert!(
        text.starts_with(&format!("Contoso (xx): exact match by selector (hwid {hwid}), from the overlay")),
        "{text}"
    );

    let none = json(&["apn", "--json", "--imsi", "999995512345678", "--database", &database], 0);
    assert_eq!((none["match"].as_str(), &none["operator"]), (Some("none"), &Value::Null));
    let broken = file(&folder, "broken.xml", b"<serviceproviders");
    assert_eq!(run(&["apn", "--imsi", "001015512345678", "--database", &broken]).status.code(), Some(6));
    assert_eq!(run(&["apn", "--database", "/nonexistent"]).status.code(), Some(1));
    assert_eq!(run(&["apn", "--mnc-length", "4"]).status.code(), Some(2));
}

#[test]
fn a_package_stands_before_an_overlay() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir_all(folder.path().join("p/ServiceInformation")).unwrap();
    let database = file(&folder, "db.xml", DATABASE.as_bytes());
    let hwid = "MBOP:1:P00:VFONWKK5SX2HEHOEZ276VRNQ";
    let info = format!("<PackageInfo><HardwareID>DOID:{hwid}</HardwareID></PackageInfo>");
    file(&folder, "p/PackageInfo.xml", info.as_bytes());
    let service = b"<ServiceInfo><ServiceProvider>Contoso Package</ServiceProvider></ServiceInfo>";
    file(&folder, "p/ServiceInformation/ServiceInfo.xml", service);
    let broadband = b"<MobileBroadbandInfo><NetworkConfiguration><MobileBroadbandProfiles><Internet>i.xml</Internet>\
        </MobileBroadbandProfiles></NetworkConfiguration></MobileBroadbandInfo>";
    file(&folder, "p/ServiceInformation/MobileBroadbandInfo.xml", broadband);
    let profile = b"<MBNProfile><Context><AccessString>packaged</AccessString></Context></MBNProfile>";
    file(&folder, "p/ServiceInformation/i.xml", profile);
    let package = folder.path().join("p").display().to_string();
    let numbers = ["apn", "--json", "--imsi", "001015512345678", "--mnc-length", "2", "--provider-id", "00101"];
    let value = json(&[&numbers[..], &["--database", &database, "--metadata", &package]].concat(), 0);
    assert_eq!(value["operator"]["layer"], "service-metadata");
    let names: Vec<_> = value["candidates"].as_array().unwrap().iter().map(|c| (&c["apn"], &c["criterion"])).collect();
    assert_eq!(names, [(&json!("packaged"), &json!("service-metadata")), (&json!("internet"), &json!("plmn-unique"))]);
    assert_eq!(value["selectors"]["hwid"], hwid);
    assert_eq!(run(&["apn", "--metadata", "/nonexistent"]).status.code(), Some(1));
}

#[test]
fn databases_of_others_become_overlays() {
    let folder = tempfile::tempdir().unwrap();
    let android = r#"<apns version="8">
<apn carrier="Contoso" mcc="001" mnc="01" apn="internet" type="default,supl" authtype="1" user="web"/>
<apn carrier="Nowhere" mcc="" mnc="" apn="nowhere"/></apns>"#;
    let list = file(&folder, "apns-conf.xml", android.as_bytes());
    let output = run(&["apn", "import", &list]);
    assert_eq!(output.status.code(), Some(0));
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(told.contains("apns-conf.xml:3:1: unusable value of mcc and mnc ignored"), "{told}");
    let overlay = file(&folder, "10-android.xml", &output.stdout);
    let question = ["apn", "--json", "--imsi", "001019912345678", "--mnc-length", "2", "--overlay", &overlay];
    let value = json(&[&question[..], &["--database", &file(&folder, "db.xml", DATABASE.as_bytes())]].concat(), 0);
    assert_eq!(value["operator"], json!({ "name": "Contoso", "country": "", "layer": "overlay" }));
    assert_eq!((&value["candidates"][0]["apn"], &value["candidates"][0]["auth"]), (&json!("internet"), &json!("pap")));

    let value = json(&["apn", "import", "--json", &list], 0);
    assert_eq!((&value["format"], &value["records"]), (&json!("android"), &json!(1)));
    assert_eq!(value["problems"].as_array().unwrap().len(), 1);
    assert!(value["overlay"].as_str().unwrap().starts_with("<?xml"));
    let other = file(&folder, "other.xml", b"<other/>");
    let refused = run(&["apn", "import", &other]);
    assert_eq!(refused.status.code(), Some(6));
    assert!(String::from_utf8_lossy(&refused.stderr).contains("other.xml:1:1"), "says where");
    assert_eq!(run(&["apn", "import"]).status.code(), Some(2));
}

#[test]
fn hand_over_urls() {
    let arguments = [
        "portal-url",
        "--url",
        "https://portal.contoso.example/start",
        "--imsi",
        "001015512345678",
        "--imei",
        "490154203237518",
    ];
    let want = "https://portal.contoso.example/start?SubId=001015512345678&DevId=490154203237518";
    assert_eq!(stdout(&run(&arguments)), format!("{want}\n"));
    let with_json: Vec<&str> = arguments.iter().copied().chain(["--json"]).collect();
    assert_eq!(json(&with_json, 0)["url"], want);
    let plain = run(&["portal-url", "--url", "http://portal.contoso.example/"]);
    assert_eq!(plain.status.code(), Some(6), "only https");
    assert_eq!(run(&["portal-url"]).status.code(), Some(2));
}

/// OPEN, transaction 1, 4096 octets.
const OPEN: &str = "01000000 10000000 01000000 00100000";

#[test]
fn messages_from_places_and_files() {
    let value = json(&["decode", "--json", OPEN], 0);
    assert_eq!((&value["message"], &value["transaction"], &value["error"]), (&json!("open"), &json!(1), &Value::Null));
    for key in ["service", "cid", "operation", "status", "body"] {
        assert!(value.get(key).is_some(), "{key}");
    }
    let separate: Vec<&str> = ["decode", "--json"].into_iter().chain(OPEN.split(' ')).collect();
    assert_eq!(json(&separate, 0), value);

    let folder = tempfile::tempdir().unwrap();
    let octets: Vec<u8> = [1u32, 16, 1, 4096].iter().flat_map(|word| word.to_le_bytes()).collect();
    let raw = file(&folder, "raw.bin", &[octets.clone(), octets].concat());
    let both = run(&["decode", "--json", &raw]);
    assert_eq!(stdout(&both).lines().count(), 2, "one object for each message");
    let hex = file(&folder, "message.hex", OPEN.replace(' ', "\n").as_bytes());
    assert_eq!(json(&["decode", "--json", &hex], 0), value);
}

#[test]
fn damaged_messages_say_what_is_wrong() {
    let value = json(&["decode", "--json", "0100000010000000"], 6);
    assert_ne!(value["error"], Value::Null);
    assert_eq!(run(&["decode", "no-such-file"]).status.code(), Some(6));
    assert_eq!(run(&["decode"]).status.code(), Some(2));
}

/// A capture of a session that agrees on release 2 of the extensions, in which an answer comes in fragments.
fn capture() -> Vec<u8> {
    use mbim_capture::{Direction::*, write};
    use mbim_proto::message::{Command, CommandDone, Content, Open};
    use mbim_proto::service::basic_connect::{PacketServiceV2, SubscriberReady};
    use mbim_proto::service::ms_basic_connect_ext::Version;
    use mbim_proto::{Message, Status, fragment};
    let version = Version { version: 0x100, extended_version: 0x300 };
    let agreed = Version { extended_version: 0x200, ..version };
    let packet = PacketServiceV2 {
        frequency_range: mbim_proto::service::basic_connect::FrequencyRange(1),
        ..Default::default()
    };
    let ready = SubscriberReady { subscriber_id: "001010123456789".into(), ..Default::default() };
    let messages = [
        (Sent, Message::new(1, Content::Open(Open { max_control_transfer: 64 }))),
        (Sent, Command::query(&version).unwrap().message(2)),
        (Received, CommandDone::with(Status::SUCCESS, &agreed).message(2)),
        (Received, CommandDone::with(Status::SUCCESS, &packet).message(3)),
        (Received, CommandDone::with(Status::SUCCESS, &ready).message(4)),
    ];
    let mut file = write::start();
    for (number, (direction, message)) in messages.iter().enumerate() {
        let time = std::time::Duration::from_millis(1_700_000_000_000 + 250 * number as u64);
        for frame in fragment::fragments(&message.encode(), 64) {
            file.extend(write::frame(time, *direction, &frame));
        }
    }
    file
}

#[test]
fn captures_are_decoded_with_time_direction_and_release() {
    let folder = tempfile::tempdir().unwrap();
    let path = file(&folder, "trace.pcapng", &capture());
    let output = run(&["decode", "--json", &path]);
    assert_eq!(output.status.code(), Some(0));
    let lines: Vec<Value> = stdout(&output).lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let told: Vec<_> = lines.iter().map(|line| (line["cid"].clone(), line["direction"].clone())).collect();
    let want = [
        (Value::Null, json!("sent")),
        (json!("version"), json!("sent")),
        (json!("version"), json!("received")),
        (json!("packet-service"), json!("received")),
        (json!("subscriber-ready-status"), json!("received")),
    ];
    assert_eq!(told, want);
    assert!(lines[3]["body"]["frequency_range"].is_array(), "the layout of 2.0: {}", lines[3]);
    assert_eq!(lines[4]["body"]["subscriber_id"], "###");
    assert_eq!(lines[4]["time"], 1_700_000_001.0);

    let text = stdout(&run(&["decode", "--reveal", &path]));
    assert!(text.contains("0.250000 sent: command #2 ms-basic-connect-extensions version query"), "{text}");
    assert!(text.contains("1.000000 received: command-done #4") && text.contains("001010123456789"), "{text}");
    let forced = stdout(&run(&["decode", "--json", "--mbimex", "1", &path]));
    let forced: Value = serde_json::from_str(forced.lines().nth(3).unwrap()).unwrap();
    assert!(forced["body"].get("frequency_range").is_none(), "the layout of 1.0 was asked for");
    assert_eq!(forced["trailing"]["offset"], 48 + 28);
}

#[test]
fn broken_captures_show_what_they_have() {
    let folder = tempfile::tempdir().unwrap();
    let whole = capture();
    let path = file(&folder, "cut.pcapng", &whole[..whole.len() - 4]);
    let output = run(&["decode", "--json", &path]);
    assert_eq!(output.status.code(), Some(6));
    let lines: Vec<Value> = stdout(&output).lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.len(), 6, "four messages, a block that ends too early, a message without its end");
    assert!(lines[4]["error"]["problem"].as_str().unwrap().starts_with("block at byte "), "{}", lines[4]);
    assert_eq!(lines[5]["error"]["problem"], "transaction 4: its last fragments are missing");
    let text = stdout(&run(&["decode", &path]));
    assert!(text.ends_with("error: transaction 4: its last fragments are missing\n"), "{text}");
}

#[test]
fn a_capture_answers_as_the_modem_did() {
    use std::io::{BufRead, BufReader, Read, Write};
    use std::os::unix::net::UnixStream;
    use std::process::Stdio;

    use mbim_proto::Status;
    use mbim_proto::message::{Command, CommandDone};
    use mbim_proto::service::ms_basic_connect_ext::Version;

    let folder = tempfile::tempdir().unwrap();
    let path = file(&folder, "trace.pcapng", &capture());
    let socket = folder.path().join("modem");
    let listen = format!("unix:{}", socket.display());
    /// Nothing stays when an assertion fails.
    struct Guard(std::process::Child);
    impl Drop for Guard {
        fn drop(&mut self) {
            let _ = self.0.kill();
            let _ = self.0.wait();
        }
    }
    let mut child = command(&["replay", "--json", "--once", "--listen", &listen, &path]);
    let mut child = Guard(child.stdout(Stdio::piped()).spawn().unwrap());
    let mut line = String::new();
    BufReader::new(child.0.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let told: Value = serde_json::from_str(&line).unwrap();
    assert_eq!(told, json!({"listening": listen, "commands": 1}));

    let mut stream = UnixStream::connect(&socket).unwrap();
    stream.set_read_timeout(Some(std::time::Duration::from_secs(60))).unwrap();
    let ask = Version { version: 0x100, extended_version: 0x300 };
    let asked = Command::query(&ask).unwrap().message(9).encode();
    let (first, rest) = asked.split_at(5);
    stream.write_all(first).unwrap();
    stream.write_all(rest).unwrap();
    let agreed = Version { extended_version: 0x200, ..ask };
    let want = CommandDone::with(Status::SUCCESS, &agreed).message(9).encode();
    let mut answer = vec![0; want.len()];
    stream.read_exact(&mut answer).unwrap();
    assert_eq!(answer, want, "in the transaction of this host");
    drop(stream);
    assert!(child.0.wait().unwrap().success());
    assert!(!socket.exists(), "nothing is left");

    let empty = file(&folder, "empty.pcapng", &mbim_capture::write::start());
    assert_eq!(run(&["replay", "--listen", &listen, &empty]).status.code(), Some(6), "no commands in it");
    assert_eq!(run(&["replay", "--listen", "tcp:1", &path]).status.code(), Some(2));
    assert_eq!(run(&["replay", &path]).status.code(), Some(2));
}

const DOCUMENT: &str = r#"<?xml version="1.0"?>
<CarrierProvisioning xmlns="http://www.microsoft.com/networking/CarrierControl/v1">
  <Global>
    <CarrierId>{7d3c1f52-0b5e-4c7a-9a41-5e2f6b8c9d10}</CarrierId>
    <SubscriberId>001010123456789</SubscriberId>
  </Global>
</CarrierProvisioning>
"#;

#[test]
fn documents_are_checked_with_places() {
    let folder = tempfile::tempdir().unwrap();
    let good = file(&folder, "good.xml", DOCUMENT.as_bytes());
    assert_eq!(stdout(&run(&["provision", "validate", &good])), "valid\n");
    let value = json(&["provision", "validate", "--json", &good], 0);
    assert_eq!((&value["valid"], &value["signed"], &value["violations"]), (&json!(true), &json!(false), &json!([])));

    let bad =
        file(&folder, "bad.xml", DOCUMENT.replace("    <SubscriberId>001010123456789</SubscriberId>\n", "").as_bytes());
    let output = run(&["provision", "validate", &bad]);
    assert_eq!(output.status.code(), Some(6));
    let text = stdout(&output);
    let mut parts = text.strip_prefix(&format!("{bad}:")).unwrap().splitn(4, ':');
    assert!(parts.next().unwrap().parse::<u32>().is_ok() && parts.next().unwrap().parse::<u32>().is_ok(), "{text}");
    assert!(parts.next().unwrap().contains("/CarrierProvisioning/Global"), "{text}");
    let value = json(&["provision", "validate", "--json", &bad], 6);
    assert_eq!(value["valid"], false);
    for key in ["line", "column", "path", "rule"] {
        assert!(value["violations"][0].get(key).is_some(), "{key}");
    }
    assert_eq!(run(&["provision", "validate", "/nonexistent"]).status.code(), Some(1));
}

#[test]
fn plans_are_lists_of_steps() {
    let folder = tempfile::tempdir().unwrap();
    let good = file(&folder, "good.xml", DOCUMENT.as_bytes());
    let value = json(&["provision", "plan", "--json", &good], 0);
    assert!(value["steps"].is_array());
    assert_eq!(run(&["provision", "plan", &file(&folder, "x", b"<x/>")]).status.code(), Some(6));
}

#[test]
fn usage_errors_and_a_missing_daemon() {
    assert_eq!(run(&[]).status.code(), Some(2));
    assert_eq!(run(&["frobnicate"]).status.code(), Some(2));
    assert_eq!(run(&["--bus", "nowhere", "list"]).status.code(), Some(2));
    let output = run(&["--bus", "unix:path=/nonexistent/bus", "list"]);
    assert_eq!(output.status.code(), Some(3));
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(text.contains("mbimd is not running") && text.contains("try: "), "{text}");
}

#[test]
fn help_names_every_command_of_the_contract() {
    let help = stdout(&run(&["--help"]));
    for command in [
        "list",
        "status",
        "monitor",
        "explain",
        "identity",
        "connect",
        "disconnect",
        "settings",
        "radio",
        "pin",
        "signal",
        "portal",
        "provision",
        "hwid",
        "apn",
        "portal-url",
        "decode",
        "replay",
    ] {
        assert!(help.lines().any(|line| line.trim_start().starts_with(&format!("{command} "))), "{command}\n{help}");
        let own = run(&[command, "--help"]);
        assert_eq!(own.status.code(), Some(0));
        assert!(stdout(&own).contains("--json") && stdout(&own).contains("--bus"), "{command}");
    }
}

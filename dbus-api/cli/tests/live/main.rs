//! Live commands through the built program, against a stand-in for the daemon on a private bus.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)] // a panic in a test is the report

mod daemon;

use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Output, Stdio};

use serde_json::{Value, json};

use daemon::Stand;

fn command(stand: &Stand, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_mbimctl"));
    command.args(["--bus", stand.address()]).args(arguments);
    command
}

fn run(stand: &Stand, arguments: &[&str]) -> Output {
    command(stand, arguments).stdin(Stdio::null()).output().unwrap()
}

#[track_caller]
fn object(output: &Output, status: i32) -> Value {
    assert_eq!(output.status.code(), Some(status), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout.clone()).unwrap();
    assert_eq!(text.lines().count(), 1, "one object on one line: {text}");
    serde_json::from_str(&text).unwrap()
}

fn stdout(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn a_bus_without_the_daemon() {
    let stand = Stand::without_daemon();
    for arguments in [&["list"][..], &["status"], &["provision", "list"], &["connect", "0"]] {
        let output = run(&stand, arguments);
        assert_eq!(output.status.code(), Some(3), "{arguments:?}");
        assert!(stderr(&output).contains("systemctl start mbimd"));
    }
}

#[test]
fn list_and_status() {
    let stand = Stand::new();
    let value = object(&run(&stand, &["list", "--json"]), 0);
    assert_eq!(
        value,
        json!({ "modems": [{
            "index": 0, "path": "/org/mbimd/Mbimd1/modem/0", "control_port": "/dev/cdc-wdm0", "data_port": "wwan0",
            "hardware": "Virtual", "state": "registered", "custody": "held", "network_name": "Contoso",
        }] })
    );
    assert_eq!(
        String::from_utf8_lossy(&run(&stand, &["list"]).stdout),
        "0  registered  /dev/cdc-wdm0, wwan0  Virtual  Contoso\n"
    );

    let value = object(&run(&stand, &["status", "wwan0", "--json"]), 0);
    let modem = &value["modem"];
    assert_eq!((&modem["state"], &modem["index"]), (&json!("registered"), &json!(0)));
    assert_eq!(modem["state_reason"], json!({ "code": "waiting", "text": "Waiting for the network." }));
    assert_eq!(modem["sim"]["imsi"], "00101********98");
    assert_eq!(modem["connection"]["state"], "down");
    assert_eq!(modem["connectivity"]["state"], "none");
    let text = String::from_utf8_lossy(&run(&stand, &["status"]).stdout).into_owned();
    assert!(text.contains("state         registered: Waiting for the network."), "{text}");
}

#[test]
fn modems_that_are_not_there() {
    let stand = Stand::new();
    for word in ["1", "wwan9", "/org/mbimd/Mbimd1/modem/1"] {
        let output = run(&stand, &["status", word]);
        assert_eq!(output.status.code(), Some(4), "{word}");
        assert!(stderr(&output).contains("mbimctl list"));
    }
}

#[test]
fn connect_waits_for_the_end() {
    let stand = Stand::new();
    let value = object(&run(&stand, &["connect", "--json"]), 0);
    assert_eq!((&value["modem"], &value["connection"]["state"]), (&json!(0), &json!("up")));
    let text = run(&stand, &["connect", "0"]);
    assert_eq!(String::from_utf8_lossy(&text.stdout), "connected: wwan0 10.64.0.2/30\n");

    let refused = run(&stand, &["connect", "--apn", "refused"]);
    assert_eq!(refused.status.code(), Some(1));
    assert!(
        stderr(&refused).contains("cause 27") && stderr(&refused).contains("mbimctl explain"),
        "{}",
        stderr(&refused)
    );
    let late = run(&stand, &["connect", "--apn", "never", "--timeout", "1"]);
    assert_eq!(late.status.code(), Some(1));
    assert_eq!(object(&run(&stand, &["disconnect", "--json"]), 0)["connection"]["state"], "down");
}

#[test]
fn sessions_beside_the_default_connection() {
    let stand = Stand::new();
    let value = object(&run(&stand, &["connect", "--session", "2", "--apn", "ims", "--json"]), 0);
    let wanted = json!({
        "session": 2, "state": "up", "interface": "wwan0.2", "apn": "ims", "addresses": ["10.64.2.2/30"],
    });
    assert_eq!(value, json!({ "modem": 0, "connection": wanted }));
    let text = run(&stand, &["connect", "--session", "7", "--apn", "ims"]);
    assert_eq!(String::from_utf8_lossy(&text.stdout), "connected: wwan0.7 10.64.2.2/30\n");
    let value = object(&run(&stand, &["status", "--json"]), 0);
    assert_eq!(value["modem"]["connection"]["state"], "down", "the default connection is another thing");
    assert_eq!(value["modem"]["connection"]["sessions"][0], wanted);
    assert_eq!(value["modem"]["connection"]["sessions"].as_array().unwrap().len(), 2);
    let text = String::from_utf8_lossy(&run(&stand, &["status"]).stdout).into_owned();
    assert!(text.contains("session 2     up, wwan0.2 10.64.2.2/30, apn ims"), "{text}");

    let value = object(&run(&stand, &["disconnect", "--session", "2", "--json"]), 0);
    assert_eq!(value, json!({ "modem": 0, "connection": { "session": 2, "state": "down" } }));
    assert_eq!(String::from_utf8_lossy(&run(&stand, &["disconnect", "--session", "7"]).stdout), "down\n");
    for wrong in ["256", "-1", "two"] {
        assert_eq!(run(&stand, &["connect", "--session", wrong]).status.code(), Some(2), "{wrong}");
    }
}

#[test]
fn a_daemon_that_leaves_ends_the_wait() {
    let stand = Stand::new();
    let mut child = command(&stand, &["connect", "--apn", "never"]).stderr(Stdio::piped()).spawn().unwrap();
    stand.wait_for_call();
    stand.stop_daemon();
    assert_eq!(child.wait().unwrap().code(), Some(3));
}

#[test]
fn what_is_refused_says_so() {
    let stand = Stand::new();
    let output = run(&stand, &["identity", "--reveal"]);
    assert_eq!(output.status.code(), Some(5));
    assert!(stderr(&output).contains("org.mbimd.identity"));
    let masked = object(&run(&stand, &["identity", "--json"]), 0);
    assert_eq!(masked, json!({ "imsi": "00101********98", "masked": true }));
}

#[test]
fn settings_are_read_and_changed() {
    let stand = Stand::new();
    assert_eq!(object(&run(&stand, &["settings", "--json"]), 0), json!({ "autoconnect": true, "roaming": "home" }));
    assert_eq!(object(&run(&stand, &["settings", "set", "roaming", "any", "--json"]), 0), json!({ "roaming": "any" }));
    assert_eq!(
        object(&run(&stand, &["settings", "0", "set", "roaming", "default", "--json"]), 0),
        json!({ "roaming": "home" })
    );
    let text = String::from_utf8_lossy(&run(&stand, &["settings", "get"]).stdout).into_owned();
    assert!(text.starts_with("autoconnect  yes\nroaming      home\napn          default\n"), "{text}");
    assert_eq!(run(&stand, &["settings", "set", "colour", "red"]).status.code(), Some(2));
}

#[test]
fn pins_come_from_standard_input() {
    let stand = Stand::new();
    let enter = |line: &str| {
        let mut child = command(&stand, &["pin", "enter"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all(line.as_bytes()).unwrap();
        child.wait_with_output().unwrap()
    };
    assert_eq!(enter("1234\n").status.code(), Some(0));
    let wrong = enter("9999\n");
    assert_eq!(wrong.status.code(), Some(1));
    assert!(!stderr(&wrong).contains("9999"));
    assert_eq!(enter("").status.code(), Some(2));
}

#[test]
fn the_chain_and_the_portal() {
    let stand = Stand::new();
    let value = object(&run(&stand, &["explain", "--json"]), 0);
    assert_eq!(
        value["chain"][1],
        json!({ "link": "connection", "verdict": "waiting", "cause": "Not connected.", "next": "mbimctl connect" })
    );
    let text = String::from_utf8_lossy(&run(&stand, &["explain"]).stdout).into_owned();
    assert!(text.ends_with("next: mbimctl connect\n"), "{text}");
    let value = object(&run(&stand, &["portal", "--json"]), 0);
    assert_eq!((&value["source"], &value["opened"]), (&json!("operator"), &json!(false)));
    assert_eq!(object(&run(&stand, &["radio", "off", "--json"]), 0), json!({ "modem": 0, "radio": "off" }));
    assert_eq!(object(&run(&stand, &["signal", "--json"]), 0)["signal"], json!({ "quality": 70, "rsrp": -95 }));
}

#[test]
fn documents_are_applied_and_reported() {
    let stand = Stand::new();
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let good = file("good.xml", "<good/>");
    let value = object(&run(&stand, &["provision", "apply", &good, "--json"]), 0);
    assert_eq!(value["all_elements_provisioned"], true);
    assert_eq!(value["results_xml"], "<results/>");
    assert_eq!(value["steps"][0], json!({ "id": "mbn/default", "what": "store", "outcome": "done", "error": null }));
    assert_eq!(value["activation"], Value::Null, "without --wait the activation is not waited for");
    let value = object(&run(&stand, &["provision", "apply", &good, "--json", "--wait"]), 0);
    assert_eq!((&value["state"], &value["activation"]), (&json!("done"), &json!("00000000")));
    let refused = run(&stand, &["provision", "apply", &file("bad.xml", "<bad/>")]);
    assert_eq!(refused.status.code(), Some(6));
    assert!(stderr(&refused).contains("82170002"));
    // As a desktop opens it: told before the terminal closes.
    let opened = run(&stand, &["provision", "open", "--pause", &file("bad.xml", "<bad/>")]);
    let said = stderr(&opened);
    assert!(opened.status.code() == Some(6) && said.matches("82170002").count() == 1, "{said}");
    assert!(said.ends_with("Press Enter to close."), "{said}");
    assert_eq!(object(&run(&stand, &["provision", "list", "--json"]), 0)["jobs"].as_array().unwrap().len(), 2);
    let shown = object(&run(&stand, &["provision", "show", "--json"]), 0);
    assert_eq!((&shown["results_xml"], &shown["document"]["id"]), (&json!("<results/>"), &json!(2)));
    let listed = stdout(&run(&stand, &["provision", "list"]));
    assert!(listed.contains("1  2026-06-01T00:00:00Z  app  applied"), "{listed}");
    let shown = stdout(&run(&stand, &["provision", "show", "1"]));
    assert!(shown.contains("newer one  2026-06-02T00:00:00Z") && shown.contains("applied"), "{shown}");
    assert_eq!(run(&stand, &["provision", "show", "9"]).status.code(), Some(1));
    assert_eq!(stdout(&run(&stand, &["provision", "refresh", "1"])), "there is no newer document\n");
    let failed = run(&stand, &["provision", "refresh", "2"]);
    assert!(failed.status.code() == Some(1) && stderr(&failed).contains("status 500"), "{}", stderr(&failed));
    assert_eq!(run(&stand, &["provision", "refresh", "3"]).status.code(), Some(1));
    assert_eq!(object(&run(&stand, &["provision", "remove", "2", "--json"]), 0), json!({ "removed": 2 }));
    assert_eq!(run(&stand, &["provision", "remove", "2"]).status.code(), Some(1));
}

#[test]
fn changes_are_followed() {
    let stand = Stand::new();
    let mut child = command(&stand, &["monitor", "--json"]).stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut next = || serde_json::from_str::<Value>(&lines.next().unwrap().unwrap()).unwrap();
    let first = next();
    assert_eq!(
        (&first["event"], &first["modem"], &first["fields"]["state"]),
        (&json!("present"), &json!(0), &json!("registered"))
    );
    assert!(first["time_ms"].is_u64());
    run(&stand, &["connect"]);
    let mut events = vec![next()];
    while events.last().unwrap()["event"] != "finished" {
        events.push(next());
    }
    assert!(events.iter().any(|line| line["event"] == "connection" && line["fields"]["state"] == "up"), "{events:?}");
    stand.stop_daemon();
    assert_eq!(child.wait().unwrap().code(), Some(3));
}

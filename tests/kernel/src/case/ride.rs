//! `mbimctl trace --proxy` on Debian's `mbim-proxy`, beside the ModemManager whose modem it is and which is connected.

use std::fs;

use core::time::Duration;

use harness::usb::UsbLine;
use harness::virtual_modem::{Direction, Order, kind};
use harness::wait;
use scenarios::canary::Search;
use serde_json::Value;

use super::Outcome;
use super::modemmanager::json;
use crate::guest::Guest;

/// How long one thing may take.
const PATIENCE: Duration = Duration::from_secs(120);
/// The control port.
const NODE: &str = "/dev/cdc-wdm0";
/// Per cent of ModemManager's signal quality that a poor signal has not.
const FAIR: u32 = 30;
/// What a trace shows when all its questions are answered.
const ASKED: &str = "ip-configuration response: success";
/// What it shows when the modem tells of the signal.
const TOLD: &str = "signal-state notify";

/// Two traces, one as text and one into a file: questions are answered, what the modem says comes to both, nobody is in the
/// file, decode reads it in the release that ModemManager agreed on, and ModemManager notices nothing.
pub(super) async fn beside(guest: &mut Guest, line: &UsbLine, modem: &str) -> Outcome {
    let proxy = guest.command("pidof", &["mbim-proxy"]).await?.success()?;
    let sessions = upheavals(line).await?;
    let capture = guest.logs().join("ridden.pcapng");
    let file = capture.display().to_string();
    guest.spawn("watch", "mbimctl", &["trace", "--proxy", NODE, "--ask"])?;
    guest.spawn("written", "mbimctl", &["trace", "--proxy", NODE, "--ask", "--write", &file])?;
    let log = guest.logs().join("watch.log");
    let shown = || fs::read(&log).map(|text| String::from_utf8_lossy(&text).into_owned()).unwrap_or_default();
    for (what, mark) in [("the answers", ASKED), ("the indication", TOLD)] {
        if mark == TOLD {
            line.order(Order::Signal { rssi: 7, error_rate: 99 });
        }
        wait::until(what, PATIENCE, || async {
            let both = shown().contains(mark) && decoded(guest, &file).await?.contains(mark);
            both.then_some(())
        })
        .await?;
    }
    guest.stop("watch").await?;
    guest.stop("written").await?;

    // Whole, in the layouts of the release in force, and without who it is about.
    let text = decoded(guest, &file).await.ok_or("the capture cannot be read")?;
    let lines = guest.command("mbimctl", &["decode", &file, "--json", "--reveal"]).await?.success()?;
    let messages: Vec<Value> = lines.lines().map(serde_json::from_str).collect::<Result<_, _>>()?;
    let search = Search::default();
    let found = search.find(&fs::read(&capture)?);
    if !found.is_empty() || messages.len() < 20 {
        return Err(format!("{} messages, {found:?} in their bytes", messages.len()).into());
    }
    for (what, held) in [("the screen", shown()), ("the text", text), ("the file", lines)] {
        let found = search.find(held.as_bytes());
        if !found.is_empty() {
            return Err(format!("{found:?} in {what}: {held}").into());
        }
    }
    let unread = |message: &&Value| !message["error"].is_null() || !message["trailing"].is_null();
    if let Some(message) = messages.iter().find(unread) {
        return Err(format!("not read as a whole: {message}").into());
    }
    guest.figure("messages-beside-modemmanager", messages.len() as f64, "messages");

    // The same proxy, the same session of it, and ModemManager still hears of what it asked for.
    if guest.command("pidof", &["mbim-proxy"]).await?.success()? != proxy || upheavals(line).await? != sessions {
        return Err("the proxy or its session is another one".into());
    }
    line.order(Order::Signal { rssi: 31, error_rate: 99 });
    wait::until("ModemManager to hear of the signal", PATIENCE, || async {
        let state = json(guest, &["-m", modem]).await.ok()?;
        let generic = &state["modem"]["generic"];
        let quality: u32 = generic["signal-quality"]["value"].as_str()?.parse().ok()?;
        (quality > FAIR && generic["state"] == "connected").then_some(())
    })
    .await?;
    Ok(())
}

/// How often a session was begun or ended.
async fn upheavals(line: &UsbLine) -> Result<usize, Box<dyn std::error::Error>> {
    let log = line.log().await?;
    let begun = |kind| log.count(|entry| entry.kind == kind && entry.direction == Direction::FromHost);
    Ok(begun(kind::OPEN) + begun(kind::CLOSE))
}

/// What decode reads in a capture, once it is there.
async fn decoded(guest: &Guest, file: &str) -> Option<String> {
    let said = guest.command("mbimctl", &["decode", file]).await.ok()?;
    (said.status == 0).then_some(said.output)
}

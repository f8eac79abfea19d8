//! Debian's ModemManager, which nobody here wrote, takes the virtual modem whole: recognised, connected, packets, `mbimctl`
//! on its proxy, short messages both ways, USSD.

use core::net::{IpAddr, SocketAddr};
use core::time::Duration;

use harness::line::Happening;
use harness::usb::{Setup, UsbLine};
use harness::virtual_modem::sms::{Delivery, Submission};
use harness::virtual_modem::{Order, Output, Reply};
use harness::virtual_operator::{Scenario, address, internet};
use harness::wait;
use serde_json::Value;

use super::driver::transfer;
use super::{Boot, Case, Outcome, Real, ride};
use crate::guest::Guest;

/// The cases of this topic.
pub(crate) const CASES: &[Case] = &[Case {
    name: "modemmanager",
    what: "ModemManager recognises the modem, mmcli connects; ping, DNS and 100 MB through wwan0; mbimctl trace beside it; SMS both ways and USSD",
    boot: Boot::Plain,
    apart: false,
    real: Real::No("it compares what mmcli says with what the virtual modem holds"),
    limit: Duration::from_secs(600),
    run: |guest| Box::pin(run(guest)),
}];

/// How long ModemManager may take for one thing. It needs some seconds for many, and this machine may be slow.
const PATIENCE: Duration = Duration::from_secs(120);

/// Octets of the download.
const DOWNLOAD: usize = 100_000_000;

/// mmcli takes and prints letters in the locale's encoding; the guest's own is ASCII.
pub(super) const UTF8: &str = "LC_ALL=C.UTF-8";

async fn run(guest: &mut Guest) -> Outcome {
    tokio::task::LocalSet::new().run_until(story(guest)).await
}

async fn story(guest: &mut Guest) -> Outcome {
    for module in ["vhci_hcd", "cdc_mbim", "tun"] {
        guest.load(module).await?;
    }
    let scenario = Scenario::named("open").ok_or("no scenario of that name")?;
    let setup = Setup::of(&scenario);
    let home = setup.profile.network.carriers.first().ok_or("no carrier")?.clone();
    let imei = setup.profile.device_id.reveal().clone();
    let mut line = UsbLine::start(setup).await?;
    guest.spawn("modemmanager", "ModemManager", &["--debug"])?;
    let attached = line.attach().await?;
    let outcome = acts(guest, &mut line, &scenario, &home.id, &home.name, &imei).await;
    keep_log(guest, &line).await;
    let stopped = guest.stop("modemmanager").await;
    end_proxy(guest).await;
    let detached = tokio::task::spawn_blocking(move || attached.detach()).await;
    line.stop().await;
    outcome?;
    stopped?;
    Ok(detached??)
}

async fn acts(
    guest: &mut Guest,
    line: &mut UsbLine,
    scenario: &Scenario,
    home: &str,
    name: &str,
    imei: &str,
) -> Outcome {
    guest.path("/dev/cdc-wdm0", PATIENCE).await?;
    let modem = wait::until("a modem of ModemManager", PATIENCE, || async {
        let list = json(guest, &["-L"]).await.ok()?;
        list["modem-list"][0].as_str().map(str::to_owned)
    })
    .await?;
    let found = json(guest, &["-m", &modem]).await?;
    expect("IMEI", &found["modem"]["generic"]["equipment-identifier"], imei)?;
    expect("model", &found["modem"]["generic"]["primary-port"], "cdc-wdm0")?;
    guest.command("env", &[UTF8, "mmcli", "-m", &modem, "--enable"]).await?.success()?;
    wait::until("registration", PATIENCE, || async {
        let state = json(guest, &["-m", &modem]).await.ok()?;
        (state["modem"]["generic"]["state"] == "registered").then_some(())
    })
    .await?;
    let found = json(guest, &["-m", &modem]).await?;
    expect("operator", &found["modem"]["3gpp"]["operator-code"], home)?;
    expect("operator's name", &found["modem"]["3gpp"]["operator-name"], name)?;
    expect("registration", &found["modem"]["3gpp"]["registration-state"], "home")?;

    let apn = format!("--simple-connect=apn={},ip-type=ipv4", scenario.plan_apn);
    guest.command_within(PATIENCE, "env", &[UTF8, "mmcli", "-m", &modem, &apn]).await?.success()?;
    let log = line.log().await?;
    guest.figure("messages up to connected", (log.from_host() + log.to_host()) as f64, "messages");
    guest.progress("connected");
    packets(guest, &modem).await?;
    guest.progress("packets pass");
    ride::beside(guest, line, &modem).await?;
    guest.progress("its proxy was ridden on");
    messages_out(guest, line, &modem).await?;
    messages_in(guest, line, &modem).await?;
    guest.progress("short messages pass");
    ussd(guest, line, &modem).await?;
    guest.progress("USSD passes");
    guest.command("env", &[UTF8, "mmcli", "-m", &modem, "--simple-disconnect"]).await?.success()?;
    if let Some(session) = line.state().await?.sessions.first() {
        return Err(format!("session {} is still up", session.0).into());
    }
    guest.command_within(PATIENCE, "env", &[UTF8, "mmcli", "-m", &modem, "--disable"]).await?.success()?;
    Ok(())
}

/// What the modem gave goes onto `wwan0`; then the operator's gateway answers, its DNS, and a page of the internet.
async fn packets(guest: &Guest, modem: &str) -> Outcome {
    let found = json(guest, &["-m", modem]).await?;
    let bearer = found["modem"]["generic"]["bearers"][0].as_str().ok_or("no bearer")?;
    let found = json(guest, &["-b", bearer]).await?;
    expect("the bearer", &found["bearer"]["status"]["connected"], "yes")?;
    expect("its interface", &found["bearer"]["status"]["interface"], "wwan0")?;
    let ip = &found["bearer"]["ipv4-config"];
    let text = |name: &str| ip[name].as_str().map(str::to_owned).ok_or_else(|| format!("no {name} in {ip}"));
    let (address, prefix, gateway) = (text("address")?, text("prefix")?, text("gateway")?);
    let dns = ip["dns"][0].as_str().ok_or("no name server")?.to_owned();
    for words in [
        &["addr", "add", &format!("{address}/{prefix}"), "dev", "wwan0"][..],
        &["link", "set", "wwan0", "mtu", &text("mtu")?, "up"],
        &["route", "add", "default", "via", &gateway, "dev", "wwan0"],
    ] {
        guest.command("ip", words).await?.success()?;
    }
    // The gateway is a name of the link only; hosts behind it answer.
    for host in [address::DNS, address::PROBE] {
        let host = host.ipv4.to_string();
        guest.command("ping", &["-c", "3", "-W", "10", "-I", "wwan0", &host]).await?.success()?;
    }
    let asked = guest.command("busybox", &["nslookup", address::PROBE.name, &dns]).await?.success()?;
    let probe = address::PROBE.ipv4.to_string();
    if !asked.contains(&probe) {
        return Err(format!("{} is not {probe}: {asked}", address::PROBE.name).into());
    }
    let host = format!("Host: {}", address::PROBE.name);
    let page = format!("http://{probe}/text");
    let read = guest.command("busybox", &["wget", "-q", "-O", "-", "--header", &host, &page]).await?.success()?;
    expect("the page", &Value::from(read), internet::PROBE_TEXT)?;
    let host = SocketAddr::new(IpAddr::V4(address::WWW.ipv4), internet::CHARGEN);
    // On a thread of its own: this one looks after the case.
    let rate = tokio::task::spawn_blocking(move || transfer(host, DOWNLOAD)).await??;
    guest.figure("download of 100 MB", rate / 1e6, "Mbit/s");
    Ok(())
}

/// Short texts, one in other letters, one in several parts.
async fn messages_out(guest: &Guest, line: &mut UsbLine, modem: &str) -> Outcome {
    let long = "All work and no play makes a dull modem. ".repeat(5);
    for text in ["Hello from the lab", "Zażółć gęślą jaźń", long.trim_end()] {
        let create = format!("--messaging-create-sms=text=\"{text}\",number=\"+15550142\"");
        let made = guest.command("env", &[UTF8, "mmcli", "-m", modem, &create]).await?.success()?;
        let path = made.split_whitespace().find(|word| word.contains("/SMS/")).ok_or("no path of a message")?;
        guest.command("env", &[UTF8, "mmcli", "-s", path, "--send"]).await?.success()?;
        let mut sent = Vec::new();
        loop {
            let pdu = wait::at_most("the message in the network", PATIENCE, sent_message(line)).await??;
            let read = Submission::parse(&pdu).ok_or("ModemManager's PDU cannot be read")?;
            expect("the receiver", &Value::from(read.to), "+15550142")?;
            let (parts, number) = read.part.map_or((1, 1), |(_, parts, number)| (parts, number));
            sent.push((number, read.text.ok_or("no text")?));
            if sent.len() == usize::from(parts) {
                break;
            }
        }
        sent.sort();
        let whole: String = sent.into_iter().map(|(_, text)| text).collect();
        expect("the text sent", &Value::from(whole), text)?;
        guest
            .command("env", &[UTF8, "mmcli", "-m", modem, &format!("--messaging-delete-sms={path}")])
            .await?
            .success()?;
    }
    Ok(())
}

async fn sent_message(line: &mut UsbLine) -> Result<Vec<u8>, String> {
    loop {
        match line.happening().await {
            Some(Happening::Modem(Output::MessageSent { pdu, .. })) => return Ok(pdu),
            Some(Happening::Failed(why)) => return Err(why),
            Some(_) => {}
            None => return Err("the modem's line has ended".into()),
        }
    }
}

/// A stored message and one of class 0, as the network sends them; deleting empties the modem's place.
async fn messages_in(guest: &Guest, line: &UsbLine, modem: &str) -> Outcome {
    for (text, class) in [("A text for you: €5", None), ("Zażółć", None), ("Look at this now", Some(0))] {
        let delivery = Delivery { class, ..Delivery::text("+15550177", text) };
        line.order(Order::ReceiveSms(delivery.pdu().ok_or("too long")?));
        let path = wait::until("the message in ModemManager", PATIENCE, || async {
            let list = json(guest, &["-m", modem, "--messaging-list-sms"]).await.ok()?;
            list["modem.messaging.sms"][0].as_str().map(str::to_owned)
        })
        .await?;
        let found = json(guest, &["-s", &path]).await?;
        expect("the text received", &found["sms"]["content"]["text"], text)?;
        expect("the sender", &found["sms"]["content"]["number"], "+15550177")?;
        expect("its state", &found["sms"]["properties"]["state"], "received")?;
        if class.is_none() {
            guest
                .command("env", &[UTF8, "mmcli", "-m", modem, &format!("--messaging-delete-sms={path}")])
                .await?
                .success()?;
        }
    }
    let deleted = line.log().await?.count(|entry| entry.name == "sms.delete" && entry.status == Some(0));
    if deleted == 2 { Ok(()) } else { Err(format!("{deleted} of 2 messages were deleted in the modem").into()) }
}

/// A code, a menu, and a dialogue that the network begins.
async fn ussd(guest: &Guest, line: &UsbLine, modem: &str) -> Outcome {
    let say = async |argument: &str, expected: &str| -> Outcome {
        let said = guest.command_within(PATIENCE, "env", &[UTF8, "mmcli", "-m", modem, argument]).await?.success()?;
        if said.contains(expected) { Ok(()) } else { Err(format!("mmcli {argument}: {said}").into()) }
    };
    say("--3gpp-ussd-initiate=*100#", "'Balance: 12.34 EUR'").await?;
    say("--3gpp-ussd-initiate=*101#", "1 Balance\n2 Plans").await?;
    say("--3gpp-ussd-respond=2", "Buy 1 GB").await?;
    say("--3gpp-ussd-respond=2", "Nothing bought.").await?;
    say("--3gpp-ussd-initiate=*101#", "1 Balance").await?;
    say("--3gpp-ussd-cancel", "cancelled").await?;
    let unknown =
        guest.command_within(PATIENCE, "env", &[UTF8, "mmcli", "-m", modem, "--3gpp-ussd-initiate=*999#"]).await?;
    if unknown.status == 0 {
        return Err(format!("a code that the network does not know: {}", unknown.output).into());
    }
    line.order(Order::Ussd(Reply::Text("Your plan ends tomorrow".into())));
    wait::until("the network's word in ModemManager", PATIENCE, || async {
        let status = json(guest, &["-m", modem, "--3gpp-ussd-status"]).await.ok()?;
        status.to_string().contains("Your plan ends tomorrow").then_some(())
    })
    .await?;
    Ok(())
}

/// What mmcli says, as JSON.
pub(super) async fn json(guest: &Guest, words: &[&str]) -> Result<Value, Box<dyn std::error::Error>> {
    let words: Vec<&str> = [UTF8, "mmcli", "-J"].into_iter().chain(words.iter().copied()).collect();
    Ok(serde_json::from_str(&guest.command("env", &words).await?.success()?)?)
}

fn expect(what: &str, found: &Value, expected: &str) -> Outcome {
    if found == expected { Ok(()) } else { Err(format!("{what}: {found} instead of {expected:?}").into()) }
}

/// All messages that the modem saw, one a line.
pub(super) async fn keep_log(guest: &Guest, line: &UsbLine) {
    let Ok(log) = line.log().await else { return };
    let lines: Vec<String> = log
        .entries()
        .map(|entry| {
            let at = entry.at.as_secs_f64();
            format!("{at:9.3} {:?} {} {:?} {:?}", entry.direction, entry.name, entry.operation, entry.status)
        })
        .collect();
    // The log helps people; that it could not be written is seen from its absence.
    let _ = std::fs::write(guest.logs().join("mbim.log"), lines.join("\n"));
}

/// ModemManager's proxy outlives it by minutes; and the bus starts a ModemManager for NetworkManager, which asks for it.
pub(super) async fn end_proxy(guest: &Guest) {
    let Ok(found) = guest.command("pidof", &["mbim-proxy", "ModemManager"]).await else { return };
    for id in found.output.split_whitespace() {
        // It may have ended by itself.
        let _ = guest.command("kill", &[id]).await;
    }
}

//! `mbimctl trace`: what passes between the daemon and the modem, for several readers at once.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use harness::cases::Case;
use harness::virtual_modem::Order;
use harness::virtual_operator::{Error, While};
use harness::wait;
use nix::sys::signal::Signal;
use scenarios::canary::Search;
use scenarios::client::{PATIENCE, View};
use scenarios::ctl::{Ctl, Running};
use scenarios::stage::{Outcome, Stage, quick, story};
use serde_json::Value;
use tokio::process::Command;

pub(crate) const CASES: &[Case] = &[
    Case { name: "a_session_is_traced_by_several", run: || story("open", traced) },
    Case { name: "a_modem_is_watched_through_the_proxy", run: || story("open", ridden) },
    Case { name: "an_anonymous_trace_of_the_main_job_is_replayed", run: || story("garden", replayed) },
];

async fn traced(stage: &mut Stage) -> Outcome {
    let ctl = Ctl::beside_test(stage.world.bus.address())?;
    let folder = stage.world.directory().to_owned();
    let capture = folder.join("session.pcapng");
    let file = capture.display().to_string();
    stage.plug(quick(stage.world.scenario())).await?;
    let modem = stage.online().await?;

    // Two that watch, then one that has the session begun anew.
    let written = ctl.start(&folder, &["trace", "--write", &file, "--reveal"])?;
    let revealed = ctl.start(&folder, &["trace", "--reveal", "--json"])?;
    let joined = || async { (stage.log().matches(" traced").count() == 2).then_some(()) };
    wait::until("two traces", PATIENCE, joined).await?;
    // One that has no time to read misses nothing either, once it is there.
    stage.order(Order::Signal { rssi: 7, error_rate: 99 })?;
    let there = || async {
        let read = ctl.call(&["decode", &file]).await.ok()?;
        read.output.contains("signal-state notify").then_some(())
    };
    wait::until("the first frame in the capture", PATIENCE, there).await?;
    written.signal(Signal::SIGSTOP)?;
    let masked = ctl.start(&folder, &["trace", "--restart"])?;
    for trace in [&masked, &revealed] {
        connection_shown(trace).await?;
    }
    stage.online().await?;

    // A signal ends a trace well, and the others go on.
    masked.signal(Signal::SIGTERM)?;
    let said = masked.end().await?;
    assert_eq!((said.status, said.error.as_str()), (0, ""));
    let search = Search::default();
    assert!(search.find(said.output.as_bytes()).is_empty(), "{:?}", search.find(said.output.as_bytes()));
    let order =
        ["close #", "open #", "device-caps response: success", "connect set", "ip-configuration response: success"];
    let places: Vec<Option<usize>> = order.iter().map(|text| said.output.find(text)).collect();
    assert!(places.iter().all(Option::is_some) && places.is_sorted(), "{places:?} of {order:?}");
    assert!(said.output.contains("subscriber_id: ###"), "masked");

    written.signal(Signal::SIGINT)?;
    written.signal(Signal::SIGCONT)?;
    let said = written.end().await?;
    assert_eq!(said.status, 0, "{said:?}");
    let mode = fs::metadata(&capture)?.permissions().mode();
    assert_eq!(mode & 0o777, 0o600, "it holds who the subscriber is");
    let frames = number_in(&said.output)?;
    let read = ctl.call(&["decode", &file, "--json"]).await?;
    assert_eq!(read.status, 0, "{}", read.error);
    let messages: Vec<Value> = read.output.lines().map(serde_json::from_str).collect::<Result<_, _>>()?;
    assert!(messages.len() <= frames && messages.len() > 20, "{} of {frames}", messages.len());
    let answered = |message: &Value| message["cid"] == "ip-configuration" && message["message"] == "command-done";
    assert!(messages.iter().any(answered), "up to the moment at which it ended: {}", read.output);
    assert!(search.find(read.output.as_bytes()).is_empty());
    let told = tshark(&capture, &folder).await?;
    assert_eq!(told.lines().count(), frames, "{told}");
    assert!(told.lines().all(|line| line.starts_with("MBIM")), "{told}");
    for way in ["\t0", "\t1"] {
        assert!(told.lines().filter(|line| line.ends_with(way)).count() > 10, "{told}");
    }

    // The last one ends with the modem.
    stage.order(Order::Unplug)?;
    stage.client.gone(modem).await?;
    let said = revealed.end().await?;
    assert_eq!(said.status, 4, "{}", said.error);
    assert!(said.error.contains("the modem is gone"), "{}", said.error);
    assert!(!search.find(said.output.as_bytes()).is_empty(), "it was to reveal");
    for line in said.output.lines() {
        let message: Value = serde_json::from_str(line)?;
        assert!(message["time"].is_number() && message["direction"].is_string(), "{message}");
    }
    assert_eq!(ctl.call(&["trace", "77"]).await?.status, 4, "no such modem");
    Ok(())
}

/// Through libmbim's socket, as on a machine where another program holds the modem.
async fn ridden(stage: &mut Stage) -> Outcome {
    let ctl = Ctl::beside_test(stage.world.bus.address())?;
    let folder = stage.world.directory().to_owned();
    let capture = folder.join("ridden.pcapng");
    let file = capture.display().to_string();
    stage.plug(quick(stage.world.scenario())).await?;
    let modem = stage.online().await?;
    let path = folder.join("modem").display().to_string();
    let none = ctl.call(&["trace", "--proxy", "/dev/null"]).await?;
    assert!(none.status == 4 && none.error.contains("the proxy does not"), "{none:?}");

    let watch = ctl.start(&folder, &["trace", "--proxy", &path, "--ask"])?;
    let written = ctl.start(&folder, &["trace", "--proxy", &path, "--ask", "--write", &file])?;
    let asked = || async { watch.output().contains("ip-configuration response: success").then_some(()) };
    wait::until("the answers", PATIENCE, asked).await?;
    // Each is a client of its own, with answers of its own.
    let answered = || async {
        let read = ctl.call(&["decode", &file]).await.ok()?;
        (read.status == 0 && read.output.contains("ip-configuration response: success")).then_some(())
    };
    wait::until("the answers in the capture", PATIENCE, answered).await?;
    stage.order(Order::Signal { rssi: 7, error_rate: 99 })?;
    let told = || async { watch.output().contains("signal-state notify").then_some(()) };
    wait::until("the indication", PATIENCE, told).await?;
    let read = || async {
        let read = ctl.call(&["decode", &file]).await.ok()?;
        (read.status == 0 && read.output.contains("signal-state notify")).then_some(())
    };
    wait::until("the capture", PATIENCE, read).await?;

    let search = Search::default();
    assert!(search.find(watch.output().as_bytes()).is_empty() && search.find(&fs::read(&capture)?).is_empty());
    assert!(stage.client.view(modem).await?.is_online(), "nobody was disturbed");
    written.signal(Signal::SIGINT)?;
    assert_eq!(written.end().await?.status, 0);
    stage.order(Order::Unplug)?;
    let said = watch.end().await?;
    assert!(said.status == 4 && said.error.contains("hung up"), "{said:?}");
    Ok(())
}

/// From a user's trace, which names nobody, to a modem on an engineer's table.
async fn replayed(stage: &mut Stage) -> Outcome {
    let ctl = Ctl::beside_test(stage.world.bus.address())?;
    let folder = stage.world.directory().to_owned();
    let [capture, again] = ["report.pcapng", "again.pcapng"].map(|name| folder.join(name));
    let [file, other] = [&capture, &again].map(|path| path.display().to_string());
    stage.plug(quick(stage.world.scenario())).await?;
    let modem = stage.walled().await?;
    let shown = ctl.start(&folder, &["trace", "--reveal"])?;
    wait::until("a trace", PATIENCE, || async { stage.log().contains(" traced").then_some(()) }).await?;
    let trace = ctl.start(&folder, &["trace", "--write", &file, "--restart"])?;
    connection_shown(&shown).await?;
    stage.walled().await?;
    let account = stage.buy(modem).await?;
    stage.client.apply(&account.document("activation").await?).await?;
    stage.client.apply(&account.document("profile").await?).await?;
    stage.online().await?;
    trace.signal(Signal::SIGINT)?;
    let said = trace.end().await?;
    assert!(said.status == 0 && number_in(&said.output)? > 30, "{said:?}");

    // Nobody is in it, as it lies there and as it reads; and nobody is found in one that is made anonymous afterwards.
    let search = Search::default();
    let octets = fs::read(&capture)?;
    assert!(search.find(&octets).is_empty(), "{:?}", search.find(&octets));
    let read = ctl.call(&["decode", &file, "--reveal"]).await?;
    assert_eq!(read.status, 0, "{}", read.error);
    assert!(search.find(read.output.as_bytes()).is_empty(), "{:?}", search.find(read.output.as_bytes()));
    assert!(read.output.contains("subscriber_id: \"00101"), "the operator can be told: {}", read.output);
    let written = ctl.call(&["decode", &file, "--anonymise", "--write", &other, "--json"]).await?;
    assert_eq!((written.status, &written.json()?["frames"]), (0, &number_in(&said.output)?.into()), "{written:?}");
    assert_ne!(fs::read(&again)?, octets, "by other values each time");

    // The record takes the modem's place.
    stage.order(Order::Unplug)?;
    stage.client.gone(modem).await?;
    let place = folder.join("modem");
    fs::remove_file(&place)?;
    let replay = ctl.start(&folder, &["replay", &other, "--listen", &format!("unix:{}", place.display())])?;
    let connected = |view: &View| view.state() == "connected";
    let modem = stage.client.some("the record to connect", connected).await?;
    assert_eq!(stage.client.view(modem).await?.text(dbus_api::name::MODEM, "NetworkCode"), "00101");
    replay.signal(Signal::SIGTERM)?;
    replay.end().await?;
    stage.client.gone(modem).await?;
    Ok(())
}

/// Waits until a trace has shown what ends the making of a connection, in text or in JSON.
async fn connection_shown(trace: &Running) -> Result<(), Error> {
    let shown = || async {
        let output = trace.output();
        let open = output.rfind("open #").or_else(|| output.rfind("\"message\":\"open\""))?;
        let rest = output.get(open..)?;
        let done = rest.contains("ip-configuration response") || rest.contains("\"cid\":\"ip-configuration\"");
        done.then_some(())
    };
    wait::until("the trace to show a connection", PATIENCE, shown).await
}

/// The number that a summary begins with.
fn number_in(summary: &str) -> Result<usize, Error> {
    summary.split(' ').next().unwrap_or_default().parse().trying("reading the summary")
}

/// A line for each packet, as Wireshark reads it: the protocol, and which way it went.
async fn tshark(capture: &Path, home: &Path) -> Result<String, Error> {
    let doing = "running tshark";
    let mut command = Command::new("tshark");
    command.env("HOME", home).env("WIRESHARK_CONFIG_DIR", home).kill_on_drop(true);
    command.arg("-n").arg("-r").arg(capture).args([
        "-T",
        "fields",
        "-e",
        "_ws.col.Protocol",
        "-e",
        "exported_pdu.p2p_dir",
    ]);
    let out = wait::at_most(doing, PATIENCE * 2, command.output()).await?.trying(doing)?;
    if !out.status.success() {
        return Err(Error::new(doing, String::from_utf8_lossy(&out.stderr)));
    }
    Ok(String::from_utf8_lossy(&out.stdout).into_owned())
}

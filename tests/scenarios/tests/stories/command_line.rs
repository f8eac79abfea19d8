//! `mbimctl` against the running daemon: output for programs, and the documented exit statuses.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use harness::cases::{Case, NeedsRoot};
use harness::virtual_operator::network::Network;
use harness::virtual_operator::{Subscriber, document};
use scenarios::canary::Search;
use scenarios::ctl::Ctl;
use scenarios::site::Account;
use scenarios::stage::{Outcome, Stage, quick, story};

pub(crate) const CASES: &[Case] = &[
    Case { name: "mbimctl_from_garden_to_online", run: || story("garden", tell) },
    Case { name: "strangers_learn_no_identity_and_change_nothing", run: as_root },
];

async fn tell(stage: &mut Stage) -> Outcome {
    let ctl = Ctl::beside_test(stage.world.bus.address())?;
    let status = async |arguments: &[&str]| Ok::<i32, Box<dyn std::error::Error>>(ctl.call(arguments).await?.status);
    let json = async |arguments: &[&str]| {
        let said = ctl.call(arguments).await?;
        assert_eq!(said.status, 0, "{arguments:?}: {said:?}");
        Ok::<_, Box<dyn std::error::Error>>(said.json()?)
    };
    assert_eq!(json(&["list", "--json"]).await?["modems"], serde_json::json!([]));
    assert_eq!(status(&["status"]).await?, 4, "no modem");
    assert_eq!(status(&["no-such-command"]).await?, 2);

    stage.plug(quick(stage.world.scenario())).await?;
    let modem = stage.walled().await?;
    let list = json(&["list", "--json"]).await?;
    assert_eq!((&list["modems"][0]["index"], &list["modems"][0]["state"]), (&modem.into(), &"connected".into()));
    let shown = json(&["status", "--json"]).await?;
    assert_eq!(shown["modem"]["connection"]["addresses"], serde_json::json!(["10.64.1.2/30"]), "{shown}");
    assert_eq!(shown["modem"]["connectivity"]["state"], "portal", "{shown}");
    let text = ctl.call(&["status", "wwan0"]).await?;
    assert!(text.status == 0 && text.output.contains("a plan has to be bought"), "{text:?}");
    assert_eq!(status(&["status", "77"]).await?, 4);
    let chain = json(&["explain", "--json"]).await?;
    let links = chain["chain"].as_array().ok_or("no chain")?;
    assert!(links.iter().any(|link| link["link"] == "modem" && link["verdict"] == "ok"), "{chain}");
    assert!(links.iter().any(|link| link["verdict"] == "broken"), "the garden is why: {chain}");

    assert_eq!(json(&["disconnect", "--json"]).await?["connection"]["state"], "down");
    stage.bare().await?;
    assert_eq!(json(&["connect", "--json"]).await?["connection"]["state"], "up");
    assert_eq!(status(&["connect", "--apn", "no.such.apn"]).await?, 1, "the network refuses");
    assert_eq!(status(&["settings", "set", "colour", "red"]).await?, 2);
    assert_eq!(json(&["settings", "set", "metric", "41", "--json"]).await?["metric"], 41);
    assert_eq!(json(&["settings", "get", "metric", "--json"]).await?["metric"], 41);
    assert_eq!(status(&["settings", "set", "metric", "default"]).await?, 0);
    assert_eq!(status(&["connect"]).await?, 0);

    stage.walled().await?;
    let portal = json(&["portal", "--json"]).await?;
    assert_eq!(portal["source"], "operator");
    let account = Account::buy(stage.world.root_certificate(), portal["url"].as_str().unwrap_or_default()).await?;
    let file = stage.world.directory().join("document.xml");
    let path = file.display().to_string();
    fs::write(&file, "<CarrierProvisioning/>")?;
    assert_eq!(status(&["provision", "apply", &path]).await?, 6);
    fs::write(&file, account.document("activation").await?)?;
    let dry = json(&["provision", "apply", &path, "--dry-run", "--json"]).await?;
    assert!(dry["steps"].as_array().is_some_and(|steps| !steps.is_empty()), "{dry}");
    let applied = json(&["provision", "apply", &path, "--wait", "--json"]).await?;
    assert_eq!(applied["all_elements_provisioned"], true);
    assert!(applied["results_xml"].as_str().is_some_and(|xml| xml.contains("CarrierControlResults/v")));
    assert!(applied["steps"][0]["id"].is_string() && applied["steps"][0]["outcome"].is_string());
    fs::write(&file, account.document("profile").await?)?;
    assert_eq!(status(&["provision", "apply", &path, "--wait"]).await?, 0);
    stage.online().await?;
    assert_eq!(json(&["status", "--json"]).await?["modem"]["connectivity"]["state"], "full");
    let text = ctl.call(&["provision", "list"]).await?;
    assert!(text.status == 0 && text.output.lines().count() >= 2, "{text:?}");

    stage.stop().await?;
    let said = ctl.call(&["list"]).await?;
    assert_eq!(said.status, 3, "{said:?}");
    assert!(said.error.contains("not running"), "{said:?}");
    Ok(())
}

/// Only root can play another user.
fn as_root() -> Outcome {
    if nix::unistd::geteuid().is_root() { story("garden", strangers) } else { Err(NeedsRoot.into()) }
}

/// Another user of the machine, where there is no polkit.
async fn strangers(stage: &mut Stage) -> Outcome {
    let open = |name: &str, mode| {
        let path = stage.world.directory().join(name);
        fs::set_permissions(path, fs::Permissions::from_mode(mode))
    };
    open("", 0o711)?;
    open("bus", 0o666)?;
    let ctl = Ctl::beside_test(stage.world.bus.address())?;
    stage.plug(quick(stage.world.scenario())).await?;
    let modem = stage.walled().await?;
    let file = stage.world.directory().join("document.xml");
    let path = file.display().to_string();
    let documents = Network::new(stage.world.scenario().clone(), Subscriber::canary());
    fs::write(&file, document::profile(&documents))?;
    let stranger = Some(65534);
    let search = Search::default();
    let reading: [&[&str]; 4] = [&["list"], &["status"], &["explain"], &["identity"]];
    for arguments in reading {
        for json in [None, Some("--json")] {
            let arguments: Vec<&str> = arguments.iter().copied().chain(json).collect();
            let said = ctl.call_as(stranger, &arguments).await?;
            assert_eq!(said.status, 0, "{arguments:?}: {}", said.error);
            let found = search.find(format!("{}{}", said.output, said.error).as_bytes());
            assert!(found.is_empty(), "{arguments:?}: {found:?}");
        }
    }
    let guarded: [&[&str]; 9] = [
        &["identity", "--reveal"],
        &["portal"],
        &["trace"],
        &["trace", "--restart", "--reveal"],
        &["disconnect"],
        &["connect"],
        &["radio", "off"],
        &["settings", "set", "metric", "1"],
        &["provision", "apply", &path],
    ];
    for arguments in guarded {
        let said = ctl.call_as(stranger, arguments).await?;
        assert_eq!(said.status, 5, "{arguments:?}: {} {}", said.output.len(), said.error);
        assert!(search.find(format!("{}{}", said.output, said.error).as_bytes()).is_empty(), "{arguments:?}");
    }
    let view = stage.client.view(modem).await?;
    assert_eq!((view.state().as_str(), view.setting("metric")), ("connected", None));
    // Root may.
    let said = ctl.call(&["identity", "--reveal", "--json"]).await?;
    assert!(said.status == 0 && !search.find(said.output.as_bytes()).is_empty(), "{}", said.error);
    Ok(())
}

//! Newer documents, fetched from nginx over the modem: a password that is asked for, certificates that are wrong,
//! redirects, 304, 500, bodies that are cut off or never end. Root only, in namespaces of its own: `tests/run provisioning`.
//!
//! Needs nginx, dnsmasq, openssl and nftables; the daemon and `mbimctl` have to be built before.

// clippy.toml allows this in tests, but does not know that an executable without the standard harness is one.
#![allow(clippy::unwrap_used, clippy::panic)]

mod server;

use std::fs;
use std::process::ExitCode;

use harness::cases::{Case, main_of_root};
use harness::virtual_operator::network::Network;
use harness::virtual_operator::{Subscriber, document};
use harness::wait;
use scenarios::client::PATIENCE;
use scenarios::ctl::Ctl;
use scenarios::meeting::{IPV4, Meeting, meet};
use scenarios::stage::Outcome;
use serde_json::Value;

const CASES: &[Case] = &[Case { name: "newer_documents_from_nginx", run: || meet(IPV4, newer) }];

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let Some(code) = harness::child(&arguments).or_else(|| server::child(&arguments)) {
        return code;
    }
    main_of_root(CASES)
}

/// A document of the administrator that says where the newest one is, and by whom it will be signed.
fn order(url: &str) -> String {
    let base = "xmlns='http://www.microsoft.com/networking/CarrierControl/Base/v1'";
    format!(
        "<CarrierProvisioning xmlns='http://www.microsoft.com/networking/CarrierControl/v1'><Global><CarrierId>{}</CarrierId>\
         <SubscriberId>{}</SubscriberId></Global><Provisioning><TrustedCertificates><TrustedCertificate>\
         <SubjectName {base}>O=For tests only, CN=Shop</SubjectName><IssuerName {base}>O=For tests only, CN=ShopRoot</IssuerName>\
         </TrustedCertificate></TrustedCertificates><RefreshParameters><RefreshURL>{url}</RefreshURL><UserName>shop</UserName>\
         <Password>open-sesame</Password></RefreshParameters></Provisioning></CarrierProvisioning>",
        document::CARRIER_ID,
        Subscriber::canary().imsi,
    )
}

struct Shop {
    ctl: Ctl,
    /// The folder that the administrator's documents go to.
    documents: String,
}

impl Shop {
    async fn json(&self, arguments: &[&str]) -> Result<Value, Box<dyn std::error::Error>> {
        let said = self.ctl.call(arguments).await?;
        assert_eq!(said.status, 0, "{said:?}");
        Ok(said.json()?)
    }

    async fn newest(&self) -> Result<Value, Box<dyn std::error::Error>> {
        let listed = self.json(&["provision", "list", "--json"]).await?;
        Ok(listed["documents"].as_array().and_then(|all| all.last().cloned()).unwrap_or_default())
    }

    /// The administrator says another place; waits until that is in force.
    async fn says(&self, url: &str) -> Outcome {
        let before = self.newest().await?["id"].clone();
        let temporary = format!("{}/.new", self.documents);
        fs::write(&temporary, order(url))?;
        fs::rename(&temporary, format!("{}/10.xml", self.documents))?;
        let applied = || async {
            let newest = self.newest().await.ok()?;
            (newest["id"] != before && newest["source"] == "administrator" && newest["code"] == "00000000")
                .then_some(())
        };
        Ok(wait::until("the administrator's document to be applied", PATIENCE, applied).await?)
    }

    /// Asks for the newest document; the exit status and what was said.
    async fn asks(&self) -> Result<(i32, String), Box<dyn std::error::Error>> {
        let said = self.ctl.call(&["provision", "refresh"]).await?;
        Ok((said.status, format!("{}{}", said.output, said.error)))
    }
}

async fn newer(meeting: &mut Meeting) -> Outcome {
    let directory = meeting.stage.world.directory().to_owned();
    let at = |name: &str| directory.join(name).display().to_string();
    let ctl = Ctl::beside_test(meeting.stage.world.bus.address())?;
    let shop = Shop { ctl, documents: at("provisioning.d") };
    let (plain, signed, certificates) = (at("plain.xml"), at("ground/signed.xml"), at("certs"));
    let network = Network::new(meeting.stage.world.scenario().clone(), Subscriber::canary());
    fs::write(&plain, document::profile(&network))?;
    let (key, cert) = (format!("{certificates}/Shop.key"), format!("{certificates}/Shop.pem"));
    for arguments in [
        &["provision", "test-cert", "--name", "Shop", "-o", &certificates][..],
        &["provision", "sign", &plain, "--key", &key, "--cert", &cert, "-o", &signed],
        &["provision", "trust", &format!("{certificates}/ShopRoot.pem"), "--trust", &at("trust.d")],
    ] {
        let said = shop.ctl.call(arguments).await?;
        assert_eq!(said.status, 0, "{said:?}");
    }
    server::start(meeting, &fs::read_to_string(&plain)?).await?;
    meeting.plug().await?;
    meeting.full().await?;

    // Each of these costs nothing that is in force, and says why.
    for (path, why) in server::HARM {
        shop.says(&server::url(path)).await?;
        let before = shop.newest().await?;
        let (status, said) = shop.asks().await?;
        println!("  {path}: {}", said.lines().next().unwrap_or_default());
        assert!(status != 0 && said.contains(why), "{path}: {status} {said}");
        let after = shop.json(&["provision", "show", &before["id"].to_string(), "--json"]).await?;
        assert_eq!(after["document"]["removed"], false, "{path}");
        assert!(!said.contains("sesame"), "{said}");
    }
    // Each of these brings the document; the same one a second time is not applied again.
    for path in server::GOOD {
        shop.says(&server::url(path)).await?;
        let (status, said) = shop.asks().await?;
        println!("  {path}: {}", said.lines().last().unwrap_or_default());
        assert!(status == 0 && said.contains("everything applied"), "{path}: {status} {said}");
        let newest = shop.newest().await?;
        assert_eq!((&newest["source"], &newest["signer"]), (&"refresh".into(), &"CN=Shop,O=For tests only".into()));
        // What it does not say stays: it has no section of its own about newer ones.
        let (status, said) = shop.asks().await?;
        assert!(status == 0 && said.contains("no newer document"), "{path}: {status} {said}");
        assert_eq!(shop.newest().await?["id"], newest["id"]);
    }
    let log = fs::read_to_string(directory.join("ground/shop-access.log"))?;
    assert!(log.lines().any(|line| line.contains("/good.xml") && line.contains(" 304 ")), "{log}");
    // Only who asked was told: the other host, to which one was sent, was not.
    let told = |line: &&str| line.contains("user=shop");
    let asks = |line: &str| line.contains("/closed/") || line.contains("/wrong/");
    assert!(log.lines().any(|line| told(&line)) && log.lines().filter(told).all(asks), "{log}");
    let daemon = meeting.stage.log();
    assert!(!daemon.contains("sesame") && daemon.contains("refresh-failed"));
    Ok(())
}

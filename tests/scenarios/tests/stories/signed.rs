//! A document that came from a web site: signed with `mbimctl`, checked by `mbimd-verify`, asked about by an agent.

use std::collections::HashMap;
use std::fs;

use dbus_api::proxy::ProvisioningProxy;
use dbus_api::value::Details;
use harness::cases::Case;
use harness::virtual_operator::network::Network;
use harness::virtual_operator::{Subscriber, document};
use scenarios::ctl::Ctl;
use scenarios::stage::{Outcome, Stage, quick, story};
use tokio::sync::mpsc;
use zbus::{ObjectPath, Variant};

pub(crate) const CASES: &[Case] =
    &[Case { name: "a_signed_document_from_a_web_site", run: || story("open", signed_web) }];

/// A user's agent that says yes, and whom it was asked about.
struct Yes(mpsc::UnboundedSender<String>);

#[zbus::interface(name = "org.mbimd.Mbimd1.Agent")]
impl Yes {
    fn approve_signer(&self, _job: u32, details: Details) -> bool {
        let signer = details.get("signer").and_then(|signer| signer.try_clone().ok());
        let signer = signer.and_then(|signer| String::try_from(signer).ok());
        // The story has ended.
        let _ = self.0.send(signer.unwrap_or_default());
        true
    }

    fn cancel(&self, _job: u32) {}
}

async fn signed_web(stage: &mut Stage) -> Outcome {
    let ctl = Ctl::beside_test(stage.world.bus.address())?;
    let at = |name: &str| stage.world.directory().join(name).display().to_string();
    let (plain, signed, certificates, trust) = (at("plain.xml"), at("signed.xml"), at("certs"), at("trust.d"));
    let network = Network::new(stage.world.scenario().clone(), Subscriber::canary());
    fs::write(&plain, document::profile(&network))?;
    let (key, cert) = (format!("{certificates}/Shop.key"), format!("{certificates}/Shop.pem"));
    for arguments in [
        &["provision", "test-cert", "--name", "Shop", "-o", &certificates][..],
        &["provision", "sign", &plain, "--key", &key, "--cert", &cert, "-o", &signed],
    ] {
        let said = ctl.call(arguments).await?;
        assert_eq!(said.status, 0, "{said:?}");
    }
    stage.plug(quick(stage.world.scenario())).await?;
    stage.online().await?;

    let client = stage.client.connection().clone();
    let proxy = ProvisioningProxy::new(&client).await?;
    let website = HashMap::from([("source", Variant::from("website"))]);
    let document = fs::read(&signed)?;
    let apply = async |document: &[u8]| match proxy.apply(document, &website).await {
        Ok((job, _)) => Ok(job),
        Err(error) => {
            Err(dbus_api::error::Error::from(error).message().split(' ').next().unwrap_or_default().to_owned())
        }
    };
    assert_eq!(apply(&fs::read(&plain)?).await, Err("8217000e".to_owned()), "not signed");
    assert_eq!(apply(&document).await, Err("82170004".to_owned()), "nobody trusts the root");
    let said = ctl.call(&["provision", "trust", &format!("{certificates}/ShopRoot.pem"), "--trust", &trust]).await?;
    assert_eq!(said.status, 0, "{said:?}");
    assert_eq!(apply(&document).await, Err("82170006".to_owned()), "nobody to ask");
    let changed = String::from_utf8(document.clone())?.replacen("Example Mobile", "Example mobile", 1);
    assert_eq!(apply(changed.as_bytes()).await, Err("82170005".to_owned()), "changed");

    let (tell, mut asked) = mpsc::unbounded_channel();
    let path = ObjectPath::try_from("/agent")?;
    client.object_server().at(&path, Yes(tell)).await?;
    proxy.register_agent(&path).await?;
    let job = apply(&document).await?;
    let ended = stage.client.ended(job).await?;
    assert_eq!((ended.state.as_str(), ended.all_elements_provisioned), ("done", Some(true)), "{ended:?}");
    assert_eq!(asked.recv().await.as_deref(), Some("O=For tests only, CN=Shop"));

    // Once is enough.
    proxy.unregister_agent(&path).await?;
    let job = apply(&document).await?;
    assert_eq!(stage.client.ended(job).await?.state, "done");
    let signers = ctl.call(&["provision", "signers", "--json"]).await?.json()?;
    assert_eq!(signers["signers"][0]["signer"], "O=For tests only, CN=Shop", "{signers}");
    let fingerprint = signers["signers"][0]["fingerprint"].as_str().unwrap_or_default().to_owned();
    assert_eq!(ctl.call(&["provision", "signers", "--revoke", &fingerprint]).await?.status, 0);
    assert_eq!(apply(&document).await, Err("82170006".to_owned()), "asked anew, and nobody is there");
    stage.stop().await?;
    stage.bare().await?;
    Ok(())
}

//! The operator's site as the subscriber's browser sees it over the modem.

use core::net::SocketAddr;
use core::time::Duration;
use std::sync::Arc;

use harness::virtual_operator::address::{DATA_LINK, PORTAL};
use harness::virtual_operator::http::{Client, Response};
use harness::virtual_operator::network::OFFERS;
use harness::virtual_operator::{Error, certificates, portal};
use harness::wait;

use crate::client::PATIENCE;

/// A subscriber who has bought a plan.
#[derive(Debug)]
pub struct Account {
    client: Client,
    token: String,
}

impl Account {
    /// Opens the hand-over URL and buys the first offer.
    ///
    /// # Errors
    /// The URL leads elsewhere, or the site refuses.
    pub async fn buy(roots: &str, url: &str) -> Result<Self, Error> {
        Self::buy_through(DATA_LINK, roots, url).await
    }

    /// As [`Account::buy`] through an interface of another name.
    ///
    /// # Errors
    /// The URL leads elsewhere, or the site refuses.
    pub async fn buy_through(interface: &str, roots: &str, url: &str) -> Result<Self, Error> {
        let doing = "opening the operator's site";
        let path = url.strip_prefix("https://").and_then(|rest| rest.strip_prefix(PORTAL.name));
        let path = path.ok_or_else(|| Error::new(doing, "the URL is not the operator's"))?;
        let tls = Some(Arc::new(certificates::client_config(roots)?));
        let client = Client { interface: Some(interface.into()), tls, limit: Duration::from_secs(5) };
        let page = fetch(&client, path, None).await?;
        if page.status != 200 {
            return Err(Error::new(doing, format!("status {}", page.status)));
        }
        let text = page.body_text();
        let token = portal::token_in(&text).ok_or_else(|| Error::new(doing, "no offers"))?.to_owned();
        let [offer, ..] = OFFERS;
        let bought = fetch(&client, "/buy", Some(&format!("session={token}&plan={}", offer.id))).await?;
        if bought.status != 200 {
            return Err(Error::new("buying a plan", format!("status {}", bought.status)));
        }
        Ok(Self { client, token })
    }

    /// A document of the operator for this subscriber: `activation` or `profile`. It may not be there at once.
    ///
    /// # Errors
    /// The site refuses.
    pub async fn document(&self, name: &str) -> Result<Vec<u8>, Error> {
        let path = format!("/documents/{name}?session={}", self.token);
        wait::until("the operator's document", PATIENCE, || async {
            match fetch(&self.client, &path, None).await {
                Ok(response) if response.status == 409 => None,
                Ok(response) if response.status == 200 => Some(Ok(response.body)),
                Ok(response) => Some(Err(Error::new("fetching a document", response.status))),
                Err(error) => Some(Err(error)),
            }
        })
        .await?
    }
}

async fn fetch(client: &Client, path: &str, form: Option<&str>) -> Result<Response, Error> {
    client.fetch(SocketAddr::new(PORTAL.ipv4.into(), 443), PORTAL.name, path, form).await
}

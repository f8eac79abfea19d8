//! `mbimctl portal`.

use dbus_api::proxy::ConnectivityProxy;
use serde_json::json;
use zbus::Connection;

use super::agent::opener;
use crate::arguments::Which;
use crate::failure::Failure;
use crate::modem;
use crate::qr::Qr;
use crate::show::Output;

pub(super) async fn run(
    connection: &Connection,
    which: &Which,
    open: bool,
    qr: bool,
    output: Output,
) -> Result<(), Failure> {
    let modem = modem::pick(connection, which.modem.as_deref()).await?;
    let proxy: ConnectivityProxy<'_> = super::proxy(connection, &modem).await?;
    let (url, source) = proxy.get_portal_url().await?;
    if open {
        browse(&url).await?;
    }
    let drawn = if qr { Qr::of(&url)?.for_output() } else { String::new() };
    output.print(&json!({ "modem": modem.number, "url": url, "source": source, "opened": open }), || {
        if open { "opened in the browser".to_owned() } else { format!("{url}\n{drawn}") }
    });
    Ok(())
}

/// Hands the page to the desktop. Only web pages: what a network taught us must not start other programs.
async fn browse(url: &str) -> Result<(), Failure> {
    if !(url.starts_with("https://") || url.starts_with("http://")) {
        return Err(Failure::failed("the page is not a web page"));
    }
    let session = zbus::connection::Builder::session().build().await.ok();
    let opened = opener::open(session.as_ref(), url).await;
    opened.map_err(|failure| failure.next("mbimctl portal, and open the page by hand"))
}

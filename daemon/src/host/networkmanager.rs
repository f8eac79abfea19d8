//! The other neighbour: NetworkManager is told that the interface of a modem that we configure is not its business, and
//! told again when we are done. It leaves interfaces of WWAN modems alone by itself where its WWAN part is installed; where
//! that is missing it takes them for some interface or other. It is never started by telling.

use std::time::Duration;

use zbus::{Connection, OwnedObjectPath};

/// Time for it all.
const PATIENCE: Duration = Duration::from_secs(5);

#[zbus::proxy(
    interface = "org.freedesktop.NetworkManager",
    default_service = "org.freedesktop.NetworkManager",
    default_path = "/org/freedesktop/NetworkManager"
)]
trait Network {
    #[zbus(no_autostart)]
    fn get_device_by_ip_iface(&self, interface: &str) -> zbus::Result<OwnedObjectPath>;
}

#[zbus::proxy(interface = "org.freedesktop.NetworkManager.Device", default_service = "org.freedesktop.NetworkManager")]
trait Device {
    #[zbus(property(emits_changed_signal = "false"))]
    fn managed(&self) -> zbus::Result<bool>;

    #[zbus(property)]
    fn set_managed(&self, managed: bool) -> zbus::Result<()>;
}

/// Makes an interface managed or not. Whether that changed anything; not where it does not run or does not know the
/// interface.
pub(crate) async fn manage(bus: Option<Connection>, interface: &str, managed: bool) -> bool {
    let Some(bus) = bus else { return false };
    match tokio::time::timeout(PATIENCE, set(&bus, interface, managed)).await {
        Ok(Ok(changed)) => changed,
        Ok(Err(error)) => {
            tracing::debug!(%error, interface, "NetworkManager is not there or does not know the interface");
            false
        }
        Err(_) => false,
    }
}

async fn set(bus: &Connection, interface: &str, managed: bool) -> zbus::Result<bool> {
    let path = NetworkProxy::new(bus).await?.get_device_by_ip_iface(interface).await?;
    let device =
        DeviceProxy::builder(bus).path(path).cache_properties(zbus::proxy::CacheProperties::No).build().await?;
    if device.managed().await? == managed {
        return Ok(false);
    }
    device.set_managed(managed).await?;
    tracing::info!(interface, managed, "NetworkManager was told");
    Ok(true)
}

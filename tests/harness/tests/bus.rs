//! The private bus with zbus clients on tokio.

// clippy.toml allows this in tests, but does not know that an executable without the standard harness is one.
#![allow(clippy::unwrap_used)]

use std::os::unix::fs::PermissionsExt;
use std::process::ExitCode;

use futures_util::StreamExt;
use harness::bus::Bus;
use harness::cases::{Case, block_on};
use zbus::fdo::DBusProxy;
use zbus::{Connection, MatchRule, MessageStream, connection};

type Outcome = Result<(), Box<dyn std::error::Error>>;

fn main() -> ExitCode {
    harness::main(&[Case { name: "names_signals_and_credentials", run: names_signals_and_credentials }])
}

struct Lamp(bool);

#[zbus::interface(name = "org.example.Lamp")]
impl Lamp {
    #[zbus(property)]
    async fn lit(&self) -> bool {
        self.0
    }
    #[zbus(property)]
    async fn set_lit(&mut self, lit: bool) {
        self.0 = lit;
    }
}

#[zbus::proxy(
    interface = "org.example.Lamp",
    default_service = "org.example.House",
    default_path = "/org/example/lamp"
)]
trait Lamp {
    #[zbus(property)]
    fn lit(&self) -> zbus::Result<bool>;
    #[zbus(property)]
    fn set_lit(&self, lit: bool) -> zbus::Result<()>;
}

async fn connect(address: &str) -> zbus::Result<Connection> {
    connection::Builder::address(address).build().await
}

fn names_signals_and_credentials() -> Outcome {
    block_on(async {
        let directory = tempfile::tempdir()?;
        std::fs::set_permissions(directory.path(), std::fs::Permissions::from_mode(0o700))?;
        let bus = Bus::start(directory.path()).await?;
        let house = connect(bus.address()).await?;
        let guest = connect(bus.address()).await?;

        let peers = DBusProxy::new(&guest).await?;
        house.request_name("org.example.House").await?;
        let owner = peers.get_name_owner("org.example.House".try_into()?).await?;
        assert_eq!(owner.as_str(), house.unique_name().unwrap().as_str());
        let uid = peers.get_connection_credentials("org.example.House".try_into()?).await?.unix_user_id();
        assert_eq!(uid, Some(nix::unistd::getuid().as_raw()));

        let rule = MatchRule::try_from(
            "type='signal',sender='org.example.House',interface='org.freedesktop.DBus.ObjectManager',\
             path_namespace='/org/example'",
        )?;
        let mut added = MessageStream::for_match_rule(rule, &guest, None).await?;
        house.object_server().at("/org/example/lamp", Lamp(false)).await?;
        let manager = "org.freedesktop.DBus.ObjectManager";
        let nobody: Option<&str> = None;
        house.emit_signal(nobody, "/org/example", manager, "InterfacesAdded", &("/org/example/lamp",)).await?;
        let signal = added.next().await.unwrap()?;
        assert_eq!(signal.header().member().map(|m| m.as_str()), Some("InterfacesAdded"));

        let lamp = LampProxy::new(&guest).await?;
        let mut lit = lamp.receive_lit_changed().await;
        lamp.set_lit(true).await?;
        loop {
            if lit.next().await.unwrap().get().await? {
                break;
            }
        }
        bus.stop().await;
        Ok::<_, Box<dyn std::error::Error>>(())
    })
}

//! A private bus on a thread of its own, since the broker brings its own runtime. It ends with the process.

use zbus::{Connection, connection};

/// The bus.
pub(crate) struct Bus {
    /// Its address.
    pub(crate) address: String,
    _folder: tempfile::TempDir,
}

impl Bus {
    pub(crate) async fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let address = format!("unix:path={}", folder.path().join("bus").display());
        let (ready, wait) = tokio::sync::oneshot::channel();
        let at = address.clone();
        std::thread::spawn(move || {
            zruntime::block_on(async {
                let mut bus = busd::bus::Bus::for_address(Some(&at)).await.unwrap();
                let _ = ready.send(());
                let _ = bus.run().await;
            });
        });
        wait.await.unwrap();
        Self { address, _folder: folder }
    }

    pub(crate) async fn connect(&self) -> Connection {
        connection::Builder::address(self.address.as_str()).build().await.unwrap()
    }
}

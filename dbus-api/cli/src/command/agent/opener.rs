//! Giving a page to the browser so that nobody else reads its address, which may name the subscriber: everybody on the machine
//! sees what a program is started with. The desktop's portal is told on the session's bus; `xdg-open` is given a file of the
//! user's that leads there, and that is gone when it was read.

use std::collections::HashMap;
use std::io::{self, Write as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use zbus::{Connection, Variant};

use super::page::there;
use crate::failure::Failure;

/// The desktop's portal, which opens pages for whoever asks.
const PORTAL: &str = "org.freedesktop.portal.Desktop";
/// How long a browser may take to read the file, and to read it again after that.
const PATIENCE: Duration = Duration::from_secs(30);
const AGAIN: Duration = Duration::from_secs(2);
/// Between two looks whether it was read.
const LOOK: Duration = Duration::from_millis(200);

/// Opens a page of the web: by the desktop's portal, else by `xdg-open`. `desktop`: the session's bus, where there is one. Returns
/// when the browser has it.
pub(crate) async fn open(desktop: Option<&Connection>, url: &str) -> Result<(), Failure> {
    if let Some(desktop) = desktop
        && there(desktop, PORTAL).await
    {
        let options: HashMap<&str, Variant<'_>> = HashMap::new();
        let (path, interface) = ("/org/freedesktop/portal/desktop", Some("org.freedesktop.portal.OpenURI"));
        let asked = ("", url, options);
        if desktop.call_method(Some(PORTAL), path, interface, "OpenURI", &asked).await.is_ok() {
            return Ok(());
        }
    }
    let leaf = Leaf::write(&folder(), url)
        .map_err(|error| Failure::failed(format!("the way to the page cannot be written: {error}")))?;
    let mut opener = Command::new("xdg-open");
    opener.arg(&leaf.0).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    // It may be the browser itself, and stay.
    let opened = tokio::task::spawn_blocking(move || opener.status());
    let (opened, ()) = tokio::select! {
        opened = opened => match opened {
            Ok(Ok(status)) if status.success() => (true, leaf.read().await),
            _ => (false, ()),
        },
        () = leaf.read() => (true, ()),
    };
    if opened { Ok(()) } else { Err(Failure::failed("no browser could be opened (xdg-open)")) }
}

/// The user's own folder of this session, which goes with it; where there is none, that for temporary files.
fn folder() -> PathBuf {
    let own = std::env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from).filter(|folder| folder.is_absolute());
    own.filter(|folder| folder.is_dir()).unwrap_or_else(std::env::temp_dir)
}

/// A file that leads to a page; it goes with this value.
struct Leaf(PathBuf);

impl Leaf {
    fn write(folder: &Path, url: &str) -> io::Result<Self> {
        let mut random = [0; 16];
        rustix::rand::getrandom(&mut random, rustix::rand::GetRandomFlags::empty())?;
        let name: String = random.iter().map(|octet| format!("{octet:02x}")).collect();
        let path = folder.join(format!("mbimd-page-{name}.html"));
        let mut file = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path)?;
        let leaf = Self(path);
        let url = escaped(url);
        write!(
            file,
            "<!doctype html>\n<meta charset=\"utf-8\">\n<meta name=\"referrer\" content=\"no-referrer\">\n\
             <meta http-equiv=\"refresh\" content=\"0;url={url}\">\n<title>The operator's page</title>\n\
             <a href=\"{url}\">The operator's page</a>\n"
        )?;
        // That it is read shows by the time of its last reading, which is kept where it is older than that of its writing.
        file.set_times(std::fs::FileTimes::new().set_accessed(std::time::SystemTime::UNIX_EPOCH))?;
        Ok(leaf)
    }

    /// Waits until it was read, and a moment more; or as long as anybody may take.
    async fn read(&self) {
        let begun = tokio::time::Instant::now();
        while begun.elapsed() < PATIENCE {
            if std::fs::metadata(&self.0).map_or(true, |data| data.atime() > 0) {
                return tokio::time::sleep(AGAIN).await;
            }
            tokio::time::sleep(LOOK).await;
        }
    }
}

impl Drop for Leaf {
    fn drop(&mut self) {
        // Who removed it before did what was wanted.
        let _ = std::fs::remove_file(&self.0);
    }
}

/// What an attribute of HTML may hold.
fn escaped(url: &str) -> String {
    url.replace('&', "&amp;").replace('"', "&quot;").replace('<', "&lt;").replace('>', "&gt;").replace('\'', "&#39;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_leaf_is_the_users_alone_and_goes() {
        let folder = tempfile::tempdir().unwrap();
        let leaf = Leaf::write(folder.path(), "https://x.example/?a=1&b=\"'<>").unwrap();
        let data = std::fs::metadata(&leaf.0).unwrap();
        assert_eq!((data.mode() & 0o777, data.atime()), (0o600, 0));
        let text = std::fs::read_to_string(&leaf.0).unwrap();
        assert!(text.contains("content=\"0;url=https://x.example/?a=1&amp;b=&quot;&#39;&lt;&gt;\""), "{text}");
        let second = Leaf::write(folder.path(), "https://x.example/").unwrap();
        assert_ne!(leaf.0, second.0);
        drop((leaf, second));
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    }
}

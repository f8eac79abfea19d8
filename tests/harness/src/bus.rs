//! A message bus of one's own: the broker `busd` in a child process, on a path socket in a directory that nobody
//! else may enter. Clients from outside of the namespaces reach it, and the broker tells their real uid.

use std::io::Read;
use std::path::Path;
use std::process::ExitCode;

use tokio::process::{Child, ChildStdin, Command};
use virtual_operator::{Error, While, netns, wire};

const PART: &str = "virtual-bus";

/// A running bus. Ends with its owner.
#[derive(Debug)]
pub struct Bus {
    child: Child,
    /// The bus ends when this is closed.
    _leash: ChildStdin,
    address: String,
}

impl Bus {
    /// Starts a bus whose socket is `DIRECTORY/bus`; returns when it takes connections.
    ///
    /// # Errors
    /// The directory is not there, or the process ended.
    pub async fn start(directory: &Path) -> Result<Self, Error> {
        let doing = "starting the bus";
        let socket = directory.join("bus");
        let path = socket.to_str().ok_or_else(|| Error::new(doing, "the directory's name is not UTF-8"))?;
        let mut command = Command::from(netns::own_executable(&[PART, path]));
        let mut child = command.kill_on_drop(true).spawn().trying(doing)?;
        let leash = child.stdin.take().ok_or_else(|| Error::new(doing, "no standard input"))?;
        let output = child.stdout.take().ok_or_else(|| Error::new(doing, "no standard output"))?;
        match wire::lines(output).next_line().await.trying(doing)? {
            Some(line) if line == "ready" => {}
            other => return Err(Error::new(doing, other.unwrap_or_else(|| "the process has ended".into()))),
        }
        Ok(Self { child, _leash: leash, address: format!("unix:path={path}") })
    }

    /// Address for clients.
    #[must_use]
    pub fn address(&self) -> &str {
        &self.address
    }

    /// Ends the bus and waits until it is gone.
    pub async fn stop(mut self) {
        // It may have ended by itself.
        let _ = self.child.kill().await;
    }
}

pub(crate) fn child(arguments: &[String]) -> Option<ExitCode> {
    let [part, path] = arguments else { return None };
    (part == PART).then(|| match serve(path) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            println!("{error}");
            ExitCode::FAILURE
        }
    })
}

fn serve(path: &str) -> Result<(), Error> {
    netns::die_with_parent()?;
    std::thread::spawn(|| {
        let mut rest = Vec::new();
        let _ = std::io::stdin().read_to_end(&mut rest);
        std::process::exit(0);
    });
    zruntime::block_on(async {
        let mut bus =
            busd::bus::Bus::for_address(Some(&format!("unix:path={path}"))).await.trying("starting the bus")?;
        println!("ready");
        bus.run().await.trying("running the bus")
    })
}

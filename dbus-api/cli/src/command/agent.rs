//! `mbimctl agent`: leads the user of a desktop, or of a console, to the operator's page when the daemon asks for it, and asks
//! about signers of documents, on the desktop or at this terminal.

mod console;
mod desktop;
pub(crate) mod opener;
mod page;
mod watch;

use std::io::{IsTerminal as _, Write as _};
use std::time::{Duration, SystemTime};

use dbus_api::proxy::ProvisioningProxy;
use dbus_api::value::Details;
use tokio::sync::{mpsc, oneshot};
use zbus::{Connection, ObjectPath};

use crate::arguments::Agent as Arguments;
use crate::bus::Bus;
use crate::failure::Failure;
use crate::show::Output;

/// Path of the agent on our connection.
const PATH: &str = "/org/mbimd/Agent";

/// What the daemon says to us.
enum Heard {
    /// A question, with the place for the answer.
    Ask(u32, Box<Question>, oneshot::Sender<bool>),
    /// It is taken back.
    Cancel(u32),
}

/// A signer as the daemon describes it.
struct Question {
    carrier_id: String,
    signer: String,
    issuer: String,
    root: String,
    fingerprint: String,
    not_after: u64,
    extended: bool,
}

impl Question {
    fn read(details: &Details) -> Self {
        let text = |key: &str| {
            let value = details.get(key).and_then(|value| value.try_clone().ok());
            let text = value.and_then(|value| String::try_from(value).ok()).unwrap_or_default();
            // It comes from a stranger's certificate and goes to a terminal.
            text.chars().map(|c| if c.is_control() { '?' } else { c }).collect::<String>()
        };
        let clone = |key: &str| details.get(key).and_then(|value| value.try_clone().ok());
        Self {
            carrier_id: text("carrier-id"),
            signer: text("signer"),
            issuer: text("issuer"),
            root: text("root"),
            fingerprint: text("fingerprint"),
            not_after: clone("not-after").and_then(|value| u64::try_from(value).ok()).unwrap_or_default(),
            extended: clone("extended-validation").and_then(|value| bool::try_from(value).ok()).unwrap_or_default(),
        }
    }

    fn text(&self) -> String {
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        let left = Duration::from_secs(self.not_after).saturating_sub(now).as_secs() / 86_400;
        let extended = if self.extended { " (extended validation)" } else { "" };
        format!(
            "\nA document of the operator {} is signed by somebody whom nobody named before:\n\n  signer       {}{extended}\n  \
             issuer       {}\n  root         {}\n  fingerprint  {}\n  valid for    {left} days\n\n\
             Documents of this signer may then change how this machine connects.\n",
            self.carrier_id, self.signer, self.issuer, self.root, self.fingerprint
        )
    }
}

/// The object that the daemon calls.
struct Served(mpsc::UnboundedSender<Heard>);

#[zbus::interface(name = "org.mbimd.Mbimd1.Agent")]
impl Served {
    async fn approve_signer(&self, job: u32, details: Details) -> bool {
        let (answer, wait) = oneshot::channel();
        // Nobody listens any more: no.
        let _ = self.0.send(Heard::Ask(job, Box::new(Question::read(&details)), answer));
        wait.await.unwrap_or(false)
    }

    fn cancel(&self, job: u32) {
        let _ = self.0.send(Heard::Cancel(job));
    }
}

/// An agent that is registered and asks when it is polled.
pub(crate) struct Agent {
    heard: mpsc::UnboundedReceiver<Heard>,
}

impl Agent {
    /// Registers one; the daemon forgets it when the connection ends.
    pub(crate) async fn register(connection: &Connection) -> Result<Self, Failure> {
        let (tell, heard) = mpsc::unbounded_channel();
        let path = ObjectPath::try_from(PATH).map_err(|error| Failure::failed(error.to_string()))?;
        connection.object_server().at(&path, Served(tell)).await?;
        ProvisioningProxy::new(connection).await?.register_agent(&path).await?;
        Ok(Self { heard })
    }

    /// Whether there is somebody to ask.
    pub(crate) fn has_terminal() -> bool {
        std::io::stdin().is_terminal() && std::io::stderr().is_terminal()
    }

    /// Asks one question after the other, for ever.
    pub(crate) async fn work(mut self) -> Failure {
        let mut lines = lines();
        let mut asked: Option<(u32, oneshot::Sender<bool>)> = None;
        let mut waiting = std::collections::VecDeque::new();
        loop {
            if asked.is_none()
                && let Some((job, question, answer)) = waiting.pop_front()
            {
                let question: Box<Question> = question;
                let _ = write!(std::io::stderr(), "{}Apply documents of this signer? [y/N] ", question.text());
                asked = Some((job, answer));
            }
            tokio::select! {
                heard = self.heard.recv() => match heard {
                    Some(Heard::Ask(job, question, answer)) => waiting.push_back((job, question, answer)),
                    Some(Heard::Cancel(job)) => {
                        waiting.retain(|(waits, ..)| *waits != job);
                        if asked.as_ref().is_some_and(|(asked, _)| *asked == job) {
                            let _ = writeln!(std::io::stderr(), "\nThe question is taken back.");
                            asked = None;
                        }
                    }
                    None => return Failure::not_running(),
                },
                line = lines.recv() => match line {
                    Some(line) => {
                        if let Some((_, answer)) = asked.take() {
                            let yes = matches!(line.trim().to_lowercase().as_str(), "y" | "yes");
                            let _ = writeln!(std::io::stderr(), "{}", if yes { "Approved." } else { "Declined." });
                            // The daemon may have stopped waiting.
                            let _ = answer.send(yes);
                        }
                    }
                    None => return Failure::failed("standard input ended: nobody can be asked"),
                },
            }
        }
    }
}

/// Lines of standard input, read by a thread that ends with the program: it cannot be taken out of its reading.
fn lines() -> mpsc::UnboundedReceiver<String> {
    let (tell, lines) = mpsc::unbounded_channel();
    std::thread::spawn(move || {
        for line in std::io::stdin().lines().map_while(Result::ok) {
            if tell.send(line).is_err() {
                return;
            }
        }
    });
    lines
}

/// Whether it belongs to a session or a console, and goes on whether there is a daemon or not.
pub(crate) fn stays(wish: &Arguments) -> bool {
    wish.desktop || wish.console || !Agent::has_terminal()
}

/// The agent of a desktop session or of a console, until it is told to end.
pub(crate) async fn stay(wish: &Arguments, on: &Bus) -> Result<(), Failure> {
    if wish.console { console::run(on).await } else { desktop::run(on).await }
}

pub(super) async fn run(connection: &Connection, output: Output) -> Result<(), Failure> {
    let agent = Agent::register(connection).await?;
    output.print(&serde_json::json!({ "registered": true }), || {
        "Questions about signers are asked here, until interrupted.".to_owned()
    });
    Err(agent.work().await)
}

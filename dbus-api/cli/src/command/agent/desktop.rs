//! The agent of a desktop session: a notification for each wish of the daemon, the operator's page when it is pressed, and
//! nothing else. Nothing that names the subscriber is fetched before, and nothing of it is printed.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use futures_util::StreamExt as _;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinSet;
use zbus::message::Type;
use zbus::{Connection, MatchRule, MessageStream, Variant, fdo};

use super::watch::{Kind, Seen, Watch, Wish, plain};
use super::{Heard, PATH, Question, Served, opener, page};
use crate::bus::{self, Bus};
use crate::failure::Failure;

/// The service that shows notifications.
const SERVICE: &str = "org.freedesktop.Notifications";
const AT: &str = "/org/freedesktop/Notifications";
/// The answer of a user who presses the notification itself.
const PRESSED: &str = "default";
const OPEN: &str = "open";
const APPLY: &str = "apply";
const DECLINE: &str = "decline";

/// What became of one page.
struct Opened {
    wish: Wish,
    result: Result<(), Failure>,
}

/// The notifications of this agent.
struct Desk {
    daemon: Connection,
    session: Connection,
    /// What is shown, by modem; the number of the notification where one could be shown.
    shown: BTreeMap<u32, (Wish, Option<u32>)>,
    /// What the user has seen: device, kind and host. Forgotten when the device reaches the Internet.
    done: BTreeSet<(String, String)>,
    /// Questions about signers, by notification.
    asked: BTreeMap<u32, (u32, oneshot::Sender<bool>)>,
    opening: JoinSet<Opened>,
    /// It was said that nobody shows notifications.
    told: bool,
}

/// What a notification server can do.
#[derive(Clone, Copy, Default)]
struct Abilities {
    actions: bool,
    markup: bool,
}

pub(super) async fn run(on: &Bus) -> Result<(), Failure> {
    let session = zbus::connection::Builder::session().build().await.map_err(|_| {
        Failure::failed("there is no session bus to show notifications on").next("mbimctl agent --console")
    })?;
    let daemon = bus::open(on).await?;
    let mut watch = Watch::new(&daemon).await?;
    let rule = MatchRule::builder().msg_type(Type::Signal).sender(SERVICE).interface(SERVICE).build()?;
    let mut presses = MessageStream::for_match_rule(rule, &session, None).await?;
    let broker = fdo::DBusProxy::new(&session).await?;
    let mut servers = broker.receive_name_owner_changed_with_args(&[(0, SERVICE)]).await?;
    let (tell, mut heard) = mpsc::unbounded_channel();
    let path = zbus::ObjectPath::try_from(PATH).map_err(|error| Failure::failed(error.to_string()))?;
    daemon.object_server().at(&path, Served(tell)).await?;
    let (mut term, mut int) = (signals(SignalKind::terminate())?, signals(SignalKind::interrupt())?);
    let mut desk = Desk {
        daemon,
        session,
        shown: BTreeMap::new(),
        done: BTreeSet::new(),
        asked: BTreeMap::new(),
        opening: JoinSet::new(),
        told: false,
    };
    let mut there = false;
    loop {
        let seen = watch.look().await;
        // Each run of the daemon has to be told that somebody can be asked about signers.
        let now = page::there_now(&desk.daemon, dbus_api::name::SERVICE).await;
        if now && !there {
            desk.register(&path).await;
        }
        there = now;
        desk.show(&seen).await;
        // Until the daemon says something new.
        loop {
            tokio::select! {
                alive = watch.changed() => match alive {
                    true => break,
                    false => return Err(Failure::failed("the bus is gone")),
                },
                press = presses.next() => match press {
                    Some(Ok(message)) => desk.on_signal(&message).await,
                    Some(Err(_)) => {}
                    None => return Err(Failure::failed("the session bus is gone")),
                },
                Some(change) = servers.next() => {
                    // Another server shows nothing of what the old one did.
                    if change.args().is_ok_and(|args| args.new_owner().is_some()) {
                        desk.forget_shown();
                        break;
                    }
                }
                Some(heard) = heard.recv() => desk.on_question(heard).await,
                Some(Ok(opened)) = desk.opening.join_next(), if !desk.opening.is_empty() => desk.on_opened(opened).await,
                _ = term.recv() => return desk.leave().await,
                _ = int.recv() => return desk.leave().await,
            }
        }
    }
}

fn signals(kind: SignalKind) -> Result<tokio::signal::unix::Signal, Failure> {
    signal(kind).map_err(|error| Failure::failed(error.to_string()))
}

impl Desk {
    /// Offers to ask about signers. That takes a right which a session has not everywhere: without it the terminal asks,
    /// and nobody is bothered for a password at login.
    async fn register(&self, path: &zbus::ObjectPath<'_>) {
        let (root, interface) = (dbus_api::path::ROOT, Some(dbus_api::name::PROVISIONING));
        let service = Some(dbus_api::name::SERVICE);
        let _ = self.daemon.call_method(service, root, interface, "RegisterAgent", &(path,)).await;
    }

    /// Makes what is on the screen what the daemon wants.
    async fn show(&mut self, seen: &[Seen]) {
        for device in seen.iter().filter(|seen| seen.full).map(|seen| &seen.device) {
            self.done.retain(|(other, _)| other != device);
        }
        let wishes: BTreeMap<u32, &Wish> =
            seen.iter().filter_map(|seen| seen.wish.as_ref()).map(|w| (w.number, w)).collect();
        let old: Vec<u32> = self
            .shown
            .iter()
            .filter(|(number, (wish, _))| wishes.get(number) != Some(&wish))
            .map(|(n, _)| *n)
            .collect();
        for number in old {
            if let Some((_, Some(id))) = self.shown.remove(&number) {
                self.close(id).await;
            }
        }
        for (number, wish) in wishes {
            let shown = self.shown.get(&number).is_some_and(|(_, id)| id.is_some());
            if shown || self.done.contains(&key(wish)) {
                continue;
            }
            if wish.always && wish.kind != Kind::Notify {
                self.open(wish.clone());
                continue;
            }
            let id = self.notify(wish).await;
            self.shown.insert(number, (wish.clone(), id));
        }
    }

    async fn notify(&mut self, wish: &Wish) -> Option<u32> {
        let abilities = self.abilities().await?;
        let (summary, mut body) = words(wish);
        let opens = wish.kind != Kind::Notify;
        if opens && !abilities.actions {
            body += " Open it with: mbimctl portal --open";
        }
        let actions: &[&str] = if opens && abilities.actions { &[PRESSED, "Open", OPEN, "Open"] } else { &[] };
        self.send(&summary, &body, actions, abilities).await
    }

    /// Shows a notification; its number.
    async fn send(&self, summary: &str, body: &str, actions: &[&str], abilities: Abilities) -> Option<u32> {
        // Text that others chose is no markup.
        let body = if abilities.markup { escaped(body) } else { body.to_owned() };
        let hints: HashMap<&str, Variant<'_>> =
            HashMap::from([("urgency", Variant::U8(1)), ("category", Variant::from("network"))]);
        // It stays until it is answered or no longer true.
        let content = ("mbimd", 0u32, "network-cellular", summary, body, actions, hints, 0i32);
        let reply = self.session.call_method(Some(SERVICE), AT, Some(SERVICE), "Notify", &content).await.ok()?;
        reply.body().deserialize().ok()
    }

    /// What the server can do; `None` = there is none.
    async fn abilities(&mut self) -> Option<Abilities> {
        let mut known = None;
        if page::there(&self.session, SERVICE).await {
            let reply = self.session.call_method(Some(SERVICE), AT, Some(SERVICE), "GetCapabilities", &()).await;
            known = reply.ok().and_then(|reply| reply.body().deserialize::<Vec<String>>().ok());
        }
        if known.is_none() && !std::mem::replace(&mut self.told, true) {
            eprintln!(
                "mbimctl: nobody shows notifications here; the operator's page is opened by: mbimctl portal --open"
            );
        }
        known.map(|list| Abilities {
            actions: list.iter().any(|ability| ability == "actions"),
            markup: list.iter().any(|ability| ability == "body-markup"),
        })
    }

    async fn close(&self, id: u32) {
        // It may be closed already.
        let _ = self.session.call_method(Some(SERVICE), AT, Some(SERVICE), "CloseNotification", &(id,)).await;
    }

    fn forget_shown(&mut self) {
        for (_, id) in self.shown.values_mut() {
            *id = None;
        }
        // Dropped answers are a no.
        self.asked.clear();
        self.told = false;
    }

    async fn on_signal(&mut self, message: &zbus::Message) {
        let header = message.header();
        let body = message.body();
        match header.member().map(|member| member.as_str()) {
            Some("ActionInvoked") => {
                if let Ok((id, action)) = body.deserialize::<(u32, String)>() {
                    self.on_press(id, &action).await;
                }
            }
            Some("NotificationClosed") => {
                if let Ok((id, _)) = body.deserialize::<(u32, u32)>() {
                    self.on_closed(id);
                }
            }
            _ => {}
        }
    }

    async fn on_press(&mut self, id: u32, action: &str) {
        if let Some((_, answer)) = self.asked.remove(&id) {
            // The daemon may have stopped waiting.
            let _ = answer.send(action == APPLY);
            return self.close(id).await;
        }
        let Some(number) = self.modem_of(id) else { return };
        let Some((wish, _)) = self.shown.remove(&number) else { return };
        self.done.insert(key(&wish));
        self.close(id).await;
        if [OPEN, PRESSED].contains(&action) && wish.kind != Kind::Notify {
            self.open(wish);
        }
    }

    /// It was seen, and is not shown again before all was well.
    fn on_closed(&mut self, id: u32) {
        self.asked.remove(&id);
        if let Some((wish, _)) = self.modem_of(id).and_then(|number| self.shown.remove(&number)) {
            self.done.insert(key(&wish));
        }
    }

    fn modem_of(&self, id: u32) -> Option<u32> {
        self.shown.iter().find(|(_, (_, shown))| *shown == Some(id)).map(|(number, _)| *number)
    }

    /// The user said yes.
    fn open(&mut self, wish: Wish) {
        self.done.insert(key(&wish));
        let (daemon, session) = (self.daemon.clone(), self.session.clone());
        self.opening.spawn(async move {
            let result = match page::fetch(&daemon, &wish.path).await {
                Ok(url) => opener::open(Some(&session), &url).await,
                Err(failure) => Err(failure),
            };
            Opened { wish, result }
        });
    }

    async fn on_opened(&mut self, Opened { wish, result }: Opened) {
        let Err(failure) = result else { return };
        let Some(abilities) = self.abilities().await else { return };
        let body = format!("The page at {} was not opened: {}", wish.host, failure.message());
        let _ = self.send("The operator's page was not opened", &body, &[], abilities).await;
    }

    async fn on_question(&mut self, heard: Heard) {
        match heard {
            Heard::Ask(job, question, answer) => {
                // Without actions nobody can say yes: the answer is dropped, which is a no.
                let Some(abilities) = self.abilities().await.filter(|abilities| abilities.actions) else { return };
                let (summary, body) = question.notice();
                let actions = [APPLY, "Apply", DECLINE, "Decline"];
                if let Some(id) = self.send(&summary, &body, &actions, abilities).await {
                    self.asked.insert(id, (job, answer));
                }
            }
            Heard::Cancel(job) => {
                let ids: Vec<u32> = self.asked.iter().filter(|(_, (of, _))| *of == job).map(|(id, _)| *id).collect();
                for id in ids {
                    self.asked.remove(&id);
                    self.close(id).await;
                }
            }
        }
    }

    /// The session ends: nothing of this agent stays on the screen.
    async fn leave(self) -> Result<(), Failure> {
        let shown = self.shown.values().filter_map(|(_, id)| *id);
        for id in shown.chain(self.asked.keys().copied()).collect::<Vec<_>>() {
            self.close(id).await;
        }
        Ok(())
    }
}

impl Question {
    /// Summary and text of the question.
    fn notice(&self) -> (String, String) {
        let text = format!(
            "A document of {} is signed by {} (issued by {}, fingerprint {}). Documents of this signer may then change how \
             this machine connects.",
            self.carrier_id, self.signer, self.issuer, self.fingerprint
        );
        ("Apply an operator's document?".to_owned(), plain_text(&text))
    }
}

fn plain_text(text: &str) -> String {
    text.chars().take(600).collect()
}

/// What was seen is this page or this trouble of this device.
fn key(wish: &Wish) -> (String, String) {
    let kind = if wish.kind == Kind::Notify { "notify" } else { "page" };
    (wish.device.clone(), format!("{kind} {}", wish.host))
}

/// Summary and text of a notification.
pub(super) fn words(wish: &Wish) -> (String, String) {
    let operator = if wish.operator.is_empty() { "The operator".to_owned() } else { plain(&wish.operator) };
    let named = if wish.names { " Opening it tells the operator the numbers of this SIM and device." } else { "" };
    let host = &wish.host;
    match wish.kind {
        Kind::Open => (
            "Mobile broadband needs a step at the operator".to_owned(),
            format!("{operator} lets nothing through before something is bought or confirmed at {host}.{named}"),
        ),
        Kind::OpenElsewhere => (
            "Mobile broadband has no plan".to_owned(),
            format!("{operator} connects only when a plan was bought at {host}; that takes another connection.{named}"),
        ),
        Kind::Notify => (
            "Mobile broadband does not connect".to_owned(),
            format!("{operator} does not let this SIM connect. Why: mbimctl explain"),
        ),
    }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_others_chose_is_no_markup() {
        assert_eq!(escaped("<a href='x'>A&B</a>"), "&lt;a href='x'&gt;A&amp;B&lt;/a&gt;");
    }
}

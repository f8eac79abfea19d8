//! The story from plug to online, step by step. Each step waits for what the daemon's API shows, and tells it.

use std::collections::HashMap;
use std::net::IpAddr;
use std::path::Path;
use std::time::Duration;

use dbus_api::name::{CONNECTION, CONNECTIVITY, MODEM, SIM};
use dbus_api::proxy::{ConnectivityProxy, ModemProxy, ProvisioningProxy, SimProxy};
use dbus_api::value::Job;
use futures_util::StreamExt;
use harness::line::Happening;
use harness::virtual_operator::network::OFFERS;
use harness::virtual_operator::scenario::Garden;
use harness::virtual_operator::{Error, While, portal};
use harness::wait;
use harness::world::World;
use serde_json::{Value, json};
use tokio::signal::unix::{SignalKind, signal};
use zbus::{OwnedVariant, Variant};

use super::browser::{self, Browser};
use super::consent::Consent;
use super::ending;
use super::mask::Mask;
use super::options::Options;
use super::timeline::{Entry, Timeline};
use super::watch::{View, Watch};

/// How long one step may take before the demo gives up.
const STEP: Duration = Duration::from_secs(60);
const CONNECTED: &str = "up";
const PORTAL: u32 = 2;
const LIMITED: u32 = 3;
const FULL: u32 = 4;

/// Tells everything and cleans up. True if the machine ended up online.
pub(crate) async fn tell(options: &Options, timeline: &mut Timeline) -> bool {
    timeline.remark(&format!("Scenario {}: {}.", options.scenario.name, options.scenario.about));
    let log = std::env::var("MBIMD_LOG").unwrap_or_else(|_| "info".into());
    let mut world = match World::start(options.scenario.clone(), Path::new("/proc/self/exe"), &log).await {
        Ok(world) => world,
        Err(error) => {
            timeline.tell(Entry::new("failed").with("error", error.to_string()).line(error.to_string()));
            return ending::summary(timeline, options, Err(error), Vec::new());
        }
    };
    let outcome = tokio::select! {
        outcome = whole(&mut world, timeline, options) => outcome,
        () = asked_to_end() => Err(Error::new("running the demo", "interrupted")),
    };
    match &outcome {
        Ok(_) if options.stay => {
            timeline.remark("\nOnline. Look around with mbimctl on the bus above; Ctrl-C ends it.\n");
            asked_to_end().await;
        }
        Ok(_) => {}
        Err(error) => ending::failed(&mut world, timeline, error),
    }
    let left = match world.clear_away().await {
        Ok(left) => left,
        Err(error) => vec![error.to_string()],
    };
    ending::summary(timeline, options, outcome, left)
}

/// Ctrl-C, or whoever else politely asks a process to end.
async fn asked_to_end() {
    let wait = async |kind| match signal(kind) {
        Ok(mut signals) => signals.recv().await,
        Err(_) => core::future::pending().await,
    };
    tokio::select! {
        _ = wait(SignalKind::interrupt()) => {}
        _ = wait(SignalKind::terminate()) => {}
        _ = wait(SignalKind::hangup()) => {}
    }
}

/// The story; gives the time that the scenario itself let pass, beyond the modem's own pace.
async fn whole(world: &mut World, timeline: &mut Timeline, options: &Options) -> Result<Duration, Error> {
    timeline.waiting("the daemon");
    let watch = Watch::connect(world.bus.address(), STEP).await?;
    timeline.tell(ready(world));
    plugged(world, timeline).await?;

    let consent = match world.signer() {
        Some(signer) => Some(Consent::new(watch.connection(), signer).await?),
        None => None,
    };
    let mut story = Story { watch, timeline, mask: Mask::default(), consent };
    story.identity().await?;
    story.operator().await?;
    story.registered().await?;
    story.connected("connected", &options.scenario.apn).await?;
    let mut silence = Duration::ZERO;
    if options.scenario.plan_needed {
        let connected = story.timeline.elapsed();
        story.portal().await?;
        if options.scenario.garden == Garden::SilentDrop {
            silence = story.timeline.elapsed().saturating_sub(connected);
        }
        let browser = Browser::new(world.root_certificate(), story.name_servers())?;
        let account = story.handover(&browser).await?;
        let activation = account.document(&browser, "activation").await?;
        story.provisioned("activation", activation).await?;
        let profile = account.document(&browser, "profile").await?;
        story.provisioned("profile", profile).await?;
        story.connected("reconnected", &options.scenario.plan_apn).await?;
    }
    story.online().await?;
    Ok(silence)
}

fn ready(world: &World) -> Entry {
    let bus = world.bus.address();
    Entry::new("ready")
        .with("bus", bus)
        .with("scenario", world.scenario().name.as_str())
        .line(format!("daemon on {bus}"))
        .line(format!("while it runs: mbimctl --bus {bus} status"))
}

async fn plugged(world: &mut World, timeline: &mut Timeline) -> Result<(), Error> {
    timeline.waiting("the daemon to find the modem");
    let device = world.setup.devices.first().cloned().unwrap_or_default();
    let line = world.plug()?;
    let wait = async {
        loop {
            match line.happening().await {
                Some(Happening::Plugged) => return Ok(()),
                Some(Happening::Failed(why)) => return Err(Error::new("plugging the modem in", why)),
                Some(_) => {}
                None => return Err(Error::new("plugging the modem in", "the modem has ended")),
            }
        }
    };
    wait::at_most("the daemon to open the modem", STEP, wait).await??;
    timeline.start();
    timeline.tell(Entry::new("plugged").with("device", device.as_str()).line(device));
    Ok(())
}

/// What the subscriber has at the operator's site after the purchase.
struct Account {
    url: String,
    session: String,
}

impl Account {
    /// A document of the operator for this machine; it may not be there at once.
    async fn document(&self, browser: &Browser, name: &str) -> Result<Vec<u8>, Error> {
        let url = browser::page(&self.url, &format!("/documents/{name}?session={}", self.session))?;
        let ask = || async {
            match browser.open(&url, STEP).await {
                Ok(response) if response.status == 409 => None,
                Ok(response) if response.status == 200 => Some(Ok(response.body)),
                Ok(response) => Some(Err(Error::new("fetching a document", response.status))),
                Err(error) => Some(Err(error)),
            }
        };
        wait::until("the operator's document", STEP, ask).await?
    }
}

struct Story<'a> {
    watch: Watch,
    timeline: &'a mut Timeline,
    mask: Mask,
    /// Where documents are signed: by whom, and the user who is asked about that.
    consent: Option<Consent>,
}

impl Story<'_> {
    async fn until<T>(&mut self, what: &str, ask: impl Fn(&View) -> Option<T>) -> Result<T, Error> {
        self.timeline.waiting(what);
        self.watch.until(what, STEP, ask).await
    }

    fn view(&self) -> &View {
        self.watch.view()
    }

    async fn identity(&mut self) -> Result<(), Error> {
        self.until("the SIM", |v| {
            (!v.text(SIM, "Imsi").is_empty() && !v.text(MODEM, "DeviceId").is_empty()).then_some(())
        })
        .await?;
        let sim = self.sim().await?;
        let doing = "reading the hardware ids";
        let ids = sim.get_hardware_ids().await.map_err(dbus_api::error::Error::from).trying(doing)?;
        let ids: Vec<(String, String)> = ids.into_iter().map(|(criterion, id)| (criterion, coarse(&id))).collect();
        let view = self.view();
        let [imsi, iccid, imei] = [view.text(SIM, "Imsi"), view.text(SIM, "Iccid"), view.text(MODEM, "DeviceId")];
        let (hardware, firmware) = (view.text(MODEM, "Hardware"), view.text(MODEM, "Firmware"));
        let shown: Vec<&str> = ids.iter().map(|(_, id)| id.as_str()).filter(|id| !id.ends_with('…')).collect();
        let entry = Entry::new("identity")
            .with("imsi", imsi.as_str())
            .with("iccid", iccid.as_str())
            .with("device_id", imei.as_str())
            .with("hardware", hardware.as_str())
            .with("firmware", firmware.as_str())
            .with("hwids", ids.iter().map(|(c, id)| json!({"criterion": c, "value": id})).collect::<Vec<_>>())
            .line(format!("IMSI {imsi}, ICCID {iccid}, device {imei} ({hardware} {firmware})"))
            .line(format!("{} hardware ids in match order, of which not personal: {}", ids.len(), shown.join(" ")));
        self.timeline.tell(entry);
        Ok(())
    }

    async fn operator(&mut self) -> Result<(), Error> {
        self.until("the operator's record", |v| (!word(&operator(v), "name").is_empty()).then_some(())).await?;
        let view = self.view();
        let operator = operator(view);
        let [name, matched, layer, rule] = ["name", "match", "layer", "rule"].map(|key| word(&operator, key));
        let trace: Vec<String> = view.get(MODEM, "OperatorTrace");
        let candidates: Vec<HashMap<String, String>> = candidates(view);
        // What belongs to few SIMs is masked there already.
        let selectors = dbus_api::value::texts(&operator, "selectors");
        let hwid = selectors.get("hwid").cloned();
        let selectors: HashMap<String, String> = selectors.into_iter().collect();
        let decided = hwid.as_ref().map(|hwid| format!(" (hardware id {hwid})")).unwrap_or_default();
        let mut entry = Entry::new("operator")
            .with("name", name.as_str())
            .with("match", matched.as_str())
            .with("layer", layer.as_str())
            .with("rule", rule.as_str())
            .with("hwid", hwid)
            .with("selectors", snake_case(&selectors))
            .with("trace", trace.clone())
            .with("candidates", candidates.iter().map(snake_case).collect::<Vec<_>>())
            .line(format!("{name}: {matched} match by {rule}{decided}, layer {layer}"));
        for line in trace {
            entry = entry.line(format!("· {line}"));
        }
        for (place, candidate) in candidates.iter().enumerate() {
            let field = |key: &str| candidate.get(key).map(String::as_str).unwrap_or_default();
            let apn = if field("apn").is_empty() { "left to the network" } else { field("apn") };
            let text = format!("{}. APN {apn}: {} ({})", place + 1, field("criterion"), field("source"));
            entry = entry.line(text);
        }
        self.timeline.tell(entry);
        Ok(())
    }

    async fn registered(&mut self) -> Result<(), Error> {
        let registered =
            |v: &View| ["home", "partner", "roaming"].contains(&v.text(MODEM, "RegistrationState").as_str());
        self.until("a network", |v| registered(v).then_some(())).await?;
        let view = self.view();
        let [state, code, name] = ["RegistrationState", "NetworkCode", "NetworkName"].map(|p| view.text(MODEM, p));
        let entry = Entry::new("registered")
            .with("state", state.as_str())
            .with("plmn", code.as_str())
            .with("network", name.as_str())
            .line(format!("{state} network {code} {name}"));
        self.timeline.tell(entry);
        Ok(())
    }

    async fn connected(&mut self, event: &'static str, apn: &str) -> Result<(), Error> {
        let up = |v: &View| v.text(CONNECTION, "State") == CONNECTED && apn_of(v).eq_ignore_ascii_case(apn);
        self.until(&format!("a connection to {apn}"), |v| up(v).then_some(())).await?;
        let view = self.view();
        let addresses: Vec<String> = view.get(CONNECTION, "Addresses");
        let dns: Vec<String> = view.get(CONNECTION, "Dns");
        let (interface, mtu) = (view.text(CONNECTION, "Interface"), view.number(CONNECTION, "Mtu"));
        let candidate: HashMap<String, String> = view.get(CONNECTION, "Candidate");
        let [why, source] = ["criterion", "source"].map(|key| candidate.get(key).cloned().unwrap_or_default());
        let entry = Entry::new(event)
            .with("apn", apn_of(view))
            .with("criterion", why.as_str())
            .with("source", source.as_str())
            .with("interface", interface.as_str())
            .with("addresses", addresses.clone())
            .with("dns", dns.clone())
            .with("mtu", mtu)
            .line(format!("APN {} ({why}, {source}): {} on {interface}", apn_of(view), addresses.join(" ")))
            .line(format!("DNS {}, MTU {mtu}", dns.join(" ")));
        self.timeline.tell(entry);
        Ok(())
    }

    fn name_servers(&self) -> Vec<IpAddr> {
        let servers: Vec<String> = self.view().get(CONNECTION, "Dns");
        servers.iter().filter_map(|s| s.parse().ok()).collect()
    }

    async fn portal(&mut self) -> Result<(), Error> {
        let walled = |v: &View| [PORTAL, LIMITED].contains(&v.number(CONNECTIVITY, "State"));
        self.until("the connectivity test", |v| (walled(v) && v.flag(CONNECTIVITY, "PortalAvailable")).then_some(()))
            .await?;
        let view = self.view();
        let [state, reason, source] = ["StateName", "Reason", "PortalSource"].map(|p| view.text(CONNECTIVITY, p));
        let entry = Entry::new("portal")
            .with("state", state.as_str())
            .with("reason", reason.as_str())
            .with("purchase_needed", view.flag(CONNECTIVITY, "PurchaseNeeded"))
            .with("source", source.as_str())
            .line(format!("connectivity {state} ({reason}); a page to go to is known from: {source}"));
        self.timeline.tell(entry);
        Ok(())
    }

    /// The person follows the hand-over and buys.
    async fn handover(&mut self, browser: &Browser) -> Result<Account, Error> {
        self.timeline.waiting("the operator's site");
        let doing = "asking for the operator's site";
        let connectivity = self.connectivity().await?;
        let answer = connectivity.get_portal_url().await.map_err(dbus_api::error::Error::from);
        let (url, source) = answer.trying(doing)?;
        let page = browser.open(&url, STEP).await?;
        if page.status != 200 {
            return Err(Error::new("opening the operator's site", format!("status {}", page.status)));
        }
        let text = page.body_text();
        let session = portal::token_in(&text).ok_or_else(|| Error::new("opening the operator's site", "no plans"))?;
        let [offer, ..] = OFFERS;
        let form = format!("session={session}&plan={}", offer.id);
        let bought = browser.fetch(&browser::page(&url, "/buy")?, Some(&form)).await?;
        if bought.status != 200 {
            return Err(Error::new("buying a plan", format!("status {}", bought.status)));
        }
        let shown = self.mask.url(&url);
        let entry = Entry::new("handover")
            .with("url", shown.as_str())
            .with("source", source.as_str())
            .with("plan", offer.id)
            .line(shown)
            .line(format!("the browser opened it over the modem and bought: {}", offer.title));
        self.timeline.tell(entry);
        Ok(Account { session: session.to_owned(), url })
    }

    /// The operator's program hands a document over, or the browser one that is signed.
    async fn provisioned(&mut self, name: &str, document: Vec<u8>) -> Result<(), Error> {
        self.timeline.waiting("the document to be applied");
        let doing = format!("applying the {name} document");
        let (document, source) = match &self.consent {
            Some(consent) => (consent.signed(&document)?, "website"),
            None => (document, "app"),
        };
        let provisioning = ProvisioningProxy::new(self.watch.connection()).await.trying(&doing)?;
        let mut changes = provisioning.receive_job_changed().await.trying(&doing)?;
        let options = HashMap::from([("source", Variant::from(source))]);
        let applied = provisioning.apply(&document, &options).await.map_err(dbus_api::error::Error::from);
        let (number, _) = applied.trying(&doing)?;
        let ended = async {
            loop {
                let details = provisioning.get_job(number).await.map_err(dbus_api::error::Error::from);
                let job = Job::from_details(&details.trying(&doing)?);
                if job.ended() {
                    return Ok::<Job, Error>(job);
                }
                changes.next().await;
            }
        };
        let job = wait::at_most("the document to be applied", STEP, ended).await??;
        if let Some(asked) = self.consent.as_mut().and_then(Consent::asked) {
            self.timeline.tell(asked);
        }
        let results = self.mask.text(job.results_xml.as_deref().unwrap_or_default());
        let all = job.all_elements_provisioned == Some(true);
        let mut entry = Entry::new("provisioned")
            .with("document", name)
            .with("source", source)
            .with("all_elements_provisioned", all)
            .with("activation", job.activation.map_or(Value::Null, Value::from))
            .with(
                "steps",
                job.steps
                    .iter()
                    .map(|s| json!({"id": s.id, "outcome": s.outcome, "error": s.error}))
                    .collect::<Vec<_>>(),
            )
            .with("results_xml", results.as_str())
            .line(format!("{name} document: {}", if all { "everything applied" } else { "not everything applied" }));
        for step in &job.steps {
            entry = entry.line(format!("· {}: {} {}", step.id, step.outcome, step.error));
        }
        for line in results.lines() {
            entry = entry.line(line);
        }
        self.timeline.tell(entry);
        match (all, job.activation) {
            (true, Some(0) | None) => Ok(()),
            (_, code) => Err(Error::new(doing, format!("activation {code:08x?}, error {:?}", job.error))),
        }
    }

    async fn online(&mut self) -> Result<(), Error> {
        self.until("the internet", |v| (v.number(CONNECTIVITY, "State") == FULL).then_some(())).await?;
        let view = self.view();
        let families: HashMap<String, (String, String)> = view.get(CONNECTIVITY, "Families");
        let tested: Vec<String> = families.iter().map(|(family, (state, _))| format!("{family} {state}")).collect();
        let statistics = self.modem().await?.get_statistics().await.unwrap_or_default();
        let entry = Entry::new("online")
            .with("families", json!(families.iter().map(|(f, (s, _))| (f, s)).collect::<HashMap<_, _>>()))
            .with("statistics", snake_case(&statistics))
            .line(format!("connectivity full ({})", tested.join(", ")));
        self.timeline.tell(entry);
        Ok(())
    }

    async fn modem(&self) -> Result<ModemProxy<'static>, Error> {
        let doing = "reaching the modem";
        let path = self.view().path().cloned().ok_or_else(|| Error::new(doing, "it is gone"))?;
        ModemProxy::builder(self.watch.connection()).path(path).build().await.trying(doing)
    }

    async fn sim(&self) -> Result<SimProxy<'static>, Error> {
        let doing = "reaching the SIM";
        let path = self.view().path().cloned().ok_or_else(|| Error::new(doing, "it is gone"))?;
        SimProxy::builder(self.watch.connection()).path(path).build().await.trying(doing)
    }

    async fn connectivity(&self) -> Result<ConnectivityProxy<'static>, Error> {
        let doing = "reaching the modem";
        let path = self.view().path().cloned().ok_or_else(|| Error::new(doing, "it is gone"))?;
        ConnectivityProxy::builder(self.watch.connection()).path(path).build().await.trying(doing)
    }
}

fn operator(view: &View) -> HashMap<String, OwnedVariant> {
    view.get(MODEM, "Operator")
}

fn candidates(view: &View) -> Vec<HashMap<String, String>> {
    view.get(MODEM, "Candidates")
}

fn word(details: &HashMap<String, OwnedVariant>, key: &str) -> String {
    dbus_api::value::text(details, key).unwrap_or_default()
}

fn apn_of(view: &View) -> String {
    let candidate: HashMap<String, String> = view.get(CONNECTION, "Candidate");
    candidate.get("apn").cloned().unwrap_or_default()
}

/// A dictionary of the bus as an object for programs, whose keys are written with underscores.
fn snake_case<V: Clone + Into<Value>>(details: &HashMap<String, V>) -> Value {
    details.iter().map(|(key, value)| (key.replace('-', "_"), value.clone().into())).collect()
}

/// A hardware id that covers more digits than a network has can be counted back to a person: its kind only. `[OPER 2.3]`
fn coarse(id: &str) -> String {
    let kind = id.strip_prefix("MBOP:1:").and_then(|rest| rest.get(..3)).unwrap_or_default();
    let (letter, digits) = kind.split_at_checked(1).unwrap_or_default();
    let few = digits.parse::<u8>().is_ok_and(|digits| digits <= 6);
    if few && "ICNPS".contains(letter) { id.to_owned() } else { format!("MBOP:1:{kind}:…") }
}

#[cfg(test)]
mod tests {
    use super::coarse;

    #[test]
    fn fine_hardware_ids_are_not_shown() {
        assert_eq!(coarse("MBOP:1:I05:REJNFRG6LZF3CVPSEGHNKADP"), "MBOP:1:I05:REJNFRG6LZF3CVPSEGHNKADP");
        assert_eq!(coarse("MBOP:1:I13:OS3HHIN7UL6UTNYGAJMF2IHR"), "MBOP:1:I13:…");
        assert_eq!(coarse("something else"), "MBOP:1::…");
    }
}

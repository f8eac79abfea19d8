//! Documents against a modem that is played by the test.

mod history;
mod killed;
mod newer;

use super::*;
use crate::host::unit::Units;
use crate::store::operators::Operators;
use daemon_core::quota::Charge;
use daemon_core::request::{Reply, Request, RequestError, RequestErrorKind};
use daemon_core::snapshot::{Reason, SimReady, Snapshot};
use daemon_operator::identity::{Identity, Reported};
use daemon_verify::{Answer, Offer, Question, Rejected, Revocation, Verified};

const CARRIER: &str = "{5f0c6b1e-3a52-4a3c-9d0b-6d62696d6401}";
const IMSI: &str = "001015512345678";

thread_local! {
    /// The clock of a test's thread: 2026-06-01.
    static NOW: std::cell::Cell<u64> = const { std::cell::Cell::new(1_780_272_000) };
}

/// The agent, the requests that its one modem gets, and the rest that has to live.
struct Bench {
    provisioner: Provisioner,
    agent: Agent,
    requests: mpsc::Receiver<crate::actor::modem::Asked>,
    approvals: mpsc::Receiver<Approval>,
    state: PathBuf,
    modems: watch::Sender<Vec<ModemHandle>>,
    snapshot: watch::Sender<Arc<Snapshot>>,
}

/// Starts an agent on a state directory, with a binding of uid 1000.
fn bench(folder: &std::path::Path) -> Bench {
    bench_with(folder, Err("not in this test".into()))
}

fn bench_with(folder: &std::path::Path, verifier: Result<PathBuf, String>) -> Bench {
    let apps_dir = folder.join("apps.d");
    std::fs::create_dir_all(&apps_dir).unwrap();
    std::fs::write(apps_dir.join("a.toml"), format!("carrier-id = \"{CARRIER}\"\nuid = 1000\n")).unwrap();
    let mut snapshot = Snapshot::default();
    snapshot.sim.ready = SimReady::Initialized;
    let reported = Reported { subscriber_id: IMSI, iccid: "8999000000000000017", ..Reported::default() };
    (snapshot.sim.identity, _) = Identity::normalise(&reported);
    let (shown, seen) = watch::channel(Arc::new(snapshot));
    let (ask, requests) = mpsc::channel(4);
    let (modems, list) = watch::channel(vec![ModemHandle {
        id: 3,
        snapshot: seen,
        requests: ask,
        guests: mpsc::channel(1).0,
        tracers: mpsc::channel(1).0,
    }]);
    let state = folder.join("state");
    let store = Store::open(&state, Operators::default()).unwrap();
    let trust_dir = folder.join("trust.d");
    std::fs::create_dir_all(&trust_dir).unwrap();
    let clock = || NOW.with(std::cell::Cell::get);
    let checks =
        Checks { trust_dir, sha1: false, verifier, clock, clock_is_set: || true, recalled: Recalled::default() };
    let documents_dir = folder.join("provisioning.d");
    let places = Places { apps_dir, documents_dir, refresh_ca: vec![folder.join("ca.pem")], dns_retry: false };
    let (ask, approvals) = mpsc::channel(1);
    let (provisioner, agent) = start(list, store, places, checks, ask);
    Bench { provisioner, agent, requests, approvals, state, modems, snapshot: shown }
}

fn document(sections: &str) -> Vec<u8> {
    format!(
        "<CarrierProvisioning xmlns=\"http://www.microsoft.com/networking/CarrierControl/v1\"><Global>\
         <CarrierId>{CARRIER}</CarrierId><SubscriberId>{IMSI}</SubscriberId></Global>{sections}</CarrierProvisioning>"
    )
    .into_bytes()
}

fn activation(delay: &str) -> String {
    format!(
        "<Activation><ServiceActivation xmlns=\"http://www.microsoft.com/networking/CarrierControl/WWAN/v1\"{delay}>\
         <CarrierSpecificData>UExBTi0x</CarrierSpecificData></ServiceActivation></Activation>"
    )
}

const PROFILE: &str = "<MBNProfiles><DefaultProfile \
     xmlns=\"http://www.microsoft.com/networking/CarrierControl/WWAN/v1\"><Name>Test</Name><Context>\
     <AccessString>internet.example</AccessString></Context></DefaultProfile></MBNProfiles>";

impl Bench {
    fn submit(&self, xml: Vec<u8>, uid: u32, dry_run: bool) -> oneshot::Receiver<Result<Job, Job>> {
        let (answer, wait) = oneshot::channel();
        let submission =
            Submission { modem: None, xml: xml.into(), source: Source::App, uid, units: Units::default(), dry_run };
        self.provisioner.submit.try_send((submission, answer)).unwrap();
        wait
    }

    /// The next request, answered.
    async fn answers(&mut self, result: Result<Reply, RequestErrorKind>) -> Request {
        let (request, answer) = self.requests.recv().await.unwrap();
        let reason = Reason { code: "test", text: String::new() };
        answer.send(result.map_err(|kind| RequestError { kind, reason })).unwrap();
        request
    }

    async fn job_ends(&mut self, id: u32) -> Job {
        let ended = |jobs: &Vec<Job>| jobs.iter().any(|j| j.id == id && matches!(j.state, "done" | "failed"));
        let jobs = self.provisioner.jobs.wait_for(ended).await.unwrap();
        jobs.iter().find(|job| job.id == id).unwrap().clone()
    }

    fn cursors(&self) -> usize {
        let whole =
            |entry: &std::fs::DirEntry| entry.path().extension().is_some_and(|e| e == "activating" || e == "plain");
        std::fs::read_dir(self.state.join("provision")).unwrap().flatten().filter(whole).count()
    }
}

/// The document as `mbimd-verify` would answer for it, and a program that answers so.
fn signed(folder: &std::path::Path, answer: &Result<Verified, Rejected>) -> PathBuf {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::write(folder.join("answer"), Answer::encode(answer)).unwrap();
    let program = folder.join("verifier");
    let text = format!("#!/bin/sh\ncat >/dev/null\nexec cat '{}'\n", folder.join("answer").display());
    std::fs::write(&program, text).unwrap();
    std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
    program
}

fn verified(sections: &str) -> Result<Verified, Rejected> {
    let name = |text: &str| vec![provisioning::Name::parse(text).unwrap()];
    let chain = provisioning::Chain::Trusted { root: "CN=Root".into(), extended_validation: true };
    Ok(Verified {
        octets: document(sections),
        signer: provisioning::Signer {
            fingerprint: "ab".repeat(32),
            subjects: name("CN=Signer"),
            issuers: name("CN=Root"),
            not_before: 0,
            not_after: 1,
            may_sign: true,
            chain,
            revocation: Vec::new(),
        },
        revocation: Revocation::default(),
    })
}

/// What came is one thing, what was signed another: a signature of the right shape around a document with an activation.
fn carried() -> Vec<u8> {
    let sample = include_str!("../../../../tests/documents/signed/15-signed-ev.xml");
    let start = sample.find("<Signature ").unwrap();
    let end = sample.find("</Signature>").unwrap() + "</Signature>".len();
    document(&format!("{}{}", activation(""), &sample[start..end]))
}

impl Bench {
    fn hand_over(&self, dry_run: bool) -> oneshot::Receiver<Result<Job, Job>> {
        let (answer, wait) = oneshot::channel();
        let submission = Submission {
            modem: None,
            xml: carried().into(),
            source: Source::Website,
            uid: 1,
            units: Units::default(),
            dry_run,
        };
        self.provisioner.submit.try_send((submission, answer)).unwrap();
        wait
    }
}

/// PROV-182, PROV-183, PROV-187: the question, both answers, the memory of one of them; what is applied is what was signed.
#[tokio::test]
async fn a_signer_is_asked_about_once() {
    let folder = tempfile::tempdir().unwrap();
    let mut bench = bench_with(folder.path(), Ok(signed(folder.path(), &verified(PROFILE))));
    // A dry run asks nobody.
    assert_eq!(bench.hand_over(true).await.unwrap().unwrap_err().steps.len(), 2);
    for approved in [false, true] {
        let waiting = bench.hand_over(false);
        let approval = bench.approvals.recv().await.unwrap();
        assert_eq!(
            (approval.uid, approval.carrier_id.as_str(), approval.signer.name().as_str()),
            (1, CARRIER, "CN=Signer")
        );
        let (word, answer) = oneshot::channel();
        approval.asked.send(answer).unwrap();
        let job = waiting.await.unwrap().unwrap();
        assert_eq!((job.state, job.id), ("asking", approval.job));
        word.send(approved).unwrap();
        if approved {
            let Request::SetProfiles { default: Some(profile), .. } = bench.answers(DONE).await else { panic!() };
            assert_eq!(profile.name, "Test");
            let job = bench.job_ends(job.id).await;
            assert_eq!(
                (job.state, job.all_provisioned, job.activation),
                ("done", Some(true), None),
                "no activation was signed"
            );
        } else {
            let job = bench.job_ends(job.id).await;
            assert_eq!((job.state, job.error.unwrap().0), ("failed", 0x8217_0006));
        }
    }
    let again = bench.hand_over(false);
    bench.answers(DONE).await;
    assert_eq!(again.await.unwrap().unwrap().state, "done", "not asked again");
    assert!(bench.provisioner.store.revoke("ab".repeat(32)).await.unwrap());
    // Nobody is there: refused at once.
    let waiting = bench.hand_over(false);
    drop(bench.approvals.recv().await.unwrap());
    assert_eq!(waiting.await.unwrap().unwrap_err().error.unwrap().0, 0x8217_0006);
    bench.agent.stop().await;
}

/// PROV-184: named by a document of this operator, or by the administrator: no question.
#[tokio::test]
async fn signers_that_were_named_are_not_asked_about() {
    let folder = tempfile::tempdir().unwrap();
    let mut bench = bench_with(folder.path(), Ok(signed(folder.path(), &verified(PROFILE))));
    let named = "<Provisioning><TrustedCertificates><TrustedCertificate>\
        <SubjectName xmlns='http://www.microsoft.com/networking/CarrierControl/Base/v1'>CN=Signer</SubjectName>\
        <IssuerName xmlns='http://www.microsoft.com/networking/CarrierControl/Base/v1'>CN=Root</IssuerName>\
        </TrustedCertificate></TrustedCertificates></Provisioning>";
    let job = bench.submit(document(named), 1000, false).await.unwrap().unwrap();
    assert_eq!((job.state, job.all_provisioned), ("done", Some(true)));
    let waiting = bench.hand_over(false);
    bench.answers(DONE).await;
    assert_eq!(waiting.await.unwrap().unwrap().state, "done");
    bench.agent.stop().await;
}

/// PROV-181, PROV-221, PROV-233: named by the operator record or the service metadata of the SIM: no question; a SIM of
/// another carrier: refused, and nobody is asked.
#[tokio::test]
async fn records_of_the_sim_name_signers_and_owners() {
    use daemon_core::snapshot::OperatorChoice;
    let folder = tempfile::tempdir().unwrap();
    let mut bench = bench_with(folder.path(), Ok(signed(folder.path(), &verified(PROFILE))));
    let record = |owner: Option<&str>, subject: &str| OperatorChoice {
        service_number: owner.map(str::to_owned),
        certificates: vec![("CN=Else".into(), "CN=Root".into()), (subject.into(), "CN=Root".into())],
        ..OperatorChoice::default()
    };
    let is = |bench: &Bench, record| bench.snapshot.send_modify(|all| Arc::make_mut(all).operator = Some(record));
    for owner in [None, Some(&CARRIER[1..37])] {
        is(&bench, record(owner, "CN=Signer"));
        let waiting = bench.hand_over(false);
        bench.answers(DONE).await;
        assert_eq!(waiting.await.unwrap().unwrap().state, "done", "{owner:?}");
    }
    is(&bench, record(Some("{7d3c1f52-0b5e-4c7a-9a41-5e2f6b8c9d10}"), "CN=Another"));
    let refused = bench.hand_over(false).await.unwrap().unwrap_err();
    assert_eq!(refused.error.unwrap().0, 0x8007_0005);
    assert!(bench.approvals.try_recv().is_err() && bench.requests.try_recv().is_err());
    // The same signer, whom that record does not name: asked about.
    is(&bench, record(Some(CARRIER), "CN=Another"));
    let waiting = bench.hand_over(false);
    drop(bench.approvals.recv().await.unwrap());
    assert_eq!(waiting.await.unwrap().unwrap_err().error.unwrap().0, 0x8217_0006);
    bench.agent.stop().await;
}

/// A verifier that gives these answers one after the other, the last one for ever, and keeps what it was asked.
fn answering(folder: &std::path::Path, answers: &[Verified]) -> PathBuf {
    use std::os::unix::fs::PermissionsExt as _;
    for (number, answer) in (1..).zip(answers) {
        std::fs::write(folder.join(format!("answer-{number}")), Answer::encode(&Ok(answer.clone()))).unwrap();
    }
    let program = folder.join("answering");
    let text = format!(
        "#!/bin/sh\ncd '{}'\nn=1; while [ -e question-$n ]; do n=$((n+1)); done\ncat >question-$n\n\
         [ $n -gt {1} ] && n={1}\nexec cat answer-$n\n",
        folder.display(),
        answers.len()
    );
    std::fs::write(&program, text).unwrap();
    std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
    program
}

/// A signer about whom can be asked at a server on loopback.
fn offers(root: &str, responder: Option<&str>, list: Option<&str>) -> Verified {
    let at = |path: Option<&str>| path.map(|path| format!("{root}{path}"));
    let mut offers = verified(PROFILE).unwrap();
    offers.signer.revocation = vec![root.to_owned()];
    offers.revocation.offers = vec![Offer { responder: at(responder), list: at(list) }];
    offers
}

/// The same once something was fetched: until when each counts, whether it is about the signer, and what it says.
fn told(offers: &Verified, fetched: &[Option<u64>], is_known: bool, revoked: bool) -> Verified {
    let mut told = offers.clone();
    told.revocation = Revocation { fetched: fetched.to_vec(), is_known, ..told.revocation };
    if revoked {
        told.signer.chain = provisioning::Chain::Untrusted { reason: "a certificate of the chain was revoked".into() };
    }
    told
}

/// What is remembered in a folder of what was learnt, and what `mbimd-verify` answers there.
struct Asker {
    folder: tempfile::TempDir,
    checks: Checks,
    store: Store,
}

impl Asker {
    fn new(store: Store, answers: &[Verified]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let checks = Checks {
            trust_dir: folder.path().to_owned(),
            sha1: false,
            verifier: Ok(answering(folder.path(), answers)),
            clock: || 1_780_272_000,
            clock_is_set: || true,
            recalled: Recalled::default(),
        };
        Self { folder, checks, store }
    }

    /// Another run of the daemon, for which the verifier answers so.
    fn again(&mut self, state: &std::path::Path, clock: fn() -> u64, answers: &[Verified]) {
        for number in 1..=self.questions() {
            std::fs::remove_file(self.folder.path().join(format!("question-{number}"))).unwrap();
        }
        let verifier = Ok(answering(self.folder.path(), answers));
        self.checks = Checks { verifier, clock, recalled: Recalled::default(), ..self.checks.clone() };
        self.store = Store::open(state, Operators::default()).unwrap();
    }

    fn questions(&self) -> usize {
        (1..).take_while(|n| self.folder.path().join(format!("question-{n}")).exists()).count()
    }

    /// What was fetched, as a question told it.
    fn fetched(&self, question: usize) -> Vec<Vec<u8>> {
        let question = std::fs::read(self.folder.path().join(format!("question-{question}"))).unwrap();
        Question::decode(&question).unwrap().request().fetched.to_vec()
    }

    /// How many questions it took, and whether the signer is trusted.
    async fn ask(&self, link: Option<&Link>) -> (usize, bool) {
        let (document, before) = (carried(), self.questions());
        let validated = validate(&document).unwrap();
        let validated = self.checks.verified(&document, validated, link, &self.store).await.unwrap();
        let (facts, trust) = (provisioning::Facts::default(), provisioning::Trust::default());
        let judged = Document::judge(validated, &provisioning::Source::Website, &facts, &trust);
        assert!(judged.as_ref().is_ok() || judged.as_ref().unwrap_err().code == Code::SIGNATURE_UNTRUSTED);
        (self.questions() - before, judged.is_ok())
    }
}

const ASKED_AT: u64 = 1_780_272_000;

/// PROV-177: responders and revocation lists are asked over a modem that is online and nowhere else, what they say is
/// remembered as long as it counts, and what cannot be learnt refuses nothing.
#[tokio::test]
async fn revocation_lists_are_fetched_checked_and_remembered() {
    use crate::host::probe::lists::tests::serve;
    let ok = |body: &[u8]| [b"HTTP/1.1 200 OK\r\n\r\n", body].concat();
    let (link, root, server) = serve(vec![("/a.crl", ok(b"LIST")), ("/asked", ok(b"TOLD"))]).await;
    let state = tempfile::tempdir().unwrap();
    let store = Store::open(state.path(), Operators::default()).unwrap();
    let later = Some(ASKED_AT + 9);
    let list = |path| offers(&root, None, Some(path));
    let (list, absent) = (list("/a.crl"), list("/b.crl"));
    let responder = offers(&root, Some("/asked"), None);
    let (both, silent) = (offers(&root, Some("/asked"), Some("/a.crl")), offers(&root, Some("/no"), Some("/a.crl")));
    let (l, t) = (b"LIST".as_slice(), b"TOLD".as_slice());
    for (what, offers, answers, online, fetched, again, trusted) in [
        ("in force", &list, vec![told(&list, &[later], true, false)], true, vec![vec![l]], 1, true),
        ("revoked", &list, vec![told(&list, &[later], false, true)], true, vec![vec![l]], 1, false),
        ("over at once", &list, vec![told(&list, &[Some(ASKED_AT)], true, false)], true, vec![vec![l]], 2, true),
        ("about others", &list, vec![told(&list, &[later], false, false)], true, vec![vec![l]], 2, true),
        ("not its list", &list, vec![told(&list, &[None], false, false)], true, vec![vec![l]], 2, true),
        ("not there", &absent, vec![], true, vec![], 1, true),
        ("walled garden", &list, vec![], false, vec![], 1, true),
        ("responder", &responder, vec![told(&responder, &[later], true, false)], true, vec![vec![t]], 1, true),
        ("responder: revoked", &both, vec![told(&both, &[later], false, true)], true, vec![vec![t]], 1, false),
        ("no list beside it", &both, vec![told(&both, &[later], true, false)], true, vec![vec![t]], 1, true),
        ("the list instead", &silent, vec![told(&silent, &[later], true, false)], true, vec![vec![l]], 1, true),
        (
            "unknown to it",
            &both,
            vec![told(&both, &[None], false, false), told(&both, &[None, later], false, true)],
            true,
            vec![vec![t], vec![t, l]],
            1,
            false,
        ),
    ] {
        let once: Vec<Verified> = std::iter::once(offers.clone()).chain(answers).collect();
        store.revoked(offers.signer.fingerprint.clone(), None).await.unwrap();
        let asker = Asker::new(store.clone(), &[once.clone(), once].concat());
        let link = online.then_some(&link);
        assert_eq!(asker.ask(link).await, (1 + fetched.len(), trusted), "{what}");
        for (number, fetched) in (2..).zip(&fetched) {
            assert_eq!(asker.fetched(number), *fetched, "{what}");
        }
        assert_eq!(asker.ask(link).await, (again, trusted), "{what}, once more");
    }
    server.abort();
}

/// PROV-177: what was revoked stays so over a restart, in a walled garden and when nobody answers any more, until somebody who
/// may say so takes it back.
#[tokio::test]
async fn who_was_revoked_is_not_forgotten() {
    use crate::host::probe::lists::tests::serve;
    let ok = |body: &[u8]| [b"HTTP/1.1 200 OK\r\n\r\n", body].concat();
    let (link, root, server) = serve(vec![("/a.crl", ok(b"LIST"))]).await;
    let now: fn() -> u64 = || ASKED_AT;
    let day: fn() -> u64 = || ASKED_AT + 86_400;
    let (first, gone) = (offers(&root, None, Some("/a.crl")), offers(&root, None, Some("/b.crl")));
    let later = Some(ASKED_AT + 9);
    let state = tempfile::tempdir().unwrap();
    let store = Store::open(state.path(), Operators::default()).unwrap();
    let mut asker = Asker::new(store, &[first.clone(), told(&first, &[later], false, true)]);
    assert_eq!(asker.ask(Some(&link)).await, (2, false));
    for (what, clock, answers, online, questions, trusted) in [
        ("a restart", now, vec![first.clone()], true, 1, false),
        ("offline", now, vec![first.clone()], false, 1, false),
        ("a day later, offline", day, vec![first.clone()], false, 1, false),
        ("nobody answers", day, vec![gone.clone()], true, 1, false),
        ("nothing that counts", day, vec![first.clone(), told(&first, &[None], false, false)], true, 2, false),
        ("about others", day, vec![first.clone(), told(&first, &[later], false, false)], true, 2, false),
        ("taken back", day, vec![first.clone(), told(&first, &[later], true, false)], true, 2, true),
        ("afterwards", day, vec![first.clone()], false, 1, true),
    ] {
        asker.again(state.path(), clock, &answers);
        assert_eq!(asker.ask(online.then_some(&link)).await, (questions, trusted), "{what}");
    }
    server.abort();
}

/// What the verifier says is the document's code; a verifier that fails costs the document only.
#[tokio::test]
async fn a_verdict_and_none() {
    let folder = tempfile::tempdir().unwrap();
    let tampered = Err(Rejected { code: Code::DIGEST_INVALID, reason: "changed".into(), signed: None });
    let verifiers = [
        (Ok(signed(folder.path(), &tampered)), 0x8217_0005),
        (Ok("/bin/false".into()), 0x8217_0003),
        (Err("absent".into()), 0x8217_0003),
    ];
    for (verifier, code) in verifiers {
        let bench = bench_with(folder.path(), verifier);
        assert_eq!(bench.hand_over(false).await.unwrap().unwrap_err().error.unwrap().0, code);
        bench.agent.stop().await;
    }
}

const DONE: Result<Reply, RequestErrorKind> = Ok(Reply::Done { changed: true });

#[tokio::test]
async fn a_profile_is_stored_and_an_activation_goes_on_by_itself() {
    let folder = tempfile::tempdir().unwrap();
    let mut bench = bench(folder.path());
    let answer = bench.submit(document(&format!("{}{PROFILE}", activation(""))), 1000, false);
    let Request::SetProfiles { default: Some(profile), purchase: None, network: None } = bench.answers(DONE).await
    else {
        panic!()
    };
    assert_eq!((profile.apn.as_str(), profile.name.as_str()), ("internet.example", "Test"));
    let job = answer.await.unwrap().unwrap();
    assert_eq!((job.modem, job.all_provisioned, job.activation), (Some(3), Some(true), None));
    assert!(job.results_xml.unwrap().contains(CARRIER));
    let Request::ServiceActivation(data) = bench.answers(DONE).await else { panic!() };
    assert_eq!(data.reveal(), b"PLAN-1");
    let job = bench.job_ends(job.id).await;
    assert_eq!((job.state, job.activation), ("done", Some(0)));
    assert_eq!(bench.cursors(), 0, "what is done is forgotten");
    bench.agent.stop().await;
}

#[tokio::test]
async fn a_profile_that_cannot_be_stored_is_told_as_access_denied() {
    let folder = tempfile::tempdir().unwrap();
    let mut bench = bench(folder.path());
    let answer = bench.submit(document(PROFILE), 1000, false);
    let Request::SetProfiles { .. } = bench.answers(Err(RequestErrorKind::Storage)).await else { panic!() };
    let job = answer.await.unwrap().unwrap();
    assert_eq!(job.all_provisioned, Some(false));
    let commit = job.steps.iter().find(|step| step.id == "commit").unwrap();
    assert_eq!((commit.outcome.as_str(), commit.error.as_str()), ("failed", "80070005"), "{:?}", job.steps);
    bench.agent.stop().await;
}

/// Sections that hold a plan, and a Wi-Fi profile with a key.
const KEPT: &str = "<WLANProfiles><WLANProfile xmlns=\"http://www.microsoft.com/networking/CarrierControl/WLAN/v1\">\
     <name>w</name><AssociatedPlan>p</AssociatedPlan><SSIDConfig><SSID><name>n</name></SSID></SSIDConfig><MSM><security>\
     <authEncryption><authentication>WPA2PSK</authentication><encryption>AES</encryption></authEncryption><sharedKey>\
     <keyType>passPhrase</keyType><protected>false</protected><keyMaterial>kept-not-shown</keyMaterial></sharedKey>\
     </security></MSM></WLANProfile></WLANProfiles>\
     <Plans><Plan xmlns=\"http://www.microsoft.com/networking/CarrierControl/Plans/v1\" Name=\"p\">\
     <Description PlanType=\"Fixed\"/></Plan></Plans>";
const USAGE: &str = "<Plans><Plan xmlns=\"http://www.microsoft.com/networking/CarrierControl/Plans/v1\" Name=\"p\">\
     <Usage CurrentUsage=\"7\" UsageTimestamp=\"2026-03-01T00:00:00Z\"/></Plan></Plans>";

impl Bench {
    /// Files of the state directory that are kept for customers.
    fn kept(&self) -> Vec<Vec<u8>> {
        let entries = std::fs::read_dir(self.state.join("provision")).unwrap().flatten().map(|entry| entry.path());
        entries
            .filter(|path| path.extension().is_some_and(|e| e == "kept"))
            .map(|p| std::fs::read(p).unwrap())
            .collect()
    }

    async fn results(&self, sections: &str) -> Box<str> {
        self.submit(document(sections), 1000, false).await.unwrap().unwrap().results_xml.unwrap()
    }
}

#[tokio::test]
async fn what_a_document_orders_is_kept_sealed_and_the_next_one_meets_it() {
    let folder = tempfile::tempdir().unwrap();
    let first = bench(folder.path());
    assert!(first.results(USAGE).await.contains("82170012"), "a plan that nobody described");
    assert!(first.kept().is_empty());
    let results = first.results(KEPT).await;
    assert!(
        results.contains("<WLANProfiles errorCode=\"22170102\"/>")
            && results.contains("<Plans errorCode=\"00000000\"/>")
    );
    let [file] = &first.kept()[..] else { panic!() };
    for clear in ["kept-not-shown", IMSI, "WLANProfile"] {
        assert!(!file.windows(clear.len()).any(|window| window == clear.as_bytes()), "{clear} can be read");
    }
    first.agent.stop().await;
    // After a restart it is there; a second application changes nothing.
    let second = bench(folder.path());
    let results = second.results(USAGE).await;
    assert!(results.contains("errorCode=\"00000000\"") && !results.contains("<Plans"), "{results}");
    let job = second.submit(document(KEPT), 1000, false).await.unwrap().unwrap();
    assert!(job.steps.iter().all(|step| matches!(step.outcome.as_str(), "unchanged" | "kept")), "{:?}", job.steps);
    assert_eq!(second.kept().len(), 1);
    second.agent.stop().await;
}

#[tokio::test]
async fn what_was_kept_is_taken_back_where_the_profiles_cannot_be_stored() {
    let folder = tempfile::tempdir().unwrap();
    let mut bench = bench(folder.path());
    let answer = bench.submit(document(&format!("{PROFILE}{KEPT}")), 1000, false);
    let Request::SetProfiles { .. } = bench.answers(Err(RequestErrorKind::Storage)).await else { panic!() };
    let job = answer.await.unwrap().unwrap();
    assert_eq!(job.all_provisioned, Some(false));
    let results = job.results_xml.unwrap();
    for section in ["MBNProfiles", "WLANProfiles", "Plans"] {
        assert!(results.contains(&format!("<{section} errorCode=\"80070005\"/>")), "{results}");
    }
    assert!(bench.results(USAGE).await.contains("82170012"), "the plan is not there");
    bench.agent.stop().await;
}

/// PROV-235: the second one waits until the first has its results.
#[tokio::test]
async fn documents_at_once_are_applied_one_after_the_other() {
    let folder = tempfile::tempdir().unwrap();
    let mut bench = bench(folder.path());
    let named = |apn: &str| document(&PROFILE.replace("internet.example", apn));
    let mut waiting =
        ["first.example", "second.example", "third.example"].map(|apn| bench.submit(named(apn), 1000, false));
    for (number, apn) in (1..).zip(["first.example", "second.example", "third.example"]) {
        let (request, answer) = bench.requests.recv().await.unwrap();
        let Request::SetProfiles { default: Some(profile), .. } = request else { panic!("{request:?}") };
        assert_eq!(profile.apn, apn, "in order of arrival");
        assert_eq!(bench.provisioner.jobs.borrow().len(), number, "the next one has not begun");
        assert!(bench.requests.try_recv().is_err());
        answer.send(Ok(Reply::Done { changed: true })).unwrap();
        let job = (&mut waiting[number - 1]).await.unwrap().unwrap();
        assert_eq!((job.state, job.all_provisioned), ("done", Some(true)));
    }
    let files: Vec<_> = bench.ledger().await.entries().iter().map(|entry| entry.id).collect();
    assert_eq!(files, [1, 2, 3]);
    bench.agent.stop().await;
}

/// OPER-122: the plan that the profile counts against goes to the modem's task, and so does each new figure.
#[tokio::test]
async fn the_plan_of_the_profile_is_counted_against() {
    let folder = tempfile::tempdir().unwrap();
    let mut bench = bench(folder.path());
    let profile = PROFILE.replace("<Context>", "<AssociatedPlan>p</AssociatedPlan><Context>");
    let plans = "<Plans><Plan xmlns=\"http://www.microsoft.com/networking/CarrierControl/Plans/v1\" Name=\"p\">\
         <Description PlanType=\"Fixed\"><DataLimitInMegabytes>5000</DataLimitInMegabytes>\
         <DataUsageInMobileOperatorNotificationEnabled>true</DataUsageInMobileOperatorNotificationEnabled></Description>\
         </Plan></Plans>";
    let answer = bench.submit(document(&format!("{profile}{plans}")), 1000, false);
    let Request::SetProfiles { .. } = bench.answers(DONE).await else { panic!() };
    let Request::SetQuota(Some(quota)) = bench.answers(DONE).await else { panic!() };
    assert_eq!((quota.name.as_str(), quota.limit, quota.notifies), ("p", Some(5_000_000_000), true));
    assert_eq!((quota.charge, quota.told), (Charge::Fixed, None));
    assert_eq!(answer.await.unwrap().unwrap().all_provisioned, Some(true));
    // A figure alone: the description stays. That the modem's task cannot keep it fails nothing.
    let answer = bench.submit(document(USAGE), 1000, false);
    let Request::SetQuota(Some(quota)) = bench.answers(Err(RequestErrorKind::Storage)).await else { panic!() };
    let told = quota.told.unwrap();
    assert_eq!((quota.limit, told.octets, told.at), (Some(5_000_000_000), 7_000_000, 1_772_323_200));
    assert_eq!(answer.await.unwrap().unwrap().all_provisioned, Some(true));
    bench.agent.stop().await;
}

#[tokio::test]
async fn what_is_refused_reaches_no_modem() {
    let folder = tempfile::tempdir().unwrap();
    let mut bench = bench(folder.path());
    for (xml, uid, code) in [
        (b"<CarrierProvisioning".to_vec(), 1000, 0x8217_0001u32),
        (document("<Nonsense/>"), 1000, 0x8217_0002),
        (document(PROFILE), 1001, 0x8217_000e),
    ] {
        let job = bench.submit(xml, uid, false).await.unwrap().unwrap_err();
        assert_eq!(job.error.map(|(code, _)| code), Some(code));
        assert!(job.results_xml.unwrap().contains(&format!("{code:08x}")));
    }
    let plan = bench.submit(document(PROFILE), 1000, true).await.unwrap().unwrap_err();
    assert!(plan.error.is_none() && plan.steps.iter().any(|step| step.id == "commit"), "{plan:?}");
    assert!(bench.requests.try_recv().is_err());
    assert!(bench.provisioner.jobs.borrow().is_empty());
}

#[tokio::test]
async fn a_failed_attempt_is_told_with_its_code() {
    let folder = tempfile::tempdir().unwrap();
    let mut bench = bench(folder.path());
    let answer = bench.submit(document(&activation("")), 1000, false);
    bench.answers(Err(RequestErrorKind::Unsupported)).await;
    let job = answer.await.unwrap().unwrap();
    let job = bench.job_ends(job.id).await;
    assert_eq!((job.state, job.activation), ("failed", Some(0x8007_0032)));
}

#[tokio::test]
async fn a_pending_activation_survives_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let first = bench(folder.path());
    let job = first.submit(document(&activation(" Delay=\"PT1S\"")), 1000, false).await.unwrap().unwrap();
    assert_eq!(job.state, "activating");
    while first.cursors() == 0 {
        tokio::task::yield_now().await;
    }
    first.agent.stop().await;
    for entry in std::fs::read_dir(first.state.join("provision")).unwrap() {
        let bytes = std::fs::read(entry.unwrap().path()).unwrap();
        assert!(!bytes.windows(7).any(|part| part == b"5512345"), "sealed");
    }
    let mut second = bench(folder.path());
    let Request::ServiceActivation(data) = second.answers(DONE).await else { panic!() };
    assert_eq!(data.reveal(), b"PLAN-1");
    assert_eq!(second.job_ends(1).await.activation, Some(0));
}

#[tokio::test]
async fn a_newer_activation_ends_the_pending_one() {
    let folder = tempfile::tempdir().unwrap();
    let mut bench = bench(folder.path());
    let old = bench.submit(document(&activation(" Delay=\"PT59M\"")), 1000, false).await.unwrap().unwrap();
    let answer = bench.submit(document(&activation("")), 1000, false);
    bench.answers(DONE).await;
    let new = answer.await.unwrap().unwrap();
    assert_eq!(bench.job_ends(old.id).await.state, "failed");
    assert_eq!(bench.job_ends(new.id).await.activation, Some(0));
}

#[test]
fn codes_are_numbers_of_eight_digits() {
    assert_eq!(code_number(Code::OK), 0);
    assert_eq!(code_number(Code::NOT_PRESENT), 0x8007_0490);
    assert_eq!(activation_code(ActivationStatus::None), None);
    assert_eq!(activation_code(ActivationStatus::Succeeded { attempts: 1 }), Some(0));
    assert_eq!(activation_code(ActivationStatus::Cancelled), Some(0x8007_03e3));
}

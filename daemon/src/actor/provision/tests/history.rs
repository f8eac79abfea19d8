//! What is remembered of documents, those of the administrator, and taking away what they set.

use daemon_provisioning::{Entry, Ledger};

use super::*;
use crate::handle::NotDone;

/// A document with a default profile of that access point.
fn profile(apn: &str) -> Vec<u8> {
    document(&PROFILE.replace("internet.example", apn))
}

fn changed(apn: &str, request: &Request) {
    let Request::SetProfiles { default: Some(profile), .. } = request else { panic!("{request:?}") };
    assert_eq!(profile.apn, apn);
}

impl Bench {
    pub(super) async fn ledger(&self) -> Ledger {
        super::super::history::read(&self.provisioner.store).await.unwrap()
    }

    /// The first entry that this is true of, as soon as there is one.
    pub(super) async fn entry(&self, what: impl Fn(&Entry) -> bool) -> Entry {
        loop {
            if let Some(entry) = self.ledger().await.entries().iter().find(|entry| what(entry)) {
                return entry.clone();
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    async fn remove(&self, document: u32) -> oneshot::Receiver<Result<(), NotDone>> {
        let (answer, wait) = oneshot::channel();
        self.provisioner.orders.send(Wish::Remove(document, answer)).await.unwrap();
        wait
    }
}

fn put(folder: &std::path::Path, name: &str, xml: &[u8]) {
    let documents = folder.join("provisioning.d");
    std::fs::create_dir_all(&documents).unwrap();
    // As an editor does: whole at once.
    std::fs::write(documents.join(format!(".{name}.new")), xml).unwrap();
    std::fs::rename(documents.join(format!(".{name}.new")), documents.join(name)).unwrap();
}

/// In the order of their names, once for each content and SIM, over a restart too; a broken one is named once.
#[tokio::test]
async fn documents_of_the_administrator() {
    let folder = tempfile::tempdir().unwrap();
    put(folder.path(), "20.xml", &profile("second.example"));
    put(folder.path(), "10.xml", &profile("first.example"));
    put(folder.path(), "00.xml", b"<broken");
    put(folder.path(), "note.txt", b"<broken");
    let other = String::from_utf8(profile("never.example")).unwrap().replace(IMSI, "001015599999999");
    put(folder.path(), "30.xml", other.as_bytes());
    let mut first = bench(folder.path());
    changed("first.example", &first.answers(DONE).await);
    changed("second.example", &first.answers(DONE).await);
    // A new one, while the daemon runs: nothing of the others is applied again.
    first.entry(|entry| entry.file.as_deref() == Some("20.xml")).await;
    put(folder.path(), "15.xml", &profile("third.example"));
    changed("third.example", &first.answers(DONE).await);
    let third = first.entry(|entry| entry.file.as_deref() == Some("15.xml")).await;
    assert_eq!((third.giver.as_str(), third.all, third.code), ("administrator", true, Code::OK));
    first.agent.stop().await;

    // After a restart only what changed meanwhile.
    put(folder.path(), "10.xml", &profile("fourth.example"));
    let mut second = bench(folder.path());
    changed("fourth.example", &second.answers(DONE).await);
    second.entry(|entry| entry.file.as_deref() == Some("10.xml") && entry.digest != third.digest).await;
    put(folder.path(), "40.xml", &profile("fifth.example"));
    changed("fifth.example", &second.answers(DONE).await);
    let ledger = second.ledger().await;
    let files: Vec<_> = ledger.entries().iter().map(|entry| entry.file.clone().unwrap()).collect();
    // The broken one is named at each start, and no more than once in each.
    assert_eq!(files[..5], ["00.xml", "10.xml", "20.xml", "15.xml", "00.xml"]);
    assert_eq!(ledger.entries()[0].code, Code::XML_MALFORMED);
    assert!(files.iter().filter(|file| *file == "00.xml").count() == 2 && !files.contains(&"30.xml".to_owned()));
    second.agent.stop().await;
}

/// Whoever may write such a document may order everything.
#[tokio::test]
async fn documents_that_everybody_may_write_are_left_alone() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().unwrap();
    put(folder.path(), "10.xml", &profile("first.example"));
    put(folder.path(), "20.xml", &profile("second.example"));
    let mode = std::fs::Permissions::from_mode(0o666);
    std::fs::set_permissions(folder.path().join("provisioning.d/10.xml"), mode).unwrap();
    let mut bench = bench(folder.path());
    changed("second.example", &bench.answers(DONE).await);
    bench.agent.stop().await;
}

/// Where the disk has no room for a profile, the document is not counted as applied: the next start tries again.
#[tokio::test]
async fn documents_that_could_not_be_written_are_tried_again() {
    let folder = tempfile::tempdir().unwrap();
    put(folder.path(), "10.xml", &profile("first.example"));
    let mut first = bench(folder.path());
    first.answers(Err(RequestErrorKind::Storage)).await;
    assert!(!first.entry(|_| true).await.all);
    first.agent.stop().await;
    let mut second = bench(folder.path());
    changed("first.example", &second.answers(DONE).await);
    second.agent.stop().await;
}

#[tokio::test]
async fn what_came_is_remembered() {
    let folder = tempfile::tempdir().unwrap();
    let mut bench = bench(folder.path());
    let xml = document(&format!("{}{PROFILE}", activation("")));
    let digest = super::super::history::digest(&xml);
    assert!(bench.submit(xml.clone(), 1000, true).await.unwrap().is_err(), "a dry run leaves no trace");
    let waiting = bench.submit(xml, 1000, false);
    bench.answers(DONE).await;
    let job = waiting.await.unwrap().unwrap();
    bench.answers(DONE).await;
    let document = job.document.unwrap();
    let entry = bench.entry(|entry| entry.activation.is_some()).await;
    assert_eq!((entry.id, &entry.digest, entry.giver.as_str()), (document, &digest, "app"));
    assert_eq!((entry.at, entry.activation, entry.all), (1_780_272_000, Some(Code::OK), true));
    let steps: Vec<_> = entry.steps.iter().map(|step| (step.id.as_str(), step.outcome.as_str())).collect();
    assert_eq!(steps, [("mbn/default", "applied"), ("commit", "applied"), ("activation", "applied")]);
    let refused = bench.submit(document_of_nobody(), 1001, false).await.unwrap().unwrap_err();
    let entry = bench.ledger().await.entry(refused.document.unwrap()).cloned().unwrap();
    assert_eq!((entry.code, entry.owner), (Code::MISSING_SIGNATURE, None));
    assert!(entry.reason.contains("must be signed"), "{}", entry.reason);
    // On the disk nobody reads it.
    bench.agent.stop().await;
    for entry in std::fs::read_dir(bench.state.join("provision")).unwrap().flatten() {
        let bytes = std::fs::read(entry.path()).unwrap();
        for clear in [IMSI, "mbn/default", CARRIER] {
            assert!(!bytes.windows(clear.len()).any(|window| window == clear.as_bytes()), "{clear}");
        }
    }
}

fn document_of_nobody() -> Vec<u8> {
    document(PROFILE)
}

/// What documents set goes with one word: profiles, what is kept, the activation that waits, what the next signer is
/// known by.
#[tokio::test]
async fn what_documents_set_is_taken_away() {
    let folder = tempfile::tempdir().unwrap();
    let mut first = bench(folder.path());
    let named = "<Provisioning><TrustedCertificates><TrustedCertificate>\
        <SubjectName xmlns='http://www.microsoft.com/networking/CarrierControl/Base/v1'>CN=Signer</SubjectName>\
        <IssuerName xmlns='http://www.microsoft.com/networking/CarrierControl/Base/v1'>CN=Root</IssuerName>\
        </TrustedCertificate></TrustedCertificates></Provisioning>";
    let waiting = first.submit(document(&format!("{PROFILE}{KEPT}{named}")), 1000, false);
    first.answers(DONE).await;
    let one = waiting.await.unwrap().unwrap();
    let two = first.submit(document(&activation(" Delay=\"PT59M\"")), 1000, false).await.unwrap().unwrap();
    let nobodys = first.submit(document_of_nobody(), 1001, false).await.unwrap().unwrap_err().document.unwrap();
    assert_eq!((first.kept().len(), first.provisioner.store.trusted().await.unwrap().carriers.len()), (1, 1));
    for none in [nobodys, 99] {
        assert!(matches!(first.remove(none).await.await.unwrap(), Err(NotDone::NotFound(_))));
    }
    // The modem's store takes nothing: said, and asked for again.
    let removed = first.remove(one.document.unwrap()).await;
    let request = first.answers(Err(RequestErrorKind::Storage)).await;
    assert_eq!(request, Request::ForgetProfiles(CARRIER.to_owned()));
    assert!(matches!(removed.await.unwrap(), Err(NotDone::Failed(_))));
    assert!(!first.ledger().await.entry(one.document.unwrap()).unwrap().removed);
    let removed = first.remove(two.document.unwrap()).await;
    first.answers(DONE).await;
    assert!(removed.await.unwrap().is_ok());
    let ended = first.job_ends(two.id).await;
    assert_eq!((ended.state, ended.activation), ("failed", Some(0x8007_03e3)));
    first.entry(|entry| entry.id == two.document.unwrap() && entry.activation == Some(Code::ABORTED)).await;
    let ledger = first.ledger().await;
    assert!([one, two].iter().all(|job| ledger.entry(job.document.unwrap()).unwrap().removed));
    assert!(first.kept().is_empty() && first.cursors() == 0);
    assert!(first.provisioner.store.trusted().await.unwrap().carriers.is_empty());
    first.agent.stop().await;
}

/// A SIM that is in no modem: its file is written directly.
#[tokio::test]
async fn what_was_set_for_an_absent_sim_is_taken_away() {
    let folder = tempfile::tempdir().unwrap();
    let mut bench = bench(folder.path());
    let waiting = bench.submit(document(PROFILE), 1000, false);
    bench.answers(DONE).await;
    let job = waiting.await.unwrap().unwrap();
    let key = || SubscriberKey::new("8999000000000000017");
    let profile = |carrier: &str| {
        Some(daemon_core::subscriber::ProvisionedProfile { carrier_id: carrier.into(), ..Default::default() })
    };
    let state = daemon_core::subscriber::SubscriberState {
        default_profile: profile(CARRIER),
        purchase_profile: profile("{another}"),
        ..Default::default()
    };
    bench.provisioner.store.save(key(), Box::new(state)).await.unwrap();
    bench.modems.send_replace(Vec::new());
    assert!(bench.remove(job.document.unwrap()).await.await.unwrap().is_ok());
    let state = bench.provisioner.store.load(key()).await.unwrap().unwrap();
    assert_eq!((state.default_profile, state.purchase_profile.is_some()), (None, true));
    bench.agent.stop().await;
}

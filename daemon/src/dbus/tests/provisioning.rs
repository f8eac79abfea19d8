//! Documents in, jobs and results out.

use dbus_api::error::{Code, Error};
use dbus_api::proxy::ProvisioningProxy;
use dbus_api::value::Job as Seen;

use super::{no_options, open_gate, shut_gate, stand, stand_with};
use crate::handle::{Job, JobStep, Source, Wish};

fn done() -> Job {
    Job {
        id: 4,
        modem: Some(0),
        document: Some(7),
        state: "done",
        steps: vec![JobStep {
            id: "default-profile".into(),
            what: "store".into(),
            outcome: "done".into(),
            error: String::new(),
        }],
        results_xml: Some("<CarrierProvisioningResult/>".into()),
        all_provisioned: Some(true),
        error: None,
        activation: None,
    }
}

#[tokio::test]
async fn a_document_becomes_a_job() {
    let mut stand = stand_with(open_gate(), |_| Ok(Job { state: "applying", results_xml: None, ..done() })).await;
    let proxy = ProvisioningProxy::new(&stand.client).await.unwrap();
    let modem = dbus_api::path::modem(0);
    let (id, details) = proxy.apply(b"<doc/>", &[("modem", modem.into_inner().into())].into()).await.unwrap();
    assert_eq!((id, Seen::from_details(&details).state.as_str()), (4, "applying"));
    {
        let submissions = stand.provisioner.submissions.lock().unwrap();
        assert_eq!(submissions[0].xml.reveal(), b"<doc/>");
        assert!(!format!("{:?}", submissions[0]).contains("60, 100"), "a document is not printed");
        assert_eq!(
            (submissions[0].source, submissions[0].modem, submissions[0].dry_run),
            (Source::App, Some(0), false)
        );
        assert_eq!(submissions[0].uid, rustix::process::getuid().as_raw());
        assert_eq!(submissions[0].units, crate::host::unit::of(std::process::id()));
    }

    stand.provisioner.jobs.send(vec![done()]).unwrap();
    let signal = stand.signal("JobChanged").await;
    let (job, details): (u32, dbus_api::value::Details) = signal.body().deserialize().unwrap();
    let seen = Seen::from_details(&details);
    assert_eq!((job, seen.state.as_str(), seen.results_xml.as_deref()), (4, "done", None));
    let full = Seen::from_details(&proxy.get_job(4).await.unwrap());
    assert_eq!(full.results_xml.as_deref(), Some("<CarrierProvisioningResult/>"));
    assert_eq!((full.modem.as_deref(), full.document), (Some("/org/mbimd/Mbimd1/modem/0"), Some(7)));
    let listed = proxy.list_jobs().await.unwrap();
    assert_eq!(Seen::from_details(&listed[0]).results_xml, None);
    let missing = proxy.get_job(5).await.unwrap_err();
    assert_eq!(Error::from(missing).code(), Code::NotFound);
}

#[tokio::test]
async fn results_are_for_who_handed_the_document_over() {
    let stand = stand(shut_gate()).await;
    stand.provisioner.jobs.send(vec![done()]).unwrap();
    let proxy = ProvisioningProxy::new(&stand.client).await.unwrap();
    assert_eq!(Error::from(proxy.get_job(4).await.unwrap_err()).code(), Code::NotAuthorized);
}

#[tokio::test]
async fn a_refused_document_is_an_error_with_its_code() {
    let refused = |_: &_| Err(Job { error: Some((0x8217_0002, "82170002: 3:5: not valid".into())), ..Job::default() });
    let stand = stand_with(open_gate(), refused).await;
    let proxy = ProvisioningProxy::new(&stand.client).await.unwrap();
    let error = Error::from(proxy.apply(b"<doc/>", &no_options()).await.unwrap_err());
    assert_eq!((error.code(), error.message()), (Code::DocumentRefused, "82170002 3:5: not valid"));
}

#[tokio::test]
async fn a_dry_run_has_no_number() {
    let stand = stand_with(open_gate(), |submission| {
        assert!(submission.dry_run);
        Err(Job { id: 9, state: "done", ..done() })
    })
    .await;
    let proxy = ProvisioningProxy::new(&stand.client).await.unwrap();
    let (id, details) = proxy.apply(b"<doc/>", &[("dry-run", true.into())].into()).await.unwrap();
    assert_eq!((id, Seen::from_details(&details).steps.len()), (0, 1));
}

#[tokio::test]
async fn size_and_options_are_checked() {
    let stand = stand(open_gate()).await;
    let proxy = ProvisioningProxy::new(&stand.client).await.unwrap();
    let big = vec![b' '; 4 * 1024 * 1024 + 1];
    assert_eq!(Error::from(proxy.apply(&big, &no_options()).await.unwrap_err()).code(), Code::TooLarge);
    for (key, value, code) in [
        ("source", "friend".into(), Code::InvalidArgs),
        ("dry-run", 1u32.into(), Code::InvalidArgs),
        ("modem", dbus_api::path::modem(99).into_inner().into(), Code::NotFound),
        ("modem", zbus::Variant::from("/org/mbimd/Mbimd1/modem/0"), Code::InvalidArgs),
        ("else", true.into(), Code::InvalidArgs),
    ] {
        assert_eq!(Error::from(proxy.apply(b"<x/>", &[(key, value)].into()).await.unwrap_err()).code(), code, "{key}");
    }
    assert!(stand.provisioner.submissions.lock().unwrap().is_empty());
}

/// An agent of the client's: says what it was asked and gives a fixed answer.
struct Agent {
    answer: bool,
    asked: tokio::sync::mpsc::UnboundedSender<(u32, dbus_api::value::Details)>,
    cancelled: tokio::sync::mpsc::UnboundedSender<u32>,
}

#[zbus::interface(name = "org.mbimd.Mbimd1.Agent")]
impl Agent {
    async fn approve_signer(&self, job: u32, details: dbus_api::value::Details) -> bool {
        let _ = self.asked.send((job, details));
        if job == 9 {
            std::future::pending::<()>().await;
        }
        self.answer
    }

    fn cancel(&self, job: u32) {
        let _ = self.cancelled.send(job);
    }
}

fn approval(
    job: u32,
) -> (crate::handle::Approval, tokio::sync::oneshot::Receiver<tokio::sync::oneshot::Receiver<bool>>) {
    let (asked, somebody) = tokio::sync::oneshot::channel();
    let name = |text: &str| vec![daemon_provisioning::Name::parse(text).unwrap()];
    let signer = daemon_provisioning::Signer {
        fingerprint: "ab".repeat(32),
        subjects: name("CN=Signer"),
        issuers: name("CN=Issuer"),
        not_before: 1,
        not_after: 2,
        may_sign: true,
        chain: daemon_provisioning::Chain::Trusted { root: "CN=Root".into(), extended_validation: true },
        revocation: Vec::new(),
    };
    (crate::handle::Approval { job, uid: 0, carrier_id: "{c}".into(), signer, asked }, somebody)
}

#[tokio::test]
async fn an_agent_is_asked_about_a_signer() {
    let stand = stand(open_gate()).await;
    let proxy = ProvisioningProxy::new(&stand.client).await.unwrap();
    let (question, somebody) = approval(1);
    stand.approvals.send(question).await.unwrap();
    assert!(somebody.await.is_err(), "nobody is there");

    let (asked, mut seen) = tokio::sync::mpsc::unbounded_channel();
    let (cancelled, mut taken_back) = tokio::sync::mpsc::unbounded_channel();
    let path = zbus::ObjectPath::try_from("/agent").unwrap();
    stand.client.object_server().at(&path, Agent { answer: true, asked, cancelled }).await.unwrap();
    proxy.register_agent(&path).await.unwrap();
    let (question, somebody) = approval(2);
    stand.approvals.send(question).await.unwrap();
    assert!(somebody.await.unwrap().await.unwrap());
    let (job, details) = seen.recv().await.unwrap();
    let text = |key: &str| String::try_from(details[key].try_clone().unwrap()).unwrap();
    assert_eq!(
        (job, text("signer"), text("root"), text("carrier-id")),
        (2, "CN=Signer".into(), "CN=Root".into(), "{c}".into())
    );

    // The question is taken back while the user thinks.
    let (question, somebody) = approval(9);
    stand.approvals.send(question).await.unwrap();
    let word = somebody.await.unwrap();
    assert_eq!(seen.recv().await.unwrap().0, 9);
    drop(word);
    assert_eq!(taken_back.recv().await, Some(9));

    proxy.unregister_agent(&path).await.unwrap();
    assert_eq!(Error::from(proxy.unregister_agent(&path).await.unwrap_err()).code(), Code::NotFound);
    let (question, somebody) = approval(3);
    stand.approvals.send(question).await.unwrap();
    assert!(somebody.await.is_err());
}

#[tokio::test]
async fn approved_signers_are_listed_and_revoked() {
    let stand = stand(open_gate()).await;
    let proxy = ProvisioningProxy::new(&stand.client).await.unwrap();
    assert!(proxy.list_signers().await.unwrap().is_empty());
    let consent = crate::store::trusted::Consent {
        fingerprint: "cd".repeat(32),
        signer: "CN=Signer".into(),
        carrier_id: "{c}".into(),
        date: 7,
    };
    stand.provisioner.store.consent(consent).await.unwrap();
    let listed = proxy.list_signers().await.unwrap();
    assert_eq!((listed[0]["signer"].as_str(), listed[0]["date"].as_str()), ("CN=Signer", "7"));
    proxy.revoke_signer(&listed[0]["fingerprint"]).await.unwrap();
    assert_eq!(Error::from(proxy.revoke_signer("cd").await.unwrap_err()).code(), Code::NotFound);
    assert!(proxy.list_signers().await.unwrap().is_empty());
}

#[tokio::test]
async fn only_who_may_approve_is_asked() {
    let stand = stand(shut_gate()).await;
    let proxy = ProvisioningProxy::new(&stand.client).await.unwrap();
    let path = zbus::ObjectPath::try_from("/agent").unwrap();
    assert_eq!(Error::from(proxy.register_agent(&path).await.unwrap_err()).code(), Code::NotAuthorized);
    assert_eq!(Error::from(proxy.revoke_signer("cd").await.unwrap_err()).code(), Code::NotAuthorized);
}

/// The history is for everybody, without the customers; what changes something is for who may.
#[tokio::test]
async fn the_history_is_told() {
    use daemon_provisioning::{Entry, Ledger, Owner, Personal};
    let mut stand = stand(open_gate()).await;
    let proxy = ProvisioningProxy::new(&stand.client).await.unwrap();
    assert!(proxy.list_documents().await.unwrap().is_empty());
    let owner = Owner { carrier_id: "{c}".into(), subscriber_id: Personal::new("001010123456789".into()) };
    let mut ledger = Ledger::default();
    let entry = Entry { digest: "d".into(), owner: Some(owner), all: true, ..Entry::default() };
    let number = ledger.enter(entry);
    crate::actor::provision::history::write(&stand.provisioner.store, &ledger).await.unwrap();
    let listed = proxy.list_documents().await.unwrap();
    let seen = dbus_api::value::Document::from_details(&listed[0]);
    assert_eq!((seen.id, seen.carrier_id.as_deref(), seen.source.as_str()), (number, Some("{c}"), "app"));
    assert_eq!(seen.subscriber.as_deref(), Some("00101********89"));
    assert!(!format!("{listed:?}").contains("001010123456789"));
    assert_eq!(proxy.get_document(number).await.unwrap().len(), listed[0].len());
    assert_eq!(Error::from(proxy.get_document(99).await.unwrap_err()).code(), Code::NotFound);
    let asked = async {
        // The agent ends without an answer.
        let Some(Wish::Remove(asked, _)) = stand.provisioner.wishes.recv().await else { panic!() };
        asked
    };
    let (removed, asked) = tokio::join!(proxy.remove_document(number), asked);
    assert_eq!((asked, Error::from(removed.unwrap_err()).code()), (number, Code::Gone));
}

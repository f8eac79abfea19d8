//! Documents in, jobs and results out.

use dbus_api::error::{Code, Error};
use dbus_api::proxy::ProvisioningProxy;
use dbus_api::value::Job as Seen;

use super::{no_options, open_gate, shut_gate, stand, stand_with};
use crate::handle::{Job, JobStep, Source};

fn done() -> Job {
    Job {
        id: 4,
        modem: Some(0),
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
        assert_eq!(submissions[0].xml, b"<doc/>");
        assert_eq!(
            (submissions[0].source, submissions[0].modem, submissions[0].dry_run),
            (Source::App, Some(0), false)
        );
        assert_eq!(submissions[0].uid, rustix::process::getuid().as_raw());
    }

    stand.provisioner.jobs.send(vec![done()]).unwrap();
    let signal = stand.signal("JobChanged").await;
    let (job, details): (u32, dbus_api::value::Details) = signal.body().deserialize().unwrap();
    let seen = Seen::from_details(&details);
    assert_eq!((job, seen.state.as_str(), seen.results_xml.as_deref()), (4, "done", None));
    let full = Seen::from_details(&proxy.get_job(4).await.unwrap());
    assert_eq!(full.results_xml.as_deref(), Some("<CarrierProvisioningResult/>"));
    assert_eq!(full.modem.as_deref(), Some("/org/mbimd/Mbimd1/modem/0"));
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

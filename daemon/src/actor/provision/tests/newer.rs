//! Newer documents, from a server of the test's own.

use std::net::Ipv4Addr;

use daemon_core::snapshot::{Connection, Connectivity, ConnectivityState, ContextState, IpSettings};
use daemon_provisioning::Due;

use super::*;
use crate::handle::NotDone;
use crate::host::fetch::tests::{World, page};

const DAY: u64 = 86_400;

fn refresh(url: &str, days: &str) -> String {
    format!(
        "<Provisioning><RefreshParameters>{days}<RefreshURL>{url}</RefreshURL><UserName>Aladdin</UserName>\
         <Password>open sesame</Password></RefreshParameters></Provisioning>"
    )
}

/// What the server sends: the octets that `signed` answers for, whatever they are.
fn served() -> Vec<u8> {
    page(&String::from_utf8(carried()).unwrap())
}

impl Bench {
    fn online(&self, online: bool) {
        self.snapshot.send_modify(|snapshot| {
            let mut new = Snapshot::clone(snapshot);
            let ip = IpSettings { ipv4: vec![(Ipv4Addr::LOCALHOST, 8)], ..IpSettings::default() };
            let state = if online { ContextState::Up } else { ContextState::Down };
            let interface = Some("lo".to_owned());
            new.connections = vec![Connection { state, ip: Some(ip), interface, ..Connection::default() }];
            new.connectivity = Connectivity { state: ConnectivityState::Full, ..Connectivity::default() };
            *snapshot = Arc::new(new);
        });
    }

    async fn refresh(&self, document: u32) -> Result<u32, NotDone> {
        let (answer, wait) = oneshot::channel();
        self.provisioner.orders.send(Wish::Refresh(document, answer)).await.unwrap();
        wait.await.unwrap()
    }

    async fn applied(&self, sections: &str) -> u32 {
        self.submit(document(sections), 1000, false).await.unwrap().unwrap().document.unwrap()
    }

    async fn due(&self) -> Option<Due> {
        let ledger = self.ledger().await;
        ledger.schedules().first().map(|(_, schedule)| schedule.due(NOW.with(std::cell::Cell::get)))
    }
}

fn later(seconds: u64) {
    NOW.with(|now| now.set(now.get() + seconds));
}

/// PROV-164, PROV-165: when the time is up and the SIM is online, without anybody asking; not before either.
#[tokio::test]
async fn a_newer_document_comes_when_its_time_is_up() {
    let (world, folder) = (World::new(), tempfile::tempdir().unwrap());
    std::fs::write(folder.path().join("ca.pem"), world.authority.pem()).unwrap();
    let server = world.serve(|_| served()).await;
    let named = "<Provisioning><TrustedCertificates><TrustedCertificate>\
        <SubjectName xmlns='http://www.microsoft.com/networking/CarrierControl/Base/v1'>CN=Signer</SubjectName>\
        <IssuerName xmlns='http://www.microsoft.com/networking/CarrierControl/Base/v1'>CN=Root</IssuerName>\
        </TrustedCertificate></TrustedCertificates>";
    let newest = format!("{PROFILE}{named}{}", &refresh(&server.url("/"), "<DelayInDays>3</DelayInDays>")[14..]);
    let mut bench = bench_with(folder.path(), Ok(signed(folder.path(), &verified(&newest))));
    let known = format!("{named}{}", &refresh(&server.url("/"), "<DelayInDays>2</DelayInDays>")[14..]);
    bench.applied(&known).await;
    let Some(Due::At(at)) = bench.due().await else { panic!() };
    assert!((2 * DAY..2 * DAY + 6 * 3600).contains(&(at - 1_780_272_000)));
    bench.online(true);
    // Half a day too early, then due; each time the SIM comes online.
    later(2 * DAY - 1);
    bench.online(false);
    bench.online(true);
    assert!(server.asked().is_empty());
    later(6 * 3600 + 1);
    loop {
        bench.online(false);
        tokio::task::yield_now().await;
        bench.online(true);
        if let Ok(request) = tokio::time::timeout(Duration::from_millis(200), bench.requests.recv()).await {
            let (request, answer) = request.unwrap();
            assert!(matches!(request, Request::SetProfiles { .. }));
            answer.send(Ok(Reply::Done { changed: true })).unwrap();
            break;
        }
    }
    let entry = bench.entry(|entry| entry.giver.as_str() == "refresh").await;
    assert_eq!((entry.all, entry.code, entry.signed.unwrap().subject.as_str()), (true, Code::OK, "CN=Signer"));
    let Some(Due::At(at)) = bench.due().await else { panic!() };
    assert!(at >= NOW.with(std::cell::Cell::get) + 3 * DAY, "by the newer document");

    // Asked for once more: it is the same one, which is not applied again.
    let job = bench.refresh(0).await.unwrap();
    assert_eq!(bench.job_ends(job).await.state, "done");
    assert!(server.asked().last().unwrap().contains("If-None-Match: \"1\""));
    assert!(bench.requests.try_recv().is_err());
    bench.agent.stop().await;
}

/// PROV-164, PROV-166, PROV-168: what goes wrong costs nothing that is in force, and waits for longer and longer.
#[tokio::test]
async fn what_goes_wrong_changes_nothing() {
    let (world, folder) = (World::new(), tempfile::tempdir().unwrap());
    std::fs::write(folder.path().join("ca.pem"), world.authority.pem()).unwrap();
    let server = world
        .serve(|asked| match asked.split(' ').nth(1).unwrap() {
            "/500" => b"HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n".to_vec(),
            "/rubbish" => page("<html>"),
            _ => served(),
        })
        .await;
    // Nobody approved this signer, and nobody can be asked.
    let mut bench = bench_with(folder.path(), Ok(signed(folder.path(), &verified(PROFILE))));
    bench.online(true);
    for (path, code, reason) in [
        ("/500", 0xa217_0104, "status 500"),
        ("/rubbish", 0x8217_0001, ""),
        ("/asks", 0x8217_0006, "refresh asks nobody"),
    ] {
        let before = bench.applied(&format!("{KEPT}{}", refresh(&server.url(path), ""))).await;
        let job = bench.refresh(before).await.unwrap();
        let ended = bench.job_ends(job).await;
        let (said, text) = ended.error.unwrap();
        assert_eq!((ended.state, said), ("failed", code), "{path}: {text}");
        assert!(text.contains(reason), "{text}");
        assert_eq!(bench.kept().len(), 1);
        // No answer may be one later; a document that is refused is not asked for again by itself.
        let due = bench.due().await.unwrap();
        assert!(if path == "/500" { matches!(due, Due::At(_)) } else { due == Due::Never }, "{path}: {due:?}");
    }
    // Without a network it waits for one.
    bench.online(false);
    let last = bench.applied(&refresh(&server.url("/500"), "")).await;
    assert!(matches!(bench.refresh(last).await, Err(NotDone::NotNow(_))));
    assert_eq!(bench.due().await, Some(Due::Now));
    let asked = server.asked().len();
    bench.online(true);
    while server.asked().len() == asked {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    // A section without it: no more.
    let last = bench.applied("<Provisioning/>").await;
    assert!(matches!(bench.refresh(last).await, Err(NotDone::NotFound(_))));
    assert_eq!(bench.due().await, None);
    bench.agent.stop().await;
}

/// PROV-169: signed or not, another customer's document is not taken.
#[tokio::test]
async fn another_customers_document_is_refused() {
    let (world, folder) = (World::new(), tempfile::tempdir().unwrap());
    std::fs::write(folder.path().join("ca.pem"), world.authority.pem()).unwrap();
    let server = world.serve(|_| served()).await;
    let mut answer = verified(PROFILE).unwrap();
    let other = String::from_utf8(answer.octets).unwrap().replace(IMSI, "001015599999999");
    answer.octets = other.into_bytes();
    let mut bench = bench_with(folder.path(), Ok(signed(folder.path(), &Ok(answer))));
    bench.online(true);
    let consent = Consent { fingerprint: "ab".repeat(32), signer: String::new(), carrier_id: CARRIER.into(), date: 0 };
    bench.provisioner.store.consent(consent).await.unwrap();
    bench.applied(&refresh(&server.url("/"), "")).await;
    let job = bench.refresh(0).await.unwrap();
    let ended = bench.job_ends(job).await;
    assert_eq!(ended.error.unwrap().0, 0x8007_0005);
    bench.agent.stop().await;
}

//! A document is being applied when the daemon is killed: at every write of the store, in the middle of it, and between
//! every two steps. The killed one is a process of its own with the real store; what the next start makes of what is left is
//! looked at here. The modem is what outlives both.

use std::os::unix::process::ExitStatusExt as _;
use std::path::Path;
use std::process::Command;

use daemon_provisioning::Entry;

use super::*;
use crate::store::halt;

/// Says to the process that is to die where its files are, and after how many places.
const FOLDER: &str = "MBIMD_TEST_KILLED_IN";
const AFTER: &str = "MBIMD_TEST_KILLED_AFTER";

/// Everything that a step can be, and an activation that must not be sent twice.
fn everything() -> Vec<u8> {
    let named = "<Provisioning><TrustedCertificates><TrustedCertificate>\
        <SubjectName xmlns='http://www.microsoft.com/networking/CarrierControl/Base/v1'>CN=Signer</SubjectName>\
        <IssuerName xmlns='http://www.microsoft.com/networking/CarrierControl/Base/v1'>CN=Root</IssuerName>\
        </TrustedCertificate></TrustedCertificates></Provisioning>";
    let extensions = "<Extensions><Extensions_v2 xmlns='http://www.microsoft.com/networking/CarrierControl/v2'>\
        <CarrierNetworkMetadata><CustomerSupportPhoneNumber>123</CustomerSupportPhoneNumber></CarrierNetworkMetadata>\
        </Extensions_v2></Extensions>";
    document(&format!("{}{PROFILE}{KEPT}{named}{extensions}", activation("")))
}

/// The modem writes down what it is asked before it answers; two runs of the daemon meet the same one.
async fn play(mut requests: mpsc::Receiver<crate::actor::modem::Asked>, file: PathBuf) {
    while let Some((request, answer)) = requests.recv().await {
        let line = match request {
            Request::SetProfiles { default: Some(profile), purchase: None, network: Some(network) } => {
                assert_eq!(network.support_number, "123");
                format!("profile {}\n", profile.apn)
            }
            Request::ServiceActivation(data) => format!("blob {}\n", String::from_utf8_lossy(data.reveal())),
            other => format!("{other:?}\n"),
        };
        let before = std::fs::read(&file).unwrap_or_default();
        std::fs::write(&file, [before, line.into_bytes()].concat()).unwrap();
        halt::here();
        drop(answer.send(Ok(Reply::Done { changed: true })));
        halt::here();
    }
}

/// A bench with that modem, and the file that the modem writes.
fn bench_of(folder: &Path) -> (Bench, PathBuf) {
    let mut bench = bench(folder);
    let file = folder.join("modem");
    let requests = std::mem::replace(&mut bench.requests, mpsc::channel(1).1);
    tokio::spawn(play(requests, file.clone()));
    (bench, file)
}

/// A step by its name, with its code.
type Step = (String, Option<Code>);

/// What a document left on a machine.
#[derive(Debug, PartialEq, Eq)]
struct Left {
    profile: Option<String>,
    kept: serde_json::Value,
    certificates: usize,
    documents: Vec<(Code, bool, Vec<Step>)>,
    cursors: usize,
    unfinished: Vec<String>,
}

async fn left(bench: &Bench, asked: &[String]) -> Left {
    let store = &bench.provisioner.store;
    let owner = Owner { carrier_id: CARRIER.to_owned(), subscriber_id: provisioning::Personal::new(IMSI.to_owned()) };
    // What the activation came to is looked at apart: an attempt that was running counts as failed. [PROV 12.7]
    let ended = |entry: &Entry| entry.steps.iter().filter(|step| step.id != "activation").cloned().collect::<Vec<_>>();
    let steps = |entry: &Entry| ended(entry).into_iter().map(|step| (step.id, step.code)).collect();
    let files = std::fs::read_dir(bench.state.join("provision")).unwrap().flatten();
    let names = files.map(|file| file.file_name().into_string().unwrap());
    Left {
        profile: asked.iter().rfind(|line| line.starts_with("profile")).cloned(),
        kept: serde_json::to_value(facts::kept(&owner.key(), store).await).unwrap(),
        certificates: store.trusted().await.unwrap().carriers.len(),
        documents: bench.ledger().await.entries().iter().map(|entry| (entry.code, entry.all, steps(entry))).collect(),
        cursors: bench.cursors(),
        unfinished: names.filter(|name| name.ends_with(".new")).collect(),
    }
}

fn lines(file: &Path) -> Vec<String> {
    std::fs::read_to_string(file).unwrap_or_default().lines().map(str::to_owned).collect()
}

/// The other half of the next test: applies the document and is killed meanwhile. Alone it does nothing.
#[tokio::test]
async fn the_one_that_is_killed() {
    let (Some(folder), Ok(after)) = (std::env::var_os(FOLDER), std::env::var(AFTER)) else { return };
    let (mut bench, _) = bench_of(Path::new(&folder));
    halt::after(after.parse().unwrap());
    let job = bench.submit(everything(), 1000, false).await.unwrap().unwrap();
    bench.job_ends(job.id).await;
    halt::after(0);
    bench.agent.stop().await;
}

/// PROV-210, PROV-071: the document is applied as a whole or not at all, told once, and the activation reaches the modem once
/// at most.
#[tokio::test]
async fn killed_at_every_write_and_between_every_two_steps() {
    // Nothing here is to last, and thousands of waits for a disk would.
    let memory = Path::new("/dev/shm");
    let place = || if memory.is_dir() { tempfile::tempdir_in(memory) } else { tempfile::tempdir() };
    let apply = |folder: &Path, after: u32| {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args(["--exact", "actor::provision::tests::killed::the_one_that_is_killed"]);
        command.env(FOLDER, folder).env(AFTER, after.to_string()).output().unwrap()
    };
    let whole = {
        let folder = place().unwrap();
        let ended = apply(folder.path(), 0);
        assert!(ended.status.success(), "{}", String::from_utf8_lossy(&ended.stdout));
        let (bench, file) = bench_of(folder.path());
        let whole = left(&bench, &lines(&file)).await;
        assert_eq!(lines(&file), ["profile internet.example", "blob PLAN-1"]);
        assert_eq!((whole.documents.len(), whole.certificates, whole.cursors), (1, 1, 0), "{whole:?}");
        bench.agent.stop().await;
        whole
    };
    let (mut nothing, mut resumed, mut over, mut after) = (0, 0, 0, 0_u32);
    loop {
        after += 1;
        assert!(after < 1000, "it is never passed");
        let folder = place().unwrap();
        let ended = apply(folder.path(), after);
        if ended.status.success() {
            break;
        }
        assert_eq!(ended.status.signal(), Some(9), "{after}: {}", String::from_utf8_lossy(&ended.stdout));
        let before = lines(&folder.path().join("modem"));
        let (mut bench, file) = bench_of(folder.path());
        if bench.cursors() > 0 {
            resumed += 1;
            let ends = tokio::time::timeout(Duration::from_secs(300), bench.job_ends(1)).await;
            assert!(ends.is_ok(), "killed at place {after}: it is not taken up again");
        } else if bench.ledger().await.entries().is_empty() {
            nothing += 1;
            assert!(before.is_empty(), "{after}: {before:?}");
            let untouched = left(&bench, &before).await;
            assert_eq!((untouched.certificates, untouched.documents.len()), (0, 0), "{after}");
            assert_eq!(untouched.kept, serde_json::to_value(provisioning::Stored::default()).unwrap(), "{after}");
            // Nobody was told that it was taken: it is handed over again.
            let job = bench.submit(everything(), 1000, false).await.unwrap().unwrap();
            bench.job_ends(job.id).await;
        } else {
            over += 1;
        }
        let asked = lines(&file);
        assert_eq!(left(&bench, &asked).await, whole, "killed at place {after}");
        let sent = asked.iter().filter(|line| *line == "blob PLAN-1").count();
        let profiles = asked.iter().filter(|line| *line == "profile internet.example").count();
        assert_eq!(asked.len(), sent + profiles, "{after}: {asked:?}");
        match bench.ledger().await.entries()[0].activation {
            Some(Code::OK) => assert_eq!(sent, 1, "{after}"),
            Some(Code::ABORTED) => assert!(sent <= 1, "{after}"),
            other => panic!("killed at place {after}: {other:?}"),
        }
        bench.agent.stop().await;
    }
    println!(
        "killed at {} places: {nothing} times nothing, {resumed} times half, {over} times all was done",
        after - 1
    );
    assert!(nothing > 0 && resumed > 20 && over > 0, "{nothing} {resumed} {over}");
}

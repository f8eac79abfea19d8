//! What fuzzing started from, on every run: tests/fuzz/README.md. `MBIMD_BLESS=1` writes the seeds of `stored` anew.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test reports by panicking")]

use std::path::PathBuf;

use daemon_provisioning::{
    Document, Entry, Facts, Ledger, ModemFacts, Outcome, Owner, Personal, Run, Schedule, SimState, Source, StepAction,
    Stored, Time, Todo, Validators, plan, validate,
};
use daemon_verify::{Answer, Narrow, Question, Request, Verifier as _, fuzz_document, fuzz_stored};

fn tests() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../tests")
}

fn files(folder: &str) -> Vec<Vec<u8>> {
    let mut files: Vec<PathBuf> =
        std::fs::read_dir(tests().join(folder)).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    assert!(!files.is_empty(), "{folder}");
    files.iter().map(|file| std::fs::read(file).unwrap()).collect()
}

#[test]
fn documents() {
    for octets in ["fuzz/corpus/document", "documents/signed"].into_iter().flat_map(files) {
        fuzz_document(&octets);
    }
}

/// A run before and after its first steps, what it leaves behind, and the history with it.
fn states(document: &[u8]) -> Option<[Vec<u8>; 4]> {
    let modem = ModemFacts {
        sim: SimState::Ready,
        imsi: Some(Personal::new("001010123456789".to_owned())),
        ..ModemFacts::default()
    };
    let facts = Facts { modems: vec![modem], ..Facts::default() };
    let document = Document::authorise(validate(document).ok()?, &Source::Administrator, &facts).ok()?;
    let mut run = Run::new(plan(&document, &facts), Time::ZERO);
    let begun = serde_json::to_vec(&run.save(Time::ZERO)).unwrap();
    let mut stored = Stored::default();
    while let Todo::Do(id, action) = run.next(Time::ZERO) {
        if let StepAction::Keep { change } = &action {
            stored.apply(change);
        }
        if matches!(action, StepAction::ServiceActivation { .. } | StepAction::Reconnect | StepAction::Reregister) {
            break;
        }
        run.done(&id, Outcome::Changed, Time::ZERO);
    }
    let mut ledger = Ledger::default();
    let owner = Owner::of(&document);
    let schedule = stored.refresh().map(|refresh| Schedule::new(refresh, 7, 7, Validators::default()));
    ledger.schedule(&owner, schedule);
    let mut entry = Entry { digest: "d".to_owned(), owner: Some(owner), ..Entry::default() };
    entry.report(&run.report());
    ledger.enter(entry);
    ledger.place("d", "8999000000000000017");
    let json = |value: Result<Vec<u8>, serde_json::Error>| value.unwrap();
    Some([
        begun,
        json(serde_json::to_vec(&run.save(Time::ZERO))),
        json(serde_json::to_vec(&stored)),
        json(serde_json::to_vec(&ledger)),
    ])
}

#[test]
fn stored() {
    let folder = tests().join("fuzz/corpus/stored");
    let mut made: Vec<Vec<u8>> = Vec::new();
    for document in files("documents/valid") {
        made.extend(states(&document).into_iter().flatten().filter(|state| state.len() < 8192));
    }
    let signed = files("documents/signed").remove(0);
    let request = Request { document: &signed, clock: 7, sha1: false, roots: &[], revocation_lists: &[], fetched: &[] };
    made.push(Question::encode(&request));
    made.push(Answer::encode(&Narrow.verify(&request)));
    if std::env::var_os("MBIMD_BLESS").is_some() {
        // A few of each kind are enough to begin with.
        std::fs::create_dir_all(&folder).unwrap();
        for (number, octets) in
            made.iter().enumerate().filter(|(number, _)| number % 9 == 3 || number + 2 >= made.len())
        {
            std::fs::write(folder.join(format!("state-{number:03}")), octets).unwrap();
        }
    }
    assert!(made.len() > 8);
    for octets in made.into_iter().chain(files("fuzz/corpus/stored")) {
        fuzz_stored(&octets);
    }
}

//! The run of a plan: order, commit, activation with its attempts. [PROV 12.1, 12.7]
#![allow(clippy::unwrap_used, clippy::panic, reason = "in a test a panic is the report")]

use daemon_provisioning::{
    ActivationStatus, Code, Document, Facts, ModemFacts, Outcome, Personal, Plan, ProvisionedProfile, Run, SavedRun,
    Shape, SimState, Slot, Source, StepAction, StepId, Time, Todo, plan, validate,
};

const CC: &str = "http://www.microsoft.com/networking/CarrierControl/v1";
const WWAN: &str = "http://www.microsoft.com/networking/CarrierControl/WWAN/v1";
const CARRIER: &str = "{7d3c1f52-0b5e-4c7a-9a41-5e2f6b8c9d10}";
const IMSI: &str = "001010123456789";

const PROFILES: &str = "<MBNProfiles xmlns:w='http://www.microsoft.com/networking/CarrierControl/WWAN/v1'>\
    <w:DefaultProfile><w:Name>Home</w:Name><w:Context><w:AccessString>internet</w:AccessString>\
    <w:UserLogonCred><w:UserName>user</w:UserName><w:Password>hunter2-hunter2</w:Password></w:UserLogonCred>\
    </w:Context></w:DefaultProfile>\
    <w:PurchaseProfile><w:Name>Shop</w:Name></w:PurchaseProfile></MBNProfiles>";

fn facts() -> Facts {
    Facts {
        modems: vec![ModemFacts {
            id: 7,
            sim: SimState::Ready,
            imsi: Some(Personal::new(IMSI.to_owned())),
            ..ModemFacts::default()
        }],
        ..Facts::default()
    }
}

fn document(activation: &str, rest: &str) -> Document {
    let activation = match activation {
        "" => String::new(),
        directive => format!("<Activation xmlns:w='{WWAN}'>{directive}</Activation>"),
    };
    let xml = format!(
        "<CarrierProvisioning xmlns='{CC}'><Global><CarrierId>{CARRIER}</CarrierId>\
         <SubscriberId>{IMSI}</SubscriberId></Global>{activation}{rest}</CarrierProvisioning>"
    );
    let validated = validate(xml.as_bytes()).unwrap();
    let source = Source::App { carrier_id: Some(CARRIER.to_ascii_uppercase()) };
    Document::authorise(validated, &source, &facts()).unwrap()
}

fn planned(activation: &str, rest: &str) -> Plan {
    plan(&document(activation, rest), &facts())
}

const fn at(seconds: u64) -> Time {
    Time::from_secs(seconds)
}

/// Takes the next step and its name.
fn take(run: &mut Run, now: Time) -> (StepId, StepAction) {
    match run.next(now) {
        Todo::Do(id, action) => (id, action),
        other => panic!("expected something to do at {now:?}, not {other:?}"),
    }
}

/// Takes the next step, which is that one, and ends it.
fn step(run: &mut Run, action: &StepAction, from: u64, outcome: Outcome, to: u64) {
    let (id, taken) = take(run, at(from));
    assert_eq!(taken, *action);
    run.done(&id, outcome, at(to));
}

const REREGISTER: &str = "<w:ReregisterToNetwork Delay='PT30S' RetryCount='3' RetryInterval='PT1M'/>";

/// Profiles first, one commit, then the results, then the activation. PROV-060, PROV-205.
#[test]
fn order_of_a_whole_run() {
    let mut run = Run::new(planned(REREGISTER, PROFILES), at(100));
    let (id, action) = take(&mut run, at(100));
    assert_eq!(id.as_str(), "mbn/default");
    let StepAction::StoreProfile { slot, profile } = action else {
        panic!("{action:?}");
    };
    assert_eq!((slot, profile.apn.as_deref()), (Slot::Default, Some("internet")));
    assert_eq!(profile.password.unwrap().reveal(), "hunter2-hunter2");
    run.done(&id, Outcome::Changed, at(100));
    let (id, _) = take(&mut run, at(100));
    assert_eq!(id.as_str(), "mbn/purchase");
    run.done(&id, Outcome::Failed(Code::ACCESS_DENIED), at(100));
    assert!(!run.results_ready());
    assert_eq!(run.results(Shape::V2), None);
    assert_eq!(run.activation(), ActivationStatus::Waiting);
    step(&mut run, &StepAction::Commit, 100, Outcome::Changed, 101);
    assert!(run.results_ready());
    assert!(!run.all_elements_provisioned());
    let xml = run.results(Shape::V2).unwrap();
    for line in [
        "  <Activation errorCode=\"00000000\"/>\n",
        "    <DefaultProfile name=\"Home\" errorCode=\"00000000\"/>\n",
        "    <PurchaseProfile name=\"Shop\" errorCode=\"80070005\"/>\n",
    ] {
        assert!(xml.contains(line), "{xml}");
    }
    assert_eq!(run.next(at(101)), Todo::WaitUntil(at(131)));
    step(&mut run, &StepAction::Reregister, 131, Outcome::Changed, 140);
    assert_eq!(run.next(at(140)), Todo::Done);
    let outcomes: Vec<_> = run.report().iter().map(|r| r.outcome).collect();
    assert_eq!(outcomes, ["applied", "failed", "applied", "applied"]);
}

/// The timeline of 12.7. PROV-061 to PROV-063, PROV-073.
#[test]
fn timeline() {
    let mut run = Run::new(planned(REREGISTER, ""), at(0));
    assert!(run.results_ready() && run.all_elements_provisioned());
    assert_eq!(run.next(at(0)), Todo::WaitUntil(at(30)));
    let failed = Outcome::RadioBackConnectFailed(Code::INVALID_PARAMETER);
    step(&mut run, &StepAction::Reregister, 30, failed, 45);
    assert_eq!(run.next(at(46)), Todo::WaitUntil(at(105)));
    let failed = Outcome::Failed(Code::INVALID_PARAMETER);
    step(&mut run, &StepAction::ConnectOnly, 105, failed, 107);
    assert_eq!(run.next(at(107)), Todo::WaitUntil(at(167)));
    step(&mut run, &StepAction::ConnectOnly, 167, Outcome::Changed, 170);
    assert_eq!(run.activation(), ActivationStatus::Succeeded { attempts: 3 });
    assert_eq!(run.next(at(1000)), Todo::Done);
}

/// First variant: the radio did not come back. PROV-064.
#[test]
fn radio_that_did_not_come_back_is_cycled_again() {
    let mut run = Run::new(planned(REREGISTER, ""), at(0));
    let failed = Outcome::Failed(Code::NOT_READY);
    step(&mut run, &StepAction::Reregister, 30, failed, 90);
    let failed = Outcome::RadioBackConnectFailed(Code::NOT_READY);
    step(&mut run, &StepAction::Reregister, 150, failed, 160);
    step(&mut run, &StepAction::ConnectOnly, 220, Outcome::Unchanged, 221);
    assert_eq!(run.activation(), ActivationStatus::Succeeded { attempts: 3 });
}

/// Second variant: all four attempts fail; the code is that of the last one. PROV-061, PROV-073.
#[test]
fn attempts_are_one_more_than_the_retries() {
    let mut run = Run::new(planned(REREGISTER, ""), at(0));
    let mut now = 30;
    for n in 1..=4_u32 {
        let (id, _) = take(&mut run, at(now));
        assert_eq!(run.activation(), ActivationStatus::Running { attempt: n });
        run.done(&id, Outcome::Failed(Code(0x8000_0000 | n)), at(now + 5));
        now += 65;
    }
    let code = Code(0x8000_0004);
    assert_eq!(run.activation(), ActivationStatus::Failed { code, attempts: 4 });
    assert_eq!(run.next(at(now)), Todo::Done);
    // The results speak of acceptance only.
    assert!(run.all_elements_provisioned());
}

/// The data goes out octet for octet, and each attempt in full. PROV-066.
#[test]
fn service_activation() {
    let directive = "<w:ServiceActivation RetryCount='1' RetryInterval='PT1H'>\
        <w:CarrierSpecificData> AAEC\n/w== </w:CarrierSpecificData></w:ServiceActivation>";
    let mut run = Run::new(planned(directive, ""), at(5));
    for from in [5, 3606] {
        let (id, action) = take(&mut run, at(from));
        let StepAction::ServiceActivation { data } = action else {
            panic!("{action:?}");
        };
        assert_eq!(data.reveal(), &[0, 1, 2, 0xff]);
        run.done(&id, Outcome::Failed(Code::NOT_SUPPORTED), at(from + 1));
    }
    assert_eq!(run.next(at(4000)), Todo::Done);
    let empty = "<w:ServiceActivation><w:CarrierSpecificData/></w:ServiceActivation>";
    let (_, action) = take(&mut Run::new(planned(empty, ""), at(0)), at(0));
    assert!(matches!(action, StepAction::ServiceActivation { data } if data.reveal().is_empty()));
}

/// PROV-067 and the limit of section 16.
#[test]
fn service_activation_that_cannot_be_sent() {
    let short = "<w:ServiceActivation><w:CarrierSpecificData>QQ==</w:CarrierSpecificData></w:ServiceActivation>";
    let mut lacking = facts();
    lacking.modems[0].service_activation = Some(false);
    let long = format!(
        "<w:ServiceActivation><w:CarrierSpecificData>{}</w:CarrierSpecificData></w:ServiceActivation>",
        "QUJD".repeat(1366)
    );
    for (directive, facts, code) in [
        (short, lacking, Code::NOT_SUPPORTED),
        (&long, facts(), Code::INVALID_PARAMETER),
        (short, Facts::default(), Code::NOT_PRESENT),
    ] {
        let mut run = Run::new(plan(&document(directive, ""), &facts), at(0));
        assert_eq!(run.next(at(0)), Todo::Done);
        assert_eq!(run.activation(), ActivationStatus::Refused { code });
        let xml = run.results(Shape::V2).unwrap();
        assert!(xml.contains(&format!("<Activation errorCode=\"{code}\"/>")), "{xml}");
    }
}

fn restart(run: &Run, now: Time, later: Time) -> Run {
    let stored = serde_json::to_string(&run.save(now)).unwrap();
    let saved: SavedRun = serde_json::from_str(&stored).unwrap();
    Run::resume(saved, later)
}

/// PROV-071: what remains of the delay is waited for, whatever the new clock says.
#[test]
fn pending_activation_survives_a_restart() {
    let mut run = Run::new(planned(REREGISTER, ""), at(0));
    assert_eq!(run.next(at(20)), Todo::WaitUntil(at(30)));
    let mut run = restart(&run, at(20), at(5000));
    assert_eq!(run.next(at(5000)), Todo::WaitUntil(at(5010)));
    let failed = Outcome::RadioBackConnectFailed(Code::NOT_READY);
    step(&mut run, &StepAction::Reregister, 5010, failed, 5020);
    let mut run = restart(&run, at(5050), at(3));
    assert_eq!(run.next(at(3)), Todo::WaitUntil(at(33)));
    step(&mut run, &StepAction::ConnectOnly, 33, Outcome::Changed, 34);
    let mut run = restart(&run, at(40), at(0));
    assert_eq!(run.activation(), ActivationStatus::Succeeded { attempts: 1 + 1 });
    assert_eq!(run.next(at(0)), Todo::Done);
}

/// An attempt that was running counts as failed.
#[test]
fn running_attempt_is_failed_by_a_restart() {
    let mut run = Run::new(planned(REREGISTER, ""), at(0));
    take(&mut run, at(30));
    let mut run = restart(&run, at(31), at(9));
    assert_eq!(run.activation(), ActivationStatus::Scheduled { attempt: 2, due: at(69) });
    assert_eq!(take(&mut run, at(69)).1, StepAction::Reregister);
    let once = "<w:ReconnectToNetwork/>";
    let mut run = Run::new(planned(once, ""), at(0));
    take(&mut run, at(0));
    let run = restart(&run, at(0), at(0));
    assert_eq!(run.activation(), ActivationStatus::Failed { code: Code::ABORTED, attempts: 1 });
}

/// PROV-210: before the commit nothing has happened, so that all of it happens again.
#[test]
fn restart_before_the_commit_stages_again() {
    let mut run = Run::new(planned("", PROFILES), at(0));
    for name in ["mbn/default", "mbn/purchase"] {
        let (id, _) = take(&mut run, at(0));
        assert_eq!(id.as_str(), name);
        run.done(&id, Outcome::Changed, at(0));
    }
    let mut run = restart(&run, at(1), at(1));
    for name in ["mbn/default", "mbn/purchase", "commit"] {
        let (id, _) = take(&mut run, at(1));
        assert_eq!(id.as_str(), name);
        run.done(&id, Outcome::Changed, at(1));
    }
    let mut run = restart(&run, at(1), at(1));
    assert_eq!(run.next(at(1)), Todo::Done);
    assert!(run.all_elements_provisioned());
}

/// Nothing is stored, nothing is activated, and the results say so.
#[test]
fn failed_commit_fails_what_it_was_to_write() {
    let mut run = Run::new(planned(REREGISTER, PROFILES), at(0));
    for _ in 0..2 {
        let (id, _) = take(&mut run, at(0));
        run.done(&id, Outcome::Changed, at(0));
    }
    let failed = Outcome::Failed(Code::ACCESS_DENIED);
    step(&mut run, &StepAction::Commit, 0, failed, 0);
    assert_eq!(run.next(at(100)), Todo::Done);
    let xml = run.results(Shape::V2).unwrap();
    assert!(xml.contains("<MBNProfiles errorCode=\"80070005\"/>"), "{xml}");
    assert!(xml.contains("<Activation errorCode=\"80070005\"/>"), "{xml}");
}

/// PROV-070.
#[test]
fn cancelled_activation_ends() {
    let mut run = Run::new(planned(REREGISTER, ""), at(0));
    let (id, _) = take(&mut run, at(30));
    run.cancel_activation();
    run.done(&id, Outcome::Changed, at(31));
    assert_eq!(run.activation(), ActivationStatus::Cancelled);
    assert_eq!(run.next(at(31)), Todo::Done);
    let run = restart(&run, at(31), at(31));
    assert_eq!(run.activation(), ActivationStatus::Cancelled);
}

/// PROV-069, and a second application changes nothing.
#[test]
fn what_is_already_so_is_not_done() {
    let mut facts = facts();
    for step in planned("", PROFILES).steps() {
        if let daemon_provisioning::Action::StoreProfile { slot, profile } = &step.action {
            let stored: ProvisionedProfile = serde_json::from_str(&serde_json::to_string(profile).unwrap()).unwrap();
            match slot {
                Slot::Default => facts.modems[0].default_profile = Some(stored),
                Slot::Purchase => facts.modems[0].purchase_profile = Some(stored),
            }
        }
    }
    let mut run = Run::new(plan(&document("", PROFILES), &facts), at(0));
    assert_eq!(run.next(at(0)), Todo::Done);
    assert!(run.report().iter().all(|report| report.outcome == "unchanged"));
    let xml = run.results(Shape::V2).unwrap();
    assert!(xml.contains("errorCode=\"00000000\">\n  <Issuer>"), "{xml}");
}

/// PROV-023: no such SIM, and one that is locked.
#[test]
fn elements_for_a_modem_that_is_not_there() {
    let mut locked = facts();
    locked.modems[0].sim = SimState::NotReady;
    locked.modems[0].imsi = None;
    for (facts, code) in [(Facts::default(), Code::NOT_PRESENT), (locked, Code::NOT_READY)] {
        let mut run = Run::new(plan(&document(REREGISTER, PROFILES), &facts), at(0));
        assert_eq!(run.next(at(0)), Todo::Done);
        assert_eq!(run.plan().target(), None);
        let xml = run.results(Shape::V2).unwrap();
        assert!(xml.contains(&format!("<MBNProfiles errorCode=\"{code}\"/>")), "{xml}");
        assert!(xml.contains(&format!("<Activation errorCode=\"{code}\"/>")), "{xml}");
    }
}

/// PROV-048: what XML Schema lets through and MBIM cannot carry.
#[test]
fn apn_that_does_not_fit() {
    let rest = format!(
        "<MBNProfiles><DefaultProfile xmlns='{WWAN}'><Name>n</Name><Context><AccessString>{}\
         </AccessString></Context></DefaultProfile></MBNProfiles>",
        "\u{1f4f6}".repeat(51)
    );
    let run = Run::new(planned("", &rest), at(0));
    let xml = run.results(Shape::V2).unwrap();
    assert!(xml.contains("<MBNProfiles errorCode=\"800704b6\"/>"), "{xml}");
}

/// PROV-170: nothing that people see holds a secret or an identity.
#[test]
fn nothing_secret_is_printed() {
    let directive = "<w:ServiceActivation><w:CarrierSpecificData>aHVudGVyMi1odW50ZXIy\
        </w:CarrierSpecificData></w:ServiceActivation>";
    let document = document(directive, PROFILES);
    let plan = plan(&document, &facts());
    let mut run = Run::new(plan.clone(), at(0));
    let todo = run.next(at(0));
    let shown = [
        format!("{document:?}"),
        format!("{plan:?}"),
        plan.view().to_string(),
        serde_json::to_string(&plan.view()).unwrap(),
        format!("{run:?}"),
        format!("{todo:?}"),
        format!("{:?}", run.save(at(0))),
        serde_json::to_string(&run.report()).unwrap(),
    ];
    // The data of the directive in each form in which a byte vector may be printed.
    for text in shown {
        for secret in ["hunter2", "104, 117, 110", "aHVudGVy", IMSI] {
            assert!(!text.contains(secret), "{secret} in {text}");
        }
    }
}

#[test]
fn plan_as_text() {
    let text = planned(REREGISTER, PROFILES).view().to_string();
    assert_eq!(
        text,
        "for modem 7\n  \
         1. mbn/default                  store default profile \u{201c}Home\u{201d}: APN internet, with credentials\n  \
         2. mbn/purchase                 store purchase profile \u{201c}Shop\u{201d}: the network's APN\n  \
         3. commit                       write what was stored\n  \
         4. activation                   switch the radio off and on, then connect with the default profile, after 30s, at most 3 further attempts 60s apart\n"
    );
}

/// A stored cursor that does not fit its plan (from another version, or damaged) ends, and begins
/// nothing that the plan does not hold.
#[test]
fn cursor_that_does_not_fit() {
    let run = Run::new(planned(REREGISTER, PROFILES), at(0));
    let stored = serde_json::to_value(run.save(at(0))).unwrap();
    let huge = serde_json::json!({"due": {"remaining": {"secs": u64::MAX, "nanos": 0},
        "past": {"attempts": u32::MAX, "radio_back": true}}});
    let changes = [
        ("/ended", serde_json::json!([])),
        ("/ended", serde_json::json!([null, null, null, null, null, null, null])),
        ("/ended", serde_json::json!([{"code": "00000000", "changed": true}])),
        ("/attempts", serde_json::json!("none")),
        ("/attempts", huge),
        ("/plan/steps", serde_json::json!([])),
    ];
    for (place, value) in changes {
        let mut stored = stored.clone();
        *stored.pointer_mut(place).unwrap() = value;
        let saved: SavedRun = serde_json::from_value(stored).unwrap();
        let mut run = Run::resume(saved, Time::MAX);
        let mut steps = 0;
        while let Todo::Do(id, _) = run.next(Time::MAX) {
            run.done(&id, Outcome::Failed(Code::NOT_READY), Time::MAX);
            steps += 1;
        }
        assert_eq!(run.next(Time::MAX), Todo::Done);
        assert!(steps <= 6, "{place}: {steps}");
        assert!(run.results(Shape::V2).is_some());
    }
    assert!(serde_json::from_value::<SavedRun>(serde_json::json!({})).is_err());
}

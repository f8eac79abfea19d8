//! The example of docs/user/provisioning.md does what the page says.
#![allow(clippy::unwrap_used, clippy::panic, reason = "in a test a panic is the report")]

use std::path::Path;

use daemon_provisioning::{
    Document, Facts, ModemFacts, Outcome, Personal, Run, Shape, SimState, Source, Time, Todo, plan, validate,
};

#[test]
fn the_example_for_operators_yields_what_the_page_says() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/user/provisioning.md");
    let page = std::fs::read_to_string(page).unwrap();
    let blocks: Vec<_> =
        page.split("```xml\n").skip(1).map(|rest| rest.split_once("```").unwrap().0.trim_end()).collect();
    let [document, results] = blocks[..] else { panic!("two blocks") };
    let validated = validate(document.as_bytes()).unwrap_or_else(|invalid| panic!("{invalid}"));
    assert!(validated.warnings().is_empty());
    let modem = ModemFacts {
        sim: SimState::Ready,
        imsi: Some(Personal::new("001010123456789".to_owned())),
        ..ModemFacts::default()
    };
    let facts = Facts { modems: vec![modem], ..Facts::default() };
    let source = Source::App { carrier_id: Some("7d3c1f52-0b5e-4c7a-9a41-5e2f6b8c9d10".to_owned()) };
    let document = Document::authorise(validated, &source, &facts).unwrap();
    let mut run = Run::new(plan(&document, &facts), Time::ZERO);
    while !run.results_ready() {
        let Todo::Do(id, _) = run.next(Time::ZERO) else { panic!("nothing to do") };
        run.done(&id, Outcome::Changed, Time::ZERO);
    }
    assert_eq!(run.results(Shape::V2).unwrap(), results);
}

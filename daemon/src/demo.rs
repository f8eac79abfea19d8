//! `mbimd demo`: the whole main job on a fresh machine. A virtual modem and a virtual operator at the two ends, between
//! them the real daemon as a child process with its real D-Bus API and its real network configuration; the demo itself
//! plays the person, the browser and the operator's program, and tells what happens.

mod browser;
mod consent;
mod ending;
mod mask;
mod options;
mod story;
mod timeline;
mod watch;

use std::ffi::OsString;
use std::process::ExitCode;

use harness::virtual_operator::Scenario;
use harness::virtual_operator::netns;

use options::{Asked, Options};
use timeline::Timeline;

/// Exit status for a wrong command line.
const USAGE: u8 = 2;

/// Runs what follows `demo` on the command line. Called before there is any runtime or second thread: namespaces can
/// only be entered by a process with one thread.
pub(crate) fn main(words: Vec<OsString>) -> ExitCode {
    let words: Vec<String> = words.into_iter().map(|w| w.to_string_lossy().into_owned()).collect();
    netns::children_begin_with(&["demo"]);
    if let Some(code) = harness::child(&words) {
        return code;
    }
    match options::parse(&words) {
        Ok(Asked::Run(options)) => run(&options),
        Ok(Asked::List) => {
            for scenario in Scenario::all() {
                println!("{:14} {}", scenario.name, scenario.about);
            }
            ExitCode::SUCCESS
        }
        Ok(Asked::Help) => {
            print!("{}", options::USAGE);
            ExitCode::SUCCESS
        }
        Err(why) => {
            eprintln!("mbimd demo: {why}\nTry `mbimd demo --help`.");
            ExitCode::from(USAGE)
        }
    }
}

fn run(options: &Options) -> ExitCode {
    if let Err(why) = netns::enter() {
        eprintln!("mbimd demo: {why}");
        return ExitCode::FAILURE;
    }
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(why) => {
            eprintln!("mbimd demo: no runtime: {why}");
            return ExitCode::FAILURE;
        }
    };
    let mut timeline = Timeline::new(options.json);
    let tasks = tokio::task::LocalSet::new();
    let online = tasks.block_on(&runtime, story::tell(options, &mut timeline));
    runtime.shutdown_background();
    if online { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

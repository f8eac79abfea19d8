//! The guest program of the kernel lab: runs named cases inside the virtual machine that `tests/kernel/run` boots.
//!
//! `kernel-lab list` names the cases; `plan CASE…` tells the boot that each needs and `limit CASE…` the seconds that
//! they may take together; `guest BOOT CASE…` runs them, each in a process and a control group of its own, and
//! `host CASE…` does it on this machine with a real modem. `case` is the process of one case.
#![forbid(unsafe_code)]

mod case;
mod guest;
mod run;
mod stage;

use std::process::ExitCode;

use case::{Boot, Wanted};

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let Some(code) = harness::child(&arguments) {
        return code;
    }
    let (first, rest) = match arguments.split_first() {
        Some((first, rest)) => (first.as_str(), rest),
        None => return usage(),
    };
    match first {
        "list" => {
            for case in case::all() {
                let apart = if case.apart { ", only when named" } else { "" };
                println!("{:<24} {} ({}, at most {} s{apart})", case.name, case.what, case.boot, case.limit.as_secs());
            }
            ExitCode::SUCCESS
        }
        "plan" => chosen(rest, |wanted| {
            for one in wanted {
                println!("{} {}", one.case.boot, one.text);
            }
            ExitCode::SUCCESS
        }),
        "limit" => chosen(rest, |wanted| {
            // A third of a minute for the boot, and half as much again as the cases want for the machine's mood.
            let sum: u64 = wanted.iter().map(|one| one.case.limit.as_secs() + 10).sum();
            println!("{}", sum + 120);
            ExitCode::SUCCESS
        }),
        "guest" => match rest.split_first() {
            Some((boot, rest)) => match Boot::named(boot) {
                Some(boot) => chosen(rest, |wanted| run::guest(boot, &wanted)),
                None => usage(),
            },
            None => usage(),
        },
        "host" => chosen(rest, |wanted| run::host(&wanted)),
        "case" => match rest {
            [text] => chosen(std::slice::from_ref(text), |wanted| wanted.first().map_or(ExitCode::FAILURE, run::one)),
            _ => usage(),
        },
        _ => usage(),
    }
}

fn usage() -> ExitCode {
    eprintln!("kernel-lab: run it with tests/kernel/run");
    ExitCode::from(2)
}

fn chosen(words: &[String], then: impl FnOnce(Vec<Wanted>) -> ExitCode) -> ExitCode {
    match case::choose(words) {
        Ok(wanted) => then(wanted),
        Err(name) => {
            let names: Vec<&str> = case::all().map(|case| case.name).collect();
            eprintln!("kernel-lab: no case `{name}`; there are {}", names.join(", "));
            ExitCode::from(2)
        }
    }
}

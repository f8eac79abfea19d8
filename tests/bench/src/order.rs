//! `figures order PROGRAM LOG`: which functions of a program run from plug to online, as a linker script that puts them
//! side by side.
//!
//! The kernel maps a program 64 KiB at a time: a function that runs brings its neighbours into memory. Where those that run
//! stand among those that never do, all of it becomes resident. PROGRAM holds symbols; LOG has the names of what ran, one on
//! a line, as `ran.c` notes them.

use std::collections::{BTreeMap, HashSet};
use std::error::Error;
use std::fmt::Write as _;
use std::process::Command;

/// Functions whose names begin alike are taken together when this share of their octets runs, percent: what is added to a
/// module later is likely to run, too, and the list stays shorter.
const TOGETHER: u64 = 90;

/// So much is shown of a name that stands alone.
const KNOWN: usize = 72;

/// Octets of functions with the same name, and how many of them belong to some that ran.
type Sizes = (u64, u64);

/// The shortest beginnings of names under which little is that did not run. `names` are in order and begin alike for `depth`
/// octets. A name that exists several times (generic over types) is taken when one of them ran: one page that is missing
/// costs sixteen.
fn patterns(names: &[(&str, Sizes)], depth: usize, found: &mut Vec<String>) {
    let [(first, _), rest @ ..] = names else { return };
    let (size, ran) = names.iter().fold((0, 0), |sum, (_, (size, ran))| (sum.0 + size, sum.1 + ran));
    if ran == 0 {
        return;
    }
    if rest.is_empty() || (depth > 0 && ran * 100 >= size * TOGETHER) {
        // Alone: enough of the name to know it. Together: what they have in common.
        let end = if rest.is_empty() { first.len().min(depth.max(KNOWN)) } else { depth };
        return found.push(format!("{}*", first[..end].trim_end_matches('*')));
    }
    for group in names.chunk_by(|(a, _), (b, _)| a.as_bytes().get(depth) == b.as_bytes().get(depth)) {
        // One whose name is the beginning of the others' names.
        if let [(name, (_, ran))] = group
            && name.len() == depth
        {
            if *ran > 0 {
                found.push((*name).to_owned());
            }
            continue;
        }
        patterns(group, depth + 1, found);
    }
}

/// A symbol without what another compiler, another version of a crate or the linker changes.
fn lasting(symbol: &str) -> String {
    // The linker counts copies: `name.123`.
    let copy = symbol.rsplit_once('.').filter(|(_, tail)| tail.bytes().all(|octet| octet.is_ascii_digit()));
    let name = copy.map_or(symbol, |(name, _)| name);
    // The older mangling ends with a hash: `17h0123456789abcdefE`.
    let hash = name.len().checked_sub(20).filter(|at| name.starts_with("_ZN") && name[*at..].starts_with("17h"));
    match hash {
        Some(at) => name[..at + 3].to_owned(),
        None => without_versions(name),
    }
}

/// Names of the newer mangling hold a hash for each crate: `Cs…_`.
fn without_versions(name: &str) -> String {
    let mut out = String::new();
    let mut rest = name;
    while let Some((before, after)) = rest.split_once("Cs").filter(|_| name.starts_with("_R")) {
        out += before;
        match after.split_once('_').filter(|(hash, _)| hash.bytes().all(|octet| octet.is_ascii_alphanumeric())) {
            Some((_, behind)) => {
                out += "Cs*_";
                rest = behind;
            }
            None => {
                out += "Cs";
                rest = after;
            }
        }
    }
    out + rest
}

/// Runs the command.
pub(crate) fn run(program: &str, log: &str) -> Result<(), Box<dyn Error>> {
    let told = Command::new("nm").args(["--print-size", "--defined-only", program]).output()?;
    if !told.status.success() {
        return Err(format!("nm cannot read {program}").into());
    }
    let log = std::fs::read_to_string(log)?;
    let symbols = String::from_utf8(told.stdout)?;
    let functions: Vec<(&str, u64)> = symbols.lines().filter_map(function).collect();
    let ran: HashSet<&str> = log.lines().map(str::trim).collect();
    // Notes of an older build serve, too: by what lasts of the names that this one does not have, if only one has it here.
    let known: HashSet<&str> = functions.iter().map(|(name, _)| *name).collect();
    let older: HashSet<String> = ran.difference(&known).map(|name| lasting(name)).collect();
    let mut alike: BTreeMap<String, usize> = BTreeMap::new();
    functions.iter().for_each(|(name, _)| *alike.entry(lasting(name)).or_default() += 1);
    let mut sizes: BTreeMap<String, Sizes> = BTreeMap::new();
    for (name, size) in functions {
        let lasts = lasting(name);
        let same = older.contains(&lasts) && alike.get(&lasts) == Some(&1);
        let run = if same || ran.contains(name) { size } else { 0 };
        let sizes = sizes.entry(lasts).or_default();
        sizes.0 += size;
        sizes.1 += run;
    }
    let names: Vec<(&str, Sizes)> = sizes.iter().map(|(name, sizes)| (name.as_str(), *sizes)).collect();
    let mut found = Vec::new();
    patterns(&names, 0, &mut found);
    let (all, run) = sizes.values().fold((0, 0), |sum, (size, ran)| (sum.0 + size, sum.1 + ran));
    if run == 0 {
        return Err("nothing of the program ran: does it hold symbols?".into());
    }
    eprintln!("{run} of {all} octets of code ran; {} patterns", found.len());
    print!("{}", script(&found));
    Ok(())
}

/// A line of nm: name and octets, if it is a function.
fn function(line: &str) -> Option<(&str, u64)> {
    match line.split_whitespace().collect::<Vec<_>>()[..] {
        [_, size, "t" | "T" | "w" | "W", name] => Some((name, u64::from_str_radix(size, 16).ok()?)),
        _ => None,
    }
}

fn script(patterns: &[String]) -> String {
    let mut text = String::from(
        "/* Code that runs from plug to online, to stand side by side. Written by tests/bench/order; do not edit. What is\n   \
         not named here stands behind it: a list that is out of date costs memory and nothing else. */\n\
         SECTIONS {\n  .text.order : {\n",
    );
    for pattern in patterns {
        // Also `.text.unlikely.…`: what the compiler takes to be rare, wrongly here.
        let _ = writeln!(text, "    *(.text*.{pattern})");
    }
    text += "  }\n}\nINSERT BEFORE .text;\n";
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_lose_what_changes() {
        assert_eq!(lasting("_ZN5mbimd4main17h12fcfabcef7c606bE"), "_ZN5mbimd4main17h");
        assert_eq!(lasting("_ZN5mbimd4main17h12fcfabcef7c606bE.123"), "_ZN5mbimd4main17h");
        assert_eq!(lasting("_RNvNtCsjrHSEGnQ3l9_3std3env7args_os.7"), "_RNvNtCs*_3std3env7args_os");
        assert_eq!(lasting("_RNvMCsa_3Css7consCs"), "_RNvMCs*_3Css7consCs");
        assert_eq!(lasting("main"), "main");
    }

    #[test]
    fn what_runs_is_taken_together_or_alone() {
        let told = |names: &[(&'static str, Sizes)]| {
            let mut found = Vec::new();
            patterns(names, 0, &mut found);
            found
        };
        assert_eq!(told(&[("ax", (90, 90)), ("ay", (10, 0)), ("b", (100, 0))]), ["a*"]);
        assert_eq!(told(&[("ax", (80, 80)), ("ay", (20, 0))]), ["ax*"]);
        assert_eq!(told(&[("ax", (80, 80)), ("axy", (20, 0))]), ["ax"], "no more than itself");
        assert_eq!(told(&[("ax", (80, 1)), ("b", (20, 0))]), ["ax*"], "one of several");
        assert_eq!(told(&[("Cs*b", (9, 9)), ("Cs*c", (1, 0)), ("Cx", (99, 0))]), ["Cs*"], "one wildcard, not two");
        assert_eq!(told(&[("a", (1, 0))]), [""; 0]);
    }
}

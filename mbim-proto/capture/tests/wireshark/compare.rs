//! Our fields against Wireshark's.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use mbim_proto::Value;

use crate::dissect::{Packet, Seen};
use crate::messages::Made;

/// Ends of names of fields that only tell where others are: we do not keep them.
const STRUCTURE: &[&str] =
    &["offset", "size", "count", "length", "len", "size_in_bytes", "tlv_ie.padding", "tlv_ie.reserved"];

/// Names that differ: ours (`Body.path`, or `path` for every body) and Wireshark's.
pub(crate) struct Names {
    rows: Vec<(String, String)>,
    used: RefCell<BTreeSet<usize>>,
}

impl Names {
    pub(crate) fn parse(table: &str) -> Self {
        let rows = table.lines().filter(|line| !line.starts_with('#')).filter_map(|line| line.split_once('\t'));
        Self { rows: rows.map(|(a, b)| (a.into(), b.into())).collect(), used: RefCell::default() }
    }

    /// Wireshark's name for one of our fields in a message that has fields of these names.
    fn find<'a>(&'a self, body: &str, path: &str, there: &BTreeMap<&'a str, Vec<&'a Seen>>) -> Option<&'a str> {
        let own = format!("{body}.{path}");
        let leaf = path.rsplit('.').next().unwrap_or(path);
        for wanted in [own.as_str(), path, leaf] {
            for (at, (ours, theirs)) in self.rows.iter().enumerate() {
                let start = theirs.strip_suffix('*').unwrap_or("?");
                let many = there.keys().any(|name| name.starts_with(start));
                if ours == wanted && (many || there.contains_key(theirs.as_str())) {
                    self.used.borrow_mut().insert(at);
                    return Some(theirs);
                }
            }
        }
        let exact = there.keys().find(|name| name.rsplit('.').next() == Some(leaf));
        let suffix = || {
            let mut fit = there.keys().filter(|name| {
                let flat = name.replace('.', "_");
                flat == leaf || flat.ends_with(&format!("_{leaf}"))
            });
            fit.next().filter(|_| fit.next().is_none())
        };
        exact.or_else(suffix).copied()
    }

    pub(crate) fn unused(&self) -> Vec<String> {
        let used = self.used.borrow();
        self.rows.iter().enumerate().filter(|(at, _)| !used.contains(at)).map(|(_, (ours, _))| ours.clone()).collect()
    }
}

#[derive(Default)]
pub(crate) struct Outcome {
    /// Fields that agree.
    pub(crate) equal: usize,
    /// Field and what is different.
    pub(crate) differences: Vec<(String, String)>,
}

pub(crate) fn compare(message: &Made, packet: &Packet, names: &Names) -> Outcome {
    let mut outcome = Outcome::default();
    if let Some(complaint) = &packet.complaint {
        outcome.differences.push(("*".into(), complaint.clone()));
        return outcome;
    }
    let mut ours = Vec::new();
    leaves(String::new(), &message.value, &mut ours);
    let mut theirs: BTreeMap<&str, Vec<&Seen>> = BTreeMap::new();
    for seen in &packet.fields {
        theirs.entry(&seen.name).or_default().push(seen);
    }
    if theirs.keys().all(|name| *name == "info_buffer") && !ours.is_empty() {
        outcome.differences.push(("*".into(), "it knows no fields".into()));
        return outcome;
    }
    // Several of ours may be one of theirs, as in the list of PINs: then their order decides.
    let mut pairs: BTreeMap<&str, Vec<(&str, &Value)>> = BTreeMap::new();
    let mut absent = BTreeSet::new();
    for (path, value) in &ours {
        match names.find(message.row.body, path, &theirs) {
            Some(name) => pairs.entry(name).or_default().push((path, value)),
            None => _ = absent.insert(path),
        }
    }
    for path in absent {
        outcome.differences.push((path.clone(), format!("no such field among {:?}", theirs.keys())));
    }
    let mut taken = BTreeSet::new();
    for (name, values) in pairs {
        let seen: Vec<&Seen> = match name.strip_suffix('*') {
            None => theirs.get(name).into_iter().flatten().copied().collect(),
            Some(start) => packet.fields.iter().filter(|seen| seen.name.starts_with(start)).collect(),
        };
        taken.extend(seen.iter().map(|seen| seen.name.as_str()));
        let equal = if name.ends_with('*') {
            let bytes = |value: &Value| match value {
                Value::Text(text) => text.clone(),
                // Tables of information elements hold 16 bits each.
                Value::Number(n) => format!("{:02x}{:02x}", n & 0xff, n >> 8),
                _ => "?".into(),
            };
            let joined: String = seen.iter().flat_map(|seen| &seen.bytes).map(|byte| format!("{byte:02x}")).collect();
            values.iter().map(|(_, value)| bytes(value)).collect::<String>() == joined
        } else {
            values.len() == seen.len() && values.iter().zip(&seen).all(|((_, value), seen)| same(value, seen))
        };
        if equal {
            outcome.equal += values.len();
        } else {
            let what = format!("{values:?}, but {name} is {seen:?}");
            let paths: BTreeSet<&str> = values.iter().map(|(path, _)| *path).collect();
            outcome.differences.extend(paths.into_iter().map(|path| (path.to_owned(), what.clone())));
        }
    }
    for (name, seen) in &theirs {
        let structural = STRUCTURE.iter().any(|end| name.ends_with(end));
        let nothing = seen.iter().all(|seen| seen.bytes.is_empty());
        if !structural && !nothing && !taken.contains(name) {
            outcome.differences.push((format!("+{name}"), format!("none of ours: {seen:?}")));
        }
    }
    outcome
}

/// All fields by their paths, in their order. What is absent is left out.
fn leaves<'a>(path: String, value: &'a Value, out: &mut Vec<(String, &'a Value)>) {
    match value {
        Value::Null => {}
        Value::Text(text) if text.is_empty() => {}
        Value::List(values) => values.iter().for_each(|value| leaves(path.clone(), value, out)),
        Value::Object(fields) => {
            for (name, value) in fields {
                let inner = if path.is_empty() { (*name).to_owned() } else { format!("{path}.{name}") };
                leaves(inner, value, out);
            }
        }
        leaf => out.push((path, leaf)),
    }
}

fn same(ours: &Value, theirs: &Seen) -> bool {
    let mut wide = [0; 8];
    let number = theirs.bytes.len() <= 8 && {
        wide[..theirs.bytes.len()].copy_from_slice(&theirs.bytes);
        true
    };
    let number = number.then(|| u64::from_le_bytes(wide));
    match ours {
        Value::Number(n) | Value::Enum { number: n, .. } | Value::Flags { bits: n, .. } => number == Some(*n),
        Value::Signed(n) => number == Some(u64::from(*n as u32)),
        Value::Bool(is) => number.map(|n| n != 0) == Some(*is),
        Value::Uuid(uuid, _) => theirs.bytes == uuid.0,
        Value::Text(text) => {
            let units: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
            let hex: String = theirs.bytes.iter().map(|byte| format!("{byte:02x}")).collect();
            *text == theirs.show || units == theirs.bytes || *text == hex
        }
        _ => false,
    }
}

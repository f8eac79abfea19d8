//! Our fields against what libmbim prints.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use mbim_proto::Value;

/// Names that differ: our body or `*`, our field, libmbim's.
const NAMES: &[(&str, &str, &str)] = &[
    ("DeviceCapsV2", "sim_class", "SmsClass"),
    ("PacketServiceV3", "current_data_class", "HighestAvailableDataClass"),
    ("ProxyVersion", "version", "MbimVersion"),
    ("ProxyVersion", "extended_version", "MbimExtendedVersion"),
    ("Version", "version", "MbimVersion"),
    ("Version", "extended_version", "MbimExtendedVersion"),
    ("ModemConfiguration notify", "configuration_status", "ModemConfigurationStatus"),
    ("RegistrationParameters", "re_register_if_needed", "ReRegisterIfNedeed"),
    ("QmiMessage set", "qmux", "QmiMsg"),
    ("TerminalCapability", "terminal_capability", "TerminalCapabilityData"),
];

/// A value of ours, or of libmbim's: text, or an information element.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Leaf {
    /// As printed; of ours, all spellings that will do.
    Text(Vec<String>),
    /// Type and bytes of an information element.
    Element(u64, String),
}

/// Fields by their names in small letters, in their order.
pub(crate) type Fields = BTreeMap<String, Vec<Leaf>>;

/// What libmbim prints of a message.
#[derive(Default)]
struct Printed {
    fields: Fields,
    /// Arrays of which it shows the first element in place of each: 1.28 does where elements have strings.
    stuck: BTreeSet<String>,
}

/// Fields that are equal, and those that are not, with what is different. `body` may name the operation as well.
pub(crate) fn compare(body: &str, operation: &str, value: &Value, printed: &str) -> (usize, Vec<(String, String)>) {
    let theirs = read(printed);
    let reader =
        Reader { body, operation: format!("{body} {operation}"), stuck: &theirs.stuck, again: RefCell::default() };
    let mut ours = Fields::new();
    reader.leaves("", value, &mut ours);
    let (mut equal, mut different) = (0, Vec::new());
    if printed.starts_with("unknown:") {
        return (0, vec![("*".into(), "it does not know the command".into())]);
    }
    if theirs.fields.is_empty() && ours.values().flatten().any(|leaf| !is_nothing(leaf)) {
        return (0, vec![("*".into(), "it knows no fields".into())]);
    }
    let again = reader.again.take();
    different.extend(again.into_iter().map(|name| (format!("{name}[]"), "its first element again and again".into())));
    for (name, values) in &ours {
        let seen = theirs.fields.get(name).cloned().unwrap_or_default();
        if values.len() == seen.len() && values.iter().zip(&seen).all(|(ours, theirs)| same(ours, theirs)) {
            equal += values.len();
            continue;
        }
        let present = |all: &[Leaf]| all.iter().filter(|leaf| !is_nothing(leaf)).cloned().collect::<Vec<_>>();
        let (values, seen) = (present(values), present(&seen));
        if values.len() == seen.len() && values.iter().zip(&seen).all(|(ours, theirs)| same(ours, theirs)) {
            equal += values.len();
        } else {
            different.push((name.clone(), format!("{values:?}, but it prints {seen:?}")));
        }
    }
    for (name, seen) in &theirs.fields {
        let structural = name.ends_with("count") || seen.iter().all(is_nothing);
        if !structural && !ours.contains_key(name) {
            different.push((format!("+{name}"), format!("none of ours: {seen:?}")));
        }
    }
    (equal, different)
}

fn is_nothing(leaf: &Leaf) -> bool {
    match leaf {
        Leaf::Text(spellings) => spellings.iter().any(|text| matches!(text.as_str(), "" | "(null)")),
        Leaf::Element(_, bytes) => bytes.is_empty(),
    }
}

fn same(ours: &Leaf, theirs: &Leaf) -> bool {
    match (ours, theirs) {
        (Leaf::Text(spellings), Leaf::Text(printed)) => printed.iter().all(|text| spellings.contains(text)),
        (Leaf::Text(spellings), Leaf::Element(_, bytes)) => spellings.contains(bytes),
        (ours, theirs) => ours == theirs,
    }
}

fn letters(name: &str) -> String {
    name.to_ascii_lowercase().replace(|c: char| !c.is_ascii_alphanumeric(), "")
}

/// What libmbim prints: `Name = 'value'` with braces around structures, elements and arrays.
fn read(text: &str) -> Printed {
    let mut printed = Printed::default();
    // Name of what is open, and whether brackets are around it.
    let mut open: Vec<(String, bool)> = Vec::new();
    let mut kind = 0;
    // Of the array that is open: its first element, and the present one.
    let (mut first, mut element): (Vec<String>, Option<Vec<String>>) = (Vec::new(), None);
    for line in text.lines() {
        let line = line.trim_start();
        if let Some(lines) = &mut element {
            if line == "}," {
                let lines = element.take().unwrap_or_default();
                let name = open.last().map(|(name, _)| name.clone()).unwrap_or_default();
                if first.is_empty() {
                    first.clone_from(&lines);
                } else if first == lines {
                    printed.stuck.insert(name);
                    continue;
                }
                lines.iter().for_each(|line| field(line, &mut printed.fields));
            } else {
                lines.push(line.to_owned());
            }
        } else if line.starts_with('[') && line.ends_with("] = {") {
            element = Some(Vec::new());
        } else if let Some(rest) = line.strip_prefix("tlv type") {
            let number = rest.rsplit_once("(0x").map_or("", |(_, number)| number.trim_end_matches(')'));
            kind = u64::from_str_radix(number, 16).unwrap_or(0);
        } else if let Some(rest) = line.strip_prefix("tlv data") {
            let bytes = letters(rest.trim_start_matches([' ', '=']));
            let name = open.last().map(|(name, _)| name.clone()).unwrap_or_default();
            printed.fields.entry(name).or_default().push(Leaf::Element(kind, bytes));
        } else if line.starts_with(']') || line.starts_with('}') && open.last().is_some_and(|(_, brackets)| !brackets) {
            open.pop();
        } else if let Some((name, value)) = line.split_once(" = ").filter(|_| !line.starts_with("tlv ")) {
            match value {
                "{" | "'{" => open.push((letters(name), false)),
                "'[ {" | "'[ " => open.push((letters(name), true)),
                _ => field(line, &mut printed.fields),
            }
            first.clear();
        }
    }
    printed
}

fn field(line: &str, fields: &mut Fields) {
    let Some((name, value)) = line.split_once(" = ") else { return };
    let value = value.strip_prefix('\'').unwrap_or(value);
    let value = value.strip_suffix('\'').unwrap_or(value);
    fields.entry(letters(name)).or_default().push(Leaf::Text(vec![value.to_owned()]));
}

struct Reader<'a> {
    body: &'a str,
    operation: String,
    stuck: &'a BTreeSet<String>,
    /// Those of them whose elements are not alike in truth.
    again: RefCell<BTreeSet<String>>,
}

impl Reader<'_> {
    fn leaves(&self, field: &str, value: &Value, out: &mut Fields) {
        match value {
            Value::Object(fields) => {
                if let [("type", Value::Enum { number, .. }), ("data", Value::Text(bytes))] = &fields[..] {
                    out.entry(self.name_of(field)).or_default().push(Leaf::Element(*number, bytes.clone()));
                    return;
                }
                fields.iter().for_each(|(name, value)| self.leaves(name, value, out));
            }
            Value::List(values) if values.iter().any(|value| matches!(value, Value::Object(_))) => {
                let alike = values.iter().all(|value| values.first() == Some(value));
                let most = if self.stuck.contains(&letters(field)) { 1 } else { values.len() };
                if most < values.len() && !alike {
                    self.again.borrow_mut().insert(letters(field));
                }
                values.iter().take(most).for_each(|value| self.leaves(field, value, out));
            }
            Value::List(values) => {
                let all: Vec<Vec<String>> = values.iter().map(spellings).collect();
                let one = |spellings: &Vec<String>| spellings.first().cloned().unwrap_or_default();
                let joined = |by: &str| all.iter().map(one).collect::<Vec<_>>().join(by);
                let elements: String = values.iter().map(as_element).collect();
                out.entry(self.name_of(field)).or_default().push(Leaf::Text(vec![joined(", "), joined(","), elements]));
            }
            value => out.entry(self.name_of(field)).or_default().push(Leaf::Text(spellings(value))),
        }
    }

    fn name_of(&self, field: &str) -> String {
        let is_this = |of: &str| of == self.body || of == self.operation;
        let other = NAMES.iter().find(|(of, ours, _)| is_this(of) && *ours == field);
        other.map_or_else(|| letters(field), |(_, _, theirs)| letters(theirs))
    }
}

/// A number of a table in an information element, which has 16 bits.
fn as_element(value: &Value) -> String {
    match value {
        Value::Number(number) => format!("{:02x}{:02x}", number & 0xff, number >> 8 & 0xff),
        _ => "?".into(),
    }
}

/// How libmbim may print a value.
fn spellings(value: &Value) -> Vec<String> {
    match value {
        Value::Null => vec![String::new(), "(null)".into()],
        Value::Bool(is) => vec![if *is { "yes" } else { "no" }.into(), is.to_string()],
        Value::Number(number) => vec![number.to_string()],
        Value::Signed(number) => vec![number.to_string()],
        Value::Enum { number, name: Some(name) } => vec![(*name).to_owned(), number.to_string()],
        Value::Enum { number, name: None } => vec![number.to_string(), "(null)".into()],
        Value::Flags { bits, names } => {
            let known: Vec<&str> = names.iter().filter(|(bit, _)| bits & bit != 0).map(|(_, name)| *name).collect();
            let mut all = vec![known.join(", "), bits.to_string()];
            if known.is_empty() {
                all.extend(["none".into(), "(null)".into()]);
                all.extend((*bits == 0).then(|| "unknown".into()));
            }
            all
        }
        Value::Uuid(uuid, _) => vec![uuid.to_string()],
        Value::Text(text) => {
            // C knows no more of a text than its beginning.
            let seen = text.split('\0').next().unwrap_or_default().to_owned();
            let pairs: Vec<&str> =
                text.as_bytes().chunks(2).map(|pair| core::str::from_utf8(pair).unwrap_or("?")).collect();
            let units: String =
                text.encode_utf16().flat_map(u16::to_le_bytes).map(|byte| format!("{byte:02x}")).collect();
            // Four bytes that are a number to it.
            let number = u32::from_str_radix(text, 16).ok().filter(|_| text.len() == 8);
            let mut all = vec![seen, pairs.join(":"), units];
            all.extend(number.map(|number| number.swap_bytes().to_string()));
            if text.split('\0').next().unwrap_or_default().is_empty() {
                all.extend([String::new(), "(null)".into()]);
            }
            all
        }
        Value::Hidden | Value::List(_) | Value::Object(_) => Vec::new(),
    }
}

//! What a body says, as a tree that can be printed or turned into JSON without knowing its type.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt::{self, Write as _};

use crate::Uuid;

/// A decoded field.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// Nothing there.
    Null,
    /// A truth value.
    Bool(bool),
    /// An unsigned number.
    Number(u64),
    /// A signed number.
    Signed(i64),
    /// A string, an address, or bytes in hexadecimal.
    Text(String),
    /// A personal or secret value that was not asked for.
    Hidden,
    /// A number with a name, when the number is a known one.
    Enum {
        /// The number on the wire.
        number: u64,
        /// The specification's name in kebab-case.
        name: Option<&'static str>,
    },
    /// A set of bits.
    Flags {
        /// The number on the wire.
        bits: u64,
        /// All known bits with their names in kebab-case.
        names: &'static [(u64, &'static str)],
    },
    /// A UUID, with the name of the service or context type it stands for.
    Uuid(Uuid, Option<&'static str>),
    /// Several values.
    List(Vec<Value>),
    /// Named values in wire order. Names are the specification's in snake_case.
    Object(Vec<(&'static str, Value)>),
}

impl Value {
    /// A text made of bytes in hexadecimal, two digits each.
    pub fn hex(bytes: &[u8]) -> Self {
        const DIGITS: &[u8; 16] = b"0123456789abcdef";
        let mut text = String::with_capacity(bytes.len() * 2);
        for byte in bytes {
            for nibble in [byte >> 4, byte & 15] {
                text.push(char::from(DIGITS.get(usize::from(nibble)).copied().unwrap_or(b'?')));
            }
        }
        Self::Text(text)
    }

    /// The member of an object by its name.
    pub fn field(&self, name: &str) -> Option<&Value> {
        match self {
            Self::Object(fields) => fields.iter().find(|(key, _)| *key == name).map(|(_, value)| value),
            _ => None,
        }
    }

    /// The known names among `bits`, then what is left over as a number.
    fn flag_parts(bits: u64, names: &'static [(u64, &'static str)]) -> (impl Iterator<Item = &'static str>, u64) {
        let known = names.iter().fold(0, |all, (bit, _)| all | bit);
        (names.iter().filter(move |(bit, _)| bits & bit == *bit).map(|(_, name)| *name), bits & !known)
    }

    /// What stands between a name and its value: values of several lines start on the next one.
    fn gap(&self) -> &'static str {
        match self {
            Self::List(values) if !values.is_empty() => "",
            Self::Object(fields) if !fields.is_empty() => "",
            _ => " ",
        }
    }

    /// Numbers and blanks are made here: most of a trace is made of them, and a formatter of its own for each would take
    /// most of the time.
    pub(crate) fn print(&self, out: &mut String, indent: usize) {
        match self {
            Self::Null => out.push('-'),
            Self::Bool(value) => out.push_str(if *value { "true" } else { "false" }),
            Self::Number(number) => digits::<10>(out, *number),
            Self::Signed(number) => {
                out.push_str(if *number < 0 { "-" } else { "" });
                digits::<10>(out, number.unsigned_abs());
            }
            Self::Text(text) => quoted(out, text),
            Self::Hidden => out.push_str("###"),
            Self::Enum { number, name: Some(name) } => {
                out.push_str(name);
                out.push_str(" (");
                digits::<10>(out, *number);
                out.push(')');
            }
            Self::Enum { number, name: None } => {
                digits::<10>(out, *number);
                out.push_str(" (unknown)");
            }
            Self::Flags { bits, names } => {
                let (known, rest) = Self::flag_parts(*bits, names);
                let start = out.len();
                for name in known {
                    out.push_str(if out.len() == start { "" } else { " | " });
                    out.push_str(name);
                }
                if rest != 0 {
                    out.push_str(if out.len() == start { "0x" } else { " | 0x" });
                    digits::<16>(out, rest);
                }
                out.push_str(if out.len() == start { "none (0x" } else { " (0x" });
                digits::<16>(out, *bits);
                out.push(')');
            }
            Self::Uuid(uuid, Some(name)) => _ = write!(out, "{name} ({uuid})"),
            Self::Uuid(uuid, None) => _ = write!(out, "{uuid}"),
            Self::List(values) if values.is_empty() => out.push_str("none"),
            Self::List(values) => {
                for (i, value) in (0..).zip(values) {
                    line(out, indent);
                    out.push('[');
                    digits::<10>(out, i);
                    out.push(']');
                    out.push_str(value.gap());
                    value.print(out, indent + 2);
                }
            }
            Self::Object(fields) if fields.is_empty() => out.push_str("empty"),
            Self::Object(fields) => {
                for (name, value) in fields {
                    line(out, indent);
                    out.push_str(name);
                    out.push(':');
                    out.push_str(value.gap());
                    value.print(out, indent + 2);
                }
            }
        }
    }
}

/// A new line and the blanks that it begins with.
fn line(out: &mut String, indent: usize) {
    const START: &str = "\n                        ";
    match START.get(..=indent) {
        Some(start) => out.push_str(start),
        None => _ = write!(out, "\n{:indent$}", ""),
    }
}

fn digits<const BASE: u64>(out: &mut String, number: u64) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let (mut made, mut rest, mut from) = ([0; 20], number, 0);
    for (place, digit) in made.iter_mut().enumerate().rev() {
        *digit = DIGITS.get((rest % BASE) as usize).copied().unwrap_or_default();
        rest /= BASE;
        from = place;
        if rest == 0 {
            break;
        }
    }
    out.push_str(made.get(from..).and_then(|made| str::from_utf8(made).ok()).unwrap_or_default());
}

/// As `Debug` of a text.
fn quoted(out: &mut String, text: &str) {
    if text.bytes().any(|byte| !matches!(byte, b' '..=b'~') || matches!(byte, b'"' | b'\\')) {
        _ = write!(out, "{text:?}");
    } else {
        out.push('"');
        out.push_str(text);
        out.push('"');
    }
}

/// One line for each field, nested ones indented by two.
impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = String::new();
        self.print(&mut text, f.width().unwrap_or(0));
        f.write_str(&text)
    }
}

/// Enums are their names, or the number when unknown; flags are lists of names with the unknown rest as a number;
/// UUIDs are their printed form; hidden values are `"###"`.
#[cfg(feature = "serde")]
impl serde::Serialize for Value {
    fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        use serde::ser::{SerializeMap, SerializeSeq};
        match self {
            Self::Null => s.serialize_unit(),
            Self::Bool(value) => s.serialize_bool(*value),
            Self::Number(number) | Self::Enum { number, name: None } => s.serialize_u64(*number),
            Self::Signed(number) => s.serialize_i64(*number),
            Self::Text(text) => s.serialize_str(text),
            Self::Hidden => s.serialize_str("###"),
            Self::Enum { name: Some(name), .. } => s.serialize_str(name),
            Self::Flags { bits, names } => {
                let (known, rest) = Self::flag_parts(*bits, names);
                let mut list = s.serialize_seq(None)?;
                for name in known {
                    list.serialize_element(name)?;
                }
                if rest != 0 {
                    list.serialize_element(&rest)?;
                }
                list.end()
            }
            Self::Uuid(uuid, _) => s.collect_str(uuid),
            Self::List(values) => s.collect_seq(values),
            Self::Object(fields) => {
                let mut map = s.serialize_map(Some(fields.len()))?;
                for (name, value) in fields {
                    map.serialize_entry(name, value)?;
                }
                map.end()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use alloc::format;
    use alloc::vec;

    use super::*;

    #[test]
    fn numbers_and_texts_print_as_the_formatter_would() {
        for number in [0, -1, i64::MIN, i64::MAX] {
            assert_eq!(format!("{}", Value::Signed(number)), format!("{number}"));
        }
        for number in [0, 9, 10, 4_294_967_295, u64::MAX] {
            assert_eq!(format!("{}", Value::Number(number)), format!("{number}"));
            assert_eq!(format!("{:8}", Value::Number(number)), format!("{number}"), "the width is an indent");
        }
        for text in ["", "internet", "it's", "a\"b", "back\\slash", "Zürich", "tab\t", "\u{7f}", "\0"] {
            assert_eq!(format!("{}", Value::Text(text.into())), format!("{text:?}"));
        }
        let known = Value::Enum { number: 3, name: Some("home") };
        assert_eq!(format!("{known} {}", Value::Enum { number: 77, name: None }), "home (3) 77 (unknown)");
        let flags = |bits| Value::Flags { bits, names: &[(1, "one"), (2, "two")] };
        let texts = [0, 1, 3, 4, 7].map(|bits| format!("{}", flags(bits)));
        assert_eq!(texts, ["none (0x0)", "one (0x1)", "one | two (0x3)", "0x4 (0x4)", "one | two | 0x4 (0x7)"]);
        assert_eq!(format!("{}", flags(u64::MAX)), "one | two | 0xfffffffffffffffc (0xffffffffffffffff)");
    }

    #[test]
    fn every_line_has_its_indent() {
        let mut value = Value::Number(1);
        for _ in 0..16 {
            value = Value::Object(vec![("in", Value::List(vec![value]))]);
        }
        let text = format!("{value:2}");
        let indents: Vec<usize> = text.lines().skip(1).map(|line| line.len() - line.trim_start().len()).collect();
        assert!(indents.iter().copied().eq((2..66).step_by(2)), "{indents:?}");
    }
}

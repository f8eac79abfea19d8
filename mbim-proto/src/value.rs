//! What a body says, as a tree that can be printed or turned into JSON without knowing its type.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

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

    fn print(&self, f: &mut fmt::Formatter<'_>, indent: usize) -> fmt::Result {
        match self {
            Self::Null => f.write_str("-"),
            Self::Bool(value) => write!(f, "{value}"),
            Self::Number(number) => write!(f, "{number}"),
            Self::Signed(number) => write!(f, "{number}"),
            Self::Text(text) => write!(f, "{text:?}"),
            Self::Hidden => f.write_str("###"),
            Self::Enum { number, name: Some(name) } => write!(f, "{name} ({number})"),
            Self::Enum { number, name: None } => write!(f, "{number} (unknown)"),
            Self::Flags { bits, names } => {
                let (known, rest) = Self::flag_parts(*bits, names);
                let mut first = true;
                for name in known {
                    write!(f, "{}{name}", if first { "" } else { " | " })?;
                    first = false;
                }
                if rest != 0 {
                    write!(f, "{}{rest:#x}", if first { "" } else { " | " })?;
                    first = false;
                }
                write!(f, "{}({bits:#x})", if first { "none " } else { " " })
            }
            Self::Uuid(uuid, Some(name)) => write!(f, "{name} ({uuid})"),
            Self::Uuid(uuid, None) => write!(f, "{uuid}"),
            Self::List(values) if values.is_empty() => f.write_str("none"),
            Self::List(values) => {
                for (i, value) in values.iter().enumerate() {
                    write!(f, "\n{:indent$}[{i}]{}", "", value.gap())?;
                    value.print(f, indent + 2)?;
                }
                Ok(())
            }
            Self::Object(fields) if fields.is_empty() => f.write_str("empty"),
            Self::Object(fields) => {
                for (name, value) in fields {
                    write!(f, "\n{:indent$}{name}:{}", "", value.gap())?;
                    value.print(f, indent + 2)?;
                }
                Ok(())
            }
        }
    }
}

/// One line for each field, nested ones indented by two.
impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.print(f, f.width().unwrap_or(0))
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

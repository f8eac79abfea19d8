//! Text for people, JSON for programs.

use std::fmt::Write as _;
use std::io::Write as _;

use dbus_api::value::Details;
use serde_json::{Map, Value};
use zbus::Variant;

/// How to print.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Output {
    pub(crate) json: bool,
}

impl Output {
    /// Prints the one or makes and prints the other. Whoever reads may have closed the pipe: that is not our failure.
    pub(crate) fn print(self, json: &Value, text: impl FnOnce() -> String) {
        let mut out = if self.json { json.to_string() } else { text() };
        if !out.is_empty() && !out.ends_with('\n') {
            out.push('\n');
        }
        let mut stdout = std::io::stdout().lock();
        let _ = stdout.write_all(out.as_bytes()).and_then(|()| stdout.flush());
    }
}

/// Rows of columns, aligned; the last column is not padded.
pub(crate) fn table<const N: usize>(rows: &[[String; N]]) -> String {
    let width = |column: usize| rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count()).max();
    let widths: Vec<usize> = (0..N).map(|column| width(column).unwrap_or_default()).collect();
    let mut out = String::new();
    for row in rows {
        let mut line = String::new();
        for (cell, width) in row.iter().zip(&widths) {
            let _ = write!(line, "{cell:width$}  ");
        }
        out.push_str(line.trim_end());
        out.push('\n');
    }
    out
}

/// Key in the spelling of our JSON.
pub(crate) fn snake(name: &str) -> String {
    let mut out = String::with_capacity(name.len() + 4);
    for (at, c) in name.char_indices() {
        match c {
            '-' => out.push('_'),
            upper if upper.is_ascii_uppercase() => {
                if at > 0 {
                    out.push('_');
                }
                out.push(upper.to_ascii_lowercase());
            }
            other => out.push(other),
        }
    }
    out
}

/// A dictionary as a JSON object. A state that comes as number and word is the word.
pub(crate) fn object(details: &Details) -> Value {
    let mut map: Map<String, Value> = details.iter().map(|(key, value)| (snake(key), json(value))).collect();
    if let Some(name) = map.remove("state_name") {
        map.insert("state".into(), name);
    }
    for key in ["state_reason", "error"] {
        if let Some(Value::Array(pair)) = map.get(key) {
            let value = match pair.as_slice() {
                [Value::String(code), Value::String(text)] if !code.is_empty() || !text.is_empty() => {
                    serde_json::json!({"code": code, "text": text})
                }
                _ => Value::Null,
            };
            map.insert(key.to_owned(), value);
        }
    }
    Value::Object(map)
}

/// A value of the bus as JSON.
pub(crate) fn json(value: &Variant<'_>) -> Value {
    match value {
        Variant::U8(number) => (*number).into(),
        Variant::Bool(flag) => (*flag).into(),
        Variant::I16(number) => (*number).into(),
        Variant::U16(number) => (*number).into(),
        Variant::I32(number) => (*number).into(),
        Variant::U32(number) => (*number).into(),
        Variant::I64(number) => (*number).into(),
        Variant::U64(number) => (*number).into(),
        Variant::F64(number) => serde_json::Number::from_f64(*number).map_or(Value::Null, Value::Number),
        Variant::Str(text) => text.as_str().into(),
        Variant::ObjectPath(path) => path.as_str().into(),
        Variant::Variant(inner) => json(inner),
        Variant::Array(array) => array.iter().map(json).collect(),
        Variant::Structure(structure) => structure.fields().iter().map(json).collect(),
        Variant::Dict(dict) => {
            let pairs = dict.iter().map(|(key, value)| match key {
                Variant::Str(key) => (snake(key), json(value)),
                other => (json(other).to_string(), json(value)),
            });
            Value::Object(pairs.collect())
        }
        // Signatures and file descriptors: the API has none.
        _ => Value::Null,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_snake_case() {
        assert_eq!(snake("RadioHardware"), "radio_hardware");
        assert_eq!(snake("ip-type"), "ip_type");
        assert_eq!(snake("apn"), "apn");
    }

    #[test]
    fn columns_are_aligned() {
        let rows =
            [["0".to_owned(), "connected".to_owned(), "x".to_owned()], ["10".into(), "off".into(), String::new()]];
        assert_eq!(table(&rows), "0   connected  x\n10  off\n");
    }
}

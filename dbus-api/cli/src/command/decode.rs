//! `mbimctl decode`.

use std::path::Path;
use std::time::Duration;

use mbim_proto::MbimEx;
use mbim_proto::fragment::{FrameCutter, Reassembler};
use mbim_proto::registry::describe;
use serde_json::Value;

use crate::arguments::Decode;
use crate::failure::Failure;
use crate::show::Output;

/// Most octets of a file.
const FILE: u64 = 16 * 1024 * 1024;

pub(crate) fn run(question: &Decode, output: Output) -> Result<(), Failure> {
    let bytes = bytes(&question.input)?;
    let mbimex = match question.mbimex {
        1 => MbimEx::V1,
        2 => MbimEx::V2,
        3 => MbimEx::V3,
        _ => MbimEx::V4,
    };
    let mut good = true;
    for message in messages(&bytes)? {
        let description = describe(&message, mbimex, question.reveal);
        good &= description.error.is_none();
        let json = serde_json::to_value(description.value()).unwrap_or(Value::Null);
        output.print(&json, || description.to_string());
    }
    if good { Ok(()) } else { Err(Failure::told()) }
}

/// What was named: hexadecimal places in the arguments themselves, or a file with octets or with hexadecimal places.
fn bytes(input: &[String]) -> Result<Vec<u8>, Failure> {
    let given = input.join(" ");
    if let Some(bytes) = hex(&given) {
        return Ok(bytes);
    }
    let [file] = input else { return Err(Failure::invalid("these are not hexadecimal places")) };
    let path = Path::new(file);
    if file != "-" && !path.exists() {
        return Err(Failure::invalid(format!("{file}: neither hexadecimal places nor a file")));
    }
    let content = super::read(path, FILE)?;
    let text = std::str::from_utf8(&content).ok();
    Ok(text.and_then(hex).unwrap_or(content))
}

/// Octets of hexadecimal places with blanks, colons, commas and `0x` between them; `None` when there is anything else.
fn hex(text: &str) -> Option<Vec<u8>> {
    let places: String = text
        .split(|c: char| c.is_whitespace() || matches!(c, ':' | ','))
        .map(|word| word.strip_prefix("0x").unwrap_or(word))
        .collect();
    if places.is_empty() || places.len() % 2 == 1 {
        return None;
    }
    let digits: Option<Vec<u32>> = places.chars().map(|c| c.to_digit(16)).collect();
    digits?.chunks_exact(2).map(|pair| u8::try_from(pair.iter().fold(0, |sum, digit| sum * 16 + digit)).ok()).collect()
}

/// Whole messages: cut by their length field, fragments joined. What cannot be cut is described as it is.
fn messages(bytes: &[u8]) -> Result<Vec<Vec<u8>>, Failure> {
    let (mut cutter, mut joiner) = (FrameCutter::default(), Reassembler::default());
    let mut list = Vec::new();
    cutter.push(bytes);
    loop {
        match cutter.next_frame() {
            Some(Ok(frame)) => match joiner.push(Duration::ZERO, frame) {
                Ok(Some(whole)) => list.push(whole.into_owned()),
                Ok(None) => {}
                Err(_) => list.push(frame.to_vec()),
            },
            Some(Err(_)) => break,
            None => break,
        }
    }
    // A rest, or nothing that could be cut: shown with what is wrong.
    if list.is_empty() {
        list.push(bytes.to_vec());
    } else if cutter.pending() > 0 {
        let rest = bytes.len().saturating_sub(cutter.pending());
        list.extend(bytes.get(rest..).map(<[u8]>::to_vec));
    }
    Ok(list)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hexadecimal_places_in_usual_spellings() {
        for text in ["01000000", "01 00 00 00", "01:00:00:00", "0x01, 0x00, 0x00, 0x00\n"] {
            assert_eq!(hex(text), Some(vec![1, 0, 0, 0]), "{text}");
        }
        for text in ["", "0", "0g", "file.bin", "é1"] {
            assert_eq!(hex(text), None, "{text}");
        }
    }
}

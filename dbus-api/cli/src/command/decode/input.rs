//! What was given: hexadecimal places, octets, or a capture file; and the pieces that it is made of.

use std::path::Path;
use std::time::Duration;

use mbim_capture::{Device, Direction, frames, is_capture};
use mbim_proto::MbimEx;
use mbim_proto::message::{HEADER, Header};

use crate::failure::Failure;

/// Most octets of a file.
pub(in crate::command) const FILE: u64 = 64 * 1024 * 1024;

/// What was named: hexadecimal places in the arguments themselves, or a file with octets or with hexadecimal places.
pub(super) fn bytes(input: &[String]) -> Result<Vec<u8>, Failure> {
    let given = input.join(" ");
    if let Some(bytes) = hex(&given) {
        return Ok(bytes);
    }
    let [file] = input else { return Err(Failure::invalid("these are not hexadecimal places")) };
    let path = Path::new(file);
    if file != "-" && !path.exists() {
        return Err(Failure::invalid(format!("{file}: neither hexadecimal places nor a file")));
    }
    let content = super::super::read(path, FILE)?;
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

/// A frame with what is known about it, or what is wrong at its place.
pub(in crate::command) struct Piece<'a> {
    /// Where it starts; none where there is no file.
    pub(in crate::command) offset: Option<usize>,
    pub(in crate::command) time: Option<Duration>,
    pub(in crate::command) direction: Option<Direction>,
    pub(in crate::command) device: Option<Device>,
    /// The release in force before the first one, if that is known.
    pub(in crate::command) mbimex: Option<MbimEx>,
    pub(in crate::command) frame: Result<&'a [u8], String>,
}

pub(super) enum Input<'a> {
    /// A capture file.
    Capture(&'a [u8]),
    /// Messages one behind the other.
    Octets(&'a [u8]),
}

impl<'a> Input<'a> {
    pub(super) fn of(bytes: &'a [u8]) -> Self {
        if is_capture(bytes) { Self::Capture(bytes) } else { Self::Octets(bytes) }
    }

    /// Whether there is more than one frame.
    pub(super) fn several(&self) -> bool {
        match self {
            Self::Capture(_) => true,
            Self::Octets(bytes) => cut(bytes).is_some_and(|first| first.len() < bytes.len()),
        }
    }

    pub(super) fn entries(&self) -> Box<dyn Iterator<Item = Piece<'a>> + 'a> {
        match *self {
            Self::Capture(file) => match frames(file) {
                Ok(frames) => Box::new(frames.map(|item| match item {
                    Ok(frame) => Piece {
                        offset: Some(frame.offset),
                        time: frame.time,
                        direction: frame.direction,
                        device: frame.device,
                        mbimex: frame.mbimex,
                        frame: Ok(frame.bytes),
                    },
                    Err(malformed) => bad(malformed),
                })),
                Err(malformed) => Box::new(std::iter::once(bad(malformed))),
            },
            Self::Octets(bytes) => Box::new(octets(bytes)),
        }
    }
}

fn bad<'a>(malformed: mbim_capture::Malformed) -> Piece<'a> {
    let (offset, time, direction, device, mbimex) = (Some(malformed.offset), None, None, None, None);
    Piece { offset, time, direction, device, mbimex, frame: Err(malformed.to_string()) }
}

/// Frames one behind the other by their lengths. What cannot be cut is a piece as it is, and the last.
fn octets<'a>(bytes: &'a [u8]) -> impl Iterator<Item = Piece<'a>> + 'a {
    let mut offset = 0;
    std::iter::from_fn(move || {
        let rest = bytes.get(offset..).filter(|rest| !rest.is_empty() || offset == 0 && bytes.is_empty())?;
        let frame = cut(rest).unwrap_or(rest);
        let (time, direction, device, mbimex) = (None, None, None, None);
        let piece = Piece { offset: Some(offset), time, direction, device, mbimex, frame: Ok(frame) };
        offset += frame.len().max(1);
        Some(piece)
    })
}

/// The first frame, if its length can be.
fn cut(bytes: &[u8]) -> Option<&[u8]> {
    let length = usize::try_from(Header::decode(bytes).ok()?.length).ok().filter(|length| *length >= HEADER)?;
    bytes.get(..length)
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

    #[test]
    fn frames_are_cut_by_their_lengths() {
        let close = [2, 0, 0, 0, 12, 0, 0, 0, 7, 0, 0, 0];
        let offsets = |bytes: &[u8]| octets(bytes).filter_map(|piece| piece.offset).collect::<Vec<_>>();
        assert_eq!(offsets(&[close, close].concat()), [0, 12]);
        assert_eq!(offsets(&[&close[..], &[1, 2, 3]].concat()), [0, 12], "what is left over is shown");
        assert_eq!(offsets(&[0; 40]), [0], "a length that cannot be ends the cutting");
        assert!(!Input::of(&close).several() && Input::of(&[close, close].concat()).several());
    }
}

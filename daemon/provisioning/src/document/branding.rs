//! Name and logo of an operator. [PROV 4.5, 16]

use serde::{Deserialize, Serialize};

use crate::schema::lexical::decode_base64;
use crate::schema::{Ns, at, text};
use crate::xml::Node;

/// Octets of a logo. [PROV 16]
const MAX_OCTETS: usize = 256 * 1024;
/// Pixels of either side.
const MAX_SIDE: u64 = 256;

/// How an operator wants to be shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Branding {
    /// At most 20 characters.
    pub name: Option<String>,
    /// Checked by its header.
    pub logo: Option<Logo>,
}

/// What a logo is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LogoFormat {
    /// Portable network graphics.
    Png,
    /// Device-independent bitmap.
    Bmp,
}

/// A picture, as it came.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Logo {
    /// By its first octets.
    pub format: LogoFormat,
    /// Pixels, 1 to 256.
    pub width: u16,
    /// Pixels, 1 to 256.
    pub height: u16,
    /// Base64, without white space.
    base64: String,
}

impl core::fmt::Debug for Logo {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "{:?} {}x{}", self.format, self.width, self.height)
    }
}

impl Logo {
    /// The file.
    #[must_use]
    pub fn octets(&self) -> Vec<u8> {
        decode_base64(&self.base64).unwrap_or_default()
    }
}

/// Reads it; an unusable logo says why.
pub(super) fn read(node: Node<'_>) -> Result<Branding, &'static str> {
    let logo = match at(node, Ns::Wwan, "Logo") {
        Some(node) => Some(logo(&text(node))?),
        None => None,
    };
    Ok(Branding { name: at(node, Ns::Wwan, "Name").map(text), logo })
}

fn logo(text: &str) -> Result<Logo, &'static str> {
    let octets = decode_base64(text).ok_or("Logo: not Base64")?;
    if octets.len() > MAX_OCTETS {
        return Err("Logo: more than 256 KiB");
    }
    let (format, width, height) = match octets.as_slice() {
        [b'\x89', b'P', b'N', b'G', b'\r', b'\n', 0x1a, b'\n', rest @ ..] => {
            let (width, height) = png(rest).ok_or("Logo: a PNG without a header")?;
            (LogoFormat::Png, width, height)
        }
        [b'B', b'M', rest @ ..] => {
            let (width, height) = bmp(rest).ok_or("Logo: a BMP without a header")?;
            (LogoFormat::Bmp, width, height)
        }
        _ => return Err("Logo: neither PNG nor BMP"),
    };
    let side = |side: u64| if (1..=MAX_SIDE).contains(&side) { u16::try_from(side).ok() } else { None };
    let (Some(width), Some(height)) = (side(width), side(height)) else {
        return Err("Logo: not 1 to 256 pixels wide and high");
    };
    Ok(Logo { format, width, height, base64: text.chars().filter(|c| !c.is_ascii_whitespace()).collect() })
}

/// The sides, from the first chunk behind the signature.
fn png(rest: &[u8]) -> Option<(u64, u64)> {
    let rest = rest.strip_prefix(&[0, 0, 0, 13])?.strip_prefix(b"IHDR")?;
    let side = |from: usize| -> Option<u64> {
        let four: [u8; 4] = rest.get(from..from + 4)?.try_into().ok()?;
        Some(u64::from(u32::from_be_bytes(four)))
    };
    // Depth, colour, compression, filter, interlace and check belong to it.
    rest.get(..17)?;
    Some((side(0)?, side(4)?))
}

/// The sides, behind the two magic octets. Rows may stand from top to bottom: the height is then
/// negative.
fn bmp(rest: &[u8]) -> Option<(u64, u64)> {
    let info = rest.get(12..)?;
    let four = |from: usize| -> Option<[u8; 4]> { info.get(from..from + 4)?.try_into().ok() };
    let two = |from: usize| -> Option<[u8; 2]> { info.get(from..from + 2)?.try_into().ok() };
    match u32::from_le_bytes(four(0)?) {
        12 => Some((u64::from(u16::from_le_bytes(two(4)?)), u64::from(u16::from_le_bytes(two(6)?)))),
        40.. => {
            let width = i32::from_le_bytes(four(4)?);
            let height = i32::from_le_bytes(four(8)?);
            Some((u64::try_from(width).ok()?, u64::from(height.unsigned_abs())))
        }
        _ => None,
    }
}

//! What the function offers for its blocks, and what comes of it.

use super::{Format, LARGEST_BLOCK, MOST_DATAGRAMS, SMALLEST_BLOCK};
use crate::codec::{self, Field, Reader};
use crate::{Malformed, Problem};

/// The answer to GET_NTB_PARAMETERS: the function's own words, unchecked. [NCM1.0 6.2.1]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Parameters {
    /// bmNtbFormatsSupported: bit 0 NTB16 (always set), bit 1 NTB32.
    pub formats: u16,
    /// dwNtbInMaxSize: the largest block towards the host, in bytes.
    pub in_max_size: u32,
    /// wNdpInDivisor: datagrams towards the host begin at this modulus.
    pub in_divisor: u16,
    /// wNdpInPayloadRemainder: and at this remainder of it.
    pub in_remainder: u16,
    /// wNdpInAlignment: tables towards the host begin at multiples of this.
    pub in_alignment: u16,
    /// dwNtbOutMaxSize: the largest block towards the function, in bytes.
    pub out_max_size: u32,
    /// wNdpOutDivisor.
    pub out_divisor: u16,
    /// wNdpOutPayloadRemainder.
    pub out_remainder: u16,
    /// wNdpOutAlignment.
    pub out_alignment: u16,
    /// wNtbOutMaxDatagrams: datagrams in one block towards the function; 0 is no limit.
    pub out_max_datagrams: u16,
}

impl Parameters {
    /// Bytes on the wire.
    pub const SIZE: usize = 28;

    /// Reads the answer; longer answers of later releases are read as far as they are known.
    ///
    /// # Errors
    /// Fewer than 28 bytes, or a wLength below 28 or above what came.
    pub fn decode(bytes: &[u8]) -> Result<Self, Malformed> {
        codec::decode_with("NtbParameters", bytes, |r| {
            let wrong = |r: &Reader<'_>, length| {
                let most = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
                r.malformed(Problem::Length { length: u32::from(length), least: Self::SIZE as u32, most })
            };
            let length_at = wrong(r.named("length"), 0);
            let length = u16::read(r)?;
            let formats = u16::read(r.named("ntb_formats_supported"))?;
            let in_max_size = u32::read(r.named("ntb_in_max_size"))?;
            let in_divisor = u16::read(r.named("ndp_in_divisor"))?;
            let in_remainder = u16::read(r.named("ndp_in_payload_remainder"))?;
            let in_alignment = u16::read(r.named("ndp_in_alignment"))?;
            r.named("reserved").take(2)?;
            let out_max_size = u32::read(r.named("ntb_out_max_size"))?;
            let out_divisor = u16::read(r.named("ndp_out_divisor"))?;
            let out_remainder = u16::read(r.named("ndp_out_payload_remainder"))?;
            let out_alignment = u16::read(r.named("ndp_out_alignment"))?;
            let out_max_datagrams = u16::read(r.named("ntb_out_max_datagrams"))?;
            if usize::from(length) < Self::SIZE || usize::from(length) > bytes.len() {
                return Err(Malformed { problem: wrong(r, length).problem, ..length_at });
            }
            Ok(Self {
                formats,
                in_max_size,
                in_divisor,
                in_remainder,
                in_alignment,
                out_max_size,
                out_divisor,
                out_remainder,
                out_alignment,
                out_max_datagrams,
            })
        })
    }

    /// The 28 bytes.
    pub fn encode(&self) -> [u8; Self::SIZE] {
        let mut out = [0; Self::SIZE];
        let halves = |double: u32| [double as u16, (double >> 16) as u16];
        let [in_low, in_high] = halves(self.in_max_size);
        let [out_low, out_high] = halves(self.out_max_size);
        let words = [
            Self::SIZE as u16,
            self.formats,
            in_low,
            in_high,
            self.in_divisor,
            self.in_remainder,
            self.in_alignment,
            0,
            out_low,
            out_high,
            self.out_divisor,
            self.out_remainder,
            self.out_alignment,
            self.out_max_datagrams,
        ];
        for (place, word) in out.chunks_exact_mut(2).zip(words) {
            place.copy_from_slice(&word.to_le_bytes());
        }
        out
    }

    /// Whether the function offers this format.
    pub const fn supports(&self, format: Format) -> bool {
        match format {
            // Every function has it, whatever the bit says.
            Format::Ntb16 => true,
            Format::Ntb32 => self.formats & 0b10 != 0,
        }
    }

    /// What blocks towards the host may be, made safe as [`Limits::sane`] says.
    pub fn input(&self, format: Format) -> Limits {
        Limits {
            max_datagrams: u16::MAX,
            divisor: self.in_divisor,
            remainder: self.in_remainder,
            alignment: self.in_alignment,
            ..Limits::new(format, self.in_max_size)
        }
        .sane()
    }

    /// What blocks towards the function may be, made safe as [`Limits::sane`] says, and at most [`MOST_DATAGRAMS`]
    /// datagrams in each: functions that name more were tested with no more than Linux sends.
    pub fn output(&self, format: Format) -> Limits {
        Limits {
            max_datagrams: match self.out_max_datagrams {
                1..MOST_DATAGRAMS => self.out_max_datagrams,
                _ => MOST_DATAGRAMS,
            },
            divisor: self.out_divisor,
            remainder: self.out_remainder,
            alignment: self.out_alignment,
            ..Limits::new(format, self.out_max_size)
        }
        .sane()
    }
}

impl Default for Parameters {
    /// What an undemanding function of both formats offers: 16 KiB each way, everything on multiples of 4.
    fn default() -> Self {
        Self {
            formats: 0b11,
            in_max_size: 16_384,
            in_divisor: 4,
            in_remainder: 0,
            in_alignment: 4,
            out_max_size: 16_384,
            out_divisor: 4,
            out_remainder: 0,
            out_alignment: 4,
            out_max_datagrams: 0,
        }
    }
}

/// What blocks of one direction may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The agreed format.
    pub format: Format,
    /// Bytes of a block with everything in it.
    pub max_size: u32,
    /// Datagrams in one block, over all streams. Only building keeps to it; a reader takes what comes.
    pub max_datagrams: u16,
    /// Bytes of a datagram: wMaxSegmentSize of the descriptor, or what SET_MAX_DATAGRAM_SIZE made of it. Other datagrams
    /// are neither built nor delivered.
    pub max_datagram: u32,
    /// Datagrams begin where `index mod divisor = remainder`; a power of two. Only building keeps to it.
    pub divisor: u16,
    /// The remainder of `divisor`.
    pub remainder: u16,
    /// Tables begin at multiples of this power of two. Only building keeps to it.
    pub alignment: u16,
}

impl Limits {
    /// The limits of a direction without wishes: [`MOST_DATAGRAMS`], datagrams as long as may be, alignment 4.
    pub fn new(format: Format, max_size: u32) -> Self {
        Self {
            format,
            max_size,
            max_datagrams: MOST_DATAGRAMS,
            max_datagram: u32::MAX,
            divisor: 4,
            remainder: 0,
            alignment: 4,
        }
        .sane()
    }

    /// The same with impossible numbers replaced, so that a wrong answer of the function cannot stop the link: the size
    /// is brought between [`SMALLEST_BLOCK`] and [`LARGEST_BLOCK`]; an alignment or divisor that is no power of two,
    /// below 4, or above an eighth of the block becomes 4; a remainder beyond its divisor becomes 0; datagrams without
    /// limit become [`MOST_DATAGRAMS`], and there are never more than one to 32 bytes of the block. [Linux cdc_ncm]
    #[must_use]
    pub fn sane(self) -> Self {
        let max_size = self.max_size.clamp(SMALLEST_BLOCK, LARGEST_BLOCK);
        let modulus = |n: u16| if n >= 4 && n.is_power_of_two() && u32::from(n) <= max_size / 8 { n } else { 4 };
        let divisor = modulus(self.divisor);
        let most = u16::try_from(max_size / 32).unwrap_or(u16::MAX);
        Self {
            format: self.format,
            max_size,
            max_datagrams: if self.max_datagrams == 0 { MOST_DATAGRAMS } else { self.max_datagrams.min(most) },
            max_datagram: self.max_datagram.max(1),
            divisor,
            remainder: if self.remainder < divisor { self.remainder } else { 0 },
            alignment: modulus(self.alignment),
        }
    }

    /// The same with datagrams of at most so many bytes; 0 leaves them as they are.
    #[must_use]
    pub const fn with_max_datagram(self, bytes: u16) -> Self {
        if bytes == 0 { self } else { Self { max_datagram: bytes as u32, ..self } }
    }
}

/// What SET_NTB_INPUT_SIZE says: the largest block that the host takes. [NCM1.0 6.2.7]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InputSize {
    /// dwNtbInMaxSize, in bytes: 2048 up to what the function offered.
    pub max_size: u32,
    /// wNtbInMaxDatagrams of the 8-byte form, which needs capability D5; 0 is no limit.
    pub max_datagrams: Option<u16>,
}

impl InputSize {
    /// Reads either form by its length.
    ///
    /// # Errors
    /// Neither 4 nor 8 bytes.
    pub fn decode(bytes: &[u8]) -> Result<Self, Malformed> {
        codec::decode_with("NtbInputSize", bytes, |r| {
            let max_size = u32::read(r.named("ntb_in_max_size"))?;
            if bytes.len() == 4 {
                return Ok(Self { max_size, max_datagrams: None });
            }
            let max_datagrams = u16::read(r.named("ntb_in_max_datagrams"))?;
            r.named("reserved").take(2)?;
            if bytes.len() > 8 {
                let length = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
                return Err(r.malformed(Problem::Length { length, least: 4, most: 8 }));
            }
            Ok(Self { max_size, max_datagrams: Some(max_datagrams) })
        })
    }

    /// The 8 bytes; the short form is the first [`len`](Self::len) of them.
    pub fn encode(&self) -> [u8; 8] {
        let [a, b, c, d] = self.max_size.to_le_bytes();
        let [e, f] = self.max_datagrams.unwrap_or(0).to_le_bytes();
        [a, b, c, d, e, f, 0, 0]
    }

    /// 4, or 8 with a number of datagrams.
    #[allow(clippy::len_without_is_empty, reason = "never empty")]
    pub const fn len(&self) -> usize {
        if self.max_datagrams.is_some() { 8 } else { 4 }
    }
}

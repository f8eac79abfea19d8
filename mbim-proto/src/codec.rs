//! Reading and writing structures: a fixed part, then a data buffer that the fixed part points into. [MBIM1.0 10.3]
//!
//! Offsets count from the first byte of the structure that holds them. Every byte is taken through [`Reader`], which
//! can refuse; nothing here indexes.

mod list;
mod reader;
mod shape;
#[cfg(test)]
mod tests;
mod text;
mod tlv;
mod writer;

use alloc::string::{String, ToString};
use core::net::{Ipv4Addr, Ipv6Addr};

pub use list::{Elements, List};
pub use reader::Reader;
pub use shape::{
    Array, Bytes, Codec, Counted, CountedPairs, Inline, InlineBytes, Max, MsArray, MsRef, OctetString, Octets, Pairs,
    Plain, RefBytes, Rest, SizedBytes, Telling, Text, Utf8,
};
pub use tlv::{Tlv, TlvKind, TlvText, TlvU16s, Tlvs};
pub use writer::Writer;

use crate::{Disguise, EncodeError, Malformed, Uuid, Value};

#[cfg(any(test, feature = "generate"))]
use crate::generate::Entropy;

/// A type with one natural place in a fixed part.
pub trait Field: Sized {
    /// What stands for "nothing": zero, empty, absent.
    fn zero() -> Self;

    /// Takes the field at the reader's place.
    ///
    /// # Errors
    /// [`Malformed`] when the bytes end early or point outside.
    fn read(r: &mut Reader<'_>) -> Result<Self, Malformed>;

    /// Puts the field at the writer's place.
    fn write(&self, w: &mut Writer<'_>);

    /// Whether a host may send this value.
    ///
    /// # Errors
    /// [`EncodeError`] naming the field and its limit.
    fn check(&self, _field: &'static str) -> Result<(), EncodeError> {
        Ok(())
    }

    /// The value as a tree; personal values only with `reveal`.
    fn value(&self, reveal: bool) -> Value;

    /// Replaces what identifies or authenticates somebody: the whole value if it is `marked`, else those of its parts that are,
    /// and addresses.
    fn disguise(&mut self, marked: bool, by: &mut dyn Disguise);

    /// Reads the field as the target of an offset and a size. Structures do not trust the size: devices overstate it.
    ///
    /// # Errors
    /// [`Malformed`] when the target leaves the buffer.
    fn read_target(r: &mut Reader<'_>, offset: u32, _size: u32) -> Result<Self, Malformed> {
        r.at(offset, 0, |r| Self::read(r))
    }

    /// Writes the field as the target of an offset and a size.
    fn write_target(&self, w: &mut Writer<'_>) {
        w.whole(|w| self.write(w));
    }

    /// Makes a value out of random bytes.
    #[cfg(any(test, feature = "generate"))]
    fn generate(g: &mut Entropy<'_>) -> Self;
}

macro_rules! integers {
    ($($int:ident)*) => { $(
        impl Field for $int {
            fn zero() -> Self {
                0
            }
            fn read(r: &mut Reader<'_>) -> Result<Self, Malformed> {
                Ok(Self::from_le_bytes(r.array()?))
            }
            fn write(&self, w: &mut Writer<'_>) {
                w.put(&self.to_le_bytes());
            }
            fn value(&self, _: bool) -> Value {
                Value::Number(u64::from(*self))
            }
            fn disguise(&mut self, marked: bool, by: &mut dyn Disguise) {
                if marked {
                    // Nothing wider than the width that was told is taken.
                    *self = by.number(u64::from(*self), Self::BITS) as Self;
                }
            }
            #[cfg(any(test, feature = "generate"))]
            fn generate(g: &mut Entropy<'_>) -> Self {
                Self::from_le_bytes(g.array())
            }
        }
    )* };
}
integers!(u16 u32 u64);

impl Field for i32 {
    fn zero() -> Self {
        0
    }
    fn read(r: &mut Reader<'_>) -> Result<Self, Malformed> {
        Ok(Self::from_le_bytes(r.array()?))
    }
    fn write(&self, w: &mut Writer<'_>) {
        w.put(&self.to_le_bytes());
    }
    fn value(&self, _: bool) -> Value {
        Value::Signed(i64::from(*self))
    }
    fn disguise(&mut self, marked: bool, by: &mut dyn Disguise) {
        if marked {
            *self = by.number(u64::from(self.cast_unsigned()), Self::BITS) as u32 as Self;
        }
    }
    #[cfg(any(test, feature = "generate"))]
    fn generate(g: &mut Entropy<'_>) -> Self {
        Self::from_le_bytes(g.array())
    }
}

/// A u32; every number but 0 reads as true.
impl Field for bool {
    fn zero() -> Self {
        false
    }
    fn read(r: &mut Reader<'_>) -> Result<Self, Malformed> {
        Ok(u32::read(r)? != 0)
    }
    fn write(&self, w: &mut Writer<'_>) {
        u32::from(*self).write(w);
    }
    fn value(&self, _: bool) -> Value {
        Value::Bool(*self)
    }
    fn disguise(&mut self, _: bool, _: &mut dyn Disguise) {}
    #[cfg(any(test, feature = "generate"))]
    fn generate(g: &mut Entropy<'_>) -> Self {
        g.byte() & 1 == 1
    }
}

impl Field for Uuid {
    fn zero() -> Self {
        Self::NIL
    }
    fn read(r: &mut Reader<'_>) -> Result<Self, Malformed> {
        Ok(Self(r.array()?))
    }
    fn write(&self, w: &mut Writer<'_>) {
        w.put(&self.0);
    }
    fn value(&self, _: bool) -> Value {
        Value::Uuid(*self, crate::service::uuid_name(*self))
    }
    fn disguise(&mut self, marked: bool, by: &mut dyn Disguise) {
        self.0.disguise(marked, by);
    }
    #[cfg(any(test, feature = "generate"))]
    fn generate(g: &mut Entropy<'_>) -> Self {
        Self(g.array())
    }
}

/// Bytes inline, as many as the type says.
impl<const N: usize> Field for [u8; N] {
    fn zero() -> Self {
        [0; N]
    }
    fn read(r: &mut Reader<'_>) -> Result<Self, Malformed> {
        r.array()
    }
    fn write(&self, w: &mut Writer<'_>) {
        w.put(self);
    }
    fn value(&self, _: bool) -> Value {
        Value::hex(self)
    }
    fn disguise(&mut self, marked: bool, by: &mut dyn Disguise) {
        if marked {
            by.octets(self);
        }
    }
    #[cfg(any(test, feature = "generate"))]
    fn generate(g: &mut Entropy<'_>) -> Self {
        g.array()
    }
}

macro_rules! addresses {
    ($($Addr:ident $len:literal $replace:ident)*) => { $(
        /// In network order.
        impl Field for $Addr {
            fn zero() -> Self {
                Self::UNSPECIFIED
            }
            fn read(r: &mut Reader<'_>) -> Result<Self, Malformed> {
                Ok(Self::from(r.array::<$len>()?))
            }
            fn write(&self, w: &mut Writer<'_>) {
                w.put(&self.octets());
            }
            fn value(&self, _: bool) -> Value {
                Value::Text(self.to_string())
            }
            fn disguise(&mut self, _: bool, by: &mut dyn Disguise) {
                *self = by.$replace(*self);
            }
            #[cfg(any(test, feature = "generate"))]
            fn generate(g: &mut Entropy<'_>) -> Self {
                Self::from(g.array::<$len>())
            }
        }

        /// By one offset; offset 0 is no address.
        impl Field for Option<$Addr> {
            fn zero() -> Self {
                None
            }
            fn read(r: &mut Reader<'_>) -> Result<Self, Malformed> {
                match u32::read(r)? {
                    0 => Ok(None),
                    offset => r.at(offset, $len, |r| $Addr::read(r)).map(Some),
                }
            }
            fn write(&self, w: &mut Writer<'_>) {
                match self {
                    None => 0u32.write(w),
                    Some(address) => w.refer_offset(|w| w.append(&address.octets())),
                }
            }
            fn value(&self, reveal: bool) -> Value {
                self.as_ref().map_or(Value::Null, |address| address.value(reveal))
            }
            fn disguise(&mut self, marked: bool, by: &mut dyn Disguise) {
                if let Some(address) = self {
                    address.disguise(marked, by);
                }
            }
            #[cfg(any(test, feature = "generate"))]
            fn generate(g: &mut Entropy<'_>) -> Self {
                bool::generate(g).then(|| $Addr::generate(g))
            }
        }
    )* };
}
addresses!(Ipv4Addr 4 ipv4 Ipv6Addr 16 ipv6);

macro_rules! hidden {
    ($($Hidden:ident: $($bound:path)?;)*) => { $(
        impl<T: Field $(+ $bound)?> Field for crate::$Hidden<T> {
            fn zero() -> Self {
                Self::new(T::zero())
            }
            fn read(r: &mut Reader<'_>) -> Result<Self, Malformed> {
                T::read(r).map(Self::new)
            }
            fn write(&self, w: &mut Writer<'_>) {
                self.reveal().write(w);
            }
            fn check(&self, field: &'static str) -> Result<(), EncodeError> {
                self.reveal().check(field)
            }
            fn value(&self, reveal: bool) -> Value {
                if reveal { self.reveal().value(true) } else { Value::Hidden }
            }
            fn disguise(&mut self, _: bool, by: &mut dyn Disguise) {
                self.reveal_mut().disguise(true, by);
            }
            fn read_target(r: &mut Reader<'_>, offset: u32, size: u32) -> Result<Self, Malformed> {
                T::read_target(r, offset, size).map(Self::new)
            }
            fn write_target(&self, w: &mut Writer<'_>) {
                self.reveal().write_target(w);
            }
            #[cfg(any(test, feature = "generate"))]
            fn generate(g: &mut Entropy<'_>) -> Self {
                Self::new(T::generate(g))
            }
        }
    )* };
}
hidden!(Personal:; Secret: zeroize::Zeroize;);

/// UTF-16 by offset and size, padded to 4; the size counts neither padding nor a terminator. Read generously: one or
/// more trailing NULs are dropped, an odd last byte is dropped, a lone surrogate becomes U+FFFD.
impl Field for String {
    fn zero() -> Self {
        Self::new()
    }
    fn read(r: &mut Reader<'_>) -> Result<Self, Malformed> {
        let (offset, size) = r.reference()?;
        Self::read_target(r, offset, size)
    }
    fn write(&self, w: &mut Writer<'_>) {
        w.refer(|w| self.write_target(w));
    }
    fn value(&self, _: bool) -> Value {
        Value::Text(self.clone())
    }
    fn disguise(&mut self, marked: bool, by: &mut dyn Disguise) {
        if marked {
            by.text(self);
        }
    }
    fn read_target(r: &mut Reader<'_>, offset: u32, size: u32) -> Result<Self, Malformed> {
        if size == 0 {
            return Ok(Self::new());
        }
        r.at(offset, size, |r| r.take(u64::from(size)).map(text::from_utf16))
    }
    fn write_target(&self, w: &mut Writer<'_>) {
        w.append_with(|out| text::to_utf16(self, out));
    }
    #[cfg(any(test, feature = "generate"))]
    fn generate(g: &mut Entropy<'_>) -> Self {
        g.text()
    }
}

/// Decodes a whole buffer as one structure. `body` goes into errors.
///
/// # Errors
/// [`Malformed`] with the field and its offset from the start of `buf`.
pub fn decode<T: Field>(body: &'static str, buf: &[u8]) -> Result<T, Malformed> {
    decode_with(body, buf, T::read)
}

/// Decodes a whole buffer with a function of one's own.
///
/// # Errors
/// Whatever `read` refuses.
pub fn decode_with<T>(
    body: &'static str,
    buf: &[u8],
    read: impl FnOnce(&mut Reader<'_>) -> Result<T, Malformed>,
) -> Result<T, Malformed> {
    let budget = reader::Budget::of(buf);
    read(&mut Reader::new(body, buf, &budget))
}

/// As [`decode`], with the number of bytes that the known fields reach to.
///
/// # Errors
/// As [`decode`].
pub fn decode_used<T: Field>(body: &'static str, buf: &[u8]) -> Result<(T, usize), Malformed> {
    decode_with(body, buf, |r| Ok((T::read(r)?, r.used())))
}

/// Appends a structure to `out`. Offsets count from where it starts.
pub fn encode<T: Field>(value: &T, out: &mut alloc::vec::Vec<u8>) {
    Writer::new(out).whole(|w| value.write(w));
}

//! Ways to lay out a field that its type alone does not tell: arrays by their counts, tails, optional structures.

use alloc::string::String;
use alloc::vec::Vec;

use super::list::{Elements, gather};
use super::{Field, Reader, Writer, text};
use crate::{Disguise, EncodeError, Malformed, Personal, Secret, Value};

#[cfg(any(test, feature = "generate"))]
use crate::generate::Entropy;

/// A way to lay out a `T`. Where a count is an argument, it is the number that stands elsewhere on the wire.
pub trait Codec<T> {
    /// What stands for "nothing".
    fn zero(&self) -> T;

    /// Takes the field.
    ///
    /// # Errors
    /// [`Malformed`] when the bytes end early, point outside or announce more than could fit.
    fn read(&self, r: &mut Reader<'_>) -> Result<T, Malformed>;

    /// Puts the field.
    fn write(&self, value: &T, w: &mut Writer<'_>);

    /// Whether a host may send this value.
    ///
    /// # Errors
    /// [`EncodeError`] naming the field and its limit.
    fn check(&self, _value: &T, _field: &'static str) -> Result<(), EncodeError> {
        Ok(())
    }

    /// The value as a tree; personal values only with `reveal`.
    fn value(&self, value: &T, reveal: bool) -> Value;

    /// Replaces what identifies or authenticates somebody, as [`Field::disguise`].
    fn disguise(&self, value: &mut T, marked: bool, by: &mut dyn Disguise);

    /// Makes a value out of random bytes.
    #[cfg(any(test, feature = "generate"))]
    fn generate(&self, g: &mut Entropy<'_>) -> T;
}

/// The type's own layout.
#[derive(Clone, Copy, Debug)]
pub struct Plain;

impl<T: Field> Codec<T> for Plain {
    fn zero(&self) -> T {
        T::zero()
    }
    fn read(&self, r: &mut Reader<'_>) -> Result<T, Malformed> {
        T::read(r)
    }
    fn write(&self, value: &T, w: &mut Writer<'_>) {
        value.write(w);
    }
    fn check(&self, value: &T, field: &'static str) -> Result<(), EncodeError> {
        value.check(field)
    }
    fn value(&self, value: &T, reveal: bool) -> Value {
        value.value(reveal)
    }
    fn disguise(&self, value: &mut T, marked: bool, by: &mut dyn Disguise) {
        value.disguise(marked, by);
    }
    #[cfg(any(test, feature = "generate"))]
    fn generate(&self, g: &mut Entropy<'_>) -> T {
        T::generate(g)
    }
}

/// The same layout for a value that is shown, but tells who or where: it is replaced where a record is made anonymous.
#[derive(Clone, Copy, Debug)]
pub struct Telling<C>(pub C);

impl<T, C: Codec<T>> Codec<T> for Telling<C> {
    fn zero(&self) -> T {
        self.0.zero()
    }
    fn read(&self, r: &mut Reader<'_>) -> Result<T, Malformed> {
        self.0.read(r)
    }
    fn write(&self, value: &T, w: &mut Writer<'_>) {
        self.0.write(value, w);
    }
    fn check(&self, value: &T, field: &'static str) -> Result<(), EncodeError> {
        self.0.check(value, field)
    }
    fn value(&self, value: &T, reveal: bool) -> Value {
        self.0.value(value, reveal)
    }
    fn disguise(&self, value: &mut T, _: bool, by: &mut dyn Disguise) {
        self.0.disguise(value, true, by);
    }
    #[cfg(any(test, feature = "generate"))]
    fn generate(&self, g: &mut Entropy<'_>) -> T {
        self.0.generate(g)
    }
}

/// A string of at most this many bytes (not characters) on the wire. Checked when a host encodes, never on decoding.
#[derive(Clone, Copy, Debug)]
pub struct Max(pub usize);

/// A string or a hidden string.
pub trait Text: Field {
    /// The text itself.
    fn text(&self) -> &str;
    /// Hides a text as the type does.
    fn from_text(text: String) -> Self;
}

impl Text for String {
    fn text(&self) -> &str {
        self
    }
    fn from_text(text: String) -> Self {
        text
    }
}

impl Text for Personal<String> {
    fn text(&self) -> &str {
        self.reveal()
    }
    fn from_text(text: String) -> Self {
        Self::new(text)
    }
}

impl Text for Secret<String> {
    fn text(&self) -> &str {
        self.reveal()
    }
    fn from_text(text: String) -> Self {
        Self::new(text)
    }
}

impl<T: Text> Codec<T> for Max {
    fn zero(&self) -> T {
        T::zero()
    }
    fn read(&self, r: &mut Reader<'_>) -> Result<T, Malformed> {
        T::read(r)
    }
    fn write(&self, value: &T, w: &mut Writer<'_>) {
        value.write(w);
    }
    fn check(&self, value: &T, field: &'static str) -> Result<(), EncodeError> {
        let size = text::utf16_len(value.text());
        if size > self.0 { Err(EncodeError::TooLong { field, size, most: self.0 }) } else { Ok(()) }
    }
    fn value(&self, value: &T, reveal: bool) -> Value {
        value.value(reveal)
    }
    fn disguise(&self, value: &mut T, marked: bool, by: &mut dyn Disguise) {
        value.disguise(marked, by);
    }
    #[cfg(any(test, feature = "generate"))]
    fn generate(&self, g: &mut Entropy<'_>) -> T {
        T::generate(g)
    }
}

pub(super) fn list<T: Field>(values: &[T], reveal: bool) -> Value {
    Value::List(values.iter().map(|value| value.value(reveal)).collect())
}

macro_rules! counted {
    ($(#[$meta:meta])* $Name:ident, read($count:ident, $r:ident) $read:block, write($values:ident, $w:ident) $write:block) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug)]
        pub struct $Name(pub u32);

        impl<L: Elements> Codec<L> for $Name {
            fn zero(&self) -> L {
                L::default()
            }
            fn read(&self, $r: &mut Reader<'_>) -> Result<L, Malformed> {
                let $count = self.0;
                $read
            }
            fn write(&self, values: &L, $w: &mut Writer<'_>) {
                let $values = values.all();
                $write
            }
            fn check(&self, values: &L, field: &'static str) -> Result<(), EncodeError> {
                check_all(values, field)?;
                count_matches(self.0, values.all().len(), field)
            }
            fn value(&self, values: &L, reveal: bool) -> Value {
                list(values.all(), reveal)
            }
            fn disguise(&self, values: &mut L, marked: bool, by: &mut dyn Disguise) {
                values.all_mut().iter_mut().for_each(|value| value.disguise(marked, by));
            }
            #[cfg(any(test, feature = "generate"))]
            fn generate(&self, g: &mut Entropy<'_>) -> L {
                some(g)
            }
        }
    };
}

fn check_all<L: Elements>(values: &L, field: &'static str) -> Result<(), EncodeError> {
    values.all().iter().try_for_each(|value| value.check(field))
}

#[cfg(any(test, feature = "generate"))]
fn some<L: Elements>(g: &mut Entropy<'_>) -> L {
    let mut all = L::default();
    g.several(L::Item::generate).into_iter().for_each(|element| all.add(element));
    all
}

fn count_matches(count: u32, size: usize, field: &'static str) -> Result<(), EncodeError> {
    if count as usize == size { Ok(()) } else { Err(EncodeError::CountDiffers { field, size, count }) }
}

counted! {
    /// As many pairs of offset and size as the count says, inline; the elements anywhere in the data buffer.
    Pairs,
    read(count, r) {
        r.plausible(count, 8, r.left())?;
        gather(count, r, |r| {
            let (offset, size) = r.reference()?;
            L::Item::read_target(r, offset, size)
        })
    },
    write(values, w) {
        for value in values {
            w.refer(|w| value.write_target(w));
        }
    }
}

/// A count, and right behind it as many pairs of offset and size; the elements anywhere in the data buffer.
#[derive(Clone, Copy, Debug)]
pub struct CountedPairs;

impl<L: Elements> Codec<L> for CountedPairs {
    fn zero(&self) -> L {
        L::default()
    }
    fn read(&self, r: &mut Reader<'_>) -> Result<L, Malformed> {
        Pairs(u32::read(r)?).read(r)
    }
    fn write(&self, values: &L, w: &mut Writer<'_>) {
        let count = u32::try_from(values.all().len()).unwrap_or(u32::MAX);
        count.write(w);
        Pairs(count).write(values, w);
    }
    fn check(&self, values: &L, field: &'static str) -> Result<(), EncodeError> {
        check_all(values, field)
    }
    fn value(&self, values: &L, reveal: bool) -> Value {
        list(values.all(), reveal)
    }
    fn disguise(&self, values: &mut L, marked: bool, by: &mut dyn Disguise) {
        values.all_mut().iter_mut().for_each(|value| value.disguise(marked, by));
    }
    #[cfg(any(test, feature = "generate"))]
    fn generate(&self, g: &mut Entropy<'_>) -> L {
        some(g)
    }
}

counted! {
    /// As many elements as the count says, end to end in the fixed part.
    Inline,
    read(count, r) {
        r.plausible(count, 4, r.left())?;
        gather(count, r, L::Item::read)
    },
    write(values, w) {
        for value in values {
            value.write(w);
        }
    }
}

counted! {
    /// One offset to as many elements as the count says, end to end. With no elements the offset means nothing.
    Array,
    read(count, r) {
        let offset = u32::read(r)?;
        if count == 0 {
            return Ok(L::default());
        }
        r.plausible(count, 4, r.room_at(offset))?;
        r.at(offset, 0, |r| gather(count, r, L::Item::read))
    },
    write(values, w) {
        w.refer_offset(|w| {
            for value in values {
                w.whole(|w| value.write(w));
            }
        });
    }
}

/// One offset to as many bytes as the count says. With a count of 0 the offset means nothing.
#[derive(Clone, Copy, Debug)]
pub struct Bytes(pub u32);

impl Codec<Vec<u8>> for Bytes {
    fn zero(&self) -> Vec<u8> {
        Vec::new()
    }
    fn read(&self, r: &mut Reader<'_>) -> Result<Vec<u8>, Malformed> {
        let offset = u32::read(r)?;
        if self.0 == 0 {
            return Ok(Vec::new());
        }
        r.at(offset, self.0, |r| r.take(u64::from(self.0)).map(Vec::from))
    }
    /// Exactly as many bytes as the shared count announces: a shorter array is filled with zeros.
    fn write(&self, value: &Vec<u8>, w: &mut Writer<'_>) {
        let size = self.0 as usize;
        w.refer_offset(|w| {
            w.append(value.get(..size).unwrap_or(value));
            w.append_with(|out| out.resize(out.len() + size.saturating_sub(value.len()), 0));
        });
    }
    fn check(&self, value: &Vec<u8>, field: &'static str) -> Result<(), EncodeError> {
        count_matches(self.0, value.len(), field)
    }
    fn value(&self, value: &Vec<u8>, _: bool) -> Value {
        Value::hex(value)
    }
    fn disguise(&self, value: &mut Vec<u8>, marked: bool, by: &mut dyn Disguise) {
        if marked {
            by.octets(value);
        }
    }
    #[cfg(any(test, feature = "generate"))]
    fn generate(&self, g: &mut Entropy<'_>) -> Vec<u8> {
        g.several(Entropy::byte)
    }
}

/// As many bytes as the count says, in the fixed part and unpadded: only as the last field.
#[derive(Clone, Copy, Debug)]
pub struct InlineBytes(pub u32);

impl Codec<Vec<u8>> for InlineBytes {
    fn zero(&self) -> Vec<u8> {
        Vec::new()
    }
    fn read(&self, r: &mut Reader<'_>) -> Result<Vec<u8>, Malformed> {
        r.take(u64::from(self.0)).map(Vec::from)
    }
    fn write(&self, value: &Vec<u8>, w: &mut Writer<'_>) {
        w.put(value);
    }
    fn check(&self, value: &Vec<u8>, field: &'static str) -> Result<(), EncodeError> {
        count_matches(self.0, value.len(), field)
    }
    fn value(&self, value: &Vec<u8>, _: bool) -> Value {
        Value::hex(value)
    }
    fn disguise(&self, value: &mut Vec<u8>, marked: bool, by: &mut dyn Disguise) {
        if marked {
            by.octets(value);
        }
    }
    #[cfg(any(test, feature = "generate"))]
    fn generate(&self, g: &mut Entropy<'_>) -> Vec<u8> {
        g.several(Entropy::byte)
    }
}

/// Bytes or hidden bytes.
pub trait Octets {
    /// The bytes themselves.
    fn octets(&self) -> &[u8];
    /// Hides bytes as the type does.
    fn from_octets(octets: Vec<u8>) -> Self;
    /// The bytes in hexadecimal; hidden ones only with `reveal`.
    fn shown(&self, reveal: bool) -> Value;
    /// Replaces the bytes if they are hidden, or `marked`.
    fn replaced(&mut self, marked: bool, by: &mut dyn Disguise);
}

impl Octets for Vec<u8> {
    fn octets(&self) -> &[u8] {
        self
    }
    fn from_octets(octets: Vec<u8>) -> Self {
        octets
    }
    fn shown(&self, _: bool) -> Value {
        Value::hex(self)
    }
    fn replaced(&mut self, marked: bool, by: &mut dyn Disguise) {
        if marked {
            by.octets(self);
        }
    }
}

impl Octets for Personal<Vec<u8>> {
    fn octets(&self) -> &[u8] {
        self.reveal()
    }
    fn from_octets(octets: Vec<u8>) -> Self {
        Self::new(octets)
    }
    fn shown(&self, reveal: bool) -> Value {
        if reveal { Value::hex(self.reveal()) } else { Value::Hidden }
    }
    fn replaced(&mut self, _: bool, by: &mut dyn Disguise) {
        by.octets(self.reveal_mut());
    }
}

macro_rules! octets {
    ($(#[$meta:meta])* $Name:ident, read($r:ident) $read:block, write($bytes:ident, $w:ident) $write:block) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug)]
        pub struct $Name;

        impl<T: Octets> Codec<T> for $Name {
            fn zero(&self) -> T {
                T::from_octets(Vec::new())
            }
            fn read(&self, $r: &mut Reader<'_>) -> Result<T, Malformed> {
                let bytes: &[u8] = $read;
                Ok(T::from_octets(bytes.into()))
            }
            fn write(&self, value: &T, $w: &mut Writer<'_>) {
                let $bytes = value.octets();
                $write
            }
            fn value(&self, value: &T, reveal: bool) -> Value {
                value.shown(reveal)
            }
            fn disguise(&self, value: &mut T, marked: bool, by: &mut dyn Disguise) {
                value.replaced(marked, by);
            }
            #[cfg(any(test, feature = "generate"))]
            fn generate(&self, g: &mut Entropy<'_>) -> T {
                T::from_octets(g.several(Entropy::byte))
            }
        }
    };
}

octets! {
    /// All bytes to the end of the buffer, unpadded.
    Rest,
    read(r) {
        let left = r.left() as u64;
        r.take(left)?
    },
    write(bytes, w) {
        w.append(bytes);
    }
}

octets! {
    /// A size, then as many bytes, in the fixed part and unpadded: only as the last field.
    Counted,
    read(r) {
        let size = u32::read(r)?;
        r.take(u64::from(size))?
    },
    write(bytes, w) {
        w.put(&u32::try_from(bytes.len()).unwrap_or(u32::MAX).to_le_bytes());
        w.put(bytes);
    }
}

octets! {
    /// Offset and size of bytes in the data buffer.
    RefBytes,
    read(r) {
        let (offset, size) = r.reference()?;
        target_bytes(r, offset, size)?
    },
    write(bytes, w) {
        w.refer(|w| w.append(bytes));
    }
}

octets! {
    /// Size, then offset of bytes in the data buffer: the other way round, as the first commands of the UICC service
    /// have it.
    SizedBytes,
    read(r) {
        let (size, offset) = r.reference()?;
        target_bytes(r, offset, size)?
    },
    write(bytes, w) {
        w.refer_sized(|w| w.append(bytes));
    }
}

fn target_bytes<'a>(r: &mut Reader<'a>, offset: u32, size: u32) -> Result<&'a [u8], Malformed> {
    if size == 0 { Ok(&[]) } else { r.at(offset, size, |r| r.take(u64::from(size))) }
}

/// A list element of nothing but bytes, as many as its pair's size says: the only size in a list that counts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OctetString(pub Vec<u8>);

impl Field for OctetString {
    fn zero() -> Self {
        Self::default()
    }
    fn read(r: &mut Reader<'_>) -> Result<Self, Malformed> {
        let (offset, size) = r.reference()?;
        Self::read_target(r, offset, size)
    }
    fn write(&self, w: &mut Writer<'_>) {
        w.refer(|w| self.write_target(w));
    }
    fn value(&self, _: bool) -> Value {
        Value::hex(&self.0)
    }
    fn disguise(&mut self, marked: bool, by: &mut dyn Disguise) {
        if marked {
            by.octets(&mut self.0);
        }
    }
    fn read_target(r: &mut Reader<'_>, offset: u32, size: u32) -> Result<Self, Malformed> {
        target_bytes(r, offset, size).map(|bytes| Self(bytes.into()))
    }
    fn write_target(&self, w: &mut Writer<'_>) {
        w.append(&self.0);
    }
    #[cfg(any(test, feature = "generate"))]
    fn generate(g: &mut Entropy<'_>) -> Self {
        Self(g.several(Entropy::byte))
    }
}

/// A string in UTF-8 by offset and size. Trailing NULs are dropped, what is no UTF-8 becomes U+FFFD.
#[derive(Clone, Copy, Debug)]
pub struct Utf8;

impl Codec<String> for Utf8 {
    fn zero(&self) -> String {
        String::new()
    }
    fn read(&self, r: &mut Reader<'_>) -> Result<String, Malformed> {
        let (offset, size) = r.reference()?;
        let bytes = target_bytes(r, offset, size)?;
        Ok(String::from_utf8_lossy(bytes).trim_end_matches('\0').into())
    }
    fn write(&self, value: &String, w: &mut Writer<'_>) {
        w.refer(|w| w.append(value.as_bytes()));
    }
    fn value(&self, value: &String, _: bool) -> Value {
        Value::Text(value.clone())
    }
    fn disguise(&self, value: &mut String, marked: bool, by: &mut dyn Disguise) {
        if marked {
            by.text(value);
        }
    }
    #[cfg(any(test, feature = "generate"))]
    fn generate(&self, g: &mut Entropy<'_>) -> String {
        g.text()
    }
}

/// Microsoft's optional structure: offset and size, both 0 when absent.
#[derive(Clone, Copy, Debug)]
pub struct MsRef;

impl<T: Field> Codec<Option<T>> for MsRef {
    fn zero(&self) -> Option<T> {
        None
    }
    fn read(&self, r: &mut Reader<'_>) -> Result<Option<T>, Malformed> {
        let (offset, size) = r.reference()?;
        if offset == 0 || size == 0 {
            return Ok(None);
        }
        T::read_target(r, offset, size).map(Some)
    }
    fn write(&self, value: &Option<T>, w: &mut Writer<'_>) {
        w.refer(|w| {
            if let Some(value) = value {
                value.write_target(w);
            }
        });
    }
    fn check(&self, value: &Option<T>, field: &'static str) -> Result<(), EncodeError> {
        value.as_ref().map_or(Ok(()), |value| value.check(field))
    }
    fn value(&self, value: &Option<T>, reveal: bool) -> Value {
        value.as_ref().map_or(Value::Null, |value| value.value(reveal))
    }
    fn disguise(&self, value: &mut Option<T>, marked: bool, by: &mut dyn Disguise) {
        if let Some(value) = value {
            value.disguise(marked, by);
        }
    }
    #[cfg(any(test, feature = "generate"))]
    fn generate(&self, g: &mut Entropy<'_>) -> Option<T> {
        bool::generate(g).then(|| T::generate(g))
    }
}

/// Microsoft's array: offset and size of a block that holds a count and then the elements, each followed by its own
/// data. Absent (both 0) and empty are the same; an empty one is written as absent.
#[derive(Clone, Copy, Debug)]
pub struct MsArray;

impl<L: Elements> Codec<L> for MsArray {
    fn zero(&self) -> L {
        L::default()
    }
    fn read(&self, r: &mut Reader<'_>) -> Result<L, Malformed> {
        let (offset, size) = r.reference()?;
        if offset == 0 || size == 0 {
            return Ok(L::default());
        }
        r.at(offset, 0, |r| {
            let count = u32::read(r)?;
            r.plausible(count, 4, r.left())?;
            gather(count, r, |r| {
                let element = L::Item::read(r)?;
                r.skip_used();
                Ok(element)
            })
        })
    }
    fn write(&self, values: &L, w: &mut Writer<'_>) {
        w.refer(|w| {
            if !values.all().is_empty() {
                w.append(&u32::try_from(values.all().len()).unwrap_or(u32::MAX).to_le_bytes());
            }
            for value in values.all() {
                w.whole(|w| value.write(w));
            }
        });
    }
    fn check(&self, values: &L, field: &'static str) -> Result<(), EncodeError> {
        check_all(values, field)
    }
    fn value(&self, values: &L, reveal: bool) -> Value {
        list(values.all(), reveal)
    }
    fn disguise(&self, values: &mut L, marked: bool, by: &mut dyn Disguise) {
        values.all_mut().iter_mut().for_each(|value| value.disguise(marked, by));
    }
    #[cfg(any(test, feature = "generate"))]
    fn generate(&self, g: &mut Entropy<'_>) -> L {
        some(g)
    }
}

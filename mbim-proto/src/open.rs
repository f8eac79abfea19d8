//! Numbers with names that stay open: a number without a name is kept and printed as a number.

/// A newtype over a number with named constants. `Display` is the name in kebab-case, or the number.
macro_rules! open_enum {
    ($(#[$meta:meta])* pub $Name:ident : $int:ident { $($(#[$doc:meta])* $CONST:ident = $number:literal $name:literal),* $(,)? }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
        pub struct $Name(pub $int);

        impl $Name {
            $(
                #[doc = concat!("`", $name, "`, ", stringify!($number), ".")]
                $(#[$doc])*
                pub const $CONST: Self = Self($number);
            )*

            /// All known numbers with their names.
            pub const NAMES: &'static [($int, &'static str)] = &[$(($number, $name)),*];

            /// The specification's name in kebab-case, if the number has one.
            pub fn name(self) -> Option<&'static str> {
                Self::NAMES.iter().find(|(number, _)| *number == self.0).map(|(_, name)| *name)
            }
        }

        impl core::fmt::Display for $Name {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                match self.name() {
                    Some(name) => f.pad(name),
                    None => core::fmt::Display::fmt(&self.0, f),
                }
            }
        }

        impl core::fmt::Debug for $Name {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                core::fmt::Display::fmt(self, f)
            }
        }

        impl $crate::codec::Field for $Name {
            fn zero() -> Self {
                Self(0)
            }
            fn read(r: &mut $crate::codec::Reader<'_>) -> Result<Self, $crate::Malformed> {
                <$int as $crate::codec::Field>::read(r).map(Self)
            }
            fn write(&self, w: &mut $crate::codec::Writer<'_>) {
                $crate::codec::Field::write(&self.0, w);
            }
            fn value(&self, _: bool) -> $crate::Value {
                $crate::Value::Enum { number: u64::from(self.0), name: self.name() }
            }
            fn disguise(&mut self, _: bool, _: &mut dyn $crate::Disguise) {}
            #[cfg(any(test, feature = "generate"))]
            fn generate(g: &mut $crate::generate::Entropy<'_>) -> Self {
                Self(<$int as $crate::codec::Field>::generate(g))
            }
        }
    };
}

/// A newtype over a set of bits with named constants. `Display` is the names joined by `|`.
macro_rules! open_flags {
    ($(#[$meta:meta])* pub $Name:ident : $int:ident { $($(#[$doc:meta])* $CONST:ident = $bit:literal $name:literal),* $(,)? }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, Default)]
        pub struct $Name(pub $int);

        impl $Name {
            /// No bit set.
            pub const NONE: Self = Self(0);
            $(
                #[doc = concat!("`", $name, "`, ", stringify!($bit), ".")]
                $(#[$doc])*
                pub const $CONST: Self = Self($bit);
            )*

            /// All known bits with their names.
            pub const NAMES: &'static [(u64, &'static str)] = &[$(($bit, $name)),*];

            /// Whether all bits of `other` are set.
            pub const fn contains(self, other: Self) -> bool {
                self.0 & other.0 == other.0
            }

            /// Whether any bit of `other` is set.
            pub const fn intersects(self, other: Self) -> bool {
                self.0 & other.0 != 0
            }

            /// Whether no bit is set.
            pub const fn is_empty(self) -> bool {
                self.0 == 0
            }
        }

        impl core::ops::BitOr for $Name {
            type Output = Self;
            fn bitor(self, other: Self) -> Self {
                Self(self.0 | other.0)
            }
        }

        impl core::ops::BitAnd for $Name {
            type Output = Self;
            fn bitand(self, other: Self) -> Self {
                Self(self.0 & other.0)
            }
        }

        impl core::fmt::Display for $Name {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                let mut rest = u64::from(self.0);
                let mut first = true;
                for (bit, name) in Self::NAMES.iter().filter(|(bit, _)| u64::from(self.0) & bit == *bit) {
                    write!(f, "{}{name}", if first { "" } else { "|" })?;
                    rest &= !bit;
                    first = false;
                }
                match (rest, first) {
                    (0, true) => f.write_str("none"),
                    (0, false) => Ok(()),
                    (rest, _) => write!(f, "{}{rest:#x}", if first { "" } else { "|" }),
                }
            }
        }

        impl core::fmt::Debug for $Name {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                core::fmt::Display::fmt(self, f)
            }
        }

        impl $crate::codec::Field for $Name {
            fn zero() -> Self {
                Self(0)
            }
            fn read(r: &mut $crate::codec::Reader<'_>) -> Result<Self, $crate::Malformed> {
                <$int as $crate::codec::Field>::read(r).map(Self)
            }
            fn write(&self, w: &mut $crate::codec::Writer<'_>) {
                $crate::codec::Field::write(&self.0, w);
            }
            fn value(&self, _: bool) -> $crate::Value {
                $crate::Value::Flags { bits: u64::from(self.0), names: Self::NAMES }
            }
            fn disguise(&mut self, _: bool, _: &mut dyn $crate::Disguise) {}
            #[cfg(any(test, feature = "generate"))]
            fn generate(g: &mut $crate::generate::Entropy<'_>) -> Self {
                Self(<$int as $crate::codec::Field>::generate(g))
            }
        }
    };
}

pub(crate) use {open_enum, open_flags};

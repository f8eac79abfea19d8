//! Values that must not reach a log: who the subscriber is, and what only the subscriber knows.

use core::fmt;

use zeroize::Zeroize;

macro_rules! hidden {
    ($Name:ident $($bound:tt)*) => {
        impl<T: $($bound)*> $Name<T> {
            /// Hides `value`.
            pub const fn new(value: T) -> Self {
                Self(value)
            }

            /// The value itself. The caller answers for where it goes.
            pub const fn reveal(&self) -> &T {
                &self.0
            }

            /// The value itself, to be changed.
            pub const fn reveal_mut(&mut self) -> &mut T {
                &mut self.0
            }
        }

        impl<T: $($bound)*> From<T> for $Name<T> {
            fn from(value: T) -> Self {
                Self(value)
            }
        }

        impl From<&str> for $Name<alloc::string::String> {
            fn from(value: &str) -> Self {
                Self(value.into())
            }
        }

        impl<T: $($bound)*> fmt::Debug for $Name<T> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("###")
            }
        }
    };
}

/// What identifies a person or a device: IMSI, ICCID, telephone numbers, device ids. `Debug` prints `###`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Personal<T>(T);

hidden!(Personal Sized);

impl<T> Personal<T> {
    /// Takes the value out.
    pub fn into_inner(self) -> T {
        self.0
    }
}

/// What only its owner may know: PIN, PUK, password, activation data. `Debug` prints `###`; wiped when it is let go.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Secret<T: Zeroize>(T);

hidden!(Secret Zeroize);

impl<T: Zeroize + Default> Secret<T> {
    /// Takes the value out, which then is not wiped.
    pub fn into_inner(mut self) -> T {
        core::mem::take(&mut self.0)
    }
}

impl<T: Zeroize> Drop for Secret<T> {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::{format, string::String};

    #[test]
    fn debug_tells_nothing() {
        let imsi = Personal::<String>::from("001010123456789");
        assert_eq!(format!("{imsi:?}"), "###");
        assert_eq!(imsi.reveal(), "001010123456789");
        assert_eq!(format!("{:?}", Secret::new(1234)), "###");
        assert_eq!(Secret::new(1234).into_inner(), 1234);
    }

    /// Whatever is let go of, wiped.
    #[test]
    fn secrets_are_wiped() {
        struct Witness<'a>(&'a core::cell::Cell<u32>);
        impl Zeroize for Witness<'_> {
            fn zeroize(&mut self) {
                self.0.set(self.0.get() + 1);
            }
        }
        let wiped = core::cell::Cell::new(0);
        let secret = Some(Secret::new(Witness(&wiped)));
        assert_eq!(wiped.get(), 0);
        drop(secret);
        assert_eq!(wiped.get(), 1);
    }
}

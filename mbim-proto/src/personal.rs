//! Values that must not reach a log: who the subscriber is, and what only the subscriber knows.

use core::fmt;

macro_rules! hidden {
    ($(#[$meta:meta])* $Name:ident) => {
        $(#[$meta])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
        pub struct $Name<T>(T);

        impl<T> $Name<T> {
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

            /// Takes the value out.
            pub fn into_inner(self) -> T {
                self.0
            }
        }

        impl<T> From<T> for $Name<T> {
            fn from(value: T) -> Self {
                Self(value)
            }
        }

        impl From<&str> for $Name<alloc::string::String> {
            fn from(value: &str) -> Self {
                Self(value.into())
            }
        }

        impl<T> fmt::Debug for $Name<T> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("###")
            }
        }
    };
}

hidden! {
    /// What identifies a person or a device: IMSI, ICCID, telephone numbers, device ids. `Debug` prints `###`.
    Personal
}

hidden! {
    /// What only its owner may know: PIN, PUK, password. `Debug` prints `###`.
    Secret
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
}

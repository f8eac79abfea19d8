//! Values that must not be printed: secrets and what identifies a person. [PROV 12.9]

use core::fmt;
use std::borrow::Cow;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use zeroize::Zeroize;

/// A password, key or activation BLOB. `Debug` prints `###`; there is no `Display` and no
/// serialisation of its own. Wiped when it is let go.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Secret<T: Zeroize>(T);

impl<T: Zeroize> Drop for Secret<T> {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

/// What identifies a subscriber or a device. `Debug` prints `###`.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Personal<T>(T);

/// Text of a document while it is looked at: a copy is wiped, what is borrowed is its owner's.
pub(crate) struct Passing<'a>(pub(crate) Cow<'a, str>);

impl core::ops::Deref for Passing<'_> {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl Drop for Passing<'_> {
    fn drop(&mut self) {
        if let Cow::Owned(text) = &mut self.0 {
            text.zeroize();
        }
    }
}

macro_rules! hidden {
    ($name:ident, $($bound:tt)*) => {
        impl<T: $($bound)*> $name<T> {
            /// Wraps a value.
            pub const fn new(value: T) -> Self {
                Self(value)
            }

            /// The value, for the one place that needs it.
            pub const fn reveal(&self) -> &T {
                &self.0
            }
        }

        impl<T: $($bound)*> From<T> for $name<T> {
            fn from(value: T) -> Self {
                Self(value)
            }
        }

        impl<T: $($bound)*> fmt::Debug for $name<T> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("###")
            }
        }
    };
}

hidden!(Secret, Zeroize);
hidden!(Personal, Sized);

impl Personal<String> {
    /// First five and last two characters, the rest as `*`; a value of seven characters or fewer
    /// is all `*`. [PROV 12.9]
    #[must_use]
    pub fn masked(&self) -> String {
        let count = self.0.chars().count();
        self.0.chars().enumerate().map(|(i, c)| if count > 7 && (i < 5 || i + 2 >= count) { c } else { '*' }).collect()
    }
}

/// `#[serde(with = "private::stored")]`: a secret goes into the protected store in clear. A field
/// that says so is the only way to serialise one.
pub(crate) mod stored {
    use super::{Deserialize, Deserializer, Secret, Serialize, Serializer, Zeroize};

    pub(crate) fn serialize<T: Serialize + Zeroize, S: Serializer>(
        value: &Secret<T>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        value.0.serialize(serializer)
    }

    pub(crate) fn deserialize<'de, T: Deserialize<'de> + Zeroize, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Secret<T>, D::Error> {
        T::deserialize(deserializer).map(Secret)
    }
}

/// The same for a secret that may be absent.
pub(crate) mod stored_option {
    use super::{Deserialize, Deserializer, Secret, Serialize, Serializer, Zeroize};

    pub(crate) fn serialize<T: Serialize + Zeroize, S: Serializer>(
        value: &Option<Secret<T>>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        value.as_ref().map(Secret::reveal).serialize(serializer)
    }

    pub(crate) fn deserialize<'de, T: Deserialize<'de> + Zeroize, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<Secret<T>>, D::Error> {
        Option::<T>::deserialize(deserializer).map(|value| value.map(Secret))
    }
}

/// A personal value in the protected store.
pub(crate) mod stored_personal {
    use super::{Deserialize, Deserializer, Personal, Serialize, Serializer};

    pub(crate) fn serialize<T: Serialize, S: Serializer>(
        value: &Personal<T>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        value.0.serialize(serializer)
    }

    pub(crate) fn deserialize<'de, T: Deserialize<'de>, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Personal<T>, D::Error> {
        T::deserialize(deserializer).map(Personal)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_prints() {
        assert_eq!(format!("{:?}", Secret::new("hunter2".to_owned())), "###");
        assert_eq!(format!("{:?}", Some(Personal::new(1))), "Some(###)");
        assert_eq!(Personal::new("001010123456789".to_owned()).masked(), "00101********89");
        assert_eq!(Personal::new("1234567".to_owned()).masked(), "*******");
    }
}

//! Dictionaries that callers send: bounded, typed, and no key goes unread.

use std::collections::HashMap;

use zbus::{OwnedVariant, Variant};

use super::failure::Failure;

/// Most keys that a dictionary may hold.
const KEYS: usize = 16;

/// Most octets of one text value.
pub(super) const TEXT: usize = 255;

/// A dictionary of options, used up key by key.
pub(super) struct Options(HashMap<String, OwnedVariant>);

impl Options {
    pub(super) fn new(options: HashMap<String, OwnedVariant>) -> Result<Self, Failure> {
        if options.len() > KEYS {
            return Err(Failure::invalid(format!("More than {KEYS} options.")));
        }
        Ok(Self(options))
    }

    /// Text of at most `limit` octets without control characters.
    pub(super) fn text(&mut self, key: &str, limit: usize) -> Result<Option<String>, Failure> {
        let Some(value) = self.0.remove(key) else { return Ok(None) };
        let Variant::Str(text) = &*value else { return Err(wrong(key, "a text")) };
        if text.len() > limit || text.chars().any(char::is_control) {
            return Err(Failure::invalid(format!("Option {key:?}: at most {limit} octets, no control characters.")));
        }
        Ok(Some(text.to_string()))
    }

    /// One of several words.
    pub(super) fn word<T: Copy>(&mut self, key: &str, words: &[(&str, T)]) -> Result<Option<T>, Failure> {
        let Some(text) = self.text(key, TEXT)? else { return Ok(None) };
        let found = words.iter().find(|(word, _)| *word == text).map(|(_, value)| *value);
        found.map(Some).ok_or_else(|| {
            let list: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
            Failure::invalid(format!("Option {key:?}: one of {}.", list.join(", ")))
        })
    }

    pub(super) fn flag(&mut self, key: &str) -> Result<Option<bool>, Failure> {
        match self.0.remove(key).as_deref() {
            None => Ok(None),
            Some(Variant::Bool(flag)) => Ok(Some(*flag)),
            Some(_) => Err(wrong(key, "true or false")),
        }
    }

    pub(super) fn number(&mut self, key: &str) -> Result<Option<u32>, Failure> {
        match self.0.remove(key).as_deref() {
            None => Ok(None),
            Some(Variant::U32(number)) => Ok(Some(*number)),
            Some(_) => Err(wrong(key, "an unsigned number of 32 bits")),
        }
    }

    pub(super) fn path(&mut self, key: &str) -> Result<Option<String>, Failure> {
        match self.0.remove(key).as_deref() {
            None => Ok(None),
            Some(Variant::ObjectPath(path)) => Ok(Some(path.to_string())),
            Some(_) => Err(wrong(key, "an object path")),
        }
    }

    /// Every key was read.
    pub(super) fn finish(self) -> Result<(), Failure> {
        let mut left: Vec<String> =
            self.0.into_keys().map(|key| key.chars().take(40).flat_map(char::escape_default).collect()).collect();
        left.sort();
        match left.as_slice() {
            [] => Ok(()),
            keys => Err(Failure::invalid(format!("Unknown option: {}.", keys.join(", ")))),
        }
    }
}

fn wrong(key: &str, what: &str) -> Failure {
    Failure::invalid(format!("Option {key:?}: has to be {what}."))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(list: &[(&str, Variant<'_>)]) -> Options {
        let map = list.iter().map(|(key, value)| ((*key).to_owned(), OwnedVariant::try_from(value).unwrap())).collect();
        Options::new(map).unwrap()
    }

    #[test]
    fn values_are_typed_and_bounded() {
        let mut given = options(&[("apn", "internet".into()), ("n", 7u32.into()), ("f", true.into())]);
        assert_eq!(given.text("apn", 100).unwrap().as_deref(), Some("internet"));
        assert_eq!(given.number("n").unwrap(), Some(7));
        assert_eq!(given.flag("f").unwrap(), Some(true));
        assert_eq!(given.flag("absent").unwrap(), None);
        given.finish().unwrap();

        assert!(options(&[("apn", "x".repeat(101).into())]).text("apn", 100).is_err());
        assert!(options(&[("apn", "a\nb".into())]).text("apn", 100).is_err());
        assert!(options(&[("apn", 1u32.into())]).text("apn", 100).is_err());
        assert!(options(&[("f", "true".into())]).flag("f").is_err());
        assert!(options(&[("n", (-1i32).into())]).number("n").is_err());
        assert!(options(&[("a", "z".into())]).word("a", &[("x", 1), ("y", 2)]).is_err());
    }

    #[test]
    fn unknown_keys_are_named() {
        let failure = options(&[("roming", "any".into())]).finish().unwrap_err();
        assert_eq!(failure, Failure::invalid("Unknown option: roming."));
    }

    #[test]
    fn too_many_keys_are_refused() {
        let map = (0..=KEYS).map(|n| (n.to_string(), OwnedVariant::from(0u32))).collect();
        assert!(Options::new(map).is_err());
    }
}

//! Settings as words on the command line and as values on the bus.

use zbus::Variant;

use crate::failure::Failure;

/// What the words of `mbimctl settings` ask for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Request {
    pub(crate) modem: Option<String>,
    pub(crate) action: Action,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Action {
    /// Show all, or one.
    Get(Option<String>),
    /// Change one.
    Set { key: String, value: String },
}

/// Keys, in the order of the documentation.
pub(crate) const KEYS: [&str; 9] =
    ["autoconnect", "roaming", "apn", "metric", "pin-store", "operator", "plan", "metered", "hand-over"];

/// The value that takes a setting back.
const DEFAULT: &str = "default";

impl Request {
    /// Reads `[MODEM] [get [KEY] | set KEY VALUE]`.
    pub(crate) fn parse(words: &[String]) -> Result<Self, Failure> {
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let (modem, rest) = match words.as_slice() {
            [] | ["get" | "set", ..] => (None, words.as_slice()),
            [modem, rest @ ..] => (Some((*modem).to_owned()), rest),
        };
        let action = match rest {
            [] | ["get"] => Action::Get(None),
            ["get", key] => Action::Get(Some(known(key)?)),
            ["set", key, value] => Action::Set { key: known(key)?, value: (*value).to_owned() },
            _ => return Err(Failure::usage("settings takes [MODEM] [get [KEY] | set KEY VALUE]")),
        };
        Ok(Self { modem, action })
    }
}

fn known(key: &str) -> Result<String, Failure> {
    let spelled = key.replace('_', "-");
    if KEYS.contains(&spelled.as_str()) {
        return Ok(spelled);
    }
    Err(Failure::usage(format!("there is no setting {key:?}; there are {}", KEYS.join(", "))))
}

/// The value as it goes to the daemon; `None` = take the setting back.
pub(crate) fn value(key: &str, word: &str) -> Result<Option<Variant<'static>>, Failure> {
    if word == DEFAULT {
        return Ok(None);
    }
    let wrong = |right: &str| Failure::usage(format!("{key} takes {right} or {DEFAULT}, not {word:?}"));
    Ok(Some(match key {
        "autoconnect" | "pin-store" | "metered" => match word {
            "true" | "yes" | "on" => true.into(),
            "false" | "no" | "off" => false.into(),
            _ => return Err(wrong("yes, no")),
        },
        "roaming" => match word {
            "home" | "partner" | "any" => word.to_owned().into(),
            _ => return Err(wrong("home, partner, any")),
        },
        "hand-over" => match word {
            "ask" | "always" | "never-identify" => word.to_owned().into(),
            _ => return Err(wrong("ask, always, never-identify")),
        },
        "plan" => match word {
            "unknown" | "prepaid" | "postpaid" => word.to_owned().into(),
            _ => return Err(wrong("prepaid, postpaid, unknown")),
        },
        "operator" if !word.contains('/') => return Err(wrong("COUNTRY/NAME, as `mbimctl explain` lists them,")),
        "metric" => word.parse::<u32>().map_err(|_| wrong("a number from 0 to 4294967295"))?.into(),
        _ => word.to_owned().into(),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Request, Failure> {
        Request::parse(&text.split_whitespace().map(str::to_owned).collect::<Vec<_>>())
    }

    #[test]
    fn the_modem_may_stand_before_the_verb() {
        let get = |modem: Option<&str>, key: Option<&str>| Request {
            modem: modem.map(str::to_owned),
            action: Action::Get(key.map(str::to_owned)),
        };
        assert_eq!(parse("").unwrap(), get(None, None));
        assert_eq!(parse("get").unwrap(), get(None, None));
        assert_eq!(parse("0").unwrap(), get(Some("0"), None));
        assert_eq!(parse("wwan0 get metric").unwrap(), get(Some("wwan0"), Some("metric")));
        let set = Action::Set { key: "pin-store".into(), value: "yes".into() };
        assert_eq!(parse("set pin_store yes").unwrap(), Request { modem: None, action: set.clone() });
        assert_eq!(parse("1 set pin-store yes").unwrap(), Request { modem: Some("1".into()), action: set });
    }

    #[test]
    fn wrong_words_are_usage_errors() {
        for text in ["set", "set roaming", "set colour red", "0 1", "get x", "0 set roaming any more"] {
            assert_eq!(parse(text).unwrap_err().status(), 2, "{text}");
        }
        for (key, word) in [
            ("metric", "-1"),
            ("metric", "many"),
            ("roaming", "maybe"),
            ("autoconnect", "2"),
            ("plan", "x"),
            ("operator", "x"),
        ] {
            assert_eq!(value(key, word).unwrap_err().status(), 2, "{key} {word}");
        }
        assert_eq!(value("metric", "default").unwrap(), None);
        assert_eq!(value("metric", "7").unwrap(), Some(Variant::U32(7)));
        assert_eq!(value("apn", "internet").unwrap(), Some(Variant::from("internet")));
    }
}

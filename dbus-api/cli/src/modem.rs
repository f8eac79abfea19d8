//! One modem with everything that is public of it, fetched with one call.

use std::collections::HashMap;

use dbus_api::name;
use dbus_api::value::{self, Details};
use zbus::fdo::ObjectManagerProxy;
use zbus::{Connection, OwnedObjectPath, Variant};

use crate::failure::Failure;

/// A modem as the daemon shows it.
#[derive(Debug, Default)]
pub(crate) struct Modem {
    pub(crate) number: u32,
    pub(crate) path: OwnedObjectPath,
    pub(crate) modem: Details,
    pub(crate) sim: Details,
    pub(crate) connection: Details,
    pub(crate) connectivity: Details,
}

impl Modem {
    pub(crate) fn text(&self, key: &str) -> String {
        value::text(&self.modem, key).unwrap_or_default()
    }

    /// The state in one word: whose the modem is, where it is not the daemon's.
    pub(crate) fn state(&self) -> String {
        match self.text("Custody") {
            custody if custody.is_empty() || custody == "held" => self.text("StateName"),
            custody => custody,
        }
    }

    /// The connections of sessions above 0.
    pub(crate) fn sessions(&self) -> Vec<Details> {
        self.dictionaries("Sessions")
    }

    /// Contexts that the operator's documents name.
    pub(crate) fn contexts(&self) -> Vec<Details> {
        self.dictionaries("Contexts")
    }

    fn dictionaries(&self, property: &str) -> Vec<Details> {
        let list = self.connection.get(property).and_then(|list| list.try_clone().ok());
        list.and_then(|list| Variant::from(list).try_into().ok()).unwrap_or_default()
    }

    /// Whether the daemon has it, as far as it tells.
    fn is_held(&self) -> bool {
        ["", "held"].contains(&self.text("Custody").as_str())
    }

    /// Whether a word on the command line means this modem: number, path, port, interface or USB id.
    fn is_called(&self, word: &str) -> bool {
        word == self.number.to_string()
            || word == self.path.as_str()
            || ["ControlPort", "DataPort", "PhysicalDevice", "UsbId"].into_iter().any(|key| self.text(key) == word)
    }
}

/// All modems, by number.
pub(crate) async fn all(connection: &Connection) -> Result<Vec<Modem>, Failure> {
    let builder = ObjectManagerProxy::builder(connection).destination(name::SERVICE).path(dbus_api::path::ROOT);
    let objects = builder.build().await?.get_managed_objects().await?;
    let mut modems: Vec<Modem> = objects
        .into_iter()
        .filter_map(|(path, interfaces)| {
            let number = dbus_api::path::modem_number(path.as_str())?;
            let mut interfaces: HashMap<String, Details> =
                interfaces.into_iter().map(|(name, properties)| (name.to_string(), properties)).collect();
            let mut take = |name| interfaces.remove(name).unwrap_or_default();
            Some(Modem {
                number,
                path,
                modem: take(name::MODEM),
                sim: take(name::SIM),
                connection: take(name::CONNECTION),
                connectivity: take(name::CONNECTIVITY),
            })
        })
        .collect();
    modems.sort_by_key(|modem| modem.number);
    Ok(modems)
}

/// The modem that was named, or the only one that the daemon has, or the only one.
pub(crate) async fn pick(connection: &Connection, word: Option<&str>) -> Result<Modem, Failure> {
    let mut modems = all(connection).await?;
    let Some(word) = word else {
        // Those that are left to others or are gone for the moment count only where there is no other.
        if modems.iter().any(Modem::is_held) {
            modems.retain(Modem::is_held);
        }
        return match modems.len() {
            1 => Ok(modems.remove(0)),
            0 => Err(Failure::no_modem("there is no modem").next("plug one in, then mbimctl list")),
            several => {
                let list: Vec<String> = modems.iter().map(|modem| modem.number.to_string()).collect();
                Err(Failure::usage(format!("there are {several} modems ({}): name one", list.join(", ")))
                    .next("mbimctl list"))
            }
        };
    };
    let found = modems.into_iter().find(|modem| modem.is_called(word));
    found.ok_or_else(|| Failure::no_modem(format!("there is no modem {word:?}")).next("mbimctl list"))
}

/// Whether a flag of a dictionary is set.
pub(crate) fn flag(details: &Details, key: &str) -> bool {
    matches!(details.get(key).map(|value| &**value), Some(Variant::Bool(true)))
}

/// A number; `None` when absent.
pub(crate) fn number(details: &Details, key: &str) -> Option<u32> {
    match details.get(key).map(|value| &**value) {
        Some(Variant::U32(number)) => Some(*number),
        _ => None,
    }
}

/// A list of texts; empty when absent.
pub(crate) fn texts(details: &Details, key: &str) -> Vec<String> {
    match details.get(key).map(|value| &**value) {
        Some(Variant::Array(array)) => array
            .iter()
            .filter_map(|item| match item {
                Variant::Str(text) => Some(text.to_string()),
                _ => None,
            })
            .collect(),
        _ => Vec::new(),
    }
}

/// Code and sentence of a reason; `None` when there is nothing to say.
pub(crate) fn reason(details: &Details, key: &str) -> Option<(String, String)> {
    let value = details.get(key)?.try_clone().ok()?;
    let pair: (String, String) = Variant::from(value).try_into().ok()?;
    (!pair.0.is_empty() || !pair.1.is_empty()).then_some(pair)
}

//! Values that travel as dictionaries, as types.

use std::collections::{BTreeMap, HashMap};

use zbus::{OwnedVariant, Variant};

/// A dictionary as it travels.
pub type Details = HashMap<String, OwnedVariant>;

/// One provisioning job, as `org.mbimd.Mbimd1.Provisioning` describes it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Job {
    /// Number; 0 for a dry run.
    pub id: u32,
    /// Path of the modem that it concerns; `None` where there is none.
    pub modem: Option<String>,
    /// `queued`, `applying`, `activating`, `done` or `failed`.
    pub state: String,
    /// Steps in their order.
    pub steps: Vec<Step>,
    /// Whether everything was provisioned; `None` until known.
    pub all_elements_provisioned: Option<bool>,
    /// Code and text when the document as a whole was refused.
    pub error: Option<(u32, String)>,
    /// Outcome of the activation, 0 = done; `None` while pending or without one.
    pub activation: Option<u32>,
    /// Results document; `None` until it exists or where it is not given.
    pub results_xml: Option<String>,
}

/// One step of a job.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Step {
    /// Stable name.
    pub id: String,
    /// What it does, for a person.
    pub what: String,
    /// `pending`, `applied`, `kept` (stored, with a warning), `unchanged`, `refused`, `failed`, `scheduled`, `running` or
    /// `cancelled`.
    pub outcome: String,
    /// Code and text of a failure; empty otherwise.
    pub error: String,
}

impl Job {
    /// Reads the dictionary; keys that are absent or of another type count as not known.
    #[must_use]
    pub fn from_details(details: &Details) -> Self {
        let steps = match details.get("steps").map(|value| &**value) {
            Some(Variant::Array(array)) => array.iter().map(Step::from_variant).collect(),
            _ => Vec::new(),
        };
        let error = match (number(details, "error-code"), text(details, "error")) {
            (None, None) => None,
            (code, text) => Some((code.unwrap_or_default(), text.unwrap_or_default())),
        };
        Self {
            id: number(details, "id").unwrap_or_default(),
            modem: details.get("modem").and_then(|value| match &**value {
                Variant::ObjectPath(path) => Some(path.to_string()),
                _ => None,
            }),
            state: text(details, "state").unwrap_or_default(),
            steps,
            all_elements_provisioned: details.get("all-elements-provisioned").and_then(|value| match **value {
                Variant::Bool(flag) => Some(flag),
                _ => None,
            }),
            error,
            activation: number(details, "activation"),
            results_xml: text(details, "results-xml"),
        }
    }

    /// The dictionary. `results_xml` is put in when it is there: who publishes takes it out first.
    #[must_use]
    pub fn to_details(&self) -> Details {
        let mut details = Details::new();
        let mut put = |key: &str, value: Variant<'_>| {
            if let Ok(value) = OwnedVariant::try_from(value) {
                details.insert(key.to_owned(), value);
            }
        };
        put("id", self.id.into());
        put("state", self.state.as_str().into());
        if let Some(path) = self.modem.as_deref().and_then(|path| zbus::ObjectPath::try_from(path).ok()) {
            put("modem", path.into());
        }
        let steps: Vec<HashMap<&str, &str>> = self.steps.iter().map(Step::to_dict).collect();
        put("steps", Variant::new(steps));
        if let Some(flag) = self.all_elements_provisioned {
            put("all-elements-provisioned", flag.into());
        }
        if let Some((code, message)) = &self.error {
            put("error-code", (*code).into());
            put("error", message.as_str().into());
        }
        if let Some(code) = self.activation {
            put("activation", code.into());
        }
        if let Some(xml) = &self.results_xml {
            put("results-xml", xml.as_str().into());
        }
        details
    }

    /// Nothing more will happen.
    #[must_use]
    pub fn ended(&self) -> bool {
        matches!(self.state.as_str(), "done" | "failed")
    }
}

impl Step {
    fn from_variant(value: &Variant<'_>) -> Self {
        let dict: HashMap<String, String> =
            value.try_clone().ok().and_then(|value| value.try_into().ok()).unwrap_or_default();
        let field = |key: &str| dict.get(key).cloned().unwrap_or_default();
        Self { id: field("id"), what: field("what"), outcome: field("outcome"), error: field("error") }
    }

    fn to_dict(&self) -> HashMap<&'static str, &str> {
        HashMap::from([
            ("id", self.id.as_str()),
            ("what", self.what.as_str()),
            ("outcome", self.outcome.as_str()),
            ("error", self.error.as_str()),
        ])
    }
}

/// Text under a key; `None` when it is absent or of another type.
#[must_use]
pub fn text(details: &Details, key: &str) -> Option<String> {
    match details.get(key).map(|value| &**value) {
        Some(Variant::Str(text)) => Some(text.to_string()),
        _ => None,
    }
}

/// Unsigned number of 32 bits under a key; `None` when it is absent or of another type.
#[must_use]
pub fn number(details: &Details, key: &str) -> Option<u32> {
    match details.get(key).map(|value| &**value) {
        Some(Variant::U32(number)) => Some(*number),
        _ => None,
    }
}

/// Dictionary of texts under a key, in the order of its keys; empty when it is absent or of another type.
#[must_use]
pub fn texts(details: &Details, key: &str) -> BTreeMap<String, String> {
    let Some(Variant::Dict(dict)) = details.get(key).map(|value| &**value) else { return BTreeMap::new() };
    let pairs = dict.iter().filter_map(|pair| match pair {
        (Variant::Str(key), Variant::Str(text)) => Some((key.to_string(), text.to_string())),
        _ => None,
    });
    pairs.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_job_survives_the_journey() {
        let job = Job {
            id: 3,
            modem: Some("/org/mbimd/Mbimd1/modem/0".into()),
            state: "done".into(),
            steps: vec![Step {
                id: "default-profile".into(),
                what: "store".into(),
                outcome: "done".into(),
                error: String::new(),
            }],
            all_elements_provisioned: Some(true),
            error: None,
            activation: Some(0),
            results_xml: Some("<r/>".into()),
        };
        assert_eq!(Job::from_details(&job.to_details()), job);
        assert!(job.ended());
        assert_eq!(Job::from_details(&Details::new()), Job::default());
    }

    #[test]
    fn dictionaries_of_texts() {
        let inner = HashMap::from([("hwid", "MBOP:1:"), ("spn", "kids")]);
        let details = Details::from([("selectors".to_owned(), OwnedVariant::try_from(Variant::from(inner)).unwrap())]);
        let pairs: Vec<(String, String)> = texts(&details, "selectors").into_iter().collect();
        assert_eq!(pairs, [("hwid".into(), "MBOP:1:".into()), ("spn".into(), "kids".into())]);
        assert!(texts(&details, "other").is_empty());
    }

    #[test]
    fn keys_of_another_type_count_as_unknown() {
        let details = Details::from([
            ("id".to_owned(), OwnedVariant::from(true)),
            ("steps".to_owned(), OwnedVariant::from(1u32)),
        ]);
        assert_eq!(Job::from_details(&details), Job::default());
    }
}

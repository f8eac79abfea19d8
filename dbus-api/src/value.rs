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
    /// Number of the document in the history; `None` until it is there.
    pub document: Option<u32>,
    /// `fetching`, `queued`, `asking`, `applying`, `activating`, `done` or `failed`.
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
            document: number(details, "document"),
            state: text(details, "state").unwrap_or_default(),
            steps: Step::all(details),
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
        put("steps", Step::to_dicts(&self.steps));
        if let Some(document) = self.document {
            put("document", document.into());
        }
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
    fn all(details: &Details) -> Vec<Self> {
        match details.get("steps").map(|value| &**value) {
            Some(Variant::Array(array)) => array.iter().map(Self::from_variant).collect(),
            _ => Vec::new(),
        }
    }

    fn to_dicts(steps: &[Self]) -> Variant<'_> {
        Variant::new(steps.iter().map(Self::to_dict).collect::<Vec<_>>())
    }

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

/// One document of the history, as `org.mbimd.Mbimd1.Provisioning` describes it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Document {
    /// Number, never used again.
    pub id: u32,
    /// When it came, seconds since 1970.
    pub time: u64,
    /// `app`, `website`, `refresh` or `administrator`.
    pub source: String,
    /// Name of the administrator's file.
    pub file: Option<String>,
    /// SHA-256 of the octets that came.
    pub digest: String,
    /// GUID of the operator, in braces.
    pub carrier_id: Option<String>,
    /// The customer, masked.
    pub subscriber: Option<String>,
    /// Subject of the signer's certificate.
    pub signer: Option<String>,
    /// SHA-256 of that certificate.
    pub fingerprint: Option<String>,
    /// What it came to as a whole; 0 = taken.
    pub code: u32,
    /// Why it was not taken; empty otherwise.
    pub reason: String,
    /// Whether no element failed.
    pub all_elements_provisioned: bool,
    /// Outcome of the activation, 0 = done; `None` while pending or without one.
    pub activation: Option<u32>,
    /// Whether what it set was taken away.
    pub removed: bool,
    /// When a newer one is asked for; `None` where nobody said where it is.
    pub refresh: Option<Refresh>,
    /// Steps without what they do; empty in a list.
    pub steps: Vec<Step>,
}

/// When a newer document is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refresh {
    /// When somebody asks for it.
    OnDemand,
    /// Then, seconds since 1970.
    At(u64),
    /// As soon as the SIM is online.
    Due,
}

impl Document {
    /// Reads the dictionary; keys that are absent or of another type count as not known.
    #[must_use]
    pub fn from_details(details: &Details) -> Self {
        let flag = |key: &str| matches!(details.get(key).map(|value| &**value), Some(Variant::Bool(true)));
        let time = |key: &str| match details.get(key).map(|value| &**value) {
            Some(Variant::U64(time)) => Some(*time),
            _ => None,
        };
        Self {
            id: number(details, "id").unwrap_or_default(),
            time: time("time").unwrap_or_default(),
            source: text(details, "source").unwrap_or_default(),
            file: text(details, "file"),
            digest: text(details, "digest").unwrap_or_default(),
            carrier_id: text(details, "carrier-id"),
            subscriber: text(details, "subscriber"),
            signer: text(details, "signer"),
            fingerprint: text(details, "fingerprint"),
            code: number(details, "code").unwrap_or_default(),
            reason: text(details, "reason").unwrap_or_default(),
            all_elements_provisioned: flag("all-elements-provisioned"),
            activation: number(details, "activation"),
            removed: flag("removed"),
            refresh: match (text(details, "refresh").as_deref(), time("refresh-time")) {
                (Some("on-demand"), _) => Some(Refresh::OnDemand),
                (Some("due"), _) => Some(Refresh::Due),
                (Some("scheduled"), Some(at)) => Some(Refresh::At(at)),
                _ => None,
            },
            steps: Step::all(details),
        }
    }

    /// The dictionary.
    #[must_use]
    pub fn to_details(&self) -> Details {
        let mut details = Details::new();
        let mut put = |key: &str, value: Variant<'_>| {
            if let Ok(value) = OwnedVariant::try_from(value) {
                details.insert(key.to_owned(), value);
            }
        };
        put("id", self.id.into());
        put("time", self.time.into());
        put("source", self.source.as_str().into());
        put("digest", self.digest.as_str().into());
        put("code", self.code.into());
        put("reason", self.reason.as_str().into());
        put("all-elements-provisioned", self.all_elements_provisioned.into());
        put("removed", self.removed.into());
        let texts = [
            ("file", &self.file),
            ("carrier-id", &self.carrier_id),
            ("subscriber", &self.subscriber),
            ("signer", &self.signer),
            ("fingerprint", &self.fingerprint),
        ];
        for (key, text) in texts {
            if let Some(text) = text {
                put(key, text.as_str().into());
            }
        }
        if let Some(code) = self.activation {
            put("activation", code.into());
        }
        if let Some(refresh) = self.refresh {
            put("refresh", refresh.word().into());
        }
        if let Some(Refresh::At(at)) = self.refresh {
            put("refresh-time", at.into());
        }
        if !self.steps.is_empty() {
            put("steps", Step::to_dicts(&self.steps));
        }
        details
    }
}

impl Refresh {
    const fn word(self) -> &'static str {
        match self {
            Self::OnDemand => "on-demand",
            Self::At(_) => "scheduled",
            Self::Due => "due",
        }
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
            document: Some(9),
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
    fn a_document_survives_the_journey() {
        for refresh in [None, Some(Refresh::OnDemand), Some(Refresh::At(1_780_272_000)), Some(Refresh::Due)] {
            let some = |text: &str| Some(text.to_owned());
            let document = Document {
                id: 3,
                time: 1_780_000_000,
                source: "administrator".into(),
                file: some("10.xml"),
                digest: "d".into(),
                carrier_id: some("{c}"),
                subscriber: some("00101********89"),
                signer: some("CN=s"),
                fingerprint: some("f"),
                code: 0x8217_0005,
                reason: "r".into(),
                all_elements_provisioned: true,
                activation: Some(0),
                removed: true,
                refresh,
                steps: vec![Step { id: "commit".into(), outcome: "applied".into(), ..Step::default() }],
            };
            assert_eq!(Document::from_details(&document.to_details()), document);
        }
        assert_eq!(Document::from_details(&Details::new()), Document::default());
        assert_eq!(Document::from_details(&Document::default().to_details()), Document::default());
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

//! What of a selector may be told: which attributes hold, and their values where few SIMs are not meant. `[OPER 2.3]`

use core::fmt;

use crate::database::Database;
use crate::database::record::Select;
use crate::hwid::{Hwid, LONGEST_PRINTED};

/// Stands for a value that is not told.
const HIDDEN: &str = "###";

/// An attribute of a select element that holds for the SIM.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Held {
    /// Name of the attribute, as overlay files have it.
    pub attribute: &'static str,
    /// What the record asks for; `###` in place of all, or of its end, where it stands for few SIMs.
    pub value: String,
}

impl fmt::Display for Held {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.attribute, self.value)
    }
}

/// Makes of a value what may be told of it.
type Tell = fn(&str) -> String;

/// The attributes of a select element that holds, the strongest first.
pub(crate) fn held(database: &Database, select: &Select) -> Vec<Held> {
    let hidden = |_: &str| HIDDEN.to_owned();
    let short = |text: &str| if text.len() <= LONGEST_PRINTED { text.to_owned() } else { HIDDEN.to_owned() };
    let hwid = |text: &str| Hwid::parse(text).map_or_else(|| HIDDEN.to_owned(), |hwid| hwid.to_string());
    let attributes: [(_, _, Tell); 12] = [
        ("iccid-from", select.iccid_from, hidden),
        ("iccid-to", select.iccid_to, hidden),
        ("iccid-prefix", select.iccid_prefix, short),
        ("imsi-from", select.imsi_from, hidden),
        ("imsi-to", select.imsi_to, hidden),
        ("imsi-prefix", select.imsi_prefix, short),
        ("hwid", select.hwid, hwid),
        ("gid1", select.gid1, short),
        ("gid2", select.gid2, short),
        ("spn", select.spn, str::to_owned),
        ("pnn", select.pnn, str::to_owned),
        ("provider-name", select.provider_name, str::to_owned),
    ];
    let told = attributes.into_iter().filter_map(|(attribute, wanted, tell)| {
        let value = tell(database.text(wanted?));
        Some(Held { attribute, value })
    });
    told.collect()
}

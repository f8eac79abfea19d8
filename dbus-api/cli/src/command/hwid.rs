//! `mbimctl hwid`.

use daemon_operator::hwid;
use daemon_operator::identity::{CellClass, Identity, Reported};
use serde_json::json;

use crate::arguments::{self, Hwid};
use crate::failure::Failure;
use crate::show::{Output, table};

pub(crate) fn run(question: &Hwid, output: Output) -> Result<(), Failure> {
    let identity = identity(reported(question))?;
    let set = hwid::device_set(&identity);
    let list: Vec<_> = set
        .iter()
        .map(|entry| json!({ "criterion": entry.criterion.as_str(), "value": entry.hwid.as_str() }))
        .collect();
    output.print(&json!({ "hwids": list }), || {
        let rows = set.iter().map(|entry| [entry.criterion.as_str().to_owned(), entry.hwid.as_str().to_owned()]);
        table(&rows.collect::<Vec<_>>())
    });
    Ok(())
}

/// The options as a modem would report them.
pub(super) fn reported(question: &Hwid) -> Reported<'_> {
    Reported {
        cell_class: match question.cell_class {
            arguments::CellClass::Gsm => CellClass::Gsm,
            arguments::CellClass::Cdma => CellClass::Cdma,
        },
        subscriber_id: &question.imsi,
        iccid: &question.iccid,
        provider_id: &question.provider_id,
        provider_name: &question.provider_name,
        sid: &question.sid,
        ..Reported::default()
    }
}

/// Checks the values as the daemon does; what it would drop is told on standard error.
pub(super) fn identity(reported: Reported<'_>) -> Result<Identity, Failure> {
    let (identity, findings) = Identity::normalise(&reported);
    for finding in findings {
        eprintln!("mbimctl: {finding}");
    }
    Ok(identity)
}

//! `mbimctl portal-url`.

use daemon_operator::identity::{CdmaDevice, Iccid, Imei, Imsi, Min, Parsed};
use daemon_operator::{Parameters, hand_over};
use serde_json::json;

use crate::arguments::PortalUrl;
use crate::failure::Failure;
use crate::qr::Qr;
use crate::show::Output;

pub(crate) fn run(question: &PortalUrl, output: Output) -> Result<(), Failure> {
    let imsi = checked("--imsi", question.imsi.as_deref(), Imsi::parse)?;
    let min = checked("--min", question.min.as_deref(), Min::parse)?;
    let imei = checked("--imei", question.imei.as_deref(), Imei::parse)?;
    let meid = checked("--meid", question.meid.as_deref(), CdmaDevice::parse)?;
    let esn = checked("--esn", question.esn.as_deref(), CdmaDevice::parse)?;
    let iccid = checked("--iccid", question.iccid.as_deref(), Iccid::parse)?;
    let parameters = Parameters {
        sub_id: imsi.map(|imsi| imsi.reveal().to_owned()).or_else(|| min.map(|min| min.reveal().to_owned())),
        dev_id: imei
            .map(|imei| imei.reveal().to_owned())
            .or_else(|| meid.or(esn).map(|device| device.reveal().to_owned())),
        icc_id: iccid.map(|iccid| iccid.reveal().to_owned()),
    };
    let made =
        hand_over(&question.url, &parameters).map_err(|problem| Failure::invalid(format!("--url: {problem}")))?;
    let json = json!({ "url": made.reveal(), "dropped": made.dropped() });
    let drawn = if question.qr { Qr::of(made.reveal())?.for_output() } else { String::new() };
    output.print(&json, || format!("{}\n{drawn}", made.reveal()));
    Ok(())
}

/// A value that the daemon would take; one that it would drop is an error here.
fn checked<T>(option: &str, text: Option<&str>, parse: fn(&str) -> Parsed<T>) -> Result<Option<T>, Failure> {
    let Some(text) = text.filter(|text| !text.is_empty()) else { return Ok(None) };
    match parse(text) {
        Parsed::Ok(value) => Ok(Some(value)),
        Parsed::Flagged(value, note) => {
            eprintln!("mbimctl: {option}: {note}");
            Ok(Some(value))
        }
        Parsed::Rejected(problem) => Err(Failure::invalid(format!("{option}: {problem}"))),
        Parsed::Absent => Ok(None),
    }
}

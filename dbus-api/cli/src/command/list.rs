//! `mbimctl list`.

use serde_json::json;
use zbus::Connection;

use crate::failure::Failure;
use crate::modem::{self, Modem};
use crate::show::{Output, table};

pub(super) async fn run(connection: &Connection, output: Output) -> Result<(), Failure> {
    let modems = modem::all(connection).await?;
    let list: Vec<_> = modems
        .iter()
        .map(|modem| {
            json!({
                "index": modem.number,
                "path": modem.path.as_str(),
                "control_port": modem.text("ControlPort"),
                "data_port": modem.text("DataPort"),
                "hardware": modem.text("Hardware"),
                "state": modem.text("StateName"),
                "custody": modem.text("Custody"),
                "network_name": modem.text("NetworkName"),
            })
        })
        .collect();
    output.print(&json!({ "modems": list }), || {
        if modems.is_empty() { "no modem\n".to_owned() } else { table(&modems.iter().map(row).collect::<Vec<_>>()) }
    });
    Ok(())
}

fn row(modem: &Modem) -> [String; 5] {
    let place = [modem.text("ControlPort"), modem.text("DataPort")];
    let place: Vec<String> = place.into_iter().filter(|part| !part.is_empty()).collect();
    let hardware = modem.text("Hardware");
    [
        modem.number.to_string(),
        modem.state(),
        place.join(", "),
        if hardware.is_empty() { "-".to_owned() } else { hardware },
        modem.text("NetworkName"),
    ]
}

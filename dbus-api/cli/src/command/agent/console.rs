//! The agent of a machine without a desktop: the operator's page as address and QR code on its console. Whoever starts it has
//! said that it may be shown there.

use std::collections::BTreeMap;
use std::io::Write as _;

use super::watch::{Kind, Watch};
use super::{desktop, page};
use crate::bus::{self, Bus};
use crate::failure::Failure;
use crate::qr::Qr;

pub(super) async fn run(on: &Bus) -> Result<(), Failure> {
    let daemon = bus::open(on).await?;
    let mut watch = Watch::new(&daemon).await?;
    let mut said = BTreeMap::new();
    loop {
        let seen = watch.look().await;
        for wish in seen.iter().filter_map(|seen| seen.wish.clone()) {
            let device = wish.device.clone();
            if said.get(&device) == Some(&wish) {
                continue;
            }
            let (summary, body) = desktop::words(&wish);
            let shown = match wish.kind {
                Kind::Notify => String::new(),
                Kind::Open | Kind::OpenElsewhere => match page::fetch(&daemon, &wish.path).await {
                    Ok(url) => format!("{url}\n{}", Qr::of(&url)?.for_output()),
                    Err(failure) => format!("The page cannot be shown: {}\n", failure.message()),
                },
            };
            print(&format!("\n{summary}\n{body}\n{shown}"))?;
            said.insert(device, wish);
        }
        for device in seen.iter().filter(|seen| seen.full).map(|seen| &seen.device) {
            if said.remove(device).is_some() {
                print("\nMobile broadband reaches the Internet.\n")?;
            }
        }
        if !watch.changed().await {
            return Err(Failure::failed("the bus is gone"));
        }
    }
}

fn print(text: &str) -> Result<(), Failure> {
    let mut out = std::io::stdout().lock();
    let done = out.write_all(text.as_bytes()).and_then(|()| out.flush());
    done.map_err(|error| Failure::failed(format!("the console: {error}")))
}

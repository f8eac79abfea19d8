//! Trouble with the state directory.

use std::fs::{self, File};
use std::io::Write;
use std::path::Path;

use harness::cases::Case;
use nix::mount::{MsFlags, mount, umount};
use scenarios::stage::{Outcome, Stage, quick, story};
use zbus::Variant;

pub(crate) const CASES: &[Case] = &[
    Case { name: "full_disk", run: || story("open", full_disk) },
    Case { name: "full_disk_at_the_first_start", run: || story("open", full_at_start) },
    Case { name: "damaged_state", run: || story("open", damaged) },
];

/// A file system of a few pages over a directory; the mount namespace is this case's own.
fn tiny(directory: &Path) -> nix::Result<()> {
    mount(Some("tiny"), directory, Some("tmpfs"), MsFlags::empty(), Some("size=64k,mode=0700"))
}

/// Writes until nothing more fits.
fn fill(file: &Path) -> std::io::Result<()> {
    let mut file = File::create(file)?;
    loop {
        match file.write_all(&[0x55; 512]) {
            Ok(()) => {}
            Err(error) if error.kind() == std::io::ErrorKind::StorageFull => return Ok(()),
            Err(error) => return Err(error),
        }
    }
}

/// The file of the one SIM.
fn subscriber(state: &Path) -> Option<std::path::PathBuf> {
    let entries = fs::read_dir(state.join("subscribers")).ok()?.flatten();
    entries.map(|entry| entry.path()).find(|path| path.extension().is_some_and(|e| e == "json"))
}

async fn full_disk(stage: &mut Stage) -> Outcome {
    let state = stage.world.directory().join("state");
    stage.stop().await?;
    tiny(&state)?;
    stage.again().await?;
    let filler = state.join("filler");
    fill(&filler)?;
    stage.plug(quick(stage.world.scenario())).await?;
    let modem = stage.online().await?;
    // What cannot be kept is refused, and the daemon goes on.
    let refused = stage.client.set(modem, &[("metric", Variant::from(42_u32))]).await.unwrap_err().to_string();
    assert!(refused.contains("full"), "{refused}");
    assert_eq!(stage.client.view(modem).await?.setting("metric"), None);
    stage.logged("could not be written").await?;
    assert!(stage.client.view(modem).await?.is_online());
    assert_eq!(subscriber(&state), None, "nothing half written");

    fs::remove_file(&filler)?;
    stage.client.set(modem, &[("metric", Variant::from(43_u32))]).await?;
    stage.client.modem(modem, "the setting", |v| v.setting("metric") == Some(43_u32.into())).await?;
    stage.restart().await?;
    stage.client.some("the setting after a restart", |v| v.setting("metric") == Some(43_u32.into())).await?;
    stage.stop().await?;
    umount(&state)?;
    Ok(())
}

/// Not even what every file needs can be written: the daemon says so and goes on.
async fn full_at_start(stage: &mut Stage) -> Outcome {
    let state = stage.world.directory().join("state");
    stage.stop().await?;
    tiny(&state)?;
    fill(&state.join("filler"))?;
    stage.again().await?;
    stage.logged("the state directory takes no data").await?;
    stage.plug(quick(stage.world.scenario())).await?;
    let modem = stage.online().await?;
    assert!(stage.client.set(modem, &[("metric", Variant::from(42_u32))]).await.is_err(), "not kept, so refused");

    fs::remove_file(state.join("filler"))?;
    stage.client.set(modem, &[("metric", Variant::from(43_u32))]).await?;
    stage.restart().await?;
    stage.client.some("the setting after a restart", |v| v.setting("metric") == Some(43_u32.into())).await?;
    stage.stop().await?;
    umount(&state)?;
    Ok(())
}

async fn damaged(stage: &mut Stage) -> Outcome {
    let state = stage.world.directory().join("state");
    stage.plug(quick(stage.world.scenario())).await?;
    let modem = stage.online().await?;
    stage.client.set(modem, &[("metric", Variant::from(42_u32))]).await?;
    stage.stop().await?;
    let file = subscriber(&state).ok_or("nothing was stored")?;
    let good = fs::read(&file)?;
    fs::write(&file, good.get(..good.len() / 2).unwrap_or_default())?;
    stage.again().await?;
    let modem = stage.online().await?;
    assert_eq!(stage.client.view(modem).await?.setting("metric"), None, "defaults");
    let aside = file.with_extension("json.damaged");
    assert_eq!(fs::read(&aside)?, good.get(..good.len() / 2).unwrap_or_default(), "kept aside");
    stage.logged("kept aside").await?;
    Ok(())
}

//! Where log lines go: the journal when it reads standard error, else plain lines on standard error.

use std::fmt;
use std::os::linux::fs::MetadataExt as _;

use daemon_core::event::{Event, Level};
use tracing_subscriber::Layer as _;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

/// Starts logging. `levels`: a level, or a list `LEVEL,TARGET=LEVEL`. The error is a sentence.
pub(crate) fn start(levels: Option<&str>) -> Result<(), String> {
    let levels = levels.unwrap_or("info");
    let filter: Targets = levels.parse().map_err(|error| format!("log level {levels}: {error}"))?;
    let journal = if reads_standard_error() { tracing_journald::layer().ok() } else { None };
    let plain = journal
        .is_none()
        .then(|| tracing_subscriber::fmt::layer().with_writer(std::io::stderr).with_ansi(false).with_target(false));
    tracing_subscriber::registry()
        .with(journal.map(|layer| layer.with_syslog_identifier("mbimd".into()).with_filter(filter.clone())))
        .with(plain.map(|layer| layer.with_filter(filter)))
        .try_init()
        .map_err(|error| error.to_string())
}

/// `JOURNAL_STREAM` holds device and inode of the stream to the journal; it is inherited by those whose standard error
/// leads elsewhere.
fn reads_standard_error() -> bool {
    let Ok(stream) = std::env::var("JOURNAL_STREAM") else { return false };
    let Ok(meta) = std::fs::metadata("/proc/self/fd/2") else { return false };
    stream == format!("{}:{}", meta.st_dev(), meta.st_ino())
}

/// Writes an event of the machine. Its fields are safe to log.
pub(crate) fn event(modem: u32, event: &Event) {
    let (name, detail) = (event.name, Fields(event));
    match event.level {
        Level::Debug => tracing::debug!(modem, event = name, %detail),
        Level::Info => tracing::info!(modem, event = name, %detail),
        Level::Warn => tracing::warn!(modem, event = name, %detail),
        Level::Error => tracing::error!(modem, event = name, %detail),
    }
}

/// Names and values of an event, in a form that a person reads and a program splits.
struct Fields<'a>(&'a Event);

impl fmt::Display for Fields<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, (name, value)) in self.0.fields.iter().enumerate() {
            if number > 0 {
                f.write_str(" ")?;
            }
            if value.contains([' ', '"', '=']) {
                write!(f, "{name}={value:?}")?;
            } else {
                write!(f, "{name}={value}")?;
            }
        }
        Ok(())
    }
}

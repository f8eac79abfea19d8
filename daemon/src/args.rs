//! The command line. Names and meanings are fixed by the contract of the project.

use std::ffi::OsString;
use std::path::PathBuf;

use crate::transport::open::Spec;

/// What `--help` prints.
pub(crate) const USAGE: &str = "\
Usage: mbimd [OPTIONS]
       mbimd demo [--scenario NAME] [--json]    (where built with the demo)

Mobile broadband daemon for MBIM modems; runs in the foreground.

  --config FILE     read this file instead of /etc/mbimd/mbimd.toml and /etc/mbimd/mbimd.d/*.toml
  --bus BUS         system, session or a D-Bus address (default: system)
  --state-dir DIR   what is kept for ever (default: /var/lib/mbimd)
  --run-dir DIR     what is kept until the machine stops (default: /run/mbimd)
  --device SPEC     use this modem; may be repeated; without it: all that the machine announces
                    /dev/cdc-wdm0 | /dev/wwan0mbim0 | unix:/path[,net=IF][,max-control=N][,outstanding=N]
                    usb:VVVV:PPPP or usb:BUS-PORT[,net=IF][,detach][,ntb32]: without a kernel driver; detach
                    takes the device from the kernel's driver for as long as it is used
  --log LEVEL       error, warn, info, debug, trace, or a list such as info,mbimd::actor=debug
                    (default: the environment's MBIMD_LOG, else info)
  --config-keys     print the table of configuration keys
  --version, -V     print the version
  --help, -h        print this

Exit status: 0 stopped as asked, 1 cannot work, 2 wrong usage or configuration.
";

/// The command line, read.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Args {
    /// `--config`; `None` = the usual places.
    pub(crate) config: Option<PathBuf>,
    /// `--bus`; `None` = the system bus.
    pub(crate) bus: Option<String>,
    /// `--state-dir`; `None` = `/var/lib/mbimd`.
    pub(crate) state_dir: Option<PathBuf>,
    /// `--run-dir`; `None` = `/run/mbimd`.
    pub(crate) run_dir: Option<PathBuf>,
    /// `--device`, in the order given.
    pub(crate) devices: Vec<Spec>,
    /// `--log`.
    pub(crate) log: Option<String>,
}

/// What the command line asks for.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Asked {
    /// Run the daemon.
    Run(Args),
    /// Print the version.
    Version,
    /// Print the table of configuration keys.
    ConfigKeys,
    /// Print the usage.
    Help,
}

/// Reads the command line without the program's name. The error is a sentence for the person at the keyboard.
pub(crate) fn parse(words: impl IntoIterator<Item = OsString>) -> Result<Asked, String> {
    use lexopt::prelude::{Long, Short, Value, ValueExt};
    let mut args = Args::default();
    let mut parser = lexopt::Parser::from_args(words);
    let text = |value: Result<OsString, lexopt::Error>| value.and_then(|v| v.string()).map_err(|e| e.to_string());
    while let Some(arg) = parser.next().map_err(|e| e.to_string())? {
        match arg {
            Long("config") => args.config = Some(parser.value().map_err(|e| e.to_string())?.into()),
            Long("bus") => args.bus = Some(text(parser.value())?),
            Long("state-dir") => args.state_dir = Some(parser.value().map_err(|e| e.to_string())?.into()),
            Long("run-dir") => args.run_dir = Some(parser.value().map_err(|e| e.to_string())?.into()),
            Long("device") => {
                let spec = text(parser.value())?;
                let spec = Spec::parse(&spec).map_err(|why| format!("--device {spec}: {why}"))?;
                if args.devices.iter().any(|d| d.path == spec.path) {
                    return Err(format!("--device {}: given twice", spec.path.display()));
                }
                args.devices.push(spec);
            }
            Long("log") => args.log = Some(text(parser.value())?),
            Long("config-keys") => return Ok(Asked::ConfigKeys),
            Long("version") | Short('V') => return Ok(Asked::Version),
            Long("help") | Short('h') => return Ok(Asked::Help),
            Value(word) => return Err(format!("unexpected argument {}", word.display())),
            other => return Err(other.unexpected().to_string()),
        }
    }
    Ok(Asked::Run(args))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(line: &str) -> Result<Asked, String> {
        parse(line.split_whitespace().map(OsString::from))
    }

    #[test]
    fn everything_at_once() {
        let asked = check(
            "--config a.toml --bus unix:path=/b --state-dir=/s --run-dir /r --device unix:/m,net=wwan0 --device /dev/cdc-wdm1 --log debug",
        );
        let Ok(Asked::Run(args)) = asked else { panic!("{asked:?}") };
        assert_eq!(args.config, Some("a.toml".into()));
        assert_eq!(args.bus, Some("unix:path=/b".into()));
        assert_eq!(args.devices.len(), 2);
        assert_eq!(args.log.as_deref(), Some("debug"));
    }

    #[test]
    fn what_is_wrong_is_named() {
        assert!(check("--nonsense").unwrap_err().contains("--nonsense"));
        assert!(check("word").unwrap_err().contains("word"));
        assert!(check("--device unix:").unwrap_err().contains("--device unix:"));
        assert!(check("--config").unwrap_err().contains("--config"));
        assert!(check("--device unix:/m --device unix:/m,net=w").unwrap_err().contains("twice"));
        assert_eq!(check("--help"), Ok(Asked::Help));
        assert_eq!(check("-V"), Ok(Asked::Version));
        assert_eq!(check(""), Ok(Asked::Run(Args::default())));
    }
}

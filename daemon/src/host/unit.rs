//! Which systemd unit a process belongs to, by its control group: what a program cannot choose for itself, as long as it is a
//! unit of the system's manager. `[PROV 12.3]`

use std::io::Read as _;

/// Longest file of control groups that is read, octets.
const MAX_FILE: u64 = 64 * 1024;

/// Where a process runs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Units {
    /// The unit of the system's manager; `None` = none, or it could not be found out.
    pub(crate) system: Option<String>,
    /// The unit of a user's manager, with that user's uid. The user decides what it is called.
    pub(crate) user: Option<(u32, String)>,
}

impl Units {
    /// Whether this is a program of that name: its unit's, or that of an application in the way desktops name units of
    /// applications: `app[-LAUNCHER]-NAME[@RANDOM].service`, `app[-LAUNCHER]-NAME-RANDOM.scope`.
    pub(crate) fn are_of(&self, program: &str) -> bool {
        let own = self.user.as_ref().map(|(_, unit)| unit);
        self.system.iter().chain(own).any(|unit| unit == program || names(unit).any(|name| name == program))
    }
}

/// What a unit's program may be called.
fn names(unit: &str) -> impl Iterator<Item = String> {
    let (name, kind) = unit.rsplit_once('.').unwrap_or((unit, ""));
    let mut parts = name.strip_prefix("app-").into_iter().flat_map(|rest| rest.rsplit('-'));
    let application = match kind {
        "scope" => parts.nth(1),
        _ => parts.next().map(|last| last.split('@').next().unwrap_or_default()),
    };
    // A dash of the name itself is escaped.
    [Some(name.to_owned()), application.map(|name| name.replace("\\x2d", "-"))].into_iter().flatten()
}

/// The units of a process; none where that cannot be found out.
pub(crate) fn of(pid: u32) -> Units {
    let mut text = String::new();
    let read = std::fs::File::open(format!("/proc/{pid}/cgroup"));
    match read.and_then(|file| file.take(MAX_FILE).read_to_string(&mut text)) {
        Ok(_) => parse(&text),
        Err(error) => {
            tracing::debug!(%error, pid, "the unit of a caller could not be found out");
            Units::default()
        }
    }
}

/// Reads `/proc/PID/cgroup`: the line of the one hierarchy, or of systemd's own among several.
fn parse(text: &str) -> Units {
    let path = text.lines().find_map(|line| {
        let (_, rest) = line.split_once(':')?;
        let (controllers, path) = rest.split_once(':')?;
        matches!(controllers, "" | "name=systemd").then_some(path)
    });
    // What a unit does below its own group is its own business: the first one counts.
    let mut units = path.unwrap_or_default().split('/').filter(|part| is_unit(part));
    let system = units.next().map(unescaped);
    let user = system.as_deref().and_then(|unit| unit.strip_prefix("user@")?.strip_suffix(".service")?.parse().ok());
    let user = user.and_then(|uid| Some((uid, unescaped(units.next()?))));
    Units { system, user }
}

/// Whether a part of the path is a unit with processes in it, and no slice, which only holds others.
fn is_unit(part: &str) -> bool {
    [".service", ".scope"].iter().any(|kind| part.strip_suffix(kind).is_some_and(|name| !name.is_empty()))
}

/// systemd puts an underscore before names that would mean something else to the kernel.
fn unescaped(part: &str) -> String {
    part.strip_prefix('_').unwrap_or(part).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_of_control_groups() {
        let units = |text: &str| {
            let Units { system, user } = parse(text);
            (system.unwrap_or_default(), user.map(|(uid, unit)| format!("{uid} {unit}")).unwrap_or_default())
        };
        for (text, system, user) in [
            ("0::/system.slice/operator.service\n", "operator.service", ""),
            ("0::/system.slice/operator.service/made.service/up.scope\n", "operator.service", ""),
            ("0::/system.slice/system-getty.slice/getty@tty1.service\n", "getty@tty1.service", ""),
            ("0::/operator.slice/_cgroup.service\n", "cgroup.service", ""),
            (
                "0::/user.slice/user-1000.slice/user@1000.service/app.slice/operator.service\n",
                "user@1000.service",
                "1000 operator.service",
            ),
            ("0::/user.slice/user-1000.slice/session-3.scope\n", "session-3.scope", ""),
            ("0::/user.slice/user-1000.slice/user@1000.service/init.scope\n", "user@1000.service", "1000 init.scope"),
            ("0::/user.slice/user@x.service/a.service\n", "user@x.service", ""),
            ("12:pids:/other.service\n1:name=systemd:/system.slice/operator.service\n0::/\n", "operator.service", ""),
            ("0::/\n", "", ""),
            ("0::/../../operator.service.d/.service\n", "", ""),
            ("nonsense", "", ""),
            ("", "", ""),
        ] {
            assert_eq!(units(text), (system.to_owned(), user.to_owned()), "{text}");
        }
    }

    /// PROV-195: programs by what their units are called.
    #[test]
    fn programs_of_units() {
        let system = |unit: &str| Units { system: Some(unit.into()), user: None };
        let desktop = |unit: &str| Units { system: Some("user@1.service".into()), user: Some((1, unit.into())) };
        for (units, program, is_it) in [
            (system("tv.service"), "tv", true),
            (system("tv.service"), "tv.service", true),
            (system("tv.service"), "t", false),
            (desktop("app-gnome-com.example.tv-4711.scope"), "com.example.tv", true),
            (desktop("app-com.example.tv-4711.scope"), "com.example.tv", true),
            (desktop("app-com.example.tv@ab12.service"), "com.example.tv", true),
            (desktop("app-flatpak-com.example.tv\\x2dplus-4711.scope"), "com.example.tv-plus", true),
            (desktop("app-gnome-com.example.tv-4711.scope"), "4711", false),
            (desktop("com.example.tv.service"), "com.example.tv", true),
            (desktop("app-.scope"), "", false),
            (Units::default(), "tv", false),
        ] {
            assert_eq!(units.are_of(program), is_it, "{units:?} {program}");
        }
    }

    #[test]
    fn a_process_that_is_not_there_is_in_none() {
        assert_eq!(of(0), Units::default());
    }
}

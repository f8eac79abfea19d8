//! Configuration: TOML files, one table of keys. A key that is not in the table is an error that names key, file and
//! line, because a misspelt key that does nothing is worse than a daemon that does not start.

use std::fmt::Write as _;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use daemon_core::custody::Policy;
use daemon_core::proxy::Offered;
use daemon_core::subscriber::RoamingPolicy;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// Largest configuration file, octets.
const MAX_FILE: u64 = 256 * 1024;
/// Most files in the drop-in folder.
const MAX_FILES: usize = 256;
/// Most entries of a list.
const MAX_LIST: usize = 64;
/// Longest text value, octets.
const MAX_TEXT: usize = 4096;

/// Who is told the DNS servers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Dns {
    /// systemd-resolved where it runs, else as [`Dns::ResolvConf`].
    #[default]
    Resolved,
    /// A fragment in the run directory.
    ResolvConf,
    /// Nobody.
    None,
}

/// Who configures the interface.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Network {
    /// The daemon.
    #[default]
    Standalone,
    /// Another program, from what the daemon publishes.
    External,
}

/// Hosts and limits of the connectivity test.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Probe {
    /// URL of the plain test; `None` = no testing.
    pub(crate) http: Option<String>,
    /// URL of the encrypted test; `None` = not tested.
    pub(crate) https: Option<String>,
    /// Text that the plain test's body is to equal; empty = none.
    pub(crate) body: String,
    /// Octets a day and SIM.
    pub(crate) daily_budget: u64,
    /// As `daily_budget`, while roaming.
    pub(crate) roaming_budget: u64,
    /// Files with more root certificates, for the test only.
    pub(crate) ca: Vec<PathBuf>,
    /// The page of NetworkManager's own test goes before `http`. A file that names a page and does not say this says the
    /// contrary.
    pub(crate) networkmanager: bool,
}

/// The configuration in force.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Config {
    /// Operator databases, in order.
    pub(crate) database: Vec<PathBuf>,
    /// Operator files of the administrator.
    pub(crate) overlay_dir: PathBuf,
    /// Packages of operators, unpacked.
    pub(crate) metadata_dir: PathBuf,
    /// Certificates that documents may be signed with.
    pub(crate) trust_dir: PathBuf,
    /// Whether SHA-1 will do in signatures of documents.
    pub(crate) signature_sha1: bool,
    /// Bindings of programs to operators.
    pub(crate) apps_dir: PathBuf,
    /// Documents that are applied at start, for routers.
    pub(crate) provisioning_dir: PathBuf,
    /// Files with more root certificates for servers that newer documents come from.
    pub(crate) refresh_ca: Vec<PathBuf>,
    /// Connectivity test.
    pub(crate) probe: Probe,
    /// Default of the stored setting.
    pub(crate) autoconnect: bool,
    /// Default of the stored setting.
    pub(crate) roaming: RoamingPolicy,
    /// Metric of the default routes.
    pub(crate) route_metric: u32,
    /// Who is told the DNS servers.
    pub(crate) dns: Dns,
    /// Who configures the interface.
    pub(crate) network: Network,
    /// Which modems are taken where ModemManager runs.
    pub(crate) modemmanager: Policy,
    /// How long a modem that went keeps its object.
    pub(crate) absence: Duration,
    /// Whether other programs may use the modems through libmbim's socket.
    pub(crate) proxy: Offered,
    /// Group whose members may do everything there; empty = none.
    pub(crate) proxy_group: String,
    /// Group whose members may ask there; empty = none.
    pub(crate) proxy_readers: String,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            database: vec![
                "/usr/share/mobile-broadband-provider-info/serviceproviders.xml".into(),
                "/usr/local/share/mobile-broadband-provider-info/serviceproviders.xml".into(),
            ],
            overlay_dir: "/etc/mbimd/operators.d".into(),
            metadata_dir: "/etc/mbimd/metadata.d".into(),
            trust_dir: "/etc/mbimd/trust.d".into(),
            signature_sha1: false,
            apps_dir: "/etc/mbimd/apps.d".into(),
            provisioning_dir: "/etc/mbimd/provisioning.d".into(),
            refresh_ca: Vec::new(),
            probe: Probe {
                http: None,
                https: None,
                body: String::new(),
                daily_budget: 200 * 1024,
                roaming_budget: 50 * 1024,
                ca: Vec::new(),
                networkmanager: false,
            },
            autoconnect: true,
            roaming: RoamingPolicy::Home,
            route_metric: 700,
            dns: Dns::Resolved,
            network: Network::Standalone,
            modemmanager: Policy::Ask,
            absence: Duration::from_secs(60),
            proxy: Offered::Auto,
            proxy_group: String::new(),
            proxy_readers: String::new(),
        }
    }
}

/// What is wrong with the configuration and where.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}{}: {problem}", file.display(), line.map(|l| format!(":{l}")).unwrap_or_default())]
pub(crate) struct ConfigError {
    /// The file.
    pub(crate) file: PathBuf,
    /// Line, from 1; `None` when the file as a whole is meant.
    pub(crate) line: Option<usize>,
    /// What is wrong, with the key.
    pub(crate) problem: String,
}

/// One row of the table: everything that the daemon knows of a key.
struct Key {
    name: &'static str,
    kind: &'static str,
    default: &'static str,
    doc: &'static str,
    set: fn(&mut Config, &DeValue<'_>) -> Result<(), String>,
}

/// All keys, in alphabetical order.
const KEYS: &[Key] = &[
    Key {
        name: "absence",
        kind: "seconds",
        default: "60",
        doc: "How long a modem that went away keeps its number and object, 0 to 600: one whose firmware starts anew comes \
              back as the same. 0: its object goes with it.",
        set: |c, v| number(v, 600).map(|s| c.absence = Duration::from_secs(s)),
    },
    Key {
        name: "apps-dir",
        kind: "path",
        default: "/etc/mbimd/apps.d",
        doc: "Files that bind a program (uid or systemd unit) to a CarrierId.",
        set: |c, v| path(v).map(|p| c.apps_dir = p),
    },
    Key {
        name: "autoconnect",
        kind: "boolean",
        default: "true",
        doc: "Connect by itself, for a SIM whose own setting says nothing.",
        set: |c, v| boolean(v).map(|b| c.autoconnect = b),
    },
    Key {
        name: "database",
        kind: "list of paths",
        default: "/usr/share/mobile-broadband-provider-info/serviceproviders.xml, then the same below /usr/local",
        doc: "Operator databases in the format of mobile-broadband-provider-info. Absent files are passed over.",
        set: |c, v| paths(v).map(|p| c.database = p),
    },
    Key {
        name: "dns",
        kind: "resolved, resolvconf or none",
        default: "resolved",
        doc: "Who is told the DNS servers: systemd-resolved for this link (where it does not run: as `resolvconf`), a \
              fragment `resolv.conf.d/INTERFACE` in the run directory, or nobody.",
        set: |c, v| {
            one_of(v, &[("resolved", Dns::Resolved), ("resolvconf", Dns::ResolvConf), ("none", Dns::None)])
                .map(|d| c.dns = d)
        },
    },
    Key {
        name: "metadata-dir",
        kind: "path",
        default: "/etc/mbimd/metadata.d",
        doc: "Service metadata packages of operators, a folder each, unpacked. They stand before the overlays.",
        set: |c, v| path(v).map(|p| c.metadata_dir = p),
    },
    Key {
        name: "modemmanager",
        kind: "ask or leave",
        default: "ask",
        doc: "Where ModemManager runs: ask it for each MBIM modem, except while it is connected with it, or leave all to \
              it. Rules of udev go before: MBIMD_MANAGE=1 gives a modem to the daemon, ID_MBIMD_IGNORE=1 and \
              ID_MM_DEVICE_IGNORE=1 keep it away.",
        set: |c, v| one_of(v, &[("ask", Policy::Ask), ("leave", Policy::Leave)]).map(|p| c.modemmanager = p),
    },
    Key {
        name: "network",
        kind: "standalone or external",
        default: "standalone",
        doc: "Whether the daemon configures the data interface, or leaves it to another program such as NetworkManager \
              and only publishes the settings.",
        set: |c, v| {
            one_of(v, &[("standalone", Network::Standalone), ("external", Network::External)]).map(|n| c.network = n)
        },
    },
    Key {
        name: "overlay-dir",
        kind: "path",
        default: "/etc/mbimd/operators.d",
        doc: "Operator files of the administrator, which stand before the databases.",
        set: |c, v| path(v).map(|p| c.overlay_dir = p),
    },
    Key {
        name: "probe.body",
        kind: "text",
        default: "(empty)",
        doc: "Text that the answer to `probe.http` is to consist of. Empty: status 204 or an empty body counts.",
        set: |c, v| text(v).map(|t| c.probe.body = t),
    },
    Key {
        name: "probe.ca",
        kind: "list of paths",
        default: "(none)",
        doc: "PEM files with root certificates that count beside the machine's own, for the test only.",
        set: |c, v| paths(v).map(|p| c.probe.ca = p),
    },
    Key {
        name: "probe.daily-budget",
        kind: "octets",
        default: "204800",
        doc: "What tests may cost a day and SIM. When it is used up only tests that someone asks for are run.",
        set: |c, v| number(v, u64::MAX).map(|n| c.probe.daily_budget = n),
    },
    Key {
        name: "probe.http",
        kind: "URL",
        default: "(none: no testing)",
        doc: "What the plain connectivity test fetches: `http://HOST[:PORT]/PATH`.",
        set: |c, v| {
            // In a file this key comes before the one about NetworkManager, whatever their order in it.
            url(v, "http").map(|u| (c.probe.http, c.probe.networkmanager) = (u, false))
        },
    },
    Key {
        name: "probe.https",
        kind: "URL",
        default: "(none: not tested)",
        doc: "What the encrypted connectivity test fetches, from another host: `https://HOST[:PORT]/PATH`.",
        set: |c, v| url(v, "https").map(|u| c.probe.https = u),
    },
    Key {
        name: "probe.networkmanager",
        kind: "boolean",
        default: "false",
        doc: "Whether the page of NetworkManager's connectivity test, where this machine has one, goes before `probe.http` and \
              `probe.body`. A later file that sets `probe.http` ends it.",
        set: |c, v| boolean(v).map(|b| c.probe.networkmanager = b),
    },
    Key {
        name: "probe.roaming-budget",
        kind: "octets",
        default: "51200",
        doc: "As `probe.daily-budget`, while roaming.",
        set: |c, v| number(v, u64::MAX).map(|n| c.probe.roaming_budget = n),
    },
    Key {
        name: "provisioning-dir",
        kind: "path",
        default: "/etc/mbimd/provisioning.d",
        doc: "Account-provisioning documents (`*.xml`) of the administrator, for machines without a person: applied in the \
              order of their names, once for each content and SIM, at start and when they change. They need no signature.",
        set: |c, v| path(v).map(|p| c.provisioning_dir = p),
    },
    Key {
        name: "proxy",
        kind: "auto, on or off",
        default: "auto",
        doc: "Whether the daemon offers libmbim's socket (`mbim-proxy`), through which `mbimcli --device-open-proxy` and other \
              programs use a modem beside it. auto: except while ModemManager runs, which reaches its own modems through a \
              socket of that name.",
        set: |c, v| {
            one_of(v, &[("auto", Offered::Auto), ("on", Offered::Always), ("off", Offered::Never)]).map(|o| c.proxy = o)
        },
    },
    Key {
        name: "proxy-group",
        kind: "group",
        default: "(none)",
        doc: "Group of /etc/group whose members may do everything at that socket, besides root: whatever the modem can do.",
        set: |c, v| text(v).map(|t| c.proxy_group = t),
    },
    Key {
        name: "proxy-readers",
        kind: "group",
        default: "(none)",
        doc: "Group of /etc/group whose members may send queries at that socket, nothing else. Answers hold identities and \
              stored messages.",
        set: |c, v| text(v).map(|t| c.proxy_readers = t),
    },
    Key {
        name: "refresh-ca",
        kind: "list of paths",
        default: "(none)",
        doc: "PEM files with root certificates that count beside the machine's own for servers that newer account-provisioning \
              documents are fetched from.",
        set: |c, v| paths(v).map(|p| c.refresh_ca = p),
    },
    Key {
        name: "roaming",
        kind: "home, partner or any",
        default: "home",
        doc: "Where data may be used, for a SIM whose own setting says nothing.",
        set: |c, v| {
            one_of(
                v,
                &[("home", RoamingPolicy::Home), ("partner", RoamingPolicy::Partner), ("any", RoamingPolicy::Any)],
            )
            .map(|r| c.roaming = r)
        },
    },
    Key {
        name: "route-metric",
        kind: "number",
        default: "700",
        doc: "Metric of the routes over a modem, 1 to 4294967295; higher than that of Wi-Fi (600) and Ethernet (100), so \
              that those go on.",
        set: |c, v| match number(v, u64::from(u32::MAX))? {
            0 => Err("must be 1 to 4294967295".into()),
            n => u32::try_from(n).map(|n| c.route_metric = n).map_err(|e| e.to_string()),
        },
    },
    Key {
        name: "signature-sha1",
        kind: "boolean",
        default: "false",
        doc: "Accept signatures of documents made with SHA-1, for operators whose tools are old.",
        set: |c, v| boolean(v).map(|b| c.signature_sha1 = b),
    },
    Key {
        name: "trust-dir",
        kind: "path",
        default: "/etc/mbimd/trust.d",
        doc: "Root certificates (`NAME.pem`) beside the system's that the signers of documents may lead to, with `NAME.ev` marked \
              for extended validation; revocation lists (`NAME.crl`). See docs/user/trust.md.",
        set: |c, v| path(v).map(|p| c.trust_dir = p),
    },
];

/// The table of keys as Markdown: the content of `docs/generated/config-keys.md`.
pub(crate) fn keys_markdown() -> String {
    let mut out = String::from(
        "# Configuration keys\n\n`/etc/mbimd/mbimd.toml`, then `/etc/mbimd/mbimd.d/*.toml` in the order of their names; \
         the later value wins. A key that is not listed here is an error. \
         Printed by `mbimd --config-keys`.\n\n\
         | Key | Value | Default | Meaning |\n|---|---|---|---|\n",
    );
    for key in KEYS {
        let _ = writeln!(out, "| `{}` | {} | {} | {} |", key.name, key.kind, key.default, key.doc);
    }
    out
}

/// Reads the configuration: one named file, or the usual places, of which any may be absent.
pub(crate) fn load(named: Option<&Path>) -> Result<Config, ConfigError> {
    let mut config = Config::default();
    if let Some(file) = named {
        apply(&mut config, file, &read(file)?)?;
        return Ok(config);
    }
    let main = Path::new("/etc/mbimd/mbimd.toml");
    let mut files = drop_ins(Path::new("/etc/mbimd/mbimd.d"))?;
    if main.exists() {
        files.insert(0, main.into());
    }
    for file in files {
        apply(&mut config, &file, &read(&file)?)?;
    }
    Ok(config)
}

fn drop_ins(folder: &Path) -> Result<Vec<PathBuf>, ConfigError> {
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(whole(folder, error)),
    };
    let mut files: Vec<PathBuf> = entries
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| path.extension().is_some_and(|e| e == "toml"))
        .take(MAX_FILES + 1)
        .collect();
    if files.len() > MAX_FILES {
        return Err(whole(folder, format!("more than {MAX_FILES} files")));
    }
    files.sort();
    Ok(files)
}

fn whole(file: &Path, problem: impl ToString) -> ConfigError {
    ConfigError { file: file.into(), line: None, problem: problem.to_string() }
}

fn read(file: &Path) -> Result<String, ConfigError> {
    let mut text = String::new();
    std::fs::File::open(file)
        .and_then(|f| f.take(MAX_FILE + 1).read_to_string(&mut text))
        .map_err(|error| whole(file, error))?;
    if text.len() as u64 > MAX_FILE {
        return Err(whole(file, format!("larger than {MAX_FILE} octets")));
    }
    Ok(text)
}

impl Config {
    /// Puts the page of NetworkManager's test in the place of the packaged one, and says what is tested with, or what is
    /// missing. `[OPER-106]`
    pub(crate) fn settle_probe(&mut self, root: &Path) {
        if let Some(page) = self.probe.networkmanager.then(|| crate::host::testpage::page(root)).flatten() {
            tracing::info!(
                url = page.url,
                "connectivity is tested with the page that NetworkManager's configuration names"
            );
            (self.probe.http, self.probe.body) = (Some(page.url), page.body);
        }
        if self.probe.http.is_none() {
            tracing::warn!("connectivity is not tested, and gardens are not recognised: name a page with probe.http");
        }
    }
}

/// Puts the values of one file over the configuration.
fn apply(config: &mut Config, file: &Path, source: &str) -> Result<(), ConfigError> {
    let line = |at: usize| Some(source.get(..at).unwrap_or(source).matches('\n').count() + 1);
    let table = DeTable::parse(source).map_err(|error| ConfigError {
        file: file.into(),
        line: error.span().and_then(|span| line(span.start)),
        problem: error.message().to_owned(),
    })?;
    apply_table(config, "", table.get_ref()).map_err(|(at, problem)| ConfigError {
        file: file.into(),
        line: line(at),
        problem,
    })
}

fn apply_table(config: &mut Config, prefix: &str, table: &DeTable<'_>) -> Result<(), (usize, String)> {
    for (name, value) in table {
        let full = format!("{prefix}{}", name.get_ref());
        if let Some(key) = KEYS.iter().find(|key| key.name == full) {
            (key.set)(config, value.get_ref()).map_err(|why| (value.span().start, format!("{full}: {why}")))?;
        } else if let (DeValue::Table(inner), true) = (value.get_ref(), is_group(&full)) {
            apply_table(config, &format!("{full}."), inner)?;
        } else {
            let near = nearest(&full).map(|n| format!("; did you mean {n}?")).unwrap_or_default();
            return Err((name.span().start, format!("unknown key {full}{near}")));
        }
    }
    Ok(())
}

fn is_group(name: &str) -> bool {
    KEYS.iter().any(|key| key.name.strip_prefix(name).is_some_and(|rest| rest.starts_with('.')))
}

/// The key that differs least, where that is little: same letters but for `-`, `_` and case, or one starts the other.
fn nearest(name: &str) -> Option<&'static str> {
    let plain = |text: &str| text.to_lowercase().replace(['_', '-', '.'], "");
    let asked = plain(name);
    KEYS.iter()
        .map(|key| key.name)
        .find(|key| plain(key) == asked)
        .or_else(|| KEYS.iter().map(|key| key.name).find(|key| asked.len() >= 3 && plain(key).starts_with(&asked)))
}

fn text(value: &DeValue<'_>) -> Result<String, String> {
    match value {
        DeValue::String(text) if text.len() > MAX_TEXT => Err(format!("longer than {MAX_TEXT} octets")),
        DeValue::String(text) if text.contains('\0') => Err("holds a NUL".into()),
        DeValue::String(text) => Ok(text.clone().into_owned()),
        other => Err(format!("must be a text, not {}", other.type_str())),
    }
}

fn boolean(value: &DeValue<'_>) -> Result<bool, String> {
    match value {
        DeValue::Boolean(value) => Ok(*value),
        other => Err(format!("must be true or false, not {}", other.type_str())),
    }
}

fn number(value: &DeValue<'_>, max: u64) -> Result<u64, String> {
    match value {
        DeValue::Integer(number) => u64::from_str_radix(number.as_str(), number.radix())
            .ok()
            .filter(|n| *n <= max)
            .ok_or_else(|| format!("must be 0 to {max}")),
        other => Err(format!("must be a number, not {}", other.type_str())),
    }
}

fn path(value: &DeValue<'_>) -> Result<PathBuf, String> {
    let text = text(value)?;
    if text.starts_with('/') { Ok(text.into()) } else { Err("must be an absolute path".into()) }
}

fn paths(value: &DeValue<'_>) -> Result<Vec<PathBuf>, String> {
    match value {
        DeValue::Array(list) if list.len() > MAX_LIST => Err(format!("more than {MAX_LIST} entries")),
        DeValue::Array(list) => list.iter().map(|entry| path(Spanned::get_ref(entry))).collect(),
        other => Err(format!("must be a list of paths, not {}", other.type_str())),
    }
}

fn one_of<T: Copy>(value: &DeValue<'_>, choices: &[(&str, T)]) -> Result<T, String> {
    let text = text(value)?;
    choices.iter().find(|(name, _)| *name == text).map(|(_, value)| *value).ok_or_else(|| {
        let names: Vec<&str> = choices.iter().map(|(name, _)| *name).collect();
        format!("must be one of {}", names.join(", "))
    })
}

/// A URL of the scheme; empty = none.
fn url(value: &DeValue<'_>, scheme: &str) -> Result<Option<String>, String> {
    let text = text(value)?;
    if text.is_empty() {
        return Ok(None);
    }
    match crate::host::http::Url::parse(&text) {
        Some(url) if url.scheme() == scheme => Ok(Some(text)),
        _ => Err(format!("must be {scheme}://HOST[:PORT]/PATH")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(source: &str) -> Result<Config, ConfigError> {
        let mut config = Config::default();
        apply(&mut config, Path::new("mbimd.toml"), source).map(|()| config)
    }

    #[test]
    fn every_key_is_read() {
        let config = check(
            r#"
database = ["/a.xml", "/b.xml"]
overlay-dir = "/o"
metadata-dir = "/m"
trust-dir = "/t"
signature-sha1 = true
apps-dir = "/p"
provisioning-dir = "/v"
autoconnect = false
roaming = "partner"
route-metric = 50
dns = "resolvconf"
network = "external"
probe.http = "http://probe.example/connecttest.txt"
[probe]
https = "https://secure.example:8443/"
body = "Test"
daily-budget = 1_000
roaming-budget = 0x10
ca = ["/ca.pem"]
"#,
        );
        // A dotted key and a table header for the same group are a TOML error: the file above is split in two.
        assert!(config.is_err());
        let config = check(
            r#"
database = ["/a.xml", "/b.xml"]
overlay-dir = "/o"
metadata-dir = "/m"
trust-dir = "/t"
signature-sha1 = true
apps-dir = "/p"
provisioning-dir = "/v"
autoconnect = false
roaming = "partner"
route-metric = 50
dns = "resolvconf"
network = "external"
[probe]
http = "http://probe.example/connecttest.txt"
https = "https://secure.example:8443/"
body = "Test"
daily-budget = 1_000
roaming-budget = 0x10
ca = ["/ca.pem"]
"#,
        )
        .unwrap();
        assert_eq!(config.database.len(), 2);
        assert_eq!((config.autoconnect, config.roaming, config.route_metric), (false, RoamingPolicy::Partner, 50));
        assert_eq!((config.dns, config.network), (Dns::ResolvConf, Network::External));
        assert_eq!((config.probe.daily_budget, config.probe.roaming_budget), (1000, 16));
        assert_eq!(config.probe.https.as_deref(), Some("https://secure.example:8443/"));
        assert_eq!(check("probe.body = \"x\"").unwrap().probe.body, "x");
        assert_eq!(check("").unwrap(), Config::default());
    }

    #[test]
    fn errors_name_key_file_and_line() {
        for (source, line, what) in [
            ("\n\nautoconect = true", 3, "unknown key autoconect"),
            ("route_metric = 1", 1, "did you mean route-metric"),
            ("[probe]\nhtpp = 'x'", 2, "unknown key probe.htpp"),
            ("probe = 3", 1, "unknown key probe"),
            ("dns = 'bind'", 1, "dns: must be one of resolved, resolvconf, none"),
            ("route-metric = 0", 1, "route-metric: must be 1 to"),
            ("route-metric = 4294967296", 1, "route-metric: must be"),
            ("route-metric = -1", 1, "route-metric: must be"),
            ("autoconnect = 1", 1, "autoconnect: must be true or false"),
            ("database = 'x'", 1, "database: must be a list"),
            ("database = ['x']", 1, "absolute"),
            ("probe.http = 'https://h/'", 1, "must be http://"),
            ("probe.https = 'ftp://h/'", 1, "must be https://"),
            ("x =", 1, ""),
            ("a.b.c.d = 1", 1, "unknown key a"),
        ] {
            let error = check(source).unwrap_err();
            assert_eq!(error.line, Some(line), "{source}: {error}");
            assert!(error.to_string().starts_with("mbimd.toml:"), "{error}");
            assert!(error.problem.contains(what), "{source}: {error}");
        }
    }

    #[test]
    fn hostile_sizes_are_refused() {
        let many = format!("database = [{}]", "'/x',".repeat(MAX_LIST + 1));
        assert!(check(&many).unwrap_err().problem.contains("more than"));
        let long = format!("probe.body = '{}'", "x".repeat(MAX_TEXT + 1));
        assert!(check(&long).unwrap_err().problem.contains("longer"));
        let deep = format!("x = {}{}", "[".repeat(100_000), "]".repeat(100_000));
        assert!(check(&deep).is_err());
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("big.toml");
        std::fs::write(&file, " ".repeat(MAX_FILE as usize + 1)).unwrap();
        assert!(load(Some(&file)).unwrap_err().problem.contains("larger"));
        assert!(load(Some(&folder.path().join("none.toml"))).is_err());
    }

    #[test]
    fn the_packaged_file_is_valid() {
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../systemd/mbimd.toml");
        let config = load(Some(&file)).unwrap();
        assert!(config.probe.http.is_some(), "the packaged file names a host, the code none");
        assert_eq!(Config::default().probe.http, None);
    }

    /// `[OPER-106]`: the packaged page, before it NetworkManager's, before that the administrator's.
    #[test]
    fn who_names_the_page_of_the_test() {
        let root = tempfile::tempdir().unwrap();
        let packaged = read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../systemd/mbimd.toml")).unwrap();
        let with = |files: &[&str]| {
            let mut config = Config::default();
            for text in files {
                apply(&mut config, Path::new("x.toml"), text).unwrap();
            }
            config.settle_probe(root.path());
            (config.probe.http.unwrap_or_default(), config.probe.body)
        };
        let (page, body) = with(&[&packaged]);
        assert!(page.starts_with("http://") && !body.is_empty());
        let conf = root.path().join("usr/lib/NetworkManager/conf.d");
        std::fs::create_dir_all(&conf).unwrap();
        std::fs::write(conf.join("20-x.conf"), "[connectivity]\nuri=http://nm.example/\nresponse=up\n").unwrap();
        assert_eq!(with(&[&packaged]), ("http://nm.example/".into(), "up".into()));
        let own = "probe.body = 'mine'\nprobe.http = 'http://own.example/'";
        assert_eq!(with(&[&packaged, own]), ("http://own.example/".into(), "mine".into()));
        assert_eq!(with(&[own]), ("http://own.example/".into(), "mine".into()));
        assert_eq!(with(&[&packaged, "probe.http = ''"]).0, "", "off is off");
        let both = "probe.networkmanager = true\nprobe.http = 'http://own.example/'";
        assert_eq!(with(&[both]).0, "http://nm.example/");
        assert_eq!(with(&[]), (String::new(), String::new()), "nobody asked for it");
    }

    #[test]
    fn drop_ins_come_in_the_order_of_their_names() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["20-b.toml", "10-a.toml", "readme.txt"] {
            std::fs::write(folder.path().join(name), "").unwrap();
        }
        let names: Vec<_> = drop_ins(folder.path()).unwrap();
        assert_eq!(names.len(), 2);
        assert!(names.first().unwrap().ends_with("10-a.toml"));
        assert!(drop_ins(&folder.path().join("absent")).unwrap().is_empty());
    }

    #[test]
    fn the_table_is_sorted_and_documented() {
        assert!(KEYS.windows(2).all(|pair| pair[0].name < pair[1].name));
        let page = keys_markdown();
        assert!(KEYS.iter().all(|key| page.contains(key.name) && !key.doc.is_empty()));
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/generated/config-keys.md");
        let stored = std::fs::read_to_string(&file).unwrap_or_default();
        if stored != page && std::env::var_os("MBIMD_REGENERATE").is_some() {
            std::fs::write(&file, &page).unwrap();
        } else {
            assert_eq!(stored, page, "write it anew: MBIMD_REGENERATE=1 cargo test -p mbimd config");
        }
    }
}

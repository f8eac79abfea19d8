//! What is installed: the recipe run into a scratch root, and each file checked as far as that goes without a system.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // a panic in a test is the report

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use roxmltree::{Document, ParsingOptions};

fn house() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

fn text(file: &str) -> String {
    fs::read_to_string(house().join(file)).unwrap_or_else(|error| panic!("{file}: {error}"))
}

/// A scratch root with programs that do nothing.
fn installed() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let binaries = folder.path().join("binaries");
    fs::create_dir(&binaries).unwrap();
    for program in ["mbimd", "mbimd-verify", "mbimctl"] {
        let path = binaries.join(program);
        fs::write(&path, "#!/bin/sh\n").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    }
    install(folder.path());
    folder
}

fn install(folder: &Path) {
    let mut recipe = Command::new(house().join("systemd/install"));
    recipe.env("DESTDIR", folder.join("root")).env("BINARIES", folder.join("binaries")).env_remove("PREFIX");
    let output = recipe.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

fn files(folder: &Path, below: &Path, into: &mut BTreeSet<String>) {
    for entry in fs::read_dir(below).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files(folder, &path, into);
        } else {
            into.insert(path.strip_prefix(folder).unwrap().to_str().unwrap().to_owned());
        }
    }
}

/// What the package says of itself.
#[test]
fn the_packages_papers_are_about_this_version() {
    let manifest = text("Cargo.toml");
    let version = manifest.lines().find_map(|line| line.strip_prefix("version = \"")?.strip_suffix('"')).unwrap();
    assert!(text("systemd/debian/changelog").starts_with(&format!("mbimd ({version}-")), "a line for {version}");
    let (mit, copyright) = (text("LICENSE-MIT"), text("systemd/debian/copyright"));
    for line in mit.lines().skip_while(|line| !line.starts_with("Permission")) {
        assert!(copyright.contains(line), "{line}");
    }
}

#[test]
fn the_recipe_puts_everything_in_its_place() {
    let folder = installed();
    let root = folder.path().join("root");
    let mut found = BTreeSet::new();
    files(&root, &root, &mut found);
    let mut want: BTreeSet<String> = [
        "etc/mbimd/mbimd.toml",
        "usr/bin/mbimctl",
        "usr/libexec/mbimd-verify",
        "usr/sbin/mbimd",
        "usr/lib/systemd/system/mbimd-console.service",
        "usr/lib/systemd/system/mbimd.service",
        "usr/lib/systemd/user/mbimd-agent.service",
        "usr/lib/sysusers.d/mbimd.conf",
        "usr/lib/tmpfiles.d/mbimd.conf",
        "usr/lib/udev/rules.d/60-mbimd.rules",
        "usr/share/applications/org.mbimd.Provision.desktop",
        "usr/share/dbus-1/system-services/org.mbimd.Mbimd1.service",
        "usr/share/dbus-1/system.d/org.mbimd.Mbimd1.conf",
        "usr/share/mime/packages/org.mbimd.provisioning.xml",
        "usr/share/polkit-1/actions/org.mbimd.policy",
        "usr/share/polkit-1/rules.d/mbimd.rules",
    ]
    .into_iter()
    .map(str::to_owned)
    .collect();
    want.insert(format!("usr/share/dbus-1/interfaces/{}.xml", dbus_api::name::AGENT));
    want.extend(dbus_api::xml::OWN.iter().map(|(name, _)| format!("usr/share/dbus-1/interfaces/{name}.xml")));
    assert_eq!(found, want);
    for file in &found {
        let mode = fs::metadata(root.join(file)).unwrap().permissions().mode() & 0o7777;
        let program = file.contains("bin/") || file.contains("libexec/");
        assert_eq!(mode, if program { 0o755 } else { 0o644 }, "{file}");
    }
    for folder in ["mbimd.d", "operators.d", "metadata.d", "apps.d", "provisioning.d", "trust.d"] {
        assert!(root.join("etc/mbimd").join(folder).is_dir(), "{folder}");
    }
    let unit = fs::read_to_string(root.join("usr/lib/systemd/system/mbimd.service")).unwrap();
    assert!(unit.contains("\nExecStart=/usr/sbin/mbimd\n") && !unit.contains("@SBINDIR@"));
    for (unit, mode) in [("user/mbimd-agent", "desktop"), ("system/mbimd-console", "console")] {
        let unit = fs::read_to_string(root.join(format!("usr/lib/systemd/{unit}.service"))).unwrap();
        assert!(unit.contains(&format!("\nExecStart=/usr/bin/mbimctl agent --{mode}\n")), "{unit}");
    }
}

#[test]
fn an_administrators_configuration_is_kept() {
    let folder = installed();
    let file = folder.path().join("root/etc/mbimd/mbimd.toml");
    fs::write(&file, "autoconnect = false\n").unwrap();
    install(folder.path());
    assert_eq!(fs::read_to_string(file).unwrap(), "autoconnect = false\n");
}

#[test]
fn programs_that_are_not_built_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let mut recipe = Command::new(house().join("systemd/install"));
    let output = recipe.env("DESTDIR", folder.path()).env("BINARIES", "/nonexistent").output().unwrap();
    assert!(!output.status.success());
    assert!(String::from_utf8_lossy(&output.stderr).contains("/nonexistent/mbimd"));
}

/// Each line is a key with a value, and systemd knows them.
#[test]
fn systemd_takes_the_units_of_the_agent() {
    let folder = installed();
    let root = folder.path().join("root");
    for (manager, name) in [("--user", "user/mbimd-agent.service"), ("--system", "system/mbimd-console.service")] {
        let unit = root.join("usr/lib/systemd").join(name);
        let text = fs::read_to_string(&unit)
            .unwrap()
            .replace("/usr/bin/mbimctl", root.join("usr/bin/mbimctl").to_str().unwrap());
        fs::write(&unit, text).unwrap();
        let Ok(output) = Command::new("systemd-analyze").args(["verify", "--man=no", manager]).arg(&unit).output()
        else {
            println!("1 cases need systemd-analyze: the units of the agent were not verified");
            return;
        };
        let said = String::from_utf8_lossy(&output.stderr).into_owned() + &String::from_utf8_lossy(&output.stdout);
        let ours: Vec<&str> = said.lines().filter(|line| line.contains("mbimd-")).collect();
        assert!(ours.is_empty(), "{ours:#?}");
    }
}

#[test]
fn systemd_takes_the_unit() {
    let folder = installed();
    let root = folder.path().join("root");
    let unit = root.join("usr/lib/systemd/system/mbimd.service");
    // The units that ours names are not in the scratch root: only what is said of ours counts.
    let text =
        fs::read_to_string(&unit).unwrap().replace("/usr/sbin/mbimd", root.join("usr/sbin/mbimd").to_str().unwrap());
    fs::write(&unit, text).unwrap();
    let Ok(output) = Command::new("systemd-analyze").args(["verify", "--man=no"]).arg(&unit).output() else {
        println!("1 cases need systemd-analyze: the unit was not verified");
        return;
    };
    let said = String::from_utf8_lossy(&output.stderr).into_owned() + &String::from_utf8_lossy(&output.stdout);
    let ours: Vec<&str> = said.lines().filter(|line| line.contains("mbimd")).collect();
    assert!(ours.is_empty(), "{ours:#?}");
}

/// Exposure of the unit in tenths; what is left is said in docs/decisions/0006-what-the-unit-exposes.md.
const EXPOSURE: &str = "18";

#[test]
fn the_unit_exposes_little() {
    let folder = installed();
    let unit = folder.path().join("root/usr/lib/systemd/system/mbimd.service");
    let mut analyze = Command::new("systemd-analyze");
    let analyze = analyze.args(["security", "--no-pager", "--offline=true", "--threshold", EXPOSURE]).arg(&unit);
    let Ok(output) = analyze.output() else {
        println!("1 cases need systemd-analyze: the unit's exposure was not judged");
        return;
    };
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
}

#[test]
fn man_pages_and_completions_go_where_they_are_looked_for() {
    let folder = tempfile::tempdir().unwrap();
    let papers = folder.path().join("papers");
    fs::create_dir_all(papers.join("man/man1")).unwrap();
    fs::write(papers.join("man/man1/mbimctl.1"), ".TH X 1").unwrap();
    let mut recipe = Command::new(house().join("systemd/install"));
    let root = folder.path().join("root");
    recipe.env("DESTDIR", &root).env("PAPERS", &papers).env_remove("PREFIX");
    // Any two programs will do.
    let binaries = folder.path().join("binaries");
    fs::create_dir(&binaries).unwrap();
    for program in ["mbimd", "mbimd-verify", "mbimctl"] {
        std::os::unix::fs::symlink("/bin/true", binaries.join(program)).unwrap();
    }
    let output = recipe.env("BINARIES", &binaries).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(root.join("usr/share/man/man1/mbimctl.1").is_file());
}

#[test]
fn the_unit_keeps_its_promises() {
    let unit = text("systemd/mbimd.service");
    let lines: BTreeSet<&str> = unit.lines().collect();
    for line in [
        "Type=notify",
        "WatchdogSec=240s",
        "User=mbimd",
        "NoNewPrivileges=yes",
        "CapabilityBoundingSet=CAP_NET_ADMIN",
        "StateDirectory=mbimd",
        "RuntimeDirectory=mbimd",
        "RuntimeDirectoryPreserve=yes",
        "RestartKillSignal=SIGUSR1",
        "ProtectSystem=strict",
        "ReadWritePaths=/proc/sys/net",
    ] {
        assert!(lines.contains(line), "{line}");
    }
    let sections: Vec<&str> = unit.lines().filter(|line| line.starts_with('[')).collect();
    assert_eq!(sections, ["[Unit]", "[Service]", "[Install]"]);
    for line in unit.lines().filter(|line| !line.is_empty() && !line.starts_with(['#', '['])) {
        let (key, value) = line.split_once('=').unwrap_or_else(|| panic!("{line}"));
        assert!(!value.is_empty() && key.chars().all(|c| c.is_ascii_alphanumeric()), "{line}");
    }
}

fn parse(xml: &str) -> Document<'_> {
    Document::parse_with_options(xml, ParsingOptions { allow_dtd: true, ..ParsingOptions::default() }).unwrap()
}

/// A downloaded document is known by its root element and opens in the program that asks about its signer.
#[test]
fn documents_open_from_a_desktop() {
    let mime = text("systemd/desktop/org.mbimd.provisioning.xml");
    let tree = parse(&mime);
    let named = |name: &str| tree.descendants().find(|node| node.tag_name().name() == name);
    let kind = named("mime-type").and_then(|node| node.attribute("type")).unwrap();
    let root = named("root-XML").unwrap();
    let schema = text("tests/documents/valid/01-global-only.xml");
    let sample = parse(&schema).root_element().tag_name().namespace().map(str::to_owned);
    assert_eq!(
        (root.attribute("localName"), root.attribute("namespaceURI")),
        (Some("CarrierProvisioning"), sample.as_deref())
    );
    let entry = text("systemd/desktop/org.mbimd.Provision.desktop");
    let line = |key: &str| entry.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix('=')).unwrap();
    assert_eq!(line("MimeType"), format!("{kind};"));
    assert_eq!((line("Exec"), line("Terminal")), ("mbimctl provision open --pause %f", "true"));
}

#[test]
fn the_bus_policy_lets_exactly_our_interfaces_through() {
    let xml = text("systemd/dbus-1/org.mbimd.Mbimd1.conf");
    let document = parse(&xml);
    let everyone = document.descendants().find(|node| node.attribute("context") == Some("default")).unwrap();
    let mut rules = everyone.children().filter(|node| node.is_element());
    let first = rules.next().unwrap();
    assert!(first.has_tag_name("deny") && first.attribute("send_destination") == Some(dbus_api::name::SERVICE));
    let allowed: BTreeSet<&str> = rules
        .map(|rule| {
            assert!(rule.has_tag_name("allow") && rule.attribute("send_destination") == Some(dbus_api::name::SERVICE));
            rule.attribute("send_interface").unwrap()
        })
        .collect();
    let ours = dbus_api::xml::OWN.iter().map(|(name, _)| *name);
    let standard =
        ["Introspectable", "ObjectManager", "Peer", "Properties"].map(|name| format!("org.freedesktop.DBus.{name}"));
    assert_eq!(allowed, ours.chain(standard.iter().map(String::as_str)).collect());
    let owners: BTreeSet<&str> = document
        .descendants()
        .filter(|node| node.attribute("own").is_some())
        .filter_map(|node| node.parent_element().unwrap().attribute("user"))
        .collect();
    assert_eq!(owners, BTreeSet::from(["mbimd", "root"]));
}

#[test]
fn actions_in_the_xml_and_in_polkit_are_the_same() {
    let xml = text("systemd/polkit/org.mbimd.policy");
    let document = parse(&xml);
    let mut declared = BTreeSet::new();
    for action in document.descendants().filter(|node| node.has_tag_name("action")) {
        declared.insert(action.attribute("id").unwrap());
        let of = |name: &str| action.descendants().find(|node| node.has_tag_name(name)).and_then(|node| node.text());
        assert!(of("description").is_some() && of("message").is_some());
        for default in ["allow_any", "allow_inactive", "allow_active"] {
            let value = of(default).unwrap();
            assert!(
                ["no", "yes", "auth_self", "auth_admin", "auth_self_keep", "auth_admin_keep"].contains(&value),
                "{value}"
            );
        }
        assert_eq!(of("allow_any"), Some("auth_admin"), "services and remote sessions are not at the machine");
    }
    let provision = document.descendants().find(|node| node.attribute("id") == Some("org.mbimd.provision")).unwrap();
    assert!(
        provision
            .descendants()
            .filter(|node| node.tag_name().name().starts_with("allow_"))
            .all(|node| node.text() == Some("auth_admin"))
    );
    let mut named = BTreeSet::new();
    for (_, xml) in dbus_api::xml::OWN {
        for (at, _) in xml.match_indices("Authorisation: ") {
            let text = xml.get(at..).unwrap();
            let text = text.get(..text.find("Errors:").unwrap()).unwrap();
            named.extend(
                text.split([' ', ',', ';', '\n'])
                    .map(|word| word.trim_end_matches('.'))
                    .filter(|word| word.starts_with("org.mbimd.")),
            );
        }
    }
    assert_eq!(named, declared);
}

/// One `KEY op "value"` of a udev rule.
fn token(text: &str) -> (String, &str, &str) {
    let at = text.find(['=', '!', '+', '-', ':']).unwrap_or_else(|| panic!("no operator: {text}"));
    let (key, rest) = text.split_at(at);
    let operator = ["==", "!=", "+=", "-=", ":=", "="].into_iter().find(|operator| rest.starts_with(operator)).unwrap();
    let value =
        rest.strip_prefix(operator).and_then(|value| value.strip_prefix('"')).and_then(|value| value.strip_suffix('"'));
    (key.to_owned(), operator, value.unwrap_or_else(|| panic!("no quotes: {text}")))
}

#[test]
fn udev_rules_are_well_formed() {
    let rules = text("udev/60-mbimd.rules");
    let (mut jumps, mut labels) = (BTreeSet::new(), BTreeSet::new());
    let mut comment_before = false;
    for line in rules.lines() {
        if line.is_empty() || line.starts_with('#') {
            comment_before |= line.starts_with('#');
            continue;
        }
        let mut actions = 0;
        for part in line.split(", ") {
            let (key, operator, value) = token(part);
            let name = key.split('{').next().unwrap();
            assert_eq!(key.contains('{'), key.ends_with('}'), "{part}");
            let matches = ["ACTION", "SUBSYSTEM", "KERNEL", "DRIVERS"];
            match (name, operator) {
                ("ENV", "==" | "!=" | "=" | "+=") | ("TEST", "==") | ("TAG", "+=") | ("GROUP" | "MODE", "=") => {}
                ("GOTO", "=") => assert!(jumps.insert(value)),
                ("LABEL", "=") => assert!(labels.insert(value)),
                (name, "==" | "!=") if matches.contains(&name) => {}
                _ => panic!("{part}"),
            }
            if name == "MODE" {
                let mode = u32::from_str_radix(value, 8).unwrap();
                // Everybody may read a USB device's descriptors, as before; requests need the right to write.
                let others = if line.starts_with("SUBSYSTEM==\"usb\",") { 0o003 } else { 0o007 };
                assert_eq!(mode & others, 0, "nobody else may speak to the modem");
            }
            actions += usize::from(!matches!(operator, "==" | "!="));
        }
        assert!(actions > 0, "a rule that does nothing: {line}");
    }
    assert!(comment_before);
    assert_eq!(jumps, labels);
}

#[test]
fn the_configuration_reads_as_toml_and_names_a_probe_host() {
    let file = text("systemd/mbimd.toml");
    let read: toml::Table = file.parse().unwrap();
    let probe = read.get("probe").unwrap();
    assert!(probe.get("http").and_then(toml::Value::as_str).is_some_and(|url| url.starts_with("http://")));
    assert!(probe.get("body").is_some());
    // The defaults that are shown read too.
    let shown: String = file
        .lines()
        .map(|line| line.strip_prefix("# ").filter(|line| line.contains(" = ")).unwrap_or(line))
        .map(|line| format!("{line}\n"))
        .collect();
    let all: toml::Table = shown.parse().unwrap();
    for key in ["autoconnect", "roaming", "route-metric", "dns", "network"] {
        assert!(all.contains_key(key), "{key}");
    }
}

#[test]
fn users_and_folders_are_declared() {
    let users = text("systemd/sysusers.conf");
    assert!(users.lines().any(|line| line.starts_with("u mbimd ")));
    let activation = text("systemd/dbus-1/org.mbimd.Mbimd1.service");
    let unit = text("systemd/mbimd.service");
    assert!(activation.contains(&format!("Name={}\n", dbus_api::name::SERVICE)));
    assert!(activation.contains("SystemdService=dbus-org.mbimd.Mbimd1.service\n"));
    assert!(unit.contains("Alias=dbus-org.mbimd.Mbimd1.service\n"));
}

use super::*;
use crate::config::Dns;
use daemon_core::snapshot::IpSettings;
use std::io::Write as _;

fn settings(ip: IpSettings) -> LinkSettings {
    LinkSettings { session: 0, ip, metric: None }
}

fn v4(text: &str) -> Ipv4Addr {
    text.parse().unwrap()
}

fn v6(text: &str) -> Ipv6Addr {
    text.parse().unwrap()
}

/// Routes as `TO/PREFIX[ via GATEWAY]`.
fn routes(ip: IpSettings) -> Vec<String> {
    let wanted = Wanted::of(&settings(ip), "none", 700);
    assert!(wanted.routes.iter().all(|route| route.metric == 700));
    wanted
        .routes
        .iter()
        .map(|route| {
            let via = route.via.map(|via| format!(" via {via}")).unwrap_or_default();
            format!("{}/{}{via}", route.to, route.prefix)
        })
        .collect()
}

#[test]
fn routes_by_what_the_network_gave() {
    let ip = |address: &str, prefix, gateway: Option<&str>| IpSettings {
        ipv4: vec![(v4(address), prefix)],
        gateway4: gateway.map(v4),
        ..IpSettings::default()
    };
    assert_eq!(routes(ip("10.1.2.3", 24, Some("10.1.2.1"))), ["10.1.2.0/24", "0.0.0.0/0 via 10.1.2.1"]);
    assert_eq!(routes(ip("10.1.2.3", 32, None)), ["0.0.0.0/0"], "on the link");
    assert_eq!(routes(ip("10.1.2.3", 32, Some("10.9.9.1"))), ["10.9.9.1/32", "0.0.0.0/0 via 10.9.9.1"]);
    assert_eq!(routes(ip("10.1.2.3", 30, Some("10.9.9.1"))), ["10.1.2.0/30", "10.9.9.1/32", "0.0.0.0/0 via 10.9.9.1"]);
    assert_eq!(routes(ip("10.1.2.3", 32, Some("10.1.2.3"))), ["0.0.0.0/0"], "itself is no gateway");
    assert_eq!(routes(ip("10.1.2.3", 0, Some("0.0.0.0"))), ["0.0.0.0/0"]);
    let dual = IpSettings {
        ipv4: vec![(v4("10.1.2.3"), 32)],
        ipv6: vec![(v6("2001:db8:1::2"), 64)],
        gateway6: Some(v6("fe80::1")),
        ..IpSettings::default()
    };
    assert_eq!(
        routes(dual),
        ["2001:db8:1::/64", "0.0.0.0/0", "::/0 via fe80::1"],
        "a link-local gateway needs no route"
    );
    let slaac = IpSettings { ipv6: vec![(v6("fe80::7"), 64)], slaac: true, ..IpSettings::default() };
    assert_eq!(routes(slaac), ["fe80::/64"], "the router names itself");
    assert!(routes(IpSettings::default()).is_empty());
}

/// A network namespace of this thread alone with a pair `w0`/`far`; `None` without the right to make one.
fn namespace() -> Option<tokio::runtime::Runtime> {
    if nix::sched::unshare(nix::sched::CloneFlags::CLONE_NEWNET).is_err() {
        // Written past the test runner, which would swallow it.
        let _ = writeln!(io::stderr(), "1 cases need root");
        return None;
    }
    assert!(ip(&["link", "add", "w0", "type", "veth", "peer", "name", "far"]), "ip link add");
    assert!(ip(&["link", "set", "far", "up"]));
    Some(tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap())
}

fn ip(words: &[&str]) -> bool {
    std::process::Command::new("ip").args(words).status().is_ok_and(|status| status.success())
}

/// Everything of the interface that the daemon could have touched.
fn state() -> String {
    let out = |words: &[&str]| {
        String::from_utf8(std::process::Command::new("ip").args(words).output().unwrap().stdout).unwrap()
    };
    let parameter = |path: &str| std::fs::read_to_string(path).unwrap_or_default();
    let link = out(&["-o", "link", "show", "dev", "w0"]);
    // The queue discipline is made with the first rise and stays; the kernel's own link-local addresses and the
    // routes to them come and go when it likes.
    let link = link.split(" qdisc ").next().unwrap_or_default().to_owned();
    let text = [
        link,
        out(&["-o", "addr", "show", "dev", "w0"]),
        out(&["route", "show", "table", "all", "dev", "w0"]),
        out(&["-6", "route", "show", "table", "all", "dev", "w0"]),
        parameter("/proc/sys/net/ipv6/conf/w0/accept_ra"),
        parameter("/proc/sys/net/ipv6/conf/w0/addr_gen_mode"),
        parameter("/proc/sys/net/ipv4/conf/w0/rp_filter"),
    ]
    .join("\n");
    let own = |line: &&str| (!line.contains("fe80:") && !line.contains("ff00:")) || line.contains("fe80::7");
    text.lines().filter(own).collect::<Vec<_>>().join("\n")
}

fn dual() -> IpSettings {
    IpSettings {
        ipv4: vec![(v4("10.64.0.2"), 24)],
        ipv6: vec![(v6("2001:db8:64::2"), 64)],
        gateway4: Some(v4("10.64.0.1")),
        gateway6: Some(v6("2001:db8:64::1")),
        dns: vec!["10.64.0.1".parse().unwrap()],
        mtu: Some(1430),
        slaac: false,
    }
}

fn link(run: &Path) -> Link {
    Link::new("w0".into(), 700, run, Resolver::new(Dns::ResolvConf, None, run))
}

#[test]
fn up_down_and_nothing_is_left() {
    let run = tempfile::tempdir().unwrap();
    let Some(runtime) = namespace() else { return };
    runtime.block_on(async {
        let before = state();
        let mut link = link(run.path());
        link.up(&settings(dual())).await.unwrap();
        let up = state();
        for part in [
            "mtu 1430",
            "inet 10.64.0.2/24",
            "inet6 2001:db8:64::2/64",
            "default via 10.64.0.1 proto static metric 700",
            "default via 2001:db8:64::1 proto static metric 700",
            "10.64.0.0/24 proto static scope link metric 700",
        ] {
            assert!(up.contains(part), "{part} in {up}");
        }
        assert!(up.lines().any(|line| line.contains("2001:db8:64::2") && !line.contains("tentative")), "{up}");
        assert!(run.path().join("resolv.conf.d/w0").exists());
        link.up(&settings(dual())).await.unwrap();
        assert_eq!(state(), up, "asked twice it changes nothing");
        // The network gave another address: only the difference is made.
        let moved = IpSettings { ipv4: vec![(v4("10.64.0.9"), 24)], ipv6: Vec::new(), gateway6: None, ..dual() };
        link.up(&settings(moved)).await.unwrap();
        let up = state();
        assert!(up.contains("10.64.0.9/24") && !up.contains("10.64.0.2/") && !up.contains("2001:db8:64"), "{up}");
        link.down(0).await.unwrap();
        assert_eq!(state(), before);
        link.down(0).await.unwrap();
        assert!(!run.path().join("resolv.conf.d/w0").exists());
        assert!(Ledger::leftovers(&run.path().join("links")).is_empty());
    });
}

#[test]
fn after_a_crash_exactly_what_is_listed_is_taken_away() {
    let run = tempfile::tempdir().unwrap();
    let Some(runtime) = namespace() else { return };
    runtime.block_on(async {
        assert!(ip(&["link", "set", "w0", "up"]));
        assert!(ip(&["addr", "add", "192.0.2.1/32", "dev", "w0"]));
        let before = state();
        let mut crashed = link(run.path());
        crashed.up(&settings(dual())).await.unwrap();
        drop(crashed);
        assert_ne!(state(), before);
        let resolver = Resolver::new(Dns::ResolvConf, None, run.path());
        clear_leftovers(run.path(), &resolver).await;
        assert_eq!(state(), before, "what others set stands");
        clear_leftovers(run.path(), &resolver).await;
        assert!(Ledger::leftovers(&run.path().join("links")).is_empty());
    });
}

#[test]
fn what_others_set_is_not_taken_away() {
    let run = tempfile::tempdir().unwrap();
    let Some(runtime) = namespace() else { return };
    runtime.block_on(async {
        assert!(ip(&["link", "set", "w0", "up"]));
        assert!(ip(&["addr", "add", "10.64.0.2/24", "dev", "w0", "noprefixroute"]));
        let before = state();
        let mut link = link(run.path());
        link.up(&settings(dual())).await.unwrap();
        link.clear().await;
        assert_eq!(state(), before);
    });
}

#[test]
fn advertised_addresses_go_too() {
    let run = tempfile::tempdir().unwrap();
    let Some(runtime) = namespace() else { return };
    runtime.block_on(async {
        let before = state();
        let mut link = link(run.path());
        let slaac = IpSettings { ipv6: vec![(v6("fe80::7"), 64)], slaac: true, ..IpSettings::default() };
        link.up(&settings(slaac)).await.unwrap();
        // As a router advertisement would have made it: with a lifetime.
        assert!(ip(&["addr", "add", "2001:db8:9::7/64", "dev", "w0", "valid_lft", "600", "preferred_lft", "300"]));
        assert!(state().contains("fe80::7/64"));
        link.down(0).await.unwrap();
        assert_eq!(state(), before);
    });
}

#[test]
fn a_missing_interface_is_named() {
    let run = tempfile::tempdir().unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let resolver = Resolver::new(Dns::None, None, run.path());
        let mut link = Link::new("no-such-link".into(), 700, run.path(), resolver);
        let failure = link.up(&settings(dual())).await.unwrap_err();
        assert_eq!(failure.code, "no-interface");
        assert!(failure.text.contains("no-such-link"), "{}", failure.text);
        link.down(0).await.unwrap();
        let second = LinkSettings { session: 1, ..settings(dual()) };
        assert_eq!(link.up(&second).await.unwrap_err().code, "session-unsupported");
    });
}

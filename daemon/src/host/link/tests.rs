use super::*;
use crate::config::Dns;
use daemon_core::snapshot::IpSettings;
use std::io::Write as _;

fn settings(ip: IpSettings) -> LinkSettings {
    LinkSettings { session: 0, ip, metric: None, dns_retry: None }
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
        parameter("/proc/sys/net/ipv6/conf/w0/accept_ra_pinfo"),
        parameter("/proc/sys/net/ipv6/conf/w0/accept_ra_defrtr"),
        parameter("/proc/sys/net/ipv6/conf/w0/router_solicitations"),
        parameter("/proc/sys/net/ipv6/conf/w0/addr_gen_mode"),
        parameter("/proc/sys/net/ipv4/conf/w0/rp_filter"),
    ]
    .join("\n");
    // The kernel makes the IPv6 route to an address itself some time after the address.
    let later = |line: &str| line.contains("table local proto kernel") && line.contains(':');
    let own = |line: &&str| {
        ((!line.contains("fe80:") && !line.contains("ff00:")) || line.contains("fe80::7")) && !later(line)
    };
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
        link.up(&settings(dual()), None).await.unwrap();
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
        link.up(&settings(dual()), None).await.unwrap();
        assert_eq!(state(), up, "asked twice it changes nothing");
        // The network gave another address: only the difference is made.
        let moved = IpSettings { ipv4: vec![(v4("10.64.0.9"), 24)], ipv6: Vec::new(), gateway6: None, ..dual() };
        link.up(&settings(moved), None).await.unwrap();
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
        crashed.up(&settings(dual()), None).await.unwrap();
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
        link.up(&settings(dual()), None).await.unwrap();
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
        link.up(&settings(slaac), None).await.unwrap();
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
        let failure = link.up(&settings(dual()), None).await.unwrap_err();
        assert_eq!(failure.code, "no-interface");
        assert!(failure.text.contains("no-such-link"), "{}", failure.text);
        link.down(0).await.unwrap();
        let second = LinkSettings { session: 1, ..settings(dual()) };
        assert_eq!(link.up(&second, None).await.unwrap_err().code, "no-interface");
        link.down(1).await.unwrap();
    });
}

fn of_session(session: u32, address: &str) -> LinkSettings {
    let ip = IpSettings { ipv4: vec![(v4(address), 24)], ipv6: Vec::new(), gateway6: None, mtu: None, ..dual() };
    LinkSettings { session, ip, metric: Some(50), dns_retry: None }
}

/// What stands on an interface.
fn on(interface: &str) -> String {
    let out = |words: &[&str]| {
        String::from_utf8(std::process::Command::new("ip").args(words).output().unwrap().stdout).unwrap()
    };
    out(&["-4", "-o", "addr", "show", "dev", interface]) + &out(&["route", "show", "dev", interface])
}

#[test]
fn a_session_with_an_interface_of_its_own() {
    let run = tempfile::tempdir().unwrap();
    let Some(runtime) = namespace() else { return };
    runtime.block_on(async {
        assert!(ip(&["link", "add", "mbim0.2", "type", "veth", "peer", "name", "far2"]));
        assert!(ip(&["link", "set", "far2", "up"]));
        let before = state();
        let mut link = link(run.path());
        let up = link.up(&of_session(2, "10.64.2.2"), Some("mbim0.2".into())).await.unwrap();
        assert_eq!(up.as_deref(), Some("mbim0.2"));
        let shown = on("mbim0.2");
        assert!(
            shown.contains("10.64.2.2/24") && shown.contains("default via 10.64.0.1 proto static metric 52"),
            "{shown}"
        );
        assert!(!run.path().join("resolv.conf.d/mbim0.2").exists(), "its servers are not for everybody");
        link.up(&settings(dual()), None).await.unwrap();
        link.down(2).await.unwrap();
        assert!(!on("mbim0.2").contains("10.64.2.2"));
        assert!(state().contains("10.64.0.2/24"), "the other session is untouched");
        link.clear().await;
        assert_eq!(state(), before);
        assert!(Ledger::leftovers(&run.path().join("links")).is_empty());
    });
}

/// Where the kernel has VLANs, all of their life; else the refusal is named and leaves nothing. The lab has them.
#[test]
fn vlans_of_the_modems_interface() {
    let run = tempfile::tempdir().unwrap();
    let Some(runtime) = namespace() else { return };
    runtime.block_on(async {
        let listed = || Ledger::leftovers(&run.path().join("links"));
        let before = state();
        let there = ip(&["link", "add", "link", "w0", "name", "w0.9", "type", "vlan", "id", "9"]);
        let mut link = link(run.path());
        if !there {
            let _ = writeln!(io::stderr(), "1 cases need VLANs in the kernel");
            assert_eq!(link.up(&of_session(2, "10.64.2.2"), None).await.unwrap_err().code, "no-vlan");
            assert_eq!((listed(), state() == before), (vec![], true));
            return;
        }
        assert_eq!(link.up(&of_session(2, "10.64.2.2"), None).await.unwrap().as_deref(), Some("w0.2"));
        assert!(on("w0.2").contains("10.64.2.2/24"));
        assert_eq!(listed().len(), 2, "the VLAN, and that its base is up");
        // One that somebody else made is used, and stays.
        link.up(&of_session(9, "10.64.9.2"), None).await.unwrap();
        link.up(&settings(dual()), None).await.unwrap();
        link.down(0).await.unwrap();
        assert!(on("w0.2").contains("10.64.2.2/24"), "the base is still up");
        link.down(9).await.unwrap();
        assert!(!on("w0.9").contains("10.64.9.2") && ip(&["link", "show", "dev", "w0.9"]));
        link.down(2).await.unwrap();
        assert!(!ip(&["link", "show", "dev", "w0.2"]));
        assert_eq!((listed(), state()), (vec![], before.clone()));
        // A name that is taken by something else.
        assert!(ip(&["link", "add", "w0.3", "type", "veth", "peer", "name", "far3"]));
        assert_eq!(link.up(&of_session(3, "10.64.3.2"), None).await.unwrap_err().code, "name-taken");
        // A crash at any point: what is listed is taken away, a VLAN also where its number was not written down any more.
        link.up(&of_session(2, "10.64.2.2"), None).await.unwrap();
        let mut crashed = listed().into_iter().find(|ledger| ledger.session == 2).unwrap();
        crashed = Ledger { made: true, index: 0, ..crashed.bare() };
        crashed.store(&run.path().join("links")).unwrap();
        clear_leftovers(run.path(), &Resolver::new(Dns::ResolvConf, None, run.path())).await;
        assert!(!ip(&["link", "show", "dev", "w0.2"]) && ip(&["link", "show", "dev", "w0.9"]));
        assert_eq!((listed(), state()), (vec![], before));
    });
}

#[test]
fn names_of_sessions() {
    assert_eq!(made::name("wwan0", 2), "wwan0.2");
    assert_eq!(made::name("wwp0s20f0u3i12", 255), "wwp0s20f0u3.255");
}

//! The data interface of one modem: what the core wants on it is compared with what was set, and the difference is
//! made. Everything that is set stands in the ledger first; taking away goes through the ledger alone.

use std::collections::BTreeMap;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::path::{Path, PathBuf};

use daemon_core::carrier::DnsRetry;
use daemon_core::effect::LinkSettings;
use daemon_core::modem::LinkFailure;

pub(super) mod made;

use super::ledger::Ledger;
use super::netlink::{Netlink, Route, gone_is_fine};
use super::resolver::Resolver;
use crate::store::atomic;

/// What is to stand on the interface.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Wanted {
    mtu: Option<u32>,
    addresses: Vec<(IpAddr, u8)>,
    routes: Vec<Route>,
    parameters: Vec<(PathBuf, String)>,
    advertised: bool,
    dns: Vec<IpAddr>,
    dns_retry: Option<DnsRetry>,
}

impl Wanted {
    /// Addresses as given; a route to each prefix; a default route a family: over the gateway, with a host route to it
    /// where no prefix holds it, else on the link.
    fn of(settings: &LinkSettings, interface: &str, metric: u32) -> Self {
        let ip = &settings.ip;
        let mut wanted = Self {
            mtu: ip.mtu,
            dns: ip.dns.clone(),
            dns_retry: settings.dns_retry,
            advertised: ip.slaac,
            ..Self::default()
        };
        let v4 = || ip.ipv4.iter().map(|(address, prefix)| (IpAddr::V4(*address), *prefix));
        let v6 = || ip.ipv6.iter().map(|(address, prefix)| (IpAddr::V6(*address), *prefix));
        for (address, prefix) in v4().chain(v6()) {
            wanted.addresses.push((address, prefix));
            let whole = if address.is_ipv4() { 32 } else { 128 };
            let network = (network(address, prefix), prefix);
            let known = wanted.routes.iter().any(|route| (route.to, route.prefix) == network);
            if prefix < whole && prefix > 0 && !known {
                wanted.routes.push(Route { to: network.0, prefix, via: None, metric });
            }
        }
        let defaults = [
            (v4().count() > 0, IpAddr::V4(Ipv4Addr::UNSPECIFIED), ip.gateway4.map(IpAddr::V4)),
            // With advertisements the router names itself.
            (v6().count() > 0 && !ip.slaac, IpAddr::V6(Ipv6Addr::UNSPECIFIED), ip.gateway6.map(IpAddr::V6)),
        ];
        for (any, to, gateway) in defaults {
            if !any {
                continue;
            }
            let gateway = gateway.filter(|g| !g.is_unspecified() && !wanted.addresses.iter().any(|(own, _)| own == g));
            if let Some(gateway) = gateway {
                let whole = if gateway.is_ipv4() { 32 } else { 128 };
                let inside = |(address, prefix): &(IpAddr, u8)| {
                    address.is_ipv4() == gateway.is_ipv4()
                        && *prefix < whole
                        && network(*address, *prefix) == network(gateway, *prefix)
                };
                let local = matches!(gateway, IpAddr::V6(v6) if v6.is_unicast_link_local());
                if !local && !wanted.addresses.iter().any(inside) {
                    wanted.routes.push(Route { to: gateway, prefix: whole, via: None, metric });
                }
            }
            wanted.routes.push(Route { to, prefix: 0, via: gateway, metric });
        }
        wanted.parameters = parameters(interface, ip.slaac, !ip.ipv6.is_empty(), metric);
        wanted
    }
}

/// Kernel parameters of the interface.
fn parameters(interface: &str, slaac: bool, ipv6: bool, metric: u32) -> Vec<(PathBuf, String)> {
    let v6 = |key: &str, value: String| (Path::new("/proc/sys/net/ipv6/conf").join(interface).join(key), value);
    let mut list = Vec::new();
    if slaac {
        // 2: also where this machine forwards packets.
        list.push(v6("accept_ra", "2".into()));
        // As the kernel has them at first, also behind a session that had its addresses by MBIM.
        for key in ["accept_ra_defrtr", "accept_ra_pinfo", "accept_ra_mtu", "autoconf"] {
            list.push(v6(key, "1".into()));
        }
        // 1: the kernel makes no link-local address of its own; the network gave one.
        list.push(v6("addr_gen_mode", "1".into()));
        list.push(v6("ra_defrtr_metric", metric.to_string()));
    } else if ipv6 {
        // Addresses and routes come by MBIM. Advertisements are received for what else is in them: whether the network
        // has a captive portal API, and its NAT64. [RFC 8910, RFC 8781] The kernel asks for them three times, not for ever.
        for key in ["accept_ra_defrtr", "accept_ra_pinfo", "accept_ra_mtu", "accept_ra_rt_info_max_plen", "autoconf"] {
            list.push(v6(key, "0".into()));
        }
        list.push(v6("router_solicitations", "3".into()));
        list.push(v6("accept_ra", "2".into()));
    }
    if ipv6 {
        list.push(v6("disable_ipv6", "0".into()));
    }
    // Strict reverse-path filtering drops what comes in on an interface without the best default route; loose is 2.
    // [OPER 4.2]
    let strict = |name: &str| {
        let path = Path::new("/proc/sys/net/ipv4/conf").join(name).join("rp_filter");
        std::fs::read_to_string(path).is_ok_and(|value| value.trim() == "1")
    };
    if strict("all") || strict(interface) {
        list.push((Path::new("/proc/sys/net/ipv4/conf").join(interface).join("rp_filter"), "2".into()));
    }
    list
}

fn network(address: IpAddr, prefix: u8) -> IpAddr {
    match address {
        IpAddr::V4(v4) => {
            let mask = u32::MAX.checked_shl(32u32.saturating_sub(prefix.into())).unwrap_or(0);
            Ipv4Addr::from_bits(v4.to_bits() & mask).into()
        }
        IpAddr::V6(v6) => {
            let mask = u128::MAX.checked_shl(128u32.saturating_sub(prefix.into())).unwrap_or(0);
            Ipv6Addr::from_bits(v6.to_bits() & mask).into()
        }
    }
}

/// The data interface of one modem, and those of its sessions above 0.
#[derive(Debug)]
pub(crate) struct Link {
    interface: String,
    metric: u32,
    folder: PathBuf,
    resolver: Resolver,
    set: BTreeMap<u32, Ledger>,
    /// The default session stands on the interface; without it the interface may be up for the others only.
    default: bool,
}

impl Link {
    /// `metric`: of the routes where settings name none.
    pub(crate) fn new(interface: String, metric: u32, run_dir: &Path, resolver: Resolver) -> Self {
        Self { interface, metric, folder: folder(run_dir), resolver, set: BTreeMap::new(), default: false }
    }

    /// What the last run set for a session is this one's: to be changed, kept or taken away.
    pub(crate) fn adopt(&mut self, ledger: Ledger) {
        self.default |= ledger.session == 0 && !ledger.only_raised();
        self.set.insert(ledger.session, ledger);
    }

    /// Makes the interface as wanted; asked twice it changes nothing the second time. `own`: of a session above 0, the
    /// interface that is there for it already; else one is made of the modem's. Gives its name, where it is not the
    /// modem's.
    pub(crate) async fn up(
        &mut self,
        settings: &LinkSettings,
        own: Option<String>,
    ) -> Result<Option<String>, LinkFailure> {
        let session = settings.session;
        // The default connection's routes come first, whatever else is up.
        let metric = settings.metric.unwrap_or(self.metric).saturating_add(session);
        let (name, mut ledger) = if session == 0 {
            self.default = true;
            (self.interface.clone(), self.set.remove(&0).unwrap_or_default())
        } else {
            let name = own.clone().unwrap_or_else(|| made::name(&self.interface, session));
            let ledger = match own {
                Some(name) => {
                    self.set.remove(&session).unwrap_or_else(|| Ledger::of_session(&name, session, Default::default()))
                }
                None => self.branch(&name, session).map_err(|(what, error)| failure(&name, what, &error))?,
            };
            (name, ledger)
        };
        let wanted = Wanted::of(settings, &name, metric);
        let result = self.apply(&name, &wanted, &mut ledger).await;
        self.set.insert(session, ledger);
        result.map_err(|(what, error)| failure(&name, what, &error))?;
        Ok((session > 0).then_some(name))
    }

    /// The interface of a session above 0, made if it is not there.
    fn branch(&mut self, name: &str, session: u32) -> Result<Ledger, (&'static str, io::Error)> {
        let at = |what: &'static str| move |error: io::Error| (what, error);
        let mut netlink = Netlink::open().map_err(at("netlink"))?;
        let base = netlink.link(&self.interface).map_err(at("interface"))?;
        let known = self.set.remove(&session);
        let (ledger, result) =
            made::make(&mut netlink, known, name, session, (&self.interface, base.index), &self.folder);
        if !ledger.is_empty() {
            self.set.insert(session, ledger.clone());
        }
        result.map_err(at("session"))?;
        // A VLAN is as dead as what it stands on.
        if !base.up && ledger.device.is_empty() {
            let mut held = self.set.remove(&0).filter(|held| held.index == base.index).unwrap_or_default();
            if held.index == 0 {
                held = Ledger::of(&self.interface, base.index);
            }
            held.raised = true;
            let stored = atomic::make_folder(&self.folder, 0o755).and_then(|()| held.store(&self.folder));
            self.set.insert(0, held);
            stored.map_err(at("ledger"))?;
            netlink.set_up(base.index, true).map_err(at("up"))?;
        }
        self.set.remove(&session);
        Ok(ledger)
    }

    async fn apply(
        &self,
        interface: &str,
        wanted: &Wanted,
        ledger: &mut Ledger,
    ) -> Result<(), (&'static str, io::Error)> {
        let at = |what: &'static str| move |error: io::Error| (what, error);
        let mut netlink = Netlink::open().map_err(at("netlink"))?;
        let link = netlink.link(interface).map_err(at("interface"))?;
        if ledger.index != link.index || ledger.interface != interface {
            let Ledger { session, base, device, made, .. } = core::mem::take(ledger);
            *ledger = Ledger { session, base, device, made, ..Ledger::of(interface, link.index) };
        }
        let before = ledger.clone();
        // Written down before it is done: the union of what stands and what is to come.
        ledger.raised |= !link.up;
        if let Some(mtu) = wanted.mtu
            && mtu != link.mtu
        {
            ledger.mtu.get_or_insert(link.mtu);
        }
        for (path, value) in &wanted.parameters {
            if !ledger.parameters.iter().any(|(known, _)| known == path)
                && let Ok(present) = std::fs::read_to_string(path)
                && present.trim() != value
            {
                ledger.parameters.push((path.clone(), present.trim().to_owned()));
            }
        }
        merge(&mut ledger.addresses, &wanted.addresses);
        merge(&mut ledger.routes, &wanted.routes);
        ledger.advertised |= wanted.advertised;
        ledger.dns |= !wanted.dns.is_empty();
        atomic::make_folder(&self.folder, 0o755).and_then(|()| ledger.store(&self.folder)).map_err(at("ledger"))?;

        for (path, value) in &wanted.parameters {
            write_parameter(path, value);
        }
        if !link.up {
            netlink.set_up(link.index, true).map_err(at("up"))?;
        }
        if let Some(mtu) = wanted.mtu
            && mtu != link.mtu
            && let Err(error) = netlink.set_mtu(link.index, mtu)
        {
            // A link with a larger MTU than the network's works, with fragments.
            tracing::warn!(interface, mtu, %error, "the MTU was not taken");
            ledger.mtu = before.mtu;
        }
        for route in before.routes.iter().filter(|route| !wanted.routes.contains(route)) {
            gone_is_fine(netlink.remove_route(link.index, route)).map_err(at("route"))?;
        }
        for address in before.addresses.iter().filter(|address| !wanted.addresses.contains(address)) {
            gone_is_fine(netlink.remove_address(link.index, address.0, address.1)).map_err(at("address"))?;
        }
        ledger.routes.retain(|route| wanted.routes.contains(route));
        ledger.addresses.retain(|address| wanted.addresses.contains(address));
        for (address, prefix) in &wanted.addresses {
            let mine = before.addresses.contains(&(*address, *prefix));
            if there_is_fine(netlink.add_address(link.index, *address, *prefix)).map_err(at("address"))? && !mine {
                ledger.addresses.retain(|known| known != &(*address, *prefix));
            }
        }
        for route in &wanted.routes {
            let mine = before.routes.contains(route);
            if there_is_fine(netlink.add_route(link.index, route)).map_err(at("route"))? && !mine {
                ledger.routes.retain(|known| known != route);
            }
        }
        let retry = wanted.dns_retry;
        match self.resolver.set(interface, link.index, &wanted.dns, ledger.session == 0, retry).await {
            Ok(told) => ledger.dns = told,
            Err(error) => tracing::warn!(interface, %error, "the DNS servers could not be told"),
        }
        ledger.store(&self.folder).map_err(at("ledger"))
    }

    /// Takes away what was set for the session. The modem's interface stays up for those that stand on it.
    pub(crate) async fn down(&mut self, session: u32) -> Result<(), LinkFailure> {
        self.default &= session != 0;
        self.take(session).await?;
        if !self.default && self.set.keys().all(|session| *session == 0) {
            self.take(0).await?;
        }
        Ok(())
    }

    async fn take(&mut self, session: u32) -> Result<(), LinkFailure> {
        let Some(ledger) = self.set.remove(&session) else { return Ok(()) };
        let name = ledger.interface.clone();
        let others = session == 0 && !self.set.is_empty();
        match take_away(ledger, &self.folder, &self.resolver, others).await {
            Ok(left) if left.is_empty() => Ok(()),
            Ok(left) => {
                self.set.insert(session, left);
                Ok(())
            }
            Err((left, error)) => {
                self.set.insert(session, left);
                Err(failure(&name, "take-away", &error))
            }
        }
    }

    /// Takes away everything, what stands on the modem's interface first; what fails is logged.
    pub(crate) async fn clear(&mut self) {
        for session in self.set.keys().rev().copied().collect::<Vec<_>>() {
            if let Err(failure) = self.down(session).await {
                tracing::warn!(interface = self.interface, code = failure.code, text = failure.text, "left behind");
            }
        }
    }
}

/// Where ledgers are.
pub(super) fn folder(run_dir: &Path) -> PathBuf {
    run_dir.join("links")
}

/// Takes away everything that is listed.
pub(crate) async fn clear_leftovers(run_dir: &Path, resolver: &Resolver) {
    for ledger in Ledger::leftovers(&folder(run_dir)).into_iter().rev() {
        take_leftover_away(ledger, run_dir, resolver).await;
    }
}

/// Takes away what a former run left on an interface.
pub(super) async fn take_leftover_away(ledger: Ledger, run_dir: &Path, resolver: &Resolver) {
    let interface = ledger.interface.clone();
    match take_away(ledger, &folder(run_dir), resolver, false).await {
        Ok(_) => tracing::info!(interface, "what a former run had set was taken away"),
        Err((_, error)) => tracing::warn!(interface, %error, "what a former run had set could not be taken away"),
    }
}

/// Takes away what a former run left of the default session on an interface that others stand on; what is left to take
/// away with them comes back.
pub(super) async fn clear_for_others(ledger: Ledger, run_dir: &Path, resolver: &Resolver) -> Ledger {
    let interface = ledger.interface.clone();
    match take_away(ledger, &folder(run_dir), resolver, true).await {
        Ok(left) => left,
        Err((left, error)) => {
            tracing::warn!(interface, %error, "what a former run had set could not be taken away");
            left
        }
    }
}

/// Takes away in the reverse order of setting. All steps are tried; on failure the rest of the ledger comes back.
/// `stays_up`: others stand on the interface; what is left to do when they do not comes back.
async fn take_away(
    mut ledger: Ledger,
    folder: &Path,
    resolver: &Resolver,
    stays_up: bool,
) -> Result<Ledger, (Ledger, io::Error)> {
    let mut first = None;
    let mut keep = |result: io::Result<()>| match gone_is_fine(result) {
        Ok(()) => true,
        Err(error) => {
            first.get_or_insert(error);
            false
        }
    };
    if ledger.dns {
        ledger.dns = !keep(resolver.clear(&ledger.interface, ledger.index).await);
    }
    let mut netlink = match Netlink::open() {
        Ok(netlink) => netlink,
        Err(error) => return Err((ledger, error)),
    };
    // Another number is another device: the kernel took all with the old one.
    let present = netlink.link(&ledger.interface).is_ok_and(|link| link.index == ledger.index);
    // What stands on an interface that was made goes with it.
    let gone = if ledger.made { keep(made::unmake(&mut netlink, &ledger)) } else { !present };
    if gone {
        ledger = Ledger { dns: ledger.dns, ..ledger.bare() };
    } else if !ledger.made {
        let index = ledger.index;
        ledger.routes.reverse();
        ledger.routes.retain(|route| !keep(netlink.remove_route(index, route)));
        ledger.routes.reverse();
        ledger.addresses.retain(|(address, prefix)| !keep(netlink.remove_address(index, *address, *prefix)));
        if ledger.advertised {
            ledger.advertised = !keep(netlink.remove_advertised(index));
        }
        for (path, value) in ledger.parameters.drain(..) {
            write_parameter(&path, &value);
        }
        if let Some(mtu) = ledger.mtu {
            ledger.mtu = (!keep(netlink.set_mtu(index, mtu))).then_some(mtu);
        }
        if ledger.raised && !stays_up {
            ledger.raised = !keep(netlink.set_up(index, false));
        }
    }
    let stored = ledger.store(folder);
    match first.or(stored.err()) {
        None => Ok(ledger),
        Some(error) => Err((ledger, error)),
    }
}

fn merge<T: PartialEq + Copy>(list: &mut Vec<T>, more: &[T]) {
    for item in more {
        if !list.contains(item) {
            list.push(*item);
        }
    }
}

/// Whether it was there already.
fn there_is_fine(result: io::Result<()>) -> io::Result<bool> {
    match result {
        Ok(()) => Ok(false),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(true),
        Err(error) => Err(error),
    }
}

/// Kernels without a parameter do without it.
fn write_parameter(path: &Path, value: &str) {
    if std::fs::read_to_string(path).is_ok_and(|present| present.trim() == value) {
        return;
    }
    if let Err(error) = std::fs::write(path, value) {
        tracing::debug!(path = %path.display(), value, %error, "kernel parameter not set");
    }
}

fn failure(interface: &str, what: &str, error: &io::Error) -> LinkFailure {
    let code = match (what, error.kind()) {
        (_, io::ErrorKind::PermissionDenied) => "not-permitted",
        ("interface", _) => "no-interface",
        ("ledger", _) => "storage",
        ("session", io::ErrorKind::Unsupported) => "no-vlan",
        ("session", io::ErrorKind::AlreadyExists) => "name-taken",
        _ => "kernel",
    };
    let next = match code {
        "not-permitted" => "run the daemon with CAP_NET_ADMIN",
        "no-interface" => "check the name of the data interface",
        "storage" => "check the run directory",
        "no-vlan" => "load the kernel module 8021q",
        "name-taken" => "take the interface of that name, or the VLAN of that number, away",
        _ => "see the log",
    };
    LinkFailure { code, text: format!("Setting up {interface} failed ({what}: {error}); {next}.") }
}

#[cfg(test)]
mod tests;

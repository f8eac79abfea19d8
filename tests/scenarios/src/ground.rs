//! A network of foreign software at the other end of the modem's link: real web servers, name servers, packet filters and
//! translators in a network namespace and a PID namespace of their own, which end with the test however it ends.
//!
//! The namespace belongs to a process that reads from a pipe of the test's: when the test ends the pipe ends, the process
//! ends, and the kernel kills whatever runs in the namespace. Servers may change their uid as they like.

use std::fs;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};

use core::time::Duration;

use harness::virtual_operator::address::{DNS, GATEWAY6, GI_LINK, Host, PORTAL, PROBE, PROBE_TLS, WWW, gateway4};
use harness::virtual_operator::certificates::Authority;
use harness::virtual_operator::link::Net;
use harness::virtual_operator::{Error, While};
use harness::wait;
use tokio::process::{Child, Command};

/// How long a server may take to be there.
const START: Duration = Duration::from_secs(30);

/// A running network.
#[derive(Debug)]
pub struct Ground {
    directory: PathBuf,
    /// Holds the namespaces; its standard input is the pipe.
    holder: Child,
    /// The process inside.
    inside: u32,
    servers: Vec<Child>,
    /// The authority that the daemon trusts.
    pub authority: Authority,
}

/// What of the network is there.
#[derive(Clone, Copy, Debug, Default)]
pub struct Plan {
    /// Hosts of the Internet have IPv6 addresses in the DNS.
    pub ipv6: bool,
    /// Another name server answers with IPv6 addresses of a translator, and the translator is there.
    pub nat64: bool,
}

/// Prefix of the translator.
pub const NAT64: &str = "2001:db8:6464::";

impl Ground {
    /// Makes the namespaces and all servers; the link to it has to be made already, and is given to it.
    ///
    /// # Errors
    /// A server is not installed, or does not start.
    pub async fn start(directory: &Path, plan: Plan) -> Result<Self, Error> {
        let directory = directory.join("ground");
        fs::create_dir_all(&directory).trying("making the ground's directory")?;
        let mut holder = Command::new("unshare")
            .args(["--net", "--pid", "--fork", "--kill-child", "cat"])
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .trying("making namespaces (unshare)")?;
        let outer = holder.id().unwrap_or_default();
        let children = format!("/proc/{outer}/task/{outer}/children");
        let found = wait::until("the namespaces", START, || async {
            fs::read_to_string(&children).ok()?.split_whitespace().next()?.parse().ok()
        });
        let inside = match found.await {
            Ok(inside) => inside,
            Err(error) => {
                let _ = holder.kill().await;
                return Err(error);
            }
        };
        let authority = Authority::new()?;
        let mut ground = Self { directory, holder, inside, servers: Vec::new(), authority };
        ground.link().await?;
        ground.names(plan)?;
        ground.web().await?;
        if plan.nat64 {
            ground.translator().await?;
        }
        ground.serving().await?;
        Ok(ground)
    }

    /// Addresses of everybody, all in one namespace.
    async fn link(&mut self) -> Result<(), Error> {
        Net::open()?.give_away(GI_LINK, self.inside).await?;
        let mut lines = vec![
            "link set lo up".to_owned(),
            format!("link set {GI_LINK} up"),
            format!("address add {GATEWAY6}/64 dev {GI_LINK} nodad"),
        ];
        for session in 1..=2 {
            lines.push(format!("address add {}/30 dev {GI_LINK}", gateway4(session)));
            lines.push(format!("route add 2001:db8:64:{session}::/64 dev {GI_LINK}"));
        }
        for Host { ipv4, ipv6, .. } in [DNS, PORTAL, PROBE, PROBE_TLS, WWW] {
            lines.push(format!("address add {ipv4}/32 dev lo"));
            lines.push(format!("address add {ipv6}/128 dev lo nodad"));
        }
        let batch = self.write("addresses.batch", &(lines.join("\n") + "\n"))?;
        self.run(&["ip", "-batch", &batch]).await.map(drop)
    }

    /// A true name server, and one that lies on port 5300.
    fn names(&mut self, plan: Plan) -> Result<(), Error> {
        let common = "no-resolv\nno-hosts\nbind-interfaces\nuser=root\npid-file=\nlocal-ttl=5\n";
        let listen = format!("listen-address={},{}\n", DNS.ipv4, DNS.ipv6);
        let mut truth = format!("{common}{listen}");
        for zone in ["mobile.example", "internet.example", "arpa", "example"] {
            truth += &format!("local=/{zone}/\n");
        }
        for Host { name, ipv4, ipv6 } in [DNS, PORTAL, PROBE, PROBE_TLS, WWW] {
            truth += &match plan.ipv6 || name == PORTAL.name {
                true => format!("host-record={name},{ipv4},{ipv6}\n"),
                false => format!("host-record={name},{ipv4}\n"),
            };
        }
        truth += "address=/ipv4only.arpa/192.0.0.170\n";
        let truth = self.write("true.conf", &truth)?;
        self.spawn("true-names", &["dnsmasq", "-k", "-C", &truth])?;
        let lies = format!("{common}{listen}port=5300\naddress=/#/{}\naddress=/#/{}\n", PORTAL.ipv4, PORTAL.ipv6);
        let lies = self.write("lies.conf", &lies)?;
        self.spawn("lying-names", &["dnsmasq", "-k", "-C", &lies])
    }

    /// The web: probe hosts, the operator's site, and portals of several kinds on ports of the operator's address, to
    /// which the packet filter leads whom it catches.
    async fn web(&mut self) -> Result<(), Error> {
        let stranger = Authority::new()?;
        let names = [PORTAL.name, PROBE_TLS.name, PROBE.name, WWW.name];
        for (file, authority) in [("own", &self.authority), ("foreign", &stranger)] {
            let pair = authority.server(&names)?;
            self.write(&format!("{file}.pem"), &pair.certificate)?;
            self.write(&format!("{file}.key"), &pair.key)?;
        }
        self.captive(true)?;
        let here = self.directory.display().to_string();
        // An interceptor's own, made as one makes them.
        let name = format!("/CN={}", PROBE_TLS.name);
        let (key, certificate) = (format!("{here}/self.key"), format!("{here}/self.pem"));
        let kind = ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"];
        let alternative = format!("subjectAltName=DNS:{}", PROBE_TLS.name);
        let more = ["-addext", "basicConstraints=critical,CA:FALSE", "-addext", &alternative];
        let files = ["-subj", &name, "-keyout", &key, "-out", &certificate];
        let words = [&["openssl"][..], &kind, &more, &files].concat();
        self.run(&words).await?;
        let listen = |host: &Host, port: &str| format!("listen {}:{port}; listen [{}]:{port};", host.ipv4, host.ipv6);
        let site = |listen: String, what: &str| format!("server {{ {listen} {what} }}\n");
        let own = format!("ssl_certificate {here}/own.pem; ssl_certificate_key {here}/own.key;");
        let foreign = format!("ssl_certificate {here}/foreign.pem; ssl_certificate_key {here}/foreign.key;");
        let page = "default_type text/html; return 200 '<html><body>Buy a plan!</body></html>';";
        let mut sites = String::new();
        sites += &site(listen(&PROBE, "80"), "return 204;");
        sites += &site(listen(&PROBE_TLS, "80"), "return 204;");
        sites += &site(listen(&PROBE_TLS, "443 ssl"), &format!("{own} return 204;"));
        sites += &site(
            listen(&PORTAL, "443 ssl"),
            &format!(
                "{own} location = /captive {{ default_type application/captive+json; alias {here}/captive.json; }} location / {{ {page} }}"
            ),
        );
        sites += &site(listen(&PORTAL, "80"), page);
        sites += &site(listen(&PORTAL, "8302"), &format!("return 302 http://{}/buy?customer=0815;", PORTAL.name));
        sites += &site(listen(&PORTAL, "8200"), page);
        sites += &site(listen(&PORTAL, "8511"), "default_type text/html; error_page 511 /x; return 511;");
        sites += &site(listen(&PORTAL, "8443 ssl"), &format!("{foreign} {page}"));
        let temp = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
            .map(|kind| format!("{kind}_temp_path {here}/{kind};"))
            .concat();
        let conf = format!(
            "user root; daemon off; worker_processes 1; pid {here}/nginx.pid; error_log {here}/nginx.log;\n\
             events {{}}\nhttp {{ access_log {here}/access.log; ssl_protocols TLSv1.2 TLSv1.3; {temp}\n{sites}}}\n"
        );
        let conf = self.write("nginx.conf", &conf)?;
        self.spawn("web", &["nginx", "-c", &conf, "-e", &format!("{here}/nginx.log")])?;
        let words = ["openssl", "s_server", "-quiet", "-www", "-accept", "8444", "-cert", &certificate, "-key", &key];
        self.spawn("interceptor", &words)
    }

    /// What the captive portal API says from now on.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn captive(&self, captive: bool) -> Result<(), Error> {
        let url = format!("https://{}/plans", PORTAL.name);
        let more = if captive { "" } else { ", \"seconds-remaining\": 86400" };
        self.write("captive.json", &format!("{{\"captive\": {captive}, \"user-portal-url\": \"{url}\"{more}}}"))
            .map(drop)
    }

    /// A name server that makes IPv6 addresses of IPv4 ones, and the translator behind those.
    async fn translator(&mut self) -> Result<(), Error> {
        let here = self.directory.display().to_string();
        let tayga = self.write(
            "tayga.conf",
            &format!(
                "tun-device nat64\nipv4-addr 192.168.255.1\nipv6-addr 2001:db8:6400::1\nprefix {NAT64}/96\n\
                 dynamic-pool 192.168.255.0/24\ndata-dir {here}\n"
            ),
        )?;
        self.run(&["tayga", "--mktun", "-c", &tayga]).await?;
        let batch = format!(
            "link set nat64 up\naddress add 192.168.255.254/32 dev nat64\naddress add 2001:db8:6400::2/128 dev nat64 nodad\n\
             route add 192.168.255.0/24 dev nat64\nroute add {NAT64}/96 dev nat64\n"
        );
        let batch = self.write("nat64.batch", &batch)?;
        self.run(&["ip", "-batch", &batch]).await?;
        self.run(&["sysctl", "-q", "-w", "net.ipv4.ip_forward=1", "net.ipv6.conf.all.forwarding=1"]).await?;
        self.spawn("translator", &["tayga", "-d", "-c", &tayga])?;
        let unbound = self.write(
            "unbound.conf",
            &format!(
                "server:\n  directory: \"{here}\"\n  username: \"\"\n  chroot: \"\"\n  pidfile: \"{here}/unbound.pid\"\n  \
                 use-syslog: no\n  logfile: \"\"\n  interface: {dns}@5364\n  access-control: ::/0 allow\n  do-ip6: yes\n  \
                 do-not-query-localhost: no\n  module-config: \"dns64 iterator\"\n  dns64-prefix: {NAT64}/96\n  \
                 local-zone: \"example.\" nodefault\nremote-control:\n  control-enable: no\nforward-zone:\n  name: \".\"\n  \
                 forward-addr: {dns4}\n",
                dns = DNS.ipv6,
                dns4 = DNS.ipv4,
            ),
        )?;
        self.spawn("dns64", &["unbound", "-d", "-c", &unbound])?;
        self.filter(&format!(
            "table inet dns64 {{\n chain pre {{ type nat hook prerouting priority -110;\n  ip6 daddr {dns} udp dport 53 dnat \
             ip6 to [{dns}]:5364\n }}\n}}\n",
            dns = DNS.ipv6
        ))
        .await
    }

    /// Waits until every server answers.
    async fn serving(&mut self) -> Result<(), Error> {
        let wanted = ["8302", "8444", "443", "5300"];
        let end = tokio::time::Instant::now() + START;
        loop {
            let listening = self.run(&["ss", "-Hltn"]).await?;
            if wanted.iter().all(|port| listening.lines().any(|line| line.contains(&format!(":{port} ")))) {
                return Ok(());
            }
            for server in &mut self.servers {
                if let Ok(Some(status)) = server.try_wait() {
                    return Err(Error::new("starting the servers", format!("one ended: {status}\n{}", self.logs())));
                }
            }
            if tokio::time::Instant::now() >= end {
                return Err(Error::new("starting the servers", format!("{listening}\n{}", self.logs())));
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// Adds rules to the packet filter.
    ///
    /// # Errors
    /// It does not take them.
    pub async fn filter(&self, rules: &str) -> Result<(), Error> {
        let file = self.write("rules.nft", rules)?;
        self.run(&["nft", "-f", &file]).await.map(drop)
    }

    /// The plan is bought: nobody is caught any more.
    ///
    /// # Errors
    /// There is no such table.
    pub async fn open(&self) -> Result<(), Error> {
        self.run(&["nft", "delete", "table", "inet", "garden"]).await.map(drop)
    }

    /// Whom the filter catches: the rules of a chain before routing and of one for what arrives.
    ///
    /// # Errors
    /// The filter does not take them.
    pub async fn garden(&self, nat: &str, arriving: &str) -> Result<(), Error> {
        self.filter(&format!(
            "table inet garden {{\n chain pre {{ type nat hook prerouting priority -100;\n{nat}\n }}\n \
             chain in {{ type filter hook input priority 0;\n ct state established,related accept\n{arriving}\n }}\n}}\n"
        ))
        .await
    }

    /// Runs a program in the namespaces to its end; what it printed.
    ///
    /// # Errors
    /// It is not there, or fails.
    pub async fn run(&self, words: &[&str]) -> Result<String, Error> {
        let doing = format!("running {}", words.join(" "));
        let output: Output = self.command(words).stdin(Stdio::null()).output().await.trying(&doing)?;
        if output.status.success() {
            return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
        }
        Err(Error::new(doing, format!("{}: {}", output.status, String::from_utf8_lossy(&output.stderr).trim())))
    }

    /// Starts a program in the namespaces; it ends with them.
    ///
    /// # Errors
    /// It is not there.
    pub fn spawn(&mut self, name: &str, words: &[&str]) -> Result<(), Error> {
        let doing = format!("starting {name}");
        let log = fs::File::create(self.directory.join(format!("{name}.log"))).trying(&doing)?;
        let mut command = self.command(words);
        command.stdin(Stdio::null()).stdout(log.try_clone().trying(&doing)?).stderr(log).kill_on_drop(true);
        self.servers.push(command.spawn().trying(&doing)?);
        Ok(())
    }

    fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new("nsenter");
        command.args(["--target", &self.inside.to_string(), "--net", "--pid", "--"]).args(words);
        command
    }

    /// The last lines of every server's log.
    #[must_use]
    pub fn logs(&self) -> String {
        let mut text = String::new();
        for entry in fs::read_dir(&self.directory).into_iter().flatten().flatten() {
            let path = entry.path();
            if path.extension().is_some_and(|e| e == "log") {
                let log = fs::read_to_string(&path).unwrap_or_default();
                let last: Vec<&str> = log.lines().rev().take(6).collect();
                text += &format!("{}: {}\n", path.display(), last.join(" | "));
            }
        }
        text
    }

    /// Writes a file of the ground's; its path.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn write(&self, name: &str, text: &str) -> Result<String, Error> {
        let path = self.directory.join(name);
        fs::write(&path, text).trying(format!("writing {name}"))?;
        Ok(path.display().to_string())
    }

    /// Ends everything.
    pub async fn stop(mut self) {
        drop(self.holder.stdin.take());
        let _ = tokio::time::timeout(Duration::from_secs(5), self.holder.wait()).await;
    }

    /// The address of a host in a family.
    #[must_use]
    pub fn address(host: &Host, ipv6: bool) -> IpAddr {
        if ipv6 { host.ipv6.into() } else { host.ipv4.into() }
    }
}

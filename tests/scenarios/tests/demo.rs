//! The command line program against the demo while it stays for looking around: what its first lines invite to.

use core::time::Duration;
use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use harness::{daemon, wait};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use scenarios::ctl::Ctl;
use serde_json::Value;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};

/// How long one event of the demo, or its end, may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// The demo, with a directory of its own for temporary files.
struct Demo {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
    temporary: PathBuf,
}

impl Demo {
    fn start() -> Result<Self, Box<dyn Error>> {
        let temporary = std::env::temp_dir().join(format!("mbimd-demo-{}", std::process::id()));
        fs::create_dir(&temporary)?;
        let mut command = Command::new(daemon::beside_test()?);
        command.args(["demo", "--json", "--stay"]).env("TMPDIR", &temporary).env_remove("MBIMD_LOG");
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
        let mut child = command.spawn()?;
        let lines = BufReader::new(child.stdout.take().ok_or("no output")?).lines();
        Ok(Self { child, lines, temporary })
    }

    /// The next event of the name; `None` when the demo ends before.
    async fn event(&mut self, name: &str) -> Result<Option<Value>, Box<dyn Error>> {
        while let Some(line) = wait::at_most(name, PATIENCE, self.lines.next_line()).await?? {
            let event: Value = serde_json::from_str(&line)?;
            if event["event"] == name {
                return Ok(Some(event));
            }
        }
        Ok(None)
    }

    /// What the demo wrote as its errors. It must have ended.
    async fn errors(&mut self) -> Result<String, Box<dyn Error>> {
        let mut text = String::new();
        if let Some(mut errors) = self.child.stderr.take() {
            errors.read_to_string(&mut text).await?;
        }
        Ok(text)
    }
}

impl Drop for Demo {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.temporary);
    }
}

/// Processes that were started with the directory for temporary files.
fn processes_with(temporary: &Path) -> Vec<String> {
    let variable = format!("TMPDIR={}", temporary.display());
    let started_with = |process: &Path| {
        fs::read(process.join("environ"))
            .is_ok_and(|all| all.split(|octet| *octet == 0).any(|v| v == variable.as_bytes()))
    };
    let all = fs::read_dir("/proc").into_iter().flatten().flatten().map(|process| process.path());
    all.filter(|process| started_with(process)).map(|process| process.display().to_string()).collect()
}

#[tokio::test]
async fn the_command_line_looks_around_in_the_demo() -> Result<(), Box<dyn Error>> {
    let mut demo = Demo::start()?;
    let Some(ready) = demo.event("ready").await? else {
        let errors = demo.errors().await?;
        assert!(errors.contains("private namespaces are not to be had"), "{errors}");
        println!("1 cases need root");
        return Ok(());
    };
    let ctl = Ctl::beside_test(ready["bus"].as_str().ok_or("no address")?)?;
    let json = async |arguments: &[&str]| {
        let said = ctl.call(arguments).await?;
        assert_eq!(said.status, 0, "{arguments:?}: {said:?}");
        Ok::<_, Box<dyn Error>>(said.json()?)
    };

    // While the story goes on.
    let operator = demo.event("operator").await?.ok_or("no operator")?;
    let list = json(&["list", "--json"]).await?;
    assert_eq!(list["modems"].as_array().map(Vec::len), Some(1), "{list}");

    // When it is told.
    demo.event("online").await?.ok_or("not online")?;
    let list = json(&["list", "--json"]).await?;
    assert_eq!(list["modems"][0]["state"], "connected", "{list}");
    let status = json(&["status", "--json"]).await?;
    let modem = &status["modem"];
    assert_eq!((&modem["connection"]["state"], &modem["connectivity"]["state"]), (&"up".into(), &"full".into()));
    assert_eq!(modem["connection"]["candidate"]["criterion"], "provisioned-default-profile", "{status}");
    assert!(operator["hwid"].is_string(), "{operator}");
    assert_eq!(modem["operator"]["selectors"]["hwid"], operator["hwid"], "{status}");
    let chain = json(&["explain", "--json"]).await?;
    let links = chain["chain"].as_array().ok_or("no chain")?;
    assert!(!links.is_empty() && links.iter().all(|link| link["verdict"] == "ok"), "{chain}");
    let why = links.iter().find(|link| link["link"] == "operator").and_then(|link| link["cause"].as_str());
    let why = why.ok_or("no operator in the chain")?;
    assert!(operator["hwid"].as_str().is_some_and(|hwid| why.contains(hwid)), "{why}");

    // Ctrl-C.
    let id = demo.child.id().ok_or("the demo has ended by itself")?;
    kill(Pid::from_raw(i32::try_from(id)?), Signal::SIGINT)?;
    let summary = demo.event("summary").await?.ok_or("no summary")?;
    assert_eq!((&summary["online"], &summary["left_behind"]), (&true.into(), &serde_json::json!([])), "{summary}");
    let end = wait::at_most("the end of the demo", PATIENCE, demo.child.wait()).await??;
    assert!(end.success(), "{end}: {}", demo.errors().await?);
    assert_eq!(processes_with(&demo.temporary), Vec::<String>::new());
    let files: Vec<_> = fs::read_dir(&demo.temporary)?.flatten().map(|entry| entry.path()).collect();
    assert_eq!(files, Vec::<PathBuf>::new());
    assert_eq!(ctl.call(&["list"]).await?.status, 3, "nobody is there any more");
    Ok(())
}

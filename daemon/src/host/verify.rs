//! Runs `mbimd-verify` for one signed document. What becomes of that process is the fate of the document only.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use daemon_verify::{Answer, MAX_ANSWER, Rejected, Verified};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::process::Command;
use zeroize::Zeroizing;

/// How long a verdict may take: the process itself has 10 seconds of work, on a machine that may be busy.
const PATIENCE: Duration = Duration::from_secs(60);
/// Its name.
const NAME: &str = "mbimd-verify";

/// The program: beside the daemon's own (a build), or in `libexec` beside its folder (an installation).
pub(crate) fn program() -> Result<PathBuf, String> {
    let own = std::env::current_exe().map_err(|error| format!("the daemon's own place is not known: {error}"))?;
    let folder = own.parent().unwrap_or(Path::new("/"));
    let places = [folder.join(NAME), folder.join("../libexec").join(NAME)];
    if let Some(found) = places.iter().find(|place| place.is_file()) {
        return Ok(found.clone());
    }
    // The demo is one file, which plays this part too when it is called by its name.
    if cfg!(feature = "demo") {
        return Ok(own);
    }
    Err(format!("{NAME} is not installed: neither {} nor {}", places[0].display(), places[1].display()))
}

/// Asks it. The outer error is that there was no answer, with the reason.
pub(crate) async fn ask(program: &Path, question: Zeroizing<Vec<u8>>) -> Result<Result<Verified, Rejected>, String> {
    match tokio::time::timeout(PATIENCE, run(program, question)).await {
        Ok(answer) => answer,
        Err(_) => Err(format!("{NAME} took too long")),
    }
}

async fn run(program: &Path, question: Zeroizing<Vec<u8>>) -> Result<Result<Verified, Rejected>, String> {
    let mut child = Command::new(program)
        .arg0(NAME)
        .env_clear()
        .current_dir("/")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .map_err(|error| format!("{} does not start: {error}", program.display()))?;
    let (input, output) = (child.stdin.take(), child.stdout.take());
    // The answer is about as long as the question: where it grows, what is moved stays behind in clear.
    let room = question.len().min(MAX_ANSWER) + 64 * 1024;
    let tell = async move {
        if let Some(mut input) = input {
            // It may have ended before it read everything: its status says more than this error.
            let _ = input.write_all(&question).await;
        }
    };
    let hear = async move {
        let mut answer = Zeroizing::new(Vec::with_capacity(room));
        if let Some(output) = output {
            output.take(MAX_ANSWER as u64 + 1).read_to_end(&mut answer).await?;
        }
        Ok(answer)
    };
    // Both at once: whatever it is, neither side waits for the other for ever.
    let ((), answer) = tokio::join!(tell, hear);
    let answer: Zeroizing<Vec<u8>> = answer.map_err(|error: std::io::Error| format!("{NAME}: {error}"))?;
    if answer.len() > MAX_ANSWER {
        return Err(format!("{NAME} says too much"));
    }
    let status = child.wait().await.map_err(|error| format!("{NAME}: {error}"))?;
    if !status.success() {
        return Err(format!("{NAME} failed: {status}"));
    }
    Answer::decode(&answer).map_err(|error| format!("{NAME}: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A program that ends, hangs up, talks nonsense or talks without end is no answer, and is over.
    #[tokio::test]
    async fn what_is_no_answer() {
        for (program, expected) in [
            ("/nonexistent/mbimd-verify", "does not start"),
            ("/bin/false", "failed"),
            ("/bin/true", "no header"),
            ("/bin/cat", "no header"),
        ] {
            // More than a pipe holds.
            let error = ask(Path::new(program), vec![b'x'; 300_000].into()).await.unwrap_err();
            assert!(error.contains(expected), "{program}: {error}");
        }
        let folder = tempfile::tempdir().unwrap();
        let script = |name: &str, text: &str| {
            use std::os::unix::fs::PermissionsExt as _;
            let file = folder.path().join(name);
            std::fs::write(&file, format!("#!/bin/sh\n{text}\n")).unwrap();
            std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o755)).unwrap();
            file
        };
        let endless = script("endless", "exec cat /dev/zero");
        assert!(ask(&endless, Vec::new().into()).await.unwrap_err().contains("too much"));
        let killed = script("killed", "kill -9 $$");
        assert!(ask(&killed, Vec::new().into()).await.unwrap_err().contains("signal"));
    }
}

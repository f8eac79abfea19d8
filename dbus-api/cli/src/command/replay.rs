//! `mbimctl replay`.

use std::io::{ErrorKind, Read, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;

use mbim_capture::{Frame, Replay, frames};
use serde_json::json;

use super::decode::FILE;
use crate::arguments;
use crate::failure::Failure;
use crate::show::Output;

pub(crate) fn run(question: &arguments::Replay, output: Output) -> Result<(), Failure> {
    let name = question.file.display();
    let file = super::read(&question.file, FILE)?;
    let invalid = |malformed: mbim_capture::Malformed| Failure::invalid(format!("{name}: {malformed}"));
    // A capture that was cut off is as good as what it holds.
    let kept: Vec<Frame<'_>> = frames(&file).map_err(invalid)?.map_while(Result::ok).collect();
    let commands = Replay::of(kept.iter().copied(), None).commands();
    if commands == 0 {
        return Err(Failure::invalid(format!("{name}: no commands in it")).next("mbimctl decode shows what there is"));
    }
    let Some(path) = question.listen.strip_prefix("unix:").map(Path::new) else {
        return Err(Failure::usage(format!("{}: not unix:/path", question.listen)));
    };
    let failed = |error: std::io::Error| Failure::failed(format!("{}: {error}", path.display()));
    let listener = bind(path).map_err(failed)?;
    output.print(&json!({"listening": question.listen, "commands": commands}), || {
        format!("{commands} commands, at {}", question.listen)
    });
    loop {
        let (stream, _) = listener.accept().map_err(failed)?;
        // Each host finds the modem as it was at the start of the record.
        serve(stream, Replay::of(kept.iter().copied(), None));
        if question.once {
            let _ = std::fs::remove_file(path);
            return Ok(());
        }
    }
}

/// A socket that a run before left behind is replaced, one that answers is not.
fn bind(path: &Path) -> std::io::Result<UnixListener> {
    match UnixListener::bind(path) {
        Err(error) if error.kind() == ErrorKind::AddrInUse => match UnixStream::connect(path) {
            Err(dead) if dead.kind() == ErrorKind::ConnectionRefused => {
                std::fs::remove_file(path)?;
                UnixListener::bind(path)
            }
            _ => Err(error),
        },
        bound => bound,
    }
}

/// Until the host hangs up.
fn serve(mut stream: UnixStream, mut replay: Replay) {
    let mut buffer = [0; 4096];
    loop {
        let read = match stream.read(&mut buffer) {
            Ok(0) => return,
            Ok(read) => read,
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            Err(_) => return,
        };
        for frame in replay.push(buffer.get(..read).unwrap_or_default()) {
            if stream.write_all(&frame).is_err() {
                return;
            }
        }
    }
}

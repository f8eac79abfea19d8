//! `mbimctl papers DIR`: the man pages and the completions of the three usual shells, from the command line's own
//! declaration. Built for packages only.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::CommandFactory as _;
use clap_complete::Shell;

use crate::arguments::Arguments;
use crate::failure::Failure;

/// Writes the papers if the command line asks for them.
pub(crate) fn asked() -> Option<ExitCode> {
    let mut words = std::env::args_os().skip(1);
    if words.next()? != "papers" {
        return None;
    }
    let result = match (words.next(), words.next()) {
        (Some(folder), None) => write(&PathBuf::from(folder)).map_err(|error| Failure::failed(error.to_string())),
        _ => Err(Failure::failed("papers: name one folder")),
    };
    Some(match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            failure.print();
            ExitCode::from(failure.status())
        }
    })
}

/// Places are those below `/usr/share`.
fn write(folder: &Path) -> std::io::Result<()> {
    let man = folder.join("man/man1");
    std::fs::create_dir_all(&man)?;
    clap_mangen::generate_to(Arguments::command(), &man)?;
    for (shell, place) in [
        (Shell::Bash, "bash-completion/completions/mbimctl"),
        (Shell::Zsh, "zsh/vendor-completions/_mbimctl"),
        (Shell::Fish, "fish/vendor_completions.d/mbimctl.fish"),
    ] {
        let path = folder.join(place);
        if let Some(parent) = path.parent() {
            std::fs::create_dir_all(parent)?;
        }
        let mut file = File::create(path)?;
        clap_complete::generate(shell, &mut Arguments::command(), "mbimctl", &mut file);
    }
    Ok(())
}

//! `mbimctl provision trust`, and the folder of trust for the commands beside it.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use daemon_verify::{EXTENDED_VALIDATION, Folder, Root, certificates_in, describe, is_of_trust};
use serde_json::json;

use crate::arguments::Trust;
use crate::command::read;
use crate::failure::Failure;
use crate::show::Output;

/// Where the daemon looks unless its configuration says otherwise.
pub(super) const FOLDER: &str = "/etc/mbimd/trust.d";
/// Largest file, octets.
pub(super) const MAX_FILE: u64 = 1024 * 1024;

/// A root is put into the folder, or taken out.
pub(super) fn run(wish: &Trust, output: Output) -> Result<(), Failure> {
    let folder = wish.trust.clone().unwrap_or_else(|| PathBuf::from(FOLDER));
    let text = String::from_utf8_lossy(&read(&wish.certificate, MAX_FILE)?).into_owned();
    let found = certificates_in(&text);
    let name = wish.certificate.display();
    let [der] = found.as_slice() else {
        return Err(Failure::invalid(format!("{name}: one certificate (PEM) is needed, {} are in it", found.len())));
    };
    let described = describe(der).map_err(|problem| Failure::invalid(format!("{name}: {problem}")))?;
    if !described.is_authority {
        return Err(Failure::invalid(format!("{name}: it is not the certificate of an authority (no CA:TRUE)")));
    }
    let stem = described.fingerprint.get(..16).unwrap_or_default();
    let (certificate, mark) = (folder.join(format!("{stem}.pem")), folder.join(format!("{stem}.ev")));
    let failed = |file: &Path, error: std::io::Error| {
        let failure = Failure::failed(format!("{}: {error}", file.display()));
        if error.kind() == ErrorKind::PermissionDenied {
            failure.next("run it as root, or name a folder with --trust")
        } else {
            failure
        }
    };
    let remove = |file: &Path| match std::fs::remove_file(file) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(failed(file, error)),
        _ => Ok(()),
    };
    if wish.remove {
        remove(&mark)?;
        remove(&certificate)?;
    } else {
        std::fs::create_dir_all(&folder).map_err(|error| failed(&folder, error))?;
        let body = text.get(text.find("-----BEGIN CERTIFICATE").unwrap_or(0)..).unwrap_or_default();
        let text = format!("# {}\n{}\n", described.subject, body.trim());
        std::fs::write(&certificate, text).map_err(|error| failed(&certificate, error))?;
        if wish.no_ev {
            remove(&mark)?;
        } else {
            let policies = if wish.policy.is_empty() { EXTENDED_VALIDATION.to_owned() } else { wish.policy.join("\n") };
            std::fs::write(&mark, policies + "\n").map_err(|error| failed(&mark, error))?;
        }
    }
    let value = json!({
        "subject": described.subject,
        "fingerprint": described.fingerprint,
        "file": certificate.display().to_string(),
        "extended_validation": !wish.remove && !wish.no_ev,
        "removed": wish.remove,
    });
    output.print(&value, || {
        let done = if wish.remove { "no longer trusted" } else { "trusted" };
        format!("{done}: {} ({})", described.subject, certificate.display())
    });
    Ok(())
}

/// The folder and, after it, the system's roots. Without a name, the daemon's folder if it is there.
pub(super) fn roots(named: Option<&Path>) -> Result<Folder, Failure> {
    let folder = named.unwrap_or(Path::new(FOLDER));
    let mut files = Vec::new();
    match std::fs::read_dir(folder) {
        Ok(entries) => {
            for entry in entries.flatten() {
                if let Some(name) = entry.file_name().to_str().filter(|name| is_of_trust(name)) {
                    files.push((name.to_owned(), read(&entry.path(), MAX_FILE)?));
                }
            }
        }
        Err(error) if error.kind() == ErrorKind::NotFound && named.is_none() => {}
        Err(error) => return Err(Failure::failed(format!("{}: {error}", folder.display()))),
    }
    files.sort();
    let (mut found, problems) = Folder::read(&files);
    for problem in problems {
        eprintln!("mbimctl: {problem}");
    }
    let system = rustls_native_certs::load_native_certs().certs;
    found.roots.extend(system.into_iter().map(|der| Root { der: der.to_vec(), extended_validation: Vec::new() }));
    Ok(found)
}

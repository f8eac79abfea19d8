//! Whom a signer's chain may lead to: what lies in `trust-dir` and the system's roots, read for each signed document and
//! let go afterwards. What the files mean is said in `daemon-verify`.

use std::path::Path;

use daemon_verify::{Folder, Root, is_of_trust};

use super::atomic;

/// Largest file, octets.
const MAX_FILE: u64 = 1024 * 1024;
/// Most files.
const MAX_FILES: usize = 256;

/// Reads the folder. What cannot be read or understood trusts nobody and is logged.
pub(crate) fn folder(trust_dir: &Path) -> Folder {
    let entries = std::fs::read_dir(trust_dir).into_iter().flatten().flatten();
    let names = entries.filter_map(|entry| entry.file_name().into_string().ok());
    let mut names: Vec<String> = names.filter(|name| is_of_trust(name)).collect();
    names.sort();
    if names.len() > MAX_FILES {
        tracing::warn!(folder = %trust_dir.display(), "only the first {MAX_FILES} files are read");
        names.truncate(MAX_FILES);
    }
    let read = |name: String| match atomic::read(&trust_dir.join(&name), MAX_FILE) {
        Ok(content) => Some((name, content)),
        Err(error) => {
            tracing::warn!(file = name, %error, "a file of the trust directory cannot be read");
            None
        }
    };
    let files: Vec<_> = names.into_iter().filter_map(read).collect();
    let (folder, problems) = Folder::read(&files);
    for problem in problems {
        tracing::warn!(%problem, "a file of the trust directory says nothing");
    }
    folder
}

/// The folder with the system's roots after its own.
pub(crate) fn read(trust_dir: &Path) -> Folder {
    let mut found = folder(trust_dir);
    let system = rustls_native_certs::load_native_certs().certs;
    found.roots.extend(system.into_iter().map(|der| Root { der: der.to_vec(), extended_validation: Vec::new() }));
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_read_by_name() {
        let folder = tempfile::tempdir().unwrap();
        let pem = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
        for (name, text) in [("b.pem", pem), ("a.pem", pem), ("a.ev", "1.2.3"), ("note", "x")] {
            std::fs::write(folder.path().join(name), text).unwrap();
        }
        std::fs::write(folder.path().join("large.pem"), vec![b'x'; 1024 * 1024 + 1]).unwrap();
        let found = super::folder(folder.path());
        let marks: Vec<_> = found.roots.iter().map(|root| root.extended_validation.len()).collect();
        assert_eq!(marks, [1, 0]);
        assert_eq!(super::folder(Path::new("/nonexistent")), Folder::default());
    }
}

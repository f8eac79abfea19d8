//! Operator records from disk: the databases that are installed and the administrator's overlays, read when they are
//! first needed and again when a file changed. `[OPER 3.9]`

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use daemon_operator::{Layers, SourceFile};

use super::atomic;

/// Largest file, octets. `[OPER 3.9]`
const MAX_FILE: u64 = 16 * 1024 * 1024;
/// Most overlay files.
const MAX_OVERLAYS: usize = 256;
/// Most problems of files that are logged one by one.
const MAX_TOLD: usize = 20;

/// A file by name, size and time: equal means unchanged.
type Print = (PathBuf, u64, Option<SystemTime>);

/// Where operator records come from, and those that were read.
#[derive(Debug, Default)]
pub(crate) struct Operators {
    databases: Vec<PathBuf>,
    overlays: PathBuf,
    read: Option<(Vec<Print>, Arc<Layers>)>,
}

impl Operators {
    /// `databases`: in order, absent ones are passed over; `overlays`: a folder that may be absent.
    pub(crate) fn new(databases: Vec<PathBuf>, overlays: PathBuf) -> Self {
        Self { databases, overlays, read: None }
    }

    /// The records; reads the files when they are new or changed. Never fails: what is wrong is logged.
    pub(crate) fn layers(&mut self) -> Arc<Layers> {
        let overlays = overlay_files(&self.overlays);
        let prints: Vec<Print> = self.databases.iter().chain(&overlays).filter_map(|file| print(file)).collect();
        if let Some((known, layers)) = &self.read
            && *known == prints
        {
            return Arc::clone(layers);
        }
        let read = |files: &[PathBuf], needed: bool| -> Vec<(String, Vec<u8>)> {
            files.iter().filter_map(|file| contents(file, needed)).collect()
        };
        let (vendor, overlay) = (read(&self.databases, false), read(&overlays, true));
        let (layers, problems) = Layers::load(&borrow(&vendor), &borrow(&overlay));
        for problem in problems.iter().take(MAX_TOLD) {
            tracing::warn!(%problem, "operator file");
        }
        if problems.len() > MAX_TOLD {
            tracing::warn!(more = problems.len() - MAX_TOLD, "operator files have more problems");
        }
        if vendor.is_empty() {
            tracing::warn!(looked = ?self.databases, "no operator database; install mobile-broadband-provider-info or set `database`");
        }
        let layers = Arc::new(layers);
        self.read = Some((prints, Arc::clone(&layers)));
        layers
    }
}

fn borrow(files: &[(String, Vec<u8>)]) -> Vec<SourceFile<'_>> {
    files.iter().map(|(name, bytes)| SourceFile { name, bytes }).collect()
}

fn overlay_files(folder: &Path) -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder)
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| path.extension().is_some_and(|e| e == "xml"))
        .collect();
    files.sort();
    if files.len() > MAX_OVERLAYS {
        tracing::warn!(folder = %folder.display(), "only the first {MAX_OVERLAYS} operator files are read");
        files.truncate(MAX_OVERLAYS);
    }
    files
}

fn print(file: &Path) -> Option<Print> {
    let data = std::fs::metadata(file).ok()?;
    Some((file.into(), data.len(), data.modified().ok()))
}

fn contents(file: &Path, needed: bool) -> Option<(String, Vec<u8>)> {
    match atomic::read(file, MAX_FILE) {
        Ok(bytes) => Some((file.display().to_string(), bytes)),
        Err(error) if error.kind() == io::ErrorKind::NotFound && !needed => None,
        Err(error) => {
            tracing::warn!(file = %file.display(), %error, "operator file cannot be read");
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn absent_and_broken_files_are_no_failure_and_changes_are_seen() {
        let folder = tempfile::tempdir().unwrap();
        let database = folder.path().join("serviceproviders.xml");
        let overlays = folder.path().join("operators.d");
        std::fs::create_dir(&overlays).unwrap();
        let mut operators = Operators::new(vec![folder.path().join("absent.xml"), database.clone()], overlays.clone());
        let none = operators.layers();
        assert_eq!(none.vendor_counts().providers, 0);
        assert!(Arc::ptr_eq(&none, &operators.layers()), "unchanged files are not read twice");
        let provider = |name: &str| {
            format!(
                "<country code=\"zz\"><provider><name>{name}</name><gsm><network-id mcc=\"001\" mnc=\"01\"/>\
                 <apn value=\"internet\"/></gsm></provider></country>"
            )
        };
        let whole = format!("<serviceproviders format=\"2.0\">{}</serviceproviders>", provider("One"));
        std::fs::write(&database, &whole).unwrap();
        assert_eq!(operators.layers().vendor_counts().providers, 1);
        // Broken after the first record: the first stays.
        std::fs::write(&database, format!("<serviceproviders format=\"2.0\">{}<country", provider("One"))).unwrap();
        assert_eq!(operators.layers().vendor_counts().providers, 1);
        std::fs::write(overlays.join("10-test.xml"), &whole).unwrap();
        std::fs::write(overlays.join("readme"), "not an overlay").unwrap();
        assert_eq!(operators.layers().overlay_counts().providers, 1);
    }
}

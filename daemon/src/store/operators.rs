//! Operator records from disk: the databases that are installed and the administrator's overlays, read when they are
//! first needed and again when a file changed. In place of a file that broke stand the records that it had. `[OPER 3.9]`

use std::collections::BTreeSet;
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use daemon_operator::database::{FileProblem, Severity};
use daemon_operator::{Layers, SourceFile, overlay};

use super::atomic;

/// Largest file, octets. `[OPER 3.9]`
const MAX_FILE: u64 = 16 * 1024 * 1024;
/// Most overlay files.
const MAX_OVERLAYS: usize = 256;
/// Most problems of files that are logged one by one.
const MAX_TOLD: usize = 20;

/// A file by name, number, size and the time of its last change: equal means unchanged.
type Print = (PathBuf, u64, u64, (i64, i64));

/// Files as they were read: name, and content unless it could not be read.
type Contents = Vec<(String, Option<Vec<u8>>)>;

/// What was read.
#[derive(Debug)]
struct Records {
    prints: Vec<Print>,
    layers: Arc<Layers>,
    /// Files that are broken and never were whole: what stands before the error counts.
    broken: BTreeSet<String>,
}

/// Where operator records come from, and those that were read.
#[derive(Debug, Default)]
pub(crate) struct Operators {
    databases: Vec<PathBuf>,
    overlays: PathBuf,
    read: Option<Records>,
}

impl Operators {
    /// `databases`: in order, absent ones are passed over; `overlays`: a folder that may be absent.
    pub(crate) fn new(databases: Vec<PathBuf>, overlays: PathBuf) -> Self {
        Self { databases, overlays, read: None }
    }

    /// Whether a file changed since the records were last asked for; reads it then. Nothing was asked for: nothing
    /// changed.
    pub(crate) fn reread(&mut self) -> bool {
        let Some(before) = self.read.as_ref().map(|read| Arc::clone(&read.layers)) else { return false };
        !Arc::ptr_eq(&before, &self.layers())
    }

    /// Folders whose changes mean that the records may have changed.
    pub(crate) fn folders(&self) -> BTreeSet<PathBuf> {
        let databases = self.databases.iter().filter_map(|file| file.parent());
        databases.chain([self.overlays.as_path()]).filter(|folder| folder.is_absolute()).map(Path::to_owned).collect()
    }

    /// The records; reads the files when they are new or changed. Never fails: what is wrong is logged.
    pub(crate) fn layers(&mut self) -> Arc<Layers> {
        let overlays = overlay_files(&self.overlays);
        let prints: Vec<Print> = self.databases.iter().chain(&overlays).filter_map(|file| print(file)).collect();
        if let Some(read) = self.read.as_ref().filter(|read| read.prints == prints) {
            return Arc::clone(&read.layers);
        }
        let contents = |files: &[PathBuf]| -> Contents { files.iter().filter_map(|file| content(file)).collect() };
        let (mut vendor, mut overlay) = (contents(&self.databases), contents(&overlays));
        if vendor.is_empty() {
            tracing::warn!(looked = ?self.databases, "no operator database; install mobile-broadband-provider-info or set `database`");
        }
        let (mut layers, problems) = Layers::load(&borrow(&vendor), &borrow(&overlay));
        tell(&problems);
        let unreadable =
            vendor.iter().chain(&overlay).filter(|(_, bytes)| bytes.is_none()).map(|(name, _)| name.clone());
        let errors = problems.iter().filter(|problem| problem.severity == Severity::Error);
        let mut broken: BTreeSet<String> = errors.map(|problem| problem.file.clone()).chain(unreadable).collect();
        let before = self.read.take();
        let mut stand_in = false;
        for (name, bytes) in vendor.iter_mut().chain(&mut overlay) {
            let was_whole = before.as_ref().filter(|read| broken.contains(name) && !read.broken.contains(name));
            if let Some(records) = was_whole.and_then(|read| read.layers.records_of_file(name)) {
                tracing::warn!(file = %name, records = records.len(), "the records that the file had before stay in force");
                *bytes = Some(overlay::print(&records).into_bytes());
                broken.remove(name);
                stand_in = true;
            }
        }
        if stand_in {
            (layers, _) = Layers::load(&borrow(&vendor), &borrow(&overlay));
        }
        let layers = Arc::new(layers);
        self.read = Some(Records { prints, layers: Arc::clone(&layers), broken });
        layers
    }
}

fn tell(problems: &[FileProblem]) {
    let told = |problem: &&FileProblem| problem.severity != Severity::Debug;
    for problem in problems.iter().filter(told).take(MAX_TOLD) {
        tracing::warn!(%problem, "operator file");
    }
    let more = problems.iter().filter(told).count().saturating_sub(MAX_TOLD);
    if more > 0 {
        tracing::warn!(more, "operator files have more problems");
    }
}

fn borrow(files: &Contents) -> Vec<SourceFile<'_>> {
    let there = files.iter().filter_map(|(name, bytes)| Some((name, bytes.as_ref()?)));
    there.map(|(name, bytes)| SourceFile { name, bytes }).collect()
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
    Some((file.into(), data.ino(), data.len(), (data.ctime(), data.ctime_nsec())))
}

/// `None` = there is no such file.
fn content(file: &Path) -> Option<(String, Option<Vec<u8>>)> {
    let name = file.display().to_string();
    match atomic::read(file, MAX_FILE) {
        Ok(bytes) => Some((name, Some(bytes))),
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        Err(error) => {
            tracing::warn!(file = %name, %error, "operator file cannot be read");
            Some((name, None))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(names: &[&str]) -> String {
        let provider = |name: &&str| {
            format!(
                "<provider><name>{name}</name><gsm><network-id mcc=\"001\" mnc=\"01\"/><apn value=\"internet\"/></gsm></provider>"
            )
        };
        let all: String = names.iter().map(provider).collect();
        format!("<serviceproviders format=\"2.0\"><country code=\"zz\">{all}</country></serviceproviders>")
    }

    fn cut(whole: &str) -> &str {
        whole.strip_suffix("</serviceproviders>").unwrap()
    }

    struct Place {
        database: PathBuf,
        overlays: PathBuf,
        operators: Operators,
        _folder: tempfile::TempDir,
    }

    impl Place {
        fn new() -> Self {
            let folder = tempfile::tempdir().unwrap();
            let database = folder.path().join("serviceproviders.xml");
            let overlays = folder.path().join("operators.d");
            std::fs::create_dir(&overlays).unwrap();
            let databases = vec![folder.path().join("absent.xml"), database.clone()];
            Self { operators: Operators::new(databases, overlays.clone()), database, overlays, _folder: folder }
        }

        /// Records of the vendor layer, of the overlay.
        fn counts(&mut self) -> (usize, usize) {
            let layers = self.operators.layers();
            (layers.vendor_counts().providers, layers.overlay_counts().providers)
        }
    }

    #[test]
    fn absent_and_broken_files_are_no_failure_and_changes_are_seen() {
        let mut place = Place::new();
        assert_eq!(place.counts(), (0, 0));
        let none = place.operators.layers();
        assert!(Arc::ptr_eq(&none, &place.operators.layers()), "unchanged files are not read twice");
        // Broken after the first record, and never whole before: the first counts.
        std::fs::write(&place.database, cut(&file(&["One"]))).unwrap();
        assert_eq!(place.counts(), (1, 0));
        std::fs::write(place.overlays.join("10-test.xml"), file(&["One"])).unwrap();
        std::fs::write(place.overlays.join("readme"), "not an overlay").unwrap();
        assert_eq!(place.counts(), (1, 1));
        std::fs::write(&place.database, file(&["One", "Two"])).unwrap();
        assert_eq!(place.counts(), (2, 1));
        std::fs::remove_file(&place.database).unwrap();
        assert_eq!(place.counts(), (0, 1), "who removes a file means it");
    }

    /// Each file by itself: what broke keeps its records, what was changed meanwhile counts.
    #[test]
    fn what_a_broken_file_had_stays_in_force() {
        let mut place = Place::new();
        let (ten, twenty) = (place.overlays.join("10.xml"), place.overlays.join("20.xml"));
        std::fs::write(&place.database, file(&["One", "Two"])).unwrap();
        std::fs::write(&ten, file(&["Ten"])).unwrap();
        assert_eq!(place.counts(), (2, 1));
        for broken in [cut(&file(&["Other"])), "", "<other/>", "\u{0}"] {
            std::fs::write(&place.database, broken).unwrap();
            assert_eq!(place.counts(), (2, 1), "{broken:?}");
        }
        std::fs::write(&twenty, file(&["Twenty", "Score"])).unwrap();
        assert_eq!(place.counts(), (2, 3));
        std::fs::write(&twenty, "broken").unwrap();
        std::fs::write(&ten, file(&["Ten", "Decade"])).unwrap();
        assert_eq!(place.counts(), (2, 4));
        std::fs::write(&place.database, file(&["Three"])).unwrap();
        assert_eq!(place.counts(), (1, 4));
        assert!(!place.operators.reread(), "nothing changed since");
        std::fs::remove_file(&twenty).unwrap();
        assert!(place.operators.reread());
        assert_eq!(place.counts(), (1, 2));
    }
}

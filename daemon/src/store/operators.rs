//! Operator records from disk: of the databases that are installed, the administrator's overlays and operators' packages what a SIM
//! needs, read when it is there and again when a file changed. In place of a file that broke stand the records that it had.
//! `[OPER 3.9]`

use std::collections::BTreeSet;
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use daemon_operator::database::{FileProblem, Severity};
use daemon_operator::identity::Identity;
use daemon_operator::overlay::{self, OperatorRecord};
use daemon_operator::{Layers, Package, SourceFile, Sources};

use super::atomic;

/// Largest file, octets. `[OPER 3.9]`
const MAX_FILE: u64 = 16 * 1024 * 1024;
/// Most overlay files.
const MAX_OVERLAYS: usize = 256;
/// Most packages of operators.
const MAX_PACKAGES: usize = 64;
/// Most files of a package, and the largest, octets.
const MAX_PARTS: usize = 32;
const MAX_PART: u64 = 1024 * 1024;
/// Folder of a package with the operator's files.
const INFORMATION: &str = "ServiceInformation";
/// Most SIMs whose records are kept.
const MAX_READ: usize = 16;
/// Most problems of files that are logged one by one.
const MAX_TOLD: usize = 20;

/// A file by name, number, size and the time of its last change: equal means unchanged.
type Print = (PathBuf, u64, u64, (i64, i64));

/// Where files are: overlays, and packages with their parts.
struct Found {
    overlays: Vec<PathBuf>,
    packages: Vec<(PathBuf, Vec<PathBuf>)>,
}

/// Files as they were read: name, and content unless it could not be read.
type Contents = Vec<(String, Option<Vec<u8>>)>;

/// What was read for a SIM.
#[derive(Debug)]
struct Records {
    identity: Identity,
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
    packages: PathBuf,
    /// The last one read stands last.
    read: Vec<Records>,
    /// The files when it was last said that they changed, or when all that was read was of the same files.
    seen: Vec<Print>,
}

impl Operators {
    /// `databases`: in order, absent ones are passed over; `overlays` and `packages`: folders that may be absent.
    pub(crate) fn new(databases: Vec<PathBuf>, overlays: PathBuf, packages: PathBuf) -> Self {
        Self { databases, overlays, packages, read: Vec::new(), seen: Vec::new() }
    }

    /// Whether a file changed since this was asked, or since records were. Nothing was read: nothing changed.
    pub(crate) fn changed(&mut self) -> bool {
        let (_, prints) = self.look();
        let changed = !self.read.is_empty() && self.seen != prints;
        self.seen = prints;
        changed
    }

    /// Folders whose changes mean that the records may have changed.
    pub(crate) fn folders(&self) -> BTreeSet<PathBuf> {
        let databases = self.databases.iter().filter_map(|file| file.parent());
        let packages = packages(&self.packages);
        let inner = packages.iter().map(|package| package.join(INFORMATION));
        let own = [self.overlays.clone(), self.packages.clone()].into_iter();
        let all = databases.map(Path::to_owned).chain(own).chain(inner).chain(packages.iter().cloned());
        all.filter(|folder| folder.is_absolute()).collect()
    }

    /// Files that are there.
    fn look(&self) -> (Found, Vec<Print>) {
        let overlays = overlay_files(&self.overlays);
        let packages: Vec<(PathBuf, Vec<PathBuf>)> =
            packages(&self.packages).into_iter().map(|package| (package.clone(), parts(&package))).collect();
        let parts = packages.iter().flat_map(|(_, parts)| parts);
        let prints = self.databases.iter().chain(&overlays).chain(parts).filter_map(|file| print(file)).collect();
        (Found { overlays, packages }, prints)
    }

    /// The records for an identity; reads the files when they are new or changed. Never fails: what is wrong is logged.
    pub(crate) fn layers(&mut self, identity: &Identity) -> Arc<Layers> {
        let (Found { overlays, packages }, prints) = self.look();
        let known = self.read.iter().position(|read| read.identity.is_looked_up_as(identity));
        let before = known.map(|place| self.read.remove(place));
        if let Some(read) = before.as_ref().filter(|read| read.prints == prints) {
            let layers = Arc::clone(&read.layers);
            self.read.extend(before);
            return layers;
        }
        let contents =
            |files: &[PathBuf]| -> Contents { files.iter().filter_map(|file| content(file, MAX_FILE)).collect() };
        let (mut vendor, mut overlay) = (contents(&self.databases), contents(&overlays));
        if vendor.is_empty() {
            tracing::warn!(looked = ?self.databases, "no operator database; install mobile-broadband-provider-info or set `database`");
        }
        let packages: Vec<(String, Contents)> = packages.iter().map(|(folder, parts)| opened(folder, parts)).collect();
        let (mut layers, problems) = load(identity, &packages, &[], &vendor, &overlay);
        tell(&problems);
        let unreadable =
            vendor.iter().chain(&overlay).filter(|(_, bytes)| bytes.is_none()).map(|(name, _)| name.clone());
        let errors = problems.iter().filter(|problem| problem.severity == Severity::Error);
        let mut broken: BTreeSet<String> = errors.map(|problem| problem.file.clone()).chain(unreadable).collect();
        let mut stand_in = false;
        let mut kept = Vec::new();
        for (name, _) in &packages {
            let of_package = |file: &String| file.strip_prefix(name.as_str()).is_some_and(|rest| rest.starts_with('/'));
            let was_whole =
                before.as_ref().filter(|read| broken.iter().any(of_package) && !read.broken.iter().any(of_package));
            if let Some(records) = was_whole.and_then(|read| read.layers.records_of_file(name)) {
                tracing::warn!(package = %name, "what the package said before stays in force");
                kept.push((name.clone(), records));
                broken.retain(|file| !of_package(file));
                stand_in = true;
            }
        }
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
            (layers, _) = load(identity, &packages, &kept, &vendor, &overlay);
        }
        let layers = Arc::new(layers);
        if self.read.iter().all(|read| read.prints == prints) {
            self.seen.clone_from(&prints);
        }
        if self.read.len() >= MAX_READ {
            self.read.remove(0);
        }
        self.read.push(Records { identity: identity.clone(), prints, layers: Arc::clone(&layers), broken });
        layers
    }
}

fn load(
    identity: &Identity,
    packages: &[(String, Contents)],
    kept: &[(String, Vec<OperatorRecord>)],
    vendor: &Contents,
    overlay: &Contents,
) -> (Layers, Vec<FileProblem>) {
    let files: Vec<Vec<SourceFile<'_>>> = packages.iter().map(|(_, parts)| borrow(parts)).collect();
    let packages: Vec<Package<'_>> =
        packages.iter().zip(&files).map(|((name, _), files)| Package { name, files }).collect();
    let sources = Sources { packages: &packages, kept, overlay: &borrow(overlay), vendor: &borrow(vendor) };
    Layers::read_for(&sources, identity)
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

/// Folders of the packages, in the order of their names.
fn packages(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let mut folders: Vec<PathBuf> = entries.map(|entry| entry.path()).filter(|path| path.is_dir()).collect();
    folders.sort();
    folders.truncate(MAX_PACKAGES);
    folders
}

/// The XML files of a package.
fn parts(package: &Path) -> Vec<PathBuf> {
    let all = [package.to_owned(), package.join(INFORMATION)].into_iter().flat_map(|folder| xml_files(&folder));
    all.take(MAX_PARTS).collect()
}

/// A package: its name, and its files by their names in it.
fn opened(package: &Path, parts: &[PathBuf]) -> (String, Contents) {
    let inner = |file: &PathBuf| {
        let name = file.strip_prefix(package).ok()?.display().to_string();
        content(file, MAX_PART).map(|(_, bytes)| (name, bytes))
    };
    (package.display().to_string(), parts.iter().filter_map(inner).collect())
}

fn overlay_files(folder: &Path) -> Vec<PathBuf> {
    let mut files = xml_files(folder);
    if files.len() > MAX_OVERLAYS {
        tracing::warn!(folder = %folder.display(), "only the first {MAX_OVERLAYS} operator files are read");
        files.truncate(MAX_OVERLAYS);
    }
    files
}

/// In the order of their names.
fn xml_files(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path());
    let mut files: Vec<PathBuf> = entries.filter(|path| path.extension().is_some_and(|end| end == "xml")).collect();
    files.sort();
    files
}

fn print(file: &Path) -> Option<Print> {
    let data = std::fs::metadata(file).ok()?;
    Some((file.into(), data.ino(), data.len(), (data.ctime(), data.ctime_nsec())))
}

/// `None` = there is no such file.
fn content(file: &Path, limit: u64) -> Option<(String, Option<Vec<u8>>)> {
    let name = file.display().to_string();
    match atomic::read(file, limit) {
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
    use daemon_operator::Layer;
    use daemon_operator::identity::Imsi;

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
        packages: PathBuf,
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
            let packages = folder.path().join("metadata.d");
            let operators = Operators::new(databases, overlays.clone(), packages.clone());
            Self { operators, database, overlays, packages, _folder: folder }
        }

        /// Records of the vendor layer, of the overlay.
        fn counts(&mut self) -> (usize, usize) {
            let layers = self.operators.layers(&Identity::default());
            (layers.vendor_counts().providers, layers.overlay_counts().providers)
        }
    }

    #[test]
    fn absent_and_broken_files_are_no_failure_and_changes_are_seen() {
        let mut place = Place::new();
        assert_eq!(place.counts(), (0, 0));
        let none = place.operators.layers(&Identity::default());
        assert!(
            Arc::ptr_eq(&none, &place.operators.layers(&Identity::default())),
            "unchanged files are not read twice"
        );
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

    #[test]
    fn packages_are_read_and_a_broken_one_keeps_its_record() {
        let mut place = Place::new();
        let package = place.packages.join("1234");
        std::fs::create_dir_all(package.join(INFORMATION)).unwrap();
        let write = |name: &str, text: &str| std::fs::write(package.join(name), text).unwrap();
        write(
            "PackageInfo.xml",
            "<PackageInfo><HardwareID>MBOP:1:P00:VFONWKK5SX2HEHOEZ276VRNQ</HardwareID></PackageInfo>",
        );
        write(
            "ServiceInformation/ServiceInfo.xml",
            "<ServiceInfo><ServiceProvider>Contoso</ServiceProvider></ServiceInfo>",
        );
        write("ServiceInformation/MobileBroadbandInfo.xml", "<MobileBroadbandInfo/>");
        write("ServiceInformation/icon.ico", "no part of it");
        assert_eq!(place.operators.layers(&Identity::default()).packages(), 1);
        write("PackageInfo.xml", "<PackageInfo>");
        assert_eq!(place.operators.layers(&Identity::default()).packages(), 1, "it stays");
        assert!(place.operators.folders().contains(&package.join(INFORMATION)));
        std::fs::remove_file(package.join("PackageInfo.xml")).unwrap();
        assert_eq!(place.operators.layers(&Identity::default()).packages(), 1, "a package in pieces is a broken one");
        std::fs::remove_dir_all(&package).unwrap();
        assert_eq!(place.operators.layers(&Identity::default()).packages(), 0);
        std::fs::create_dir(&package).unwrap();
        assert_eq!(place.operators.layers(&Identity::default()).packages(), 0, "an empty folder is none");
    }

    /// Each SIM has its own records, also of a file that broke since.
    #[test]
    fn sims_are_read_for_apart() {
        let mut place = Place::new();
        let other = |name: &str| file(&[name]).replace("mnc=\"01\"", "mnc=\"99\"");
        let country = |whole: &str| {
            whole.split_once("<country").unwrap().1.split_once("</serviceproviders>").unwrap().0.to_owned()
        };
        let both = file(&["Home"])
            .replace("</serviceproviders>", &format!("<country{}</serviceproviders>", country(&other("Other"))));
        std::fs::write(&place.database, &both).unwrap();
        let sim = |imsi: &str| Identity { imsi: Imsi::parse(imsi).value(), ..Identity::default() };
        let (home, other) = (sim("001010123456789"), sim("001990123456789"));
        let names = |place: &mut Place, of: &Identity| -> Vec<String> {
            let records = place.operators.layers(of).records(Layer::Vendor);
            records.into_iter().flat_map(|record| record.names).collect()
        };
        for _ in 0..2 {
            assert_eq!(names(&mut place, &home), ["Home"]);
            assert_eq!(names(&mut place, &other), ["Other"]);
            std::fs::write(&place.database, cut(&both)).unwrap();
            assert!(place.operators.changed() && !place.operators.changed(), "once");
        }
        let first = place.operators.layers(&home);
        assert!(Arc::ptr_eq(&first, &place.operators.layers(&home)));
        for number in 0..2 * MAX_READ {
            place.operators.layers(&sim(&format!("00101{number:010}")));
        }
        assert_eq!(place.operators.read.len(), MAX_READ);
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
        assert!(!place.operators.changed(), "nothing changed since");
        std::fs::remove_file(&twenty).unwrap();
        assert!(place.operators.changed());
        assert_eq!(place.counts(), (1, 2));
    }
}

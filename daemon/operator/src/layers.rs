//! The databases, by precedence. `[OPER 3.3, 3.4]`

use crate::database::record::{Op, OperatorRecord, Record};
use std::collections::BTreeMap;

use crate::database::sieve::{Prefix, sieve};
use crate::database::{Builder, Counts, Database, FileProblem, Hidden, Severity, read};
use crate::identity::{CellClass, Identity, Plmn, Sid};
use crate::metadata::{self, Package};
use crate::names;
use crate::profile::named;

named! { Layer {
    /// What a person set.
    User = "user",
    /// What the operator's account provisioning set, and contexts that the operator wrote into the modem.
    Provisioning = "provisioning",
    /// The operator's package.
    ServiceMetadata = "service-metadata",
    /// The overlay directory of this machine.
    Overlay = "overlay",
    /// Contexts that the modem's maker stored.
    Modem = "modem",
    /// The database of the distribution.
    Vendor = "vendor",
    /// No name: the network decides.
    NetworkDefault = "network-default",
}, /// Who says something, in order of precedence. `[OPER 3.4]`
}

/// A file as it was read.
#[derive(Clone, Copy, Debug)]
pub struct SourceFile<'a> {
    /// Its name: for messages, and for the order of overlay files.
    pub name: &'a str,
    /// Its content.
    pub bytes: &'a [u8],
}

/// What [`Layers::read`] reads.
#[derive(Clone, Copy, Debug, Default)]
pub struct Sources<'a> {
    /// Packages of operators; the order counts only where two have the same hardware id.
    pub packages: &'a [Package<'a>],
    /// Records that stand in place of a package of that name, because it cannot be read any more.
    pub kept: &'a [(String, Vec<OperatorRecord>)],
    /// Overlay files, in any order.
    pub overlay: &'a [SourceFile<'a>],
    /// Vendor files, in order.
    pub vendor: &'a [SourceFile<'a>],
}

/// The databases of the layers that come from files. Immutable; to be shared.
#[derive(Clone, Debug, Default)]
pub struct Layers {
    metadata: Database,
    overlay: Database,
    vendor: Database,
}

impl Layers {
    /// Reads the files of both layers. Vendor files count in the given order; of overlay files a later one, by byte
    /// order of the names, stands before an earlier one. What is wrong with files is told; what could be read is there.
    pub fn load(vendor: &[SourceFile<'_>], overlay: &[SourceFile<'_>]) -> (Self, Vec<FileProblem>) {
        Self::read(&Sources { overlay, vendor, ..Sources::default() })
    }

    /// Enough of the files to choose for this identity, and for no other: of vendor files that are written plainly only
    /// its records are read. Remarks on the others are not made. `[OPER 3.9]`
    pub fn read_for(sources: &Sources<'_>, identity: &Identity) -> (Self, Vec<FileProblem>) {
        let whole = || Self::read(sources);
        let (CellClass::Gsm, Some(imsi)) = (identity.cell_class, &identity.imsi) else { return whole() };
        let codes = identity.ehplmn.iter().map(Plmn::as_str).chain([imsi.reveal()]);
        let wanted: Vec<Prefix> = codes.filter_map(|code| code.as_bytes().first_chunk().copied()).collect();
        let mut sieved = Vec::with_capacity(sources.vendor.len());
        for file in sources.vendor {
            let Some(text) = sieve(file.bytes, &wanted) else { return whole() };
            sieved.push((file.name, text));
        }
        let vendor: Vec<SourceFile<'_>> = sieved.iter().map(|(name, bytes)| SourceFile { name, bytes }).collect();
        let (layers, problems) = Self::read(&Sources { vendor: &vendor, ..*sources });
        // Of what is left the places are other ones.
        let of_vendor = |problem: &FileProblem| sources.vendor.iter().any(|file| file.name == problem.file);
        if problems.iter().any(|problem| problem.severity > Severity::Debug && of_vendor(problem)) {
            return whole();
        }
        (layers, problems.into_iter().filter(|problem| !of_vendor(problem)).collect())
    }

    /// As [`Self::load`], with packages.
    pub fn read(sources: &Sources<'_>) -> (Self, Vec<FileProblem>) {
        let Sources { packages, kept, overlay, vendor } = sources;
        let mut problems = Vec::new();
        let mut metadata = Builder::default();
        for package in *packages {
            metadata.next_file(package.name);
            let stands_in = kept.iter().find(|(name, _)| name == package.name);
            match stands_in {
                Some((_, records)) => records.iter().for_each(|record| metadata.push(record.clone())),
                None => metadata::read(package, &mut problems).into_iter().for_each(|record| metadata.push(record)),
            }
        }
        let mut later_first: Vec<&SourceFile<'_>> = overlay.iter().collect();
        later_first.sort_by(|one, other| other.name.as_bytes().cmp(one.name.as_bytes()));
        let overlay = build(later_first.into_iter(), &mut problems);
        let vendor = build(vendor.iter(), &mut problems);

        let hiding = hiding_records(overlay.database());
        let of_overlay = hide(&hiding, overlay.database(), |by, of| of.file > by.file);
        let of_vendor = hide(&hiding, vendor.database(), |_, _| true);
        let metadata = metadata.finish(&[]);
        let layers = Self { metadata, overlay: overlay.finish(&of_overlay), vendor: vendor.finish(&of_vendor) };
        (layers, problems)
    }

    /// What the vendor layer holds.
    pub fn vendor_counts(&self) -> Counts {
        self.vendor.counts()
    }

    /// Packages that can be used.
    pub fn packages(&self) -> usize {
        self.metadata.records().count()
    }

    /// What the overlay layer holds.
    pub fn overlay_counts(&self) -> Counts {
        self.overlay.counts()
    }

    /// The records of a layer that comes from files as a file would say them, in document order; of other layers none.
    pub fn records(&self, layer: Layer) -> Vec<OperatorRecord> {
        let found = self.databases().into_iter().find(|(of, _)| *of == layer);
        found
            .map(|(_, database)| database.records().map(|(number, record)| database.said(number, record)).collect())
            .unwrap_or_default()
    }

    /// The records of a file by its name, as the file said them; `None` when no such file was read.
    pub fn records_of_file(&self, name: &str) -> Option<Vec<OperatorRecord>> {
        self.databases().into_iter().find_map(|(_, database)| database.of_file(name))
    }

    /// Whether some record of any layer lists the code, as it is or in its legacy form. `[OPER 1.3]`
    pub fn knows(&self, code: Plmn) -> bool {
        self.overlay.knows(code) || self.vendor.knows(code)
    }

    /// The databases from high to low.
    pub(crate) fn databases(&self) -> [(Layer, &Database); 3] {
        [(Layer::ServiceMetadata, &self.metadata), (Layer::Overlay, &self.overlay), (Layer::Vendor, &self.vendor)]
    }
}

fn build<'a>(files: impl Iterator<Item = &'a SourceFile<'a>>, problems: &mut Vec<FileProblem>) -> Builder {
    let mut builder = Builder::default();
    for file in files {
        builder.next_file(file.name);
        problems.extend(read(file.name, file.bytes, &mut builder));
    }
    builder
}

/// A record that replaces or deletes.
struct Hiding<'a> {
    by: &'a Record,
    plmns: &'a [Plmn],
    sids: &'a [Sid],
}

/// Those records by country, in small letters, and folded first name.
type HidingByName<'a> = BTreeMap<String, BTreeMap<String, Vec<Hiding<'a>>>>;

fn hiding_records(database: &Database) -> HidingByName<'_> {
    let mut by_name = HidingByName::new();
    for (_, by) in database.records().filter(|(_, record)| record.op != Op::Add) {
        let name = names::fold(database.name(by));
        if name.is_empty() {
            continue;
        }
        let country = by_name.entry(database.text(by.country).to_ascii_lowercase()).or_default();
        let hiding = Hiding { by, plmns: database.plmns(by), sids: database.sids(by) };
        country.entry(name).or_default().push(hiding);
    }
    by_name
}

/// For each record what of it is hidden by those for which `reaches` holds.
fn hide(hiding: &HidingByName<'_>, below: &Database, reaches: impl Fn(&Record, &Record) -> bool) -> Vec<Hidden> {
    if hiding.is_empty() {
        return Vec::new();
    }
    let hidden_of = |record: &Record| {
        let mut hidden = Hidden::default();
        // Names are folded only for the countries that someone corrects.
        let Some(country) = hiding.get(&below.text(record.country).to_ascii_lowercase()) else { return hidden };
        for name in below.names(record) {
            let of_name = country.get(&names::fold(name)).into_iter().flatten();
            for hiding in of_name.filter(|hiding| reaches(hiding.by, record)) {
                hidden.whole |= hiding.by.op == Op::Delete && hiding.plmns.is_empty() && hiding.sids.is_empty();
                hidden.plmns.extend_from_slice(hiding.plmns);
                hidden.sids.extend_from_slice(hiding.sids);
            }
        }
        hidden
    };
    below.records().map(|(_, record)| hidden_of(record)).collect()
}

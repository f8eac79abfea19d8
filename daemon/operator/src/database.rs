//! An operator database in memory: one layer's records, small and ready to search. `[OPER 3.3, 3.9]`
//!
//! Texts are kept once each. Records, names, codes, selectors and access points lie in flat lists that a record refers
//! to by ranges; the files' text is dropped.

pub(crate) mod places;
mod problem;
mod reader;
pub(crate) mod record;
pub(crate) mod sieve;
pub(crate) mod tree;

pub use problem::{FileProblem, Severity, Trouble};
pub(crate) use reader::{is_guid, read};

use core::ops::Range;
use std::collections::BTreeMap;

use crate::identity::{Plmn, Sid};
use crate::profile::Password;
use record::{AccessPoint, Account, Apn, Detail, Host, NamedCertificate, Op, OperatorRecord, Record, Select, Text};

/// What was found in the files of a layer, elements counted as they stand.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Country elements.
    pub countries: usize,
    /// Provider elements that were kept.
    pub providers: usize,
    /// Access point elements, also those with an unusable value.
    pub apns: usize,
    /// Network code elements.
    pub network_ids: usize,
    /// CDMA system elements.
    pub sids: usize,
    /// Memory that the index takes, in octets, roughly.
    pub index_bytes: usize,
}

/// One layer.
#[derive(Clone, Debug, Default)]
pub(crate) struct Database {
    text: String,
    spans: Vec<Range<u32>>,
    records: Vec<Record>,
    names: Vec<Text>,
    plmns: Vec<Plmn>,
    sids: Vec<Sid>,
    selects: Vec<Select>,
    apns: Vec<Apn>,
    details: Vec<(u32, Detail)>,
    accounts: Vec<(u32, Account)>,
    by_plmn: Vec<(Plmn, u32)>,
    by_sid: Vec<(Sid, u32)>,
    /// Records that have selectors and no code.
    selector_only: Vec<u32>,
    /// Names of the files, in document order; the number of a record's file counts from 1.
    files: Vec<Box<str>>,
    counts: Counts,
}

impl Database {
    pub(crate) fn counts(&self) -> Counts {
        let Self {
            text, spans, records, names, plmns, sids, selects, apns, details, accounts, by_plmn, by_sid, ..
        } = self;
        let dns: usize = details.iter().map(|(_, detail)| size_of_val(&*detail.dns)).sum();
        let index_bytes = text.len()
            + size_of_val(spans.as_slice())
            + size_of_val(records.as_slice())
            + size_of_val(names.as_slice())
            + size_of_val(plmns.as_slice())
            + size_of_val(sids.as_slice())
            + size_of_val(selects.as_slice())
            + size_of_val(apns.as_slice())
            + size_of_val(details.as_slice())
            + size_of_val(accounts.as_slice())
            + accounts.iter().map(|(_, account)| size_of_val(&*account.certificates)).sum::<usize>()
            + size_of_val(by_plmn.as_slice())
            + size_of_val(by_sid.as_slice())
            + dns;
        Counts { index_bytes, ..self.counts }
    }

    pub(crate) fn text(&self, text: Text) -> &str {
        let span = self.spans.get(text.0 as usize);
        span.and_then(|span| self.text.get(span.start as usize..span.end as usize)).unwrap_or("")
    }

    pub(crate) fn record(&self, index: u32) -> Option<&Record> {
        self.records.get(index as usize)
    }

    pub(crate) fn records(&self) -> impl Iterator<Item = (u32, &Record)> {
        (0..).zip(&self.records)
    }

    pub(crate) fn names<'a>(&'a self, record: &Record) -> impl Iterator<Item = &'a str> + use<'a> {
        slice(&self.names, &record.names).iter().map(|name| self.text(*name))
    }

    /// The first name; empty when the record has none.
    pub(crate) fn name(&self, record: &Record) -> &str {
        self.names(record).next().unwrap_or("")
    }

    pub(crate) fn plmns(&self, record: &Record) -> &[Plmn] {
        slice(&self.plmns, &record.plmns)
    }

    pub(crate) fn sids(&self, record: &Record) -> &[Sid] {
        slice(&self.sids, &record.sids)
    }

    pub(crate) fn selects(&self, record: &Record) -> &[Select] {
        slice(&self.selects, &record.selects)
    }

    pub(crate) fn apns(&self, record: &Record) -> impl Iterator<Item = (u32, &Apn)> {
        record.apns.clone().zip(slice(&self.apns, &record.apns))
    }

    pub(crate) fn detail(&self, apn: u32) -> Option<&Detail> {
        let at = self.details.binary_search_by_key(&apn, |(apn, _)| *apn).ok()?;
        self.details.get(at).map(|(_, detail)| detail)
    }

    /// What a record says for provisioning: the GUID of its documents, and who signs them.
    pub(crate) fn account(&self, number: u32) -> (String, Vec<NamedCertificate>) {
        let Ok(at) = self.accounts.binary_search_by_key(&number, |(record, _)| *record) else {
            return Default::default();
        };
        let Some((_, account)) = self.accounts.get(at) else { return Default::default() };
        let text = |text: Text| self.text(text).to_owned();
        let named =
            |(subject, issuer): &(Text, Text)| NamedCertificate { subject: text(*subject), issuer: text(*issuer) };
        (text(account.service_number), account.certificates.iter().map(named).collect())
    }

    /// The records of a file; `None` when there is no such file.
    pub(crate) fn of_file(&self, name: &str) -> Option<Vec<OperatorRecord>> {
        let place = self.files.iter().position(|file| **file == *name)?;
        let records = self.records().filter(|(_, record)| usize::from(record.file) == place + 1);
        Some(records.map(|(number, record)| self.said(number, record)).collect())
    }

    /// A record as a file would say it.
    pub(crate) fn said(&self, number: u32, record: &Record) -> OperatorRecord {
        let (service_number, certificates) = self.account(number);
        let text = |text: Text| self.text(text).to_owned();
        let apns = self.apns(record).map(|(number, apn)| {
            let detail = self.detail(number);
            AccessPoint {
                value: text(apn.value),
                user: text(apn.user),
                password: Password::new(text(apn.password)),
                mmsc: detail.map(|detail| text(detail.mmsc)).unwrap_or_default(),
                mms_proxy: detail.map(|detail| text(detail.mms_proxy)).unwrap_or_default(),
                dns: detail.map(|detail| detail.dns.to_vec()).unwrap_or_default(),
                settings: apn.settings,
            }
        });
        OperatorRecord {
            country: text(record.country),
            names: self.names(record).map(str::to_owned).collect(),
            account_url: text(record.account_url),
            api_url: text(record.api_url),
            plmns: self.plmns(record).to_vec(),
            sids: self.sids(record).to_vec(),
            selects: self.selects(record).iter().map(|select| select.map(|value| text(*value))).collect(),
            apns: apns.collect(),
            cdma: record.cdma.map(|(user, password)| (text(user), Password::new(text(password)))),
            host: record.host,
            op: record.op,
            exclusive: record.exclusive,
            service_number,
            certificates,
        }
    }

    /// Records that list a network code, in document order.
    pub(crate) fn with_plmn(&self, code: Plmn) -> impl Iterator<Item = u32> {
        equal_range(&self.by_plmn, code)
    }

    /// Whether any record lists a network code.
    pub(crate) fn lists(&self, code: Plmn) -> bool {
        self.with_plmn(code).next().is_some()
    }

    /// Whether any record lists a network code, as it is or in its legacy form.
    pub(crate) fn knows(&self, code: Plmn) -> bool {
        self.listed_form(code).is_some()
    }

    /// The form of a code under which records list it: as it is, else the legacy form.
    pub(crate) fn listed_form(&self, code: Plmn) -> Option<Plmn> {
        [Some(code), code.legacy()].into_iter().flatten().find(|form| self.lists(*form))
    }

    /// Records that list a CDMA system, in document order.
    pub(crate) fn with_sid(&self, sid: Sid) -> impl Iterator<Item = u32> {
        equal_range(&self.by_sid, sid)
    }

    pub(crate) fn selector_only(&self) -> &[u32] {
        &self.selector_only
    }
}

impl Database {
    /// The lists grew by doubling; what is kept for long is no larger than what it holds.
    fn shrink(&mut self) {
        self.text.shrink_to_fit();
        self.spans.shrink_to_fit();
        self.records.shrink_to_fit();
        self.names.shrink_to_fit();
        self.plmns.shrink_to_fit();
        self.sids.shrink_to_fit();
        self.selects.shrink_to_fit();
        self.apns.shrink_to_fit();
        self.details.shrink_to_fit();
        self.accounts.shrink_to_fit();
        self.by_plmn.shrink_to_fit();
        self.by_sid.shrink_to_fit();
    }
}

fn slice<'a, T>(list: &'a [T], range: &Range<u32>) -> &'a [T] {
    list.get(range.start as usize..range.end as usize).unwrap_or_default()
}

fn equal_range<K: Ord + Copy>(index: &[(K, u32)], key: K) -> impl Iterator<Item = u32> {
    let start = index.partition_point(|(other, _)| *other < key);
    let rest = index.get(start..).unwrap_or_default();
    rest.iter().take_while(move |(other, _)| *other == key).map(|(_, record)| *record)
}

/// Codes of a record that another record hides.
#[derive(Clone, Debug, Default)]
pub(crate) struct Hidden {
    /// Everything.
    pub(crate) whole: bool,
    /// These network codes.
    pub(crate) plmns: Vec<Plmn>,
    /// These systems.
    pub(crate) sids: Vec<Sid>,
}

/// Collects the records of a layer's files.
#[derive(Default)]
pub(crate) struct Builder {
    database: Database,
    interned: BTreeMap<Box<str>, Text>,
    file: u16,
}

impl Builder {
    /// The records that follow come from the next file in document order.
    pub(crate) fn next_file(&mut self, name: &str) {
        self.file = self.file.saturating_add(1);
        self.database.files.push(name.into());
    }

    pub(crate) fn count(&mut self, change: impl FnOnce(&mut Counts)) {
        change(&mut self.database.counts);
    }

    fn intern(&mut self, text: &str) -> Text {
        if text.is_empty() {
            return Text::EMPTY;
        }
        if let Some(known) = self.interned.get(text) {
            return *known;
        }
        let database = &mut self.database;
        if database.spans.is_empty() {
            database.spans.push(0..0);
        }
        // A layer's texts stay far below 4 GiB: files are limited, and so is their number in practice; what would not
        // fit is left out.
        let (Ok(start), Ok(end), Ok(number)) = (
            u32::try_from(database.text.len()),
            u32::try_from(database.text.len() + text.len()),
            u32::try_from(database.spans.len()),
        ) else {
            return Text::EMPTY;
        };
        database.text.push_str(text);
        database.spans.push(start..end);
        self.interned.insert(text.into(), Text(number));
        Text(number)
    }

    /// Adds a record.
    pub(crate) fn push(&mut self, draft: OperatorRecord) {
        let names: Vec<Text> = draft.names.iter().map(|name| self.intern(name)).collect();
        let selects: Vec<Select> = draft.selects.iter().map(|select| select.map(|value| self.intern(value))).collect();
        let country = self.intern(&draft.country);
        let account_url = self.intern(&draft.account_url);
        let api_url = self.intern(&draft.api_url);
        let cdma = draft.cdma.map(|(user, password)| (self.intern(&user), self.intern(password.reveal())));
        let mut distinct = draft.plmns.clone();
        distinct.sort_unstable();
        distinct.dedup();
        let mut systems = draft.sids.clone();
        systems.sort_unstable();
        systems.dedup();
        let certificates = draft.certificates.iter().take(record::MAX_CERTIFICATES);
        let certificates =
            certificates.map(|named| (self.intern(&named.subject), self.intern(&named.issuer))).collect();
        let account = Account { service_number: self.intern(&draft.service_number), certificates };
        if account.service_number != Text::EMPTY || !account.certificates.is_empty() {
            self.database.accounts.push((index(self.database.records.len()), account));
        }
        let first_apn = self.database.apns.len();
        for apn in draft.apns {
            let value = self.intern(&apn.value);
            let user = self.intern(&apn.user);
            let password = self.intern(apn.password.reveal());
            let mmsc = self.intern(&apn.mmsc);
            let mms_proxy = self.intern(&apn.mms_proxy);
            if mmsc != Text::EMPTY || mms_proxy != Text::EMPTY || !apn.dns.is_empty() {
                let detail = Detail { dns: apn.dns.into(), mmsc, mms_proxy };
                self.database.details.push((index(self.database.apns.len()), detail));
            }
            self.database.apns.push(Apn { value, user, password, settings: apn.settings });
        }
        let database = &mut self.database;
        let record = Record {
            country,
            account_url,
            api_url,
            names: append(&mut database.names, names),
            plmns: append(&mut database.plmns, draft.plmns),
            sids: append(&mut database.sids, draft.sids),
            selects: append(&mut database.selects, selects),
            apns: index(first_apn)..index(database.apns.len()),
            distinct_plmns: index(distinct.len()),
            distinct_sids: index(systems.len()),
            cdma,
            cdma_hidden: false,
            host: draft.host,
            op: draft.op,
            exclusive: draft.exclusive,
            file: self.file,
        };
        database.records.push(record);
    }

    /// The records so far, not yet searchable.
    pub(crate) fn database(&self) -> &Database {
        &self.database
    }

    /// Makes the records searchable; `hidden` says for each record what of it is not to be found.
    pub(crate) fn finish(self, hidden: &[Hidden]) -> Database {
        let mut database = self.database;
        let nothing = Hidden::default();
        for (number, record) in (0..).zip(&database.records) {
            let hidden = hidden.get(number as usize).unwrap_or(&nothing);
            if record.op == Op::Delete || hidden.whole {
                continue;
            }
            let codes = slice(&database.plmns, &record.plmns).iter().filter(|code| !hidden.plmns.contains(code));
            database.by_plmn.extend(codes.map(|code| (*code, number)));
            let sids = slice(&database.sids, &record.sids).iter().filter(|sid| !hidden.sids.contains(sid));
            database.by_sid.extend(sids.map(|sid| (*sid, number)));
            if record.plmns.is_empty() && !record.selects.is_empty() {
                database.selector_only.push(number);
            }
        }
        // A CDMA record that lost all its systems is not to be found by its name either.
        for (number, record) in database.records.iter_mut().enumerate() {
            let Some(hidden) = hidden.get(number) else { continue };
            let lost = !record.sids.is_empty()
                && slice(&database.sids, &record.sids).iter().all(|sid| hidden.sids.contains(sid));
            record.cdma_hidden = hidden.whole || lost;
        }
        database.by_plmn.sort_unstable();
        database.by_plmn.dedup();
        database.by_sid.sort_unstable();
        database.by_sid.dedup();
        database.shrink();
        database
    }
}

fn append<T>(list: &mut Vec<T>, more: Vec<T>) -> Range<u32> {
    let start = index(list.len());
    list.extend(more);
    start..index(list.len())
}

/// Lists are shorter than 2^32: each entry takes several octets of a file of at most 16 MiB.
fn index(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

impl Host {
    /// The order of `[OPER 3.5, step 4]`: true before absent before false.
    pub(crate) fn rank(self) -> u8 {
        match self {
            Self::Yes => 0,
            Self::Unsaid => 1,
            Self::No => 2,
        }
    }
}

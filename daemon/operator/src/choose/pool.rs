//! The records of one layer that fit, best first. `[OPER 3.5]`

use core::cmp::Ordering;

use super::home::Home;
use super::score::{Basis, Score, Targets};
use super::{OperatorKey, Rule};
use crate::candidate::any_internet;
use crate::database::Database;
use crate::database::record::{Record, Select};
use crate::hwid::device_set;
use crate::identity::ef::CardFile;
use crate::identity::{CellClass, Identity, Plmn};
use crate::layers::Layer;

/// A record that fits.
pub(crate) struct Ranked<'a> {
    pub(crate) record: &'a Record,
    pub(crate) key: OperatorKey,
    pub(crate) score: Score,
    pub(crate) basis: Basis,
    /// Its select element that holds best.
    pub(crate) select: Option<&'a Select>,
    pub(crate) rule: Rule,
    /// Not the host flag: whether it leaves a candidate, how many codes, where it stands.
    order: (bool, core::cmp::Reverse<u32>, u32),
}

impl Ranked<'_> {
    /// Number of the record in its database.
    pub(crate) const fn number(&self) -> u32 {
        self.order.2
    }
}

/// What fits of one layer.
pub(crate) struct Pool<'a> {
    pub(crate) layer: Layer,
    pub(crate) database: &'a Database,
    /// Code under which this layer was searched.
    pub(crate) key: Option<Plmn>,
    pub(crate) cdma: bool,
    /// Best first.
    pub(crate) ranked: Vec<Ranked<'a>>,
    /// Records that list the code, but whose selectors do not hold.
    pub(crate) dropped: Vec<OperatorKey>,
    /// A person chose the first.
    pub(crate) by_person: bool,
    /// Files of the card that some record of the code, or without one, asks for.
    pub(crate) asks: Vec<CardFile>,
}

impl<'a> Pool<'a> {
    pub(crate) fn of(
        layer: Layer,
        database: &'a Database,
        identity: &Identity,
        home: &Home,
        wanted: Option<&OperatorKey>,
    ) -> Self {
        let cdma = identity.cell_class == CellClass::Cdma;
        let key = home.key.and_then(|code| database.listed_form(code)).filter(|_| !cdma);
        let mut pool = Self {
            layer,
            database,
            key,
            cdma: cdma && layer != Layer::ServiceMetadata,
            ranked: Vec::new(),
            dropped: Vec::new(),
            by_person: false,
            asks: Vec::new(),
        };
        if layer == Layer::ServiceMetadata {
            pool.fill_packages(identity);
        } else if cdma {
            pool.fill_cdma(identity);
        } else {
            pool.fill_gsm(identity);
        }
        pool.ranked.sort_by(|one, other| one.before(other));
        if !cdma && layer != Layer::ServiceMetadata {
            pool.name_rules();
        }
        let place = wanted.and_then(|wanted| {
            pool.ranked.iter().position(|ranked| ranked.key.name == wanted.name && ranked.key.country == wanted.country)
        });
        if let Some(place) = place.filter(|_| pool.ranked.len() > 1) {
            pool.by_person = true;
            pool.ranked.get_mut(..=place).unwrap_or_default().rotate_right(1);
            if let Some(first) = pool.ranked.first_mut() {
                first.rule = Rule::UserChoice;
            }
        }
        pool
    }

    fn fill_gsm(&mut self, identity: &Identity) {
        let database = self.database;
        let selector_only = database.selector_only().iter().copied();
        let numbers: Vec<u32> = match self.key {
            Some(code) => database.with_plmn(code).chain(selector_only).collect(),
            None => selector_only.collect(),
        };
        let records = || numbers.iter().filter_map(|number| Some((*number, database.record(*number)?)));
        let by_hwid = records().any(|(_, record)| database.selects(record).iter().any(|select| select.hwid.is_some()));
        let targets = Targets::of(identity, by_hwid);
        let selects = || records().flat_map(|(_, record)| database.selects(record));
        let plain = records().filter(|(_, record)| database.selects(record).is_empty()).count();
        // Of several plain records the one that is named as the card says wins.
        let asks = [
            (CardFile::Spn, plain > 1 || selects().any(|select| select.spn.is_some())),
            (CardFile::Gid1, selects().any(|select| select.gid1.is_some())),
            (CardFile::Gid2, selects().any(|select| select.gid2.is_some())),
            (CardFile::Opl, selects().any(|select| select.pnn.is_some())),
            (CardFile::Pnn, selects().any(|select| select.pnn.is_some())),
            (CardFile::Iccid, selects().any(|select| select.iccid_from.is_some() || select.iccid_prefix.is_some())),
        ];
        self.asks = asks.into_iter().filter(|(_, asked)| *asked).map(|(file, _)| file).collect();
        for (number, record) in records() {
            let key = self.key_of(record);
            let Some((score, basis, select)) = targets.score(database, record) else {
                self.dropped.push(key);
                continue;
            };
            let order = (!any_internet(database, record), core::cmp::Reverse(record.distinct_plmns), number);
            self.ranked.push(Ranked { record, key, score, basis, select, rule: Rule::None, order });
        }
    }

    /// Packages whose hardware ids the device answers to: the first of its set wins. `[OPER 2.2]`
    fn fill_packages(&mut self, identity: &Identity) {
        let database = self.database;
        if database.records().next().is_none() {
            return;
        }
        let set = device_set(identity);
        let place = |select: &Select| {
            let wanted = database.text(select.hwid?);
            set.iter().position(|entry| entry.hwid.as_str() == wanted)
        };
        for (number, record) in database.records() {
            let selects = database.selects(record).iter();
            let best = selects.filter_map(|select| Some((place(select)?, select))).min_by_key(|(place, _)| *place);
            let Some((place, select)) = best else { continue };
            let weight = u32::try_from(set.len().saturating_sub(place)).unwrap_or(0);
            let score = Score { targets: 1, weight, ..Score::NOTHING };
            let order = (false, core::cmp::Reverse(0), number);
            let key = self.key_of(record);
            let (basis, rule) = (Basis::Selector, Rule::Selector);
            self.ranked.push(Ranked { record, key, score, basis, select: Some(select), rule, order });
        }
    }

    fn fill_cdma(&mut self, identity: &Identity) {
        let database = self.database;
        let mut rule = Rule::Sid;
        let mut numbers: Vec<u32> = identity.sid.map(|sid| database.with_sid(sid).collect()).unwrap_or_default();
        if let (true, Some(name)) = (numbers.is_empty(), &identity.provider_name) {
            rule = Rule::ProviderName;
            let named = database.records().filter(|(_, record)| {
                record.cdma.is_some()
                    && !record.cdma_hidden
                    && record.op != crate::database::record::Op::Delete
                    && database.names(record).any(|other| other == name)
            });
            numbers = named.map(|(number, _)| number).collect();
        }
        for number in numbers {
            let Some(record) = database.record(number) else { continue };
            let order = (false, core::cmp::Reverse(record.distinct_sids), number);
            let key = self.key_of(record);
            let (score, basis) = (Score::NOTHING, Basis::Code);
            self.ranked.push(Ranked { record, key, score, basis, select: None, rule, order });
        }
    }

    fn key_of(&self, record: &Record) -> OperatorKey {
        OperatorKey {
            country: self.database.text(record.country).to_owned(),
            name: self.database.name(record).to_owned(),
            layer: self.layer,
        }
    }

    /// How many records tie with the first on score and host flag.
    pub(crate) fn tied(&self) -> usize {
        let Some(first) = self.ranked.first() else { return 0 };
        if self.by_person {
            return 1;
        }
        self.ranked.iter().take_while(|ranked| ranked.ties(first)).count()
    }

    fn name_rules(&mut self) {
        let best = self.ranked.iter().map(|ranked| ranked.record.host.rank()).min().unwrap_or(0);
        let hosts = self.ranked.iter().filter(|ranked| ranked.record.host.rank() == best).count();
        let alone = self.ranked.len() == 1;
        for ranked in &mut self.ranked {
            ranked.rule = match ranked.basis {
                Basis::Selector => Rule::Selector,
                Basis::Spn => Rule::SpnName,
                Basis::ProviderName => Rule::ProviderName,
                Basis::Code if alone => Rule::PlmnUnique,
                Basis::Code if hosts == 1 && ranked.record.host.rank() == best => Rule::PlmnPrimary,
                Basis::Code => Rule::PlmnShared,
            };
        }
    }
}

impl Ranked<'_> {
    fn before(&self, other: &Self) -> Ordering {
        self.score
            .order(&other.score)
            .then(self.record.host.rank().cmp(&other.record.host.rank()))
            .then(self.order.cmp(&other.order))
    }

    fn ties(&self, other: &Self) -> bool {
        self.score == other.score && self.record.host == other.record.host
    }
}

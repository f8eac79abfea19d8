//! Which files of the card could make the choice another one. They are read only then: each costs a question to the
//! card, and most SIMs are known by their numbers alone. `[OPER 1.1, 3.5]`

use super::home::{Home, MncSource};
use super::pool::Pool;
use crate::identity::ef::CardFile;
use crate::identity::{CellClass, Identity, MncLength, Plmn};
use crate::layers::Layers;

/// The files, in the order of [`CardFile::ALL`]. What a file gave already is not asked again.
pub(crate) fn files(
    identity: &Identity,
    home: &Home,
    layers: &Layers,
    pools: &[Pool<'_>],
    chosen: Option<&Pool<'_>>,
) -> Vec<CardFile> {
    if identity.cell_class != CellClass::Gsm || chosen.is_some_and(|pool| pool.by_person) {
        return Vec::new();
    }
    let Some(imsi) = identity.imsi.as_ref() else {
        // The modem does not tell whose card it is; the card does.
        let numbers = [(CardFile::Iccid, identity.iccid.is_none()), (CardFile::Imsi, true)];
        return numbers.into_iter().filter(|(_, wanted)| *wanted).map(|(file, _)| file).collect();
    };
    let mut wanted: Vec<CardFile> = Vec::new();
    // A record below the chosen one's layer may be named better and is passed over all the same.
    for pool in pools.iter().filter(|pool| chosen.is_none_or(|chosen| pool.layer <= chosen.layer)) {
        wanted.extend(pool.asks.iter().copied());
    }
    let known = |length| Plmn::of_imsi(imsi.reveal(), length).is_some_and(|code| layers.knows(code));
    let both = home.source == MncSource::Table && known(MncLength::Two) && known(MncLength::Three);
    if both || !wanted.is_empty() {
        wanted.push(CardFile::Ad);
    }
    if chosen.is_none() {
        wanted.push(CardFile::Ehplmn);
    }
    let given = |file: &CardFile| match file {
        CardFile::Ust | CardFile::Acl => false,
        CardFile::Iccid => identity.iccid.is_some(),
        CardFile::Imsi => identity.imsi.is_some(),
        CardFile::Opl | CardFile::Pnn => identity.pnn.is_some(),
        CardFile::Ad => identity.mnc_length.is_some(),
        CardFile::Spn => identity.spn.is_some(),
        CardFile::Gid1 => identity.gid1.is_some(),
        CardFile::Gid2 => identity.gid2.is_some(),
        CardFile::Ehplmn => !identity.ehplmn.is_empty(),
    };
    CardFile::ALL.into_iter().filter(|file| wanted.contains(file) && !given(file)).collect()
}

//! The card's files and its answers to commands. [ETSI TS 102 221 8, 11; 3GPP TS 31.102 4.2]
//!
//! What the files hold follows from the fields of [`Sim`]; what a host writes is kept beside them.

use crate::alphabet;
use crate::sim::{Lock, Sim};
use crate::sms::{semi_octets, service_centre};
use mbim_proto::service::basic_connect::PinType;

/// Where a file is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    /// Under the master file.
    Mf,
    /// In the USIM.
    Usim,
    /// In the ISIM.
    Isim,
    /// In the eSIM's root of profiles, which has no files.
    IsdR,
}

/// Identifiers of the applications. [3GPP TS 31.110; GSMA SGP.02 2.2.3]
const USIM: &[u8] = &[0xa0, 0, 0, 0, 0x87, 0x10, 0x02, 0xff, 0x49, 0xff, 0x05, 0x89];
const ISIM: &[u8] = &[0xa0, 0, 0, 0, 0x87, 0x10, 0x04, 0xff, 0x49, 0xff, 0x05, 0x89];
const ISD_R: &[u8] = &[0xa0, 0, 0, 0x05, 0x59, 0x10, 0x10, 0xff, 0xff, 0xff, 0xff, 0x89, 0, 0, 1, 0];
/// The start of an identifier selects too; a shorter one does not say which application.
const SHORTEST_ID: usize = 7;

/// Answer to reset: T=0 and T=15, historical characters of a card with logical channels, check byte.
pub(crate) const ATR: &[u8] =
    &[0x3b, 0x9c, 0x96, 0x80, 0x1f, 0xc7, 0x80, 0x31, 0xe0, 0x73, 0xfe, 0x21, 0x1b, 0x63, 0xe2, 0x03, 0x02, 0x91, 0xa5];

/// SW1 and SW2.
pub(crate) type Words = [u8; 2];
pub(crate) const DONE: Words = [0x90, 0];
pub(crate) const NO_CHANNEL: Words = [0x6a, 0x81];
pub(crate) const NOT_FOUND: Words = [0x6a, 0x82];
const ENDED_EARLY: Words = [0x62, 0x82];
const WRONG_LENGTH: Words = [0x67, 0];
pub(crate) const WRONG_SHAPE: Words = [0x69, 0x81];
const NOT_ALLOWED: Words = [0x69, 0x82];
const NOTHING_SELECTED: Words = [0x69, 0x86];
const NO_RECORD: Words = [0x6a, 0x83];
const WRONG_P1_P2: Words = [0x6a, 0x86];
const OUTSIDE: Words = [0x6b, 0];
const UNKNOWN_COMMAND: Words = [0x6d, 0];

/// Who may do something with a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Access {
    Always,
    Pin,
    Adm,
    Never,
}

impl Access {
    /// The code that is needed.
    pub(crate) const fn pin_type(self) -> PinType {
        match self {
            Self::Always => PinType::NONE,
            Self::Pin => PinType::PIN1,
            Self::Adm => PinType::ADM,
            Self::Never => PinType::NEV,
        }
    }
}

/// A file with contents.
#[derive(Clone, Debug)]
pub(crate) struct File {
    pub(crate) id: u16,
    /// Bytes of a record; `None`: transparent.
    pub(crate) record: Option<usize>,
    pub(crate) content: Vec<u8>,
    pub(crate) read: Access,
    pub(crate) update: Access,
}

impl File {
    /// How many records; 1 without records.
    pub(crate) fn count(&self) -> usize {
        self.record.map_or(1, |record| self.content.len() / record)
    }

    /// File control parameters. [ETSI TS 102 221 11.1.1.3]
    fn parameters(&self) -> Vec<u8> {
        let [high, low] = self.id.to_be_bytes();
        let mut inside = match self.record {
            None => vec![0x82, 2, 0x41, 0x21],
            Some(record) => vec![0x82, 5, 0x42, 0x21, 0, octet(record), octet(self.count())],
        };
        inside.extend([0x83, 2, high, low, 0x8a, 1, 5]);
        let [.., high, low] = self.content.len().to_be_bytes();
        inside.extend([0x80, 2, high, low]);
        tlv(0x62, &inside)
    }
}

/// A length that is known to be small.
fn octet(length: usize) -> u8 {
    u8::try_from(length).unwrap_or(u8::MAX)
}

fn tlv(tag: u8, value: &[u8]) -> Vec<u8> {
    let mut bytes = vec![tag, octet(value.len())];
    bytes.extend_from_slice(value);
    bytes
}

fn filled(mut bytes: Vec<u8>, length: usize) -> Vec<u8> {
    bytes.resize(length, 0xff);
    bytes
}

/// The applications of a card with an enabled profile: place, identifier, name.
pub(crate) const APPLICATIONS: [(Place, &[u8], &str); 2] = [(Place::Usim, USIM, "USIM"), (Place::Isim, ISIM, "ISIM")];

/// The application of an identifier or of its start. `card`: whether there is a profile; `esim`: whether profiles can be
/// managed.
pub(crate) fn application(id: &[u8], card: bool, esim: bool) -> Option<Place> {
    let all = APPLICATIONS.map(|(place, known, _)| (card, place, known));
    all.into_iter()
        .chain([(esim, Place::IsdR, ISD_R)])
        .find(|(there, _, known)| *there && id.len() >= SHORTEST_ID && known.starts_with(id))
        .map(|(_, place, _)| place)
}

/// What a path leads to.
#[derive(Clone, Debug)]
pub(crate) enum Node {
    /// The master file or an application.
    Directory,
    /// A file.
    File(Place, File),
}

/// File control parameters of the master file or of an application.
pub(crate) fn directory(place: Place) -> Vec<u8> {
    let mut inside = vec![0x82, 2, 0x78, 0x21];
    match place {
        Place::Mf => inside.extend([0x83, 2, 0x3f, 0]),
        Place::Usim => inside.extend(tlv(0x84, USIM)),
        Place::Isim => inside.extend(tlv(0x84, ISIM)),
        Place::IsdR => inside.extend(tlv(0x84, ISD_R)),
    }
    inside.extend([0x8a, 1, 5, 0xc6, 6, 0x90, 1, 0x80, 0x83, 1, 1]);
    tlv(0x62, &inside)
}

impl Sim {
    fn may(&self, access: Access) -> bool {
        match access {
            Access::Always => true,
            Access::Pin => self.pin1.lock() == Lock::Open,
            Access::Adm | Access::Never => false,
        }
    }

    /// Follows a path of 16-bit identifiers from the master file (3F00) or the application (7FFF); `None`: no path.
    pub(crate) fn node(&self, application: Place, path: &[u8]) -> Option<Result<Node, Words>> {
        let ids: Vec<u16> =
            path.chunks(2).map(|pair| Some(u16::from_be_bytes(pair.try_into().ok()?))).collect::<Option<_>>()?;
        let (place, rest) = match ids.as_slice() {
            [0x3f00, 0x7fff, rest @ ..] | [0x7fff, rest @ ..] => (application, rest),
            [0x3f00, rest @ ..] => (Place::Mf, rest),
            _ => return None,
        };
        Some(match rest {
            [] => Ok(Node::Directory),
            [id] => self.file(place, *id).map(|file| Node::File(place, file)).ok_or(NOT_FOUND),
            _ => Err(NOT_FOUND),
        })
    }

    /// A file as it is.
    pub(crate) fn file(&self, place: Place, id: u16) -> Option<File> {
        use Access::{Adm, Always, Never, Pin};
        let transparent = |content: Vec<u8>, read, update| File { id, record: None, content, read, update };
        let records = |all: Vec<Vec<u8>>, length: usize, read, update| {
            let content = all.into_iter().flat_map(|record| filled(record, length)).collect();
            File { id, record: Some(length), content, read, update }
        };
        let group = |group: &Vec<u8>| (!group.is_empty()).then(|| transparent(group.clone(), Pin, Adm));
        let mut file = match (place, id) {
            (Place::Mf, 0x2f00) => {
                records(APPLICATIONS.map(|(_, id, name)| template(id, name)).to_vec(), 38, Always, Adm)
            }
            (Place::Mf, 0x2f05) => transparent(b"en\xff\xff".to_vec(), Always, Pin),
            (Place::Mf, 0x2fe2) => transparent(filled(halves(self.iccid.reveal()), 10), Always, Never),
            (Place::Usim, 0x6f05) => transparent(b"en\xff\xff".to_vec(), Always, Pin),
            (Place::Usim, 0x6f07) => transparent(imsi(self.imsi.reveal()), Pin, Adm),
            (Place::Usim, 0x6f31) => transparent(vec![10], Pin, Adm),
            (Place::Usim, 0x6f38) => transparent(services(self), Pin, Adm),
            (Place::Usim, 0x6f3e) => group(&self.gid1)?,
            (Place::Usim, 0x6f3f) => group(&self.gid2)?,
            (Place::Usim, 0x6f40) => {
                let own = self.numbers.iter().map(|number| telephone_number(number.reveal()));
                records(own.chain([Vec::new(), Vec::new()]).take(self.numbers.len().max(2)).collect(), 28, Pin, Pin)
            }
            (Place::Usim, 0x6f42) => records(vec![parameters(&self.service_centre)], 42, Pin, Pin),
            (Place::Usim, 0x6f46) => transparent(provider_name(&self.home_name), Always, Adm),
            (Place::Usim, 0x6f57) if !self.allowed_apns.is_empty() => {
                transparent(access_points(&self.allowed_apns), Pin, Pin)
            }
            (Place::Usim, 0x6fc5) if !self.network_names.is_empty() => {
                records(self.network_names.iter().map(|name| network_name(name)).collect(), 40, Always, Adm)
            }
            (Place::Usim, 0x6fc6) if !self.name_of_network.is_empty() => {
                let record = |(id, name): &(String, u8)| [&plmn(id)[..], &[0, 0, 0xff, 0xfe, *name]].concat();
                records(self.name_of_network.iter().map(record).collect(), 8, Always, Adm)
            }
            (Place::Usim, 0x6fd9) if !self.equivalent_homes.is_empty() => {
                let list = self.equivalent_homes.iter().flat_map(|id| plmn(id)).collect();
                transparent(list, Pin, Adm)
            }
            (Place::Usim, 0x6f78) => {
                let class = self.imsi.reveal().bytes().last().map_or(0, |digit| digit.wrapping_sub(b'0') % 10);
                transparent((1_u16 << class).to_be_bytes().to_vec(), Pin, Adm)
            }
            (Place::Usim, 0x6f7b) => transparent(vec![0xff; 12], Pin, Pin),
            (Place::Usim, 0x6fad) => {
                transparent(vec![0, 0, 0, octet(self.home_id.len().saturating_sub(3))], Always, Adm)
            }
            (Place::Usim, 0x6fb7) => records(vec![vec![0x11, 0xf2, 0xff, 0]], 4, Always, Adm),
            (Place::Usim, 0x6fcd) => transparent(tlv(0xa3, &tlv(0x80, &plmn(&self.home_id))), Pin, Adm),
            (Place::Isim, 0x6f02) => transparent(tlv(0x80, self.private_identity().as_bytes()), Pin, Adm),
            (Place::Isim, 0x6f03) => transparent(tlv(0x80, self.domain().as_bytes()), Pin, Adm),
            (Place::Isim, 0x6f04) => {
                let public = format!("sip:{}", self.private_identity());
                records(vec![tlv(0x80, public.as_bytes())], 80, Pin, Adm)
            }
            _ => return None,
        };
        if let Some(written) = self.written.get(&(place, id)) {
            file.content.clone_from(written);
        }
        Some(file)
    }

    /// Bytes of a transparent file; `size` 0 is all of it from the offset on.
    pub(crate) fn read_binary(&self, file: &File, offset: usize, size: usize) -> (Words, Vec<u8>) {
        match file.content.get(offset..) {
            _ if !self.may(file.read) => (NOT_ALLOWED, Vec::new()),
            _ if file.record.is_some() => (WRONG_SHAPE, Vec::new()),
            None => (OUTSIDE, Vec::new()),
            Some(rest) if size == 0 => (DONE, rest.to_vec()),
            Some(rest) => rest.get(..size).map_or((ENDED_EARLY, rest.to_vec()), |bytes| (DONE, bytes.to_vec())),
        }
    }

    /// A record, counted from 1.
    pub(crate) fn read_record(&self, file: &File, number: usize) -> (Words, Vec<u8>) {
        match (file.record, number.checked_sub(1)) {
            _ if !self.may(file.read) => (NOT_ALLOWED, Vec::new()),
            (None, _) => (WRONG_SHAPE, Vec::new()),
            (Some(length), Some(at)) if number <= file.count() => {
                (DONE, file.content.get(at * length..number * length).unwrap_or_default().to_vec())
            }
            (Some(_), _) => (NO_RECORD, Vec::new()),
        }
    }

    /// Writes bytes of a transparent file.
    pub(crate) fn update_binary(&mut self, place: Place, file: &File, offset: usize, data: &[u8]) -> Words {
        if file.record.is_some() {
            return if self.may(file.update) { WRONG_SHAPE } else { NOT_ALLOWED };
        }
        self.update(place, file, offset, data)
    }

    /// Writes a record, which must be as long as the file's are.
    pub(crate) fn update_record(&mut self, place: Place, file: &File, number: usize, data: &[u8]) -> Words {
        match (file.record, number.checked_sub(1)) {
            _ if !self.may(file.update) => NOT_ALLOWED,
            (None, _) => WRONG_SHAPE,
            (Some(length), _) if data.len() != length => WRONG_LENGTH,
            (Some(length), Some(at)) if number <= file.count() => self.update(place, file, at * length, data),
            (Some(_), _) => NO_RECORD,
        }
    }

    fn update(&mut self, place: Place, file: &File, offset: usize, data: &[u8]) -> Words {
        if !self.may(file.update) {
            return NOT_ALLOWED;
        }
        let mut content = file.content.clone();
        let Some(part) = offset.checked_add(data.len()).and_then(|end| content.get_mut(offset..end)) else {
            return OUTSIDE;
        };
        part.copy_from_slice(data);
        self.written.insert((place, file.id), content);
        DONE
    }

    /// Carries a command of the card out on a channel. [ETSI TS 102 221 10.1, 11.1]
    pub(crate) fn command(&mut self, channel: &mut Channel, command: &[u8]) -> (Words, Vec<u8>) {
        let Some((instruction, p1, p2, data, expected)) = parts(command) else { return (WRONG_LENGTH, Vec::new()) };
        let bare = |words| (words, Vec::new());
        match instruction {
            0xa4 => self.select(channel, p1, p2, data),
            0xf2 => (DONE, directory(channel.place)),
            0xb0 | 0xd6 if p1 & 0x80 != 0 => bare(WRONG_P1_P2),
            0xb2 | 0xdc if p2 & 7 != 4 => bare(WRONG_P1_P2),
            0xb0 | 0xb2 | 0xd6 | 0xdc => {
                let Some((place, file)) = channel.selected.and_then(|(place, id)| Some((place, self.file(place, id)?)))
                else {
                    return bare(NOTHING_SELECTED);
                };
                let offset = usize::from(u16::from_be_bytes([p1, p2]));
                match instruction {
                    0xb0 => self.read_binary(&file, offset, expected),
                    0xb2 => self.read_record(&file, p1.into()),
                    0xd6 => bare(self.update_binary(place, &file, offset, data)),
                    _ => bare(self.update_record(place, &file, p1.into(), data)),
                }
            }
            // VERIFY without a code asks how many attempts are left.
            0x20 if data.is_empty() && p2 == 1 => match self.pin1.lock() {
                Lock::Open => bare(DONE),
                Lock::Pin => bare([0x63, 0xc0 | octet(self.pin1.attempts() as usize) & 0xf]),
                Lock::Puk | Lock::Dead => bare([0x69, 0x83]),
            },
            _ => bare(UNKNOWN_COMMAND),
        }
    }

    fn select(&self, channel: &mut Channel, p1: u8, p2: u8, data: &[u8]) -> (Words, Vec<u8>) {
        let path = match (p1, data) {
            (0 | 8 | 9, []) | (0, [0x3f, 0]) => vec![0x3f, 0],
            (0, [0x7f, 0xff]) => vec![0x7f, 0xff],
            // By identifier: a file of the directory that the channel is in.
            (0, [_, _]) if channel.place == Place::Mf => [&[0x3f, 0], data].concat(),
            (0, [_, _]) => [&[0x7f, 0xff], data].concat(),
            (8, _) if !data.starts_with(&[0x3f, 0]) && !data.starts_with(&[0x7f, 0xff]) => [&[0x3f, 0], data].concat(),
            (8, _) => data.to_vec(),
            (9, _) if channel.place == Place::Mf => [&[0x3f, 0], data].concat(),
            (9, _) => [&[0x7f, 0xff], data].concat(),
            _ => return (WRONG_P1_P2, Vec::new()),
        };
        let (selected, parameters) = match self.node(channel.place, &path) {
            None => return (WRONG_LENGTH, Vec::new()),
            Some(Err(words)) => return (words, Vec::new()),
            Some(Ok(Node::Directory)) => (None, directory(channel.place)),
            Some(Ok(Node::File(place, file))) => (Some((place, file.id)), file.parameters()),
        };
        channel.selected = selected;
        (DONE, if p2 & 0x0c == 0x0c { Vec::new() } else { parameters })
    }

    fn domain(&self) -> String {
        let (mcc, mnc) = self.home_id.split_at_checked(3).unwrap_or(("001", "01"));
        format!("ims.mnc{mnc:0>3}.mcc{mcc}.3gppnetwork.org")
    }

    fn private_identity(&self) -> String {
        format!("{}@{}", self.imsi.reveal(), self.domain())
    }
}

/// A logical channel.
#[derive(Clone, Debug)]
pub(crate) struct Channel {
    pub(crate) group: u32,
    pub(crate) place: Place,
    pub(crate) selected: Option<(Place, u16)>,
}

/// What the root of profiles answers: the eSIM's identifier, and nothing else. [GSMA SGP.22 5.7.20]
pub(crate) fn profiles(command: &[u8], eid: &str) -> (Words, Vec<u8>) {
    match parts(command) {
        None => (WRONG_LENGTH, Vec::new()),
        Some((0xe2, 0x91, 0, [0xbf, 0x3e, 3, 0x5c, 1, 0x5a], _)) => {
            let id = halves_in_order(eid);
            let inside = tlv(0x5a, &id);
            (DONE, [&[0xbf, 0x3e, octet(inside.len())], &inside[..]].concat())
        }
        Some((0xf2, ..)) => (DONE, directory(Place::IsdR)),
        Some(_) => (UNKNOWN_COMMAND, Vec::new()),
    }
}

/// Instruction, P1, P2, data and how many bytes are expected (0: all there are); `None` if the lengths disagree.
fn parts(command: &[u8]) -> Option<(u8, u8, u8, &[u8], usize)> {
    let [_, instruction, p1, p2, rest @ ..] = command else { return None };
    let (data, expected) = match rest {
        [] => (&[][..], 0),
        [expected] => (&[][..], usize::from(*expected)),
        [length, rest @ ..] => {
            let (data, end) = rest.split_at_checked(usize::from(*length))?;
            match end {
                [] => (data, 0),
                [expected] => (data, usize::from(*expected)),
                _ => return None,
            }
        }
    };
    Some((*instruction, *p1, *p2, data, expected))
}

/// Digits in pairs, the first in the low half.
fn halves(digits: &str) -> Vec<u8> {
    let digits: Vec<u8> = digits.bytes().map(|digit| digit & 0xf).collect();
    digits
        .chunks(2)
        .map(|pair| pair.get(1).copied().unwrap_or(0xf) << 4 | pair.first().copied().unwrap_or(0xf))
        .collect()
}

/// Digits in pairs, the first in the high half.
fn halves_in_order(digits: &str) -> Vec<u8> {
    halves(digits).into_iter().map(|byte| byte.rotate_left(4)).collect()
}

/// Length, then digits behind the half that says an IMSI follows and whether its length is odd. [3GPP TS 31.102 4.2.2]
fn imsi(digits: &str) -> Vec<u8> {
    let odd = if digits.len() % 2 == 1 { '9' } else { '1' };
    let bytes = halves(&format!("{odd}{digits}"));
    filled([&[octet(bytes.len())], &bytes[..]].concat(), 9)
}

/// Three octets of a network. [3GPP TS 24.008 10.5.1.13]
fn plmn(id: &str) -> Vec<u8> {
    let digit = |at: usize| id.as_bytes().get(at).map_or(0xf, |digit| digit & 0xf);
    vec![digit(1) << 4 | digit(0), digit(5) << 4 | digit(2), digit(4) << 4 | digit(3)]
}

/// Access points, each as labels with their lengths before them. [3GPP TS 31.102 4.2.48, 23.003 9.1]
fn access_points(names: &[String]) -> Vec<u8> {
    let coded = |name: &str| -> Vec<u8> {
        name.split('.').flat_map(|label| [&[octet(label.len())], label.as_bytes()].concat()).collect()
    };
    let list = names.iter().flat_map(|name| tlv(0xdd, &coded(name)));
    [octet(names.len())].into_iter().chain(list).collect()
}

/// The full name of a network in UCS2. [3GPP TS 24.008 10.5.3.5a]
fn network_name(name: &str) -> Vec<u8> {
    let text: Vec<u8> = name.encode_utf16().flat_map(u16::to_be_bytes).collect();
    tlv(0x43, &[&[0x90], &text[..]].concat())
}

/// The application's entry in EF_DIR. [ETSI TS 102 221 13.1]
fn template(id: &[u8], name: &str) -> Vec<u8> {
    tlv(0x61, &[tlv(0x4f, id), tlv(0x50, name.as_bytes())].concat())
}

/// Whether it is to be shown, then the name in 16 octets. [3GPP TS 31.102 4.2.12]
fn provider_name(name: &str) -> Vec<u8> {
    let mut codes = alphabet::encode(name).unwrap_or_default();
    codes.truncate(16);
    filled([&[1], &codes[..]].concat(), 17)
}

/// A number without a name. [3GPP TS 31.102 4.2.26]
fn telephone_number(number: &str) -> Vec<u8> {
    let Some((kind, digits)) = semi_octets(number).filter(|(_, digits)| digits.len() <= 10) else { return Vec::new() };
    let record = [&[0xff; 14][..], &[octet(digits.len() + 1), kind], &digits].concat();
    filled(record, 28)
}

/// Parameters of short messages: the service centre alone. [3GPP TS 31.102 4.2.27]
fn parameters(number: &str) -> Vec<u8> {
    let centre = service_centre(number).filter(|_| !number.is_empty());
    let there = if centre.is_some() { 0xfd } else { 0xff };
    [vec![0xff; 14], vec![there], vec![0xff; 12], filled(centre.unwrap_or_default(), 12), vec![0xff; 3]].concat()
}

/// The services that the files make up. [3GPP TS 31.102 4.2.8]
fn services(sim: &Sim) -> Vec<u8> {
    let mut table = vec![0; 12];
    let there = [
        (17, !sim.gid1.is_empty()),
        (18, !sim.gid2.is_empty()),
        (35, !sim.allowed_apns.is_empty()),
        (45, !sim.network_names.is_empty()),
        (46, !sim.name_of_network.is_empty()),
        (71, !sim.equivalent_homes.is_empty()),
    ];
    let there = there.into_iter().filter(|(_, there)| *there).map(|(service, _)| service);
    // Short message parameters, provider's name, own numbers, and the list of networks under that name.
    for service in [12, 19, 21, 51].into_iter().chain(there) {
        if let Some(octet) = table.get_mut((service - 1) / 8) {
            *octet |= 1 << ((service - 1) % 8);
        }
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_check_byte_of_the_answer_to_reset_is_right() {
        assert_eq!(ATR.iter().skip(1).fold(0, |sum, byte| sum ^ byte), 0);
        assert_eq!(usize::from(ATR[1] & 0xf) + 7, ATR.len(), "historical characters");
    }

    #[test]
    fn identities_are_coded_as_the_clauses_say() {
        assert_eq!(imsi("001010123456789"), [8, 9, 0x10, 0x10, 0x10, 0x32, 0x54, 0x76, 0x98]);
        assert_eq!(plmn("00101"), [0x00, 0xf1, 0x10]);
        assert_eq!(plmn("310410"), [0x13, 0x00, 0x14]);
        assert_eq!(halves("8949"), [0x98, 0x94]);
        let sim = Sim::default();
        let iccid = sim.file(Place::Mf, 0x2fe2).unwrap().content;
        assert_eq!((iccid.len(), iccid[9] >> 4), (10, 0xf), "19 digits");
        assert_eq!(sim.file(Place::Usim, 0x6f46).unwrap().content[..5], *b"\x01Test");
        assert_eq!(sim.file(Place::Usim, 0x6f42).unwrap().content.len(), 42);
    }
}

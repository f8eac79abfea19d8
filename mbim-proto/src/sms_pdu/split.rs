//! A text in as few messages as it takes, and back. [3GPP TS 23.040 9.2.3.24.1, 9.2.3.24.15]

use alloc::string::String;
use alloc::vec::Vec;

use super::alphabet::codes;
use super::header::{Concatenation, Element};
use super::user_data::{Content, MOST_OCTETS, MOST_SEPTETS, UserData, boundary};
use super::{Language, Scheme, Unsendable};

/// What the parts of a message have in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reference {
    /// 8 bits: every phone knows it.
    Narrow(u8),
    /// 16 bits, for one octet more in each part.
    Wide(u16),
}

/// One message of a text, to be put into a [`Submit`](super::Submit).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// How it is coded.
    pub scheme: Scheme,
    /// What it says.
    pub user_data: UserData,
}

/// How the characters of a text are coded.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Coding {
    Gsm7 { locking: Language, single: Language },
    Ucs2,
}

/// Cuts a text into messages: in the default alphabet if that has its characters, else with the tables of a language
/// among `allowed` (networks and phones must know them: few do), else in UTF-16; in whichever takes the fewest messages,
/// and of those the first. Never inside of a character.
///
/// # Errors
/// [`Unsendable::TooManyParts`].
pub fn split(text: &str, allowed: &[Language], reference: Reference) -> Result<Vec<Part>, Unsendable> {
    let default = Language::DEFAULT;
    let mut codings = Vec::from([Coding::Gsm7 { locking: default, single: default }]);
    codings.extend(allowed.iter().map(|single| Coding::Gsm7 { locking: default, single: *single }));
    codings.extend(allowed.iter().map(|one| Coding::Gsm7 { locking: *one, single: *one }));
    codings.push(Coding::Ucs2);
    let mut best: Option<(Coding, Vec<&str>)> = None;
    for coding in codings {
        let Some(pieces) = coding.cut(text, reference) else { continue };
        if best.as_ref().is_none_or(|(_, fewest)| pieces.len() < fewest.len()) {
            best = Some((coding, pieces));
        }
    }
    let Some((coding, pieces)) = best else { return Ok(Vec::new()) };
    let total = u8::try_from(pieces.len()).map_err(|_| Unsendable::TooManyParts { parts: pieces.len() })?;
    let part = |(piece, part): (&str, u8)| {
        let mut header = coding.header();
        if total > 1 {
            header.push(reference.element(total, part));
        }
        Part { scheme: coding.scheme(), user_data: UserData { header, content: Content::Text(piece.into()) } }
    };
    Ok(pieces.into_iter().zip(1..=u8::MAX).map(part).collect())
}

/// Puts the parts of one message together, in whatever order they came. `None` while one is missing, or when they are of
/// different messages or kinds. Which parts belong together beside their reference (sender, coding) is the caller's to know.
pub fn join<'a>(parts: impl IntoIterator<Item = &'a UserData>) -> Option<Content> {
    let mut parts: Vec<(Concatenation, &Content)> =
        parts.into_iter().map(|one| Some((one.concatenation()?, &one.content))).collect::<Option<_>>()?;
    parts.sort_by_key(|(of, _)| of.part);
    // One that came twice counts once.
    parts.dedup_by_key(|(of, _)| of.part);
    let (first, content) = parts.first().copied()?;
    let alike = |of: &Concatenation| (of.reference, of.wide, of.total) == (first.reference, first.wide, first.total);
    if parts.len() != usize::from(first.total) || !parts.iter().all(|(of, _)| alike(of)) {
        return None;
    }
    match content {
        Content::Text(_) => {
            let texts = parts.iter().map(|(_, content)| match content {
                Content::Text(text) => Some(text.as_str()),
                Content::Octets(_) => None,
            });
            texts.collect::<Option<String>>().map(Content::Text)
        }
        Content::Octets(_) => {
            let mut all = Vec::new();
            for (_, content) in &parts {
                let Content::Octets(octets) = content else { return None };
                all.extend_from_slice(octets);
            }
            Some(Content::Octets(all))
        }
    }
}

impl Reference {
    fn element(self, total: u8, part: u8) -> Element {
        let (reference, wide) = match self {
            Self::Narrow(number) => (number.into(), false),
            Self::Wide(number) => (number, true),
        };
        Concatenation { reference, wide, total, part }.into()
    }
}

impl Coding {
    const fn scheme(self) -> Scheme {
        match self {
            Self::Gsm7 { .. } => Scheme::GSM7,
            Self::Ucs2 => Scheme::UCS2,
        }
    }

    /// The elements that name the tables.
    fn header(self) -> Vec<Element> {
        let Self::Gsm7 { locking, single } = self else { return Vec::new() };
        let mut all = Vec::new();
        if locking != Language::DEFAULT {
            all.push(Element::locking_shift(locking));
        }
        if single != Language::DEFAULT {
            all.push(Element::single_shift(single));
        }
        all
    }

    /// What a character takes: septets or octets.
    fn size(self, character: char) -> Option<usize> {
        match self {
            Self::Gsm7 { locking, single } => {
                codes(character, locking, single).map(|(escape, _)| 1 + usize::from(escape.is_some()))
            }
            Self::Ucs2 => Some(character.len_utf16() * 2),
        }
    }

    /// What is left for characters behind a header.
    fn room(self, header: &[Element]) -> usize {
        let elements: usize = header.iter().map(|element| 2 + element.data.len()).sum();
        let octets = if elements == 0 { 0 } else { 1 + elements };
        match self {
            Self::Gsm7 { .. } => MOST_SEPTETS.saturating_sub(boundary(octets).1),
            Self::Ucs2 => MOST_OCTETS.saturating_sub(octets),
        }
    }

    /// The text in pieces that fit; `None` if it has a character that this coding has not.
    fn cut(self, text: &str, reference: Reference) -> Option<Vec<&str>> {
        let total: Option<usize> = text.chars().map(|character| self.size(character)).sum();
        let mut header = self.header();
        if total? <= self.room(&header) {
            return Some([text].into());
        }
        header.push(reference.element(1, 1));
        let room = self.room(&header);
        let (mut pieces, mut start, mut used) = (Vec::new(), 0, 0);
        for (at, character) in text.char_indices() {
            let size = self.size(character)?;
            if used + size > room {
                pieces.extend(text.get(start..at));
                (start, used) = (at, 0);
            }
            used += size;
        }
        pieces.extend(text.get(start..));
        Some(pieces)
    }
}

//! The rule table: one declaration an element, in the project's own words. [PROV 3–9]
//!
//! Words: `one` must occur once, `opt` may occur once, `many(min, max, …)` so often; `any_of` is a
//! choice. A list of children is a list in order.

mod carrier;
mod extensions;
mod plans;
mod signature;
mod wlan;
mod wwan;

pub(crate) use carrier::CARRIER_PROVISIONING as ROOT;

use super::lexical::Lexical;
use super::{Alternative, Attribute, Content, Element, Foreign, Ns, Particle, Term};

/// As often as one likes.
pub(crate) const NO_LIMIT: u32 = u32::MAX;
const ANY_LENGTH: usize = usize::MAX;

const NAME: Lexical = Lexical::Token { min: 1, max: 255 };
const TOKEN: Lexical = Lexical::Token { min: 0, max: ANY_LENGTH };
const STRING: Lexical = Lexical::Text { min: 0, max: ANY_LENGTH };
/// At most what MBIM carries, for all passwords of connection profiles. [PROV A9]
const PASSWORD: Lexical = Lexical::Text { min: 0, max: 255 };
const PRIORITY: Lexical = Lexical::Integer { min: 0, max: 9 };
/// Megabytes and kilobits: 32 bits. [PROV 2, Uint32MB]
const UINT32: u64 = 0xffff_ffff;

const fn one(element: &'static Element) -> Particle {
    many(1, 1, element)
}

const fn opt(element: &'static Element) -> Particle {
    many(0, 1, element)
}

const fn many(min: u32, max: u32, element: &'static Element) -> Particle {
    Particle { min, max, term: Term::Element(element) }
}

const fn one_of(alternatives: &'static [Alternative]) -> Particle {
    Particle { min: 1, max: 1, term: Term::Choice(alternatives) }
}

const fn way(particles: &'static [Particle]) -> Alternative {
    Alternative { prose: false, particles }
}

/// Elements of other namespaces, unknown ones refused.
const fn strict(not: Ns, known: &'static [(&'static Element, u32)]) -> Particle {
    foreign(not, false, known)
}

/// Elements of other namespaces, unknown ones ignored.
const fn lax(not: Ns, known: &'static [(&'static Element, u32)]) -> Particle {
    foreign(not, true, known)
}

const fn foreign(not: Ns, lax: bool, known: &'static [(&'static Element, u32)]) -> Particle {
    Particle { min: 0, max: NO_LIMIT, term: Term::Foreign(Foreign { not, lax, known }) }
}

const fn element(ns: Ns, name: &'static str, content: Content) -> Element {
    Element { ns, also: None, name, prose: None, attributes: &[], content }
}

const fn text(ns: Ns, name: &'static str, value: Lexical) -> Element {
    element(ns, name, Content::Text(value))
}

const fn must(name: &'static str, value: Lexical) -> Attribute {
    Attribute { name, required: true, value }
}

const fn may(name: &'static str, value: Lexical) -> Attribute {
    Attribute { name, required: false, value }
}

impl Element {
    const fn with(mut self, attributes: &'static [Attribute]) -> Self {
        self.attributes = attributes;
        self
    }

    const fn or_in(mut self, ns: Ns) -> Self {
        self.also = Some(ns);
        self
    }

    const fn or_spelled(mut self, prose: &'static str) -> Self {
        self.prose = Some(prose);
        self
    }
}

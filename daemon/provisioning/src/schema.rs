//! What a document may look like: a declared table of elements and the words for it. [PROV 3–9]
//!
//! The table ([`table`]) is data, the walker ([`mod@walk`]) the only code that reads it, the values
//! are checked by [`lexical`], and what no table can say stands in [`rules`].

#[cfg(feature = "generate")]
pub mod generate;
pub(crate) mod lexical;
mod rules;
pub(crate) mod table;
mod walk;
mod xsd;

use core::fmt;

use lexical::Lexical;
use serde::Serialize;

use crate::xml::Node;

pub(crate) use walk::walk;
pub use xsd::{XsdFile, unsaid, xsd};

/// Namespaces that the schema knows. [PROV 1]
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Ns {
    Cc,
    Cc2,
    Wwan,
    Wlan,
    Wlan2,
    Plans,
    Base,
    Hotspot,
    Signature,
    OneX,
    EapHost,
    EapCommon,
    EapUser,
}

/// Namespace URIs, the one to write first. The second of `Wlan2` is an alias. [PROV A20]
const NAMESPACES: &[(Ns, &str)] = &[
    (Ns::Cc, "http://www.microsoft.com/networking/CarrierControl/v1"),
    (Ns::Cc2, "http://www.microsoft.com/networking/CarrierControl/v2"),
    (Ns::Wwan, "http://www.microsoft.com/networking/CarrierControl/WWAN/v1"),
    (Ns::Wlan, "http://www.microsoft.com/networking/CarrierControl/WLAN/v1"),
    (Ns::Wlan2, "http://www.microsoft.com/networking/CarrierControl/WLAN/v2"),
    (Ns::Wlan2, "http://www.microsoft.com/networking/WLAN/profile/v2"),
    (Ns::Plans, "http://www.microsoft.com/networking/CarrierControl/Plans/v1"),
    (Ns::Base, "http://www.microsoft.com/networking/CarrierControl/Base/v1"),
    (Ns::Hotspot, "http://www.microsoft.com/networking/WLAN/HotspotProfile/v1"),
    (Ns::Signature, "http://www.w3.org/2000/09/xmldsig#"),
    (Ns::OneX, "http://www.microsoft.com/networking/OneX/v1"),
    (Ns::EapHost, "http://www.microsoft.com/provisioning/EapHostConfig"),
    (Ns::EapCommon, "http://www.microsoft.com/provisioning/EapCommon"),
    (Ns::EapUser, "http://www.microsoft.com/provisioning/EapHostUserCredentials"),
];

impl Ns {
    /// The namespace of that name, if the schema knows it.
    pub(crate) fn named(uri: &str) -> Option<Self> {
        NAMESPACES.iter().find_map(|(ns, known)| (*known == uri).then_some(*ns))
    }

    /// The prefix that the generated schemas write, and the name of their files.
    pub(crate) const fn prefix(self) -> &'static str {
        match self {
            Self::Cc => "cc",
            Self::Cc2 => "cc2",
            Self::Wwan => "wwan",
            Self::Wlan => "wlan",
            Self::Wlan2 => "wlan2",
            Self::Plans => "plans",
            Self::Base => "base",
            Self::Hotspot => "hs",
            Self::Signature => "ds",
            Self::OneX => "onex",
            Self::EapHost => "ehc",
            Self::EapCommon => "eapcommon",
            Self::EapUser => "ehuc",
        }
    }

    /// The URI to write.
    pub(crate) fn uri(self) -> &'static str {
        NAMESPACES.iter().find_map(|(ns, uri)| (*ns == self).then_some(*uri)).unwrap_or_default()
    }
}

/// One element of the schema.
pub(crate) struct Element {
    pub(crate) ns: Ns,
    /// A second namespace in which it is accepted. [PROV A19, A47]
    pub(crate) also: Option<Ns>,
    pub(crate) name: &'static str,
    /// A spelling of the published prose that is accepted with a warning. [PROV A23, A24]
    pub(crate) prose: Option<&'static str>,
    pub(crate) attributes: &'static [Attribute],
    pub(crate) content: Content,
}

impl Element {
    /// Whether this declaration is about that element.
    pub(crate) fn is(&self, node: Node<'_>) -> bool {
        node.ns().is_some_and(|ns| ns == self.ns || Some(ns) == self.also) && {
            let name = node.name();
            name == self.name || Some(name) == self.prose
        }
    }
}

/// One attribute; attributes have no namespace. [PROV 1]
pub(crate) struct Attribute {
    pub(crate) name: &'static str,
    pub(crate) required: bool,
    pub(crate) value: Lexical,
}

/// What stands between the tags.
pub(crate) enum Content {
    Empty,
    Text(Lexical),
    Children(&'static [Particle]),
    /// Each at most once, in any order.
    Unordered(&'static [&'static Element]),
    /// Text and elements.
    Mixed(&'static [Particle]),
    /// Not looked at.
    Anything,
}

/// A term and how often it may occur.
pub(crate) struct Particle {
    pub(crate) min: u32,
    pub(crate) max: u32,
    pub(crate) term: Term,
}

/// A member of a sequence.
pub(crate) enum Term {
    Element(&'static Element),
    Choice(&'static [Alternative]),
    Foreign(Foreign),
}

/// One way to satisfy a choice.
pub(crate) struct Alternative {
    /// Outside the schema, accepted with a warning. [PROV A22]
    pub(crate) prose: bool,
    pub(crate) particles: &'static [Particle],
}

/// Any element of another namespace than `not`.
pub(crate) struct Foreign {
    pub(crate) not: Ns,
    /// Unknown elements are ignored instead of refused.
    pub(crate) lax: bool,
    /// Elements that are known here and how often each may occur.
    pub(crate) known: &'static [(&'static Element, u32)],
}

impl Particle {
    /// Whether an occurrence can begin with that element.
    pub(crate) fn accepts(&self, node: Node<'_>) -> bool {
        match &self.term {
            Term::Element(element) => element.is(node),
            Term::Choice(alternatives) => alternatives.iter().any(|a| a.starts_with(node)),
            Term::Foreign(foreign) => foreign.accepts(node),
        }
    }

    /// The elements that it names, in their order.
    pub(crate) fn named(&self) -> Vec<&'static Element> {
        match &self.term {
            Term::Element(element) => vec![element],
            Term::Choice(alternatives) => {
                alternatives.iter().filter(|a| !a.prose).flat_map(|a| a.particles).flat_map(Self::named).collect()
            }
            Term::Foreign(foreign) => foreign.known.iter().map(|(e, _)| *e).collect(),
        }
    }

    /// The declarations that could be meant by that element, also behind the first of a choice.
    pub(crate) fn mentions(&self, node: Node<'_>) -> Option<&'static Element> {
        match &self.term {
            Term::Element(element) => element.is(node).then_some(*element),
            Term::Choice(alternatives) => alternatives.iter().flat_map(|a| a.particles).find_map(|p| p.mentions(node)),
            Term::Foreign(_) => None,
        }
    }
}

impl Alternative {
    pub(crate) fn starts_with(&self, node: Node<'_>) -> bool {
        for particle in self.particles {
            if particle.accepts(node) {
                return true;
            }
            if particle.min > 0 {
                return false;
            }
        }
        false
    }
}

impl Foreign {
    /// `##other` of XML Schema: some namespace, and not that one.
    fn accepts(&self, node: Node<'_>) -> bool {
        node.has_namespace() && node.ns() != Some(self.not)
    }
}

/// One departure from the schema. Never holds a value of the document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Violation {
    /// From 1.
    pub line: u32,
    /// From 1, in characters.
    pub column: u32,
    /// Element path from the root; a repeated element has its number, an attribute an `@`. A
    /// document that is not well-formed has `/`.
    pub path: String,
    /// What is wrong and what would be right.
    pub rule: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}: {}", self.line, self.column, self.path, self.rule)
    }
}

/// The first child of that name.
pub(crate) fn at<'t>(parent: Node<'t>, ns: Ns, name: &str) -> Option<Node<'t>> {
    parent.children().find(|child| child.ns() == Some(ns) && child.name() == name)
}

/// The children of that name.
pub(crate) fn children<'t>(parent: Node<'t>, ns: Ns, name: &'static str) -> impl Iterator<Item = Node<'t>> {
    parent.children().filter(move |child| child.ns() == Some(ns) && child.name() == name)
}

/// All text and CDATA of an element, whatever comments stand between. [PROV 2]
pub(crate) fn text(node: Node<'_>) -> String {
    node.text().into_owned()
}

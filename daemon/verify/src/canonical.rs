//! Canonical XML 1.0 and Exclusive XML Canonicalization 1.0, of a whole document without one element, or of one element
//! in its place. [PROV 9.2]

use std::borrow::Cow;
use std::collections::BTreeSet;

use daemon_provisioning::{Item, Node, Tree};

const XML: &str = "http://www.w3.org/XML/1998/namespace";

/// A canonicalisation method. [PROV 9.1]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// `http://www.w3.org/TR/2001/REC-xml-c14n-20010315`
    Inclusive,
    /// The same with comments.
    InclusiveWithComments,
    /// `http://www.w3.org/2001/10/xml-exc-c14n#`
    Exclusive,
    /// The same with comments.
    ExclusiveWithComments,
}

impl Method {
    /// All of them.
    pub const ALL: [Self; 4] =
        [Self::Inclusive, Self::InclusiveWithComments, Self::Exclusive, Self::ExclusiveWithComments];

    /// The identifier in documents.
    #[must_use]
    pub const fn uri(self) -> &'static str {
        match self {
            Self::Inclusive => "http://www.w3.org/TR/2001/REC-xml-c14n-20010315",
            Self::InclusiveWithComments => "http://www.w3.org/TR/2001/REC-xml-c14n-20010315#WithComments",
            Self::Exclusive => "http://www.w3.org/2001/10/xml-exc-c14n#",
            Self::ExclusiveWithComments => "http://www.w3.org/2001/10/xml-exc-c14n#WithComments",
        }
    }

    /// The method of an identifier.
    #[must_use]
    pub fn of(uri: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|method| method.uri() == uri)
    }

    const fn with_comments(self) -> bool {
        matches!(self, Self::InclusiveWithComments | Self::ExclusiveWithComments)
    }

    const fn is_exclusive(self) -> bool {
        matches!(self, Self::Exclusive | Self::ExclusiveWithComments)
    }
}

/// Where canonical form goes.
pub(crate) trait Sink {
    /// Takes the next piece.
    fn push(&mut self, text: &str);
}

impl Sink for String {
    fn push(&mut self, text: &str) {
        self.push_str(text);
    }
}

/// A text that may be so long; of a longer one nothing is kept.
pub(crate) struct Bounded {
    text: String,
    room: Option<usize>,
}

impl Bounded {
    pub(crate) fn new(expected: usize, most: usize) -> Self {
        Self { text: String::with_capacity(expected.min(most)), room: Some(most) }
    }

    /// All of it, unless that was too much.
    pub(crate) fn finish(self) -> Option<String> {
        self.room.map(|_| self.text)
    }
}

impl Sink for Bounded {
    fn push(&mut self, text: &str) {
        self.room = self.room.and_then(|room| room.checked_sub(text.len()));
        if self.room.is_some() {
            self.text.push_str(text);
        }
    }
}

/// The whole document but `without`: what an enveloped signature's reference digests. [PROV 9.2, 1 to 3]
pub(crate) fn document<S: Sink>(tree: &Tree<'_>, without: Option<Node<'_>>, out: &mut S) {
    let mut writer = Writer { method: Method::Inclusive, without, out };
    let mut after = false;
    for item in tree.items() {
        match item {
            Item::Element(root) => {
                writer.element(root, None);
                after = true;
            }
            Item::Instruction { target, value } => {
                if after {
                    writer.out.push("\n");
                }
                writer.instruction(target, &value);
                if !after {
                    writer.out.push("\n");
                }
            }
            Item::Text(_) | Item::Comment(_) => {}
        }
    }
}

/// One element in the context of its document. [PROV 9.2, 4]
pub(crate) fn element(node: Node<'_>, method: Method) -> String {
    let mut out = String::new();
    Writer { method, without: None, out: &mut out }.element(node, None);
    out
}

/// Namespaces that the output has declared at some place, in the order of their prefixes; the default one has an empty
/// prefix, and an empty name where it is taken back.
type Declared<'a> = Vec<(&'a str, Cow<'a, str>)>;

/// An attribute as it is sorted and written.
struct Written<'a> {
    namespace: Cow<'a, str>,
    local: &'a str,
    name: &'a str,
    value: Cow<'a, str>,
}

struct Writer<'a, 'o, S> {
    method: Method,
    without: Option<Node<'a>>,
    out: &'o mut S,
}

impl<'a, S: Sink> Writer<'a, '_, S> {
    /// Depth is bounded by the limits under which the tree was made. `above`: what the output declares around it; nothing
    /// for the element that the output begins with.
    fn element(&mut self, node: Node<'a>, above: Option<&Declared<'a>>) {
        let name = node.written();
        self.out.push("<");
        self.out.push(name);

        let mut attributes: Vec<Written<'a>> = Vec::new();
        for attribute in node.attributes() {
            attributes.push(Written {
                namespace: attribute.namespace().unwrap_or_default(),
                local: attribute.name(),
                name: attribute.written(),
                value: attribute.value(),
            });
        }
        if above.is_none() && !self.method.is_exclusive() {
            inherit(node, &mut attributes);
        }
        attributes.sort_unstable_by(|one, other| (&one.namespace, one.local).cmp(&(&other.namespace, other.local)));

        let declared = if self.method.is_exclusive() {
            let mut used: BTreeSet<&str> = attributes.iter().filter_map(|attribute| prefix(attribute.name)).collect();
            used.insert(prefix(name).unwrap_or_default());
            used.remove("xml");
            let wanted = used.into_iter().map(|prefix| (prefix, node.namespace_of(prefix).unwrap_or_default()));
            self.declare(wanted, above)
        } else if above.is_some() && !node.declares() {
            None
        } else {
            let mut wanted: Declared<'_> = node.namespaces().filter(|(prefix, _)| *prefix != "xml").collect();
            if !wanted.iter().any(|(prefix, _)| prefix.is_empty()) {
                wanted.push(("", Cow::Borrowed("")));
            }
            wanted.sort_unstable();
            self.declare(wanted.into_iter(), above)
        };

        for Written { name, value, .. } in attributes {
            self.out.push(" ");
            self.out.push(name);
            self.out.push("=\"");
            self.value(&value);
            self.out.push("\"");
        }
        self.out.push(">");
        let nothing = Declared::new();
        let above = declared.as_ref().or(above).unwrap_or(&nothing);
        for item in node.items() {
            match item {
                Item::Element(child) if Some(child) == self.without => {}
                Item::Element(child) => self.element(child, Some(above)),
                Item::Text(text) => self.text(&text),
                Item::Instruction { target, value } => self.instruction(target, &value),
                Item::Comment(text) if self.method.with_comments() => {
                    self.out.push("<!--");
                    self.out.push(&text);
                    self.out.push("-->");
                }
                Item::Comment(_) => {}
            }
        }
        self.out.push("</");
        self.out.push(name);
        self.out.push(">");
    }

    /// Writes the declarations that differ from those above; what holds then, where that is something new. `wanted` in
    /// the order of prefixes.
    fn declare(
        &mut self,
        wanted: impl Iterator<Item = (&'a str, Cow<'a, str>)>,
        above: Option<&Declared<'a>>,
    ) -> Option<Declared<'a>> {
        let mut now: Option<Declared<'a>> = None;
        for (prefix, uri) in wanted {
            let known = now.as_ref().or(above);
            let place = known.map_or(Err(0), |known| known.binary_search_by_key(&prefix, |(prefix, _)| prefix));
            let holds = place.ok().and_then(|at| known?.get(at)).map_or("", |(_, uri)| &**uri);
            // Only the default namespace may be taken back, and where it never was there is nothing to take back.
            if holds == uri {
                continue;
            }
            let mut changed = known.cloned().unwrap_or_default();
            match place {
                Ok(at) => {
                    if let Some(slot) = changed.get_mut(at) {
                        slot.1 = uri.clone();
                    }
                }
                Err(at) => changed.insert(at, (prefix, uri.clone())),
            }
            now = Some(changed);
            self.out.push(" xmlns");
            if !prefix.is_empty() {
                self.out.push(":");
                self.out.push(prefix);
            }
            self.out.push("=\"");
            self.value(&uri);
            self.out.push("\"");
        }
        now
    }

    fn text(&mut self, text: &str) {
        self.escaped(text, |octet| matches!(octet, b'&' | b'<' | b'>' | b'\r'));
    }

    fn value(&mut self, value: &str) {
        self.escaped(value, |octet| matches!(octet, b'&' | b'<' | b'"' | b'\t' | b'\n' | b'\r'));
    }

    /// Text with references in the places of those characters, which are of ASCII.
    fn escaped(&mut self, text: &str, which: fn(u8) -> bool) {
        let mut rest = text;
        while let Some(at) = rest.bytes().position(which) {
            let (before, behind) = rest.split_at_checked(at).unwrap_or((rest, ""));
            self.out.push(before);
            self.out.push(match behind.as_bytes().first() {
                Some(b'&') => "&amp;",
                Some(b'<') => "&lt;",
                Some(b'>') => "&gt;",
                Some(b'"') => "&quot;",
                Some(b'\t') => "&#x9;",
                Some(b'\n') => "&#xA;",
                _ => "&#xD;",
            });
            rest = behind.get(1..).unwrap_or_default();
        }
        self.out.push(rest);
    }

    fn instruction(&mut self, target: &str, value: &str) {
        self.out.push("<?");
        self.out.push(target);
        if !value.is_empty() {
            self.out.push(" ");
            self.out.push(value);
        }
        self.out.push("?>");
    }
}

fn prefix(name: &str) -> Option<&str> {
    name.split_once(':').map(|(prefix, _)| prefix)
}

/// `xml:` attributes of the ancestors, nearest first: inclusive form of a part of a document carries them on.
fn inherit<'a>(node: Node<'a>, attributes: &mut Vec<Written<'a>>) {
    for ancestor in node.ancestors().skip(1) {
        for attribute in ancestor.attributes().filter(|attribute| attribute.namespace().is_some_and(|of| of == XML)) {
            if !attributes.iter().any(|known| known.namespace == XML && known.local == attribute.name()) {
                attributes.push(Written {
                    namespace: Cow::Borrowed(XML),
                    local: attribute.name(),
                    name: attribute.written(),
                    value: attribute.value(),
                });
            }
        }
    }
}

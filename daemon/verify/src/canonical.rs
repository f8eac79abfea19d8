//! Canonical XML 1.0 and Exclusive XML Canonicalization 1.0, of a whole document without one element, or of one element
//! in its place. [PROV 9.2]
//!
//! The tree keeps names without their prefixes, which canonical form needs as they were written: they are read from the
//! text, at the places that the tree names. Values come from the tree, so that they are what everybody else reads.

use std::collections::BTreeSet;

use roxmltree::{Document, Node, NodeId};

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

/// The whole document but `without`: what an enveloped signature's reference digests. [PROV 9.2, 1 to 3]
pub(crate) fn document(tree: &Document<'_>, without: Option<NodeId>) -> Vec<u8> {
    let mut writer = Writer::new(tree, Method::Inclusive, without);
    let root = tree.root_element();
    let mut after = false;
    for node in tree.root().children() {
        if node == root {
            writer.element(root, None);
            after = true;
        } else if node.is_pi() {
            if after {
                writer.out.push('\n');
            }
            writer.instruction(node);
            if !after {
                writer.out.push('\n');
            }
        }
    }
    writer.out.into_bytes()
}

/// One element in the context of its document. [PROV 9.2, 4]
pub(crate) fn element(tree: &Document<'_>, node: Node<'_, '_>, method: Method) -> Vec<u8> {
    let mut writer = Writer::new(tree, method, None);
    writer.element(node, None);
    writer.out.into_bytes()
}

/// Namespaces that the output has declared at some place, in the order of their prefixes; the default one has an empty
/// prefix, and an empty name where it is taken back.
type Declared<'a> = Vec<(&'a str, &'a str)>;

struct Writer<'a> {
    text: &'a str,
    method: Method,
    without: Option<NodeId>,
    out: String,
}

impl<'a> Writer<'a> {
    fn new(tree: &'a Document<'_>, method: Method, without: Option<NodeId>) -> Self {
        let text = tree.input_text();
        Self { text, method, without, out: String::with_capacity(text.len()) }
    }

    /// A name as it stands in the text.
    fn name(&self, node: Node<'_, '_>) -> &'a str {
        let start = node.range().start.saturating_add(1);
        let rest = self.text.get(start..).unwrap_or_default();
        let end = rest.find(|c: char| c.is_ascii_whitespace() || matches!(c, '/' | '>')).unwrap_or(rest.len());
        rest.get(..end).unwrap_or_default()
    }

    /// Depth is bounded by the limits under which the tree was made. `above`: what the output declares around it; nothing
    /// for the element that the output begins with.
    fn element(&mut self, node: Node<'a, '_>, above: Option<&Declared<'a>>) {
        let name = self.name(node);
        self.out.push('<');
        self.out.push_str(name);

        let mut attributes: Vec<(&str, &str, &'a str, &str)> = Vec::new();
        for attribute in node.attributes() {
            let written = self.text.get(attribute.range_qname()).unwrap_or_default();
            attributes.push((attribute.namespace().unwrap_or_default(), attribute.name(), written, attribute.value()));
        }
        if above.is_none() && !self.method.is_exclusive() {
            inherit(node, &mut attributes);
        }
        attributes.sort_unstable_by_key(|(namespace, local, ..)| (*namespace, *local));

        let declared = if self.method.is_exclusive() {
            let mut used: BTreeSet<&str> = attributes.iter().filter_map(|(_, _, name, _)| prefix(name)).collect();
            used.insert(prefix(name).unwrap_or_default());
            used.remove("xml");
            let wanted = used.into_iter().map(|prefix| (prefix, namespace(node, prefix)));
            self.declare(wanted, above)
        } else if above.is_some() && same_namespaces(node) {
            None
        } else {
            let mut wanted: Declared<'_> = node
                .namespaces()
                .map(|namespace| (namespace.name().unwrap_or_default(), namespace.uri()))
                .filter(|(prefix, _)| *prefix != "xml")
                .collect();
            if !wanted.iter().any(|(prefix, _)| prefix.is_empty()) {
                wanted.push(("", ""));
            }
            wanted.sort_unstable();
            self.declare(wanted.into_iter(), above)
        };

        for (_, _, name, value) in attributes {
            self.out.push(' ');
            self.out.push_str(name);
            self.out.push_str("=\"");
            self.value(value);
            self.out.push('"');
        }
        self.out.push('>');
        let nothing = Declared::new();
        let above = declared.as_ref().or(above).unwrap_or(&nothing);
        for child in node.children() {
            if Some(child.id()) == self.without {
                continue;
            }
            if child.is_element() {
                self.element(child, Some(above));
            } else if child.is_text() {
                self.text(child.text().unwrap_or_default());
            } else if child.is_pi() {
                self.instruction(child);
            } else if child.is_comment() && self.method.with_comments() {
                self.out.push_str("<!--");
                lines(&mut self.out, child.text().unwrap_or_default());
                self.out.push_str("-->");
            }
        }
        self.out.push_str("</");
        self.out.push_str(name);
        self.out.push('>');
    }

    /// Writes the declarations that differ from those above; what holds then, where that is something new. `wanted` in
    /// the order of prefixes.
    fn declare(
        &mut self,
        wanted: impl Iterator<Item = (&'a str, &'a str)>,
        above: Option<&Declared<'a>>,
    ) -> Option<Declared<'a>> {
        let mut now: Option<Declared<'a>> = None;
        for (prefix, uri) in wanted {
            let known = now.as_ref().or(above);
            let place = known.map_or(Err(0), |known| known.binary_search_by_key(&prefix, |(prefix, _)| prefix));
            let holds = place.ok().and_then(|at| known?.get(at)).map_or("", |(_, uri)| uri);
            // Only the default namespace may be taken back, and where it never was there is nothing to take back.
            if holds == uri {
                continue;
            }
            let mut changed = known.cloned().unwrap_or_default();
            match place {
                Ok(at) => {
                    if let Some(slot) = changed.get_mut(at) {
                        slot.1 = uri;
                    }
                }
                Err(at) => changed.insert(at, (prefix, uri)),
            }
            now = Some(changed);
            self.out.push_str(" xmlns");
            if !prefix.is_empty() {
                self.out.push(':');
                self.out.push_str(prefix);
            }
            self.out.push_str("=\"");
            self.value(uri);
            self.out.push('"');
        }
        now
    }

    fn text(&mut self, text: &str) {
        for c in text.chars() {
            match c {
                '&' => self.out.push_str("&amp;"),
                '<' => self.out.push_str("&lt;"),
                '>' => self.out.push_str("&gt;"),
                '\r' => self.out.push_str("&#xD;"),
                c => self.out.push(c),
            }
        }
    }

    fn value(&mut self, value: &str) {
        for c in value.chars() {
            match c {
                '&' => self.out.push_str("&amp;"),
                '<' => self.out.push_str("&lt;"),
                '"' => self.out.push_str("&quot;"),
                '\t' => self.out.push_str("&#x9;"),
                '\n' => self.out.push_str("&#xA;"),
                '\r' => self.out.push_str("&#xD;"),
                c => self.out.push(c),
            }
        }
    }

    fn instruction(&mut self, node: Node<'_, '_>) {
        let Some(instruction) = node.pi() else { return };
        self.out.push_str("<?");
        self.out.push_str(instruction.target);
        if let Some(value) = instruction.value.filter(|value| !value.is_empty()) {
            self.out.push(' ');
            lines(&mut self.out, value);
        }
        self.out.push_str("?>");
    }
}

/// Text of the source with the line ends that XML gives it; the tree has done that for values only.
fn lines(out: &mut String, text: &str) {
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        if c != '\r' {
            out.push(c);
        } else if chars.peek() != Some(&'\n') {
            out.push('\n');
        }
    }
}

fn prefix(name: &str) -> Option<&str> {
    name.split_once(':').map(|(prefix, _)| prefix)
}

fn namespace<'a>(node: Node<'a, '_>, prefix: &str) -> &'a str {
    let prefix = if prefix.is_empty() { None } else { Some(prefix) };
    node.lookup_namespace_uri(prefix).unwrap_or_default()
}

/// Whether an element declares nothing that its parent has not: by far the most do so.
fn same_namespaces(node: Node<'_, '_>) -> bool {
    let Some(parent) = node.parent_element() else { return false };
    let (own, above) = (node.namespaces(), parent.namespaces());
    own.len() == above.len() && own.zip(above).all(|(own, above)| std::ptr::eq(own, above))
}

/// `xml:` attributes of the ancestors, nearest first: inclusive form of a part of a document carries them on.
fn inherit<'a>(node: Node<'a, '_>, attributes: &mut Vec<(&'a str, &'a str, &'a str, &'a str)>) {
    for ancestor in node.ancestors().skip(1) {
        for attribute in ancestor.attributes().filter(|attribute| attribute.namespace() == Some(XML)) {
            if attributes.iter().any(|(namespace, local, ..)| *namespace == XML && *local == attribute.name()) {
                continue;
            }
            // The prefix of this namespace is always the same.
            let written = attribute.range_qname();
            let text = node.document().input_text();
            attributes.push((XML, attribute.name(), text.get(written).unwrap_or_default(), attribute.value()));
        }
    }
}

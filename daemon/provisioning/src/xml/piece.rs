//! One element as a text of its own: the octets of the document, with the namespace declarations
//! that it inherits written into its start tag. Where it stands is noted while the tree is there,
//! the text is copied when the tree is gone: the two need not be in memory at once.

use core::fmt::Write as _;
use core::ops::Range;

use roxmltree::Node;

/// Where an element stands, and what it inherits.
#[derive(Debug, Clone)]
pub(crate) struct Piece {
    at: Range<usize>,
    inherited: Vec<(Option<String>, String)>,
}

impl Piece {
    /// Notes an element.
    pub(crate) fn of(node: Node<'_, '_>) -> Self {
        let scope = node.parent_element().into_iter().flat_map(|parent| parent.namespaces());
        let declared = scope.filter(|ns| ns.name() != Some("xml") && !ns.uri().is_empty());
        let inherited = declared.map(|ns| (ns.name().map(str::to_owned), ns.uri().to_owned())).collect();
        Self { at: node.range(), inherited }
    }

    /// Copies it out of the document that it was noted in.
    pub(crate) fn text(&self, document: &str) -> String {
        let element = document.get(self.at.clone()).unwrap_or_default();
        let name = element.find([' ', '\t', '\r', '\n', '/', '>']).unwrap_or(element.len());
        let (head, rest) = element.split_at(name);
        let own = attributes(rest);
        let mut text = String::with_capacity(element.len() + 64 * self.inherited.len());
        text.push_str(head);
        for (prefix, uri) in &self.inherited {
            let attribute = match prefix {
                Some(prefix) => format!("xmlns:{prefix}"),
                None => "xmlns".to_owned(),
            };
            if !own.contains(&attribute.as_str()) {
                let uri = uri.replace('&', "&amp;").replace('<', "&lt;").replace('"', "&quot;");
                let _ = write!(text, " {attribute}=\"{uri}\"");
            }
        }
        text.push_str(rest);
        text
    }
}

/// Names of the attributes of a start tag, from behind its own name on. It is well-formed.
fn attributes(tag: &str) -> Vec<&str> {
    let mut names = Vec::new();
    let mut rest = tag;
    while let Some(equals) = rest.find(['=', '>']) {
        let (name, value) = rest.split_at(equals);
        let Some(value) = value.strip_prefix('=') else { break };
        names.push(name.trim_matches(|c: char| c.is_ascii_whitespace()));
        let value = value.trim_start();
        let Some(quote) = value.chars().next() else { break };
        let Some((_, behind)) = value.get(1..).and_then(|value| value.split_once(quote)) else { break };
        rest = behind;
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stands_for_itself() {
        let text = "<r xmlns='u&amp;\"' xmlns:p='v' xmlns:q='w'><p:e a='>xmlns:p=' xmlns:q = \"w\" >x<!-- c --><n xmlns=''/>\
            <e q:b='1'/></p:e><p:s/></r>";
        let tree = roxmltree::Document::parse(text).unwrap();
        let node = tree.root_element().first_element_child().unwrap();
        let piece = Piece::of(node).text(text);
        let again = roxmltree::Document::parse(&piece).unwrap();
        let shape = |node: Node<'_, '_>| {
            let all = node.descendants().filter(Node::is_element).map(|n| {
                let attributes: Vec<_> =
                    n.attributes().map(|a| format!("{:?}{}={}", a.namespace(), a.name(), a.value())).collect();
                format!("{:?} {attributes:?}", n.tag_name())
            });
            all.collect::<Vec<_>>()
        };
        assert_eq!(shape(again.root_element()), shape(node), "{piece}");
        let last = tree.root_element().last_element_child().unwrap();
        assert_eq!(Piece::of(last).text(text), "<p:s xmlns=\"u&amp;&quot;\" xmlns:p=\"v\" xmlns:q=\"w\"/>");
    }
}

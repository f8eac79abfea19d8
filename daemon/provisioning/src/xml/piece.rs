//! One element as a text of its own: the octets of the document, with the namespace declarations
//! that it inherits written into its start tag. Where it stands is noted while the tree is there,
//! the text is copied when the tree is gone: the two need not be in memory at once.

use core::ops::Range;
use std::sync::Arc;

use super::Node;

/// Where an element stands, and what it inherits.
#[derive(Debug, Clone)]
pub(crate) struct Piece {
    at: Range<usize>,
    inherited: Inherited,
}

/// Declarations that the elements of one parent inherit: where they stand. They are written into each of them.
#[derive(Debug, Clone, Default)]
pub(crate) struct Inherited(Arc<[Range<usize>]>);

impl Inherited {
    /// What elements in that one inherit.
    pub(crate) fn of(parent: Node<'_>) -> Self {
        Self(parent.declarations().collect())
    }

    /// Octets of them.
    fn len(&self) -> usize {
        self.0.iter().map(|declared| declared.len() + 1).sum()
    }
}

impl Piece {
    /// Notes an element.
    pub(crate) fn of(node: Node<'_>, inherited: &Inherited) -> Self {
        Self { at: node.range(), inherited: inherited.clone() }
    }

    /// Octets that it has beyond its own.
    pub(crate) fn added(&self) -> usize {
        self.inherited.len()
    }

    /// Copies it out of the document that it was noted in.
    pub(crate) fn text(&self, document: &str) -> String {
        let element = document.get(self.at.clone()).unwrap_or_default();
        let name = element.find([' ', '\t', '\r', '\n', '/', '>']).unwrap_or(element.len());
        let (head, rest) = element.split_at_checked(name).unwrap_or((element, ""));
        let own = attributes(rest);
        let mut text = String::with_capacity(element.len() + self.added());
        text.push_str(head);
        for declared in self.inherited.0.iter() {
            let declared = document.get(declared.clone()).unwrap_or_default();
            let name = declared.split('=').next().unwrap_or_default().trim_end();
            if !own.contains(&name) {
                text.push(' ');
                text.push_str(declared);
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
        let tree = crate::xml::parse(text).unwrap();
        let node = tree.root().children().next().unwrap();
        let inherited = Inherited::of(tree.root());
        let piece = Piece::of(node, &inherited).text(text);
        let again = crate::xml::parse(&piece).unwrap();
        let shape = |node: Node<'_>| {
            let all = node.descendants().map(|n| {
                let attributes: Vec<_> =
                    n.attributes().map(|a| format!("{:?}{}={}", a.namespace(), a.name(), a.value())).collect();
                format!("{:?} {} {attributes:?}", n.namespace(), n.name())
            });
            all.collect::<Vec<_>>()
        };
        assert_eq!(shape(again.root()), shape(node), "{piece}");
        let last = tree.root().children().last().unwrap();
        let piece = Piece::of(last, &inherited);
        assert_eq!(piece.text(text), "<p:s xmlns:q='w' xmlns:p='v' xmlns='u&amp;\"'/>");
        assert_eq!(piece.added(), " xmlns:q='w' xmlns:p='v' xmlns='u&amp;\"'".len());
    }
}

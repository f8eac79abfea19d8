//! A document as a list of its elements: 28 octets each, and 24 for each namespace declaration. Everything else (names,
//! attributes, texts, comments) stays where it is, in the text, and is read there when it is asked for.

use std::borrow::Cow;
use std::ops::Range;

use super::lexer::{self, Lexer, Token};
use crate::schema::Ns;

/// The namespace of `xml:`.
pub(crate) const XML: &str = "http://www.w3.org/XML/1998/namespace";

/// Members of one block of a list.
const BLOCK: usize = 1024;

/// A list that grows without being copied, so that it never needs room for itself twice.
#[derive(Debug)]
pub(super) struct List<T>(Vec<Vec<T>>);

impl<T: Copy + Default> List<T> {
    pub(super) const fn new() -> Self {
        Self(Vec::new())
    }

    pub(super) fn len(&self) -> u32 {
        let full = self.0.len().saturating_sub(1) * BLOCK;
        u32::try_from(full + self.0.last().map_or(0, Vec::len)).unwrap_or(u32::MAX)
    }

    pub(super) fn push(&mut self, value: T) {
        match self.0.last_mut() {
            Some(block) if block.len() < BLOCK => block.push(value),
            _ => {
                // The first blocks are small: most documents are.
                let mut block = if self.0.is_empty() { Vec::new() } else { Vec::with_capacity(BLOCK) };
                block.push(value);
                self.0.push(block);
            }
        }
    }

    pub(super) fn get(&self, index: u32) -> T {
        let index = index as usize;
        self.0.get(index / BLOCK).and_then(|block| block.get(index % BLOCK)).copied().unwrap_or_default()
    }

    pub(super) fn change(&mut self, index: u32, change: impl FnOnce(&mut T)) {
        let index = index as usize;
        if let Some(value) = self.0.get_mut(index / BLOCK).and_then(|block| block.get_mut(index % BLOCK)) {
            change(value);
        }
    }
}

/// An element.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Element {
    /// Where its start tag begins.
    pub(super) start: u32,
    /// Behind its end tag.
    pub(super) end: u32,
    /// Number of the first element behind it that is not inside of it.
    pub(super) next: u32,
    /// The number of its parent; its own for the root.
    pub(super) parent: u32,
    /// The last declaration in scope, its own ones among them; 0: there is none, else its number and 1.
    pub(super) scope: u32,
    /// The declaration of its namespace, in the same way.
    pub(super) declared: u32,
    /// Octets of its name.
    pub(super) name: u16,
    /// Octets of the prefix with its colon.
    pub(super) prefix: u16,
}

/// In the place of a declaration's number: the namespace of `xml:`, which nobody has to declare.
pub(super) const OF_XML: u32 = u32::MAX;

/// A namespace declaration.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Declaration {
    /// The one before it in the same scope, in the way of [`Element::scope`].
    pub(super) before: u32,
    /// Of those in scope with the same namespace the first one.
    pub(super) same: u32,
    /// Where the prefix stands, or would.
    pub(super) prefix_at: u32,
    pub(super) value_at: u32,
    pub(super) prefix: u16,
    /// Octets between the quotation marks.
    pub(super) value: u16,
    /// Whether these octets are the name as it is.
    pub(super) plain: bool,
    pub(super) known: Option<Ns>,
}

/// A document that is well-formed, within the limits and without a document type.
#[derive(Debug)]
pub struct Tree<'a> {
    pub(super) text: &'a str,
    pub(super) elements: List<Element>,
    pub(super) declarations: List<Declaration>,
}

impl<'a> Tree<'a> {
    /// The text that it was read from.
    #[must_use]
    pub const fn text(&self) -> &'a str {
        self.text
    }

    /// The outermost element.
    #[must_use]
    pub const fn root(&self) -> Node<'_> {
        Node { tree: self, index: 0 }
    }

    /// What stands at the top: comments, instructions and the root. White space there is nothing.
    pub fn items(&self) -> impl Iterator<Item = Item<'_>> {
        let body = Lexer::new(self.text, super::body(self.text));
        let items = Items { tree: self, lexer: body, child: 0, end: self.text.len() };
        items.filter(|item| !matches!(item, Item::Text(_)))
    }

    fn slice(&self, range: Range<usize>) -> &str {
        self.text.get(range).unwrap_or_default()
    }

    fn declaration(&self, number: u32) -> Option<Declaration> {
        number.checked_sub(1).map(|index| self.declarations.get(index))
    }

    fn prefix(&self, declaration: &Declaration) -> &str {
        let at = declaration.prefix_at as usize;
        self.slice(at..at + usize::from(declaration.prefix))
    }

    pub(super) fn uri(&self, declaration: &Declaration) -> Cow<'_, str> {
        let at = declaration.value_at as usize;
        let raw = self.slice(at..at + usize::from(declaration.value));
        if declaration.plain { Cow::Borrowed(raw) } else { lexer::value(raw) }
    }

    /// The namespace that a number stands for.
    fn namespace(&self, number: u32) -> Option<Cow<'_, str>> {
        if number == OF_XML {
            return Some(Cow::Borrowed(XML));
        }
        Some(self.uri(&self.declaration(number)?)).filter(|uri| !uri.is_empty())
    }

    /// The declaration that a prefix (without colon; empty: none) has in a scope.
    pub(super) fn lookup(&self, scope: u32, prefix: &str) -> Option<u32> {
        if prefix == "xml" {
            return Some(OF_XML);
        }
        self.scope(scope).find(|(_, declaration)| self.prefix(declaration) == prefix).map(|(number, _)| number)
    }

    /// The declarations of a scope, the innermost first, shadowed ones among them.
    pub(super) fn scope(&self, scope: u32) -> impl Iterator<Item = (u32, Declaration)> {
        let mut number = scope;
        core::iter::from_fn(move || {
            let declaration = self.declaration(number)?;
            let this = core::mem::replace(&mut number, declaration.before);
            Some((this, declaration))
        })
    }
}

/// An element of a [`Tree`].
#[derive(Clone, Copy)]
pub struct Node<'t> {
    tree: &'t Tree<'t>,
    index: u32,
}

impl PartialEq for Node<'_> {
    fn eq(&self, other: &Self) -> bool {
        core::ptr::eq(self.tree, other.tree) && self.index == other.index
    }
}

impl core::fmt::Debug for Node<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(self.written())
    }
}

/// What stands in an element.
#[derive(Debug, Clone, PartialEq)]
pub enum Item<'t> {
    /// An element.
    Element(Node<'t>),
    /// Text or CDATA; comments cut it in pieces.
    Text(Cow<'t, str>),
    /// What is in a comment.
    Comment(Cow<'t, str>),
    /// A processing instruction.
    Instruction {
        /// Whom it is for.
        target: &'t str,
        /// Perhaps empty.
        value: Cow<'t, str>,
    },
}

impl<'t> Node<'t> {
    fn element(self) -> Element {
        self.tree.elements.get(self.index)
    }

    /// Its name as it stands in the text, with the prefix.
    #[must_use]
    pub fn written(self) -> &'t str {
        let element = self.element();
        let at = element.start as usize + 1;
        self.tree.slice(at..at + usize::from(element.name))
    }

    /// Its name without the prefix.
    #[must_use]
    pub fn name(self) -> &'t str {
        let element = self.element();
        let at = element.start as usize + 1;
        self.tree.slice(at + usize::from(element.prefix)..at + usize::from(element.name))
    }

    /// Its namespace.
    #[must_use]
    pub fn namespace(self) -> Option<Cow<'t, str>> {
        self.tree.namespace(self.element().declared)
    }

    /// Its namespace, if the schema knows it.
    pub(crate) fn ns(self) -> Option<Ns> {
        self.tree.declaration(self.element().declared)?.known
    }

    /// Whether it has a namespace at all.
    pub(crate) fn has_namespace(self) -> bool {
        let declared = self.element().declared;
        declared == OF_XML || self.tree.declaration(declared).is_some_and(|declaration| declaration.value > 0)
    }

    /// From `<` of its start tag up to and with `>` of its end tag.
    #[must_use]
    pub fn range(self) -> Range<usize> {
        let element = self.element();
        element.start as usize..element.end as usize
    }

    /// The element that it stands in.
    #[must_use]
    pub fn parent(self) -> Option<Self> {
        let index = self.element().parent;
        (index != self.index).then_some(Self { index, ..self })
    }

    /// Itself and the elements around it, up to the root.
    pub fn ancestors(self) -> impl Iterator<Item = Self> {
        core::iter::successors(Some(self), |node| node.parent())
    }

    /// The elements in it, in order.
    #[must_use]
    pub fn children(self) -> Children<'t> {
        Children { tree: self.tree, next: self.index + 1, end: self.element().next }
    }

    /// Itself and all elements inside, in order.
    pub fn descendants(self) -> impl Iterator<Item = Self> {
        (self.index..self.element().next).map(move |index| Self { index, ..self })
    }

    /// What stands in it, in order.
    #[must_use]
    pub fn items(self) -> Items<'t> {
        let element = self.element();
        let mut lexer = self.tag();
        // It was read before, so that there are no mistakes in it.
        while matches!(lexer.attribute(), Ok(Some(_))) {}
        let empty = lexer.tag_end().unwrap_or(true);
        let end = if empty { lexer.at } else { element.end as usize };
        Items { tree: self.tree, lexer, child: self.index + 1, end }
    }

    /// A lexer behind the name in its start tag.
    fn tag(self) -> Lexer<'t> {
        let element = self.element();
        Lexer::new(self.tree.text, element.start as usize + 1 + usize::from(element.name))
    }

    /// All text and CDATA directly in it, whatever comments stand between. [PROV 2]
    #[must_use]
    pub fn text(self) -> Cow<'t, str> {
        let mut all = Cow::Borrowed("");
        for item in self.items() {
            if let Item::Text(piece) = item {
                if all.is_empty() {
                    all = piece;
                } else {
                    all.to_mut().push_str(&piece);
                }
            }
        }
        all
    }

    /// Its attributes in the order of the text; declarations of namespaces are none.
    pub fn attributes(self) -> impl Iterator<Item = Attribute<'t>> {
        let mut lexer = self.tag();
        core::iter::from_fn(move || {
            loop {
                let found = lexer.attribute().ok()??;
                let prefix = found.name.prefix;
                let written = self.tree.slice(found.name.start..found.name.end);
                if written != "xmlns" && !(prefix == 6 && written.starts_with("xmlns:")) {
                    return Some(Attribute { node: self, at: found.name.start, written, prefix, value: found.value });
                }
            }
        })
    }

    /// The value of an attribute that has no namespace.
    #[must_use]
    pub fn attribute(self, name: &str) -> Option<Cow<'t, str>> {
        self.attributes().find(|attribute| attribute.written == name).map(|attribute| attribute.value())
    }

    /// The namespaces in scope with their prefixes (the default one: empty), each prefix once, the innermost first; one that
    /// is taken back has an empty namespace.
    pub fn namespaces(self) -> impl Iterator<Item = (&'t str, Cow<'t, str>)> {
        let (tree, scope) = (self.tree, self.element().scope);
        let in_scope = tree.scope(scope).filter(move |(number, declaration)| {
            tree.lookup(scope, tree.prefix(declaration)).is_some_and(|first| first == *number)
        });
        in_scope.map(move |(_, declaration)| {
            let at = declaration.prefix_at as usize;
            (tree.slice(at..at + usize::from(declaration.prefix)), tree.uri(&declaration))
        })
    }

    /// Where the declarations stand that hold here, each prefix once; one that takes the default namespace back says what
    /// holds anyway.
    pub(crate) fn declarations(self) -> impl Iterator<Item = Range<usize>> {
        let (tree, scope) = (self.tree, self.element().scope);
        let in_scope = tree.scope(scope).filter(move |(number, declaration)| {
            declaration.value > 0 && tree.lookup(scope, tree.prefix(declaration)).is_some_and(|first| first == *number)
        });
        in_scope.map(|(_, declaration)| {
            let start = declaration.prefix_at as usize;
            let start = if declaration.prefix == 0 { start } else { start - "xmlns:".len() };
            // With the quotation mark behind it.
            start..declaration.value_at as usize + usize::from(declaration.value) + 1
        })
    }

    /// The namespace of a prefix here; empty: the default one.
    #[must_use]
    pub fn namespace_of(self, prefix: &str) -> Option<Cow<'t, str>> {
        self.tree.namespace(self.tree.lookup(self.element().scope, prefix)?)
    }

    /// Whether its start tag declares namespaces.
    #[must_use]
    pub fn declares(self) -> bool {
        let above = self.parent().map_or(0, |parent| parent.element().scope);
        self.element().scope != above
    }
}

/// Elements that stand in one.
#[derive(Debug, Clone)]
pub struct Children<'t> {
    tree: &'t Tree<'t>,
    next: u32,
    end: u32,
}

impl<'t> Children<'t> {
    /// The next one without taking it.
    pub(crate) fn peek(&self) -> Option<Node<'t>> {
        self.clone().next()
    }
}

impl<'t> Iterator for Children<'t> {
    type Item = Node<'t>;

    fn next(&mut self) -> Option<Node<'t>> {
        if self.next >= self.end {
            return None;
        }
        let index = self.next;
        // Always forward, whatever the list says.
        self.next = self.tree.elements.get(index).next.max(index + 1);
        Some(Node { tree: self.tree, index })
    }
}

/// What stands in an element, or at the top.
#[derive(Debug, Clone)]
pub struct Items<'t> {
    tree: &'t Tree<'t>,
    lexer: Lexer<'t>,
    /// The number of the next element.
    child: u32,
    end: usize,
}

impl<'t> Iterator for Items<'t> {
    type Item = Item<'t>;

    fn next(&mut self) -> Option<Item<'t>> {
        self.next_at().map(|(_, item)| item)
    }
}

impl<'t> Items<'t> {
    /// The next one, and where it begins in the text.
    pub(crate) fn next_at(&mut self) -> Option<(usize, Item<'t>)> {
        if self.lexer.at >= self.end {
            return None;
        }
        let (tree, at) = (self.tree, self.lexer.at);
        // Where an element begins is known, and its name with it.
        let element = tree.elements.get(self.child);
        if element.start as usize == at && element.end as usize > at {
            let child = Node { tree, index: self.child };
            self.lexer.at = element.end as usize;
            self.child = element.next;
            return Some((at, Item::Element(child)));
        }
        if tree.text.as_bytes().get(at..at + 2) == Some(b"</") {
            return None;
        }
        let item = match self.lexer.next().ok()?? {
            Token::Text(range) => Item::Text(lexer::text(tree.slice(range))),
            Token::Cdata(range) => Item::Text(lexer::lines(tree.slice(range))),
            Token::Comment(range) => Item::Comment(lexer::lines(tree.slice(range))),
            Token::Instruction { target, value } => {
                Item::Instruction { target: tree.slice(target), value: lexer::lines(tree.slice(value)) }
            }
            Token::Open(_) | Token::Close(_) => return None,
        };
        Some((at, item))
    }
}

/// An attribute of a [`Node`].
#[derive(Debug, Clone)]
pub struct Attribute<'t> {
    node: Node<'t>,
    at: usize,
    written: &'t str,
    prefix: usize,
    value: Range<usize>,
}

impl<'t> Attribute<'t> {
    /// Where it begins in the text.
    #[must_use]
    pub const fn at(&self) -> usize {
        self.at
    }

    /// Its name as it stands in the text, with the prefix.
    #[must_use]
    pub const fn written(&self) -> &'t str {
        self.written
    }

    /// Its name without the prefix.
    #[must_use]
    pub fn name(&self) -> &'t str {
        self.written.get(self.prefix..).unwrap_or(self.written)
    }

    /// Its namespace; without a prefix there is none.
    #[must_use]
    pub fn namespace(&self) -> Option<Cow<'t, str>> {
        let prefix = self.written.get(..self.prefix.checked_sub(1)?)?;
        self.node.namespace_of(prefix)
    }

    /// Its value.
    #[must_use]
    pub fn value(&self) -> Cow<'t, str> {
        lexer::value(self.node.tree.slice(self.value.clone()))
    }
}

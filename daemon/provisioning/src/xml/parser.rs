//! From tokens to a tree: nesting, names, namespaces, limits. [PROV 1, 16]

use std::borrow::Cow;

use super::lexer::{self, Lexer, Name, Token, check_text, check_value, is_space};
use super::tree::{Declaration, Element, List, OF_XML, Tree, XML};
use super::{Fault, MAX_ATTRIBUTES, MAX_DEPTH, MAX_ELEMENTS, MAX_NAMESPACE, MAX_NAMESPACES, MAX_TEXT};
use crate::schema::Ns;

const XMLNS: &str = "http://www.w3.org/2000/xmlns/";

/// An element whose end has not come.
struct Open {
    index: u32,
    name: Name,
    /// Declarations in scope around it.
    in_scope: usize,
}

/// An attribute that is no declaration, while its tag is read.
struct Plain {
    name: Name,
    declared: u32,
}

struct Parser<'a> {
    tree: Tree<'a>,
    lexer: Lexer<'a>,
    open: Vec<Open>,
    in_scope: usize,
    /// Octets of text since the last tag: comments do not cut a value.
    run: usize,
}

/// Reads a whole document.
pub(super) fn parse(text: &str) -> Result<Tree<'_>, Fault> {
    if let Some(at) = lexer::no_character(text) {
        return Err(Fault::malformed(at, "a character that no document may hold"));
    }
    let lexer = Lexer::new(text, super::body(text));
    let tree = Tree { text, elements: List::new(), declarations: List::new() };
    let mut parser = Parser { tree, lexer, open: Vec::with_capacity(MAX_DEPTH), in_scope: 0, run: 0 };
    while let Some(token) = parser.lexer.next()? {
        parser.token(token)?;
    }
    if parser.tree.elements.len() == 0 || !parser.open.is_empty() {
        return Err(Fault::malformed(text.len(), "the document ends before its root element does"));
    }
    Ok(parser.tree)
}

impl<'a> Parser<'a> {
    fn slice(&self, name: Name) -> &'a str {
        self.tree.text.get(name.start..name.end).unwrap_or_default()
    }

    fn prefix(&self, name: Name) -> &'a str {
        let end = (name.start + name.prefix).saturating_sub(1).max(name.start);
        self.tree.text.get(name.start..end).unwrap_or_default()
    }

    fn local(&self, name: Name) -> &'a str {
        self.tree.text.get(name.start + name.prefix..name.end).unwrap_or_default()
    }

    fn token(&mut self, token: Token) -> Result<(), Fault> {
        match token {
            Token::Text(range) | Token::Cdata(range) if self.open.is_empty() => {
                let raw = self.tree.text.get(range.clone()).unwrap_or_default();
                // CDATA is text wherever it stands, however little of it there is.
                let is_cdata = self.tree.text.get(..range.start).is_some_and(|before| before.ends_with("[CDATA["));
                match raw.bytes().position(|octet| !is_space(octet)) {
                    None if !is_cdata => Ok(()),
                    at => Err(Fault::malformed(range.start + at.unwrap_or(0), "text outside of the root element")),
                }
            }
            Token::Text(range) => {
                self.character_data(range.len(), range.start)?;
                check_text(self.tree.text, range)
            }
            Token::Cdata(range) => self.character_data(range.len(), range.start),
            Token::Comment(_) | Token::Instruction { .. } => Ok(()),
            Token::Open(name) => self.start(name),
            Token::Close(name) => self.end(name),
        }
    }

    fn character_data(&mut self, length: usize, at: usize) -> Result<(), Fault> {
        self.run += length;
        if self.run > MAX_TEXT {
            return Err(Fault::too_large(at, "octets of text in one element", MAX_TEXT));
        }
        Ok(())
    }

    fn start(&mut self, name: Name) -> Result<(), Fault> {
        let at = name.start - 1;
        self.run = 0;
        let index = self.tree.elements.len();
        if self.open.is_empty() && index > 0 {
            return Err(Fault::malformed(at, "a second root element"));
        }
        if index as usize >= MAX_ELEMENTS {
            return Err(Fault::too_large(at, "elements", MAX_ELEMENTS));
        }
        if self.open.len() >= MAX_DEPTH {
            return Err(Fault::too_large(at, "levels of elements", MAX_DEPTH));
        }
        let parent = self.open.last().map_or(index, |open| open.index);
        let above = if parent == index { 0 } else { self.tree.elements.get(parent).scope };
        let around = self.in_scope;
        let scope = self.attributes(above)?;
        let declared = match self.prefix(name) {
            "xmlns" => return Err(Fault::malformed(at, "a prefix that no element may have")),
            "" => self.tree.lookup(scope, "").unwrap_or_default(),
            prefix => self.tree.lookup(scope, prefix).ok_or_else(|| undeclared(at))?,
        };
        let octets = |length: usize| u16::try_from(length).unwrap_or(u16::MAX);
        self.tree.elements.push(Element {
            start: offset(at),
            end: offset(at),
            next: index + 1,
            parent,
            scope,
            declared,
            name: octets(name.end - name.start),
            prefix: octets(name.prefix),
        });
        self.open.push(Open { index, name, in_scope: around });
        if self.lexer.tag_end()? {
            self.close();
        }
        Ok(())
    }

    fn end(&mut self, name: Name) -> Result<(), Fault> {
        self.run = 0;
        match self.open.last() {
            Some(open) if self.slice(open.name) == self.slice(name) => {
                self.close();
                Ok(())
            }
            open => {
                let short = |name| self.slice(name).chars().take(60).collect::<String>();
                let problem = match open {
                    Some(open) => format!("the end of {}, where {} is open", short(name), short(open.name)),
                    None => format!("the end of {}, which is not open", short(name)),
                };
                Err(Fault::malformed(name.start - 2, problem))
            }
        }
    }

    fn close(&mut self) {
        let (end, next) = (offset(self.lexer.at), self.tree.elements.len());
        if let Some(open) = self.open.pop() {
            self.in_scope = open.in_scope;
            self.tree.elements.change(open.index, |element| (element.end, element.next) = (end, next));
        }
    }

    /// Reads the attributes of a start tag; the scope that its declarations make.
    fn attributes(&mut self, above: u32) -> Result<u32, Fault> {
        let mut scope = above;
        let mut plain: Vec<Plain> = Vec::new();
        let mut count = 0_usize;
        while let Some(found) = self.lexer.attribute()? {
            let at = found.name.start;
            count += 1;
            if count > MAX_ATTRIBUTES {
                return Err(Fault::too_large(at, "attributes on one element", MAX_ATTRIBUTES));
            }
            check_value(self.tree.text, found.value.clone())?;
            let prefix = match (self.prefix(found.name), self.local(found.name)) {
                ("", "xmlns") => "",
                ("xmlns", local) => local,
                _ => {
                    plain.push(Plain { name: found.name, declared: 0 });
                    continue;
                }
            };
            // Those of this very tag come before what was in scope above.
            let own = self.tree.scope(scope).take_while(|(number, _)| *number > above);
            if own.into_iter().any(|(_, own)| self.is_prefix(&own, prefix)) {
                return Err(Fault::malformed(at, "an attribute that is there already"));
            }
            scope = self.declare(scope, at, prefix, found.value)?;
        }
        for index in 0..plain.len() {
            let Some(name) = plain.get(index).map(|plain| plain.name) else { break };
            let declared = match self.prefix(name) {
                "" => 0,
                prefix => {
                    let number = self.tree.lookup(scope, prefix).ok_or_else(|| undeclared(name.start))?;
                    if number == OF_XML { number } else { self.tree.declarations.get(number - 1).same }
                }
            };
            let before = plain.get(..index).unwrap_or_default();
            if before.iter().any(|other| other.declared == declared && self.local(other.name) == self.local(name)) {
                return Err(Fault::malformed(name.start, "an attribute that is there already"));
            }
            if let Some(this) = plain.get_mut(index) {
                this.declared = declared;
            }
        }
        Ok(scope)
    }

    fn is_prefix(&self, declaration: &Declaration, prefix: &str) -> bool {
        let at = declaration.prefix_at as usize;
        self.tree.text.get(at..at + usize::from(declaration.prefix)) == Some(prefix)
    }

    /// Adds a declaration to a scope; the new scope.
    fn declare(&mut self, scope: u32, at: usize, prefix: &str, value: core::ops::Range<usize>) -> Result<u32, Fault> {
        if value.len() > MAX_NAMESPACE {
            return Err(Fault::too_large(at, "octets in the name of a namespace", MAX_NAMESPACE));
        }
        self.in_scope += 1;
        if self.in_scope > MAX_NAMESPACES {
            return Err(Fault::too_large(at, "namespace declarations in scope", MAX_NAMESPACES));
        }
        let uri = lexer::value(self.tree.text.get(value.clone()).unwrap_or_default());
        match (prefix, uri.as_ref()) {
            ("xml", XML) => {}
            ("xmlns", _) | ("xml", _) | (_, XML | XMLNS) => {
                return Err(Fault::malformed(at, "a namespace or a prefix that is taken"));
            }
            ("", _) => {}
            (_, "") => return Err(Fault::malformed(at, "a prefix without a namespace")),
            _ => {}
        }
        let number = self.tree.declarations.len() + 1;
        let same = self.tree.scope(scope).find(|(_, other)| self.tree.uri(other) == uri);
        let prefix_at = if prefix.is_empty() { at } else { at + "xmlns:".len() };
        let octets = |length: usize| u16::try_from(length).unwrap_or(u16::MAX);
        let declaration = Declaration {
            before: scope,
            same: same.map_or(number, |(_, other)| other.same),
            prefix_at: offset(prefix_at),
            value_at: offset(value.start),
            prefix: octets(prefix.len()),
            value: octets(value.len()),
            plain: matches!(uri, Cow::Borrowed(_)),
            known: Ns::named(&uri),
        };
        self.tree.declarations.push(declaration);
        Ok(number)
    }
}

fn undeclared(at: usize) -> Fault {
    Fault::malformed(at, "a prefix that is not declared")
}

/// Documents have 4 MiB at most.
fn offset(at: usize) -> u32 {
    u32::try_from(at).unwrap_or(u32::MAX)
}

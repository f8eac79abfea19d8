//! A small file as a tree: for formats that are read seldom, and not in document order.

use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};

use super::places::{MAX_ATTRIBUTES, MAX_TEXT, Places, Stop, offset, quote, resolve, value};
use super::problem::Trouble;

/// Deepest nesting of elements.
const MAX_DEPTH: usize = 16;
/// Most elements.
pub(crate) const MAX_ELEMENTS: usize = 200_000;

/// An element.
#[derive(Debug, Default)]
pub(crate) struct Node {
    /// Name without prefix.
    pub(crate) name: String,
    /// Where it begins.
    pub(crate) at: usize,
    /// Names without prefix, and values.
    pub(crate) attributes: Vec<(String, String)>,
    /// Text of its own, in one piece.
    pub(crate) text: String,
    pub(crate) children: Vec<Node>,
}

impl Node {
    /// An attribute; empty when it is absent.
    pub(crate) fn attribute(&self, name: &str) -> &str {
        self.attributes.iter().find(|(other, _)| other == name).map_or("", |(_, value)| value)
    }

    /// The first child of a name.
    pub(crate) fn child(&self, name: &str) -> Option<&Node> {
        self.children.iter().find(|child| child.name == name)
    }

    /// All children of a name.
    pub(crate) fn children_of<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Node> {
        self.children.iter().filter(move |child| child.name == name)
    }

    /// Text of the first child of a name, without blanks around it; empty when it is absent.
    pub(crate) fn text_of(&self, name: &str) -> &str {
        self.child(name).map_or("", |child| child.text.trim())
    }

    /// All elements below, those that hold others before what they hold.
    pub(crate) fn all(&self) -> Vec<&Node> {
        let mut found = Vec::new();
        let mut waiting: Vec<&Node> = self.children.iter().rev().collect();
        while let Some(node) = waiting.pop() {
            found.push(node);
            waiting.extend(node.children.iter().rev());
        }
        found
    }
}

/// Reads a file whole; none of it when it is broken.
pub(crate) fn parse(places: &mut Places<'_>) -> Result<Node, Stop> {
    let Some((text, broken_at)) = places.text() else { return Err((0, Trouble::TooLarge)) };
    if let Some(at) = broken_at {
        return Err((at, Trouble::NotUtf8));
    }
    let mut reader = Reader::from_str(text);
    reader.config_mut().expand_empty_elements = true;
    let mut open: Vec<Node> = Vec::new();
    let mut root = None;
    let mut elements = 0_usize;
    loop {
        let at = offset(reader.buffer_position());
        let event = reader
            .read_event()
            .map_err(|error| (offset(reader.error_position()), Trouble::NotWellFormed(quote(&error.to_string()))))?;
        match event {
            Event::Start(start) => {
                elements += 1;
                if elements > MAX_ELEMENTS {
                    return Err((at, Trouble::TooManyElements));
                }
                if open.len() >= MAX_DEPTH {
                    return Err((at, Trouble::TooDeep));
                }
                if root.is_some() {
                    return Err((at, Trouble::NotWellFormed("a second root element".to_owned())));
                }
                open.push(node(&start, at).map_err(|what| (at, what))?);
            }
            Event::End(_) => {
                let Some(done) = open.pop() else { continue };
                match open.last_mut() {
                    Some(parent) => parent.children.push(done),
                    None => root = Some(done),
                }
            }
            Event::Text(text) => add(&mut open, at, &text.xml10_content())?,
            Event::CData(text) => add(&mut open, at, &text.xml10_content())?,
            Event::GeneralRef(reference) => {
                let resolved = resolve(&reference).ok_or((at, Trouble::Entity))?;
                add(&mut open, at, resolved.encode_utf8(&mut [0; 4]))?;
            }
            Event::Eof => {
                return match root {
                    Some(root) if open.is_empty() => Ok(root),
                    _ => Err((at, Trouble::EndsEarly)),
                };
            }
            Event::DocType(_) | Event::Comment(_) | Event::Decl(_) | Event::PI(_) | Event::Empty(_) => {}
        }
    }
}

fn add(open: &mut [Node], at: usize, text: &str) -> Result<(), Stop> {
    let Some(node) = open.last_mut() else { return Ok(()) };
    if node.text.len() + text.len() > MAX_TEXT {
        return Err((at, Trouble::TooLong));
    }
    // Blanks between elements are not kept.
    if !text.trim().is_empty() || !node.text.is_empty() {
        node.text.push_str(text);
    }
    Ok(())
}

fn node(start: &BytesStart<'_>, at: usize) -> Result<Node, Trouble> {
    if start.attributes_raw().len() > MAX_ATTRIBUTES * MAX_TEXT
        || start.attributes().with_checks(false).take(MAX_ATTRIBUTES + 1).count() > MAX_ATTRIBUTES
    {
        return Err(Trouble::TooManyAttributes);
    }
    let mut attributes = Vec::new();
    for attribute in start.attributes() {
        let attribute = attribute.map_err(|error| Trouble::NotWellFormed(quote(&error.to_string())))?;
        if attribute.value.len() > MAX_TEXT {
            return Err(Trouble::TooLong);
        }
        if attribute.key.as_namespace_binding().is_none() {
            attributes.push((attribute.key.local_name().as_ref().to_owned(), value(&attribute)?.into_owned()));
        }
    }
    Ok(Node { name: start.local_name().as_ref().to_owned(), at, attributes, ..Node::default() })
}

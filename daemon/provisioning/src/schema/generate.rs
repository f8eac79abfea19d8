//! Documents made from the rule table: valid ones, and ones with a fault, for holding the walker
//! against other validators. Only rules that XML Schema can say are touched.

mod value;

use core::ptr;

use super::table::ROOT;
use super::{Alternative, Attribute, Content, Element, Ns, Particle, Term};

/// A document and what was done to it.
#[derive(Debug, Clone)]
pub struct Made {
    /// Its text.
    pub xml: String,
    /// The fault; none in a valid document. A fault may leave the document valid, such as two
    /// neighbours that changed places where both orders are allowed.
    pub fault: Option<String>,
}

/// Makes a document. The same number makes the same document.
#[must_use]
pub fn document(number: u64, with_fault: bool) -> Made {
    let mut maker = Maker { random: Random(number.wrapping_mul(0x9e37_79b9_7f4a_7c15)), counter: 0 };
    let mut root = maker.element(&ROOT, ROOT.ns, 0);
    let fault = with_fault.then(|| maker.spoil(&mut root));
    let style = Style {
        prefixes: maker.random.one_in(2),
        comments: maker.random.one_in(3),
        cdata: maker.random.one_in(4),
        indent: maker.random.one_in(2),
    };
    let mut xml = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    root.write(&style, None, &mut maker.random, &mut xml);
    Made { xml, fault }
}

/// A stream of numbers that depends on its start only.
#[derive(Debug)]
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// Below `end`, which is not zero.
    fn below(&mut self, end: usize) -> usize {
        let end = u64::try_from(end).unwrap_or(u64::MAX).max(1);
        usize::try_from(self.next() % end).unwrap_or(0)
    }

    fn one_in(&mut self, n: usize) -> bool {
        self.below(n) == 0
    }

    fn pick<T: Copy>(&mut self, from: &[T], otherwise: T) -> T {
        from.get(self.below(from.len())).copied().unwrap_or(otherwise)
    }
}

/// How a document is written; none of it has a meaning.
struct Style {
    prefixes: bool,
    comments: bool,
    cdata: bool,
    indent: bool,
}

#[derive(Debug, Clone)]
enum Node {
    Element(Tree),
    Text(String),
}

impl Node {
    fn is(&self, declared: &Element) -> bool {
        matches!(self, Self::Element(tree) if tree.declared.is_some_and(|found| ptr::eq(found, declared)))
    }
}

#[derive(Debug, Clone)]
struct Tree {
    declared: Option<&'static Element>,
    uri: String,
    name: String,
    attributes: Vec<(String, String)>,
    children: Vec<Node>,
}

impl core::fmt::Debug for Element {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(self.name)
    }
}

impl Tree {
    fn foreign(uri: &str, name: &str) -> Self {
        Self {
            declared: None,
            uri: uri.to_owned(),
            name: name.to_owned(),
            attributes: Vec::new(),
            children: Vec::new(),
        }
    }

    /// All elements, this one first, by the numbers of the children on the way.
    fn paths(&self) -> Vec<Vec<usize>> {
        let mut all = vec![Vec::new()];
        for (number, child) in self.children.iter().enumerate() {
            if let Node::Element(child) = child {
                for mut path in child.paths() {
                    path.insert(0, number);
                    all.push(path);
                }
            }
        }
        all
    }

    /// Does something to the element of that path.
    fn change<T>(&mut self, path: &[usize], what: &mut dyn FnMut(&mut Self) -> Option<T>) -> Option<T> {
        let Some((first, rest)) = path.split_first() else { return what(self) };
        match self.children.get_mut(*first) {
            Some(Node::Element(child)) => child.change(rest, what),
            _ => None,
        }
    }

    fn write(&self, style: &Style, outer: Option<&str>, random: &mut Random, out: &mut String) {
        let prefix = if style.prefixes && !self.uri.is_empty() { "n:" } else { "" };
        out.push('<');
        out.push_str(prefix);
        out.push_str(&self.name);
        if outer != Some(&self.uri) {
            let what = if prefix.is_empty() { "xmlns" } else { "xmlns:n" };
            out.push_str(&format!(" {what}=\"{}\"", escaped(&self.uri)));
        }
        for (name, value) in &self.attributes {
            out.push_str(&format!(" {name}=\"{}\"", escaped(value)));
        }
        if self.children.is_empty() && random.one_in(2) {
            out.push_str("/>");
            return;
        }
        out.push('>');
        let has_elements = self.children.iter().any(|child| matches!(child, Node::Element(_)));
        for child in &self.children {
            if style.comments && random.one_in(4) {
                out.push_str(if random.one_in(2) { "<!-- <x> & -->" } else { "<?i <x> ?>" });
            }
            match child {
                Node::Element(child) => {
                    if style.indent {
                        out.push_str("\n \t");
                    }
                    child.write(style, Some(&self.uri), random, out);
                }
                Node::Text(text) => self.write_text(text, style, random, out),
            }
        }
        if style.indent && has_elements {
            out.push('\n');
        }
        out.push_str(&format!("</{prefix}{}>", self.name));
    }

    /// A text in up to three pieces, which are one text.
    fn write_text(&self, text: &str, style: &Style, random: &mut Random, out: &mut String) {
        let half = text.char_indices().nth(text.chars().count() / 2).map_or(0, |(at, _)| at);
        let (first, second) = text.split_at(half);
        if style.comments && random.one_in(2) {
            out.push_str(&escaped(first));
            out.push_str("<!-- x -->");
        } else {
            out.push_str(&escaped(first));
        }
        if style.cdata && !second.is_empty() && !second.contains("]]>") {
            out.push_str(&format!("<![CDATA[{second}]]>"));
        } else {
            out.push_str(&escaped(second));
        }
    }
}

fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            '"' => out.push_str("&#34;"),
            '\t' | '\n' | '\r' => out.push_str(&format!("&#{};", u32::from(c))),
            c => out.push(c),
        }
    }
    out
}

struct Maker {
    random: Random,
    /// Makes names unique.
    counter: u64,
}

impl Maker {
    fn element(&mut self, declared: &'static Element, ns: Ns, depth: usize) -> Tree {
        let mut tree = Tree::foreign(ns.uri(), declared.name);
        tree.declared = Some(declared);
        for attribute in declared.attributes {
            if attribute.required || self.random.one_in(2) {
                let value = self.good(attribute.value);
                tree.attributes.push((attribute.name.to_owned(), value));
            }
        }
        match &declared.content {
            Content::Empty => {}
            Content::Anything => tree.children.push(Node::Text("anything".to_owned())),
            Content::Text(lexical) => {
                let value = self.good(*lexical);
                tree.children.push(Node::Text(value));
            }
            Content::Children(particles) => self.sequence(declared.ns, particles, depth, &mut tree.children),
            Content::Mixed(particles) => {
                tree.children.push(Node::Text("mixed".to_owned()));
                self.sequence(declared.ns, particles, depth, &mut tree.children);
            }
            Content::Unordered(elements) => {
                let mut chosen: Vec<_> = elements.iter().filter(|_| self.random.one_in(3)).collect();
                if self.random.one_in(2) {
                    chosen.reverse();
                }
                for element in chosen {
                    let child = self.element(element, element.ns, depth + 1);
                    tree.children.push(Node::Element(child));
                }
            }
        }
        tree
    }

    fn sequence(&mut self, ns: Ns, particles: &'static [Particle], depth: usize, out: &mut Vec<Node>) {
        for particle in particles {
            let often = self.how_often(particle, depth);
            for _ in 0..often {
                self.particle(ns, particle, depth, out);
            }
        }
    }

    /// Rarely more than two, but now and then the most that is allowed.
    fn how_often(&mut self, particle: &Particle, depth: usize) -> u32 {
        let is_optional = particle.min == 0 && self.random.one_in(if depth == 0 { 3 } else { 2 });
        if is_optional {
            return 0;
        }
        if particle.max > 1 && particle.max <= 25 && self.random.one_in(20) {
            return particle.max;
        }
        let more = if self.random.one_in(3) { 1 } else { 0 };
        (particle.min.max(1) + more).min(particle.max)
    }

    fn particle(&mut self, ns: Ns, particle: &'static Particle, depth: usize, out: &mut Vec<Node>) {
        match &particle.term {
            Term::Element(element) => {
                let ns = match element.also {
                    Some(also) if self.random.one_in(2) => also,
                    _ => element.ns,
                };
                let child = self.element(element, ns, depth + 1);
                out.push(Node::Element(child));
            }
            Term::Choice(alternatives) => {
                // Of certificate lists there is one, which is not for XML Schema to say.
                let again = |way: &Alternative| {
                    let first = way.particles.first().map(Particle::named).and_then(|named| named.first().copied());
                    first.is_some_and(|e| e.name == "X509Data" && out.iter().any(|node| node.is(e)))
                };
                let usual: Vec<_> = alternatives.iter().filter(|a| !a.prose && !again(a)).collect();
                if let Some(way) = usual.get(self.random.below(usual.len())) {
                    self.sequence(ns, way.particles, depth, out);
                }
            }
            Term::Foreign(foreign) => {
                let known: Vec<_> = foreign.known.iter().map(|(element, _)| *element).collect();
                let taken = known.get(self.random.below(known.len() + 1)).copied();
                // No element twice: how often one may stand there is not for XML Schema to say.
                match taken {
                    Some(element) if !out.iter().any(|node| node.is(element)) => {
                        let child = self.element(element, element.ns, depth + 1);
                        out.push(Node::Element(child));
                    }
                    None if foreign.lax => out.push(Node::Element(Tree::foreign("urn:example:foreign", "thing"))),
                    _ => {}
                }
            }
        }
    }

    /// Makes one fault somewhere and says what it is.
    fn spoil(&mut self, root: &mut Tree) -> String {
        loop {
            let paths = root.paths();
            let path = paths.get(self.random.below(paths.len())).cloned().unwrap_or_default();
            let mut spoil = |tree: &mut Tree| {
                let name = tree.name.clone();
                Some(format!("{name}: {}", self.spoil_element(tree)?))
            };
            if let Some(fault) = root.change(&path, &mut spoil) {
                return fault;
            }
        }
    }

    fn spoil_element(&mut self, tree: &mut Tree) -> Option<String> {
        let declared = tree.declared?;
        if matches!(declared.content, Content::Anything) {
            return None;
        }
        let elements: Vec<usize> =
            (0..tree.children.len()).filter(|at| matches!(tree.children.get(*at), Some(Node::Element(_)))).collect();
        let child = elements.get(self.random.below(elements.len())).copied();
        match self.random.below(11) {
            0 => {
                tree.children.remove(child?);
                Some("a child is gone".to_owned())
            }
            1 => {
                let second = elements.iter().copied().find(|at| Some(*at) > child)?;
                tree.children.swap(child?, second);
                Some("two neighbours have changed places".to_owned())
            }
            2 => self.double(tree, child?),
            3 => {
                let uri = self.random.pick(&[declared.ns.uri(), ""], "");
                let at = self.random.below(tree.children.len() + 1);
                tree.children.insert(at, Node::Element(Tree::foreign(uri, "Unknown")));
                Some("an unknown child".to_owned())
            }
            4 => {
                tree.attributes.push(("Unknown".to_owned(), "1".to_owned()));
                Some("an unknown attribute".to_owned())
            }
            5 => {
                let at = self.random.below(tree.attributes.len());
                (at < tree.attributes.len()).then(|| tree.attributes.remove(at))?;
                Some("an attribute is gone".to_owned())
            }
            6 => {
                let at = self.random.below(tree.attributes.len());
                let (name, value) = tree.attributes.get_mut(at)?;
                let known: &Attribute = declared.attributes.iter().find(|known| known.name == name)?;
                *value = self.bad(known.value)?;
                Some(format!("attribute {name} is {value:?}"))
            }
            7 => {
                let Some(Node::Element(child)) = tree.children.get_mut(child?) else { return None };
                child.uri = match self.random.below(4) {
                    0 => child.uri.replace("http:", "https:"),
                    1 => String::new(),
                    2 => Ns::Cc.uri().to_owned(),
                    _ => "urn:example:other".to_owned(),
                };
                child.declared = None;
                Some(format!("{} is in another namespace", child.name))
            }
            8 => {
                let Some(Node::Element(child)) = tree.children.get_mut(child?) else { return None };
                child.name = child.name.to_lowercase() + "x";
                child.declared = None;
                Some("a child has another name".to_owned())
            }
            9 if matches!(declared.content, Content::Children(_) | Content::Unordered(_) | Content::Empty) => {
                tree.children.push(Node::Text("stray".to_owned()));
                Some("text where none may be".to_owned())
            }
            _ => {
                let Content::Text(lexical) = &declared.content else { return None };
                let value = self.bad(*lexical)?;
                let fault = format!("the text is {value:?}");
                tree.children = vec![Node::Text(value)];
                Some(fault)
            }
        }
    }

    /// A second child of the same kind, made anew so that names stay unique.
    fn double(&mut self, tree: &mut Tree, at: usize) -> Option<String> {
        let Some(Node::Element(child)) = tree.children.get(at) else { return None };
        let declared = child.declared?;
        let parent = tree.declared?;
        let is_lax = |element: &Element| {
            let Content::Children(particles) = &parent.content else { return false };
            particles.iter().any(|particle| match &particle.term {
                Term::Foreign(foreign) => {
                    foreign.lax && foreign.known.iter().any(|(known, _)| ptr::eq(*known, element))
                }
                _ => false,
            })
        };
        // How often there may be one of these, and certificates, XML Schema does not say.
        if is_lax(declared) || declared.name == "X509Data" {
            return None;
        }
        let ns = declared.ns;
        let second = self.element(declared, ns, 3);
        tree.children.insert(at + 1, Node::Element(second));
        Some(format!("{} stands there once more", declared.name))
    }
}

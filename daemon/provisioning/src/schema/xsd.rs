//! The rule table as XML Schema 1.0, as far as that language can say it, for writers of documents
//! and for comparing the walker with other validators.
//!
//! Every element of the table becomes a named type in its own namespace. An element that stands in
//! a parent of its own namespace is declared where it stands, one of another namespace through a
//! named group; global is only what a lax wildcard is to recognise.

use core::fmt::Write as _;
use std::collections::{BTreeMap, BTreeSet};

use super::lexical::Lexical;
use super::table::{NO_LIMIT, ROOT};
use super::{Attribute, Content, Element, Foreign, NAMESPACES, Ns, Particle, Term, rules};

/// One schema document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct XsdFile {
    /// Its name; the others import it by that. `cc.xsd` declares the root.
    pub name: String,
    /// Its text.
    pub text: String,
}

/// The schema documents of all namespaces.
#[must_use]
pub fn xsd() -> Vec<XsdFile> {
    let mut writer = Writer::default();
    writer.global(&ROOT);
    let files = writer.files.into_iter();
    files.map(|(ns, file)| XsdFile { name: format!("{}.xsd", ns.prefix()), text: file.document(ns) }).collect()
}

/// What the schema documents leave out, a sentence each: the rules that XML Schema cannot say,
/// and the accepted spellings that are not in the schema.
#[must_use]
pub fn unsaid() -> Vec<String> {
    let mut list: Vec<String> = rules::RULES.iter().map(|rule| rule.says.to_owned()).collect();
    list.push("attributes of the namespace xml are allowed anywhere".to_owned());
    list.push("of the attributes that XML Schema allows anywhere only xsi:schemaLocation is".to_owned());
    let alias = NAMESPACES.iter().filter(|(ns, uri)| ns.uri() != *uri);
    list.extend(alias.map(|(ns, uri)| format!("{uri} is taken for {}", ns.uri())));
    let mut seen = BTreeSet::new();
    collect(&ROOT, &mut seen, &mut list);
    list.sort();
    list.dedup();
    list
}

/// Adds what cannot be said of an element and of all below it.
fn collect(element: &'static Element, seen: &mut BTreeSet<*const Element>, list: &mut Vec<String>) {
    if !seen.insert(core::ptr::from_ref(element)) {
        return;
    }
    let name = format!("{}:{}", element.ns.prefix(), element.name);
    if let Some(prose) = element.prose {
        list.push(format!("{name} may be spelt {prose}, with a warning"));
    }
    if let Content::Text(lexical) = &element.content
        && let Some(rest) = lexical.beyond_xsd()
    {
        list.push(format!("{name}: {rest}"));
    }
    for attribute in element.attributes {
        if let Some(rest) = attribute.value.beyond_xsd() {
            list.push(format!("{name}/@{}: {rest}", attribute.name));
        }
    }
    for particle in particles(&element.content) {
        match &particle.term {
            Term::Choice(alternatives) => {
                for alternative in alternatives.iter().filter(|alternative| alternative.prose) {
                    let names: Vec<_> =
                        alternative.particles.iter().flat_map(Particle::named).map(|e| e.name).collect();
                    list.push(format!("{name} may hold {}, with a warning", names.join(", ")));
                }
            }
            Term::Foreign(Foreign { lax: true, known, .. }) => {
                for (known, max) in known.iter().filter(|(_, max)| *max != NO_LIMIT) {
                    list.push(format!("{name} holds {}:{} at most {max} times", known.ns.prefix(), known.name));
                }
            }
            Term::Foreign(_) | Term::Element(_) => {}
        }
        for child in particle.named() {
            collect(child, seen, list);
        }
    }
    if let Content::Unordered(children) = &element.content {
        for child in *children {
            collect(child, seen, list);
        }
    }
}

const fn particles(content: &Content) -> &'static [Particle] {
    match content {
        Content::Children(particles) | Content::Mixed(particles) => particles,
        Content::Empty | Content::Text(_) | Content::Unordered(_) | Content::Anything => &[],
    }
}

/// One namespace while it is being written.
#[derive(Default)]
struct File {
    imports: BTreeSet<Ns>,
    globals: String,
    groups: BTreeSet<String>,
    group_text: String,
    types: String,
    names: BTreeMap<String, usize>,
}

impl File {
    fn document(&self, ns: Ns) -> String {
        let mut text = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
        text.push_str("<!-- Made from the rule table of daemon-provisioning; do not edit. -->\n");
        text.push_str("<xs:schema xmlns:xs=\"http://www.w3.org/2001/XMLSchema\"");
        for used in self.imports.iter().chain([&ns]) {
            let _ = write!(text, "\n    xmlns:{}=\"{}\"", used.prefix(), used.uri());
        }
        let _ = writeln!(text, "\n    targetNamespace=\"{}\" elementFormDefault=\"qualified\">", ns.uri());
        for used in &self.imports {
            let _ =
                writeln!(text, "  <xs:import namespace=\"{}\" schemaLocation=\"{}.xsd\"/>", used.uri(), used.prefix());
        }
        text.push_str(&self.globals);
        text.push_str(&self.group_text);
        text.push_str(&self.types);
        text.push_str("</xs:schema>\n");
        text
    }
}

#[derive(Default)]
struct Writer {
    files: BTreeMap<Ns, File>,
    /// Name of the type of each element, with its prefix.
    types: BTreeMap<*const Element, String>,
    globals: BTreeSet<*const Element>,
}

impl Writer {
    fn file(&mut self, ns: Ns) -> &mut File {
        self.files.entry(ns).or_default()
    }

    /// Declares an element where a wildcard finds it.
    fn global(&mut self, element: &'static Element) {
        if !self.globals.insert(core::ptr::from_ref(element)) {
            return;
        }
        let name = self.type_of(element);
        let line = format!("  <xs:element name=\"{}\" type=\"{name}\"/>\n", element.name);
        self.file(element.ns).globals.push_str(&line);
    }

    /// The type of an element, written when it is first asked for.
    fn type_of(&mut self, element: &'static Element) -> String {
        let key = core::ptr::from_ref(element);
        if let Some(name) = self.types.get(&key) {
            return name.clone();
        }
        let count = self.file(element.ns).names.entry(element.name.to_owned()).or_default();
        *count += 1;
        let own = match *count {
            1 => format!("{}.Type", element.name),
            n => format!("{}.Type{n}", element.name),
        };
        let name = format!("{}:{own}", element.ns.prefix());
        self.types.insert(key, name.clone());
        let text = self.definition(element, &own);
        self.file(element.ns).types.push_str(&text);
        name
    }

    fn definition(&mut self, element: &'static Element, name: &str) -> String {
        let attributes: String = element.attributes.iter().map(attribute).collect();
        let mixed = matches!(element.content, Content::Mixed(_) | Content::Anything);
        let content = match &element.content {
            Content::Text(lexical) if element.attributes.is_empty() => {
                return format!("  <xs:simpleType name=\"{name}\">\n{}  </xs:simpleType>\n", simple(*lexical));
            }
            Content::Text(lexical) => {
                let plain = format!("{name}.Text");
                let text = format!("  <xs:simpleType name=\"{plain}\">\n{}  </xs:simpleType>\n", simple(*lexical));
                self.file(element.ns).types.push_str(&text);
                let base = format!("{}:{plain}", element.ns.prefix());
                let extension = format!("<xs:extension base=\"{base}\">\n{attributes}    </xs:extension>");
                return format!(
                    "  <xs:complexType name=\"{name}\">\n    <xs:simpleContent>{extension}</xs:simpleContent>\n  \
                     </xs:complexType>\n"
                );
            }
            Content::Empty => String::new(),
            Content::Children(particles) | Content::Mixed(particles) => self.sequence(element.ns, particles, 1),
            Content::Unordered(children) => {
                let mut text = String::from("    <xs:all>\n");
                for child in *children {
                    let name = self.type_of(child);
                    let _ =
                        writeln!(text, "      <xs:element name=\"{}\" type=\"{name}\" minOccurs=\"0\"/>", child.name);
                }
                text + "    </xs:all>\n"
            }
            Content::Anything => {
                "    <xs:sequence>\n      <xs:any namespace=\"##any\" processContents=\"skip\" minOccurs=\"0\" \
                 maxOccurs=\"unbounded\"/>\n    </xs:sequence>\n"
                    .to_owned()
            }
        };
        let mixed = if mixed { " mixed=\"true\"" } else { "" };
        format!("  <xs:complexType name=\"{name}\"{mixed}>\n{content}{attributes}  </xs:complexType>\n")
    }

    fn sequence(&mut self, ns: Ns, particles: &'static [Particle], depth: usize) -> String {
        let indent = "  ".repeat(depth + 1);
        let mut text = format!("{indent}<xs:sequence>\n");
        for particle in particles {
            text.push_str(&self.particle(ns, particle, depth + 1));
        }
        text + &indent + "</xs:sequence>\n"
    }

    fn particle(&mut self, ns: Ns, particle: &'static Particle, depth: usize) -> String {
        let indent = "  ".repeat(depth + 1);
        let occurs = occurs(particle.min, particle.max);
        match &particle.term {
            Term::Element(element) => self.place(ns, element, &occurs, depth),
            Term::Choice(alternatives) => {
                let mut text = format!("{indent}<xs:choice{occurs}>\n");
                for alternative in alternatives.iter().filter(|alternative| !alternative.prose) {
                    text.push_str(&self.sequence(ns, alternative.particles, depth + 1));
                }
                text + &indent + "</xs:choice>\n"
            }
            Term::Foreign(Foreign { lax: true, known, .. }) => {
                for (element, _) in *known {
                    self.global(element);
                    self.file(ns).imports.insert(element.ns);
                }
                format!("{indent}<xs:any namespace=\"##other\" processContents=\"lax\"{occurs}/>\n")
            }
            // All that a strict wildcard lets through is what is known there.
            Term::Foreign(foreign) => {
                let known = foreign.known.iter();
                known.map(|(element, max)| self.place(ns, element, &self::occurs(0, *max), depth)).collect()
            }
        }
    }

    /// An element inside a parent of that namespace, in one or in two namespaces of its own.
    fn place(&mut self, parent: Ns, element: &'static Element, occurs: &str, depth: usize) -> String {
        let indent = "  ".repeat(depth + 1);
        let Some(also) = element.also else {
            let one = self.reference(parent, element, element.ns, occurs);
            return format!("{indent}{one}\n");
        };
        let first = self.reference(parent, element, element.ns, "");
        let second = self.reference(parent, element, also, "");
        format!("{indent}<xs:choice{occurs}>{first}{second}</xs:choice>\n")
    }

    fn reference(&mut self, parent: Ns, element: &'static Element, ns: Ns, occurs: &str) -> String {
        let name = self.type_of(element);
        if parent != element.ns {
            self.file(parent).imports.insert(element.ns);
        }
        let own = element.name;
        if ns == parent {
            return format!("<xs:element name=\"{own}\" type=\"{name}\"{occurs}/>");
        }
        self.file(parent).imports.insert(ns);
        // Elements of one name may have several types: the group has the name of the type.
        let group = name.split(':').next_back().unwrap_or_default().replace("Type", "Group");
        let file = self.file(ns);
        if file.groups.insert(group.clone()) {
            let _ = writeln!(
                file.group_text,
                "  <xs:group name=\"{group}\">\n    <xs:sequence>\n      <xs:element name=\"{own}\" type=\"{name}\"/>\n    \
                 </xs:sequence>\n  </xs:group>"
            );
            if ns != element.ns {
                file.imports.insert(element.ns);
            }
        }
        format!("<xs:group ref=\"{}:{group}\"{occurs}/>", ns.prefix())
    }
}

fn occurs(min: u32, max: u32) -> String {
    let mut text = String::new();
    if min != 1 {
        let _ = write!(text, " minOccurs=\"{min}\"");
    }
    match max {
        1 => {}
        NO_LIMIT => text.push_str(" maxOccurs=\"unbounded\""),
        max => {
            let _ = write!(text, " maxOccurs=\"{max}\"");
        }
    }
    text
}

fn attribute(attribute: &Attribute) -> String {
    let required = if attribute.required { " use=\"required\"" } else { "" };
    format!(
        "    <xs:attribute name=\"{}\"{required}>\n    <xs:simpleType>\n{}    </xs:simpleType>\n    </xs:attribute>\n",
        attribute.name,
        simple(attribute.value)
    )
}

/// The body of a simple type.
fn simple(lexical: Lexical) -> String {
    const OPEN: usize = usize::MAX;
    let lengths = |min: usize, max: usize| {
        let mut facets = Vec::new();
        if min > 0 {
            facets.push(("minLength", min.to_string()));
        }
        if max != OPEN {
            facets.push(("maxLength", max.to_string()));
        }
        facets
    };
    let pattern = |pattern: &str| vec![("pattern", pattern.to_owned())];
    let (base, facets) = match lexical {
        Lexical::TokenList => return "    <xs:list itemType=\"xs:token\"/>\n".to_owned(),
        Lexical::Text { min, max } => ("string", lengths(min, max)),
        Lexical::Ssid { min } => ("string", lengths(min, 32)),
        Lexical::Token { min, max } => ("token", lengths(min, max)),
        Lexical::Word(words) => ("token", words.iter().map(|word| ("enumeration", (*word).to_owned())).collect()),
        Lexical::Exactly(word) => ("token", vec![("enumeration", word.to_owned())]),
        Lexical::Boolean => ("boolean", Vec::new()),
        Lexical::Integer { min, max } => {
            ("nonNegativeInteger", vec![("minInclusive", min.to_string()), ("maxInclusive", max.to_string())])
        }
        Lexical::Digits { min, max } => ("token", pattern(&format!("[0-9]{{{min},{max}}}"))),
        Lexical::Guid => ("token", pattern(r"\{[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}\}")),
        Lexical::Subscriber => ("token", pattern(r"\w{1,20}")),
        Lexical::Device => ("token", pattern("[0-9]{15,16}|([0-9a-fA-F]{2}:){5}[0-9a-fA-F]{2}")),
        Lexical::Locale => ("token", pattern(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*|\w+(_[\w ]+)?(\.[0-9]+)?")),
        Lexical::Span { min, max, max_excluded } => {
            let upper = if max_excluded { "maxExclusive" } else { "maxInclusive" };
            ("duration", vec![("minInclusive", format!("PT{min}S")), (upper, format!("PT{max}S"))])
        }
        Lexical::PositiveDuration => ("duration", vec![("minExclusive", "PT0S".to_owned())]),
        Lexical::DateTime => ("dateTime", Vec::new()),
        Lexical::Base64 => ("base64Binary", Vec::new()),
        Lexical::Hex { min, max } => ("hexBinary", lengths(min, max)),
        Lexical::HttpsUrl => ("token", pattern("https://.+")),
        Lexical::Uri => ("token", Vec::new()),
    };
    let mut text = format!("      <xs:restriction base=\"xs:{base}\">\n");
    for (facet, value) in facets {
        let _ = writeln!(text, "        <xs:{facet} value=\"{value}\"/>");
    }
    text + "      </xs:restriction>\n"
}

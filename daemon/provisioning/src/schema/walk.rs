//! The one walker of the rule table: collects every violation, goes on after each.

use roxmltree::Node;

use super::lexical::is_space;
use super::rules;
use super::table::ROOT;
use super::{Alternative, Content, Element, Foreign, Ns, Particle, Term, Violation};
use crate::xml::Positions;

/// At most so many violations are listed.
const MAX_LISTED: usize = 500;

const XSI: &str = "http://www.w3.org/2001/XMLSchema-instance";
const XML: &str = "http://www.w3.org/XML/1998/namespace";

/// What the walk found.
#[derive(Debug, Default)]
pub(crate) struct Findings {
    pub(crate) violations: Vec<Violation>,
    pub(crate) warnings: Vec<Violation>,
}

/// Walks a whole document.
pub(crate) fn walk(document: &roxmltree::Document<'_>) -> Findings {
    let mut walker = Walker::default();
    let root = document.root_element();
    if ROOT.is(root) {
        walker.element(root, &ROOT);
        rules::check(root, &mut walker);
    } else {
        let rule = format!("the root must be {} in {}", ROOT.name, ROOT.ns.uri());
        walker.violation(root, rule);
    }
    Findings {
        violations: located(walker.violations, document.input_text()),
        warnings: located(walker.warnings, document.input_text()),
    }
}

/// Fills in lines and columns, in the document's order.
fn located(mut found: Vec<(usize, Violation)>, text: &str) -> Vec<Violation> {
    found.sort_by_key(|(offset, _)| *offset);
    let mut positions = Positions::new(text);
    found
        .into_iter()
        .map(|(offset, mut violation)| {
            let at = positions.at(offset);
            violation.line = at.line;
            violation.column = at.column;
            violation
        })
        .collect()
}

#[derive(Default)]
pub(super) struct Walker {
    violations: Vec<(usize, Violation)>,
    warnings: Vec<(usize, Violation)>,
}

impl Walker {
    /// Notes a violation at an element, once for each place and rule.
    pub(super) fn violation(&mut self, node: Node<'_, '_>, rule: impl Into<String>) {
        self.violation_at(node.range().start, || path(node), rule);
    }

    /// Whether something was found at that very element.
    pub(super) fn has_violation(&self, node: Node<'_, '_>) -> bool {
        let offset = node.range().start;
        self.violations.iter().any(|(at, _)| *at == offset)
    }

    fn violation_at(&mut self, offset: usize, path: impl FnOnce() -> String, rule: impl Into<String>) {
        if self.is_full() {
            return;
        }
        let rule = if self.violations.len() == MAX_LISTED {
            format!("more than {MAX_LISTED} violations, the rest is not listed")
        } else {
            rule.into()
        };
        let violation = Violation { line: 0, column: 0, path: path(), rule };
        self.violations.push((offset, violation));
    }

    pub(super) fn warning(&mut self, node: Node<'_, '_>, rule: impl Into<String>) {
        if self.warnings.len() < MAX_LISTED {
            let violation = Violation { line: 0, column: 0, path: path(node), rule: rule.into() };
            self.warnings.push((node.range().start, violation));
        }
    }

    /// Whether the list is full, so that looking further is of no use.
    const fn is_full(&self) -> bool {
        self.violations.len() > MAX_LISTED
    }

    fn element(&mut self, node: Node<'_, '_>, declared: &'static Element) {
        if self.is_full() {
            return;
        }
        if Some(node.tag_name().name()) == declared.prose {
            self.warning(node, format!("outside the schema, taken for {}", declared.name));
        }
        self.attributes(node, declared);
        match &declared.content {
            Content::Anything => {}
            Content::Empty => {
                self.no_text(node);
                for child in node.children().filter(Node::is_element) {
                    self.violation(child, "nothing may stand here");
                }
            }
            Content::Text(lexical) => {
                for child in node.children().filter(Node::is_element) {
                    self.violation(child, "only text may stand here");
                }
                if !lexical.accepts(&text(node)) {
                    self.violation(node, lexical.to_string());
                }
            }
            Content::Children(particles) => {
                self.no_text(node);
                self.whole_sequence(node, particles);
            }
            Content::Mixed(particles) => self.whole_sequence(node, particles),
            Content::Unordered(elements) => {
                self.no_text(node);
                self.unordered(node, elements);
            }
        }
    }

    fn attributes(&mut self, node: Node<'_, '_>, declared: &'static Element) {
        for attribute in node.attributes() {
            let at = attribute.range().start;
            let name = attribute.name();
            let here = || format!("{}/@{name}", path(node));
            match attribute.namespace() {
                Some(XML) => {}
                Some(XSI) if name == "schemaLocation" => {}
                Some(_) => self.violation_at(at, here, "no such attribute here"),
                None => match declared.attributes.iter().find(|a| a.name == name) {
                    None => self.violation_at(at, here, "no such attribute here"),
                    Some(known) if known.value.accepts(attribute.value()) => {}
                    Some(known) => self.violation_at(at, here, known.value.to_string()),
                },
            }
        }
        for required in declared.attributes.iter().filter(|a| a.required) {
            if node.attribute(required.name).is_none() {
                self.violation(node, format!("attribute {} is missing", required.name));
            }
        }
    }

    fn no_text(&mut self, node: Node<'_, '_>) {
        let stray =
            node.children().find(|child| child.text().is_some_and(|t| child.is_text() && !t.chars().all(is_space)));
        if let Some(stray) = stray {
            let at = stray.range().start;
            self.violation_at(at, || path(node), "text may not stand here");
        }
    }

    fn unordered(&mut self, node: Node<'_, '_>, elements: &[&'static Element]) {
        let mut seen = vec![false; elements.len()];
        for child in node.children().filter(Node::is_element) {
            let known = elements.iter().zip(&mut seen).find(|(e, _)| e.is(child));
            match known {
                None => self.violation(child, unknown(child, elements.iter().copied())),
                Some((element, seen)) => {
                    if core::mem::replace(seen, true) {
                        self.violation(child, "may occur only once");
                    }
                    self.element(child, element);
                }
            }
        }
    }

    fn whole_sequence(&mut self, parent: Node<'_, '_>, particles: &'static [Particle]) {
        let children: Vec<_> = parent.children().filter(Node::is_element).collect();
        let end = self.sequence(parent, &children, particles, true);
        for child in children.get(end..).unwrap_or_default() {
            self.stray(*child, particles);
        }
    }

    /// Matches children against particles; returns how many children were used up. Strays are
    /// reported and stepped over only on the outermost level, where all that may follow is known.
    fn sequence<'a, 'i>(
        &mut self,
        parent: Node<'a, 'i>,
        children: &[Node<'a, 'i>],
        particles: &'static [Particle],
        outermost: bool,
    ) -> usize {
        let mut used = 0;
        for (index, particle) in particles.iter().enumerate() {
            let later = particles.get(index + 1..).unwrap_or_default();
            let mut count = 0;
            let mut foreign = Vec::new();
            while let Some(child) = children.get(used).copied() {
                if count < particle.max && particle.accepts(child) {
                    let rest = children.get(used..).unwrap_or_default();
                    used += self.occurrence(parent, rest, particle, &mut foreign);
                    count += 1;
                } else if !outermost || later.iter().any(|p| p.accepts(child)) {
                    break;
                } else {
                    self.stray(child, particles);
                    used += 1;
                }
            }
            let is_there = || children.iter().any(|child| is_meant(particle, particles, *child));
            if count < particle.min && !is_there() {
                self.violation(parent, missing(particle));
            }
        }
        used
    }

    /// One occurrence of a particle that accepts the first child; returns how many it used up.
    fn occurrence<'a, 'i>(
        &mut self,
        parent: Node<'a, 'i>,
        children: &[Node<'a, 'i>],
        particle: &'static Particle,
        foreign_seen: &mut Vec<u32>,
    ) -> usize {
        let Some(child) = children.first().copied() else {
            return 0;
        };
        match &particle.term {
            Term::Element(element) => {
                self.element(child, element);
                1
            }
            Term::Foreign(foreign) => {
                self.foreign(child, foreign, foreign_seen);
                1
            }
            Term::Choice(alternatives) => {
                let Some(taken) = alternatives.iter().find(|a| a.starts_with(child)) else {
                    return 1;
                };
                if taken.prose {
                    self.warning(child, "outside the schema, accepted as the published text has it");
                }
                self.sequence(parent, children, taken.particles, false).max(1)
            }
        }
    }

    fn foreign(&mut self, node: Node<'_, '_>, wildcard: &'static Foreign, seen: &mut Vec<u32>) {
        seen.resize(wildcard.known.len(), 0);
        let known = wildcard.known.iter().zip(seen).find(|((e, _), _)| e.is(node));
        match known {
            Some(((element, max), seen)) => {
                *seen = seen.saturating_add(1);
                if seen.checked_sub(1) == Some(*max) {
                    self.violation(node, at_most(*max));
                }
                self.element(node, element);
            }
            None if wildcard.lax => {}
            None => {
                let known = wildcard.known.iter().map(|(element, _)| *element);
                self.violation(node, unknown(node, known));
            }
        }
    }

    /// An element that the sequence cannot take here.
    fn stray(&mut self, node: Node<'_, '_>, particles: &'static [Particle]) {
        if self.is_full() {
            return;
        }
        let place = particles.iter().find_map(|p| p.mentions(node).map(|element| (p, element)));
        let Some((particle, element)) = place else {
            let rule = unknown(node, particles.iter().flat_map(Particle::named));
            self.violation(node, rule);
            return;
        };
        let before = node
            .prev_siblings()
            .skip(1)
            .filter(|sibling| sibling.is_element() && element.is(*sibling))
            .take(particle.max as usize)
            .count();
        let rule = if matches!(particle.term, Term::Choice(_)) {
            "may not be combined with what stands before it".to_owned()
        } else if before >= particle.max as usize {
            at_most(particle.max)
        } else {
            let order: Vec<_> = particles.iter().flat_map(Particle::named).map(|e| e.name).collect();
            format!("out of order; the order is {}", order.join(", "))
        };
        self.violation(node, rule);
        self.element(node, element);
    }
}

/// Whether an element is what the particle wants but for its place or its namespace, which is
/// told where it stands.
fn is_meant(particle: &'static Particle, sequence: &'static [Particle], node: Node<'_, '_>) -> bool {
    if particle.accepts(node) {
        return true;
    }
    let name = node.tag_name().name();
    let same_name = particle.named().iter().any(|element| element.name == name);
    same_name && !sequence.iter().any(|other| other.accepts(node))
}

fn at_most(max: u32) -> String {
    match max {
        1 => "may occur only once".to_owned(),
        max => format!("may occur at most {max} times"),
    }
}

fn missing(particle: &'static Particle) -> String {
    let names: Vec<_> = match &particle.term {
        Term::Choice(alternatives) => alternatives
            .iter()
            .filter(|a| !a.prose)
            .filter_map(|a: &Alternative| a.particles.first())
            .flat_map(Particle::named)
            .map(|e| e.name)
            .collect(),
        _ => particle.named().into_iter().map(|e| e.name).collect(),
    };
    format!("{} is missing", names.join(" or "))
}

/// Why an element is not known here; says so where only the namespace is wrong.
fn unknown(node: Node<'_, '_>, known: impl Iterator<Item = &'static Element>) -> String {
    let name = node.tag_name().name();
    let mut same_name = known.filter(|element| element.name == name);
    match same_name.next() {
        Some(element) => format!("wrong namespace; this element is in {}", element.ns.uri()),
        None => "no such element here".to_owned(),
    }
}

/// All text and CDATA of an element, whatever comments stand between. [PROV 2]
pub(crate) fn text(node: Node<'_, '_>) -> String {
    node.children().filter(Node::is_text).filter_map(|child| child.text()).collect()
}

/// The path of an element from the root.
fn path(node: Node<'_, '_>) -> String {
    let mut steps: Vec<String> = node.ancestors().filter(Node::is_element).map(step).collect();
    steps.reverse();
    format!("/{}", steps.join("/"))
}

/// The name, with a number where there are several of it.
fn step(node: Node<'_, '_>) -> String {
    let name = node.tag_name();
    let same = |sibling: &Node<'_, '_>| sibling.is_element() && sibling.tag_name() == name;
    let before = node.prev_siblings().skip(1).filter(same).count();
    let after = node.next_siblings().skip(1).any(|sibling| same(&sibling));
    if before == 0 && !after { name.name().to_owned() } else { format!("{}[{}]", name.name(), before + 1) }
}

/// Whether a signature element stands here. [PROV 9.4]
pub(super) fn is_signature(node: Node<'_, '_>) -> bool {
    node.tag_name().name() == "Signature" && Ns::of(node) == Some(Ns::Signature)
}

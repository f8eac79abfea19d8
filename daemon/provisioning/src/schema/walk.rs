//! The one walker of the rule table: collects every violation, goes on after each.

use super::lexical::is_space;
use super::rules;
use super::table::ROOT;
use super::{Alternative, Content, Element, Foreign, Ns, Particle, Term, Violation};
use crate::private::Passing;
use crate::xml::{Children, Item, Node, Positions, Tree, XML};

/// At most so many violations are listed.
const MAX_LISTED: usize = 500;

const XSI: &str = "http://www.w3.org/2001/XMLSchema-instance";

/// What the walk found.
#[derive(Debug, Default)]
pub(crate) struct Findings {
    pub(crate) violations: Vec<Violation>,
    pub(crate) warnings: Vec<Violation>,
}

/// Walks a whole document.
pub(crate) fn walk(document: &Tree<'_>) -> Findings {
    let mut walker = Walker::default();
    let root = document.root();
    if ROOT.is(root) {
        walker.element(root, &ROOT);
        rules::check(root, &mut walker);
    } else {
        let rule = format!("the root must be {} in {}", ROOT.name, ROOT.ns.uri());
        walker.violation(root, rule);
    }
    Findings {
        violations: located(walker.violations, document.text()),
        warnings: located(walker.warnings, document.text()),
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
    pub(super) fn violation(&mut self, node: Node<'_>, rule: impl Into<String>) {
        self.violation_at(node.range().start, || path(node), rule);
    }

    /// Whether something was found at that very element.
    pub(super) fn has_violation(&self, node: Node<'_>) -> bool {
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

    pub(super) fn warning(&mut self, node: Node<'_>, rule: impl Into<String>) {
        if self.warnings.len() < MAX_LISTED {
            let violation = Violation { line: 0, column: 0, path: path(node), rule: rule.into() };
            self.warnings.push((node.range().start, violation));
        }
    }

    /// Whether the list is full, so that looking further is of no use.
    const fn is_full(&self) -> bool {
        self.violations.len() > MAX_LISTED
    }

    fn element(&mut self, node: Node<'_>, declared: &'static Element) {
        if self.is_full() {
            return;
        }
        if Some(node.name()) == declared.prose {
            self.warning(node, format!("outside the schema, taken for {}", declared.name));
        }
        self.attributes(node, declared);
        match &declared.content {
            Content::Anything => {}
            Content::Empty => {
                self.no_text(node);
                for child in node.children() {
                    self.violation(child, "nothing may stand here");
                }
            }
            Content::Text(lexical) => {
                for child in node.children() {
                    self.violation(child, "only text may stand here");
                }
                if !lexical.accepts(&Passing(node.text())) {
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

    fn attributes(&mut self, node: Node<'_>, declared: &'static Element) {
        for attribute in node.attributes() {
            let at = attribute.at();
            let name = attribute.name();
            let here = || format!("{}/@{name}", path(node));
            match attribute.namespace() {
                Some(uri) if uri == XML => {}
                Some(uri) if uri == XSI && name == "schemaLocation" => {}
                Some(_) => self.violation_at(at, here, "no such attribute here"),
                None => match declared.attributes.iter().find(|a| a.name == name) {
                    None => self.violation_at(at, here, "no such attribute here"),
                    Some(known) if known.value.accepts(&attribute.value()) => {}
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

    fn no_text(&mut self, node: Node<'_>) {
        let mut here = node.items();
        while let Some((at, item)) = here.next_at() {
            if matches!(item, Item::Text(text) if !text.chars().all(is_space)) {
                self.violation_at(at, || path(node), "text may not stand here");
                return;
            }
        }
    }

    fn unordered(&mut self, node: Node<'_>, elements: &[&'static Element]) {
        let mut seen = vec![false; elements.len()];
        for child in node.children() {
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

    fn whole_sequence(&mut self, parent: Node<'_>, particles: &'static [Particle]) {
        let mut children = parent.children();
        self.sequence(parent, &mut children, particles, true);
        for child in children {
            self.stray(child, particles);
        }
    }

    /// Matches children against particles and takes those that it used up. Strays are reported and stepped over only on
    /// the outermost level, where all that may follow is known.
    fn sequence<'t>(
        &mut self,
        parent: Node<'t>,
        children: &mut Children<'t>,
        particles: &'static [Particle],
        outermost: bool,
    ) {
        let all = children.clone();
        for (index, particle) in particles.iter().enumerate() {
            let later = particles.get(index + 1..).unwrap_or_default();
            let mut count = 0;
            let mut foreign = Vec::new();
            while let Some(child) = children.peek() {
                if count < particle.max && particle.accepts(child) {
                    self.occurrence(parent, child, children, particle, &mut foreign);
                    count += 1;
                } else if !outermost || later.iter().any(|p| p.accepts(child)) {
                    break;
                } else {
                    self.stray(child, particles);
                    children.next();
                }
            }
            if count < particle.min && !all.clone().any(|child| is_meant(particle, particles, child)) {
                self.violation(parent, missing(particle));
            }
        }
    }

    /// One occurrence of a particle that accepts `child`, the first of the children; takes what it uses up.
    fn occurrence<'t>(
        &mut self,
        parent: Node<'t>,
        child: Node<'t>,
        children: &mut Children<'t>,
        particle: &'static Particle,
        foreign_seen: &mut Vec<u32>,
    ) {
        match &particle.term {
            Term::Element(element) => {
                children.next();
                self.element(child, element);
            }
            Term::Foreign(foreign) => {
                children.next();
                self.foreign(child, foreign, foreign_seen);
            }
            Term::Choice(alternatives) => {
                if let Some(taken) = alternatives.iter().find(|a| a.starts_with(child)) {
                    if taken.prose {
                        self.warning(child, "outside the schema, accepted as the published text has it");
                    }
                    self.sequence(parent, children, taken.particles, false);
                }
                // It always goes on.
                if children.peek() == Some(child) {
                    children.next();
                }
            }
        }
    }

    fn foreign(&mut self, node: Node<'_>, wildcard: &'static Foreign, seen: &mut Vec<u32>) {
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
    fn stray(&mut self, node: Node<'_>, particles: &'static [Particle]) {
        if self.is_full() {
            return;
        }
        let place = particles.iter().find_map(|p| p.mentions(node).map(|element| (p, element)));
        let Some((particle, element)) = place else {
            let rule = unknown(node, particles.iter().flat_map(Particle::named));
            self.violation(node, rule);
            return;
        };
        let before = before(node).filter(|sibling| element.is(*sibling)).take(particle.max as usize).count();
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
fn is_meant(particle: &'static Particle, sequence: &'static [Particle], node: Node<'_>) -> bool {
    if particle.accepts(node) {
        return true;
    }
    let name = node.name();
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
fn unknown(node: Node<'_>, known: impl Iterator<Item = &'static Element>) -> String {
    let name = node.name();
    let mut same_name = known.filter(|element| element.name == name);
    match same_name.next() {
        Some(element) => format!("wrong namespace; this element is in {}", element.ns.uri()),
        None => "no such element here".to_owned(),
    }
}

/// The path of an element from the root.
fn path(node: Node<'_>) -> String {
    let mut steps: Vec<String> = node.ancestors().map(step).collect();
    steps.reverse();
    format!("/{}", steps.join("/"))
}

/// Elements beside it and before it.
fn before(node: Node<'_>) -> impl Iterator<Item = Node<'_>> {
    let siblings = node.parent().map(Node::children);
    siblings.into_iter().flatten().take_while(move |sibling| *sibling != node)
}

/// The name, with a number where there are several of it.
fn step(node: Node<'_>) -> String {
    let name = node.name();
    let same = |sibling: &Node<'_>| sibling.ns() == node.ns() && sibling.name() == name;
    let number = before(node).filter(same).count() + 1;
    let siblings = node.parent().map(Node::children);
    let after = siblings.into_iter().flatten().skip_while(|sibling| *sibling != node).skip(1);
    if number == 1 && !after.into_iter().any(|sibling| same(&sibling)) {
        name.to_owned()
    } else {
        format!("{name}[{number}]")
    }
}

/// Whether a signature element stands here. [PROV 9.4]
pub(super) fn is_signature(node: Node<'_>) -> bool {
    node.ns() == Some(Ns::Signature) && node.name() == "Signature"
}

//! Outcomes to the results document. [PROV 10]

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use quick_xml::events::{BytesEnd, BytesStart, BytesText, Event};
use quick_xml::writer::Writer;

use crate::code::Code;
use crate::plan::Element;
use crate::schema::lexical::decode_hex;
use crate::signer::Signed;

/// Which of the two published shapes to write. [PROV 10.1, 10.2]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Shape {
    /// For consumers of the first version: no plans, messages, branding and extensions.
    V1,
    /// What is written unless asked otherwise.
    #[default]
    V2,
}

impl Shape {
    const fn namespace(self) -> &'static str {
        match self {
            Self::V1 => "http://www.microsoft.com/networking/CarrierControlResults/v1",
            Self::V2 => "http://www.microsoft.com/networking/CarrierControlResults/v2",
        }
    }
}

/// An element and what it came to.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Leaf<'a> {
    pub(crate) element: &'a Element,
    pub(crate) code: Code,
    /// More about a message rule; nothing elsewhere.
    pub(crate) detail: &'a str,
}

/// The results of a document that was refused as a whole. [PROV 10.3]
#[must_use]
pub fn refused(code: Code, shape: Shape) -> String {
    refused_signed(code, None, shape)
}

/// The same where a certificate could be read; it is told only with the codes about signatures.
#[must_use]
pub fn refused_signed(code: Code, signed: Option<&Signed>, shape: Shape) -> String {
    let mut root = Node::new(ROOT);
    root.code = Some(code);
    if code.is_about_signature() {
        root.children.push(signature(code, signed));
    }
    write(&root, shape)
}

/// The results of a document that was accepted.
pub(crate) fn accepted(
    issuer: &str,
    subscriber: &str,
    signed: Option<&Signed>,
    leaves: &[Leaf<'_>],
    shape: Shape,
) -> String {
    let mut root = Node::new(ROOT);
    root.children.push(Node::with_text("Issuer", issuer));
    root.children.push(Node::with_text("Subscriber", subscriber));
    // The schema of the first shape wants one, signed or not.
    if shape == Shape::V1 || signed.is_some() {
        root.children.push(signature(Code::OK, signed));
    }
    if leaves.iter().all(|leaf| leaf.code == Code::OK) {
        root.code = Some(Code::OK);
    } else {
        root.children.extend(sections(leaves, shape));
    }
    write(&root, shape)
}

/// `Signature`, with whose certificate it has where that could be read.
fn signature(code: Code, signed: Option<&Signed>) -> Node {
    let mut signature = Node::new("Signature");
    signature.code = Some(code);
    if let Some(signed) = signed {
        signature.children.push(Node::with_text("Subject", &signed.subject));
        if let Some(digest) = decode_hex(&signed.fingerprint) {
            signature.children.push(Node::with_text("Thumbprint", &STANDARD.encode(digest)));
        }
    }
    signature
}

const ROOT: &str = "CarrierProvisioningResult";

/// Sections in the order of [PROV 10.3], and whether the first shape has them.
const SECTIONS: &[(&str, bool)] = &[
    ("Activation", true),
    ("MBNProfiles", true),
    ("WLANProfiles", true),
    ("Plans", false),
    ("Provisioning", true),
    ("CarrierNetworkMetadata", false),
    ("AdditionalPDPContexts", false),
];

/// These carry a code even where their children differ; it is then the worst of them. [PROV 10.2]
const CODE_REQUIRED: &[&str] = &["CarrierNetworkMetadata", "AdditionalPDPContexts"];

#[derive(Debug)]
struct Node {
    name: &'static str,
    /// `name` or `position`, with its value.
    label: Option<(&'static str, String)>,
    code: Option<Code>,
    detail: Option<String>,
    text: Option<String>,
    children: Vec<Node>,
}

impl Node {
    const fn new(name: &'static str) -> Self {
        Self { name, label: None, code: None, detail: None, text: None, children: Vec::new() }
    }

    fn with_text(name: &'static str, text: &str) -> Self {
        let mut node = Self::new(name);
        node.text = Some(text.to_owned());
        node
    }

    /// Children that all have one code give it to their parent and go. [PROV 10.3, coalescing]
    fn fold(&mut self) {
        for child in &mut self.children {
            child.fold();
        }
        let mut codes = self.children.iter().map(|child| {
            let is_leaf = child.children.is_empty();
            child.code.filter(|_| is_leaf)
        });
        let Some(Some(first)) = codes.next() else {
            return;
        };
        if codes.all(|code| code == Some(first)) {
            self.code = Some(first);
            self.children.clear();
        }
    }

    /// A failure beats a warning, a warning success.
    fn worst(&self) -> Code {
        let rank = |code: &Code| (code.is_failure(), code.is_warning());
        self.children.iter().map(Self::worst).chain(self.code).max_by_key(rank).unwrap_or(Code::OK)
    }
}

/// Where an element stands: section, part of it, leaf with its label. An empty leaf is the
/// section itself.
struct Place<'a> {
    section: &'static str,
    part: Option<&'static str>,
    leaf: &'static str,
    label: Option<(&'static str, &'a str)>,
}

fn place(element: &Element) -> Place<'_> {
    let at = |section, leaf| Place { section, part: None, leaf, label: None };
    let named = |section, leaf, name| Place { label: Some(("name", name)), ..at(section, leaf) };
    let inside = |section, part, leaf, name| Place { part: Some(part), ..named(section, leaf, name) };
    match element {
        Element::Activation => at("Activation", ""),
        Element::MbnProfiles => at("MBNProfiles", ""),
        Element::DefaultProfile(name) => named("MBNProfiles", "DefaultProfile", name),
        Element::PurchaseProfile(name) => named("MBNProfiles", "PurchaseProfile", name),
        Element::Message(_) => inside("MBNProfiles", "Messages", "Message", ""),
        Element::Branding => at("MBNProfiles", "Branding"),
        Element::WlanProfiles => at("WLANProfiles", ""),
        Element::WlanProfile(name) => named("WLANProfiles", "WLANProfile", name),
        Element::Plan(name) => named("Plans", "Plan", name),
        Element::Provisioning => at("Provisioning", ""),
        Element::TrustedCertificate => at("Provisioning", "TrustedCertificate"),
        Element::RefreshParameters => at("Provisioning", "RefreshParameters"),
        Element::CarrierNetworkMetadata => at("CarrierNetworkMetadata", ""),
        Element::NetworkSettings => at("CarrierNetworkMetadata", "NetworkSettings"),
        Element::DataClassFriendlyNames => at("CarrierNetworkMetadata", "DataClassFriendlyNames"),
        Element::CustomerSupportPhoneNumber => at("CarrierNetworkMetadata", "CustomerSupportPhoneNumber"),
        Element::AdditionalPdpContexts => at("AdditionalPDPContexts", ""),
        Element::PdpContextPolicy(name) => {
            inside("AdditionalPDPContexts", "MultiplePDPContextPolicies", "PDPContextPolicy", name)
        }
        Element::TetheringProfile(name) => {
            inside("AdditionalPDPContexts", "TetheringSettings", "TetheringProfile", name)
        }
    }
}

fn sections(leaves: &[Leaf<'_>], shape: Shape) -> Vec<Node> {
    let mut sections = Vec::new();
    for (name, in_v1) in SECTIONS {
        if shape == Shape::V1 && !in_v1 {
            continue;
        }
        let mut section = Node::new(name);
        let mut is_there = false;
        for leaf in leaves {
            let place = place(leaf.element);
            if place.section != *name || shape == Shape::V1 && !is_in_v1(leaf.element) {
                continue;
            }
            is_there = true;
            insert(&mut section, &place, leaf, shape);
        }
        if is_there {
            section.fold();
            if section.code.is_none() && CODE_REQUIRED.contains(name) {
                section.code = Some(section.worst());
            }
            sections.push(section);
        }
    }
    sections
}

const fn is_in_v1(element: &Element) -> bool {
    !matches!(element, Element::Message(_) | Element::Branding)
}

fn insert(section: &mut Node, place: &Place<'_>, leaf: &Leaf<'_>, shape: Shape) {
    if place.leaf.is_empty() {
        section.code = Some(leaf.code);
        return;
    }
    let mut node = Node::new(place.leaf);
    node.code = Some(leaf.code);
    node.detail = Some(leaf.detail).filter(|detail| !detail.is_empty() && place.leaf == "Message").map(str::to_owned);
    node.label = match (leaf.element, shape) {
        (Element::Message(position), _) => Some(("position", position.to_string())),
        (Element::WlanProfile(name), Shape::V1) => Some(("Name", name.clone())),
        (_, Shape::V1) => None,
        (_, Shape::V2) => place.label.map(|(key, value)| (key, value.to_owned())),
    };
    let Some(part) = place.part else {
        section.children.push(node);
        return;
    };
    match section.children.iter_mut().find(|child| child.name == part) {
        Some(part) => part.children.push(node),
        None => {
            let mut part = Node::new(part);
            part.children.push(node);
            section.children.push(part);
        }
    }
}

fn write(root: &Node, shape: Shape) -> String {
    let mut writer = Writer::new_with_indent(Vec::new(), b' ', 2);
    // A vector takes every octet.
    let _ = element(&mut writer, root, Some(shape.namespace()));
    String::from_utf8(writer.into_inner()).unwrap_or_default()
}

fn element(writer: &mut Writer<Vec<u8>>, node: &Node, namespace: Option<&str>) -> std::io::Result<()> {
    let mut start = BytesStart::new(node.name);
    if let Some(namespace) = namespace {
        start.push_attribute(("xmlns", namespace));
    }
    if let Some((key, value)) = &node.label {
        start.push_attribute((*key, value.as_str()));
    }
    if let Some(code) = node.code {
        start.push_attribute(("errorCode", code.to_string().as_str()));
    }
    if let Some(detail) = &node.detail {
        start.push_attribute(("errorDetails", detail.as_str()));
    }
    if node.text.is_none() && node.children.is_empty() {
        return writer.write_event(Event::Empty(start));
    }
    writer.write_event(Event::Start(start))?;
    if let Some(text) = &node.text {
        writer.write_event(Event::Text(BytesText::new(text)))?;
    }
    for child in &node.children {
        element(writer, child, None)?;
    }
    writer.write_event(Event::End(BytesEnd::new(node.name)))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ISSUER: &str = "{7d3c1f52-0b5e-4c7a-9a41-5e2f6b8c9d10}";

    fn v2(leaves: &[(Element, Code)]) -> String {
        written(leaves, Shape::V2)
    }

    fn written(leaves: &[(Element, Code)], shape: Shape) -> String {
        let leaves: Vec<_> = leaves.iter().map(|(element, code)| Leaf { element, code: *code, detail: "" }).collect();
        accepted(ISSUER, "001010123456789", None, &leaves, shape)
    }

    fn document(version: u8, root_code: &str, lines: &str) -> String {
        let namespace = "http://www.microsoft.com/networking/CarrierControlResults";
        let head = format!("<CarrierProvisioningResult xmlns=\"{namespace}/v{version}\"{root_code}>");
        format!(
            "{head}\n  <Issuer>{ISSUER}</Issuer>\n  <Subscriber>001010123456789</Subscriber>\n\
             {lines}</CarrierProvisioningResult>"
        )
    }

    fn name(text: &str) -> String {
        text.to_owned()
    }

    /// The worked examples of [PROV 10.4], letter for letter. PROV-199 to PROV-201, PROV-208.
    #[test]
    fn worked_examples() {
        assert_eq!(v2(&[]), document(2, " errorCode=\"00000000\"", ""));
        assert_eq!(v2(&[(Element::Activation, Code::OK)]), document(2, " errorCode=\"00000000\"", ""));
        let leaves = [
            (Element::Plan(name("Home")), Code::OK),
            (Element::DefaultProfile(name("a")), Code::OK),
            (Element::PurchaseProfile(name("b")), Code::OK),
            (Element::WlanProfile(name("c")), Code::SERVICE_NOT_ACTIVE),
            (Element::WlanProfile(name("d")), Code::SERVICE_NOT_ACTIVE),
        ];
        let lines = "  <MBNProfiles errorCode=\"00000000\"/>\n  \
            <WLANProfiles errorCode=\"80070426\"/>\n  <Plans errorCode=\"00000000\"/>\n";
        assert_eq!(v2(&leaves), document(2, "", lines));
        let leaves = [
            (Element::Plan(name("Home")), Code::OK),
            (Element::Plan(name("Old")), Code::PLAN_UNREFERENCED),
            (Element::WlanProfile(name("Example Lounge")), Code::OK),
            (Element::WlanProfile(name("Example Train")), Code::BAD_PROFILE),
        ];
        let lines = "  <WLANProfiles>\n    \
            <WLANProfile name=\"Example Lounge\" errorCode=\"00000000\"/>\n    \
            <WLANProfile name=\"Example Train\" errorCode=\"800704b6\"/>\n  </WLANProfiles>\n  \
            <Plans>\n    <Plan name=\"Home\" errorCode=\"00000000\"/>\n    \
            <Plan name=\"Old\" errorCode=\"22170101\"/>\n  </Plans>\n";
        assert_eq!(v2(&leaves), document(2, "", lines));
        let leaves = [
            (Element::DefaultProfile(name("Example Mobile")), Code::OK),
            (Element::Message(1), Code::OK),
            (Element::Message(2), Code::CONTENT_UNUSABLE),
        ];
        let lines = "  <MBNProfiles>\n    \
            <DefaultProfile name=\"Example Mobile\" errorCode=\"00000000\"/>\n    <Messages>\n      \
            <Message position=\"1\" errorCode=\"00000000\"/>\n      \
            <Message position=\"2\" errorCode=\"82170008\"/>\n    </Messages>\n  </MBNProfiles>\n";
        assert_eq!(v2(&leaves), document(2, "", lines));
    }

    /// PROV-202, PROV-203.
    #[test]
    fn refused_documents() {
        let namespace = Shape::V2.namespace();
        assert_eq!(
            refused(Code::XML_INVALID, Shape::V2),
            format!("<CarrierProvisioningResult xmlns=\"{namespace}\" errorCode=\"82170002\"/>")
        );
        assert_eq!(
            refused(Code::DIGEST_INVALID, Shape::V2),
            format!(
                "<CarrierProvisioningResult xmlns=\"{namespace}\" errorCode=\"82170005\">\n  \
                 <Signature errorCode=\"82170005\"/>\n</CarrierProvisioningResult>"
            )
        );
    }

    /// What carries a code by its schema carries the worst of its children where they differ.
    #[test]
    fn sections_that_need_a_code() {
        let leaves = [
            (Element::NetworkSettings, Code::NO_EFFECT),
            (Element::CustomerSupportPhoneNumber, Code::OK),
            (Element::PdpContextPolicy(name("<&\"")), Code::OK),
            (Element::TetheringProfile(name("t")), Code::NOT_SUPPORTED),
        ];
        let xml = v2(&leaves);
        for part in [
            "<CarrierNetworkMetadata errorCode=\"22170102\">\n    <NetworkSettings errorCode=\"22170102\"/>",
            "<AdditionalPDPContexts errorCode=\"80070032\">\n",
            "<MultiplePDPContextPolicies errorCode=\"00000000\"/>",
            "<TetheringSettings errorCode=\"80070032\"/>",
        ] {
            assert!(xml.contains(part), "{part} in {xml}");
        }
    }

    #[test]
    fn names_are_escaped() {
        let leaves = [(Element::Plan(name("<&\"'>")), Code::OK), (Element::Plan(name("b")), Code::PLAN_NOT_KNOWN)];
        let xml = v2(&leaves);
        let tree = roxmltree::Document::parse(&xml).unwrap();
        let plan = tree.descendants().find(|node| node.has_tag_name("Plan"));
        let plan = plan.or_else(|| tree.descendants().find(|n| n.tag_name().name() == "Plan"));
        assert_eq!(plan.unwrap().attribute("name"), Some("<&\"'>"));
    }

    /// The first shape has no plans; that one of them failed shows in that the root has no code.
    #[test]
    fn first_shape() {
        let leaves = [
            (Element::WlanProfile(name("w")), Code::OK),
            (Element::WlanProfile(name("x")), Code::BAD_PROFILE),
            (Element::DefaultProfile(name("d")), Code::OK),
            (Element::Branding, Code::NOT_SUPPORTED),
            (Element::Plan(name("p")), Code::NOT_SUPPORTED),
        ];
        let lines = "  <Signature errorCode=\"00000000\"/>\n  <MBNProfiles errorCode=\"00000000\"/>\n  \
            <WLANProfiles>\n    <WLANProfile Name=\"w\" errorCode=\"00000000\"/>\n    \
            <WLANProfile Name=\"x\" errorCode=\"800704b6\"/>\n  </WLANProfiles>\n";
        assert_eq!(written(&leaves, Shape::V1), document(1, "", lines));
    }
}

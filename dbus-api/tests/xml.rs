//! The XML is the truth: it is documented throughout, and the proxies say the same.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // a panic in a test is the report

use std::collections::{BTreeMap, BTreeSet};

use roxmltree::{Document, Node, ParsingOptions};

fn document(xml: &str) -> Document<'_> {
    let options = ParsingOptions { allow_dtd: true, ..ParsingOptions::default() };
    Document::parse_with_options(xml, options).expect("well-formed")
}

/// The comment right before an element.
fn comment_before<'a>(node: Node<'a, 'a>) -> &'a str {
    let mut before = node.prev_sibling();
    while let Some(sibling) = before {
        if sibling.is_comment() {
            return sibling.text().unwrap_or_default();
        }
        if sibling.is_element() {
            break;
        }
        before = sibling.prev_sibling();
    }
    panic!("no comment before {:?}", node.attribute("name"));
}

fn interface<'a>(document: &'a Document<'a>, name: &str) -> Node<'a, 'a> {
    let found: Vec<_> = document.descendants().filter(|node| node.has_tag_name("interface")).collect();
    assert_eq!(found.len(), 1, "{name}: one interface a file");
    assert_eq!(found[0].attribute("name"), Some(name));
    found[0]
}

fn members<'a>(interface: Node<'a, 'a>) -> impl Iterator<Item = Node<'a, 'a>> {
    interface.children().filter(Node::is_element)
}

#[test]
fn every_file_in_the_folder_is_listed() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/xml/own");
    let files: BTreeSet<String> =
        std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    let listed: BTreeSet<String> = dbus_api::xml::OWN.iter().map(|(name, _)| format!("{name}.xml")).collect();
    assert_eq!(files, listed);
}

#[test]
fn every_member_is_documented() {
    for (name, xml) in dbus_api::xml::OWN {
        let document = document(xml);
        let interface = interface(&document, name);
        assert!(comment_before(interface).contains("Since: "), "{name}");
        for member in members(interface) {
            let member_name = member.attribute("name").expect("name");
            let text = comment_before(member);
            assert!(text.trim_start().starts_with(&format!("{member_name}: ")), "{name}.{member_name}");
            assert!(text.contains("Since: "), "{name}.{member_name}");
            for arg in member.children().filter(|node| node.has_tag_name("arg")) {
                let arg_name = arg.attribute("name").expect("arguments have names");
                assert!(text.contains(&format!("@{arg_name}: ")), "{name}.{member_name} @{arg_name}");
                let signature = arg.attribute("type").expect("type");
                zbus::Signature::try_from(signature).expect("signature");
            }
            if text.contains("Authorisation: ") {
                assert!(text.contains("Errors: "), "{name}.{member_name}");
                assert!(text.contains("NotAuthorized") || text.contains("Errors: as "), "{name}.{member_name}");
            }
        }
    }
}

#[test]
fn errors_in_the_text_exist() {
    let codes: BTreeSet<&str> = dbus_api::error::Code::ALL.iter().map(|code| code.as_str()).collect();
    let mut named = BTreeSet::new();
    for (name, xml) in dbus_api::xml::OWN {
        for (at, _) in xml.match_indices("Errors: ") {
            let text = &xml[at..at + xml[at..].find("Since:").expect("Since")];
            for word in text
                .split([' ', ',', '\n'])
                .filter_map(|word| word.rsplit_once('.').filter(|(_, last)| !last.is_empty()))
            {
                let last = word.1.trim_end_matches('.');
                assert!(codes.contains(last), "{name}: {last}");
                named.insert(last.to_owned());
            }
        }
    }
    assert!(named.len() > 8, "{named:?}");
}

fn snake(name: &str) -> String {
    let mut out = String::new();
    for (at, c) in name.char_indices() {
        if c.is_ascii_uppercase() && at > 0 {
            out.push('_');
        }
        out.push(c.to_ascii_lowercase());
    }
    out
}

fn returned(signature: &str) -> &'static str {
    match signature {
        "s" => "String",
        "b" => "bool",
        "u" => "u32",
        "i" => "i32",
        "t" => "u64",
        "as" => "Vec<String>",
        "h" => "OwnedFd",
        "(ss)" => "(String, String)",
        "a(ss)" => "Vec<(String, String)>",
        "a(ssss)" => "Vec<(String, String, String, String)>",
        "a(sau)" => "Vec<(String, Vec<u32>)>",
        "a{ss}" => "HashMap<String, String>",
        "a{st}" => "HashMap<String, u64>",
        "a{sv}" => "HashMap<String, OwnedVariant>",
        "a{sa{ss}}" => "HashMap<String, HashMap<String, String>>",
        "a{s(ss)}" => "HashMap<String, (String, String)>",
        "aa{ss}" => "Vec<HashMap<String, String>>",
        "aa{sv}" => "Vec<HashMap<String, OwnedVariant>>",
        other => panic!("no Rust type for {other}"),
    }
}

fn taken(signature: &str) -> &'static str {
    match signature {
        "s" => "&str",
        "b" => "bool",
        "u" => "u32",
        "t" => "u64",
        "as" => "&[&str]",
        "ay" => "&[u8]",
        "o" => "&zbus::ObjectPath<'_>",
        "a{sv}" => "&HashMap<&str, Variant<'_>>",
        other => panic!("no Rust type for {other}"),
    }
}

/// What the proxy of a member has to look like.
fn expected(member: Node<'_, '_>) -> String {
    let name = snake(member.attribute("name").unwrap());
    let args = |direction: &str| -> Vec<(&str, &str)> {
        member
            .children()
            .filter(|node| node.has_tag_name("arg") && node.attribute("direction").unwrap_or("out") == direction)
            .map(|node| (node.attribute("name").unwrap(), node.attribute("type").unwrap()))
            .collect()
    };
    match member.tag_name().name() {
        "property" => format!("fn {name}(&self) -> zbus::Result<{}>;", returned(member.attribute("type").unwrap())),
        "signal" => {
            let list: Vec<String> = args("out")
                .iter()
                .map(|(arg, kind)| format!(", {arg}: {}", if *kind == "a{sv}" { returned(kind) } else { taken(kind) }))
                .collect();
            format!("fn {name}(&self{}) -> zbus::Result<()>;", list.concat())
        }
        "method" => {
            let list: Vec<String> = args("in").iter().map(|(arg, kind)| format!(", {arg}: {}", taken(kind))).collect();
            let out: Vec<&str> = args("out").iter().map(|(_, kind)| returned(kind)).collect();
            let out = if out.len() == 1 { out[0].to_owned() } else { format!("({})", out.join(", ")) };
            format!("fn {name}(&self{}) -> zbus::Result<{out}>;", list.concat())
        }
        other => panic!("unexpected element {other}"),
    }
}

#[test]
fn proxies_say_the_same() {
    for (name, xml) in dbus_api::xml::OWN {
        let short = name.rsplit('.').next().unwrap().to_lowercase();
        let source = std::fs::read_to_string(format!("{}/src/proxy/{short}.rs", env!("CARGO_MANIFEST_DIR"))).unwrap();
        assert!(source.contains(&format!("interface = \"{name}\"")), "{name}");
        // One line each, whatever the formatter made of them.
        let flat = source
            .split_whitespace()
            .collect::<Vec<_>>()
            .join(" ")
            .replace("( &self", "(&self")
            .replace(", ) ->", ") ->");
        let document = document(xml);
        let mut want: BTreeMap<String, &str> = BTreeMap::new();
        for member in members(interface(&document, name)) {
            want.insert(expected(member), member.tag_name().name());
        }
        for (line, kind) in &want {
            let (before, _) = flat.split_once(line.as_str()).unwrap_or_else(|| panic!("{name}: no `{line}`"));
            let attribute = before.rsplit("#[zbus(").next().unwrap();
            let mark = match *kind {
                "method" => "allow_interactive_auth",
                other => other,
            };
            assert!(attribute.starts_with(mark), "{name}: `{line}` is not a {kind}");
        }
        assert_eq!(flat.matches("fn ").count(), want.len(), "{name}: the proxy has members that the XML lacks");
    }
}

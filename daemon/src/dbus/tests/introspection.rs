//! What the server says of itself is what the XML says.

use std::collections::BTreeSet;

use roxmltree::{Document, Node, ParsingOptions};
use zbus::fdo::IntrospectableProxy;

use super::{open_gate, stand};

/// Members of an interface, one line each.
fn members(interface: Node<'_, '_>) -> BTreeSet<String> {
    let elements = interface.children().filter(Node::is_element);
    elements
        .map(|member| {
            let kind = member.tag_name().name();
            let name = member.attribute("name").unwrap();
            let mut line = format!("{kind} {name} {}", member.attribute("type").unwrap_or_default());
            for child in member.children().filter(Node::is_element) {
                let of = |attribute| child.attribute(attribute).unwrap_or_default();
                let direction = if kind == "signal" { "out" } else { of("direction") };
                line += &match child.tag_name().name() {
                    "arg" => format!(" [{direction} {} {}]", of("name"), of("type")),
                    _ => format!(" ({} {})", of("name"), of("value")),
                };
            }
            line + member.attribute("access").unwrap_or_default()
        })
        .collect()
}

fn parse(xml: &str) -> Document<'_> {
    Document::parse_with_options(xml, ParsingOptions { allow_dtd: true, ..ParsingOptions::default() }).unwrap()
}

#[tokio::test]
async fn server_and_xml_agree() {
    let stand = stand(open_gate()).await;
    let mut served = Vec::new();
    for path in [dbus_api::path::ROOT, dbus_api::path::modem(0).as_str()] {
        let proxy = IntrospectableProxy::builder(&stand.client)
            .destination(dbus_api::name::SERVICE)
            .path(path)
            .build()
            .await
            .unwrap();
        served.push(proxy.introspect().await.unwrap());
    }
    let documents: Vec<Document<'_>> = served.iter().map(|xml| parse(xml)).collect();
    let find = |name: &str| {
        let mut all = documents.iter().flat_map(|document| document.root_element().children());
        all.find(|node| node.has_tag_name("interface") && node.attribute("name") == Some(name)).unwrap()
    };
    for (name, xml) in dbus_api::xml::OWN {
        let document = parse(xml);
        let defined = document.descendants().find(|node| node.has_tag_name("interface")).unwrap();
        assert_eq!(members(find(name)), members(defined), "{name}");
    }
    let ours = documents.iter().flat_map(|document| document.root_element().children());
    let ours = ours.filter_map(|node| node.attribute("name")).filter(|name| name.starts_with("org.mbimd.")).count();
    assert_eq!(ours, dbus_api::xml::OWN.len(), "an interface is served that the XML lacks");
}

//! Messages through tshark, and back as its fields.

use std::process::Command;
use std::time::Duration;

use mbim_capture::{Direction, write};
use mbim_proto::{MbimEx, Operation};
use roxmltree::{Document, Node};

use crate::messages::Made;

/// One field as Wireshark has it.
#[derive(Debug)]
pub(crate) struct Seen {
    /// Without `mbim.control.`.
    pub(crate) name: String,
    /// What it prints.
    pub(crate) show: String,
    /// The bytes on the wire.
    pub(crate) bytes: Vec<u8>,
}

#[derive(Debug)]
pub(crate) struct Packet {
    /// The fields of the information buffer, in its order.
    pub(crate) fields: Vec<Seen>,
    /// That it could not read to the end, or had nothing to read it with.
    pub(crate) complaint: Option<String>,
}

/// The release that docs/wireshark.md is about: newer ones know more, older ones less.
const RELEASE: &str = "4.0.";

/// Whether this machine's Wireshark is the one that is written about. Others are not compared: what they read otherwise would
/// be news about them.
pub(crate) fn is_the_one_compared() -> bool {
    let out = Command::new("tshark").arg("--version").output().expect("tshark, of Debian's package tshark");
    let text = String::from_utf8_lossy(&out.stdout);
    let first = text.lines().next().unwrap_or_default();
    let is = first.split_whitespace().any(|word| word.starts_with(RELEASE));
    if !is {
        eprintln!("not compared: docs/wireshark.md is about Wireshark {RELEASE}x, this is {first}");
    }
    is
}

/// One tshark for all messages of a release.
pub(crate) fn run(messages: &[Made], release: MbimEx) -> Vec<Packet> {
    let frames = messages.iter().map(|made| {
        let direction = match made.operation {
            Operation::Query | Operation::Set => Direction::Sent,
            Operation::Response | Operation::Notify => Direction::Received,
        };
        (direction, &made.bytes[..])
    });
    let text = tshark(frames, release);
    packets(&text).map(packet).collect()
}

/// What it prints for the first of some fields in each frame, without the number.
pub(crate) fn printed(frames: &[Vec<u8>], names: &[&str]) -> Vec<String> {
    let text = tshark(frames.iter().map(|frame| (Direction::Received, &frame[..])), MbimEx::V4);
    let one = |text: &str| {
        let document = Document::parse(text).expect("PDML");
        let name = |node: &Node<'_, '_>| {
            node.attribute("name").and_then(|name| name.strip_prefix("mbim.control.")).map(str::to_owned)
        };
        let field = document.descendants().find(|node| name(node).is_some_and(|name| names.contains(&name.as_str())));
        let shown = field.and_then(|node| node.attribute("showname")).unwrap_or_default().to_owned();
        let shown = shown.split_once(": ").map_or("", |(_, rest)| rest);
        shown.rsplit_once(" (").map_or(shown, |(name, _)| name).to_owned()
    };
    packets(&text).map(one).collect()
}

/// The same for the field that stands at a place of each frame; empty where there is none.
pub(crate) fn printed_at(frames: &[(&[u8], usize)], release: MbimEx) -> Vec<String> {
    let text = tshark(frames.iter().map(|(frame, _)| (Direction::Received, *frame)), release);
    let one = |(text, (_, at)): (&str, &(&[u8], usize))| {
        let document = Document::parse(text).expect("PDML");
        let number = |node: &Node<'_, '_>, name| node.attribute(name).and_then(|text| text.parse::<usize>().ok());
        let proto = document.descendants().find(|node| node.attribute("name") == Some("mbim"));
        let start = proto.and_then(|proto| number(&proto, "pos")).unwrap_or_default();
        let is = |node: &Node<'_, '_>| number(node, "pos") == Some(start + at) && number(node, "size") == Some(4);
        let field = document
            .descendants()
            .find(|node| is(node) && node.attribute("name").is_some_and(|n| n.starts_with("mbim.")));
        let shown = field.and_then(|node| node.attribute("showname")).and_then(|shown| shown.split_once(": "));
        let shown = shown.map_or("", |(_, rest)| rest);
        shown.rsplit_once(" (").map_or(shown, |(name, _)| name).to_owned()
    };
    packets(&text).zip(frames).map(one).collect()
}

fn packets(text: &str) -> impl Iterator<Item = &str> {
    text.split_inclusive("</packet>").filter_map(|part| part.find("<packet>").map(|start| &part[start..]))
}

fn tshark<'a>(frames: impl Iterator<Item = (Direction, &'a [u8])>, release: MbimEx) -> String {
    let mut file = write::start();
    for (direction, frame) in frames {
        file.extend(write::frame(Duration::from_secs(1_700_000_000), direction, frame));
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("messages.pcapng");
    std::fs::write(&path, file).unwrap();
    let mut command = Command::new("tshark");
    // Neither the user's preferences nor plug-ins of the machine.
    command.env("HOME", folder.path()).env("WIRESHARK_CONFIG_DIR", folder.path());
    command.arg("-n").arg("-r").arg(&path).args(["-T", "pdml", "-J", "mbim _ws.malformed", "-o"]);
    command.arg(format!("mbim.extended_version:{}.0", release.bcd() >> 8));
    let out = command.output().expect("tshark, of Debian's package tshark");
    assert!(out.status.success(), "tshark: {}", String::from_utf8_lossy(&out.stderr));
    String::from_utf8_lossy(&out.stdout).into_owned()
}

fn packet(text: &str) -> Packet {
    let document = Document::parse(text).expect("PDML");
    let mut packet = Packet { fields: Vec::new(), complaint: None };
    for proto in document.root_element().children().filter(Node::is_element) {
        match proto.attribute("name") {
            Some("mbim") => fields(proto, &mut packet),
            // What other dissectors think of made-up cards and texts is their own affair.
            Some("_ws.malformed") if proto.attribute("showname").unwrap_or_default().contains("MBIM") => {
                packet.complaint = Some("malformed".into());
            }
            _ => {}
        }
    }
    packet
}

/// What stands in front of every information buffer.
const FRAME: &[&str] =
    &["header.", "fragment.", "device_service_id", "cid", "status", "command_type", "info_buffer_len"];

fn fields(node: Node<'_, '_>, packet: &mut Packet) {
    for field in node.children().filter(Node::is_element) {
        let attribute = |name| field.attribute(name).unwrap_or_default();
        let name = attribute("name");
        if let Some(expert @ ("mbim.unexpected_msg" | "mbim.unexpected_info_buffer" | "mbim.unknown_sms_format")) =
            Some(name)
        {
            packet.complaint = Some(expert.into());
        }
        let bytes = bytes(attribute("value"));
        // `data.data` is what a dissector that it has not leaves behind.
        match name.strip_prefix("mbim.control.").or(Some(name).filter(|name| *name == "data.data")) {
            // What is below are the bits of a number, the parts of a table: the same bytes once more.
            Some(short) if !bytes.is_empty() => {
                // Types 10 and 11 are the layouts of texts and tables, which have names of their own.
                let layout = short == "tlv_ie.type" && matches!(bytes[..], [10 | 11, 0]);
                if !layout
                    && !FRAME.iter().any(|part| {
                        short == part.trim_end_matches('.') || part.ends_with('.') && short.starts_with(part)
                    })
                {
                    packet.fields.push(Seen { name: short.to_owned(), show: attribute("show").to_owned(), bytes });
                }
            }
            _ => fields(field, packet),
        }
    }
}

fn bytes(hex: &str) -> Vec<u8> {
    (0..hex.len() / 2).filter_map(|at| u8::from_str_radix(hex.get(2 * at..2 * at + 2)?, 16).ok()).collect()
}

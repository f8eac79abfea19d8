//! What a client on libmbim-glib (`tests/strangers`) must print: it has calls for services, releases and indications that
//! `mbimcli` has no option for. Fields have libmbim's names; bytes stand with colons between them.

use super::{Seen, Step, query, releases};
use crate::dialogue::{self, Reply};
use crate::keys::Verdict;
use crate::order::Order;
use crate::sms::Delivery;

const SMS: &str = "533fbeeb-14fe-4467-9f90-33a223e56c3f";
const USSD: &str = "e550a0c8-5e82-479e-82f7-10abf4c3351f";

pub(super) fn steps() -> Vec<Step> {
    [messages(), dialogues(), toolkit(), challenges(), releases::steps()].concat()
}

/// One session: actions with a plus between them.
pub(super) fn acts(words: &'static str, prints: fn(Seen<'_>) -> Vec<String>) -> Step {
    let mut step = query("", prints);
    step.option = words.split(' ').find(|word| !word.starts_with("--")).unwrap_or(words);
    step.arguments = words.split(' ').collect();
    step
}

impl Step {
    /// While the client listens.
    pub(super) fn hears(mut self, order: Order) -> Self {
        self.during.push(order);
        self
    }

    /// With a word of this file behind its arguments, and one more.
    pub(super) fn of(mut self, service: &'static str, cid: &'static str) -> Self {
        self.arguments.extend([service, cid]);
        self
    }

    pub(super) fn takes(mut self, took: fn(Seen<'_>) -> bool) -> Self {
        self.took = took;
        self
    }
}

pub(super) fn hex(bytes: &[u8]) -> String {
    super::words::hex(bytes, ":").to_lowercase()
}

/// A title and fields.
pub(super) fn fields(title: &str, fields: &[(&str, &dyn core::fmt::Display)]) -> Vec<String> {
    let lines = fields.iter().map(|(name, value)| format!("{name} = '{value}'"));
    core::iter::once(format!("{title}:")).chain(lines).collect()
}

/// An array of structures.
pub(super) fn array(name: &str, elements: &[Vec<(&str, String)>]) -> Vec<String> {
    let mut lines = vec![format!("{name} = '{{")];
    for (place, element) in elements.iter().enumerate() {
        lines.push(format!("[{place}] = {{"));
        lines.extend(element.iter().map(|(name, value)| format!("{name} = '{value}'")));
        lines.push("},".into());
    }
    lines.push("}'".into());
    lines
}

/// A text in an information element.
pub(super) fn element(name: &str, text: &str) -> Vec<String> {
    let units: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    vec![
        format!("{name} = '{{"),
        "tlv type = wchar-str (0x000a)".into(),
        format!("tlv data = {}", super::words::hex(&units, ":")),
        format!("tlv string = {text}"),
        "}'".into(),
    ]
}

pub(super) fn no_elements() -> Vec<String> {
    vec!["UnnamedIes = '[".into(), "]'".into()]
}

pub(super) fn only(line: &'static str) -> Vec<String> {
    vec![line.into()]
}

// SMS

fn received(text: &str) -> Vec<u8> {
    Delivery::text("+15550100", text).pdu().unwrap_or_default()
}

fn messages() -> Vec<Step> {
    let flash = || Delivery { class: Some(0), ..Delivery::text("+15550100", "now") }.pdu().unwrap_or_default();
    vec![
        acts("sms-configuration", |seen| configuration("sms-configuration", seen)),
        acts("sms-configure 0 +15550188", |seen| configuration("sms-configure", seen))
            .takes(|seen| seen.card().service_centre == "+15550188"),
        acts("sms-configure 1 +15550188", |_| only("sms-configure: SmsFormatNotSupported")).fails(),
        acts("sms-read 0 0", |_| read(&[])),
        acts("sms-read 0 0", |_| read(&[(1, "new", received("one")), (2, "new", received("Zwölf €"))]))
            .after(Order::ReceiveSms(received("one")))
            .after(Order::ReceiveSms(received("Zwölf €"))),
        acts("sms-read 1 2", |_| read(&[(2, "old", received("Zwölf €"))])),
        acts("sms-read 1 9", |_| only("sms-read: InvalidMemoryIndex")).fails(),
        acts("listen", |_| fields("indication", &[("Flag", &"new-message"), ("MessageIndex", &3)]))
            .of(SMS, "5")
            .hears(Order::ReceiveSms(received("three"))),
        acts("sms-store-status", |_| fields("sms-store-status", &[("Flag", &"new-message"), ("MessageIndex", &3)])),
        acts("listen", |_| {
            let flash = Delivery { class: Some(0), ..Delivery::text("+15550100", "now") }.pdu().unwrap_or_default();
            let mut lines = read(&[(0, "new", flash)]);
            lines[0] = "indication:".into();
            lines
        })
        .of(SMS, "2")
        .hears(Order::ReceiveSms(flash())),
        acts("sms-send 000100089151551000000005e8329bfd06 + sms-send 000100089151551000000005e8329bfd06", |_| {
            [fields("sms-send", &[("MessageReference", &1)]), fields("sms-send", &[("MessageReference", &2)])].concat()
        }),
        acts("sms-send 0001", |_| only("sms-send: InvalidParameters")).fails(),
        acts("sms-send-cdma 68656c6c6f", |_| only("sms-send-cdma: SmsFormatNotSupported")).fails(),
        acts("sms-delete 1 2", |_| only("sms-delete:"))
            .takes(|seen| seen.profile.holdings.messages.held().keys().copied().eq([1, 3])),
        acts("sms-delete 1 9", |_| only("sms-delete: InvalidMemoryIndex")).fails(),
        acts("sms-delete 0 0", |_| only("sms-delete:")).takes(|seen| seen.profile.holdings.messages.held().is_empty()),
    ]
}

fn configuration(title: &str, seen: Seen<'_>) -> Vec<String> {
    fields(
        title,
        &[
            ("SmsStorageState", &"initialized"),
            ("Format", &"pdu"),
            ("MaxMessages", &seen.profile.holdings.messages.places()),
            ("CdmaShortMessageSize", &0),
            ("ScAddress", &seen.card().service_centre),
        ],
    )
}

fn read(held: &[(u32, &str, Vec<u8>)]) -> Vec<String> {
    let records: Vec<_> = held
        .iter()
        .map(|(place, status, pdu)| {
            vec![("MessageIndex", place.to_string()), ("MessageStatus", (*status).into()), ("PduData", hex(pdu))]
        })
        .collect();
    let head = fields("sms-read", &[("Format", &0), ("MessagesCount", &held.len())]);
    [head, array("PduMessages", &records), only("CdmaMessages =")].concat()
}

// USSD

fn dialogues() -> Vec<Step> {
    vec![
        acts("ussd 0 15 aa180c3602", |seen| {
            let Some((_, Reply::Text(text))) = seen.profile.network.ussd.first() else { return Vec::new() };
            said("ussd", "no-action-required", "new-session", text)
        }),
        acts("ussd 0 72 002a0031003000310023 + ussd 1 72 0031 + ussd 2 15 -", |seen| {
            let Some((_, Reply::Question { text, answers })) = seen.profile.network.ussd.last() else {
                return Vec::new();
            };
            let Some((_, Reply::Text(answer))) = answers.first() else { return Vec::new() };
            [
                said("ussd", "action-required", "new-session", text),
                said("ussd", "no-action-required", "existing-session", answer),
                said("ussd", "no-action-required", "existing-session", ""),
            ]
            .concat()
        }),
        acts("ussd 0 72 002a00390023", |_| said("ussd", "operation-not-supported", "new-session", "")),
        acts("ussd 1 72 0031", |_| only("ussd: OperationNotAllowed")).fails(),
        acts("listen", |_| said("indication", "no-action-required", "new-session", "Ваш счёт"))
            .of(USSD, "1")
            .hears(Order::Ussd(Reply::Text("Ваш счёт".into()))),
    ]
}

fn said(title: &str, response: &str, state: &str, text: &str) -> Vec<String> {
    let (scheme, payload) = if text.is_empty() { (0, Vec::new()) } else { dialogue::write(text) };
    let (response, state): (&dyn core::fmt::Display, &dyn core::fmt::Display) = (&response, &state);
    fields(
        title,
        &[("Response", response), ("SessionState", state), ("DataCodingScheme", &scheme), ("Payload", &hex(&payload))],
    )
}

// STK

/// "Display text" of the card, as in 3GPP TS 31.111.
const TEXT: [u8; 9] = [0xd0, 0x07, 0x81, 0x03, 0x01, 0x21, 0x80, 0x8d, 0x00];
/// "Refresh": the host may hear of it.
const REFRESH: [u8; 7] = [0xd0, 0x05, 0x81, 0x03, 0x02, 0x01, 0x04];

fn toolkit() -> Vec<Step> {
    let take_over = "stk-pac-set 0000000002000000000000000000000000000000000000000000000000000000 + listen \
                     d8f20131-fcb5-4e17-8602-d6ed3816164c 1 + stk-terminal-response 8103012100 + \
                     stk-terminal-response 8103012100";
    let hear_of = "stk-pac-set 0200000000000000000000000000000000000000000000000000000000000000 + listen \
                   d8f20131-fcb5-4e17-8602-d6ed3816164c 1";
    vec![
        acts("stk-pac", |_| pac("stk-pac", None)),
        acts(take_over, |_| {
            [
                pac("stk-pac-set", Some(0x21)),
                fields("indication", &[("PacType", &"proactive-command"), ("DataBuffer", &hex(&TEXT))]),
                fields("stk-terminal-response", &[("ResultData", &""), ("StatusWords", &0x9000)]),
                only("stk-terminal-response: OperationNotAllowed"),
            ]
            .concat()
        })
        .hears(Order::Proactive(TEXT.to_vec()))
        .fails(),
        acts("stk-envelope", |_| {
            let mut tags = [0; 32];
            for tag in [0xd1_usize, 0xd3, 0xd6] {
                tags[tag / 8] |= 1 << (tag % 8);
            }
            fields("stk-envelope", &[("EnvelopeSupport", &hex(&tags))])
        }),
        // It expects the list of a query in the answer to a set too.
        acts("stk-envelope-set d30782020181900101", |_| {
            vec![
                "stk-envelope-set:".into(),
                "EnvelopeSupport = n/a: cannot read byte array data (32 bytes) (48 < 80)".into(),
            ]
        }),
        acts("stk-envelope-set d0028100", |_| only("stk-envelope-set: NoDeviceSupport")).fails(),
        acts(hear_of, |_| {
            let told = hex(&REFRESH);
            let mut lines = pac("stk-pac-set", Some(0x01));
            lines.extend(fields("indication", &[("PacType", &"notification"), ("DataBuffer", &told)]));
            lines
        })
        .hears(Order::Proactive(REFRESH.to_vec())),
    ]
}

/// Who handles each kind of the card's commands; one may be the host's.
fn pac(title: &str, hosts: Option<u8>) -> Vec<String> {
    let who = |kind: u8| match kind {
        0x01 if hosts == Some(0x01) => 4,
        kind if Some(kind) == hosts => 0,
        0x20..=0x25 | 0x28 => 1,
        0x01 | 0x05 | 0x10..=0x13 => 3,
        0x15 => 5,
        _ => 2,
    };
    let all: Vec<u8> = (0..=255).map(who).collect();
    fields(title, &[("PacSupport", &hex(&all))])
}

// Auth

fn challenges() -> Vec<Step> {
    let right = "auth-aka 23553cbe9637a89d218ae64dae47bf35 55f328b43577b9b94a9ffac354dfafb3";
    let out_of_step = "auth-aka 23553cbe9637a89d218ae64dae47bf35 55f328b43577b9b94a9ffac354dfafb4";
    let wrong = "auth-aka 23553cbe9637a89d218ae64dae47bf35 55f328b43577b9b94a9ffac354dfafb5";
    let network = "auth-akap 23553cbe9637a89d218ae64dae47bf35 55f328b43577b9b94a9ffac354dfafb3 WLAN";
    let unseparated = "auth-akap 23553cbe9637a89d218ae64dae47bf35 55f328b43577b9b94a9ffac354dfafb4 WLAN";
    let three = "auth-sim 23553cbe9637a89d218ae64dae47bf35 23553cbe9637a89d218ae64dae47bf36 \
                 23553cbe9637a89d218ae64dae47bf37 3";
    let one = "auth-sim 23553cbe9637a89d218ae64dae47bf35 23553cbe9637a89d218ae64dae47bf36 \
               23553cbe9637a89d218ae64dae47bf37 1";
    vec![
        acts(right, |seen| keys("auth-aka", seen)),
        acts(out_of_step, |seen| {
            let Verdict::OutOfStep(token) = &seen.card().keys.aka[1].verdict else { return Vec::new() };
            vec!["auth-aka: AuthSyncFailure".into(), format!("Auts = '{}'", hex(token))]
        })
        .fails(),
        acts(wrong, |_| vec!["auth-aka: AuthIncorrectAuth".into(), format!("Auts = '{}'", hex(&[0; 14]))]).fails(),
        acts(network, |seen| keys("auth-akap", seen)),
        acts(unseparated, |_| only("auth-akap: AuthAmfNotSet")).fails(),
        acts(three, |seen| {
            let mut lines = only("auth-sim:");
            for (place, (_, sres, kc)) in seen.card().keys.sim.iter().enumerate() {
                lines.push(format!("Sres{} = '{}'", place + 1, sres.reveal()));
                lines.push(format!("Kc{} = '{}'", place + 1, kc.reveal()));
            }
            lines.push("N = '3'".into());
            lines
        }),
        acts(one, |_| only("auth-sim: InvalidParameters")).fails(),
    ]
}

fn keys(title: &str, seen: Seen<'_>) -> Vec<String> {
    let Verdict::Keys(response, integrity, ciphering) = &seen.card().keys.aka[0].verdict else { return Vec::new() };
    let mut res = response.reveal().clone();
    res.resize(16, 0);
    fields(
        title,
        &[
            ("Res", &hex(&res)),
            ("ResLen", &response.reveal().len()),
            ("IntegratingKey", &hex(integrity.reveal())),
            ("CipheringKey", &hex(ciphering.reveal())),
            ("Auts", &hex(&[0; 14])),
        ],
    )
}

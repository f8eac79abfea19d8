//! Prints records as an overlay file: the format of mobile-broadband-provider-info with the elements of
//! `urn:x-operator-overlay:1`. What is printed is read back as the same records. `[OPER 3.3]`

use core::fmt::Write as _;

pub use crate::database::record::{
    AccessPoint, Host, MAX_CERTIFICATES, NamedCertificate, Op, OperatorRecord, Selector, Selectors, Settings, Usage,
};

use crate::profile::Purposes;

/// An overlay file with these records, in their order.
pub fn print(records: &[OperatorRecord]) -> String {
    let mut file = Printer { text: String::new(), depth: 0 };
    file.text.push_str("<?xml version=\"1.0\" encoding=\"utf-8\"?>\n");
    file.open("serviceproviders", &[("format", "2.0"), ("xmlns:ov", "urn:x-operator-overlay:1")]);
    for country in records.chunk_by(|one, other| one.country == other.country) {
        file.open("country", &[("code", country.first().map_or("", |first| &first.country))]);
        for record in country {
            file.provider(record);
        }
        file.close("country");
    }
    file.close("serviceproviders");
    file.text
}

struct Printer {
    text: String,
    depth: usize,
}

impl Printer {
    fn provider(&mut self, record: &OperatorRecord) {
        let mut attributes = Vec::new();
        match record.host {
            Host::Yes => attributes.push(("primary", "true")),
            Host::No => attributes.push(("primary", "false")),
            Host::Unsaid => {}
        }
        match record.op {
            Op::Replace => attributes.push(("ov:op", "replace")),
            Op::Delete => attributes.push(("ov:op", "delete")),
            Op::Add => {}
        }
        if record.exclusive {
            attributes.push(("ov:exclusive", "true"));
        }
        self.open("provider", &attributes);
        for name in &record.names {
            self.leaf("name", name);
        }
        self.said("ov:account-url", &record.account_url);
        self.said("ov:service-number", &record.service_number);
        for NamedCertificate { subject, issuer } in &record.certificates {
            self.empty("ov:trusted-certificate", &[("subject", subject), ("issuer", issuer)]);
        }
        self.said("ov:api-url", &record.api_url);
        if !record.plmns.is_empty() || !record.selects.is_empty() || !record.apns.is_empty() {
            self.open("gsm", &[]);
            for code in &record.plmns {
                self.empty("network-id", &[("mcc", code.mcc()), ("mnc", code.mnc())]);
            }
            for select in &record.selects {
                let mut attributes: Vec<(&str, &str)> =
                    select.attributes().map(|(name, value)| (name, value.as_str())).collect();
                if select.unknown {
                    attributes.push(("unknown", "true"));
                }
                self.empty("ov:select", &attributes);
            }
            for apn in &record.apns {
                self.apn(apn);
            }
            self.close("gsm");
        }
        if let Some((user, password)) = &record.cdma {
            self.open("cdma", &[]);
            for sid in &record.sids {
                self.empty("sid", &[("value", &sid.to_string())]);
            }
            self.said("username", user);
            self.said("password", password.reveal());
            self.close("cdma");
        }
        self.close("provider");
    }

    fn apn(&mut self, apn: &AccessPoint) {
        let settings = &apn.settings;
        self.open("apn", &[("value", &apn.value)]);
        for (kind, said) in [("prepaid", settings.prepaid), ("postpaid", settings.postpaid)] {
            if said {
                self.empty("plan", &[("type", kind)]);
            }
        }
        let usage = match settings.usage {
            Usage::Internet => Some("internet"),
            Usage::InternetAndMms => Some("mms-internet-hipri"),
            Usage::Wap => Some("wap"),
            Usage::Mms => Some("mms"),
            Usage::Other => Some("ia"),
            Usage::Unsaid => None,
        };
        if let Some(usage) = usage {
            self.empty("usage", &[("type", usage)]);
        }
        if let Some(method) = settings.auth {
            self.empty("authentication", &[("method", method.as_str())]);
        }
        self.said("username", &apn.user);
        self.said("password", apn.password.reveal());
        for address in &apn.dns {
            self.leaf("dns", &address.to_string());
        }
        self.said("mmsc", &apn.mmsc);
        self.said("mmsproxy", &apn.mms_proxy);
        if let Some(purposes) = settings.purposes {
            // A purpose that we do not know stays one that we do not know: the list decides, and holds nothing.
            let unknown = (purposes == Purposes::NONE).then_some("unknown");
            for purpose in purposes.names().chain(unknown) {
                self.empty("ov:purpose", &[("type", purpose)]);
            }
        }
        let families = [("type", settings.ip_home), ("roaming", settings.ip_roaming)];
        let families: Vec<(&str, &str)> =
            families.into_iter().filter_map(|(name, family)| Some((name, family?.as_str()))).collect();
        if !families.is_empty() {
            self.empty("ov:ip", &families);
        }
        if settings.order > 0 {
            self.empty("ov:auto-connect", &[("order", &settings.order.to_string())]);
        }
        if let Some(mode) = settings.roaming {
            self.empty("ov:roaming", &[("mode", mode.as_str())]);
        }
        self.close("apn");
    }

    fn open(&mut self, element: &str, attributes: &[(&str, &str)]) {
        self.begin(element, attributes);
        self.text.push_str(">\n");
        self.depth += 1;
    }

    fn close(&mut self, element: &str) {
        self.depth -= 1;
        let _ = writeln!(self.text, "{:1$}</{element}>", "", self.depth * 2);
    }

    fn empty(&mut self, element: &str, attributes: &[(&str, &str)]) {
        self.begin(element, attributes);
        self.text.push_str("/>\n");
    }

    /// An element with a text, unless that is empty.
    fn said(&mut self, element: &str, text: &str) {
        if !text.is_empty() {
            self.leaf(element, text);
        }
    }

    fn leaf(&mut self, element: &str, text: &str) {
        self.begin(element, &[]);
        self.text.push('>');
        self.escaped(text);
        let _ = writeln!(self.text, "</{element}>");
    }

    fn begin(&mut self, element: &str, attributes: &[(&str, &str)]) {
        let _ = write!(self.text, "{:1$}<{element}", "", self.depth * 2);
        for (name, value) in attributes {
            let _ = write!(self.text, " {name}=\"");
            self.escaped(value);
            self.text.push('"');
        }
    }

    /// Blanks at the ends and all that readers may change are written as references; what XML cannot say is left out.
    fn escaped(&mut self, text: &str) {
        let inner = text.trim();
        let start = inner.as_ptr().addr() - text.as_ptr().addr();
        for (place, character) in text.char_indices() {
            let outside = place < start || place >= start + inner.len();
            match character {
                '&' => self.text.push_str("&amp;"),
                '<' => self.text.push_str("&lt;"),
                '>' => self.text.push_str("&gt;"),
                '"' => self.text.push_str("&quot;"),
                '\t' | '\n' | '\r' | '\u{85}' | '\u{2028}' => self.reference(character),
                '\0'..='\x1F' | '\u{FFFE}' | '\u{FFFF}' => {}
                blank if outside => self.reference(blank),
                other => self.text.push(other),
            }
        }
    }

    fn reference(&mut self, character: char) {
        let _ = write!(self.text, "&#x{:X};", u32::from(character));
    }
}

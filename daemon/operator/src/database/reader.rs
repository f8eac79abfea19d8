//! Reads serviceproviders files of format 2.0, with the overlay elements of `urn:x-operator-overlay:1`. `[OPER 3.3, 3.9]`
//!
//! A pull parser goes over the text once. Nothing is fetched, no entity is expanded, and what stands before an error is
//! kept.

use std::borrow::Cow;

use quick_xml::NsReader;
use quick_xml::events::{BytesStart, Event};
use quick_xml::name::{Namespace, ResolveResult};

use super::Builder;
use super::places::{MAX_ATTRIBUTES, MAX_TEXT, Places, Stop, offset, quote, resolve, value};
use super::problem::{FileProblem, Severity, Trouble};
use super::record::{AccessPoint, Host, MAX_CERTIFICATES, NamedCertificate, Op, OperatorRecord, Selectors, Usage};
use crate::identity::{Plmn, Sid};
use crate::names;
use crate::profile::{Auth, IpType, Password, Purposes, RoamingMode, is_apn};

/// Deepest nesting of elements.
const MAX_DEPTH: usize = 16;
const OVERLAY: Namespace<'static> = Namespace("urn:x-operator-overlay:1");

/// Reads one file into the layer.
pub(crate) fn read(file: &str, bytes: &[u8], into: &mut Builder) -> Vec<FileProblem> {
    let mut places = Places::new(file, bytes);
    let Some((text, broken_at)) = places.text() else { return places.problems };
    let end = Walk::new(text, &mut places, into).run();
    match (end, broken_at) {
        (_, Some(at)) => places.problem(at, Severity::Error, Trouble::NotUtf8),
        (Err((at, what)), None) => places.problem(at, Severity::Error, what),
        (Ok(()), None) => {}
    }
    places.problems
}

/// Where in the file the reader stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Element {
    ServiceProviders,
    Country,
    Provider,
    Gsm,
    Cdma,
    Apn,
    /// An element whose text counts.
    Leaf(Leaf),
    /// An element without content that counts.
    Done,
    /// An element that is ignored with all it holds.
    Ignored,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Leaf {
    ProviderName,
    AccountUrl,
    ServiceNumber,
    ApiUrl,
    ApnUser,
    ApnPassword,
    ApnDns,
    ApnMmsc,
    ApnMmsProxy,
    CdmaUser,
    CdmaPassword,
}

struct Walk<'a, 'f, 'b> {
    reader: NsReader<&'a [u8]>,
    places: &'f mut Places<'a>,
    into: &'b mut Builder,
    stack: Vec<Element>,
    root_seen: bool,
    country: String,
    draft: OperatorRecord,
    /// The record says something that we do not understand and that would change its meaning.
    unusable_record: bool,
    /// A code of the record could not be read.
    lost_codes: bool,
    apn: AccessPoint,
    /// Offset of the access point now read.
    apn_at: usize,
    text: String,
    /// Offset at which the event now looked at began.
    at: usize,
}

impl<'a, 'f, 'b> Walk<'a, 'f, 'b> {
    fn new(text: &'a str, places: &'f mut Places<'a>, into: &'b mut Builder) -> Self {
        let mut reader = NsReader::from_str(text);
        reader.config_mut().expand_empty_elements = true;
        Self {
            reader,
            places,
            into,
            stack: Vec::with_capacity(MAX_DEPTH),
            root_seen: false,
            country: String::new(),
            draft: OperatorRecord::default(),
            unusable_record: false,
            lost_codes: false,
            apn: AccessPoint::default(),
            apn_at: 0,
            text: String::new(),
            at: 0,
        }
    }

    fn run(mut self) -> Result<(), Stop> {
        loop {
            self.at = offset(self.reader.buffer_position());
            let event = match self.reader.read_event() {
                Ok(event) => event,
                Err(error) => {
                    return Err((
                        offset(self.reader.error_position()),
                        Trouble::NotWellFormed(quote(&error.to_string())),
                    ));
                }
            };
            match event {
                Event::Start(start) => self.start(&start)?,
                Event::End(_) => self.end(),
                Event::Text(text) => self.characters(text.len(), &text.xml10_content())?,
                Event::CData(text) => self.characters(text.len(), &text.xml10_content())?,
                Event::GeneralRef(reference) => {
                    let resolved = resolve(&reference).ok_or((self.at, Trouble::Entity))?;
                    self.characters(1, resolved.encode_utf8(&mut [0; 4]))?;
                }
                Event::Eof if !self.root_seen => return Err((self.at, Trouble::NotServiceProviders)),
                Event::Eof if !self.stack.is_empty() => return Err((self.at, Trouble::EndsEarly)),
                Event::Eof => return Ok(()),
                // A document type declaration is passed over: nothing of it is fetched, declared or expanded.
                Event::DocType(_) | Event::Comment(_) | Event::Decl(_) | Event::PI(_) => {}
                Event::Empty(_) => {}
            }
        }
    }

    fn start(&mut self, start: &BytesStart<'_>) -> Result<(), Stop> {
        if self.stack.len() >= MAX_DEPTH {
            return Err((self.at, Trouble::TooDeep));
        }
        let attributes = Attributes::of(start, self.reader.resolver()).map_err(|what| (self.at, what))?;
        let (namespace, local) = self.reader.resolver().resolve_element(start.name());
        let name = match namespace {
            ResolveResult::Unbound => Some((false, local.as_ref())),
            ResolveResult::Bound(found) if found == OVERLAY => Some((true, local.as_ref())),
            _ => None,
        };
        let parent = self.stack.last().copied();
        let element = match name {
            Some(name) => self.element(parent, name, &attributes)?,
            None if parent.is_none() => return Err((self.at, Trouble::NotServiceProviders)),
            None => self.unknown(start.name().as_ref()),
        };
        self.stack.push(element);
        self.text.clear();
        Ok(())
    }

    fn element(
        &mut self,
        parent: Option<Element>,
        name: (bool, &str),
        attributes: &Attributes<'_>,
    ) -> Result<Element, Stop> {
        Ok(match (parent, name) {
            (None, (false, "serviceproviders")) if !self.root_seen => {
                let format = attributes.get("format").unwrap_or("");
                if format != "2.0" {
                    return Err((self.at, Trouble::Format(quote(format))));
                }
                self.root_seen = true;
                Element::ServiceProviders
            }
            (None, _) => return Err((self.at, Trouble::NotServiceProviders)),
            (Some(Element::ServiceProviders), (false, "country")) => {
                self.into.count(|counts| counts.countries += 1);
                self.country = attributes.get("code").unwrap_or("").to_owned();
                Element::Country
            }
            (Some(Element::Country), (false, "provider")) => {
                self.provider(attributes);
                Element::Provider
            }
            (Some(Element::Provider), (false, "name")) => Element::Leaf(Leaf::ProviderName),
            (Some(Element::Provider), (true, "account-url")) => Element::Leaf(Leaf::AccountUrl),
            (Some(Element::Provider), (true, "service-number")) => Element::Leaf(Leaf::ServiceNumber),
            (Some(Element::Provider), (true, "trusted-certificate")) => {
                self.trusted_certificate(attributes);
                Element::Done
            }
            (Some(Element::Provider), (true, "api-url")) => Element::Leaf(Leaf::ApiUrl),
            (Some(Element::Provider), (false, "gsm")) => Element::Gsm,
            (Some(Element::Provider), (false, "cdma")) => {
                self.draft.cdma.get_or_insert_default();
                Element::Cdma
            }
            (Some(Element::Gsm), (false, "network-id")) => {
                self.network_id(attributes);
                Element::Done
            }
            (Some(Element::Gsm), (true, "select")) => {
                self.select(attributes);
                Element::Done
            }
            (Some(Element::Gsm), (false, "apn")) => {
                self.into.count(|counts| counts.apns += 1);
                self.apn = AccessPoint::default();
                self.apn_at = self.at;
                self.apn.value = attributes.get("value").unwrap_or("").trim().to_owned();
                Element::Apn
            }
            (Some(Element::Cdma), (false, "sid")) => {
                self.into.count(|counts| counts.sids += 1);
                match attributes.get("value").and_then(Sid::parse) {
                    Some(sid) => self.draft.sids.push(sid),
                    None => {
                        self.lost_codes = true;
                        self.unusable("sid");
                    }
                }
                Element::Done
            }
            (Some(Element::Cdma), (false, "username")) => Element::Leaf(Leaf::CdmaUser),
            (Some(Element::Cdma), (false, "password")) => Element::Leaf(Leaf::CdmaPassword),
            (Some(Element::Apn), name) => self.of_apn(name, attributes),
            (Some(Element::Country | Element::Cdma), (false, "name"))
            | (Some(Element::Cdma), (false, "dns" | "gateway" | "authentication"))
            | (
                Some(Element::Gsm),
                (false, "msisdn-query" | "voicemail" | "visual-voicemail" | "balance-check" | "balance-top-up"),
            )
            | (Some(Element::Ignored), _) => Element::Ignored,
            (_, (_, name)) => self.unknown(name),
        })
    }

    fn provider(&mut self, attributes: &Attributes<'_>) {
        self.draft = OperatorRecord { country: self.country.clone(), ..OperatorRecord::default() };
        self.unusable_record = false;
        self.lost_codes = false;
        self.draft.host = match attributes.get("primary") {
            None => Host::Unsaid,
            Some("true") => Host::Yes,
            Some("false") => Host::No,
            Some(_) => {
                self.unusable("provider primary");
                Host::Unsaid
            }
        };
        self.draft.exclusive = match attributes.get_overlay("exclusive") {
            Some("true") => true,
            None | Some("false") => false,
            Some(_) => {
                self.unusable("provider exclusive");
                false
            }
        };
        self.draft.op = match attributes.get_overlay("op") {
            None | Some("add") => Op::Add,
            Some("replace") => Op::Replace,
            Some("delete") => Op::Delete,
            Some(_) => {
                // What the record is meant to do to others is not known, so it does nothing.
                self.unusable("provider op");
                self.unusable_record = true;
                Op::Add
            }
        };
    }

    fn trusted_certificate(&mut self, attributes: &Attributes<'_>) {
        let said = |name| attributes.get(name).map(str::trim).filter(|value| !value.is_empty());
        match (said("subject"), said("issuer")) {
            (Some(subject), Some(issuer)) if self.draft.certificates.len() < MAX_CERTIFICATES => {
                let (subject, issuer) = (subject.to_owned(), issuer.to_owned());
                self.draft.certificates.push(NamedCertificate { subject, issuer });
            }
            _ => self.unusable("trusted-certificate"),
        }
    }

    fn network_id(&mut self, attributes: &Attributes<'_>) {
        self.into.count(|counts| counts.network_ids += 1);
        let (mcc, mnc) = (attributes.get("mcc").unwrap_or(""), attributes.get("mnc").unwrap_or(""));
        match Plmn::from_parts(mcc, mnc) {
            Some(code) => self.draft.plmns.push(code),
            None => {
                self.lost_codes = true;
                self.unusable("network-id");
            }
        }
    }

    fn select(&mut self, attributes: &Attributes<'_>) {
        let mut select = Selectors::default();
        for (overlay, name, value) in &attributes.0 {
            match select.attribute(name).filter(|_| !overlay) {
                Some(place) => *place = Some(value.trim().to_owned()),
                None => {
                    select.unknown = true;
                    self.places.problem(self.at, Severity::Warning, Trouble::Value { element: "select" });
                }
            }
        }
        self.draft.selects.push(select);
    }

    fn of_apn(&mut self, name: (bool, &str), attributes: &Attributes<'_>) -> Element {
        let kind = attributes.get("type");
        let settings = &mut self.apn.settings;
        match name {
            (false, "plan") => match kind {
                Some("prepaid") => settings.prepaid = true,
                Some("postpaid") => settings.postpaid = true,
                _ => self.unusable("plan"),
            },
            (false, "usage") => {
                settings.usage = match kind {
                    Some("internet") => Usage::Internet,
                    Some("mms-internet-hipri" | "mms-internet-hipri-fota") => Usage::InternetAndMms,
                    Some("wap") => Usage::Wap,
                    Some("mms") => Usage::Mms,
                    _ => Usage::Other,
                };
            }
            (false, "authentication") => match attributes.get("method").and_then(Auth::parse) {
                Some(method) => settings.auth = Some(method),
                None => self.unusable("authentication"),
            },
            (false, "name" | "gateway") => return Element::Ignored,
            (false, "username") => return Element::Leaf(Leaf::ApnUser),
            (false, "password") => return Element::Leaf(Leaf::ApnPassword),
            (false, "dns") => return Element::Leaf(Leaf::ApnDns),
            (false, "mmsc") => return Element::Leaf(Leaf::ApnMmsc),
            (false, "mmsproxy") => return Element::Leaf(Leaf::ApnMmsProxy),
            (true, "purpose") => {
                let purposes = settings.purposes.unwrap_or(Purposes::NONE);
                let more = kind.and_then(Purposes::parse);
                settings.purposes = Some(purposes.with(more.unwrap_or(Purposes::NONE)));
                if more.is_none() {
                    self.unusable("purpose");
                }
            }
            (true, "ip") => {
                let read = |name| attributes.get(name).map(IpType::parse);
                let (home, roaming) = (read("type"), read("roaming"));
                settings.ip_home = home.flatten();
                settings.ip_roaming = roaming.flatten();
                if home == Some(None) || roaming == Some(None) {
                    self.unusable("ip");
                }
            }
            (true, "auto-connect") => match attributes.get("order").and_then(|order| order.trim().parse().ok()) {
                Some(order) if order > 0 => settings.order = order,
                _ => self.unusable("auto-connect"),
            },
            (true, "roaming") => match attributes.get("mode").and_then(RoamingMode::parse) {
                Some(mode) => settings.roaming = Some(mode),
                None => self.unusable("roaming"),
            },
            (_, name) => return self.unknown(name),
        }
        Element::Done
    }

    fn end(&mut self) {
        match self.stack.pop() {
            Some(Element::Provider) => {
                let draft = core::mem::take(&mut self.draft);
                // Without the codes that could not be read, such a record would reach further than it was meant to.
                let widened = self.lost_codes
                    && draft.plmns.is_empty()
                    && draft.sids.is_empty()
                    && (draft.op == Op::Delete || !draft.selects.is_empty());
                if !self.unusable_record && !widened {
                    self.into.count(|counts| counts.providers += 1);
                    self.into.push(draft);
                }
            }
            Some(Element::Apn) => self.end_apn(),
            Some(Element::Leaf(leaf)) => self.end_leaf(leaf),
            _ => {}
        }
        self.text.clear();
    }

    fn end_apn(&mut self) {
        let mut apn = core::mem::take(&mut self.apn);
        if !is_apn(&apn.value) {
            // An empty name is good for one purpose only: it leaves the attach to the network.
            let attach = apn.settings.purposes.is_some_and(|purposes| purposes.contains(Purposes::ATTACH));
            if !apn.value.is_empty() || !attach {
                return self.places.problem(self.apn_at, Severity::Warning, Trouble::Value { element: "apn" });
            }
            apn.settings.purposes = Some(Purposes::ATTACH);
        }
        self.draft.apns.push(apn);
    }

    fn end_leaf(&mut self, leaf: Leaf) {
        let text = core::mem::take(&mut self.text);
        let trimmed = text.trim();
        match leaf {
            Leaf::ProviderName if trimmed.is_empty() => {}
            Leaf::ProviderName => self.draft.names.push(names::nfc(trimmed)),
            Leaf::AccountUrl => self.draft.account_url = trimmed.to_owned(),
            Leaf::ServiceNumber if is_guid(trimmed) => self.draft.service_number = trimmed.to_owned(),
            Leaf::ServiceNumber => self.unusable("service-number"),
            Leaf::ApiUrl => self.draft.api_url = trimmed.to_owned(),
            // Credentials are taken as they stand: a blank may be a password.
            Leaf::ApnUser => self.apn.user = text.clone(),
            Leaf::ApnPassword => self.apn.password = Password::new(text.as_str()),
            Leaf::ApnDns => match trimmed.parse() {
                Ok(address) => self.apn.dns.push(address),
                Err(_) => self.unusable("dns"),
            },
            Leaf::ApnMmsc => self.apn.mmsc = trimmed.to_owned(),
            Leaf::ApnMmsProxy => self.apn.mms_proxy = trimmed.to_owned(),
            Leaf::CdmaUser => self.draft.cdma.get_or_insert_default().0 = text.clone(),
            Leaf::CdmaPassword => self.draft.cdma.get_or_insert_default().1 = Password::new(text.as_str()),
        }
        // The room is used again.
        self.text = text;
        self.text.clear();
    }

    fn characters(&mut self, length: usize, text: &str) -> Result<(), Stop> {
        if length > MAX_TEXT {
            return Err((self.at, Trouble::TooLong));
        }
        if let Some(Element::Leaf(_)) = self.stack.last() {
            if self.text.len() + text.len() > MAX_TEXT {
                return Err((self.at, Trouble::TooLong));
            }
            self.text.push_str(text);
        }
        Ok(())
    }

    fn unusable(&mut self, element: &'static str) {
        self.places.problem(self.at, Severity::Warning, Trouble::Value { element });
    }

    fn unknown(&mut self, name: &str) -> Element {
        if self.stack.last() != Some(&Element::Ignored) {
            self.places.problem(self.at, Severity::Debug, Trouble::UnknownElement(quote(name)));
        }
        Element::Ignored
    }
}

/// A GUID, with or without braces.
pub(crate) fn is_guid(text: &str) -> bool {
    let bare = text.strip_prefix('{').map_or(Some(text), |rest| rest.strip_suffix('}'));
    let groups = bare.into_iter().flat_map(|bare| bare.split('-'));
    let groups = groups.map(|group| if group.bytes().all(|b| b.is_ascii_hexdigit()) { group.len() } else { 0 });
    groups.eq([8, 4, 4, 4, 12])
}

/// Attributes of an element: whether of the overlay's namespace, name, value. Of other namespaces none, as the
/// declarations of namespaces.
struct Attributes<'a>(Vec<(bool, &'a str, Cow<'a, str>)>);

impl<'a> Attributes<'a> {
    fn of(start: &'a BytesStart<'_>, names: &quick_xml::name::NamespaceResolver) -> Result<Self, Trouble> {
        if start.attributes_raw().len() > MAX_ATTRIBUTES * MAX_TEXT {
            return Err(Trouble::TooManyAttributes);
        }
        let mut list = Vec::new();
        for (place, attribute) in start.attributes().enumerate() {
            // Each one is compared with those before it: so many, and no more.
            if place >= MAX_ATTRIBUTES {
                return Err(Trouble::TooManyAttributes);
            }
            let attribute = attribute.map_err(|error| Trouble::NotWellFormed(quote(&error.to_string())))?;
            if attribute.value.len() > MAX_TEXT {
                return Err(Trouble::TooLong);
            }
            if attribute.key.as_namespace_binding().is_some() {
                continue;
            }
            let (namespace, local) = names.resolve_attribute(attribute.key);
            let (overlay, name) = match namespace {
                ResolveResult::Unbound => (false, local.into_inner()),
                ResolveResult::Bound(found) if found == OVERLAY => (true, local.into_inner()),
                // Kept under its prefixed name: nothing asks for it, but a selector must know that it is there.
                _ => (false, attribute.key.into_inner()),
            };
            list.push((overlay, name, value(&attribute)?));
        }
        Ok(Self(list))
    }

    fn get(&self, name: &str) -> Option<&str> {
        self.find(false, name)
    }

    fn get_overlay(&self, name: &str) -> Option<&str> {
        self.find(true, name)
    }

    fn find(&self, overlay: bool, name: &str) -> Option<&str> {
        let found = self.0.iter().find(|(of_overlay, other, _)| *of_overlay == overlay && *other == name);
        found.map(|(_, _, value)| &**value)
    }
}

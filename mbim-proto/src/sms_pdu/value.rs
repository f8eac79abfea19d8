//! A short message as a tree, for `mbimctl decode`. Who and what are personal.

use alloc::string::ToString;
use alloc::vec;
use alloc::vec::Vec;

use super::{Address, Content, Language, Pdu, Scheme, Timestamp, Tpdu, UserData, Validity};
use crate::Value;

impl Pdu {
    /// The fields; personal values only with `reveal`.
    pub fn value(&self, reveal: bool) -> Value {
        let mut fields = vec![("service_centre", opt(self.service_centre.as_ref(), |one| one.value(reveal)))];
        let text = |text: &str| Value::Text(text.into());
        match &self.tpdu {
            Tpdu::Deliver(one) => {
                fields.extend([
                    ("type", text("deliver")),
                    ("originator", one.originator.value(reveal)),
                    ("timestamp", one.timestamp.value()),
                    ("more_messages", Value::Bool(one.more_messages)),
                    ("loop_prevention", Value::Bool(one.loop_prevention)),
                    ("status_report_indication", Value::Bool(one.status_report_indication)),
                    ("reply_path", Value::Bool(one.reply_path)),
                    ("protocol", Value::Number(one.protocol.into())),
                ]);
                content(one.scheme, &one.user_data, reveal, &mut fields);
            }
            Tpdu::Submit(one) => {
                let validity = match one.validity {
                    Validity::None => Value::Null,
                    Validity::Relative(_) => {
                        opt(one.validity.minutes(), |minutes| text(&alloc::format!("{minutes} min")))
                    }
                    Validity::Enhanced(octets) => Value::hex(&octets),
                    Validity::Absolute(time) => time.value(),
                };
                fields.extend([
                    ("type", text("submit")),
                    ("destination", one.destination.value(reveal)),
                    ("reference", Value::Number(one.reference.into())),
                    ("validity", validity),
                    ("reject_duplicates", Value::Bool(one.reject_duplicates)),
                    ("status_report_request", Value::Bool(one.status_report_request)),
                    ("reply_path", Value::Bool(one.reply_path)),
                    ("protocol", Value::Number(one.protocol.into())),
                ]);
                content(one.scheme, &one.user_data, reveal, &mut fields);
            }
            Tpdu::StatusReport(one) => {
                fields.extend([
                    ("type", text("status-report")),
                    ("recipient", one.recipient.value(reveal)),
                    ("reference", Value::Number(one.reference.into())),
                    ("timestamp", one.timestamp.value()),
                    ("discharge", one.discharge.value()),
                    ("status", Value::Enum { number: one.status.into(), name: Some(one.outcome().name()) }),
                    ("more_messages", Value::Bool(one.more_messages)),
                    ("loop_prevention", Value::Bool(one.loop_prevention)),
                    ("of_command", Value::Bool(one.of_command)),
                    ("protocol", opt(one.protocol, |number| Value::Number(number.into()))),
                ]);
                if let Some(user_data) = &one.user_data {
                    content(one.scheme.unwrap_or_default(), user_data, reveal, &mut fields);
                }
            }
        }
        Value::Object(fields)
    }
}

fn content(scheme: Scheme, of: &UserData, reveal: bool, fields: &mut Vec<(&'static str, Value)>) {
    let alphabet = Value::Enum { number: scheme.0.into(), name: Some(scheme.alphabet().name()) };
    fields.push(("coding_scheme", alphabet));
    fields.push(("class", opt(scheme.class(), |class| Value::Text(class.name().into()))));
    if let Some(indication) = scheme.indication() {
        fields.push((
            "message_waiting",
            Value::Object(vec![
                ("active", Value::Bool(indication.active)),
                ("kind", Value::Number(indication.kind.into())),
                ("discard", Value::Bool(indication.discard)),
            ]),
        ));
    }
    if let Some(part) = of.concatenation() {
        fields.push((
            "concatenation",
            Value::Object(vec![
                ("reference", Value::Number(part.reference.into())),
                ("part", Value::Number(part.part.into())),
                ("total", Value::Number(part.total.into())),
            ]),
        ));
    }
    if let Some(ports) = of.ports() {
        fields.push((
            "ports",
            Value::Object(vec![
                ("destination", Value::Number(ports.destination.into())),
                ("source", Value::Number(ports.source.into())),
            ]),
        ));
    }
    let (locking, single) = of.languages();
    for (name, language) in [("locking_shift", locking), ("single_shift", single)] {
        if language != Language::DEFAULT {
            fields.push((name, Value::Enum { number: language.0.into(), name: language.name() }));
        }
    }
    let elements = of.header.iter().map(|element| {
        // What is not known may name somebody.
        let data = if reveal { Value::hex(&element.data) } else { Value::Hidden };
        Value::Object(vec![("identifier", Value::Number(element.identifier.into())), ("data", data)])
    });
    fields.push(("header", Value::List(elements.collect())));
    let (name, size, shown) = match &of.content {
        Content::Text(text) => ("text", text.chars().count(), Value::Text(text.clone())),
        Content::Octets(octets) => ("octets", octets.len(), Value::hex(octets)),
    };
    fields.push(("length", Value::Number(size as u64)));
    fields.push((name, if reveal { shown } else { Value::Hidden }));
}

fn opt<T>(value: Option<T>, of: impl FnOnce(T) -> Value) -> Value {
    value.map_or(Value::Null, of)
}

impl Address {
    fn value(&self, reveal: bool) -> Value {
        if reveal { Value::Text(self.written()) } else { Value::Hidden }
    }
}

impl Timestamp {
    fn value(self) -> Value {
        Value::Text(self.to_string())
    }
}

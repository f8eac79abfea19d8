//! `mbimctl decode`.

mod input;
mod session;

use std::time::Duration;

use mbim_capture::{Direction, Frame, write};
use mbim_proto::MbimEx;
use mbim_proto::message::Header;
use mbim_proto::registry::{Description, describe};
use serde_json::{Value, json};

use super::capture_file::{self, CaptureFile};
use crate::arguments::Decode;
use crate::failure::Failure;
use crate::show::Output;
pub(super) use input::FILE;
use input::Input;
pub(super) use input::Piece;
use session::Entry;
pub(super) use session::Sessions;

pub(crate) fn run(question: &Decode, output: Output) -> Result<(), Failure> {
    let bytes = input::bytes(&question.input)?;
    let input = Input::of(&bytes);
    let mut printer = Printer::new(output, question.reveal || question.anonymise);
    printer.fixed = question.mbimex.map(|number| MbimEx::from_bcd(u16::from(number) << 8));
    printer.several = input.several();
    let mut sessions = Sessions::default();
    if question.anonymise {
        anonymous(question, &input, &mut sessions, &mut printer)?;
    } else {
        input.entries().for_each(|piece| sessions.take(piece, &mut |entry| printer.print(&entry)));
    }
    sessions.finish(&mut |entry| printer.print(&entry));
    if printer.good { Ok(()) } else { Err(Failure::told()) }
}

/// Prints or writes the messages of others.
fn anonymous(question: &Decode, input: &Input<'_>, to: &mut Sessions, printer: &mut Printer) -> Result<(), Failure> {
    let mut anonymiser = capture_file::anonymiser()?;
    let (mut file, mut first, mut others) = (None, None, 0u64);
    for piece in input.entries() {
        let Piece { time, direction, device, .. } = piece;
        let Ok(bytes) = piece.frame else {
            to.take(piece, &mut |entry| printer.print(&entry));
            continue;
        };
        let mbimex = piece.mbimex.or(printer.fixed);
        if *first.get_or_insert(device) != device && question.write.is_some() {
            others += 1;
            continue;
        }
        let frame = Frame { offset: 0, time, direction, device, mbimex, bytes };
        for bytes in anonymiser.frame(&frame) {
            let Some(name) = &question.write else {
                let piece = Piece { time, direction, device, mbimex, offset: None, frame: Ok(&bytes) };
                to.take(piece, &mut |entry| printer.print(&entry));
                continue;
            };
            let file = match &mut file {
                Some(file) => file,
                None => {
                    let comment = capture_file::ANONYMOUS.trim_start_matches(", ");
                    let origin = write::Origin { comment, mbimex, ..write::Origin::default() };
                    file.insert(CaptureFile::create(name, &origin)?)
                }
            };
            // The function's types have the highest bit.
            let received = Header::decode(&bytes).is_ok_and(|header| header.kind.0 >> 31 == 1);
            let by_type = if received { Direction::Received } else { Direction::Sent };
            file.put(time.unwrap_or_default(), direction.unwrap_or(by_type), &bytes)?;
        }
    }
    if question.write.is_none() {
        return Ok(());
    }
    let file = file.ok_or_else(|| Failure::invalid("there are no messages in it"))?;
    file.summary(printer.output, json!({"others": others}));
    if others > 0 {
        eprintln!("mbimctl: {others} frames of other devices are left out");
    }
    Ok(())
}

/// Prints messages, one after the other.
pub(super) struct Printer {
    output: Output,
    reveal: bool,
    /// The release that all of them are read as, in place of the one that they agree on.
    fixed: Option<MbimEx>,
    /// Whether there is more than one, so that places are worth telling.
    several: bool,
    start: Option<Duration>,
    /// None was malformed so far.
    pub(super) good: bool,
}

impl Printer {
    pub(super) fn new(output: Output, reveal: bool) -> Self {
        Self { output, reveal, fixed: None, several: true, start: None, good: true }
    }

    pub(super) fn print(&mut self, entry: &Entry<'_>) {
        let release = self.fixed.unwrap_or(entry.release);
        let description = entry.message.as_ref().ok().map(|message| describe(message, release, self.reveal));
        self.good &= description.as_ref().is_some_and(|description| description.error.is_none());
        self.start = self.start.or(entry.time);
        let elapsed = entry.time.zip(self.start).map(|(time, start)| time.saturating_sub(start));
        let head = head(entry, elapsed.map(|elapsed| elapsed.as_secs_f64()), self.several);
        self.output.print(&object(entry, description.as_ref()), || match &entry.message {
            Ok(_) => head + &description.as_ref().map(Description::to_string).unwrap_or_default(),
            Err(problem) => format!("{head}error: {problem}"),
        });
    }
}

/// What stands in front of a message: when, which way, on which device; in files of several the place.
fn head(entry: &Entry<'_>, elapsed: Option<f64>, several: bool) -> String {
    let mut words = Vec::new();
    words.extend(elapsed.map(|seconds| format!("{seconds:.6}")));
    words.extend(entry.device.map(|device| format!("{}-{}", device.bus, device.address)));
    words.extend(entry.direction.map(|direction| direction.name().to_owned()));
    if words.is_empty() && several {
        words.extend(entry.offset.map(|offset| format!("byte {offset}")));
    }
    if words.is_empty() { String::new() } else { format!("{}: ", words.join(" ")) }
}

fn object(entry: &Entry<'_>, description: Option<&Description>) -> Value {
    let mut object = match (&entry.message, description) {
        (Ok(_), Some(description)) => serde_json::to_value(description.value()).unwrap_or(Value::Null),
        (Err(problem), _) => json!({
            "message": null, "transaction": null, "service": null, "cid": null, "operation": null, "status": null,
            "body": null, "error": {"problem": problem}, "trailing": null,
        }),
        (Ok(_), None) => Value::Null,
    };
    if let Some(object) = object.as_object_mut() {
        if let Some(offset) = entry.offset {
            object.insert("offset".into(), offset.into());
        }
        if let Some(time) = entry.time {
            object.insert("time".into(), time.as_secs_f64().into());
        }
        if let Some(direction) = entry.direction {
            object.insert("direction".into(), direction.name().into());
        }
        if let Some(device) = entry.device {
            object.insert("device".into(), format!("{}-{}", device.bus, device.address).into());
        }
    }
    object
}

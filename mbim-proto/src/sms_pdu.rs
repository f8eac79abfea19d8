//! Short messages as they stand in PduData of the SMS service: a service centre, then a TPDU. [3GPP TS 23.040]
//!
//! ```
//! use mbim_proto::sms_pdu::{Address, Pdu, Reference, Submit, Tpdu, split};
//!
//! // One part in the default alphabet; longer or stranger texts become several, or UCS-2.
//! let [part] = &split("Grüße {€}", &[], Reference::Narrow(7))?[..] else { unreachable!() };
//! let submit = Submit {
//!     destination: Address::number("+15550100"),
//!     scheme: part.scheme,
//!     user_data: part.user_data.clone(),
//!     ..Submit::default()
//! };
//! let pdu = Pdu { service_centre: None, tpdu: Tpdu::Submit(submit) };
//! let bytes = pdu.encode()?;
//! assert_eq!(Pdu::decode(&bytes)?, pdu);
//! assert_eq!(pdu.tpdu.text(), Some("Grüße {€}"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod address;
mod alphabet;
mod header;
mod scheme;
mod split;
mod tables;
#[cfg(test)]
mod tests;
mod time;
mod user_data;
mod value;

use alloc::vec::Vec;

pub use address::Address;
pub use alphabet::Language;
pub use header::{Concatenation, Element, Ports};
pub use scheme::{Alphabet, Class, Indication, Scheme};
pub use split::{Part, Reference, join, split};
pub use time::{Moment, Timestamp, Validity};
pub use user_data::{Content, UserData};

use crate::codec::{self, Reader};
use crate::{Malformed, Problem};

/// A short message with the service centre that it goes through or came from.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Pdu {
    /// The service centre; none for that of the SIM.
    pub service_centre: Option<Address>,
    /// The message.
    pub tpdu: Tpdu,
}

/// A message of the transfer layer. [9.2.2]
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Tpdu {
    /// From the service centre.
    Deliver(Deliver),
    /// To the service centre.
    Submit(Submit),
    /// What became of one that was sent.
    StatusReport(StatusReport),
}

impl Default for Tpdu {
    fn default() -> Self {
        Self::Submit(Submit::default())
    }
}

/// A message that came. [9.2.2.1]
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Deliver {
    /// Whether more wait at the service centre.
    pub more_messages: bool,
    /// Whether it must not be forwarded.
    pub loop_prevention: bool,
    /// Whether its sender wants to know that it came.
    pub status_report_indication: bool,
    /// Whether an answer goes through the same service centre.
    pub reply_path: bool,
    /// Who sent it.
    pub originator: Address,
    /// TP-PID, 0 for ordinary messages. [9.2.3.9]
    pub protocol: u8,
    /// How its content is coded.
    pub scheme: Scheme,
    /// When it came to the service centre.
    pub timestamp: Timestamp,
    /// What it says.
    pub user_data: UserData,
}

/// A message to send. [9.2.2.2]
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Submit {
    /// Whether the service centre drops it if it has one with this reference for this destination.
    pub reject_duplicates: bool,
    /// Whether an answer may come through the same service centre.
    pub reply_path: bool,
    /// Whether to tell what became of it.
    pub status_report_request: bool,
    /// What status reports name; the modem puts its own in.
    pub reference: u8,
    /// Who gets it.
    pub destination: Address,
    /// TP-PID, 0 for ordinary messages. [9.2.3.9]
    pub protocol: u8,
    /// How its content is coded.
    pub scheme: Scheme,
    /// How long the service centre keeps trying.
    pub validity: Validity,
    /// What it says.
    pub user_data: UserData,
}

/// What became of a message. [9.2.2.3]
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct StatusReport {
    /// Whether more wait at the service centre.
    pub more_messages: bool,
    /// Whether it must not be forwarded.
    pub loop_prevention: bool,
    /// Whether it answers a command and not a message.
    pub of_command: bool,
    /// The reference of the message.
    pub reference: u8,
    /// Whom the message was for.
    pub recipient: Address,
    /// When the message came to the service centre.
    pub timestamp: Timestamp,
    /// When it was delivered, or given up.
    pub discharge: Timestamp,
    /// TP-ST. [9.2.3.15]
    pub status: u8,
    /// TP-PID, if it is there.
    pub protocol: Option<u8>,
    /// How the content is coded, if that is there.
    pub scheme: Option<Scheme>,
    /// What else it says.
    pub user_data: Option<UserData>,
}

impl StatusReport {
    /// What TP-ST says about the message. [9.2.3.15]
    pub const fn outcome(&self) -> Outcome {
        match self.status {
            0x00..=0x1f => Outcome::Completed,
            0x20..=0x3f => Outcome::StillTrying,
            0x40..=0x5f => Outcome::Failed,
            0x60..=0x7f => Outcome::GivenUp,
            _ => Outcome::Unknown,
        }
    }
}

/// Whether a message arrived.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It did, or was replaced.
    Completed,
    /// The service centre keeps trying.
    StillTrying,
    /// It will not.
    Failed,
    /// It did not so far, and the service centre has given up.
    GivenUp,
    /// The number has no meaning.
    Unknown,
}

impl Outcome {
    /// In kebab-case.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Completed => "completed",
            Self::StillTrying => "still-trying",
            Self::Failed => "failed",
            Self::GivenUp => "given-up",
            Self::Unknown => "unknown",
        }
    }
}

/// A message that cannot be coded as it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unsendable {
    /// An address has a character that is no digit.
    #[error("{0:?} is no digit of an address")]
    Digit(char),
    /// An address is too long.
    #[error("an address of {size} digits, at most {most} are allowed")]
    Address {
        /// Semi-octets that it takes.
        size: usize,
        /// How many there may be.
        most: usize,
    },
    /// The alphabet does not have a character.
    #[error("{0:?} is not in the alphabet of the message")]
    Character(char),
    /// The content is not what the coding scheme says.
    #[error("the coding scheme is not of this content")]
    Scheme,
    /// The content or its header is too long for one message.
    #[error("{size} octets of user data, at most {most} are allowed")]
    TooLong {
        /// Octets that it takes.
        size: usize,
        /// How many there may be.
        most: usize,
    },
    /// The text takes more than 255 messages.
    #[error("{parts} messages, at most 255 can belong together")]
    TooManyParts {
        /// Messages that it takes.
        parts: usize,
    },
}

/// First octet: message type, and flags by the names of the fields. [9.2.3.1 to 9.2.3.25]
const TYPE: u8 = 0x03;
const DELIVER: u8 = 0;
const SUBMIT: u8 = 1;
const STATUS_REPORT: u8 = 2;
const NO_MORE_MESSAGES: u8 = 0x04;
const REJECT_DUPLICATES: u8 = 0x04;
const LOOP_PREVENTION: u8 = 0x08;
const STATUS_REPORT_FLAG: u8 = 0x20;
const USER_DATA_HEADER: u8 = 0x40;
const REPLY_PATH: u8 = 0x80;
/// TP-PI: what a status report goes on with. [9.2.3.27]
const HAS_PROTOCOL: u8 = 0x01;
const HAS_SCHEME: u8 = 0x02;
const HAS_USER_DATA: u8 = 0x04;

impl Pdu {
    /// Reads PduData. Octets behind the message are legal.
    ///
    /// # Errors
    /// [`Malformed`] naming the field and its offset.
    pub fn decode(bytes: &[u8]) -> Result<Self, Malformed> {
        codec::decode_with("Pdu", bytes, |r| {
            Ok(Self { service_centre: Address::read_service_centre(r)?, tpdu: Tpdu::read(r)? })
        })
    }

    /// The octets of PduData.
    ///
    /// # Errors
    /// [`Unsendable`] saying what cannot be coded.
    pub fn encode(&self) -> Result<Vec<u8>, Unsendable> {
        let mut out = Vec::with_capacity(176);
        match &self.service_centre {
            Some(address) => address.write_service_centre(&mut out)?,
            None => out.push(0),
        }
        self.tpdu.write(&mut out)?;
        Ok(out)
    }
}

impl Tpdu {
    /// Reads a TPDU without a service centre, as cards and networks hold it.
    ///
    /// # Errors
    /// [`Malformed`] naming the field and its offset.
    pub fn decode(bytes: &[u8]) -> Result<Self, Malformed> {
        codec::decode_with("Tpdu", bytes, Self::read)
    }

    /// What it says, if it has content.
    pub fn user_data(&self) -> Option<&UserData> {
        match self {
            Self::Deliver(deliver) => Some(&deliver.user_data),
            Self::Submit(submit) => Some(&submit.user_data),
            Self::StatusReport(report) => report.user_data.as_ref(),
        }
    }

    /// How its content is coded, if it says so.
    pub fn scheme(&self) -> Option<Scheme> {
        match self {
            Self::Deliver(deliver) => Some(deliver.scheme),
            Self::Submit(submit) => Some(submit.scheme),
            Self::StatusReport(report) => report.scheme,
        }
    }

    /// Its text, if it has one.
    pub fn text(&self) -> Option<&str> {
        match &self.user_data()?.content {
            Content::Text(text) => Some(text),
            Content::Octets(_) => None,
        }
    }

    fn read(r: &mut Reader<'_>) -> Result<Self, Malformed> {
        let first = octet("tp_mti", r)?;
        let has = |flag: u8| first & flag != 0;
        Ok(match first & TYPE {
            SUBMIT => {
                let reference = octet("tp_mr", r)?;
                let destination = Address::read("tp_da", r)?;
                let protocol = octet("tp_pid", r)?;
                let scheme = Scheme(octet("tp_dcs", r)?);
                Self::Submit(Submit {
                    reject_duplicates: has(REJECT_DUPLICATES),
                    reply_path: has(REPLY_PATH),
                    status_report_request: has(STATUS_REPORT_FLAG),
                    reference,
                    destination,
                    protocol,
                    scheme,
                    validity: Validity::read(first, r)?,
                    user_data: UserData::read(scheme, has(USER_DATA_HEADER), r)?,
                })
            }
            STATUS_REPORT => {
                let mut report = StatusReport {
                    more_messages: !has(NO_MORE_MESSAGES),
                    loop_prevention: has(LOOP_PREVENTION),
                    of_command: has(STATUS_REPORT_FLAG),
                    reference: octet("tp_mr", r)?,
                    recipient: Address::read("tp_ra", r)?,
                    timestamp: Timestamp::read("tp_scts", r)?,
                    discharge: Timestamp::read("tp_dt", r)?,
                    status: octet("tp_st", r)?,
                    ..StatusReport::default()
                };
                // All that follows may be left out, and old service centres do.
                let parts = if r.left() == 0 { 0 } else { octet("tp_pi", r)? };
                if parts & HAS_PROTOCOL != 0 {
                    report.protocol = Some(octet("tp_pid", r)?);
                }
                if parts & HAS_SCHEME != 0 {
                    report.scheme = Some(Scheme(octet("tp_dcs", r)?));
                }
                if parts & HAS_USER_DATA != 0 {
                    let scheme = report.scheme.unwrap_or_default();
                    report.user_data = Some(UserData::read(scheme, has(USER_DATA_HEADER), r)?);
                }
                Self::StatusReport(report)
            }
            // The reserved type is taken for a delivery. [9.2.3.1]
            _ => {
                let originator = Address::read("tp_oa", r)?;
                let protocol = octet("tp_pid", r)?;
                let scheme = Scheme(octet("tp_dcs", r)?);
                Self::Deliver(Deliver {
                    more_messages: !has(NO_MORE_MESSAGES),
                    loop_prevention: has(LOOP_PREVENTION),
                    status_report_indication: has(STATUS_REPORT_FLAG),
                    reply_path: has(REPLY_PATH),
                    originator,
                    protocol,
                    scheme,
                    timestamp: Timestamp::read("tp_scts", r)?,
                    user_data: UserData::read(scheme, has(USER_DATA_HEADER), r)?,
                })
            }
        })
    }

    fn write(&self, out: &mut Vec<u8>) -> Result<(), Unsendable> {
        let flags =
            |kind: u8, all: &[(bool, u8)]| all.iter().filter(|(is, _)| *is).fold(kind, |sum, (_, bit)| sum | bit);
        match self {
            Self::Deliver(deliver) => {
                out.push(flags(
                    DELIVER,
                    &[
                        (!deliver.more_messages, NO_MORE_MESSAGES),
                        (deliver.loop_prevention, LOOP_PREVENTION),
                        (deliver.status_report_indication, STATUS_REPORT_FLAG),
                        (deliver.user_data.has_header(), USER_DATA_HEADER),
                        (deliver.reply_path, REPLY_PATH),
                    ],
                ));
                deliver.originator.write(out)?;
                out.extend([deliver.protocol, deliver.scheme.0]);
                out.extend(deliver.timestamp.0);
                deliver.user_data.write(deliver.scheme, out)
            }
            Self::Submit(submit) => {
                out.push(
                    submit.validity.format()
                        | flags(
                            SUBMIT,
                            &[
                                (submit.reject_duplicates, REJECT_DUPLICATES),
                                (submit.status_report_request, STATUS_REPORT_FLAG),
                                (submit.user_data.has_header(), USER_DATA_HEADER),
                                (submit.reply_path, REPLY_PATH),
                            ],
                        ),
                );
                out.push(submit.reference);
                submit.destination.write(out)?;
                out.extend([submit.protocol, submit.scheme.0]);
                submit.validity.write(out);
                submit.user_data.write(submit.scheme, out)
            }
            Self::StatusReport(report) => {
                let headed = report.user_data.as_ref().is_some_and(UserData::has_header);
                out.push(flags(
                    STATUS_REPORT,
                    &[
                        (!report.more_messages, NO_MORE_MESSAGES),
                        (report.loop_prevention, LOOP_PREVENTION),
                        (report.of_command, STATUS_REPORT_FLAG),
                        (headed, USER_DATA_HEADER),
                    ],
                ));
                out.push(report.reference);
                report.recipient.write(out)?;
                out.extend(report.timestamp.0);
                out.extend(report.discharge.0);
                out.push(report.status);
                let parts = flags(
                    0,
                    &[
                        (report.protocol.is_some(), HAS_PROTOCOL),
                        (report.scheme.is_some(), HAS_SCHEME),
                        (report.user_data.is_some(), HAS_USER_DATA),
                    ],
                );
                if parts != 0 {
                    out.push(parts);
                }
                out.extend(report.protocol);
                out.extend(report.scheme.map(|scheme| scheme.0));
                match &report.user_data {
                    Some(user_data) => user_data.write(report.scheme.unwrap_or_default(), out),
                    None => Ok(()),
                }
            }
        }
    }
}

fn octet(field: &'static str, r: &mut Reader<'_>) -> Result<u8, Malformed> {
    let [octet] = r.named(field).array()?;
    Ok(octet)
}

/// A length that the octets behind it do not have.
fn length(r: &Reader<'_>, length: usize, most: usize) -> Malformed {
    let number = |size: usize| u32::try_from(size).unwrap_or(u32::MAX);
    r.malformed(Problem::Length { length: number(length), least: 0, most: number(most) })
}

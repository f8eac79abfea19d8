//! All declared bodies, found by what a message says about itself.

mod describe;

use alloc::vec::Vec;

pub use describe::{Description, Trailing, describe};

use crate::service::intel::{at_tunnel, firmware_update, mutual_authentication, thermal_rf, tools};
use crate::service::{
    atds, auth, basic_connect, canonical, compal_at, dss, fibocom_at, google, ms_basic_connect_ext, ms_firmware_id,
    ms_host_shutdown, ms_sar, ms_uicc_low_level, ms_voice_extensions, phonebook, proxy_control, qdu, qmi, quectel, sms,
    stk, ussd,
};
use crate::{Body, Disguise, Malformed, MbimEx, Operation, Uuid, Value, codec};

/// One declared body.
#[derive(Clone, Copy, Debug)]
pub struct Row {
    /// The device service.
    pub service: Uuid,
    /// The command within the service.
    pub cid: u32,
    /// The command's name as the specification spells it, such as `RADIO_STATE`.
    pub cid_name: &'static str,
    /// The body's type name.
    pub body: &'static str,
    /// What the body is sent for.
    pub operations: &'static [Operation],
    /// The release that brought this layout.
    pub since: MbimEx,
    /// What the command is for, with its clause in brackets at the end.
    pub doc: &'static str,
    decode: fn(&[u8], bool) -> Result<Decoded, Malformed>,
    reencode: fn(&[u8]) -> Result<Vec<u8>, Malformed>,
    disguise: fn(&[u8], &mut dyn Disguise) -> Result<Disguised, Malformed>,
    again: fn(&[u8]) -> Result<(), Finding>,
    #[cfg(feature = "generate")]
    generate: fn(&[u8]) -> Vec<u8>,
}

/// A buffer decoded by the registry.
#[derive(Clone, Debug, PartialEq)]
pub struct Decoded {
    /// The fields.
    pub value: Value,
    /// Bytes that the known fields reach to; what follows is of a newer version, or waste.
    pub used: usize,
}

/// A buffer in which values are replaced.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Disguised {
    /// The fields, laid out as usual.
    pub buffer: Vec<u8>,
    /// Bytes of the buffer as it was that they account for, as [`Decoded::used`].
    pub used: usize,
}

impl Row {
    pub(crate) const fn of<B: Body>(cid_name: &'static str, doc: &'static str) -> Self {
        Self {
            service: B::SERVICE,
            cid: B::CID,
            cid_name,
            body: B::NAME,
            operations: B::OPERATIONS,
            since: B::SINCE,
            doc,
            decode: |buf, reveal| {
                let (body, used) = codec::decode_used::<B>(B::NAME, buf)?;
                Ok(Decoded { value: body.value(reveal), used })
            },
            reencode: |buf| B::decode(buf).map(|body| body.to_vec()),
            disguise: |buf, by| {
                let (mut body, used) = codec::decode_used::<B>(B::NAME, buf)?;
                body.disguise(false, by);
                Ok(Disguised { buffer: body.to_vec(), used })
            },
            again: again::<B>,
            #[cfg(feature = "generate")]
            generate: |entropy| B::generate(&mut crate::generate::Entropy::new(entropy)).to_vec(),
        }
    }

    /// Reads a buffer as this body. Personal values are shown only with `reveal`.
    ///
    /// # Errors
    /// [`Malformed`] naming the field and its offset in the buffer.
    pub fn decode(&self, buf: &[u8], reveal: bool) -> Result<Decoded, Malformed> {
        (self.decode)(buf, reveal)
    }

    /// The bytes that this crate writes for what a buffer says: the same ones if the buffer was laid out as usual.
    ///
    /// # Errors
    /// [`Malformed`] naming the field and its offset in the buffer.
    pub fn reencode(&self, buf: &[u8]) -> Result<Vec<u8>, Malformed> {
        (self.reencode)(buf)
    }

    /// What a buffer says with personal values and secrets replaced.
    ///
    /// # Errors
    /// [`Malformed`] naming the field and its offset in the buffer.
    pub fn disguise(&self, buf: &[u8], by: &mut dyn Disguise) -> Result<Disguised, Malformed> {
        (self.disguise)(buf, by)
    }

    /// A buffer of this body with values made of random bytes: the same ones for the same bytes, zeros where they run
    /// out. For tests.
    #[cfg(feature = "generate")]
    pub fn generate(&self, entropy: &[u8]) -> Vec<u8> {
        (self.generate)(entropy)
    }

    /// The clause of the specification, without brackets; empty if the documentation names none.
    pub fn clause(&self) -> &'static str {
        let inside = self.doc.rsplit_once('[').and_then(|(_, rest)| rest.split_once(']'));
        inside.map_or("", |(clause, _)| clause)
    }
}

/// The services: of the specification, of Microsoft, of vendors.
const SERVICES: &[&[Row]] = &[
    basic_connect::ROWS,
    sms::ROWS,
    ussd::ROWS,
    phonebook::ROWS,
    stk::ROWS,
    auth::ROWS,
    dss::ROWS,
    ms_basic_connect_ext::ROWS,
    ms_uicc_low_level::ROWS,
    ms_sar::ROWS,
    ms_firmware_id::ROWS,
    ms_host_shutdown::ROWS,
    ms_voice_extensions::ROWS,
    qmi::ROWS,
    qdu::ROWS,
    atds::ROWS,
    firmware_update::ROWS,
    thermal_rf::ROWS,
    mutual_authentication::ROWS,
    tools::ROWS,
    at_tunnel::ROWS,
    quectel::ROWS,
    google::ROWS,
    fibocom_at::ROWS,
    compal_at::ROWS,
    proxy_control::ROWS,
];

/// All declared bodies, service by service.
pub fn rows() -> impl Iterator<Item = &'static Row> {
    SERVICES.iter().copied().flatten()
}

/// The bodies of one service.
fn rows_of(service: Uuid) -> &'static [Row] {
    let service = canonical(service);
    let is = |rows: &&[Row]| rows.first().is_some_and(|row| row.service == service);
    SERVICES.iter().copied().find(is).unwrap_or_default()
}

/// The body that a buffer has: the newest layout that the session's release has.
pub fn find(service: Uuid, cid: u32, operation: Operation, mbimex: MbimEx) -> Option<&'static Row> {
    rows_of(service)
        .iter()
        .filter(|row| row.cid == cid && row.since <= mbimex && row.operations.contains(&operation))
        .max_by_key(|row| row.since)
}

/// The name of a command as the specification spells it.
pub fn cid_name(service: Uuid, cid: u32) -> Option<&'static str> {
    rows_of(service).iter().find(|row| row.cid == cid).map(|row| row.cid_name)
}

/// A body that does not keep its promises: a defect of this crate.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Finding {
    /// What was decoded encodes to bytes that do not decode.
    #[error("{body} does not read what it wrote: {malformed}")]
    Unreadable {
        /// The body.
        body: &'static str,
        /// Why not.
        malformed: Malformed,
    },
    /// What was decoded encodes to bytes that decode to something else.
    #[error("{body} reads something else than it wrote")]
    Different {
        /// The body.
        body: &'static str,
    },
}

/// Reads the bytes as every body of every release, prints what it can, writes it and reads it again: whatever decodes
/// must come back equal. For fuzzing.
///
/// # Errors
/// [`Finding`] for the first body that fails.
pub fn fuzz_all(bytes: &[u8]) -> Result<(), Finding> {
    rows().try_for_each(|row| (row.again)(bytes))
}

fn again<B: Body>(bytes: &[u8]) -> Result<(), Finding> {
    let Ok(first) = B::decode(bytes) else { return Ok(()) };
    let _ = alloc::format!("{first:?} {} {}", first.value(true), first.value(false));
    let mut wire = Vec::new();
    first.encode(&mut wire);
    let second = B::decode(&wire).map_err(|malformed| Finding::Unreadable { body: B::NAME, malformed })?;
    if first == second { Ok(()) } else { Err(Finding::Different { body: B::NAME }) }
}

//! The function side of the data plane: what was negotiated, blocks cut into datagrams, datagrams packed into blocks.

use super::profile::UsbProfile;
use bytes::{Bytes, BytesMut};
use mbim_proto::ntb::{
    Block, Builder, Ending, Faults, Format, InputSize, Limits, Parameters, Placement, SMALLEST_BLOCK, SequenceCheck,
    Stream,
};

/// Datagrams that one block towards the host holds at most.
const MOST_DATAGRAMS: u16 = 512;

/// What the data plane has seen since power came.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Blocks from the host.
    pub blocks_from_host: u64,
    /// Blocks towards the host.
    pub blocks_to_host: u64,
    /// Those of them, both ways, with 32-bit lengths.
    pub wide: u64,
    /// Datagrams from the host, of sessions that are up.
    pub datagrams_from_host: u64,
    /// Datagrams towards the host.
    pub datagrams_to_host: u64,
    /// Octets of them.
    pub octets_from_host: u64,
    /// Octets of them.
    pub octets_to_host: u64,
    /// Blocks from the host that never came, by their sequence numbers.
    pub missing: u64,
    /// Blocks from the host whose number was not ahead of the last one's.
    pub backward: u64,
    /// What was wrong with blocks from the host.
    pub faults: Faults,
    /// Transfers from the host that were longer than dwNtbOutMaxSize: two that no packet separated among them.
    pub oversized: u64,
    /// Zero-length packets from the host.
    pub zero_length: u64,
    /// Datagrams, either way, of sessions that are not up or that nobody serves, and those too long for a block.
    pub dropped: u64,
    /// Datagrams of device service streams; they are counted and go nowhere.
    pub device_service: u64,
    /// Responses that the host never fetched.
    pub responses_lost: u64,
    /// Class requests that wait for their answer now, held back by a fault.
    pub held: usize,
}

/// A transfer towards the host.
#[derive(Debug)]
pub(super) struct Transfer {
    pub(super) bytes: Bytes,
    /// Whether a zero-length packet ends it.
    pub(super) ends_empty: bool,
}

/// What was negotiated, and the two directions.
#[derive(Debug)]
pub(super) struct Ntb {
    parameters: Parameters,
    packet: u16,
    format: Format,
    input: InputSize,
    segment: u16,
    max_datagram: u16,
    /// Made anew after a change.
    builder: Option<Builder>,
    sequence: u16,
    spilled: Option<(u8, Bytes)>,
    check: SequenceCheck,
    partial: BytesMut,
    overrun: bool,
    pub(super) counters: Counters,
}

impl Ntb {
    pub(super) fn new(profile: &UsbProfile) -> Self {
        let (to, from) = (profile.to_host, profile.from_host);
        let parameters = Parameters {
            formats: if profile.ntb32 { 0b11 } else { 0b01 },
            in_max_size: to.max_size,
            in_divisor: to.divisor,
            in_remainder: to.remainder,
            in_alignment: to.alignment,
            out_max_size: from.max_size,
            out_divisor: from.divisor,
            out_remainder: from.remainder,
            out_alignment: from.alignment,
            out_max_datagrams: profile.from_host_datagrams,
        };
        Self {
            input: InputSize { max_size: to.max_size, max_datagrams: profile.long_input_size.then_some(0) },
            parameters,
            packet: profile.speed.bulk_packet(),
            format: Format::Ntb16,
            segment: profile.max_segment,
            max_datagram: profile.max_segment,
            builder: None,
            sequence: 0,
            spilled: None,
            check: SequenceCheck::default(),
            partial: BytesMut::new(),
            overrun: false,
            counters: Counters::default(),
        }
    }

    pub(super) fn parameters(&self) -> [u8; Parameters::SIZE] {
        self.parameters.encode()
    }

    pub(super) const fn format(&self) -> Format {
        self.format
    }

    pub(super) fn set_format(&mut self, format: Format) {
        self.format = format;
        self.builder = None;
    }

    /// The answer to GET_NTB_INPUT_SIZE, in the form that is offered.
    pub(super) fn input_size(&self) -> Vec<u8> {
        self.input.encode().into_iter().take(self.input.len()).collect()
    }

    /// Takes SET_NTB_INPUT_SIZE; false when it is not legal. The short form sets no number of datagrams.
    pub(super) fn set_input_size(&mut self, data: &[u8]) -> bool {
        let Ok(wanted) = InputSize::decode(data) else { return false };
        let long_offered = self.input.max_datagrams.is_some();
        let legal = (SMALLEST_BLOCK..=self.parameters.in_max_size).contains(&wanted.max_size)
            && (long_offered || wanted.max_datagrams.is_none());
        if legal {
            let max_datagrams = long_offered.then(|| wanted.max_datagrams.unwrap_or(0));
            self.input = InputSize { max_size: wanted.max_size, max_datagrams };
            self.builder = None;
        }
        legal
    }

    pub(super) const fn max_datagram(&self) -> u16 {
        self.max_datagram
    }

    /// Takes SET_MAX_DATAGRAM_SIZE; false when it is not legal.
    pub(super) fn set_max_datagram(&mut self, data: &[u8]) -> bool {
        let Ok(bytes) = <[u8; 2]>::try_from(data) else { return false };
        let wanted = u16::from_le_bytes(bytes);
        let legal = wanted > 0 && wanted <= self.segment;
        if legal {
            self.max_datagram = wanted;
            self.builder = None;
        }
        legal
    }

    /// Takes back everything that the host has set.
    pub(super) fn restore_defaults(&mut self) {
        self.format = Format::Ntb16;
        self.input.max_size = self.parameters.in_max_size;
        self.input.max_datagrams = self.input.max_datagrams.map(|_| 0);
        self.max_datagram = self.segment;
        self.restart();
    }

    /// Forgets what is under way, and counts blocks from zero again.
    pub(super) fn restart(&mut self) {
        self.builder = None;
        self.sequence = 0;
        self.spilled = None;
        self.check.restart();
        self.partial.clear();
        self.overrun = false;
    }

    /// The host has sent these bytes; `short` when a zero-length packet came behind them. A transfer is over with a
    /// packet that is not full, or when a block can be no longer. Its datagrams go to `take`.
    pub(super) fn receive(&mut self, data: Bytes, short: bool, mut take: impl FnMut(u8, Bytes)) {
        let most = usize::try_from(self.parameters.out_max_size).unwrap_or(usize::MAX);
        let size = self.partial.len() + data.len();
        let ends = short || !data.len().is_multiple_of(usize::from(self.packet)) || data.is_empty() || size >= most;
        self.counters.zero_length += u64::from(short || data.is_empty());
        if data.is_empty() && self.partial.is_empty() && !self.overrun {
            return;
        }
        if size > most {
            self.overrun = true;
            self.partial.clear();
        }
        if self.overrun {
            // A block of the full size may have a zero-length packet behind it; one that is longer has no end but one.
            if short || !data.len().is_multiple_of(usize::from(self.packet)) || data.is_empty() {
                self.overrun = false;
                self.counters.oversized += 1;
            }
            return;
        }
        if !ends {
            self.partial.extend_from_slice(&data);
            return;
        }
        let transfer = if self.partial.is_empty() {
            data
        } else {
            self.partial.extend_from_slice(&data);
            self.partial.split().freeze()
        };
        self.block(&transfer, &mut take);
    }

    fn block(&mut self, transfer: &Bytes, take: &mut impl FnMut(u8, Bytes)) {
        let limits = self.parameters.output(self.format).with_max_datagram(self.max_datagram);
        let block = match Block::parse(transfer, &limits) {
            Ok(block) => block,
            Err(fault) => return self.counters.faults.note(fault),
        };
        self.counters.blocks_from_host += 1;
        self.counters.wide += u64::from(self.format == Format::Ntb32);
        self.check.take(block.sequence());
        self.counters.missing = self.check.missing();
        self.counters.backward = self.check.backward();
        for item in block.datagrams() {
            let Some(datagram) = self.counters.faults.sift(item) else { continue };
            match datagram.stream {
                // The datagram stays where it is; the block lives as long as the last of them.
                Stream::Ip(session) => take(session, transfer.slice_ref(datagram.payload)),
                Stream::DeviceService(_) => self.counters.device_service += 1,
            }
        }
    }

    /// Packs what `source` has into one block; `None` when it has nothing. A block is sent as soon as nothing more
    /// waits: what comes while it is under way goes into the next one, so that a busy link fills its blocks by itself.
    pub(super) fn pack(&mut self, mut source: impl FnMut() -> Option<(u8, Bytes)>) -> Option<Transfer> {
        let builder = self.builder.get_or_insert_with(|| {
            let offered = self.parameters.input(self.format);
            let most = self.input.max_datagrams.filter(|most| *most > 0).unwrap_or(MOST_DATAGRAMS);
            let limits = Limits { max_size: self.input.max_size, max_datagrams: most.min(MOST_DATAGRAMS), ..offered };
            Builder::new(limits.with_max_datagram(self.max_datagram)).with_placement(Placement::End)
        });
        builder.start(self.sequence);
        while let Some((session, datagram)) = self.spilled.take().or_else(&mut source) {
            if builder.push(Stream::Ip(session), &datagram) {
                self.counters.datagrams_to_host += 1;
                self.counters.octets_to_host += datagram.len() as u64;
            } else if builder.is_empty() {
                self.counters.dropped += 1;
            } else {
                self.spilled = Some((session, datagram));
                break;
            }
        }
        if builder.is_empty() {
            return None;
        }
        let bytes = Bytes::copy_from_slice(builder.finish());
        self.sequence = self.sequence.wrapping_add(1);
        self.counters.blocks_to_host += 1;
        self.counters.wide += u64::from(self.format == Format::Ntb32);
        let ends_empty = Ending::of(bytes.len(), self.packet, self.input.max_size) == Ending::ZeroLengthPacket;
        Some(Transfer { bytes, ends_empty })
    }
}

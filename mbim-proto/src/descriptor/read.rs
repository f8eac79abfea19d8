//! Reading descriptors of a device that may lie.

use alloc::vec::Vec;

use super::functional::{self, Mbim, MbimExtended, Ncm};
use super::{Configuration, Descriptors, Device, Endpoint, Function, Pairing};
use crate::{Malformed, Problem};

/// Alternate settings of one configuration that are looked at; the kernel takes 32 interfaces.
pub const MOST_ALTERNATES: usize = 256;

pub(super) const DEVICE: u8 = 1;
pub(super) const CONFIGURATION: u8 = 2;
pub(super) const INTERFACE: u8 = 4;
pub(super) const ENDPOINT: u8 = 5;
pub(super) const ASSOCIATION: u8 = 0x0b;
pub(super) const CS_INTERFACE: u8 = 0x24;
pub(super) const COMPANION: u8 = 0x30;

pub(super) const CLASS_COMMUNICATION: u8 = 0x02;
pub(super) const CLASS_DATA: u8 = 0x0a;
pub(super) const SUBCLASS_NCM: u8 = 0x0d;
pub(super) const SUBCLASS_MBIM: u8 = 0x0e;
pub(super) const PROTOCOL_NCM: u8 = 0x01;
pub(super) const PROTOCOL_MBIM: u8 = 0x02;

/// One descriptor, with its place in everything that was read.
#[derive(Clone, Copy, Debug)]
pub(super) struct Item<'a> {
    bytes: &'a [u8],
    offset: usize,
    name: &'static str,
}

impl<'a> Item<'a> {
    /// The same under the name that errors give it.
    pub(super) fn named(self, name: &'static str) -> Self {
        Self { name, ..self }
    }

    pub(super) fn malformed(&self, at: usize, field: &'static str, problem: Problem) -> Malformed {
        Malformed { body: self.name, field, offset: self.offset + at, problem }
    }

    fn array<const N: usize>(&self, at: usize, field: &'static str) -> Result<[u8; N], Malformed> {
        let rest = self.bytes.get(at..).unwrap_or_default();
        let short = Problem::Truncated { needed: N as u64, left: rest.len() };
        rest.first_chunk().copied().ok_or_else(|| self.malformed(at.min(self.bytes.len()), field, short))
    }

    pub(super) fn u8(&self, at: usize, field: &'static str) -> Result<u8, Malformed> {
        self.array(at, field).map(|[byte]| byte)
    }

    pub(super) fn u16(&self, at: usize, field: &'static str) -> Result<u16, Malformed> {
        self.array(at, field).map(u16::from_le_bytes)
    }

    /// bDescriptorType.
    fn kind(&self) -> u8 {
        self.bytes.get(1).copied().unwrap_or(0)
    }

    /// bDescriptorSubtype of a functional descriptor.
    fn subtype(&self) -> Option<u8> {
        self.bytes.get(2).copied().filter(|_| self.kind() == CS_INTERFACE)
    }
}

/// Descriptors one behind the other. Ends after the first that cannot be passed.
#[derive(Clone, Debug)]
struct Walk<'a> {
    bytes: &'a [u8],
    /// Where `bytes` begin in everything that was read.
    base: usize,
    at: usize,
}

impl<'a> Walk<'a> {
    fn new(bytes: &'a [u8], base: usize) -> Self {
        Self { bytes, base, at: 0 }
    }
}

impl<'a> Iterator for Walk<'a> {
    type Item = Result<Item<'a>, Malformed>;

    fn next(&mut self) -> Option<Self::Item> {
        let rest = self.bytes.get(self.at..).filter(|rest| !rest.is_empty())?;
        let length = rest.first().copied().map_or(0, usize::from);
        let offset = self.base + self.at;
        let wrong = |problem| Malformed { body: "Descriptor", field: "length", offset, problem };
        let item = match rest.get(..length) {
            _ if length < 2 => {
                let most = u32::try_from(rest.len()).unwrap_or(u32::MAX);
                Err(wrong(Problem::Length { length: length as u32, least: 2, most }))
            }
            None => Err(wrong(Problem::Truncated { needed: length as u64, left: rest.len() })),
            Some(bytes) => Ok(Item { bytes, offset, name: "Descriptor" }),
        };
        self.at = if item.is_ok() { self.at + length } else { self.bytes.len() };
        Some(item)
    }
}

impl Device {
    /// Reads the 18 bytes.
    ///
    /// # Errors
    /// Fewer bytes, or another descriptor.
    pub fn decode(bytes: &[u8]) -> Result<Self, Malformed> {
        let item = Item { bytes, offset: 0, name: "DeviceDescriptor" };
        expect(&item, 0, "length", u32::from(Self::SIZE))?;
        expect(&item, 1, "descriptor_type", u32::from(DEVICE))?;
        Ok(Self {
            usb: item.u16(2, "usb")?,
            class: item.array(4, "device_class")?,
            max_packet_0: item.u8(7, "max_packet_size_0")?,
            vendor: item.u16(8, "vendor")?,
            product: item.u16(10, "product")?,
            release: item.u16(12, "device")?,
            strings: item.array(14, "manufacturer")?,
            configurations: item.u8(17, "num_configurations")?,
        })
    }
}

fn expect(item: &Item<'_>, at: usize, field: &'static str, wanted: u32) -> Result<(), Malformed> {
    let found = u32::from(item.u8(at, field)?);
    if found == wanted { Ok(()) } else { Err(item.malformed(at, field, Problem::Unexpected { found, wanted })) }
}

impl Descriptors {
    /// Reads the file `descriptors` of a USB device in sysfs, or what the device gave: the device descriptor, then its
    /// configurations.
    ///
    /// # Errors
    /// The device descriptor is not there. Everything else that is wrong stands in [`Descriptors::cut`] and
    /// [`Configuration::refused`].
    pub fn parse(bytes: &[u8]) -> Result<Self, Malformed> {
        let device = Device::decode(bytes)?;
        let mut all = Self { device, configurations: Vec::new(), cut: None };
        let mut at = usize::from(Device::SIZE);
        while let Some(rest) = bytes.get(at..).filter(|rest| !rest.is_empty()) {
            match configuration(rest, at) {
                Ok((one, used, cut)) => {
                    all.configurations.push(one);
                    all.cut = cut;
                    at += used;
                }
                Err(malformed) => all.cut = Some(malformed),
            }
            if all.cut.is_some() {
                break;
            }
        }
        Ok(all)
    }
}

impl Configuration {
    /// Reads one configuration, as GET_DESCRIPTOR gives it.
    ///
    /// # Errors
    /// Its own descriptor is not there, or the bytes cannot be walked to its end.
    pub fn decode(bytes: &[u8]) -> Result<Self, Malformed> {
        let (one, _, cut) = configuration(bytes, 0)?;
        cut.map_or(Ok(one), Err)
    }
}

/// A configuration, the bytes that it takes, and where it ended early.
fn configuration(rest: &[u8], base: usize) -> Result<(Configuration, usize, Option<Malformed>), Malformed> {
    let item = Item { bytes: rest, offset: base, name: "ConfigurationDescriptor" };
    expect(&item, 0, "length", u32::from(Configuration::SIZE))?;
    expect(&item, 1, "descriptor_type", u32::from(CONFIGURATION))?;
    let total = item.u16(2, "total_length")?;
    let [value, _string, attributes, max_power] = item.array(5, "configuration_value")?;
    if total < u16::from(Configuration::SIZE) {
        let [length, least, most] = [total, u16::from(Configuration::SIZE), u16::MAX].map(u32::from);
        return Err(item.malformed(2, "total_length", Problem::Length { length, least, most }));
    }
    let short = Problem::Truncated { needed: u64::from(total), left: rest.len() };
    let total = usize::from(total);
    let mut cut = (total > rest.len()).then(|| item.malformed(2, "total_length", short));
    let body = rest.get(..total).unwrap_or(rest);
    let skip = usize::from(Configuration::SIZE);
    let mut layout = Layout::default();
    for item in Walk::new(body.get(skip..).unwrap_or_default(), base + skip) {
        if let Err(malformed) = item.and_then(|item| layout.take(item, body, base)) {
            cut = Some(malformed);
            break;
        }
    }
    let mut one = Configuration { value, attributes, max_power, functions: Vec::new(), refused: Vec::new() };
    for (n, alternate) in layout.alternates.iter().enumerate() {
        let again = |earlier: &Alternate<'_>| earlier.is_mbim() && earlier.number == alternate.number;
        if !alternate.is_mbim() || layout.alternates.iter().take(n).any(again) {
            continue;
        }
        match layout.function(alternate) {
            Ok(function) => one.functions.push(function),
            Err(malformed) => one.refused.push(malformed),
        }
    }
    Ok((one, total.min(rest.len()), cut))
}

/// An alternate setting and what follows its descriptor.
#[derive(Clone, Copy, Debug)]
struct Alternate<'a> {
    item: Item<'a>,
    number: u8,
    alternate: u8,
    class: [u8; 3],
    body: &'a [u8],
    base: usize,
}

impl<'a> Alternate<'a> {
    fn is_mbim(&self) -> bool {
        matches!(self.class, [CLASS_COMMUNICATION, SUBCLASS_MBIM, _])
    }

    fn is_ncm(&self) -> bool {
        matches!(self.class, [CLASS_COMMUNICATION, SUBCLASS_NCM, _])
    }

    fn items(&self) -> impl Iterator<Item = Item<'a>> + use<'a> {
        Walk::new(self.body, self.base).map_while(Result::ok)
    }

    fn functional(&self, subtype: u8) -> Option<Item<'a>> {
        self.items().find(|item| item.subtype() == Some(subtype))
    }

    /// The first endpoint of a transfer type and direction.
    fn endpoint(&self, transfer: u8, input: bool) -> Result<Option<Endpoint>, Malformed> {
        let mut items = self.items();
        while let Some(item) = items.next() {
            if item.kind() != ENDPOINT {
                continue;
            }
            let item = item.named("EndpointDescriptor");
            let [address, attributes] = item.array(2, "endpoint_address")?;
            if attributes & 3 != transfer || (address & 0x80 != 0) != input {
                continue;
            }
            if address & 0x70 != 0 || address & 0x0f == 0 {
                let (number, least) = (u32::from(address), u32::from(address & 0x80) + 1);
                return Err(item.malformed(2, "endpoint_address", Problem::Range { number, least, most: least + 14 }));
            }
            let max_packet = item.u16(4, "max_packet_size")?;
            // Bits 11 and 12 count further transactions of a microframe, which only matters to periodic endpoints.
            let bytes = max_packet & 0x07ff;
            if !(1..=1024).contains(&bytes) {
                let problem = Problem::Range { number: u32::from(max_packet), least: 1, most: 1024 };
                return Err(item.malformed(4, "max_packet_size", problem));
            }
            let interval = item.u8(6, "interval")?;
            let companion = items.next().filter(|item| item.kind() == COMPANION);
            let burst = companion.map(|item| item.named("EndpointCompanion").u8(2, "max_burst")).transpose()?;
            return Ok(Some(Endpoint { address, max_packet: bytes, interval, burst }));
        }
        Ok(None)
    }

    fn missing(&self, body: &'static str, field: &'static str) -> Malformed {
        self.item.named(body).malformed(0, field, Problem::Missing)
    }
}

/// An interface association.
#[derive(Clone, Copy, Debug)]
struct Association {
    first: u8,
    count: u8,
}

/// A configuration taken apart.
#[derive(Clone, Debug, Default)]
struct Layout<'a> {
    alternates: Vec<Alternate<'a>>,
    associations: Vec<Association>,
}

impl<'a> Layout<'a> {
    /// Takes the next descriptor of the configuration `whole`, which stands at `base`.
    fn take(&mut self, item: Item<'a>, whole: &'a [u8], base: usize) -> Result<(), Malformed> {
        let end = item.offset - base + item.bytes.len();
        match item.kind() {
            INTERFACE => {
                let item = item.named("InterfaceDescriptor");
                let [number, alternate, _endpoints] = item.array(2, "interface_number")?;
                let class = item.array(5, "interface_class")?;
                if self.alternates.len() >= MOST_ALTERNATES {
                    let count = MOST_ALTERNATES as u32 + 1;
                    let problem = Problem::TooMany { count, most: MOST_ALTERNATES as u64 };
                    return Err(item.malformed(0, "alternate_setting", problem));
                }
                self.alternates.push(Alternate { item, number, alternate, class, body: &[], base: base + end });
            }
            ASSOCIATION => {
                let [first, count] = item.named("InterfaceAssociation").array(2, "first_interface")?;
                if self.associations.len() < MOST_ALTERNATES {
                    self.associations.push(Association { first, count });
                }
            }
            _ => {
                if let Some(last) = self.alternates.last_mut() {
                    last.body = whole.get(last.base - base..end).unwrap_or_default();
                }
            }
        }
        Ok(())
    }

    /// The alternate settings of an interface, `first` before the others.
    fn of<'s>(&'s self, number: u8, first: u8) -> impl Iterator<Item = &'s Alternate<'a>> {
        let own = move |one: &&Alternate<'a>| one.number == number;
        let chosen = self.alternates.iter().filter(own).filter(move |one| one.alternate == first);
        chosen.chain(self.alternates.iter().filter(own).filter(move |one| one.alternate != first))
    }

    fn function(&self, communication: &Alternate<'a>) -> Result<Function, Malformed> {
        let (number, alternate) = (communication.number, communication.alternate);
        // Some functions put all functional descriptors behind the first alternate setting.
        let functional = |subtype| self.of(number, alternate).find_map(|one| one.functional(subtype));
        let mbim = functional(functional::MBIM).ok_or_else(|| communication.missing("MbimFunctional", "descriptor"))?;
        let mbim = Mbim::read(mbim)?;
        let extended = functional(functional::MBIM_EXTENDED).map(MbimExtended::read).transpose()?;
        let (data, pairing) = self.pair(communication, functional(functional::UNION))?;
        let interrupt = communication.endpoint(3, true)?;
        let interrupt = interrupt.ok_or_else(|| communication.missing("InterfaceDescriptor", "interrupt_endpoint"))?;
        let ncm = self.of(number, alternate).find(|one| one.is_ncm());
        let transfer = self.transfer(data, ncm.is_some())?;
        let bulk = |input| {
            let missing = || transfer.missing("InterfaceDescriptor", "bulk_endpoint");
            transfer.endpoint(2, input)?.ok_or_else(missing)
        };
        let (bulk_in, bulk_out) = (bulk(true)?, bulk(false)?);
        let ncm =
            ncm.and_then(|one| Ncm::read(one.functional(functional::NCM)?, one.functional(functional::ETHERNET)?).ok());
        Ok(Function {
            communication: number,
            communication_alternate: alternate,
            data: transfer.number,
            data_alternate: transfer.alternate,
            interrupt,
            bulk_in,
            bulk_out,
            pairing,
            mbim,
            extended,
            ncm,
        })
    }

    /// The data interface of a communication interface: an alternate setting of it, for its number.
    fn pair(
        &self,
        communication: &Alternate<'a>,
        union: Option<Item<'a>>,
    ) -> Result<(&Alternate<'a>, Pairing), Malformed> {
        let number = communication.number;
        let data = |wanted: u8| {
            let fits = |one: &&Alternate<'a>| one.number == wanted && one.class[0] == CLASS_DATA;
            self.alternates.iter().find(fits).filter(|_| wanted != number)
        };
        let associated = self.associations.iter().find_map(|one| {
            let mut members = one.first..=one.first.saturating_add(one.count.saturating_sub(1));
            if !members.contains(&number) {
                return None;
            }
            members.find_map(data)
        });
        let Some(union) = union.map(|item| item.named("UnionFunctional")) else {
            let missing = || communication.missing("UnionFunctional", "descriptor");
            return associated.map(|one| (one, Pairing::Association)).ok_or_else(missing);
        };
        let [_control, subordinate] = union.array(3, "control_interface")?;
        match (data(subordinate), associated) {
            (Some(named), Some(associated)) if named.number == associated.number => Ok((named, Pairing::Both)),
            (Some(named), _) => Ok((named, Pairing::Union)),
            (None, Some(associated)) => Ok((associated, Pairing::Association)),
            (None, None) => Err(union.malformed(4, "subordinate_interface", Problem::Missing)),
        }
    }

    /// The alternate setting of the data interface that carries MBIM: by its protocol, never by its number.
    fn transfer(&self, data: &Alternate<'a>, dual: bool) -> Result<&Alternate<'a>, Malformed> {
        let all = || self.of(data.number, data.alternate).filter(|one| one.class[0] == CLASS_DATA);
        let bulk = |one: &&Alternate<'a>| one.items().any(|item| item.kind() == ENDPOINT);
        let named = all().filter(bulk).find(|one| one.class[2] == PROTOCOL_MBIM);
        // A function that is nothing but MBIM has only one setting with endpoints, whatever that calls itself.
        let other = || all().find(bulk).filter(|_| !dual);
        named.or_else(other).ok_or_else(|| data.missing("InterfaceDescriptor", "mbim_transfer_alternate"))
    }
}

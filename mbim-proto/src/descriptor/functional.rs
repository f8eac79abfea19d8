//! Functional descriptors: what the class adds to the interfaces. [CDC1.2 5.2.3] [MBIM1.0 6.4] [NCM1.0 5.2]

use super::read::Item;
use crate::{Malformed, Problem};

pub(super) const HEADER: u8 = 0x00;
pub(super) const UNION: u8 = 0x06;
pub(super) const ETHERNET: u8 = 0x0f;
pub(super) const NCM: u8 = 0x1a;
pub(super) const MBIM: u8 = 0x1b;
pub(super) const MBIM_EXTENDED: u8 = 0x1c;

/// bmNetworkCapabilities.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct NetworkCapabilities(pub u8);

impl NetworkCapabilities {
    /// D3: GET_MAX_DATAGRAM_SIZE and SET_MAX_DATAGRAM_SIZE are understood.
    pub const MAX_DATAGRAM_SIZE: Self = Self(0x08);
    /// D5: GET_NTB_INPUT_SIZE and SET_NTB_INPUT_SIZE may have 8 bytes.
    pub const NTB_INPUT_SIZE_8: Self = Self(0x20);

    /// Whether all bits of `other` are set.
    pub const fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }
}

/// The MBIM functional descriptor. [MBIM1.0 6.4]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mbim {
    /// bcdMBIMVersion, 0x0100.
    pub version: u16,
    /// wMaxControlMessage: the largest control message or fragment, 64 bytes or more.
    pub max_control_message: u16,
    /// bNumberFilters: packet filters over all sessions.
    pub filters: u8,
    /// bMaxFilterSize, in bytes.
    pub max_filter_size: u8,
    /// wMaxSegmentSize: the largest datagram, in bytes. Some functions put their MTU here, below the 2048 that the
    /// specification demands; the link's MTU must not exceed it.
    pub max_segment_size: u16,
    /// bmNetworkCapabilities.
    pub capabilities: NetworkCapabilities,
}

impl Mbim {
    /// Bytes of the descriptor.
    pub const SIZE: u8 = 12;
    const NAME: &'static str = "MbimFunctional";

    pub(super) fn read(item: Item<'_>) -> Result<Self, Malformed> {
        let item = item.named(Self::NAME);
        let mbim = Self {
            version: item.u16(3, "mbim_version")?,
            max_control_message: item.u16(5, "max_control_message")?,
            filters: item.u8(7, "number_filters")?,
            max_filter_size: item.u8(8, "max_filter_size")?,
            max_segment_size: item.u16(9, "max_segment_size")?,
            capabilities: NetworkCapabilities(item.u8(11, "network_capabilities")?),
        };
        let least = crate::fragment::SMALLEST_TRANSFER;
        item.range(5, "max_control_message", mbim.max_control_message, least as u16, u16::MAX)?;
        item.range(9, "max_segment_size", mbim.max_segment_size, 1, u16::MAX)?;
        Ok(mbim)
    }

    pub(super) fn bytes(&self) -> [u8; Self::SIZE as usize] {
        let ([v0, v1], [c0, c1], [s0, s1]) =
            (self.version.to_le_bytes(), self.max_control_message.to_le_bytes(), self.max_segment_size.to_le_bytes());
        let (filters, size) = (self.filters, self.max_filter_size);
        [Self::SIZE, super::read::CS_INTERFACE, MBIM, v0, v1, c0, c1, filters, size, s0, s1, self.capabilities.0]
    }
}

impl Default for Mbim {
    /// What most modems say: messages of 4096 bytes, 32 filters of 192 bytes, datagrams of 2048 bytes, both capabilities.
    fn default() -> Self {
        Self {
            version: 0x0100,
            max_control_message: 4096,
            filters: 32,
            max_filter_size: 192,
            max_segment_size: 2048,
            capabilities: NetworkCapabilities(0x28),
        }
    }
}

/// The MBIM extended functional descriptor. [MBIM1.0 6.5]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MbimExtended {
    /// bcdMBIMExtendedVersion: 0x0100, or the release of Microsoft's extensions.
    pub version: u16,
    /// bMaxOutstandingCommandMessages: commands that may be in flight.
    pub max_outstanding_command_messages: u8,
    /// wMTU: the operator's wish for IP streams, in bytes; 0 or 1500 for none.
    pub mtu: u16,
}

impl MbimExtended {
    /// Bytes of the descriptor.
    pub const SIZE: u8 = 8;

    pub(super) fn read(item: Item<'_>) -> Result<Self, Malformed> {
        let item = item.named("MbimExtendedFunctional");
        Ok(Self {
            version: item.u16(3, "mbim_extended_version")?,
            max_outstanding_command_messages: item.u8(5, "max_outstanding_command_messages")?,
            mtu: item.u16(6, "mtu")?,
        })
    }

    pub(super) fn bytes(&self) -> [u8; Self::SIZE as usize] {
        let ([v0, v1], [m0, m1]) = (self.version.to_le_bytes(), self.mtu.to_le_bytes());
        let commands = self.max_outstanding_command_messages;
        [Self::SIZE, super::read::CS_INTERFACE, MBIM_EXTENDED, v0, v1, commands, m0, m1]
    }
}

/// What a function that can also be NCM says about that. MBIM does not use it. [NCM1.0 5.2]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ncm {
    /// bcdNcmVersion, 0x0100.
    pub version: u16,
    /// bmNetworkCapabilities.
    pub capabilities: u8,
    /// The Ethernet networking functional descriptor.
    pub ethernet: Ethernet,
}

impl Ncm {
    pub(super) const SIZE: u8 = 6;

    pub(super) fn read(item: Item<'_>, ethernet: Item<'_>) -> Result<Self, Malformed> {
        let item = item.named("NcmFunctional");
        Ok(Self {
            version: item.u16(3, "ncm_version")?,
            capabilities: item.u8(5, "network_capabilities")?,
            ethernet: Ethernet::read(ethernet)?,
        })
    }

    pub(super) fn bytes(&self) -> [u8; Self::SIZE as usize] {
        let [v0, v1] = self.version.to_le_bytes();
        [Self::SIZE, super::read::CS_INTERFACE, NCM, v0, v1, self.capabilities]
    }
}

/// The Ethernet networking functional descriptor. [ECM1.2 5.4]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ethernet {
    /// iMACAddress: the string descriptor that holds the address.
    pub mac_address: u8,
    /// bmEthernetStatistics.
    pub statistics: u32,
    /// wMaxSegmentSize, in bytes with the Ethernet header.
    pub max_segment_size: u16,
    /// wNumberMCFilters.
    pub multicast_filters: u16,
    /// bNumberPowerFilters.
    pub power_filters: u8,
}

impl Ethernet {
    pub(super) const SIZE: u8 = 13;

    fn read(item: Item<'_>) -> Result<Self, Malformed> {
        let item = item.named("EthernetFunctional");
        let [low, high] = [item.u16(4, "ethernet_statistics")?, item.u16(6, "ethernet_statistics")?].map(u32::from);
        Ok(Self {
            mac_address: item.u8(3, "mac_address")?,
            statistics: low | high << 16,
            max_segment_size: item.u16(8, "max_segment_size")?,
            multicast_filters: item.u16(10, "number_mc_filters")?,
            power_filters: item.u8(12, "number_power_filters")?,
        })
    }

    pub(super) fn bytes(&self) -> [u8; Self::SIZE as usize] {
        let ([a, b, c, d], [s0, s1], [m0, m1]) =
            (self.statistics.to_le_bytes(), self.max_segment_size.to_le_bytes(), self.multicast_filters.to_le_bytes());
        let head = [Self::SIZE, super::read::CS_INTERFACE, ETHERNET, self.mac_address];
        let [h0, h1, h2, h3] = head;
        [h0, h1, h2, h3, a, b, c, d, s0, s1, m0, m1, self.power_filters]
    }
}

impl Item<'_> {
    /// Refuses a number outside of its range.
    fn range(&self, at: usize, field: &'static str, number: u16, least: u16, most: u16) -> Result<(), Malformed> {
        if (least..=most).contains(&number) {
            return Ok(());
        }
        let [number, least, most] = [number, least, most].map(u32::from);
        Err(self.malformed(at, field, Problem::Range { number, least, most }))
    }
}

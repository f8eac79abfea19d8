//! What a USB device says about its MBIM functions: reading the descriptors that the kernel shows in sysfs, and making
//! them for the function side. [USB2.0 9.6] [CDC1.2 5] [NCM1.0 5] [MBIM1.0 6]
//!
//! One [`Function`] is read and written by the same declaration: what [`Configuration::encode`] makes,
//! [`Descriptors::parse`] reads back.

mod build;
mod functional;
mod read;
#[cfg(test)]
mod tests;

use alloc::vec::Vec;

pub use functional::{Ethernet, Mbim, MbimExtended, Ncm, NetworkCapabilities};
pub use read::MOST_ALTERNATES;

use crate::Malformed;

/// What the first 18 bytes say about the device. [USB2.0 9.6.1]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Device {
    /// bcdUSB, as 0x0200 or 0x0320.
    pub usb: u16,
    /// bDeviceClass, bDeviceSubClass and bDeviceProtocol; 0xef, 2, 1 where interfaces are grouped by associations.
    pub class: [u8; 3],
    /// bMaxPacketSize0 as it stands: bytes, or the power of two from USB 3 on.
    pub max_packet_0: u8,
    /// idVendor.
    pub vendor: u16,
    /// idProduct.
    pub product: u16,
    /// bcdDevice, the manufacturer's release number.
    pub release: u16,
    /// iManufacturer, iProduct and iSerialNumber: numbers of string descriptors, 0 for none.
    pub strings: [u8; 3],
    /// bNumConfigurations.
    pub configurations: u8,
}

/// Everything that the kernel shows of a device without opening it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Descriptors {
    /// The device itself.
    pub device: Device,
    /// Its configurations, in the order of their descriptors.
    pub configurations: Vec<Configuration>,
    /// Where the reading ended early, if it did: what stands before was used. A device may be worth using that lies
    /// about a function which is none of ours.
    pub cut: Option<Malformed>,
}

impl Descriptors {
    /// All functions that can be used, with the configuration that each is part of.
    pub fn functions(&self) -> impl Iterator<Item = (&Configuration, &Function)> {
        self.configurations.iter().flat_map(|one| one.functions.iter().map(move |function| (one, function)))
    }
}

/// One configuration, as far as MBIM is concerned. [USB2.0 9.6.3]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Configuration {
    /// bConfigurationValue: what sysfs' bConfigurationValue must say for it to be in force.
    pub value: u8,
    /// bmAttributes: 0x80, with 0x40 self-powered and 0x20 remote wake-up.
    pub attributes: u8,
    /// bMaxPower: units of 2 mA, 8 mA at SuperSpeed.
    pub max_power: u8,
    /// Its MBIM functions: none, one, or one per executor.
    pub functions: Vec<Function>,
    /// Functions that call themselves MBIM but cannot be used, with what is wrong.
    pub refused: Vec<Malformed>,
}

/// How communication and data interface found each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pairing {
    /// By a union descriptor, as the specification demands.
    Union,
    /// By an interface association alone, where the union is missing. [Linux cdc_ncm]
    Association,
    /// By both, and they agree.
    Both,
}

/// One MBIM function: a pair of interfaces.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Function {
    /// bInterfaceNumber of the communication interface, to which class requests go.
    pub communication: u8,
    /// Its alternate setting for MBIM: 0, or 1 where setting 0 is NCM.
    pub communication_alternate: u8,
    /// bInterfaceNumber of the data interface.
    pub data: u8,
    /// Its alternate setting with the bulk endpoints, that of protocol 2. The idle one is 0.
    pub data_alternate: u8,
    /// The interrupt IN endpoint of the communication interface.
    pub interrupt: Endpoint,
    /// The bulk endpoint towards the host.
    pub bulk_in: Endpoint,
    /// The bulk endpoint towards the function.
    pub bulk_out: Endpoint,
    /// What grouped the two.
    pub pairing: Pairing,
    /// The MBIM functional descriptor.
    pub mbim: Mbim,
    /// The extended one, where there is one.
    pub extended: Option<MbimExtended>,
    /// NCM's descriptors, where the function can be both.
    pub ncm: Option<Ncm>,
}

/// An endpoint. [USB2.0 9.6.6]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Endpoint {
    /// bEndpointAddress, with 0x80 for IN.
    pub address: u8,
    /// wMaxPacketSize in bytes, 1 to 1024.
    pub max_packet: u16,
    /// bInterval as it stands; 0 for bulk.
    pub interval: u8,
    /// bMaxBurst of the SuperSpeed companion, where there is one.
    pub burst: Option<u8>,
}

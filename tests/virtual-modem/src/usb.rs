//! The modem as a USB device over USB/IP 1.1.1: what a host controller, `vhci_hcd` or a test, may attach.
//!
//! * [`UsbProfile`] says what the device looks like: identity, speed, limits, NTB parameters.
//! * `descriptor` builds the descriptors, `device` answers the control endpoint, `data` is the function side of the
//!   NTBs, and [`Function`] joins them to a device that takes URBs. All of them are sans-IO.
//! * [`wire`] is the USB/IP protocol, [`Server`] serves one device on a TCP listener, [`serve`] does so as a task with
//!   the channels of [`crate::serve`].
//! * [`attach`] hands a served device to the kernel's virtual host controller.
//!
//! Datagrams of a session leave and enter by the channel pair of [`Server::datagrams`]; `tun` puts a TUN device behind it.

pub mod attach;
mod data;
mod descriptor;
mod device;
mod fault;
mod function;
mod profile;
mod server;
#[cfg(feature = "tun")]
pub mod tun;
pub mod wire;

pub use data::Counters;
pub use fault::{Pipe, UsbFault};
pub use function::{Done, Function, Happening, TooMuch, Urb, status};
pub use profile::{NtbLimits, Speed, UsbProfile};
pub use server::{Control, Datagrams, Event, Server, serve};

/// Number of the communication interface.
pub const COMMUNICATION_INTERFACE: u8 = 0;
/// Number of the data interface.
pub const DATA_INTERFACE: u8 = 1;
/// Number of the interrupt endpoint, IN.
pub const INTERRUPT_ENDPOINT: u8 = 1;
/// Number of both bulk endpoints.
pub const BULK_ENDPOINT: u8 = 2;

//! What goes wrong on the bus, on order. What goes wrong in the messages is [`crate::Fault`]'s.

use core::time::Duration;

/// A pipe of the device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pipe {
    /// Endpoint 0.
    Control,
    /// The interrupt endpoint.
    Interrupt,
    /// Bulk towards the host.
    BulkIn,
    /// Bulk from the host.
    BulkOut,
}

/// A defect of the device. It lasts until [`UsbFault::Clear`] or the next import, if not said otherwise.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum UsbFault {
    /// Every class request stalls.
    StallControl,
    /// This class request stalls.
    StallRequest(u8),
    /// This class request is not answered before [`UsbFault::Clear`]; those that the host has taken back by then are not
    /// answered at all.
    HoldRequest(u8),
    /// This pipe answers nothing any more: the device sends NAK for ever. On the control pipe standard requests are
    /// still answered, so that the device can be enumerated.
    Silent(Pipe),
    /// This bulk or interrupt pipe halts once; CLEAR_FEATURE(ENDPOINT_HALT) brings it back.
    Halt(Pipe),
    /// A notification that a response is available, this often, whether there is one or not.
    Flood {
        /// Pause between two.
        every: Duration,
    },
    /// These bytes are the next transfers on bulk IN, one after the other, as they stand.
    Garbage(Vec<Vec<u8>>),
    /// The connection breaks in the middle of the next transfer on this pipe, its answer half sent.
    Vanish(Pipe),
    /// All of them are taken away.
    Clear,
}

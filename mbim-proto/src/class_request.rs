//! Requests on the default pipe and notifications on the interrupt pipe: how control messages travel over USB and how
//! the data plane is agreed on. [MBIM1.0 8] [NCM1.0 6.2] [CDC1.2 6.2]
//!
//! ```
//! use mbim_proto::class_request::{ClassRequest, Setup};
//! use mbim_proto::ntb::Format;
//!
//! let setup = ClassRequest::SetNtbFormat(Format::Ntb32.code()).setup(2);
//! assert_eq!(setup.encode(), [0x21, 0x84, 1, 0, 2, 0, 0, 0]);
//! // The function reads the same declaration.
//! let asked = Setup::decode([0x21, 0x84, 1, 0, 2, 0, 0, 0]);
//! assert_eq!((ClassRequest::from_setup(asked), asked.index), (Some(ClassRequest::SetNtbFormat(1)), 2));
//! ```

mod notification;
#[cfg(test)]
mod tests;

pub use notification::Notification;

use crate::ntb::Parameters;

/// bmRequestType of a class request to an interface with data from the device.
pub const IN: u8 = 0xa1;

/// bmRequestType of a class request to an interface with data to the device, or none.
pub const OUT: u8 = 0x21;

/// The eight bytes that begin a control transfer. [USB2.0 9.3]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Setup {
    /// bmRequestType: direction, kind and recipient.
    pub request_type: u8,
    /// bRequest.
    pub request: u8,
    /// wValue.
    pub value: u16,
    /// wIndex: for requests to an interface its number.
    pub index: u16,
    /// wLength: bytes of the data stage.
    pub length: u16,
}

impl Setup {
    /// Reads the packet.
    pub const fn decode(bytes: [u8; 8]) -> Self {
        let [request_type, request, v0, v1, i0, i1, l0, l1] = bytes;
        Self {
            request_type,
            request,
            value: u16::from_le_bytes([v0, v1]),
            index: u16::from_le_bytes([i0, i1]),
            length: u16::from_le_bytes([l0, l1]),
        }
    }

    /// The packet.
    pub const fn encode(self) -> [u8; 8] {
        let ([v0, v1], [i0, i1], [l0, l1]) =
            (self.value.to_le_bytes(), self.index.to_le_bytes(), self.length.to_le_bytes());
        [self.request_type, self.request, v0, v1, i0, i1, l0, l1]
    }

    /// Whether the data stage goes from the device to the host.
    pub const fn is_in(self) -> bool {
        self.request_type & 0x80 != 0
    }
}

/// A request to the communication interface of an MBIM function.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ClassRequest {
    /// SEND_ENCAPSULATED_COMMAND: one control message or fragment of so many bytes.
    SendEncapsulatedCommand(u16),
    /// GET_ENCAPSULATED_RESPONSE: one control message or fragment of at most so many bytes. An empty or stalled answer
    /// says that there is none.
    GetEncapsulatedResponse(u16),
    /// RESET_FUNCTION: drops all sessions, abandons all transactions, closes MBIM; alternate settings stay.
    ResetFunction,
    /// GET_NTB_PARAMETERS: [`Parameters`], of which at most so many bytes are wanted.
    GetNtbParameters(u16),
    /// GET_NTB_FORMAT: a u16, [`Format::from_code`](crate::ntb::Format::from_code).
    GetNtbFormat,
    /// SET_NTB_FORMAT, with [`Format::code`](crate::ntb::Format::code). While the data interface is idle only.
    SetNtbFormat(u16),
    /// GET_NTB_INPUT_SIZE: [`InputSize`](crate::ntb::InputSize) of 4 bytes, or 8 with capability D5.
    GetNtbInputSize(u16),
    /// SET_NTB_INPUT_SIZE: [`InputSize`](crate::ntb::InputSize) of 4 or 8 bytes. By the specification while the data
    /// interface is idle only; Linux sends it afterwards.
    SetNtbInputSize(u16),
    /// GET_MAX_DATAGRAM_SIZE: a u16, bytes. With capability D3 only.
    GetMaxDatagramSize,
    /// SET_MAX_DATAGRAM_SIZE: a u16, bytes. With capability D3 only; as for
    /// [`SetNtbInputSize`](Self::SetNtbInputSize).
    SetMaxDatagramSize,
}

impl ClassRequest {
    /// bRequest. [MBIM1.0 8]
    pub const fn code(self) -> u8 {
        match self {
            Self::SendEncapsulatedCommand(_) => 0x00,
            Self::GetEncapsulatedResponse(_) => 0x01,
            Self::ResetFunction => 0x05,
            Self::GetNtbParameters(_) => 0x80,
            Self::GetNtbFormat => 0x83,
            Self::SetNtbFormat(_) => 0x84,
            Self::GetNtbInputSize(_) => 0x85,
            Self::SetNtbInputSize(_) => 0x86,
            Self::GetMaxDatagramSize => 0x87,
            Self::SetMaxDatagramSize => 0x88,
        }
    }

    /// The specification's name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::SendEncapsulatedCommand(_) => "SEND_ENCAPSULATED_COMMAND",
            Self::GetEncapsulatedResponse(_) => "GET_ENCAPSULATED_RESPONSE",
            Self::ResetFunction => "RESET_FUNCTION",
            Self::GetNtbParameters(_) => "GET_NTB_PARAMETERS",
            Self::GetNtbFormat => "GET_NTB_FORMAT",
            Self::SetNtbFormat(_) => "SET_NTB_FORMAT",
            Self::GetNtbInputSize(_) => "GET_NTB_INPUT_SIZE",
            Self::SetNtbInputSize(_) => "SET_NTB_INPUT_SIZE",
            Self::GetMaxDatagramSize => "GET_MAX_DATAGRAM_SIZE",
            Self::SetMaxDatagramSize => "SET_MAX_DATAGRAM_SIZE",
        }
    }

    /// GET_NTB_PARAMETERS for the whole answer.
    pub const fn get_ntb_parameters() -> Self {
        Self::GetNtbParameters(Parameters::SIZE as u16)
    }

    /// The setup packet to the communication interface of this number.
    pub const fn setup(self, interface: u8) -> Setup {
        let (request_type, value, length) = match self {
            Self::SendEncapsulatedCommand(length) | Self::SetNtbInputSize(length) => (OUT, 0, length),
            Self::GetEncapsulatedResponse(length) | Self::GetNtbParameters(length) | Self::GetNtbInputSize(length) => {
                (IN, 0, length)
            }
            Self::GetNtbFormat | Self::GetMaxDatagramSize => (IN, 0, 2),
            Self::ResetFunction => (OUT, 0, 0),
            Self::SetNtbFormat(code) => (OUT, code, 0),
            Self::SetMaxDatagramSize => (OUT, 0, 2),
        };
        Setup { request_type, request: self.code(), value, index: interface as u16, length }
    }

    /// The request of a setup packet. None for requests of other kinds and directions, and for those that MBIM does not
    /// use: the function stalls them. Whose interface it is stands in [`Setup::index`].
    pub const fn from_setup(setup: Setup) -> Option<Self> {
        let length = setup.length;
        Some(match (setup.request_type, setup.request) {
            (OUT, 0x00) => Self::SendEncapsulatedCommand(length),
            (IN, 0x01) => Self::GetEncapsulatedResponse(length),
            (OUT, 0x05) => Self::ResetFunction,
            (IN, 0x80) => Self::GetNtbParameters(length),
            (IN, 0x83) => Self::GetNtbFormat,
            (OUT, 0x84) => Self::SetNtbFormat(setup.value),
            (IN, 0x85) => Self::GetNtbInputSize(length),
            (OUT, 0x86) => Self::SetNtbInputSize(length),
            (IN, 0x87) => Self::GetMaxDatagramSize,
            (OUT, 0x88) => Self::SetMaxDatagramSize,
            _ => return None,
        })
    }
}

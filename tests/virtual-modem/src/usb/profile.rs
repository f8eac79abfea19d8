//! What the device looks like on the bus, as one value.

use mbim_proto::Personal;

/// The speed at which the device is connected.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Speed {
    /// 480 Mbit/s: bulk packets of 512 bytes.
    High,
    /// 5 Gbit/s: bulk packets of 1024 bytes.
    #[default]
    Super,
}

impl Speed {
    /// The number in USB/IP and in `attach` of `vhci_hcd`.
    #[must_use]
    pub const fn number(self) -> u32 {
        match self {
            Self::High => 3,
            Self::Super => 5,
        }
    }

    /// wMaxPacketSize of the bulk endpoints.
    #[must_use]
    pub const fn bulk_packet(self) -> u16 {
        match self {
            Self::High => 512,
            Self::Super => 1024,
        }
    }
}

/// One direction of the NTB parameters. `[NCM1.0 6.2.1]`
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NtbLimits {
    /// Largest NTB in bytes, at least 2048.
    pub max_size: u32,
    /// Divisor of the datagrams' offsets.
    pub divisor: u16,
    /// Remainder of the datagrams' offsets.
    pub remainder: u16,
    /// Alignment of the NDPs, a power of two, at least 4.
    pub alignment: u16,
}

/// Everything about the device that is not the modem's own business.
#[derive(Clone, Debug)]
pub struct UsbProfile {
    /// Speed.
    pub speed: Speed,
    /// idVendor. The default is pid.codes' number for tests.
    pub vendor: u16,
    /// idProduct.
    pub product: u16,
    /// bcdDevice.
    pub release: u16,
    /// iManufacturer.
    pub manufacturer: String,
    /// iProduct.
    pub name: String,
    /// iSerialNumber; `None`: the IMEI of the modem, as many modules do.
    pub serial: Option<Personal<String>>,
    /// Power that the configuration asks for, in mA: at most 500, at SuperSpeed 900. Larger values are cut.
    pub power: u16,
    /// Whether an interface association groups the two interfaces.
    pub association: bool,
    /// Whether the MBIM extended functional descriptor is there.
    pub extended: bool,
    /// wMTU of it.
    pub mtu: u16,
    /// wMaxSegmentSize: the largest datagram in bytes.
    pub max_segment: u16,
    /// Whether GET/SET_MAX_DATAGRAM_SIZE is offered (bmNetworkCapabilities D3).
    pub max_datagram_size: bool,
    /// Whether the 8-byte form of GET/SET_NTB_INPUT_SIZE is offered (D5).
    pub long_input_size: bool,
    /// Whether the function is NCM until the host makes it MBIM: by setting 1 of the communication interface, and then
    /// setting 2 of the data interface. `[MBIM1.0 6.6]`
    pub dual: bool,
    /// Whether NTB32 is offered.
    pub ntb32: bool,
    /// NTBs to the host.
    pub to_host: NtbLimits,
    /// NTBs from the host.
    pub from_host: NtbLimits,
    /// wNtbOutMaxDatagrams, 0 = no limit.
    pub from_host_datagrams: u16,
    /// Whether SET_NTB_INPUT_SIZE and SET_MAX_DATAGRAM_SIZE stall outside alternate setting 0, as the specification
    /// allows. Linux sends them later, so that a device that insists keeps its defaults there.
    pub insists_on_idle: bool,
    /// Whether GET_ENCAPSULATED_RESPONSE stalls when nothing waits; else it is answered with no bytes.
    pub stalls_when_empty: bool,
    /// Served as the configuration descriptor, whatever it is.
    pub configuration: Option<Vec<u8>>,
    /// Bus id in USB/IP, at most 31 bytes.
    pub bus_id: String,
}

impl Default for UsbProfile {
    /// A SuperSpeed module with NTB16 and NTB32, NTBs of 32 KiB and an MTU of 1500.
    fn default() -> Self {
        Self {
            speed: Speed::Super,
            vendor: 0x1209,
            product: 0x0001,
            release: 0x0100,
            manufacturer: "mbimd".into(),
            name: "Virtual Modem".into(),
            serial: None,
            power: 896,
            association: true,
            extended: true,
            mtu: 1500,
            max_segment: 2048,
            max_datagram_size: true,
            long_input_size: true,
            dual: false,
            ntb32: true,
            to_host: NtbLimits { max_size: 32_768, divisor: 4, remainder: 0, alignment: 4 },
            from_host: NtbLimits { max_size: 32_768, divisor: 4, remainder: 0, alignment: 4 },
            from_host_datagrams: 0,
            insists_on_idle: false,
            stalls_when_empty: false,
            configuration: None,
            bus_id: "1-1".into(),
        }
    }
}

impl UsbProfile {
    /// The same at another speed.
    #[must_use]
    pub fn at(self, speed: Speed) -> Self {
        Self { speed, ..self }
    }
}

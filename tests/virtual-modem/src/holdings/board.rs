//! What belongs to the board: firmware, streams, log, and the services of makers.

use mbim_proto::Uuid;
use mbim_proto::service::intel::thermal_rf::{IntelRfimFrequencyValue, IntelServingCellInfo};
use mbim_proto::service::ms_basic_connect_ext::{ModemLoggingConfig, ModemLoggingLevel};

/// Of the log that a modem keeps for its maker. [MS Basic Connect Extensions, logging]
const LOG_STREAM: Uuid = Uuid::from_u128(0x0ebb1ceb_af2d_484d_8df3_53bc51fd162c);

/// A service that has data streams.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StreamService {
    /// The service.
    pub service: Uuid,
    /// Bit 0 host to device, bit 1 device to host.
    pub payload: u32,
    /// Streams of this service at once.
    pub instances: u32,
}

/// How far the host's shutdown is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Shutdown {
    /// Nothing was said.
    #[default]
    None,
    /// It will come.
    Coming,
    /// It comes now.
    Now,
}

/// The board.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Board {
    /// Unique to the firmware's build.
    pub firmware_id: Uuid,
    /// What the host has said of its shutdown.
    pub shutdown: Shutdown,
    /// Streams at once.
    pub most_streams: u32,
    /// Services that have them.
    pub streams: Vec<StreamService>,
    /// What the modem writes down for its maker.
    pub logging: ModemLoggingConfig,
    /// Whether changes of frequency are indicated.
    pub rfim_active: bool,
    /// Carriers in use while the radio is on.
    pub rfim: Vec<IntelRfimFrequencyValue>,
    /// The maker's lock: the radio stays off until it is taken off.
    pub fcc_locked: bool,
}

impl Default for Board {
    /// One stream service, for the log; two carriers; no lock.
    fn default() -> Self {
        let carrier = |serving_cell_info, center_frequency, bandwidth, rssi| IntelRfimFrequencyValue {
            serving_cell_info,
            center_frequency,
            bandwidth,
            rsrp: 47,
            rsrq: 21,
            sinr: 74,
            rssi,
            connection_status: serving_cell_info == IntelServingCellInfo::PCELL,
        };
        Self {
            firmware_id: Uuid::from_u128(0x4d6f6465_6d20_4f6e_8052_6f7461746521),
            shutdown: Shutdown::None,
            most_streams: 4,
            streams: vec![StreamService { service: LOG_STREAM, payload: 2, instances: 1 }],
            logging: ModemLoggingConfig {
                version: 1,
                max_segment_size: 32,
                max_flush_time: 5000,
                level_config: ModemLoggingLevel::PROD,
            },
            rfim_active: false,
            rfim: vec![
                carrier(IntelServingCellInfo::PCELL, 1_815_000_000, 20_000_000, 24),
                carrier(IntelServingCellInfo::SCELL, 5_150_000_000, 10_000_000, 17),
            ],
            fcc_locked: false,
        }
    }
}

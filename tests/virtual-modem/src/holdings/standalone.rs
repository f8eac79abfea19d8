//! 5G standalone. [MBIMEx3.0]

use mbim_proto::codec::{Tlv, TlvKind};
use mbim_proto::service::BASIC_CONNECT;
use mbim_proto::service::ms_basic_connect_ext as ext;

/// What MBIMEx 3.0 adds to a modem.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standalone {
    /// What the modem asks for when it registers.
    pub parameters: ext::RegistrationParameters,
    /// What the network has agreed to.
    pub network: ext::NetworkParams,
    /// How far the modem has configured itself for the operator.
    pub configuration: ext::ModemConfiguration,
    /// What woke the host last.
    pub wake: ext::WakeReason,
}

impl Default for Standalone {
    /// Configured for the test network; the host was woken by an indication of SIGNAL_STATE.
    fn default() -> Self {
        let mut command = BASIC_CONNECT.0.to_vec();
        for word in [11, 28, 4] {
            command.extend(u32::to_le_bytes(word));
        }
        command.extend([0x15, 0, 0, 0]);
        Self {
            parameters: ext::RegistrationParameters {
                mico_mode: ext::MicoMode::DEFAULT,
                drx_cycle: ext::DrxCycle::CYCLE_64,
                ladn_info: ext::LadnInfo::REQUESTED,
                default_pdu_activation_hint: ext::DefaultPduActivationHint::LIKELY,
                re_register_if_needed: true,
                unnamed_ies: Vec::new(),
            },
            network: ext::NetworkParams { mico_indication: 0, drx_params: 3, unnamed_ies: Vec::new() },
            configuration: ext::ModemConfiguration {
                configuration_status: ext::ModemConfigurationStatus::COMPLETED,
                configuration_name: "Test Mobile 2026-11".into(),
                unnamed_ies: Vec::new(),
            },
            wake: ext::WakeReason {
                wake_type: ext::WakeType::CID_INDICATION,
                session_id: 0,
                wake_tlv: vec![Tlv { kind: TlvKind::WAKE_COMMAND, data: command }],
            },
        }
    }
}

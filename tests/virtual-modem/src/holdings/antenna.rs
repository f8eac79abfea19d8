//! How much the antennas may radiate. [MS SAR]

use mbim_proto::service::ms_sar as sar;

/// The two commands of the service, as they are answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Antennas {
    /// Back-off by antenna.
    pub config: sar::SarConfig,
    /// Whether the modem transmits, and whether that is indicated.
    pub transmission: sar::TransmissionStatus,
}

impl Default for Antennas {
    /// The device decides; two antennas; nothing is indicated.
    fn default() -> Self {
        let antenna = |antenna_index, backoff_index| sar::SarConfigState { antenna_index, backoff_index };
        Self {
            config: sar::SarConfig {
                mode: sar::SarControlMode::DEVICE,
                backoff_state: sar::SarBackoffState::DISABLED,
                wifi_integration: sar::SarWifiHardwareState::NOT_INTEGRATED,
                config_states: vec![antenna(0, 2), antenna(1, 5)],
            },
            transmission: sar::TransmissionStatus {
                channel_notification: sar::TransmissionNotificationStatus::DISABLED,
                transmission_status: sar::TransmissionState::INACTIVE,
                hysteresis_timer: 3,
            },
        }
    }
}

impl Antennas {
    /// Takes what a set says: with the index of all antennas every known one gets the entry.
    pub(crate) fn configure(&mut self, set: sar::SarConfigSet) {
        self.config.mode = set.mode;
        self.config.backoff_state = set.backoff_state;
        for wanted in set.config_states {
            let states = &mut self.config.config_states;
            match states.iter_mut().find(|state| state.antenna_index == wanted.antenna_index) {
                Some(state) => *state = wanted,
                None if wanted.antenna_index == u32::MAX => {
                    states.iter_mut().for_each(|state| state.backoff_index = wanted.backoff_index);
                }
                None => states.push(wanted),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_index_of_all_ones_means_every_antenna() {
        let mut antennas = Antennas::default();
        let state = |antenna_index, backoff_index| sar::SarConfigState { antenna_index, backoff_index };
        let mut set = |config_states| {
            antennas.configure(sar::SarConfigSet { config_states, ..sar::SarConfigSet::default() });
            antennas.config.config_states.iter().map(|state| (state.antenna_index, state.backoff_index)).collect()
        };
        let held: Vec<(u32, u32)> = set(vec![state(u32::MAX, 7)]);
        assert_eq!(held, [(0, 7), (1, 7)]);
        let held: Vec<(u32, u32)> = set(vec![state(1, 3), state(4, 9)]);
        assert_eq!(held, [(0, 7), (1, 3), (4, 9)]);
    }
}

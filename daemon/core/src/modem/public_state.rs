//! The public state as a pure function of the state tables. `[style 3.4]`

use super::tables::{Context, Power, RadioState, SimState, Tables};
use crate::snapshot::ModemState;

/// What others call the state of the modem. The first question that has an answer decides: session, SIM, radio,
/// context, registration.
#[must_use]
pub fn public_state(tables: &Tables) -> ModemState {
    of_power(tables.power)
        .or_else(|| of_sim(tables.sim))
        .or_else(|| of_radio(tables.radio))
        .or_else(|| of_context(tables.context))
        .unwrap_or_else(|| of_registration(tables))
}

fn of_power(power: Power) -> Option<ModemState> {
    match power {
        Power::Detached | Power::Closing | Power::Closed => Some(ModemState::Unknown),
        Power::Opening | Power::Recovering | Power::Reopening => Some(ModemState::Initializing),
        Power::Failed => Some(ModemState::Failed),
        Power::Ready => None,
    }
}

fn of_sim(sim: SimState) -> Option<ModemState> {
    match sim {
        SimState::Unknown | SimState::Starting => Some(ModemState::Initializing),
        SimState::Locked => Some(ModemState::Locked),
        SimState::Missing | SimState::Bad | SimState::Failed | SimState::NoProfile => Some(ModemState::Failed),
        // A card without a subscription may still register, to buy one.
        SimState::Ready | SimState::NotActivated | SimState::Other => None,
    }
}

fn of_radio(radio: RadioState) -> Option<ModemState> {
    match radio {
        RadioState::Unknown => Some(ModemState::Initializing),
        RadioState::Off | RadioState::HardwareOff => Some(ModemState::Disabled),
        RadioState::TurningOn => Some(ModemState::Enabling),
        RadioState::TurningOff => Some(ModemState::Disabling),
        RadioState::On => None,
    }
}

fn of_context(context: Context) -> Option<ModemState> {
    match context {
        Context::Up => Some(ModemState::Connected),
        Context::Activating | Context::Configuring | Context::Linking => Some(ModemState::Connecting),
        Context::Deactivating => Some(ModemState::Disconnecting),
        Context::Down | Context::Waiting => None,
    }
}

fn of_registration(tables: &Tables) -> ModemState {
    use super::tables::RegistrationState as R;
    match tables.registration {
        R::Home | R::Roaming | R::Partner => ModemState::Registered,
        R::Searching => ModemState::Searching,
        R::Unknown | R::Deregistered | R::Denied => ModemState::Enabled,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::modem::tables::{PacketState, Reach, RegistrationState};
    use crate::table::Table;

    /// The same decision written down as an ordered list of rules, to check each of the combinations against.
    type Rule = (&'static str, fn(&Tables) -> bool, ModemState);
    const RULES: &[Rule] = &[
        ("no session", |t| matches!(t.power, Power::Detached | Power::Closing | Power::Closed), ModemState::Unknown),
        ("dead", |t| t.power == Power::Failed, ModemState::Failed),
        ("opening", |t| t.power != Power::Ready, ModemState::Initializing),
        ("SIM not known", |t| matches!(t.sim, SimState::Unknown | SimState::Starting), ModemState::Initializing),
        ("PIN", |t| t.sim == SimState::Locked, ModemState::Locked),
        (
            "no usable SIM",
            |t| !matches!(t.sim, SimState::Ready | SimState::NotActivated | SimState::Other),
            ModemState::Failed,
        ),
        ("radio not known", |t| t.radio == RadioState::Unknown, ModemState::Initializing),
        ("radio off", |t| matches!(t.radio, RadioState::Off | RadioState::HardwareOff), ModemState::Disabled),
        ("radio rising", |t| t.radio == RadioState::TurningOn, ModemState::Enabling),
        ("radio falling", |t| t.radio == RadioState::TurningOff, ModemState::Disabling),
        ("up", |t| t.context == Context::Up, ModemState::Connected),
        ("falling", |t| t.context == Context::Deactivating, ModemState::Disconnecting),
        ("rising", |t| !matches!(t.context, Context::Down | Context::Waiting), ModemState::Connecting),
        ("registered", |t| t.registration.is_registered(), ModemState::Registered),
        ("searching", |t| t.registration == RegistrationState::Searching, ModemState::Searching),
        ("idle", |_| true, ModemState::Enabled),
    ];

    #[test]
    fn every_combination_has_the_state_of_the_first_rule() {
        let mut used = vec![0_u32; RULES.len()];
        for &power in Power::STATES {
            for &sim in SimState::STATES {
                for &radio in RadioState::STATES {
                    for &registration in RegistrationState::STATES {
                        for &context in Context::STATES {
                            let tables = Tables { power, sim, radio, registration, context, ..Tables::default() };
                            let rule = RULES.iter().position(|(_, holds, _)| holds(&tables)).unwrap();
                            used[rule] += 1;
                            assert_eq!(public_state(&tables), RULES[rule].2, "{tables:?}: rule {}", RULES[rule].0);
                        }
                    }
                }
            }
        }
        assert!(used.iter().all(|n| *n > 0), "a rule that decides nothing: {used:?}");
    }

    /// Attach and verdicts are shown on their own; they never change the state.
    #[test]
    fn packet_service_and_connectivity_do_not_decide() {
        let ready = Tables { power: Power::Ready, sim: SimState::Ready, radio: RadioState::On, ..Tables::default() };
        for &packet in PacketState::STATES {
            for &reach in Reach::STATES {
                assert_eq!(public_state(&Tables { packet, reach, ..ready }), public_state(&ready));
            }
        }
    }
}

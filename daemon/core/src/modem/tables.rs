//! The state tables of one modem. Each is small, none knows another; what they mean together is decided in
//! [`public_state`](super::public_state) and in the machine. `[style 3.4]`

use crate::table::{self, states};

states! {
    "power"
    /// The control session.
    Power {
        /// No transport.
        Detached,
        /// The open procedure runs.
        Opening,
        /// Open; commands may be sent.
        Ready,
        /// The modem hung or misbehaved: it is closed and opened again over the same transport.
        Recovering,
        /// The shell closes the transport and opens it again.
        Reopening,
        /// CLOSE was sent on request.
        Closing,
        /// Closed on request; the transport may be dropped.
        Closed,
        /// The session could not be opened; another try is due later.
        Failed,
    }
    /// What befalls the session.
    PowerEvent {
        /// The transport is open.
        Attach: Detached | Reopening | Failed | Closed => Opening;
        /// The open procedure came to its end.
        Opened: Opening | Recovering => Ready;
        /// The open procedure used up its time.
        OpenFailed: Opening => Failed, Recovering => Reopening;
        /// No answers, or nonsense, too often in a row.
        Hang: Ready | Recovering => Recovering, Opening => Opening;
        /// It is time to try a dead modem again.
        Retry: Failed => Reopening;
        /// The owner lets the modem go.
        Stop: Opening | Ready | Recovering => Closing, Detached | Reopening | Failed => Closed,
              Closing => Closing, Closed => Closed;
        /// CLOSE was answered, or its time is over.
        CloseDone: Closing => Closed;
        /// The transport is gone.
        Detach: _ => Detached;
    }
}

states! {
    "sim"
    /// The SIM, as SUBSCRIBER_READY_STATUS tells it. `[MBIM1.0 10.5.2]`
    SimState {
        /// Not asked yet.
        Unknown,
        /// The card is starting.
        Starting,
        /// A PIN or PUK is needed.
        Locked,
        /// Usable.
        Ready,
        /// No card.
        Missing,
        /// A card that cannot be used.
        Bad,
        /// The card failed.
        Failed,
        /// No subscription on the card yet.
        NotActivated,
        /// An eSIM without an enabled profile.
        NoProfile,
        /// A number that this version does not know.
        Other,
    }
    /// What the modem says of it.
    SimEvent {
        /// The session begins anew.
        Reset: _ => Unknown;
        /// State 0.
        NotInitialized: _ => Starting;
        /// State 1.
        Initialized: _ => Ready;
        /// State 2.
        NotInserted: _ => Missing;
        /// State 3.
        IsBad: _ => Bad;
        /// State 4.
        Failure: _ => Failed;
        /// State 5.
        NeedsActivation: _ => NotActivated;
        /// State 6.
        DeviceLocked: _ => Locked;
        /// State 7.
        NoEsimProfile: _ => NoProfile;
        /// Any other number.
        Unheard: _ => Other;
        /// The PIN was taken: the card starts now.
        Unlocked: Locked => Starting;
    }
}

states! {
    "radio"
    /// Both radio switches together. `[MBIM1.0 10.5.3]`
    RadioState {
        /// Not asked yet.
        Unknown,
        /// The software switch is off.
        Off,
        /// Switching on was ordered.
        TurningOn,
        /// Both switches are on.
        On,
        /// Switching off was ordered.
        TurningOff,
        /// The switch on the machine is off.
        HardwareOff,
    }
    /// What happens to the switches.
    RadioEvent {
        /// The session begins anew.
        Reset: _ => Unknown;
        /// Switching on is ordered.
        OrderOn: Off => TurningOn;
        /// Switching off is ordered.
        OrderOff: On => TurningOff;
        /// The modem reports both on. A report that crosses an order is old news.
        IsOn: TurningOff => TurningOff, _ => On;
        /// The modem reports the software switch off.
        IsOff: TurningOn => TurningOn, _ => Off;
        /// The modem reports the hardware switch off.
        IsHardwareOff: _ => HardwareOff;
        /// The order was carried out: on.
        TurnedOn: TurningOn | On => On;
        /// The order was carried out: off.
        TurnedOff: TurningOff | Off => Off;
        /// The order failed.
        Refused: TurningOn => Off, TurningOff => On;
    }
}

states! {
    "registration"
    /// Registration in the network. `[MBIM1.0 10.5.9]`
    RegistrationState {
        /// Not asked yet, or the modem does not know.
        Unknown,
        /// Not registered and not searching.
        Deregistered,
        /// Looking for a network.
        Searching,
        /// In the home network.
        Home,
        /// In another network.
        Roaming,
        /// In a preferred partner's network.
        Partner,
        /// A network refused the subscriber.
        Denied,
    }
    /// What the modem reports.
    RegistrationEvent {
        /// State 0, a number that is not known, or a new session.
        IsUnknown: _ => Unknown;
        /// State 1.
        IsDeregistered: _ => Deregistered;
        /// State 2.
        IsSearching: _ => Searching;
        /// State 3.
        IsHome: _ => Home;
        /// State 4.
        IsRoaming: _ => Roaming;
        /// State 5.
        IsPartner: _ => Partner;
        /// State 6.
        IsDenied: _ => Denied;
    }
}

states! {
    "packet-service"
    /// Packet service. `[MBIM1.0 10.5.10]`
    PacketState {
        /// Not asked yet, or the modem does not know.
        Unknown,
        /// Detached.
        Detached,
        /// Attaching: ordered, or the modem does it by itself.
        Attaching,
        /// Attached.
        Attached,
        /// Detaching.
        Detaching,
    }
    /// What is ordered and what the modem reports.
    PacketEvent {
        /// State 0, a number that is not known, or a new session.
        IsUnknown: _ => Unknown;
        /// Attaching is ordered.
        OrderAttach: Unknown | Detached => Attaching;
        /// State 1.
        IsAttaching: _ => Attaching;
        /// State 2.
        IsAttached: _ => Attached;
        /// State 3.
        IsDetaching: _ => Detaching;
        /// State 4.
        IsDetached: _ => Detached;
        /// The order failed.
        Refused: Attaching => Detached, Detached => Detached;
    }
}

states! {
    "context"
    /// One data context with its link. `[MBIM1.0 10.5.12]`
    Context {
        /// None, and none is being made.
        Down,
        /// CONNECT activate is under way.
        Activating,
        /// Active; its addresses are not known yet.
        Configuring,
        /// Its addresses are being put on the interface.
        Linking,
        /// Active, with addresses on the interface (or published, where another program configures it).
        Up,
        /// CONNECT deactivate is under way.
        Deactivating,
        /// Waiting for the next attempt.
        Waiting,
    }
    /// What is ordered and what the modem reports.
    ContextEvent {
        /// The session begins anew.
        Reset: _ => Down;
        /// Activation is ordered.
        Dial: Down | Waiting => Activating;
        /// The network made the context.
        Activated: Activating => Configuring, Configuring => Configuring, Linking => Linking, Up => Up;
        /// The network, or the modem, said no.
        Refused: Activating => Waiting;
        /// Valid addresses came.
        Addressed: Configuring => Linking;
        /// They are on the interface.
        Linked: Linking | Up => Up;
        /// Deactivation is ordered; also for a context that an earlier host left behind.
        Drop: Down | Waiting | Activating | Configuring | Linking | Up => Deactivating;
        /// A context of an earlier run of the daemon is taken over.
        Adopt: Down => Configuring;
        /// The deactivation came to its end.
        Dropped: Deactivating => Down;
        /// The context is gone without an order.
        Lost: Activating | Configuring | Linking | Up => Waiting, Deactivating => Down, Down => Down, Waiting => Waiting;
        /// Another attempt is due later.
        Await: Down | Waiting => Waiting;
        /// No further attempt is wanted.
        Rest: Down | Waiting => Down;
    }
}

states! {
    "connectivity"
    /// Whether packets reach the Internet. `[OPER 4.1]`
    Reach {
        /// No link.
        None,
        /// A link that was not tested yet, or testing is off.
        Unknown,
        /// A portal was identified.
        Portal,
        /// Tests fail, no sign of a portal.
        Limited,
        /// Tests succeed.
        Full,
        /// Full, but the last verdict was limited: a second one is needed to leave. Shown as full.
        Doubted,
    }
    /// Verdicts and changes of the link.
    ReachEvent {
        /// The link is gone.
        LinkLost: _ => None;
        /// A link with addresses is there.
        LinkReady: None => Unknown, Unknown => Unknown, Portal => Portal, Limited => Limited, Full => Full,
                   Doubted => Doubted;
        /// Testing is off or was not possible.
        Untested: None => None, _ => Unknown;
        /// Verdict full.
        SawFull: Unknown | Portal | Limited | Full | Doubted => Full;
        /// Verdict portal.
        SawPortal: Unknown | Portal | Limited | Full | Doubted => Portal;
        /// Verdict limited.
        SawLimited: Unknown | Portal | Limited | Doubted => Limited, Full => Doubted;
    }
}

/// All tables of one modem with its default context.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tables {
    /// The control session.
    pub power: Power,
    /// The SIM.
    pub sim: SimState,
    /// The radio switches.
    pub radio: RadioState,
    /// Registration.
    pub registration: RegistrationState,
    /// Packet service.
    pub packet: PacketState,
    /// The default data context.
    pub context: Context,
    /// Connectivity over it.
    pub reach: Reach,
}

impl RegistrationState {
    /// Registered in some network.
    #[must_use]
    pub fn is_registered(self) -> bool {
        matches!(self, Self::Home | Self::Roaming | Self::Partner)
    }
}

/// Drawings of all tables in the DOT language: name and text.
#[must_use]
pub fn drawings() -> Vec<(&'static str, String)> {
    fn one<S: table::Table>() -> (&'static str, String) {
        (S::NAME, table::drawing::<S>())
    }
    vec![
        one::<Power>(),
        one::<SimState>(),
        one::<RadioState>(),
        one::<RegistrationState>(),
        one::<PacketState>(),
        one::<Context>(),
        one::<Reach>(),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every state × every event of every table. A change here is a change of behaviour: look at the drawing.
    #[test]
    fn tables_are_as_they_were() {
        let all = [
            table::listing::<Power>(),
            table::listing::<SimState>(),
            table::listing::<RadioState>(),
            table::listing::<RegistrationState>(),
            table::listing::<PacketState>(),
            table::listing::<Context>(),
            table::listing::<Reach>(),
        ];
        insta::assert_snapshot!("tables", all.join("\n"));
    }

    #[test]
    fn every_state_can_be_reached() {
        fn check<S: table::Table>() {
            let mut seen = vec![S::STATES[0]];
            loop {
                let more: Vec<S> = seen
                    .iter()
                    .flat_map(|s| S::EVENTS.iter().filter_map(|e| s.after(*e)))
                    .filter(|s| !seen.contains(s))
                    .collect();
                if more.is_empty() {
                    break;
                }
                for state in more {
                    if !seen.contains(&state) {
                        seen.push(state);
                    }
                }
            }
            assert_eq!(seen.len(), S::STATES.len(), "{}: only {seen:?}", S::NAME);
        }
        check::<Power>();
        check::<SimState>();
        check::<RadioState>();
        check::<RegistrationState>();
        check::<PacketState>();
        check::<Context>();
        check::<Reach>();
    }
}

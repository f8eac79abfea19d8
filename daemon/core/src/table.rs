//! Small state machines as tables: the states, the events and the allowed transitions are declared once, and the code,
//! the table for tests and the drawing for the papers come from that one place.
//!
//! An event that has no transition in the present state is [`OutOfOrder`], a value and not a panic: most events come
//! from a modem, and a modem is not trusted.

use core::fmt::{self, Debug, Write as _};

/// A declared machine. Written by the macro `states!` only.
pub trait Table: Copy + Eq + Debug + 'static {
    /// The events that it knows.
    type Event: Copy + Eq + Debug + 'static;
    /// Kebab-case name of the machine.
    const NAME: &'static str;
    /// All states in declared order; the first is where it begins.
    const STATES: &'static [Self];
    /// All events in declared order.
    const EVENTS: &'static [Self::Event];

    /// The state after an event; `None` when the event is not allowed here.
    fn after(self, event: Self::Event) -> Option<Self>;

    /// Takes the transition.
    ///
    /// # Errors
    /// [`OutOfOrder`] with state and event when there is no such transition; the state stays as it was.
    fn step(&mut self, event: Self::Event) -> Result<Step<Self>, OutOfOrder<Self>> {
        let from = *self;
        let to = from.after(event).ok_or(OutOfOrder { state: from, event })?;
        *self = to;
        Ok(Step { from, to })
    }
}

/// A transition that was taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Step<S> {
    /// State before.
    pub from: S,
    /// State after.
    pub to: S,
}

impl<S: Eq> Step<S> {
    /// Whether the state is another one now.
    #[must_use]
    pub fn moved(&self) -> bool {
        self.from != self.to
    }
}

/// An event that the table does not allow in this state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OutOfOrder<S: Table> {
    /// Where the machine stands, and stays.
    pub state: S,
    /// What came.
    pub event: S::Event,
}

impl<S: Table> fmt::Display for OutOfOrder<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {:?} is out of order in state {:?}", S::NAME, self.event, self.state)
    }
}

impl<S: Table> core::error::Error for OutOfOrder<S> {}

/// Every state × every event, one line per state; `·` = out of order, `=` = stays.
#[must_use]
pub fn listing<S: Table>() -> String {
    let mut out = String::new();
    for state in S::STATES {
        for event in S::EVENTS {
            let cell = match state.after(*event) {
                None => "·".to_owned(),
                Some(to) if to == *state => "=".to_owned(),
                Some(to) => format!("{to:?}"),
            };
            let _ = writeln!(out, "{state:?} × {event:?}: {cell}");
        }
    }
    out
}

/// The machine as a drawing in the DOT language. Transitions that stay are left out; an event that leads from every
/// other state to the same one is drawn once, from a point.
#[must_use]
pub fn drawing<S: Table>() -> String {
    let mut out = format!("digraph \"{}\" {{\n    rankdir=LR;\n    node [shape=box, style=rounded];\n", S::NAME);
    if let Some(first) = S::STATES.first() {
        let _ = writeln!(out, "    start [shape=point];\n    start -> {first:?};");
    }
    for event in S::EVENTS {
        if let Some(to) = from_everywhere::<S>(*event) {
            let _ = writeln!(out, "    any_{event:?} [shape=none, label=\"any\"];");
            let _ = writeln!(out, "    any_{event:?} -> {to:?} [label=\"{event:?}\"];");
            continue;
        }
        for state in S::STATES {
            if let Some(to) = state.after(*event).filter(|to| to != state) {
                let _ = writeln!(out, "    {state:?} -> {to:?} [label=\"{event:?}\"];");
            }
        }
    }
    out.push_str("}\n");
    out
}

fn from_everywhere<S: Table>(event: S::Event) -> Option<S> {
    let mut all = S::STATES.iter().map(|state| state.after(event));
    let first = all.next()??;
    all.all(|to| to == Some(first)).then_some(first)
}

/// Declares a machine: the states, and each event with its transitions. `_` stands for every state that no earlier
/// line of the same event named.
macro_rules! states {
    (
        $name:literal
        $(#[$state_doc:meta])*
        $State:ident { $( $(#[$doc:meta])* $state:ident, )+ }
        $(#[$event_doc:meta])*
        $Event:ident { $( $(#[$edoc:meta])* $event:ident: $( $( $from:tt )|+ => $to:ident ),+ ; )+ }
    ) => {
        $(#[$state_doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $State { $( $(#[$doc])* $state, )+ }

        $(#[$event_doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $Event { $( $(#[$edoc])* $event, )+ }

        impl $crate::table::Table for $State {
            type Event = $Event;
            const NAME: &'static str = $name;
            const STATES: &'static [Self] = &[$( Self::$state, )+];
            const EVENTS: &'static [$Event] = &[$( $Event::$event, )+];

            fn after(self, event: $Event) -> Option<Self> {
                match event {
                    $( $Event::$event => match self {
                        $( $( $crate::table::states!(@from $State $from) )|+ => Some(Self::$to), )+
                        #[allow(unreachable_patterns, reason = "a line with `_` leaves nothing over")]
                        _ => None,
                    }, )+
                }
            }
        }

        impl Default for $State {
            fn default() -> Self {
                [$( Self::$state, )+][0]
            }
        }
    };
    (@from $State:ident _) => { _ };
    (@from $State:ident $from:ident) => { $State::$from };
}
pub(crate) use states;

#[cfg(test)]
mod tests {
    use super::*;

    states! {
        "door"
        /// A door.
        #[allow(unreachable_pub, reason = "the macro makes public machines")]
        Door {
            /// Shut.
            Shut,
            /// Open.
            Open,
            /// Gone.
            Burnt,
        }
        /// What befalls it.
        #[allow(unreachable_pub, reason = "the macro makes public machines")]
        Deed {
            /// It is pushed.
            Push: Shut => Open, Open => Open;
            /// It is pulled.
            Pull: Open => Shut;
            /// It burns.
            Burn: _ => Burnt;
        }
    }

    #[test]
    fn steps_or_says_what_is_out_of_order() {
        let mut door = Door::default();
        assert_eq!(door.step(Deed::Pull), Err(OutOfOrder { state: Door::Shut, event: Deed::Pull }));
        assert_eq!(door, Door::Shut, "an error changes nothing");
        assert!(door.step(Deed::Push).unwrap().moved());
        assert!(!door.step(Deed::Push).unwrap().moved());
        assert_eq!(door.step(Deed::Burn), Ok(Step { from: Door::Open, to: Door::Burnt }));
        let said = door.step(Deed::Pull).unwrap_err().to_string();
        assert_eq!(said, "door: Pull is out of order in state Burnt");
    }

    #[test]
    fn listing_and_drawing_come_from_the_table() {
        assert_eq!(
            listing::<Door>(),
            "Shut × Push: Open\nShut × Pull: ·\nShut × Burn: Burnt\nOpen × Push: =\nOpen × Pull: Shut\n\
             Open × Burn: Burnt\nBurnt × Push: ·\nBurnt × Pull: ·\nBurnt × Burn: =\n"
        );
        let dot = drawing::<Door>();
        assert!(dot.contains("Shut -> Open [label=\"Push\"];"), "{dot}");
        assert!(dot.contains("any_Burn -> Burnt"), "{dot}");
        assert!(!dot.contains("Open -> Open"), "{dot}");
    }
}

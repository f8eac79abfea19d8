//! Faults by order: which message, and what happens to it.
//!
//! A fault is used up after [`Fault::times`] uses. Several faults may wait at once; the first that matches a message is
//! applied and counts. [`Noise`] is the seeded kind: every message draws its luck from one generator, so that a run is
//! the same for the same seed.

use crate::log::Direction;
use core::time::Duration;
use mbim_proto::Uuid;

/// Which message a fault waits for. The default matches every message of the function.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct When {
    /// Sent by whom. Faults on the host's messages act as the message arrives.
    pub direction: Direction,
    /// Only this message type, by its number on the wire (see [`kind`](crate::kind)).
    pub kind: Option<u32>,
    /// Only this service.
    pub service: Option<Uuid>,
    /// Only this CID.
    pub cid: Option<u32>,
    /// The first so many matching messages pass unharmed.
    pub after: u32,
}

impl Default for When {
    fn default() -> Self {
        Self { direction: Direction::ToHost, kind: None, service: None, cid: None, after: 0 }
    }
}

impl When {
    /// Every message of the host.
    #[must_use]
    pub fn from_host() -> Self {
        Self { direction: Direction::FromHost, ..Self::default() }
    }

    /// The host's command about a CID.
    #[must_use]
    pub fn command(service: Uuid, cid: u32) -> Self {
        let kind = Some(crate::kind::COMMAND);
        Self { kind, service: Some(service), cid: Some(cid), ..Self::from_host() }
    }

    /// The answer to a command about a CID.
    #[must_use]
    pub fn answer(service: Uuid, cid: u32) -> Self {
        let kind = Some(crate::kind::COMMAND_DONE);
        Self { kind, service: Some(service), cid: Some(cid), ..Self::default() }
    }

    /// An indication of a CID.
    #[must_use]
    pub fn indication(service: Uuid, cid: u32) -> Self {
        let kind = Some(crate::kind::INDICATE_STATUS);
        Self { kind, service: Some(service), cid: Some(cid), ..Self::default() }
    }

    /// A message type of the function, such as `kind::OPEN_DONE`.
    #[must_use]
    pub fn kind(kind: u32) -> Self {
        let direction = if kind & 0x8000_0000 == 0 { Direction::FromHost } else { Direction::ToHost };
        Self { direction, kind: Some(kind), ..Self::default() }
    }

    /// Lets so many matching messages pass first: `nth(3)` is the third.
    #[must_use]
    pub const fn nth(mut self, n: u32) -> Self {
        self.after = n.saturating_sub(1);
        self
    }

    fn matches(&self, direction: Direction, kind: u32, subject: Option<(Uuid, u32)>) -> bool {
        self.direction == direction
            && self.kind.is_none_or(|wanted| wanted == kind)
            && self.service.is_none_or(|wanted| subject.is_some_and(|(service, _)| service == wanted))
            && self.cid.is_none_or(|wanted| subject.is_some_and(|(_, cid)| cid == wanted))
    }
}

/// What happens to the message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum What {
    /// It is lost.
    Drop,
    /// It is so much later.
    Delay(Duration),
    /// It comes twice. A command that comes twice is answered `duplicated-tid` where the first is still at work.
    Duplicate,
    /// Its bytes leave in two pieces, the first of this many bytes. On a plug that keeps pieces apart the first is a
    /// truncated message. Function's messages only.
    SplitAt(usize),
    /// One of its frames is lost, counted from 0. Function's messages only.
    LoseFragment(usize),
    /// FUNCTION_ERROR with this code comes instead.
    Refuse(u32),
    /// It carries another transaction: one more than its own. Function's messages only.
    WrongTransaction,
    /// MessageLength is off by so much. Function's messages only.
    LyingLength(i32),
    /// These bytes leave before it.
    Garbage(Vec<u8>),
    /// The command is not carried out, or the answer is replaced: this status and an empty buffer. On an OPEN or
    /// OPEN_DONE: that status.
    Status(u32),
    /// The first half of it leaves, then the modem starts anew. On a message of the host: it starts anew instead of
    /// answering.
    ResetMidway,
    /// The modem is gone instead.
    Unplug,
}

/// An order to go wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Which message.
    pub when: When,
    /// What happens.
    pub what: What,
    /// How often; `u32::MAX` for ever.
    pub times: u32,
}

impl Fault {
    /// A fault that happens once.
    #[must_use]
    pub const fn once(when: When, what: What) -> Self {
        Self { when, what, times: 1 }
    }

    /// A fault that happens every time.
    #[must_use]
    pub const fn always(when: When, what: What) -> Self {
        Self { when, what, times: u32::MAX }
    }
}

/// A bad line, by chance. Rates are in thousandths.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Noise {
    /// Where the generator starts.
    pub seed: u64,
    /// Least and most delay of an answer.
    pub delay: (Duration, Duration),
    /// OPENs and CLOSEs that are lost, and answers to them.
    pub lose_opens: u32,
    /// Commands that are lost.
    pub lose_commands: u32,
    /// Answers that are lost.
    pub lose_answers: u32,
    /// Indications that are lost.
    pub lose_indications: u32,
    /// Answers that eight bytes of garbage precede. The garbage looks like a header with an impossible length.
    pub garbage: u32,
}

impl Noise {
    /// The slow and noisy modem: answers 200 to 800 ms late, one request, answer or indication in ten lost, garbage
    /// before one answer in twenty.
    #[must_use]
    pub const fn slow_and_noisy(seed: u64) -> Self {
        Self {
            seed,
            delay: (Duration::from_millis(200), Duration::from_millis(800)),
            lose_opens: 100,
            lose_commands: 100,
            lose_answers: 100,
            lose_indications: 100,
            garbage: 50,
        }
    }
}

/// Eight bytes that no host may take for a message: MessageLength is 0xFFFFFFFF.
pub(crate) const GARBAGE: [u8; 8] = [0xff; 8];

/// All waiting faults and the line's noise.
#[derive(Debug, Default)]
pub(crate) struct Faults {
    waiting: Vec<(Fault, u32)>,
    noise: Option<(Noise, Generator)>,
}

impl Faults {
    pub(crate) fn add(&mut self, fault: Fault) {
        self.waiting.push((fault, 0));
    }

    pub(crate) fn set_noise(&mut self, noise: Option<Noise>) {
        self.noise = noise.map(|noise| (noise, Generator(noise.seed)));
    }

    pub(crate) fn clear(&mut self) {
        self.waiting.clear();
        self.noise = None;
    }

    /// What happens to this message.
    pub(crate) fn strike(&mut self, direction: Direction, kind: u32, subject: Option<(Uuid, u32)>) -> Vec<What> {
        let mut hit = None;
        for (index, (fault, seen)) in self.waiting.iter_mut().enumerate() {
            if !fault.when.matches(direction, kind, subject) {
                continue;
            }
            *seen = seen.saturating_add(1);
            if hit.is_none() && *seen > fault.when.after {
                if fault.times != u32::MAX {
                    fault.times = fault.times.saturating_sub(1);
                }
                hit = Some((index, fault.what.clone(), fault.times == 0));
            }
        }
        if let Some((index, what, spent)) = hit {
            if spent {
                self.waiting.remove(index);
            }
            return vec![what];
        }
        let Some((noise, generator)) = &mut self.noise else { return Vec::new() };
        let (lose, late) = match kind {
            crate::kind::OPEN | crate::kind::CLOSE => (noise.lose_opens, false),
            crate::kind::OPEN_DONE | crate::kind::CLOSE_DONE => (noise.lose_opens, true),
            crate::kind::COMMAND => (noise.lose_commands, false),
            crate::kind::COMMAND_DONE => (noise.lose_answers, true),
            crate::kind::INDICATE_STATUS => (noise.lose_indications, false),
            _ => return Vec::new(),
        };
        if generator.chance(lose) {
            return vec![What::Drop];
        }
        let mut struck = Vec::new();
        if late {
            struck.push(What::Delay(generator.between(noise.delay.0, noise.delay.1)));
            if generator.chance(noise.garbage) {
                struck.push(What::Garbage(GARBAGE.to_vec()));
            }
        }
        struck
    }
}

/// SplitMix64: small, seeded, the same everywhere.
#[derive(Clone, Debug)]
struct Generator(u64);

impl Generator {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn chance(&mut self, thousandths: u32) -> bool {
        self.next() % 1000 < u64::from(thousandths)
    }

    fn between(&mut self, least: Duration, most: Duration) -> Duration {
        let span = u64::try_from(most.saturating_sub(least).as_millis()).unwrap_or(u64::MAX);
        least + Duration::from_millis(self.next() % span.saturating_add(1).max(1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_third_answer_is_struck_once() {
        let mut faults = Faults::default();
        faults.add(Fault::once(When::default().nth(3), What::Drop));
        let mut strike = || faults.strike(Direction::ToHost, crate::kind::COMMAND_DONE, None).len();
        assert_eq!([strike(), strike(), strike(), strike()], [0, 0, 1, 0]);
    }

    #[test]
    fn the_same_seed_gives_the_same_luck() {
        let run = |seed| {
            let mut faults = Faults::default();
            faults.set_noise(Some(Noise::slow_and_noisy(seed)));
            (0..200).map(|_| faults.strike(Direction::ToHost, crate::kind::COMMAND_DONE, None)).collect::<Vec<_>>()
        };
        assert_eq!(run(7), run(7));
        assert_ne!(run(7), run(8));
        assert!(run(7).iter().flatten().all(|what| match what {
            What::Delay(late) => (200..=800).contains(&late.as_millis()),
            _ => true,
        }));
    }
}

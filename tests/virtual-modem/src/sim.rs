//! The card in the slot and its PIN. [MBIM1.0 10.5.2, 10.5.4]

use crate::card::Place;
use crate::keys::Keys;
use mbim_proto::{Personal, Secret};
use std::collections::BTreeMap;

/// Attempts that are not counted.
pub const ATTEMPTS_UNKNOWN: u32 = u32::MAX;
/// Attempts for a PIN on a fresh card.
const PIN_ATTEMPTS: u32 = 3;
/// Attempts for a PUK on a fresh card.
const PUK_ATTEMPTS: u32 = 10;

/// What is in the slot.
#[derive(Clone, Debug)]
pub enum Slot {
    /// Nothing.
    Empty,
    /// A card with an enabled profile.
    Card(Box<Sim>),
    /// An eSIM on which no profile is enabled.
    EsimWithoutProfile,
    /// A card that does not work.
    Bad,
}

/// A card (or an eSIM's enabled profile).
#[derive(Clone, Debug)]
pub struct Sim {
    /// Up to 15 digits.
    pub imsi: Personal<String>,
    /// 19 or 20 digits.
    pub iccid: Personal<String>,
    /// The subscriber's own numbers; often empty.
    pub numbers: Vec<Personal<String>>,
    /// MCC and MNC digits of the home network.
    pub home_id: String,
    /// Name of the home network as the card tells it.
    pub home_name: String,
    /// Number of the service centre for short messages; empty: none.
    pub service_centre: String,
    /// First group identifier, by which operators tell their brands (EF_GID1); empty: the file is not there.
    pub gid1: Vec<u8>,
    /// Second group identifier (EF_GID2).
    pub gid2: Vec<u8>,
    /// Names of networks (EF_PNN), from record 1; empty: the file is not there.
    pub network_names: Vec<String>,
    /// Which network has which of the names (EF_OPL): code, record of EF_PNN; empty: the file is not there.
    pub name_of_network: Vec<(String, u8)>,
    /// Equivalent home networks (EF_EHPLMN); empty: the file is not there.
    pub equivalent_homes: Vec<String>,
    /// The only access points that are allowed (EF_ACL); empty: the file is not there.
    pub allowed_apns: Vec<String>,
    /// What a host has written to files, by place and identifier.
    pub written: BTreeMap<(Place, u16), Vec<u8>>,
    /// Whether it is an eSIM.
    pub esim: bool,
    /// `false`: ready state not-activated until a service activation succeeds.
    pub activated: bool,
    /// Asks to hide identities from the user (ReadyInfo bit 0).
    pub protect_identity: bool,
    /// What it answers to challenges of the network.
    pub keys: Keys,
    /// The first PIN.
    pub pin1: Pin,
}

impl Default for Sim {
    /// The canary subscriber of 001/01, PIN off.
    fn default() -> Self {
        Self {
            imsi: Personal::new("001017394628051".into()),
            iccid: Personal::new("8999004827193650378".into()),
            numbers: vec![Personal::new("+10158273946".into())],
            home_id: "00101".into(),
            home_name: "Test Mobile".into(),
            service_centre: "+15550199".into(),
            gid1: vec![0x4d, 0x31, 0xff, 0xff],
            gid2: Vec::new(),
            network_names: Vec::new(),
            name_of_network: Vec::new(),
            equivalent_homes: Vec::new(),
            allowed_apns: Vec::new(),
            written: BTreeMap::new(),
            esim: false,
            activated: true,
            protect_identity: false,
            keys: Keys::default(),
            pin1: Pin::disabled(),
        }
    }
}

impl Sim {
    /// The canary card with PIN 1 asked for: PIN `1234`, PUK `12345678`.
    #[must_use]
    pub fn locked() -> Self {
        Self { pin1: Pin::enabled("1234", "12345678"), ..Self::default() }
    }
}

/// A PIN with its PUK and both counters.
#[derive(Clone, Debug)]
pub struct Pin {
    code: Secret<String>,
    puk: Secret<String>,
    enabled: bool,
    verified: bool,
    attempts: u32,
    puk_attempts: u32,
}

/// Where a card stands with its PIN.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lock {
    /// Nothing is asked for.
    Open,
    /// The PIN is asked for.
    Pin,
    /// The PUK is asked for.
    Puk,
    /// The card is lost.
    Dead,
}

/// What an operation on a PIN came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Done, or already so.
    Done,
    /// The code was wrong.
    Wrong,
    /// The operation makes no sense in this state.
    Refused,
    /// There is no PIN to enter.
    Disabled,
}

impl Pin {
    /// No PIN is asked for. It is `1234` with PUK `12345678` should somebody enable it.
    #[must_use]
    pub fn disabled() -> Self {
        Self { enabled: false, ..Self::enabled("1234", "12345678") }
    }

    /// A PIN that is asked for at every start.
    #[must_use]
    pub fn enabled(code: &str, puk: &str) -> Self {
        Self {
            code: Secret::new(code.into()),
            puk: Secret::new(puk.into()),
            enabled: true,
            verified: false,
            attempts: PIN_ATTEMPTS,
            puk_attempts: PUK_ATTEMPTS,
        }
    }

    /// Sets the counters, for tests that begin late.
    #[must_use]
    pub fn with_attempts(mut self, pin: u32, puk: u32) -> Self {
        (self.attempts, self.puk_attempts) = (pin, puk);
        self
    }

    /// Where the card stands.
    #[must_use]
    pub const fn lock(&self) -> Lock {
        match (self.puk_attempts, self.attempts, self.enabled && !self.verified) {
            (0, _, _) => Lock::Dead,
            (_, 0, _) => Lock::Puk,
            (_, _, true) => Lock::Pin,
            (_, _, false) => Lock::Open,
        }
    }

    /// Whether the PIN is asked for at every start.
    #[must_use]
    pub const fn is_enabled(&self) -> bool {
        self.enabled
    }

    /// Attempts left for what is asked for now.
    #[must_use]
    pub const fn attempts(&self) -> u32 {
        match self.lock() {
            Lock::Open | Lock::Pin => self.attempts,
            Lock::Puk => self.puk_attempts,
            Lock::Dead => 0,
        }
    }

    pub(crate) fn power_cycle(&mut self) {
        self.verified = false;
    }

    pub(crate) fn enter(&mut self, code: &str) -> Verdict {
        match self.lock() {
            Lock::Open if !self.enabled => Verdict::Disabled,
            Lock::Open => Verdict::Done,
            Lock::Pin => self.check(code),
            Lock::Puk | Lock::Dead => Verdict::Refused,
        }
    }

    pub(crate) fn enable(&mut self, code: &str, enable: bool) -> Verdict {
        if matches!(self.lock(), Lock::Puk | Lock::Dead) {
            return Verdict::Refused;
        }
        if self.enabled == enable {
            return Verdict::Done;
        }
        let verdict = self.check(code);
        if verdict == Verdict::Done {
            self.enabled = enable;
        }
        verdict
    }

    pub(crate) fn change(&mut self, code: &str, new: &str) -> Verdict {
        if !self.enabled || matches!(self.lock(), Lock::Puk | Lock::Dead) {
            return Verdict::Refused;
        }
        let verdict = self.check(code);
        if verdict == Verdict::Done {
            self.code = Secret::new(new.into());
        }
        verdict
    }

    pub(crate) fn unblock(&mut self, puk: &str, new: &str) -> Verdict {
        if self.lock() != Lock::Puk {
            return Verdict::Refused;
        }
        if self.puk.reveal() != puk {
            self.puk_attempts -= 1;
            return Verdict::Wrong;
        }
        self.code = Secret::new(new.into());
        (self.attempts, self.puk_attempts) = (PIN_ATTEMPTS, PUK_ATTEMPTS);
        (self.enabled, self.verified) = (true, true);
        Verdict::Done
    }

    fn check(&mut self, code: &str) -> Verdict {
        if self.code.reveal() == code {
            self.attempts = PIN_ATTEMPTS;
            self.verified = true;
            return Verdict::Done;
        }
        self.attempts = self.attempts.saturating_sub(1);
        if self.attempts == 0 {
            self.verified = false;
        }
        Verdict::Wrong
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_wrong_pins_ask_for_the_puk_and_ten_wrong_puks_lose_the_card() {
        let mut pin = Pin::enabled("1234", "12345678");
        for left in [2, 1] {
            assert_eq!(pin.enter("0000"), Verdict::Wrong);
            assert_eq!((pin.lock(), pin.attempts()), (Lock::Pin, left));
        }
        pin.enter("0000");
        assert_eq!((pin.lock(), pin.attempts()), (Lock::Puk, 10));
        assert_eq!(pin.enter("1234"), Verdict::Refused);
        let mut saved = pin.clone();
        assert_eq!(saved.unblock("12345678", "4321"), Verdict::Done);
        assert_eq!(saved.lock(), Lock::Open);
        saved.power_cycle();
        assert_eq!(saved.enter("4321"), Verdict::Done);
        for _ in 0..10 {
            assert_eq!(pin.unblock("0", "4321"), Verdict::Wrong);
        }
        assert_eq!((pin.lock(), pin.attempts()), (Lock::Dead, 0));
    }

    #[test]
    fn enabling_the_enabled_and_disabling_the_disabled_succeed() {
        let mut pin = Pin::disabled();
        assert_eq!(pin.enter("1234"), Verdict::Disabled);
        assert_eq!(pin.enable("whatever", false), Verdict::Done);
        assert_eq!(pin.enable("1234", true), Verdict::Done);
        assert_eq!(pin.enable("whatever", true), Verdict::Done);
        assert_eq!(pin.lock(), Lock::Open, "verified by enabling it");
        assert_eq!(pin.change("1234", "5678"), Verdict::Done);
        pin.power_cycle();
        assert_eq!(pin.lock(), Lock::Pin);
        assert_eq!(pin.enter("5678"), Verdict::Done);
    }
}

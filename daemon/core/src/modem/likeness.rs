//! Whether the modem is the one for whose object it stands. By what was seen from outside it is; two modems of one kind that
//! were swapped at one place differ in their DeviceId only.

use super::machine::Modem;
use crate::Time;
use crate::effect::Effect;
use crate::event::Event;

impl Modem {
    /// What the modem is was told, or is not to be had: goes on with it, or lets it go.
    pub(super) fn compare(&mut self, now: Time) {
        let Some(expected) = self.config.expected.take() else { return };
        let told = self.facts.caps.as_ref().and_then(Option::as_ref).map_or("", |caps| caps.id.reveal());
        if is_same(expected.reveal(), told) {
            return self.bring_up_rest(now);
        }
        self.emit(Event::warn("other-modem").with("port", &self.config.port.control));
        self.on_gone(now);
        self.effect(Effect::LetGo);
    }
}

/// Nothing, or nothing but zeros, as of a modem without its factory data, tells nobody apart.
fn is_same(expected: &str, told: &str) -> bool {
    let [expected, told] = [expected, told].map(str::trim);
    let tells = |id: &str| id.chars().any(|c| c != '0');
    expected == told || !tells(expected) || !tells(told)
}

#[cfg(test)]
mod tests {
    use super::is_same;

    #[test]
    fn only_two_numbers_that_differ_are_two_modems() {
        let (one, other) = ("352099001761481", "352099001761499");
        assert!(is_same(one, one) && is_same(one, " 352099001761481 "));
        assert!(!is_same(one, other));
        for nothing in ["", "0", "000000000000000", "  "] {
            assert!(is_same(one, nothing) && is_same(nothing, one), "{nothing:?}");
        }
    }
}

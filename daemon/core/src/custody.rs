//! Whose a modem is: ours, another daemon's, nobody's for the moment; and whether a modem that comes is one that went.
//!
//! ```text
//! administrator's tag? ─ withheld ──────────────────────────────► left alone
//!        │            └ given to us ───────────────────────────► taken
//!        ▼
//! ModemManager runs? ─ no ─────────────────────────────────────► taken
//!        │ yes
//!        ▼
//! asked to leave the device ─ it does ─────────────────────────► taken
//!        └ it uses it, refuses, does not know it ──────────────► left alone, asked again later
//! ```

use core::time::Duration;

use crate::snapshot::Reason;

/// What rules of udev say of a device.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Tag {
    /// Nothing.
    #[default]
    None,
    /// `MBIMD_MANAGE=1`, or the device was named on the command line: it is ours.
    Manage,
    /// `ID_MBIMD_TAKES=1`: our own rule keeps ModemManager off new ports while we run. What ModemManager knew before it
    /// is still asked for.
    Reserved,
    /// `ID_MBIMD_IGNORE=1`: it is not ours.
    Ignore,
    /// `ID_MM_DEVICE_IGNORE=1` or `ID_MM_PORT_IGNORE=1` without `MBIMD_MANAGE=1`: kept from every manager of modems.
    IgnoreAll,
}

impl Tag {
    /// From the properties that udev noted down, as pairs of key and value. `ID_MBIMD_IGNORE` counts most, then
    /// `MBIMD_MANAGE`, then ModemManager's words.
    pub fn of<'a>(properties: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        let tag = |(key, value)| match (key, value) {
            ("ID_MBIMD_IGNORE", "1") => (5, Self::Ignore),
            ("MBIMD_MANAGE", "1") => (4, Self::Manage),
            ("ID_MM_DEVICE_IGNORE" | "ID_MM_PORT_IGNORE", "1") => (3, Self::IgnoreAll),
            ("ID_MBIMD_TAKES", "1") => (2, Self::Reserved),
            _ => (0, Self::None),
        };
        properties.into_iter().map(tag).max_by_key(|(rank, _)| *rank).map_or(Self::None, |(_, tag)| tag)
    }
}

/// Whether ModemManager runs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Presence {
    /// Not known yet.
    #[default]
    Unknown,
    /// It does not.
    Absent,
    /// It does.
    Here,
}

/// What became of the question to ModemManager to leave a device (`InhibitDevice`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Answer {
    /// Not asked yet, or the time to ask again has come.
    #[default]
    None,
    /// Asked; no answer yet.
    Pending,
    /// It leaves the device for as long as we are on the bus.
    Granted,
    /// It connects with it, and was not asked for that reason.
    InUse,
    /// It does not know the device; not yet, or its rules leave it out.
    NotKnown,
    /// The bus, polkit or ModemManager does not allow us to ask.
    NotAllowed,
    /// Anything else.
    Failed,
}

/// What the administrator wants where ModemManager runs and no tag says anything.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Policy {
    /// Ask ModemManager for the device.
    #[default]
    Ask,
    /// Leave all devices to it.
    Leave,
}

/// All that decides.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Facts {
    /// Rules of udev, or the command line.
    pub tag: Tag,
    /// ModemManager.
    pub presence: Presence,
    /// What it said.
    pub answer: Answer,
    /// The configuration.
    pub policy: Policy,
    /// The control port is open here.
    pub held: bool,
}

/// What to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Open it, or keep it.
    Take,
    /// Ask ModemManager now. What is held is kept meanwhile.
    Ask,
    /// Nothing yet; what is held is kept.
    Wait,
    /// Leave it alone; let go of it where it is held.
    Leave(Reason),
}

/// The decision.
#[must_use]
pub fn judge(facts: &Facts) -> Verdict {
    match facts.tag {
        Tag::Manage => return Verdict::Take,
        Tag::Ignore => {
            return leave(
                "withheld-by-rule",
                "A rule of udev (ID_MBIMD_IGNORE) keeps mbimd off this modem; take the rule away.",
            );
        }
        Tag::IgnoreAll => {
            return leave(
                "withheld-by-rule",
                "A rule of udev (ID_MM_DEVICE_IGNORE) keeps this modem from managers of modems; a rule that sets MBIMD_MANAGE=1 gives it to mbimd.",
            );
        }
        Tag::None | Tag::Reserved => {}
    }
    match facts.presence {
        Presence::Absent => return Verdict::Take,
        Presence::Unknown => return Verdict::Wait,
        Presence::Here => {}
    }
    if facts.policy == Policy::Leave {
        return leave(
            "left-to-modemmanager",
            "ModemManager runs and the configuration leaves modems to it; a rule of udev that sets MBIMD_MANAGE=1, or the key modemmanager = \"ask\", gives it to mbimd.",
        );
    }
    match facts.answer {
        Answer::Granted => Verdict::Take,
        Answer::None => Verdict::Ask,
        Answer::Pending => Verdict::Wait,
        // What ModemManager does not know it does not open: no reason to drop a connection. And what udev keeps it off it
        // will never know.
        Answer::NotKnown if facts.held || facts.tag == Tag::Reserved => Verdict::Take,
        Answer::NotKnown => leave(
            "unknown-to-modemmanager",
            "ModemManager runs and does not know this modem, so it cannot be asked for it; a rule of udev that sets MBIMD_MANAGE=1 gives it to mbimd.",
        ),
        Answer::InUse => leave(
            "in-use-by-modemmanager",
            "ModemManager is connected with this modem; disconnect there and mbimd takes it over.",
        ),
        Answer::NotAllowed => leave(
            "not-allowed-by-modemmanager",
            "ModemManager does not let mbimd ask for this modem; check the bus policy and the polkit rule of mbimd.",
        ),
        Answer::Failed => leave(
            "refused-by-modemmanager",
            "ModemManager does not give this modem up; stop it, or set MBIMD_MANAGE=1 in a rule of udev.",
        ),
    }
}

fn leave(code: &'static str, text: &str) -> Verdict {
    Verdict::Leave(Reason { code, text: text.to_owned() })
}

/// How long to wait before ModemManager is asked again, after so many answers that were none. It may not have looked at
/// the device yet: at first soon, then seldom. `None`: there is nothing to ask again for.
#[must_use]
pub fn ask_again(answer: Answer, times: u32) -> Option<Duration> {
    let millis = match answer {
        Answer::None | Answer::Pending | Answer::Granted => return None,
        Answer::InUse => 5_000,
        Answer::NotKnown | Answer::Failed | Answer::NotAllowed => match times {
            0..=10 => 200,
            11..=30 => 1_000,
            _ => 30_000,
        },
    };
    Some(Duration::from_millis(millis))
}

/// By what a device is known without opening it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Marks {
    /// Its place: path in sysfs, or the socket.
    pub physical: String,
    /// USB vendor and product.
    pub usb: Option<(u16, u16)>,
    /// USB serial number; empty when it has none.
    pub serial: String,
}

/// Whether a device that came is the one that went. At the same place it is, unless its serial number or vendor says
/// otherwise: firmware may come back with another product id. At another place (a fall back to USB 2 is one) only a
/// serial number that tells devices apart can say so.
#[must_use]
pub fn is_same(gone: &Marks, come: &Marks) -> bool {
    let vendor = |marks: &Marks| marks.usb.map(|(vendor, _)| vendor);
    if vendor(gone) != vendor(come) {
        return false;
    }
    let told = !gone.serial.is_empty() && !come.serial.is_empty();
    if gone.physical == come.physical {
        return !told || gone.serial == come.serial;
    }
    told && gone.usb == come.usb && gone.serial == come.serial && tells_apart(&gone.serial)
}

/// Many modems carry a number of the kind `0123456789ABCDEF` or `00000000` that all of them carry.
fn tells_apart(serial: &str) -> bool {
    let mut seen: Vec<char> = serial.chars().collect();
    let ordered = seen.windows(2).filter(|pair| matches!(pair, [a, b] if a < b)).count();
    let length = seen.len();
    seen.sort_unstable();
    seen.dedup();
    length >= 6 && seen.len() >= 3 && ordered + 1 < length
}

#[cfg(test)]
mod tests {
    use super::*;

    const TAGS: &[Tag] = &[Tag::None, Tag::Reserved, Tag::Manage, Tag::Ignore, Tag::IgnoreAll];
    const PRESENCES: &[Presence] = &[Presence::Unknown, Presence::Absent, Presence::Here];
    const POLICIES: &[Policy] = &[Policy::Ask, Policy::Leave];
    const ANSWERS: &[Answer] = &[
        Answer::None,
        Answer::Pending,
        Answer::Granted,
        Answer::InUse,
        Answer::NotKnown,
        Answer::NotAllowed,
        Answer::Failed,
    ];

    /// The same decision as an ordered list of rules: what holds, and the first letter of the verdict or the code.
    type Rule = (&'static str, fn(&Facts) -> bool, &'static str);
    const RULES: &[Rule] = &[
        ("ours by rule", |f| f.tag == Tag::Manage, "take"),
        ("not ours by rule", |f| !matches!(f.tag, Tag::None | Tag::Reserved), "withheld-by-rule"),
        ("alone", |f| f.presence == Presence::Absent, "take"),
        ("not known who is here", |f| f.presence == Presence::Unknown, "wait"),
        ("left by configuration", |f| f.policy == Policy::Leave, "left-to-modemmanager"),
        ("granted", |f| f.answer == Answer::Granted, "take"),
        ("to be asked", |f| f.answer == Answer::None, "ask"),
        ("asked", |f| f.answer == Answer::Pending, "wait"),
        ("held, and of no interest to it", |f| f.answer == Answer::NotKnown && f.held, "take"),
        ("kept off", |f| f.answer == Answer::NotKnown && f.tag == Tag::Reserved, "take"),
        ("not known to it", |f| f.answer == Answer::NotKnown, "unknown-to-modemmanager"),
        ("in use", |f| f.answer == Answer::InUse, "in-use-by-modemmanager"),
        ("not allowed", |f| f.answer == Answer::NotAllowed, "not-allowed-by-modemmanager"),
        ("refused", |_| true, "refused-by-modemmanager"),
    ];

    #[test]
    fn every_combination_is_judged_by_the_first_rule() {
        let mut used = vec![0_u32; RULES.len()];
        for &tag in TAGS {
            for &presence in PRESENCES {
                for &answer in ANSWERS {
                    for &policy in POLICIES {
                        for held in [false, true] {
                            let facts = Facts { tag, presence, answer, policy, held };
                            let rule = RULES.iter().position(|(_, holds, _)| holds(&facts)).unwrap();
                            used[rule] += 1;
                            let said = match judge(&facts) {
                                Verdict::Take => "take",
                                Verdict::Ask => "ask",
                                Verdict::Wait => "wait",
                                Verdict::Leave(reason) => reason.code,
                            };
                            assert_eq!(said, RULES[rule].2, "{facts:?}: {}", RULES[rule].0);
                        }
                    }
                }
            }
        }
        assert!(used.iter().all(|n| *n > 0), "a rule that decides nothing: {used:?}");
    }

    /// Next to ModemManager a device is only taken with its leave or an administrator's; nobody asks in vain for ever.
    #[test]
    fn nothing_is_taken_behind_its_back() {
        for &answer in ANSWERS {
            let facts = Facts { presence: Presence::Here, answer, ..Facts::default() };
            assert_eq!(judge(&facts) == Verdict::Take, answer == Answer::Granted, "{answer:?}");
            let left = matches!(judge(&facts), Verdict::Leave(_));
            assert_eq!(left, ask_again(answer, 0).is_some(), "{answer:?}: what is left is asked for again");
        }
        assert!(ask_again(Answer::NotKnown, 0) < ask_again(Answer::NotKnown, 100));
    }

    #[test]
    fn what_is_left_says_why_and_what_to_do() {
        for &tag in TAGS {
            for &answer in ANSWERS {
                for &policy in POLICIES {
                    let facts = Facts { tag, presence: Presence::Here, answer, policy, held: false };
                    if let Verdict::Leave(reason) = judge(&facts) {
                        assert!(reason.text.contains("; ") && reason.text.ends_with('.'), "{reason:?}");
                    }
                }
            }
        }
    }

    #[test]
    fn words_of_udev() {
        let tag = |pairs: &[(&'static str, &'static str)]| Tag::of(pairs.iter().copied());
        assert_eq!(tag(&[]), Tag::None);
        assert_eq!(tag(&[("ID_MM_DEVICE_IGNORE", "0"), ("MBIMD_MANAGE", "0"), ("ID_MM_CANDIDATE", "1")]), Tag::None);
        assert_eq!(tag(&[("ID_MM_DEVICE_IGNORE", "1")]), Tag::IgnoreAll);
        assert_eq!(tag(&[("ID_MM_PORT_IGNORE", "1")]), Tag::IgnoreAll);
        assert_eq!(tag(&[("MBIMD_MANAGE", "1"), ("ID_MM_DEVICE_IGNORE", "1")]), Tag::Manage);
        assert_eq!(tag(&[("MBIMD_MANAGE", "1"), ("ID_MBIMD_IGNORE", "1")]), Tag::Ignore);
        assert_eq!(tag(&[("ID_MM_PORT_IGNORE", "0"), ("ID_MBIMD_TAKES", "1")]), Tag::Reserved);
        assert_eq!(tag(&[("ID_MBIMD_TAKES", "1"), ("ID_MM_DEVICE_IGNORE", "1")]), Tag::IgnoreAll);
    }

    #[test]
    fn the_same_modem_is_known_again() {
        let marks = |physical: &str, product, serial: &str| Marks {
            physical: physical.into(),
            usb: Some((0x1199, product)),
            serial: serial.into(),
        };
        let old = marks("usb1/1-1", 0x9071, "LF64840053091");
        assert!(is_same(&old, &old));
        assert!(is_same(&old, &marks("usb1/1-1", 0x9070, "LF64840053091")), "after an update of its firmware");
        assert!(is_same(&old, &marks("usb1/1-1", 0x9071, "")));
        assert!(!is_same(&old, &marks("usb1/1-1", 0x9071, "LF64840053092")), "another one at the same place");
        assert!(is_same(&old, &marks("usb2/2-1", 0x9071, "LF64840053091")), "at another speed");
        assert!(!is_same(&old, &marks("usb2/2-1", 0x9070, "LF64840053091")));
        assert!(!is_same(&old, &Marks { usb: Some((0x2c7c, 0x9071)), ..old.clone() }));
        for serial in ["", "0123456789ABCDEF", "00000000", "12345", "0000000001"] {
            let (a, b) = (marks("usb1/1-1", 1, serial), marks("usb1/1-2", 1, serial));
            assert!(!is_same(&a, &b), "{serial:?} tells nobody apart");
        }
        let socket = Marks { physical: "unix:/m.sock".into(), ..Marks::default() };
        assert!(is_same(&socket, &socket));
    }
}

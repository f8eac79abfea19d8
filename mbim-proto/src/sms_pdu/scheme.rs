//! How content is coded. [3GPP TS 23.038 4]

/// TP-DCS, as it is on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Scheme(pub u8);

/// What characters are made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Alphabet {
    /// Seven bits, with the tables that the header names.
    Gsm7,
    /// Octets, of a meaning that is not said; compressed text and reserved codes too.
    Octets,
    /// UTF-16 in network order.
    Ucs2,
}

/// What a message is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Class {
    /// Shown at once and not stored.
    Flash,
    /// For the device.
    Device,
    /// For the SIM.
    Sim,
    /// For what is connected to the device.
    Terminal,
}

/// A message that only says whether others wait. [3GPP TS 23.038 4]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Indication {
    /// Whether there are any.
    pub active: bool,
    /// Of which kind: 0 voice, 1 fax, 2 electronic mail, 3 other.
    pub kind: u8,
    /// Whether the message itself may be thrown away.
    pub discard: bool,
}

impl Scheme {
    /// The default alphabet, no class.
    pub const GSM7: Self = Self(0x00);
    /// Octets, no class.
    pub const OCTETS: Self = Self(0x04);
    /// UTF-16, no class.
    pub const UCS2: Self = Self(0x08);

    /// What the content is made of.
    pub const fn alphabet(self) -> Alphabet {
        match self.0 {
            // Compressed.
            byte if byte & 0xa0 == 0x20 => Alphabet::Octets,
            byte if byte & 0x80 == 0 => match byte >> 2 & 3 {
                0 => Alphabet::Gsm7,
                2 => Alphabet::Ucs2,
                _ => Alphabet::Octets,
            },
            byte if byte & 0xf4 == 0xf4 => Alphabet::Octets,
            byte if byte & 0xf0 == 0xe0 => Alphabet::Ucs2,
            // Reserved groups are taken for the default alphabet.
            _ => Alphabet::Gsm7,
        }
    }

    /// What the message is for, if it says so.
    pub const fn class(self) -> Option<Class> {
        let has = self.0 & 0x90 == 0x10 || self.0 & 0xf0 == 0xf0;
        match self.0 & 3 {
            _ if !has => None,
            0 => Some(Class::Flash),
            1 => Some(Class::Device),
            2 => Some(Class::Sim),
            _ => Some(Class::Terminal),
        }
    }

    /// The same with a class.
    pub const fn with_class(self, class: Class) -> Self {
        let number = match class {
            Class::Flash => 0,
            Class::Device => 1,
            Class::Sim => 2,
            Class::Terminal => 3,
        };
        Self(self.0 & 0x6c | 0x10 | number)
    }

    /// Whether it may be deleted once it was read.
    pub const fn is_deleted_when_read(self) -> bool {
        self.0 & 0xc0 == 0x40
    }

    /// Whether it is about others that wait.
    pub const fn indication(self) -> Option<Indication> {
        match self.0 & 0xf0 {
            group @ (0xc0 | 0xd0 | 0xe0) => {
                Some(Indication { active: self.0 & 8 != 0, kind: self.0 & 3, discard: group == 0xc0 })
            }
            _ => None,
        }
    }
}

impl Alphabet {
    /// In kebab-case.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Gsm7 => "gsm7",
            Self::Octets => "octets",
            Self::Ucs2 => "ucs2",
        }
    }
}

impl Class {
    /// In kebab-case.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Flash => "flash",
            Self::Device => "device",
            Self::Sim => "sim",
            Self::Terminal => "terminal",
        }
    }
}

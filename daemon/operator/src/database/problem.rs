//! What is wrong with a database file, and where.

use core::fmt;

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Something unknown was ignored.
    Debug,
    /// A value was dropped; the rest of the record stays.
    Warning,
    /// Reading stopped; records before the place stay.
    Error,
}

/// A remark about a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileProblem {
    /// The file's name as it was given.
    pub file: String,
    /// How bad it is.
    pub severity: Severity,
    /// Line, from 1.
    pub line: u32,
    /// Column in characters, from 1.
    pub column: u32,
    /// What it is.
    pub what: Trouble,
}

/// What a [`FileProblem`] is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// The file is larger than 16 MiB; nothing of it was read.
    TooLarge,
    /// An octet is not UTF-8.
    NotUtf8,
    /// The text is not well-formed XML; the parser's words.
    NotWellFormed(String),
    /// The file ends inside an element.
    EndsEarly,
    /// Elements are nested deeper than 16.
    TooDeep,
    /// A text or an attribute is longer than 64 KiB.
    TooLong,
    /// An element has more than 64 attributes.
    TooManyAttributes,
    /// A reference to an entity that is not one of the five of XML. None is ever expanded.
    Entity,
    /// The root element is not `serviceproviders`.
    NotServiceProviders,
    /// The attribute `format` is not 2.0.
    Format(String),
    /// An element that we do not know.
    UnknownElement(String),
    /// A file that another one needs is missing.
    Missing,
    /// The root element is another one than is expected there.
    OtherRoot {
        /// Which would be right.
        expected: &'static str,
    },
    /// The root element is none of the formats that can be imported; its name.
    NotImportable(String),
    /// There are more than 200,000 elements.
    TooManyElements,
    /// Something that records cannot say; why it was left out.
    LeftOut(&'static str),
    /// A value that can not be used.
    Value {
        /// Element that has it.
        element: &'static str,
    },
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLarge => f.write_str("the file is larger than 16 MiB"),
            Self::NotUtf8 => f.write_str("the text is not UTF-8"),
            Self::NotWellFormed(text) => write!(f, "not well-formed: {text}"),
            Self::EndsEarly => f.write_str("the file ends inside an element"),
            Self::TooDeep => f.write_str("elements are nested deeper than 16"),
            Self::TooLong => f.write_str("a text or attribute is longer than 64 KiB"),
            Self::TooManyAttributes => f.write_str("an element has more than 64 attributes"),
            Self::Entity => f.write_str("entities are not expanded"),
            Self::NotServiceProviders => f.write_str("the root element is not serviceproviders"),
            Self::Format(found) => write!(f, "format 2.0 is expected, found {found:?}"),
            Self::UnknownElement(name) => write!(f, "unknown element {name:?} ignored"),
            Self::Missing => f.write_str("the file is missing"),
            Self::OtherRoot { expected } => write!(f, "the root element is not {expected}"),
            Self::NotImportable(name) => write!(
                f,
                "{name:?} is none of serviceproviders, apns (Android), OperatorList (Windows), WindowsCustomizations (COSA)"
            ),
            Self::TooManyElements => f.write_str("there are more than 200000 elements"),
            Self::LeftOut(why) => write!(f, "left out: {why}"),
            Self::Value { element } => write!(f, "unusable value of {element} ignored"),
        }
    }
}

impl fmt::Display for FileProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}: {}", self.file, self.line, self.column, self.what)
    }
}

//! Why linking fails.

use crate::Fixup;

/// Why linking failed. Objects are named as [`Input`](super::Input) or the archive names them.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LinkError {
    /// Symbols that are referred to but defined nowhere.
    #[error("undefined symbols: {}", .0.join(", "))]
    Undefined(
        /// Each as `symbol (referred to by object)`.
        Vec<String>,
    ),
    /// A symbol that two objects define.
    #[error("symbol {symbol} is defined by both {first} and {second}")]
    Duplicate {
        /// The symbol's name.
        symbol: String,
        /// The object whose definition came first.
        first: String,
        /// The object whose definition came second.
        second: String,
    },
    /// An object that cannot be read.
    #[error("{object} is malformed: {reason}")]
    Malformed {
        /// The object.
        object: String,
        /// What is wrong with it.
        reason: String,
    },
    /// An object for another target.
    #[error("{object} is for {found}, not for {target}")]
    WrongMachine {
        /// The object.
        object: String,
        /// Its format and architecture.
        found: String,
        /// The target's name.
        target: &'static str,
    },
    /// A relocation that no row of the target's table names.
    #[error("{object} has the unknown relocation {relocation} in section {section}")]
    UnknownRelocation {
        /// The object.
        object: String,
        /// The section that the relocation changes.
        section: String,
        /// The relocation's type.
        relocation: String,
    },
    /// A relocation whose field cannot hold the value.
    #[error("{symbol} is out of reach of the {fixup:?} in {object}")]
    OutOfRange {
        /// The symbol referred to.
        symbol: String,
        /// The object that refers to it.
        object: String,
        /// The kind of fixup.
        fixup: Fixup,
    },
    /// Bytes that are not what the relocation at their place changes.
    #[error("{object} has a {fixup:?} to {symbol} at a place that cannot hold one")]
    Misplaced {
        /// The symbol referred to.
        symbol: String,
        /// The object that refers to it.
        object: String,
        /// The kind of fixup.
        fixup: Fixup,
    },
    /// Something that executables made here cannot have.
    #[error("{object} has {what}, which is not supported")]
    Unsupported {
        /// The object.
        object: String,
        /// What it has.
        what: String,
    },
    /// A piece of memory image whose section is not what it must be.
    #[error("{object} places a section {reason}")]
    Placement {
        /// The object.
        object: String,
        /// What is wrong with it.
        reason: String,
    },
    /// More than the image format can hold.
    #[error("the executable would be too large: {0}")]
    TooLarge(
        /// What exceeds which limit.
        String,
    ),
}

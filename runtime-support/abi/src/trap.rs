//! Trap codes, their texts, and the encoding of trap sites.
//!
//! The trap sites of a function are a sequence of records in ascending order of code offset:
//!
//! ```text
//! uleb128  distance of the code offset to the former site's; for the first, to the function's start
//! u8       trap code
//! sleb128  distance of the wasm offset to the former site's; for the first, to 0
//! ```
//!
//! A code offset is that of the instruction that faults. A wasm offset counts from the first byte
//! of the wasm file.

use core::ffi::CStr;

macro_rules! trap_codes {
    ($($(#[$doc:meta])* $name:ident = $value:literal, $text:literal;)*) => {
        /// Why a program trapped.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        #[repr(u8)]
        pub enum TrapCode { $($(#[$doc])* $name = $value,)* }

        impl TrapCode {
            /// All codes, in order.
            pub const ALL: &[Self] = &[$(Self::$name,)*];

            /// The trap's text in the words of the specification's test suite.
            #[must_use]
            pub const fn text(self) -> &'static str {
                match self { $(Self::$name => $text,)* }
            }

            /// The same, ended by a NUL.
            #[must_use]
            pub const fn c_text(self) -> &'static CStr {
                match self {
                    $(Self::$name => match CStr::from_bytes_with_nul(concat!($text, "\0").as_bytes()) {
                        Ok(text) => text,
                        Err(_) => unreachable!(),
                    },)*
                }
            }

            /// The code with that number.
            #[must_use]
            pub const fn from_u8(value: u8) -> Option<Self> {
                match value { $($value => Some(Self::$name),)* _ => None }
            }
        }
    };
}

trap_codes! {
    /// An `unreachable` operator.
    Unreachable = 1, "unreachable";
    /// An access outside a linear memory.
    MemoryOutOfBounds = 2, "out of bounds memory access";
    /// An access outside a table, other than by an indirect call.
    TableOutOfBounds = 3, "out of bounds table access";
    /// An indirect call with an index outside the table.
    UndefinedElement = 4, "undefined element";
    /// An indirect call of a null entry.
    UninitializedElement = 5, "uninitialized element";
    /// An indirect call of a function of another type.
    SignatureMismatch = 6, "indirect call type mismatch";
    /// An integer division or remainder by zero.
    DivideByZero = 7, "integer divide by zero";
    /// A result that its integer type cannot hold.
    IntegerOverflow = 8, "integer overflow";
    /// A conversion of NaN to an integer.
    InvalidConversion = 9, "invalid conversion to integer";
    /// The stack is used up.
    StackExhausted = 10, "call stack exhausted";
    /// A null reference where none is allowed.
    NullReference = 11, "null reference";
    /// An atomic access at an address that its width does not divide.
    UnalignedAtomic = 12, "unaligned atomic";
    /// A wait on a memory that is not shared.
    ExpectedSharedMemory = 13, "expected shared memory";
    /// An exception that nothing caught.
    UncaughtException = 14, "unhandled exception";
    /// A call of a null function reference.
    NullFunctionReference = 15, "null function reference";
    /// A memory or table that an instance imports is not as long as it has to be by then.
    IncompatibleImport = 16, "incompatible import type";
}

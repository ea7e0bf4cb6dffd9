//! macOS, by libSystem: the only stable interface that the system has.
//!
//! Uses documented functions only, those of macOS 11.

pub mod clock;
mod directory;
mod errno;
pub mod folder;
pub mod fs;
pub mod harden;
pub mod memory;
pub mod poll;
pub mod process;
pub mod random;
pub mod signal;
pub mod socket;
pub mod thread;

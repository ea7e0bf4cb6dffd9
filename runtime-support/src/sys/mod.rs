//! The operating system, as the rest of the runtime sees it.
//!
//! Each OS has a folder with the same files: `memory`, `fs`, `folder`, `harden`, `clock`, `random`,
//! `process`, `signal`, `socket`, `poll`, `thread`. What they must provide is written in [`contract`] and held
//! there by the compiler; the types that cross the border are in [`types`]. Nothing outside this
//! folder asks for an OS or an architecture.

pub mod arch;
mod contract;
#[cfg(unix)]
mod posix;
pub mod types;

#[cfg(target_os = "linux")]
#[path = "linux/mod.rs"]
mod os;
#[cfg(target_os = "macos")]
#[path = "darwin/mod.rs"]
mod os;
#[cfg(target_os = "windows")]
#[path = "windows/mod.rs"]
mod os;

pub use os::{clock, folder, fs, harden, memory, poll, process, random, signal, socket, thread};

/// What a system call gives: a value or the errno that the program shall see.
pub type Result<T> = core::result::Result<T, crate::errno::Errno>;

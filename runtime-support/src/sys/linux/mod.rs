//! Linux, by system calls alone: no C library, no dynamic linker, any distribution.
//!
//! The calls are made by rustix; those that it leaves to a C library (signals, the process's end)
//! are in [`syscall`]. Works from Linux 4.17 on (`MAP_FIXED_NOREPLACE`).

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
mod seccomp;
pub mod signal;
pub mod socket;
mod syscall;
pub mod thread;

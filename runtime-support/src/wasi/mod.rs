//! WASI preview 1.
//!
//! One function for each import, called by compiled code directly; see `kiln_abi::wasi` for the
//! convention. Guest memory is reached through [`guest`] alone, the host through [`crate::sys`]
//! alone. Source: the witx documents of `wasi_snapshot_preview1`.

pub mod args;
pub mod audit;
pub mod clock;
pub mod descriptor;
pub mod dir;
pub mod embed;
pub mod environ;
pub mod fd;
pub mod file;
pub mod files;
pub mod guest;
pub mod harden;
pub mod path;
pub mod policy;
pub mod poll;
pub mod preopen;
pub mod process;
pub mod random;
pub mod resolve;
pub mod rights;
pub mod sock;
pub mod unstable;

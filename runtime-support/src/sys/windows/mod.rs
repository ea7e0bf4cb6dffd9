//! Windows, by its DLLs: kernel32 and what lies beneath it.
//!
//! Files are opened by `NtCreateFile`, since only that opens a name relative to a directory's
//! handle. Works from Windows 10 1607 on (`OBJ_DONT_REPARSE`). Declarations are in [`syscall`];
//! each DLL is named there, and nothing else is imported.

pub mod clock;
mod console;
mod directory;
mod errno;
pub mod folder;
pub mod fs;
mod handle;
pub mod harden;
mod link;
pub mod memory;
mod name;
pub mod poll;
pub mod process;
pub mod random;
mod rename;
pub mod signal;
pub mod socket;
mod stream;
mod syscall;
mod text;
pub mod thread;
mod winsock;

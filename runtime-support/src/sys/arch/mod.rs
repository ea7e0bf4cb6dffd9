//! The processor: what needs instructions of its own.
//!
//! Each architecture's file provides `frame_pointer()`, the frame pointer of the function it is
//! inlined into, `call_on(top, entry)`, which calls a function on another stack,
//! `resume(value, landing, block)`, which goes on in compiled code, and `features()`, what the processor
//! has of [`kiln_abi::cpu`]. [`bulk`] has the C functions that compilers call for moving and
//! comparing memory. [`compiled_calls`] defines what compiled code calls.

#[cfg(target_arch = "x86_64")]
#[path = "amd64.rs"]
mod processor;
#[cfg(target_arch = "aarch64")]
#[path = "arm64.rs"]
mod processor;

// libSystem has its own.
#[cfg(not(target_os = "macos"))]
pub mod bulk;

pub use processor::{features, resume};

/// Defines functions that compiled code calls, in the convention that [`kiln_abi::symbol`] names:
/// that of C but on Windows on x86-64.
macro_rules! compiled_calls {
    ($(
        $(#[$attribute:meta])*
        pub unsafe fn $name:ident($($parameter:ident: $type:ty),* $(,)?) $(-> $result:ty)?
        $body:block
    )*) => {$(
        #[cfg(target_arch = "x86_64")]
        $(#[$attribute])*
        pub unsafe extern "sysv64" fn $name($($parameter: $type),*) $(-> $result)?
        $body

        #[cfg(not(target_arch = "x86_64"))]
        $(#[$attribute])*
        pub unsafe extern "C" fn $name($($parameter: $type),*) $(-> $result)?
        $body
    )*};
}
pub(crate) use compiled_calls;

#[cfg(unix)]
pub use processor::call_on;
// Functions that Windows can unwind on x86-64 keep no chain of frame pointers.
#[cfg(all(windows, target_arch = "x86_64"))]
pub use super::os::signal::frame_pointer;
#[cfg(not(all(windows, target_arch = "x86_64")))]
pub use processor::frame_pointer;

//! The entry point, what the loader passed to it, and the process's end.

use crate::global::Global;
use crate::start;
use core::ffi::{CStr, c_char, c_int};
use core::ptr::null;

/// What the loader passes to the entry point.
#[derive(Clone, Copy)]
struct Passed {
    arguments: *const *const c_char,
    argument_count: usize,
    environment: *const *const c_char,
}

static PASSED: Global<Passed> =
    Global::new(Passed { arguments: null(), argument_count: 0, environment: null() });

/// Where the loader begins: the image's LC_MAIN.
///
/// # Safety
/// Called once, by the loader.
#[unsafe(no_mangle)]
unsafe extern "C" fn main(
    argument_count: c_int,
    arguments: *const *const c_char,
    environment: *const *const c_char,
) -> c_int {
    let argument_count = usize::try_from(argument_count).unwrap_or(0);
    // SAFETY: nothing else runs yet.
    unsafe { *PASSED.get() = Passed { arguments, argument_count, environment } };
    start::start()
}

/// See [`contract`](crate::sys).
pub fn begin_library() {
    // SAFETY: the loader keeps the array; nothing asks for it yet.
    unsafe {
        let environment = (*libc::_NSGetEnviron()).cast::<*const c_char>().cast_const();
        *PASSED.get() = Passed { environment, ..*PASSED.get() };
    }
}

fn passed() -> Passed {
    // SAFETY: written once, before anything that asks for it.
    unsafe { *PASSED.get() }
}

/// See [`contract`](crate::sys).
pub fn argument(index: usize) -> Option<&'static CStr> {
    let passed = passed();
    // SAFETY: as many pointers to NUL-terminated texts lie there.
    (index < passed.argument_count).then(|| unsafe { CStr::from_ptr(*passed.arguments.add(index)) })
}

/// See [`contract`](crate::sys).
pub fn environment(index: usize) -> Option<&'static CStr> {
    // SAFETY: nobody asks for an index after one that gave nothing, so the null is not passed by.
    unsafe {
        let variable = *passed().environment.add(index);
        (!variable.is_null()).then(|| CStr::from_ptr(variable))
    }
}

/// See [`contract`](crate::sys).
pub const NAMES_IGNORE_CASE: bool = false;

/// See [`contract`](crate::sys).
pub fn exit(code: u32) -> ! {
    // SAFETY: no memory is involved.
    unsafe { libc::_exit(code as c_int) }
}

/// See [`contract`](crate::sys).
pub fn yield_now() {
    // SAFETY: no memory is involved.
    unsafe { libc::sched_yield() };
}

/// See [`contract`](crate::sys).
pub fn report(mut text: &[u8]) {
    while !text.is_empty() {
        // SAFETY: the text can be read.
        let count = unsafe { libc::write(2, text.as_ptr().cast(), text.len()) };
        match usize::try_from(count) {
            Ok(0) => return,
            Ok(count) => text = text.get(count..).unwrap_or_default(),
            Err(_) if super::errno::was_interrupted() => {}
            Err(_) => return,
        }
    }
}

/// Whether the processor has the atomic instructions of ARMv8.1: every Mac with Apple silicon.
#[cfg(target_arch = "aarch64")]
pub fn has_atomics() -> bool {
    true
}

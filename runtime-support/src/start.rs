//! From the entry point that the OS knows to the program's first function.

use crate::report::Report;
use crate::sys::{process, signal};
use crate::{memory, program, wasi};
use kiln_abi::EXIT_START;

/// Starts the program and ends the process when it returns. Called once, by the OS folder's entry
/// point, on the stack that the OS gave.
pub fn start() -> ! {
    if signal::install().is_err() {
        fail("cannot install fault handlers", "");
    }
    for memory in program::memories() {
        // SAFETY: it is one of the program's, which has not begun.
        unsafe { memory::instantiate(memory) };
    }
    wasi::preopen::open_all();
    let stack_size = program::record().stack_size as usize;
    // SAFETY: the process has this one thread, which comes here once.
    if unsafe { signal::call_on_stack(stack_size, program::entry()) }.is_err() {
        fail("not enough memory for the stack", "");
    }
    process::exit(0)
}

/// Ends a program that cannot start: `kiln: ` and the message, then the name it is about.
#[cold]
pub fn fail(message: &str, name: &str) -> ! {
    let mut report = Report::begin();
    report.text(message);
    if !name.is_empty() {
        report.text(" `").text(name).text("`");
    }
    report.text("\n");
    drop(report);
    process::exit(EXIT_START.into())
}

//! From the entry point that the OS knows to the program's first function.

use crate::errno::Errno;
use crate::report::Report;
use crate::sys::{arch, process, signal, thread};
use crate::{memory, program, wasi};
use core::sync::atomic::Ordering::Relaxed;
use core::sync::atomic::{AtomicU32, AtomicUsize};
use kiln_abi::EXIT_START;

/// Starts the program and ends the process when it returns. Called once, by the OS folder's entry
/// point, on the stack that the OS gave.
pub fn start() -> ! {
    if signal::install().is_err() {
        fail("cannot install fault handlers", "");
    }
    prepare();
    begin_part(program::parts().audit_begin);
    begin_part(program::parts().harden);
    let stack_size = program::record().stack_size as usize;
    // SAFETY: the process has this one thread, which comes here once.
    if unsafe { signal::call_on_stack(stack_size, program::entry()) }.is_err() {
        fail("not enough memory for the stack", "");
    }
    claim_end();
    process::exit(0)
}

/// Makes what the program needs before any of its code runs.
pub fn prepare() {
    let parts = program::parts();
    begin_part(program::record().check_processor);
    for memory in program::memories() {
        // SAFETY: it is one of the program's, which has not begun.
        unsafe { memory::instantiate(memory) };
    }
    if wasi::descriptor::table().insert_standard_streams().is_err() {
        fail("not enough memory", "");
    }
    begin_part(parts.directories);
    if let Some(reader) = wasi::embed::reader() {
        (reader.open)();
    }
    begin_part(parts.listeners);
}

/// Does what a part of the runtime has to do before the program begins, if it is linked.
fn begin_part(part: Option<unsafe extern "C" fn()>) {
    if let Some(begin) = part {
        // SAFETY: the records hold functions of this runtime, each called once, from here.
        unsafe { begin() }
    }
}

/// Ends a program whose code needs what the processor lacks. Called only where it needs anything:
/// asking takes time, inside virtual machines above all.
#[unsafe(no_mangle)]
pub extern "C" fn kiln_check_processor() {
    let missing = program::record().cpu & !arch::features();
    if let Some((_, name)) = kiln_abi::cpu::NAMES.iter().find(|(bit, _)| missing & bit != 0) {
        fail("the program was built for processors with a feature that this one lacks:", name);
    }
}

/// Makes the calling thread the one that ends the process; does not return in any other, so that
/// what is reported and the exit code come from one thread.
pub fn claim_end() {
    /// Which thread it is: its own pointer with the lowest bit set, since the main thread's may be
    /// null; 0 while there is none.
    static ENDING: AtomicUsize = AtomicUsize::new(0);
    static NEVER: AtomicU32 = AtomicU32::new(0);
    let own = thread::local().addr() | 1;
    match ENDING.compare_exchange(0, own, Relaxed, Relaxed) {
        Ok(_) => {}
        // A fault while it reports.
        Err(other) if other == own => {}
        Err(_) => loop {
            thread::wait(&NEVER, 0, None);
        },
    }
}

/// Ends a program that cannot start: `kiln: ` and the message, then the name it is about.
#[cold]
pub fn fail(message: &str, name: &str) -> ! {
    end(message, name, "")
}

/// The same with what the host says about it.
#[cold]
pub fn fail_because(message: &str, name: &str, errno: Errno) -> ! {
    end(
        message,
        name,
        match errno {
            Errno::NOENT => ": it does not exist",
            Errno::NOTDIR => ": it is no directory",
            Errno::ACCES => ": permission denied",
            Errno::PERM => ": it is not the user's own",
            Errno::LOOP => ": a link leads elsewhere",
            Errno::NAMETOOLONG => ": the name is too long",
            Errno::MFILE | Errno::NFILE => ": too many open files",
            Errno::NOMEM => ": not enough memory",
            Errno::ADDRINUSE => ": the address is in use",
            Errno::ADDRNOTAVAIL => ": this machine has no such address",
            Errno::AFNOSUPPORT => ": this machine has no such kind of address",
            _ => "",
        },
    )
}

fn end(message: &str, name: &str, reason: &str) -> ! {
    let mut report = Report::begin();
    report.text(message);
    if !name.is_empty() {
        report.text(" `").text(name).text("`");
    }
    report.text(reason).text("\n");
    drop(report);
    end_program(EXIT_START.into())
}

unsafe extern "C" {
    #[link_name = "kiln_end"]
    safe fn end_program_here(code: u32) -> !;
}

/// Ends the program: an executable's process, a library's call.
pub fn end_program(code: u32) -> ! {
    end_program_here(code)
}

/// What that is in an executable.
#[unsafe(no_mangle)]
extern "C" fn kiln_end_process(code: u32) -> ! {
    claim_end();
    process::exit(code)
}

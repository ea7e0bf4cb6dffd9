//! Traps: from a fault or a builtin's check to the report that ends the program, or to the code
//! that catches it.
//!
//! A fault is classified by the address that it touched (a linear memory's reservation, the
//! stack's guard), then by the trap site at its instruction; any other fault is a defect and
//! says so. The report is the specification's text, the wasm function and offset, and the calls
//! that led there, found by frame pointers.

use crate::code_map::{self, Place};
use crate::report::Report;
use crate::sys::arch::compiled_calls;
use crate::sys::types::{Caught, Fault, FaultKind};
use crate::sys::{arch, process, signal};
use crate::{exception, program, start, thread};
use core::sync::atomic::AtomicUsize;
use core::sync::atomic::Ordering::Relaxed;
use kiln_abi::exception::TRAP_TAG;
use kiln_abi::program::NO_INDEX;
use kiln_abi::trap::TrapCode;
use kiln_abi::{EXIT_START, EXIT_TRAP};

/// Calls that a backtrace shows at most.
const FRAMES: usize = 32;

compiled_calls! {
    /// Traps with what compiled code found itself.
    ///
    /// # Safety
    /// Called by compiled code, which keeps frame pointers.
    #[unsafe(no_mangle)]
    pub unsafe fn kiln_trap(code: u32) -> ! {
        raise(u8::try_from(code).ok().and_then(TrapCode::from_u8).unwrap_or(TrapCode::Unreachable))
    }
}

/// Where the stack must not have come to when a call of the runtime takes hold of something; see
/// [`require_stack`]. 0 where a trap ends the process.
static STACK_NEEDED: AtomicUsize = AtomicUsize::new(0);

/// Bytes of stack that calls of WASI may use: several times what the deepest of them does, which
/// holds two walks along paths.
pub const RUNTIME_STACK: usize = 1 << 16;

/// Has calls of the runtime take hold of something only where they cannot exhaust the stack, which
/// is the calling thread's.
pub fn keep_stack() {
    STACK_NEEDED.store(signal::stack_end() + RUNTIME_STACK, Relaxed);
}

/// Traps where the stack is too short for a call of the runtime that is about to take hold of a
/// descriptor or the table of them: exhausting the stack half-way, it would hold them for ever.
#[inline(never)]
pub fn require_stack() {
    let here = 0_u8;
    if (&raw const here).addr() < STACK_NEEDED.load(Relaxed) {
        raise(TrapCode::StackExhausted);
    }
}

/// Traps in the compiled function that called the runtime.
#[cold]
#[inline(never)]
pub fn raise(code: TrapCode) -> ! {
    let frame = arch::frame_pointer();
    if let Some(landing) = exception::landing(frame, TRAP_TAG) {
        // SAFETY: the compiler put the landing there for this very state of the caller.
        unsafe { arch::resume(code as usize, &landing, thread::block()) }
    }
    start::claim_end();
    let mut report = Report::begin();
    report.text("trap: ").text(code.text()).text("\n");
    backtrace(&mut report, 0, frame);
    drop(report);
    process::exit(EXIT_TRAP.into())
}

/// What becomes of a fault, if compiled code catches it; else ends the program. Called by the OS
/// folder's fault handler, on a stack that is not exhausted.
pub fn fault(fault: &Fault) -> Caught {
    let Some(code) = classify(fault) else { crash(fault) };
    if let Some(caught) = catch(code, fault) {
        return caught;
    }
    start::claim_end();
    let mut report = Report::begin();
    report.text("trap: ").text(code.text()).text("\n");
    backtrace(&mut report, fault.pc, fault.frame_pointer);
    drop(report);
    process::exit(EXIT_TRAP.into())
}

/// The same of a fault on a library's stack; none if it is nothing that compiled code catches.
pub fn shared_fault(fault: &Fault) -> Option<Caught> {
    catch(classify(fault)?, fault)
}

fn catch(code: TrapCode, fault: &Fault) -> Option<Caught> {
    let landing = exception::landing(fault.frame_pointer, TRAP_TAG)?;
    Some(Caught { landing, value: code as usize })
}

compiled_calls! {
    /// Called by compiled code where a trap was caught.
    ///
    /// # Safety
    /// None is needed; the signature is that of every such function.
    #[unsafe(no_mangle)]
    pub unsafe fn kiln_trap_caught() {
        signal::guard_again();
    }
}

/// The trap that a fault stands for.
fn classify(fault: &Fault) -> Option<TrapCode> {
    if fault.kind == FaultKind::StackOverflow {
        return Some(TrapCode::StackExhausted);
    }
    if fault.kind == FaultKind::Access {
        if is_in_memory(fault.address) {
            return Some(TrapCode::MemoryOutOfBounds);
        }
        if signal::is_stack_guard(fault.address) {
            return Some(TrapCode::StackExhausted);
        }
    }
    code_map::find(fault.pc)?.trap_site()?.code
}

/// Whether an address lies in a linear memory's reservation.
fn is_in_memory(address: usize) -> bool {
    program::memories().any(|memory| {
        // SAFETY: the record is one of the program's memories, which nothing changes now.
        let memory = unsafe { &*memory };
        (address as u64).wrapping_sub(memory.base as u64) < memory.reservation
    })
}

/// Ends the program because of a fault that is no trap: a defect of Kiln.
#[cold]
fn crash(fault: &Fault) -> ! {
    start::claim_end();
    let mut report = Report::begin();
    report.text(match fault.kind {
        FaultKind::Access => "internal error: invalid memory access",
        FaultKind::StackOverflow => "internal error: stack overflow",
        FaultKind::Illegal => "internal error: illegal instruction",
        FaultKind::Arithmetic => "internal error: arithmetic fault",
        FaultKind::Breakpoint => "internal error: breakpoint",
    });
    if fault.kind == FaultKind::Access {
        report.text(" at address ").hexadecimal(fault.address as u64);
    }
    report.text(", instruction at ").hexadecimal(fault.pc as u64).text("\n");
    backtrace(&mut report, fault.pc, fault.frame_pointer);
    drop(report);
    process::exit(EXIT_START.into())
}

/// Adds the compiled functions that were running: the one at `pc`, unless that lies outside, then
/// those that the frames lead to. Frames of the runtime are passed over at first; the first one
/// after compiled code ends the walk.
fn backtrace(report: &mut Report, pc: usize, frame_pointer: usize) {
    let mut shown = 0;
    if let Some(place) = code_map::find(pc).filter(is_wasm) {
        show(report, &place, place.trap_site().map(|site| site.wasm_offset), shown);
        shown += 1;
    }
    let mut frame = frame_pointer;
    while signal::is_on_stack(frame) {
        // SAFETY: a frame record is two words on the stack: the caller's frame, the return address.
        let (next, return_address) = unsafe { *(frame as *const (usize, usize)) };
        // A call may be its function's last instruction, so the address before is looked up.
        match code_map::find(return_address.wrapping_sub(1)) {
            Some(place) if !is_wasm(&place) => {}
            Some(_) if shown == FRAMES => {
                report.text("  and more\n");
                return;
            }
            Some(place) => {
                show(report, &place, place.call_site().map(|site| site.wasm_offset), shown);
                shown += 1;
            }
            None if shown > 0 => return,
            None => {}
        }
        // Callers' frames lie above; anything else is no chain of frames.
        if next <= frame {
            return;
        }
        frame = next;
    }
}

/// Whether a place lies in a function of the module rather than in code that leads to one.
fn is_wasm(place: &Place) -> bool {
    place.function.index != NO_INDEX
}

/// Adds one line of a backtrace.
fn show(report: &mut Report, place: &Place, wasm_offset: Option<u64>, shown: usize) {
    report.text(if shown == 0 { "  in function " } else { "  called from " });
    match place.name() {
        Some(name) => report.bytes(name.to_bytes()),
        None => report.text("#").decimal(place.function.index.into()),
    };
    if let Some(offset) = wasm_offset {
        report.text(" (wasm offset ").hexadecimal(offset).text(")");
    }
    report.text("\n");
}

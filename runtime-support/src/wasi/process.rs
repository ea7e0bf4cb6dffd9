//! `proc_exit`, `proc_raise`, `sched_yield`.

use super::guest::functions;
use crate::errno::Errno;
use crate::start;
use crate::sys::arch::compiled_calls;
use crate::sys::process;
use kiln_abi::program::Memory;

compiled_calls! {
    /// Ends the program. As POSIX has it, the host sees the code's low 8 bits, on Windows all.
    ///
    /// # Safety
    /// None is needed; the signature is that of every function here.
    #[unsafe(export_name = "kiln_wasi_proc_exit")]
    pub unsafe fn proc_exit(_memory: *mut Memory, code: u32) -> ! {
        start::end_program(code)
    }
}

functions! {
    /// Programs have no signals: preview 1 withdrew this function, and every host refuses it.
    fn proc_raise(_guest, _signal: u32) {
        Err(Errno::NOTSUP)
    }

    /// Lets others run.
    fn sched_yield(_guest) {
        process::yield_now();
        Ok(())
    }
}

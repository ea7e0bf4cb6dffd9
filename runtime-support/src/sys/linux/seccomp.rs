//! The filter of system calls: a program of the kernel's classic BPF that sees each call's number
//! and arguments.
//!
//! What is not listed here gives `EPERM`. Sources: the kernel's `include/uapi/linux/seccomp.h`,
//! `audit.h`, `bpf_common.h`; numbers as in `syscall_64.tbl` and `include/uapi/asm-generic/unistd.h`.

use crate::sys::types::Calls;

/// `struct sock_filter`: an instruction.
#[derive(Debug, Clone, Copy)]
#[repr(C)]
pub(super) struct Instruction {
    code: u16,
    if_true: u8,
    if_false: u8,
    operand: u32,
}

// Codes of instructions.
const LOAD: u16 = 0x20;
const JUMP_IF_EQUAL: u16 = 0x15;
const JUMP_IF_AT_LEAST: u16 = 0x35;
const JUMP_IF_ANY_BIT: u16 = 0x45;
const RETURN: u16 = 0x06;

// Offsets in `struct seccomp_data`.
const NUMBER: u32 = 0;
const ARCHITECTURE: u32 = 4;
const ARGUMENTS: u32 = 16;

// What a filter returns.
const ALLOW: u32 = 0x7FFF_0000;
const KILL_PROCESS: u32 = 0x8000_0000;
const REFUSE: u32 = 0x0005_0000 | EPERM;
const EPERM: u32 = 1;

#[cfg(target_arch = "x86_64")]
const THIS_ARCHITECTURE: u32 = 0xC000_003E;
#[cfg(target_arch = "aarch64")]
const THIS_ARCHITECTURE: u32 = 0xC000_00B7;

/// Numbers from here on are those of another convention on amd64.
const X32: u32 = 0x4000_0000;

const PROT_EXEC: u32 = 4;
const CLONE_THREAD: u32 = 0x1_0000;
/// What the runtime asks of terminals and pipes: TCGETS, TIOCGWINSZ, FIONREAD, TCGETS2.
const IOCTLS: [u32; 4] = [0x5401, 0x5413, 0x541B, 0x802C_542A];

#[cfg(target_arch = "x86_64")]
const ARCH_PRCTL: u32 = 158;
/// Source: the kernel's `arch/x86/include/uapi/asm/prctl.h`.
#[cfg(target_arch = "x86_64")]
const ARCH_SET_FS: u32 = 0x1002;

macro_rules! numbers {
    ($($name:ident = $amd64:literal, $arm64:literal;)*) => {
        $(
            #[cfg(target_arch = "x86_64")]
            const $name: u32 = $amd64;
            #[cfg(target_arch = "aarch64")]
            const $name: u32 = $arm64;
        )*
    };
}

numbers! {
    READ = 0, 63;
    WRITE = 1, 64;
    READV = 19, 65;
    WRITEV = 20, 66;
    CLOSE = 3, 57;
    FSTAT = 5, 80;
    LSEEK = 8, 62;
    MMAP = 9, 222;
    MPROTECT = 10, 226;
    MUNMAP = 11, 215;
    RT_SIGACTION = 13, 134;
    RT_SIGPROCMASK = 14, 135;
    RT_SIGRETURN = 15, 139;
    IOCTL = 16, 29;
    PREAD = 17, 67;
    PWRITE = 18, 68;
    SCHED_YIELD = 24, 124;
    MADVISE = 28, 233;
    NANOSLEEP = 35, 101;
    SENDMSG = 46, 211;
    RECVMSG = 47, 212;
    SHUTDOWN = 48, 210;
    CLONE = 56, 220;
    EXIT = 60, 93;
    FCNTL = 72, 25;
    FSYNC = 74, 82;
    FDATASYNC = 75, 83;
    FTRUNCATE = 77, 46;
    SIGALTSTACK = 131, 132;
    GETTID = 186, 178;
    FUTEX = 202, 98;
    GETDENTS64 = 217, 61;
    SET_TID_ADDRESS = 218, 96;
    RESTART_SYSCALL = 219, 128;
    FADVISE64 = 221, 223;
    CLOCK_GETTIME = 228, 113;
    CLOCK_GETRES = 229, 114;
    CLOCK_NANOSLEEP = 230, 115;
    EXIT_GROUP = 231, 94;
    OPENAT = 257, 56;
    MKDIRAT = 258, 34;
    NEWFSTATAT = 262, 79;
    UNLINKAT = 263, 35;
    RENAMEAT = 264, 38;
    LINKAT = 265, 37;
    SYMLINKAT = 266, 36;
    READLINKAT = 267, 78;
    PPOLL = 271, 73;
    UTIMENSAT = 280, 88;
    FALLOCATE = 285, 47;
    ACCEPT4 = 288, 242;
    PREADV = 295, 69;
    PWRITEV = 296, 70;
    RENAMEAT2 = 316, 276;
    GETRANDOM = 318, 278;
    OPENAT2 = 437, 437;
}

/// What every program may ask for: of what is open already, of memory, time, and its own threads.
const ALWAYS: &[u32] = &[
    READ,
    WRITE,
    READV,
    WRITEV,
    CLOCK_GETTIME,
    GETRANDOM,
    PREAD,
    PWRITE,
    PREADV,
    PWRITEV,
    LSEEK,
    FSTAT,
    CLOSE,
    PPOLL,
    FUTEX,
    MUNMAP,
    MADVISE,
    SCHED_YIELD,
    NANOSLEEP,
    CLOCK_NANOSLEEP,
    CLOCK_GETRES,
    FCNTL,
    FSYNC,
    FDATASYNC,
    FTRUNCATE,
    FADVISE64,
    FALLOCATE,
    UTIMENSAT,
    GETTID,
    SET_TID_ADDRESS,
    SIGALTSTACK,
    RT_SIGACTION,
    RT_SIGPROCMASK,
    RT_SIGRETURN,
    RESTART_SYSCALL,
    EXIT,
    EXIT_GROUP,
];
/// What a program with a directory may ask for besides.
const PATHS: &[u32] = &[OPENAT, OPENAT2, NEWFSTATAT, GETDENTS64, READLINKAT];
/// What a program with a directory that it may change may ask for besides.
const CHANGES: &[u32] = &[MKDIRAT, UNLINKAT, RENAMEAT, RENAMEAT2, LINKAT, SYMLINKAT];
/// What a program with a listener may ask for besides.
const SOCKETS: &[u32] = &[ACCEPT4, RECVMSG, SENDMSG, SHUTDOWN];

/// Instructions of the longest filter.
const CAPACITY: usize =
    2 * (ALWAYS.len() + PATHS.len() + CHANGES.len() + SOCKETS.len()) + IOCTLS.len() + 31;

/// A filter.
pub(super) struct Filter {
    instructions: [Instruction; CAPACITY],
    length: usize,
}

impl Filter {
    /// The filter for a program that was granted as much.
    pub(super) fn new(calls: Calls) -> Self {
        let nothing = Instruction { code: 0, if_true: 0, if_false: 0, operand: 0 };
        let mut filter = Self { instructions: [nothing; CAPACITY], length: 0 };
        filter.load(ARCHITECTURE);
        filter.skip(JUMP_IF_EQUAL, THIS_ARCHITECTURE, 1, 0);
        filter.give(KILL_PROCESS);
        filter.load(NUMBER);
        filter.skip(JUMP_IF_AT_LEAST, X32, 0, 1);
        filter.give(REFUSE);
        let granted = [
            (true, ALWAYS),
            (calls.paths, PATHS),
            (calls.changes, CHANGES),
            (calls.sockets, SOCKETS),
        ];
        for (_, numbers) in granted.iter().filter(|(granted, _)| *granted) {
            for &number in *numbers {
                filter.skip(JUMP_IF_EQUAL, number, 0, 1);
                filter.give(ALLOW);
            }
        }
        for number in [MMAP, MPROTECT] {
            filter.argument(number, 2, 4);
            filter.skip(JUMP_IF_ANY_BIT, PROT_EXEC, 1, 0);
            filter.give(ALLOW);
            filter.give(REFUSE);
        }
        filter.argument(CLONE, 0, 4);
        filter.skip(JUMP_IF_ANY_BIT, CLONE_THREAD, 0, 1);
        filter.give(ALLOW);
        filter.give(REFUSE);
        filter.allow_one_of(IOCTL, 1, &IOCTLS);
        // How a thread's own record is found; arm64 has a register for that.
        #[cfg(target_arch = "x86_64")]
        filter.allow_one_of(ARCH_PRCTL, 0, &[ARCH_SET_FS]);
        filter.give(REFUSE);
        filter
    }

    /// The program, for the kernel.
    pub(super) fn instructions(&self) -> &[Instruction] {
        self.instructions.get(..self.length).unwrap_or_default()
    }

    fn push(&mut self, code: u16, if_true: u8, if_false: u8, operand: u32) {
        if let Some(place) = self.instructions.get_mut(self.length) {
            *place = Instruction { code, if_true, if_false, operand };
            self.length += 1;
        }
    }

    /// Loads a field of the call.
    fn load(&mut self, offset: u32) {
        self.push(LOAD, 0, 0, offset);
    }

    /// Skips instructions after comparing what was loaded.
    fn skip(&mut self, code: u16, operand: u32, if_true: u8, if_false: u8) {
        self.push(code, if_true, if_false, operand);
    }

    /// Ends with a verdict.
    fn give(&mut self, verdict: u32) {
        self.push(RETURN, 0, 0, verdict);
    }

    /// Allows the call of that number whose argument is one of these values.
    fn allow_one_of(&mut self, number: u32, argument: u32, values: &[u32]) {
        let count = values.len() as u8;
        self.argument(number, argument, count + 3);
        for (&value, after) in values.iter().zip((1..=count).rev()) {
            self.skip(JUMP_IF_EQUAL, value, after, 0);
        }
        self.give(REFUSE);
        self.give(ALLOW);
    }

    /// Loads the low half of an argument if the call has that number; else skips that and as many
    /// instructions less one.
    fn argument(&mut self, number: u32, argument: u32, skipped: u8) {
        self.skip(JUMP_IF_EQUAL, number, 0, skipped);
        self.load(ARGUMENTS + 8 * argument);
    }
}

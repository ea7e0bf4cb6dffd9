//! The functions of Windows that the runtime calls, and their records.
//!
//! Source: the Windows SDK's headers (`winnt.h`, `winternl.h`) and the Windows Driver Kit's
//! (`ntifs.h`, `wdm.h`, `ntstatus.h`). Names of functions are theirs; records hold only the fields
//! that their layout needs.

use core::ffi::{c_char, c_void};
use core::mem::offset_of;

/// A kernel object's handle.
pub(super) type RawHandle = *mut c_void;
/// What a function of ntdll returns; negative numbers are errors.
pub(super) type Status = i32;

/// What `GetLastError` tells of a pipe whose other end is closed.
pub(super) const ERROR_BROKEN_PIPE: u32 = 109;

// Source: `GetCurrentProcess` and `GetCurrentThread` in the SDK's headers.
pub(super) const CURRENT_PROCESS: RawHandle = -1_isize as RawHandle;
pub(super) const CURRENT_THREAD: RawHandle = -2_isize as RawHandle;

/// What `GetStdHandle` and `CreateFileW` give on failure.
pub(super) const INVALID_HANDLE: RawHandle = usize::MAX as RawHandle;

#[link(name = "kernel32", kind = "raw-dylib")]
unsafe extern "system" {
    pub(super) fn AddVectoredExceptionHandler(
        first: u32,
        handler: extern "system" fn(*const ExceptionPointers) -> i32,
    ) -> *mut c_void;
    pub(super) fn CreateDirectoryW(name: *const u16, security: *const c_void) -> i32;
    pub(super) fn CreateFileW(
        name: *const u16,
        access: u32,
        share: u32,
        security: *const c_void,
        disposition: u32,
        flags: u32,
        template: RawHandle,
    ) -> RawHandle;
    pub(super) fn CreateThread(
        security: *const c_void,
        stack_size: usize,
        start: extern "system" fn(*mut c_void) -> u32,
        argument: *mut c_void,
        flags: u32,
        number: *mut u32,
    ) -> RawHandle;
    pub(super) fn CreateWaitableTimerExW(
        security: *const c_void,
        name: *const u16,
        flags: u32,
        access: u32,
    ) -> RawHandle;
    pub(super) fn GetCommandLineW() -> *const u16;
    pub(super) fn GetConsoleMode(console: RawHandle, mode: *mut u32) -> i32;
    pub(super) fn GetCurrentThreadStackLimits(low: *mut usize, high: *mut usize);
    pub(super) fn GetEnvironmentStringsW() -> *const u16;
    pub(super) fn GetFileType(file: RawHandle) -> u32;
    pub(super) fn GetLastError() -> u32;
    pub(super) fn GetModuleFileNameW(module: RawHandle, name: *mut u16, size: u32) -> u32;
    pub(super) fn GetNumberOfConsoleInputEvents(console: RawHandle, count: *mut u32) -> i32;
    pub(super) fn GetProcAddress(module: RawHandle, name: *const c_char) -> *const c_void;
    pub(super) fn GetProcessTimes(
        process: RawHandle,
        created: *mut u64,
        ended: *mut u64,
        kernel: *mut u64,
        user: *mut u64,
    ) -> i32;
    pub(super) fn GetStdHandle(number: u32) -> RawHandle;
    pub(super) fn GetSystemTimePreciseAsFileTime(time: *mut u64);
    pub(super) fn GetThreadTimes(
        thread: RawHandle,
        created: *mut u64,
        ended: *mut u64,
        kernel: *mut u64,
        user: *mut u64,
    ) -> i32;
    #[cfg(target_arch = "aarch64")]
    pub(super) fn IsProcessorFeaturePresent(feature: u32) -> i32;
    pub(super) fn LoadLibraryExW(name: *const u16, file: RawHandle, flags: u32) -> RawHandle;
    pub(super) fn PeekNamedPipe(
        pipe: RawHandle,
        buffer: *mut c_void,
        size: u32,
        read: *mut u32,
        available: *mut u32,
        left: *mut u32,
    ) -> i32;
    pub(super) fn QueryPerformanceCounter(count: *mut u64) -> i32;
    pub(super) fn QueryPerformanceFrequency(frequency: *mut u64) -> i32;
    pub(super) fn ReadConsoleW(
        console: RawHandle,
        buffer: *mut u16,
        size: u32,
        read: *mut u32,
        control: *const ConsoleReadControl,
    ) -> i32;
    pub(super) fn SetThreadStackGuarantee(bytes: *mut u32) -> i32;
    pub(super) fn SetWaitableTimer(
        timer: RawHandle,
        due: *const i64,
        period: i32,
        routine: *const c_void,
        argument: *const c_void,
        resume: i32,
    ) -> i32;
    pub(super) fn Sleep(milliseconds: u32);
    pub(super) fn SwitchToThread() -> i32;
    pub(super) fn TerminateProcess(process: RawHandle, code: u32) -> i32;
    pub(super) fn TlsAlloc() -> u32;
    pub(super) fn TlsGetValue(index: u32) -> *mut c_void;
    pub(super) fn TlsSetValue(index: u32, value: *mut c_void) -> i32;
    pub(super) fn VirtualAlloc(
        address: *mut c_void,
        length: usize,
        kind: u32,
        protection: u32,
    ) -> *mut c_void;
    pub(super) fn VirtualFree(address: *mut c_void, length: usize, kind: u32) -> i32;
    pub(super) fn VirtualProtect(
        address: *mut c_void,
        length: usize,
        protection: u32,
        former: *mut u32,
    ) -> i32;
    pub(super) fn WaitForMultipleObjects(
        count: u32,
        handles: *const RawHandle,
        all: i32,
        milliseconds: u32,
    ) -> u32;
    pub(super) fn WaitForSingleObject(handle: RawHandle, milliseconds: u32) -> u32;
    pub(super) fn WriteConsoleW(
        console: RawHandle,
        text: *const u16,
        length: u32,
        written: *mut u32,
        reserved: *const c_void,
    ) -> i32;
}

#[link(name = "ntdll", kind = "raw-dylib")]
unsafe extern "system" {
    pub(super) fn NtClose(handle: RawHandle) -> Status;
    pub(super) fn NtCreateFile(
        file: *mut RawHandle,
        access: u32,
        object: *const ObjectAttributes,
        status: *mut IoStatus,
        allocation: *const u64,
        attributes: u32,
        share: u32,
        disposition: u32,
        options: u32,
        extended: *const c_void,
        extended_length: u32,
    ) -> Status;
    pub(super) fn NtFlushBuffersFile(file: RawHandle, status: *mut IoStatus) -> Status;
    pub(super) fn NtFsControlFile(
        file: RawHandle,
        event: RawHandle,
        routine: *const c_void,
        context: *const c_void,
        status: *mut IoStatus,
        code: u32,
        input: *const c_void,
        input_length: u32,
        output: *mut c_void,
        output_length: u32,
    ) -> Status;
    pub(super) fn NtQueryDirectoryFile(
        file: RawHandle,
        event: RawHandle,
        routine: *const c_void,
        context: *const c_void,
        status: *mut IoStatus,
        information: *mut c_void,
        length: u32,
        class: u32,
        single: u8,
        pattern: *const UnicodeString,
        restart: u8,
    ) -> Status;
    pub(super) fn NtQueryInformationFile(
        file: RawHandle,
        status: *mut IoStatus,
        information: *mut c_void,
        length: u32,
        class: u32,
    ) -> Status;
    pub(super) fn NtQueryVolumeInformationFile(
        file: RawHandle,
        status: *mut IoStatus,
        information: *mut c_void,
        length: u32,
        class: u32,
    ) -> Status;
    pub(super) fn NtReadFile(
        file: RawHandle,
        event: RawHandle,
        routine: *const c_void,
        context: *const c_void,
        status: *mut IoStatus,
        buffer: *mut c_void,
        length: u32,
        offset: *const u64,
        key: *const u32,
    ) -> Status;
    pub(super) fn NtSetInformationFile(
        file: RawHandle,
        status: *mut IoStatus,
        information: *const c_void,
        length: u32,
        class: u32,
    ) -> Status;
    pub(super) fn NtWriteFile(
        file: RawHandle,
        event: RawHandle,
        routine: *const c_void,
        context: *const c_void,
        status: *mut IoStatus,
        buffer: *const c_void,
        length: u32,
        offset: *const u64,
        key: *const u32,
    ) -> Status;
    pub(super) fn RtlPcToFileHeader(pc: *const c_void, base: *mut *mut c_void) -> *mut c_void;
}

#[cfg(target_arch = "x86_64")]
#[link(name = "ntdll", kind = "raw-dylib")]
unsafe extern "system" {
    pub(super) fn RtlCaptureContext(context: *mut Context);
    pub(super) fn RtlLookupFunctionEntry(
        pc: usize,
        base: *mut usize,
        history: *mut c_void,
    ) -> *mut c_void;
    pub(super) fn RtlVirtualUnwind(
        handler: u32,
        base: usize,
        pc: usize,
        function: *mut c_void,
        context: *mut Context,
        handler_data: *mut *mut c_void,
        frame: *mut usize,
        pointers: *mut c_void,
    ) -> *mut c_void;
}

#[link(name = "api-ms-win-core-synch-l1-2-0", kind = "raw-dylib")]
unsafe extern "system" {
    pub(super) fn WaitOnAddress(
        address: *const c_void,
        compared: *const c_void,
        size: usize,
        milliseconds: u32,
    ) -> i32;
    pub(super) fn WakeByAddressSingle(address: *const c_void);
}

#[link(name = "bcryptprimitives", kind = "raw-dylib")]
unsafe extern "system" {
    pub(super) fn ProcessPrng(buffer: *mut u8, length: usize) -> i32;
}

// Rights to a file.
pub(super) const FILE_READ_DATA: u32 = 0x1;
pub(super) const FILE_TRAVERSE: u32 = 0x20;
pub(super) const FILE_READ_ATTRIBUTES: u32 = 0x80;
pub(super) const FILE_WRITE_ATTRIBUTES: u32 = 0x100;
pub(super) const DELETE: u32 = 0x1_0000;
pub(super) const SYNCHRONIZE: u32 = 0x10_0000;
pub(super) const FILE_GENERIC_READ: u32 = 0x12_0089;
pub(super) const FILE_GENERIC_WRITE: u32 = 0x12_0116;

// What others may do with a file that is open here: everything, as on other systems.
pub(super) const FILE_SHARE_ALL: u32 = 7;

// How `NtCreateFile` opens.
pub(super) const FILE_OPEN: u32 = 1;
pub(super) const FILE_CREATE: u32 = 2;
pub(super) const FILE_OPEN_IF: u32 = 3;
pub(super) const FILE_OVERWRITE: u32 = 4;
pub(super) const FILE_OVERWRITE_IF: u32 = 5;
pub(super) const FILE_DIRECTORY_FILE: u32 = 0x1;
pub(super) const FILE_WRITE_THROUGH: u32 = 0x2;
pub(super) const FILE_SYNCHRONOUS_IO_NONALERT: u32 = 0x20;
pub(super) const FILE_NON_DIRECTORY_FILE: u32 = 0x40;
pub(super) const FILE_OPEN_REPARSE_POINT: u32 = 0x20_0000;
pub(super) const OBJ_CASE_INSENSITIVE: u32 = 0x40;
pub(super) const OBJ_DONT_REPARSE: u32 = 0x1000;

// How `CreateFileW` opens.
pub(super) const OPEN_EXISTING: u32 = 3;
pub(super) const FILE_FLAG_BACKUP_SEMANTICS: u32 = 0x200_0000;

// Attributes of a file.
pub(super) const FILE_ATTRIBUTE_DIRECTORY: u32 = 0x10;
pub(super) const FILE_ATTRIBUTE_NORMAL: u32 = 0x80;
pub(super) const FILE_ATTRIBUTE_REPARSE_POINT: u32 = 0x400;

// What `GetFileType` tells.
pub(super) const FILE_TYPE_DISK: u32 = 1;
pub(super) const FILE_TYPE_CHAR: u32 = 2;
pub(super) const FILE_TYPE_PIPE: u32 = 3;

/// Offset that has `NtWriteFile` write to the end of the file, wherever that is by then.
pub(super) const FILE_WRITE_TO_END_OF_FILE: u64 = 0xFFFF_FFFF_FFFF_FFFF;

pub(super) const MEM_COMMIT: u32 = 0x1000;
pub(super) const MEM_RESERVE: u32 = 0x2000;
pub(super) const MEM_RELEASE: u32 = 0x8000;
pub(super) const PAGE_NOACCESS: u32 = 1;
pub(super) const PAGE_READWRITE: u32 = 4;
pub(super) const PAGE_GUARD: u32 = 0x100;

/// The library lies in the system's directory, nowhere else.
pub(super) const LOAD_LIBRARY_SEARCH_SYSTEM32: u32 = 0x800;

pub(super) const INFINITE: u32 = u32::MAX;

/// Has `CreateThread` reserve a stack of that size rather than commit it.
pub(super) const STACK_SIZE_PARAM_IS_A_RESERVATION: u32 = 0x1_0000;

/// What `TlsAlloc` gives on failure.
pub(super) const TLS_OUT_OF_INDEXES: u32 = u32::MAX;

/// The values of `ntstatus.h` that the runtime tells apart.
pub(super) mod status {
    use super::Status;

    pub(in super::super) const PENDING: Status = 0x103;
    pub(in super::super) const NO_MORE_FILES: Status = 0x8000_0006_u32 as Status;
    pub(in super::super) const BUFFER_OVERFLOW: Status = 0x8000_0005_u32 as Status;
    pub(in super::super) const NOT_IMPLEMENTED: Status = 0xC000_0002_u32 as Status;
    pub(in super::super) const INVALID_INFO_CLASS: Status = 0xC000_0003_u32 as Status;
    pub(in super::super) const INVALID_PARAMETER: Status = 0xC000_000D_u32 as Status;
    pub(in super::super) const NO_SUCH_FILE: Status = 0xC000_000F_u32 as Status;
    pub(in super::super) const END_OF_FILE: Status = 0xC000_0011_u32 as Status;
    pub(in super::super) const ACCESS_DENIED: Status = 0xC000_0022_u32 as Status;
    pub(in super::super) const NOT_SUPPORTED: Status = 0xC000_00BB_u32 as Status;
    pub(in super::super) const PIPE_EMPTY: Status = 0xC000_00D9_u32 as Status;
    pub(in super::super) const PIPE_BROKEN: Status = 0xC000_014B_u32 as Status;
}

/// Kinds of exception; values of `ntstatus.h` too.
pub(super) mod exception {
    pub(in super::super) const GUARD_PAGE_VIOLATION: u32 = 0x8000_0001;
    pub(in super::super) const BREAKPOINT: u32 = 0x8000_0003;
    pub(in super::super) const ACCESS_VIOLATION: u32 = 0xC000_0005;
    pub(in super::super) const IN_PAGE_ERROR: u32 = 0xC000_0006;
    pub(in super::super) const ILLEGAL_INSTRUCTION: u32 = 0xC000_001D;
    pub(in super::super) const INT_DIVIDE_BY_ZERO: u32 = 0xC000_0094;
    pub(in super::super) const INT_OVERFLOW: u32 = 0xC000_0095;
    pub(in super::super) const PRIVILEGED_INSTRUCTION: u32 = 0xC000_0096;
    pub(in super::super) const STACK_OVERFLOW: u32 = 0xC000_00FD;
}

/// `FILE_INFORMATION_CLASS` and `FS_INFORMATION_CLASS`.
pub(super) mod class {
    pub(in super::super) const BASIC: u32 = 4;
    pub(in super::super) const STANDARD: u32 = 5;
    pub(in super::super) const INTERNAL: u32 = 6;
    pub(in super::super) const RENAME: u32 = 10;
    pub(in super::super) const LINK: u32 = 11;
    pub(in super::super) const DISPOSITION: u32 = 13;
    pub(in super::super) const POSITION: u32 = 14;
    pub(in super::super) const ALLOCATION: u32 = 19;
    pub(in super::super) const END_OF_FILE: u32 = 20;
    pub(in super::super) const ATTRIBUTE_TAG: u32 = 35;
    pub(in super::super) const ID_BOTH_DIRECTORY: u32 = 37;
    pub(in super::super) const DISPOSITION_EX: u32 = 64;
    pub(in super::super) const RENAME_EX: u32 = 65;
    pub(in super::super) const VOLUME: u32 = 1;
}

/// `IO_STATUS_BLOCK`.
#[repr(C)]
#[derive(Default)]
pub(super) struct IoStatus {
    pub(super) status: isize,
    pub(super) information: usize,
}

/// `UNICODE_STRING`; lengths are in bytes.
#[repr(C)]
pub(super) struct UnicodeString {
    pub(super) length: u16,
    pub(super) capacity: u16,
    pub(super) units: *const u16,
}

/// `OBJECT_ATTRIBUTES`.
#[repr(C)]
pub(super) struct ObjectAttributes {
    pub(super) size: u32,
    pub(super) root: RawHandle,
    pub(super) name: *const UnicodeString,
    pub(super) attributes: u32,
    pub(super) security: *const c_void,
    pub(super) quality: *const c_void,
}

/// `FILE_BASIC_INFORMATION`. Times are in units of 100 ns since 1601; 0 sets nothing.
#[repr(C)]
#[derive(Default)]
pub(super) struct BasicInformation {
    pub(super) created: u64,
    pub(super) accessed: u64,
    pub(super) modified: u64,
    pub(super) changed: u64,
    pub(super) attributes: u32,
}

/// `FILE_STANDARD_INFORMATION`.
#[repr(C)]
#[derive(Default)]
pub(super) struct StandardInformation {
    pub(super) allocated: u64,
    pub(super) size: u64,
    pub(super) links: u32,
    pub(super) deleted: u8,
    pub(super) directory: u8,
}

/// `FILE_ATTRIBUTE_TAG_INFORMATION`.
#[repr(C)]
#[derive(Default)]
pub(super) struct AttributeTagInformation {
    pub(super) attributes: u32,
    pub(super) tag: u32,
}

/// `FILE_FS_VOLUME_INFORMATION` with room for a label, which is cut off.
#[repr(C)]
#[derive(Default)]
pub(super) struct VolumeInformation {
    pub(super) created: u64,
    pub(super) serial: u32,
    pub(super) label_length: u32,
    pub(super) supports_objects: u8,
    pub(super) label: [u16; 3],
}

/// `FILE_RENAME_INFORMATION` and `FILE_LINK_INFORMATION`: the name follows as far as its length
/// says.
#[repr(C)]
pub(super) struct RenameInformation {
    pub(super) flags: u32,
    pub(super) root: RawHandle,
    pub(super) name_length: u32,
    pub(super) name: [u16; super::name::CAPACITY],
}

/// The start of `FILE_ID_BOTH_DIR_INFORMATION`; the name follows at [`Self::NAME`].
#[repr(C)]
pub(super) struct DirectoryRecord {
    pub(super) next: u32,
    pub(super) index: u32,
    pub(super) times: [u64; 4],
    pub(super) size: u64,
    pub(super) allocated: u64,
    pub(super) attributes: u32,
    pub(super) name_length: u32,
    /// Size of extended attributes, or the tag of a reparse point.
    pub(super) tag: u32,
    pub(super) short_name_length: u8,
    pub(super) short_name: [u16; 12],
    pub(super) id: u64,
}

impl DirectoryRecord {
    /// Offset of the name.
    pub(super) const NAME: usize = 104;
}

/// `CONSOLE_READCONSOLE_CONTROL`.
#[repr(C)]
pub(super) struct ConsoleReadControl {
    pub(super) size: u32,
    pub(super) initial: u32,
    pub(super) wakeup_mask: u32,
    pub(super) key_state: u32,
}

/// `EXCEPTION_POINTERS`.
#[repr(C)]
pub(super) struct ExceptionPointers {
    pub(super) record: *const ExceptionRecord,
    pub(super) context: *mut Context,
}

/// `EXCEPTION_RECORD`.
#[repr(C)]
pub(super) struct ExceptionRecord {
    pub(super) code: u32,
    pub(super) flags: u32,
    pub(super) inner: *const Self,
    pub(super) address: usize,
    pub(super) parameter_count: u32,
    pub(super) parameters: [usize; 15],
}

/// `CONTEXT` of amd64: 1,232 bytes.
#[cfg(target_arch = "x86_64")]
#[repr(C, align(16))]
#[derive(Clone, Copy)]
pub(super) struct Context {
    homes: [u64; 6],
    pub(super) flags: u32,
    control: u32,
    segments: [u16; 6],
    eflags: u32,
    debug: [u64; 6],
    /// `rax`.
    pub(super) result: u64,
    rcx: u64,
    rdx: u64,
    rbx: u64,
    pub(super) stack_pointer: u64,
    pub(super) frame_pointer: u64,
    others: [u64; 10],
    pub(super) pc: u64,
    vectors: [u64; 122],
}

/// The start of `CONTEXT` of arm64.
#[cfg(target_arch = "aarch64")]
#[repr(C, align(16))]
pub(super) struct Context {
    pub(super) flags: u32,
    cpsr: u32,
    /// `x0`.
    pub(super) result: u64,
    x: [u64; 28],
    pub(super) frame_pointer: u64,
    link: u64,
    pub(super) stack_pointer: u64,
    pub(super) pc: u64,
}

const _: () = {
    assert!(size_of::<ObjectAttributes>() == 48);
    assert!(size_of::<BasicInformation>() == 40);
    assert!(size_of::<StandardInformation>() == 24);
    assert!(size_of::<VolumeInformation>() == 24);
    assert!(offset_of!(RenameInformation, name) == 20);
    assert!(offset_of!(DirectoryRecord, id) == 96);
    assert!(offset_of!(ExceptionRecord, parameters) == 32);
    #[cfg(target_arch = "x86_64")]
    assert!(offset_of!(Context, stack_pointer) == 0x98 && offset_of!(Context, pc) == 0xF8);
    #[cfg(target_arch = "x86_64")]
    assert!(size_of::<Context>() == 1232);
    #[cfg(target_arch = "aarch64")]
    assert!(offset_of!(Context, frame_pointer) == 0xF0 && offset_of!(Context, pc) == 0x108);
};

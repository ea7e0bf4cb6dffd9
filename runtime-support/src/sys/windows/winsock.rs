//! The functions of ws2_32, found when a program begins to listen: one that does not has no need of
//! the library, whose loading takes a while.
//!
//! Source: `winsock2.h` and `ws2def.h` of the Windows SDK.

use super::syscall::{GetProcAddress, LOAD_LIBRARY_SEARCH_SYSTEM32, LoadLibraryExW, RawHandle};
use crate::errno::Errno;
use crate::global::Global;
use crate::sys::Result;
use core::ffi::{CStr, c_void};
use core::ptr::null_mut;

/// What the functions give on failure.
pub(super) const SOCKET_ERROR: i32 = -1;
pub(super) const FIONREAD: u32 = 0x4004_667F;
pub(super) const FIONBIO: u32 = 0x8004_667E;

/// `WSAPOLLFD`.
#[repr(C)]
#[derive(Clone, Copy)]
pub(super) struct PollRecord {
    pub(super) socket: RawHandle,
    pub(super) events: i16,
    pub(super) found: i16,
}

/// The version of Winsock that is asked for: 2.2.
const VERSION: u16 = 0x202;
/// Bytes of `WSADATA`.
const DATA: usize = 408;

macro_rules! functions {
    ($($field:ident = $name:literal: fn($($type:ty),*) -> $result:ty;)*) => {
        /// Functions of the library.
        pub(super) struct Winsock {
            $(pub(super) $field: unsafe extern "system" fn($($type),*) -> $result,)*
        }

        impl Winsock {
            /// Finds them all.
            fn find(library: RawHandle) -> Option<Self> {
                Some(Self {$($field: {
                    let name: &CStr = $name;
                    // SAFETY: the library is loaded, and the name ends in a NUL.
                    let found = unsafe { GetProcAddress(library, name.as_ptr()) };
                    if found.is_null() {
                        return None;
                    }
                    // SAFETY: it is the function of that name, whose type is as declared.
                    unsafe {
                        core::mem::transmute::<
                            *const c_void,
                            unsafe extern "system" fn($($type),*) -> $result,
                        >(found)
                    }
                },)*})
            }
        }
    };
}

functions! {
    accept = c"accept": fn(RawHandle, *mut c_void, *mut i32) -> RawHandle;
    bind = c"bind": fn(RawHandle, *const c_void, i32) -> i32;
    close = c"closesocket": fn(RawHandle) -> i32;
    control = c"ioctlsocket": fn(RawHandle, u32, *mut u32) -> i32;
    last_error = c"WSAGetLastError": fn() -> i32;
    listen = c"listen": fn(RawHandle, i32) -> i32;
    poll = c"WSAPoll": fn(*mut PollRecord, u32, i32) -> i32;
    receive = c"recv": fn(RawHandle, *mut u8, i32, i32) -> i32;
    send = c"send": fn(RawHandle, *const u8, i32, i32) -> i32;
    set_option = c"setsockopt": fn(RawHandle, i32, i32, *const c_void, i32) -> i32;
    shut_down = c"shutdown": fn(RawHandle, i32) -> i32;
    socket = c"WSASocketW": fn(i32, i32, i32, *const c_void, u32, u32) -> RawHandle;
    start = c"WSAStartup": fn(u16, *mut [u8; DATA]) -> i32;
}

static WINSOCK: Global<Option<Winsock>> = Global::new(None);

/// Loads the library. Called before the program begins, by the only thread.
pub(super) fn load() -> Result<&'static Winsock> {
    const NAME: [u16; 11] = {
        let mut units = [0; 11];
        let mut index = 0;
        while index < 10 {
            units[index] = b"ws2_32.dll"[index] as u16;
            index += 1;
        }
        units
    };
    // SAFETY: nothing else uses the record while this runs.
    let winsock = unsafe { &mut *WINSOCK.get() };
    if winsock.is_none() {
        // SAFETY: the name ends in a NUL. The library is the system's own, whatever else lies in
        // the working directory.
        let library =
            unsafe { LoadLibraryExW(NAME.as_ptr(), null_mut(), LOAD_LIBRARY_SEARCH_SYSTEM32) };
        let found = (!library.is_null()).then(|| Winsock::find(library)).flatten();
        let found = winsock.insert(found.ok_or(Errno::NOSYS)?);
        let mut data = [0; DATA];
        // SAFETY: the record is as large as the library's.
        if unsafe { (found.start)(VERSION, &mut data) } != 0 {
            return Err(Errno::NOSYS);
        }
    }
    loaded()
}

/// The library, which is loaded if there is any socket.
pub(super) fn loaded() -> Result<&'static Winsock> {
    // SAFETY: written before the program begins, and not again.
    unsafe { (*WINSOCK.get()).as_ref() }.ok_or(Errno::NOTSOCK)
}

impl Winsock {
    /// The result of a function.
    pub(super) fn check(&self, result: i32) -> Result<usize> {
        usize::try_from(result).map_err(|_| self.error())
    }

    /// What a program sees of the last failed call. Source of the numbers: `winerror.h`.
    #[cold]
    pub(super) fn error(&self) -> Errno {
        // SAFETY: the call has no conditions.
        match unsafe { (self.last_error)() } {
            10004 => Errno::INTR,
            10013 => Errno::ACCES,
            10014 => Errno::FAULT,
            10022 => Errno::INVAL,
            10024 => Errno::MFILE,
            10035 => Errno::AGAIN,
            10036 => Errno::INPROGRESS,
            10038 => Errno::NOTSOCK,
            10040 => Errno::MSGSIZE,
            10045 => Errno::NOTSUP,
            10047 => Errno::AFNOSUPPORT,
            10048 => Errno::ADDRINUSE,
            10049 => Errno::ADDRNOTAVAIL,
            10050 => Errno::NETDOWN,
            10052 => Errno::NETRESET,
            10053 => Errno::CONNABORTED,
            10054 => Errno::CONNRESET,
            10055 => Errno::NOBUFS,
            10057 => Errno::NOTCONN,
            10058 => Errno::PIPE,
            10060 => Errno::TIMEDOUT,
            _ => Errno::IO,
        }
    }
}

//! From Windows' errors to those that programs see.

use super::syscall::{Status, status};
use crate::errno::Errno;
use crate::sys::Result;

/// The result of a function of ntdll.
pub(super) fn check(status: Status) -> Result<()> {
    if status >= 0 { Ok(()) } else { Err(translate(status)) }
}

/// The errno for an `NTSTATUS`. Source of the numbers: `ntstatus.h`.
pub(super) fn translate(status: Status) -> Errno {
    match status as u32 {
        // INVALID_HANDLE, OBJECT_TYPE_MISMATCH
        0xC000_0008 | 0xC000_0024 => Errno::BADF,
        // NO_SUCH_FILE, OBJECT_NAME_NOT_FOUND, OBJECT_PATH_NOT_FOUND, OBJECT_PATH_INVALID,
        // DELETE_PENDING, FILE_DELETED, NOT_FOUND, BAD_NETWORK_PATH, BAD_NETWORK_NAME
        0xC000_000F | 0xC000_0034 | 0xC000_003A | 0xC000_0039 | 0xC000_0056 | 0xC000_0123
        | 0xC000_0225 | 0xC000_00BE | 0xC000_00CC => Errno::NOENT,
        // OBJECT_NAME_INVALID, OBJECT_PATH_SYNTAX_BAD, INVALID_PARAMETER, INVALID_BUFFER_SIZE,
        // NOT_A_REPARSE_POINT
        0xC000_0033 | 0xC000_003B | 0xC000_000D | 0xC000_0206 | 0xC000_0275 => Errno::INVAL,
        // ACCESS_DENIED, CANNOT_DELETE, SHARING_VIOLATION, FILE_LOCK_CONFLICT, LOCK_NOT_GRANTED,
        // USER_MAPPED_FILE
        0xC000_0022 | 0xC000_0121 | 0xC000_0043 | 0xC000_0054 | 0xC000_0055 | 0xC000_0243 => {
            Errno::ACCES
        }
        // PRIVILEGE_NOT_HELD
        0xC000_0061 => Errno::PERM,
        // OBJECT_NAME_COLLISION
        0xC000_0035 => Errno::EXIST,
        // FILE_IS_A_DIRECTORY
        0xC000_00BA => Errno::ISDIR,
        // NOT_A_DIRECTORY
        0xC000_0103 => Errno::NOTDIR,
        // DIRECTORY_NOT_EMPTY
        0xC000_0101 => Errno::NOTEMPTY,
        // REPARSE_POINT_ENCOUNTERED, STOPPED_ON_SYMLINK
        0xC000_050B | 0x8000_002D => Errno::LOOP,
        // DISK_FULL, ALLOTTED_SPACE_EXCEEDED
        0xC000_007F | 0xC000_0099 => Errno::NOSPC,
        // QUOTA_EXCEEDED, DISK_QUOTA_EXCEEDED
        0xC000_0044 | 0xC000_0802 => Errno::DQUOT,
        // MEDIA_WRITE_PROTECTED
        0xC000_00A2 => Errno::ROFS,
        // NO_MEMORY, INSUFFICIENT_RESOURCES, COMMITMENT_LIMIT, WORKING_SET_QUOTA
        0xC000_0017 | 0xC000_009A | 0xC000_012D | 0xC000_00A1 => Errno::NOMEM,
        // TOO_MANY_OPENED_FILES
        0xC000_011F => Errno::MFILE,
        // NOT_SAME_DEVICE
        0xC000_00D4 => Errno::XDEV,
        // TOO_MANY_LINKS
        0xC000_0265 => Errno::MLINK,
        // NAME_TOO_LONG
        0xC000_0106 => Errno::NAMETOOLONG,
        // FILE_TOO_LARGE
        0xC000_0904 => Errno::FBIG,
        // PIPE_DISCONNECTED, PIPE_CLOSING, PIPE_BROKEN
        0xC000_00B0 | 0xC000_00B1 | 0xC000_014B => Errno::PIPE,
        // PIPE_EMPTY, PIPE_NOT_AVAILABLE, CANT_WAIT
        0xC000_00D9 | 0xC000_00AC | 0xC000_00D8 => Errno::AGAIN,
        // CANCELLED
        0xC000_0120 => Errno::INTR,
        // NOT_IMPLEMENTED, INVALID_INFO_CLASS, INVALID_DEVICE_REQUEST, NOT_SUPPORTED
        0xC000_0002 | 0xC000_0003 | 0xC000_0010 | 0xC000_00BB => Errno::NOTSUP,
        // ACCESS_VIOLATION, INVALID_USER_BUFFER
        0xC000_0005 | 0xC000_00E8 => Errno::FAULT,
        _ => Errno::IO,
    }
}

/// Whether the kernel or the file system does not know what was asked of it.
pub(super) fn is_unknown(status: Status) -> bool {
    matches!(
        status,
        status::NOT_IMPLEMENTED
            | status::INVALID_INFO_CLASS
            | status::INVALID_PARAMETER
            | status::NOT_SUPPORTED
    )
}

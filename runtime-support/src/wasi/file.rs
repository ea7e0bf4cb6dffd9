//! An open file's attributes and room: `fd_filestat_*`, `fd_sync`, `fd_datasync`, `fd_advise`,
//! `fd_allocate`.

use super::descriptor;
use super::files as fs;
use super::guest::{Guest, functions};
use super::rights::Rights;
use crate::errno::Errno;
use crate::sys::Result;
use crate::sys::types::{Advice, Stat, TimeChange};

functions! {
    /// Writes an open file's attributes: the 64 bytes of `filestat`.
    fn fd_filestat_get(guest, fd: u32, filestat: u32) {
        write_filestat(&guest, filestat, &stat(fd)?)
    }

    /// Cuts or extends an open file.
    fn fd_filestat_set_size(_guest, fd: u32, size: u64) {
        let file = descriptor::get(fd, Rights::FD_FILESTAT_SET_SIZE)?;
        fs::set_size(&file.handle, size)
    }

    /// Sets an open file's times.
    fn fd_filestat_set_times(_guest, fd: u32, accessed: u64, modified: u64, which: u32) {
        let file = descriptor::get(fd, Rights::FD_FILESTAT_SET_TIMES)?;
        let (accessed, modified) = time_changes(accessed, modified, which)?;
        if file.read_only {
            return Err(Errno::ROFS);
        }
        fs::set_times(&file.handle, accessed, modified)
    }

    /// Stores an open file's data and attributes.
    fn fd_sync(_guest, fd: u32) {
        fs::sync(&descriptor::get(fd, Rights::FD_SYNC)?.handle)
    }

    /// Stores an open file's data.
    fn fd_datasync(_guest, fd: u32) {
        fs::sync_data(&descriptor::get(fd, Rights::FD_DATASYNC)?.handle)
    }

    /// Tells how a range of a file will be used.
    fn fd_advise(_guest, fd: u32, offset: u64, length: u64, advice: u32) {
        let file = descriptor::get(fd, Rights::FD_ADVISE)?;
        let advice = match advice {
            0 => Advice::Normal,
            1 => Advice::Sequential,
            2 => Advice::Random,
            3 => Advice::WillNeed,
            4 => Advice::DontNeed,
            5 => Advice::NoReuse,
            _ => return Err(Errno::INVAL),
        };
        fs::advise(&file.handle, offset, length, advice)
    }

    /// Reserves room for a range of a file and extends the file to hold it.
    fn fd_allocate(_guest, fd: u32, offset: u64, length: u64) {
        let file = descriptor::get(fd, Rights::FD_ALLOCATE)?;
        fs::allocate(&file.handle, offset, length)
    }
}

/// An open file's attributes.
pub fn stat(fd: u32) -> Result<Stat> {
    fs::stat(&descriptor::get(fd, Rights::FD_FILESTAT_GET)?.handle)
}

/// Writes the 64 bytes of a `filestat`.
pub fn write_filestat(guest: &Guest, pointer: u32, stat: &Stat) -> Result<()> {
    let mut record = [0; 64];
    for (place, number) in record.chunks_exact_mut(8).zip([
        stat.device,
        stat.inode,
        stat.file_type as u64,
        stat.links,
        stat.size,
        stat.accessed,
        stat.modified,
        stat.changed,
    ]) {
        place.copy_from_slice(&number.to_le_bytes());
    }
    guest.write(pointer, &record)
}

/// What `fstflags` ask for: the change of the times of access and modification. `INVAL` if a time
/// shall be two things at once.
pub fn time_changes(accessed: u64, modified: u64, which: u32) -> Result<(TimeChange, TimeChange)> {
    let change = |time, bits| match bits {
        0 => Ok(TimeChange::Keep),
        1 => Ok(TimeChange::At(time)),
        2 => Ok(TimeChange::Now),
        _ => Err(Errno::INVAL),
    };
    if which > 15 {
        return Err(Errno::INVAL);
    }
    Ok((change(accessed, which & 3)?, change(modified, which >> 2)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_kept_set_or_now_but_not_two_of_these() {
        let changes = |which| time_changes(5, 6, which);
        assert_eq!(changes(0), Ok((TimeChange::Keep, TimeChange::Keep)));
        assert_eq!(changes(1), Ok((TimeChange::At(5), TimeChange::Keep)));
        assert_eq!(changes(2 | 4), Ok((TimeChange::Now, TimeChange::At(6))));
        assert_eq!(changes(8), Ok((TimeChange::Keep, TimeChange::Now)));
        for which in [3, 12, 16, u32::MAX] {
            assert_eq!(changes(which), Err(Errno::INVAL));
        }
    }
}

//! `fd_readdir`.

use super::descriptor;
use super::files as fs;
use super::guest::functions;
use super::rights::Rights;
use crate::errno::Errno;

/// Bytes of a `dirent`, which the name follows.
const DIRENT: usize = 24;

functions! {
    /// Writes entries from a cookie on, as many as fit; the last one may be cut. Writes how many
    /// bytes were filled: fewer than `length` mean that there are no more entries.
    fn fd_readdir(guest, fd: u32, buffer: u32, length: u32, cookie: u64, used: u32) {
        let mut directory = descriptor::get_alone(fd, Rights::FD_READDIR)?;
        if !directory.kind.is_directory() {
            return Err(Errno::NOTDIR);
        }
        guest.check_result(buffer, length)?;
        guest.check_result(used, 4)?;
        let mut filled: u32 = 0;
        let mut failed = None;
        let mut put = |bytes: &[u8]| {
            let room = (length - filled) as usize;
            let part = bytes.get(..room).unwrap_or(bytes);
            if let Err(errno) = guest.write(buffer + filled, part) {
                failed = Some(errno);
            }
            filled += part.len() as u32;
            filled < length
        };
        if length > 0 {
            fs::read_directory(&mut directory.handle, cookie, &mut |entry| {
                let mut dirent = [0; DIRENT];
                dirent[..8].copy_from_slice(&entry.next.to_le_bytes());
                dirent[8..16].copy_from_slice(&entry.inode.to_le_bytes());
                dirent[16..20].copy_from_slice(&(entry.name.len() as u32).to_le_bytes());
                dirent[20] = entry.file_type as u8;
                put(&dirent) && put(entry.name)
            })?;
        }
        failed.map_or(Ok(()), Err)?;
        guest.write_u32(used, filled)
    }
}

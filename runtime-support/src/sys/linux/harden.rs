//! Landlock and seccomp: the kernel itself refuses what the runtime never asks for.
//!
//! Both hold for the whole process and cannot be lifted. They are set up once directories and
//! listeners are open, before the program begins; threads that begin later inherit them.
//! Sources: the kernel's `Documentation/userspace-api/landlock.rst` and `seccomp_filter.rst`.

use super::fs::Handle;
use super::seccomp::Filter;
use super::syscall::{
    LandlockRuleset, landlock_add_rule, landlock_create_ruleset, landlock_restrict_self,
    landlock_version, seccomp,
};
use crate::errno::Errno;
use crate::sys::Result;
use crate::sys::types::Calls;
use rustix::fd::{AsFd, AsRawFd, FromRawFd, OwnedFd};
use rustix::thread::set_no_new_privs;

/// See [`contract`](crate::sys).
pub const EXISTS: bool = true;

// What Landlock can forbid, in the order in which it learned to. Source: the kernel's
// `include/uapi/linux/landlock.h`.
const WRITE_FILE: u64 = 1 << 1;
const READ_FILE: u64 = 1 << 2;
const READ_DIR: u64 = 1 << 3;
const REMOVE_DIR: u64 = 1 << 4;
const REMOVE_FILE: u64 = 1 << 5;
const MAKE_DIR: u64 = 1 << 7;
const MAKE_REG: u64 = 1 << 8;
const MAKE_SYM: u64 = 1 << 12;
const REFER: u64 = 1 << 13;
const TRUNCATE: u64 = 1 << 14;
/// Everything that the first version knew.
const FIRST: u64 = (1 << 13) - 1;
const IOCTL_DEVICE: u64 = 1 << 15;
/// Binding and connecting of TCP sockets.
const NETWORK: u64 = 3;
/// Abstract sockets and signals of processes outside.
const SCOPES: u64 = 3;

const READING: u64 = READ_FILE | READ_DIR;
const WRITING: u64 =
    WRITE_FILE | REMOVE_DIR | REMOVE_FILE | MAKE_DIR | MAKE_REG | MAKE_SYM | REFER | TRUNCATE;

/// See [`contract`](crate::sys).
pub fn restrict_files<'a>(directories: impl Iterator<Item = (&'a Handle, bool)>) -> Result<()> {
    let version = landlock_version().ok_or(Errno::NOSYS)?;
    let mut files = FIRST;
    for (since, access) in [(2, REFER), (3, TRUNCATE), (5, IOCTL_DEVICE)] {
        files |= if version >= since { access } else { 0 };
    }
    let rules = LandlockRuleset {
        files,
        network: if version >= 4 { NETWORK } else { 0 },
        scopes: if version >= 6 { SCOPES } else { 0 },
    };
    let size = match version {
        ..4 => 8,
        4 | 5 => 16,
        _ => size_of::<LandlockRuleset>(),
    };
    // SAFETY: the kernel reads as much of the record; a descriptor that it gives has no other owner.
    let ruleset = unsafe {
        let descriptor = landlock_create_ruleset(&rules, size).ok_or(Errno::NOSYS)?;
        OwnedFd::from_raw_fd(descriptor)
    };
    for (directory, writable) in directories {
        let allowed = files & if writable { READING | WRITING } else { READING };
        let place = directory.as_fd().as_raw_fd();
        if !landlock_add_rule(ruleset.as_raw_fd(), allowed, place) {
            return Err(Errno::NOSYS);
        }
    }
    let done = set_no_new_privs(true).is_ok() && landlock_restrict_self(ruleset.as_raw_fd());
    if done { Ok(()) } else { Err(Errno::NOSYS) }
}

/// See [`contract`](crate::sys).
pub fn restrict_calls(calls: Calls) -> Result<()> {
    let filter = Filter::new(calls);
    // SAFETY: the filter allows what the runtime asks for.
    let done = set_no_new_privs(true).is_ok() && unsafe { seccomp(filter.instructions()) };
    if done { Ok(()) } else { Err(Errno::NOSYS) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::thread;

    /// Runs in a thread of its own, which alone is restricted.
    fn apart(test: impl FnOnce() + Send + 'static) {
        thread::spawn(test).join().unwrap();
    }

    fn handle(path: &std::path::Path) -> Handle {
        let path = std::ffi::CString::new(path.to_str().unwrap()).unwrap();
        super::super::fs::open_preopen(&path).unwrap()
    }

    #[test]
    fn landlock_leaves_only_the_granted_directories() {
        let Some(version) = landlock_version() else {
            eprintln!("not tested: this kernel has no Landlock");
            return;
        };
        let folder = std::env::temp_dir().join(format!("kiln-landlock-{}", std::process::id()));
        for name in ["rw", "ro", "none"] {
            fs::create_dir_all(folder.join(name)).unwrap();
            fs::write(folder.join(name).join("file"), name).unwrap();
        }
        let root = folder.clone();
        apart(move || {
            let (rw, ro) = (handle(&root.join("rw")), handle(&root.join("ro")));
            restrict_files([(&rw, true), (&ro, false)].into_iter()).unwrap();
            let refused = |result: std::io::Result<()>| {
                assert_eq!(result.unwrap_err().kind(), std::io::ErrorKind::PermissionDenied);
            };
            assert_eq!(fs::read(root.join("rw/file")).unwrap(), b"rw");
            fs::write(root.join("rw/new"), "new").unwrap();
            fs::rename(root.join("rw/new"), root.join("rw/newer")).unwrap();
            fs::remove_file(root.join("rw/newer")).unwrap();
            assert_eq!(fs::read(root.join("ro/file")).unwrap(), b"ro");
            assert_eq!(fs::read_dir(root.join("ro")).unwrap().count(), 1);
            refused(fs::write(root.join("ro/file"), "x"));
            refused(fs::write(root.join("ro/new"), "x"));
            refused(fs::remove_file(root.join("ro/file")));
            refused(fs::create_dir(root.join("ro/new")));
            refused(fs::read(root.join("none/file")).map(drop));
            refused(fs::read_dir(root.join("none")).map(drop));
            if version >= 4 {
                refused(std::net::TcpListener::bind(("127.0.0.1", 0)).map(drop));
            }
        });
        fs::remove_dir_all(&folder).unwrap();
    }

    #[test]
    fn seccomp_leaves_only_what_the_grants_need() {
        let nothing = Calls { paths: false, changes: false, sockets: false };
        apart(move || {
            let file = fs::File::open("/proc/self/status").unwrap();
            restrict_calls(nothing).unwrap();
            let mut bytes = [0; 64];
            assert!(std::io::Read::read(&mut &file, &mut bytes).unwrap() > 0);
            let refused = fs::File::open("/proc/self/status").unwrap_err();
            assert_eq!(refused.kind(), std::io::ErrorKind::PermissionDenied);
            assert!(std::net::UdpSocket::bind(("127.0.0.1", 0)).is_err());
            assert!(std::process::Command::new("/bin/true").spawn().is_err());
        });
        apart(move || {
            restrict_calls(Calls { paths: true, ..nothing }).unwrap();
            drop(fs::File::open("/proc/self/status").unwrap());
            let refused = fs::create_dir("/tmp/never").unwrap_err();
            assert_eq!(refused.kind(), std::io::ErrorKind::PermissionDenied);
        });
    }

    #[test]
    fn seccomp_leaves_no_way_to_new_code() {
        apart(|| {
            restrict_calls(Calls { paths: false, changes: false, sockets: false }).unwrap();
            let map = |access| {
                let flags = rustix::mm::MapFlags::PRIVATE;
                // SAFETY: a new mapping replaces none.
                unsafe { rustix::mm::mmap_anonymous(core::ptr::null_mut(), 4096, access, flags) }
            };
            assert!(map(rustix::mm::ProtFlags::READ | rustix::mm::ProtFlags::WRITE).is_ok());
            let refused = map(rustix::mm::ProtFlags::READ | rustix::mm::ProtFlags::EXEC);
            assert_eq!(refused, Err(rustix::io::Errno::PERM));
        });
    }
}

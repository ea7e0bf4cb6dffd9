//! The record of a program's requests, as the runtime writes it.
//!
//! Its lines are described in the runtime's `wasi/audit.rs`. A line that is cut or unknown is left
//! out: the program may have been ended while it was written.

use crate::policy;

/// `errno`s that matter here. Source: the witx documents of `wasi_snapshot_preview1`.
pub(super) mod errno {
    pub(in super::super) const SUCCESS: u32 = 0;
    pub(in super::super) const EXIST: u32 = 20;
    pub(in super::super) const ISDIR: u32 = 31;
    pub(in super::super) const NOTDIR: u32 = 54;
    pub(in super::super) const NOTEMPTY: u32 = 55;
    pub(in super::super) const PERM: u32 = 63;
    pub(in super::super) const ROFS: u32 = 69;
}

/// A call that says something of grants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Call {
    pub(super) errno: u32,
    pub(super) request: Request,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Request {
    /// A file or directory was opened; as which descriptor, if it was.
    Open {
        name: Name,
        write: bool,
        opened: Option<u32>,
    },
    /// Something was asked of what these names stand for.
    Look(Vec<Name>),
    /// Something was to be changed in the directories that hold these names.
    Change(Vec<Name>),
    /// A directory's entries were read.
    List(u32),
    Close(u32),
    Renumber(u32, u32),
    Environment,
    /// A connection was to be accepted.
    Accept(u32),
}

/// A path relative to a descriptor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Name {
    pub(super) fd: u32,
    pub(super) path: String,
}

/// All calls of a record.
pub(super) fn parse(record: &[u8]) -> Vec<Call> {
    String::from_utf8_lossy(record).lines().filter_map(call).collect()
}

fn call(line: &str) -> Option<Call> {
    let fields: Vec<String> = line.split('\t').map(policy::unescape).collect::<Option<_>>()?;
    let fields: Vec<&str> = fields.iter().map(String::as_str).collect();
    let [function, errno, operands @ ..] = &fields[..] else { return None };
    let names = || {
        let name =
            |pair: &[&str]| Some(Name { fd: pair[0].parse().ok()?, path: pair[1].to_owned() });
        operands.chunks_exact(2).map(name).collect::<Option<Vec<_>>>()
    };
    let descriptor = |index: usize| operands.get(index)?.parse().ok();
    let request = match *function {
        "path_open" => {
            let (name, rest) = operands.split_at_checked(2)?;
            Request::Open {
                name: Name { fd: name[0].parse().ok()?, path: name[1].to_owned() },
                write: *rest.first()? == "w",
                opened: rest.get(1).and_then(|fd| fd.parse().ok()),
            }
        }
        "path_filestat_get" | "path_readlink" => Request::Look(names()?),
        _ if function.starts_with("path_") => Request::Change(names()?),
        "fd_readdir" => Request::List(descriptor(0)?),
        "fd_close" => Request::Close(descriptor(0)?),
        "fd_renumber" => Request::Renumber(descriptor(0)?, descriptor(1)?),
        "environ_get" => Request::Environment,
        "sock_accept" => Request::Accept(descriptor(0)?),
        _ => return None,
    };
    Some(Call { errno: errno.parse().ok()?, request })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_every_kind() {
        let name = |fd, path: &str| Name { fd, path: path.to_owned() };
        let request = |line: &str| call(line).map(|call| call.request);
        let open = |write, opened| Request::Open { name: name(3, "a\tb"), write, opened };
        assert_eq!(request("path_open\t0\t3\ta\\tb\tw\t5"), Some(open(true, Some(5))));
        assert_eq!(request("path_open\t44\t3\ta\\tb\tr"), Some(open(false, None)));
        let names = vec![name(3, "a"), name(4, "b")];
        assert_eq!(request("path_rename\t0\t3\ta\t4\tb"), Some(Request::Change(names)));
        assert_eq!(request("path_readlink\t0\t3\ta"), Some(Request::Look(vec![name(3, "a")])));
        assert_eq!(request("fd_renumber\t0\t5\t6"), Some(Request::Renumber(5, 6)));
        assert_eq!(request("environ_get\t0"), Some(Request::Environment));
        for cut in ["", "path_open", "path_open\t0\t3", "path_open\t0\t3\tx", "fd_close\t0\t"] {
            assert_eq!(request(cut), None, "{cut:?}");
        }
    }
}

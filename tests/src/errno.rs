//! The names of WASI's error numbers. Source: `errno` in the witx documents of
//! `wasi_snapshot_preview1`.

/// Names in the order of their numbers; a call that succeeds gives `SUCCESS`.
const NAMES: &str = "SUCCESS TOOBIG ACCES ADDRINUSE ADDRNOTAVAIL AFNOSUPPORT AGAIN ALREADY BADF \
    BADMSG BUSY CANCELED CHILD CONNABORTED CONNREFUSED CONNRESET DEADLK DESTADDRREQ DOM DQUOT \
    EXIST FAULT FBIG HOSTUNREACH IDRM ILSEQ INPROGRESS INTR INVAL IO ISCONN ISDIR LOOP MFILE MLINK \
    MSGSIZE MULTIHOP NAMETOOLONG NETDOWN NETRESET NETUNREACH NFILE NOBUFS NODEV NOENT NOEXEC NOLCK \
    NOLINK NOMEM NOMSG NOPROTOOPT NOSPC NOSYS NOTCONN NOTDIR NOTEMPTY NOTRECOVERABLE NOTSOCK NOTSUP \
    NOTTY NXIO OVERFLOW OWNERDEAD PERM PIPE PROTO PROTONOSUPPORT PROTOTYPE RANGE ROFS SPIPE SRCH \
    STALE TIMEDOUT TXTBSY XDEV NOTCAPABLE";

/// The name of an error number; `unknown` for what is none.
#[must_use]
pub fn name(number: u32) -> &'static str {
    NAMES.split_ascii_whitespace().nth(number as usize).unwrap_or("unknown")
}

/// Whether a name is one of an error number.
#[must_use]
pub fn is_name(name: &str) -> bool {
    NAMES.split_ascii_whitespace().any(|known| known == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_those_of_the_documents() {
        for (number, known) in [(0, "SUCCESS"), (8, "BADF"), (44, "NOENT"), (76, "NOTCAPABLE")] {
            assert_eq!(name(number), known);
        }
        assert_eq!(name(77), "unknown");
        assert!(is_name("LOOP") && !is_name("EPERM"));
    }
}

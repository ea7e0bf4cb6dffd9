//! One line of a test of paths and descriptors: what a program does and what must come of it.
//!
//! ```text
//! VERB OPERANDS -> OUTCOME[, SYSTEM OUTCOME]…
//! ```
//!
//! Words are read as a shell would. In them `%41` is the byte 0x41, and `{x*300}` is 300 times `x`.
//! A path is relative to the first granted directory, or to descriptor N when it begins with `N:`.
//! An outcome is the name of an error number, or several with `|` between them; behind the name of
//! a system it is for that system alone.
//!
//! ```text
//! open PATH HOW…        read write resize directory creat excl trunc append nofollow
//! stat PATH [nofollow]  times PATH [nofollow]  mkdir PATH  rmdir PATH  unlink PATH  readlink PATH
//! symlink TEXT PATH     rename PATH PATH       link PATH PATH [follow]
//! read FD TEXT          must read all of TEXT and no more
//! list FD               write FD TEXT          seek FD  tell FD  resize FD SIZE  allocate FD SIZE
//! touch FD              sync FD  flags FD BITS  rights FD BITS  describe FD
//! close FD              renumber FD FD
//! ```
//!
//! With `nowhere` at the end, what has a result is told to write it where no memory is.

use kiln_targets::Target;

use crate::errno;
use crate::script::{MEMORY, Replies, Script};

/// Where a step's paths and buffers lie in the program's memory.
const PATHS: [u32; 2] = [0x1_0000, 0x2_0000];
const BUFFER: u32 = 0x3_0000;
/// Bytes of the buffer that are used.
const ROOM: u32 = 0x1000;
/// Where an array of one `iovec` and a call's results lie.
const IOVEC: u32 = 1024;
const RESULT: u32 = 1040;

/// The first granted directory.
const FIRST_DIRECTORY: u64 = 3;

// Sets of rights, of the witx documents.
const READING: u64 = 1 << 1 | 1 << 2 | 1 << 5 | 1 << 21;
const FD_FILESTAT_SET_SIZE: u64 = 1 << 22;
const WRITING: u64 = 1 << 0 | 1 << 2 | 1 << 3 | 1 << 4 | 1 << 6 | 1 << 8 | 1 << 22 | 1 << 23;
const DIRECTORY: u64 = 0x1fff << 9 | 0xf << 23;
/// All but those of sockets.
const ALL: u64 = (1 << 28) - 1;

// Flags of the witx documents.
const SYMLINK_FOLLOW: u64 = 1;
const CREAT: u64 = 1;
const OPEN_DIRECTORY: u64 = 2;
const EXCL: u64 = 4;
const TRUNC: u64 = 8;
const APPEND: u64 = 1;
/// `fstflags`: both times are given.
const BOTH_TIMES: u64 = 1 | 4;
/// Nanoseconds of a time that no file of a test has: 2001-09-09.
const SOME_TIME: u64 = 1_000_000_000_000_000_000;

/// What a program does and what must come of it.
#[derive(Debug, Clone)]
pub struct Step {
    line: String,
    words: Vec<Vec<u8>>,
    /// Outcomes for all systems, and for single ones by their names.
    outcome: String,
    exceptions: Vec<(String, String)>,
}

impl Step {
    /// Reads the steps of a text, one a line.
    ///
    /// # Panics
    /// A line is no step.
    #[must_use]
    pub fn parse_all(text: &str) -> Vec<Self> {
        let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
        lines.map(|line| Self::parse(line).unwrap_or_else(|| panic!("no step: {line}"))).collect()
    }

    fn parse(line: &str) -> Option<Self> {
        let (action, outcomes) = line.rsplit_once(" -> ")?;
        let words = shell_words::split(action).ok()?;
        let words = words.iter().map(|word| unescape(word)).collect::<Option<Vec<_>>>()?;
        let mut outcomes = outcomes.split(", ");
        let outcome = outcomes.next()?.trim().to_owned();
        let mut exceptions = Vec::new();
        for exception in outcomes {
            let (system, outcome) = exception.trim().split_once(' ')?;
            exceptions.push((system.to_owned(), outcome.trim().to_owned()));
        }
        let known = |outcome: &str| outcome.split('|').all(errno::is_name);
        if !known(&outcome) || !exceptions.iter().all(|(_, outcome)| known(outcome)) {
            return None;
        }
        Some(Self { line: line.to_owned(), words, outcome, exceptions })
    }

    /// Adds the step's calls to a script.
    ///
    /// # Panics
    /// It has no known verb, or other operands than its verb needs.
    pub fn write(&self, script: &mut Script) {
        let verb = self.verb();
        match verb {
            b"open" => self.open(script),
            b"read" | b"write" => self.transfer(script),
            b"rename" | b"link" | b"symlink" => self.name(script),
            b"stat" | b"times" | b"mkdir" | b"rmdir" | b"unlink" | b"readlink" => {
                self.look(script);
            }
            _ => self.descriptor(script),
        }
    }

    fn verb(&self) -> &[u8] {
        self.words.first().expect("a step has a verb")
    }

    fn text(&self, index: usize) -> &[u8] {
        self.words.get(index).unwrap_or_else(|| panic!("too few operands: {}", self.line))
    }

    fn number(&self, index: usize) -> u64 {
        let digits = String::from_utf8_lossy(self.text(index)).into_owned();
        digits.parse().unwrap_or_else(|_| panic!("no number: {}", self.line))
    }

    fn has(&self, word: &str) -> bool {
        self.words.iter().skip(2).any(|found| *found == word.as_bytes())
    }

    /// Where the result of the step's call shall go.
    fn result(&self) -> u64 {
        let address = if self.has("nowhere") { MEMORY - 1 } else { RESULT };
        address.into()
    }

    /// The bits of those words that the step has.
    fn bits(&self, words: &[(&str, u64)]) -> u64 {
        words.iter().filter(|(word, _)| self.has(word)).fold(0, |sum, (_, bits)| sum | bits)
    }

    fn open(&self, script: &mut Script) {
        let [fd, at, length] = path(script, PATHS[0], self.text(1));
        let lookup = if self.has("nofollow") { 0 } else { SYMLINK_FOLLOW };
        let how =
            [("creat", CREAT), ("directory", OPEN_DIRECTORY), ("excl", EXCL), ("trunc", TRUNC)];
        let rights = [
            ("read", READING),
            ("write", WRITING),
            ("resize", FD_FILESTAT_SET_SIZE),
            ("directory", DIRECTORY),
        ];
        let operands = [
            fd,
            lookup,
            at,
            length,
            self.bits(&how),
            self.bits(&rights),
            self.bits(&[("directory", ALL)]),
            self.bits(&[("append", APPEND)]),
            self.result(),
        ];
        script.call("path_open", &operands);
    }

    /// What needs one path.
    fn look(&self, script: &mut Script) {
        let [fd, at, length] = path(script, PATHS[0], self.text(1));
        let follow = if self.has("nofollow") { 0 } else { SYMLINK_FOLLOW };
        match self.verb() {
            b"stat" => script.call("path_filestat_get", &[fd, follow, at, length, BUFFER.into()]),
            b"times" => script.call(
                "path_filestat_set_times",
                &[fd, follow, at, length, SOME_TIME, SOME_TIME, BOTH_TIMES],
            ),
            b"mkdir" => script.call("path_create_directory", &[fd, at, length]),
            b"rmdir" => script.call("path_remove_directory", &[fd, at, length]),
            b"unlink" => script.call("path_unlink_file", &[fd, at, length]),
            _ => script.call(
                "path_readlink",
                &[fd, at, length, BUFFER.into(), ROOM.into(), RESULT.into()],
            ),
        }
    }

    /// What gives a new name to something.
    fn name(&self, script: &mut Script) {
        let [new_fd, new, new_length] = path(script, PATHS[1], self.text(2));
        if self.verb() == b"symlink" {
            script.poke(PATHS[0], self.text(1));
            let length = self.text(1).len() as u64;
            script.call("path_symlink", &[PATHS[0].into(), length, new_fd, new, new_length]);
            return;
        }
        let [fd, old, length] = path(script, PATHS[0], self.text(1));
        if self.verb() == b"rename" {
            script.call("path_rename", &[fd, old, length, new_fd, new, new_length]);
        } else {
            let lookup = self.bits(&[("follow", SYMLINK_FOLLOW)]);
            script.call("path_link", &[fd, lookup, old, length, new_fd, new, new_length]);
        }
    }

    fn transfer(&self, script: &mut Script) {
        let writes = self.verb() == b"write";
        let length = if writes { self.text(2).len() as u32 } else { ROOM };
        script.poke(IOVEC, &[BUFFER.to_le_bytes(), length.to_le_bytes()].concat());
        script.poke(RESULT, &[0; 4]);
        if writes {
            script.poke(BUFFER, self.text(2));
        }
        let name = if writes { "fd_write" } else { "fd_read" };
        script.call(name, &[self.number(1), IOVEC.into(), 1, self.result()]);
        script.peek(RESULT, 4);
        script.peek(BUFFER, ROOM);
    }

    /// What needs an open descriptor.
    fn descriptor(&self, script: &mut Script) {
        let fd = self.number(1);
        match self.verb() {
            b"list" => {
                script.call("fd_readdir", &[fd, BUFFER.into(), ROOM.into(), 0, self.result()]);
            }
            b"seek" => script.call("fd_seek", &[fd, 0, 0, self.result()]),
            b"tell" => script.call("fd_tell", &[fd, RESULT.into()]),
            b"resize" => script.call("fd_filestat_set_size", &[fd, self.number(2)]),
            b"allocate" => script.call("fd_allocate", &[fd, 0, self.number(2)]),
            b"touch" => {
                script.call("fd_filestat_set_times", &[fd, SOME_TIME, SOME_TIME, BOTH_TIMES]);
            }
            b"sync" => script.call("fd_sync", &[fd]),
            b"flags" => script.call("fd_fdstat_set_flags", &[fd, self.number(2)]),
            b"rights" => {
                script.call("fd_fdstat_set_rights", &[fd, self.number(2), self.number(2)]);
            }
            b"describe" => script.call("fd_fdstat_get", &[fd, BUFFER.into()]),
            b"close" => script.call("fd_close", &[fd]),
            b"renumber" => script.call("fd_renumber", &[fd, self.number(2)]),
            _ => panic!("no such verb: {}", self.line),
        }
    }

    /// Compares the program's replies with the outcome; gives which outcome it was.
    ///
    /// # Errors
    /// They differ: how.
    pub fn check(
        &self,
        replies: &mut Replies<'_>,
        target: &Target,
    ) -> Result<&'static str, String> {
        let ended = || format!("{}: the program ended", self.line);
        let found = errno::name(replies.number().ok_or_else(ended)?);
        let transfers = matches!(self.verb(), b"read" | b"write");
        let moved = if transfers {
            let count = replies.number().ok_or_else(ended)?;
            let buffer = replies.bytes(ROOM as usize).ok_or_else(ended)?;
            buffer[..count.min(ROOM) as usize].to_vec()
        } else {
            Vec::new()
        };
        let own = self.exceptions.iter().find(|(system, _)| target.name.starts_with(system));
        let wanted = own.map_or(&self.outcome, |(_, outcome)| outcome);
        if !wanted.split('|').any(|name| name == found) {
            return Err(format!("{}: {found}", self.line));
        }
        if transfers && found == "SUCCESS" && moved != self.text(2) {
            return Err(format!("{}: moved {:?}", self.line, String::from_utf8_lossy(&moved)));
        }
        Ok(found)
    }
}

/// Puts a path into memory; its directory, address and length.
fn path(script: &mut Script, address: u32, text: &[u8]) -> [u64; 3] {
    let (fd, name) = match text.iter().position(|&byte| byte == b':') {
        Some(at) if at > 0 && text[..at].iter().all(u8::is_ascii_digit) => {
            let digits = String::from_utf8_lossy(&text[..at]);
            (digits.parse().expect("a descriptor is a number"), &text[at + 1..])
        }
        _ => (FIRST_DIRECTORY, text),
    };
    script.poke(address, name);
    [fd, address.into(), name.len() as u64]
}

/// Replaces `%41` and `{x*300}`.
fn unescape(word: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    let mut rest = word;
    while let Some(first) = rest.chars().next() {
        rest = &rest[first.len_utf8()..];
        match first {
            '%' => {
                let (digits, behind) = rest.split_at_checked(2)?;
                bytes.push(u8::from_str_radix(digits, 16).ok()?);
                rest = behind;
            }
            '{' => {
                let (repeated, behind) = rest.split_once('}')?;
                let (text, count) = repeated.rsplit_once('*')?;
                bytes.extend(text.repeat(count.parse().ok()?).bytes());
                rest = behind;
            }
            _ => bytes.extend(first.encode_utf8(&mut [0; 4]).bytes()),
        }
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_with_escapes() {
        assert_eq!(unescape("a%00b%ff").unwrap(), b"a\0b\xff");
        assert_eq!(unescape("{../*3}x").unwrap(), b"../../../x");
        assert_eq!(unescape("%4"), None);
    }

    #[test]
    fn outcomes_of_single_systems() {
        let step = Step::parse("open 'a b' read -> NOENT|PERM, windows INVAL").unwrap();
        assert_eq!(step.words, [b"open".to_vec(), b"a b".to_vec(), b"read".to_vec()]);
        assert_eq!(step.outcome, "NOENT|PERM");
        assert_eq!(step.exceptions, [("windows".to_owned(), "INVAL".to_owned())]);
        for wrong in ["open a", "open a -> EPERM", "open %zz -> PERM", "open 'a -> PERM"] {
            assert!(Step::parse(wrong).is_none(), "{wrong}");
        }
    }
}

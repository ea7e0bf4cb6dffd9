//! Rights: what a program may do with a descriptor. Source: `rights` in the witx documents.

/// A set of rights.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rights(pub u64);

macro_rules! rights {
    ($($name:ident = $bit:literal, $doc:literal;)*) => {
        impl Rights {
            $(#[doc = $doc] pub const $name: Self = Self(1 << $bit);)*
        }
    };
}

rights! {
    FD_DATASYNC = 0, "To call `fd_datasync`.";
    FD_READ = 1, "To read.";
    FD_SEEK = 2, "To move the position.";
    FD_FDSTAT_SET_FLAGS = 3, "To call `fd_fdstat_set_flags`.";
    FD_SYNC = 4, "To call `fd_sync`.";
    FD_TELL = 5, "To ask for the position.";
    FD_WRITE = 6, "To write.";
    FD_ADVISE = 7, "To call `fd_advise`.";
    FD_ALLOCATE = 8, "To call `fd_allocate`.";
    PATH_CREATE_DIRECTORY = 9, "To call `path_create_directory`.";
    PATH_CREATE_FILE = 10, "To open with `creat`.";
    PATH_LINK_SOURCE = 11, "To link from here.";
    PATH_LINK_TARGET = 12, "To link to here.";
    PATH_OPEN = 13, "To open.";
    FD_READDIR = 14, "To call `fd_readdir`.";
    PATH_READLINK = 15, "To call `path_readlink`.";
    PATH_RENAME_SOURCE = 16, "To rename from here.";
    PATH_RENAME_TARGET = 17, "To rename to here.";
    PATH_FILESTAT_GET = 18, "To call `path_filestat_get`.";
    PATH_FILESTAT_SET_SIZE = 19, "To open with `trunc`.";
    PATH_FILESTAT_SET_TIMES = 20, "To call `path_filestat_set_times`.";
    FD_FILESTAT_GET = 21, "To call `fd_filestat_get`.";
    FD_FILESTAT_SET_SIZE = 22, "To call `fd_filestat_set_size`.";
    FD_FILESTAT_SET_TIMES = 23, "To call `fd_filestat_set_times`.";
    PATH_SYMLINK = 24, "To call `path_symlink`.";
    PATH_REMOVE_DIRECTORY = 25, "To call `path_remove_directory`.";
    PATH_UNLINK_FILE = 26, "To call `path_unlink_file`.";
    POLL_FD_READWRITE = 27, "To wait for it.";
    SOCK_SHUTDOWN = 28, "To call `sock_shutdown`.";
    SOCK_ACCEPT = 29, "To call `sock_accept`.";
}

impl Rights {
    /// None.
    pub const NONE: Self = Self(0);

    /// All that apply to files.
    pub const FILE: Self = Self::FD_DATASYNC
        .and(Self::FD_READ)
        .and(Self::FD_SEEK)
        .and(Self::FD_FDSTAT_SET_FLAGS)
        .and(Self::FD_SYNC)
        .and(Self::FD_TELL)
        .and(Self::FD_WRITE)
        .and(Self::FD_ADVISE)
        .and(Self::FD_ALLOCATE)
        .and(Self::FD_FILESTAT_GET)
        .and(Self::FD_FILESTAT_SET_SIZE)
        .and(Self::FD_FILESTAT_SET_TIMES)
        .and(Self::POLL_FD_READWRITE);

    /// All that apply to the standard streams. A file behind one may be read or written as it was
    /// opened by whoever runs the program; its times are not part of that.
    pub const STREAM: Self = Self::FILE.without(Self::FD_FILESTAT_SET_TIMES);

    /// All that apply to sockets that listen.
    pub const LISTENER: Self = Self::FD_FDSTAT_SET_FLAGS
        .and(Self::FD_FILESTAT_GET)
        .and(Self::POLL_FD_READWRITE)
        .and(Self::SOCK_ACCEPT);

    /// All that apply to connections.
    pub const CONNECTION: Self = Self::FD_READ
        .and(Self::FD_WRITE)
        .and(Self::FD_FDSTAT_SET_FLAGS)
        .and(Self::FD_FILESTAT_GET)
        .and(Self::POLL_FD_READWRITE)
        .and(Self::SOCK_SHUTDOWN);

    /// All that apply to directories.
    pub const DIRECTORY: Self = Self::FD_DATASYNC
        .and(Self::FD_FDSTAT_SET_FLAGS)
        .and(Self::FD_SYNC)
        .and(Self::PATH_CREATE_DIRECTORY)
        .and(Self::PATH_CREATE_FILE)
        .and(Self::PATH_LINK_SOURCE)
        .and(Self::PATH_LINK_TARGET)
        .and(Self::PATH_OPEN)
        .and(Self::FD_READDIR)
        .and(Self::PATH_READLINK)
        .and(Self::PATH_RENAME_SOURCE)
        .and(Self::PATH_RENAME_TARGET)
        .and(Self::PATH_FILESTAT_GET)
        .and(Self::PATH_FILESTAT_SET_SIZE)
        .and(Self::PATH_FILESTAT_SET_TIMES)
        .and(Self::FD_FILESTAT_GET)
        .and(Self::FD_FILESTAT_SET_TIMES)
        .and(Self::PATH_SYMLINK)
        .and(Self::PATH_REMOVE_DIRECTORY)
        .and(Self::PATH_UNLINK_FILE)
        .and(Self::POLL_FD_READWRITE);

    /// Those for which the host opens a file for writing.
    pub const WRITING: Self = Self::FD_WRITE.and(Self::FD_ALLOCATE).and(Self::FD_FILESTAT_SET_SIZE);

    /// Whether what is opened with these rights shall be writable. Who asks to read but not to
    /// write gets what can be read, whatever else is asked for: Go always asks for
    /// `fd_filestat_set_size`.
    #[must_use]
    pub const fn writes(self) -> bool {
        self.has(Self::FD_WRITE) || (!self.has(Self::FD_READ) && self.has_any(Self::WRITING))
    }

    /// Both sets.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// What both sets have.
    #[must_use]
    pub const fn both(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// This set without another.
    #[must_use]
    pub const fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// Whether all of another set are here.
    #[must_use]
    pub const fn has(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// Whether any of another set is here.
    #[must_use]
    pub const fn has_any(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }
}

//! The functions of WASI preview 1 and how compiled code calls them.
//!
//! A call of `fd_write` becomes a direct call of `kiln_wasi_fd_write` in the convention that
//! [`symbol`](crate::symbol::NARROW_PARAMETERS) names. Its first argument is the
//! [`Memory`](crate::program::Memory) that the guest's pointers point into; the wasm parameters
//! follow, and the result is the `errno`.
//! Source: the witx documents of `wasi_snapshot_preview1`.

/// Module name of preview 1 in imports.
pub const MODULE: &str = "wasi_snapshot_preview1";

/// Module name that older toolchains import: preview 1 without `sock_accept`, and with other
/// layouts in the functions from [`FIRST_UNSTABLE`] on. Source: `snapshot_0` of the witx documents.
pub const UNSTABLE_MODULE: &str = "wasi_unstable";

/// The core type of a parameter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Type {
    /// A 32-bit integer, pointers and lengths included.
    I32,
    /// A 64-bit integer.
    I64,
}

/// A function of WASI preview 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Function {
    /// Its name in the import.
    pub name: &'static str,
    /// Its symbol.
    pub symbol: &'static str,
    /// Types of its parameters.
    pub parameters: &'static [Type],
    /// Whether it returns an `errno`; only `proc_exit` does not.
    pub returns_errno: bool,
}

/// Functions of preview 1; those in [`FUNCTIONS`] from here on are of `wasi_unstable`.
pub const FIRST_UNSTABLE: usize = 46;

/// The position in [`FUNCTIONS`] of what an import means.
#[must_use]
pub fn position(module: &str, name: &str) -> Option<usize> {
    let (preview1, unstable) = FUNCTIONS.split_at(FIRST_UNSTABLE);
    let named = |functions: &[Function]| functions.iter().position(|f| f.name == name);
    match module {
        MODULE => named(preview1),
        UNSTABLE_MODULE if name == "sock_accept" => None,
        UNSTABLE_MODULE => {
            named(unstable).map(|at| FIRST_UNSTABLE + at).or_else(|| named(preview1))
        }
        _ => None,
    }
}

macro_rules! functions {
    ($($prefix:literal { $($name:ident($($parameter:ident)*) $returns:literal;)* })*) => {
        /// Every function of preview 1, in alphabetical order; then those of `wasi_unstable` whose
        /// layouts differ: in the values of `whence`, the link count of `filestat`, the clock of
        /// `subscription`.
        pub const FUNCTIONS: &[Function] = &[$($(Function {
            name: stringify!($name),
            symbol: concat!($prefix, stringify!($name)),
            parameters: &[$(Type::$parameter,)*],
            returns_errno: $returns,
        },)*)*];
    };
}

functions! { "kiln_wasi_" {
    args_get(I32 I32) true;
    args_sizes_get(I32 I32) true;
    clock_res_get(I32 I32) true;
    clock_time_get(I32 I64 I32) true;
    environ_get(I32 I32) true;
    environ_sizes_get(I32 I32) true;
    fd_advise(I32 I64 I64 I32) true;
    fd_allocate(I32 I64 I64) true;
    fd_close(I32) true;
    fd_datasync(I32) true;
    fd_fdstat_get(I32 I32) true;
    fd_fdstat_set_flags(I32 I32) true;
    fd_fdstat_set_rights(I32 I64 I64) true;
    fd_filestat_get(I32 I32) true;
    fd_filestat_set_size(I32 I64) true;
    fd_filestat_set_times(I32 I64 I64 I32) true;
    fd_pread(I32 I32 I32 I64 I32) true;
    fd_prestat_dir_name(I32 I32 I32) true;
    fd_prestat_get(I32 I32) true;
    fd_pwrite(I32 I32 I32 I64 I32) true;
    fd_read(I32 I32 I32 I32) true;
    fd_readdir(I32 I32 I32 I64 I32) true;
    fd_renumber(I32 I32) true;
    fd_seek(I32 I64 I32 I32) true;
    fd_sync(I32) true;
    fd_tell(I32 I32) true;
    fd_write(I32 I32 I32 I32) true;
    path_create_directory(I32 I32 I32) true;
    path_filestat_get(I32 I32 I32 I32 I32) true;
    path_filestat_set_times(I32 I32 I32 I32 I64 I64 I32) true;
    path_link(I32 I32 I32 I32 I32 I32 I32) true;
    path_open(I32 I32 I32 I32 I32 I64 I64 I32 I32) true;
    path_readlink(I32 I32 I32 I32 I32 I32) true;
    path_remove_directory(I32 I32 I32) true;
    path_rename(I32 I32 I32 I32 I32 I32) true;
    path_symlink(I32 I32 I32 I32 I32) true;
    path_unlink_file(I32 I32 I32) true;
    poll_oneoff(I32 I32 I32 I32) true;
    proc_exit(I32) false;
    proc_raise(I32) true;
    random_get(I32 I32) true;
    sched_yield() true;
    sock_accept(I32 I32 I32) true;
    sock_recv(I32 I32 I32 I32 I32 I32) true;
    sock_send(I32 I32 I32 I32 I32) true;
    sock_shutdown(I32 I32) true;
} "kiln_wasi_unstable_" {
    fd_filestat_get(I32 I32) true;
    fd_seek(I32 I64 I32 I32) true;
    path_filestat_get(I32 I32 I32 I32 I32) true;
    poll_oneoff(I32 I32 I32 I32) true;
} }

const _: () = assert!(FUNCTIONS.len() == FIRST_UNSTABLE + 4);

//! What was typed: the grammar of the command line, in strings and paths.
//!
//! Guarantees only that flags and verbs are known. What the values mean is decided in
//! [`crate::options`].

use std::num::NonZero;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

const AFTER_HELP: &str = "\
Exit codes:
  0    success
  2    the command line is wrong
  65   the input is no module that Kiln can compile
  66   the input cannot be read
  70   internal error
  71   the program cannot be executed
  73   the output cannot be created
  74   reading or writing failed
  130  interrupted
`kiln run` exits with the program's own code: 134 after a trap, 125 if it could not start.";

/// One wasm in, every native executable out.
#[derive(Debug, Parser)]
#[command(version, after_help = AFTER_HELP)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) verb: Verb,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    /// Compile a module to executables
    Build(Build),
    /// Compile a module for this machine and run it
    Run(Run),
    /// List the targets
    Targets,
    /// Show what a module or an executable made by Kiln holds
    Inspect(Inspect),
}

#[derive(Debug, Args)]
pub(crate) struct Build {
    /// The module, as .wasm or .wat
    #[arg(value_name = "MODULE")]
    pub(crate) input: PathBuf,

    /// What to compile for: targets as in `kiln targets`, `host`, or `all`
    #[arg(
        short,
        long = "target",
        value_name = "TARGET",
        value_delimiter = ',',
        default_value = "host"
    )]
    pub(crate) targets: Vec<String>,

    /// Where to write: a file for one target, a directory for several
    #[arg(short, long, value_name = "PATH")]
    pub(crate) output: Option<PathBuf>,

    /// What to write
    #[arg(long, value_enum, default_value_t = Emit::Exe)]
    pub(crate) emit: Emit,

    #[command(flatten)]
    pub(crate) grants: Grants,

    #[command(flatten)]
    pub(crate) tuning: Tuning,
}

#[derive(Debug, Args)]
pub(crate) struct Run {
    /// The module, as .wasm or .wat
    #[arg(value_name = "MODULE")]
    pub(crate) input: PathBuf,

    #[command(flatten)]
    pub(crate) grants: Grants,

    #[command(flatten)]
    pub(crate) tuning: Tuning,

    /// The program's own arguments
    #[arg(last = true, value_name = "ARGS")]
    pub(crate) arguments: Vec<std::ffi::OsString>,
}

#[derive(Debug, Args)]
pub(crate) struct Inspect {
    /// A module, or an executable for any target
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,
}

/// What the program may touch. Without any of these it has its arguments, the standard streams,
/// clocks and random numbers.
#[derive(Debug, Args)]
#[command(next_help_heading = "Capabilities")]
pub(crate) struct Grants {
    /// Grant a directory; it is found when the program starts. HOST is absolute, relative to the
    /// working directory, or below a folder: exe:PATH, home:PATH, config:PATH, cache:PATH, temp:PATH
    #[arg(long = "dir", value_name = "HOST[::GUEST][:ro]")]
    pub(crate) directories: Vec<String>,

    /// Grant the directories that an environment variable lists when the program starts; with
    /// GUEST, the one that it holds
    #[arg(long, value_name = "NAME[::GUEST][:ro]")]
    pub(crate) dir_from_env: Vec<String>,

    /// Listen for TCP connections; the program begins with the listener open
    #[arg(long, value_name = "ADDRESS:PORT")]
    pub(crate) listen: Vec<String>,

    /// Set an environment variable
    #[arg(long, value_name = "NAME=VALUE")]
    pub(crate) env: Vec<String>,

    /// Pass on the host's environment, or the named variables of it
    #[arg(
        long,
        value_name = "NAMES",
        value_delimiter = ',',
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = crate::options::EVERY_NAME,
    )]
    pub(crate) inherit_env: Vec<String>,
}

#[derive(Debug, Args)]
#[command(next_help_heading = "Compiling")]
pub(crate) struct Tuning {
    /// Stack for wasm code, in bytes or with a suffix K, M or G
    #[arg(long, value_name = "SIZE", default_value = "8M")]
    pub(crate) stack_size: String,

    /// How accesses to linear memory are kept inside it
    #[arg(long, value_enum, default_value_t = Memory::Guarded)]
    pub(crate) memory: Memory,

    /// Number of threads to compile with [default: one per processor]
    #[arg(short, long, value_name = "N")]
    pub(crate) jobs: Option<NonZero<usize>>,

    /// Show no progress
    #[arg(short, long)]
    pub(crate) quiet: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Emit {
    /// Executables
    Exe,
    /// Relocatable objects in the target's own format, before linking
    Obj,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Memory {
    /// By a guard region: fastest, needs 8 GiB of address space
    Guarded,
    /// By a comparison before each access: for small address spaces
    Checked,
}

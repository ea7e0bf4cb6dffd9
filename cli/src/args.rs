//! What was typed: the grammar of the command line, in strings and paths.
//!
//! Guarantees only that flags and verbs are known. What the values mean is decided in
//! [`crate::options`].

use std::num::NonZero;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use serde::{Deserialize, Serialize};

const AFTER_HELP: &str = "\
Exit codes:
  0    success
  1    `kiln verify` found a difference
  2    the command line or kiln.toml is wrong
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
#[command(version, long_version = crate::version::LONG.as_str(), after_help = AFTER_HELP)]
pub(crate) struct Arguments {
    /// How to tell what is done: to people on standard error, or as a JSON object per line on
    /// standard output
    #[arg(long, global = true, value_enum, value_name = "FORMAT", default_value_t)]
    pub(crate) message_format: MessageFormat,

    #[command(subcommand)]
    pub(crate) verb: Verb,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    /// Compile a module to executables
    Build(Build),
    /// Compile a module for this machine and run it
    Run(Run),
    /// Make a release: an archive per target, checksums, manifest, bill of materials
    Dist(Dist),
    /// Make a release again and compare it byte for byte
    Verify(Verify),
    /// Write a kiln.toml with every key explained
    Init(Init),
    /// Print a completion script for a shell
    Completions(Completions),
    /// Write manual pages
    Man(Man),
    /// List the targets
    Targets,
    /// Show what a module or an executable made by Kiln holds
    Inspect(Inspect),
}

#[derive(Debug, Args)]
pub(crate) struct Build {
    #[command(flatten)]
    pub(crate) program: Program,

    /// Where to write: a file for one target, a directory for several
    #[arg(short, long, value_name = "PATH")]
    pub(crate) output: Option<PathBuf>,

    /// What to write
    #[arg(long, value_enum, default_value_t = Emit::Exe)]
    pub(crate) emit: Emit,

    #[command(flatten)]
    pub(crate) made: Made,

    #[command(flatten)]
    pub(crate) settings: Settings,
}

#[derive(Debug, Args)]
pub(crate) struct Dist {
    #[command(flatten)]
    pub(crate) program: Program,

    /// Version of the program
    #[arg(long)]
    pub(crate) version: Option<String>,

    /// The directory to write
    #[arg(short, long, value_name = "DIRECTORY", default_value = "dist")]
    pub(crate) output: PathBuf,

    /// Add a file or directory to every archive, such as a README
    #[arg(long, value_name = "PATH")]
    pub(crate) include: Vec<PathBuf>,

    #[command(flatten)]
    pub(crate) made: Made,

    #[command(flatten)]
    pub(crate) settings: Settings,
}

#[derive(Debug, Args)]
pub(crate) struct Verify {
    /// The directory that `kiln dist` wrote
    #[arg(value_name = "DIRECTORY")]
    pub(crate) directory: PathBuf,

    /// The module that it was made of
    #[arg(value_name = "MODULE")]
    pub(crate) input: PathBuf,

    /// A module that it was linked with
    #[arg(long, value_name = "NAME=MODULE")]
    pub(crate) link: Vec<String>,

    /// The directory that was embedded, to compare it too; without, the files are taken from the
    /// release
    #[arg(long, value_name = "DIR::GUEST")]
    pub(crate) embed: Vec<String>,

    /// The icon, to compare it too; without, it is taken from the release
    #[arg(long, value_name = "FILE")]
    pub(crate) icon: Option<PathBuf>,

    /// Number of threads to compile with [default: one per processor]
    #[arg(short, long, value_name = "N")]
    pub(crate) jobs: Option<NonZero<usize>>,

    /// Show no progress
    #[arg(short, long)]
    pub(crate) quiet: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Run {
    #[command(flatten)]
    pub(crate) program: Program,

    #[command(flatten)]
    pub(crate) settings: Settings,

    /// Run with all that you may do, and tell what the program needs to be granted; into FILE too
    #[arg(long, value_name = "FILE", num_args = 0..=1, require_equals = true)]
    pub(crate) audit: Option<Option<PathBuf>>,

    /// The program's own arguments
    #[arg(last = true, value_name = "ARGS")]
    pub(crate) arguments: Vec<std::ffi::OsString>,
}

#[derive(Debug, Args)]
pub(crate) struct Completions {
    /// The shell
    #[arg(value_enum)]
    pub(crate) shell: clap_complete::Shell,
}

#[derive(Debug, Args)]
pub(crate) struct Man {
    /// The directory to write to
    #[arg(value_name = "DIRECTORY", default_value = "man/man1")]
    pub(crate) directory: PathBuf,
}

#[derive(Debug, Args)]
pub(crate) struct Init {
    /// The module that it is for; it need not exist yet
    #[arg(value_name = "MODULE")]
    pub(crate) module: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct Inspect {
    /// Show only what an executable may touch, as a file for --policy
    #[arg(long)]
    pub(crate) policy: bool,

    /// A module, or an executable for any target
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,
}

/// What is compiled.
#[derive(Debug, Args)]
pub(crate) struct Program {
    /// The module, as .wasm or .wat; `-` reads it from standard input
    #[arg(value_name = "MODULE")]
    pub(crate) input: PathBuf,

    /// Link with a module, whose exports the modules after it import by that name
    #[arg(long, value_name = "NAME=MODULE")]
    pub(crate) link: Vec<String>,

    /// Put the files of a directory into the executable; the program reads them below GUEST
    #[arg(long, value_name = "DIR::GUEST")]
    pub(crate) embed: Vec<String>,
}

/// What is made of a program, beyond one run of it.
#[derive(Debug, Args)]
pub(crate) struct Made {
    /// What to compile for: targets as in `kiln targets`, `host`, or `all` [default: host to
    /// build, all for a release]
    #[arg(short, long = "target", value_name = "TARGET", value_delimiter = ',')]
    pub(crate) targets: Vec<String>,

    /// Name of the program and of what is written [default: the module's]
    #[arg(long)]
    pub(crate) name: Option<String>,

    /// Icon that Windows shows of executables, as an .ico file
    #[arg(long, value_name = "FILE")]
    pub(crate) icon: Option<PathBuf>,

    /// One file for both architectures of macOS instead of two
    #[arg(long)]
    pub(crate) universal: bool,
}

/// How it is compiled, and what it may do.
#[derive(Debug, Args)]
pub(crate) struct Settings {
    #[command(flatten)]
    pub(crate) project: Project,

    #[command(flatten)]
    pub(crate) grants: Grants,

    #[command(flatten)]
    pub(crate) tuning: Tuning,
}

/// Where settings come from besides the command line.
#[derive(Debug, Args)]
pub(crate) struct Project {
    /// Take settings from this file [default: kiln.toml beside the module]
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,

    /// Take grants from this file, and none from kiln.toml
    #[arg(long, value_name = "FILE")]
    pub(crate) policy: Option<PathBuf>,

    /// Take settings from the command line alone
    #[arg(long, conflicts_with = "config")]
    pub(crate) no_config: bool,
}

/// What the program may touch. Without any of these it has its arguments, the standard streams,
/// clocks and random numbers.
#[derive(Debug, Default, Args)]
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

    /// Have the Linux kernel refuse too what is not granted, where it can, or with `=required` not
    /// run where it cannot; LAYERS is landlock, seccomp, or both
    #[arg(long, value_name = "LAYERS", value_delimiter = ',')]
    pub(crate) harden: Vec<String>,

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
        default_missing_value = crate::grants::EVERY_NAME,
    )]
    pub(crate) inherit_env: Vec<String>,
}

#[derive(Debug, Args)]
#[command(next_help_heading = "Compiling")]
pub(crate) struct Tuning {
    /// Stack for wasm code, in bytes or with a suffix K, M or G [default: 8M]
    #[arg(long, value_name = "SIZE")]
    pub(crate) stack_size: Option<String>,

    /// How accesses to linear memory are kept inside it [default: guarded]
    #[arg(long, value_enum)]
    pub(crate) memory: Option<Memory>,

    /// Processors to compile for, beyond every target's baseline: v3 or v4 on amd64, v8.1 on
    /// arm64, or native for this machine's; the program checks when it starts
    #[arg(long, value_name = "LEVELS", value_delimiter = ',')]
    pub(crate) cpu: Vec<String>,

    /// How much to optimize
    #[arg(long, value_enum, default_value_t = Opt::Speed)]
    pub(crate) opt: Opt,

    /// Number of threads to compile with [default: one per processor]
    #[arg(short, long, value_name = "N")]
    pub(crate) jobs: Option<NonZero<usize>>,

    /// Show no progress
    #[arg(short, long)]
    pub(crate) quiet: bool,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum MessageFormat {
    #[default]
    Human,
    Json,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Opt {
    /// For fast programs
    Speed,
    /// Not at all: to compare with
    None,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Emit {
    /// Executables
    Exe,
    /// Relocatable objects in the target's own format, before linking
    Obj,
    /// An OCI image of the linux executables, as a tar archive
    Oci,
    /// Libraries to link C programs with, and their C header
    Staticlib,
    /// Shared libraries for C programs, and their C header
    Cdylib,
}

impl Emit {
    /// Whether it is a library.
    pub(crate) fn is_library(self) -> bool {
        matches!(self, Self::Staticlib | Self::Cdylib)
    }
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Memory {
    /// By a guard region: fastest, needs 8 GiB of address space
    #[default]
    Guarded,
    /// By a comparison before each access: for small address spaces
    Checked,
}

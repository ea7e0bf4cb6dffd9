//! Everything that can go wrong for the user of the command line, with its exit code.

use std::io;
use std::path::PathBuf;

use kiln_targets::resources::IconError;
use kiln_targets::{LinkError, Target};

use crate::exit_code;

/// Why a verb failed. Its `source`s say more; [`crate::hint`] says what to do about it.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error("there is no target `{0}`")]
    UnknownTarget(String),

    #[error("this machine is none of Kiln's targets")]
    UnsupportedHost,

    #[error("cannot use `{}`", .path.display())]
    Config { path: PathBuf, source: Box<toml::de::Error> },

    /// The option is a flag as it is typed, or a key of `kiln.toml`.
    #[error("`{option} {value}`: {reason}")]
    OptionValue { option: &'static str, value: String, reason: String },

    #[error("a release needs a version")]
    NoVersion,

    #[error("`--universal` is for both architectures of macOS")]
    HalfUniversal,

    #[error("the release in `{}` {what}", .path.display())]
    Differs { path: PathBuf, what: String },

    #[error("`{}` is no manifest of a release", .path.display())]
    Manifest { path: PathBuf, source: serde_json::Error },

    #[error("cannot read `{}`", .path.display())]
    Read { path: PathBuf, source: io::Error },

    #[error("`{}` is not valid WebAssembly text", .path.display())]
    Text { path: PathBuf, source: wat::Error },

    #[error("cannot compile `{}`", .path.display())]
    Module { path: PathBuf, source: kiln_compiler::Error },

    #[error("cannot compile for {target}")]
    Codegen { target: &'static Target, source: kiln_compiler::Error },

    #[error("cannot link for {target}")]
    Link { target: &'static Target, source: LinkError },

    #[error("cannot use the icon `{}`", .path.display())]
    Icon { path: PathBuf, source: IconError },

    #[error("cannot inspect `{}`", .path.display())]
    Executable { path: PathBuf, source: kiln_targets::executable::Error },

    #[error("`{}` is no executable with a policy that this Kiln can read", .0.display())]
    NoPolicy(PathBuf),

    #[error("the output `{}` would overwrite the input", .0.display())]
    OverwritesInput(PathBuf),

    #[error("cannot create `{}`: {reason}", .path.display())]
    Occupied { path: PathBuf, reason: &'static str },

    #[error("cannot create `{}`", .path.display())]
    Create { path: PathBuf, source: io::Error },

    #[error("cannot write `{}`", .path.display())]
    Write { path: PathBuf, source: io::Error },

    #[error("cannot write to standard output")]
    Print(#[source] io::Error),

    #[error("cannot start threads to compile with")]
    Threads(#[source] rayon::ThreadPoolBuildError),

    #[error("cannot execute the compiled program")]
    Execute(#[source] io::Error),
}

impl Error {
    /// The exit code that the README's table gives for this.
    pub(crate) fn exit_code(&self) -> u8 {
        match self {
            Self::UnknownTarget(_)
            | Self::UnsupportedHost
            | Self::Config { .. }
            | Self::NoVersion
            | Self::HalfUniversal
            | Self::OptionValue { .. }
            | Self::OverwritesInput(_) => exit_code::USAGE,
            Self::Differs { .. } => exit_code::DIFFERENT,
            Self::Read { .. } => exit_code::NO_INPUT,
            Self::Text { .. }
            | Self::Module { .. }
            | Self::Icon { .. }
            | Self::Manifest { .. }
            | Self::Executable { .. }
            | Self::NoPolicy(_) => exit_code::BAD_INPUT,
            Self::Codegen { .. } | Self::Link { .. } => exit_code::INTERNAL,
            Self::Create { source, .. } if source.kind() == io::ErrorKind::StorageFull => {
                exit_code::IO
            }
            Self::Occupied { .. } | Self::Create { .. } => exit_code::CANNOT_CREATE,
            Self::Write { .. } | Self::Print(_) => exit_code::IO,
            Self::Threads(_) | Self::Execute(_) => exit_code::CANNOT_EXECUTE,
        }
    }
}

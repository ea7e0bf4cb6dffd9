//! What the runners of the file-based tests share.
//!
//! A test is a file, or an entry of one. The runners under `tests/` build it with `kiln`, execute
//! it on each target and compare what it did with what was expected. A target that cannot be
//! executed on this machine makes its tests ignored, with the reason; it never makes them pass.
//!
//! Requires the `kiln` of the same profile beside the tests (`cargo build --release -p kiln`), or
//! where `KILN` says; and for foreign targets `scripts/install-runners`.

pub mod c_compiler;
pub mod corpus;
pub mod errno;
pub mod execute;
pub mod expect;
pub mod fixture;
pub mod kiln;
pub mod large_data;
pub mod linked;
pub mod root;
pub mod script;
pub mod step;
pub mod trial;
pub mod wast;

use std::path::{Path, PathBuf};

/// The project's top folder.
///
/// # Panics
/// Never: this crate lies in a folder of the project.
#[must_use]
pub fn project() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("this crate lies in a folder")
}

/// A fresh folder that is removed when dropped.
///
/// # Errors
/// The system has no room for it.
pub fn scratch() -> std::io::Result<tempfile::TempDir> {
    tempfile::Builder::new().prefix("kiln-test-").tempdir()
}

/// Writes an executable file.
///
/// # Errors
/// The system refused it.
pub fn write_executable(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    std::fs::write(path, bytes)?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755))?;
    }
    Ok(())
}

/// Every file below `folder` whose name ends in `.extension`, in the order of their paths.
#[must_use]
pub fn files(folder: &Path, extension: &str) -> Vec<PathBuf> {
    walkdir::WalkDir::new(folder)
        .sort_by_file_name()
        .into_iter()
        .filter_map(Result::ok)
        .map(walkdir::DirEntry::into_path)
        .filter(|path| path.extension().is_some_and(|found| found == extension))
        .collect()
}

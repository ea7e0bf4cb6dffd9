//! Writing outputs: all of them or none, never half of one.
//!
//! Each file is written under a temporary name in its own directory. Only when all are complete
//! do they get their names, one rename each. When anything fails before the last rename, what
//! this run has made is removed again, directories included; so does Ctrl-C.

use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use tempfile::{NamedTempFile, TempDir};

use crate::error::Error;
use crate::exit_code;

/// Permissions of outputs, before the umask.
#[cfg(unix)]
const EXECUTABLE_MODE: u32 = 0o755;
#[cfg(unix)]
const OBJECT_MODE: u32 = 0o644;

/// A file to be written.
#[derive(Debug)]
pub(crate) struct Output {
    pub(crate) path: PathBuf,
    pub(crate) bytes: Vec<u8>,
    pub(crate) executable: bool,
}

/// Temporary files and directories that an interrupt must remove.
static PENDING: Mutex<Vec<PathBuf>> = Mutex::new(Vec::new());

/// Whether a program runs in the foreground, which an interrupt is meant for.
static PROGRAM_RUNS: AtomicBool = AtomicBool::new(false);

/// Makes Ctrl-C remove temporary files before it ends the process.
///
/// An error only means that an interrupt may leave a temporary file behind, so it is ignored.
pub(crate) fn remove_on_interrupt() {
    let _ = ctrlc::set_handler(|| {
        if PROGRAM_RUNS.load(Ordering::Relaxed) {
            return;
        }
        // The lock is never given back: no file can be added while the process ends.
        let pending = PENDING.lock().unwrap_or_else(PoisonError::into_inner);
        for path in pending.iter() {
            let _ = fs::remove_file(path).or_else(|_| fs::remove_dir_all(path));
        }
        std::process::exit(exit_code::INTERRUPTED.into());
    });
}

/// Leaves Ctrl-C to the program that `kiln run` waits for; its end ends Kiln too.
pub(crate) fn leave_interrupts_to_program() {
    PROGRAM_RUNS.store(true, Ordering::Relaxed);
}

/// Finds out, before the work of compiling, what would keep `outputs` from being written.
pub(crate) fn check(input: &Path, outputs: &[PathBuf]) -> Result<(), Error> {
    let input = fs::canonicalize(input).ok();
    for output in outputs {
        if let Ok(found) = fs::metadata(output) {
            if input.is_some() && fs::canonicalize(output).ok() == input {
                return Err(Error::OverwritesInput(output.clone()));
            }
            let occupied = |reason| Err(Error::Occupied { path: output.clone(), reason });
            if found.is_dir() {
                return occupied("a directory has that name");
            }
            // A rename would replace a device such as /dev/null by a file.
            if !found.is_file() {
                return occupied("something other than a file has that name");
            }
        }
        check_directory(output)?;
    }
    Ok(())
}

/// Tries to make a file, unnamed where the system has such files, in the directory that `output`
/// shall lie in or the nearest one above it that exists.
fn check_directory(output: &Path) -> Result<(), Error> {
    let existing = directory_of(output)
        .ancestors()
        .find(|above| above.as_os_str().is_empty() || above.symlink_metadata().is_ok());
    let existing = existing.filter(|path| !path.as_os_str().is_empty()).unwrap_or(Path::new("."));
    match tempfile::tempfile_in(existing) {
        Ok(_) => Ok(()),
        Err(source) => Err(Error::Create { path: output.to_owned(), source }),
    }
}

/// Writes `outputs`.
///
/// # Errors
/// A directory or file cannot be created, or writing fails half-way. Nothing is left behind then;
/// an older file of the same name is kept unless its replacement had already taken its name.
pub(crate) fn write(outputs: &[Output]) -> Result<(), Error> {
    let mut undo = Undo::default();
    let mut complete = Vec::new();
    for output in outputs {
        create_directory(directory_of(&output.path), &mut undo)?;
        complete.push((write_temporary(output)?, &output.path));
    }
    for (file, path) in complete {
        file.persist(path)
            .map_err(|failed| Error::Create { path: path.clone(), source: failed.error })?;
        undo.files.push(path.clone());
    }
    undo.done = true;
    Ok(())
}

/// Writes a directory that holds `files`, by their names, and nothing else. It takes the place of
/// an older one.
///
/// # Errors
/// As [`write`]: nothing is left behind then, and the older directory is kept.
pub(crate) fn write_directory(path: &Path, files: &[Output]) -> Result<(), Error> {
    let create = |source| Error::Create { path: path.to_owned(), source };
    let mut undo = Undo::default();
    create_directory(directory_of(path), &mut undo)?;
    let complete = create_temporary_directory(directory_of(path)).map_err(create)?;
    let inside = |output: &Output| Output {
        path: complete.path().join(&output.path),
        bytes: output.bytes.clone(),
        executable: output.executable,
    };
    write(&files.iter().map(inside).collect::<Vec<_>>())?;
    if path.symlink_metadata().is_ok() {
        // A directory cannot take the place of one with files in it.
        let older = create_temporary_directory(directory_of(path)).map_err(create)?;
        let aside = older.path().join("older");
        fs::rename(path, &aside).map_err(create)?;
        fs::rename(complete.path(), path).map_err(|source| {
            let _ = fs::rename(&aside, path);
            create(source)
        })?;
    } else {
        fs::rename(complete.path(), path).map_err(create)?;
    }
    // It has another name now.
    let _ = complete.keep();
    undo.done = true;
    Ok(())
}

/// Creates a temporary directory in `directory`, which an interrupt removes.
fn create_temporary_directory(directory: &Path) -> io::Result<TempDir> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(".kiln-");
    set_permissions(&mut builder, true);
    let mut pending = PENDING.lock().unwrap_or_else(PoisonError::into_inner);
    let made = builder.tempdir_in(directory)?;
    pending.push(made.path().to_owned());
    Ok(made)
}

/// Creates a temporary file in `directory`, executable or not, which an interrupt removes. Its
/// name ends in `suffix`.
pub(crate) fn create_temporary(
    directory: &Path,
    suffix: &str,
    executable: bool,
) -> io::Result<NamedTempFile> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(".kiln-").suffix(suffix);
    set_permissions(&mut builder, executable);
    let mut pending = PENDING.lock().unwrap_or_else(PoisonError::into_inner);
    let file = builder.tempfile_in(directory)?;
    pending.push(file.path().to_owned());
    Ok(file)
}

#[cfg(unix)]
fn set_permissions(builder: &mut tempfile::Builder<'_, '_>, executable: bool) {
    use std::os::unix::fs::PermissionsExt as _;
    let mode = if executable { EXECUTABLE_MODE } else { OBJECT_MODE };
    builder.permissions(fs::Permissions::from_mode(mode));
}

/// Elsewhere a file's name says whether it is executable.
#[cfg(not(unix))]
fn set_permissions(_builder: &mut tempfile::Builder<'_, '_>, _executable: bool) {}

fn write_temporary(output: &Output) -> Result<NamedTempFile, Error> {
    let path = &output.path;
    let mut file = create_temporary(directory_of(path), "", output.executable)
        .map_err(|source| Error::Create { path: path.clone(), source })?;
    file.write_all(&output.bytes).map_err(|source| Error::Write { path: path.clone(), source })?;
    Ok(file)
}

fn directory_of(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}

/// Creates `directory` and what it lies in.
fn create_directory(directory: &Path, undo: &mut Undo) -> Result<(), Error> {
    if directory.is_dir() {
        return Ok(());
    }
    let missing = directory
        .ancestors()
        .take_while(|above| !above.as_os_str().is_empty() && above.symlink_metadata().is_err());
    for path in missing.collect::<Vec<_>>().into_iter().rev() {
        fs::create_dir(path).map_err(|source| Error::Create { path: path.to_owned(), source })?;
        undo.directories.push(path.to_owned());
    }
    Ok(())
}

/// Removes what was made so far unless all of it was.
#[derive(Debug, Default)]
struct Undo {
    files: Vec<PathBuf>,
    directories: Vec<PathBuf>,
    done: bool,
}

impl Drop for Undo {
    fn drop(&mut self) {
        if self.done {
            return;
        }
        for path in &self.files {
            let _ = fs::remove_file(path);
        }
        for path in self.directories.iter().rev() {
            let _ = fs::remove_dir(path);
        }
    }
}

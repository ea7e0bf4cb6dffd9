//! What Linux and macOS have in common.

use super::Result;
use super::types::HostPath;
use crate::errno::Errno;
use crate::wasi::environ::host_variable;

/// Writes the directory that a variable of the environment names, and what follows it. `NOENT`
/// unless the variable holds an absolute path: one relative to the working directory would let
/// whoever chose that directory choose the folder too.
pub(super) fn push_folder(path: &mut HostPath, variable: &[u8], rest: &[u8]) -> Result<()> {
    let folder = host_variable(variable).filter(|value| value.starts_with(b"/"));
    let folder = folder.ok_or(Errno::NOENT)?;
    let folder = folder.strip_suffix(b"/").unwrap_or(folder);
    path.push(folder.iter().chain(rest).copied())
}

/// A `timespec` since 1970 as one number; times that it cannot hold give `OVERFLOW`. Programs ask
/// for the clock often: what is in the way costs a twentieth of the call.
pub(super) fn nanoseconds(seconds: i64, rest: i64) -> Result<u64> {
    const SECOND: u64 = 1_000_000_000;
    // A negative number is one of the largest now.
    let seconds = seconds as u64;
    if seconds > u64::MAX / SECOND {
        return Err(Errno::OVERFLOW);
    }
    (seconds * SECOND).checked_add_signed(rest).ok_or(Errno::OVERFLOW)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_times_that_fit_are_nanoseconds() {
        assert_eq!(nanoseconds(0, 0), Ok(0));
        assert_eq!(nanoseconds(1, 2), Ok(1_000_000_002));
        assert_eq!(nanoseconds(18_446_744_073, 709_551_615), Ok(u64::MAX));
        for (seconds, rest) in [
            (18_446_744_073, 709_551_616),
            (18_446_744_074, 0),
            (-1, 0),
            (-1, 999_999_999),
            (i64::MIN, 0),
            (i64::MAX, 0),
        ] {
            assert_eq!(nanoseconds(seconds, rest), Err(Errno::OVERFLOW));
        }
    }
}

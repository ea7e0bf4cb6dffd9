//! Mach-O executables.
use crate::link::program::{Program, SymbolId};
use crate::link::{Input, LinkError};
pub(crate) const ENTRY: &str = "_main";
pub(crate) const POLICY: &str = "_kiln_policy";
pub(crate) const LIBSYSTEM: &str = "/usr/lib/libSystem.B.dylib";
pub(crate) fn libsystem_symbol(_: &[u8]) -> Option<&'static str> {
    None
}
pub(crate) fn write(_: &mut Program<'_>, _: SymbolId, _: &Input<'_>) -> Result<Vec<u8>, LinkError> {
    Err(LinkError::TooLarge("unfinished".into()))
}

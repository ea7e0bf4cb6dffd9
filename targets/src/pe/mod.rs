//! PE executables.
use crate::link::program::{Program, SymbolId};
use crate::link::{Input, LinkError};
pub(crate) const ENTRY: &str = "kiln_start";
pub(crate) fn write(_: &mut Program<'_>, _: SymbolId, _: &Input<'_>) -> Result<Vec<u8>, LinkError> {
    Err(LinkError::TooLarge("unfinished".into()))
}

//! The command line as its users meet it: the built `kiln`, run in an empty directory.
//!
//! Inputs are written as WebAssembly text or made here; expected outputs that are longer than a
//! line lie in `tests/golden` and are renewed with `SNAPSHOTS=overwrite`.

mod bad_input;
mod bad_options;
mod bad_output;
mod building;
mod configuring;
mod documentation;
mod embedding;
mod icons;
mod inspecting;
mod integrating;
mod linking;
mod policies;
mod releasing;
mod running;
mod scratch;
mod terminal;

//! Facts about a module that hold because the whole program is known.
//!
//! Each function body is looked at once, while it is validated ([`BodyFacts`]); the facts of the
//! module are drawn from those without reading code again.

mod body;
mod contents;
mod facts;
mod idiom;
pub(crate) mod proposals;

pub(crate) use body::BodyFacts;
pub(crate) use contents::Contents;
pub(crate) use facts::{Facts, TableFacts};

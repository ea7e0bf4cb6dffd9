//! `random_get`.

use super::guest::functions;
use crate::sys::random;

functions! {
    /// Fills a buffer with random bytes fit for keys.
    fn random_get(guest, buffer: u32, length: u32) {
        random::fill(&guest.buffer(buffer, length)?)
    }
}

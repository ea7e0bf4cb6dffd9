//! Compares what happened with what was expected.

use libtest_mimic::Failed;
use sha2::{Digest as _, Sha256};

/// Compares two sequences of bytes and shows where they part.
///
/// # Errors
/// They differ.
pub fn same(what: &str, expected: &[u8], actual: &[u8]) -> Result<(), Failed> {
    if expected == actual {
        return Ok(());
    }
    let at = expected.iter().zip(actual).take_while(|(left, right)| left == right).count();
    Err(format!(
        "{what} differs from byte {at} on ({} bytes expected, {} found)\nexpected: …{}\nfound:    …{}",
        expected.len(),
        actual.len(),
        excerpt(expected, at),
        excerpt(actual, at),
    )
    .into())
}

/// What stands around a place, so that a reader finds it.
fn excerpt(bytes: &[u8], at: usize) -> String {
    let start = at.saturating_sub(40);
    let end = bytes.len().min(at + 200);
    format!("{:?}", String::from_utf8_lossy(&bytes[start..end]))
}

/// SHA-256 in hexadecimal digits.
#[must_use]
pub fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

//! Runners of the file-based tests.

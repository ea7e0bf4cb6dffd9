//! The input file: read whole, and translated when it is WebAssembly text.

use std::borrow::Cow;
use std::fs;
use std::io::{self, Read as _};
use std::path::Path;

use crate::error::Error;

/// Whether `path` stands for standard input.
pub(crate) fn is_stdin(path: &Path) -> bool {
    path.as_os_str() == "-"
}

/// The file's bytes, or those of standard input.
pub(crate) fn read(path: &Path) -> Result<Vec<u8>, Error> {
    let bytes = if is_stdin(path) {
        let mut bytes = Vec::new();
        io::stdin().lock().read_to_end(&mut bytes).map(|_| bytes)
    } else {
        fs::read(path)
    };
    bytes.map_err(|source| Error::Read { path: path.to_owned(), source })
}

/// The binary form of a module: `bytes` as they are, unless they look like WebAssembly text.
/// Whether they are a module at all is for the compiler to say.
pub(crate) fn binary<'a>(path: &Path, bytes: &'a [u8]) -> Result<Cow<'a, [u8]>, Error> {
    if !is_text_format(bytes) {
        return Ok(Cow::Borrowed(bytes));
    }
    wat::parse_bytes(bytes).map_err(|mut source| {
        source.set_path(path);
        Error::Text { path: path.to_owned(), source }
    })
}

/// Whether the first token, after white space and comments, is an opening parenthesis of the text
/// format (<https://webassembly.github.io/spec/core/text/lexical.html>).
fn is_text_format(bytes: &[u8]) -> bool {
    let mut rest = bytes;
    loop {
        rest = rest.trim_ascii_start();
        if rest.starts_with(b";;") {
            let Some(end) = rest.iter().position(|&byte| byte == b'\n') else { return false };
            rest = &rest[end..];
        } else if rest.starts_with(b"(;") {
            let Some(end) = rest.windows(2).position(|pair| pair == b";)") else { return false };
            rest = &rest[end + 2..];
        } else {
            return rest.starts_with(b"(");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::is_text_format;

    #[test]
    fn the_text_format_begins_with_a_parenthesis() {
        for text in ["(module)", " \n(module)", ";; (\n(module)", "(; note ;) (module)"] {
            assert!(is_text_format(text.as_bytes()), "{text}");
        }
        for other in ["", "\0asm", "hello (world)", ";; (module)", "(; (module)", "\x7fELF("] {
            assert!(!is_text_format(other.as_bytes()), "{other}");
        }
    }
}

//! The capability manifest: what the program was granted.
//!
//! The manifest's lines are described in `kiln_abi::program`.

use crate::program;

/// The manifest's grants: each line's first field and the rest.
pub fn grants() -> impl Iterator<Item = (&'static [u8], &'static [u8])> {
    let lines = program::policy().to_bytes().split(|&byte| byte == b'\n');
    lines.skip(1).filter_map(|line| split(line, b'\t'))
}

/// What lies before and after the first `divider`.
pub fn split(text: &[u8], divider: u8) -> Option<(&[u8], &[u8])> {
    let at = text.iter().position(|&byte| byte == divider)?;
    Some((text.get(..at)?, text.get(at + 1..)?))
}

/// The text of a field, whose escapes are read away.
pub fn text(field: &[u8]) -> impl Iterator<Item = u8> + Clone {
    let mut bytes = field.iter().copied();
    core::iter::from_fn(move || match bytes.next()? {
        b'\\' => bytes.next().map(|escape| match escape {
            b't' => b'\t',
            b'n' => b'\n',
            b'r' => b'\r',
            other => other,
        }),
        byte => Some(byte),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn grants_are_the_lines_after_the_header() {
        let all: Vec<_> = grants().collect();
        assert_eq!(
            all,
            [
                (&b"dir"[..], &b"rw\t.\t/"[..]),
                (b"env", b"A=1"),
                (b"env", b"B=x=y"),
                (b"inherit-env", b"PATH"),
            ]
        );
    }

    #[test]
    fn the_first_divider_counts() {
        assert_eq!(split(b"B=x=y", b'='), Some((&b"B"[..], &b"x=y"[..])));
        assert_eq!(split(b"none", b'='), None);
    }

    #[test]
    fn escapes_stand_for_what_divides_fields() {
        let read = |field| text(field).collect::<Vec<u8>>();
        assert_eq!(read(b"plain"), b"plain");
        assert_eq!(read(br"a\tb\nc\rd\\e"), b"a\tb\nc\rd\\e");
        assert_eq!(read(br"C:\\new\\"), br"C:\new\");
        assert_eq!(read(b"cut\\"), b"cut");
    }
}

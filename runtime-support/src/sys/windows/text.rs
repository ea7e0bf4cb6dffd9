//! Between UTF-16, which Windows speaks, and UTF-8, which programs do.

/// Writes UTF-16 as UTF-8, unpaired surrogates as U+FFFD; gives the number of bytes that it takes,
/// which may be more than `bytes` had room for. No character is written in part.
pub(super) fn to_utf8(units: impl Iterator<Item = u16>, bytes: &mut [u8]) -> usize {
    let mut length = 0;
    for character in char::decode_utf16(units) {
        let character = character.unwrap_or(char::REPLACEMENT_CHARACTER);
        let end = length + character.len_utf8();
        if let Some(place) = bytes.get_mut(length..end) {
            character.encode_utf8(place);
        }
        length = end;
    }
    length
}

/// Writes text as UTF-16; gives the units written, or `None` if there is no room for all.
pub(super) fn to_utf16<'a>(text: &str, units: &'a mut [u16]) -> Option<&'a mut [u16]> {
    let mut length = 0;
    for unit in text.encode_utf16() {
        *units.get_mut(length)? = unit;
        length += 1;
    }
    units.get_mut(..length)
}

//! Version information: what Windows shows of a program in words and compares in numbers.
//!
//! Source: Win32 `VS_VERSIONINFO`, `VS_FIXEDFILEINFO`, `StringFileInfo`.

use super::{LANGUAGE, Resource};

/// Win32 "Resource Types".
const RT_VERSION: u16 = 16;
/// UTF-16.
const CODE_PAGE: u16 = 1200;

/// What Windows shows of a program.
#[derive(Debug, Clone, Copy)]
pub struct Version<'a> {
    /// The program's name.
    pub name: &'a str,
    /// The version as people write it; up to four numbers at its beginning are what Windows
    /// compares.
    pub version: &'a str,
    /// What it is, in a few words.
    pub description: &'a str,
    /// Who made it.
    pub author: &'a str,
    /// Whose it is.
    pub copyright: &'a str,
}

/// Version information.
#[must_use]
pub fn version(version: &Version<'_>) -> Resource {
    let file = format!("{}.exe", version.name);
    let strings = [
        ("CompanyName", version.author),
        ("FileDescription", version.description),
        ("FileVersion", version.version),
        ("InternalName", version.name),
        ("LegalCopyright", version.copyright),
        ("OriginalFilename", &file),
        ("ProductName", version.name),
        ("ProductVersion", version.version),
    ];
    let given = strings.into_iter().filter(|(_, text)| !text.is_empty());
    let strings: Vec<Vec<u8>> = given
        .map(|(key, text)| {
            let units = text.encode_utf16().count() as u16 + 1;
            block(key, true, units, &utf16(text), &[])
        })
        .collect();
    let table = block(&format!("{LANGUAGE:04x}{CODE_PAGE:04x}"), true, 0, &[], &strings);
    let translation = [LANGUAGE.to_le_bytes(), CODE_PAGE.to_le_bytes()].concat();
    let translation = block("Translation", false, 4, &translation, &[]);
    let children = [
        block("StringFileInfo", true, 0, &[], &[table]),
        block("VarFileInfo", true, 0, &[], &[translation]),
    ];
    let fixed = fixed_file_info(version.version);
    let data = block("VS_VERSION_INFO", false, fixed.len() as u16, &fixed, &children);
    Resource { kind: RT_VERSION, id: 1, data }
}

/// `VS_FIXEDFILEINFO`.
fn fixed_file_info(version: &str) -> Vec<u8> {
    const SIGNATURE: u32 = 0xfeef_04bd;
    const STRUCTURE_VERSION: u32 = 0x1_0000;
    const FLAGS_MASK: u32 = 0x3f;
    const VOS_NT_WINDOWS32: u32 = 0x4_0004;
    const VFT_APP: u32 = 1;
    let mut numbers = version
        .split(|character: char| !character.is_ascii_digit())
        .take(4)
        .map(|number| number.parse::<u16>().unwrap_or(0));
    let mut pair =
        || u32::from(numbers.next().unwrap_or(0)) << 16 | u32::from(numbers.next().unwrap_or(0));
    let (high, low) = (pair(), pair());
    let words = [
        SIGNATURE,
        STRUCTURE_VERSION,
        high,
        low,
        high,
        low,
        FLAGS_MASK,
        0,
        VOS_NT_WINDOWS32,
        VFT_APP,
        0,
        0,
        0,
    ];
    words.iter().flat_map(|word: &u32| word.to_le_bytes()).collect()
}

/// A block of `VS_VERSIONINFO`: lengths, a key, a value, other blocks; each on 4 bytes.
fn block(key: &str, text: bool, value_length: u16, value: &[u8], children: &[Vec<u8>]) -> Vec<u8> {
    let mut bytes = vec![0; 2];
    bytes.extend_from_slice(&value_length.to_le_bytes());
    bytes.extend_from_slice(&u16::from(text).to_le_bytes());
    bytes.extend_from_slice(&utf16(key));
    for part in [value].into_iter().chain(children.iter().map(Vec::as_slice)) {
        if !part.is_empty() {
            bytes.resize(bytes.len().next_multiple_of(4), 0);
            bytes.extend_from_slice(part);
        }
    }
    let length = bytes.len() as u16;
    bytes[..2].copy_from_slice(&length.to_le_bytes());
    bytes
}

/// With a zero at the end.
fn utf16(text: &str) -> Vec<u8> {
    text.encode_utf16().chain([0]).flat_map(u16::to_le_bytes).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_given_is_said() {
        let information = version(&Version {
            name: "app",
            version: "1.4.2-rc.3",
            description: "An example",
            author: "",
            copyright: "\u{a9} Example",
        })
        .data;
        assert_eq!(
            usize::from(information[0]) | usize::from(information[1]) << 8,
            information.len()
        );
        let holds = |bytes: &[u8]| information.windows(bytes.len()).any(|part| part == bytes);
        assert!(holds(&utf16("An example")) && holds(&utf16("app.exe")));
        assert!(holds(&utf16("040904b0")) && !holds(&utf16("CompanyName")));
        // 1.4.2.0, its two halves in this order, each as a number.
        assert!(holds(&[4, 0, 1, 0, 0, 0, 2, 0]));
    }
}
